"""Rules of fourth species: halves tied over the bar line."""

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
    is_species,
    no_pairs,
    struck_together,
)
from clausula.constraints.switch import Switch
from clausula.constraints.syncopation import Syncopation, syncopations


def _preparation(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 4):
        return found
    bars, dissonant = bars_of(passage), dissonances(passage)
    found |= dissonant & struck_together(passage) & bars.downbeats[:, None]
    for each in syncopations(passage):
        voice = Sites.PAIR.of(passage.n_voices)[each.column][0 if each.above else 1]
        start = passage.lines[voice].start[passage.slices.note[each.time, voice]]
        found[start, each.column] |= dissonant[start, each.column]
    return found


def _resolution(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 4):
        dissonant = dissonances(passage)
        for each in syncopations(passage):
            if dissonant[each.time, each.column]:
                at = each.time if each.goal is None else each.goal
                found[at, each.column] |= not each.down or dissonant[at, each.column]
    return found


def _suspension_type(passage: Passage, fourth: str, fifth: bool) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 4):
        return found
    dissonant, pairs = dissonances(passage), Sites.PAIR.of(passage.n_voices)
    for each in syncopations(passage):
        resolved = each.goal is not None and not dissonant[each.goal, each.column]
        with_bass = pairs[each.column][1] == passage.n_voices - 1
        if dissonant[each.time, each.column] and each.down and resolved and with_bass:
            good = _usual_above(each) if each.above else _usual_below(each, fourth, fifth)
            found[each.time, each.column] = not good
    return found


def _usual_above(each: Syncopation) -> bool:
    """Whether it is a 7-6, a 4-3 or a 9-8; a 2-1 is none."""
    return each.step % 7 in (6, 3) or (each.step % 7 == 1 and each.step > 7)


def _usual_below(each: Syncopation, fourth: str, fifth: bool) -> bool:
    """Whether it is a 2-3, or what the rule set adds."""
    fourths = {"none": False, "augmented": each.semitone % 12 == 6, "any": True}
    return {1: True, 3: fourths[fourth], 4: fifth}.get(each.step % 7, False)


F01 = Rule(
    code="F01",
    name="Dissonance not prepared",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_preparation,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is dissonant: a note "
    "that is to be tied is consonant, and only a tied one may clash",
    says="A note is consonant on the weak beat before it is tied over the bar line, and a "
    "dissonance on the downbeat is tied.",
    why="The ear accepts the clash because the note was consonant before, and has only stayed.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:4 G4 C5 B4:2 C5:4", "C4:4 A3 F3 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="2.3",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 B4:2 C5 B4:4 C5 B4:2 C5:4", "C4:4 G3 D4 E4 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:4 A4 C5 B4:2 C5:4", "C4:4 A3 F3 D4 C4"),
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

F02 = Rule(
    code="F02",
    name="Suspension not resolved",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_resolution,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The tied dissonance between {upper} and {lower} does not resolve down by step to a "
    "consonance: {upper_before}-{lower_before} to {upper_after}-{lower_after}",
    says="A tied note that is dissonant on the downbeat goes down by step to a consonance on the "
    "weak beat.",
    why="The dissonance was held back on its way down, and only the step lets it go.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:4 D5 C5 B4:2 C5:4", "C4:4 D4 F4 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="2.3",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 A4 C5 B4:2 C5:4", "C4:4 B3 F3 D4 C4"),
            species=4,
            cantus="B",
            at="SB",
            where="2.3",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:4 B4 C5 B4:2 C5:4", "C4:4 D4 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 E5 C5 B4:2 C5:4", "C4:4 A3 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
    ),
)

F03 = Rule(
    code="F03",
    name="Unusual suspension",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_suspension_type,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is no suspension that is "
    "used: above 7-6, 4-3 and 9-8, below 2-3",
    says="Suspensions above are 7-6, 4-3 and 9-8, below 2-3, and their compounds.",
    why="A clash is released into a third or a sixth, which is full; the other suspensions close "
    "in a unison, an octave or a fifth, which is empty after it. Only the 9-8 falls to an octave.",
    exceptions="A rule set may admit 4-5 and 5-6 below.",
    source=f"{OPEN}; {WESTERGAARD}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C4:4 E4 D4 G4 D4 C4", "r:2 C4:4 A3 G3 C4 B3:2 C4:4"),
            species=4,
            cantus="S",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("C4:4 D4 F4 E4 D4 C4", "r:2 C4:4 B3 A3 C4 B3:2 C4:4"),
            species=4,
            cantus="S",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C4:4 E4 D4 G4 D4 C4", "r:2 C4:4 G3 B3 C4 B3:2 C4:4"),
            species=4,
            cantus="S",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 B4 C5 B4:2 C5:4", "C4:4 G3 E4 D4 C4"),
            species=4,
            cantus="B",
        ),
    ),
    switches={
        "fourth": Switch(
            "none",
            ("none", "augmented", "any"),
            "Which fourths may resolve to a fifth when the lower part is suspended.",
        ),
        "fifth": Switch(
            False,
            (True, False),
            "Whether a diminished or augmented fifth may resolve to a sixth when the lower part is "
            "suspended.",
        ),
    },
)

RULES = (F01, F02, F03)
