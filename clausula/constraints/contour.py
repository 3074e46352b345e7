"""The shape of a line, told by its first, last, highest and lowest note.

Conventions: of the notes that a voice begins in a span, let I be the first, F the last, H the
highest and L the lowest; what lies between them is free. Whether H lies above both ends, whether L
lies below both, and which end is higher give every line exactly one shape:

* level: all four are one note.
* rising: I = L, F = H; falling: I = H, F = L; neither is level.
* arch: H lies above both ends, L is one of them; valley: L lies below both, H is one of them.
* wave: H lies above and L below both ends.

Source: Adams, Melodic Contour Typology, Ethnomusicology 20/2 (1976), which tells the last three
apart further, by slope and by which of H and L comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import LayeredAutomaton, followed
from clausula.constraints.place import KeyAt, Span, Timeline, where
from clausula.grid import Voice
from clausula.vocabulary import FIRST_PITCH, N_VOICE

N_PITCHES = N_VOICE - FIRST_PITCH


class Shape(StrEnum):
    """What a line looks like."""

    RISING = "rising"
    FALLING = "falling"
    LEVEL = "level"
    ARCH = "arch"
    VALLEY = "valley"
    WAVE = "wave"


@dataclass(frozen=True)
class Contour:
    """The notes that a voice begins in a span have a shape.

    >>> str(Contour(Voice.SOPRANO, Shape.ARCH))
    'contour S arch'

    Attributes:
        voice: whose.
        shape: which; a voice that begins no note has none.
        span: where; the whole piece if left out.
    """

    voice: Voice
    shape: Shape
    span: Span | None = None

    def __str__(self) -> str:
        return f"contour {self.voice.name[0]} {self.shape}{where(self.span)}"

    def automata(self, timeline: Timeline, _keys: KeyAt) -> list[LayeredAutomaton]:
        """One: lowest and highest note so far, and where first and last lie between them.

        Raises:
            PlanError: the piece has no such span.
        """
        inside = timeline.frames(self.span)
        lines, table = _lines()
        idle = np.repeat(np.arange(len(lines))[:, None], N_VOICE, axis=1)
        which = np.array([int(frame in inside) for frame in range(timeline.n_frames)])
        good = np.array([line is not None and _shape(line) is self.shape for line in lines])
        return [minimise(followed(self.voice, np.stack([idle, table]), which, good))]


# Lowest and highest note; for the first and the last, whether it lies above the lowest, and
# whether below the highest. Nothing else decides what shape longer lines have.
_Line = tuple[int, int, tuple[bool, bool], tuple[bool, bool]]


def _shape(line: _Line) -> Shape:
    """The shape of a line that ends here."""
    low, high, first, last = line
    if low == high:
        return Shape.LEVEL
    highest_inside, lowest_inside = first[1] and last[1], first[0] and last[0]
    if highest_inside:
        return Shape.WAVE if lowest_inside else Shape.ARCH
    if lowest_inside:
        return Shape.VALLEY
    return Shape.RISING if last[0] else Shape.FALLING


def _lines() -> tuple[list[_Line | None], np.ndarray]:
    """Every line as far as it matters, ``None`` before the first note; and which follows which.

    Returns:
        The states, and int ``[state, token]``.
    """
    number: dict[_Line | None, int] = {None: 0}
    rows = []
    for line in (queue := list(number)):
        row = [number[line]] * N_VOICE  # neither a rest nor a hold begins a note
        for pitch in range(N_PITCHES):
            after = _after(line, pitch)
            if after not in number:
                number[after] = len(number)
                queue.append(after)
            row[FIRST_PITCH + pitch] = number[after]
        rows.append(row)
    return queue, np.array(rows)


def _after(line: _Line | None, pitch: int) -> _Line:
    """The line with another note."""
    if line is None:
        return pitch, pitch, (False, False), (False, False)
    low, high, (above, below), _ = line
    first = above or pitch < low, below or pitch > high
    low, high = min(low, pitch), max(high, pitch)
    return low, high, first, (pitch > low, pitch < high)
