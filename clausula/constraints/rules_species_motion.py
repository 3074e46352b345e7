"""Rules of any line in species counterpoint: how it moves from note to note."""

from __future__ import annotations

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    OPEN,
    SURVEY,
    is_lone,
    is_species,
    is_tonic_triad,
    melodic,
    moves_of,
    written,
)
from clausula.constraints.switch import Switch

_TRIADS = (  # semitones and steps from the lowest of three tones to the next, and on to the highest
    ((4, 3), (2, 2)),
    ((3, 4), (2, 2)),
    ((3, 5), (2, 3)),
    ((4, 5), (2, 3)),
    ((5, 4), (3, 2)),
    ((5, 3), (3, 2)),
    ((7, 5), (4, 3)),
    ((5, 7), (3, 4)),
)


def _bad_interval(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage):
        for voice, line in written(passage):
            moves = moves_of(line)
            pairs = zip(moves.semitone.tolist(), moves.step.tolist(), strict=True)
            found[line.start, voice] = [not melodic(*move) for move in pairs]
    return found


def _outlines_triad(line: Line, note: int) -> bool:
    """Whether the two moves into ``note`` go through tones of one major or minor triad."""
    three = slice(note - 2, note + 1)
    semitones, steps = (np.diff(np.sort(each[three])) for each in (line.semitone, line.step))
    return (tuple(semitones.tolist()), tuple(steps.tolist())) in _TRIADS


def _unrecovered(passage: Passage, triads: bool) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage):
        return found
    for voice, line in written(passage):
        step = moves_of(line).step
        for note in range(1, len(line) - 1):
            onward = int(step[note + 1])
            recovered = onward * step[note] < 0 and abs(onward) == 1
            goes_on = onward * step[note] > 0 and abs(onward) > 1
            excused = triads and goes_on and _outlines_triad(line, note + 1)
            if abs(step[note]) >= 3 and line.joined[note + 1] and not (recovered or excused):
                found[line.start[note + 1], voice] = True
    return found


def _leaps_running(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage):
        return found
    for voice, line in written(passage):
        moves = moves_of(line)
        leaps, step = moves.leaps, moves.step
        for note in range(2, len(line)):
            two = leaps[note] and leaps[note - 1]
            three = two and leaps[note - 2]
            same_way = two and step[note] * step[note - 1] > 0
            # Two leaps through a triad are heard as one, so that a leap the other way may stand
            # before them; a third in their own direction makes an arpeggio.
            arpeggio = three and step[note - 1] * step[note - 2] > 0
            as_one = same_way and _outlines_triad(line, note) and not arpeggio
            found[line.start[note], voice] = (three or same_way) and not as_one
    return found


def _repeated(passage: Passage, first_species: str) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage):
        return found
    allowed = 1 if first_species == "one" else 0
    for voice, line in written(passage):
        same = line.joined & (moves_of(line).semitone == 0) & (moves_of(line).step == 0)
        notes = np.flatnonzero(same)
        if passage.task.species == 1 and not is_lone(passage):
            if first_species == "triad":
                notes = notes[~is_tonic_triad(passage, line)[notes]]
            notes = notes[allowed:]
        found[line.start[notes], voice] = True
    return found


def _octave_leaps(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if is_species(passage):
        for voice, line in written(passage):
            octaves = np.flatnonzero(np.abs(moves_of(line).step) == 7)
            found[line.start[octaves[1:]], voice] = True
    return found


G04 = Rule(
    code="G04",
    name="Melodic interval that is not sung",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_bad_interval,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} moves from {before} to {after}, an interval that no line of species "
    "counterpoint has",
    says="A line moves by seconds, thirds, perfect fourths and fifths, octaves, and upwards by a "
    "minor sixth; by no other interval.",
    why="Singers find these intervals without help; the others stand out, and break the line.",
    exceptions="A note may be repeated as far as this rule goes.",
    source=SURVEY,
    breaking=(
        Example("C", lines=("C4:4 F4 E4 A4 G4 B3 C4",), species=1, at="B", where="6.1"),
        Example("C", lines=("C5:4 B4 F4 G4 E4 D4 C4",), species=1, at="B", where="3.1"),
        Example(
            "d dorian",
            lines=("A4:4 C5 E4 A4 C#5 D5", "D4:4 A3 C4 D4 E4 D4"),
            species=1,
            cantus="B",
            at="S",
            where="3.1",
        ),
    ),
    obeying=(
        Example("C", lines=("C4:4 F4 E4 A4 G4 D4 C4",), species=1),
        Example("C", lines=("C4:4 A3 F4 E4 C5 B4 C5",), species=1),
        Example("e phrygian", lines=("E4:4 C4 D4 C4 A3 A4 G4 E4 F4 E4",), species=1),
    ),
)

