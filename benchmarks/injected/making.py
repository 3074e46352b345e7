"""From a table of what has to happen to passages in which it does, and only it.

A `Spec` says what a fault, or its legal look-alike, is: the progressions in which there is room for
it and the law that has to hit. The passage around it is clean.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from clausula.constraints.passage import Task
from injected.notes import Clean, Injected, Lines, Slot, onsets, sounding
from injected.passages import LAWS, Target, clean_of, compose, windows
from injected.plans import Plan, plan_of, random_text
from injected.window import Hit, Law, Window

Asked = Callable[[Plan, tuple[Slot, ...]], Task]
Injector = Callable[[random.Random], Injected]
_ATTEMPTS = 400


@dataclass(frozen=True)
class Spec:
    """What has to happen.

    Attributes:
        words: what was done, for a person.
        wanted: the law that has to hit.
        plans: progressions as `plans` writes them; any phrase when there is none.
        waived: codes that may be broken too, where nothing else will do.
        strict: whether the chord there is voiced as the book wants.
        margin: semitones that its voices may leave their ranges by.
        anywhere: whether metrical rules of the plan are off.
        melodic: whether the soprano needs one climax and more steps than leaps.
        spans: whether the verticality before names the fault as well.
        everywhere: whether every place does.
        asked: the task; nothing is asked for when left out.
    """

    words: str
    wanted: Law
    plans: tuple[str, ...] = ()
    waived: frozenset[str] = frozenset()
    strict: bool = False
    margin: int = 0
    anywhere: bool = False
    melodic: bool = True
    spans: bool = False
    everywhere: bool = False
    asked: Asked | None = None


def whole(_window: Window) -> list[Hit]:
    """A law that always hits, for what the progression alone decides."""
    return [("SATB", 0)]


def codes(*names: str) -> frozenset[str]:
    """Waived codes, with what the strictest add to them."""
    return frozenset(names) | {f"{name}+" for name in names}


# Laws that are no more than another's strictest reading.
_COMPANIONS = {"T02": ("T01",), "L03": ("L06",), "M04": ("M04+",)}


def injector(code: str, *specs: Spec) -> Injector:
    """A callable that makes one of some faults at random.

    Raises:
        RuntimeError: when it is called and no passage is found.
    """
    # What only some profiles add to a rule always comes with breaking it.
    return _maker(code, specs, codes(code, *_COMPANIONS.get(code, ())))


def near_miss(code: str, *specs: Spec) -> Injector:
    """The same of what only looks like the fault: it may break the strictest reading alone."""
    return _maker(code, specs, frozenset({f"{code}+"}))


def _maker(code: str, specs: tuple[Spec, ...], own: frozenset[str]) -> Injector:
    def make(rng: random.Random) -> Injected:
        for attempt in range(_ATTEMPTS):
            spec = rng.choice(specs)
            # Waivers are a last resort: a third of the attempts goes without.
            waived = spec.waived if attempt % 3 else frozenset()
            found = _attempt(rng, code, spec, waived, own)
            if found:
                return found
        raise RuntimeError(f"{code}: no passage found for any of {[s.words for s in specs]}")

    return make


def _attempt(
    rng: random.Random, code: str, spec: Spec, waived: frozenset[str], own: frozenset[str]
) -> Injected | None:
    try:
        plan = planned(rng, spec)
    except ValueError:
        return None
    target = Target(plan.target, spec.wanted, waived, own, not spec.strict, spec.margin)
    slots = compose(rng, plan, target, spec.melodic)
    if not slots:
        return None
    task = spec.asked(plan, slots) if spec.asked else None
    hit = spec.wanted(list(windows(plan, slots))[plan.target])[0]
    index = plan.target - hit[1]
    named = {index, plan.target} | ({index - 1} if spec.spans and index else set())
    if spec.everywhere:
        named = set(range(len(slots)))
    clean = clean_of(plan, slots, asked=task)
    places = [slots[i].onset for i in sorted(named)]
    other = others(plan, slots) - {code}
    return placed(code, clean, slots[index].onset, places, hit[0], other, spec.words)


def planned(rng: random.Random, spec: Spec) -> Plan:
    """A plan with room for a spec, its target marked."""
    if spec.plans:
        return plan_of(rng, rng.choice(spec.plans), spec.anywhere)
    plan = plan_of(rng, random_text(rng), spec.anywhere)
    return replace(plan, target=rng.randrange(2, len(plan.chords) - 1))


def others(plan: Plan, slots: tuple[Slot, ...]) -> frozenset[str]:
    """Every code that is broken somewhere."""
    found = {code for w in windows(plan, slots) for code, law in LAWS.items() if law(w)}
    found |= plan.broken
    return frozenset(code for code in found if not code.endswith("+"))


def placed(
    code: str,
    clean: Clean,
    onset: Fraction,
    places: list[Fraction],
    voices: str,
    other: frozenset[str],
    words: str,
) -> Injected:
    """An injected fault at an onset, by measure and beat.

    Args:
        code: the rule.
        clean: the passage.
        onset: of the fault in quarters.
        places: onsets that name it, in quarters.
        voices: letters.
        other: codes that are broken as well.
        words: what was done.
    """
    measure, beat = clean.score.place(onset)
    accepted = tuple(clean.score.place(place) for place in places)
    return Injected(code, clean, measure, beat, voices, accepted, other, words)


def surface(plan: Plan, slots: tuple[Slot, ...], lines: Lines) -> list[Window]:
    """Windows of verticalities rather than of chords: one wherever some voice starts a note."""
    times = onsets(lines)
    moments = []
    for time in times:
        slot = [each for each in slots if each.onset <= time][-1]
        moments.append(replace(slot, onset=time, pitches=sounding(lines, time)))
    return list(windows(plan, tuple(moments)))
