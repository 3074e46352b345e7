"""Faults of progressions and exercises, H01 to H08, and cadence labels, C01 to C05.

A label's *fault* is the situation that it should be reported for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from clausula.constraints.passage import CadenceKind, Task
from injected.chord_table import LEADING, TONIC, Tone
from injected.decorated import doublings, unspoilt
from injected.making import Injector, Spec, codes, injector, near_miss, placed, whole
from injected.notes import VOICES, Clean, Injected, Lines, Slot
from injected.ornaments import (
    EIGHTH,
    leapt_to,
    neighbours,
    passings,
    scale_note,
    suspensions,
)
from injected.passages import clean_of, clean_slots
from injected.plans import Plan
from injected.window import Hit, Law, Window

_LEADS = codes("M07", "L06", "M08", "M04", "V12", "V14", "V09", "L08", "T06")
_ATTEMPTS = 400
_SPAN: dict[str, Any] = {"spans": True}
Makers = tuple[Callable[[Plan, tuple[Slot, ...]], Iterator[tuple[int, int, Lines]]], ...]
Accepts = Callable[[Plan, tuple[Slot, ...], int, int], bool]


def _soprano(*tones: Tone) -> Law:
    """A law that hits when the soprano has one of some tones."""

    def law(w: Window) -> list[Hit]:
        return [("SATB", 0)] if w.tones[0] in tones else []

    return law


def _ornamented(code: str, words: str, makers: Makers, fits: Accepts, early: bool) -> Injector:
    """A clean passage with one ornament.

    Args:
        code: the rule.
        words: what was done.
        makers: of the ornament.
        fits: whether chord index and voice are what is meant.
        early: whether the ornament is the first eighth of its chord and not the last.
    """

    def make(rng: random.Random) -> Injected:
        for _ in range(_ATTEMPTS):
            plan, slots = clean_slots(rng)
            every = [found for maker in makers for found in maker(plan, slots)]
            rng.shuffle(every)
            for i, voice, lines in every:
                if fits(plan, slots, i, voice) and unspoilt(plan, slots, lines):
                    end = slots[i].onset + slots[i].duration
                    onset = slots[i].onset if early else end - EIGHTH
                    places = [onset, onset + EIGHTH if early else slots[i].onset]
                    clean = clean_of(plan, slots, lines)
                    return placed(code, clean, onset, places, VOICES[voice], frozenset(), words)
        raise RuntimeError(f"{code}: no passage found")

    return make


def _anything(_plan: Plan, _slots: tuple[Slot, ...], _index: int, _voice: int) -> bool:
    return True


def _alone(_plan: Plan, slots: tuple[Slot, ...], index: int, voice: int) -> bool:
    return not any(doublings(slots, index, voice))


def _against(_plan: Plan, slots: tuple[Slot, ...], index: int, voice: int) -> bool:
    return doublings(slots, index, voice)[0]


def _over_bass(_plan: Plan, slots: tuple[Slot, ...], index: int, voice: int) -> bool:
    return doublings(slots, index, voice) == (False, True)


def _rising(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[tuple[int, int, Lines]]:
    """Dissonances held over that then rise or leap."""
    return suspensions(plan, slots, ways=(1, 2, -2), at_close=False)


def _retarded(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[tuple[int, int, Lines]]:
    """The leading tone held over the last tonic."""
    for i, voice, lines in suspensions(plan, slots, ways=(1,)):
        before = plan.frame.tone(slots[i - 1].pitches[voice])
        if i == len(slots) - 1 and before == LEADING:
            yield i, voice, lines


def _closing(kind: CadenceKind) -> Callable[[Plan, tuple[Slot, ...]], Task]:
    return lambda plan, slots: Task(cadence=kind)


def changed_soprano(rng: random.Random) -> Injected:
    """H08: the soprano that was given differs in one note."""
    plan, slots = clean_slots(rng)
    clean = clean_of(plan, slots)
    i = rng.randrange(1, len(slots) - 1)
    voice = rng.choice((0, 3))
    part = clean.score.parts[voice]
    notes = list(part.notes)
    step = notes[i].pitch.step + rng.choice((-1, 1))
    notes[i] = replace(notes[i], pitch=scale_note(plan, step))
    given = replace(part, notes=tuple(notes))
    asked = replace(clean, task=Task(given=((voice, given),)))
    words = "a given voice differs in one note"
    return _here("H08", asked, slots, i, VOICES[voice], words)


def kept_soprano(rng: random.Random) -> Injected:
    """Near H08: a voice is given, and stands as it was."""
    plan, slots = clean_slots(rng)
    clean = clean_of(plan, slots)
    voice = rng.choice((0, 3))
    asked = replace(clean, task=Task(given=((voice, clean.score.parts[voice]),)))
    return _here("H08", asked, slots, 1, VOICES[voice], "a given voice is kept")


def _here(
    code: str, clean: Clean, slots: tuple[Slot, ...], i: int, voices: str, words: str
) -> Injected:
    onset = slots[i].onset
    return placed(code, clean, onset, [onset], voices, frozenset(), words)


def weak_to_strong(rng: random.Random) -> Injected:
    """H02: one harmony, the barline or a strong beat in its middle."""
    return _carried(rng, "H02", True, "a harmony is carried from a weak to a strong beat")


def strong_to_weak(rng: random.Random) -> Injected:
    """Near H02: one harmony from a strong to a weak beat."""
    return _carried(rng, "H02", False, "a harmony is carried from a strong to a weak beat")


_CARRIED = ("I V6 I ii6 ii* V I", "I V6 I IV IV6* V I", "I V6 V* I ii6 V I", "i V6 V* i iv V i",
            "i V6 i iv iv6* V i", "I vi vi* ii6 V I", "I V6 I V6 V* I", "I V V6* I ii6 V I",
            "i iv i i6* iv V i", "I V I I6* IV V I")  # fmt: skip


def _carried(rng: random.Random, code: str, weak: bool, words: str) -> Injected:
    def wanted(w: Window) -> list[Hit]:
        first, second = (w.frame.strong(slot.onset) for slot in (w.b, w.c) if slot)
        return [("SATB", 0)] if (first, second) == (not weak, weak) else []

    spec = Spec(words, wanted, _CARRIED, strict=True, anywhere=True, waived=_LEADS, **_SPAN)
    for _ in range(_ATTEMPTS):
        found = injector(code, spec)(rng)
        if weak or not _repeats(found.clean):
            return found
    raise RuntimeError(f"{code}: no passage found")


def _repeats(clean: Clean) -> bool:
    """Whether equal names, figures off, stand on a weak and then a strong beat."""
    meter, pickup = clean.score.meters[0][1], clean.score.pickup
    strong = [
        (onset - pickup) % meter.quarters in ((0, 2) if meter.numerator == 4 else (0,))
        for onset, _ in clean.numerals
    ]
    names = [name.rstrip("0123456789") for _, name in clean.numerals]
    pairs = zip(names, names[1:], strong, strong[1:], strict=False)
    return any(one == two and not s and t for one, two, s, t in pairs)


_NOT_CLOSED = ("I V6 I IV V*", "i V6 i iv V*", "I V7 vi IV I V*", "I V6 I ii6 V7 vi*",
               "I vi ii6 V*", "i V65 i iv6 V*")  # fmt: skip
_HALF = ("I V6 I ii6 V*^ I IV V I", "I IV V*^ I6 ii6 V I", "I V6 I IV V*", "i V6 i iv V*^ i iv V i",
         "i V65 i iio6 V*", "I vi IV V*^ I ii6 V I")  # fmt: skip
_DECEPTIVE = ("I V6 I ii6 V7 vi*", "I V6 I IV V vi*^ ii6 V I", "i V6 i iv V VI*",
              "I IV I6 ii6 V vi*^ IV V I", "i V65 i iio6 V7 VI*")  # fmt: skip
_PLAGAL = ("I V6 I vi IV I*", "I V6 I IV I*^ V6 I ii6 V I", "i V6 i iv i*", "I V65 I vi IV I*")
_PHRYGIAN = ("i V6 i iv6 V*", "i v6 iv6 V*^ i iv V i", "i V65 i iv6 V*^ i iv V i")
_AUTHENTIC = ("I V6 I ii6 V I*", "I IV I6 ii6 V7 I*", "i V6 i iv V i*", "i V65 i iv V7 i*",
              "I V6 I ii6 I64 V I*")  # fmt: skip
_IMPERFECT = _soprano((4, 2), (3, 2), (7, 4))
_ON_ONE = _soprano(TONIC)
_STRICT: dict[str, Any] = {"strict": True, "waived": _LEADS}


def _label(code: str, words: str, wanted: Law, plans: tuple[str, ...]) -> Injector:
    return injector(code, Spec(words, wanted, plans, strict=True, waived=_LEADS, spans=True))


FAULTS: dict[str, Injector] = {
    "H01": injector("H01", Spec("dominant to predominant", whole, plans=(
        "I V IV* V I", "I V6 I V ii6* V I", "I ii6 V IV6* V I", "I V IV* I6 ii6 V I",
        "i V iv* V i", "I V7 ii6* V I", "I V ii* V I"), **_SPAN, **_STRICT)),
    "H02": weak_to_strong,
    "H03": injector("H03", Spec("opens off the tonic", whole, plans=(
        "V* I ii6 V I", "IV* V I ii6 V I", "ii6* V I IV V I", "vi* ii6 V I IV V I",
        "V6* I IV V I"), **_STRICT)),
    "H04": injector("H04", Spec("no perfect cadence though one was asked for", whole,
        _NOT_CLOSED, asked=_closing(CadenceKind.PAC), everywhere=True, **_STRICT),
        Spec("perfect cadence though a half one was asked for", _ON_ONE,
             _AUTHENTIC, asked=_closing(CadenceKind.HC), everywhere=True, **_STRICT)),
    "H05": _ornamented("H05", "a dissonance approached and left by leap", (leapt_to,), _anything,
                       early=False),
    "H06": _ornamented("H06", "a suspension that does not fall by step", (_rising,), _alone,
                       early=True),
    "H07": _ornamented("H07", "the resolution sounds against the suspension", (suspensions,),
                       _against, early=True),
    "H08": changed_soprano,
    "C01": _label("C01", "PAC", _ON_ONE, _AUTHENTIC),
    "C02": _label("C02", "IAC", _IMPERFECT, _AUTHENTIC),
    "C03": _label("C03", "HC", whole, _HALF),
    "C04": _label("C04", "deceptive cadence", whole, _DECEPTIVE),
    "C05": injector("C05", Spec("plagal cadence", whole, _PLAGAL, **_STRICT, **_SPAN),
                    Spec("Phrygian half cadence", whole, _PHRYGIAN, **_STRICT, **_SPAN)),
}  # fmt: skip

NEAR_MISSES: dict[str, Injector] = {
    "H01": near_miss("H01", Spec("V-IV6-V6 passing", whole, strict=True, waived=_LEADS, plans=(
        "I V IV6* V6 I ii6 V I", "I V IV6* V65 I ii6 V I"))),
    "H02": strong_to_weak,
    "H03": near_miss("H03", Spec("opens on a tonic sixth chord", whole, strict=True, waived=_LEADS,
        plans=("I6* ii6 V I", "I6* IV V I ii6 V I", "i6* iv V i"))),
    "H04": near_miss("H04", Spec("the perfect cadence that was asked for", _ON_ONE, _AUTHENTIC,
        asked=_closing(CadenceKind.PAC), everywhere=True, **_STRICT),
        Spec("the half cadence that was asked for", whole, ("I V6 I IV V*", "i V6 i iv V*"),
             asked=_closing(CadenceKind.HC), everywhere=True, **_STRICT)),
    "H05": _ornamented("H05", "a passing or neighbour note", (passings, neighbours), _anything,
                       early=False),
    "H06": _ornamented("H06", "a suspension, or the leading tone held over the last tonic",
                       (suspensions, _retarded), _alone, early=True),
    "H07": _ornamented("H07", "the resolution sounds in the bass", (suspensions,), _over_bass,
                       early=True),
    "H08": kept_soprano,
    "C01": _label("C01", "V-I with the soprano off 1", _IMPERFECT, _AUTHENTIC),
    "C02": _label("C02", "PAC, no IAC", _ON_ONE, _AUTHENTIC),
    "C03": _label("C03", "a phrase that ends on V6", whole,
                  ("I V6 I ii6 V6*^ I IV V I", "I IV V6*^ I ii6 V I", "i V65 i iv V6*^ i iv V i")),
    "C04": _label("C04", "a phrase that ends IV-vi or I-vi", whole,
                  ("I V6 I vi*^ ii6 V I", "I IV I vi*^ IV V I", "I V6 I vi*")),
    "C05": _label("C05", "IV-I within a phrase", whole,
                  ("I IV I* ii6 V I", "I V6 I IV I* ii6 V I", "i iv i* iv V i")),
}  # fmt: skip
