"""The published 16th-grid chorales as networks read them, by split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from published_splits import OUT as RECORDED
from published_splits import soprano_hash

from clausula.errors import InputError
from clausula.neural.features import Example, example_of_bare_pitches

SPLITS = ("valid", "test", "tune-disjoint")
PUBLISHED = ("train", "valid", "test")
SOURCE = "Jsb16thSeparated.json is in the repository czhuang/JSB-Chorales-dataset on GitHub"


@dataclass
class Jsb16:
    """The file, read once.

    Attributes:
        path: of the file.
        pitches: by published split, ``int[time, voice]`` MIDI numbers of each piece, -1 in silence.
        digest: sixteen hexadecimal digits of the file's SHA-256.
    """

    path: Path
    pitches: dict[str, list[np.ndarray]]
    digest: str
    _examples: dict[str, list[Example]] = field(default_factory=dict)

    def examples(self, split: str) -> list[Example]:
        """Pieces of a split; the same objects each time, and for the tune-disjoint test too.

        Raises:
            InputError: the file is not the one whose tunes were compared.
        """
        if split == "tune-disjoint":
            test = self.examples("test")
            return [test[i] for i in self._tune_disjoint()]
        if split not in self._examples:
            pieces = self.pitches[split]
            self._examples[split] = [example_of_bare_pitches(pitch) for pitch in pieces]
        return self._examples[split]

    def _tune_disjoint(self) -> list[int]:
        recorded = json.loads(RECORDED.read_text())
        known = [piece["soprano"] for piece in recorded["splits"]["test"]]
        if known != [soprano_hash(pitch) for pitch in self.pitches["test"]]:
            raise InputError(
                f"the test pieces of {self.path} are not those of {RECORDED.name}, which says "
                "which tunes recur; leave tune-disjoint out of --splits, or run published_splits.py"
            )
        return recorded["tune_disjoint_test"]

    @property
    def name(self) -> str:
        """The file and what is in it, for metadata."""
        return f"{self.path.name} train split, sha256 {self.digest}"


def load_jsb16(path: Path) -> Jsb16:
    """The published chorales.

    Raises:
        InputError: no such file, or it holds no such pieces.
    """
    if not path.is_file():
        raise InputError(f"no file {path}; {SOURCE}")
    content = path.read_bytes()
    try:
        data = json.loads(content)
        pitches = {name: [_piece(piece) for piece in data[name]] for name in PUBLISHED}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not the published file ({error}); {SOURCE}") from error
    return Jsb16(path, pitches, hashlib.sha256(content).hexdigest()[:16])


def _piece(rows: Sequence[Sequence[float]]) -> np.ndarray:
    pitch = np.array(rows, int)
    if pitch.ndim != 2 or pitch.shape[1] != 4:
        raise ValueError(f"a piece of shape {pitch.shape} where [time, 4] is wanted")
    return pitch


def named(text: str, known: Sequence[str], what: str) -> list[str]:
    """Items of a comma-separated list.

    Args:
        text: the list.
        known: items that it may have.
        what: an item is called.

    Raises:
        InputError: an item is unknown.
    """
    items = [item.strip() for item in text.split(",")]
    for item in items:
        if item not in known:
            raise InputError(f"no {what} {item!r}; known: {', '.join(known)}")
    return items
