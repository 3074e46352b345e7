"""Faults of single chords, V01 to V20, and what only looks like them."""

from __future__ import annotations

from typing import Any

from clausula.constraints.passage import Task
from injected import laws_vertical as laws
from injected.chord_table import FA, harmony
from injected.making import Asked, Injector, Spec, codes, injector, near_miss
from injected.notes import Slot
from injected.plans import Plan
from injected.window import NEIGHBOURS, Hit, Law, Window, letters

_LEADS = codes("T01", "T02", "T03", "M08", "M07", "L06", "L08")
_SPACE = _LEADS | codes("V02", "V03", "L07", "M04", "L05", "L04")


def _numerals(_plan: Plan, slots: tuple[Slot, ...]) -> Task:
    return Task(numerals=tuple((slot.onset, slot.chord.name) for slot in slots))


def _at_limit(w: Window) -> list[Hit]:
    sung = zip(w.c.pitches, laws.RANGES, strict=True)
    return [("SATB"[v], 0) for v, (p, limits) in enumerate(sung) if p[0] in limits]


def _apart(pairs: tuple[tuple[int, int], ...], low: int, high: int) -> Law:
    def law(w: Window) -> list[Hit]:
        p = w.c.pitches
        return [(letters(u, v), 0) for u, v in pairs if low <= p[u][0] - p[v][0] <= high]

    return law


def _lacks_fifth(w: Window) -> list[Hit]:
    return [] if w.c.chord.tones[2] in w.tones else [("SATB", 0)]


def _once(member: int) -> Law:
    def law(w: Window) -> list[Hit]:
        return [("SATB", 0)] if w.tones.count(w.c.chord.tones[member]) == 1 else []

    return law


def _twice(member: int) -> Law:
    def law(w: Window) -> list[Hit]:
        tone = w.c.chord.tones[member]
        singers = [v for v, sung in enumerate(w.tones) if sung == tone]
        return [(letters(*singers), 0)] if len(singers) == 2 else []

    return law


def _doubled_fa(w: Window) -> list[Hit]:
    singers = [v for v, sung in enumerate(w.tones) if sung == FA]
    return [(letters(*singers), 0)] if len(singers) == 2 else []


def _tripled_final(w: Window) -> list[Hit]:
    singers = [v for v, sung in enumerate(w.tones) if sung == (0, 0)]
    return [(letters(*singers), 0)] if len(singers) == 3 and w.tones[0] == (0, 0) else []


def _bass_wrong(_w: Window) -> list[Hit]:
    return [("B", 0)]


def _unraised(w: Window) -> list[Hit]:
    singers = [v for v, sung in enumerate(w.tones) if sung == (10, 6)]
    return [(letters(*singers), 0)] if singers else []


def _misread(given: str) -> Law:
    """V18, told at the chord before: one voice's note lies outside what was asked for, by leap."""

    def law(w: Window) -> list[Hit]:
        if not w.b or not w.earlier:
            return []
        asked = harmony(given, w.frame.minor).tones
        wrong = [v for v, tone in enumerate(w.before) if tone not in asked]
        if len(wrong) != 1:
            return []
        ways = [abs(moves[wrong[0]][1]) for moves in (w.earlier, w.moves)]
        leapt = 1 not in ways and max(ways) > 1
        return [(letters(*wrong), 1)] if leapt else []

    return law


def _asked_for(voiced: str, given: str, back: int = 0) -> Asked:
    def task(plan: Plan, slots: tuple[Slot, ...]) -> Task:
        at = plan.target - back
        assert slots[at].chord.name == voiced
        names = [given if i == at else slot.chord.name for i, slot in enumerate(slots)]
        return Task(numerals=tuple((slot.onset, n) for slot, n in zip(slots, names, strict=True)))

    return task


_MISREAD = (
    ("I V6 I vi V6* I V I", "vi", "IV"), ("I V6 I ii6 V7* I", "ii6", "IV"),
    ("I vi IV V* I", "IV", "ii6"), ("I V65 I ii6 I64* V I", "ii6", "IV"),
    ("I IV I6 vi* V6 I V I", "I6", "iii6"), ("I vi ii V* I", "ii", "IV6"),
)  # fmt: skip
_OTHER_BASS = (
    ("I V6 I ii* V I", "ii", "ii6"), ("I V6* I ii6 V I", "V6", "V"),
    ("I V* I ii6 V I", "V", "V6"), ("I IV I6* ii6 V I", "I6", "I"),
    ("I V65 I ii65* V I", "ii65", "ii7"), ("I V43* I ii6 V I", "V43", "V65"),
    ("i V6* i iio6 V i", "V6", "V"),
)  # fmt: skip
_WITH_TASK: dict[str, Any] = {"asked": _numerals}

