"""An automaton and domains as arrays of bucketed shape, for compiled programs.

The tokens of a state are grouped by the state they lead to, its *kinds* of successors: most states
have few, and sums over tokens become sums over kinds. The sets of tokens that make up a kind, its
*groups*, are fewer still: states of one layer share them, so their masses are summed once a layer.
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

NARROW = 8  # smallest bucket of states
GROUPS = 64  # smallest bucket of the groups of a table
MOST_STATES = 1 << 14  # numbers of states are int16


class Layers(NamedTuple):
    """An automaton and domains as arrays, padded to buckets.

    Attributes:
        successor: int16 ``[table, q, kind]`` distinct next states; padded with ``REFUSED``.
        kind: int8 ``[table, q, token]`` index into ``successor``, ``REFUSED`` where refused.
        group: uint32 ``[table, g]`` distinct sets of the tokens of a kind, bit ``j`` set for voice
            token ``j``; padded with the empty set.
        group_of_kind: int32 ``[table, q, kind]`` index into ``group``.
        table: int32 ``[time, slot]`` index of each layer's table.
        domains: uint32 ``[time, slot]`` bit ``j`` set where voice token ``j`` is allowed.
        accepting: bool ``[q]`` states after the last layer that accept.
        states: int32 ``[time, slot]`` states before each layer; 0 in padding.
        kinds: int32 ``[time, slot]`` the most successors that a state of the layer has.
        groups: int32 ``[time, slot]`` groups of the layer's table.
        active: bool ``[time]`` false in padding after the end of the piece.
        start: int32 ``[]`` the state before the first layer.
        cost: float32 ``[table, q, kind]`` nats that each kind asks; none where all is free.
    """

    successor: jax.Array
    kind: jax.Array
    group: jax.Array
    group_of_kind: jax.Array
    table: jax.Array
    domains: jax.Array
    accepting: jax.Array
    states: jax.Array
    kinds: jax.Array
    groups: jax.Array
    active: jax.Array
    start: jax.Array
    cost: jax.Array | None = None


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
    successor, kind, cost = _grouped(automaton.tables, automaton.costs, least)
    group, group_of_kind = _groups(kind, successor.shape[2])
    kinds = kind.max(axis=(1, 2), initial=REFUSED) + 1
    groups = (group != 0).sum(axis=1)
    pad = ((0, frames - own), (0, 0))

    def of_layer(by_table: np.ndarray) -> jax.Array:
        by_layer = by_table.astype(np.int32)[automaton.table_of_layer]
        return jnp.asarray(np.pad(by_layer.reshape(own, 4), pad))

    return Layers(
        successor=jnp.asarray(successor),
        kind=jnp.asarray(kind),
        group=jnp.asarray(group),
        group_of_kind=jnp.asarray(group_of_kind),
        table=jnp.asarray(np.pad(automaton.table_of_layer.reshape(own, 4), pad)),
        domains=jnp.asarray(np.pad(domains.masks[:, SEARCH_ORDER], pad)),
        accepting=jnp.arange(successor.shape[1]) < int(automaton.n_states[-1]),
        states=jnp.asarray(np.pad(automaton.n_states[:-1].reshape(own, 4), pad)),
        kinds=of_layer(kinds),
        groups=of_layer(groups),
        active=jnp.arange(frames) < own,
        start=jnp.int32(automaton.start),
        cost=None if cost is None else jnp.asarray(cost),
    )


def _grouped(
    tables: np.ndarray, costs: np.ndarray | None, least: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """``successor``, ``kind`` and ``cost`` of tables ``[table, q, token]``, in bucketed shapes.

    Tokens are of one kind where they lead to the same state at the same cost.
    """
    n_tables, width, _ = tables.shape
    prices, price = np.zeros(1, np.float32), np.zeros(tables.shape, int)
    if costs is not None:
        prices, price = np.unique(costs, return_inverse=True)
    ends = np.where(tables == REFUSED, REFUSED, tables * len(prices) + price.reshape(tables.shape))
    rows = ends.reshape(-1, N_VOICE)
    ordered = np.sort(rows, axis=1)
    # The first of each run of equal ends, refusals apart, opens a kind.
    opens = ordered != REFUSED
    opens[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
    number = np.cumsum(opens, axis=1) - 1
    most = max(1, int(opens.sum(axis=1).max(initial=0)))
    shape = (room(n_tables, least[0]), bucket(width, least[1]), bucket(most, least[2]))
    end = np.full((len(rows), shape[2]), REFUSED)
    at, place = np.nonzero(opens)
    end[at, number[at, place]] = ordered[at, place]
    # A token's kind is how many kinds open before its end.
    kind = np.full(rows.shape, REFUSED, np.int8)
    for k in range(most):
        same = (rows == end[:, k : k + 1]) & (rows != REFUSED)
        kind[same] = k
    missing = ((0, shape[0] - n_tables), (0, shape[1] - width), (0, 0))

    def padded(values: np.ndarray, fill: int) -> np.ndarray:
        values = values.reshape(n_tables, width, -1)
        return np.pad(values, missing, constant_values=fill)

    # REFUSED is -1, and so is what is left of it by a floor division.
    successor = padded((end // len(prices)).astype(np.int16), REFUSED)
    cost = None if costs is None else padded(prices[end % len(prices)], 0)
    return successor, padded(kind, REFUSED), cost


def _groups(kind: np.ndarray, n_kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """``group`` and ``group_of_kind`` of the kinds ``[table, q, token]`` of tokens."""
    n_tables, width, _ = kind.shape
    tokens = np.zeros((n_tables, width, n_kinds), np.uint32)
    for token in range(N_VOICE):
        table, state = np.nonzero(kind[..., token] != REFUSED)
        tokens[table, state, kind[table, state, token]] |= np.uint32(1 << token)
    # Tokens of no kind are last in a table's descending order, where the padding is.
    found = [np.unique(-of_table.astype(np.int64)) for of_table in tokens]
    most = max(int((sets != 0).sum()) for sets in found)
    group = np.zeros((n_tables, bucket(most, GROUPS)), np.uint32)
    group_of_kind = np.zeros(tokens.shape, np.int32)
    for index, sets in enumerate(found):
        sets = sets[sets != 0]
        group[index, : len(sets)] = -sets
        place = np.searchsorted(sets, -tokens[index].astype(np.int64))
        group_of_kind[index] = np.minimum(place, group.shape[1] - 1)
    return group, group_of_kind


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


def step_costs(
    layers: Layers,
    frame: jax.Array | int,
    slot: jax.Array | int,
    states: jax.Array,
    kind: jax.Array,
) -> jax.Array | float:
    """Nats that a token asks now, ``[batch, token]``; ``states`` and ``kind`` as ``step_rows``."""
    if layers.cost is None:
        return 0.0
    of_kind = layers.cost[layers.table[frame, slot], states]
    return jnp.take_along_axis(of_kind, jnp.maximum(kind, 0), axis=1)
