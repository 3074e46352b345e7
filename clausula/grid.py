"""The grid: integer arrays on a time grid, one column a voice, soprano first.

Conventions: time first, voices last. A frame is ``1 / frames_per_quarter`` of a quarter note. In
each frame a voice starts a note, holds one, or rests; a repeated note is not a held one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property

import numpy as np

from clausula.errors import InputError
from clausula.pitch import Key

REST = -1  # the `pitch` of a voice that is silent


class Voice(IntEnum):
    """The four voices, as columns of a grid."""

    SOPRANO = 0
    ALTO = 1
    TENOR = 2
    BASS = 3


VOICE_LETTERS = "SATB"
SEARCH_ORDER = (Voice.SOPRANO, Voice.BASS, Voice.ALTO, Voice.TENOR)


@dataclass(frozen=True)
class Meter:
    """A time signature."""

    numerator: int
    denominator: int

    @classmethod
    def parse(cls, text: str) -> Meter:
        """Read ``"3/4"``.

        Raises:
            InputError: not two numbers, or a denominator that is no note value.
        """
        try:
            numerator, denominator = (int(part) for part in text.split("/"))
        except ValueError:
            raise InputError(f"{text!r} is not a meter; try 4/4 or 3/4") from None
        if not 1 <= numerator <= 32 or denominator not in (1, 2, 4, 8, 16):
            raise InputError(f"{text!r} is not a meter; try 4/4 or 3/4")
        return cls(numerator, denominator)

    @property
    def quarters(self) -> Fraction:
        """Length of a measure in quarter notes."""
        return Fraction(4 * self.numerator, self.denominator)

    @cached_property
    def beat(self) -> Fraction:
        """Length of a beat in quarter notes; a dotted value in compound meters."""
        unit = Fraction(4, self.denominator)
        compound = self.numerator % 3 == 0 and self.numerator > 3 and self.denominator >= 8
        return 3 * unit if compound else unit

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True)
class Grid:
    """A piece on the grid.

    Attributes:
        pitch: ``[time, voice]`` MIDI number that sounds, ``REST`` in silence.
        step: ``[time, voice]`` diatonic number (7 * octave + letter) of that note, 0 in silence.
        onset: ``[time, voice]`` true in the first frame of a note, false in holds and silence.
        phrase_end: ``[time]`` true while a fermata sounds.
        meter: one time signature for the whole piece.
        key: the home key.
        pickup: frames in the incomplete first measure (measure 0); 0 when there is none.
        frames_per_quarter: the grid's resolution.
        title: what the piece is called.
    """

    pitch: np.ndarray
    step: np.ndarray
    onset: np.ndarray
    phrase_end: np.ndarray
    meter: Meter
    key: Key
    pickup: int = 0
    frames_per_quarter: int = 4
    title: str = ""

    def __post_init__(self) -> None:
        shapes = {self.pitch.shape, self.step.shape, self.onset.shape}
        if len(shapes) != 1 or self.pitch.ndim != 2 or self.phrase_end.shape != (len(self.pitch),):
            raise InputError(f"grid arrays disagree in shape: {sorted(shapes)}")

    def __len__(self) -> int:
        return len(self.pitch)

    @property
    def frames_per_measure(self) -> int:
        """Frames in a full measure."""
        return frames_in(self.meter.quarters, self.frames_per_quarter)

    @property
    def position(self) -> np.ndarray:
        """``[time]`` frame within the measure, 0 on the downbeat; a pick-up ends its measure."""
        return (np.arange(len(self)) - self.pickup) % self.frames_per_measure

    @property
    def measure(self) -> np.ndarray:
        """``[time]`` measure number: 1 is the first full measure, 0 the pick-up."""
        return (np.arange(len(self)) - self.pickup) // self.frames_per_measure + 1

    @cached_property
    def beat(self) -> tuple[Fraction, ...]:
        """Beat within the measure of every frame, 1 on the downbeat, in the meter's unit."""
        frames_per_beat = self.meter.beat * self.frames_per_quarter
        beats = [1 + Fraction(p) / frames_per_beat for p in range(self.frames_per_measure)]
        return tuple(beats[p] for p in self.position.tolist())


def frames_in(quarters: Fraction, frames_per_quarter: int) -> int:
    """Frames in a length of time.

    Raises:
        InputError: the length is not a whole number of frames.
    """
    frames = quarters * frames_per_quarter
    if frames.denominator != 1:
        raise InputError(
            f"{quarters} quarter notes is no whole number of frames of 1/{frames_per_quarter} "
            "quarter; try a finer grid"
        )
    return int(frames)
