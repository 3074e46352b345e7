"""Keys inferred from what sounds: the home key of a piece, the local key of each phrase.

Conventions: points are those of ``clausula.key_finding``, in units of correlation. A phrase leaves
the home key only for a key whose leading tone it sounds, one accidental away from the home key, or
from a new signature, at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from clausula.key_finding import KEYS, close, key_points, led_to, profile, sound_of
from clausula.pitch import Key
from clausula.slices import Slices

_NAMED = 0.15  # the file gives tonic and mode, not only a signature
_SHARPNESS = 0.1  # points that make a key e times as likely as another
_PHRASE_CLOSE = 0.3  # share of its weight that a close has in a phrase, which may end anywhere


def home_key(slices: Slices) -> tuple[Key, float]:
    """The key of a whole piece, and how likely it is among all keys (0 to 1)."""
    score = slices.score
    written = score.key_at(Fraction(0))
    # A signature without accidentals is also what a file without any signature looks like.
    points = key_points(sound_of(score), written.fifths or None)
    if score.key_given:
        points = points + _NAMED * np.array([key == written for key in KEYS])
    best = int(np.argmax(points))
    odds = np.exp((points - points[best]) / _SHARPNESS)
    return KEYS[best], float(1 / odds.sum())


def local_keys(
    slices: Slices, home: Key, phrase_ends: Sequence[Fraction]
) -> tuple[tuple[Fraction, Key], ...]:
    """``(onset, key)`` wherever the key changes, from the first slice on.

    Args:
        slices: the piece.
        home: its home key.
        phrase_ends: where phrases end, in quarter notes; the last is the end of the piece.
    """
    keys: list[tuple[Fraction, Key]] = []
    start = 0
    for end in phrase_ends:
        stop = start + sum(onset < end for onset in slices.onset[start:])
        if stop == start:
            continue
        key = _phrase_key(slices, home, start, stop)
        if not keys or key != keys[-1][1]:
            keys.append((slices.onset[start], key))
        start = stop
    return tuple(keys)


def _phrase_key(slices: Slices, home: Key, start: int, stop: int) -> Key:
    """The key of the slices from ``start`` to ``stop``; what ends on the tonic ends at home."""
    begin, end = slices.onset[start], slices.onset[stop - 1] + slices.duration[stop - 1]
    sound = sound_of(slices.score, begin, end)
    whole = start == 0 and stop == len(slices)
    if whole or (stop == len(slices) and sound.last.bass == home.tonic_pc):
        return home
    centre = _signature_at(slices, home, begin)
    near = [key for key in KEYS if abs(key.fifths - centre) <= 1 and led_to(key, sound)]
    return max(
        [home, *near], key=lambda key: profile(key, sound) + _PHRASE_CLOSE * close(key, sound)
    )


def _signature_at(slices: Slices, home: Key, onset: Fraction) -> int:
    """Sharps or flats around which local keys lie: the home key's until the signature changes."""
    changes = slices.score.keys[1:]
    changed = changes and onset >= changes[0][0]
    return slices.score.key_at(onset).fifths if changed else home.fifths
