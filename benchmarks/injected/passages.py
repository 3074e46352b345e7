"""Clean passages: known harmony set for four voices by backtracking, every law at its strictest.

Clean means: ranges, spacing, complete chords, the book's doublings, no parallel, contrary or hidden
perfect intervals, tendency tones resolved, leaps recovered, a soprano of steps with one climax, an
authentic cadence. The laws are this folder's own reading of the catalogue, none of the program's.

Conventions: those of `notes`. The same seed gives the same passage.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import pairwise, product

from clausula.constraints.passage import Task
from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch
from injected import laws_line, laws_motion, laws_tendency, laws_vertical
from injected.chord_table import TONIC, Harmony, figures_of
from injected.notes import Clean, Frame, Lines, Pitches, Slot, lines_of, score_of
from injected.plans import Plan, plan_of, random_text
from injected.window import Law, Window

LAWS: dict[str, Law] = laws_motion.LAWS | laws_vertical.LAWS | laws_tendency.LAWS | laws_line.LAWS
_METER, _NOTHING = Meter(4, 4), Fraction(0)
_SAMPLE = 600  # loose voicings drawn at a time
_TRIES = 700  # windows looked at before a fresh start
_CANDIDATES = 40  # voicings tried at the chord at which something is to happen


@dataclass(frozen=True)
class Target:
    """What has to happen at one chord.

    Attributes:
        index: of the chord.
        wanted: has to hit there.
        waived: codes that may be broken there and at the next chord.
        own: codes that may be broken there only.
        loose: whether its voicing may have wrong doublings, gaps and crossings.
        margin: semitones that it may then leave the ranges by.
    """

    index: int
    wanted: Law
    waived: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    loose: bool = True
    margin: int = 0


@dataclass
class _Search:
    """A run of the backtracking."""

    rng: random.Random
    plan: Plan
    target: Target | None
    melodic: bool
    left: int = _TRIES
    slots: list[Slot] = field(default_factory=list)


def _pitches(key: Key, tone: tuple[int, int], low: int, high: int) -> list[SpelledPitch]:
    """Every octave of a tone in a range of MIDI numbers."""
    found = []
    for octave in range(1, 8):
        step = key.tonic_letter + tone[1]
        natural = (0, 2, 4, 5, 7, 9, 11)[step % 7]
        alter = (key.tonic_pc + tone[0] - natural + 6) % 12 - 6
        pitch = SpelledPitch(12 * (octave + 1) + natural + alter, 7 * octave + step % 7)
        if low <= pitch.semitone <= high:
            found.append(pitch)
    return found


@cache
def voicings(key: Key, chord: Harmony, loose: bool, margin: int = 0) -> tuple[Pitches, ...]:
    """Every voicing with the right bass: the clean ones, or with anything else wrong as well."""
    choices = []
    for voice, (low, high) in enumerate(laws_vertical.RANGES):
        tones = chord.tones if voice < 3 else (chord.bass,)
        each = [p for t in tones for p in _pitches(key, t, low - margin, high + margin)]
        choices.append(sorted(each))
    every = product(*choices)
    if loose:
        return tuple(every)
    frame = Frame(key, _METER, _NOTHING)
    return tuple(pitches for pitches in every if _stands(frame, chord, pitches))


def _stands(frame: Frame, chord: Harmony, pitches: Pitches) -> bool:
    """Whether a voicing breaks no law of single chords; a root-position V7 may lack its fifth."""
    s, a, t, b = (p[0] for p in pitches)
    if not s >= a >= t >= b or s - a > 12 or a - t > 12:
        return False
    w = Window(frame, None, None, Slot(_NOTHING, _NOTHING, chord, pitches), False)
    missing = set(chord.tones) - set(w.tones)
    if missing and not (chord.base == "V7" and not chord.inversion and missing == {chord.tones[2]}):
        return False
    # Tripled roots are for the last chord; a seventh chord doubles nothing when it is complete.
    return not any(law(w) for law in laws_vertical.LAWS.values())


def breaks(w: Window, waived: frozenset[str]) -> bool:
    """Whether a law hits in a window that is not waived."""
    return any(law(w) for code, law in LAWS.items() if code not in waived)


def windows(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[Window]:
    """One window for each chord."""
    for i, slot in enumerate(slots):
        a = slots[i - 2] if i > 1 else None
        b = slots[i - 1] if i else None
        yield Window(plan.frame, a, b, slot, i == len(slots) - 1)


def compose(
    rng: random.Random, plan: Plan, target: Target | None = None, melodic: bool = True
) -> tuple[Slot, ...] | None:
    """Set a plan for four voices.

    Args:
        rng: what is random.
        plan: chords and times.
        target: what has to happen on the way; everything else is clean.
        melodic: whether the soprano needs one climax and more steps than leaps.

    Returns:
        The chords, or none when the search gave up.
    """
    run = _Search(rng, plan, target, melodic)
    return tuple(run.slots) if _extend(run) else None


def _extend(run: _Search) -> bool:
    """Add the remaining chords; undoes what it added when that fails."""
    i = len(run.slots)
    if i == len(run.plan.chords):
        return not run.melodic or one_climax(tuple(run.slots))
    for slot in _candidates(run, i):
        run.slots.append(slot)
        if _extend(run):
            return True
        run.slots.pop()
        if run.left <= 0:
            return False
    return False


def _candidates(run: _Search, i: int) -> Iterator[Slot]:
    """Voicings of chord ``i`` that may follow, nearest first with some chance."""
    plan, target = run.plan, run.target
    here = target is not None and target.index == i
    loose = target is not None and here and target.loose
    last = i == len(plan.chords) - 1
    found = []
    margin = target.margin if target and loose else 0
    every = voicings(plan.frame.key, plan.chords[i], loose, margin)
    if len(every) > _SAMPLE:
        every = tuple(run.rng.sample(every, _SAMPLE))
    for pitches in every:
        slot = Slot(*plan.times[i], plan.chords[i], pitches, i in plan.fermatas)
        w = Window(plan.frame, *_before(run.slots), slot, last)
        if here and target and not target.wanted(w):
            continue
        if last and not here and plan.closes and run.melodic and w.tones[0] != TONIC:
            continue
        found.append((_distance(w) + run.rng.random() * 8, w))
    found.sort(key=lambda each: each[0])
    waived = _waived(target, i)
    for _, w in found[:_CANDIDATES]:
        run.left -= 1
        if run.left <= 0:
            return
        if not breaks(w, waived):
            yield w.c


def _waived(target: Target | None, i: int) -> frozenset[str]:
    """Codes that may be broken at chord ``i``."""
    if target is None or i not in (target.index, target.index + 1):
        return frozenset()
    return target.waived | target.own if i == target.index else target.waived - target.own


def _before(slots: list[Slot]) -> tuple[Slot | None, Slot | None]:
    return (slots[-2] if len(slots) > 1 else None), (slots[-1] if slots else None)


def _distance(w: Window) -> float:
    """Semitones moved, a soprano's leap counting more."""
    if w.b is None:
        return 0.0
    soprano = abs(w.moves[0][0])
    return sum(abs(m) for m, _ in w.moves) + (8 if soprano > 2 else 3 if soprano == 0 else 0)


