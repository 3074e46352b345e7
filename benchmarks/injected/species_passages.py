"""Clean species exercises at random: a cantus firmus, a rhythm, and a line by backtracking.

The cantus firmi are those of Fux's six modes and others in their manner.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from clausula.constraints.example_score import modal_key
from injected import (
    laws_species_florid,
    laws_species_line,
    laws_species_pair,
    laws_species_rhythm,
)
from injected.laws_species_line import Law
from injected.laws_species_pair import OfSpecies
from injected.species_exercise import BAR, Exercise, Tone

CANTUS: dict[str, tuple[tuple[int, ...], ...]] = {
    "dorian": (
        (0, 2, 1, 0, 3, 2, 4, 3, 2, 1, 0),  # Fux
        (0, 4, 3, 2, 1, 0, 2, 1, 0),
        (0, 2, 1, 3, 2, 4, 3, 1, 0),
    ),
    "phrygian": (
        (0, -2, -1, -2, -4, 3, 2, 0, 1, 0),  # Fux
        (0, 1, 0, 3, 2, 1, -1, 1, 0),
    ),
    "lydian": ((0, 1, 2, 0, -2, -1, 0, 4, 2, 0, 1, 0), (0, 2, 1, 2, 4, 2, 0, 1, 0)),  # Fux
    "mixolydian": (
        (0, 3, 2, 0, 3, 5, 4, 7, 5, 3, 4, 2, 1, 0),  # Fux
        (0, 2, 1, 0, 3, 4, 2, 1, 0),
    ),
    "aeolian": (
        (0, 2, 1, 3, 2, 4, 5, 4, 3, 2, 1, 0),  # Fux
        (0, 2, 1, 0, 3, 4, 2, 1, 0),
        (0, -1, 0, 2, 1, 3, 2, 1, 0),
        (0, 4, 5, 4, 3, 2, 1, 2, 1, 0),
    ),
    "ionian": (
        (0, 2, 3, 4, 2, 5, 4, 2, 3, 2, 1, 0),  # Fux
        (0, 1, 2, 0, 3, 2, 4, 2, 1, 0),
        (0, 2, 1, 3, 2, 5, 4, 2, 1, 0),
        (0, 4, 3, 1, 2, 3, 2, 1, 0),
        (0, 2, 5, 4, 3, 2, 1, 3, 1, 0),
        (0, 1, 3, 2, 4, 3, 2, 1, -1, 0),
    ),
}
_FINALS = ("C", "D", "E", "F", "G", "A", "Bb", "Eb", "B", "F#", "Ab")
LOCAL: dict[str, Law] = {
    **laws_species_line.LOCAL,
    **laws_species_pair.LOCAL,
    **laws_species_florid.LOCAL,
    **laws_species_rhythm.LOCAL,
}
LAWS: dict[str, Law] = {
    **LOCAL,
    **laws_species_line.WHOLE,
    **laws_species_pair.WHOLE,
    **laws_species_florid.WHOLE,
    **laws_species_rhythm.WHOLE,
}
BASE = frozenset({"A11"})  # a law of one rule set alone
_TAIL = 16  # notes that a local law looks back on
_NODES = 300  # of one attempt: another start is better than a longer search
Rhythm = tuple[tuple[int, int], ...]
Pins = Callable[[random.Random, Exercise], dict[int, int]]  # degree of the note at a time


def frame(rng: random.Random, species: int, alone: bool = False) -> Exercise:
    """A cantus in some transposition, and nothing written yet."""
    while True:
        mode, final = rng.choice(tuple(CANTUS)), rng.choice(_FINALS)
        try:
            sharps = modal_key(f"{final} {mode}")[1].fifths
        except StopIteration:
            continue
        cantus = rng.choice(CANTUS[mode])
        if abs(sharps) > 4 or (species > 1 and cantus[-2] < cantus[-1]):
            continue
        below = rng.random() < 0.5
        octave = 3 if below or alone else rng.choice((4, 5) if final in "CDE" else (4,))
        return Exercise(species, mode, final, octave, () if alone else cantus, below or alone)


def rhythm(rng: random.Random, species: int, bars: int) -> Rhythm:
    """Onset and duration of every note of a line."""
    last = (BAR * (bars - 1), BAR)
    if species == 1:
        return tuple((BAR * bar, BAR) for bar in range(bars))
    if species in (2, 3):
        unit = 4 if species == 2 else 2
        starts = list(range(0, last[0], unit))[rng.random() < 0.6 :]
        if species == 2 and rng.random() < 0.4:
            return (*((s, unit) for s in starts[:-2]), (last[0] - BAR, BAR), last)
        return (*((s, unit) for s in starts), last)
    if species == 4:
        broken = rng.choice((0, 0, rng.randrange(2, bars - 2)))
        notes = []
        for bar in range(bars - 2):
            if bar + 1 == broken:
                notes += [(BAR * bar + 4, 4), (BAR * bar + 8, 4)]
            else:
                notes.append((BAR * bar + 4, BAR))
        return (*notes, (last[0] - 4, 4), last)
    return _florid(rng, bars)


# Durations in a bar; a bar that may be tied out ends with a half.
_INSIDE = (
    (2, 2, 2, 2), (2, 2, 2, 2), (4, 4), (4, 2, 2), (2, 2, 4), (2, 1, 1, 4), (2, 2, 2, 1, 1),
    (4, 2, 1, 1), (2, 1, 1, 2, 2),
)  # fmt: skip
_BEFORE_LAST = ((4, 4), (2, 1, 1, 4), (2, 2, 4), (4, 2, 2), (2, 2, 2, 2))


def _florid(rng: random.Random, bars: int) -> Rhythm:
    """Mixed values: no rhythm three times running, halves after smaller notes tied."""
    notes: list[tuple[int, int]] = []
    held = False
    for bar in range(bars - 1):
        final = bar == bars - 2
        values = rng.choice(_BEFORE_LAST if final else _INSIDE)
        if bar == 0 and rng.random() < 0.7:
            values = (-4, 4)
        place = BAR * bar
        for i, value in enumerate(values):
            if value > 0 and i == 0 and held:
                start, length = notes.pop()
                notes.append((start, length + value))
            elif value > 0:
                notes.append((place, value))
            place += abs(value)
        small = len(values) > 2
        held = not final and values[-1] == 4 and (small or rng.random() < 0.6)
    return (*notes, (BAR * (bars - 1), BAR))


def domain(
    ex: Exercise, span: tuple[int, int], last: int, crossed: bool = False
) -> list[tuple[int, int]]:
    """Degrees and semitones that a note may have.

    Args:
        ex: what stands before it.
        span: its onset and duration.
        last: onset of the last note.
        crossed: whether the parts may cross.
    """
    onset, bar = span[0], span[0] // BAR
    if ex.alone:
        inner = (-1, 1) if onset + span[1] == last else range(-3, 10)
        return [(d, ex.natural(d)) for d in ((0,) if onset in (0, last) else inner)]
    given = ex.cantus[bar]
    degrees = range(given - 1, given + 13) if ex.below else range(given - 12, given + 2)
    if onset == last:
        return [(d, ex.natural(d)) for d in degrees if d % 7 == 0]
    raised = ex.natural(-1) == -2 and ex.mode != "phrygian" and ex.cantus[-2] == 1
    if onset + span[1] == last:
        step = -1 if ex.cantus[-2] == 1 else 1
        return [(d, ex.natural(d) + (raised and step < 0)) for d in degrees if (d - step) % 7 == 0]
    if ex.species == 4 and onset == last - 3 * BAR // 2:
        degrees = [d for d in degrees if d % 7 == 0]
    if crossed:
        degrees = range(given - 5, given + 9) if ex.below else range(given - 8, given + 6)
    found = [(d, ex.natural(d)) for d in degrees]
    if raised and onset >= last - BAR:
        found += [(d, ex.natural(d) + 1) for d in degrees if d % 7 == 5 and ex.natural(5) == 8]
    return found


class _OutOfNodesError(Exception):
    """The search has taken too long."""


def grow(
    rng: random.Random,
    ex: Exercise,
    spans: Rhythm,
    off: frozenset[str],
    pins: dict[int, int] | None = None,
) -> Exercise | None:
    """A line in a rhythm that keeps every law but some; none where the search gives up.

    Args:
        rng: chooses.
        ex: the frame, its line empty.
        spans: onset and duration of each note.
        off: codes of laws that may be broken.
        pins: the degree that sounds at a time.
    """
    left = [_NODES]
    try:
        return next(_grown(rng, ex, spans, off, pins or {}, left), None)
    except _OutOfNodesError:
        return None


@cache
def _checked(species: int, off: frozenset[str]) -> tuple[tuple[Law, ...], tuple[Law, ...]]:
    """Laws that are kept, and laws that are broken once at most."""
    here = {
        code: law
        for code, law in LOCAL.items()
        if not isinstance(law, OfSpecies) or species in law.species
    }
    kept = tuple(law for code, law in here.items() if code not in off)
    return kept, tuple(law for code, law in here.items() if code in off and code[-1] != "+")


def _grown(
    rng: random.Random,
    ex: Exercise,
    spans: Rhythm,
    off: frozenset[str],
    pins: dict[int, int],
    left: list[int],
) -> Iterator[Exercise]:
    line = ex.line
    if len(line) == len(spans):
        yield ex
        return
    span, last = spans[len(line)], spans[-1][0]
    laws, once = _checked(ex.species, off)
    pitches = domain(ex, span, last, "A07" in off)
    pinned = {pins[time] for time in range(span[0], sum(span)) if time in pins}
    for degree, semitone in _ordered(rng, pitches, line):
        if not pinned <= {degree}:
            continue
        if line and off_reach(degree - line[-1].degree):
            continue
        left[0] -= 1
        if left[0] < 0:
            raise _OutOfNodesError
        note = Tone(*span, degree, semitone)
        longer = replace(ex, line=(*line, note), ended=len(line) + 1 == len(spans))
        tail = longer.tail(_TAIL)
        if not _within(longer) or any(law(tail) for law in laws):
            continue
        if any(len(law(longer)) > 1 for law in once):
            continue
        yield from _grown(rng, longer, spans, off, pins, left)


def off_reach(step: int) -> bool:
    """Whether no line moves that far, whatever rule it breaks."""
    return abs(step) > 7


def _within(ex: Exercise) -> bool:
    degrees = [tone.degree for tone in ex.line]
    return max(degrees) - min(degrees) <= 12


def _ordered(
    rng: random.Random, pitches: list[tuple[int, int]], line: tuple[Tone, ...]
) -> list[tuple[int, int]]:
    """Near pitches first, mostly."""
    if not line:
        return rng.sample(pitches, len(pitches))
    before = line[-1].degree
    return sorted(pitches, key=lambda p: abs(abs(p[0] - before) - 1) * rng.random() + rng.random())


@cache
def pooled(species: int, alone: bool, number: int) -> Exercise:
    """A clean exercise by its number."""
    rng = random.Random(f"clean {species} {alone} {number}")
    while True:
        ex = whole(rng, species, BASE, alone=alone)
        if ex is not None:
            return ex


def broken(ex: Exercise, off: frozenset[str] = frozenset()) -> list[str]:
    """Codes of the laws that are not kept."""
    return [code for code, law in LAWS.items() if code not in off and law(ex)]


def whole(
    rng: random.Random,
    species: int,
    off: frozenset[str],
    accepts: Callable[[Exercise], bool] = lambda ex: True,
    alone: bool = False,
    spans: Callable[[random.Random, Rhythm], Rhythm | None] = lambda rng, rhythm: rhythm,
    pins: Pins = lambda rng, ex: {},
) -> Exercise | None:
    """One attempt at an exercise that keeps every law but some.

    Args:
        rng: chooses.
        species: 1 to 5.
        off: codes of laws that may be broken.
        accepts: what else it has to be, asked before the other laws.
        alone: whether it is a cantus firmus.
        spans: changes the rhythm, or finds no place to.
        pins: notes that are chosen beforehand.
    """
    start = frame(rng, species, alone)
    bars = len(start.cantus) or rng.randrange(8, 15)
    chosen = spans(rng, rhythm(rng, species, bars))
    ex = grow(rng, start, chosen, off, pins(rng, start)) if chosen else None
    return ex if ex is not None and accepts(ex) and not broken(ex, off) else None
