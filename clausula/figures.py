r"""Figured bass: which notes figures ask for above a bass.

Conventions: figures are numbers, highest first, between spaces or commas, as in ``"6 5"`` or
``"7 #"``. A number is the interval above the bass in the notes of the key signature; ``#``, ``b``
and ``n`` before or after it (and ``+`` or a stroke, written ``\``) alter it; an accidental alone
belongs to the third. Figures that are left out are those that musicians add: ``6`` means ``6 3``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from clausula.chords import tone
from clausula.errors import InputError
from clausula.pitch import LETTER_SEMITONES, SpelledPitch

_SHARPS = "FCGDAEB"
_FIGURE = re.compile(r"([#bnx+-]*)(\d*)([#bn+\\|]*)")
# What is meant besides the figures that are written, by the figures that are.
_COMPLETED: tuple[tuple[set[int], tuple[int, ...]], ...] = (
    ({2}, (4, 6)),
    ({4, 3}, (6,)),
    ({6, 5}, (3,)),
    ({6, 4}, ()),
    ({6}, (3,)),
    ({5, 4}, ()),
    ({4}, (5,)),
    ({7}, (3, 5)),
    ({9}, (3, 5)),
    ({8}, (3, 5)),
    ({5}, (3,)),
    ({3}, (5,)),
    (set(), (3, 5)),
)


def tones_of(figures: str, bass: SpelledPitch, fifths: int) -> frozenset[int]:
    """The tones (``chords.tone``) that figures ask for, the bass included.

    Args:
        figures: as written, empty for a plain triad.
        bass: the note below them.
        fifths: sharps (positive) or flats of the key signature.

    Raises:
        InputError: something that is no figure.
    """
    written = [_parsed(text) for text in re.split(r"[\s,]+", figures.strip()) if text]
    numbers = {_within(number) for number, _ in written}
    meant = next(more for needed, more in _COMPLETED if needed <= numbers)
    every = [*written, *((number, None) for number in meant if number not in numbers)]
    found = {tone(bass.semitone, bass.step)}
    return frozenset(found | {_above(number, sign, bass, fifths) for number, sign in every})


def _within(number: int) -> int:
    """The figure within an octave and a second: 10 is 3."""
    return number if number <= 9 else (number - 1) % 7 + 1


def _parsed(text: str) -> tuple[int, str | None]:
    """A figure's number and accidental, none where it has none."""
    found = _FIGURE.fullmatch(text)
    if not found or not text.strip():
        raise InputError(f"{text!r} is no figure; write 6, 6 5, #6, 4 3 or #")
    sign = (found[1] + found[3]) or None
    number = int(found[2] or 3)
    if not found[2] and sign is None:
        raise InputError(f"{text!r} is no figure; write 6, 6 5, #6, 4 3 or #")
    if not 1 <= number <= 14:
        raise InputError(f"{text!r} is no figure: numbers go from 1 to 14")
    return number, sign


def _above(number: int, sign: str | None, bass: SpelledPitch, fifths: int) -> int:
    letter = (bass.step + number - 1) % 7
    own = _signature_alter(letter, fifths)
    alter = own
    if sign is not None:
        first = sign[0]
        if first == "n":
            alter = 0
        elif first == "b" or first == "-":
            alter = -1 if own >= 0 else own - 1
        elif first in "+\\|":
            alter = own + 1  # a stroke raises whatever is there
        else:
            alter = 1 if own <= 0 else own + 1
    return tone(int(LETTER_SEMITONES[letter]) + alter, letter)


def _signature_alter(letter: int, fifths: int) -> int:
    """Sharps (positive) or flats that a key signature puts before a letter."""
    place = _SHARPS.index("CDEFGAB"[letter])
    if fifths > 0:
        return int(np.floor_divide(fifths - 1 - place, 7) + 1) if place < fifths else 0
    return -int(np.floor_divide(-fifths - 1 - (6 - place), 7) + 1) if 6 - place < -fifths else 0


def understood(figures: Sequence[str]) -> float:
    """The share of some figures that can be read."""
    good = 0
    for text in figures:
        try:
            tones_of(text, SpelledPitch(48, 21), 0)
        except InputError:
            continue
        good += 1
    return good / len(figures) if figures else 1.0
