"""A composed piece, and writing its score to files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clausula.engine.plan import Plan
from clausula.errors import InputError
from clausula.grid import Grid
from clausula.score import Score
from clausula.writing import write_midi, write_musicxml


@dataclass(frozen=True)
class Piece:
    """A composed piece.

    Attributes:
        grid: its notes.
        score: the same in notation.
        plan: what was decided beforehand.
        report: what was asked, what was verified, and how the search went.
        alternatives: further candidates, next best first.
    """

    grid: Grid
    score: Score
    plan: Plan
    report: dict[str, Any]
    alternatives: tuple[Piece, ...] = field(default=())

    def write(self, path: str | Path) -> None:
        """Write one file; the ending says what: .musicxml, .mid, .svg or .png.

        Raises:
            InputError: another ending, or a folder that cannot be written.
        """
        write_score(self.score, Path(path))


def write_score(score: Score, path: Path) -> None:
    """Write a score in the format that the path's ending names.

    Raises:
        InputError: another ending, or a folder that cannot be written.
    """
    # Engraving loads verovio and matplotlib, which nothing else needs.
    from clausula.engraving import write_png, write_svg

    writers: dict[str, Callable[[Score, Path], None]] = {
        ".musicxml": write_musicxml,
        ".xml": write_musicxml,
        ".mid": write_midi,
        ".midi": write_midi,
        ".svg": write_svg,
        ".png": write_png,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: no writer for {path.suffix!r}; try {', '.join(writers)}")
    writer(score, path)
