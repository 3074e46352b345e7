"""Which key holds when: what cadences and returns in other keys do to the piece around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clausula.constraints.cadence import REACH_BEATS
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import Repeat
from clausula.constraints.transposition import key_of_copy
from clausula.pitch import Key


class Close(NamedTuple):
    """A phrase and how it closes.

    Attributes:
        start: its first frame.
        end: the frame at which it is over (exclusive).
        arrival: frame of its cadence; none where it has none.
        key: of the cadence.
    """

    start: int
    end: int
    arrival: int | None
    key: Key


def key_track(
    home: Key, timeline: Timeline, closes: Sequence[Close], repeats: Sequence[Repeat]
) -> tuple[tuple[int, Key], ...]:
    """``(frame, key)`` from which frame on which key holds.

    A phrase that closes in another key turns to it at its middle; the next begins at home. It turns
    earlier where the cadence's own notes begin earlier. A passage that returns in another key
    brings its key with it for as long as it lasts.

    Args:
        home: the home key.
        timeline: the frames of the piece.
        closes: its phrases, in order.
        repeats: passages that return.
    """
    # A cadence is the beat of its approach, and the notes that reach into it.
    reach = (1 + REACH_BEATS) * timeline.frames_per_beat
    arrivals = [close.arrival for close in closes if close.arrival is not None]
    keys = [home] * timeline.n_frames
    for close in closes:
        turn = (close.start + close.end) // 2
        if close.arrival is not None:
            turn = min(turn, close.arrival - reach)
        turn = max(close.start, turn)
        keys[turn : close.end] = [close.key] * (close.end - turn)
    for repeat in repeats:
        moved = key_of_copy(repeat.how, home)
        start = timeline.frame_of(*repeat.at)
        stop = start + len(timeline.frames(repeat.source))
        approaches = [a - timeline.frames_per_beat for a in arrivals if a > start]
        stop = min([stop, timeline.n_frames, *approaches])
        keys[start:stop] = [moved] * (stop - start)
    return tuple(
        (frame, key) for frame, key in enumerate(keys) if frame == 0 or keys[frame - 1] != key
    )
