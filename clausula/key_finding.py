"""The key that music sounds in.

Conventions: witnesses give every key points, in units of correlation. The *profile*: correlation of
the time that each pitch class sounds with the probe-tone profiles. The *signature*: the key's own,
or that of the modal notation of the period (D minor without its flat, G major without its sharp).
The *opening*: the first chord is the tonic. The *close*: the last bass note is the tonic and the
last chord does not deny the mode (a major third closes minor pieces too), or it is the dominant, as
half closes and Phrygian melodies end. Opening and close speak only for keys that the signature
allows and whose leading tone sounds: a Phrygian close on E without sharps is A minor's.

References: C. Krumhansl, *Cognitive Foundations of Musical Pitch* (1990), chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.pitch import LETTER_SEMITONES, Key, Mode
from clausula.score import Score

_PROFILES = {
    Mode.MAJOR: np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]),
    Mode.MINOR: np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]),
}
# What each witness adds. The close outweighs the profile's usual lead of a relative or dominant key
# (below 0.3); no other does alone.
_TONIC_CLOSE = 0.4
_CLOSING_THIRD = 0.1
_DOMINANT_CLOSE = 0.2
_OPENING = 0.2
_SIGNATURE = 0.2
_MODAL_SIGNATURE = 0.1


def _all_keys() -> list[Key]:
    """Every key of at most seven accidentals: the fewest first, sharps before flats."""
    keys = [
        Key(int(LETTER_SEMITONES[letter] + alter) % 12, letter, mode)
        for mode in Mode
        for letter in range(7)
        for alter in (-1, 0, 1)
    ]
    usual = [key for key in keys if abs(key.fifths) <= 7]
    return sorted(usual, key=lambda key: (abs(key.fifths), -key.fifths))


KEYS: Sequence[Key] = tuple(_all_keys())
"""Every key of at most seven accidentals; of equally likely ones the first is meant."""


class Chord(NamedTuple):
    """What sounds at one moment: pitch class of the lowest note, pitch classes of all."""

    bass: int
    classes: frozenset[int]


class Sound(NamedTuple):
    """What a passage sounds, as keys are judged by it.

    Attributes:
        quarters: ``[12]`` quarters that each pitch class sounds, in all parts together.
        first: the chord with which the passage begins.
        last: the chord with which it ends.
    """

    quarters: np.ndarray
    first: Chord
    last: Chord


def infer_key(score: Score, signature: int | None = None) -> Key:
    """The likeliest key of a whole piece.

    Args:
        score: the piece.
        signature: sharps (positive) or flats (negative) in its key signature; None if it has none,
            and then only the sound decides.
    """
    points = key_points(sound_of(score), signature)
    return KEYS[int(np.argmax(points))]


def key_points(sound: Sound, signature: int | None = None) -> np.ndarray:
    """How well each of ``KEYS`` explains a whole piece, ``[key]``, in units of correlation.

    Args:
        sound: of the piece.
        signature: as in ``infer_key``.
    """
    return profiles(sound) + [_frame(key, sound, signature) for key in KEYS]


def sound_of(score: Score, start: Fraction | None = None, end: Fraction | None = None) -> Sound:
    """What a passage in which some note sounds is made of.

    Args:
        score: the piece.
        start: where the passage begins, in quarter notes; the beginning when left out.
        end: where it ends, in quarter notes; the end when left out.
    """
    low, high = float(start or 0), float(score.length if end is None else end)
    heard = [
        (max(onset, low), min(stop, high), semitone)
        for onset, stop, semitone in _times(score)
        if onset < high and stop > low
    ]
    quarters = np.zeros(12)
    for onset, stop, semitone in heard:
        quarters[semitone % 12] += stop - onset
    begin, cease = min(onset for onset, _, _ in heard), max(stop for _, stop, _ in heard)
    return Sound(
        quarters,
        first=_chord(semitone for onset, _, semitone in heard if onset == begin),
        last=_chord(semitone for _, stop, semitone in heard if stop == cease),
    )


def _times(score: Score) -> Iterator[tuple[float, float, int]]:
    """Where each note begins and ends, in quarters, and its MIDI number."""
    for part in score.parts:
        for note in part.notes:
            yield float(note.onset), float(note.end), note.pitch.semitone


def _standardized(key: Key) -> np.ndarray:
    """The profile of a key by pitch class, of mean 0 and length 1."""
    own = np.roll(_PROFILES[key.mode], key.tonic_pc)
    return (own - own.mean()) / np.linalg.norm(own - own.mean())


_STANDARDIZED = np.stack([_standardized(key) for key in KEYS])


def profiles(sound: Sound) -> np.ndarray:
    """``[key]`` correlation of what sounds with the profile of each of ``KEYS``, from -1 to 1."""
    if np.ptp(sound.quarters) == 0:
        return np.zeros(len(KEYS))
    heard = sound.quarters - sound.quarters.mean()
    return _STANDARDIZED @ heard / np.linalg.norm(heard)


def led_to(key: Key, sound: Sound) -> bool:
    """Whether the key's leading tone sounds."""
    return bool(sound.quarters[(key.tonic_pc + 11) % 12])


def close(key: Key, sound: Sound) -> float:
    """What the last chord says for a key: points from 0 to 0.5."""
    bass, classes = sound.last
    if bass == key.tonic_pc:
        denied = key.mode is Mode.MAJOR and (bass + 3) % 12 in classes
        return _TONIC_CLOSE if denied else _TONIC_CLOSE + _CLOSING_THIRD
    dominant = (bass - key.tonic_pc) % 12 == 7 and (bass + 4) % 12 in classes
    return _DOMINANT_CLOSE if dominant else 0.0


def _frame(key: Key, sound: Sound, signature: int | None) -> float:
    """What signature, opening and close say for a key."""
    notated = _notated(key, signature)
    if notated is None:
        return 0.0
    return notated + (_opening(key, sound) + close(key, sound) if led_to(key, sound) else 0.0)


def _notated(key: Key, signature: int | None) -> float | None:
    """What the signature says for a key; None when no notation would write the key so."""
    if signature is None or key.fifths == signature:
        return _SIGNATURE
    modal = signature + (1 if key.mode is Mode.MAJOR else -1)
    return _MODAL_SIGNATURE if key.fifths == modal else None


def _opening(key: Key, sound: Sound) -> float:
    """What the first chord says for a key."""
    bass, classes = sound.first
    denial = (bass + (3 if key.mode is Mode.MAJOR else 4)) % 12
    return _OPENING if bass == key.tonic_pc and denial not in classes else 0.0


def _chord(semitones: Iterable[int]) -> Chord:
    pitches = list(semitones)
    return Chord(min(pitches) % 12, frozenset(pitch % 12 for pitch in pitches))