FAULTS: dict[str, Injector] = {
    "V01": injector("V01", Spec("a voice leaves its range", laws.out_of_range, waived=_SPACE,
        margin=5)),
    "V02": injector("V02", Spec("upper voices too far apart", laws.wide_upper, waived=_LEADS)),
    "V03": injector("V03", Spec("tenor too far above the bass", laws.wide_lower, waived=_SPACE)),
    "V04": injector("V04", Spec("two voices cross", laws.crossing, waived=codes("M07", "L06"))),
    "V05": injector("V05", Spec("no third", laws.no_third, waived=_LEADS, **_WITH_TASK)),
    "V06": injector("V06", Spec("no root", laws.no_root, waived=_LEADS | codes("V12", "V14", "V13"),
        plans=("I IV I6* ii6 V I", "I V6 I ii6* V I", "I V6 I ii65* V I", "i iv i6* iv V i",
               "I V65* I ii6 V I"), **_WITH_TASK)),
    "V07": injector("V07", Spec("no seventh", laws.no_seventh, waived=_LEADS, plans=(
        "I V6 I ii6 V7* I", "I V65* I IV V I", "I IV ii65* V I", "i V6 i iiø65* V i",
        "i V6 i iv V7* i", "I V43* I IV V I"), **_WITH_TASK)),
    "V08": injector("V08", Spec("an inversion without its fifth", laws.no_fifth, waived=_LEADS,
        plans=("I V65* I ii6 V I", "I V6* I ii6 V I", "I IV I6* ii6 V I", "i V65* i iio6 V i",
               "i V6 i iv i6* iv V i", "I IV V42* I6 ii6 V I"), **_WITH_TASK)),
    "V09": injector("V09", Spec("the root three times", laws.tripled_root,
        waived=_LEADS | codes("M02", "V08"), **_WITH_TASK)),
    "V10": injector("V10", Spec("leading tone doubled", laws.doubled_leading,
        waived=codes("T01", "T02", "T07", "V14", "L06", "M02", "V08"), plans=(
        "I V6 I ii6 V* I", "i V6 i iv V* i", "I V6* I IV V I", "I V6 I IV V7* I",
        "I IV V65/V* V I", "I V65/IV* IV V I"))),
    "V11": injector("V11", Spec("seventh doubled", laws.doubled_seventh,
        waived=codes("T03", "T04", "T07", "V08", "V05", "L06"), plans=(
        "I V6 I ii6 V7* I", "I V65* I IV V I", "I IV ii65* V I", "i V6 i iiø65* V i"))),
    "V12": injector("V12", Spec("third of a major triad doubled", laws.doubled_third,
        waived=_LEADS, plans=("I V6 I IV* V I", "I V6 I* ii6 V I", "I V65 I* IV V I",
                              "I IV* I6 ii6 V I", "I vi IV* V I"))),
    "V13": injector("V13", Spec("bass of a six-four not doubled", laws.six_four_bass,
        waived=_LEADS | codes("T10", "V09"),
        plans=("I V6 I ii6 I64* V I", "I vi IV I64* V I", "i V6 i iv i64* V i"))),
    "V14": injector("V14", Spec("bass of a sixth chord doubled on mi or la", laws.six_three_bass,
        waived=_LEADS, plans=("I IV I6* ii6 V I", "I V6 I IV6* V6 I", "I V6 I IV6* V I",
                              "I IV V42 I6* ii6 V I"))),
    "V15": injector("V15", Spec("third of a diminished triad not doubled", laws.diminished_third,
        waived=_LEADS | codes("T05", "T06", "V10"), plans=("i V6 i iio6* V i", "I viio6* I IV V I",
                                      "i V65 i iio6* i64 V i"))),
    "V16": injector("V16", Spec("V-vi without doubling the third", laws.deceptive_third,
        waived=_LEADS | codes("M01", "M02"),
        plans=("I V vi* ii6 V I", "I ii6 V vi* IV V I", "I V7 vi* IV V I"))),
    "V17": injector("V17", Spec("altered tone doubled", laws.doubled_altered,
        waived=codes("T09", "T06", "L06", "M02", "V13", "L03"), plans=(
        "i V6 i bII6* i64 V i", "I V6 I iv* I64 V I", "I IV iv* V I", "I V65 I iv* V I"))),
    "V18": injector("V18", *(Spec(f"{voiced} written where {given} was asked for", _misread(given),
        plans=(plan,), strict=True, waived=_LEADS, asked=_asked_for(voiced, given, 1))
        for plan, voiced, given in _MISREAD)),
    "V19": injector("V19", *(Spec(f"{voiced} written where {given} was asked for", _bass_wrong,
        plans=(plan,), strict=True, waived=_LEADS, asked=_asked_for(voiced, given))
        for plan, voiced, given in _OTHER_BASS)),
    "V20": injector("V20", Spec("leading tone not raised", _unraised, strict=True,
        waived=_LEADS | codes("M09"),
        plans=("i iv v* i iv V i", "i iio6 v* i iv V i"), asked=_asked_for("v", "V"))),
}  # fmt: skip

