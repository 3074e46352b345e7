"""Pins: a given note in a voice at a place.

An *onset* pin starts the note there and is unary. A *sounding* pin only asks that the note sounds,
started there or held from before; because a hold carries no pitch, a two-state automaton follows
the voice from the start of the measure before, and no note older than that satisfies it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import LayeredAutomaton, universal, windowed
from clausula.constraints.domains import HOLD_BIT, Domains
from clausula.constraints.place import Place, Timeline
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, VOICE_LOWEST


@dataclass(frozen=True)
class Pin:
    """A note that is given.

    >>> str(Pin(Voice.BASS, 5, Fraction(2), SpelledPitch.parse("D3"), onset=False))
    'pin bass @ 5.2 D3 sounding'

    Attributes:
        voice: the voice that sounds it.
        measure: measure of the place.
        beat: beat of the place.
        pitch: the note.
        onset: whether the note starts there, or merely sounds.
    """

    voice: Voice
    measure: int
    beat: Fraction
    pitch: SpelledPitch
    onset: bool = True

    def __str__(self) -> str:
        place = Place(self.measure, self.beat)
        sounding = "" if self.onset else " sounding"
        return f"pin {self.voice.name.lower()} @ {place} {self.pitch.name}{sounding}"


def pin_automaton(pin: Pin, timeline: Timeline, key: Key) -> tuple[LayeredAutomaton, Domains]:
    """What a pin asks for; a piece has it when both the automaton and the domains accept it.

    Args:
        pin: the given note.
        timeline: the frames of the piece.
        key: the key at that place, which spells the notes of the grid.

    Raises:
        PlanError: no such place, a note outside the voice's thirty, or one spelled otherwise.
    """
    frame = timeline.frame_of(pin.measure, pin.beat)
    token = _token(pin, key)
    domains = Domains.full(timeline.n_frames)
    bits = 1 << token
    if pin.onset:
        domains.masks[frame, pin.voice] = bits
        return universal(timeline.n_frames), domains
    domains.masks[frame, pin.voice] = bits | HOLD_BIT
    measure_before = frame - int(timeline.position[frame]) - timeline.frames_per_measure
    follower = _Follower(pin.voice, token, frame)
    automaton = windowed(
        timeline.n_frames,
        range(max(0, measure_before), frame + 1),
        False,
        follower.symbols,
        follower.step,
    )
    return minimise(automaton), domains


def _token(pin: Pin, key: Key) -> int:
    """The voice token that starts the pinned note.

    Raises:
        PlanError: the voice has no such note, or the key spells it otherwise.
    """
    token = pin.pitch.semitone - int(VOICE_LOWEST[pin.voice]) + FIRST_PITCH
    if not FIRST_PITCH <= token < N_VOICE:
        lowest = int(VOICE_LOWEST[pin.voice])
        low, high = (
            SpelledPitch(semitone, int(key.spell(semitone))).name
            for semitone in (lowest, lowest + N_VOICE - FIRST_PITCH - 1)
        )
        raise PlanError(
            f"{pin}: the {pin.voice.name.lower()} can be written from {low} to {high}; "
            "try another octave or voice"
        )
    step = int(key.spell(pin.pitch.semitone))
    if step != pin.pitch.step:
        spelled = SpelledPitch(pin.pitch.semitone, step).name
        raise PlanError(f"{pin}: in {key} this note is written {spelled}; try that spelling")
    return token


_OTHER, _HOLD, _PINNED = range(3)


@dataclass(frozen=True)
class _Follower:
    """Whether the pinned note sounds in its voice, up to the frame where it must."""

    voice: Voice
    token: int
    frame: int

    def symbols(self, _frame: int, slot: int) -> np.ndarray:
        """Int ``[token]``: the pinned note, a hold, or anything else."""
        symbols = np.full(N_VOICE, _OTHER)
        if SEARCH_ORDER[slot] is self.voice:
            symbols[[HOLD_TOKEN, self.token]] = _HOLD, _PINNED
        return symbols

    def step(self, frame: int, slot: int, sounds: bool, symbol: int) -> bool | None:
        """Whether it sounds after a token; ``None`` where it must and does not."""
        if SEARCH_ORDER[slot] is not self.voice:
            return sounds
        after = sounds if symbol == _HOLD else symbol == _PINNED
        return None if frame == self.frame and not after else after
