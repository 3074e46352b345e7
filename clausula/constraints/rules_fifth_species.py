"""Rules of fifth species: the florid line, which mixes all values."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    HALF,
    QUARTER,
    SURVEY,
    bars_of,
    dissonances,
    is_species,
    moves_of,
    moving,
    no_pairs,
)
from clausula.constraints.syncopation import syncopations

_EIGHTH = Fraction(1, 8)
_LEHMANN = "Lehmann, A Treatise on Simple Counterpoint (1907)"
_RUN = 2  # bars of one rhythm that may follow one another


class Stretch(NamedTuple):
    """What a bar has of a note.

    Attributes:
        time: slice in which it begins, the downbeat of a note that is tied over.
        place: the part of the bar that has gone by.
        length: how much of the bar it lasts.
        tied: whether it is held from the bar before.
        goes_on: whether it is tied into the next bar.
    """

    time: int
    place: Fraction
    length: Fraction
    tied: bool
    goes_on: bool


def _stretches(passage: Passage, voice: int, line: Line) -> list[list[Stretch]]:
    """What every bar has of each note of a part, in order."""
    bars, slices = bars_of(passage), passage.slices
    found: list[list[Stretch]] = [[] for _ in bars.length]
    notes = slices.score.parts[voice].notes
    for note, start in zip(notes, line.start.tolist(), strict=True):
        for bar, begins in enumerate(bars.start.tolist()):
            opens = slices.onset[begins]
            left, right = max(note.onset, opens), min(note.end, opens + bars.length[bar])
            if left < right:
                place, length = (left - opens) / bars.length[bar], (right - left) / bars.length[bar]
                tied, goes_on = note.onset < left, note.end > right
                found[bar].append(Stretch(max(start, begins), place, length, tied, goes_on))
    return found


def _lines(passage: Passage) -> Iterator[tuple[int, Line]]:
    """The florid parts, if the passage is in fifth species."""
    return moving(passage) if is_species(passage, 5) else iter(())


def _eighths(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    for voice, line in _lines(passage):
        steps = moves_of(line).steps
        by_step = dict(zip(line.start.tolist(), steps.tolist(), strict=True))
        onward = dict(zip(line.start.tolist(), np.append(steps[1:], True).tolist(), strict=True))
        for bar in _stretches(passage, voice, line):
            short = [each for each in bar if each.length < QUARTER]
            for index, each in enumerate(short):
                first = index % 2 == 0
                place = each.place if first else each.place - _EIGHTH
                paired = place in (QUARTER, 3 * QUARTER) and each.length == _EIGHTH
                paired &= not first or index + 1 < len(short)
                steps_on = by_step.get(each.time, False) and onward.get(each.time, False)
                if not (paired and steps_on and index < 2):
                    found[each.time, voice] = True
                    break  # one slip of a bar is named once
    return found


def _weak_half(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    for voice, line in _lines(passage):
        for bar in _stretches(passage, voice, line)[:-2]:
            for each in bar:
                if each.place == QUARTER and each.length >= HALF:
                    found[each.time, voice] = True
            values = [each.length for each in bar]
            if values == [QUARTER, QUARTER, HALF] and not bar[-1].goes_on:
                found[bar[-1].time, voice] = True
    return found


def _late_resolution(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if not is_species(passage, 5):
        return found
    bars, dissonant, slices = bars_of(passage), dissonances(passage), passage.slices
    by_third_beat = np.array([place <= HALF for place in bars.place])
    for each in syncopations(passage):
        if not dissonant[each.time, each.column]:
            continue
        voice = Sites.PAIR.of(passage.n_voices)[each.column][0 if each.above else 1]
        time = int(np.flatnonzero(by_third_beat & (bars.of == each.bar))[-1])
        step = slices.step[time, voice] - slices.step[each.time, voice]
        resolved = slices.note[time, voice] >= 0 and step == -1
        found[time, each.column] |= not resolved or dissonant[time, each.column]
    return found


def _whole_note(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    for voice, line in _lines(passage):
        for bar in _stretches(passage, voice, line)[:-1]:
            for each in bar:
                found[each.time, voice] |= each.length == 1
    return found


def _one_rhythm(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    for voice, line in _lines(passage):
        bars = _stretches(passage, voice, line)
        rhythms = [[(each.place, each.length, each.tied) for each in bar] for bar in bars]
        run = 1
        for bar in range(1, len(bars)):
            run = run + 1 if rhythms[bar] and rhythms[bar] == rhythms[bar - 1] else 1
            if run == _RUN + 1:  # once for a run, however long
                found[bars[bar][0].time, voice] = True
    return found


J01 = Rule(
    code="J01",
    name="Eighths in fifth species",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_eighths,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The eighths of the {voice} at {after} are no single pair that moves by step on the "
    "second or the fourth beat",
    says="Eighths come in pairs, one pair in a bar at most, on the second or the fourth beat, and "
    "are approached, joined and left by step.",
    why="They are ornament, and keep to where the beat is weak.",
    source=f"{_LEHMANN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C5:1/2 B4 A4:1 G4:4 F4:1 E4 F4 A4 B4:2 C5:4", "C4:4 C4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="1.1",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 B4:1 G4:1/2 A4 B4:2 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="2.2",
        ),
        Example(
            "C",
            lines=("r:2 C5:3 B4:1/2 A4 B4:1 C5:1/2 D5 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="2.4",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 B4:1/2 A4 G4:4 F4:1 E4 F4 A4 B4:2 C5:4", "C4:4 C4 D4 C4"),
            species=5,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:3 B4:1/2 A4 B4:2 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
        ),
    ),
)

J02 = Rule(
    code="J02",
    name="Half note on a weak place in fifth species",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_weak_half,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The half {after} of the {voice} stands on the second beat, or ends a bar of two "
    "quarters without a tie",
    says="A half does not begin on the second beat, as between two quarters; and after two "
    "quarters it is tied over the bar line.",
    why="The rhythm of a bar does not halt after it has begun to move.",
    exceptions="In the last bar but one two quarters may lead to the half of the cadence.",
    source=SURVEY,
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4:1 G4:2 A4:1 G4 A4 C5:3 B4:1/2 A4 B4:2 C5:4", "C4:4 E4 E4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="2.2",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 B4:1 A4 G4:2 A4:1 G4 C5:3 B4:1/2 A4 B4:2 C5:4", "C4:4 E4 E4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="2.3",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 B4:1 G4 A4 B4 G4 A4 C5:3 B4:1/2 A4 B4:2 C5:4", "C4:4 E4 E4 D4 C4"),
            species=5,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 B4:1 A4 G4:3 A4:1 C5:3 B4:1/2 A4 B4:2 C5:4", "C4:4 E4 E4 D4 C4"),
            species=5,
            cantus="B",
        ),
    ),
)

J03 = Rule(
    code="J03",
    name="Suspension resolved off the third beat",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_late_resolution,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The suspension between {upper} and {lower} has no resolution on the third beat, where "
    "they sing {upper_after}-{lower_after}",
    says="A dissonant tied note goes down by step to a consonance on the third beat, whatever "
    "ornaments the second.",
    why="Ornament fills the time until the resolution; it does not move it.",
    source=f"{_LEHMANN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:3 B4:1 A4 B4 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
            at="SB",
            where="2.3",
        ),
        Example(
            "C",
            lines=("r:2 C5:3 G4:1 A4 B4 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
            at="SB",
            where="2.3",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:3 A4:1 B4:2 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:3 B4:1/2 A4 B4:2 C5:4", "C4:4 D4 C4"),
            species=5,
            cantus="B",
        ),
    ),
)

J04 = Rule(
    code="J04",
    name="Whole note in fifth species",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_whole_note,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} holds {after} for a whole bar before the last",
    says="Only the last bar has a whole note.",
    why="A whole note stops the florid line, which is what an end is for.",
    source=SURVEY,
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4:4 C5:1 A4 B4:2 C5:4", "C4:4 E4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="2.1",
        ),
        Example(
            "C",
            lines=("C5:4 B4:1 G4 C5:3 A4:1 B4:2 C5:4", "C4:4 E4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="1.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 B4:1 G4 C5:3 A4:1 B4:2 C5:4", "C4:4 E4 D4 C4"),
            species=5,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:4 B4:1 A4 G4 B4 C5:3 A4:1 B4:2 C5:4", "C4:4 A3 E4 D4 C4"),
            species=5,
            cantus="B",
        ),
    ),
)

J05 = Rule(
    code="J05",
    name="One rhythm over two bars",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_one_rhythm,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} begins a third bar running in one rhythm",
    says="No rhythm, and so no other species, lasts for more than two bars.",
    why="The fifth species is their mixture.",
    source=f"{_LEHMANN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 A4 B4 C5 D5 E5 D5 C5 A4 G4:2 B4 C5:4", "C4:4 F4 C4 G3 C4"),
            species=5,
            cantus="B",
            at="S",
            where="3.1",
        ),
        Example(
            "C",
            lines=("r:2 G4:2 A4 C5 B4 G4 A4 C5 B4:4 C5", "C4:4 F4 G4 F4 D4 C4"),
            species=5,
            cantus="B",
            at="S",
            where="4.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 A4 B4 C5 D5 E5:2 C5:1 A4 G4:2 B4 C5:4", "C4:4 F4 C4 G3 C4"),
            species=5,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 G4:2 A4 C5 B4 G4 A4:1 B4 C5:3 A4:1 B4:2 C5:4", "C4:4 F4 G4 F4 D4 C4"),
            species=5,
            cantus="B",
        ),
    ),
)

RULES = (J01, J02, J03, J04, J05)
