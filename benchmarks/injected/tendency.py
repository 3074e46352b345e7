"""Faults of tones that want to go somewhere, T01 to T14, and what only looks like them."""

from __future__ import annotations

from typing import Any

from injected import laws_tendency as laws
from injected.chord_table import FA, LE, LEADING
from injected.laws_motion import rising_tenths
from injected.making import Injector, Spec, codes, injector, near_miss, whole
from injected.notes import VOICES
from injected.window import Hit, Window, interval, up

_LEADS = codes("M07", "L06", "M08", "M04", "V12", "V14", "V09", "L08", "V08")
_SPAN: dict[str, Any] = {"spans": True}
_TO_TONIC = (
    "I V6 I ii6 V I* IV V I", "I V6 I ii6 V I*", "i V6 i iv V i*", "I IV I6 ii6 V7 I*",
    "I V65 I* ii6 V I", "I IV V6 I* ii6 V I", "i V6 i* iv V i",
    "i iv V i* iio6 V i", "I ii6 V7 I* IV V I", "I V vi* ii6 V I", "i V6 i iv V7 i* iv V i",
)  # fmt: skip
_SEVENTHS = (
    "I V65 I* ii6 V I", "I ii6 V7 I* IV V I", "I IV V42 I6* ii6 V I", "i V65 i* iv V i",
    "I IV ii65 V* I", "i V6 i iiø65 V* i", "I V43 I* ii6 V I", "I V65/IV IV* ii6 V I",
)  # fmt: skip
_SIXTHS = ("i V6 i Ger65 V* i", "i i6 Ger65 i64* V i", "i V6 i It6 V* i", "i iv6 It6 V* i")


def _singers(w: Window, tone: tuple[int, int] | None) -> list[int]:
    return [v for v, sung in enumerate(w.before) if sung == tone] if w.joined else []


def _each(voices: list[int]) -> list[Hit]:
    return [(VOICES[v], 0) for v in voices]


def _leading_held(w: Window) -> list[Hit]:
    return _each([v for v in _singers(w, LEADING) if v in (0, 3) and w.moves[v] == (0, 0)])


def _descent(w: Window) -> list[Hit]:
    """1-7-6."""
    falls = [v for v in _singers(w, LEADING) if v in (0, 3) and w.moves[v][1] == -1]
    return _each([v for v in falls if w.earlier and w.earlier[v] == (-1, -1)])


def _leading_to_sol(w: Window) -> list[Hit]:
    return _each([v for v in _singers(w, LEADING) if v in (1, 2) and w.moves[v] == (-4, -2)])


def _seventh_held(w: Window) -> list[Hit]:
    tone = w.b.chord.seventh if w.b else None
    return _each([v for v in _singers(w, tone) if tone and w.moves[v] == (0, 0)])


def _seventh_transferred(w: Window) -> list[Hit]:
    """The same dominant again, its seventh in another voice."""
    tone = w.c.chord.seventh
    if not w.b or w.b.chord.base != w.c.chord.base or not tone:
        return []
    left = [v for v in _singers(w, tone) if w.tones[v] != tone]
    return _each(left) if tone in w.tones else []


def _rising_seventh(w: Window) -> list[Hit]:
    return _each([v for v in _singers(w, FA) if up(w.moves[v])]) if rising_tenths(w) else []


def _seventh_by_step(w: Window) -> list[Hit]:
    tone = w.c.chord.seventh
    smooth = [v for v, t in enumerate(w.tones) if tone and t == tone and abs(w.moves[v][1]) <= 1]
    return _each(smooth)


def _fa_rises(w: Window) -> list[Hit]:
    return _each([v for v in _singers(w, FA) if up(w.moves[v])])


def _le_stays_or_falls(w: Window) -> list[Hit]:
    return _each([v for v in _singers(w, LE) if w.moves[v] in ((0, 0), (-1, -1))])


def _outer_tritone(w: Window) -> list[Hit]:
    tritone = w.b is not None and interval(w.b.pitches[0], w.b.pitches[3])[0] == 6
    return [("SB", 0)] if tritone and w.changes else []


def _altered_resolved(w: Window) -> list[Hit]:
    tones = w.b.chord.altered if w.b else frozenset()
    return _each([v for tone in tones for v in _singers(w, tone)])


def _at_six_four(_w: Window) -> list[Hit]:
    return [("SATB", 1)]


def _descent_plans() -> tuple[str, ...]:
    return ("I V6 vi* ii6 V I", "I V6 IV6* V I")


