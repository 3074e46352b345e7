"""Backward messages over the product of the HMM and a layered automaton, in JAX.

``log_beta[l, q, z]`` is the log probability that the rest of the piece satisfies every constraint.
Only its rows at frame boundaries are stored; ``frame_messages`` recomputes the four within a frame
where the search needs them (design §6). The definitions are those of ``messages_reference``.

Nothing reachable underflows: sums over tokens are taken relative to the largest message for the
same ``(q, z)``, sums over hidden states relative to the largest for the same ``q``. The largest is
then 1 and is weighted by a parameter, and every parameter has a floor that float32 can hold
(``hmm.FLOOR``). So a message is -inf exactly where no continuation exists; that truth itself is
``constraints.automaton.reachable``, a boolean pass.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import REFUSED, LayeredAutomaton
from clausula.constraints.domains import Domains
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import N_VOICE

NARROW = 8  # frames whose layers have no more automaton states than this take a cheaper path


class Layers(NamedTuple):
    """An automaton and domains as arrays of bucketed shape, for one compiled program.

    The tokens of a table's row are grouped by the state they lead to: ``kinds`` of successors.

    Attributes:
        successor: int32 ``[table, q, kind]`` distinct next states; padded with ``REFUSED``.
        kind: int32 ``[table, q, token]`` index into ``successor``, ``REFUSED`` where refused.
        table: int32 ``[time, slot]`` index of each layer's table.
        domains: uint32 ``[time, slot]`` bit ``j`` set where voice token ``j`` is allowed.
        accepting: bool ``[q]`` states after the last layer that accept.
        narrow: bool ``[time]`` no layer of the frame, nor the boundary after it, has more than
            ``NARROW`` states.
        active: bool ``[time]`` false in padding after the end of the piece.
        start: int32 ``[]`` the state before the first layer.
    """

    successor: jax.Array
    kind: jax.Array
    table: jax.Array
    domains: jax.Array
    accepting: jax.Array
    narrow: jax.Array
    active: jax.Array
    start: jax.Array


def bucket(size: int, smallest: int = 1) -> int:
    """The next power of two, so that another size does not mean another compilation."""
    return max(smallest, 1 << (size - 1).bit_length())


def layers_of(
    automaton: LayeredAutomaton,
    domains: Domains,
    frames: int | None = None,
    least: tuple[int, int, int] = (1, NARROW, 1),
) -> Layers:
    """Arrays for the backward pass and the search.

    Args:
        automaton: the product of all constraints.
        domains: of the same piece.
        frames: length to pad to; the piece's own when not given.
        least: smallest buckets of tables, states and successors; larger ones let more plans
            share one compiled program.

    Raises:
        PlanError: automaton and domains are of different lengths, or longer than ``frames``.
    """
    own = len(domains.masks)
    frames = own if frames is None else frames
    if automaton.n_layers != 4 * own or frames < own:
        raise PlanError(
            f"an automaton of {automaton.n_layers} layers, domains of {own} frames, room for "
            f"{frames} frames: compile all for the same timeline"
        )
    successor, kind = _grouped(automaton.tables, least)
    pad = ((0, frames - own), (0, 0))
    widths = np.lib.stride_tricks.sliding_window_view(automaton.n_states, 5)[::4].max(axis=1)
    return Layers(
        successor=jnp.asarray(successor),
        kind=jnp.asarray(kind),
        table=jnp.asarray(np.pad(automaton.table_of_layer.reshape(own, 4), pad)),
        domains=jnp.asarray(np.pad(domains.masks[:, SEARCH_ORDER], pad)),
        accepting=jnp.arange(successor.shape[1]) < int(automaton.n_states[-1]),
        narrow=jnp.asarray(np.pad(widths <= NARROW, pad[0], constant_values=True)),
        active=jnp.arange(frames) < own,
        start=jnp.int32(automaton.start),
    )


def _grouped(tables: np.ndarray, least: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """``successor`` and ``kind`` of tables ``[table, q, token]``, in bucketed shapes."""
    n_tables, width, _ = tables.shape
    rows = tables.reshape(-1, N_VOICE)
    groups = [np.unique(row[row != REFUSED]) for row in rows]
    sizes = (n_tables, width, max(1, *(len(group) for group in groups)))
    shape = [bucket(size, smallest) for size, smallest in zip(sizes, least, strict=True)]
    successor = np.full(shape, REFUSED, np.int32)
    kind = np.full((*successor.shape[:2], N_VOICE), REFUSED, np.int32)
    for index, (row, group) in enumerate(zip(rows, groups, strict=True)):
        at = divmod(index, width)
        successor[at][: len(group)] = group
        kind[at] = np.where(row == REFUSED, REFUSED, np.searchsorted(group, row))
    return successor, kind


def allowed_tokens(masks: jax.Array) -> jax.Array:
    """``[..., 32]`` booleans of 32-bit words ``[...]``."""
    bits = jnp.arange(N_VOICE, dtype=jnp.uint32)
    return (masks[..., None] >> bits & 1).astype(bool)


def step_rows(
    layers: Layers, frame: jax.Array | int, slot: int, states: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """What each automaton state can do at a layer, the domain already applied.

    Args:
        layers: the constraints.
        frame: ``[]`` the frame.
        slot: 0 to 3, place in ``SEARCH_ORDER``.
        states: ``[batch]`` automaton states before the layer.

    Returns:
        ``successor[batch, kind]`` and ``kind[batch, token]``; ``REFUSED`` where refused. The state
        after token ``x`` is ``successor[kind[x]]``.
    """
    table = layers.table[frame, slot]
    allowed = allowed_tokens(layers.domains[frame, slot])
    kind = jnp.where(allowed, layers.kind[table, states], REFUSED)
    return layers.successor[table, states], kind


@partial(jax.jit, static_argnames="keep_all")
def boundary_messages(
    layers: Layers,
    classes: jax.Array,
    transition: jax.Array,
    log_emission: jax.Array,
    keep_all: bool = True,
) -> jax.Array:
    """The backward pass: messages at all frame boundaries.

    Args:
        layers: the constraints.
        classes: int32 ``[time]`` class of each frame, padded like ``layers``.
        transition: ``[class, z, z']``.
        log_emission: ``[class, voice, z, 32]`` log probability of the voice tokens.
        keep_all: false returns only row 0, for ``log P(constraints)`` without the memory.

    Returns:
        ``[time + 1, q, z]`` float32: log probability that frames ``t`` and later satisfy the
        constraints, given the state ``z`` of frame ``t - 1``. Time ``O(T Q (K + H) H)``.
    """

    def step(after: jax.Array, frame: jax.Array) -> tuple[jax.Array, jax.Array | None]:
        within = frame_messages(layers, frame, after, log_emission[classes[frame]])[0]
        before = _through_transition(within, transition[classes[frame]])
        boundary = jnp.where(layers.active[frame], before, after)
        return boundary, boundary if keep_all else None

    states = transition.shape[1]
    last = jnp.where(layers.accepting[:, None], jnp.zeros((1, states)), -jnp.inf)
    first, rows = jax.lax.scan(step, last, jnp.arange(len(classes)), reverse=True)
    return first[None] if rows is None else jnp.concatenate([rows, last[None]])


def frame_messages(
    layers: Layers, frame: jax.Array | int, after: jax.Array, log_emission: jax.Array
) -> jax.Array:
    """Messages before each of the four slots of a frame.

    Args:
        layers: the constraints.
        frame: ``[]`` the frame.
        after: ``[q, z]`` row ``frame + 1`` of ``boundary_messages``.
        log_emission: ``[voice, z, 32]`` of the frame's class.

    Returns:
        ``[slot, q, z]``: log probability that the tokens from this slot on satisfy the
        constraints, given the frame's own state ``z``. What follows the last slot is ``after``.
    """

    def slots(width: int) -> jax.Array:
        rows, message = [], after[:width]
        for slot in (3, 2, 1, 0):
            successor, kind = step_rows(layers, frame, slot, jnp.arange(width))
            emission = jnp.exp(log_emission[SEARCH_ORDER[slot]])
            message = _through_tokens(message, successor, kind, emission)
            rows.append(message)
        padding = ((0, 0), (0, len(after) - width), (0, 0))
        return jnp.pad(jnp.stack(rows[::-1]), padding, constant_values=-jnp.inf)

    if len(after) == NARROW:
        return slots(NARROW)
    return jax.lax.cond(layers.narrow[frame], lambda: slots(NARROW), lambda: slots(len(after)))


def _through_tokens(
    after: jax.Array, successor: jax.Array, kind: jax.Array, emission: jax.Array
) -> jax.Array:
    """``log sum_x P(x | z) exp(after[delta(q, x), z])``, grouping tokens of equal successor."""
    kinds = jnp.arange(successor.shape[1])[None, :, None]
    member = kind[:, None, :] == kinds
    mass = jnp.einsum("qkx,zx->qkz", member.astype(jnp.float32), emission, precision="highest")
    ahead = jnp.where(member.any(axis=2)[..., None], after[successor], -jnp.inf)
    scale = finite_max(ahead, axis=1)
    return jnp.log((mass * jnp.exp(ahead - scale[:, None])).sum(axis=1)) + scale


def _through_transition(within: jax.Array, transition: jax.Array) -> jax.Array:
    """``log sum_z' A[z, z'] exp(within[q, z'])``."""
    scale = finite_max(within, axis=1)[:, None]
    total = jnp.matmul(jnp.exp(within - scale), transition.T, precision="highest")
    return jnp.log(total) + scale


def finite_max(log_terms: jax.Array, axis: int) -> jax.Array:
    """The maximum, or 0 where all terms are -inf: a scale that never makes ``inf - inf``."""
    best = log_terms.max(axis=axis)
    return jnp.where(jnp.isneginf(best), 0.0, best)


def log_probability(layers: Layers, first: jax.Array, initial: jax.Array) -> jax.Array:
    """Log probability that a piece of the HMM satisfies the constraints; -inf where none can.

    Args:
        layers: the constraints.
        first: ``[q, z]`` slot 0 of ``frame_messages`` for frame 0.
        initial: ``[z]`` distribution of the first frame's state.
    """
    terms = jnp.log(initial) + first[layers.start]
    scale = finite_max(terms, axis=0)
    return jnp.log(jnp.exp(terms - scale).sum()) + scale
