"""Which staff stands above which, whatever their order in the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from clausula.lines import Event

_NAMES = (
    ("s", "sop", "soprano", "soprani", "sopran", "cantus", "superius", "treble"),
    ("a", "alt", "alto", "alti", "altus", "contralto"),
    ("t", "ten", "tenor", "tenore", "tenori", "ténor"),
    ("b", "bas", "bass", "bassi", "basso", "basse", "bassus"),
)
_RANKS = {name: rank for rank, names in enumerate(_NAMES) for name in names}


def choir_rank(name: str) -> int | None:
    """0 for the name of a soprano, to 3 for a bass's; None for any other."""
    return _RANKS.get(re.sub(r"[\W\d_]+", "", name).casefold())


def from_the_top(staves: Sequence[tuple[str, Sequence[Sequence[Event]]]]) -> list[int]:
    """The order of staves from the highest to the lowest; of more than four the file's own.

    Staves that are all called soprano to bass go by their names. Others keep the file's order, but
    one that lies above its predecessor whenever both sound, and never beneath, goes before it.

    Args:
        staves: name, and events of each line, of every staff.

    Returns:
        Indices into ``staves``.
    """
    order = list(range(len(staves)))
    if len(staves) > len(_NAMES):
        return order  # an orchestra, or two choirs, each in its place
    ranks = [choir_rank(name) for name, _ in staves]
    if all(rank is not None for rank in ranks):
        return sorted(order, key=lambda index: ranks[index] or 0)
    # Each pair changes places at most once, so this ends.
    moving = True
    while moving:
        moving = False
        for place in range(len(order) - 1):
            upper, lower = order[place : place + 2]
            if upper < lower and _always_above(staves[lower][1], staves[upper][1]):
                order[place], order[place + 1] = lower, upper
                moving = True
    return order


def _always_above(one: Sequence[Sequence[Event]], other: Sequence[Sequence[Event]]) -> bool:
    """Whether every note of one staff is above all notes of another that sound with it."""
    changes = sorted(
        (moment, begins, staff, event.pitch.semitone)
        for staff, lines in enumerate((one, other))
        for line in lines
        for event in line
        for moment, begins in ((event.onset, True), (event.onset + event.duration, False))
    )
    sounding: tuple[list[int], list[int]] = ([], [])
    met = False
    for _, group in groupby(changes, key=lambda change: change[0]):
        for _, begins, staff, semitone in group:
            if begins:
                sounding[staff].append(semitone)
            else:
                sounding[staff].remove(semitone)
        if sounding[0] and sounding[1]:
            met = True
            if min(sounding[0]) <= max(sounding[1]):
                return False
    return met
