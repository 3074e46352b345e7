"""Rules of every species: how an exercise opens and closes, its tones and its note values."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    HALF,
    NO_BAR,
    OPEN,
    QUARTER,
    SURVEY,
    WESTERGAARD,
    Bars,
    bars_of,
    cantus_of,
    directions,
    intervals_of,
    is_lone,
    is_species,
    is_tonic,
    moves_of,
    moving,
    signature_letters,
    written,
)
from clausula.constraints.switch import Switch
from clausula.score import Note

_EIGHTH = Fraction(1, 8)
_FLORID = (_EIGHTH, QUARTER, HALF, 3 * QUARTER, Fraction(1))  # a half may be tied to a quarter


def _opening(passage: Passage, unison_below: bool) -> np.ndarray:
    pairs = Sites.PAIR.of(passage.n_voices)
    found = passage.nothing(len(pairs))
    if not is_species(passage) or is_lone(passage):
        return found
    heard, cantus = intervals_of(passage), cantus_of(passage)
    lines = dict(written(passage))
    for column, pair in enumerate(pairs):
        voice = pair[0] if pair[1] == cantus else pair[1]
        if cantus not in pair or voice not in lines:
            continue
        time, above = int(lines[voice].start[0]), voice == pair[0]
        opens = heard.octave[time, column] | (heard.fifth[time, column] & above)
        if passage.n_voices > 2:
            opens |= above & (heard.step[time, column] % 7 == 2)
        if not above and not unison_below:
            opens &= ~heard.unison[time, column]
        found[time, column] = heard.sounding[time, column] & ~opens
    return found


def _close(passage: Passage) -> np.ndarray:
    found = passage.nothing(1)
    if not is_species(passage):
        return found
    if is_lone(passage):
        line = passage.lines[0]
        found[line.start[-1], 0] = len(line) > 1 and not moves_of(line).steps[-1]
        return found
    last = int(bars_of(passage).start[-1])
    tonic = [is_tonic(passage, last, voice) for voice in range(passage.n_voices)]
    closed = tonic[-1] and (passage.n_voices > 2 or all(tonic))
    found[last, 0] = not closed or not _converge(passage, last, tonic)
    return found


def _converge(passage: Passage, last: int, tonic: list[bool]) -> bool:
    """Whether two parts reach the tonic by steps in contrary motion."""
    if last == 0:
        return False
    step = np.abs(passage.slices.step[last] - passage.slices.step[last - 1]) == 1
    arrives = step & np.array(tonic)
    contrary = directions(passage, np.array([last - 1]), np.array([last]))[0] == -1
    pairs = Sites.PAIR.of(passage.n_voices)
    return any(
        arrives[upper] and arrives[lower] and meets
        for (upper, lower), meets in zip(pairs, contrary.tolist(), strict=True)
    )


def _chromatic(passage: Passage, melodic_minor: bool) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage):
        return found
    letters, bars = signature_letters(passage), bars_of(passage)
    for voice, line in written(passage):
        own = letters[line.step % 7] == line.semitone % 12
        bar = bars.of[line.start]
        cadence = bar >= len(bars) - 2
        seventh, sixth = (_raised(passage, line, letters, degree) for degree in (6, 5))
        seventh &= cadence | (melodic_minor & passage.context.minor[line.start])
        sixth &= np.append(seventh[1:], False) | (melodic_minor & passage.context.minor[line.start])
        third = (passage.n_voices > 2) & (bar == len(bars) - 1)
        third &= _raised(passage, line, letters, 2)
        found[line.start, voice] = ~(own | seventh | sixth | third)
    return found


def _raised(passage: Passage, line: Line, letters: np.ndarray, degree: int) -> np.ndarray:
    """``bool[note]``: whether notes are a degree as major has it, where the mode has it lower.

    Over a final with a half step above it, the phrygian, the seventh degree is never raised.
    """
    tonic, letter = passage.context.tonic_pc[line.start], passage.context.tonic_letter[line.start]
    major = (tonic + (0, 2, 4, 5, 7, 9, 11)[degree]) % 12
    named = (line.step - letter) % 7 == degree
    phrygian = letters[(letter + 1) % 7] == (tonic + 1) % 12
    return named & (line.semitone % 12 == major) & ~phrygian


def _wrong_values(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    if not is_species(passage):
        return found
    bars = bars_of(passage)
    florid = {voice for voice, _ in moving(passage)}
    for voice, line in written(passage):
        notes = passage.slices.score.parts[voice].notes
        species = passage.task.species if voice in florid else 1
        bad = [not _fits(note, start, bars, species) for note, start in _with_starts(notes, line)]
        gaps = ~line.joined
        gaps[0] = bars.of[line.start[0]] != 0 or (species == 1 and line.start[0] != 0)
        # A rest after a note that is wrong itself is the same slip.
        gaps[1:] &= ~np.array(bad[:-1], bool)
        found[line.start, voice] = np.array(bad) | gaps
        # The line reaches the last bar, and holds its note there as long as the cantus.
        last = line.start[-1]
        held = line.stop[-1] == len(passage) and last == bars.start[-1]
        found[last, voice] |= not held
    return found


def _with_starts(notes: tuple[Note, ...], line: Line) -> list[tuple[Note, int]]:
    return list(zip(notes, line.start.tolist(), strict=True))


def _fits(note: Note, start: int, bars: Bars, species: int) -> bool:
    """Whether a note has a value and a place that its species knows."""
    bar = int(bars.of[start])
    if bar == NO_BAR:
        return False
    place, length = bars.place[start], note.duration / bars.length[bar]
    whole = place == 0 and length == 1
    if bar == len(bars) - 1 or species == 1:
        return whole and bars.length[bar] >= bars.length[0]
    if species == 2:
        return (place in (0, HALF) and length == HALF) or (whole and bar == len(bars) - 2)
    if species == 3:
        return place % QUARTER == 0 and length == QUARTER
    if species == 4:
        tied = place == HALF and note.duration == (bars.length[bar] + bars.length[bar + 1]) / 2
        return tied or (place in (0, HALF) and length == HALF)
    return place % _EIGHTH == 0 and length in _FLORID


G02 = Rule(
    code="G02",
    name="Opening interval",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_opening,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} open on {upper_after} over {lower_after}, which is no perfect "
    "consonance that an exercise opens with",
    says="A counterpoint above the cantus firmus opens on a unison, a perfect fifth or an octave, "
    "one below it on a unison or an octave.",
    why="The perfect consonances are the most stable beginning; a fifth below the cantus would "
    "make its first note sound like a fifth degree.",
    exceptions="In three or four parts an upper one may open on the third.",
    source=f"{OPEN}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("E4:4 F4 G4 A4 B4 C5", "C4:4 D4 E4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="1.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 D4 E4 D4", "G3:4 D3 E3 F3 C#3 D3"),
            species=1,
            cantus="S",
            at="SB",
            where="1.1",
        ),
        Example(
            "C",
            lines=("r:2 E4:2 D4 F4 G4 B4 C5:4", "C4:4 D4 G3 C4"),
            species=2,
            cantus="B",
            at="SB",
            where="1.3",
        ),
    ),
    obeying=(
        Example("C", lines=("G4:4 F4 G4 A4 B4 C5", "C4:4 D4 E4 F4 D4 C4"), species=1, cantus="B"),
        Example(
            "d dorian", lines=("D4:4 F4 E4 D4 E4 D4", "D4:4 D3 E3 F3 C#4 D4"), species=1, cantus="S"
        ),
        Example(
            "C",
            lines=("C5:4 B4 C5", "E4:4 G4 G4", "C4:4 D4 C4"),
            species=1,
            cantus="B",
        ),
    ),
    switches={
        "unison_below": Switch(
            True, (True, False), "Whether a counterpoint below may open on the unison."
        )
    },
)

G03 = Rule(
    code="G03",
    name="Close",
    scope=Scope.EXERCISE,
    sites=Sites.ALL,
    judge=_close,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="The exercise does not close on the tonic, reached by step from both sides",
    says="An exercise closes on the tonic in unison or octaves: one part comes down to it by step, "
    "another comes up to it by step. A cantus firmus alone comes to its last note by step.",
    why="Second degree and leading tone, both a step from the tonic, lead to it from two sides and "
    "make the end certain.",
    exceptions="In three or four parts the other upper parts may close on the third or the fifth.",
    source=OPEN,
    breaking=(
        Example(
            "d dorian",
            lines=("A4:4 A4 G4 A4 A4 D5", "D4:4 F4 E4 D4 E4 D4"),
            species=1,
            cantus="B",
            at="SB",
        ),
        Example(
            "C",
            lines=("C5:4 A4 B4 C5 B4 G4", "C4:4 F4 G4 E4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
        ),
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 A4 G4 F4 D4",), species=1, at="B"),
    ),
    obeying=(
        Example(
            "d dorian",
            lines=("A4:4 A4 G4 A4 C#5 D5", "D4:4 F4 E4 D4 E4 D4"),
            species=1,
            cantus="B",
        ),
        Example("C", lines=("C5:4 B4 C5", "E4:4 G4 G4", "C4:4 D4 C4"), species=1, cantus="B"),
        Example("d dorian", lines=("D4:4 F4 E4 D4 G4 F4 A4 G4 F4 E4 D4",), species=1),
    ),
)

G09 = Rule(
    code="G09",
    name="Chromatic note",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_chromatic,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{after} in the {voice} does not belong to the mode",
    says="A line keeps to the notes of its mode. Only at the cadence is the seventh degree raised, "
    "and the sixth where it leads to it.",
    why="The mode is what the exercise is in; an altered note elsewhere would leave it.",
    exceptions="The phrygian, whose cadence descends to the final by a half step, raises no "
    "seventh. In three or four parts the last chord may have a major third. A rule set may take a "
    "minor key for melodic minor, which raises both degrees anywhere.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "d dorian",
            lines=("A4:4 A4 C#5 A4 C#5 D5", "D4:4 F4 E4 D4 E4 D4"),
            species=1,
            cantus="B",
            at="S",
            where="3.1",
        ),
        Example(
            "e phrygian",
            lines=("E4:4 F4 G4 F4 E4", "E4:4 D4 E4 D#4 E4"),
            species=1,
            cantus="S",
            at="B",
            where="4.1",
        ),
        Example("C", lines=("C4:4 E4 D4 F#4 G4 F4 E4 D4 C4",), species=1, at="B", where="4.1"),
    ),
    obeying=(
        Example(
            "d dorian",
            lines=("A4:4 A4 C5 A4 C#5 D5", "D4:4 F4 E4 D4 E4 D4"),
            species=1,
            cantus="B",
        ),
        Example(
            "a aeolian",
            lines=("A4:4 A4 F#4 G#4 A4", "A3:4 C4 D4 B3 A3"),
            species=1,
            cantus="B",
        ),
        Example(
            "e phrygian",
            lines=("E4:4 F4 G4 F4 E4", "E4:4 D4 E4 D4 E4"),
            species=1,
            cantus="S",
        ),
    ),
    switches={
        "melodic_minor": Switch(
            False,
            (True, False),
            "Whether a line in minor may raise the sixth and seventh degrees anywhere.",
        )
    },
)

G13 = Rule(
    code="G13",
    name="Note values of the species",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_wrong_values,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{after} in the {voice} has not the value, or not the place, that its species asks for",
    says="To one note of the cantus firmus the first species sets one note, the second two, the "
    "third four, the fourth halves tied over the bar line, the fifth any of these and eighths. "
    "There is no rest but at the beginning, and the last note is as long as that of the cantus.",
    why="Each species practises one relation of two rhythms; another value is another exercise.",
    exceptions="The second species may have a whole note in the last bar but one; the fourth may "
    "break its ties. In three or four parts some may move with the cantus.",
    source=f"{OPEN}; {WESTERGAARD}; {SURVEY}",
    breaking=(
        Example(
            "C",
            lines=("r:2 C5:2 B4:4 C5:2 B4 C5:4", "C4:4 D4 E4 C4"),
            species=2,
            cantus="B",
            at="S",
            where="2.1",
        ),
        Example(
            "C",
            lines=("C5:1 B4 A4 G4 F4 G4 A4:2 G4:4", "C4:4 D4 C4"),
            species=3,
            cantus="B",
            at="S",
            where="2.3",
        ),
        Example("C", lines=("C4:4 E4 r:4 D4:4 E4 D4 C4",), species=1, at="B", where="4.1"),
        Example(
            "C",
            lines=("C5:4 B4 C5:8 B4:4 C5", "C4:4 G3 A3 F3 D4 C4"),
            species=1,
            cantus="B",
            at="S",
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
        Example("C", lines=("C5:1 B4 A4 G4 F4 G4 A4 B4 C5:4", "C4:4 D4 C4"), species=3, cantus="B"),
        Example("C", lines=("r:2 C5:4 B4 C5 B4:2 C5:4", "C4:4 A3 G3 D4 C4"), species=4, cantus="B"),
    ),
)

RULES = (G02, G03, G09, G13)