NEAR_MISSES: dict[str, Injector] = {
    "V01": near_miss("V01", Spec("a voice at its range's limit", _at_limit, strict=True)),
    "V02": near_miss("V02", Spec("an octave apart", _apart(NEIGHBOURS[:2], 12, 12), strict=True)),
    "V03": near_miss("V03", Spec("tenor a tenth to twelfth above the bass",
        _apart(((2, 3),), 15, 19), strict=True)),
    "V04": near_miss("V04", Spec("a unison", _apart(NEIGHBOURS, 0, 0), strict=True)),
    "V05": near_miss("V05", Spec("no fifth", _lacks_fifth, strict=True,
        plans=("I V6 I ii6 V7* I", "i V6 i iv V7* i"), **_WITH_TASK)),
    "V06": near_miss("V06", Spec("the root only once", _once(0), strict=True,
        plans=("I IV I6* ii6 V I", "I V6 I ii6* V I", "I V65* I IV V I"), **_WITH_TASK)),
    "V07": near_miss("V07", Spec("a V7 without its fifth", _lacks_fifth, strict=True,
        plans=("I V6 I ii6 V7* I", "i V6 i iv V7* i"), **_WITH_TASK)),
    "V08": near_miss("V08", Spec("root position without fifth", _lacks_fifth, strict=True,
        plans=("I V6 I ii6 V7* I", "i V6 i iv V7* i"), **_WITH_TASK)),
    "V09": near_miss("V09", Spec("the final tonic has its root three times", _tripled_final,
        plans=("I V6 I ii6 V7 I*", "I V6 I ii6 V I*", "i V6 i iv V i*"), **_WITH_TASK)),
    "V10": near_miss("V10", Spec("the minor key's own seventh degree doubled", _twice(2),
        waived=codes("V08"), plans=("i VII III* iv V i", "i VII III* iio6 V i")),
        Spec("fifth of V doubled", _twice(2), plans=("I V6* I ii6 V I",), strict=True)),
    "V11": near_miss("V11", Spec("fa doubled where it is no seventh", _doubled_fa, strict=True,
        plans=("I V6 I IV* V7 I", "I V6 I ii6* V7 I", "i V6 i iv* V7 i"))),
    "V12": near_miss("V12", Spec("third of a minor triad doubled", _twice(1), strict=True,
        plans=("I V6 I vi* ii6 V I", "I vi* IV V I")),
        Spec("V-VI with the third doubled", _twice(1), strict=True, plans=("i V6 i iv V VI*",))),
    "V13": near_miss("V13", Spec("six-four with its bass doubled", _twice(2), strict=True,
        plans=("I V6 I ii6 I64* V I", "i V6 i iv i64* V i"))),
    "V14": near_miss("V14", Spec("sixth chord's bass doubled on fa", _twice(1), strict=True,
        plans=("I V6 I ii6* V I", "i V6 i iio6* V i", "I vi ii6* V I"))),
    "V15": near_miss("V15", Spec("diminished triad with doubled third", _twice(1), strict=True,
        plans=("i V6 i iio6* V i",))),
    "V16": near_miss("V16", Spec("V-vi with doubled third", _twice(1), strict=True,
        plans=("I V vi* ii6 V I", "I V7 vi* IV V I")),
        Spec("I-vi with doubled root", _twice(0), strict=True, plans=("I vi* ii6 V I",))),
    "V17": near_miss("V17", Spec("altered chord, unaltered tone doubled", _twice(1), strict=True,
        plans=("i V6 i bII6* i64 V i",)), Spec("the altered tone once", _once(1), strict=True,
        plans=("I IV iv* V I", "I V6 I iv* I64 V I"))),
    "V18": near_miss("V18", Spec("every note in the numeral", _once(1), strict=True,
        plans=("I V6 I ii6 V* I", "I vi IV* V I"), **_WITH_TASK)),
    "V19": near_miss("V19", Spec("the inversion that was asked for", _bass_wrong, strict=True,
        plans=("I V6* I ii6 V I", "I V65* I ii6 V I", "I IV I6* ii6 V I"), **_WITH_TASK)),
    "V20": near_miss("V20", Spec("subtonic in v6 on the way down", _unraised, strict=True,
        plans=("i v6* iv6 V i iv V i",), **_WITH_TASK),
        Spec("subtonic in VII", _unraised, strict=True,
        plans=("i VII* III iv V i", "i VII* III iio6 V i"), **_WITH_TASK)),
}  # fmt: skip
