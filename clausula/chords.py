"""Chords as they are named in a key: Roman numerals with figures, and the tones they are made of.

Conventions: a *tone* is a spelled pitch class, ``7 * pitch class + letter``; G sharp and A flat are
two tones. A numeral's case says major or minor, ``o`` diminished, ``ø`` half-diminished, ``+``
augmented; in minor, V and vii have the raised seventh degree. ``V7/IV`` is the dominant seventh of
the fourth degree. Figures say the inversion: ``6 64`` of triads, ``7 65 43 42`` of sevenths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

from clausula.errors import InputError
from clausula.pitch import LETTER_SEMITONES, LETTERS, SCALE, Key, Mode, accidental

N_TONES = 84
NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_FIGURES = {3: ("", "6", "64"), 4: ("7", "65", "43", "42")}
_THIRDS = ((0, 0), (0, 2), (0, 4), (0, 6))


class Quality(Enum):
    """The intervals of a chord above its root, in semitones and in steps."""

    MAJOR = ((0, 4, 7), (0, 2, 4))
    MINOR = ((0, 3, 7), (0, 2, 4))
    DIMINISHED = ((0, 3, 6), (0, 2, 4))
    AUGMENTED = ((0, 4, 8), (0, 2, 4))
    DOMINANT_SEVENTH = ((0, 4, 7, 10), (0, 2, 4, 6))
    MAJOR_SEVENTH = ((0, 4, 7, 11), (0, 2, 4, 6))
    MINOR_SEVENTH = ((0, 3, 7, 10), (0, 2, 4, 6))
    HALF_DIMINISHED_SEVENTH = ((0, 3, 6, 10), (0, 2, 4, 6))
    DIMINISHED_SEVENTH = ((0, 3, 6, 9), (0, 2, 4, 6))
    MINOR_MAJOR_SEVENTH = ((0, 3, 7, 11), (0, 2, 4, 6))
    AUGMENTED_SEVENTH = ((0, 4, 8, 11), (0, 2, 4, 6))
    # Above the lowered sixth degree, which is no root of thirds but always the bass.
    ITALIAN_SIXTH = ((0, 4, 10), (0, 2, 5))
    GERMAN_SIXTH = ((0, 4, 7, 10), (0, 2, 4, 5))
    FRENCH_SIXTH = ((0, 4, 6, 10), (0, 2, 3, 5))

    @property
    def semitones(self) -> tuple[int, ...]:
        """Of each member above the root."""
        return self.value[0]

    @property
    def steps(self) -> tuple[int, ...]:
        """Letters of each member above the root's."""
        return self.value[1]

    @property
    def minor_third(self) -> bool:
        """Whether its numeral is written small."""
        return self.semitones[1] == 3

    @property
    def augmented_sixth(self) -> bool:
        """Whether it is one of the augmented sixth chords."""
        return self.steps[-1] == 5


_MARK = {
    Quality.DIMINISHED: "o",
    Quality.DIMINISHED_SEVENTH: "o",
    Quality.HALF_DIMINISHED_SEVENTH: "ø",
    Quality.AUGMENTED: "+",
    Quality.AUGMENTED_SEVENTH: "+",
}
_SIXTHS = {
    Quality.ITALIAN_SIXTH: "It6",
    Quality.GERMAN_SIXTH: "Ger65",
    Quality.FRENCH_SIXTH: "Fr43",
}


def tone(semitone: int, letter: int) -> int:
    """The tone of a MIDI number or pitch class and a letter or diatonic number."""
    return 7 * (semitone % 12) + letter % 7


@dataclass(frozen=True)
class Chord:
    """A chord by its spelled root and quality.

    Attributes:
        root: tone.
        quality: intervals above it.
    """

    root: int
    quality: Quality

    @property
    def root_pc(self) -> int:
        """Pitch class of the root."""
        return self.root // 7

    @property
    def root_letter(self) -> int:
        """Letter of the root, C = 0."""
        return self.root % 7

    @cached_property
    def tones(self) -> tuple[int, ...]:
        """Its members: root, third, fifth and, where there is one, seventh."""
        return tuple(
            tone(self.root_pc + semitones, self.root_letter + steps)
            for semitones, steps in zip(self.quality.semitones, self.quality.steps, strict=True)
        )

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes of its members."""
        return tuple(member // 7 for member in self.tones)

    @property
    def seventh(self) -> int | None:
        """Tone of its seventh, if it has one."""
        sixth = self.quality.augmented_sixth
        return self.tones[3] if len(self.tones) == 4 and not sixth else None


@dataclass(frozen=True)
class Numeral:
    """A chord as a degree of a key.

    Attributes:
        degree: of the root, 0 = tonic.
        chroma: semitones of the root above the tonic.
        quality: of the chord.
        of: degree that an applied chord belongs to, 0 in the key itself.
        inversion: which member is in the bass, 0 the root.
    """

    degree: int
    chroma: int
    quality: Quality
    of: int = 0
    inversion: int = 0

    def chord(self, key: Key) -> Chord:
        """Its tones in a key."""
        return Chord(tone(key.tonic_pc + self.chroma, key.tonic_letter + self.degree), self.quality)

    def written(self, key: Key) -> str:
        """As musicians write it: ``V65``, ``viio7/V``, ``bII6``, ``Ger65``."""
        if self.quality in _SIXTHS:
            return _SIXTHS[self.quality]
        if self.of:
            inner = _numeral_in(key.transpose(self.of), self.chord(key), self.inversion)
            return f"{inner}/{_degree_name(key, self.of)}"
        return _numeral_in(key, self.chord(key), self.inversion)


def _degree_name(key: Key, degree: int) -> str:
    """The numeral of a key's own triad on a degree, minor's fifth being major."""
    small = key.transpose(degree).mode is Mode.MINOR and not (
        key.mode is Mode.MINOR and degree == 4
    )
    return NUMERALS[degree].lower() if small else NUMERALS[degree]


def _numeral_in(key: Key, chord: Chord, inversion: int) -> str:
    degree = (chord.root_letter - key.tonic_letter) % 7
    usual = _usual_root(key, degree, chord.quality)
    alter = (chord.root_pc - key.tonic_pc - usual + 6) % 12 - 6
    name = NUMERALS[degree].lower() if chord.quality.minor_third else NUMERALS[degree]
    size = len(chord.quality.semitones)
    figures = _FIGURES[size][inversion]
    if size == 4 and chord.quality in (Quality.MAJOR_SEVENTH, Quality.MINOR_MAJOR_SEVENTH):
        figures = ("M" + figures) if _needs_major_mark(key, degree, chord) else figures
    return f"{accidental(alter)}{name}{_MARK.get(chord.quality, '')}{figures}"


def _needs_major_mark(key: Key, degree: int, chord: Chord) -> bool:
    """Whether the major seventh is not the key's own."""
    own = (int(SCALE[key.mode][(degree + 6) % 7]) - int(SCALE[key.mode][degree])) % 12
    return own != 11


def _usual_root(key: Key, degree: int, quality: Quality) -> int:
    """Semitones above the tonic of the root that a numeral without an accidental has."""
    raised = key.mode is Mode.MINOR and degree == 6 and quality in (
        Quality.DIMINISHED,
        Quality.DIMINISHED_SEVENTH,
        Quality.HALF_DIMINISHED_SEVENTH,
    )
    sixth = key.mode is Mode.MINOR and degree == 5 and quality in (
        Quality.DIMINISHED,
        Quality.HALF_DIMINISHED_SEVENTH,
    )
    return int(SCALE[key.mode][degree]) + (1 if raised or sixth else 0)
