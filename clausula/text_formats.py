"""What music21 reads wrongly or without end in kern and ABC: refused beforehand, by its line."""

from __future__ import annotations

import re
from itertools import groupby

from clausula.errors import InputError
from clausula.limits import MOST_BEATS, echoed

_KERN_METER = re.compile(r"^\*M(\d+)", re.ASCII)
_ABC_FIELD = re.compile(r"^[A-Za-z+]:")
_ABC_METER = re.compile(r"^M:\s*(\d+)", re.ASCII)
_QUOTED = re.compile(r'"[^"]*"|%.*')
_LONG_NUMBER = re.compile(r"\d{4,}", re.ASCII)


def refuse_odd_kern(text: str) -> None:
    """Refuse kern whose lines do not fill its spines, or with a meter that is none.

    Raises:
        InputError: names the line.
    """
    spines = 0
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
        for token in tokens:
            _refuse_beats(_KERN_METER.match(token), number)
        spines += _more_spines(tokens)


def _more_spines(tokens: list[str]) -> int:
    """How many spines a line opens, less those it ends or joins."""
    joined = sum(len(list(run)) - 1 for token, run in groupby(tokens) if token == "*v")
    return tokens.count("*^") + tokens.count("*+") - tokens.count("*-") - joined


def refuse_odd_abc(text: str) -> None:
    """Refuse ABC with a meter that is none or a note of more than 999 unit lengths.

    Raises:
        InputError: names the line.
    """
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
