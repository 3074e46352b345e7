"""The plan of a piece some of whose lines are given.

Each phrase gets the cadence with which real pieces close so most often, of those that its given
notes allow; the others that they allow are kept as further choices, for the provers may refuse the
first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clausula.constraints.cadence import Cadence, CadenceKind
from clausula.constraints.cadence_fit import line_fits
from clausula.constraints.given import Given
from clausula.constraints.pins import Pin
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import Repeat
from clausula.constraints.soft import Soft
from clausula.constraints.text import Constraint
from clausula.constraints.vary import Vary
from clausula.engine.cadence_choice import preferred
from clausula.engine.key_track import Close, key_track
from clausula.engine.plan import Plan, require_length, require_sense
from clausula.errors import PlanError
from clausula.grid import Voice
from clausula.pitch import Key

ANTICIPATED = (CadenceKind.PAC, CadenceKind.IAC)


@dataclass(frozen=True)
class Ending:
    """How a phrase may end.

    Attributes:
        arrival: frame in which the last given notes begin.
        end: frame at which they are over (exclusive).
        choices: cadences that the given notes allow, the likeliest first; the one that was asked
            for alone, where one was; none where the notes allow none.
        asked: whether it was asked for.
    """

    arrival: int
    end: int
    choices: tuple[Cadence, ...] = ()
    asked: bool = False

    @property
    def cadence(self) -> Cadence | None:
        """The one that is tried now."""
        return self.choices[0] if self.choices else None


def endings_of(
    lines: Sequence[Given],
    timeline: Timeline,
    home: Key,
    ends: Sequence[int],
    asked: Sequence[Cadence],
) -> list[Ending]:
    """The endings of all phrases, with the cadences that each may have.

    Args:
        lines: what is given.
        timeline: the frames of the piece.
        home: the home key.
        ends: frames at which phrases end (exclusive), ascending; the last is where the music does.
        asked: cadences in place of those that would be chosen. One that arrives where no phrase
            ends makes one end there.

    Raises:
        PlanError: a cadence that is asked for arrives where no given note begins.
    """
    onsets = np.any([line.onsets(timeline) for line in lines], axis=0)
    by_arrival = {_arrival(onsets, end): end for end in ends}
    wanted = {_asked_arrival(c, timeline, onsets, by_arrival): c for c in asked}
    for arrival in wanted.keys() - by_arrival.keys():
        by_arrival[arrival] = _end_of(lines, timeline, arrival)
    within = replace(timeline, phrase_ends=_boundaries(by_arrival.values(), timeline))
    endings = []
    for arrival, end in sorted(by_arrival.items()):
        if arrival in wanted:
            endings.append(Ending(arrival, end, (wanted[arrival],), asked=True))
            continue
        final = end == max(by_arrival.values())
        endings.append(Ending(arrival, end, _allowed(lines, within, home, arrival, final=final)))
    return endings


def _arrival(onsets: np.ndarray, end: int) -> int:
    """The last frame before a phrase end in which a given note begins."""
    return int(np.flatnonzero(onsets[:end])[-1])


def _asked_arrival(
    cadence: Cadence, timeline: Timeline, onsets: np.ndarray, known: dict[int, int]
) -> int:
    """The frame of a cadence that was asked for.

    Raises:
        PlanError: no given note begins there.
    """
    arrival = timeline.frame_of(cadence.measure, cadence.beat)
    if not onsets[arrival]:
        places = ", ".join(str(timeline.place(frame)) for frame in sorted(known))
        raise PlanError(
            f"{cadence}: no given note begins there; phrases close at {places}: move the cadence "
            "there, or to the beginning of another note"
        )
    return arrival


def _end_of(lines: Sequence[Given], timeline: Timeline, arrival: int) -> int:
    """Where the given notes that begin in a frame are over."""
    quarter = timeline.frames_per_quarter
    return min(
        int(note.end * quarter)
        for line in lines
        for note in line.notes
        if note.onset * quarter == arrival
    )


def _boundaries(ends: Iterable[int], timeline: Timeline) -> tuple[int, ...]:
    return tuple(sorted({*ends, timeline.n_frames}))


def _allowed(
    lines: Sequence[Given], timeline: Timeline, home: Key, arrival: int, *, final: bool
) -> tuple[Cadence, ...]:
    """The cadences that the given notes allow at an arrival, the likeliest first."""
    pitches = {line.voice: line.pitches(timeline) for line in lines}
    soprano = [
        note.pitch.semitone
        for line in lines
        if line.voice is Voice.SOPRANO
        for note in line.notes
        if note.onset * timeline.frames_per_quarter <= arrival
    ]
    ending = (soprano[-2], soprano[-1]) if len(soprano) > 1 else None
    place = timeline.place(arrival)
    found = []
    for close in preferred(home, ending, final=final):
        at_home = close.key.of(home) == home
        plain = Cadence(close.kind, place.measure, place.beat, None if at_home else close.key)
        ways = [plain, replace(plain, anticipated=True)] if close.kind in ANTICIPATED else [plain]
        for cadence in ways:
            fits = all(line_fits(cadence, timeline, home, v, pitch) for v, pitch in pitches.items())
            if fits and _spelled_for(cadence, lines, timeline, home):
                found.append(cadence)
                break
    return tuple(found)


def _spelled_for(cadence: Cadence, lines: Sequence[Given], timeline: Timeline, home: Key) -> bool:
    """Whether the given notes of a cadence's chords are spelled as its key spells them.

    The frames know of pitches alone, to which a B flat would be the A sharp of a dominant.
    """
    key, quarter = cadence.key_in(home), timeline.frames_per_quarter
    arrival = timeline.frame_of(cadence.measure, cadence.beat)
    # The chord before a half cadence may be any.
    first = arrival if cadence.kind is CadenceKind.HC else arrival - timeline.frames_per_beat
    end = timeline.phrase_end(arrival)
    return all(
        note.pitch.step == int(key.spell(note.pitch.semitone))
        for line in lines
        for note in line.notes
        if note.onset * quarter < end and note.end * quarter > first
    )


def plan_around(
    lines: Sequence[Given],
    timeline: Timeline,
    home: Key,
    endings: Sequence[Ending],
    constraints: Sequence[Constraint] = (),
) -> Plan:
    """The plan with the cadence that each ending tries now.

    Args:
        lines: what is given.
        timeline: the frames of the piece; its phrase ends are those of the endings.
        home: the home key.
        endings: in order of time.
        constraints: whatever else is asked, cadences apart.

    Raises:
        PlanError: a constraint names a place that the piece does not have, or the piece is too
            long.
    """
    timeline = replace(timeline, phrase_ends=_boundaries([e.end for e in endings], timeline))
    require_length(timeline)
    asked = [e.cadence for e in endings if e.asked and e.cadence is not None]
    require_sense([*asked, *constraints], timeline, home)
    wishes = [c.constraint for c in constraints if isinstance(c, Soft)]
    moved = [
        c.exact if isinstance(c, Vary) else c
        for c in (*constraints, *wishes)
        if isinstance(c, Repeat | Vary)
    ]
    starts = [0, *(ending.end for ending in endings)]
    closes = [
        Close(
            start,
            ending.end,
            ending.arrival if ending.cadence else None,
            ending.cadence.key_in(home) if ending.cadence else home,
        )
        for start, ending in zip(starts, endings, strict=False)
    ]
    return Plan(
        home,
        timeline,
        (),
        tuple(ending.cadence for ending in endings if ending.cadence is not None),
        tuple(c for c in constraints if isinstance(c, Repeat)),
        tuple(c for c in constraints if isinstance(c, Pin)),
        tuple(c for c in constraints if not isinstance(c, Cadence | Repeat | Pin)),
        (*lines, *asked, *constraints),
        tuple((ending.arrival, ending.end) for ending in endings),
        key_track(home, timeline, closes, moved),
        tuple(lines),
    )
