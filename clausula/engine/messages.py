"""Backward messages over the product of the HMM and a layered automaton, in JAX.

``log_beta[l, q, z]`` is the log probability that the rest of the piece satisfies every constraint.
Only the rows at every ``SEGMENT``-th frame boundary are stored: ``segment_messages`` recomputes the
boundaries between two of them, ``frame_messages`` the four rows within a frame, where the search
needs them (design §6). The definitions are those of ``messages_reference``. A layer costs what its
own states cost, however wide the widest one is: states are worked off in blocks.

Nothing reachable underflows: sums over tokens are taken relative to the largest message for the
same ``(q, z)``, sums over hidden states relative to the largest for the same ``q``. The largest is
then 1 and is weighted by a parameter, and every parameter has a floor that float32 can hold
(``hmm.FLOOR``). So a message is -inf exactly where no continuation exists; that truth itself is
``constraints.automaton.reachable``, a boolean pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import REFUSED
from clausula.engine.layers import FEW, NARROW, Layers, step_rows
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER

SEGMENT = 32  # frames from one stored boundary to the next
BLOCK = 64  # states worked off at once; layers of NARROW or fewer are one small block
VOICE_OF_SLOT = np.array(SEARCH_ORDER)


class Model(NamedTuple):
    """The hidden Markov model as the messages read it.

    Attributes:
        classes: int32 ``[time]`` class of each frame, padded like ``Layers``.
        transition: ``[class, z, z']``.
        log_emission: ``[class, voice, z, 32]`` log probability of the voice tokens.
    """

    classes: jax.Array
    transition: jax.Array
    log_emission: jax.Array


@partial(jax.jit, static_argnames="keep_all")
def boundary_messages(layers: Layers, model: Model, keep_all: bool = True) -> jax.Array:
    """The backward pass: messages at all frame boundaries.

    Args:
        layers: the constraints.
        model: padded to the same length.
        keep_all: false returns only row 0, for ``log P(constraints)`` without the memory.

    Returns:
        ``[time + 1, q, z]`` float32: log probability that frames ``t`` and later satisfy the
        constraints, given the state ``z`` of frame ``t - 1``. Time ``O(T Q (K + H) H)``.
    """
    last = _after_the_end(layers, model)
    frames = jnp.arange(len(model.classes))
    if not keep_all:
        return _back(layers, model, frames, last)[None]
    return _kept(layers, model, frames, last)


@jax.jit
def checkpoints(layers: Layers, model: Model) -> jax.Array:
    """The backward pass, of which every ``SEGMENT``-th boundary is kept.

    Returns:
        ``[segment + 1, q, z]``; row ``s`` is row ``SEGMENT * s`` of ``boundary_messages``.

    Raises:
        PlanError: the padded length is no multiple of ``SEGMENT``.
    """
    if len(model.classes) % SEGMENT:
        raise PlanError(f"{len(model.classes)} frames; pad to a multiple of {SEGMENT}")
    segments = jnp.arange(len(model.classes)).reshape(-1, SEGMENT)

    def step(after: jax.Array, frames: jax.Array) -> tuple[jax.Array, jax.Array]:
        before = _back(layers, model, frames, after)
        return before, before

    last = _after_the_end(layers, model)
    _, rows = jax.lax.scan(step, last, segments, reverse=True)
    return jnp.concatenate([rows, last[None]])


def segment_messages(
    layers: Layers, model: Model, segment: jax.Array | int, after: jax.Array
) -> jax.Array:
    """The boundaries of one segment, ``[SEGMENT + 1, q, z]``.

    Args:
        layers: the constraints.
        model: padded to the same length.
        segment: ``[]`` which.
        after: ``[q, z]`` row ``segment + 1`` of ``checkpoints``.
    """
    return _kept(layers, model, segment * SEGMENT + jnp.arange(SEGMENT), after)


def _after_the_end(layers: Layers, model: Model) -> jax.Array:
    """``[q, z]`` messages after the last frame."""
    states = model.transition.shape[1]
    return jnp.where(layers.accepting[:, None], jnp.zeros((1, states)), -jnp.inf)


def _back(layers: Layers, model: Model, frames: jax.Array, after: jax.Array) -> jax.Array:
    """Messages before the first of consecutive frames from those after the last, ``[q, z]``."""
    emission = jnp.exp(model.log_emission)

    def step(index: jax.Array, after: jax.Array) -> jax.Array:
        return _before_frame(layers, model, emission, frames[len(frames) - 1 - index], after)

    return jax.lax.fori_loop(0, len(frames), step, after)


def _kept(layers: Layers, model: Model, frames: jax.Array, after: jax.Array) -> jax.Array:
    """Messages at all boundaries of consecutive frames, ``[frame + 1, q, z]``."""
    emission = jnp.exp(model.log_emission)

    def step(after: jax.Array, frame: jax.Array) -> tuple[jax.Array, jax.Array]:
        before = _before_frame(layers, model, emission, frame, after)
        return before, before

    _, rows = jax.lax.scan(step, after, frames, reverse=True)
    return jnp.concatenate([rows, after[None]])


def _before_frame(
    layers: Layers, model: Model, emission: jax.Array, frame: jax.Array, after: jax.Array
) -> jax.Array:
    """Messages at the boundary before a frame; a frame of the padding changes nothing.

    ``emission`` is ``exp(model.log_emission)``, which all frames of a class share.
    """

    def through() -> jax.Array:
        of_class = model.classes[frame]

        def slot(index: jax.Array, message: jax.Array) -> jax.Array:
            return _before_slot(layers, frame, 3 - index, message, emission[of_class])

        within = jax.lax.fori_loop(0, 4, slot, after)
        transition = model.transition[of_class]

        def rows(states: jax.Array) -> jax.Array:
            return _through_transition(within[states], transition)

        return _by_blocks(rows, layers.states[frame, 0], after.shape)

    return jax.lax.cond(layers.active[frame], through, lambda: after)


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

    def step(message: jax.Array, slot: jax.Array) -> tuple[jax.Array, jax.Array]:
        before = _before_slot(layers, frame, slot, message, emission)
        return before, before

    emission = jnp.exp(log_emission)
    return jax.lax.scan(step, after, jnp.arange(4), reverse=True)[1]


def _before_slot(
    layers: Layers,
    frame: jax.Array | int,
    slot: jax.Array,
    after: jax.Array,
    emission: jax.Array,
) -> jax.Array:
    """Messages before a slot ``[q, z]`` from those after it; ``emission`` ``[voice, z, 32]``."""
    emission = emission[jnp.asarray(VOICE_OF_SLOT)[slot]]

    def rows(states: jax.Array) -> jax.Array:
        successor, kind = step_rows(layers, frame, slot, states)
        if successor.shape[1] <= FEW:
            return _by_successor(after, successor, kind, emission)
        return jax.lax.cond(
            layers.few[frame, slot],
            lambda: _by_successor(after, successor[:, :FEW], kind, emission),
            lambda: _by_token(after, successor, kind, emission),
        )

    return _by_blocks(rows, layers.states[frame, slot], after.shape)


def _by_blocks(
    rows: Callable[[jax.Array], jax.Array], states: jax.Array, shape: tuple[int, ...]
) -> jax.Array:
    """``rows(state)`` for the first ``states`` states, in a matrix that is -inf elsewhere."""
    nothing = jnp.full(shape, -jnp.inf)

    def block(size: int, index: jax.Array | int, found: jax.Array) -> jax.Array:
        first = index * size
        part = rows(first + jnp.arange(size))
        return jax.lax.dynamic_update_slice(found, part, (first, 0))

    small = min(NARROW, shape[0])
    if shape[0] <= BLOCK:
        return block(shape[0], 0, nothing)
    return jax.lax.cond(
        states <= small,
        lambda: block(small, 0, nothing),
        lambda: jax.lax.fori_loop(0, -(-states // BLOCK), partial(block, BLOCK), nothing),
    )


def _by_successor(
    after: jax.Array, successor: jax.Array, kind: jax.Array, emission: jax.Array
) -> jax.Array:
    """``log sum_x P(x | z) exp(after[delta(q, x), z])``, grouping tokens of equal successor."""
    kinds = jnp.arange(successor.shape[1])[None, :, None]
    member = kind[:, None, :] == kinds
    mass = jnp.einsum("qkx,zx->qkz", member.astype(jnp.float32), emission, precision="highest")
    ahead = jnp.where(member.any(axis=2)[..., None], after[successor], -jnp.inf)
    scale = finite_max(ahead, axis=1)
    return jnp.log((mass * jnp.exp(ahead - scale[:, None])).sum(axis=1)) + scale


def _by_token(
    after: jax.Array, successor: jax.Array, kind: jax.Array, emission: jax.Array
) -> jax.Array:
    """The same sum, token by token: cheaper where there are many successors."""
    following = jnp.take_along_axis(successor, jnp.maximum(kind, 0), axis=1)
    ahead = jnp.where((kind != REFUSED)[..., None], after[following], -jnp.inf)
    scale = finite_max(ahead, axis=1)
    total = jnp.einsum("qxz,zx->qz", jnp.exp(ahead - scale[:, None]), emission, precision="highest")
    return jnp.log(total) + scale


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
