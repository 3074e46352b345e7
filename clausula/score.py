"""The score: notes with spelled pitches and exact times.

Conventions: times are exact fractions of a quarter note from the start of the piece, pick-up
included. Measure 1 is the first full measure, measure 0 the pick-up. Beats count from 1 in the
meter's own unit (a dotted value in compound meters), so a place in a measure is a fraction.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch

_ZERO = Fraction(0)


@dataclass(frozen=True)
class Note:
    """One sounding note; tied notes are one.

    Attributes:
        id: survives every round trip to a file.
        onset: quarter notes from the start of the piece.
        duration: length in quarter notes, ties merged.
        pitch: as written.
        fermata: whether a fermata stands on it.
        text: lyric, Roman numeral or figure, where given.
    """

    id: str
    onset: Fraction
    duration: Fraction
    pitch: SpelledPitch
    fermata: bool = False
    text: str = ""

    @cached_property
    def end(self) -> Fraction:
        """Where the note stops sounding, in quarter notes."""
        return self.onset + self.duration


@dataclass(frozen=True)
class Part:
    """One monophonic line; what lies between two notes is silence.

    Attributes:
        name: as printed before the staff.
        notes: sorted by onset, none overlapping the next.
        clef: ``"treble"``, ``"treble8vb"``, ``"alto"``, ``"tenor"``, ``"bass"``; empty if unknown.
    """

    name: str
    notes: tuple[Note, ...]
    clef: str = ""

    def __post_init__(self) -> None:
        for note, following in pairwise(self.notes):
            if following.onset < note.end:
                raise InputError(
                    f"{self.name}: {note.pitch.name} still sounds at quarter {following.onset} "
                    f"when {following.pitch.name} begins; try giving each line its own voice"
                )


class LabelKind(Enum):
    """What a text beside the notes was written as."""

    LYRIC = "lyric"
    NUMERAL = "Roman numeral"
    FIGURES = "figures"
    WORDS = "words"


@dataclass(frozen=True)
class Label:
    """A text beside the notes, as it was written.

    Attributes:
        onset: where it stands, in quarter notes from the start of the piece.
        text: figures from the highest, between spaces.
        kind: as what the file has it.
        staff: under which it stands, counted from the lowest, -1.
        verse: which row of lyrics; labels of one staff, kind and verse belong together.
    """

    onset: Fraction
    text: str
    kind: LabelKind
    staff: int = -1
    verse: str = ""


@dataclass(frozen=True)
class Score:
    """A piece in notation.

    Attributes:
        parts: from the highest to the lowest.
        meters: ``(onset, meter)`` of each time signature, the first at 0.
        keys: ``(onset, key)`` of each key signature, the first at 0.
        pickup: length of measure 0 in quarter notes, 0 when there is none.
        title: what the piece is called.
        composer: who wrote it.
        length: end of the last measure in quarter notes; never before the last note's end.
        key_given: whether tonic and mode are known, not only a signature (which is then kept as
            the major key of that signature).
        labels: texts beside the notes, in order of time.

    Raises:
        InputError: a meter or key map that does not start at 0 or runs backwards.
    """

    parts: tuple[Part, ...]
    meters: tuple[tuple[Fraction, Meter], ...]
    keys: tuple[tuple[Fraction, Key], ...]
    pickup: Fraction = _ZERO
    title: str = ""
    composer: str = ""
    length: Fraction = _ZERO
    key_given: bool = True
    labels: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        for what, onsets in (
            ("meter", [onset for onset, _ in self.meters]),
            ("key", [onset for onset, _ in self.keys]),
        ):
            if not onsets or onsets[0] != 0 or onsets != sorted(set(onsets)):
                raise InputError(f"the {what} map must start at 0 and run forward, not {onsets}")
        ends = [part.notes[-1].end for part in self.parts if part.notes]
        object.__setattr__(self, "length", max([self.length, *ends]))

    def meter_at(self, onset: Fraction) -> Meter:
        """The time signature in force at ``onset`` (quarter notes)."""
        return self.meters[_last_at(self.meters, onset)][1]

    def key_at(self, onset: Fraction) -> Key:
        """The key in force at ``onset`` (quarter notes)."""
        return self.keys[_last_at(self.keys, onset)][1]

    def place(self, onset: Fraction) -> tuple[int, Fraction]:
        """Measure number and beat of a moment.

        Args:
            onset: quarter notes from the start of the piece.

        Returns:
            The measure (0 = pick-up, whose beats are the last ones of a full measure) and the beat,
            from 1, in the unit of the meter in force.
        """
        return next(self.places((onset,)))

    def places(self, onsets: Iterable[Fraction]) -> Iterator[tuple[int, Fraction]]:
        """Measure number and beat of some moments, as `place` says them.

        Args:
            onsets: quarter notes from the start of the piece.
        """
        begins = [start for start, _, _ in self._stretches]
        late = self.meters[0][1].quarters - self.pickup  # how late in its measure the pick-up is
        for onset in onsets:
            if onset < self.pickup:
                start, first, meter = -late, 0, self.meters[0][1]
            else:
                start, first, meter = self._stretches[max(0, bisect_right(begins, onset) - 1)]
            # Cross-multiplied: exact, and several times as fast as arithmetic of fractions.
            below = onset.denominator * start.denominator
            above = onset.numerator * start.denominator - start.numerator * onset.denominator
            length, beat = meter.quarters, meter.beat
            measures = above * length.denominator // (below * length.numerator)
            rest = above * length.denominator - measures * below * length.numerator
            scale = below * length.denominator
            yield (
                first + measures,
                Fraction(scale * beat.numerator + rest * beat.denominator, scale * beat.numerator),
            )

    @cached_property
    def measure_starts(self) -> tuple[Fraction, ...]:
        """Onset of every measure in quarter notes, the pick-up's included."""
        starts = [_ZERO] if self.pickup else []
        ends = [start for start, _, _ in self._stretches[1:]] + [self.length]
        for (start, _, meter), end in zip(self._stretches, ends, strict=True):
            starts += [start + i * meter.quarters for i in range(_measures(end - start, meter))]
        return tuple(starts)

    @cached_property
    def _stretches(self) -> tuple[tuple[Fraction, int, Meter], ...]:
        """Start, number of the first measure and meter of each stretch in one meter."""
        number, previous = 1, (self.pickup, self.meter_at(self.pickup))
        stretches = [(previous[0], number, previous[1])]
        for onset, meter in self.meters:
            if onset > self.pickup:
                number += _measures(onset - previous[0], previous[1])
                stretches.append((onset, number, meter))
                previous = (onset, meter)
        return tuple(stretches)


def _measures(quarters: Fraction, meter: Meter) -> int:
    """How many measures a stretch fills, a last incomplete one included."""
    return -int(-quarters // meter.quarters)


def _last_at(entries: tuple[tuple, ...], onset: Fraction) -> int:
    """Index of the last entry that begins at or before ``onset``, else the first."""
    return max(0, bisect_right(entries, onset, key=lambda entry: entry[0]) - 1)
