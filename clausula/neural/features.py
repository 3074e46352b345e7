"""What a network sees: frames and controls as integer arrays, the same in training and in search.

Conventions: time first, voices last, soprano first. ``sounding`` is the global pitch token that a
voice sounds (``REST_TOKEN`` in silence), ``token`` what it does (rest, hold, onset), ``age`` the
frames since its onset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clausula.grid import REST, Grid, Meter
from clausula.neural.echo import Array, Echo, Return, echo_of, no_return
from clausula.pitch import Mode
from clausula.vocabulary import FIRST_PITCH, LOWEST, REST_TOKEN, tokens_of

POSITIONS = 64  # frames in the longest measure that is told apart
AGES = 17  # 0 … 15 frames, then "longer"
COUNTDOWNS = 50  # 0 … 47 frames to or from a phrase end, "longer", "unknown"
UNKNOWN_KEY = 12
UNKNOWN_MODE = 2
ANY_STYLE = 0
UNPINNED = -1
PADDING = -1  # every control of a frame after the end
PIN_ANY, PIN_HOLD, PIN_ONSET = range(3)
# ``None``: another one, or not known.
METERS = (None, "4/4", "3/4", "2/4", "3/2", "6/4", "2/2", "12/8", "6/8", "3/8", "4/8", "9/8", "4/2")


class Pins(NamedTuple):
    """Notes that are known before a piece is written, future ones too.

    Attributes:
        sounding: ``int32[time, voice]`` pitch token that sounds, ``UNPINNED`` where not known.
        state: ``int32[time, voice]`` ``PIN_HOLD`` or ``PIN_ONSET``, ``PIN_ANY`` where a pitch
            merely sounds, or nothing is known.
    """

    sounding: Array
    state: Array


class Controls(NamedTuple):
    """What is known of every frame before a note is chosen, each ``int32[time]`` but the last two.

    Attributes:
        position: frame within the measure.
        meter: index into ``METERS``.
        phrase_end: 1 under a fermata, 0 elsewhere, 2 where phrase ends are not known.
        until: frames until the next fermata begins, ``COUNTDOWNS - 1`` where not known.
        since: frames since the last fermata ended, likewise.
        tonic: pitch class of the key, ``UNKNOWN_KEY`` where not known.
        mode: 0 major, 1 minor, ``UNKNOWN_MODE`` where not known.
        style: tag by its place in the network's list, ``ANY_STYLE`` where none is asked for.
        pins: notes that are given; none, in a search, where no note is.
        planned: passages that return.
    """

    position: Array
    meter: Array
    phrase_end: Array
    until: Array
    since: Array
    tonic: Array
    mode: Array
    style: Array
    pins: Pins | None
    planned: Return


@dataclass(frozen=True)
class Example:
    """One piece as a network reads it.

    Attributes:
        sounding: ``int32[time, voice]`` global pitch tokens that sound.
        token: ``int32[time, voice]`` what each voice does: the targets.
        age: ``int32[time, voice]`` frames since the onset, at most ``AGES - 1``.
        controls: known beforehand.
        echo: what the past suggests, ``[time, …]``.
    """

    sounding: np.ndarray
    token: np.ndarray
    age: np.ndarray
    controls: Controls
    echo: Echo

    def __len__(self) -> int:
        return len(self.token)


def ages_of(starts: np.ndarray) -> np.ndarray:
    """``[time, voice]`` frames since the last true entry of ``starts``, at most ``AGES - 1``."""
    index = np.arange(len(starts))[:, None]
    last = np.maximum.accumulate(np.where(starts, index, -AGES), axis=0)
    return np.minimum(index - last, AGES - 1)


def countdown(phrase_end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames until the next phrase end begins and since the last one ended, both bucketed.

    Args:
        phrase_end: ``bool[time]``.

    Returns:
        Two ``int32[time]``; 0 inside a phrase end for the first, in the frame after it (and in
        the first frame) for the second.
    """
    total = len(phrase_end)
    far = COUNTDOWNS - 2
    until = np.full(total, far)
    since = np.zeros(total, int)
    ahead = far
    for t in range(total - 1, -1, -1):
        ahead = 0 if phrase_end[t] else min(ahead + 1, far)
        until[t] = ahead
    behind = -1
    for t in range(total):
        behind = -1 if phrase_end[t] else min(behind + 1, far)
        since[t] = max(behind, 0)
    return until, since


