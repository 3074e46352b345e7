"""Faults of one voice, L01 to L09, and what only looks like them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

from injected import laws_line as laws
from injected.making import Injector, Spec, codes, injector, near_miss, others, placed, planned
from injected.notes import VOICES, Injected, Slot
from injected.passages import clean_of, clean_slots, compose, one_climax
from injected.plans import Plan
from injected.window import Hit, Law, Window, stepwise

_LEADS = codes("T01", "T02", "T03", "T04", "T06", "M07", "M08", "L06", "V02")
_ATTEMPTS = 400
_SPAN: dict[str, Any] = {"spans": True}


def _moves(test: Callable[[int, tuple[int, int]], bool]) -> Law:
    """A law that hits voices whose last motion passes a test."""

    def law(w: Window) -> list[Hit]:
        moves = w.moves if w.joined else ()
        return [(VOICES[v], 0) for v, moved in enumerate(moves) if test(v, moved)]

    return law


def _two(test: Callable[[int, tuple[int, int], tuple[int, int]], bool]) -> Law:
    """A law that hits voices whose last two motions pass a test, told at the first."""

    def law(w: Window) -> list[Hit]:
        if not w.joined or not w.earlier or w.a is None or w.a.fermata:
            return []
        pairs = zip(range(4), w.earlier, w.moves, strict=True)
        return [(VOICES[v], 1) for v, first, second in pairs if test(v, first, second)]

    return law


def _inward(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return stepwise(second) and first[1] * second[1] < 0


_minor_third = _moves(lambda v, m: abs(m[0]) == 3 and abs(m[1]) == 2)
_diminished_fifth = _two(lambda v, m, n: abs(m[0]) == 6 and abs(m[1]) == 4 and _inward(m, n))
_diminished = _two(lambda v, m, n: (abs(m[0]), abs(m[1])) in ((6, 4), (4, 3)) and _inward(m, n))
_sixth_or_octave = _moves(lambda v, m: abs(m[1]) in (5, 7))
_octave = _moves(lambda v, m: abs(m[0]) == 12)
_octave_in_two = _two(lambda v, m, n: m[1] * n[1] > 0 and abs(m[1] + n[1]) == 7)
_recovered = _two(lambda v, m, n: v < 3 and abs(m[1]) >= 3 and _inward(m, n))
_inner_fifth = _moves(lambda v, m: v in (1, 2) and abs(m[0]) == 7)


def _triad_outlined(w: Window) -> list[Hit]:
    """Two leaps the same way that do outline a triad."""
    if laws.two_leaps_tritone(w) or laws.two_leaps(w) or not w.earlier:
        return []
    pairs = zip(range(4), w.earlier, w.moves, strict=True)
    return [
        (VOICES[v], 0) for v, m, n in pairs if min(abs(m[1]), abs(n[1])) >= 2 and m[1] * n[1] > 0
    ]


def restless(rng: random.Random) -> Injected:
    """L09: the soprano reaches its highest note twice, or leaps more than it steps."""
    for _ in range(_ATTEMPTS):
        spec = Spec("", _sixth_or_octave)
        plan = planned(rng, spec)
        slots = compose(rng, plan, melodic=False)
        if not slots or one_climax(slots):
            continue
        line = [slot.pitches[0] for slot in slots]
        steps = [abs(q[1] - p[1]) for p, q in itertools.pairwise(line)]
        leaps = sum(m > 1 for m in steps) > len(steps) / 2
        high = [i for i, pitch in enumerate(line) if pitch == max(line)]
        twice = any(later - earlier > 1 for earlier, later in itertools.pairwise(high))
        if leaps or twice:
            words = "mostly leaps" if leaps else "the highest note comes twice"
            return _everywhere(plan, slots, words)
    raise RuntimeError("L09: no passage found")


def _everywhere(plan: Plan, slots: tuple[Slot, ...], words: str) -> Injected:
    """L09 concerns the whole line, so every place names it."""
    clean = clean_of(plan, slots)
    places = [slot.onset for slot in slots]
    climax = max(slots, key=lambda slot: slot.pitches[0]).onset
    return placed("L09", clean, climax, places, "S", others(plan, slots) - {"L09"}, words)


def one_peak(rng: random.Random) -> Injected:
    """Near L09: one climax, but the note below it comes more than once."""
    for _ in range(_ATTEMPTS):
        plan, slots = clean_slots(rng)
        line = sorted(slot.pitches[0] for slot in slots)
        if line[-2] == line[-3]:
            words = "one climax, the note below it twice"
            return _everywhere(plan, slots, words)
    raise RuntimeError("L09: no near miss found")


FAULTS: dict[str, Injector] = {
    "L01": injector("L01", Spec("an augmented second", laws.augmented_second, **_SPAN,
        waived=_LEADS, plans=("i V6 i iio6 V* i", "i V6 i iv V* i", "i V6 i iv V7* i",
                              "i iv V42* i6 iv V i", "i iv V6* i iv V i", "i i6 iv V* i"))),
    "L02": injector("L02", Spec("an augmented fourth", laws.augmented, waived=_LEADS, **_SPAN,
        plans=("I V6 I IV V* I", "I V6 I ii6 V7* I", "I IV V6* I ii6 V I", "i V6 i iv V* i",
               "I vi IV V* I", "I IV V65* I IV V I"))),
    "L03": injector("L03", Spec("a diminished leap, no step inward", laws.diminished, **_SPAN,
        waived=_LEADS | codes("L07"), plans=("I V6 I ii6 V7 I*", "I V65 I ii6 V7 vi* ii6 V I",
               "I IV V65 vi* ii6 V I", "I IV V6 vi* ii6 V I", "i iv V65 VI* iv V i",
               "I ii6 V65 V* I IV V I", "i i6 V6 V* i", "i iv V6 V* i"), anywhere=True)),
    "L04": injector("L04", Spec("a seventh, at once or over one note", laws.seventh,
        waived=_LEADS | codes("L07", "L08"), **_SPAN)),
    "L05": injector("L05", Spec("a leap beyond an octave", laws.beyond_octave, **_SPAN,
        waived=_LEADS | codes("L08", "V03", "V04", "M04"))),
    "L06": injector("L06", Spec("a leap not recovered", laws.unrecovered, waived=_LEADS, **_SPAN,
        melodic=False)),
    "L07": injector("L07", Spec("two leaps that outline no triad", laws.two_leaps, **_SPAN,
        waived=_LEADS | codes("L04"), melodic=False)),
    "L08": injector("L08", Spec("an inner voice leaps though a step is there", laws.inner_leap,
        waived=_LEADS, **_SPAN)),
    "L09": restless,
}  # fmt: skip

NEAR_MISSES: dict[str, Injector] = {
    "L01": near_miss("L01", Spec("a minor third in minor", _minor_third, strict=True, plans=(
        "i V6 i iio6 V* i", "i iv i6* iv V i", "i V6 i iv* V i", "i i6* iv V i"))),
    "L02": near_miss("L02", Spec("a diminished fifth, recovered", _diminished_fifth,
        plans=("I IV V65 I* ii6 V I", "I ii6 V65 I* ii6 V I", "i iv V65 i* iv V i",
               "I ii6 V6 I* IV V I", "i iv V6 i* iv V i"), strict=True)),
    "L03": near_miss("L03", Spec("a diminished leap, then a step inward", _diminished, strict=True,
        plans=("I IV V65 I* ii6 V I", "i iv V65 i* iv V i", "i i6 V6 i* iv V i",
               "i V6 i i6 V65 i* iv V i", "I ii6 V6 I* IV V I"))),
    "L04": near_miss("L04", Spec("an octave over one note", _octave_in_two, strict=True, **_SPAN,
        plans=("I V I* ii6 V I", "I V6 I IV I V* I", "i v6 i V i* iv V i", "I V I* IV V I"),
        anywhere=True, waived=codes("L07")),
        Spec("a sixth or an octave", _sixth_or_octave, strict=True)),
    "L05": near_miss("L05", Spec("an octave", _octave, strict=True, anywhere=True, plans=(
        "I V6 I ii6 V V7* I", "I I* ii6 V I", "I vi vi6 ii6 V V* I", "i i* iv V i"))),
    "L06": near_miss("L06", Spec("a leap recovered by step", _recovered, strict=True)),
    "L07": near_miss("L07", Spec("two leaps that outline a triad", _triad_outlined, strict=True,
        plans=("I vi IV* V I", "I I6 V* I ii6 V I", "I V6 I vi IV* V I", "I vi IV* ii6 V I",
               "i i6 V* i iv V i"), anywhere=True)),
    "L08": near_miss("L08", Spec("an inner voice leaps a fifth", _inner_fifth, strict=True),
        Spec("bass leaps over a fifth", _octave, strict=True, anywhere=True,
             plans=("I V6 I ii6 V V7* I", "I I* ii6 V I", "i i* iv V i"))),
    "L09": one_peak,
}  # fmt: skip
