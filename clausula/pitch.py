"""Spelled pitches and keys.

Conventions: ``semitone`` is the MIDI number (middle C = 60); ``step`` is the diatonic number
``7 * octave + letter`` with C = 0 … B = 6 and scientific octaves, so middle C has step 28. A pitch
is the pair, an interval is the difference of two pairs: a perfect fifth is (7 mod 12, 4 mod 7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from clausula.errors import InputError

LETTERS = "CDEFGAB"
LETTER_SEMITONES = np.array([0, 2, 4, 5, 7, 9, 11])
_ACCIDENTALS = {"": 0, "#": 1, "##": 2, "b": -1, "bb": -2, "-": -1, "--": -2}


class Mode(StrEnum):
    """Major or minor."""

    MAJOR = "major"
    MINOR = "minor"


class SpelledPitch(NamedTuple):
    """A pitch as written: ``semitone`` (MIDI number) and ``step`` (7 * octave + letter)."""

    semitone: int
    step: int

    @property
    def letter(self) -> str:
        """The note's letter, ``"C"`` to ``"B"``."""
        return LETTERS[self.step % 7]

    @property
    def octave(self) -> int:
        """The scientific octave number of the written letter."""
        return self.step // 7

    @property
    def alter(self) -> int:
        """Sharps (positive) or flats (negative) before the letter, in semitones."""
        return int(self.semitone - 12 * (self.octave + 1) - LETTER_SEMITONES[self.step % 7])

    @property
    def name(self) -> str:
        """Letter, accidentals and octave, such as ``"F#4"`` or ``"Bb3"``."""
        return f"{self.letter}{accidental(self.alter)}{self.octave}"

    @classmethod
    def parse(cls, text: str) -> SpelledPitch:
        """Read ``"F#4"``, ``"Bb3"`` or ``"B-3"``.

        Raises:
            InputError: the text is not a letter, accidentals and an octave.
        """
        found = re.fullmatch(r"([A-Ga-g])(#{0,2}|b{0,2}|-{0,2})(\d)", text.strip())
        if not found:
            raise InputError(
                f"{text!r} is not a pitch; write a letter, #, b or nothing, octave: F#4"
            )
        letter = LETTERS.index(found[1].upper())
        octave = int(found[3])
        semitone = 12 * (octave + 1) + int(LETTER_SEMITONES[letter]) + _ACCIDENTALS[found[2]]
        return cls(semitone, 7 * octave + letter)


def accidental(alter: int) -> str:
    """``#`` or ``b`` repeated ``|alter|`` times."""
    return "#" * alter if alter >= 0 else "b" * -alter


# Scale degree (0 = tonic) of each chromatic pitch class above the tonic, by mode: how a note is
# spelled on the grid, where only semitones are searched. Each is what the bundled chorales write
# most often: over 92 % of the time for every class but the major mode's third one, E flat in C
# (46 of 83; the rest are D sharp).
DEGREE_OF_CHROMATIC = {
    Mode.MAJOR: np.array([0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6]),
    Mode.MINOR: np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6]),
}
SCALE = {
    Mode.MAJOR: np.array([0, 2, 4, 5, 7, 9, 11]),
    Mode.MINOR: np.array([0, 2, 3, 5, 7, 8, 10]),
}


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class and letter) and a mode."""

    tonic_pc: int
    tonic_letter: int
    mode: Mode

    @classmethod
    def parse(cls, text: str, mode: str | Mode | None = None) -> Key:
        """Read ``"D"``, ``"f# minor"``, ``"Bb"``, ``"e"`` (a small letter alone means minor).

        Args:
            text: the tonic, with or without the mode.
            mode: overrides the mode that the text gives.

        Raises:
            InputError: no such key.
        """
        found = re.fullmatch(r"([A-Ga-g])(#|b|-|)\s*:?\s*(major|minor|maj|min|m|M|)", text.strip())
        if not found:
            raise InputError(f"{text[:40]!r} is not a key; try D, 'f# minor' or Bb")
        letter = LETTERS.index(found[1].upper())
        pc = int(LETTER_SEMITONES[letter] + _ACCIDENTALS[found[2]]) % 12
        named = found[3]
        if mode is not None:
            try:
                chosen = Mode(mode)
            except ValueError:
                raise InputError(f"mode {mode!r} is unknown; try major or minor") from None
        elif named:
            chosen = Mode.MINOR if named in ("minor", "min", "m") else Mode.MAJOR
        else:
            chosen = Mode.MINOR if found[1].islower() else Mode.MAJOR
        key = cls(pc, letter, chosen)
        if abs(key.fifths) > 7:
            raise InputError(
                f"{key} would need {abs(key.fifths)} accidentals in its signature; "
                "try the enharmonic key"
            )
        return key

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) in the signature."""
        natural = (0, 2, 4, -1, 1, 3, 5)[self.tonic_letter]
        alter = (self.tonic_pc - int(LETTER_SEMITONES[self.tonic_letter]) + 6) % 12 - 6
        return natural + 7 * alter - (3 if self.mode is Mode.MINOR else 0)

    @property
    def tonic_name(self) -> str:
        """The tonic's letter and accidental, such as ``"Bb"``."""
        alter = (self.tonic_pc - int(LETTER_SEMITONES[self.tonic_letter]) + 6) % 12 - 6
        return LETTERS[self.tonic_letter] + accidental(alter)

    def __str__(self) -> str:
        return f"{self.tonic_name} {self.mode.value}"

    def spell(self, semitone: np.ndarray | int) -> np.ndarray:
        """Diatonic ``step`` of MIDI numbers, as this key spells them; same shape."""
        semitone = np.asarray(semitone)
        degree = DEGREE_OF_CHROMATIC[self.mode][(semitone - self.tonic_pc) % 12]
        letter = (self.tonic_letter + degree) % 7
        # The octave follows from the letter's natural pitch lying within a tritone of the note.
        alter = (semitone - LETTER_SEMITONES[letter] + 6) % 12 - 6
        octave = (semitone - LETTER_SEMITONES[letter] - alter) // 12 - 1
        return 7 * octave + letter

    def transpose(self, degree: int) -> Key:
        """The key on another scale degree (0 = tonic, 4 = dominant), with its diatonic mode."""
        pc = (self.tonic_pc + int(SCALE[self.mode][degree % 7])) % 12
        letter = (self.tonic_letter + degree) % 7
        third = (SCALE[self.mode][(degree + 2) % 7] - SCALE[self.mode][degree % 7]) % 12
        mode = Mode.MAJOR if third == 4 else Mode.MINOR
        return Key(pc, letter, mode)
