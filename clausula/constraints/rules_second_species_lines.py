"""Rules of second species: the line from downbeat to downbeat."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    OPEN,
    SURVEY,
    Bars,
    bars_of,
    cantus_of,
    intervals_of,
    is_consonant_over,
    is_species,
    melodic,
    moves_of,
    no_pairs,
    signature_letters,
    written,
)


def _outlined_dissonance(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage, 2):
        return found
    slices = passage.slices
    for voice, _ in written(passage):
        for earlier, later in pairwise(bars_of(passage).start.tolist()):
            if min(slices.note[earlier, voice], slices.note[later, voice]) < 0:
                continue
            pitch = slices.semitone[earlier : later + 1, voice]
            step = slices.step[earlier : later + 1, voice]
            leaps_octave = (np.abs(np.diff(step[:-1])) == 7).any()
            outline = (abs(int(pitch[-1] - pitch[0])), abs(int(step[-1] - step[0])))
            # Upwards, so that a sixth counts as consonant whichever way it is outlined.
            consonant = melodic(*outline) or outline == (9, 5)
            found[later, voice] = not consonant and not leaps_octave
    return found


def _downbeat_unison(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 2):
        inside = bars_of(passage).start[1:-1]
        found[inside] = intervals_of(passage).unison[inside]
    return found


def _leap_over_barline(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage, 2):
        return found
    bars, cantus = bars_of(passage), cantus_of(passage)
    for voice, line in written(passage):
        if voice == cantus:
            continue
        moves = moves_of(line)
        for note in range(2, len(line)):
            crosses = bars.of[line.start[note]] == bars.of[line.start[note - 1]] + 1
            crosses &= bars.of[line.start[note - 1]] == bars.of[line.start[note - 2]]
            if crosses and moves.leaps[note]:
                other = _leaps_within(passage, bars, voice, line, note)
                found[line.start[note], voice] = other
    return found


def _leaps_within(passage: Passage, bars: Bars, voice: int, line: Line, note: int) -> bool:
    """Whether another weak note would have leapt within the bar and stepped over the bar line."""
    strong = (int(line.semitone[note - 2]), int(line.step[note - 2]))
    weak, time = int(line.start[note - 1]), int(line.start[note])
    letters = signature_letters(passage)
    for step in (int(line.step[note]) - 1, int(line.step[note]) + 1):
        near = int(line.semitone[note]) - 6
        pitch = near + int(letters[step % 7] - near) % 12
        if not melodic(pitch - strong[0], step - strong[1]) or abs(step - strong[1]) < 2:
            continue
        if is_consonant_over(passage, weak, voice, (pitch, step)) and not _hides(
            passage, voice, (weak, time), (pitch, step)
        ):
            return True
    return False


def _hides(passage: Passage, voice: int, times: tuple[int, int], pitch: tuple[int, int]) -> bool:
    """Whether going on from that pitch would make similar or parallel motion into a perfect one."""
    cantus, semitone = cantus_of(passage), passage.slices.semitone
    weak, time = times
    column = Sites.PAIR.of(passage.n_voices).index((min(voice, cantus), max(voice, cantus)))
    heard = intervals_of(passage)
    perfect = heard.fifth[time, column] or heard.octave[time, column]
    rises = semitone[time, voice] > pitch[0]
    along = semitone[time, cantus] != semitone[weak, cantus]
    return bool(perfect and along and (semitone[time, cantus] > semitone[weak, cantus]) == rises)


B05 = Rule(
    code="B05",
    name="Dissonance outlined from downbeat to downbeat",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_outlined_dissonance,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} comes to {after} at a dissonant interval from its last downbeat",
    says="The notes on two successive downbeats of a line form a melodic consonance or a step.",
    why="The downbeats are heard as the line under the line.",
    exceptions="Where the line leaps an octave within the bar.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 F4 A4 B4 G4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="3.1",
        ),
        Example(
            "C",
            lines=("C4:2 G4 B4 A4 G4 A4 B4:4 C5", "C4:4 E4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="2.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 F4 A4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "C",
            lines=("C4:2 C5 B4 A4 G4 A4 B4:4 C5", "C4:4 E4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
    ),
)

B06 = Rule(
    code="B06",
    name="Unison on a downbeat in second species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_downbeat_unison,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} meet on {upper_after} on a downbeat",
    says="Between the first and the last bar no downbeat has a unison.",
    why="On a downbeat a unison silences one line; on the weak beat it may come of a good line.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("r:2 G4:2 F4 D4 E4 G4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 E4 D4", "r:2 D4:2 F4 D4 C4 A3 C#4:4 D4"),
            species=2,
            cantus="S",
            at="SB",
            where="2.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 G4:2 F4 D4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 G4:2 F4 D4 C5 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
    ),
)

B07 = Rule(
    code="B07",
    name="Leap over the bar line",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_leap_over_barline,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} leaps over the bar line, from {before} to {after}, where it could have "
    "leapt within the bar",
    says="A line leaps from the downbeat to the weak beat rather than over the bar line.",
    why="The bar line draws the ear to what happens there; within the bar a leap is smoother.",
    exceptions="Where no consonant note would let the line leap within the bar and step over the "
    "bar line.",
    source=OPEN,
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 C5 G4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="3.1",
        ),
        Example(
            "C",
            lines=("r:2 G4:2 A4 B4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="3.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("r:2 C5:2 B4 D5 C5 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 B4 A4 G4 A4 B4:4 C5", "C4:4 D4 E4 D4 C4"),
            species=2,
            cantus="B",
        ),
    ),
)

RULES = (B05, B06, B07)
