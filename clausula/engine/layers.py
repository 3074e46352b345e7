"""An automaton and domains as arrays of bucketed shape, for compiled programs.

The tokens of a state are grouped by the state they lead to, its *kinds* of successors: most states
have few, and sums over tokens become sums over kinds.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import REFUSED, LayeredAutomaton
from clausula.constraints.domains import Domains
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import N_VOICE

NARROW = 8  # layers of no more states than this are one small block
MOST_STATES = 1 << 14  # numbers of states are int16
FEW = 4  # layers whose states have no more successors than this are summed by successor


class Layers(NamedTuple):
    """An automaton and domains as arrays, padded to buckets.

    Attributes:
        successor: int16 ``[table, q, kind]`` distinct next states; padded with ``REFUSED``.
        kind: int8 ``[table, q, token]`` index into ``successor``, ``REFUSED`` where refused.
        table: int32 ``[time, slot]`` index of each layer's table.
        domains: uint32 ``[time, slot]`` bit ``j`` set where voice token ``j`` is allowed.
        accepting: bool ``[q]`` states after the last layer that accept.
        states: int32 ``[time, slot]`` states before each layer; 0 in padding.
        few: bool ``[time, slot]`` whether no state of the layer has more than ``FEW`` successors.
        active: bool ``[time]`` false in padding after the end of the piece.
        start: int32 ``[]`` the state before the first layer.
    """

    successor: jax.Array
    kind: jax.Array
    table: jax.Array
    domains: jax.Array
    accepting: jax.Array
    states: jax.Array
    few: jax.Array
    active: jax.Array
    start: jax.Array


def bucket(size: int, smallest: int = 1) -> int:
    """The next power of two, so that another size does not mean another compilation."""
    return max(smallest, 1 << (size - 1).bit_length())


def room(size: int, step: int) -> int:
    """The next multiple of ``step``: likewise, where twice the size would be too much."""
    return -(-max(size, 1) // step) * step


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
        least: smallest buckets of tables (whose multiples are the others), states and successors;
            larger ones let more plans share one compiled program.

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
    if automaton.width > MOST_STATES:
        raise PlanError(
            f"a layer of {automaton.width} automaton states is more than the messages hold "
            f"({MOST_STATES}); keep the constraints in several automata"
        )
    successor, kind = _grouped(automaton.tables, least)
    few = (kind.max(axis=(1, 2), initial=0) < FEW)[automaton.table_of_layer]
    pad = ((0, frames - own), (0, 0))
    return Layers(
        successor=jnp.asarray(successor),
        kind=jnp.asarray(kind),
        table=jnp.asarray(np.pad(automaton.table_of_layer.reshape(own, 4), pad)),
        domains=jnp.asarray(np.pad(domains.masks[:, SEARCH_ORDER], pad)),
        accepting=jnp.arange(successor.shape[1]) < int(automaton.n_states[-1]),
        states=jnp.asarray(np.pad(automaton.n_states[:-1].reshape(own, 4), pad)),
        few=jnp.asarray(np.pad(few.reshape(own, 4), pad, constant_values=True)),
        active=jnp.arange(frames) < own,
        start=jnp.int32(automaton.start),
    )


def _grouped(tables: np.ndarray, least: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """``successor`` and ``kind`` of tables ``[table, q, token]``, in bucketed shapes."""
    n_tables, width, _ = tables.shape
    rows = tables.reshape(-1, N_VOICE)
    ordered = np.sort(rows, axis=1)
    # The first of each run of equal next states, refusals apart, opens a kind.
    opens = ordered != REFUSED
    opens[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
    number = np.cumsum(opens, axis=1) - 1
    most = max(1, int(opens.sum(axis=1).max(initial=0)))
    shape = (room(n_tables, least[0]), bucket(width, least[1]), bucket(most, least[2]))
    successor = np.full((len(rows), shape[2]), REFUSED, np.int16)
    at, place = np.nonzero(opens)
    successor[at, number[at, place]] = ordered[at, place]
    # A token's kind is how many kinds open before its next state.
    kind = np.full(rows.shape, REFUSED, np.int8)
    for k in range(most):
        same = (rows == successor[:, k : k + 1]) & (rows != REFUSED)
        kind[same] = k
    missing = ((0, shape[0] - n_tables), (0, shape[1] - width), (0, 0))

    def padded(values: np.ndarray) -> np.ndarray:
        values = values.reshape(n_tables, width, -1)
        return np.pad(values, missing, constant_values=REFUSED)

    return padded(successor), padded(kind)


def allowed_tokens(masks: jax.Array) -> jax.Array:
    """``[..., 32]`` booleans of 32-bit words ``[...]``."""
    bits = jnp.arange(N_VOICE, dtype=jnp.uint32)
    return (masks[..., None] >> bits & 1).astype(bool)


def step_rows(
    layers: Layers, frame: jax.Array | int, slot: jax.Array | int, states: jax.Array
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
    kind = jnp.where(allowed, layers.kind[table, states].astype(jnp.int32), REFUSED)
    return layers.successor[table, states].astype(jnp.int32), kind


def frame_steps(layers: Layers, frame: jax.Array | int) -> jax.Array:
    """``int32[4, q, 32]`` next state by slot or ``REFUSED``, domains not applied."""
    table = layers.table[frame]
    kind = layers.kind[table].astype(jnp.int32)
    successor = layers.successor[table].astype(jnp.int32)
    following = jnp.take_along_axis(successor, jnp.maximum(kind, 0), axis=-1)
    return jnp.where(kind == REFUSED, REFUSED, following)
