"""Rules of third species: four notes against one.

What they say of dissonance holds in the fifth species too, for notes that are struck.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    HALF,
    OPEN,
    QUARTER,
    SURVEY,
    bars_of,
    dissonances,
    dissonant_with,
    equal_perfects,
    intervals_of,
    is_species,
    moves_of,
    no_pairs,
    of_either,
    struck_together,
    written,
)
from clausula.constraints.switch import Switch


def _dissonant_beats(passage: Passage, beat_three: bool) -> np.ndarray:
    if not is_species(passage, 3, 5):
        return no_pairs(passage)
    bars = bars_of(passage)
    strong = bars.downbeats[:, None] & (struck_together(passage) | is_species(passage, 3))
    if beat_three:
        strong = strong | np.array([place == HALF for place in bars.place])[:, None]
    return dissonances(passage) & strong


def _stray_dissonance(passage: Passage) -> np.ndarray:
    if not is_species(passage, 3, 5):
        return no_pairs(passage)
    weak = ~bars_of(passage).downbeats
    stray = passage.slices.moved & ~_covered(passage)
    return dissonances(passage) & weak[:, None] & of_either(passage, stray)


def _covered(passage: Passage) -> np.ndarray:
    """``bool[time, voice]``: where a dissonance that is struck would belong to a figure.

    Figures that go on wrongly are covered here, and named by another rule.
    """
    found = passage.nothing(passage.n_voices)
    for voice, line in written(passage):
        moves, dissonant = moves_of(line), dissonant_with(passage, voice)[line.start]
        for note in range(1, len(line) - 1):
            by_step = moves.steps[note] and moves.steps[note + 1]
            on = moves.step[note] == moves.step[note + 1]
            between = not (dissonant[note - 1] or dissonant[note + 1])
            found[line.start[note], voice] = by_step and (on or between)
        for first, last in _figures(passage, voice, line):
            found[line.start[first + 1 : last], voice] = True
    return found


def _figures(passage: Passage, voice: int, line: Line) -> Iterator[tuple[int, int]]:
    """First note of each cambiata or double neighbour, and the note after its dissonances.

    Only how a figure begins is asked. A cambiata leaves its dissonance by a third in the direction
    of its step, a double neighbour by a third back; both begin on the downbeat, in the fifth
    species on the third beat as well.
    """
    bars, moves = bars_of(passage), moves_of(line)
    dissonant = dissonant_with(passage, voice)[line.start]
    places = (0,) if is_species(passage, 3) else (0, HALF)
    for note in range(len(line) - 2):
        leap = int(moves.step[note + 2]) * int(moves.step[note + 1])
        begins = bars.place[line.start[note]] in places and moves.steps[note + 1]
        if begins and leap == 2 and dissonant[note + 1]:
            yield note, note + 2
        elif begins and leap == -2 and dissonant[note + 1 : note + 3].any():
            yield note, note + 3


def _figure_astray(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage, 3, 5):
        return found
    for voice, line in written(passage):
        moves, dissonant = moves_of(line), dissonant_with(passage, voice)[line.start]
        for first, last in _figures(passage, voice, line):
            cambiata = last == first + 2
            step = int(moves.step[first + 1])
            onward = -step if cambiata else step
            if cambiata and dissonant[first + 2]:
                found[line.start[first + 2], voice] = True
                continue
            for note in range(first + 3, min(first + 5, len(line))):
                if moves.step[note] != onward or not moves.steps[note]:
                    found[line.start[note], voice] = True
                    break
    return found


def _perfect_again(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 3):
        return found
    bars, heard = bars_of(passage), intervals_of(passage)
    for bar in range(1, len(bars)):
        later = bars.start[bar]
        for earlier in range(bars.start[bar - 1], later):
            equal = equal_perfects(passage, np.array([earlier]), np.array([later]))[0]
            near = heard.octave[later] & (bars.place[earlier] >= QUARTER)
            near |= heard.fifth[later] & (bars.place[earlier] >= HALF)
            found[later] |= equal & near
    return found


def _same_openings(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 3):
        start, heard = bars_of(passage).start, intervals_of(passage)
        for perfect in (heard.fifth, heard.octave):
            found[start[2:]] |= perfect[start[:-2]] & perfect[start[1:-1]] & perfect[start[2:]]
    return found


D01 = Rule(
    code="D01",
    name="Dissonant strong beat in third species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_dissonant_beats,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is dissonant on a strong "
    "beat",
    says="On every downbeat the parts are consonant.",
    why="The downbeat carries the harmony; dissonances pass between the strong beats.",
    exceptions="In the fifth species a suspension. A rule set may ask for a consonant third beat "
    "as well.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 A4 G4 A4 B4 C5:4", "C4:4 E4 C4"),
            species=3,
            cantus="B",
            at="SB",
            where="2.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 D4", "D4:1 C4 B3 C4 D4 C4 B3 A3 B3 A3 B3 C#4 D4:4"),
            species=3,
            cantus="S",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 A4 G4 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 F4 G4 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
    ),
    switches={
        "beat_three": Switch(False, (True, False), "Whether the third beat must be consonant too.")
    },
)

D02 = Rule(
    code="D02",
    name="Dissonance without a figure in third species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_stray_dissonance,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is dissonant, and "
    "neither passes nor returns",
    says="A dissonance is a passing tone, a neighbour between two consonances, or belongs to a "
    "double neighbour or a cambiata.",
    why="These figures tie it by step to the consonances around it, and so explain it.",
    exceptions="Two dissonances running may pass in one direction.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C5:1 B4 A4 F4 G4 A4 B4 G4 C5:4", "C4:4 E4 C4"),
            species=3,
            cantus="B",
            at="SB",
            where="1.4",
        ),
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 F4 G4 D5 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
            at="SB",
            where="2.2",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 B4 A4 E4 G4 A4 B4 G4 C5:4", "C4:4 E4 C4"),
            species=3,
            cantus="B",
        ),
        Example(
            "C",
            lines=("C5:1 B4 G4 A4 B4 C5 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
    ),
)

D03 = Rule(
    code="D03",
    name="Cambiata or double neighbour goes astray",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_figure_astray,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The figure in the {voice} does not go on with {after}",
    says="A cambiata, a step and a third in one direction, goes on with two steps back, and its "
    "third note is consonant. A double neighbour, a step and a third back, returns to its first "
    "note and goes on by step in the same direction.",
    why="Only the way the figure goes on brings the note that was left by leap to its goal.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C5:1 B4 G4 C5 B4 A4 G4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
            at="S",
            where="1.4",
        ),
        Example(
            "C",
            lines=("C5:1 D5 B4 C5 A4 G4 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
            at="S",
            where="2.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 B4 G4 A4 B4 A4 G4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
        Example(
            "C",
            lines=("C5:1 D5 B4 C5 D5 C5 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
    ),
)

D04 = Rule(
    code="D04",
    name="Perfect interval again on the downbeat",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_perfect_again,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after}-{lower_after} on the downbeat follows too soon on another perfect "
    "interval of its size between {upper} and {lower}",
    says="A fifth on the downbeat follows no fifth on the third or fourth beat before it, an "
    "octave or unison none on the second, third or fourth.",
    why="A note or two between them do not hide that the intervals are parallel.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 A4 F4 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
            at="SB",
            where="2.1",
        ),
        Example(
            "C",
            lines=("E4:1 G4 A4 B4 C5 B4 D5 E5 D5 C5 A4 B4 C5:4", "C4:4 E4 D4 C4"),
            species=3,
            cantus="B",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 F4 G4 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
        Example(
            "C",
            lines=("C5:1 G4 A4 B4 A4 F4 A4 B4 C5:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
        ),
    ),
)

D05 = Rule(
    code="D05",
    name="Three bars open on one perfect interval",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_same_openings,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} open a third bar running with the same perfect interval, "
    "{upper_after}-{lower_after}",
    says="No three bars running open on fifths, or on octaves or unisons.",
    why="Two may pass in so many notes; a third makes the parallel plain.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("G4:1 E4 F4 G4 A4 C5 B4 C5 B4 A4 G4 A4 F4 G4 A4 B4 C5:4", "C4:4 D4 E4 D4 C4"),
            species=3,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("C5:1 B4 A4 B4 D5 C5 B4 A4 C5 B4 A4 B4 C5:4", "C4:4 D4 C4 E4"),
            species=3,
            cantus="B",
            at="SB",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("G4:1 E4 F4 G4 A4 C5 B4 A4 G4 A4 B4 G4 F4 G4 A4 B4 C5:4", "C4:4 D4 E4 D4 C4"),
            species=3,
            cantus="B",
        ),
        Example(
            "C",
            lines=("C5:1 B4 A4 B4 D5 C5 B4 C5 E5 D5 C5 B4 C5:4", "C4:4 D4 C4 E4"),
            species=3,
            cantus="B",
        ),
    ),
)

RULES = (D01, D02, D03, D04, D05)
