"""Non-chord tones put into a clean passage: passing, neighbour, suspension, anticipation.

Each maker returns the four lines with one ornament more, or none where there is no room for it.
Ornaments are eighths; a suspension's dissonance lasts an eighth too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from clausula.pitch import SpelledPitch
from injected.notes import Event, Lines, Slot, lines_of
from injected.plans import Plan
from injected.window import move, stepwise

EIGHTH = Fraction(1, 2)
_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}


def scale_note(plan: Plan, step: int) -> SpelledPitch:
    """The key's own note on a diatonic number."""
    key = plan.frame.key
    degree = (step - key.tonic_letter) % 7
    pc = (key.tonic_pc + _SCALES[plan.frame.minor][degree]) % 12
    letter = (0, 2, 4, 5, 7, 9, 11)[step % 7]
    alter = (pc - letter + 6) % 12 - 6
    return SpelledPitch(12 * (step // 7 + 1) + letter + alter, step)


def split(lines: Lines, voice: int, index: int, pitch: SpelledPitch) -> Lines:
    """The last eighth of a voice's note becomes another pitch."""
    event = lines[voice][index]
    first = replace(event, duration=event.duration - EIGHTH)
    line = list(lines[voice])
    line[index : index + 1] = [first, Event(event.end - EIGHTH, EIGHTH, pitch)]
    return _with(lines, voice, line)


def held_over(lines: Lines, voice: int, index: int) -> Lines:
    """A voice's note goes on for an eighth into the next, which is late by that."""
    before, event = lines[voice][index - 1 : index + 1]
    line = list(lines[voice])
    line[index - 1] = replace(before, duration=before.duration + EIGHTH)
    line[index] = Event(event.onset + EIGHTH, event.duration - EIGHTH, event.pitch)
    return _with(lines, voice, line)


def _with(lines: Lines, voice: int, line: list[Event]) -> Lines:
    return tuple(tuple(line) if v == voice else each for v, each in enumerate(lines))


def foreign(plan: Plan, slot: Slot, pitch: SpelledPitch) -> bool:
    """Whether a pitch is no member of a chord."""
    return plan.frame.tone(pitch) not in slot.chord.tones


def passings(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[tuple[int, int, Lines]]:
    """Index of the chord, voice and lines of every third that can be filled."""
    for i, voice, start, end in _motions(plan, slots):
        if abs(end[1] - start[1]) == 2:
            middle = scale_note(plan, (start[1] + end[1]) // 2)
            smooth = stepwise(move(start, middle)) and stepwise(move(middle, end))
            if smooth and foreign(plan, slots[i], middle):
                yield i, voice, split(lines_of(slots), voice, i, middle)


def neighbours(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[tuple[int, int, Lines]]:
    """The same of every repeated note that can have a neighbour."""
    for i, voice, start, end in _motions(plan, slots):
        for way in (1, -1) if start == end else ():
            beside = scale_note(plan, start[1] + way)
            if stepwise(move(start, beside)) and foreign(plan, slots[i], beside):
                yield i, voice, split(lines_of(slots), voice, i, beside)


def leapt_to(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[tuple[int, int, Lines]]:
    """The same of a dissonance that is approached and left by a third."""
    for i, voice, start, end in _motions(plan, slots):
        for way in (2, -2):
            wrong = scale_note(plan, start[1] + way)
            if abs(end[1] - wrong[1]) == 2 and foreign(plan, slots[i], wrong):
                yield i, voice, split(lines_of(slots), voice, i, wrong)


def anticipations(plan: Plan, slots: tuple[Slot, ...]) -> Iterator[tuple[int, int, Lines]]:
    """The same where the last chord's note can come early in the soprano."""
    for i, voice, start, end in _motions(plan, slots):
        close = i == len(slots) - 2 and voice == 0 and stepwise(move(start, end))
        if close and foreign(plan, slots[i], end):
            yield i, voice, split(lines_of(slots), voice, i, end)


def suspensions(
    plan: Plan, slots: tuple[Slot, ...], ways: tuple[int, ...] = (-1,), at_close: bool = True
) -> Iterator[tuple[int, int, Lines]]:
    """The same wherever a note on a strong beat can come late.

    Args:
        plan: chords and times.
        slots: the four voices' chords.
        ways: letters from the held note to the late one.
        at_close: whether the last chord may have it.
    """
    for before, voice, start, end in _motions(plan, slots):
        i = before + 1
        room = plan.frame.strong(slots[i].onset) and (at_close or i < len(slots) - 1)
        late = end[1] - start[1] in ways and foreign(plan, slots[i], start)
        prepared = not foreign(plan, slots[before], start)
        if room and late and prepared and voice < 3:
            yield i, voice, held_over(lines_of(slots), voice, i)


def _motions(
    plan: Plan, slots: tuple[Slot, ...]
) -> Iterator[tuple[int, int, SpelledPitch, SpelledPitch]]:
    """Index of the first chord, voice and both pitches of every motion within a phrase."""
    for i in range(len(slots) - 1):
        if i not in plan.fermatas:
            for voice in range(4):
                yield i, voice, slots[i].pitches[voice], slots[i + 1].pitches[voice]
