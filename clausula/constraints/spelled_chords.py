"""Chords that the notes of one slice spell by themselves: what a search knows of harmony.

A whole piece tells which notes belong to a chord. The search has heard only its beginning, so it
takes what sounds for a chord only where that can hardly be read otherwise: whole triads, whole
sevenths, sevenths without their fifth, a bare fifth with or without a seventh, and bare octaves.
Everything else is no known chord, and rules that read the chord then refuse nothing.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from clausula.constraints.rule import NONE, UNKNOWN, Harmony

# Semitones of third, fifth and seventh over the root, and which of these must sound beside it.
_KINDS = (
    ((4, 7, None), (4, 7)),
    ((3, 7, None), (3, 7)),
    ((3, 6, None), (3, 6)),
    ((4, 7, 10), (4, 7, 10)),
    ((4, 7, 10), (4, 10)),
    # The tritone over its root is heard through a foreign note.
    *(((4, 7, 10), (4, 10, foreign)) for foreign in (1, 2, 5, 8, 9)),
    ((3, 7, 10), (3, 7, 10)),
    ((3, 6, 10), (3, 6, 10)),
    ((4, 7, 11), (4, 7, 11)),
    ((3, 7, 10), (3, 10)),
    ((4, 7, None), (7,)),
    ((4, 7, None), ()),
    ((3, 7, 10), (7, 10)),
    ((3, 6, 10), (6, 10)),
)
_OCTAVE = 12
_ALL = 1 << _OCTAVE


def _spelled() -> tuple[Harmony, np.ndarray]:
    chords = [UNKNOWN]
    number = np.zeros((_ALL, _OCTAVE), np.int16)
    for (over, sounding), root in product(_KINDS, range(_OCTAVE)):
        third, fifth, seventh = (NONE if size is None else (root + size) % _OCTAVE for size in over)
        heard = {root, *((root + size) % _OCTAVE for size in sounding)}
        bits = sum(1 << pitch_class for pitch_class in heard)
        for bass in heard:
            if not number[bits, bass]:
                number[bits, bass] = len(chords)
                chords.append(Harmony(root, third, fifth, seventh, bass, bits))
    root, third, fifth, seventh, bass, bits = np.array(chords, np.int16).T
    return Harmony(root, third, fifth, seventh, bass, bits), number


# Fields ``int16[chord]``, number 0 being no chord that is known; and ``int16[4096, 12]``, the
# number of the chord by the bits of the pitch classes that sound and the lowest one's.
SPELLED, CHORD_OF_NOTES = _spelled()


def _members() -> np.ndarray:
    """``int32[chord]`` bits of the pitch classes that belong to each chord."""
    found = np.zeros(len(SPELLED.root), np.int32)
    for member in SPELLED[:4]:
        found |= np.where(member == NONE, 0, 1 << np.maximum(member, 0))
    return found


MEMBERS = _members()


def chord_numbers(classes: np.ndarray) -> np.ndarray:
    """``int[...]`` numbers of the chords that notes spell.

    Args:
        classes: ``int[..., voice]`` pitch classes, -1 in silence, the lowest voice last.
    """
    bits = np.bitwise_or.reduce(np.where(classes < 0, 0, 1 << np.maximum(classes, 0)), axis=-1)
    lowest = np.full(classes.shape[:-1], -1)
    for voice in range(classes.shape[-1]):
        lowest = np.where(classes[..., voice] >= 0, classes[..., voice], lowest)
    return np.where(lowest < 0, 0, CHORD_OF_NOTES[bits, lowest])