def controls_of(
    position: np.ndarray,
    meter: Meter,
    phrase_end: np.ndarray,
    tonic: np.ndarray | int,
    minor: np.ndarray | bool,
    style: int = ANY_STYLE,
) -> Controls:
    """Controls of a piece whose plan is known.

    Args:
        position: ``int[time]`` frame within the measure.
        meter: time signature; one that is not in ``METERS`` counts as unknown.
        phrase_end: ``bool[time]``.
        tonic: pitch class of the key, one or ``[time]``.
        minor: whether the mode is minor, one or ``[time]``.
        style: place of the tag in the network's list.

    Returns:
        The controls, with nothing pinned and no return planned.
    """
    until, since = countdown(phrase_end)
    total = len(position)
    name = str(meter)

    def column(values: np.ndarray | int) -> np.ndarray:
        return np.asarray(np.broadcast_to(values, total), np.int32)

    return Controls(
        position=column(np.minimum(position, POSITIONS - 1)),
        meter=column(METERS.index(name) if name in METERS else 0),
        phrase_end=column(phrase_end),
        until=column(until),
        since=column(since),
        tonic=column(tonic),
        mode=column(np.asarray(minor)),
        style=column(style),
        pins=no_pins(total),
        planned=no_return(total),
    )


def pins_of(controls: Controls) -> Pins:
    """The given notes; where there are none to speak of, as many frames without one."""
    return controls.pins if controls.pins is not None else no_pins(len(controls.position))


def no_pins(total: int) -> Pins:
    """Nothing is given in ``total`` frames."""
    return Pins(np.full((total, 4), UNPINNED, np.int32), np.full((total, 4), PIN_ANY, np.int32))


def example_of(grid: Grid, style: int = ANY_STYLE, *, phrases_known: bool = True) -> Example:
    """A grid with everything known: holds, meter, key and fermatas.

    Args:
        grid: the piece.
        style: place of its tag in the network's list.
        phrases_known: false for music without fermatas, whose phrase ends nobody marked.
    """
    controls = controls_of(
        grid.position,
        grid.meter,
        grid.phrase_end,
        grid.key.tonic_pc,
        grid.key.mode is Mode.MINOR,
        style,
    )
    if not phrases_known:
        controls = without_phrases(controls)
    sounding, token = sounding_of(grid.pitch), tokens_of(grid).astype(np.int32)
    age = ages_of(grid.onset | (grid.pitch == REST)).astype(np.int32)
    return Example(sounding, token, age, controls, echo_of(sounding, token))


def without_phrases(controls: Controls) -> Controls:
    """The same with phrase ends not known."""
    far = np.full_like(controls.until, COUNTDOWNS - 1)
    return controls._replace(phrase_end=np.full_like(far, 2), until=far, since=far)


def sounding_of(pitch: np.ndarray) -> np.ndarray:
    """Global pitch tokens of MIDI numbers; ``REST`` becomes ``REST_TOKEN``; same shape."""
    return np.where(pitch == REST, REST_TOKEN, pitch - LOWEST + FIRST_PITCH).astype(np.int32)


def example_of_bare_pitches(pitch: np.ndarray) -> Example:
    """A piece of the published 16th-grid data: pitches alone, all else unknown.

    There the token of a frame is the pitch that sounds, held or not.

    Args:
        pitch: ``int[time, 4]`` MIDI numbers, ``REST`` in silence.
    """
    total = len(pitch)
    sounding = sounding_of(pitch)
    starts = np.ones(pitch.shape, bool)
    starts[1:] = pitch[1:] != pitch[:-1]

    def fill(value: int) -> np.ndarray:
        return np.full(total, value, np.int32)

    controls = Controls(
        (np.arange(total) % 16).astype(np.int32),
        fill(0),
        fill(2),
        fill(COUNTDOWNS - 1),
        fill(COUNTDOWNS - 1),
        fill(UNKNOWN_KEY),
        fill(UNKNOWN_MODE),
        fill(ANY_STYLE),
        no_pins(total),
        no_return(total),
    )
    age = ages_of(starts).astype(np.int32)
    return Example(sounding, sounding, age, controls, echo_of(sounding, sounding))
