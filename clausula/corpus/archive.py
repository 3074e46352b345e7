"""Encoded corpora: pieces on the grid in one file of arrays; reading needs numpy alone."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from clausula.errors import CorpusError
from clausula.grid import Grid, Meter
from clausula.pitch import Key, Mode

BACH = "bach"
AS_WRITTEN = "note values as written"


@dataclass(frozen=True)
class Piece:
    """One encoded piece or passage, and what is known of it.

    Attributes:
        name: such as ``"bwv66.6"`` or ``"mozart/k155/movement1:m12-40"`` (measures of the file).
        grid: the notes; silence before the first and after the last one is cut.
        source: the file that it was encoded from.
        licence: the rights statement in that file.
        style: the tag that a network is conditioned on.
        work: what must lie on one side of a split, such as a mass; empty if only the tune tells.
        unit: how note values were changed, such as ``"note values halved"``.
        errata: whether the encoding is known to have wrong notes (see ``errata.csv``).
        simplified: whether notes were moved to the grid, dropped, or left out of chords.
        phrases_known: whether ``grid.phrase_end`` marks the phrases' ends.
    """

    name: str
    grid: Grid
    source: str
    licence: str
    style: str = BACH
    work: str = ""
    unit: str = AS_WRITTEN
    errata: bool = False
    simplified: bool = False
    phrases_known: bool = True


@dataclass(frozen=True)
class Corpus:
    """Pieces on one grid resolution; every field has one entry a piece, as in `Piece`."""

    names: tuple[str, ...]
    grids: tuple[Grid, ...]
    errata: tuple[bool, ...]
    simplified: tuple[bool, ...]
    sources: tuple[str, ...]
    licences: tuple[str, ...]
    styles: tuple[str, ...]
    works: tuple[str, ...]
    units: tuple[str, ...]
    phrases_known: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Place of the piece of that name.

        Raises:
            CorpusError: there is none.
        """
        if name not in self.names:
            raise CorpusError(f"{name!r} is not in the corpus; names look like {self.names[0]!r}")
        return self.names.index(name)

    def select(self, indices: Iterable[int]) -> Corpus:
        """The pieces at these places, in this order."""
        places = list(indices)
        columns = (getattr(self, field.name) for field in fields(self))
        return Corpus(*(tuple(column[i] for i in places) for column in columns))

    @property
    def frames_per_quarter(self) -> int:
        """The resolution of every grid."""
        return self.grids[0].frames_per_quarter if self.grids else 4

    @property
    def pieces(self) -> list[Piece]:
        """The pieces one by one."""
        return [
            Piece(name, grid, source, licence, style, work, unit, errata, simplified, known)
            for name, grid, source, licence, style, work, unit, errata, simplified, known in zip(
                self.names,
                self.grids,
                self.sources,
                self.licences,
                self.styles,
                self.works,
                self.units,
                self.errata,
                self.simplified,
                self.phrases_known,
                strict=True,
            )
        ]


def corpus_of(pieces: Sequence[Piece]) -> Corpus:
    """The pieces as one corpus.

    Raises:
        CorpusError: their grids differ in resolution, or two share a name.
    """
    resolutions = sorted({piece.grid.frames_per_quarter for piece in pieces})
    if len(resolutions) > 1:
        raise CorpusError(
            f"grids of {resolutions} frames a quarter cannot be mixed; encode them all alike"
        )
    names = [piece.name for piece in pieces]
    for name, count in Counter(names).items():
        if count > 1:
            raise CorpusError(f"{count} pieces are called {name!r}; rename all but one")
    return Corpus(
        tuple(names),
        tuple(piece.grid for piece in pieces),
        tuple(piece.errata for piece in pieces),
        tuple(piece.simplified for piece in pieces),
        tuple(piece.source for piece in pieces),
        tuple(piece.licence for piece in pieces),
        tuple(piece.style for piece in pieces),
        tuple(piece.work for piece in pieces),
        tuple(piece.unit for piece in pieces),
        tuple(piece.phrases_known for piece in pieces),
    )


