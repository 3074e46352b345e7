"""Encode the chorales that music21 bundles, once, so that nobody else parses scores.

Run as ``python -m clausula.corpus.encode``. A piece is kept when it has exactly four parts, one
meter and a fermata somewhere, and is not note for note another one. Notes shorter than a sixteenth
are dropped by one rule (`on_sixteenths`) where they are few.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import music21
import numpy as np

from clausula.corpus.chorales import CHORALES, load_chorales
from clausula.corpus.splits import held_out
from clausula.errors import InputError
from clausula.grid import REST, Grid
from clausula.gridding import to_grid
from clausula.key_finding import infer_key
from clausula.pitch import Mode
from clausula.reading import read_score, unzipped
from clausula.score import Note, Part, Score
from clausula.vocabulary import HIGHEST, LOWEST

ERRATA = Path(__file__).with_name("errata.csv")
FRAMES = 4  # in a quarter note
_MOST_CHANGED = 0.05  # share of a piece's notes, by `on_sixteenths`
_NO_STATEMENT = "no rights statement in the file"


@dataclass(frozen=True)
class Piece:
    """One encoded chorale and where it comes from."""

    name: str
    grid: Grid
    simplified: bool
    source: str
    licence: str


@dataclass(frozen=True)
class Report:
    """What was encoded: names of the pieces kept, and the reason for each one skipped."""

    kept: tuple[str, ...]
    skipped: dict[str, str]


def encode_bundled(
    out: str | Path = CHORALES, progress: Callable[[int, int, str], None] | None = None
) -> Report:
    """Encode all four-part chorales of music21's corpus into one file.

    Writes ``out``, and beside it ``held_out.json``, the names of the pieces no training may see.

    Args:
        out: the ``.npz`` file to write.
        progress: called with the number done, the number of files and a name.
    """
    out = Path(out)
    files = sorted(
        Path(path) for path in music21.corpus.getComposer("bach", fileExtensions=("xml", "mxl"))
    )
    pieces: list[Piece] = []
    skipped: dict[str, str] = {}
    known: dict[bytes, str] = {}
    for done, file in enumerate(files, start=1):
        if progress is not None:
            progress(done, len(files), file.stem)
        try:
            piece = encode(file)
        except InputError as error:
            skipped[file.stem] = str(error)
            continue
        twin = known.setdefault(_fingerprint(piece.grid), piece.name)
        if twin != piece.name:
            skipped[file.stem] = f"note for note {twin}"
            continue
        pieces.append(piece)
    write(pieces, out)
    corpus = load_chorales(out)
    names = [corpus.names[i] for i in held_out(corpus)]
    out.with_name("held_out.json").write_text(json.dumps(names, indent=1) + "\n")
    return Report(tuple(piece.name for piece in pieces), skipped)


def encode(file: Path) -> Piece:
    """One chorale of music21's corpus on the sixteenth grid.

    Raises:
        InputError: not four parts in one meter with fermatas, or too many short notes.
    """
    score, changed = on_sixteenths(read_score(file))
    signature = score.keys[0][1].fifths if score.key_given else None
    notes = sum(len(part.notes) for part in score.parts)
    if len(score.parts) == 4 and changed > _MOST_CHANGED * notes:
        raise InputError(f"{changed} of {notes} notes are off the sixteenth grid")
    title = _titles().get(file.stem.removeprefix("bwv"), file.stem.replace("bwv", "BWV "))
    grid = trimmed(to_grid(replace(score, title=title), infer_key(score, signature), FRAMES))
    sounding = grid.pitch[grid.pitch != REST]
    if sounding.min() < LOWEST or sounding.max() > HIGHEST:
        raise InputError(f"pitches {sounding.min()} to {sounding.max()} leave the vocabulary")
    if not grid.phrase_end.any():
        raise InputError("no phrase end is marked: there are no fermatas")
    source = f"music21 {music21.__version__}, corpus/bach/{file.name}"
    return Piece(file.stem, grid, changed > 0, source, _rights(file))


def on_sixteenths(score: Score) -> tuple[Score, int]:
    """The score with onsets and ends on the sixteenth grid, and how many notes that changed.

    Times are rounded down, and no note becomes shorter than a sixteenth. Of the notes of a voice
    that fall into one sixteenth only the first is kept and lasts as long as they did.
    """
    changed = 0
    parts = []
    for part in score.parts:
        notes: list[Note] = []
        for note in part.notes:
            onset = _down(note.onset)
            end = max(_down(note.end), onset + Fraction(1, FRAMES))
            changed += (onset, end) != (note.onset, note.end)
            if notes and onset < notes[-1].end:
                notes[-1] = replace(notes[-1], duration=end - notes[-1].onset)
            else:
                notes.append(replace(note, onset=onset, duration=end - onset))
        parts.append(Part(part.name, tuple(notes), part.clef))
    return replace(score, parts=tuple(parts)), changed


def trimmed(grid: Grid) -> Grid:
    """The grid without silence before its first and after its last note; the pick-up follows."""
    sounding = np.flatnonzero((grid.pitch != REST).any(axis=1))
    span = slice(sounding[0], sounding[-1] + 1)
    return replace(
        grid,
        pitch=grid.pitch[span],
        step=grid.step[span],
        onset=grid.onset[span],
        phrase_end=grid.phrase_end[span],
        pickup=int(grid.pickup - sounding[0]) % grid.frames_per_measure,
    )


def write(pieces: list[Piece], out: Path) -> None:
    """Write pieces as one compressed file of arrays (see `load_chorales`)."""
    with ERRATA.open(newline="") as file:
        wrong = {row["name"] for row in csv.DictReader(file)}
    grids = [piece.grid for piece in pieces]
    partial = out.with_name(out.stem + ".partial.npz")
    np.savez_compressed(
        partial,
        pitch=np.concatenate([grid.pitch for grid in grids]).astype(np.int8),
        step=np.concatenate([grid.step for grid in grids]).astype(np.int8),
        onset=np.concatenate([grid.onset for grid in grids]),
        phrase_end=np.concatenate([grid.phrase_end for grid in grids]),
        start=np.cumsum([0, *(len(grid) for grid in grids)]),
        name=np.array([piece.name for piece in pieces]),
        title=np.array([grid.title for grid in grids]),
        meter=np.array([(grid.meter.numerator, grid.meter.denominator) for grid in grids]),
        pickup=np.array([grid.pickup for grid in grids]),
        tonic_pc=np.array([grid.key.tonic_pc for grid in grids]),
        tonic_letter=np.array([grid.key.tonic_letter for grid in grids]),
        minor=np.array([grid.key.mode is Mode.MINOR for grid in grids]),
        errata=np.array([piece.name in wrong for piece in pieces]),
        simplified=np.array([piece.simplified for piece in pieces]),
        source=np.array([piece.source for piece in pieces]),
        licence=np.array([piece.licence for piece in pieces]),
    )
    partial.replace(out)


def _down(moment: Fraction) -> Fraction:
    return Fraction(moment * FRAMES // 1, FRAMES)


def _fingerprint(grid: Grid) -> bytes:
    """Equal for pieces with the same onsets and intervals, at whatever pitch."""
    relative = np.where(grid.pitch == REST, REST, grid.pitch - grid.pitch.max())
    return relative.astype(np.int8).tobytes() + grid.onset.tobytes()


@cache
def _titles() -> dict[str, str]:
    """Titles by BWV number, as music21's table of the chorales gives them."""
    table = music21.corpus.chorales.ChoraleListRKBWV().byBWV
    return {number: entry["title"] for number, entry in table.items()}


def _rights(file: Path) -> str:
    """What a file says of its rights, in one line."""
    data = file.read_bytes()
    root = ElementTree.fromstring(unzipped(data) if data.startswith(b"PK") else data)
    words = [element.text or "" for tag in ("rights", "credit-words") for element in root.iter(tag)]
    claims = [
        " ".join(text.split())
        for text in words
        if any(sign in text.lower() for sign in ("©", "copyright", "permission"))
    ]
    return "; ".join(claims) or _NO_STATEMENT


if __name__ == "__main__":
    report = encode_bundled(progress=lambda done, total, name: print(f"{done}/{total} {name}"))
    for name, reason in report.skipped.items():
        print(f"skipped {name}: {reason}")
    print(f"{len(report.kept)} chorales in {CHORALES}")
