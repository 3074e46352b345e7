"""The key of a piece that does not say it.

Conventions: a key is judged by three witnesses. The *profile*: correlation of the time that each
pitch class sounds with the probe-tone profiles. The *signature*: the key's own, or that of the
modal notation of the period (D minor without its flat, G major without its sharp). The *close*: the
last bass note is the tonic and the last chord does not deny the mode (a major third closes minor
pieces too), or it is the dominant of a minor key, as Phrygian melodies close. Only a key that the
signature allows is heard in the close, so a Phrygian close on E without sharps is A minor's.

References: C. Krumhansl, *Cognitive Foundations of Musical Pitch* (1990), chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from clausula.pitch import LETTER_SEMITONES, Key, Mode
from clausula.score import Score

_PROFILES = {
    Mode.MAJOR: np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]),
    Mode.MINOR: np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]),
}
# What each witness adds, in units of correlation. The close outweighs the profile's usual lead of
# a relative or dominant key (below 0.3); a signature alone does not.
_TONIC_CLOSE = 0.4
_CLOSING_THIRD = 0.1
_DOMINANT_CLOSE = 0.2
_SIGNATURE = 0.2
_MODAL_SIGNATURE = 0.1


def infer_key(score: Score, signature: int | None = None) -> Key:
    """The likeliest key of a whole piece.

    Args:
        score: the piece.
        signature: sharps (positive) or flats (negative) in its key signature; None if it has none,
            and then only the sound decides.
    """
    weights, final_bass, final_chord = _sound(score)

    def evidence(key: Key) -> tuple[float, int, int]:
        notated = _notated(key, signature)
        close = 0.0 if notated is None else notated + _close(key, final_bass, final_chord)
        # Of enharmonic keys the one with fewer accidentals, sharps first.
        return _profile(key, weights) + close, -abs(key.fifths), key.fifths

    return max(_candidates(), key=evidence)


def _candidates() -> Iterable[Key]:
    """Every key of at most seven accidentals."""
    for mode in Mode:
        for letter in range(7):
            for alter in (-1, 0, 1):
                key = Key(int(LETTER_SEMITONES[letter] + alter) % 12, letter, mode)
                if abs(key.fifths) <= 7:
                    yield key


def _sound(score: Score) -> tuple[np.ndarray, int, set[int]]:
    """Quarters that each pitch class sounds, the last bass note's class, the last chord's."""
    weights = np.zeros(12)
    for part in score.parts:
        for note in part.notes:
            weights[note.pitch.semitone % 12] += float(note.duration)
    lasts = [part.notes[-1] for part in score.parts if part.notes]
    end = max(note.end for note in lasts)
    final = [note.pitch.semitone for note in lasts if note.end == end]
    return weights, min(final) % 12, {semitone % 12 for semitone in final}


def _profile(key: Key, weights: np.ndarray) -> float:
    if np.ptp(weights) == 0:
        return 0.0
    return float(np.corrcoef(np.roll(_PROFILES[key.mode], key.tonic_pc), weights)[0, 1])


def _notated(key: Key, signature: int | None) -> float | None:
    """What the signature says for a key; None when no notation would write the key so."""
    if signature is None or key.fifths == signature:
        return _SIGNATURE
    modal = signature + (1 if key.mode is Mode.MAJOR else -1)
    return _MODAL_SIGNATURE if key.fifths == modal else None


def _close(key: Key, final_bass: int, final_chord: set[int]) -> float:
    """What the last chord says for a key."""
    third = (final_bass + 3) % 12
    if final_bass == key.tonic_pc:
        denied = key.mode is Mode.MAJOR and third in final_chord
        return _TONIC_CLOSE if denied else _TONIC_CLOSE + _CLOSING_THIRD
    dominant = (final_bass - key.tonic_pc) % 12 == 7 and third not in final_chord
    return _DOMINANT_CLOSE if dominant and key.mode is Mode.MINOR else 0.0
