"""Slices: one row for every moment at which some voice moves.

Conventions: time first, voices last, in the order of the score's parts (soprano first). Any rhythm,
any number of voices. A *tick* is the longest time that divides every onset and duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple

import numpy as np

from clausula.chords import N_TONES, tone
from clausula.errors import InputError
from clausula.grid import REST, Meter
from clausula.limits import MOST_SLICES
from clausula.score import Note, Part, Score

SILENT = -1  # the `note` of a voice that is silent
ON_BEAT = 2  # the weakest metrical level of a beat


class Line(NamedTuple):
    """The notes of one voice; arrays ``[note]``.

    Attributes:
        start: slice in which each begins.
        stop: slice after its last.
        semitone: MIDI numbers.
        step: diatonic numbers.
        onset: quarters from the start of the piece, as float.
        duration: quarters, as float.
        joined: whether it follows the note before without a rest.
    """

    start: np.ndarray
    stop: np.ndarray
    semitone: np.ndarray
    step: np.ndarray
    onset: np.ndarray
    duration: np.ndarray
    joined: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Slices:
    """A score as a row for each moment at which a note starts or stops.

    Attributes:
        score: what was sliced.
        onset: ``[time]`` quarter notes from the start.
        duration: ``[time]`` quarter notes to the next slice, or to the last note's end.
        lines: the notes of each voice.
        semitone: ``[time, voice]`` MIDI number that sounds, ``REST`` in silence.
        step: ``[time, voice]`` diatonic number (7 * octave + letter) of that note, 0 in silence.
        moved: ``[time, voice]`` whether the voice starts a note here.
        note: ``[time, voice]`` index of the sounding note in its part, ``SILENT`` in silence.
    """

    score: Score
    onset: tuple[Fraction, ...]
    duration: tuple[Fraction, ...]
    lines: tuple[Line, ...]
    semitone: np.ndarray
    step: np.ndarray
    moved: np.ndarray
    note: np.ndarray

    def __len__(self) -> int:
        return len(self.onset)

    @property
    def n_voices(self) -> int:
        """How many parts there are."""
        return self.semitone.shape[1]

    @cached_property
    def onsets(self) -> np.ndarray:
        """``[time]`` quarter notes from the start, as float."""
        return np.array([float(onset) for onset in self.onset])

    @cached_property
    def tones(self) -> np.ndarray:
        """``[time, voice]`` spelled pitch class (``chords.tone``), ``N_TONES`` in silence."""
        return np.where(self.semitone == REST, N_TONES, tone(self.semitone, self.step))

    @cached_property
    def place(self) -> tuple[tuple[int, Fraction], ...]:
        """``[time]`` measure (0 = pick-up) and beat (from 1, in the meter's unit)."""
        return tuple(self.score.places(self.onset))

    @cached_property
    def level(self) -> np.ndarray:
        """``[time]`` how weak the moment is at which a slice begins.

        0 is the downbeat, 1 another strong beat, 2 a beat, 3 half a beat, 4 anything less.
        """
        middles = [_middle(meter) for _, meter in self.score.meters]
        places = zip(self.place, self._meter, strict=True)
        return np.array([_level(beat, middles[meter]) for (_, beat), meter in places])

    @cached_property
    def beat_length(self) -> np.ndarray:
        """``[time]`` quarter notes of a beat, as float."""
        return np.array([float(meter.beat) for _, meter in self.score.meters])[self._meter]

    @cached_property
    def _meter(self) -> np.ndarray:
        """``[time]`` index of the meter in force."""
        changes = [float(onset) for onset, _ in self.score.meters]
        return np.maximum(np.searchsorted(changes, self.onsets, side="right") - 1, 0)

    @property
    def measure(self) -> np.ndarray:
        """``[time]`` measure number; 0 is the pick-up."""
        return np.array([measure for measure, _ in self.place])

    @property
    def beat(self) -> list[Fraction]:
        """``[time]`` beat within the measure, 1 on the downbeat."""
        return [beat for _, beat in self.place]

    def note_at(self, time: int, voice: int) -> Note | None:
        """The note that a voice sounds in a slice; None in silence."""
        index = self.note[time, voice]
        return None if index == SILENT else self.score.parts[voice].notes[index]


def slices_of(score: Score) -> Slices:
    """The slices of a score.

    Raises:
        InputError: the score has no note, or too many moments to be analysed.
    """
    notes = [note for part in score.parts for note in part.notes]
    if not notes:
        raise InputError(f"no note in {score.title or 'the score'}; try another file")
    # Whole numbers of ticks, for sorting and looking up fractions is slow.
    ticks = lcm(*{each for n in notes for each in _denominators(n)})
    kind = int if ticks < 2**40 else object  # Python's own numbers where others would overflow
    starts = [np.array([_ticks(n.onset, ticks) for n in part.notes], kind) for part in score.parts]
    lengths = [np.array([_ticks(n.duration, ticks) for n in p.notes], kind) for p in score.parts]
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    moments = np.unique(np.concatenate([*starts, *ends]))
    if len(moments) > MOST_SLICES:
        raise InputError(
            f"notes start or stop at {len(moments):,} moments in {score.title or 'the score'}, "
            f"where at most {MOST_SLICES:,} can be analysed; try a part of the piece"
        )
    shape = (len(moments) - 1, len(score.parts))
    semitone, step = np.full(shape, REST), np.zeros(shape, int)
    moved, note_at = np.zeros(shape, bool), np.full(shape, SILENT)
    lines = []
    for voice, part in enumerate(score.parts):
        line = _line(part, starts[voice], lengths[voice], ticks, moments)
        lines.append(line)
        moved[line.start, voice] = True
        number = np.repeat(np.arange(len(line)), line.stop - line.start)
        # Each note's own slices: its first, and as many more as it lasts.
        rows = _spread(line.start, line.stop)
        semitone[rows, voice], step[rows, voice] = line.semitone[number], line.step[number]
        note_at[rows, voice] = number
    return Slices(
        score=score,
        onset=tuple(Fraction(moment, ticks) for moment in moments[:-1].tolist()),
        duration=tuple(Fraction(length, ticks) for length in np.diff(moments).tolist()),
        lines=tuple(lines),
        semitone=semitone,
        step=step,
        moved=moved,
        note=note_at,
    )


def _denominators(note: Note) -> tuple[int, int]:
    return note.onset.denominator, note.duration.denominator


def _ticks(quarters: Fraction, ticks: int) -> int:
    """A time in ticks, of which a quarter has as many as said."""
    return quarters.numerator * (ticks // quarters.denominator)


def _line(
    part: Part, start: np.ndarray, length: np.ndarray, ticks: int, moments: np.ndarray
) -> Line:
    """The notes of a part, whose starts and lengths are in ticks, among all moments."""
    notes = part.notes
    return Line(
        start=np.searchsorted(moments, start),
        stop=np.searchsorted(moments, start + length),
        semitone=np.array([note.pitch.semitone for note in notes], int),
        step=np.array([note.pitch.step for note in notes], int),
        onset=(start / ticks).astype(float),
        duration=(length / ticks).astype(float),
        joined=np.append(False, start[1:] == (start + length)[:-1])[: len(notes)].astype(bool),
    )


def _spread(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Every index from each start to before its stop, in order."""
    lengths = stop - start
    first = np.repeat(start - np.cumsum(lengths) + lengths, lengths)
    return first + np.arange(len(first))


def _middle(meter: Meter) -> int:
    """The beat of a meter on which its second half begins, 0 where none does."""
    beats = int(meter.quarters / meter.beat)
    return 1 + beats // 2 if beats % 2 == 0 else 0


def _level(beat: Fraction, middle: int) -> int:
    if beat.denominator > 1:
        return 3 if beat.denominator == 2 else 4
    return 0 if beat == 1 else 1 if beat == middle else ON_BEAT
