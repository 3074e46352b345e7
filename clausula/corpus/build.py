"""Building an encoded corpus: many files, some of them bad, resumed where it was interrupted.

What a file gave is written beside the output, in ``OUT.parts/``, under a name made from the file's
content and all that decides how it is encoded; a file whose entry is there is not parsed again.
The output appears when everything is done, and the entries go.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from clausula.corpus.archive import Piece, load_corpus, save_corpus
from clausula.corpus.passages import gridded, passages, scaled
from clausula.corpus.rights import rights_of
from clausula.corpus.sources import Source
from clausula.corpus.thinning import UNREADABLE, read_lines
from clausula.errors import CorpusError, InputError
from clausula.grid import REST, Grid

# Raised whenever the same file would be encoded otherwise.
_ENCODING = 1
_LONGEST_PHRASE = 8  # measures


@dataclass
class BuildReport:
    """What became of every file.

    Attributes:
        kept: names of the pieces and passages written.
        skipped: why nothing of a file was kept, by name.
        partly: measures left out of a file that was kept in passages, by name and reason.
        frames: in all pieces together.
        resumed: how many files were not parsed again.
    """

    kept: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    partly: dict[str, dict[str, int]] = field(default_factory=dict)
    frames: int = 0
    resumed: int = 0


def build(
    sources: Sequence[Source],
    out: str | Path,
    *,
    frames_per_quarter: int = 4,
    progress: Callable[[int, int, str], None] | None = None,
    ignored: Mapping[str, str] | None = None,
) -> BuildReport:
    """Encode files into one corpus; beside it ``OUT.report.json`` says what was skipped and why.

    A piece that is note for note another one, at whatever pitch, is skipped.

    Args:
        sources: the files.
        out: the ``.npz`` file to write.
        frames_per_quarter: the grid's resolution.
        progress: called with the number done, the number of files and a name.
        ignored: files that were not looked at, and why, for the report.

    Raises:
        CorpusError: the output cannot be written, or nothing fits the grid.
    """
    out = Path(out)
    parts = _parts_folder(out)
    report = BuildReport(skipped=dict(ignored or {}))
    pieces: list[Piece] = []
    known: dict[bytes, str] = {}
    for done, source in enumerate(sources, start=1):
        found = _encoded(source, frames_per_quarter, parts, report)
        for piece in found:
            twin = known.setdefault(fingerprint(piece.grid), piece.name)
            if twin != piece.name:
                report.skipped[piece.name] = f"note for note {twin}"
            else:
                pieces.append(piece)
        if progress is not None:
            progress(done, len(sources), source.name)
    report.kept = [piece.name for piece in pieces]
    report.frames = sum(len(piece.grid) for piece in pieces)
    written = out.with_name(report_name(out))
    try:
        if pieces:
            save_corpus(pieces, out)
        _write_whole(written, json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise _unwritable(out, error) from error
    if not pieces:
        raise CorpusError(
            f"none of {len(sources)} files fits the grid; {written} says why for each of them"
        )
    shutil.rmtree(parts)
    return report


def report_name(out: Path) -> str:
    """Name of the report beside an encoded corpus."""
    return out.with_suffix(".report.json").name


def counted(left_out: Mapping[str, int]) -> str:
    """Measures left out of a file, in words, the most frequent reason first."""
    ordered = sorted(left_out.items(), key=lambda item: -item[1])
    return "; ".join(f"{n} measure{'s' * (n > 1)}: {why}" for why, n in ordered)


def encode_file(source: Source, frames_per_quarter: int = 4) -> tuple[list[Piece], dict[str, int]]:
    """The pieces of one file, and measures left out of it by reason.

    Raises:
        InputError: it is no score, or cannot be read as lines.
    """
    score = scaled(read_lines(source.path), source.factor)
    licence = rights_of(source.path)
    found, left_out = passages(score, frames_per_quarter)
    pieces = []
    for passage in found:
        grid = gridded(passage, score.title or source.name, frames_per_quarter)
        span = "" if passage.measures is None else ":m{}-{}".format(*passage.measures)
        pieces.append(
            Piece(
                source.name + span,
                grid,
                source.origin,
                licence,
                source.style,
                source.work,
                source.unit,
                simplified=passage.simplified,
                phrases_known=phrases_known(grid),
            )
        )
    return pieces, left_out


def fingerprint(grid: Grid) -> bytes:
    """Equal for pieces with the same onsets and intervals, at whatever pitch."""
    relative = np.where(grid.pitch == REST, REST, grid.pitch - grid.pitch.max())
    return relative.astype(np.int8).tobytes() + grid.onset.tobytes()


def phrases_known(grid: Grid) -> bool:
    """Whether fermatas mark phrases: some do, and never are eight measures without one."""
    ends = np.flatnonzero(grid.phrase_end)
    if not len(ends):
        return False
    gaps = np.diff([0, *ends, len(grid) - 1])
    return bool(gaps.max() <= _LONGEST_PHRASE * grid.frames_per_measure)


def _parts_folder(out: Path) -> Path:
    """The folder of finished files, there and writable.

    Raises:
        CorpusError: the output is a folder, or cannot be written.
    """
    if out.is_dir():
        raise CorpusError(f"--out {out} is a folder; name a file, such as {out / 'mine.npz'}")
    if out.suffix != ".npz":
        raise CorpusError(f"--out {out} does not end in .npz; try {out.with_suffix('.npz')}")
    parts = out.with_name(out.name + ".parts")
    try:
        parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error
    return parts


def _unwritable(out: Path, error: OSError) -> CorpusError:
    return CorpusError(f"--out {out} cannot be written ({error.strerror}); try another folder")


def _encoded(
    source: Source, frames_per_quarter: int, parts: Path, report: BuildReport
) -> list[Piece]:
    """The pieces of one file, from its entry if there is one; what was left out is reported."""
    try:
        entry = parts / f"{_mark(source, frames_per_quarter)}.json"
    except OSError as error:
        report.skipped[source.name] = f"it cannot be read ({error.strerror})"
        return []
    if entry.exists():
        report.resumed += 1
    else:
        _parse(source, frames_per_quarter, entry)
    said = json.loads(entry.read_text(encoding="utf-8"))
    if said["skipped"]:
        report.skipped[source.name] = said["skipped"]
        return []
    if said["left_out"]:
        report.partly[source.name] = said["left_out"]
    return load_corpus(entry.with_suffix(".npz")).pieces


def _parse(source: Source, frames_per_quarter: int, entry: Path) -> None:
    """Encode one file and write its entry; the entry's second file says that it is whole."""
    pieces: list[Piece] = []
    left_out: dict[str, int] = {}
    skipped = ""
    try:
        pieces, left_out = encode_file(source, frames_per_quarter)
    except InputError as error:
        skipped = str(error).removeprefix(f"{source.path}: ")
    except UNREADABLE as error:
        skipped = f"unusual in a way that was not foreseen ({type(error).__name__}: {error})"
    if pieces:
        save_corpus(pieces, entry.with_suffix(".npz"))
    elif not skipped:
        skipped = f"nothing fits: {counted(left_out)}"
    text = json.dumps({"skipped": skipped, "left_out": left_out}, ensure_ascii=False)
    _write_whole(entry, text)


def _mark(source: Source, frames_per_quarter: int) -> str:
    """Differs whenever the file, or what decides how it is encoded, does."""
    settings = [_ENCODING, frames_per_quarter, source.name, source.style, source.origin]
    settings += [source.work, str(source.factor)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update(source.path.read_bytes())
    return digest.hexdigest()[:32]


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
