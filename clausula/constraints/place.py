"""Where a constraint applies: places in time, and keys named from the home key.

Conventions: measure 1 is the first full measure, measure 0 the pick-up; a beat is a fraction in the
meter's unit, 1 on the downbeat; a frame counts from 0; an end is exclusive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.errors import PlanError
from clausula.grid import Meter, frames_in
from clausula.pitch import Key, Mode

KeyAt = Sequence[Key]  # the local key of every frame
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")


class Place(NamedTuple):
    """A measure and a beat within it."""

    measure: int
    beat: Fraction = Fraction(1)

    def __str__(self) -> str:
        return str(self.measure) if self.beat == 1 else f"{self.measure}.{self.beat}"


@dataclass(frozen=True)
class Span:
    """A stretch of time.

    Attributes:
        start: its first place.
        end: the place where it is over (exclusive).
    """

    start: Place
    end: Place

    def __str__(self) -> str:
        whole = self.end.beat == 1
        last = str(self.end.measure - 1) if whole else str(self.end)
        return str(self.start) if last == str(self.start) else f"{self.start}-{last}"


def where(span: Span | None) -> str:
    """The end of a constraint's text: `` @ `` and the span, nothing for the whole piece."""
    return "" if span is None else f" @ {span}"


@dataclass(frozen=True)
class Degree:
    """A key named by a Roman numeral of the home key.

    Attributes:
        degree: scale degree of its tonic in the home key, 0 = the home key's own.
        mode: major for a capital numeral, minor for a small one.
    """

    degree: int
    mode: Mode

    def __str__(self) -> str:
        numeral = _NUMERALS[self.degree]
        return numeral if self.mode is Mode.MAJOR else numeral.lower()

    def of(self, home: Key) -> Key:
        """The key that the numeral names in ``home``.

        Raises:
            PlanError: no signature has that many accidentals.
        """
        on_degree = home.transpose(self.degree)
        return signable(Key(on_degree.tonic_pc, on_degree.tonic_letter, self.mode), f"{self}")


def numeral(text: str) -> Degree | None:
    """The degree that a Roman numeral names, ``None`` where the text is no numeral."""
    if text.upper() not in _NUMERALS or text not in (text.upper(), text.lower()):
        return None
    mode = Mode.MAJOR if text.isupper() else Mode.MINOR
    return Degree(_NUMERALS.index(text.upper()), mode)


def signable(key: Key, asked: str) -> Key:
    """The key itself, when a signature of at most seven accidentals can write it.

    Args:
        key: the key to judge.
        asked: the words that led to it, for the message.

    Raises:
        PlanError: it needs more than seven.
    """
    if abs(key.fifths) > 7:
        raise PlanError(
            f"{asked} leads to {key}, whose signature would need {abs(key.fifths)} accidentals; "
            "try the enharmonic home key, or another key"
        )
    return key


