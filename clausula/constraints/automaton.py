"""Layered automata over voice tokens: what positional constraints are compiled to.

Conventions: layer ``4 * frame + slot`` reads the token of voice ``SEARCH_ORDER[slot]``; a word is
a whole piece. States are numbered within a layer. A transition is a state of the next layer, or
``REFUSED``. Every state after the last layer accepts, so a word is accepted when it is never
refused. Tables are shared: layers outside a constraint's window all use the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from clausula.constraints.domains import Domains
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import N_VOICE

REFUSED = -1
N_SLOTS = len(SEARCH_ORDER)
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


class Builder:
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
    builder = Builder()
    table = builder.add(np.zeros((1, N_VOICE)))
    layers = N_SLOTS * n_frames
    return builder.build([table] * layers, [1] * (layers + 1))


def priced(voice: Voice, costs: np.ndarray) -> LayeredAutomaton:
    """The automaton of one state that accepts everything and asks nats of one voice's tokens.

    Args:
        voice: whose tokens.
        costs: float ``[time, token]`` nats.
    """
    builder = Builder()
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
    builder = Builder()
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


def translated(
    a: LayeredAutomaton, n_frames: int, first: int, symbols: Callable[[int, int], np.ndarray]
) -> LayeredAutomaton:
    """An automaton over symbols as one over tokens, at its place in a longer piece.

    It is minimal if ``a`` is and each of its symbols stands for some token in each layer.

    Args:
        a: over symbols, of a few frames; begins and ends with one state.
        n_frames: frames in the piece.
        first: frame with which ``a`` begins; before and after it everything is accepted.
        symbols: as in ``windowed``, frames counted from the start of the piece.
    """
    builder = Builder()
    outside = builder.add(np.zeros((1, N_VOICE)))
    table_of_layer = [outside] * (N_SLOTS * first)
    for layer, table in enumerate(a.table_of_layer.tolist()):
        frame, slot = divmod(layer, N_SLOTS)
        states = int(a.n_states[layer])
        table_of_layer.append(builder.add(a.tables[table][:states, symbols(first + frame, slot)]))
    after = N_SLOTS * n_frames - len(table_of_layer)
    n_states = [1] * (N_SLOTS * first) + a.n_states.tolist()
    return builder.build(table_of_layer + [outside] * after, n_states + [1] * after, a.start)


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


def used_tokens(a: LayeredAutomaton) -> Domains:
    """The tokens that some word has in each place; all of them where nothing is accepted.

    Args:
        a: minimal, so that every transition lies on an accepted word.
    """
    domains = Domains.full(a.n_layers // N_SLOTS)
    if not a.n_states[-1]:
        return domains
    bits = np.uint32(1) << np.arange(N_VOICE, dtype=np.uint32)
    used = (a.tables != REFUSED).any(axis=1)
    words = np.where(used, bits, np.uint32(0)).sum(axis=1, dtype=np.uint32)
    domains.masks[:, SEARCH_ORDER] = words[a.table_of_layer].reshape(-1, N_SLOTS)
    return domains


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
    builder = Builder()
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