FAULTS: dict[str, Injector] = {
    "T01": injector("T01", Spec("leading tone of an outer voice does not rise",
        laws.leading_outer, waived=_LEADS | codes("T07", "L02", "L03"), plans=_TO_TONIC,
        melodic=False, **_SPAN)),
    "T02": injector("T02", Spec("leading tone of an inner voice leaves elsewhere",
        laws.leading_inner, waived=_LEADS, plans=_TO_TONIC, **_SPAN)),
    "T03": injector("T03", Spec("seventh does not fall", laws.seventh_resolves, **_SPAN,
        waived=_LEADS | codes("T07", "M05", "M06", "T09"), plans=_SEVENTHS)),
    "T04": injector("T04", Spec("seventh approached by leap", laws.seventh_approached, **_SPAN,
        waived=_LEADS, plans=("I V65* I ii6 V I", "I V6 I vi V7* I", "I IV ii65* V I",
        "I V42* I6 ii6 V I", "i V65* i iv V i", "I V43* I ii6 V I", "i i6 V7* i iv V i"))),
    "T05": injector("T05", Spec("fa of the diminished chord does not fall", laws.fa_falls, **_SPAN,
        waived=_LEADS | codes("M06", "M05", "T07"), plans=("I viio6 I* ii6 V I",
        "I viio6 I6* ii6 V I", "i viio6 i6* iv V i", "i viio6 i* iv V i")),
        Spec("fifth of iii does not fall", laws.fa_falls, **_SPAN, waived=_LEADS,
             plans=("I iii vi* ii6 V I", "I iii IV* V I"))),
    "T06": injector("T06", Spec("le does not go to sol", laws.le_falls, **_SPAN, waived=_LEADS
        | codes("L01", "L02", "L03", "T03"), plans=("i V6 i iv V* i", "i V6 i iio6 V* i",
        "i iv i6* iv V i", "i iv6 V* i iv V i", "i V6 i iv i64* V i"))),
    "T07": injector("T07", Spec("tritone of the outer voices resolves wrongly", **_SPAN,
        wanted=laws.tritone_resolves, waived=_LEADS | codes("T01", "T03", "M05", "T13"), plans=(
        "I V65 I* ii6 V I", "i V65 i* iv V i", "I IV V42 I6* ii6 V I", "i iv V42 i6* iv V i",
        "I IV V42 I* ii6 V I", "I IV V65 vi* ii6 V I"))),
    "T08": injector("T08", Spec("augmented sixth not out to the octave", **_SPAN,
        wanted=laws.augmented_sixth_resolves, waived=_LEADS | codes("T06", "T09", "M01", "T10"),
        plans=_SIXTHS)),
    "T09": injector("T09", Spec("altered tone against its inflection", laws.altered_resolves,
        waived=_LEADS | codes("T03", "T06", "M09", "T07"), plans=("I IV V65/V V* I",
        "I V6 I IV V7/V V* I", "I V65/IV IV* ii6 V I", "I IV iv V* I", "I vi V65/V V* I",
        "I ii6 V/V V* I"), **_SPAN)),
    "T10": injector("T10", Spec("sixth or fourth of a cadential six-four does not fall",
        laws.six_four_resolves, waived=_LEADS, **_SPAN, plans=("I V6 I ii6 I64 V* I",
        "I vi IV I64 V7* I", "i V6 i iv i64 V* i", "i V65 i iio6 i64 V7* i"))),
    "T11": injector("T11", Spec("a six-four of no kind", laws.six_four_kind, strict=True,
        waived=_LEADS, anywhere=True, plans=("I V6 I IV V64 I* ii6 V I", "I I6 IV64 V* I",
        "I ii64 V* I IV V I", "i iv V64 i* iv V i", "I vi V64 I* ii6 V I", "I IV64 ii6* V I"))),
    "T12": injector("T12", Spec("a cadential six-four, then no V in root position", strict=True,
        wanted=laws.six_four_goes_on, waived=_LEADS | codes("T11"), plans=(
        "I V6 I ii6 I64 V65* I ii6 V I", "I V6 I IV I64 V6* I IV V I", "i i6 iv i64 V65* i iv V i",
        "I IV I64 vi* ii6 V I", "I ii6 I64 IV* V I", "I IV I64 V43* I IV V I"), anywhere=True)),
    "T13": injector("T13", Spec("V42, then no I6", laws.third_inversion, **_SPAN,
        strict=True, waived=_LEADS | codes("T03", "T07", "L06", "L02", "L03", "H01"), plans=(
        "I IV V42 I* ii6 V I", "I IV V42 vi* ii6 V I", "i iv V42 i* iv V i",
        "I ii6 V42 IV6* V I"))),
    "T14": injector("T14", Spec("vii° in root position, then the tonic", laws.root_diminished,
        strict=True, waived=_LEADS | codes("T05", "M05", "T07"), **_SPAN, plans=(
        "I viio I* ii6 V I", "i viio i* iv V i", "I IV viio I* ii6 V I", "i iv viio i* iv V i"))),
}  # fmt: skip

