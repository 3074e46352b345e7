"""Syncopations of species counterpoint: notes tied over a bar line, prepared and resolved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clausula.constraints.passage import Passage
from clausula.constraints.rule import Sites
from clausula.constraints.species import bars_of, intervals_of, moves_of


class Syncopation(NamedTuple):
    """A note that is tied over a bar line, and what becomes of it against another part.

    Attributes:
        bar: the bar into which it is tied.
        time: slice of the downbeat.
        column: of the pair.
        above: whether the tied note is in the upper part.
        step: interval on the downbeat in letter names.
        semitone: the same in semitones.
        goal: slice of the part's next note in the bar, none if there is none.
        down: whether that note is a step below.
        goal_step: interval there in letter names, 0 without one.
    """

    bar: int
    time: int
    column: int
    above: bool
    step: int
    semitone: int
    goal: int | None
    down: bool
    goal_step: int

    @property
    def type(self) -> tuple[bool, int, int]:
        """Whether above, and its two intervals within the octave, 0 for a unison or an octave."""
        return self.above, self.step % 7, self.goal_step % 7


def syncopations(passage: Passage) -> Iterator[Syncopation]:
    """Every note that is tied over a bar line, once for each part that is struck against it."""
    bars, heard = bars_of(passage), intervals_of(passage)
    slices = passage.slices
    for bar, time in enumerate(bars.start.tolist()):
        held = (slices.note[time] >= 0) & ~slices.moved[time]
        for column, pair in enumerate(Sites.PAIR.of(passage.n_voices)):
            tied = [voice for voice in pair if held[voice]]
            struck = [voice for voice in pair if slices.moved[time, voice]]
            if len(tied) != 1 or len(struck) != 1:
                continue
            line, note = passage.lines[tied[0]], int(slices.note[time, tied[0]]) + 1
            goal = int(line.start[note]) if note < len(line) else None
            if goal is not None and bars.of[goal] != bar:
                goal = None
            down = goal is not None and moves_of(line).step[note] == -1
            yield Syncopation(
                bar,
                time,
                column,
                tied[0] == pair[0],
                int(heard.step[time, column]),
                int(heard.semitone[time, column]),
                goal,
                bool(down and moves_of(line).steps[note]),
                0 if goal is None else int(heard.step[goal, column]),
            )
