"""Histograms by which music is compared: of pitches, intervals, chords, rhythms and dissonances.

Conventions: counts of one piece, soprano first, pitch classes above the tonic, lengths in
sixteenths. Voices that rest count nowhere but in ``rests``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from clausula.grid import REST, Grid

VOICES = 4
LARGEST = 13  # melodic intervals from here on are one class, up and down each
LONGEST = 17  # sixteenths from here on are one class of note lengths
REGISTER = 3  # semitones that share a class of the register
Counts = dict[str, np.ndarray]


def histograms(grid: Grid) -> Counts:
    """What sounds in a piece, counted.

    Returns:
        ``degrees`` ``[voice, 12]`` frames of each pitch class above the tonic; ``register``
        ``[voice, 43]`` frames in each ``REGISTER`` semitones; ``intervals`` ``[voice, 27]``
        melodic ones, falling to rising; ``lengths`` ``[voice, 17]`` notes by length; ``onsets``
        ``[16]`` frames in which exactly these voices start a note; ``chords`` ``[4096]`` frames of
        each set of pitch classes above the tonic; ``sonorities`` ``[4096]`` the same above the
        bass; ``vertical`` ``[pair, 12]`` frames of each interval between two voices, the lower one
        in the score being the reference; ``rests`` ``[voice, 2]`` frames in sound and in silence.
    """
    pitch, onset = grid.pitch, grid.onset
    sounds = pitch != REST
    degree = (pitch - grid.key.tonic_pc) % 12
    pairs = list(combinations(range(VOICES), 2))
    both = [sounds[:, i] & sounds[:, j] for i, j in pairs]
    bass = np.where(sounds, pitch, 128).min(axis=1)
    together = onset @ (1 << np.arange(VOICES))
    heard = sounds.any(axis=1)
    return {
        "degrees": _rows((degree[sounds[:, v], v] for v in range(VOICES)), 12),
        "register": _rows(
            (pitch[sounds[:, v], v] // REGISTER for v in range(VOICES)), 128 // REGISTER + 1
        ),
        "intervals": _rows((_intervals(grid, v) for v in range(VOICES)), 2 * LARGEST + 1),
        "lengths": _rows((_lengths(grid, v) - 1 for v in range(VOICES)), LONGEST),
        "onsets": np.bincount(together[together > 0], minlength=1 << VOICES),
        "chords": np.bincount(_sets(degree, sounds)[heard], minlength=4096),
        "sonorities": np.bincount(
            _sets((pitch - bass[:, None]) % 12, sounds)[heard], minlength=4096
        ),
        "vertical": _rows(
            ((pitch[on, i] - pitch[on, j]) % 12 for (i, j), on in zip(pairs, both, strict=True)),
            12,
        ),
        "rests": np.stack([sounds.sum(axis=0), (~sounds).sum(axis=0)], axis=1),
    }


def pooled(counts: Iterable[Counts]) -> Counts:
    """The sum of several pieces' histograms."""
    together = list(counts)
    return {name: np.sum([each[name] for each in together], axis=0) for name in together[0]}


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """Jensen-Shannon distance of two histograms, 0 for equal shares … 1 for nothing in common.

    Args:
        one: counts, not all of them zero.
        other: likewise, of the same shape.

    Source: Endres and Schindelin, A new metric for probability distributions (2003), in bits.
    """
    p, q = one.ravel() / one.sum(), other.ravel() / other.sum()
    middle = (p + q) / 2
    divergence = sum(
        float((share[share > 0] * np.log2(share[share > 0] / middle[share > 0])).sum()) / 2
        for share in (p, q)
    )
    # Rounding may leave the divergence of equal shares a hair below zero.
    return float(np.sqrt(max(divergence, 0.0)))


def _rows(columns: Iterable[np.ndarray], size: int) -> np.ndarray:
    return np.stack([np.bincount(column, minlength=size) for column in columns])


def _sets(classes: np.ndarray, sounds: np.ndarray) -> np.ndarray:
    """``[time]`` the set of pitch classes in each frame, a bit a class."""
    return np.bitwise_or.reduce(np.where(sounds, 1 << classes, 0), axis=1)


def _intervals(grid: Grid, voice: int) -> np.ndarray:
    line = grid.pitch[grid.onset[:, voice], voice]
    return np.clip(np.diff(line), -LARGEST, LARGEST) + LARGEST


def _lengths(grid: Grid, voice: int) -> np.ndarray:
    """Sixteenths of every note of a voice, a fraction counting as a whole one."""
    onset, sounds = grid.onset[:, voice], grid.pitch[:, voice] != REST
    number = np.cumsum(onset)
    frames = np.bincount(number[sounds], minlength=int(onset.sum()) + 1)[1:]
    sixteenths = -(-frames * 4 // grid.frames_per_quarter)
    return np.clip(sixteenths, 1, LONGEST)
