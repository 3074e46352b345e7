"""What a law looks at: up to three chords in a row.

Conventions: a law is a callable from a window to its *hits*; a hit is the letters of the voices and
how many chords before the window's last one the fault is named at. Each reads one definition of
the catalogue at its strictest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from clausula.pitch import SpelledPitch
from injected.chord_table import Tone
from injected.notes import VOICES, Frame, Slot

Hit = tuple[str, int]
PAIRS = tuple(combinations(range(4), 2))
NEIGHBOURS = ((0, 1), (1, 2), (2, 3))
FIFTH, UNISON = (7, 4), (0, 0)


@dataclass(frozen=True)
class Window:
    """Up to three chords in a row.

    Attributes:
        frame: key and meter.
        a: two before; none at the start.
        b: the one before; none at the start.
        c: the last one.
        last: whether the piece ends with it.
        planned: name of the chord that follows it in the plan, empty at the end.
    """

    frame: Frame
    a: Slot | None
    b: Slot | None
    c: Slot
    last: bool
    planned: str = ""

    @cached_property
    def tones(self) -> tuple[Tone, ...]:
        """The last chord's pitches relative to the tonic."""
        return tuple(self.frame.tone(pitch) for pitch in self.c.pitches)

    @cached_property
    def before(self) -> tuple[Tone, ...]:
        """The same of the chord before; none at the start."""
        return tuple(self.frame.tone(pitch) for pitch in self.b.pitches) if self.b else ()

    @property
    def joined(self) -> bool:
        """Whether the last two chords belong to one phrase."""
        return self.b is not None and not self.b.fermata

    @cached_property
    def moves(self) -> tuple[tuple[int, int], ...]:
        """Semitones and letters that each voice moves into the last chord."""
        if self.b is None:
            return ()
        return tuple(move(p, q) for p, q in zip(self.b.pitches, self.c.pitches, strict=True))

    @cached_property
    def earlier(self) -> tuple[tuple[int, int], ...]:
        """Semitones and letters that each voice moves into the chord before."""
        if self.a is None or self.b is None:
            return ()
        return tuple(move(p, q) for p, q in zip(self.a.pitches, self.b.pitches, strict=True))

    @property
    def changes(self) -> bool:
        """Whether the harmony changes with the last chord."""
        return self.b is not None and self.b.chord.base != self.c.chord.base


Law = Callable[[Window], list[Hit]]


def move(start: SpelledPitch, end: SpelledPitch) -> tuple[int, int]:
    """Semitones and letters upwards."""
    return end[0] - start[0], end[1] - start[1]


def interval(one: SpelledPitch, other: SpelledPitch) -> tuple[int, int]:
    """Semitones and letters between two pitches, octaves removed."""
    low, high = sorted((one, other))
    return (high[0] - low[0]) % 12, (high[1] - low[1]) % 7


def letters(*voices: int) -> str:
    """The letters of voices given by index."""
    return "".join(VOICES[voice] for voice in sorted(voices))


def stepwise(moved: tuple[int, int]) -> bool:
    """Whether a motion is a second."""
    return abs(moved[1]) == 1 and abs(moved[0]) <= 2


def down(moved: tuple[int, int]) -> bool:
    """Whether a motion is a second down."""
    return moved[1] == -1 and -2 <= moved[0] < 0


def up(moved: tuple[int, int]) -> bool:
    """Whether a motion is a second up."""
    return moved[1] == 1 and 0 < moved[0] <= 2
