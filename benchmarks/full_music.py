"""Four voices as variables of CP-SAT: what sounds in every frame, and where notes begin.

Every token that a voice has is there in every frame: nothing is narrowed beforehand. Conventions: a
*tone* is 0 for silence, else the voice token of the pitch (2 to 31). A frame either begins a note,
goes on with the one before, or is silent. Frames may be a part of the piece: what sounds before the
first one is then anything at all, so that what is unsatisfiable there is so in the whole piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from ortools.sat.python import cp_model

from clausula.engine.plan import Plan
from clausula.grid import Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

SILENT = REST_TOKEN
PITCHES = range(FIRST_PITCH, N_VOICE)
TONES = (SILENT, *PITCHES)
Literal = cp_model.IntVar


def tones_where(voice: Voice, wanted: Iterable[bool]) -> set[int]:
    """The tones of a voice's thirty pitches for which something is true, lowest first."""
    return {tone for tone, fits in zip(PITCHES, wanted, strict=True) if fits}


def pitches_of(voice: Voice) -> np.ndarray:
    """MIDI numbers of the thirty pitches of a voice."""
    return voice_semitones(voice)[FIRST_PITCH:]


class Line:
    """One voice.

    Attributes:
        sounds: ``sounds[frame][tone]``, exactly one of a frame's is true.
        begins: ``begins[frame]``, whether a note begins.
    """

    def __init__(self, model: cp_model.CpModel, frames: range, voice: Voice) -> None:
        """Variables for some frames."""
        self.model, self.frames, self.voice = model, frames, voice
        self.sounds: dict[int, dict[int, Literal]] = {}
        self.begins: dict[int, Literal] = {}
        self._notes: dict[tuple[int, int], Literal] = {}
        for frame in frames:
            tones = {tone: model.new_bool_var(f"{voice.name} {frame} {tone}") for tone in TONES}
            begins = model.new_bool_var(f"{voice.name} {frame} begins")
            model.add_exactly_one(tones.values())
            model.add_implication(tones[SILENT], ~begins)
            for tone in PITCHES:
                if frame == 0:
                    model.add_implication(tones[tone], begins)
                elif frame > frames.start:
                    model.add_bool_or(~tones[tone], begins, self.sounds[frame - 1][tone])
            self.sounds[frame], self.begins[frame] = tones, begins

    def note(self, frame: int, tone: int) -> Literal:
        """Whether a note of a tone begins in a frame."""
        if (frame, tone) not in self._notes:
            both = self.model.new_bool_var(f"{self.voice.name} {frame} starts {tone}")
            tones, begins = self.sounds[frame], self.begins[frame]
            self.model.add_implication(both, tones[tone])
            self.model.add_implication(both, begins)
            self.model.add_bool_or(both, ~tones[tone], ~begins)
            self._notes[frame, tone] = both
        return self._notes[frame, tone]

    def only(self, frame: int, tones: Iterable[int], *, given: Sequence[Literal] = ()) -> None:
        """Nothing but some tones sounds; where literals are given, only if they are all true."""
        allowed = set(tones)
        for tone in TONES:
            if tone not in allowed:
                self.model.add_bool_or([~self.sounds[frame][tone], *(~g for g in given)])

    def not_held(self, frame: int) -> None:
        """No note goes on into a frame."""
        if frame in self.begins:
            self.model.add_bool_or(self.begins[frame], self.sounds[frame][SILENT])

    def held(self, frame: int) -> None:
        """The note before goes on."""
        self.model.add(self.begins[frame] == 0)
        self.model.add(self.sounds[frame][SILENT] == 0)

    def young(self, frame: int, first: int) -> None:
        """What sounds in a frame began no earlier than another."""
        self.model.add_bool_or(self.begins[f] for f in range(first, frame + 1))

    @cached_property
    def tone(self) -> dict[int, cp_model.LinearExpr]:
        """The tone of every frame as a number."""
        return {
            frame: sum(tone * literal for tone, literal in tones.items())
            for frame, tones in self.sounds.items()
        }


class Music:
    """All voices in some frames of a plan; a voice's variables are made when it is asked for."""

    def __init__(self, plan: Plan, frames: range) -> None:
        """No voice yet."""
        self.plan, self.frames = plan, frames
        self.model = cp_model.CpModel()
        self._lines: dict[Voice, Line] = {}

    def __getitem__(self, voice: Voice) -> Line:
        if voice not in self._lines:
            self._lines[voice] = Line(self.model, self.frames, voice)
        return self._lines[voice]

    @property
    def whole(self) -> bool:
        """Whether these are all frames of the piece."""
        return len(self.frames) == self.plan.timeline.n_frames

    def inside(self, frames: range) -> range:
        """Those of some frames that have variables."""
        return range(max(frames.start, self.frames.start), min(frames.stop, self.frames.stop))

    def fix(self, tokens: np.ndarray) -> None:
        """Let the voices that were asked for sing ``int[time, voice]`` voice tokens."""
        for voice, line in self._lines.items():
            sounding = SILENT
            for frame, token in enumerate(tokens[:, voice].tolist()):
                sounding = sounding if token == HOLD_TOKEN else token
                if frame in self.frames:
                    self.model.add(line.sounds[frame][sounding] == 1)
                    self.model.add(line.begins[frame] == (token in PITCHES))
