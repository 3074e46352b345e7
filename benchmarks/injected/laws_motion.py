"""Two chords in a row: parallels, hidden perfects, overlap, cross-relations (M01-M09, M12)."""

from __future__ import annotations

from injected.chord_table import FA, LEADING
from injected.window import (
    FIFTH,
    NEIGHBOURS,
    PAIRS,
    UNISON,
    Hit,
    Law,
    Window,
    interval,
    letters,
    stepwise,
)

OUTER = (0, 3)


def _pairs(w: Window) -> list[tuple[int, int, tuple[int, int], tuple[int, int], int]]:
    """Pairs that both move: voices, interval classes before and after, product of directions."""
    if w.b is None or not w.joined:
        return []
    found = []
    for u, v in PAIRS:
        product = w.moves[u][0] * w.moves[v][0]
        if product:
            first = interval(w.b.pitches[u], w.b.pitches[v])
            second = interval(w.c.pitches[u], w.c.pitches[v])
            found.append((u, v, first, second, product))
    return found


def _sizes(w: Window, u: int, v: int) -> set[int]:
    """Semitones between two voices before and after."""
    assert w.b is not None
    return {abs(slot.pitches[u][0] - slot.pitches[v][0]) for slot in (w.b, w.c)}


def parallel_fifths(w: Window) -> list[Hit]:
    """M01."""
    return [(letters(u, v), 0) for u, v, i, j, way in _pairs(w) if i == j == FIFTH and way > 0]


def parallel_octaves(w: Window) -> list[Hit]:
    """M02; octave to unison and back in whatever direction."""
    return [
        (letters(u, v), 0)
        for u, v, i, j, way in _pairs(w)
        if i == j == UNISON and (way > 0 or _sizes(w, u, v) == {0, 12})
    ]


def contrary_perfects(w: Window) -> list[Hit]:
    """M03, of all pairs."""
    return [
        (letters(u, v), 0)
        for u, v, i, j, way in _pairs(w)
        if i == j and j in (FIFTH, UNISON) and way < 0 and _sizes(w, u, v) != {0, 12}
    ]


def hidden_perfects(w: Window) -> list[Hit]:
    """M04, of the outer voices with a leap in the soprano."""
    return [
        (letters(u, v), 0)
        for u, v, i, j, way in _pairs(w)
        if (u, v) == OUTER
        and j in (FIFTH, UNISON)
        and i != j
        and way > 0
        and not stepwise(w.moves[0])
    ]


def hidden_inner(w: Window) -> list[Hit]:
    """What some profiles add to M04: any pair whose voices both leap into a perfect interval."""
    return [
        (letters(u, v), 0)
        for u, v, i, j, way in _pairs(w)
        if j in (FIFTH, UNISON) and i != j and way > 0
        and not (stepwise(w.moves[u]) or stepwise(w.moves[v]))
    ]  # fmt: skip


def unequal_with_bass(w: Window) -> list[Hit]:
    """M05."""
    pairs = _pairs(w)
    return [(letters(u, v), 0) for u, v, i, j, _ in pairs if i == (6, 4) and j == FIFTH and v == 3]


def unequal_above(w: Window) -> list[Hit]:
    """M06."""
    pairs = _pairs(w)
    return [(letters(u, v), 0) for u, v, i, j, _ in pairs if i == (6, 4) and j == FIFTH and v < 3]


def overlap(w: Window) -> list[Hit]:
    """M07."""
    if w.b is None or not w.joined:
        return []
    b, c = w.b.pitches, w.c.pitches
    return [(letters(u, v), 0) for u, v in NEIGHBOURS if c[v][0] > b[u][0] or c[u][0] < b[v][0]]


def same_way(w: Window) -> list[Hit]:
    """M08."""
    ways = {(m > 0) - (m < 0) for m, _ in w.moves} if w.joined else {0}
    return [("SATB", 0)] if len(ways) == 1 and 0 not in ways else []


def cross_relation(w: Window) -> list[Hit]:
    """M09; a chromatic step that one voice sings itself is no cross-relation."""
    return [hit for hit, sung in _chromatic(w) if not sung]


def cross_relation_doubled(w: Window) -> list[Hit]:
    """What some would add to M09: the first note is doubled and only one of its singers moves."""
    return [hit for hit, sung in _chromatic(w) if sung]


def _chromatic(w: Window) -> list[tuple[Hit, bool]]:
    """Chromatic changes between two voices, and whether one voice sings both notes as well."""
    if w.b is None or not w.joined:
        return []
    steps = set(zip(w.before, w.tones, strict=True))
    return [
        ((letters(u, v), 0), (one, other) in steps)
        for u, one in enumerate(w.before)
        for v, other in enumerate(w.tones)
        if u != v and one[1] == other[1] and one[0] != other[0]
    ]


def across_phrases(w: Window) -> list[Hit]:
    """M12: what would be M01 or M02 within a phrase."""
    if w.b is None or not w.b.fermata:
        return []
    found = []
    for u, v in PAIRS:
        both = w.moves[u][0] * w.moves[v][0] > 0
        first = interval(w.b.pitches[u], w.b.pitches[v])
        second = interval(w.c.pitches[u], w.c.pitches[v])
        if both and first == second and first in (FIFTH, UNISON):
            found.append((letters(u, v), 0))
    return found


def rising_tenths(w: Window) -> bool:
    """Whether it is the end of I-V4/3-I6, which excuses the fourth degree from falling."""
    names = [slot.chord.name for slot in (w.a, w.b, w.c) if slot]
    return names[-2:] in (["V43", "I6"], ["V43", "i6"]) and FA in w.before and LEADING in w.before


LAWS: dict[str, Law] = {
    "M01": parallel_fifths, "M02": parallel_octaves, "M03": contrary_perfects,
    "M04": hidden_perfects, "M04+": hidden_inner, "M05": unequal_with_bass,
    "M06": unequal_above, "M07": overlap, "M08": same_way, "M09": cross_relation,
    "M09+": cross_relation_doubled,
    "M12": across_phrases,
}  # fmt: skip
