"""The home key of a piece, inferred from what sounds.

Conventions: points are those of ``clausula.key_finding``, in units of correlation.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from clausula.key_finding import KEYS, key_points, sound_of
from clausula.pitch import Key
from clausula.score import Score

_NAMED = 0.15  # the file gives tonic and mode, not only a signature
_SHARPNESS = 0.1  # points that make a key e times as likely as another


def home_key(score: Score) -> tuple[Key, float]:
    """The key of a whole piece, and how likely it is among all keys (0 to 1)."""
    written = score.key_at(Fraction(0))
    # A signature without accidentals is also what a file without any signature looks like.
    points = key_points(sound_of(score), written.fifths or None)
    if score.key_given:
        points = points + _NAMED * np.array([key == written for key in KEYS])
    best = int(np.argmax(points))
    odds = np.exp((points - points[best]) / _SHARPNESS)
    return KEYS[best], float(1 / odds.sum())
