"""Products of layered automata, minimisation, restriction to domains, and prices for refusals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from clausula.constraints.automaton import (
    N_SLOTS,
    REFUSED,
    Builder,
    LayeredAutomaton,
    universal,
)
from clausula.constraints.domains import Domains
from clausula.constraints.rows import distinct_rows
from clausula.constraints.splicing import spliced
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import N_VOICE

PRUNED = 16  # see ``Limit``


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
    builder = Builder()
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
    builder = Builder()
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
    for automaton in spliced(tuple(automata)):
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
    builder = Builder()
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
    builder = Builder()
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
    builder = Builder()
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
