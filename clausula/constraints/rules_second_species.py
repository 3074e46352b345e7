"""Rules of second species: two notes against one, and what they sound together."""

from __future__ import annotations

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    OPEN,
    SURVEY,
    WESTERGAARD,
    bars_of,
    dissonances,
    equal_perfects,
    intervals_of,
    is_species,
    moves_of,
    no_pairs,
    of_either,
    passing,
    similar_into_perfect,
    written,
)
from clausula.constraints.switch import Switch


def _dissonant_downbeat(passage: Passage) -> np.ndarray:
    if not is_species(passage, 2):
        return no_pairs(passage)
    return dissonances(passage) & bars_of(passage).downbeats[:, None]


def _weak_dissonance(passage: Passage, neighbor: bool) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 2):
        weak = ~bars_of(passage).downbeats
        # What strikes on the weak beat must pass; a note that is held there is no one's fault.
        stray = passage.slices.moved & ~passing(passage, neighbor)
        found = dissonances(passage) & weak[:, None] & of_either(passage, stray)
    return found


def _weak_to_strong(passage: Passage, licence: str) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 2):
        later = bars_of(passage).start
        later = later[later > 0]
        hidden = similar_into_perfect(passage, later - 1, later, licence)
        found[later] = hidden | equal_perfects(passage, later - 1, later)
    return found


def _equal_downbeats(passage: Passage, fifth_passed: bool) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 2):
        return found
    start = bars_of(passage).start
    earlier, later = start[:-1], start[1:]
    heard = intervals_of(passage)
    found[later] = equal_perfects(passage, earlier, later)
    if fifth_passed:
        found[later] &= ~(heard.fifth[later] & _steps_against(passage, earlier, later))
    return found


def _steps_against(passage: Passage, earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """``bool[k, pair]``: whether a part comes to and leaves the later note by steps the other way.

    The other way is that against the motion from downbeat to downbeat; the cantus does not count.
    """
    against = np.zeros((len(later), passage.n_voices), bool)
    semitone = passage.slices.semitone
    for voice, line in written(passage):
        moves = moves_of(line)
        for row, (before, time) in enumerate(zip(earlier.tolist(), later.tolist(), strict=True)):
            way = np.sign(semitone[time, voice] - semitone[before, voice])
            note = np.flatnonzero(line.start == time)
            if len(note) and note[0] + 1 < len(line):
                around = [note[0], note[0] + 1]
                back = np.sign(moves.semitone[around]) == -way
                against[row, voice] = bool((moves.steps[around] & back).all())
    return of_either(passage, against)


B01 = Rule(
    code="B01",
    name="Dissonant downbeat in second species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_dissonant_downbeat,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is dissonant on the "
    "downbeat",
    says="On every downbeat the parts are consonant.",
    why="The downbeat carries the harmony; the dissonance of this species passes on the weak beat.",
    exceptions="In three or four parts a fourth between upper ones is consonant.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 G4 B4 C5:4", "C4:4 C4 E4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="2.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 E4 F4 E4 D4", "r:2 D4:2 C4 B3 C4 D4 C#4 B3 D4:4"),
            species=2,
            cantus="S",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 G4 B4 C5:4", "C4:4 D4 E4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "d dorian",
            lines=("D4:4 E4 F4 E4 D4", "r:2 D4:2 C4 B3 A3 B3 C#4 B3 D4:4"),
            species=2,
            cantus="S",
        ),
    ),
)

B02 = Rule(
    code="B02",
    name="Weak dissonance that does not pass in second species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_weak_dissonance,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is dissonant, and no "
    "passing tone",
    says="A dissonance on the weak beat is a passing tone: it comes by step and goes on by step in "
    "the same direction.",
    why="Only as a step on the way between two consonances is it heard as motion, not as a clash.",
    exceptions="A rule set may admit the neighbour, which steps back.",
    source=f"{OPEN}; {WESTERGAARD}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 G4 F4 B4 C5:4", "C4:4 D4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="2.3",
        ),
        Example(
            "C",
            lines=("r:2 G4:2 A4 B4 A4 C5 B4:4 C5", "C4:4 F4 F4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="2.3",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 F4 B4 C5:4", "C4:4 D4 D4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 G4:2 A4 B4 C5 A4 B4:4 C5", "C4:4 F4 F4 D4 C4"),
            species=2,
            cantus="B",
        ),
    ),
    switches={
        "neighbor": Switch(
            False, (True, False), "Whether a weak dissonance may be a neighbour as well."
        )
    },
)

B03 = Rule(
    code="B03",
    name="Perfect interval over the bar line in second species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_weak_to_strong,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_before}-{lower_before} to {upper_after}-{lower_after} between {upper} and "
    "{lower} is similar or parallel motion into a perfect interval",
    says="From the weak beat to the downbeat the parts move as in first species: neither in the "
    "same direction into a perfect interval nor from one perfect interval to another of its size.",
    why="Here both parts move at once, as they do in first species.",
    exceptions="Those of first species, where the rule set has them.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 B4 G4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 A4 C5 A4 F4 G4 A4 B4:4 C5", "C4:4 F4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 A4 B4 C5 E5 B4:4 C5", "C4:4 D4 F4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 A4 C5 F4 A4 G4 A4 B4:4 C5", "C4:4 F4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
    ),
    switches={
        "licence": Switch(
            "none",
            ("none", "step"),
            "none: nothing is excused; step: an upper part that moves by step excuses the octave "
            "of the final tonics, and a fifth under the fifth or the second degree",
        )
    },
)

B04 = Rule(
    code="B04",
    name="Equal perfect intervals on successive downbeats",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_equal_downbeats,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} begin two bars running with perfect intervals of one size, here "
    "{upper_after}-{lower_after}",
    says="Two successive bars do not begin with fifths, nor with octaves or unisons.",
    why="The one weak note between two downbeats does not hide that they are parallel.",
    exceptions="A rule set may excuse a second fifth whose note is approached and left by steps "
    "against the motion of the fifths.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 A4 F4 B4 G4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("C5:2 A4 D5 B4 C5 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="2.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 A4 F4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 A4 B4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
    ),
    switches={
        "fifth_passed": Switch(
            False,
            (True, False),
            "Whether steps to and from its note, against the motion of the fifths, excuse the "
            "second fifth.",
        )
    },
)

RULES = (B01, B02, B03, B04)
