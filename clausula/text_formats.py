"""What music21 reads wrongly or without end in kern and ABC: refused beforehand, by its line."""

from __future__ import annotations

import re
from itertools import groupby

from clausula.errors import InputError
from clausula.limits import (
    MOST_ABC_BARS,
    MOST_ABC_LETTERS,
    MOST_BEATS,
    MOST_KERN_LINES,
    MOST_KERN_TOKENS,
    echoed,
    refuse_many,
)

_KERN_METER = re.compile(r"^\*M(\d+)", re.ASCII)
_ABC_FIELD = re.compile(r"^[A-Za-z+]:")
_ABC_START = re.compile(r"^X:", re.MULTILINE)
_ABC_METER = re.compile(r"^M:\s*(\d+)", re.ASCII)
_QUOTED = re.compile(r'"[^"]*"|%.*')
_LONG_NUMBER = re.compile(r"\d{4,}", re.ASCII)


def refuse_odd_kern(text: str) -> None:
    """Refuse kern whose lines do not fill its spines, with a meter that is none, or too long.

    Raises:
        InputError: names the line.
    """
    spines = lines = filled = 0
    for number, line in enumerate(text.splitlines(), start=1):
        tokens = line.rstrip().split("\t")
        if not line.strip() or line.startswith("!!"):
            continue
        if not spines:
            spines = len(tokens) if line.startswith("**") else 0
            continue
        if len(tokens) != spines:
            raise InputError(
                f"line {number} fills {len(tokens)} spines, where {spines} are open; try mending it"
            )
        lines, filled = lines + 1, filled + spines
        for token in tokens:
            _refuse_beats(_KERN_METER.match(token), number)
        spines += _more_spines(tokens)
    refuse_many(lines, MOST_KERN_LINES, "lines of music")
    refuse_many(filled, MOST_KERN_TOKENS, "tokens of music")


def _more_spines(tokens: list[str]) -> int:
    """How many spines a line opens, less those it ends or joins."""
    joined = sum(len(list(run)) - 1 for token, run in groupby(tokens) if token == "*v")
    return tokens.count("*^") + tokens.count("*+") - tokens.count("*-") - joined


def first_tune(text: str) -> str:
    """An ABC file as far as its first tune goes: up to the second field ``X:``."""
    starts = [found.start() for found in _ABC_START.finditer(text)]
    return text[: starts[1]] if len(starts) > 1 else text


def refuse_odd_abc(text: str) -> None:
    """Refuse ABC that is too long, or with a meter that is none or a note of a thousand units.

    Raises:
        InputError: names the line.
    """
    refuse_many(text.count("|"), MOST_ABC_BARS, "bar lines")
    refuse_many(len(text), MOST_ABC_LETTERS, "letters in a tune")
    for number, line in enumerate(text.splitlines(), start=1):
        _refuse_beats(_ABC_METER.match(line), number)
        if _ABC_FIELD.match(line) and not line.startswith(("M:", "L:")):
            continue
        long = _LONG_NUMBER.search(_QUOTED.sub("", line))
        if long:
            raise InputError(
                f"line {number}: {echoed(long[0])} is too large a number; try a shorter note"
            )


def _refuse_beats(meter: re.Match[str] | None, line: int) -> None:
    if meter and (len(meter[1]) > 4 or not 0 < int(meter[1]) <= MOST_BEATS):
        raise InputError(
            f"line {line}: a meter of {echoed(meter[1])} beats is none; "
            f"try one of 1 to {MOST_BEATS}"
        )