def save_corpus(pieces: Sequence[Piece], out: str | Path) -> None:
    """Write pieces as one compressed file of arrays, under a temporary name until it is whole.

    Args:
        pieces: at least one, all on one grid resolution.
        out: the ``.npz`` file.

    Raises:
        CorpusError: there are none, or they do not fit together.
    """
    out = Path(out)
    if not pieces:
        raise CorpusError(f"there are no pieces to write to {out}; try other files")
    corpus = corpus_of(pieces)
    grids = corpus.grids
    partial = out.with_name(out.stem + ".partial.npz")
    np.savez_compressed(
        partial,
        pitch=np.concatenate([grid.pitch for grid in grids]).astype(np.int8),
        step=np.concatenate([grid.step for grid in grids]).astype(np.int8),
        onset=np.concatenate([grid.onset for grid in grids]),
        phrase_end=np.concatenate([grid.phrase_end for grid in grids]),
        start=np.cumsum([0, *(len(grid) for grid in grids)]),
        name=np.array(corpus.names),
        title=np.array([grid.title for grid in grids]),
        meter=np.array([(grid.meter.numerator, grid.meter.denominator) for grid in grids]),
        pickup=np.array([grid.pickup for grid in grids]),
        tonic_pc=np.array([grid.key.tonic_pc for grid in grids]),
        tonic_letter=np.array([grid.key.tonic_letter for grid in grids]),
        minor=np.array([grid.key.mode is Mode.MINOR for grid in grids]),
        errata=np.array(corpus.errata),
        simplified=np.array(corpus.simplified),
        source=np.array(corpus.sources),
        licence=np.array(corpus.licences),
        style=np.array(corpus.styles),
        work=np.array(corpus.works),
        unit=np.array(corpus.units),
        phrases_known=np.array(corpus.phrases_known),
        frames_per_quarter=np.array(corpus.frames_per_quarter),
    )
    partial.replace(out)


def load_corpus(path: str | Path) -> Corpus:
    """The pieces of an encoded file.

    Args:
        path: an ``.npz`` file that ``clausula corpus build`` wrote.

    Raises:
        CorpusError: there is no such file, or it is no encoded corpus.
    """
    path = Path(path)
    advice = "encode scores with: clausula corpus build DIR --style NAME --out FILE.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return corpus_of(_pieces(arrays))
    except FileNotFoundError:
        raise CorpusError(f"{path} is missing; {advice}") from None
    except (KeyError, IndexError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path} is no encoded corpus ({error}); {advice}") from error


def _pieces(arrays: dict[str, np.ndarray]) -> list[Piece]:
    start = arrays["start"]
    # Files of the chorales alone say nothing of style, work, unit, phrases and resolution.
    resolution = int(arrays.get("frames_per_quarter", 4))
    pieces = []
    for i in range(len(start) - 1):
        span = slice(start[i], start[i + 1])
        numerator, denominator = arrays["meter"][i]
        mode = Mode.MINOR if arrays["minor"][i] else Mode.MAJOR
        grid = Grid(
            arrays["pitch"][span].astype(int),
            arrays["step"][span].astype(int),
            arrays["onset"][span],
            arrays["phrase_end"][span],
            Meter(int(numerator), int(denominator)),
            Key(int(arrays["tonic_pc"][i]), int(arrays["tonic_letter"][i]), mode),
            int(arrays["pickup"][i]),
            resolution,
            title=str(arrays["title"][i]),
        )
        more = {name: arrays[name][i].item() for name in _LATER if name in arrays}
        pieces.append(
            Piece(
                str(arrays["name"][i]),
                grid,
                str(arrays["source"][i]),
                str(arrays["licence"][i]),
                errata=bool(arrays["errata"][i]),
                simplified=bool(arrays["simplified"][i]),
                **more,
            )
        )
    return pieces


_LATER = ("style", "work", "unit", "phrases_known")
