"""Chords one after another as one automaton.

What a voice sounds is followed as a member of the chord: its *digit*, the member's place in the
chord's list, or ``NONE`` for silence and, before the first chord, for any note foreign to it. A
state is the digits of the four voices. Where one chord follows another, a voice that holds on keeps
its note's digit in the new chord, or is refused; before a chord, the digits are those in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import N_SLOTS, REFUSED, Builder, LayeredAutomaton
from clausula.constraints.place import Timeline
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

NONE = 4  # digit of what is no member; chords have four members at most
_BASE = NONE + 1
_STATES = _BASE**N_SLOTS


class Stretch(NamedTuple):
    """A chord and the frames that it fills.

    Attributes:
        frames: from its first to its end.
        classes: pitch classes of its members, root first.
        bass: the pitch class of its lowest.
        needed: those that must sound when it begins.
    """

    frames: range
    classes: tuple[int, ...]
    bass: int
    needed: tuple[int, ...]


def chords_automaton(stretches: Sequence[Stretch], timeline: Timeline) -> LayeredAutomaton:
    """The minimal automaton of the pieces in which each chord sounds throughout its frames.

    Args:
        stretches: chords that follow each other without a gap.
        timeline: the frames of the piece.
    """
    builder = Builder()
    first, last = stretches[0], stretches[-1]
    free = [builder.add(_free(first, slot)) for slot in range(N_SLOTS)]
    table_of_layer = free * first.frames.start
    before: Stretch | None = None
    for stretch in stretches:
        begins = [builder.add(_table(before, stretch, slot)) for slot in range(N_SLOTS)]
        goes_on = [builder.add(_table(stretch, stretch, slot)) for slot in range(N_SLOTS)]
        begins[-1] = builder.add(_complete(_table(before, stretch, N_SLOTS - 1), stretch))
        table_of_layer += begins + goes_on * (len(stretch.frames) - 1)
        before = stretch
    rest = timeline.n_frames - last.frames.stop
    table_of_layer += [builder.add(np.zeros((_STATES, N_VOICE)))] * (N_SLOTS * rest)
    n_states = [_STATES] * (len(table_of_layer) + 1)
    return minimise(builder.build(table_of_layer, n_states, _STATES - 1))


def _digits(slot: int) -> np.ndarray:
    """``[state]`` digit of the voice at a slot."""
    return np.arange(_STATES) // _BASE**slot % _BASE


def _with_digit(slot: int, digit: np.ndarray) -> np.ndarray:
    """``[state, …]`` the states after that voice took on other digits, ``REFUSED`` kept."""
    own = _digits(slot).reshape(-1, *[1] * (digit.ndim - 1))
    state = np.arange(_STATES).reshape(own.shape)
    return np.where(digit == REFUSED, REFUSED, state + (digit - own) * _BASE**slot)


def _started(chord: Stretch, slot: int, foreign: int) -> np.ndarray:
    """``[token]`` digit of each token's note, ``foreign`` for what is no member."""
    voice = SEARCH_ORDER[slot]
    semitones = voice_semitones(voice) % 12
    digits = np.full(N_VOICE, foreign)
    for place, chroma in enumerate(chord.classes):
        if voice is not Voice.BASS or chroma == chord.bass:
            digits[semitones == chroma] = place
    digits[REST_TOKEN] = NONE
    return digits


def _free(first: Stretch, slot: int) -> np.ndarray:
    """Before the first chord: everything is accepted, and digits are those in it."""
    digit = np.tile(_started(first, slot, NONE), (_STATES, 1))
    digit[:, HOLD_TOKEN] = _digits(slot)
    return _with_digit(slot, digit)


def _table(before: Stretch | None, chord: Stretch, slot: int) -> np.ndarray:
    """A voice's frame in a chord; ``before`` is what was there, none if no chord was."""
    digit = np.tile(_started(chord, slot, REFUSED), (_STATES, 1))
    own = _digits(slot)
    if before is None:
        digit[:, HOLD_TOKEN] = np.where(own == NONE, REFUSED, own)
    else:
        kept = np.full(_BASE, REFUSED)
        kept[NONE] = NONE
        for place, chroma in enumerate(before.classes):
            lowest = SEARCH_ORDER[slot] is Voice.BASS
            if chroma in chord.classes and (not lowest or chroma == chord.bass):
                kept[place] = chord.classes.index(chroma)
        digit[:, HOLD_TOKEN] = kept[own]
    return _with_digit(slot, digit)


def _complete(table: np.ndarray, chord: Stretch) -> np.ndarray:
    """The same, refusing frames in which a member that is needed does not sound."""
    digits = np.stack([_digits(slot) for slot in range(N_SLOTS)])
    there = np.all(
        [(digits == chord.classes.index(chroma)).any(axis=0) for chroma in chord.needed], axis=0
    )
    # REFUSED is -1 and so indexes the appended last entry: refused stays refused.
    return np.where(np.append(there, False)[table], table, REFUSED)
