"""Whether a line of a finished grid has its shape, judged from its notes alone.

As ``verify``: no code is shared with what the search is given.
"""

from __future__ import annotations

from clausula.constraints.contour import Contour
from clausula.constraints.verify_counting import inside_span
from clausula.grid import Grid


def verify_contour(grid: Grid, asked: Contour) -> list[str]:
    """Reasons why the voice's notes have another shape."""
    notes = [
        int(pitch)
        for pitch, begins, inside in zip(
            grid.pitch[:, asked.voice],
            grid.onset[:, asked.voice],
            inside_span(grid, asked.span),
            strict=True,
        )
        if begins and inside
    ]
    if not notes:
        return ["no note begins there"]
    ends = sorted((notes[0], notes[-1]))
    peak, trough = max(notes) > ends[1], min(notes) < ends[0]
    if peak or trough:
        found = "wave" if peak and trough else "arch" if peak else "valley"
    elif notes[0] == notes[-1]:
        found = "level"
    else:
        found = "rising" if notes[0] < notes[-1] else "falling"
    return [] if found == asked.shape.value else [f"the shape is {found}"]
