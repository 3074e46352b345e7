"""What the past suggests: where the last frames sounded before, and what followed there.

Music repeats itself, and a network that must find the place by itself learns to do so slowly. So
each frame is given two *echoes*: the place after the longest earlier passage that all four voices
just repeated, and the one after the longest that the soprano just repeated. An echo is the tokens
that followed there and how long the passage was. A planned return overrides the first one: there
the place is known beforehand, and so is the transposition.

All of it is causal: the echo of a frame is a function of the frames before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clausula.grid import Voice
from clausula.vocabulary import FIRST_PITCH, N_GLOBAL

N_ECHOES = 2  # of all voices together, of the soprano alone
SPAN = 256  # frames back that are searched
NEAREST = 8  # shorter lags are a held chord, not a repetition
SHORTEST = 4  # frames that must agree
BOUNDS = (8, 12, 16, 24, 32, 48)  # frames; where classes of length end
PLANNED = len(BOUNDS) + 2  # a planned return; this voice returns
BESIDE = PLANNED + 1  # a planned return; this voice is free
N_LENGTHS = BESIDE + 1  # 0: no echo
NO_TOKEN = -1
NO_SOURCE = -1
Array = Any  # a NumPy array, or a JAX array in a compiled program


class Echo(NamedTuple):
    """Echoes of every frame.

    Attributes:
        token: ``int[..., N_ECHOES, voice]`` global tokens; ``NO_TOKEN`` without an echo.
        length: likewise, class of the length of the passage, 0 without an echo.
    """

    token: Array
    length: Array


class Return(NamedTuple):
    """Planned returns of earlier passages.

    Attributes:
        source: ``int32[time]`` the frame that each frame repeats, ``NO_SOURCE`` for none.
        shift: ``int32[time]`` semitones above it.
        voice: ``int32[time, voice]`` 1 for the voices that return.
    """

    source: Array
    shift: Array
    voice: Array


def no_return(total: int) -> Return:
    """Nothing is planned to return in ``total`` frames."""
    source = np.full(total, NO_SOURCE, np.int32)
    return Return(source, np.zeros(total, np.int32), np.zeros((total, 4), np.int32))


def length_class(length: Array, xp=np) -> Array:
    """Class 1 … ``len(BOUNDS) + 1`` of a length in frames, 0 below ``SHORTEST``."""
    rank = sum((length >= bound) * 1 for bound in BOUNDS)
    return xp.where(length < SHORTEST, 0, rank + 1)


def matches(sounding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each frame, the lag of the best earlier passage and its length.

    Args:
        sounding: ``int[time, voice]`` of the voices that must agree.

    Returns:
        Two ``int[time]``; the length counts the frames before this one that agree with those a
        lag earlier. Of equally long ones the nearest counts.
    """
    total = len(sounding)
    best_lag, best = np.zeros(total, int), np.zeros(total, int)
    for lag in range(NEAREST, min(SPAN, total)):
        same = (sounding[lag:] == sounding[:-lag]).all(1)
        # run[i]: how many frames up to and with lag + i agree.
        index = np.arange(len(same))
        run = index - np.maximum.accumulate(np.where(same, -1, index))
        at = np.arange(lag + 1, total)
        longer = run[:-1] > best[at]
        best[at[longer]] = run[:-1][longer]
        best_lag[at[longer]] = lag
    return best_lag, best


def echo_of(sounding: np.ndarray, token: np.ndarray) -> Echo:
    """Echoes of a whole piece that plans no return.

    Args:
        sounding: ``int[time, voice]`` pitch tokens that sound.
        token: ``int[time, voice]`` what each voice does.
    """
    total = len(token)
    tokens = np.full((total, N_ECHOES, 4), NO_TOKEN, np.int32)
    lengths = np.zeros((total, N_ECHOES, 4), np.int32)
    for kind, voices in enumerate((slice(None), slice(Voice.SOPRANO, Voice.SOPRANO + 1))):
        lag, length = matches(sounding[:, voices])
        rank = length_class(length)
        found = rank > 0
        tokens[found, kind] = token[np.arange(total) - lag][found]
        lengths[:, kind] = rank[:, None]
    return Echo(tokens, lengths)


def planned_echo(echo: Echo, token: np.ndarray, planned: Return) -> Echo:
    """The echoes after planned returns have taken the first one's place.

    Args:
        echo: of the piece without a plan.
        token: ``int[time, voice]`` what each voice does.
        planned: returns that are known beforehand.
    """
    tokens, lengths = echo.token.copy(), echo.length.copy()
    known = planned.source != NO_SOURCE
    tokens[known, 0] = shifted(token[planned.source[known]], planned.shift[known, None])
    lengths[known, 0] = np.where(planned.voice[known] == 1, PLANNED, BESIDE)
    return Echo(tokens, lengths)


def shifted(token: Array, shift: Array, xp=np) -> Array:
    """Tokens so many semitones higher, kept inside the vocabulary."""
    moved = xp.clip(token + shift, FIRST_PITCH, N_GLOBAL - 1)
    return xp.where(token >= FIRST_PITCH, moved, token)
