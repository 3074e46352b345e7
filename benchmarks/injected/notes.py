"""What is handed to the checker: a passage in notation, and what was done to it.

Conventions: pitches are pairs ``(semitone, step)`` as in ``clausula.pitch``; times are quarter
notes from the start of the piece, pick-up included; voices are letters, soprano first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from clausula.constraints.passage import Task
from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score
from injected.chord_table import Harmony, Tone

VOICES = "SATB"
_NAMES = ("Soprano", "Alto", "Tenor", "Bass")
_CLEFS = ("treble", "treble", "treble8vb", "bass")
Pitches = tuple[SpelledPitch, ...]


@dataclass(frozen=True)
class Event:
    """A note of one voice before it has an id."""

    onset: Fraction
    duration: Fraction
    pitch: SpelledPitch

    @property
    def end(self) -> Fraction:
        """Where it stops sounding, in quarters."""
        return self.onset + self.duration


Lines = tuple[tuple[Event, ...], ...]


@dataclass(frozen=True)
class Frame:
    """Key and time of a passage: everything but its chords.

    Attributes:
        key: home key, which never changes.
        meter: time signature.
        pickup: quarters before the first downbeat.
    """

    key: Key
    meter: Meter
    pickup: Fraction

    @property
    def minor(self) -> bool:
        """Whether the mode is."""
        return self.key.mode.value == "minor"

    def tone(self, pitch: SpelledPitch) -> Tone:
        """A pitch relative to the tonic."""
        return (pitch[0] - self.key.tonic_pc) % 12, (pitch[1] - self.key.tonic_letter) % 7

    def strong(self, onset: Fraction) -> bool:
        """Whether it is beat 1, or beat 3 of four."""
        place = (onset - self.pickup) % self.meter.quarters
        return place == 0 or (self.meter.numerator == 4 and place == 2)


@dataclass(frozen=True)
class Slot:
    """One chord of a passage, as four pitches.

    Attributes:
        onset: in quarters.
        duration: in quarters.
        chord: what was meant.
        pitches: soprano first.
        fermata: whether a phrase ends on it.
    """

    onset: Fraction
    duration: Fraction
    chord: Harmony
    pitches: Pitches
    fermata: bool = False


@dataclass(frozen=True)
class Clean:
    """A passage whose harmony is known.

    Attributes:
        score: with note ids ``S1``, ``S2`` …
        key: as ``Key.parse`` reads it.
        numerals: onset in quarters and numeral of every chord.
        figures: onset in quarters and figures of every bass note that has some.
        task: what the writer was asked to do.
    """

    score: Score
    key: str
    numerals: tuple[tuple[Fraction, str], ...]
    figures: tuple[tuple[Fraction, str], ...]
    task: Task = field(default_factory=Task)


@dataclass(frozen=True)
class Injected:
    """A passage with one fault, or with something that only looks like it.

    Attributes:
        code: the rule.
        clean: the passage; in spite of the field's name the fault is in it.
        measure: of the fault, 0 being the pick-up.
        beat: of the fault, from 1, in the meter's unit.
        voices: letters of the voices concerned.
        accepted: every measure and beat that names the fault as well: where a fault spans two
            verticalities, both.
        other: codes that this construction breaks as well and cannot help breaking.
        words: what was done.
    """

    code: str
    clean: Clean
    measure: int
    beat: Fraction
    voices: str
    accepted: tuple[tuple[int, Fraction], ...]
    other: frozenset[str]
    words: str


def lines_of(slots: tuple[Slot, ...]) -> Lines:
    """Each voice's notes, one a chord."""
    return tuple(
        tuple(Event(slot.onset, slot.duration, slot.pitches[voice]) for slot in slots)
        for voice in range(4)
    )


def score_of(frame: Frame, lines: Lines, fermatas: frozenset[Fraction] = frozenset()) -> Score:
    """Lines in notation.

    Args:
        frame: key, meter and pick-up.
        lines: soprano first.
        fermatas: ends, in quarters, of the notes that have one.
    """
    parts = tuple(
        Part(
            name,
            tuple(
                Note(f"{letter}{i}", e.onset, e.duration, e.pitch, fermata=e.end in fermatas)
                for i, e in enumerate(line, 1)
            ),
            clef,
        )
        for letter, name, clef, line in zip(VOICES, _NAMES, _CLEFS, lines, strict=True)
    )
    return Score(
        parts, ((Fraction(0), frame.meter),), ((Fraction(0), frame.key),), pickup=frame.pickup
    )


def sounding(lines: Lines, onset: Fraction) -> Pitches:
    """The four pitches at a moment at which every voice sounds."""
    return tuple(next(e.pitch for e in line if e.onset <= onset < e.end) for line in lines)


def onsets(lines: Lines) -> list[Fraction]:
    """Every moment at which some voice starts a note, in quarters."""
    return sorted({event.onset for line in lines for event in line})
