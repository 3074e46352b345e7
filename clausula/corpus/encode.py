"""Encode the chorales that music21 bundles, once, so that nobody else parses scores.

Run as ``python -m clausula.corpus.encode``. A piece is kept when it has exactly four parts, one
meter and a fermata somewhere, and is not note for note another one. Notes shorter than a sixteenth
are dropped by one rule (`on_frames`) where they are few.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import music21

from clausula.corpus.archive import Piece, save_corpus
from clausula.corpus.build import fingerprint
from clausula.corpus.chorales import CHORALES, load_chorales
from clausula.corpus.passages import MOST_CHANGED, on_frames, trimmed
from clausula.corpus.rights import rights_of
from clausula.corpus.splits import held_out
from clausula.errors import InputError
from clausula.grid import REST
from clausula.gridding import to_grid
from clausula.key_finding import infer_key
from clausula.reading import read_score
from clausula.vocabulary import HIGHEST, LOWEST

ERRATA = Path(__file__).with_name("errata.csv")
FRAMES = 4  # in a quarter note


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
        twin = known.setdefault(fingerprint(piece.grid), piece.name)
        if twin != piece.name:
            skipped[file.stem] = f"note for note {twin}"
            continue
        pieces.append(piece)
    save_corpus(pieces, out)
    corpus = load_chorales(out)
    names = [corpus.names[i] for i in held_out(corpus)]
    out.with_name("held_out.json").write_text(json.dumps(names, indent=1) + "\n")
    return Report(tuple(piece.name for piece in pieces), skipped)


def encode(file: Path) -> Piece:
    """One chorale of music21's corpus on the sixteenth grid.

    Raises:
        InputError: not four parts in one meter with fermatas, or too many short notes.
    """
    score, changed = on_frames(read_score(file), FRAMES)
    signature = score.keys[0][1].fifths if score.key_given else None
    notes = sum(len(part.notes) for part in score.parts)
    if len(score.parts) == 4 and len(changed) > MOST_CHANGED * notes:
        raise InputError(f"{len(changed)} of {notes} notes are off the sixteenth grid")
    title = _titles().get(file.stem.removeprefix("bwv"), file.stem.replace("bwv", "BWV "))
    grid = trimmed(to_grid(replace(score, title=title), infer_key(score, signature), FRAMES))
    sounding = grid.pitch[grid.pitch != REST]
    if sounding.min() < LOWEST or sounding.max() > HIGHEST:
        raise InputError(f"pitches {sounding.min()} to {sounding.max()} leave the vocabulary")
    if not grid.phrase_end.any():
        raise InputError("no phrase end is marked: there are no fermatas")
    source = f"music21 {music21.__version__}, corpus/bach/{file.name}"
    return Piece(
        file.stem,
        grid,
        source,
        rights_of(file),
        errata=file.stem in _errata(),
        simplified=bool(changed),
    )


@cache
def _errata() -> frozenset[str]:
    """Pieces whose encoding has known wrong notes."""
    with ERRATA.open(newline="") as file:
        return frozenset(row["name"] for row in csv.DictReader(file))


@cache
def _titles() -> dict[str, str]:
    """Titles by BWV number, as music21's table of the chorales gives them."""
    table = music21.corpus.chorales.ChoraleListRKBWV().byBWV
    return {number: entry["title"] for number, entry in table.items()}


if __name__ == "__main__":
    report = encode_bundled(progress=lambda done, total, name: print(f"{done}/{total} {name}"))
    for name, reason in report.skipped.items():
        print(f"skipped {name}: {reason}")
    print(f"{len(report.kept)} chorales in {CHORALES}")
