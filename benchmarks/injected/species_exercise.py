"""Species exercises before they are notation: a cantus firmus and one written line.

Conventions: times are eighths, a bar lasts `BAR` of them. A pitch is a *degree* (0 the final below
which the cantus is written, 7 the octave above it) and *semitones* above that final, so that an
exercise is the same in every transposition. Intervals are taken from the lower part to the upper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from clausula.constraints.example_score import modal_key
from clausula.constraints.passage import Task
from clausula.grid import Meter
from clausula.pitch import SpelledPitch
from clausula.score import Note, Part, Score
from injected.notes import Clean

BAR = 8
SCALES = {
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
}
_CONSONANT = {(0, 0), (3, 2), (4, 2), (7, 4), (8, 5), (9, 5)}
_EIGHTH = Fraction(1, 2)  # in quarters


class Tone(NamedTuple):
    """A note of the written line; ``onset`` and ``duration`` in eighths."""

    onset: int
    duration: int
    degree: int
    semitone: int

    @property
    def end(self) -> int:
        """Where it stops sounding."""
        return self.onset + self.duration


class Vertical(NamedTuple):
    """What the two parts form at a moment.

    Attributes:
        time: in eighths.
        index: of the written note that sounds.
        bar: and so the note of the cantus.
        semitone: from the lower part up to the upper; negative where they cross.
        step: the same in letters.
    """

    time: int
    index: int
    bar: int
    semitone: int
    step: int

    @property
    def kind(self) -> tuple[int, int]:
        """The interval without its octaves, taken upright where the parts cross."""
        sign = -1 if self.step < 0 else 1
        return sign * self.semitone % 12, sign * self.step % 7

    @property
    def consonant(self) -> bool:
        """Whether it is; the fourth is not."""
        return self.kind in _CONSONANT

    @property
    def fifth(self) -> bool:
        """Whether it is a perfect fifth or its compound."""
        return self.kind == (7, 4)

    @property
    def octave(self) -> bool:
        """Whether it is a unison, an octave or its compound."""
        return self.kind == (0, 0)

    @property
    def perfect(self) -> bool:
        """Whether it is either."""
        return self.fifth or self.octave


class Move(NamedTuple):
    """From a written note to the next; ``index`` is that of the first."""

    index: int
    step: int
    semitone: int

    @property
    def leap(self) -> bool:
        """A third or more."""
        return abs(self.step) > 1


@dataclass(frozen=True)
class Exercise:
    """A cantus firmus and a line, whole or as far as it is written.

    Attributes:
        species: 1 to 5.
        mode: of `SCALES`.
        final: the letter, and accidental, of degree 0.
        octave: of degree 0.
        cantus: degrees, a bar each; empty where the line itself is the cantus.
        below: whether the cantus is the lower part.
        line: what was written.
        begun: whether ``line`` has the first note.
        ended: whether it has the last.
    """

    species: int
    mode: str
    final: str
    octave: int
    cantus: tuple[int, ...]
    below: bool
    line: tuple[Tone, ...] = ()
    begun: bool = True
    ended: bool = True

    @property
    def alone(self) -> bool:
        """Whether it is a single line."""
        return not self.cantus

    @property
    def last_bar(self) -> int:
        """Number of the last bar, from 0."""
        return (len(self.cantus) or len(self.line)) - 1

    def natural(self, degree: int) -> int:
        """Semitones of a degree of the mode above degree 0."""
        return 12 * (degree // 7) + SCALES[self.mode][degree % 7]

    @cached_property
    def sung(self) -> tuple[tuple[int, int], ...]:
        """Degree and semitones of each note of the cantus, its last leading tone raised."""
        notes = [(degree, self.natural(degree)) for degree in self.cantus]
        if len(notes) > 1 and notes[-2][0] - notes[-1][0] == -1 and self.mode != "phrygian":
            notes[-2] = (notes[-2][0], notes[-1][1] - 1)
        return tuple(notes)

    @cached_property
    def verticals(self) -> tuple[Vertical, ...]:
        """One wherever either part starts a note and both sound."""
        if self.alone:
            return ()
        found = []
        for index, tone in enumerate(self.line):
            bars = range(tone.onset // BAR + 1, (tone.end - 1) // BAR + 1)
            for time in (tone.onset, *(BAR * bar for bar in bars)):
                bar = time // BAR
                degree, semitone = self.sung[bar]
                sign = 1 if self.below else -1
                interval = sign * (tone.semitone - semitone), sign * (tone.degree - degree)
                found.append(Vertical(time, index, bar, *interval))
        return tuple(found)

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """Of the written line, rests left out."""
        pairs = enumerate(zip(self.line, self.line[1:], strict=False))
        return tuple(
            Move(i, b.degree - a.degree, b.semitone - a.semitone)
            for i, (a, b) in pairs
            if a.end == b.onset
        )

    @cached_property
    def at(self) -> dict[int, Vertical]:
        """Verticals by their time."""
        return {vertical.time: vertical for vertical in self.verticals}

    @cached_property
    def crossings(self) -> tuple[tuple[Vertical, Vertical], ...]:
        """The last vertical of each bar and the first of the next, where the line moves between."""
        pairs = zip(self.verticals, self.verticals[1:], strict=False)
        return tuple((a, b) for a, b in pairs if a.bar != b.bar and a.index != b.index)

    def motion(self, a: Vertical, b: Vertical) -> tuple[int, int]:
        """Semitones that the written part and the cantus move."""
        written = self.line[b.index].semitone - self.line[a.index].semitone
        return written, self.sung[b.bar][1] - self.sung[a.bar][1]

    def similar(self, a: Vertical, b: Vertical) -> bool:
        """Whether both parts move the same way."""
        written, cantus = self.motion(a, b)
        return written * cantus > 0

    def contrary(self, a: Vertical, b: Vertical) -> bool:
        """Whether both parts move, against one another."""
        written, cantus = self.motion(a, b)
        return written * cantus < 0

    def tail(self, notes: int) -> Exercise:
        """Its last notes alone."""
        if len(self.line) <= notes:
            return self
        return replace(self, line=self.line[-notes:], begun=False)

    @property
    def name(self) -> str:
        """What a person would call it."""
        where = "alone" if self.alone else "cantus below" if self.below else "cantus above"
        return f"species {self.species}, {self.final} {self.mode}, {where}"

    def passage(self) -> Clean:
        """The exercise in notation, with the task that was set."""
        key, signature = modal_key(f"{self.final} {self.mode}")
        bottom = SpelledPitch.parse(f"{self.final}{self.octave}")
        cantus = tuple(Tone(BAR * bar, BAR, *pitch) for bar, pitch in enumerate(self.sung))
        lines = [self.line] if self.alone else [self.line, cantus]
        if not self.alone and not self.below:
            lines.reverse()
        letters = "B" if self.alone else "SB"
        parts = tuple(
            _part(letter, line, bottom) for letter, line in zip(letters, lines, strict=True)
        )
        place = int(self.below) if not self.alone else 0
        zero = Fraction(0)
        score = Score(parts, ((zero, Meter.parse("4/4")),), ((zero, signature),))
        name = f"{self.final} {key.mode.value}"
        task = Task(species=self.species, cantus=place)
        return Clean(score, name, (), (), task)


def _part(letter: str, line: tuple[Tone, ...], bottom: SpelledPitch) -> Part:
    notes = (
        Note(
            f"{letter}{i}",
            tone.onset * _EIGHTH,
            tone.duration * _EIGHTH,
            SpelledPitch(bottom[0] + tone.semitone, bottom[1] + tone.degree),
        )
        for i, tone in enumerate(line, 1)
    )
    return Part(letter, tuple(notes), "treble" if letter == "S" else "bass")
