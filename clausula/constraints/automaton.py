"""Layered automata over voice tokens: what positional constraints are compiled to.

Conventions: layer ``4 * frame + slot`` reads the token of voice ``SEARCH_ORDER[slot]``; a word is
a whole piece. States are numbered within a layer. A transition is a state of the next layer, or
``REFUSED``. Every state after the last layer accepts, so a word is accepted when it is never
refused. Tables are shared: layers outside a constraint's window all use the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from clausula.constraints.domains import Domains
from clausula.constraints.rows import distinct_rows
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import N_VOICE

REFUSED = -1
N_SLOTS = len(SEARCH_ORDER)
PRUNED = 16  # see ``Limit``
State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, eq=False)
class LayeredAutomaton:
    """A deterministic automaton whose states may differ from layer to layer.

    Attributes:
        tables: int32 ``[table, state, token]`` next state or ``REFUSED``; rows beyond a layer's
            states are padding and all ``REFUSED``.
        table_of_layer: int32 ``[layer]`` index into ``tables``.
        n_states: int32 ``[layer + 1]`` states before each layer, and after the last.
        start: the state before layer 0.
        costs: float32 ``[table, state, token]`` nats that each transition asks; none where all are
            free, as they are unless a constraint is soft.
    """

    tables: np.ndarray
    table_of_layer: np.ndarray
    n_states: np.ndarray
    start: int = 0
    costs: np.ndarray | None = None

    @property
    def n_layers(self) -> int:
        """Four for each frame."""
        return len(self.table_of_layer)

    @property
    def width(self) -> int:
        """States of the widest layer, at least 1."""
        return self.tables.shape[1]


class _Builder:
    """Collects layers from first to last and shares equal tables."""

    def __init__(self) -> None:
        self._tables: list[np.ndarray] = []
        self._costs: list[np.ndarray | None] = []
        self._index: dict[tuple[int, bytes, bytes], int] = {}

    def add(self, table: np.ndarray, costs: np.ndarray | None = None) -> int:
        """Index of a table ``[state, token]``, an equal earlier one where there is one."""
        table = np.ascontiguousarray(table, dtype=np.int32)
        if costs is not None and not costs.any():
            costs = None
        key = (len(table), table.tobytes(), b"" if costs is None else costs.tobytes())
        if key not in self._index:
            self._index[key] = len(self._tables)
            self._tables.append(table)
            self._costs.append(costs)
        return self._index[key]

    def build(
        self, table_of_layer: Sequence[int], n_states: Sequence[int], start: int = 0
    ) -> LayeredAutomaton:
        """The automaton; every table is padded to the widest."""
        width = max(1, *n_states, *map(len, self._tables))
        padded = np.full((len(self._tables), width, N_VOICE), REFUSED, np.int32)
        priced = any(costs is not None for costs in self._costs)
        asked = np.zeros(padded.shape, np.float32) if priced else None
        for index, (table, costs) in enumerate(zip(self._tables, self._costs, strict=True)):
            padded[index, : len(table)] = table
            if asked is not None and costs is not None:
                asked[index, : len(table)] = costs
        return LayeredAutomaton(
            padded, np.array(table_of_layer, np.int32), np.array(n_states, np.int32), start, asked
        )


def universal(n_frames: int) -> LayeredAutomaton:
    """The automaton of one state a layer that accepts every piece of ``n_frames`` frames."""
    builder = _Builder()
    table = builder.add(np.zeros((1, N_VOICE)))
    layers = N_SLOTS * n_frames
    return builder.build([table] * layers, [1] * (layers + 1))


def priced(voice: Voice, costs: np.ndarray) -> LayeredAutomaton:
    """The automaton of one state that accepts everything and asks nats of one voice's tokens.

    Args:
        voice: whose tokens.
        costs: float ``[time, token]`` nats.
    """
    builder = _Builder()
    free = np.zeros((1, N_VOICE))
    table_of_layer = []
    for asked in costs.astype(np.float32):
        for slot_voice in SEARCH_ORDER:
            own = asked[None] if slot_voice is voice else None
            table_of_layer.append(builder.add(free, own))
    return builder.build(table_of_layer, [1] * (len(table_of_layer) + 1))


def windowed(
    n_frames: int,
    window: range,
    start: State,
    symbols: Callable[[int, int], np.ndarray],
    step: Callable[[int, int, State, int], State | None],
) -> LayeredAutomaton:
    """The automaton of a constraint that concerns a few frames, explored from its start state.

    Args:
        n_frames: frames in the piece.
        window: the frames concerned; outside them everything is accepted.
        start: the state before the window.
        symbols: ``(frame, slot)`` to int ``[token]``, the symbol by which the constraint knows
            each token.
        step: ``(frame, slot, state, symbol)`` to the next state, ``None`` where it refuses. States
            that survive the window are one afterwards.

    Returns:
        Only states that some word reaches; equivalent ones are not merged (see ``minimise``).
    """
    builder = _Builder()
    outside = builder.add(np.zeros((1, N_VOICE)))
    table_of_layer = [outside] * (N_SLOTS * window.start)
    n_states = [1] * len(table_of_layer)
    states: list[State] = [start]
    for frame in window:
        for slot in range(N_SLOTS):
            symbol_of_token = symbols(frame, slot)
            found: dict[State, int] = {}
            by_symbol = np.full((len(states), int(symbol_of_token.max()) + 1), REFUSED)
            for index, state in enumerate(states):
                for symbol in np.unique(symbol_of_token).tolist():
                    reached = step(frame, slot, state, symbol)
                    if reached is not None:
                        by_symbol[index, symbol] = found.setdefault(reached, len(found))
            if frame == window[-1] and slot == N_SLOTS - 1:
                by_symbol = np.minimum(by_symbol, 0)
            table_of_layer.append(builder.add(by_symbol[:, symbol_of_token]))
            n_states.append(len(states))
            states = list(found)
    after = N_SLOTS * n_frames - len(table_of_layer)
    alive = min(len(states), 1)
    rest = outside if alive else builder.add(np.zeros((0, N_VOICE)))
    return builder.build(table_of_layer + [rest] * after, [*n_states, *[alive] * (after + 1)])


def product(a: LayeredAutomaton, b: LayeredAutomaton) -> LayeredAutomaton:
    """The automaton of the words that both accept; only pairs of states that a word reaches.

    Raises:
        PlanError: the two were built for different lengths.
    """
    if a.n_layers != b.n_layers:
        raise PlanError(
            f"constraints were compiled for {a.n_layers // N_SLOTS} and {b.n_layers // N_SLOTS} "
            "frames; compile both for the same timeline"
        )
    builder = _Builder()
    memo: dict[tuple[int, int, bytes], tuple[int, np.ndarray]] = {}
    pairs = np.array([a.start * b.width + b.start])
    table_of_layer, n_states = [], [1]
    for table_a, table_b in zip(a.table_of_layer.tolist(), b.table_of_layer.tolist(), strict=True):
        key = (table_a, table_b, pairs.tobytes())
        if key not in memo:
            table, reached = _paired(a.tables[table_a], b.tables[table_b], pairs)
            states_a, states_b = np.divmod(pairs, b.width)
            costs = _sum(_costs(a, table_a, states_a), _costs(b, table_b, states_b))
            memo[key] = builder.add(table, _where(table, costs)), reached
        index, pairs = memo[key]
        table_of_layer.append(index)
        n_states.append(len(pairs))
    return builder.build(table_of_layer, n_states)


def _paired(a: np.ndarray, b: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Table over the pairs ``state of a * width of b + state of b``, and the pairs it reaches."""
    states_a, states_b = np.divmod(pairs, len(b))
    next_a, next_b = a[states_a].astype(np.int64), b[states_b].astype(np.int64)
    refused = (next_a == REFUSED) | (next_b == REFUSED)
    reached_by_token = next_a * len(b) + next_b
    reached = np.unique(reached_by_token[~refused])
    return np.where(refused, REFUSED, np.searchsorted(reached, reached_by_token)), reached


