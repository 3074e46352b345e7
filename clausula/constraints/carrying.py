"""What a constraint on a copy asks of the passage that returns there.

An automaton that watches a copy watches the passage: its tokens are images of the passage's. So its
part over the copy, read through the images, is a condition on the passage, which the search meets
while it can still choose. Where the automaton watches frames before or after the copy too, the
condition is that some state with which it may enter leads to one with which it may go on: this is
necessary, but not sufficient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from clausula.constraints.algebra import minimise, restrict
from clausula.constraints.automaton import N_SLOTS, REFUSED, Builder, LayeredAutomaton
from clausula.constraints.domains import Domains
from clausula.constraints.repeat import NO_IMAGE, NO_SOURCE, Ties
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import N_VOICE

WIDEST = 256  # states with which an automaton may enter a copy, and sets of states after each layer


class _Run(NamedTuple):
    """Frames of a copy that an automaton watches, and how far back what they repeat lies."""

    first: int
    end: int
    back: int


def carried(
    automaton: LayeredAutomaton, ties: Ties, domains: Domains
) -> tuple[LayeredAutomaton, ...]:
    """What an automaton that watches copies asks of their passages.

    Args:
        automaton: any; one that prices its transitions asks nothing.
        ties: which frames repeat which.
        domains: tokens by place.
    """
    if automaton.costs is not None or not (ties.source_frame != NO_SOURCE).any():
        return ()
    own = minimise(restrict(automaton, domains))
    if not own.n_states[-1]:
        return ()
    watched = _watched(own, domains)
    found = (_of_passage(own, run, watched, ties) for run in _runs(watched, ties))
    return tuple(each for each in found if each is not None)


def _watched(automaton: LayeredAutomaton, domains: Domains) -> np.ndarray:
    """``bool[time, slot]`` whether what follows depends on the token."""
    allowed = domains.by_layer()
    found = np.zeros(automaton.n_layers, bool)
    for layer in range(automaton.n_layers):
        states = int(automaton.n_states[layer])
        table = automaton.tables[automaton.table_of_layer[layer], :states][:, allowed[layer]]
        found[layer] = (table != table[:, :1]).any()
    return found.reshape(-1, N_SLOTS)


def _runs(watched: np.ndarray, ties: Ties) -> Iterator[_Run]:
    """The longest runs of frames all of whose watched voices repeat what lies equally far back."""
    slots = np.array([int(voice) for voice in SEARCH_ORDER])
    source = ties.source_frame[:, slots]
    first = end = back = -1
    for frame in range(len(watched) + 1):
        heard = source[frame][watched[frame]] if frame < len(watched) else np.array([NO_SOURCE])
        if not len(heard):
            continue  # nothing is watched here: whether the run goes on, later frames say
        distances = {frame - int(each) if each != NO_SOURCE else NO_SOURCE for each in heard}
        distance = distances.pop() if len(distances) == 1 else NO_SOURCE
        if first >= 0 and distance == back:
            end = frame + 1
            continue
        if first >= 0:
            yield _Run(first, end, back)
        first, end, back = (frame, frame + 1, distance) if distance != NO_SOURCE else (-1, -1, -1)


def _of_passage(
    automaton: LayeredAutomaton, run: _Run, watched: np.ndarray, ties: Ties
) -> LayeredAutomaton | None:
    """The part of an automaton over a run of copied frames, over what these repeat.

    None where it would be too wide.
    """
    tables = [
        _image(automaton, frame, slot, watched, ties)
        for frame in range(run.first, run.end)
        for slot in range(N_SLOTS)
    ]
    entering = int(automaton.n_states[N_SLOTS * run.first])
    if entering > 1:
        if entering > WIDEST:
            return None
        tables = _determined(tables, entering)
    return minimise(_placed(tables, run.first - run.back, len(watched))) if tables else None


def _image(
    automaton: LayeredAutomaton, frame: int, slot: int, watched: np.ndarray, ties: Ties
) -> np.ndarray:
    """``[state, token]`` what follows a token of the passage, by its image in the copy."""
    layer = N_SLOTS * frame + slot
    states = int(automaton.n_states[layer])
    table = automaton.tables[automaton.table_of_layer[layer], :states]
    if not watched[frame, slot]:
        return np.repeat(table.max(axis=1, keepdims=True), N_VOICE, axis=1)
    token = ties.token_map[ties.map_of_frame[frame, SEARCH_ORDER[slot]]].astype(int)
    return np.where(token == NO_IMAGE, REFUSED, table[:, token])


def _determined(tables: list[np.ndarray], entering: int) -> list[np.ndarray]:
    """Tables of sets of states, beginning with the set of all; none where there are too many."""
    sets = [frozenset(range(entering))]
    found = []
    for table in tables:
        number: dict[frozenset[int], int] = {}
        rows = np.full((len(sets), N_VOICE), REFUSED)
        for row, states in zip(rows, sets, strict=True):
            columns, which = np.unique(table[sorted(states)], axis=1, return_inverse=True)
            after = [frozenset(column[column != REFUSED].tolist()) for column in columns.T]
            numbers = [number.setdefault(s, len(number)) if s else REFUSED for s in after]
            row[:] = np.array(numbers)[which.ravel()]
        found.append(rows)
        sets = list(number)
        if len(sets) > WIDEST:
            return []
    return found


def _placed(tables: list[np.ndarray], first: int, n_frames: int) -> LayeredAutomaton:
    """Tables from a frame on as an automaton of a piece; its first state is the only one."""
    builder = Builder()
    free = builder.add(np.zeros((1, N_VOICE)))
    before = N_SLOTS * first
    tables = [tables[0][:1], *tables[1:-1], np.minimum(tables[-1], 0)]
    table_of_layer = [free] * before + [builder.add(table) for table in tables]
    after = N_SLOTS * n_frames - len(table_of_layer)
    n_states = [1] * before + [len(table) for table in tables] + [1] * (after + 1)
    return builder.build(table_of_layer + [free] * after, n_states)
