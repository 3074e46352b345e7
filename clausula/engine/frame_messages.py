"""Messages within a frame, recomputed where the search needs them: see ``messages``.

Shapes: q automaton states, z hidden states, slots in search order.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from clausula.engine.layers import Layers, allowed_tokens
from clausula.engine.messages import VOICE_OF_SLOT, before_slot, store
from clausula.engine.scaled import Scaled, emptied, finite_max, logs, rescaled, scaled


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
    emission = jnp.swapaxes(jnp.exp(log_emission)[VOICE_OF_SLOT], 1, 2)
    message = scaled(after)
    scratch = emptied(message)

    def two_slots(turn: jax.Array, arrays: tuple) -> tuple:
        message, scratch, rows = arrays
        for slot in (3 - 2 * turn, 2 - 2 * turn):
            before = before_slot(layers, frame, slot, message, emission[slot], scratch)
            message, scratch = before, message
            rows = store(rows, slot, layers.states[frame, slot], message)
        return message, scratch, rows

    none = 0 * message.value[:1, :1]
    rows = Scaled(jnp.zeros((4, *after.shape)) + none, jnp.full((4, len(after)), -jnp.inf) + none)
    return logs(jax.lax.fori_loop(0, 2, two_slots, (message, scratch, rows))[2])


class Slots(NamedTuple):
    """Where the messages of a frame's slots are kept; large, so all frames share them.

    Attributes:
        rows: ``[slot, q, z]`` messages after each slot.
        scratch: ``[q, z]``.
    """

    rows: Scaled
    scratch: Scaled


def messages_after_slots(
    layers: Layers,
    frame: jax.Array,
    boundaries: Scaled,
    place: jax.Array | int,
    emission: jax.Array,
    into: Slots,
    wanted: jax.Array | bool = True,
) -> Slots:
    """Messages ``[slot, q, z]`` after each slot of a frame; ``wanted`` or all stays as it was.

    Args:
        layers: the constraints.
        frame: ``[]`` the frame.
        boundaries: ``[boundary, q, z]`` messages at some boundaries.
        place: ``[]`` which of them follows the frame.
        emission: ``[slot, 32, z]`` probabilities of the frame's class.
        into: what another frame left. What no state of a layer has is never read.
        wanted: ``[]``.
    """
    turns = jnp.where(wanted, 1, 0)

    def last(turn: jax.Array, rows: Scaled) -> Scaled:
        # The turn is 0: named here, it keeps the slice from being taken where none is wanted.
        return jax.tree.map(lambda each, new: each.at[3].set(new[place + turn]), rows, boundaries)

    def before(turn: jax.Array, slots: Slots) -> Slots:
        later = 3 - turn
        message = jax.tree.map(lambda each: each[later], slots.rows)
        found = before_slot(layers, frame, later, message, emission[later], slots.scratch)
        return Slots(store(slots.rows, later - 1, layers.states[frame, later], found), found)

    slots = into._replace(rows=jax.lax.fori_loop(0, turns, last, into.rows))
    return jax.lax.fori_loop(0, 3 * turns, before, slots)


def lone_messages(layers: Layers, frame: jax.Array, after: Scaled, emission: jax.Array) -> Scaled:
    """Messages ``[slot, z]`` after each slot of a frame that has one automaton state throughout.

    Args:
        layers: the constraints.
        frame: ``[]`` the frame; see ``alone``.
        after: ``[z]`` after the frame.
        emission: ``[slot, 32, z]`` probabilities of its class.
    """
    tokens = layers.group[layers.table[frame], 0] & layers.domains[frame]
    member = allowed_tokens(tokens).astype(jnp.float32)
    mass = jnp.einsum("sx,sxz->sz", member, emission, precision="highest")
    value = after.value
    rows = [value]
    for slot in (3, 2, 1):
        value = value * mass[slot]
        rows.append(value)
    return rescaled(jnp.stack(rows[::-1]), after.log_scale)


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
