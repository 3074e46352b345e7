r"""Figured bass: which notes figures ask for above a bass.

Conventions: figures are numbers, highest first, between spaces, commas or strokes, or written
together where no number above 12 is meant: ``"6 5"``, ``"6/5"``, ``"65"``, ``"7 #"``. A number is
the interval above the bass in the notes of the key signature; ``#``, ``b``, ``-`` and ``n`` before
or after it (and ``+`` or a stroke through it, written ``\`` or ``|``) alter it; an accidental alone
belongs to the third. ``"4-3"`` is one figure after the other. Figures that are left out are those
that musicians add: ``6`` means ``6 3``. Marks of engraving, the extender ``_`` and kern's ``r``
(accidental on the right), say nothing about notes.

A sign has two traditions: ``#`` is a sharp, or it raises what the signature has by a half step, so
that in flat keys it makes a natural. ``readings_of`` knows both, ``tones_of`` takes the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from clausula.chords import tone
from clausula.errors import InputError
from clausula.pitch import LETTER_SEMITONES, SpelledPitch

_SHARPS = "FCGDAEB"
_FIGURE = re.compile(r"([#bnx+-]*)(\d*)([#bnx+\\|]*)")
_ALONE = re.compile(r"[#bnx+-]?[2-9][+\\|]?")
_TOGETHER = re.compile(rf"(?:{_ALONE.pattern})+")
_LARGEST, _THIRD = 14, 3
_MARKS = str.maketrans(
    {
        "\N{MUSIC SHARP SIGN}": "#",
        "\N{MUSIC FLAT SIGN}": "b",
        "\N{MUSIC NATURAL SIGN}": "n",
        "\N{EN DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "_": "",
        "r": "",
        ".": "",
        "(": "",
        ")": "",
        "[": "",
        "]": "",
    }
)
_AFTER_EACH_OTHER = re.compile(r"(?<=[\d#bnx+\\|])-+(?=[\d#bnx+])")
# Two numbers that are usually two figures after each other, though written as one stack.
_PAIRS = ({9, 8}, {4, 3}, {7, 6})


def tones_of(figures: str, bass: SpelledPitch, fifths: int) -> frozenset[int]:
    """The tones (``chords.tone``) that figures ask for, the bass included.

    Args:
        figures: as written, empty for a plain triad; all that stand after each other, ``"4-3"``,
            count.
        bass: the note below them.
        fifths: sharps (positive) or flats of the key signature.

    Raises:
        InputError: something that is no figure.
    """
    return frozenset().union(*readings_of(figures, bass, fifths)[0])


def readings_of(
    figures: str, bass: SpelledPitch, fifths: int
) -> tuple[tuple[frozenset[int], ...], ...]:
    """Every way to read some figures: each gives the tones of one figure after the other.

    The usual way comes first. Others take a sign as raising or lowering what the signature has, or
    a stack such as ``"9 8"`` as two figures after each other.

    Args:
        figures: as written, empty for a plain triad.
        bass: the note below them.
        fifths: sharps (positive) or flats of the key signature.

    Raises:
        InputError: something that is no figure.
    """
    found = [
        tuple(_tones(stack, bass, fifths, relative) for stack in stacks)
        for stacks in _ways(figures)
        for relative in (False, True)
    ]
    return tuple(dict.fromkeys(found))


def named_tones(figures: str, bass: SpelledPitch, fifths: int) -> tuple[tuple[str, int], ...]:
    """Each figure that is written, as it stands, and the tone that it names.

    Raises:
        InputError: something that is no figure.
    """
    each = dict.fromkeys(one for stack in _ways(figures)[0] for one in stack)
    return tuple(
        (_shown(number, sign), _above(number, sign, bass, fifths, False)) for number, sign in each
    )


def _shown(number: int, sign: str | None) -> str:
    """A figure as musicians write it, a sign alone for the third."""
    return sign if sign and number == _THIRD else (sign or "") + str(number)


_Stack = tuple[tuple[int, str | None], ...]


@lru_cache(maxsize=1024)
def _ways(figures: str) -> tuple[tuple[_Stack, ...], ...]:
    """The stacks of figures, one after the other, in every way to read them."""
    written = tuple(tuple(_parsed(text) for text in stack) for stack in _stacks(figures))
    ways = [written]
    if len(written) == 1 and {number for number, _ in written[0]} in _PAIRS:
        ways.append(tuple((each,) for each in written[0]))
    return tuple(ways)


def _stacks(figures: str) -> list[list[str]]:
    """The figures of each stack: ``"6-5 4-3"`` and ``"6/4-5/3"`` are two of two figures each."""
    text = figures.translate(_MARKS).strip()
    columns = [_AFTER_EACH_OTHER.split(column) for column in re.split(r"[\s,]+", text) if column]
    if sum(len(column) - 1 for column in columns) == 1:
        first, second = ([*each] for each in zip(*(c for c in columns if len(c) > 1), strict=True))
        middle = next(i for i, column in enumerate(columns) if len(column) > 1)
        left = [c[0] for c in columns[:middle]] + first
        right = second + [c[0] for c in columns[middle + 1 :]]
        if len(left) == len(right):
            return [_split(left), _split(right)]
    height = max((len(column) for column in columns), default=1)
    return [
        _split([column[min(row, len(column) - 1)] for column in columns]) for row in range(height)
    ]


def _split(texts: Sequence[str]) -> list[str]:
    """Figures that are joined by strokes, or written together, each for itself."""
    found: list[str] = []
    for text in texts:
        for part in re.split(r"/", text.rstrip("-") if text[:1].isdigit() else text):
            digits = re.search(r"\d+", part)
            if digits and int(digits[0]) > _LARGEST and _TOGETHER.fullmatch(part):
                found += _ALONE.findall(part)
            elif part:
                found.append(part)
    return found


def _within(number: int) -> int:
    """The figure within an octave and a second: 10 is 3."""
    return number if number <= 9 else (number - 1) % 7 + 1


def _parsed(text: str) -> tuple[int, str | None]:
    """A figure's number and accidental, none where it has none."""
    found = _FIGURE.fullmatch(text)
    sign = (found[1] + found[3]) if found else ""
    if not found or not (found[2] or sign):
        raise InputError(f"{text!r} is no figure; write 6, 6 5, #6, 4 3 or #")
    number = int(found[2] or _THIRD)
    if not 1 <= number <= _LARGEST:
        raise InputError(f"{text!r} is no figure: numbers go from 1 to {_LARGEST}")
    return number, sign or None


