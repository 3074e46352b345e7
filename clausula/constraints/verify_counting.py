"""Whether a finished grid keeps the counting constraints, judged from its notes alone.

As ``verify``: no code is shared with what the search is given.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np

from clausula.constraints.counting import Climax, Count, Stagnation
from clausula.constraints.place import Span
from clausula.grid import REST, Grid, Voice


def verify_climax(grid: Grid, climax: Climax) -> list[str]:
    """Reasons why the voice's highest note does not begin exactly once, where it is asked for."""
    notes = _notes(grid, climax.voice)
    if not notes:
        return [f"the {climax.voice.name.lower()} has no note"]
    highest = max(pitch for _, pitch in notes)
    tops = [frame for frame, pitch in notes if pitch == highest]
    if len(tops) > 1:
        return [f"the highest note begins {len(tops)} times, first at {at_frame(grid, tops[0])}"]
    if not inside_span(grid, climax.span)[tops[0]]:
        return [f"the highest note is at {at_frame(grid, tops[0])}"]
    return []


def verify_count(grid: Grid, count: Count) -> list[str]:
    """Reasons why the voice begins too few or too many notes."""
    inside = inside_span(grid, count.span)
    wanted = None if count.pitch is None else count.pitch.semitone
    notes = _notes(grid, count.voice)
    found = sum(inside[frame] and wanted in (None, pitch) for frame, pitch in notes)
    if found < count.least or (count.most is not None and found > count.most):
        return [f"there are {found}"]
    return []


def verify_stagnation(grid: Grid, stagnation: Stagnation) -> list[str]:
    """Reasons why one pitch sounds too often in a row."""
    line = grid.pitch[:, stagnation.voice]
    reasons = []
    notes = _notes(grid, stagnation.voice)
    # A rest between two notes begins a new row.
    rows = [(frame, pitch, int((line[:frame] == REST).sum())) for frame, pitch in notes]
    for _, run in groupby(rows, key=lambda row: row[1:]):
        together = list(run)
        if len(together) > stagnation.most:
            where = at_frame(grid, together[0][0])
            reasons.append(f"{len(together)} notes of one pitch in a row from {where}")
    return reasons


def _notes(grid: Grid, voice: Voice) -> list[tuple[int, int]]:
    """Frame and MIDI number of every note that the voice begins."""
    frames = np.flatnonzero(grid.onset[:, voice])
    return [(int(frame), int(grid.pitch[frame, voice])) for frame in frames]


def inside_span(grid: Grid, span: Span | None) -> list[bool]:
    """Whether each frame lies in the span; all do where there is none."""
    if span is None:
        return [True] * len(grid)
    places = list(zip(grid.measure.tolist(), grid.beat, strict=True))
    return [tuple(span.start) <= place < tuple(span.end) for place in places]


def at_frame(grid: Grid, frame: int) -> str:
    """Measure and beat of a frame in words."""
    return f"measure {int(grid.measure[frame])} beat {grid.beat[frame]}"
