"""The cheapest way through chords and keys, and by how much it beats those of other keys.

Shapes: T slices, S states, K keys, F functions.
"""

from __future__ import annotations

import numpy as np

from clausula.checker.costs import Costs
from clausula.checker.states import States
from clausula.checker.vocabulary import FOLLOWS, Function


def cheapest_way(
    fit: np.ndarray, level: np.ndarray, states: States, costs: Costs
) -> tuple[list[int], np.ndarray]:
    """The state of every slice on the cheapest way, and what each costs up to there ``[T, S]``.

    What follows what depends on functions alone and what changes key on keys alone, so of all
    states before only the cheapest of each function, of each key and on each root matter.
    """
    ways = Ways(states, costs)
    away = np.where(states.key == states.home, 0.0, 1.0)
    total, best = np.empty((2, *fit.shape))
    total[0] = ways.rarity + fit[0] + costs.other_start * away
    for time, weakness in enumerate(level[1:].tolist(), start=1):
        ways.onward(total[time - 1], weakness, best[time])
        np.add(best[time], fit[time], out=total[time])
    state = int((total[-1] + costs.other_end * away).argmin())
    path = [state]
    for time in range(len(fit) - 1, 0, -1):
        if best[time, state] != total[time - 1, state]:
            state = ways.back(total[time - 1], state, int(level[time]))
        path.append(state)
    return path[::-1], total


class Ways:
    """What the way from any state to any other costs, but for staying, which is free."""

    def __init__(self, states: States, costs: Costs) -> None:
        self.states = states
        self.rarity = states.rarity * costs.rarity
        self.follows = costs.follows * FOLLOWS
        self.between = costs.key_change + costs.key_distance * np.maximum(states.distance - 1, 0)
        np.fill_diagonal(self.between, np.inf)
        change = np.array(costs.change)[:, None]
        self.entry = self.rarity + change  # [level, S]
        self.entry_on_root = (
            costs.same_root + costs.same_root_share * self.rarity + costs.same_root_share * change
        )

    def onward(self, total: np.ndarray, level: int, out: np.ndarray) -> None:
        """Write to ``out`` the cheapest way to each state, given that to each state before."""
        states = self.states
        by_function = np.minimum.reduceat(total, states.groups).reshape(-1, len(Function))
        followed = (by_function[:, :, None] + self.follows).min(axis=1)  # [K, F]
        elsewhere = (by_function.min(axis=1)[:, None] + self.between).min(axis=0)
        other = np.minimum(followed, elsewhere[:, None]).ravel()[states.group]
        same = np.minimum.reduceat(total[states.by_root], states.roots)[states.root]
        other += self.entry[level]
        same += self.entry_on_root[level]
        np.minimum(other, same, out=out)
        np.minimum(out, total, out=out)

    def before(self, later: np.ndarray, level: int) -> np.ndarray:
        """The cheapest way from each state to any, given what each costs from there on."""
        states = self.states
        entered = np.minimum.reduceat(later + self.entry[level], states.groups)
        by_function = entered.reshape(-1, len(Function))
        followed = (self.follows + by_function[:, None, :]).min(axis=2)  # [K, F]
        elsewhere = (self.between + by_function.min(axis=1)).min(axis=1)
        other = np.minimum(followed, elsewhere[:, None]).ravel()[states.group]
        on_root = (later + self.entry_on_root[level])[states.by_root]
        same = np.minimum.reduceat(on_root, states.roots)[states.root]
        return np.minimum(np.minimum(other, same), later)

    def back(self, total: np.ndarray, state: int, level: int) -> int:
        """The state from which the cheapest way leads to another state."""
        states = self.states
        key, function = divmod(int(states.group[state]), len(Function))
        first = int(states.groups[key * len(Function)])
        within = slice(first, first + int((states.key == key).sum()))
        on_root = np.where(states.root[within] == states.root[state], total[within], np.inf)
        follows = self.follows[states.group[within] - key * len(Function), function]
        followed = total[within] + follows
        elsewhere = total + self.between[states.key, key]
        entry = self.entry[level, state]
        ways = (
            (float(on_root.min() + self.entry_on_root[level, state]), first + on_root.argmin()),
            (float(followed.min() + entry), first + followed.argmin()),
            (float(elsewhere.min() + entry), elsewhere.argmin()),
        )
        return int(min(ways)[1])


def key_margins(
    fit: np.ndarray, level: np.ndarray, states: States, costs: Costs, total: np.ndarray
) -> np.ndarray:
    """``[T]`` what the cheapest analysis costs more that hears another key in a slice.

    Args:
        fit: what every state pays for the notes of every slice ``[T, S]``.
        level: metrical level of every slice.
        states: chords of keys.
        costs: what an analysis costs.
        total: what each state costs on the cheapest way up to there, of ``cheapest_way``.
    """
    ways = Ways(states, costs)
    first = np.searchsorted(states.key, np.arange(len(states.keys)))
    onward = np.where(states.key == states.home, 0.0, costs.other_end)
    margins = np.empty(len(fit))
    for time in range(len(fit) - 1, -1, -1):
        by_key = np.minimum.reduceat(total[time] + onward, first)
        best, second = np.partition(by_key, 1)[:2]
        margins[time] = second - best
        if time:
            onward = ways.before(fit[time] + onward, int(level[time]))
    return margins