NEAR_MISSES: dict[str, Injector] = {
    "T01": near_miss("T01", Spec("leading tone held in the dominant", _leading_held, strict=True,
        plans=("I ii6 V V7* I", "i iv V V7* i", "I IV V6 V65* I ii6 V I"), anywhere=True),
        Spec("1-7-6", _descent, strict=True, waived=codes("T01"), plans=("I V6 vi* ii6 V I",))),
    "T02": near_miss("T02", Spec("inner leading tone down to sol", _leading_to_sol, strict=True,
        plans=("I V6 I ii6 V7 I*", "i V6 i iv V7 i*", "I V6 I IV V I*"))),
    "T03": near_miss("T03", Spec("seventh held", _seventh_held, strict=True, anywhere=True,
        plans=("I V6 I ii65 I64* V I", "i V6 i iiø65 i64* V i", "I IV ii65 V7/V* V I")),
        Spec("seventh transferred", _seventh_transferred, anywhere=True, waived=codes("T03")
        | _LEADS | codes("T04"), plans=("I ii6 V7 V42* I6 ii6 V I", "I V65 V43* I ii6 V I",
        "I V65 V7* I ii6 V I")),
        Spec("I-V43-I6 with rising tenths", _rising_seventh, waived=codes("T03", "T07", "V14"),
             plans=("I V43 I6* ii6 V I", "i V43 i6* iv V i"))),
    "T04": near_miss("T04", Spec("seventh prepared or by step", _seventh_by_step, strict=True,
        plans=("I V65* I ii6 V I", "I IV ii65* V I", "I ii6 V7* I", "i V65* i iv V i"))),
    "T05": near_miss("T05", Spec("fa rises where it belongs to ii6 or IV", _fa_rises, strict=True,
        plans=("I V6 I ii6 V* I", "I V6 I IV V* I", "i V6 i iv V* i"))),
    "T06": near_miss("T06", Spec("le held or to sol", _le_stays_or_falls, strict=True,
        plans=("i V6 i iv V* i", "i V6 i iv iio6* V i", "i V6 i iio6 V* i"), anywhere=True)),
    "T07": near_miss("T07", Spec("tritone of the outer voices well resolved", _outer_tritone,
        strict=True, plans=("I V65 I* ii6 V I", "i V65 i* iv V i", "I IV V42 I6* ii6 V I"))),
    "T08": near_miss("T08", Spec("augmented sixth out to the octave", _altered_resolved,
        strict=True, waived=codes("V17") | _LEADS, plans=_SIXTHS)),
    "T09": near_miss("T09", Spec("altered tone by its inflection", _altered_resolved, strict=True,
        plans=("I IV V65/V V* I", "I V65/IV IV* ii6 V I", "I IV iv V* I"))),
    "T10": near_miss("T10", Spec("cadential six-four resolved", whole, strict=True,
        plans=("I V6 I ii6 I64 V* I", "i V6 i iv i64 V* i", "I V6 I IV I64 V7* I"))),
    "T11": near_miss("T11", Spec("a passing six-four", _at_six_four, strict=True, anywhere=True,
        waived=codes("V14") | _LEADS, plans=("I V64 I6* ii6 V I", "I I6 V64 I* ii6 V I",
                                           "i V64 i6* iv V i", "I ii6 I64 ii* V I")[:3]),
        Spec("a pedal six-four", _at_six_four, strict=True, waived=_LEADS, anywhere=True,
             plans=("I IV64 I* ii6 V I", "i iv64 i* iio6 V i")),
        Spec("an arpeggiated six-four", _at_six_four, strict=True, anywhere=True, waived=_LEADS,
             plans=("I I6 I64 I* ii6 V I", "I I64 I6* ii6 V I"))),
    "T12": near_miss("T12", Spec("cadential six-four to V or V7", _at_six_four, strict=True,
        plans=("I V6 I ii6 I64 V* I", "i V6 i iv i64 V* i", "I V6 I IV I64 V7* I"))),
    "T13": near_miss("T13", Spec("V42 to I6", whole, strict=True,
        plans=("I IV V42 I6* ii6 V I", "i iv V42 i6* iv V i", "I ii6 V42 I6* IV V I"))),
    "T14": near_miss("T14", Spec("vii° as a sixth chord to the tonic", whole, waived=_LEADS
        | codes("V14"), strict=True, plans=("I viio6 I6* ii6 V I", "I viio6 I* ii6 V I",
                                            "i viio6 i6* iv V i"))),
}  # fmt: skip
