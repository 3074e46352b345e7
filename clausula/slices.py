"""Slices: one row for every moment at which some voice moves.

Conventions: time first, voices last, in the order of the score's parts (soprano first). Any rhythm,
any number of voices.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from clausula.errors import InputError
from clausula.grid import REST
from clausula.limits import MOST_SLICES
from clausula.score import Note, Score

SILENT = -1  # the `note` of a voice that is silent


@dataclass(frozen=True)
class Slices:
    """A score as a row for each moment at which a note starts or stops.

    Attributes:
        score: what was sliced.
        onset: ``[time]`` quarter notes from the start.
        duration: ``[time]`` quarter notes to the next slice, or to the last note's end.
        semitone: ``[time, voice]`` MIDI number that sounds, ``REST`` in silence.
        step: ``[time, voice]`` diatonic number (7 * octave + letter) of that note, 0 in silence.
        moved: ``[time, voice]`` whether the voice starts a note here.
        note: ``[time, voice]`` index of the sounding note in its part, ``SILENT`` in silence.
    """

    score: Score
    onset: tuple[Fraction, ...]
    duration: tuple[Fraction, ...]
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
    def place(self) -> tuple[tuple[int, Fraction], ...]:
        """``[time]`` measure (0 = pick-up) and beat (from 1, in the meter's unit)."""
        return tuple(self.score.place(onset) for onset in self.onset)

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
    moments = sorted({note.onset for note in notes} | {note.end for note in notes})
    if len(moments) > MOST_SLICES:
        raise InputError(
            f"notes start or stop at {len(moments):,} moments in {score.title or 'the score'}, "
            f"where at most {MOST_SLICES:,} can be analysed; try a part of the piece"
        )
    row = {moment: index for index, moment in enumerate(moments)}
    shape = (len(moments) - 1, len(score.parts))
    semitone, step = np.full(shape, REST), np.zeros(shape, int)
    moved, index_of_note = np.zeros(shape, bool), np.full(shape, SILENT)
    for voice, part in enumerate(score.parts):
        for index, note in enumerate(part.notes):
            rows = slice(row[note.onset], row[note.end])
            semitone[rows, voice], step[rows, voice] = note.pitch
            index_of_note[rows, voice] = index
            moved[row[note.onset], voice] = True
    return Slices(
        score=score,
        onset=tuple(moments[:-1]),
        duration=tuple(b - a for a, b in pairwise(moments)),
        semitone=semitone,
        step=step,
        moved=moved,
        note=index_of_note,
    )
