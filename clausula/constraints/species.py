"""What the rules of species counterpoint share: bars, lines, intervals and motions.

Conventions: a *bar* is what one note of the cantus firmus lasts, so that an exercise is judged
alike in whatever meter it is written; the *place* of a slice is the part of its bar that has gone
by: 0 on the downbeat, 1/2 on the weak half of second species and on beat 3 of third. Pairs are
those of ``Sites.PAIR``, the upper part first; their intervals are taken upright, even where parts
cross. Between upper parts a fourth is consonant, and so is a tritone of two notes that are both
consonant with the lowest.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.constraints.passage import Line, Passage
from clausula.constraints.rule import Sites
from clausula.grid import REST
from clausula.pitch import LETTER_SEMITONES

NO_BAR = -1  # the bar of a slice before the cantus begins
HALF = Fraction(1, 2)
QUARTER = Fraction(1, 4)
OPEN = "Open Music Theory, version 1"
SURVEY = "Survey of Fux, Schenker, Jeppesen, Salzer and Schachter, Schubert and Kennan"
WESTERGAARD = "Westergaard's rules"
_FLATS = (6, 2, 5, 1, 4, 0, 3)  # letters in the order in which a signature flattens them
_CONSONANT = ((0, 0), (3, 2), (4, 2), (7, 4), (8, 5), (9, 5))  # semitones, steps; within an octave
_MELODIC = ((1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (7, 4), (8, 5), (12, 7))


class Bars(NamedTuple):
    """The notes of the cantus firmus as bars.

    Attributes:
        start: ``[bar]`` slice in which each begins.
        of: ``[time]`` the bar of a slice, ``NO_BAR`` before the first.
        length: ``[bar]`` quarters.
        place: ``[time]`` the part of its bar that has gone by when a slice begins.
    """

    start: np.ndarray
    of: np.ndarray
    length: tuple[Fraction, ...]
    place: tuple[Fraction, ...]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def downbeats(self) -> np.ndarray:
        """``bool[time]``: whether a bar begins with the slice."""
        found = np.zeros(len(self.of), bool)
        found[self.start] = True
        return found


class Intervals(NamedTuple):
    """What every pair of parts forms; arrays ``[time, pair]``.

    Attributes:
        semitone: from the lower note to the higher.
        step: the same in letter names.
        sounding: whether both parts sound.
    """

    semitone: np.ndarray
    step: np.ndarray
    sounding: np.ndarray

    @property
    def fifth(self) -> np.ndarray:
        """Whether it is a perfect fifth or its compound."""
        return self.sounding & (self.semitone % 12 == 7) & (self.step % 7 == 4)

    @property
    def octave(self) -> np.ndarray:
        """Whether it is a unison, an octave or its compound."""
        return self.sounding & (self.semitone % 12 == 0) & (self.step % 7 == 0)

    @property
    def unison(self) -> np.ndarray:
        """Whether both parts sing one note."""
        return self.sounding & (self.semitone == 0) & (self.step == 0)


def is_species(passage: Passage, *numbers: int) -> bool:
    """Whether the passage is an exercise in one of these species."""
    return passage.task.species in (numbers or (1, 2, 3, 4, 5))


def is_lone(passage: Passage) -> bool:
    """Whether the exercise is a single line: a cantus firmus to be written."""
    return passage.n_voices == 1


def cantus_of(passage: Passage) -> int:
    """The part that has the cantus firmus; if unknown, the lowest of those with fewest notes."""
    cantus = passage.task.cantus
    lines = passage.lines
    if cantus is not None and cantus < len(lines) and len(lines[cantus]):
        return cantus
    sung = [voice for voice, line in enumerate(lines) if len(line)]
    return min(sung, key=lambda voice: (len(lines[voice]), -voice))


def bars_of(passage: Passage) -> Bars:
    """The bars of an exercise."""
    onset = passage.slices.onset
    notes = passage.slices.score.parts[cantus_of(passage)].notes
    start = passage.lines[cantus_of(passage)].start
    begins = [note.onset for note in notes]
    length = tuple(note.duration for note in notes)
    of = np.searchsorted(start, np.arange(len(onset)), side="right") - 1
    place = tuple(
        Fraction(0) if bar == NO_BAR else (onset[time] - begins[bar]) / length[bar]
        for time, bar in enumerate(of.tolist())
    )
    return Bars(start, of, length, place)


def written(passage: Passage) -> Iterator[tuple[int, Line]]:
    """The parts that the writer wrote, and their notes: all but a cantus firmus that was given."""
    for voice, line in enumerate(passage.lines):
        if len(line) and (is_lone(passage) or voice != passage.task.cantus):
            yield voice, line


def moving(passage: Passage) -> Iterator[tuple[int, Line]]:
    """The written parts in the species' own rhythm.

    In three or four parts some may go along with the cantus in its own notes.
    """
    bars = bars_of(passage)
    for voice, line in written(passage):
        along = np.isin(line.start, bars.start) & np.isin(line.stop, [*bars.start, len(passage)])
        if passage.n_voices <= 2 or not along.all():
            yield voice, line


class Moves(NamedTuple):
    """How a line comes to each of its notes; arrays ``[note]``, 0 for the first or after a rest."""

    semitone: np.ndarray
    step: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """Whether it comes by a minor or major second."""
        return (np.abs(self.step) == 1) & (np.abs(self.semitone) <= 2) & (self.semitone != 0)

    @property
    def leaps(self) -> np.ndarray:
        """Whether it comes by more than a second."""
        return np.abs(self.step) > 1


def moves_of(line: Line) -> Moves:
    """How a line moves."""
    differences = (np.append(0, np.diff(pitches)) for pitches in (line.semitone, line.step))
    return Moves(*(np.where(line.joined, each, 0) for each in differences))


def melodic(semitones: int, steps: int) -> bool:
    """Whether a line may move by an interval: m2 to P5, P8, or a minor sixth upwards."""
    if (semitones, steps) == (0, 0):
        return True
    size = (abs(semitones), abs(steps))
    upwards = semitones > 0 or size != (8, 5)
    return size in _MELODIC and semitones * steps > 0 and upwards


def no_pairs(passage: Passage) -> np.ndarray:
    """``bool[time, pair]`` all false, for a judge of pairs to fill."""
    return passage.nothing(len(Sites.PAIR.of(passage.n_voices)))


def each_step(passage: Passage) -> tuple[np.ndarray, np.ndarray]:
    """Every slice but the last, and the slice after each."""
    return np.arange(len(passage) - 1), np.arange(1, len(passage))


def intervals_of(passage: Passage) -> Intervals:
    """What every pair of parts forms."""
    upper, lower = _pair_columns(passage)
    semitones, steps = passage.slices.semitone, passage.slices.step
    semitone = semitones[:, upper] - semitones[:, lower]
    step = steps[:, upper] - steps[:, lower]
    upright = np.where((semitone < 0) | ((semitone == 0) & (step < 0)), -1, 1)
    sounding = (semitones[:, upper] != REST) & (semitones[:, lower] != REST)
    return Intervals(semitone * upright, step * upright, sounding)


def dissonances(passage: Passage) -> np.ndarray:
    """``bool[time, pair]``: whether two parts form a dissonance."""
    found = intervals_of(passage)
    upper, lower = _pair_columns(passage)
    semitones, steps = passage.slices.semitone, passage.slices.step
    rests = semitones == REST
    lowest = np.argmin(np.where(rests, 1000, semitones), axis=1)[:, None]
    bass = [np.take_along_axis(pitches, lowest, axis=1) for pitches in (semitones, steps)]
    with_bass = _consonant(semitones - bass[0], steps - bass[1])
    inner = (semitones[:, upper] != bass[0]) & (semitones[:, lower] != bass[0])
    fourth = (found.semitone % 12 == 5) & (found.step % 7 == 3)
    tritone = (found.semitone % 12 == 6) & np.isin(found.step % 7, (3, 4))
    covered = fourth | (tritone & with_bass[:, upper] & with_bass[:, lower])
    return found.sounding & ~_consonant(found.semitone, found.step) & ~(inner & covered)


def _consonant(semitone: np.ndarray, step: np.ndarray) -> np.ndarray:
    code = semitone % 12 + 12 * (step % 7)
    return np.isin(code, [semitones + 12 * steps for semitones, steps in _CONSONANT])


def both_change(passage: Passage, earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """``bool[k, pair]``: whether both parts sing another pitch later; slices ``[k]``."""
    upper, lower = _pair_columns(passage)
    semitone = passage.slices.semitone
    changes = (semitone[earlier] != semitone[later]) & (semitone[earlier] != REST)
    changes &= semitone[later] != REST
    return changes[:, upper] & changes[:, lower]


def equal_perfects(passage: Passage, earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """``bool[k, pair]``: whether both parts go from a perfect interval to another of its size."""
    found = intervals_of(passage)
    equal = (found.fifth[earlier] & found.fifth[later]) | (
        found.octave[earlier] & found.octave[later]
    )
    return equal & both_change(passage, earlier, later)


def directions(passage: Passage, earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """``[k, pair]`` 1 for similar motion, -1 for contrary, 0 where a part stays or is silent."""
    upper, lower = _pair_columns(passage)
    rises = passage.slices.semitone[later] > passage.slices.semitone[earlier]
    same = np.where(rises[:, upper] == rises[:, lower], 1, -1)
    return np.where(both_change(passage, earlier, later), same, 0)


def similar_into_perfect(
    passage: Passage, earlier: np.ndarray, later: np.ndarray, licence: str
) -> np.ndarray:
    """``bool[k, pair]``: similar motion into a perfect interval from one of another size.

    Args:
        passage: what is judged.
        earlier: slices from which the parts move.
        later: slices to which they move.
        licence: ``"step"`` excuses, if the upper part moves by step, the octave of the two final
            tonics and a fifth over which it has the fifth or the second degree; ``"none"`` nothing.
    """
    found = intervals_of(passage)
    perfect = found.fifth[later] | found.octave[later]
    hidden = perfect & (directions(passage, earlier, later) == 1)
    hidden &= ~equal_perfects(passage, earlier, later)
    if licence == "none":
        return hidden
    upper, _ = _pair_columns(passage)
    step = passage.slices.step[:, upper]
    degree = (step - passage.context.tonic_letter[:, None]) % 7
    by_step = np.abs(step[later] - step[earlier]) == 1
    final = (later >= bars_of(passage).start[-1])[:, None] & (degree[later] == 0)
    excused = (found.octave[later] & final) | (found.fifth[later] & np.isin(degree[later], (1, 4)))
    return hidden & ~(by_step & excused)


def of_either(passage: Passage, of_voice: np.ndarray) -> np.ndarray:
    """``bool[k, pair]``: what holds of at least one part of a pair, from ``bool[k, voice]``."""
    upper, lower = _pair_columns(passage)
    return of_voice[:, upper] | of_voice[:, lower]


def struck_together(passage: Passage) -> np.ndarray:
    """``bool[time, pair]``: whether both parts begin a note."""
    moved = passage.slices.moved
    upper, lower = _pair_columns(passage)
    return moved[:, upper] & moved[:, lower]


def dissonant_with(passage: Passage, voice: int) -> np.ndarray:
    """``bool[time]``: whether a part forms a dissonance with any other."""
    columns = [c for c, pair in enumerate(Sites.PAIR.of(passage.n_voices)) if voice in pair]
    return np.any(dissonances(passage)[:, columns], axis=1)


def passing(passage: Passage, neighbor: bool) -> np.ndarray:
    """``bool[time, voice]``: whether a part has a note that comes and goes by step.

    Args:
        passage: what is judged.
        neighbor: whether it may step back; else it goes on in its direction.
    """
    found = passage.nothing(passage.n_voices)
    for voice, line in enumerate(passage.lines):
        moves = moves_of(line)
        for note in range(len(line) - 1):
            on = moves.step[note] == moves.step[note + 1]
            by_step = moves.steps[note] and moves.steps[note + 1] and (neighbor or on)
            found[line.start[note] : line.stop[note], voice] = by_step
    return found


def is_consonant_over(passage: Passage, time: int, voice: int, pitch: tuple[int, int]) -> bool:
    """Whether a part that sang a pitch (semitone, step) would be consonant with the cantus."""
    cantus = cantus_of(passage)
    other = (passage.slices.semitone[time, cantus], passage.slices.step[time, cantus])
    apart = np.array(pitch) - np.array(other)
    upright = apart if voice < cantus else -apart
    return bool(upright[0] >= 0 and _consonant(upright[:1], upright[1:])[0])


def signature_letters(passage: Passage) -> np.ndarray:
    """``[letter]`` pitch class of each letter, C to B, by the key signature at the start."""
    fifths = passage.slices.score.key_at(Fraction(0)).fifths
    altered = LETTER_SEMITONES.copy()
    for index in range(abs(fifths)):
        altered[_FLATS[index % 7] if fifths < 0 else _FLATS[::-1][index % 7]] += np.sign(fifths)
    return altered % 12


def is_tonic(passage: Passage, time: int, voice: int) -> bool:
    """Whether a part sings the tonic in a slice."""
    slices, context = passage.slices, passage.context
    named = slices.step[time, voice] % 7 == context.tonic_letter[time]
    sung = slices.semitone[time, voice] % 12 == context.tonic_pc[time]
    return bool(slices.note[time, voice] >= 0 and named and sung)


def is_tonic_triad(passage: Passage, line: Line) -> np.ndarray:
    """``bool[note]``: whether the notes of a line are degrees of the tonic triad."""
    return np.isin((line.step - passage.context.tonic_letter[line.start]) % 7, (0, 2, 4))


def _pair_columns(passage: Passage) -> tuple[list[int], list[int]]:
    pairs = Sites.PAIR.of(passage.n_voices)
    return [upper for upper, _ in pairs], [lower for _, lower in pairs]
