"""Clean passages with one properly made non-chord tone."""

from __future__ import annotations

import random

from injected.making import surface
from injected.notes import Clean, Lines, Slot
from injected.ornaments import anticipations, neighbours, passings, suspensions
from injected.passages import LAWS, clean_of, clean_slots
from injected.plans import Plan

SMOOTH = ("M01", "M02", "M03", "M05", "M06", "M07", "V01", "V02", "V03", "V04")


def unspoilt(plan: Plan, slots: tuple[Slot, ...], lines: Lines) -> bool:
    """Whether no pair of verticalities has a fault of motion or spacing."""
    shown = surface(plan, slots, lines)
    return not any(LAWS[code](w) for w in shown for code in SMOOTH)


def doublings(slots: tuple[Slot, ...], index: int, voice: int) -> tuple[bool, bool]:
    """Whether a voice's tone is sung by another upper voice, and by the bass."""
    mine = slots[index].pitches[voice]
    same = [
        v
        for v, p in enumerate(slots[index].pitches)
        if v != voice and p[0] % 12 == mine[0] % 12 and p[1] % 7 == mine[1] % 7
    ]
    return any(v < 3 for v in same), 3 in same


def decorated(rng: random.Random) -> Clean:
    """A clean passage with a passing or neighbour note, an anticipation or a suspension."""
    while True:
        plan, slots = clean_slots(rng)
        makers = [passings, neighbours, anticipations, suspensions]
        rng.shuffle(makers)
        for maker in makers:
            found = list(maker(plan, slots))
            rng.shuffle(found)
            for i, voice, lines in found:
                against = maker is suspensions and doublings(slots, i, voice)[0]
                if not against and unspoilt(plan, slots, lines):
                    return clean_of(plan, slots, lines)
