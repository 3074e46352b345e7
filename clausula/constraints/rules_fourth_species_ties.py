"""Rules of fourth species: rows of ties, breaks in them, and the frame of the exercise."""

from __future__ import annotations

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    HALF,
    OPEN,
    WESTERGAARD,
    bars_of,
    cantus_of,
    dissonances,
    dissonant_with,
    equal_perfects,
    intervals_of,
    is_species,
    moving,
    no_pairs,
    passing,
    similar_into_perfect,
)
from clausula.constraints.switch import Switch
from clausula.constraints.syncopation import Syncopation, syncopations

_RUN = 3  # syncopations of one type that may follow one another


def _type_again(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 4):
        return found
    runs: dict[int, list[Syncopation]] = {}
    for each in syncopations(passage):
        run = runs.setdefault(each.column, [])
        if not each.down or (run and (run[-1].bar + 1, run[-1].type) != (each.bar, each.type)):
            run.clear()
        if each.down:
            run.append(each)
        perfect = each.type in ((True, 1, 0), (False, 3, 4), (True, 5, 4))
        found[each.time, each.column] = len(run) > (1 if perfect else _RUN)
    return found


def _weak_perfects(passage: Passage, fifths: bool, octaves: bool) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 4):
        return found
    bars, heard = bars_of(passage), intervals_of(passage)
    weak = np.array([time for time, place in enumerate(bars.place) if place == HALF], int)
    follows = np.diff(bars.of[weak]) == 1
    earlier, later = weak[:-1][follows], weak[1:][follows]
    bad = equal_perfects(passage, earlier, later)
    if fifths:
        bad &= ~heard.fifth[later]
    if octaves:
        between = ~dissonances(passage)[bars.start[bars.of[later]]]
        bad &= ~(heard.octave[later] & ~heard.unison[later] & between)
    found[later] = bad
    return found


def _ties_broken(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage, 4):
        return found
    bars = bars_of(passage)
    inner = bars.start[1:-1]
    for voice, _ in moving(passage):
        struck = passage.slices.moved[inner, voice]
        begins = struck & ~np.append(False, struck[:-1])
        found[inner[np.flatnonzero(begins)[1:]], voice] = True
        loose = inner[struck]
        columns = [c for c, p in enumerate(Sites.PAIR.of(passage.n_voices)) if voice in p]
        motion = similar_into_perfect(passage, loose - 1, loose, "none")
        motion |= equal_perfects(passage, loose - 1, loose)
        found[loose, voice] |= motion[:, columns].any(axis=1)
        strays = dissonant_with(passage, voice) & ~passing(passage, False)[:, voice]
        weak = passage.slices.moved[:, voice] & ~bars.downbeats
        next_struck = np.isin(np.arange(1, len(passage) + 1), loose)
        found[:, voice] |= strays & weak & next_struck
    return found


def _frame(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    bars = bars_of(passage)
    if not is_species(passage, 4) or len(bars) < 2:
        return found
    pairs, cantus = Sites.PAIR.of(passage.n_voices), cantus_of(passage)
    closes = {
        pairs[each.column][0 if each.above else 1]
        for each in syncopations(passage)
        if each.bar == len(bars) - 2
        and cantus in pairs[each.column]
        and each.down
        and each.type in ((True, 6, 5), (False, 1, 2))
    }
    for voice, line in moving(passage):
        first = int(line.start[0])
        found[first, voice] = bars.of[first] == 0 and bars.place[first] == 0
        found[bars.start[-2], voice] |= voice not in closes
    return found


F04 = Rule(
    code="F04",
    name="Syncopations of one type running",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_type_again,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} have the same kind of syncopation too often running",
    says="Two 9-8, two 4-5 or two 6-5 do not follow one another, nor do more than three "
    "syncopations of any one kind.",
    why="Without the ties the first are parallel octaves or fifths; the others become a habit, as "
    "thirds and sixths do in first species.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("r:2 E5:4 D5 C5 C5 B4:2 C5:4", "C4:4 D4 C4 A3 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 F5 E5 D5 C5 B4:2 C5:4", "C4:4 F4 G4 F4 E4 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="6.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 E5:4 D5 C5 C5 B4:2 C5:4", "C4:4 D4 E4 A3 D4 C4"),
            species=4,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 E5 D5 C5 B4:2 C5:4", "C4:4 C4 F4 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
    ),
)

