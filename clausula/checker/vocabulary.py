"""Which chords a key has, how usual each is, and what follows what.

Costs are nats, set by hand; those of ``harmony.Costs`` were tuned beside them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from clausula.chords import Numeral, Quality
from clausula.pitch import SCALE, Mode

Q = Quality


class Function(IntEnum):
    """What a chord does in its key; an applied chord does it to the degree it leads to."""

    TONIC = 0
    PREDOMINANT = 1
    DOMINANT = 2
    MEDIANT = 3
    SUBMEDIANT = 4
    TO_SECOND = 5
    TO_THIRD = 6
    TO_FOURTH = 7
    TO_FIFTH = 8
    TO_SIXTH = 9
    TO_SEVENTH = 10


class Entry(NamedTuple):
    """A chord of a key."""

    numeral: Numeral
    function: Function
    cost: float


def _own(degree: int, chroma: int, quality: Quality, function: Function, cost: float) -> Entry:
    return Entry(Numeral(degree, chroma, quality), function, cost)


_F = Function
_MAJOR = (
    _own(0, 0, Q.MAJOR, _F.TONIC, 0.0),
    _own(0, 0, Q.MAJOR_SEVENTH, _F.TONIC, 2.5),
    _own(1, 2, Q.MINOR, _F.PREDOMINANT, 0.8),
    _own(1, 2, Q.MINOR_SEVENTH, _F.PREDOMINANT, 0.9),
    _own(2, 4, Q.MINOR, _F.MEDIANT, 1.8),
    _own(2, 4, Q.MINOR_SEVENTH, _F.MEDIANT, 3.0),
    _own(3, 5, Q.MAJOR, _F.PREDOMINANT, 0.6),
    _own(3, 5, Q.MAJOR_SEVENTH, _F.PREDOMINANT, 2.2),
    _own(4, 7, Q.MAJOR, _F.DOMINANT, 0.2),
    _own(4, 7, Q.DOMINANT_SEVENTH, _F.DOMINANT, 0.4),
    _own(5, 9, Q.MINOR, _F.SUBMEDIANT, 0.7),
    _own(5, 9, Q.MINOR_SEVENTH, _F.SUBMEDIANT, 2.0),
    _own(6, 11, Q.DIMINISHED, _F.DOMINANT, 0.8),
    _own(6, 11, Q.HALF_DIMINISHED_SEVENTH, _F.DOMINANT, 1.8),
    _own(6, 11, Q.DIMINISHED_SEVENTH, _F.DOMINANT, 2.8),
    _own(3, 5, Q.MINOR, _F.PREDOMINANT, 3.0),
    _own(1, 2, Q.DIMINISHED, _F.PREDOMINANT, 3.2),
    _own(1, 2, Q.HALF_DIMINISHED_SEVENTH, _F.PREDOMINANT, 3.0),
    _own(0, 0, Q.MINOR, _F.TONIC, 3.5),
    _own(5, 8, Q.MAJOR, _F.SUBMEDIANT, 4.0),
    _own(2, 3, Q.MAJOR, _F.MEDIANT, 4.5),
    _own(6, 10, Q.MAJOR, _F.PREDOMINANT, 3.5),
    _own(1, 1, Q.MAJOR, _F.PREDOMINANT, 4.5),
    _own(4, 7, Q.AUGMENTED, _F.DOMINANT, 4.5),
    _own(5, 8, Q.ITALIAN_SIXTH, _F.TO_FIFTH, 4.5),
    _own(5, 8, Q.GERMAN_SIXTH, _F.TO_FIFTH, 4.5),
    _own(5, 8, Q.FRENCH_SIXTH, _F.TO_FIFTH, 4.5),
)
_MINOR = (
    _own(0, 0, Q.MINOR, _F.TONIC, 0.0),
    _own(0, 0, Q.MINOR_SEVENTH, _F.TONIC, 2.5),
    _own(0, 0, Q.MAJOR, _F.TONIC, 2.2),
    _own(1, 2, Q.DIMINISHED, _F.PREDOMINANT, 0.9),
    _own(1, 2, Q.HALF_DIMINISHED_SEVENTH, _F.PREDOMINANT, 0.8),
    _own(1, 2, Q.MINOR, _F.PREDOMINANT, 3.0),
    _own(1, 2, Q.MINOR_SEVENTH, _F.PREDOMINANT, 3.0),
    _own(2, 3, Q.MAJOR, _F.MEDIANT, 1.2),
    _own(2, 3, Q.MAJOR_SEVENTH, _F.MEDIANT, 2.6),
    _own(2, 3, Q.AUGMENTED, _F.MEDIANT, 2.6),
    _own(3, 5, Q.MINOR, _F.PREDOMINANT, 0.6),
    _own(3, 5, Q.MINOR_SEVENTH, _F.PREDOMINANT, 1.8),
    _own(3, 5, Q.MAJOR, _F.PREDOMINANT, 1.8),
    _own(3, 5, Q.DOMINANT_SEVENTH, _F.PREDOMINANT, 3.0),
    _own(4, 7, Q.MAJOR, _F.DOMINANT, 0.2),
    _own(4, 7, Q.DOMINANT_SEVENTH, _F.DOMINANT, 0.4),
    _own(4, 7, Q.MINOR, _F.DOMINANT, 1.6),
    _own(4, 7, Q.MINOR_SEVENTH, _F.DOMINANT, 3.0),
    _own(5, 8, Q.MAJOR, _F.SUBMEDIANT, 0.9),
    _own(5, 8, Q.MAJOR_SEVENTH, _F.SUBMEDIANT, 2.0),
    _own(5, 9, Q.DIMINISHED, _F.SUBMEDIANT, 2.8),
    _own(5, 9, Q.HALF_DIMINISHED_SEVENTH, _F.SUBMEDIANT, 3.0),
    _own(6, 10, Q.MAJOR, _F.SUBMEDIANT, 1.2),
    _own(6, 10, Q.DOMINANT_SEVENTH, _F.TO_THIRD, 2.0),
    _own(6, 11, Q.DIMINISHED, _F.DOMINANT, 0.6),
    _own(6, 11, Q.DIMINISHED_SEVENTH, _F.DOMINANT, 1.0),
    _own(1, 1, Q.MAJOR, _F.PREDOMINANT, 3.5),
    _own(5, 8, Q.ITALIAN_SIXTH, _F.TO_FIFTH, 3.5),
    _own(5, 8, Q.GERMAN_SIXTH, _F.TO_FIFTH, 3.5),
    _own(5, 8, Q.FRENCH_SIXTH, _F.TO_FIFTH, 3.5),
)
_APPLIED = {
    Mode.MAJOR: {1: 1.8, 2: 3.0, 3: 1.4, 4: 1.2, 5: 1.4},
    Mode.MINOR: {2: 1.8, 3: 1.8, 4: 1.8, 5: 2.4, 6: 2.0},
}
_TO = {
    1: _F.TO_SECOND,
    2: _F.TO_THIRD,
    3: _F.TO_FOURTH,
    4: _F.TO_FIFTH,
    5: _F.TO_SIXTH,
    6: _F.TO_SEVENTH,
}


def _applied(mode: Mode) -> list[Entry]:
    found = []
    scale = SCALE[mode]
    for degree, cost in _APPLIED[mode].items():
        home = int(scale[degree])
        major = (int(scale[(degree + 2) % 7]) - home) % 12 == 4 or (
            mode is Mode.MINOR and degree == 4
        )
        for above, step, quality, dearer in (
            (7, 4, Q.MAJOR, 0.6),
            (7, 4, Q.DOMINANT_SEVENTH, 0.3),
            (11, 6, Q.DIMINISHED, 0.6),
            (11, 6, Q.DIMINISHED_SEVENTH, 1.2 if major else 0.8),
            (11, 6, Q.HALF_DIMINISHED_SEVENTH, 1.2 if major else 3.0),
        ):
            own = Numeral((degree + step) % 7, (home + above) % 12, quality, of=degree)
            found.append(Entry(own, _TO[degree], cost + dearer))
    return found


def _without_repeats(entries: list[Entry]) -> tuple[Entry, ...]:
    """The entries, of two that sound the same the first."""
    found: dict[tuple, Entry] = {}
    for entry in entries:
        n = entry.numeral
        found.setdefault((n.degree, n.chroma, n.quality), entry)
    return tuple(found.values())


VOCABULARY = {
    Mode.MAJOR: _without_repeats([*_MAJOR, *_applied(Mode.MAJOR)]),
    Mode.MINOR: _without_repeats([*_MINOR, *_applied(Mode.MINOR)]),
}


def _follows() -> np.ndarray:
    """``[F, F]`` nats that a chord of the second function costs after one of the first."""
    table = np.full((len(Function), len(Function)), 0.8)
    table[:, _F.TONIC] = 0.6
    table[_F.TO_SECOND :] = 2.2
    np.fill_diagonal(table[_F.TO_SECOND :, _F.TO_SECOND :], 0.2)
    for (first, second), nats in _USUAL.items():
        table[first, second] = nats
    return table


_USUAL = {
    (_F.TONIC, _F.PREDOMINANT): 0.0,
    (_F.TONIC, _F.DOMINANT): 0.0,
    (_F.TONIC, _F.SUBMEDIANT): 0.3,
    (_F.TONIC, _F.MEDIANT): 0.8,
    (_F.TONIC, _F.TONIC): 0.3,
    (_F.PREDOMINANT, _F.DOMINANT): 0.0,
    (_F.PREDOMINANT, _F.PREDOMINANT): 0.3,
    (_F.PREDOMINANT, _F.TONIC): 0.4,
    (_F.DOMINANT, _F.TONIC): 0.0,
    (_F.DOMINANT, _F.DOMINANT): 0.2,
    (_F.DOMINANT, _F.SUBMEDIANT): 0.4,
    (_F.DOMINANT, _F.PREDOMINANT): 1.3,
    (_F.DOMINANT, _F.MEDIANT): 1.2,
    (_F.SUBMEDIANT, _F.PREDOMINANT): 0.1,
    (_F.SUBMEDIANT, _F.DOMINANT): 0.4,
    (_F.SUBMEDIANT, _F.TONIC): 0.8,
    (_F.MEDIANT, _F.SUBMEDIANT): 0.2,
    (_F.MEDIANT, _F.PREDOMINANT): 0.3,
    (_F.TO_SECOND, _F.PREDOMINANT): 0.0,
    (_F.TO_SECOND, _F.TO_FIFTH): 0.5,
    (_F.TO_THIRD, _F.MEDIANT): 0.0,
    (_F.TO_FOURTH, _F.PREDOMINANT): 0.0,
    (_F.TO_FIFTH, _F.DOMINANT): 0.0,
    (_F.TO_FIFTH, _F.TONIC): 1.0,
    (_F.TO_SIXTH, _F.SUBMEDIANT): 0.0,
    (_F.TO_SEVENTH, _F.SUBMEDIANT): 0.5,
}
FOLLOWS = _follows()
