"""Pieces drawn from a proposal alone: no rule, no constraint, no search.

A token is drawn from each distribution in the order of the contract, so that a piece comes out with
exactly the probability that the proposal gives it (at temperature 1; a hold of silence, which means
nothing, is never drawn). That is what a proposal's own music is like, and what a model is distilled
from.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.errors import InputError
from clausula.grid import REST, SEARCH_ORDER, Grid
from clausula.neural.features import AGES, PADDING, Controls
from clausula.neural.proposals import Loaded
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, LOWEST, N_GLOBAL, REST_TOKEN

BUCKET = 64  # frames; pieces drawn at once are padded to a multiple of it
TOGETHER = 32  # pieces drawn at once
_ORDER = tuple(int(v) for v in SEARCH_ORDER)


class Sample(NamedTuple):
    """One piece as it was drawn, each ``int32[time, voice]``.

    Attributes:
        token: global tokens, what each voice does.
        sounding: global pitch tokens, what each voice then sounds.
    """

    token: np.ndarray
    sounding: np.ndarray


def sample_pieces(
    loaded: Loaded, controls: Sequence[Controls], key: jax.Array, temperature: float = 1.0
) -> list[Sample]:
    """One piece for each of the controls, drawn from the proposal.

    Args:
        loaded: the proposal.
        controls: of each piece, which give its length; the same may stand there several times.
        key: of the randomness. The piece at a place depends on this key, the place and the
            controls, not on the pieces that it is drawn with.
        temperature: log probabilities are divided by it; below 1 the likely grows likelier.

    Returns:
        The pieces in the order of the controls.

    Raises:
        InputError: there are no controls, one has no frames, or the temperature is not above zero.
    """
    if not controls or not all(len(each.position) for each in controls):
        raise InputError("there is nothing to draw: pass controls of at least one frame a piece")
    if not temperature > 0:
        raise InputError(f"temperature {temperature} is not above zero; try 1")
    functions = loaded.proposal._replace(params=None)
    lengths = [len(each.position) for each in controls]
    drawn: dict[int, Sample] = {}
    # Pieces of about one length go together, so that little of the padding is drawn.
    for places in _groups(sorted(range(len(controls)), key=lambda i: lengths[i])):
        frames = -(-max(lengths[i] for i in places) // BUCKET) * BUCKET
        padded = [_padded(controls[i], frames) for i in places]
        batch = jax.tree.map(lambda *x: np.stack(x), *padded)
        keys = jax.vmap(partial(jax.random.fold_in, key))(np.array(places))
        token, sounding = _draw(loaded.proposal.params, batch, keys, temperature, functions)
        for place, *arrays in zip(places, np.asarray(token), np.asarray(sounding), strict=True):
            drawn[place] = Sample(*(array[: lengths[place]] for array in arrays))
    return [drawn[place] for place in range(len(controls))]


def grid_of_sample(sample: Sample, like: Grid) -> Grid:
    """The notes of a piece on the grid.

    Args:
        sample: what was drawn.
        like: the piece whose controls were used; gives meter, pick-up, key and phrase ends. It may
            be longer than the sample. Notes are spelled for its key.
    """
    pitch = np.where(
        sample.sounding == REST_TOKEN, REST, sample.sounding - FIRST_PITCH + LOWEST
    ).astype(int)
    return Grid(
        pitch,
        np.where(pitch == REST, 0, like.key.spell(pitch)),
        sample.token >= FIRST_PITCH,
        like.phrase_end[: len(pitch)],
        like.meter,
        like.key,
        like.pickup,
        like.frames_per_quarter,
    )


def _groups(places: list[int]) -> list[list[int]]:
    """The places in groups of one size, the last filled up with one that it holds."""
    size = min(TOGETHER, len(places))
    groups = [places[i : i + size] for i in range(0, len(places), size)]
    groups[-1] += groups[-1][:1] * (size - len(groups[-1]))
    return groups


def _padded(controls: Controls, frames: int) -> Controls:
    """The controls of one piece, and of frames after its end."""
    beyond = frames - len(controls.position)

    def padded(column: np.ndarray) -> np.ndarray:
        width = [(0, beyond)] + [(0, 0)] * (np.ndim(column) - 1)
        return np.pad(column, width, constant_values=PADDING)

    return jax.tree.map(padded, controls)


@partial(jax.jit, static_argnames="functions")
def _draw(
    params: Any, controls: Controls, keys: jax.Array, temperature: float, functions: Proposal
) -> tuple[jax.Array, jax.Array]:
    """Tokens and sounding pitches, each ``int32[piece, time, voice]``."""
    piece = partial(_draw_piece, functions._replace(params=params), temperature=temperature)
    return jax.vmap(piece)(controls, keys)


def _draw_piece(
    proposal: Proposal, controls: Controls, key: jax.Array, temperature: float
) -> tuple[jax.Array, jax.Array]:
    row = jnp.zeros(1, jnp.int32)

    def frame(carry: tuple, time: jax.Array) -> tuple[tuple, tuple[jax.Array, jax.Array]]:
        state, last, age = carry
        state = proposal.begin_frame(proposal.params, state, time, Past(last, age, row))
        token = sounding = jnp.zeros((1, 4), jnp.int32)
        now = jax.random.fold_in(key, time)
        for slot, voice in enumerate(_ORDER):
            so_far = FrameSoFar(token, sounding, last, row)
            logits = proposal.log_probs(proposal.params, state, slot, so_far) / temperature
            mute = (last[:, voice] == REST_TOKEN)[:, None] & (jnp.arange(N_GLOBAL) == HOLD_TOKEN)
            logits = jnp.where(mute, -jnp.inf, logits)
            chosen = jax.random.categorical(jax.random.fold_in(now, slot), logits)
            token = token.at[:, voice].set(chosen)
            heard = jnp.where(chosen == HOLD_TOKEN, last[:, voice], chosen)
            sounding = sounding.at[:, voice].set(heard)
        held = token == HOLD_TOKEN
        age = jnp.where(held, jnp.minimum(age + 1, AGES - 1), 0)
        return (state, sounding, age), (token[0], sounding[0])

    start = (
        proposal.init(proposal.params, controls, 1),
        jnp.full((1, 4), REST_TOKEN, jnp.int32),
        jnp.full((1, 4), AGES - 1, jnp.int32),
    )
    return jax.lax.scan(frame, start, jnp.arange(controls.position.shape[0]))[1]
