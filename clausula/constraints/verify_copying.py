"""Whether a finished grid copies a run of notes from a corpus, judged from its notes alone.

As ``verify``: no code is shared with what the search is given. Runs are compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from clausula.constraints.copying import MaxCopy
from clausula.constraints.verify_counting import at_frame
from clausula.grid import REST, Grid, Voice

Run = tuple[tuple[int, ...], ...]  # what sounds from note to note, relative to the first


def verify_max_copy(grid: Grid, asked: MaxCopy, corpus: Sequence[Grid]) -> list[str]:
    """Reasons why the piece copies, one for each run that some piece of the corpus has."""
    streams = asked.voices or (None,)
    own = [(run, at, voice) for voice in streams for run, at in _runs(grid, voice, asked)]
    wanted = {run for run, _, _ in own}
    found: set[Run] = set()
    for other in corpus:
        for voice in Voice if asked.voices else (None,):
            found.update(run for run, _ in _runs(other, voice, asked) if run in wanted)
    return [
        f"{at_frame(grid, at)}: {_name(voice)} {asked.length} in a row that end here"
        for run, at, voice in own
        if run in found
    ]


def _name(voice: Voice | None) -> str:
    return "the four voices copy" if voice is None else f"the {voice.name.lower()} copies"


def _runs(grid: Grid, voice: Voice | None, asked: MaxCopy) -> list[tuple[Run, int]]:
    """Every run of the asked length and the frame in which its last note begins."""
    columns = list(Voice) if voice is None else [voice]
    begins = np.flatnonzero(grid.onset[:, columns].any(axis=1)).tolist()
    runs = []
    for last in range(asked.length - 1, len(begins)):
        frames = begins[last - asked.length + 1 : last + 1]
        sounding = grid.pitch[frames[0] : frames[-1] + 1, columns]
        if (sounding == REST).any():
            continue
        first = int(grid.pitch[frames[0], columns[-1]])
        notes = tuple(tuple(int(p) - first for p in grid.pitch[f, columns]) for f in frames)
        if asked.rhythm:
            notes += tuple((b - a,) for a, b in pairwise(frames))
        runs.append((notes, frames[-1]))
    return runs
