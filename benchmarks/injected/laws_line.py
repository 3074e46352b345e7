"""One voice at a time: bad intervals, leaps and what follows them (L01-L08)."""

from __future__ import annotations

from injected.notes import VOICES
from injected.window import Hit, Law, Window, stepwise

OCTAVE, FIFTH = 12, 7
# Sizes as (semitones, letters).
_AUGMENTED = {(6, 3), (8, 4), (5, 2), (10, 5)}
_DIMINISHED = {(6, 4), (4, 3), (9, 6), (2, 2), (8, 5)}
_TERTIAN = [frozenset({root, (root + 2) % 7, (root + 4) % 7}) for root in range(7)]
_TRIADS = ({0, 4, 7}, {0, 3, 7})


def _size(moved: tuple[int, int]) -> tuple[int, int]:
    """The interval, without its direction; a descent's letters are negative as its semitones."""
    semitones, steps = (
        moved
        if moved[1] > 0 or (moved[1] == 0 and moved[0] >= 0)
        else (
            -moved[0],
            -moved[1],
        )
    )
    return semitones, steps


def _leap(moved: tuple[int, int]) -> bool:
    return abs(moved[1]) >= 2


def _now(w: Window, wrong: set[tuple[int, int]]) -> list[Hit]:
    moves = w.moves if w.joined else ()
    return [(VOICES[v], 0) for v, moved in enumerate(moves) if _size(moved) in wrong]


def _pairs(w: Window) -> list[tuple[int, tuple[int, int], tuple[int, int]]]:
    """Voice, motion into the chord before, motion into the last one; none across a phrase's end."""
    if not w.joined or w.a is None or w.a.fermata:
        return []
    return list(zip(range(4), w.earlier, w.moves, strict=True))


def augmented_second(w: Window) -> list[Hit]:
    """L01."""
    return _now(w, {(3, 1)})


def augmented(w: Window) -> list[Hit]:
    """L02; the chromatic semitone is no leap."""
    return _now(w, _AUGMENTED)


def diminished(w: Window) -> list[Hit]:
    """L03, told at the leap."""
    return [
        (VOICES[v], 1)
        for v, leap, after in _pairs(w)
        if _size(leap) in _DIMINISHED and not _recovers(leap, after)
    ]


def diminished_at_the_end(w: Window) -> list[Hit]:
    """L03 where nothing follows."""
    return _now(w, _DIMINISHED) if w.last else []


def seventh(w: Window) -> list[Hit]:
    """L04, over one note between as well when both motions go the same way.

    The diminished seventh is L03's.
    """
    return [hit for hit, semitones in _sevenths(w) if semitones != 9]


def any_seventh(w: Window) -> list[Hit]:
    """What the strictest add to L04: the diminished seventh."""
    return [hit for hit, semitones in _sevenths(w) if semitones == 9]


def _sevenths(w: Window) -> list[tuple[Hit, int]]:
    """Every seventh, with its semitones."""
    moves = list(enumerate(w.moves if w.joined else ()))
    for v, first, second in _pairs(w):
        if first[1] * second[1] > 0:
            moves.append((v, (first[0] + second[0], first[1] + second[1])))
    return [((VOICES[v], 0), abs(semitones)) for v, (semitones, steps) in moves if abs(steps) == 6]


def beyond_octave(w: Window) -> list[Hit]:
    """L05."""
    moves = w.moves if w.joined else ()
    return [(VOICES[v], 0) for v, moved in enumerate(moves) if abs(moved[0]) > OCTAVE]


def _recovers(leap: tuple[int, int], after: tuple[int, int]) -> bool:
    return stepwise(after) and leap[1] * after[1] < 0


def unrecovered(w: Window) -> list[Hit]:
    """L06: after a fourth or more another leap, or a step the same way; told at the leap."""
    return [
        (VOICES[v], 1)
        for v, leap, after in _pairs(w)
        if v < 3 and abs(leap[1]) >= 3 and after[1] and not _recovers(leap, after)
    ]


def perhaps_unrecovered(w: Window) -> list[Hit]:
    """What the strictest add to L06: the note is repeated, or none follows."""
    hits = [(VOICES[v], 1) for v, leap, after in _pairs(w) if abs(leap[1]) >= 3 and not after[1]]
    moves = w.moves if w.joined and (w.last or w.c.fermata) else ()
    hits += [(VOICES[v], 0) for v, moved in enumerate(moves) if abs(moved[1]) >= 3]
    return [hit for hit in hits if hit[0] != "B"]


def _outline(w: Window, voice: int) -> tuple[set[int], set[int]]:
    """Letters, and semitones, of a voice's last three notes."""
    assert w.a
    assert w.b
    notes = [slot.pitches[voice] for slot in (w.a, w.b, w.c)]
    return {step % 7 for _, step in notes}, {semitone % 12 for semitone, _ in notes}


def _two_leaps(w: Window) -> list[int]:
    return [v for v, m, n in _pairs(w) if _leap(m) and _leap(n) and m[1] * n[1] > 0]


def two_leaps(w: Window) -> list[Hit]:
    """L07; an octave's two ends are one note."""
    return [
        (VOICES[v], 0)
        for v in _two_leaps(w)
        if not any(_outline(w, v)[0] <= triad for triad in _TERTIAN)
    ]


def two_leaps_tritone(w: Window) -> list[Hit]:
    """What the strictest add to L07: the triad is diminished or augmented, or it is only a part."""
    classes = [(v, _outline(w, v)[1]) for v in _two_leaps(w)]
    return [
        (VOICES[v], 0)
        for v, sung in classes
        if not any(
            {(root + i) % 12 for i in triad} == sung for triad in _TRIADS for root in range(12)
        )
    ]


def inner_leap(w: Window) -> list[Hit]:
    """L08: where the chord has a tone a step from the note before, or that note itself."""
    found = []
    for v in (1, 2):
        if w.joined and w.b and abs(w.moves[v][0]) > FIFTH:
            here = w.frame.tone(w.b.pitches[v])
            near = [
                (abs((t[0] - here[0] + 6) % 12 - 6), (t[1] - here[1]) % 7) for t in w.c.chord.tones
            ]
            if any(semitones <= 2 and steps in (0, 1, 6) for semitones, steps in near):
                found.append((VOICES[v], 0))
    return found


def any_inner_leap(w: Window) -> list[Hit]:
    """L08 without its condition."""
    moves = w.moves if w.joined else ((0, 0),) * 4
    return [(VOICES[v], 0) for v in (1, 2) if abs(moves[v][0]) > FIFTH]


LAWS: dict[str, Law] = {
    "L01": augmented_second, "L02": augmented, "L03": diminished, "L03+": diminished_at_the_end,
    "L04": seventh, "L04+": any_seventh, "L05": beyond_octave,
    "L06": unrecovered, "L06+": perhaps_unrecovered,
    "L07": two_leaps, "L07+": two_leaps_tritone, "L08": inner_leap, "L08+": any_inner_leap,
}  # fmt: skip