@dataclass(frozen=True)
class Timeline:
    """The frames of a piece that is still to be written.

    Attributes:
        meter: one time signature for the whole piece.
        measures: full measures; with a pick-up the last one is shorter and the two make one.
        pickup: frames in measure 0, 0 when there is none.
        frames_per_quarter: the grid's resolution.
        phrase_ends: frames at which a phrase is over (exclusive), ascending; the end of the piece
            is one whether or not it is named.
        length: frames in the piece where that is given, as by a file whose last measure is whole
            in spite of a pick-up; 0 where it follows from the measures.
    """

    meter: Meter
    measures: int
    pickup: int = 0
    frames_per_quarter: int = 4
    phrase_ends: tuple[int, ...] = ()
    length: int = 0

    def __post_init__(self) -> None:
        if self.measures < 1:
            raise PlanError(f"{self.measures} measures is no piece; try 8 or 16")
        if not 0 <= self.pickup < self.frames_per_measure:
            raise PlanError(
                f"a pick-up of {self.pickup} frames does not fit a measure of "
                f"{self.frames_per_measure} ({self.meter}); try a shorter one"
            )
        ends = self.phrase_ends
        if list(ends) != sorted(set(ends)) or (
            ends and not 0 < ends[0] <= ends[-1] <= self.n_frames
        ):
            raise PlanError(
                f"phrases end at frames {list(ends)}, which do not ascend within the piece's "
                f"{self.n_frames}; try fewer or shorter phrases"
            )

    @property
    def frames_per_measure(self) -> int:
        """Frames in a full measure."""
        return frames_in(self.meter.quarters, self.frames_per_quarter)

    @property
    def frames_per_beat(self) -> int:
        """Frames in a beat."""
        return frames_in(self.meter.beat, self.frames_per_quarter)

    @property
    def n_frames(self) -> int:
        """Frames in the piece."""
        return self.length or self.measures * self.frames_per_measure

    @property
    def position(self) -> np.ndarray:
        """``[time]`` frame within the measure, 0 on the downbeat."""
        return (np.arange(self.n_frames) - self.pickup) % self.frames_per_measure

    @property
    def boundaries(self) -> tuple[int, ...]:
        """Frames at which a phrase is over (exclusive), the end of the piece included."""
        return tuple(sorted({*self.phrase_ends, self.n_frames}))

    def phrase_end(self, frame: int) -> int:
        """The end (exclusive) of the phrase in which a frame lies."""
        return self.boundaries[bisect_right(self.boundaries, frame)]

    def phrase_start(self, frame: int) -> int:
        """The first frame of the phrase in which a frame lies."""
        before = bisect_left(self.boundaries, frame + 1)
        return self.boundaries[before - 1] if before else 0

    def place(self, frame: int) -> Place:
        """Measure and beat of a frame."""
        measure, position = divmod(frame - self.pickup, self.frames_per_measure)
        return Place(measure + 1, 1 + Fraction(position, self.frames_per_beat))

    def words(self, frame: int) -> str:
        """Measure and beat of a frame, such as ``"measure 2 beat 1"``."""
        measure, beat = self.place(frame)
        return f"measure {measure} beat {beat}"

    def frame_of(self, measure: int, beat: Fraction = Fraction(1)) -> int:
        """The frame of a place.

        Raises:
            PlanError: the place lies outside the piece, or between two frames.
        """
        offset = (beat - 1) * self.frames_per_beat
        if not 0 <= offset < self.frames_per_measure:
            beats = Fraction(self.frames_per_measure, self.frames_per_beat)
            raise PlanError(
                f"measure {measure} beat {beat}: there is no such beat; a measure of {self.meter} "
                f"has beats 1 to {beats}: try one of them"
            )
        if offset.denominator != 1:
            raise PlanError(
                f"measure {measure} beat {beat} lies between two frames of "
                f"1/{self.frames_per_quarter} quarter; try a beat on the grid"
            )
        frame = self.pickup + (measure - 1) * self.frames_per_measure + int(offset)
        if not 0 <= frame < self.n_frames:
            first, last = self.place(0), self.place(self.n_frames - 1)
            raise PlanError(
                f"measure {measure} beat {beat} lies outside the piece, which runs from measure "
                f"{first.measure} beat {first.beat} to measure {last.measure} beat {last.beat}: "
                "try a place between these"
            )
        return frame

    def frames(self, span: Span | None) -> range:
        """The frames of a span, of the whole piece without one; its end may be the piece's.

        Raises:
            PlanError: the span is empty or leaves the piece.
        """
        if span is None:
            return range(self.n_frames)
        start = self.frame_of(*span.start)
        # A last measure that is shortened is over before its nominal bar line.
        at_end = span.end == (self.place(self.n_frames - 1).measure + 1, 1)
        end = self.n_frames if at_end else self.frame_of(*span.end)
        if end <= start:
            raise PlanError(f"measures {span}: the end comes before the start; try {span.start}-…")
        return range(start, end)
