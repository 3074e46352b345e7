"""Plans of pieces whose chords are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from clausula.constraints.place import Place, Timeline
from clausula.constraints.sonority import BAR_LINE, Progression
from clausula.constraints.text import Constraint, parse_progression
from clausula.engine.given_plan import Ending, plan_around
from clausula.engine.plan import Plan
from clausula.errors import PlanError
from clausula.grid import Meter
from clausula.pitch import Key


def measures_of(progression: Progression, meter: Meter) -> int:
    """Full measures that the chords need, the last one filled or not."""
    beats = sum((beats for _, beats in progression.lengths()), Fraction(0))
    return -int(-beats * meter.beat // meter.quarters)


def filled(progression: Progression, timeline: Timeline) -> Progression:
    """The progression with its last chord held to the end of the piece.

    Raises:
        PlanError: it is longer than the piece, or a bar line stands where no measure begins.
    """
    chords = progression.chords(timeline)
    last = chords[-1]
    end = last.frames(timeline).stop
    missing = Fraction(timeline.n_frames - end, timeline.frames_per_beat)
    if not missing:
        return progression
    names = list(progression.names)
    place = max(i for i, name in enumerate(names) if name != BAR_LINE)
    names[place] = f"{last.name}:{last.beats + missing}"
    return replace(progression, names=tuple(names[: place + 1]))


def plan_of_chords(
    text: str, home: Key, meter: Meter, constraints: Sequence[Constraint] = ()
) -> Plan:
    """The plan of a piece of one phrase with these chords, which fill whole measures.

    Args:
        text: as ``parse_progression`` reads it.
        home: the home key.
        meter: time signature.
        constraints: whatever else is asked, cadences apart.

    Raises:
        InputError: a chord that cannot be read.
        PlanError: a bar line stands where no measure begins, or the piece is too long.
    """
    progression = parse_progression(text, Place(1))
    timeline = Timeline(meter, measures_of(progression, meter))
    progression = filled(progression, timeline)
    last = progression.chords(timeline)[-1].frames(timeline)
    ending = Ending(last.start, last.stop)
    return plan_around((), timeline, home, [ending], [progression, *constraints])


def chords_under(text: str, timeline: Timeline) -> Progression:
    """The chords of a piece whose length is given, the last one held to its end.

    Args:
        text: as ``parse_progression`` reads it; the first chord begins with the piece, or with its
            pick-up.
        timeline: the frames of the piece.

    Raises:
        InputError: a chord that cannot be read.
        PlanError: the chords are longer than the piece, or a bar line stands where no measure
            begins.
    """
    progression = parse_progression(text, timeline.place(0))
    beats = sum((beats for _, beats in progression.lengths()), Fraction(0))
    room = Fraction(timeline.n_frames, timeline.frames_per_beat)
    if beats > room:
        raise PlanError(
            f"the progression lasts {beats} beats, what is given {room}; try fewer or shorter ones"
        )
    return filled(progression, timeline)
