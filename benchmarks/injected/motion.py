"""Faults between two chords, M01 to M12, and what only looks like them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from injected import laws_motion as laws
from injected.chord_table import LEADING, SOL, SUPERTONIC, TONIC
from injected.laws_vertical import crossing
from injected.making import (
    Injector,
    Spec,
    codes,
    injector,
    near_miss,
    others,
    placed,
    planned,
    surface,
)
from injected.notes import Injected, Lines, Slot, lines_of
from injected.ornaments import (
    EIGHTH,
    passings,
    scale_note,
    split,
    suspensions,
)
from injected.passages import Target, clean_of, clean_slots, compose, one_climax
from injected.plans import Plan, plan_of
from injected.window import FIFTH, PAIRS, UNISON, Hit, Law, Window, interval, letters, stepwise

_LEADS = codes("T01", "T02", "T03", "M07", "L06", "M08", "M04", "V12", "V14")
_BARE = codes("V12", "V14", "V13", "V09")
_FIFTHS = ((7, 4), (6, 4))
_ATTEMPTS = 600
Interval = tuple[int, int]
Test = Callable[[Window, int, int, Interval, Interval], object]


def _pairs(test: Test) -> Law:
    """A law that hits every pair of voices for which a test holds."""

    def law(w: Window) -> list[Hit]:
        if w.b is None or not w.joined:
            return []
        found = []
        for u, v in PAIRS:
            first = interval(w.b.pitches[u], w.b.pitches[v])
            second = interval(w.c.pitches[u], w.c.pitches[v])
            if test(w, u, v, first, second):
                found.append((letters(u, v), 0))
        return found

    return law


def _way(w: Window, u: int, v: int) -> int:
    return w.moves[u][0] * w.moves[v][0]


def _still(kind: tuple[int, int]) -> Law:
    def test(w: Window, u: int, v: int, i: Interval, j: Interval) -> bool:
        return w.changes and i == j == kind and w.moves[u] == w.moves[v] == (0, 0)

    return _pairs(test)


_perfect_to_diminished = _pairs(
    lambda w, u, v, i, j: _way(w, u, v) > 0 and i == FIFTH and j == (6, 4)
)
_diminished_to_third = _pairs(
    lambda w, u, v, i, j: v == 3 and i == (6, 4) and j[1] == 2 and _way(w, u, v) < 0
)
_upper_perfect_to_diminished = _pairs(
    lambda w, u, v, i, j: v < 3 and _way(w, u, v) and i == FIFTH and j == (6, 4)
)
_upper_diminished_inward = _pairs(
    lambda w, u, v, i, j: v < 3 and i == (6, 4) and j[1] == 2 and _way(w, u, v) < 0
)
_other_perfect_contrary = _pairs(
    lambda w, u, v, i, j: _way(w, u, v) < 0 and {i, j} == {FIFTH, UNISON}
)
_into_octave_oblique = _pairs(
    lambda w, u, v, i, j: j == UNISON and i != j and _way(w, u, v) == 0 and w.moves[u] != w.moves[v]
)
_into_perfect_contrary = _pairs(
    lambda w, u, v, i, j: (u, v) == (0, 3) and j in (FIFTH, UNISON) and _way(w, u, v) < 0
    and not stepwise(w.moves[0]) and i != j
)  # fmt: skip
_into_perfect_by_step = _pairs(
    lambda w, u, v, i, j: (u, v) == (0, 3) and j in (FIFTH, UNISON) and _way(w, u, v) > 0
    and stepwise(w.moves[0]) and i != j
)  # fmt: skip


def _touches(w: Window) -> list[Hit]:
    if not w.b:
        return []
    b, c = w.b.pitches, w.c.pitches
    return [
        (letters(u, v), 0)
        for u, v in ((0, 1), (1, 2), (2, 3))
        if (c[v] == b[u] or c[u] == b[v]) and w.moves[u][0] and w.moves[v][0]
    ]


def _three_ways(w: Window) -> list[Hit]:
    ways = [(m > 0) - (m < 0) for m, _ in w.moves]
    return [("SATB", 0)] if w.moves and max(ways.count(1), ways.count(-1)) == 3 else []


def _chromatic_step(w: Window) -> list[Hit]:
    found = [v for v, m in enumerate(w.moves) if m in ((1, 0), (-1, 0))]
    return [(letters(*found), 0)] if found else []


def _across(w: Window) -> list[Hit]:
    """A fifth or octave before a fermata that is none after it."""
    if not w.b or not w.b.fermata or laws.across_phrases(w):
        return []
    first = [interval(w.b.pitches[u], w.b.pitches[v]) for u, v in PAIRS]
    return [(letters(*pair), 0) for pair, i in zip(PAIRS, first, strict=True) if i in _FIFTHS][:1]


_TWO_PHRASES = (
    "I V6 I ii6 V^ I* IV V I", "I ii6 V7 I^ IV* V I", "i V6 i iv V^ i* iv V i",
    "I V6 I IV V I^ V6* I ii6 V I", "I ii6 V^ I6* IV V I",
)  # fmt: skip
# Chords a step lower on a strong beat: where parallels fall, and a suspension can hide them.
_FALLING = (
    "I vi V* I ii6 V I", "I IV6 V* I ii6 V I", "I V6 I vi V* I IV V I", "I ii I* IV V I",
    "i iv6 V* i iv V i", "I IV V V6 vi V* I", "I vi V6* I ii6 V I",
)  # fmt: skip
_SPAN: dict[str, Any] = {"spans": True}


def created(rng: random.Random) -> Injected:
    """M10: a passing tone makes parallels with the next chord, or a suspension delays them."""
    maker = rng.choice((_by_passing, _by_delay))
    for _ in range(_ATTEMPTS):
        found = maker(rng)
        if found:
            return found
    raise RuntimeError("M10: no passage found")


def _parallels(plan: Plan, slots: tuple[Slot, ...], lines: Lines) -> list[tuple[Window, Hit, str]]:
    """M01 and M02 on the surface."""
    both = (("M01", laws.parallel_fifths), ("M02", laws.parallel_octaves))
    return [
        (w, hit, code) for w in surface(plan, slots, lines) for code, law in both for hit in law(w)
    ]


def _by_passing(rng: random.Random) -> Injected | None:
    plan, slots = clean_slots(rng)
    every = list(passings(plan, slots))
    rng.shuffle(every)
    for i, _voice, lines in every:
        hits = _parallels(plan, slots, lines)
        if len(hits) == 1:
            w, (voices, _), also = hits[0]
            places = [slots[i].onset, w.c.onset, w.c.onset - EIGHTH]
            words = "a passing tone makes parallels"
            clean = clean_of(plan, slots, lines)
            return placed("M10", clean, w.c.onset, places, voices, frozenset({also}), words)
    return None


def _by_delay(rng: random.Random) -> Injected | None:
    """Parallels between chords, one of whose voices comes late."""
    plan = plan_of(rng, rng.choice(_FALLING), loose=True)
    target = Target(plan.target, _falling_parallels, _LEADS, codes("M01", "M02"), loose=False)
    slots = compose(rng, plan, target, melodic=False)
    if not slots:
        return None
    for i, voice, lines in suspensions(plan, slots):
        if i == plan.target and not _parallels(plan, slots, lines):
            w = surface(plan, slots, lines)
            hit = _falling_parallels(_window(plan, slots, i))[0][0]
            if "SATB"[voice] in hit and w:
                onset = slots[i].onset
                places = [onset, onset + EIGHTH, slots[i - 1].onset]
                other = others(plan, slots) - {"M01", "M02"}
                clean = clean_of(plan, slots, lines)
                words = "a suspension only delays parallels"
                return placed("M10", clean, onset + EIGHTH, places, hit, other, words)
    return None


def _window(plan: Plan, slots: tuple[Slot, ...], i: int) -> Window:
    return Window(plan.frame, slots[i - 2] if i > 1 else None, slots[i - 1], slots[i], False)


def _falling_parallels(w: Window) -> list[Hit]:
    """Parallels in which an upper voice falls by step onto a strong beat."""
    strong = w.frame.strong(w.c.onset)
    hits = laws.parallel_fifths(w) + laws.parallel_octaves(w)
    falling = {"SATB"[v] for v, m in enumerate(w.moves[:3]) if m[1] == -1}
    return [hit for hit in hits if strong and falling & set(hit[0])]


def harmless(rng: random.Random) -> Injected:
    """Near M10: a passing tone or suspension that makes a fifth or octave, but no parallels."""
    for _ in range(_ATTEMPTS):
        plan, slots = clean_slots(rng)
        every = list(passings(plan, slots)) + list(suspensions(plan, slots))
        rng.shuffle(every)
        for i, voice, lines in every:
            shown = surface(plan, slots, lines)
            perfect = any(
                interval(w.c.pitches[u], w.c.pitches[v]) in (FIFTH, UNISON) and voice in (u, v)
                for w in shown
                for u, v in PAIRS
                if w.c.onset - slots[i].onset == EIGHTH
            )
            if perfect and _unspoilt(shown):
                onset = slots[i].onset + EIGHTH
                clean = clean_of(plan, slots, lines)
                words = "an ornament meets a perfect interval"
                return placed("M10", clean, onset, [onset], "SATB"[voice], frozenset(), words)
    raise RuntimeError("M10: no near miss found")


def _unspoilt(shown: list[Window]) -> bool:
    every = ("M01", "M02", "M03", "M04", "M05", "M06", "M07")
    return not any(laws.LAWS[code](w) for w in shown for code in every)


def licence(rng: random.Random) -> Injected:
    """M11: soprano 2-1-1 with an inner 5-4-3 at the cadence, the eighths in parallel fifths."""
    return _close(rng, SUPERTONIC, "anticipation and delayed seventh in parallel fifths")


def no_licence(rng: random.Random) -> Injected:
    """Near M11: the soprano comes from the leading tone, and the two move in no fifths."""
    return _close(rng, LEADING, "anticipation and delayed seventh, but no fifths")


def _close(rng: random.Random, soprano: tuple[int, int], words: str) -> Injected:
    def wanted(w: Window) -> list[Hit]:
        inner = (
            [v for v in (1, 2) if w.before[v] == SOL and w.moves[v][1] == -2]
            if w.before and w.before[0] == soprano and w.tones[0] == TONIC
            else []
        )
        fifth = w.b is not None and [
            v for v in inner if interval(w.b.pitches[0], w.b.pitches[v])[1] in (2, 4)
        ]
        return [("S" + "SATB"[v], 0) for v in fifth or []]

    plans = ("I V6 I ii6 V I*", "I IV V I*", "i V6 i iv V i*", "I vi ii6 V I*", "i iv i6 iio6 V i*")
    spec = Spec(words, wanted, plans)
    for _ in range(_ATTEMPTS):
        plan = planned(rng, spec)
        target = Target(plan.target, wanted, _LEADS | codes("T02") | _BARE)
        slots = compose(rng, plan, target)
        if not slots or not one_climax(slots):
            continue
        n = len(slots) - 1
        voices = wanted(_window(plan, slots, n))[0][0]
        inner = "SATB".index(voices[1])
        lines = split(lines_of(slots), 0, n - 1, slots[n].pitches[0])
        passing = scale_note(plan, slots[n - 1].pitches[inner][1] - 1)
        lines = split(lines, inner, n - 1, passing)
        if any(crossing(w) for w in surface(plan, slots, lines)):
            continue
        onset = slots[n].onset - EIGHTH
        clean = clean_of(plan, slots, lines)
        places = [onset, slots[n - 1].onset, slots[n].onset]
        other = others(plan, slots)
        return placed("M11", clean, onset, places, voices, other, words)
    raise RuntimeError("M11: no passage found")


FAULTS: dict[str, Injector] = {
    "M01": injector("M01", Spec("parallel fifths", laws.parallel_fifths, waived=_LEADS, **_SPAN)),
    "M02": injector("M02", Spec("parallel octaves", laws.parallel_octaves, waived=_LEADS, **_SPAN)),
    "M03": injector("M03", Spec("perfect intervals in contrary motion", laws.contrary_perfects,
        waived=_LEADS, **_SPAN)),
    "M04": injector("M04", Spec("hidden fifth or octave of the outer voices, soprano leaping",
        laws.hidden_perfects, waived=_LEADS, melodic=False, **_SPAN)),
    "M05": injector("M05", Spec("d5 to P5 with the bass", laws.unequal_with_bass, **_SPAN,
        waived=_LEADS | codes("T07", "T05", "T06", "M06"),
        plans=("I V65 I* ii6 V I", "i V65 i* iv V i", "I IV V65/V V* I"))),
    "M06": injector("M06", Spec("d5 to P5 of upper voices", laws.unequal_above, **_SPAN,
        waived=_LEADS | codes("T05", "T06"),
        plans=("i V6 i iio6 i64* V i", "I viio6 I* ii6 V I", "I V42 I6* ii6 V I",
               "I V43 I* ii6 V I", "I ii6 V7 I* IV V I"))),
    "M07": injector("M07", Spec("a voice passes its neighbour's last note", laws.overlap,
        waived=codes("L06", "V02"), **_SPAN)),
    "M08": injector("M08", Spec("all voices move the same way", laws.same_way,
        waived=_LEADS | codes("M04", "V09"), **_SPAN)),
    "M09": injector("M09", Spec("a chromatic change between two voices", laws.cross_relation,
        waived=_LEADS | codes("T04"), **_SPAN, plans=(
        "I V6 I ii V65/V* V I", "I V7/ii* ii V I", "I vi V65/V* V I", "I IV V7/V* V I",
        "i VII V6* i iv V i", "I ii V65/V* V I"))),
    "M10": created,
    "M11": licence,
    "M12": injector("M12", Spec("parallels across a phrase's end", laws.across_phrases,
        plans=_TWO_PHRASES, strict=True, **_SPAN)),
}  # fmt: skip

NEAR_MISSES: dict[str, Injector] = {
    "M01": near_miss("M01", Spec("a fifth repeated without motion", _still(FIFTH), strict=True),
        Spec("P5 to d5", _perfect_to_diminished, strict=True,
             plans=("i V6 i iio6* V i", "i i6 iio6* V i", "I IV V42* I6 ii6 V I", "I ii6 V7* I"))),
    "M02": near_miss("M02", Spec("an octave repeated without motion", _still(UNISON), strict=True),
        Spec("an octave reached while one voice holds", _into_octave_oblique, strict=True)),
    "M03": near_miss("M03", Spec("octave to fifth or back in contrary motion",
        _other_perfect_contrary, strict=True)),
    "M04": near_miss("M04", Spec("contrary motion into a perfect interval, soprano leaping",
        _into_perfect_contrary, strict=True, melodic=False), Spec(
        "similar motion into one, soprano by step", _into_perfect_by_step, strict=True)),
    "M05": near_miss("M05", Spec("d5 with the bass to a third", _diminished_to_third, strict=True,
        plans=("I V65 I* ii6 V I", "i V65 i* iv V i", "I IV V65/V V* I"))),
    "M06": near_miss("M06", Spec("P5 to d5 of upper voices", _upper_perfect_to_diminished,
        strict=True, plans=("i V6 i iio6* V i", "I IV V42* I6 ii6 V I", "I ii6 V7* I",
                            "I V43* I ii6 V I")),
        Spec("d5 of upper voices to a third", _upper_diminished_inward, strict=True,
             plans=("I V43 I* ii6 V I", "I V6 I ii6 V7 I*", "i V43 i* iv V i"))),
    "M07": near_miss("M07", Spec("a voice reaches its neighbour's note", _touches, strict=True)),
    "M08": near_miss("M08", Spec("three voices move the same way", _three_ways, strict=True)),
    "M09": near_miss("M09", Spec("a chromatic change in one voice", _chromatic_step, strict=True,
        plans=("I V6 I IV V65/V* V I", "I vi IV V65/V* V I", "I IV iv* V I"))),
    "M10": harmless,
    "M11": no_licence,
    "M12": near_miss("M12", Spec("a fifth before a phrase's end, none after", _across, strict=True,
        plans=_TWO_PHRASES)),
}  # fmt: skip
