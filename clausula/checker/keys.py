"""Keys inferred from what sounds: the home key of a piece, the local key of each phrase.

Conventions: every candidate key is given points, in units of correlation, by several witnesses. The
*profile*: correlation of the quarters that each pitch class sounds with the mode's profile. The
*close*: the last chord is the key's tonic triad, or the major triad on its dominant. The
*signature*: the key's own accidentals, or nearly. A phrase leaves the home key only for a key whose
leading tone it sounds, one accidental away from the home key, or from a new signature, at most.

References: the profiles are those of D. Temperley, after the Kostka-Payne harmony textbook, as
music21 gives them (``analysis.discrete.TemperleyKostkaPayne``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.grid import REST
from clausula.pitch import LETTER_SEMITONES, Key, Mode
from clausula.slices import Slices

_PROFILES = {
    Mode.MAJOR: np.array(
        [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400]
    ),
    Mode.MINOR: np.array(
        [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330]
    ),
}
_TONIC_CLOSE = 0.15
_PICARDY_CLOSE = 0.1
_HALF_CLOSE = 0.1
_LAST_CLOSE = 2.0  # a piece's close weighs more than a phrase's, which may end anywhere
_SIGNATURE = 0.1  # for each accidental of difference, taken away
_NAMED = 0.15  # the file gives tonic and mode, not only a signature
_SHARPNESS = 0.08  # points that make a key e times as likely as another


class _Sound(NamedTuple):
    """What a passage sounds: quarters by pitch class, and the pitch classes of its last chord."""

    quarters: np.ndarray
    bass: int
    chord: frozenset[int]


def home_key(slices: Slices) -> tuple[Key, float]:
    """The key of a whole piece, and how likely it is among all keys (0 to 1)."""
    score = slices.score
    written = score.key_at(Fraction(0))
    sound = _sound(slices, 0, len(slices))
    candidates = _all_keys()
    points = [
        _profile(key, sound)
        + _LAST_CLOSE * _close(key, sound)
        - _SIGNATURE * min(abs(key.fifths - written.fifths), 4)
        + (_NAMED if score.key_given and key == written else 0.0)
        for key in candidates
    ]
    best = int(np.argmax(points))
    odds = np.exp((np.array(points) - points[best]) / _SHARPNESS)
    return candidates[best], float(1 / odds.sum())


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
    sound = _sound(slices, start, stop)
    whole = start == 0 and stop == len(slices)
    if whole or (stop == len(slices) and sound.bass == home.tonic_pc):
        return home
    centre = _signature_at(slices, home, slices.onset[start])
    near = [key for key in _all_keys() if abs(key.fifths - centre) <= 1 and _led_to(key, sound)]
    return max([home, *near], key=lambda key: _profile(key, sound) + _close(key, sound))


def _led_to(key: Key, sound: _Sound) -> bool:
    """Whether the key's leading tone sounds: without it nothing has left the home key."""
    return bool(sound.quarters[(key.tonic_pc + 11) % 12])


def _signature_at(slices: Slices, home: Key, onset: Fraction) -> int:
    """Sharps or flats around which local keys lie: the home key's until the signature changes."""
    changes = slices.score.keys[1:]
    changed = changes and onset >= changes[0][0]
    return slices.score.key_at(onset).fifths if changed else home.fifths


def _all_keys() -> list[Key]:
    """Every key of at most seven accidentals, the plainest signatures first."""
    keys = [
        Key(int(LETTER_SEMITONES[letter] + alter) % 12, letter, mode)
        for mode in Mode
        for letter in range(7)
        for alter in (-1, 0, 1)
    ]
    return sorted((key for key in keys if abs(key.fifths) <= 7), key=lambda key: abs(key.fifths))


def _sound(slices: Slices, start: int, stop: int) -> _Sound:
    quarters = np.zeros(12)
    rows = slices.semitone[start:stop]
    durations = np.array([float(duration) for duration in slices.duration[start:stop]])
    for voice in range(slices.n_voices):
        heard = rows[:, voice] != REST
        np.add.at(quarters, rows[heard, voice] % 12, durations[heard])
    last = next(row[row != REST] for row in rows[::-1] if (row != REST).any())
    return _Sound(quarters, int(last.min()) % 12, frozenset(int(pitch) % 12 for pitch in last))


def _profile(key: Key, sound: _Sound) -> float:
    if np.ptp(sound.quarters) == 0:
        return 0.0
    profile = np.roll(_PROFILES[key.mode], key.tonic_pc)
    return float(np.corrcoef(profile, sound.quarters)[0, 1])


def _close(key: Key, sound: _Sound) -> float:
    """Points for the last chord; a major third closes minor pieces too."""
    above_tonic = {(pitch - key.tonic_pc) % 12 for pitch in sound.chord}
    bass = (sound.bass - key.tonic_pc) % 12
    third = 4 if key.mode is Mode.MAJOR else 3
    if bass == 0 and third in above_tonic:
        return _TONIC_CLOSE
    if bass == 0 and not above_tonic & {3, 4}:
        return _PICARDY_CLOSE
    if bass == 0 and key.mode is Mode.MINOR:
        return _PICARDY_CLOSE
    if bass == 7 and 11 in above_tonic and above_tonic <= {7, 11, 2, 5}:
        return _HALF_CLOSE
    return 0.0
