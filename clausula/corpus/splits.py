"""Splits that keep one tune on one side.

Bach set many tunes several times. Pieces are one group when their sopranos open alike (the same
intervals between the first notes, or between the first beats) or when they bear one title; groups
stay together.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator

from clausula.corpus.chorales import Corpus
from clausula.grid import Grid, Voice, frames_in

OPENING = 8  # notes, or beats
_SEED = 1685


def tunes(corpus: Corpus) -> list[list[int]]:
    """Indices of the pieces of each tune, in the corpus' order."""
    parent = list(range(len(corpus)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[Hashable, int] = {}
    for i, grid in enumerate(corpus.grids):
        for mark in _marks(grid):
            parent[root(i)] = root(first.setdefault(mark, i))
    groups: dict[int, list[int]] = {}
    for i in range(len(corpus)):
        groups.setdefault(root(i), []).append(i)
    return sorted(groups.values())


def held_out(corpus: Corpus, share: float = 0.1) -> list[int]:
    """Indices of the pieces that no training may see: whole tunes, drawn with a fixed seed.

    Args:
        corpus: the pieces.
        share: how much of the corpus is held out, at most.
    """
    groups = tunes(corpus)
    random.Random(_SEED).shuffle(groups)
    room = int(share * len(corpus))
    chosen: list[int] = []
    for group in groups:
        if len(chosen) + len(group) <= room:
            chosen += group
    return sorted(chosen)


def _marks(grid: Grid) -> Iterator[Hashable]:
    """What two settings of one tune share."""
    soprano = grid.pitch[:, Voice.SOPRANO]
    notes = soprano[grid.onset[:, Voice.SOPRANO]][:OPENING]
    yield "notes", tuple(int(p) for p in notes - notes[0])
    beats = soprano[:: frames_in(grid.meter.beat, grid.frames_per_quarter)][:OPENING]
    yield "beats", tuple(int(p) for p in beats - beats[0])
    if grid.title:
        yield "title", grid.title
