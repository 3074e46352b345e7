"""Constraints that count: how often, how high, how long in a row.

Each follows one voice with an automaton of a few dozen states. What is counted are notes as they
begin; a note that is held on is the same note.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import REFUSED, LayeredAutomaton, followed
from clausula.constraints.place import KeyAt, Span, Timeline, where
from clausula.errors import PlanError
from clausula.grid import Voice
from clausula.pitch import SpelledPitch
from clausula.vocabulary import FIRST_PITCH, N_VOICE, REST_TOKEN, voice_semitones

N_PITCHES = N_VOICE - FIRST_PITCH


@dataclass(frozen=True)
class Climax:
    """The highest note of a voice begins exactly once.

    >>> str(Climax(Voice.SOPRANO))
    'climax once S'

    Attributes:
        voice: whose.
        span: where it is; anywhere if left out.
    """

    voice: Voice
    span: Span | None = None

    def __str__(self) -> str:
        return f"climax once {self.voice.name[0]}{where(self.span)}"

    def automata(self, timeline: Timeline, _keys: KeyAt) -> list[LayeredAutomaton]:
        """What the whole piece must be, as an automaton of at most 91 states.

        Raises:
            PlanError: the piece has no such span.
        """
        return [self.automaton(self.frames(timeline))]

    def frames(self, timeline: Timeline) -> np.ndarray:
        """``bool[time]`` where it may begin.

        Raises:
            PlanError: the piece has no such span.
        """
        return np.isin(np.arange(timeline.n_frames), timeline.frames(self.span))

    def automaton(self, frames: np.ndarray) -> LayeredAutomaton:
        """What the whole piece must be for it to begin in one of some frames, ``bool[time]``."""
        # State 0: no note yet; then, for each pitch, it is the highest so far and began once
        # where it may, twice or more, or once where it may not.
        tables = np.stack([_climax_table(may) for may in (False, True)])
        good = np.zeros(1 + 3 * N_PITCHES, bool)
        good[1 : 1 + N_PITCHES] = True
        return minimise(followed(self.voice, tables, frames.astype(int), good))


def _climax_table(may: bool) -> np.ndarray:
    """``int[state, token]`` where the climax may lie in this frame, or may not."""
    once, more, elsewhere = (1 + k * N_PITCHES for k in range(3))
    table = np.repeat(np.arange(1 + 3 * N_PITCHES)[:, None], N_VOICE, axis=1)
    for token in range(FIRST_PITCH, N_VOICE):
        pitch = token - FIRST_PITCH
        rises_to = (once if may else elsewhere) + pitch
        table[0, token] = rises_to
        for high in range(N_PITCHES):
            for kind in (once, more, elsewhere):
                if pitch > high:
                    table[kind + high, token] = rises_to
            if pitch == high:
                table[once + high, token] = more + high
                table[elsewhere + high, token] = more + high
    return table


@dataclass(frozen=True)
class Count:
    """How many notes a voice begins, of any pitch or of one.

    >>> str(Count(Voice.BASS, least=8, most=12))
    'count 8-12 notes in B'

    Attributes:
        voice: whose.
        least: at least so many.
        most: at most so many; any number if left out.
        pitch: the note that is counted; every note if left out.
        span: where notes are counted; the whole piece if left out.
    """

    voice: Voice
    least: int = 0
    most: int | None = None
    pitch: SpelledPitch | None = None
    span: Span | None = None

    def __str__(self) -> str:
        if self.most == self.least:
            number = str(self.least)
        else:
            number = f"{self.least}-{'' if self.most is None else self.most}"
        what = "notes" if self.pitch is None else self.pitch.name
        return f"count {number} {what} in {self.voice.name[0]}{where(self.span)}"

    def automata(self, timeline: Timeline, _keys: KeyAt) -> list[LayeredAutomaton]:
        """One state for each number up to where more no longer matters.

        Raises:
            PlanError: the piece has no such span, or the voice no such note.
        """
        inside = timeline.frames(self.span)
        top = self.least if self.most is None else self.most + 1
        counted = np.zeros(N_VOICE, bool)
        counted[FIRST_PITCH:] = True
        if self.pitch is not None:
            counted[:] = voice_semitones(self.voice) == self.pitch.semitone
            if not counted.any():
                raise PlanError(
                    f"{self}: the {self.voice.name.lower()} cannot be written on "
                    f"{self.pitch.name}; try another octave"
                )
        idle = np.repeat(np.arange(top + 1)[:, None], N_VOICE, axis=1)
        counting = np.minimum(idle + counted, top)
        which = np.array([int(frame in inside) for frame in range(timeline.n_frames)])
        numbers = np.arange(top + 1)
        good = (numbers >= self.least) & (True if self.most is None else numbers <= self.most)
        return [minimise(followed(self.voice, np.stack([idle, counting]), which, good))]


@dataclass(frozen=True)
class Stagnation:
    """No more than so many notes of one pitch in a row.

    >>> str(Stagnation(Voice.SOPRANO, 3))
    'stagnation 3 in S'

    Attributes:
        voice: whose.
        most: notes of one pitch in a row.
    """

    voice: Voice
    most: int

    def __str__(self) -> str:
        return f"stagnation {self.most} in {self.voice.name[0]}"

    def automata(self, timeline: Timeline, _keys: KeyAt) -> list[LayeredAutomaton]:
        """The last pitch and how often it has sounded in a row; a rest begins anew."""
        states = 1 + self.most * N_PITCHES
        table = np.repeat(np.arange(states)[:, None], N_VOICE, axis=1)
        table[:, REST_TOKEN] = 0
        for pitch in range(N_PITCHES):
            token, first = FIRST_PITCH + pitch, 1 + self.most * pitch
            table[:, token] = first
            for times in range(self.most):
                table[first + times, token] = (
                    first + times + 1 if times + 1 < self.most else REFUSED
                )
        which = np.zeros(timeline.n_frames, int)
        return [minimise(followed(self.voice, table[None], which, np.ones(states, bool)))]
