"""Openings of held-out chorales: real music of the length that a benchmark writes."""

from __future__ import annotations

from clausula.corpus import held_out, load_chorales
from clausula.grid import Grid, Meter


def real_openings(measures: int, meter: Meter) -> list[tuple[int, Grid]]:
    """The first full measures of the held-out chorales in a meter, with their places in the corpus.

    Chorales that are shorter, or in which a note is held over the first bar line, are left out.
    """
    corpus = load_chorales()
    found = []
    for index in held_out(corpus):
        grid = corpus.grids[index]
        begin = grid.pickup
        part = slice(begin, begin + measures * grid.frames_per_measure)
        if grid.meter != meter or len(grid) < part.stop or not grid.onset[begin].all():
            continue
        arrays = (column[part] for column in (grid.pitch, grid.step, grid.onset, grid.phrase_end))
        found.append((index, Grid(*arrays, meter, grid.key, title=corpus.names[index])))
    return found
