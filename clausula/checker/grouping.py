"""Root causes: faults that one note explains are one slip.

A *slip* is a note whose change would touch every fault of its group. Which notes those are, nobody
can know; taken for them are as few notes as explain every fault:

1. *Candidates.* Of the notes that a fault names only those can be its cause that the writer chose:
   notes of a cantus firmus and of given parts are none, so faults are never joined through them.
   (Where that leaves no note, all that the fault names are candidates.)
2. *Once each.* A motion that the same voices repeat, into the next chord too, is another slip: a
   note explains the first of such faults, never the others. Three fifths in a row are two slips;
   but voices that are too far apart for as long as a note lasts are one.
3. *Slips.* Again and again the note that explains most of the faults that are left is taken; of
   several the one whose faults weigh most, then the one struck where most of them stand, then the
   first in time, then the highest voice. That is the greedy set cover: seldom more notes than the
   fewest that suffice, never more than a logarithm of the faults times as many.
4. *Roots.* A slip's root is its gravest fault; of several the first in time, for causes come before
   consequences; then the one that shares most notes with the others, then the one that names most
   notes, then the first by code.

Labels and licences are no faults and are in no group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from clausula.constraints.passage import Passage
from clausula.constraints.rule import Rule, Scope, Severity
from clausula.constraints.species import cantus_of, is_lone
from clausula.slices import SILENT


class NoteHere(NamedTuple):
    """A note, by the slice in which it is struck and its voice."""

    start: int
    voice: int


class Fault(NamedTuple):
    """What grouping knows of a fault.

    Attributes:
        time: slice in which it stands.
        severity: how much it weighs.
        code: the rule's.
        site: the voices that break it by their motion, none if they do by what they sound.
        notes: that it names.
        candidates: those of them that may be its cause; some, unless there are no notes.
    """

    time: int
    severity: Severity
    code: str
    site: tuple[int, ...]
    notes: frozenset[NoteHere]
    candidates: frozenset[NoteHere]


class Place(NamedTuple):
    """Where a finding hangs: number of its group, from 1 in order of time, and whether it is root.

    What is no fault has no group.
    """

    group: int | None
    root: bool


UNGROUPED = Place(None, False)


def fault_of(
    rule: Rule, severity: Severity, passage: Passage, time: int, site: tuple[int, ...]
) -> Fault:
    """What grouping knows of a rule that is broken at a site, judged at slice ``time``."""
    times = (time,) if rule.scope is Scope.SLICE else (time - 1, time)
    notes = frozenset(_notes(passage, times, site))
    fixed = {index for index, _ in passage.task.given}
    if passage.task.species and not is_lone(passage):
        fixed.add(cantus_of(passage))
    free = frozenset(note for note in notes if note.voice not in fixed)
    stands = time - 1 if rule.blames_before else time
    moving = () if rule.scope is Scope.SLICE else site
    return Fault(stands, severity, rule.code, moving, notes, free or notes)


def _notes(passage: Passage, times: Sequence[int], site: Sequence[int]) -> Iterator[NoteHere]:
    """The notes that sound in some slices, in the voices of a site."""
    for time in times:
        for voice in site:
            index = passage.slices.note[time, voice] if time >= 0 else SILENT
            if index != SILENT:
                yield NoteHere(int(passage.lines[voice].start[index]), voice)


def grouped(faults: Sequence[Fault]) -> tuple[Place, ...]:
    """The group of each fault, in their order, and which of them are roots."""
    slips = [(_root(faults, slip), slip) for slip in _slips(faults)]
    places: dict[int, Place] = {}
    by_time = sorted(slips, key=lambda slip: (faults[slip[0]].time, slip[0]))
    for number, (root, slip) in enumerate(by_time, start=1):
        for index in slip:
            places[index] = Place(number, index == root)
    return tuple(places[index] for index in range(len(faults)))


def _slips(faults: Sequence[Fault]) -> list[list[int]]:
    """The faults of each slip, which are places in ``faults``: a greedy cover by notes."""
    left: dict[NoteHere, set[int]] = defaultdict(set)
    for index, fault in enumerate(faults):
        for note in fault.candidates:
            left[note].add(index)
    # Worth only falls as faults are explained, so a stale entry of the heap is never too low.
    heap = [(_worth(faults, left[note], note), note) for note in left]
    heapify(heap)
    slips: list[list[int]] = []
    while heap:
        known, note = heappop(heap)
        worth = _worth(faults, left[note], note)
        if known != worth:
            heappush(heap, (worth, note))
        elif left[note]:
            slip = sorted(_first_of_each(faults, left[note]))
            slips.append(slip)
            left[note] = set()
            for index in slip:
                for touched in faults[index].candidates:
                    left[touched].discard(index)
    explained = {index for slip in slips for index in slip}
    return slips + [[index] for index in range(len(faults)) if index not in explained]


def _first_of_each(faults: Sequence[Fault], indices: Iterable[int]) -> list[int]:
    """Some faults without the motions that repeat an earlier one of them."""
    found, moved = [], set()
    for index in sorted(indices, key=lambda index: (faults[index].time, index)):
        motion = faults[index].code, faults[index].site
        if not faults[index].site or motion not in moved:
            found.append(index)
            moved.add(motion)
    return found


def _worth(
    faults: Sequence[Fault], indices: Collection[int], note: NoteHere
) -> tuple[int, int, int]:
    """How much a note explains, the higher the lower the value: faults, weight, those struck."""
    explained = _first_of_each(faults, indices)
    weight = sum(faults[index].severity for index in explained)
    struck = sum(faults[index].time == note.start for index in explained)
    return -len(explained), -weight, -struck


def _root(faults: Sequence[Fault], group: Sequence[int]) -> int:
    """The fault of a group that explains the others best."""

    def rank(index: int) -> tuple[int, int, int, int, str]:
        fault = faults[index]
        shared = sum(len(fault.notes & faults[other].notes) for other in group)
        return -fault.severity, fault.time, -shared, -len(fault.notes), fault.code

    return min(group, key=rank)
