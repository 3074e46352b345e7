"""The longest run that a piece has in common with a corpus, in notes and in verticalities.

As in `max-copy`, runs are compared by what sounds from note to note relative to the first: a
transposed copy is one. A rest ends a run. Each line, and each succession of verticalities, is
written as a string, so that a run of the corpus is a substring.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from clausula.grid import REST, Grid, Voice

END = "\0"  # of a line; no step is written so


class Longest(NamedTuple):
    """Lengths of the longest runs that a piece copies: notes of one voice, and verticalities."""

    notes: int
    verticalities: int


class CopiedRuns:
    """A corpus in which copies are looked for."""

    def __init__(self, grids: Sequence[Grid]) -> None:
        """Write every line, and every succession of verticalities, as one string."""
        self._letters: dict[Hashable, str] = {END: END}
        self._lines = self._written(step for grid in grids for step in _lines(grid))
        self._chords = self._written(step for grid in grids for step in _chords(grid))

    def longest(self, grid: Grid) -> Longest:
        """The longest runs of a piece that some piece of the corpus has."""
        moves = _longest_run(self._read(_lines(grid)), self._lines)
        shapes = _longest_run(self._read(_chords(grid)), self._chords, stride=2)
        return Longest(moves + 1, shapes)

    def _written(self, steps: Iterable[Hashable]) -> str:
        return "".join(self._letters.setdefault(s, chr(len(self._letters))) for s in steps)

    def _read(self, steps: Iterable[Hashable]) -> str:
        """The steps as the corpus writes them; what it does not have ends a run."""
        return "".join(self._letters.get(step, END) for step in steps)


def _lines(grid: Grid) -> list[Hashable]:
    """Semitones from each note of a voice to its next one; the voices one after another."""
    steps: list[Hashable] = []
    for voice in Voice:
        begins = np.flatnonzero(grid.onset[:, voice]).tolist()
        for one, other in pairwise(begins):
            silent = (grid.pitch[one : other + 1, voice] == REST).any()
            move = int(grid.pitch[other, voice] - grid.pitch[one, voice])
            steps.append(END if silent else ("line", move))
        steps.append(END)
    return steps


def _chords(grid: Grid) -> list[Hashable]:
    """Shapes above the bass whenever a voice starts a note, each followed by the bass's move."""
    begins = np.flatnonzero(grid.onset.any(axis=1)).tolist()
    steps: list[Hashable] = []
    bass = grid.pitch[:, Voice.BASS].tolist()
    for one, other in pairwise(begins):
        silent = (grid.pitch[one : other + 1] == REST).any()
        steps.append(_shape(grid, one))
        steps.append(END if silent else ("move", bass[other] - bass[one]))
    return [*steps, _shape(grid, begins[-1]), END]


def _shape(grid: Grid, frame: int) -> Hashable:
    """The upper voices above the bass; an end where one of the voices is silent."""
    if (grid.pitch[frame] == REST).any():
        return END
    return ("shape", *(grid.pitch[frame, :-1] - grid.pitch[frame, Voice.BASS]).tolist())


def _longest_run(text: str, inside: str, stride: int = 1) -> int:
    """Steps of the longest run of ``text``, begun at a multiple of ``stride``, in ``inside``.

    Of several letters a step, only the first of a run's last step has to agree.
    """
    best = first = 0
    while (last := first + best * stride) < len(text):
        run = text[first : last + 1]
        if END not in run and run in inside:
            best += 1
        else:
            first += stride
    return best
