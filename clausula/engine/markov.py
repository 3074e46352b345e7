"""First-order Markov chains on the HMM's alphabet: what the HMM must beat to earn its place.

Each voice is a chain of its own, given what the HMM is given: the class of the frame and the mode.
Three memories: ``Memory.TOKEN`` knows the token of the frame before (after a hold, the pitch is
forgotten); ``Memory.NOTE`` the note that sounds, through any number of holds; ``Memory.PITCH`` also
whether the frame before held it.
Probabilities are interpolated from the widest context to none, each level weighted by the number
of distinct tokens it has seen.

References: design §4 and §6; I. Witten and T. Bell, "The Zero-Frequency Problem", IEEE Trans.
Information Theory 37 (1991), method C.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np

from clausula.engine.hmm import MODES, N_CLASSES, N_NOTE, N_RELATIVE, classes_of, relative_tokens
from clausula.errors import InputError
from clausula.grid import Grid
from clausula.vocabulary import HOLD_TOKEN


class Memory(StrEnum):
    """What a chain remembers of the frame before."""

    TOKEN = "token"
    NOTE = "note"
    PITCH = "pitch"


# Contexts, from the narrowest to the widest, as axes kept of [mode, class, memory].
_BACK_OFF = ((), (1,), (2,), (1, 2), (0, 1, 2))


def memory_states(tokens: np.ndarray, memory: Memory) -> np.ndarray:
    """``[time, voice]`` what each voice remembers when it enters a frame.

    Args:
        tokens: ``[time, voice]`` key-relative tokens.
        memory: ``TOKEN`` gives the token before; ``NOTE`` the note that sounds (rest, then
            pitches); ``PITCH`` the same, plus 66 when the frame before held it. A piece begins in a
            state of its own, the last one.
    """
    states = np.empty(tokens.shape, np.int64)
    states[0] = state_count(memory) - 1
    if memory is Memory.TOKEN:
        states[1:] = tokens[:-1]
        return states
    holds = tokens == HOLD_TOKEN
    time = np.arange(len(tokens))[:, None]
    # A hold before any note has nothing to remember; it counts as silence.
    last_note = np.maximum.accumulate(np.where(holds, -1, time), axis=0)
    note = np.maximum(np.take_along_axis(tokens, np.maximum(last_note, 0), axis=0) - 1, 0)
    held = N_NOTE * holds if memory is Memory.PITCH else 0
    states[1:] = (np.where(last_note >= 0, note, 0) + held)[:-1]
    return states


def state_count(memory: Memory) -> int:
    """Number of memory states, the start of a piece included."""
    return {Memory.TOKEN: N_RELATIVE, Memory.NOTE: N_NOTE, Memory.PITCH: 2 * N_NOTE}[memory] + 1


def train_markov(grids: Sequence[Grid], memory: Memory) -> np.ndarray:
    """Conditional distributions counted from grids.

    Returns:
        ``[voice, mode, class, memory state, token]`` probabilities; each row sums to one.

    Raises:
        InputError: no grids, or a pitch outside the alphabet.
    """
    return interpolated(count_tokens(grids, memory))


def count_tokens(grids: Sequence[Grid], memory: Memory) -> np.ndarray:
    """``int64[voice, mode, class, memory state, token]`` how often each token followed.

    Raises:
        InputError: no grids, or a pitch outside the alphabet.
    """
    if not grids:
        raise InputError("there is no music to count: pass at least one grid")
    counts = np.zeros((4, len(MODES), N_CLASSES, state_count(memory), N_RELATIVE), np.int64)
    for grid in grids:
        np.add.at(counts, (*_contexts(grid, memory), relative_tokens(grid)), 1)
    return counts


def interpolated(counts: np.ndarray) -> np.ndarray:
    """Counts as conditional distributions; same shape, each row sums to one."""
    return np.stack([_interpolate(voice) for voice in counts])


def _contexts(grid: Grid, memory: Memory) -> tuple[Any, ...]:
    """Index of each frame's and voice's row in ``[voice, mode, class, memory state]``."""
    return (
        np.arange(4),
        MODES.index(grid.key.mode),
        classes_of(grid)[:, None],
        memory_states(relative_tokens(grid), memory),
    )


def _interpolate(counts: np.ndarray) -> np.ndarray:
    """``[mode, class, memory, token]`` counts of a voice to probabilities (Witten and Bell)."""
    probability = np.full((1, 1, 1, counts.shape[-1]), 1 / counts.shape[-1])
    for kept in _BACK_OFF:
        dropped = tuple(axis for axis in range(3) if axis not in kept)
        seen = counts.sum(axis=dropped, keepdims=True)
        kinds = (seen > 0).sum(axis=-1, keepdims=True)
        total = seen.sum(axis=-1, keepdims=True)
        mixed = (seen + kinds * probability) / np.maximum(total + kinds, 1)
        probability = np.where(total > 0, mixed, probability)
    return np.broadcast_to(probability, counts.shape)


def log_likelihood(chain: np.ndarray, grids: Sequence[Grid], memory: Memory) -> np.ndarray:
    """``[piece]`` log probability of each grid under the chains of its four voices, in nats."""
    return np.array(
        [np.log(chain[(*_contexts(grid, memory), relative_tokens(grid))]).sum() for grid in grids]
    )


def nats_per_frame(chain: np.ndarray, grids: Sequence[Grid], memory: Memory) -> float:
    """Negative log likelihood of all frames over their number, first frames included."""
    total = log_likelihood(chain, grids, memory).sum()
    return float(-total / sum(len(grid) for grid in grids))
