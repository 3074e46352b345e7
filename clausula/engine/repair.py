"""Exact repair of a window: some frames are set free, the others keep their notes.

What the provers leave around the fixed notes prunes the window first, and often proves that it has
no repair. Then a constraint solver fills it: one variable for each voice in each free frame, in the
order of the search, and one constraint, that the notes go on: it hides every token that breaks a
rule, a tie or an automaton beside what is chosen. What follows depends only on what sounds, on the
automata's states and on notes that still have to return; where that was found to lead nowhere it
is not tried again. So the solver finds a repair whenever there is one, unless it runs out of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from constraint import Constraint, Domain, OptimizedBacktrackingSolver, Problem

from clausula.constraints.domains import Domains
from clausula.constraints.repeat import NO_SOURCE, Ties
from clausula.engine.conflict import narrow
from clausula.engine.demands import Demand, Scene
from clausula.engine.pairs import rule_words
from clausula.engine.ways import States, Ways, sounding_after
from clausula.errors import ImpossibleError, SearchError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import HOLD_TOKEN, N_VOICE

STEPS = 200_000  # tokens that the solver may try in one window
SPREAD = 2.0  # mean of what is drawn on top of a token's cost
AROUND = "the notes around the window"  # by which the provers know them
_SLOTS = len(SEARCH_ORDER)
_Place = tuple[int, int]  # frame and slot
_Known = tuple[object, ...]  # everything on which the rest of the window depends


class Window(NamedTuple):
    """Notes of which some are to be found anew.

    Attributes:
        tokens: ``int[time, voice]`` voice tokens.
        free: ``bool[time]`` frames that are to be filled.
        fixed: ``bool[time]`` frames that keep their tokens. What is neither comes after all of
            these, and is left to what the provers know.
    """

    tokens: np.ndarray
    free: np.ndarray
    fixed: np.ndarray


def with_returns(free: np.ndarray, ties: Ties) -> np.ndarray:
    """``bool[time]`` the frames, and those that repeat them or that they repeat."""
    free = free.copy()
    copies = np.argwhere(ties.source_frame != NO_SOURCE)
    while True:
        before = free.sum()
        for frame, voice in copies:
            source = ties.source_frame[frame, voice]
            free[frame] = free[source] = free[frame] | free[source]
        if free.sum() == before:
            return free


def repairs(
    scene: Scene,
    demands: Sequence[Demand],
    window: Window,
    rng: np.random.Generator,
    steps: int = STEPS,
) -> Iterator[np.ndarray]:
    """Every way to fill the window, ``int[time, voice]`` each, in an order that is drawn.

    Args:
        scene: what the demands stand in.
        demands: everything that is demanded.
        window: the notes.
        rng: draws what is tried first.
        steps: tokens that may be tried.

    Raises:
        UndecidedError: so many tokens were tried; there may be further ways.
    """
    masks = Domains.full(len(window.tokens)).masks
    masks[window.fixed] = np.uint32(1) << window.tokens[window.fixed].astype(np.uint32)
    try:
        left = narrow(scene, [*demands, Demand(AROUND, Domains(masks))])
    except ImpossibleError:
        return
    rules = scene.with_rules(demands).ruleset
    words = tuple(rule_words(rules, context) for context in left.classes)
    going_on = _GoingOn(Ways(left, words), window, rng, steps)
    first = going_on.options_of_first
    if not first:
        return
    problem = Problem(_InOrder())
    places = going_on.places
    problem.addVariable(places[0], first)
    problem.addVariables(places[1:], list(range(N_VOICE)))
    problem.addConstraint(going_on, places)
    for solution in problem.getSolutionIter():
        tokens = window.tokens.copy()
        for (frame, slot), token in solution.items():
            tokens[frame, SEARCH_ORDER[slot]] = token
        yield tokens


class UndecidedError(SearchError):
    """The solver has tried as many tokens as it may."""


class _InOrder(OptimizedBacktrackingSolver):
    """Backtracking in the order of time, within a frame in that of the search."""

    def getSortedVariables(self, domains: dict, vconstraints: dict) -> list:  # noqa: N802
        """The places, earliest first."""
        return sorted(domains)


class _Open(NamedTuple):
    """A point that is being explored.

    Attributes:
        place: index of the variable that comes next there.
        known: what the rest depends on.
    """

    place: int
    known: _Known


class _GoingOn(Constraint):
    """The notes chosen so far go on; the solver assigns one place after another.

    Attributes:
        places: the variables, in order.
        options_of_first: tokens of the first of them, none if the notes before it do not go on.
    """

    def __init__(self, ways: Ways, window: Window, rng: np.random.Generator, steps: int) -> None:
        self.ways, self.window, self.rng, self.steps = ways, window, rng, steps
        self.tokens = window.tokens.copy()
        free = np.flatnonzero(window.free).tolist()
        self.places: list[_Place] = [(frame, slot) for frame in free for slot in range(_SLOTS)]
        self.stop = int(np.flatnonzero(window.free | window.fixed)[-1]) + 1
        # Before each place: the automata's states; before each frame: what sounds.
        self.states: dict[int, States] = {0: ways.start}
        self.sounding: dict[int, list[int]] = {0: [0] * len(Voice)}
        self.dead: set[_Known] = set()
        self.open: list[_Open] = []
        self.options_of_first: list[int] = []
        if self._through_fixed(0):
            options = self._options(*self.places[0])
            self.options_of_first = sorted(options, key=options.__getitem__, reverse=True)

    def __call__(
        self,
        variables: Sequence,
        domains: dict,
        assignments: dict,
        forwardcheck: list | bool | None = False,
        _unassigned: object = None,
    ) -> bool:
        """Whether the place assigned last goes on; hides from the next one what would not."""
        index = len(assignments) - 1
        frame, slot = place = variables[index]
        self.steps -= 1
        if self.steps < 0:
            raise UndecidedError(
                f"no repair of the window was found in {STEPS} steps; try a smaller one"
            )
        # What was explored beyond this place is over, and led to no end unless it was closed.
        while self.open and self.open[-1].place > index:
            self.dead.add(self.open.pop().known)
        layer = _SLOTS * frame + slot
        after = self.ways.after(layer, self.states[layer], assignments[place])
        if after is None:
            return False
        self.tokens[frame, SEARCH_ORDER[slot]] = assignments[place]
        self.states[layer + 1] = after
        if slot == _SLOTS - 1 and not self._frame_ends(frame, index):
            return False
        if index + 1 == len(variables):
            self.open.clear()  # a solution: what led here leads somewhere
            return True
        following = variables[index + 1]
        self._leave(domains[following], *following)
        return bool(domains[following])

    def _frame_ends(self, frame: int, index: int) -> bool:
        """Whether the fixed frames that follow go on, and this was not found to lead nowhere."""
        self.sounding[frame + 1] = sounding_after(self.tokens[frame], self.sounding[frame])
        known = self._known(frame + 1)
        if known in self.dead:
            return False
        if not self._through_fixed(frame + 1):
            self.dead.add(known)
            return False
        self.open.append(_Open(index + 1, known))
        return True

    def _known(self, frame: int) -> _Known:
        """What the rest depends on: sounds, states, and notes that have yet to return."""
        source = self.ways.left.ties.source_frame[frame:]
        owed = np.unique(source[self.window.free[frame:]])
        owed = owed[(owed != NO_SOURCE) & (owed < frame)]
        notes = self.tokens[owed].tobytes()
        return frame, tuple(self.sounding[frame]), self.states[_SLOTS * frame], notes

    def _through_fixed(self, frame: int) -> bool:
        """Whether the fixed notes before the next free frame, or the end, go on."""
        while frame < self.stop and not self.window.free[frame]:
            for slot, voice in enumerate(SEARCH_ORDER):
                layer, token = _SLOTS * frame + slot, int(self.window.tokens[frame, voice])
                before = self.sounding[frame]
                if token not in self.ways.allowed(frame, slot, self.tokens, before):
                    return False
                after = self.ways.after(layer, self.states[layer], token)
                if after is None:
                    return False
                self.states[layer + 1] = after
            self.sounding[frame + 1] = sounding_after(self.tokens[frame], self.sounding[frame])
            frame += 1
        return True

    def _leave(self, domain: Domain, frame: int, slot: int) -> None:
        """Hide what does not go on; the solver takes the last of what is left first."""
        cost = self._options(frame, slot)
        for token in set(domain) - set(cost):
            domain.hideValue(token)
        domain.sort(key=cost.__getitem__, reverse=True)

    def _options(self, frame: int, slot: int) -> dict[int, float]:
        """Tokens that go on, each with a cost that is drawn: holds and small steps cost less."""
        sounding = self.sounding[frame]
        own = sounding[SEARCH_ORDER[slot]]
        costs = {}
        for token in self.ways.allowed(frame, slot, self.tokens, sounding):
            distance = 0.0 if token == HOLD_TOKEN else 1 + abs(token - own) / 2
            costs[token] = distance + float(self.rng.exponential(SPREAD))
        return costs