def _meant(numbers: set[int]) -> tuple[int, ...]:
    """The figures that are meant besides those that are written."""
    if 2 in numbers:
        return (4,) if numbers & {5, 7} else (4, 6)
    if {3, 4} <= numbers:
        return (6,)
    third = () if numbers & {4} else (3,)
    fifth = () if numbers & {6} else (5,)
    return (*third, *fifth)


def _tones(stack: _Stack, bass: SpelledPitch, fifths: int, relative: bool) -> frozenset[int]:
    numbers = {_within(number) for number, _ in stack}
    added: list[tuple[int, str | None]] = [(n, None) for n in _meant(numbers) if n not in numbers]
    own = tone(bass.semitone, bass.step)
    return frozenset({own, *(_above(n, s, bass, fifths, relative) for n, s in [*stack, *added])})


def _above(number: int, sign: str | None, bass: SpelledPitch, fifths: int, relative: bool) -> int:
    letter = (bass.step + number - 1) % 7
    own = _signature_alter(letter, fifths)
    alter = own if sign is None else _altered(own, sign, relative)
    return tone(int(LETTER_SEMITONES[letter]) + alter, letter)


def _altered(own: int, sign: str, relative: bool) -> int:
    """Sharps or flats before a letter whose signature has ``own``, by a figure's sign."""
    double = 2 if sign.startswith(("##", "x", "bb", "--")) else 1
    if sign[0] == "n":
        return 0
    if sign[0] in "b-":
        return own - double if relative else -double
    if sign[0] in "+\\|":
        return own + 1  # a stroke raises whatever is there
    return own + double if relative else double


def _signature_alter(letter: int, fifths: int) -> int:
    """Sharps (positive) or flats that a key signature puts before a letter."""
    place = _SHARPS.index("CDEFGAB"[letter])
    if fifths > 0:
        return int(np.floor_divide(fifths - 1 - place, 7) + 1) if place < fifths else 0
    return -int(np.floor_divide(-fifths - 1 - (6 - place), 7) + 1) if 6 - place < -fifths else 0