def one_climax(slots: tuple[Slot, ...]) -> bool:
    """Whether the soprano has its highest note once and moves more by step than by leap."""
    line = [slot.pitches[0] for slot in slots]
    moves = [abs(q[1] - p[1]) for p, q in pairwise(line)]
    steps, leaps = sum(m == 1 for m in moves), sum(m > 1 for m in moves)
    return line.count(max(line)) == 1 and steps > leaps


def clean_of(
    plan: Plan, slots: tuple[Slot, ...], lines: Lines | None = None, asked: Task | None = None
) -> Clean:
    """What is handed to the checker.

    Args:
        plan: chords and times.
        slots: the four voices' chords.
        lines: the voices with their ornaments; the plain chords when left out.
        asked: the task; nothing was asked for when left out.
    """
    ends = frozenset(slots[i].onset + slots[i].duration for i in plan.fermatas)
    score = score_of(plan.frame, lines or lines_of(slots), ends)
    numerals = tuple((slot.onset, slot.chord.name) for slot in slots)
    figures = tuple((onset, figures_of(name)) for onset, name in numerals if figures_of(name))
    return Clean(score, str(plan.frame.key), numerals, figures, asked or Task())


def clean_slots(rng: random.Random, minor: bool | None = None) -> tuple[Plan, tuple[Slot, ...]]:
    """A random clean passage as chords."""
    while True:
        try:
            plan = plan_of(rng, random_text(rng, minor))
        except ValueError:
            continue
        slots = compose(rng, plan)
        if slots:
            return plan, slots


def clean(rng: random.Random, minor: bool | None = None) -> Clean:
    """A random clean passage, plain chords only."""
    return clean_of(*clean_slots(rng, minor))