def _costs(a: LayeredAutomaton, table: int, states: np.ndarray) -> np.ndarray | None:
    """Nats ``[state, token]`` that some states of a table ask; none where everything is free."""
    return None if a.costs is None else a.costs[table][states]


def _sum(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """What both ask together."""
    return one if other is None else other if one is None else one + other


def _where(table: np.ndarray, costs: np.ndarray | None) -> np.ndarray | None:
    """Costs without those of refused transitions, which would tell equal tables apart."""
    return None if costs is None else np.where(table == REFUSED, np.float32(0), costs)


def softened(a: LayeredAutomaton, weight: float) -> LayeredAutomaton:
    """The automaton that accepts every word and asks ``weight`` nats of those that ``a`` refuses.

    They are asked where it first is certain that the word will be refused, once.

    Args:
        a: minimal, so that every state of it can still accept.
        weight: nats, positive.
    """
    builder = _Builder()
    refused = a.width  # a state of its own, which nothing leaves
    index: dict[tuple[int, int], int] = {}
    table_of_layer = []
    for layer, number in enumerate(a.table_of_layer.tolist()):
        states = int(a.n_states[layer])
        if (number, states) not in index:
            table = np.full((refused + 1, N_VOICE), refused)
            own = a.tables[number][:states]
            table[:states] = np.where(own == REFUSED, refused, own)
            costs = np.zeros(table.shape, np.float32)
            costs[:states] = np.where(own == REFUSED, np.float32(weight), 0)
            index[number, states] = builder.add(table, _sum(costs, _padded_costs(a, number)))
        table_of_layer.append(index[number, states])
    return minimise(builder.build(table_of_layer, [refused + 1] * (a.n_layers + 1), a.start))


def _padded_costs(a: LayeredAutomaton, table: int) -> np.ndarray | None:
    """A table's own costs with a row for one more state."""
    return None if a.costs is None else np.pad(a.costs[table], ((0, 1), (0, 0)))


class Limit(NamedTuple):
    """How large a product may grow.

    Attributes:
        widest: most states of a layer.
        mean: most states of a layer in the mean of all layers.
    """

    widest: int
    mean: float

    def holds(self, a: LayeredAutomaton) -> bool:
        """Whether an automaton stays within."""
        return a.width <= self.widest and a.n_states.mean() <= self.mean

    def worth_trying(self, a: LayeredAutomaton, b: LayeredAutomaton) -> bool:
        """Whether the product might, were all but one in ``PRUNED`` pairs of states pruned."""
        return int((a.n_states * b.n_states).max()) <= PRUNED * self.widest


def conjoin(
    automata: Iterable[LayeredAutomaton], domains: Domains, limit: Limit | None = None
) -> tuple[LayeredAutomaton, ...]:
    """Minimal automata that together accept the words within the domains that all accept.

    What the domains forbid is refused from the start: states that only forbidden tokens reach, or
    tell apart, are never built.

    Args:
        automata: any number of them.
        domains: of the same piece.
        limit: of a product. An automaton goes into the first product that stays within; where
            none does it opens another. Without a limit there is one product.

    Returns:
        At least one automaton.
    """
    groups = [restrict(universal(len(domains.masks)), domains)]
    for automaton in automata:
        alone = minimise(restrict(automaton, domains))
        for place, group in enumerate(groups):
            if limit is not None and not limit.worth_trying(group, alone):
                continue
            together = minimise(product(group, alone))
            if limit is None or limit.holds(together):
                groups[place] = together
                break
        else:
            groups.append(alone)
    return tuple(groups)


def restrict(a: LayeredAutomaton, domains: Domains) -> LayeredAutomaton:
    """The automaton of the words that it accepts within the domains; states stay as they are.

    Raises:
        PlanError: the domains are of another length.
    """
    words = domains.masks[:, SEARCH_ORDER].ravel()
    if len(words) != a.n_layers:
        raise PlanError(
            f"an automaton of {a.n_layers // N_SLOTS} frames and domains of {len(domains.masks)}; "
            "compile both for the same timeline"
        )
    builder = _Builder()
    allowed = domains.by_layer()
    memo: dict[tuple[int, int], int] = {}
    table_of_layer = []
    for layer, key in enumerate(zip(a.table_of_layer.tolist(), words.tolist(), strict=True)):
        if key not in memo:
            table = np.where(allowed[layer], a.tables[key[0]], REFUSED)
            costs = None if a.costs is None else a.costs[key[0]]
            memo[key] = builder.add(table, _where(table, costs))
        table_of_layer.append(memo[key])
    return builder.build(table_of_layer, a.n_states.tolist(), a.start)


def minimise(a: LayeredAutomaton) -> LayeredAutomaton:
    """The smallest automaton of the same language, exactly.

    States that no word reaches and states from which nothing is accepted vanish, those with the
    same future merge. Where nothing is accepted at all, no state remains after the first layer.
    """
    visited = _visited(a)
    builder = _Builder()
    memo: dict[tuple[int, bytes, bytes], tuple[int, int, np.ndarray]] = {}
    classes = np.zeros(a.width, np.int64)
    table_of_layer, n_states = [], [min(1, int(a.n_states[-1]))]
    for layer in range(a.n_layers - 1, -1, -1):
        table = int(a.table_of_layer[layer])
        key = (table, visited[layer].tobytes(), classes.tobytes())
        if key not in memo:
            asked = _costs(a, table, visited[layer])
            merged, costs, before = _merged(a.tables[table], visited[layer], classes, asked)
            memo[key] = builder.add(merged, costs), len(merged), before
        index, size, classes = memo[key]
        table_of_layer.append(index)
        n_states.append(size)
    if classes[a.start] == REFUSED:
        return _empty(a.n_layers)
    return builder.build(table_of_layer[::-1], n_states[::-1], int(classes[a.start]))


def _empty(n_layers: int) -> LayeredAutomaton:
    """The automaton that accepts nothing."""
    builder = _Builder()
    first = builder.add(np.full((1, N_VOICE), REFUSED))
    rest = builder.add(np.zeros((0, N_VOICE)))
    return builder.build([first] + [rest] * (n_layers - 1), [1] + [0] * n_layers)


def _visited(a: LayeredAutomaton) -> list[np.ndarray]:
    """States before each layer that some word reaches."""
    memo: dict[tuple[int, bytes], np.ndarray] = {}
    visited = [np.array([a.start])]
    for table in a.table_of_layer.tolist():
        key = (table, visited[-1].tobytes())
        if key not in memo:
            reached = np.unique(a.tables[table][visited[-1]])
            memo[key] = reached[reached != REFUSED].astype(np.int64)
        visited.append(memo[key])
    return visited


def _merged(
    table: np.ndarray, states: np.ndarray, classes_after: np.ndarray, asked: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Rows of the merged table, their costs, and each state's class (``REFUSED`` where dead)."""
    # REFUSED is -1 and so indexes the appended last entry: refused stays refused.
    futures = np.append(classes_after, REFUSED)[table[states]]
    asked = _where(futures, asked)
    distinct, class_of = distinct_rows(_told_apart(futures, asked))
    rows, costs = distinct[:, :N_VOICE], distinct[:, N_VOICE:]
    dead = (rows == REFUSED).all(axis=1)
    numbers = np.where(dead, REFUSED, np.cumsum(~dead) - 1)
    classes = np.full(len(table), REFUSED)
    classes[states] = numbers[class_of]
    kept = None
    if asked is not None:
        kept = np.ascontiguousarray(costs[~dead].astype(np.int32)).view(np.float32)
    return rows[~dead], kept, classes


def _told_apart(futures: np.ndarray, asked: np.ndarray | None) -> np.ndarray:
    """What tells states apart, as integers: where they lead, and the bits of what they ask."""
    return futures if asked is None else np.hstack([futures, asked.view(np.int32)])


def reachable(a: LayeredAutomaton, domains: Domains) -> np.ndarray:
    """The boolean pass: from which states acceptance is possible within the domains.

    Returns:
        bool ``[layer + 1, state]``: true where some choice of allowed tokens for this layer and
        all later ones is accepted. No floating point takes part.
    """
    allowed = domains.by_layer()
    # The extra column is never true, and REFUSED (-1) indexes it.
    alive = np.zeros((a.n_layers + 1, a.width + 1), bool)
    alive[-1, : a.n_states[-1]] = True
    for layer in range(a.n_layers - 1, -1, -1):
        table = a.tables[a.table_of_layer[layer]][:, allowed[layer]]
        alive[layer, :-1] = alive[layer + 1][table].any(axis=1)
    return alive[:, :-1]


def forward_reached(a: LayeredAutomaton, domains: Domains) -> np.ndarray:
    """Which states some choice of allowed tokens reaches from the start.

    Returns:
        bool ``[layer + 1, state]``; where the last row is all false, the first all-false row says
        how far a piece can get.
    """
    allowed = domains.by_layer()
    reached = np.zeros((a.n_layers + 1, a.width + 1), bool)
    reached[0, a.start] = True
    for layer in range(a.n_layers):
        table = a.tables[a.table_of_layer[layer]][:, allowed[layer]]
        reached[layer + 1][table[reached[layer, :-1]]] = True
        reached[layer + 1, -1] = False
    return reached[:, :-1]


def is_empty(a: LayeredAutomaton, domains: Domains) -> bool:
    """Whether no piece within the domains is accepted."""
    return not reachable(a, domains)[0, a.start]


def accepts(a: LayeredAutomaton, tokens: np.ndarray) -> bool:
    """Whether a piece of voice tokens ``[time, voice]`` (soprano first) is accepted."""
    state = a.start
    for table, token in zip(a.table_of_layer, tokens[:, SEARCH_ORDER].ravel(), strict=True):
        state = int(a.tables[table, state, token])
        if state == REFUSED:
            return False
    return True


def followed(
    voice: Voice, tables: np.ndarray, which: np.ndarray, good: np.ndarray
) -> LayeredAutomaton:
    """The automaton of a constraint that follows one voice through the whole piece.

    Args:
        voice: the others' tokens change nothing.
        tables: int ``[kind, state, token]`` next state or ``REFUSED``; state 0 comes first.
        which: int ``[time]`` kind of each frame.
        good: bool ``[state]`` states in which the piece may end.
    """
    builder = _Builder()
    states = tables.shape[1]
    idle = builder.add(np.repeat(np.arange(states)[:, None], N_VOICE, axis=1))
    # REFUSED is -1 and so indexes the appended last entry: refused stays refused.
    closing = np.where(np.append(good, False)[tables], tables, REFUSED)
    index = [builder.add(table) for table in tables]
    index_at_end = [builder.add(table) for table in closing]
    own = SEARCH_ORDER.index(voice)
    table_of_layer = np.full((len(which), N_SLOTS), idle)
    table_of_layer[:, own] = np.array(index)[which]
    table_of_layer[-1, own] = index_at_end[which[-1]]
    n_states = [1] + [states] * table_of_layer.size
    return builder.build(table_of_layer.ravel().tolist(), n_states)
