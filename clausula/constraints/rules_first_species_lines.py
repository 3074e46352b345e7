"""Rules of first species: how two lines keep together, and keep apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    OPEN,
    SURVEY,
    WESTERGAARD,
    bars_of,
    directions,
    each_step,
    intervals_of,
    is_species,
    no_pairs,
)
from clausula.constraints.switch import Switch

_TENTH, _TWELFTH = 9, 11  # in steps
_RUN = 3  # equal imperfect intervals that may follow one another
_SECONDS_AND_SEVENTHS = (1, 6)  # steps within the octave


def _far_apart(passage: Passage, widest: str) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1):
        heard = intervals_of(passage)
        # Of three or more parts only neighbours must keep together.
        near = [lower - upper == 1 for upper, lower in Sites.PAIR.of(passage.n_voices)]
        limit = _TENTH if widest == "tenth" else _TWELFTH
        found |= heard.sounding & (heard.step > limit) & np.array(near, bool)
    return found


def _imperfect_run(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 1):
        return found
    heard = intervals_of(passage)
    size = np.where(heard.sounding & np.isin(heard.step % 7, (2, 5)), heard.step % 7, 0)
    for time in range(_RUN, len(passage)):
        run = size[time - _RUN : time + 1]
        found[time] = (run == run[0]).all(axis=0) & (run[0] > 0)
    return found


def _crosses(passage: Passage, overlap: bool) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 1):
        return found
    semitone, sounding = passage.slices.semitone, passage.slices.note >= 0
    for column, (upper, lower) in enumerate(Sites.PAIR.of(passage.n_voices)):
        both = sounding[:, upper] & sounding[:, lower]
        found[:, column] = both & (semitone[:, upper] < semitone[:, lower])
        if overlap:
            passes = semitone[1:, lower] > semitone[:-1, upper]
            passes |= semitone[1:, upper] < semitone[:-1, lower]
            found[1:, column] |= both[1:] & both[:-1] & passes
    return found


def _leaps_together(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1):
        leaps = np.greater(np.abs(np.diff(passage.slices.step, axis=0)), 1)
        similar = np.equal(directions(passage, *each_step(passage)), 1)
        for column, (upper, lower) in enumerate(Sites.PAIR.of(passage.n_voices)):
            found[1:, column] = similar[:, column] & leaps[:, upper] & leaps[:, lower]
    return found


def _little_contrary(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1) and len(passage) > 1:
        moves = directions(passage, *each_step(passage))
        found[-1] = (moves == -1).sum(axis=0) < (moves == 1).sum(axis=0)
    return found


def _battuta(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1):
        heard = intervals_of(passage)
        contrary = directions(passage, *each_step(passage)) == -1
        tenth, octave = heard.step == _TENTH, heard.octave & (heard.step == 7)
        found[1:] = contrary & tenth[:-1] & octave[1:]
        found[bars_of(passage).start[-1] :] = False
    return found


def _bass_fourth(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage, 1):
        return found
    semitone, step = passage.slices.semitone, passage.slices.step
    sounding = np.all(passage.slices.note >= 0, axis=1)
    for earlier, later in pairwise(range(len(passage))):
        leap = (semitone[later, -1] - semitone[earlier, -1], step[later, -1] - step[earlier, -1])
        if leap not in ((5, 3), (-5, -3)) or not (sounding[earlier] and sounding[later]):
            continue
        across = [step[later, :-1] - step[earlier, -1], step[earlier, :-1] - step[later, -1]]
        denied = np.isin(np.concatenate(across) % 7, _SECONDS_AND_SEVENTHS).any()
        found[later, -1] = passage.n_voices > 1 and not denied
    return found


A05 = Rule(
    code="A05",
    name="Parts far apart in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_far_apart,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} are too far apart: {upper_after} over {lower_after}",
    says="Two parts are at most a twelfth apart, and better no more than a tenth.",
    why="Parts that are far apart no longer sound together as one texture.",
    exceptions="In three or four parts the limit holds between neighbours.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("C5:4 D5 C5 A4 B4 C5", "C4:4 B3 E3 F3 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "d dorian",
            lines=("D5:4 F5 G5 F5 E5 D5", "D4:4 D4 B3 D4 C#4 D4"),
            species=1,
            cantus="S",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example("C", lines=("C5:4 D5 G4 A4 B4 C5", "C4:4 B3 E3 F3 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("C5:4 D5 E5 F5 B4 C5", "C4:4 B3 A3 D4 D4 C4"), species=1, cantus="B"),
    ),
    switches={
        "widest": Switch("twelfth", ("tenth", "twelfth"), "The widest interval between two parts.")
    },
)

A06 = Rule(
    code="A06",
    name="Too many equal intervals in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_imperfect_run,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} have gone in equal thirds or sixths for more than three notes",
    says="No more than three thirds, or three sixths, follow one another.",
    why="In a longer chain one line only doubles the other.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("E4:4 F4 G4 A4 G4 B4 C5", "C4:4 D4 E4 F4 C4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="4.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 G4 A4 F4 E4 D4", "D4:4 A3 G3 B3 C4 D4 C#4 D4"),
            species=1,
            cantus="S",
            at="SB",
            where="5.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("E4:4 F4 G4 D5 G4 B4 C5", "C4:4 D4 E4 F4 C4 D4 C4"),
            species=1,
            cantus="B",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 G4 A4 F4 E4 D4", "D4:4 A3 G3 B3 F3 A3 C#4 D4"),
            species=1,
            cantus="S",
        ),
    ),
)

A07 = Rule(
    code="A07",
    name="Crossing or overlap in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_crosses,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} cross or overlap: {upper_before}-{lower_before} to "
    "{upper_after}-{lower_after}",
    says="The upper part stays above the lower one, and neither leaps past the note that the other "
    "has just left.",
    why="Where the lines change places, the ear can no longer follow either.",
    exceptions="A rule set may judge crossing alone.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("G4:4 F4 A4 E4 B4 C5", "C4:4 D4 F4 G4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="4.1",
        ),
        Example(
            "C",
            lines=("G4:4 E4 A4 F4 B4 C5", "C4:4 C4 F4 D4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example("C", lines=("G4:4 F4 A4 B4 B4 C5", "C4:4 D4 F4 G4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("G4:4 E4 A4 F4 B4 C5", "C4:4 C4 D4 D4 D4 C4"), species=1, cantus="B"),
    ),
    switches={
        "overlap": Switch(True, (True, False), "Whether overlapping counts as well as crossing.")
    },
)

A08 = Rule(
    code="A08",
    name="Both parts leap the same way in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_leaps_together,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} leap in the same direction from {upper_before}-{lower_before} "
    "to {upper_after}-{lower_after}",
    says="Two parts do not leap in the same direction at once.",
    why="Similar motion weakens the independence of the lines, most of all by leap.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("C5:4 A4 C5 B4 B4 C5", "C4:4 D4 A4 G4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("G4:4 B4 C5 A4 B4 C5", "C4:4 G4 E4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="2.1",
        ),
    ),
    obeying=(
        Example("C", lines=("C5:4 A4 C5 B4 B4 C5", "C4:4 D4 E4 G4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("G4:4 A4 A4 C5 B4 C5", "C4:4 F4 D4 E4 D4 C4"), species=1, cantus="B"),
    ),
)

A09 = Rule(
    code="A09",
    name="Contrary motion rarer than similar in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_little_contrary,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} move in the same direction more often than in contrary motion",
    says="Two parts move in contrary motion at least as often as in the same direction.",
    why="Contrary motion keeps two lines independent.",
    exceptions="Where a part stays, the motion counts as neither.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C5:4 D5 C5 A4 B4 C5", "C4:4 F4 E4 F4 G4 E4"),
            species=1,
            cantus="B",
            at="SB",
        ),
        Example(
            "C",
            lines=("E4:4 F4 G4 A4 B4 C5", "C4:4 D4 E4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
        ),
    ),
    obeying=(
        Example("C", lines=("C5:4 D5 C5 A4 B4 C5", "C4:4 F4 E4 F4 D4 C4"), species=1, cantus="B"),
        Example(
            "d dorian",
            lines=("A4:4 A4 G4 A4 B4 C5 C5 B4 D5 C#5 D5", "D4:4 F4 E4 D4 G4 F4 A4 G4 F4 E4 D4"),
            species=1,
            cantus="B",
        ),
    ),
)

A10 = Rule(
    code="A10",
    name="Battuta octave",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_battuta,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} go in contrary motion from the tenth {upper_before}-"
    "{lower_before} to the octave {upper_after}-{lower_after}",
    says="Two parts do not go in contrary motion from a tenth to an octave on the downbeat.",
    why="The octave falls with a beat, and sounds like a close where there is none.",
    exceptions="At the end the octave is the close.",
    source="No source was read for it: kept from memory",
    breaking=(
        Example(
            "C",
            lines=("C5:4 D5 C5 A4 B4 C5", "C4:4 B3 C4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "d dorian",
            lines=("D5:4 F5 E5 D5 E5 D5", "D4:4 D4 E4 F4 C#4 D4"),
            species=1,
            cantus="S",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example("C", lines=("C5:4 D5 E5 A4 B4 C5", "C4:4 B3 C4 F4 D4 C4"), species=1, cantus="B"),
        Example(
            "d dorian", lines=("D5:4 F5 E5 D5 E5 D5", "D4:4 D4 C4 F4 C#4 D4"), species=1, cantus="S"
        ),
    ),
)

A11 = Rule(
    code="A11",
    name="Bass leap of a fourth in first species",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_bass_fourth,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} leaps a fourth from {before} to {after}, and no part says that it is not "
    "a six-four chord",
    says="Where the bass leaps a fourth, a note above one of its two notes forms a second or a "
    "seventh with the other.",
    why="A fourth in the bass by itself spells a six-four chord; the note foreign to it makes two "
    "harmonies of the two notes.",
    source=WESTERGAARD,
    breaking=(
        Example(
            "C",
            lines=("C5:4 A4 D5 C5 B4 C5", "C4:4 F4 G4 E4 D4 C4"),
            species=1,
            cantus="B",
            at="B",
            where="2.1",
        ),
        Example(
            "C",
            lines=("C5:4 B4 G4 E4", "C4:4 D4 G3 C4"),
            species=1,
            cantus="B",
            at="B",
        ),
    ),
    obeying=(
        Example("C", lines=("G4:4 A4 D5 C5 B4 C5", "C4:4 F4 G4 E4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("C5:4 C5 B4 C5", "C4:4 E4 D4 C4"), species=1, cantus="B"),
    ),
)

RULES = (A05, A06, A07, A08, A09, A10, A11)