F05 = Rule(
    code="F05",
    name="Perfect intervals on successive weak beats",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_weak_perfects,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} have perfect intervals of one size on two weak beats running, "
    "here {upper_after}-{lower_after}",
    says="Two successive weak beats do not both have fifths, nor octaves or unisons.",
    why="The tie only delays the line: without it the fifths or octaves are parallel.",
    exceptions="Rule sets may allow the fifths, and octaves with a consonance between them.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("r:2 A4:4 C5 B4 A4 C5 B4:2 C5:4", "C4:4 F4 E4 C4 F4 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="3.3",
        ),
        Example(
            "C",
            lines=("r:2 A4:4 D5 C5 E5 C5 B4:2 C5:4", "C4:4 D4 C4 A3 C4 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="3.3",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 A4:4 C5 G4 A4 C5 B4:2 C5:4", "C4:4 F4 E4 C4 F4 D4 C4"),
            species=4,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 B4 C5 B4:2 C5:4", "C4:4 G3 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
    ),
    switches={
        "fifths": Switch(
            False, (True, False), "Whether fifths may stand on successive weak beats."
        ),
        "octaves": Switch(
            False,
            (True, False),
            "Whether octaves may, where the downbeat between them is consonant.",
        ),
    },
)

F06 = Rule(
    code="F06",
    name="Ties broken",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_ties_broken,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} breaks its ties at {after} a second time, or not by the rules of second "
    "species",
    says="The ties are broken once at most, and while they are, the rules of second species hold: "
    "a weak dissonance passes, and no perfect interval over the bar line is reached by similar or "
    "parallel motion.",
    why="The species is practised by its ties; where none is possible, second species bridges the "
    "gap.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=(
                "r:2 C5:4 B4:2 G4 C5:4 A4:2 G4 C5:4 B4:2 C5:4",
                "C4:4 D4 E4 F4 E4 D4 C4",
            ),
            species=4,
            cantus="B",
            at="S",
            where="5.1",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 E5:2 C5 A4:4 C5 B4:2 C5:4", "C4:4 A3 F3 C4 D4 C4"),
            species=4,
            cantus="B",
            at="S",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=(
                "r:2 C5:4 B4:2 G4 C5:4 D5 C5 B4:2 C5:4",
                "C4:4 D4 E4 F4 E4 D4 C4",
            ),
            species=4,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 B4 C5 B4:2 C5:4", "C4:4 G3 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
    ),
)

F07 = Rule(
    code="F07",
    name="Frame of fourth species",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_frame,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} does not open with a half rest, or has no 7-6 or 2-3 suspension at the "
    "cadence: {after}",
    says="The line opens with a half rest, and its last bar but one has the tonic tied over, which "
    "resolves to the leading tone: a 7-6 above the cantus, a 2-3 below it.",
    why="The rest sets the two lines apart from the start; the suspension delays the cadence, and "
    "makes it stronger.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:4 B4 A4:2 B4:4 C5", "C4:4 G3 E4 D4 C4"),
            species=4,
            cantus="B",
            at="S",
            where="4.1",
        ),
        Example(
            "C",
            lines=("C5:2 E5:4 C5 C5 B4:2 C5:4", "C4:4 A3 F3 D4 C4"),
            species=4,
            cantus="B",
            at="S",
            where="1.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:4 B4 C5 B4:2 C5:4", "C4:4 G3 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 D4", "r:2 D4:4 D4 C#4:2 D4:4"),
            species=4,
            cantus="S",
        ),
    ),
)

RULES = (F04, F05, F06, F07)
