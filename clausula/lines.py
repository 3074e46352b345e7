"""Lines: what is written on a staff, as monophonic lines.

A staff may hold one line, several voices, or chords; a harmony exercise on two staves holds four
lines either way. `Event` is one written note before ties are merged.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS
from clausula.limits import tidy_name
from clausula.pitch import SpelledPitch
from clausula.score import Note, Part

VOICE_NAMES = ("Soprano", "Alto", "Tenor", "Bass")


@dataclass(frozen=True)
class Event:
    """One written note.

    Attributes:
        onset: quarter notes from the start of the piece.
        duration: written length in quarter notes.
        pitch: as written.
        tie: ``""``, or ``"start"``, ``"continue"``, ``"stop"``.
        fermata: whether a fermata stands on it.
        text: lyric, Roman numeral or figure under it.
        id: the file's own name for it, empty if it gives none.
    """

    onset: Fraction
    duration: Fraction
    pitch: SpelledPitch
    tie: str = ""
    fermata: bool = False
    text: str = ""
    id: str = ""


def polyphony(events: Sequence[Event]) -> int:
    """The largest number of notes that sound at once."""
    changes = sorted(
        change
        for event in events
        for change in ((event.onset, 1), (event.onset + event.duration, -1))
    )
    sounding = most = 0
    for _, change in changes:
        sounding += change
        most = max(most, sounding)
    return most


def separate(
    events: Sequence[Event], lines: int, place: Callable[[Fraction], str]
) -> list[list[Event]]:
    """Share simultaneous notes out among lines, the highest to the first.

    Notes that begin together fill all lines that are free; of two lines, a single note that begins
    when both are free is sung by both.

    Args:
        events: everything on the staff.
        lines: how many lines the staff holds.
        place: says where a moment is, for messages.

    Returns:
        One list of events a line, highest line first.

    Raises:
        InputError: the notes do not fill the lines, so nobody can say whose they are.
    """
    separated: list[list[Event]] = [[] for _ in range(lines)]
    ordered = sorted(events, key=lambda event: (event.onset, -event.pitch.semitone))
    for onset, group in groupby(ordered, key=lambda event: event.onset):
        starting = list(group)
        free = [line for line in separated if not line or _end(line[-1]) <= onset]
        if lines == 2 and len(free) == 2 and len(starting) == 1:
            starting *= 2
        if len(starting) != len(free):
            raise InputError(
                f"{place(onset)}: {len(starting)} notes begin where {len(free)} of {lines} lines "
                "are free, so the chords cannot be read as lines; try writing each voice as a "
                "voice or a staff of its own"
            )
        for line, event in zip(free, starting, strict=True):
            line.append(event)
    return separated


def sung_by_both(
    lines: Sequence[Sequence[Event]], rests: Sequence[Sequence[tuple[Fraction, Fraction]]]
) -> list[list[Event]]:
    """Two voices of a staff, each completed by the notes that it shares with the other.

    Where two voices meet on one note, it is often printed once. So while one has neither a note nor
    a printed rest, it sings what the other has there.

    Args:
        lines: the notes of both voices.
        rests: start and end of their printed rests.
    """
    completed = []
    for own, silent, other in zip(lines, rests, lines[::-1], strict=True):
        busy = sorted([(event.onset, _end(event)) for event in own] + list(silent))
        shared = [event for event in other if not _overlaps(busy, event)]
        completed.append(sorted([*own, *shared], key=lambda event: event.onset))
    return completed


def _overlaps(busy: Sequence[tuple[Fraction, Fraction]], event: Event) -> bool:
    """Whether an event sounds during one of some stretches, of which none overlaps another."""
    before = bisect_left(busy, _end(event), key=lambda stretch: stretch[0])
    return before > 0 and busy[before - 1][1] > event.onset


def merge_ties(events: Sequence[Event]) -> list[Event]:
    """The events of one line, sorted, with tied notes joined to the note they continue."""
    merged: list[Event] = []
    for event in sorted(events, key=lambda event: event.onset):
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.tie in ("start", "continue")
            and event.tie in ("stop", "continue")
            and last.pitch == event.pitch
            and _end(last) == event.onset
        ):
            merged[-1] = replace(
                last,
                duration=last.duration + event.duration,
                tie=event.tie,
                fermata=last.fermata or event.fermata,
                text=last.text or event.text,
            )
        else:
            merged.append(event)
    return merged


def parts_of(
    lines: Sequence[tuple[str, str, Sequence[Event]]],
    place: Callable[[Fraction], tuple[int, Fraction]],
    split: bool = False,
) -> tuple[Part, ...]:
    """Parts of ``(name, clef, events)`` lines, ties merged and every note with an id of its own.

    Args:
        lines: highest first.
        place: measure and beat of an onset.
        split: whether some staff held several lines, so that its name is no voice's name.
    """
    four = len(lines) == 4
    used = {event.id for _, _, events in lines for event in events if event.id}
    parts = []
    for index, (name, clef_name, events) in enumerate(lines):
        letter = VOICE_LETTERS[index] if four else f"P{index + 1}"
        if four and (split or not name):
            name = VOICE_NAMES[index]
        name = tidy_name(name)
        notes = _with_ids(merge_ties(events), letter, place, used)
        parts.append(Part(name or f"Part {index + 1}", notes, clef_name))
    return tuple(parts)


def _with_ids(
    events: Sequence[Event],
    letter: str,
    place: Callable[[Fraction], tuple[int, Fraction]],
    used: set[str],
) -> tuple[Note, ...]:
    """Notes of one line; ids that the file does not give are voice, measure and count in it."""
    notes: list[Note] = []
    measure, count = -1, 0
    taken: set[str] = set()
    for event in events:
        here = place(event.onset)[0]
        measure, count = (here, count + 1) if here == measure else (here, 1)
        name = event.id if event.id and event.id not in taken else f"{letter}-m{measure}-n{count}"
        while name != event.id and name in used:
            name += "x"
        taken.add(name)
        used.add(name)
        notes.append(
            Note(name, event.onset, event.duration, event.pitch, event.fermata, event.text)
        )
    return tuple(notes)


def _end(event: Event) -> Fraction:
    return event.onset + event.duration
