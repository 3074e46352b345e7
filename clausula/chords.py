"""Chords as they are named in a key: Roman numerals with figures, and the tones they are made of.

Conventions: a *tone* is a spelled pitch class, ``7 * pitch class + letter``; G sharp and A flat are
two tones. A numeral's case says major or minor, ``o`` diminished, ``ø`` half-diminished, ``+``
augmented; in minor, V and vii have the raised seventh degree. ``V7/IV`` is the dominant seventh of
the fourth degree. Figures say the inversion: ``6 64`` of triads, ``7 65 43 42`` of sevenths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, cached_property
from typing import TypeVar

import numpy as np

from clausula.errors import InputError
from clausula.pitch import LETTER_SEMITONES, LETTERS, SCALE, Key, Mode, accidental

N_TONES = 84
NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_FIGURES = {3: ("", "6", "64"), 4: ("7", "65", "43", "42")}


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


_Number = TypeVar("_Number", int, np.ndarray)


def tone(semitone: _Number, letter: _Number) -> _Number:
    """The tone of a MIDI number or pitch class and a letter or diatonic number, or of arrays."""
    return 7 * (semitone % 12) + letter % 7


def tone_name(each: int) -> str:
    """A tone's letter and accidental, such as ``"F#"``."""
    letter = each % 7
    return LETTERS[letter] + accidental((each // 7 - int(LETTER_SEMITONES[letter]) + 6) % 12 - 6)


def tone_names(tones: Iterable[int]) -> str:
    """Several in words: ``"G, B and D"``."""
    names = [tone_name(each) for each in tones]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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


@cache
def _chord(root: int, quality: Quality) -> Chord:
    """One object for each chord, so that its tones are worked out once."""
    return Chord(root, quality)


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
        return _chord(
            tone(key.tonic_pc + self.chroma, key.tonic_letter + self.degree), self.quality
        )

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
    raised = (
        key.mode is Mode.MINOR
        and degree == 6
        and quality
        in (
            Quality.DIMINISHED,
            Quality.DIMINISHED_SEVENTH,
            Quality.HALF_DIMINISHED_SEVENTH,
        )
    )
    sixth = (
        key.mode is Mode.MINOR
        and degree == 5
        and quality
        in (
            Quality.DIMINISHED,
            Quality.HALF_DIMINISHED_SEVENTH,
        )
    )
    return int(SCALE[key.mode][degree]) + (1 if raised or sixth else 0)


_SIGNS = {"": 0, "b": -1, "#": 1, "-": -1}
_INVERSIONS = {
    "": (3, 0), "5": (3, 0), "53": (3, 0), "6": (3, 1), "63": (3, 1), "64": (3, 2),
    "7": (4, 0), "65": (4, 1), "43": (4, 2), "643": (4, 2),
    "42": (4, 3), "2": (4, 3), "642": (4, 3),
}  # fmt: skip
_WRITTEN = re.compile(
    r"([b#-]?)([IViv]+)(/?o|/?ø|/o|°|\+)?(M|maj)?([\d/]*?)(?:/([b#-]?)([IViv]+))?"
)
_SIXTH_NAMES = {
    "It": Quality.ITALIAN_SIXTH,
    "Ger": Quality.GERMAN_SIXTH,
    "Fr": Quality.FRENCH_SIXTH,
}


def parse_numeral(text: str, key: Key) -> Numeral:
    """Read a Roman numeral as a chord of a key: ``V65``, ``vii°7/V``, ``bII6``, ``N6``, ``Ger65``.

    Raises:
        InputError: it is none.
    """
    name = text.strip().replace("\N{DEGREE SIGN}", "o").replace("\N{MUSIC FLAT SIGN}", "b")
    sixth = re.fullmatch(r"(It|Ger|Fr)\+?[\d/]*", name)
    if sixth:
        return Numeral(5, 8, _SIXTH_NAMES[sixth[1]])
    neapolitan = re.fullmatch(r"N([\d/]*)", name)
    if neapolitan:
        name = f"bII{neapolitan[1]}"
    found = _WRITTEN.fullmatch(name)
    numeral = found and _numeral(found, key)
    if not numeral:
        raise InputError(f"{text!r} is no Roman numeral; write V65, ii6, vii°7/V, N6 or Ger65")
    return numeral


def _numeral(found: re.Match[str], key: Key) -> Numeral | None:
    sign, letters, mark, major, figures, of_sign, of_letters = (
        each or "" for each in found.groups()
    )
    size, inversion = _INVERSIONS.get(figures.replace("/", ""), (0, 0))
    if (
        not size
        or letters.upper() not in NUMERALS
        or (of_letters and of_letters.upper() not in NUMERALS)
    ):
        return None
    degree = NUMERALS.index(letters.upper())
    if of_letters:
        target = NUMERALS.index(of_letters.upper())
        goal = key.transpose(target)
        mode = Mode.MINOR if of_letters.islower() else Mode.MAJOR
        pc = (goal.tonic_pc + _SIGNS[of_sign]) % 12
        inner = _quality_and_root(
            Key(pc, goal.tonic_letter, mode), sign, letters, mark, major, size
        )
        chord = (inner.chroma + pc - key.tonic_pc) % 12
        return replace(
            inner, degree=(degree + target) % 7, chroma=chord, of=target, inversion=inversion
        )
    return replace(_quality_and_root(key, sign, letters, mark, major, size), inversion=inversion)


def _quality_and_root(
    key: Key, sign: str, letters: str, mark: str, major: str, size: int
) -> Numeral:
    degree, small = NUMERALS.index(letters.upper()), letters.islower()
    quality = _quality(
        key, degree, small, mark.lstrip("/") if mark != "/o" else "ø", bool(major), size
    )
    chroma = _usual_root(key, degree, quality) + _SIGNS[sign]
    return Numeral(degree, chroma % 12, quality)


def _quality(key: Key, degree: int, small: bool, mark: str, major: bool, size: int) -> Quality:
    """The quality that a numeral's case, mark and figures say, its seventh being the key's own."""
    if mark == "+":
        return Quality.AUGMENTED if size == 3 else Quality.AUGMENTED_SEVENTH
    if mark == "o":
        return Quality.DIMINISHED if size == 3 else Quality.DIMINISHED_SEVENTH
    if mark == "ø":
        return Quality.DIMINISHED if size == 3 else Quality.HALF_DIMINISHED_SEVENTH
    if size == 3:
        return Quality.MINOR if small else Quality.MAJOR
    own = (int(SCALE[key.mode][(degree + 6) % 7]) - int(SCALE[key.mode][degree])) % 12
    wide = major or (own == 11 and degree != 4)
    if small:
        return Quality.MINOR_MAJOR_SEVENTH if major else Quality.MINOR_SEVENTH
    return Quality.MAJOR_SEVENTH if wide else Quality.DOMINANT_SEVENTH
