"""Automata that concern different stretches of a piece, put one after another in one automaton.

Their product is the same language, but costs a pass over the whole piece for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clausula.constraints.automaton import Builder, LayeredAutomaton
from clausula.vocabulary import N_VOICE


def busy(a: LayeredAutomaton) -> range:
    """The layers from the first to the last that do anything but accept, in one state."""
    free = np.array([not table[0].any() for table in a.tables])
    if a.costs is not None:
        free &= ~a.costs.any(axis=(1, 2))
    one = (a.n_states[:-1] == 1) & (a.n_states[1:] == 1)
    layers = np.flatnonzero(~(one & free[a.table_of_layer]))
    return range(int(layers[0]), int(layers[-1]) + 1) if len(layers) else range(0)


def spliced(automata: Sequence[LayeredAutomaton]) -> list[LayeredAutomaton]:
    """Fewer automata that together accept the same words.

    Args:
        automata: of one piece; the first of those that overlap keeps its place.
    """
    lanes: list[list[tuple[range, LayeredAutomaton]]] = []
    for automaton in automata:
        window = busy(automaton)
        if not window:
            continue
        for lane in lanes:
            if all(window.stop <= w.start or w.stop <= window.start for w, _ in lane):
                lane.append((window, automaton))
                break
        else:
            lanes.append([(window, automaton)])
    return [lane[0][1] if len(lane) == 1 else _joined(lane) for lane in lanes]


def _joined(lane: list[tuple[range, LayeredAutomaton]]) -> LayeredAutomaton:
    """One automaton with each window from its own; between them everything is accepted."""
    builder = Builder()
    outside = builder.add(np.zeros((1, N_VOICE)))
    layers = lane[0][1].n_layers
    table_of_layer = [outside] * layers
    n_states = np.ones(layers + 1, np.int32)
    start = 0
    for window, a in lane:
        for layer in window:
            number, states = int(a.table_of_layer[layer]), int(a.n_states[layer])
            costs = None if a.costs is None else a.costs[number][:states]
            table_of_layer[layer] = builder.add(a.tables[number][:states], costs)
        n_states[window.start : window.stop + 1] = a.n_states[window.start : window.stop + 1]
        if window.start == 0:
            start = a.start
    return builder.build(table_of_layer, n_states.tolist(), start)