G07 = Rule(
    code="G07",
    name="Large leap not recovered",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_unrecovered,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="After its leap to {before} the {voice} goes to {after}, not back by a step",
    says="A leap of a fourth or more is followed by a step in the opposite direction.",
    why="A large leap opens a gap in the line; the step back begins to fill it, and keeps the line "
    "in one register.",
    exceptions="The last note of a line needs no recovery.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "d dorian", lines=("D4:4 F4 E4 D4 G4 A4 G4 F4 E4 D4",), species=1, at="B", where="6.1"
        ),
        Example("C", lines=("C4:4 G4 E4 F4 E4 D4 C4",), species=1, at="B", where="3.1"),
        Example(
            "C",
            lines=("r:2 C5:2 G4:2 F4 E4 D4 E4:4", "C4:4 E4 C4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="2.3",
        ),
    ),
    obeying=(
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 G4 F4 E4 D4",), species=1),
        Example("g mixolydian", lines=("G3:4 C4 E4 D4 C4 B3 A3 G3",), species=1),
        Example("C", lines=("C4:4 E4 D4 E4 C4 D4 C4",), species=1),
    ),
    switches={
        "triads": Switch(
            True,
            (True, False),
            "Whether a large leap may go on the same way to the third tone of a triad.",
        )
    },
)

G08 = Rule(
    code="G08",
    name="Too many leaps running",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_leaps_running,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} leaps again, from {before} to {after}: more leaps running than a line "
    "bears",
    says="No more than two leaps follow one another, and two in the same direction only if they "
    "outline a triad.",
    why="Steps make a line; leaps in a row break it into an arpeggio, or lose its register.",
    exceptions="Two leaps in one direction through a major or minor triad; they count as one after "
    "a leap in the other direction.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example("C", lines=("C4:4 E4 C4 F4 E4 D4 C4",), species=1, at="B", where="4.1"),
        Example("C", lines=("C4:4 F4 B4 A4 G4 D4 C4",), species=1, at="B", where="3.1"),
        Example("d dorian", lines=("D4:4 F4 A4 F4 G4 E4 D4",), species=1, at="B", where="4.1"),
        Example("C", lines=("C4:4 E4 G4 C5 B4 A4 F4 D4 C4",), species=1, at="B", where="4.1"),
    ),
    obeying=(
        Example("C", lines=("C4:4 E4 C4 D4 E4 D4 C4",), species=1),
        Example("F", lines=("F3:4 G3 A3 F3 D3 E3 F3 C4 A3 F3 G3 F3",), species=1),
        Example("C", lines=("C4:4 E4 G4 F4 E4 D4 C4",), species=1),
    ),
)

G12 = Rule(
    code="G12",
    name="Repeated note",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_repeated,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} repeats {after}",
    says="A cantus firmus and a line of the second to fifth species never repeat a note at once; a "
    "counterpoint of the first species may once.",
    why="In so few notes a repeated one stops the line.",
    exceptions="A tied note is one note. How often the first species may repeat is the rule set's "
    "choice.",
    source=f"{OPEN}; {SURVEY}; Westergaard's rules",
    breaking=(
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 D4 G4 F4 F4 A4 G4 F4 E4 D4",),
            species=1,
            at="B",
            where="7.1",
        ),
        Example(
            "C",
            lines=("G4:4 G4 A4 A4 B4 C5", "C4:4 E4 F4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="S",
            where="4.1",
        ),
        Example(
            "C",
            lines=("r:2 C5:2 B4 G4 G4 F4 E4:4", "C4:4 G3 E4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="3.1",
        ),
    ),
    obeying=(
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 A4 G4 F4 E4 D4",), species=1),
        Example("C", lines=("G4:4 G4 A4 F4 B4 C5", "C4:4 E4 F4 D4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("r:2 C5:4 B4 C5:2", "C4:4 A3 G3"), species=4, cantus="B"),
    ),
    switches={
        "first_species": Switch(
            "one",
            ("one", "none", "triad"),
            "How often a counterpoint of the first species may repeat a note: once, never, or on "
            "any tone of the tonic triad.",
        )
    },
)

G15 = Rule(
    code="G15",
    name="Second octave leap",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_octave_leaps,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} leaps an octave again, from {before} to {after}",
    says="A line has at most one leap of an octave.",
    why="The largest leap is the line's greatest effort; made twice, it is a mannerism.",
    source=SURVEY,
    breaking=(
        Example(
            "d dorian", lines=("D4:4 F4 F5 E5 D5 D4 E4 C4 D4",), species=1, at="B", where="6.1"
        ),
        Example("C", lines=("C4:4 C5 B4 C5 A4 A3 B3 C4",), species=1, at="B", where="6.1"),
    ),
    obeying=(
        Example("d dorian", lines=("D4:4 F4 F5 E5 D5 G4 E4 C4 D4",), species=1),
        Example("e phrygian", lines=("E4:4 C4 D4 C4 A3 A4 G4 E4 F4 E4",), species=1),
    ),
)

RULES = (G04, G07, G08, G12, G15)
