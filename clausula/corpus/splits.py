"""Splits that keep one tune, or one work, on one side.

Bach set many tunes several times. Pieces are one group when their sopranos open alike (the same
intervals between the first notes, or between the first beats) or when they bear one title; pieces
that name the work they are from are grouped by that instead: a mass, the movement of a quartet, a
file of the user's. Groups stay together.
"""

from __future__ import annotations

import json
import random
from collections.abc import Hashable, Iterator
from pathlib import Path

from clausula.corpus.archive import BACH, Corpus
from clausula.grid import Grid, Voice, frames_in

OPENING = 8  # notes, or beats
_SEED = 1685
BACH_HELD_OUT = Path(__file__).with_name("held_out.json")
HELD_OUT = Path(__file__).with_name("held_out_by_style.json")


def tunes(corpus: Corpus) -> list[list[int]]:
    """Indices of the pieces of each tune or work, in the corpus' order."""
    parent = list(range(len(corpus)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[Hashable, int] = {}
    for i, grid in enumerate(corpus.grids):
        work = corpus.works[i]
        for mark in [("work", work)] if work else _marks(grid):
            parent[root(i)] = root(first.setdefault(mark, i))
    groups: dict[int, list[int]] = {}
    for i in range(len(corpus)):
        groups.setdefault(root(i), []).append(i)
    return sorted(groups.values())


def held_out(corpus: Corpus, share: float = 0.1) -> list[int]:
    """Indices of the pieces that no training may see: of every style whole tunes or works.

    They are drawn with a fixed seed, the same for a style whatever else is in the corpus. A style
    of several works, each larger than its share, gives its smallest; one of a single work, none.

    Args:
        corpus: the pieces.
        share: how many of a style's pieces are held out, at most.
    """
    chosen: list[int] = []
    for style in dict.fromkeys(corpus.styles):
        places = [i for i, tag in enumerate(corpus.styles) if tag == style]
        found = _drawn(tunes(corpus.select(places)), int(share * len(places)))
        chosen += [places[i] for i in found]
    return sorted(chosen)


def recorded() -> dict[str, tuple[str, ...]]:
    """Names of the held-out pieces of every style that the package knows, shipped or not."""
    with HELD_OUT.open(encoding="utf-8") as file:
        found: dict[str, list[str]] = json.load(file)
    with BACH_HELD_OUT.open(encoding="utf-8") as file:
        chorales: list[str] = json.load(file)
    return {BACH: tuple(chorales), **{style: tuple(names) for style, names in found.items()}}


def _drawn(groups: list[list[int]], room: int) -> list[int]:
    """Whole groups that fit into the room, in an order drawn with a fixed seed."""
    random.Random(_SEED).shuffle(groups)
    chosen: list[int] = []
    for group in groups:
        if len(chosen) + len(group) <= room:
            chosen += group
    return chosen or (min(groups, key=len) if len(groups) > 1 else [])


def _marks(grid: Grid) -> Iterator[Hashable]:
    """What two settings of one tune share."""
    soprano = grid.pitch[:, Voice.SOPRANO]
    notes = soprano[grid.onset[:, Voice.SOPRANO]][:OPENING]
    yield "notes", tuple(int(p) for p in notes - notes[0])
    beats = soprano[:: frames_in(grid.meter.beat, grid.frames_per_quarter)][:OPENING]
    yield "beats", tuple(int(p) for p in beats - beats[0])
    if grid.title:
        yield "title", grid.title
