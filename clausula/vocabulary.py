"""Tokens: what a voice does in one frame.

Two vocabularies. The *global* one is what networks and corpora speak: ``REST_TOKEN``,
``HOLD_TOKEN``, then one onset token for each MIDI number from ``LOWEST`` to ``HIGHEST``. The
*voice* one is what the search speaks: 32 tokens a voice (rest, hold, thirty pitches), so that a set
of tokens is the bits of one 32-bit word.
"""

from __future__ import annotations

import numpy as np

from clausula.grid import REST, Grid

REST_TOKEN = 0
HOLD_TOKEN = 1
FIRST_PITCH = 2  # token of the lowest pitch, in both vocabularies
LOWEST, HIGHEST = 34, 86
N_GLOBAL = FIRST_PITCH + HIGHEST - LOWEST + 1
N_VOICE = 32
# Lowest MIDI number of each voice's thirty, soprano first.
VOICE_LOWEST = np.array([55, 50, 43, 35])


def voice_semitones(voice: int) -> np.ndarray:
    """``[32]`` MIDI number of each voice token; ``REST`` for the rest and the hold token."""
    semitones = np.full(N_VOICE, REST)
    semitones[FIRST_PITCH:] = VOICE_LOWEST[voice] + np.arange(N_VOICE - FIRST_PITCH)
    return semitones


def voice_to_global(voice: int) -> np.ndarray:
    """``[32]`` global token of each voice token."""
    tokens = voice_semitones(voice) - LOWEST + FIRST_PITCH
    tokens[:FIRST_PITCH] = (REST_TOKEN, HOLD_TOKEN)
    return tokens


def tokens_of(grid: Grid) -> np.ndarray:
    """``[time, voice]`` global tokens of a grid."""
    tokens = np.where(grid.onset, grid.pitch - LOWEST + FIRST_PITCH, HOLD_TOKEN)
    return np.where(grid.pitch == REST, REST_TOKEN, tokens)
