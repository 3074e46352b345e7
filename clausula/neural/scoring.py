"""Teacher-forced scoring of any proposal, through its contract alone.

Every proposal is scored here in the way the search calls it: one frame at a time, one voice after
another. It is slow beside a whole-piece path of a proposal's own, and the reference for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.errors import InputError
from clausula.grid import SEARCH_ORDER
from clausula.neural.echo import Array
from clausula.neural.features import AGES, PADDING, Controls, Example
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import REST_TOKEN

BUCKET = 64  # pieces are padded to a multiple of this many frames
TOGETHER = 8  # pieces scored at once
_ORDER = tuple(int(v) for v in SEARCH_ORDER)


class _Music(NamedTuple):
    """What happened, each ``int32[time, voice]``, and what was known beforehand."""

    token: Array
    sounding: Array
    age: Array
    controls: Controls


def nats_by_voice_stepwise(proposal: Proposal, examples: Sequence[Example]) -> np.ndarray:
    """Nats per frame of each voice in search order, over whole pieces.

    Every frame counts, the first included; there is no end token. The sum of the four is the
    nats per frame of the published protocol.

    Returns:
        ``float64[4]``: soprano, bass, alto, tenor.

    Raises:
        InputError: there are no pieces.
    """
    if not examples:
        raise InputError("there are no pieces to score: pass at least one example")
    total = np.zeros(4)
    functions = proposal._replace(params=None)
    for group, music in _buckets(examples):
        nats = np.asarray(_target_nats(proposal.params, music, functions), float)
        for example, of_frame in zip(group, nats, strict=False):
            total += of_frame[: len(example)].sum(0)
    return total / sum(len(example) for example in examples)


def rows_stepwise(proposal: Proposal, example: Example) -> np.ndarray:
    """The distribution from which each token of a piece is drawn, given all before it.

    Returns:
        ``float32[time, 4, token]`` log probabilities, slots in search order.
    """
    music = _padded(example, _length(example))
    rows = _all_rows(proposal.params, music, proposal._replace(params=None))
    return np.asarray(rows[: len(example)])


def _length(example: Example) -> int:
    return -(-len(example) // BUCKET) * BUCKET


def _padded(example: Example, length: int) -> _Music:
    """The piece with its last frame repeated up to ``length`` frames, of which nothing is known."""
    frames = np.minimum(np.arange(length), len(example) - 1)
    beyond = length - len(example)

    def padded(column: np.ndarray) -> np.ndarray:
        width = [(0, beyond)] + [(0, 0)] * (column.ndim - 1)
        return np.pad(column, width, constant_values=PADDING)

    controls = jax.tree.map(padded, example.controls)
    return _Music(example.token[frames], example.sounding[frames], example.age[frames], controls)


def _buckets(examples: Sequence[Example]) -> Iterator[tuple[list[Example], _Music]]:
    """Pieces of about one length, and the same as arrays with a first axis of ``TOGETHER``."""
    by_length: dict[int, list[Example]] = {}
    for example in examples:
        by_length.setdefault(_length(example), []).append(example)
    for length, group in sorted(by_length.items()):
        for i in range(0, len(group), TOGETHER):
            some = group[i : i + TOGETHER]
            filled = some + some[:1] * (TOGETHER - len(some))
            music = [_padded(example, length) for example in filled]
            yield some, jax.tree.map(lambda *columns: np.stack(columns), *music)


def _rows(proposal: Proposal, music: _Music, read: Any) -> Any:
    """``read(log_probs[P], token)`` of every frame and slot of one piece, ``[time, 4, …]``."""
    row = jnp.zeros(1, jnp.int32)

    def frame(carry: tuple, now: tuple) -> tuple[tuple, jax.Array]:
        state, last, age = carry
        time, token, sounding, next_age = now
        state = proposal.begin_frame(proposal.params, state, time, Past(last, age, row))
        out = []
        for slot, voice in enumerate(_ORDER):
            # As in the search, nothing stands where a voice is not yet chosen.
            chosen = np.isin(np.arange(4), _ORDER[:slot])
            so_far = FrameSoFar(
                jnp.where(chosen, token, 0)[None], jnp.where(chosen, sounding, 0)[None], last, row
            )
            log_probs = proposal.log_probs(proposal.params, state, slot, so_far)
            out.append(read(log_probs[0], token[voice]))
        return (state, sounding[None], next_age[None]), jnp.stack(out)

    start = (
        proposal.init(proposal.params, music.controls, 1),
        jnp.full((1, 4), REST_TOKEN, jnp.int32),
        jnp.full((1, 4), AGES - 1, jnp.int32),
    )
    time = jnp.arange(music.token.shape[0])
    return jax.lax.scan(frame, start, (time, music.token, music.sounding, music.age))[1]


@partial(jax.jit, static_argnames="functions")
def _target_nats(params: Any, music: _Music, functions: Proposal) -> jax.Array:
    """``[piece, time, 4]`` nats of the tokens that were chosen."""
    proposal = functions._replace(params=params)
    return jax.vmap(lambda piece: _rows(proposal, piece, lambda row, token: -row[token]))(music)


@partial(jax.jit, static_argnames="functions")
def _all_rows(params: Any, music: _Music, functions: Proposal) -> jax.Array:
    """``[time, 4, token]`` whole rows of one piece."""
    return _rows(functions._replace(params=params), music, lambda row, token: row)
