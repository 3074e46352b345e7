"""What a network in training is told beforehand: random pins, and returns found in real pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from clausula.grid import Voice
from clausula.neural.echo import NEAREST, SPAN, Return, no_return, planned_echo, shifted
from clausula.neural.features import (
    PIN_ANY,
    PIN_HOLD,
    PIN_ONSET,
    UNPINNED,
    Example,
    Pins,
    pins_of,
)
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN

Change = Callable[[Example, np.random.Generator], Example]
BLOCK = 4  # frames, a quarter note: pins are drawn by such blocks
LEAST_RETURN = 16  # frames
LEAST_ONSETS = 3  # of the soprano in a return, or it is a held note


def with_pins(example: Example, pinned: np.ndarray, *, states: bool = True) -> Example:
    """The piece with some of its own notes given.

    Args:
        example: the piece.
        pinned: ``bool[time, voice]``.
        states: whether onsets are given too, or merely what sounds.
    """
    state = np.where(example.token == HOLD_TOKEN, PIN_HOLD, PIN_ONSET)
    known = pinned & (example.sounding != REST_TOKEN) & states
    pins = Pins(
        np.where(pinned, example.sounding, UNPINNED).astype(np.int32),
        np.where(known, state, PIN_ANY).astype(np.int32),
    )
    return replace(example, controls=example.controls._replace(pins=pins))


def told(example: Example) -> np.ndarray:
    """``bool[time, voice]`` tokens that the pins leave no choice of."""
    pins = pins_of(example.controls)
    return (pins.sounding == REST_TOKEN) | ((pins.sounding != UNPINNED) & (pins.state != PIN_ANY))


def random_pins(example: Example, rng: np.random.Generator) -> Example:
    """The piece with pins as users ask for them: whole voices, all but a gap, single notes.

    Merely sounding pins are drawn only where tokens tell holds from onsets.
    """
    shape = example.token.shape
    kind = rng.choice(5, p=(0.5, 0.1, 0.15, 0.1, 0.15))
    if kind < 3:
        voices = np.zeros(4, bool)
        voices[Voice.SOPRANO if kind == 0 else Voice.BASS] = True
        if kind == 2:
            voices[:] = False
            voices[rng.permutation(4)[: rng.integers(1, 4)]] = True
        pinned = np.broadcast_to(voices, shape)
    elif kind == 3:
        pinned = _all_but_a_gap(shape, rng)
    else:
        blocks = rng.random((-(-shape[0] // BLOCK), 4)) < rng.choice((0.02, 0.1, 0.4))
        pinned = blocks.repeat(BLOCK, axis=0)[: shape[0]]
    holds = bool((example.token == HOLD_TOKEN).any())
    return with_pins(example, pinned, states=not holds or rng.random() < 0.7)


def with_some_pinned(change: Change, share: float = 0.5) -> Change:
    """The change, after which that share of the pieces has pins: one network learns both."""

    def changed(example: Example, rng: np.random.Generator) -> Example:
        example = change(example, rng)
        return random_pins(example, rng) if rng.random() < share else example

    return changed


def unchanged(example: Example, rng: np.random.Generator) -> Example:
    """The piece as it is."""
    return example


def _all_but_a_gap(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    pinned = np.ones(shape, bool)
    for _ in range(max(1, shape[0] // 128)):
        length = BLOCK * int(rng.integers(2, 17))
        start = BLOCK * int(rng.integers(0, max(1, (shape[0] - length) // BLOCK + 1)))
        free = rng.permutation(4)[: rng.integers(1, 5)]
        pinned[start : start + length, free] = False
    return pinned


class Passage(NamedTuple):
    """A passage whose soprano sounded before: frames ``start`` to ``stop``, so much lower."""

    start: int
    stop: int
    lag: int
    shift: int

    def planned(self, example: Example) -> Return:
        """It as a planned return, of all the voices that repeat what they did."""
        planned = no_return(len(example))
        span = slice(self.start, self.stop)
        source = slice(self.start - self.lag, self.stop - self.lag)
        planned.source[span] = np.arange(source.start, source.stop)
        planned.shift[span] = self.shift
        before = shifted(example.token[source], self.shift)
        planned.voice[span] = (before == example.token[span]).all(0)
        return planned


def returns_of(example: Example) -> tuple[Passage, ...]:
    """Passages of a piece that its soprano sounded before, at any pitch."""
    lags = range(max(NEAREST, LEAST_RETURN), min(SPAN, len(example)))
    return tuple(passage for lag in lags for passage in _repeated(example, lag))


def _repeated(example: Example, lag: int) -> list[Passage]:
    """The soprano's repetitions of what sounded a lag earlier."""
    token, sounding = example.token[:, Voice.SOPRANO], example.sounding[:, Voice.SOPRANO]
    now, then = sounding[lag:], sounding[:-lag]
    notes = (now >= FIRST_PITCH) & (then >= FIRST_PITCH)
    shift = now - then
    same = notes & (shifted(token[:-lag], shift) == token[lag:])
    # A run goes on while both agree and the interval stays what it was.
    goes_on = same[1:] & same[:-1] & (shift[1:] == shift[:-1])
    edges = np.flatnonzero(~goes_on) + 1
    runs = zip(np.concatenate([[0], edges]), np.concatenate([edges, [len(same)]]), strict=True)
    onsets = np.cumsum(np.concatenate([[0], example.age[lag:, Voice.SOPRANO] == 0]))
    return [
        Passage(int(a) + lag, int(b) + lag, lag, int(shift[a]))
        for a, b in runs
        if b - a >= LEAST_RETURN and same[a] and onsets[b] - onsets[a] >= LEAST_ONSETS
    ]


def random_returns(examples: Sequence[Example], share: float = 0.5) -> Change:
    """A change that tells a piece, that often, of one of its own returns beforehand.

    Args:
        examples: the pieces that it will be asked about; their returns are looked up once.
        share: of the pieces with returns.
    """
    known = {id(example): returns_of(example) for example in examples}

    def change(example: Example, rng: np.random.Generator) -> Example:
        found = known[id(example)]
        if not found or rng.random() > share:
            return example
        passage = found[rng.integers(len(found))]
        return with_return(example, passage.planned(example))

    return change


def with_return(example: Example, planned: Return) -> Example:
    """The piece with a return planned, and the echo that it makes."""
    return replace(
        example,
        controls=example.controls._replace(planned=planned),
        echo=planned_echo(example.echo, example.token, planned),
    )
