"""Backward messages over the product of the HMM and a layered automaton, in JAX.

``log_beta[l, q, z]`` is the log probability that the rest of the piece satisfies every constraint.
Only the rows at every ``SEGMENT``-th frame boundary are stored: ``segment_messages`` recomputes the
boundaries between two of them, ``frame_messages`` the four rows within a frame, where the search
needs them (design §6). The definitions are those of ``messages_reference``.

During a pass the messages are numbers, each automaton state's relative to its own scale
(``scaled``), so that nothing is exponentiated from layer to layer. A layer costs what its own
states cost, however wide the widest one is: states are worked off in blocks, in place. Where a
frame has one automaton state throughout, which is most of the time, its four layers are products of
vectors, and what is left is one multiplication by the transition matrix.

A message is -inf exactly where no continuation exists (``scaled`` says why nothing reachable
underflows); that truth itself is ``constraints.automaton.reachable``, a boolean pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import REFUSED
from clausula.engine.layers import NARROW, Layers, allowed_tokens
from clausula.engine.scaled import Scaled, emptied, logs, rescaled, scaled, weighted
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER

SEGMENT = 32  # frames from one stored boundary to the next
BLOCK = 32  # states worked off at once
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


class Laid(NamedTuple):
    """The model as a pass multiplies it.

    Attributes:
        classes: ``[time]``.
        emission: ``[class, slot, 32, z]``.
        matrices: of each class its transition ``[z, z']`` and its part of ``emission``: arrays of
            their own, since a matrix out of a larger array is copied at every use.
    """

    classes: jax.Array
    emission: jax.Array
    matrices: list[tuple[jax.Array, jax.Array]]


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
    lies = laid(model)
    last = _after_the_end(layers, lies)
    frames = len(model.classes)
    if not keep_all:
        return logs(_kept(layers, lies, 0, (1, frames), last))[:1]
    return logs(_kept(layers, lies, 0, (frames, 1), last))


@jax.jit
def checkpoints(
    layers: Layers,
    model: Model | Laid,
    into: Scaled | None = None,
    since: jax.Array | int = 0,
) -> Scaled:
    """The backward pass, of which every ``SEGMENT``-th boundary is kept.

    Args:
        layers: the constraints.
        model: padded to the same length.
        into: arrays to write to, see ``segment_messages``.
        since: ``[]`` the first segment of interest: boundaries before it stay as they were.

    Returns:
        ``[segment + 1, q, z]`` and its scales; row ``s`` is row ``SEGMENT * s`` of
        ``boundary_messages``.

    Raises:
        PlanError: the padded length is no multiple of ``SEGMENT``.
    """
    frames = len(model.classes)
    if frames % SEGMENT:
        raise PlanError(f"{frames} frames; pad to a multiple of {SEGMENT}")
    model = laid(model)
    stretches = frames // SEGMENT, SEGMENT
    return _kept(layers, model, 0, stretches, _after_the_end(layers, model), into, since)


def segment_messages(
    layers: Layers,
    model: Model | Laid,
    segment: jax.Array | int,
    after: Scaled,
    into: Scaled | None = None,
) -> Scaled:
    """The boundaries of one segment, ``[SEGMENT + 1, q, z]`` and their scales.

    Args:
        layers: the constraints.
        model: padded to the same length.
        segment: ``[]`` which.
        after: ``[q, z]`` row ``segment + 1`` of ``checkpoints``.
        into: arrays of the same shapes to write to: what no state of a layer has, and what lies
            beyond the end of the piece, stays there as it was. New ones, in which there is nothing
            there, if left out.
    """
    return _kept(layers, laid(model), segment * SEGMENT, (SEGMENT, 1), after, into)


def _after_the_end(layers: Layers, model: Laid) -> Scaled:
    """``[q, z]`` messages after the last frame."""
    states = model.emission.shape[-1]
    return scaled(jnp.where(layers.accepting[:, None], jnp.zeros((1, states)), -jnp.inf))


def laid(model: Model | Laid) -> Laid:
    """The model laid out; work that one program has to do only once."""
    if isinstance(model, Laid):
        return model
    emission = jnp.swapaxes(jnp.exp(model.log_emission)[:, VOICE_OF_SLOT], 2, 3)
    classes = range(len(emission))
    return Laid(model.classes, emission, [(model.transition[c], emission[c]) for c in classes])


def _of_class(laid: Laid, frame: jax.Array, use: Callable, *operands: jax.Array) -> jax.Array:
    """``use(transition, emission, *operands)`` with the matrices of the frame's class."""
    branches = [partial(use, *matrices) for matrices in laid.matrices]
    return jax.lax.switch(laid.classes[frame], branches, *operands)


def _kept(
    layers: Layers,
    model: Laid,
    first: jax.Array | int,
    stretches: tuple[int, int],
    after: Scaled,
    into: Scaled | None = None,
    since: jax.Array | int = 0,
) -> Scaled:
    """Messages at the boundaries of consecutive stretches of frames.

    Args:
        layers: the constraints.
        model: padded to the same length.
        first: ``[]`` the first frame.
        stretches: how many, and frames in each.
        after: ``[q, z]`` messages after the last of them.
        into: arrays to write to, see ``segment_messages``.
        since: ``[]`` the first stretch that is worked.

    Returns:
        ``[stretch + 1, q, z]`` and its scales. The frames of the padding change nothing.
    """
    number, length = stretches
    lone = alone(layers)
    begins = first + length * jnp.arange(number + 1)
    end = jnp.minimum(begins[-1], layers.active.sum())
    worked = (begins[:-1] < end).sum()
    rows = _nothing(begins >= end, after) if into is None else _put(into, worked, after)
    scratch = emptied(after)

    def stretch(index: jax.Array, carry: tuple) -> tuple:
        message, scratch, rows = carry
        here = worked - 1 - index
        frames = (begins[here], jnp.minimum(begins[here + 1], end))
        message, scratch = _through(layers, model, lone, frames, message, scratch)
        rows = store(rows, here, layers.states[begins[here], 0], message)
        return message, scratch, rows

    return jax.lax.fori_loop(0, worked - since, stretch, (after, scratch, rows))[2]


def _nothing(ended: jax.Array, after: Scaled) -> Scaled:
    """No messages, but those after the end where it is reached, ``bool[boundary]``."""
    return Scaled(
        jnp.where(ended[:, None, None], after.value, 0.0),
        jnp.where(ended[:, None], after.log_scale, -jnp.inf),
    )


def _put(rows: Scaled, index: jax.Array, messages: Scaled) -> Scaled:
    """``rows[index]`` set to all of the messages."""
    put = jax.lax.dynamic_update_index_in_dim
    return jax.tree.map(lambda each, new: put(each, new, index, 0), rows, messages)


def alone(layers: Layers) -> jax.Array:
    """``bool[time]`` whether a frame has one automaton state all through, and asks nothing."""
    following = jnp.pad(layers.states[1:, 0], (0, 1))
    one = (layers.states == 1).all(axis=1) & (following == 1)
    if layers.cost is None:
        return one
    return one & (layers.cost[layers.table, 0] == 0).all(axis=(1, 2))


def _through(
    layers: Layers,
    laid: Laid,
    lone: jax.Array,
    frames: tuple[jax.Array, jax.Array],
    message: Scaled,
    scratch: Scaled,
) -> tuple[Scaled, Scaled]:
    """Messages before the first of consecutive frames from those after the last.

    Args:
        layers: the constraints.
        laid: the model.
        lone: from ``alone``.
        frames: the first, and the one after the last.
        message: after them. Rows beyond the layer's states are never read.
        scratch: of the same shapes.
    """
    first, end = frames

    def more(carry: tuple) -> jax.Array:
        return carry[0] > first

    def run(carry: tuple) -> tuple:
        time, message, scratch = carry
        # Frames of one state are a run of their own, which leaves the large arrays alone.
        row = Scaled(message.value[0], message.log_scale[0])
        time, row = jax.lax.while_loop(
            lambda carry: (carry[0] > first) & lone[carry[0] - 1],
            lambda carry: (carry[0] - 1, _before_lone_frame(layers, laid, *carry)),
            (time, row),
        )
        message = Scaled(
            message.value.at[0].set(row.value), message.log_scale.at[0].set(row.log_scale)
        )
        return jax.lax.while_loop(
            lambda carry: (carry[0] > first) & ~lone[carry[0] - 1],
            lambda carry: (carry[0] - 1, *_before_frame(layers, laid, *carry)),
            (time, message, scratch),
        )

    return jax.lax.while_loop(more, run, (end, message, scratch))[1:]


def _before_lone_frame(layers: Layers, laid: Laid, end: jax.Array, row: Scaled) -> Scaled:
    """The message ``[z]`` at the boundary before frame ``end - 1``, which has one state."""
    frame = end - 1
    tokens = layers.group[layers.table[frame], 0] & layers.domains[frame]
    # The four sums are one product: each row is zero but in its own slot's columns.
    member = jnp.where(jnp.eye(4, dtype=bool)[..., None], allowed_tokens(tokens), False)
    member = member.reshape(4, -1).astype(jnp.float32)

    def through(
        transition: jax.Array, emission: jax.Array, member: jax.Array, value: jax.Array
    ) -> jax.Array:
        mass = jnp.matmul(member, emission.reshape(-1, len(value)), precision="highest")
        ahead = value * mass[3] * mass[2] * mass[1] * mass[0]
        return jnp.matmul(transition, ahead, precision="highest")

    return rescaled(_of_class(laid, frame, through, member, row.value), row.log_scale)


def _before_frame(
    layers: Layers, laid: Laid, end: jax.Array, message: Scaled, scratch: Scaled
) -> tuple[Scaled, Scaled]:
    """Messages at the boundary before frame ``end - 1``, and the arrays that are free now."""
    frame = end - 1

    def two_slots(turn: jax.Array, arrays: tuple[Scaled, Scaled]) -> tuple[Scaled, Scaled]:
        message, scratch = arrays
        for slot in (3 - 2 * turn, 2 - 2 * turn):
            emission = laid.emission[laid.classes[frame], slot]
            before = before_slot(layers, frame, slot, message, emission, scratch)
            message, scratch = before, message
        return message, scratch

    message, scratch = jax.lax.fori_loop(0, 2, two_slots, (message, scratch))

    def product(transition: jax.Array, _: jax.Array, value: jax.Array) -> jax.Array:
        return jnp.matmul(value, transition.T, precision="highest")

    def block(first: jax.Array, before: Scaled) -> Scaled:
        rows = _rows(before, first)
        return rescaled(_of_class(laid, frame, product, rows.value), rows.log_scale)

    return _by_blocks(block, layers.states[frame, 0], message), scratch


def before_slot(
    layers: Layers,
    frame: jax.Array | int,
    slot: jax.Array | int,
    after: Scaled,
    emission: jax.Array,
    scratch: Scaled,
) -> Scaled:
    """Messages before a slot from those after it, written to ``scratch``; emission ``[32, z]``."""
    table = layers.table[frame, slot]
    tokens = layers.group[table] & layers.domains[frame, slot]
    mass = _masses(tokens, layers.groups[frame, slot], emission)

    def block(first: jax.Array, _: Scaled) -> Scaled:
        def rows(of_table: jax.Array) -> jax.Array:
            shape = (1, min(BLOCK, of_table.shape[1]), of_table.shape[2])
            return jax.lax.dynamic_slice(of_table, (table, first, 0), shape)[0]

        successor = rows(layers.successor).astype(jnp.int32)
        group = rows(layers.group_of_kind)
        cost = 0.0 if layers.cost is None else rows(layers.cost)
        leads = (successor != REFUSED) & (tokens[group] != 0)
        return weighted(after, mass, leads, successor, group, cost, layers.kinds[frame, slot])

    return _by_blocks(block, layers.states[frame, slot], scratch)


def _masses(tokens: jax.Array, groups: jax.Array, emission: jax.Array) -> jax.Array:
    """``[g, z]`` probability of the tokens of each group, for the first ``groups`` of them."""
    member = allowed_tokens(tokens).astype(jnp.float32)

    def some(index: jax.Array, mass: jax.Array) -> jax.Array:
        first = index * NARROW
        rows = jax.lax.dynamic_slice_in_dim(member, first, NARROW)
        part = jnp.matmul(rows, emission, precision="highest")
        return jax.lax.dynamic_update_slice(mass, part, (first, 0))

    # Batched wherever the tokens are, so that a batch is traced once.
    mass = jnp.zeros((len(tokens), emission.shape[1])) + 0 * member[:1, :1]
    return jax.lax.fori_loop(0, -(-groups // NARROW), some, mass)


def _rows(message: Scaled, first: jax.Array) -> Scaled:
    """A block of rows."""
    size = min(BLOCK, len(message.value))
    return Scaled(*(jax.lax.dynamic_slice_in_dim(part, first, size) for part in message))


def _by_blocks(
    block: Callable[[jax.Array, Scaled], Scaled], states: jax.Array, into: Scaled
) -> Scaled:
    """``block(first row, into)`` of all blocks of the first ``states`` rows, written in place."""
    size = min(BLOCK, len(into.value))

    def one(index: jax.Array, into: Scaled) -> Scaled:
        first = index * size
        found = block(first, into)
        value = jax.lax.dynamic_update_slice(into.value, found.value, (first, 0))
        return Scaled(
            value, jax.lax.dynamic_update_slice(into.log_scale, found.log_scale, (first,))
        )

    return jax.lax.fori_loop(0, -(-states // size), one, into)


def store(rows: Scaled, index: jax.Array | int, states: jax.Array, message: Scaled) -> Scaled:
    """``rows[index]`` set to the first ``states`` messages; nothing is elsewhere already."""
    size = min(BLOCK, len(message.value))

    def one(block: jax.Array, rows: Scaled) -> Scaled:
        first = block * size
        found = _rows(message, first)
        return Scaled(
            jax.lax.dynamic_update_slice(rows.value, found.value[None], (index, first, 0)),
            jax.lax.dynamic_update_slice(rows.log_scale, found.log_scale[None], (index, first)),
        )

    return jax.lax.fori_loop(0, -(-states // size), one, rows)
