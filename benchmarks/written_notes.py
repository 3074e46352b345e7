"""Pieces as rows of a benchmark keep them: by voice the frame and MIDI number of every note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clausula.engine.plan import Plan
from clausula.grid import Grid

Notes = Sequence[Sequence[Sequence[int]]]


def notes_of(grid: Grid) -> list[list[list[int]]]:
    """The notes of a piece; that a voice falls silent between them is not kept."""
    return [
        [[int(frame), int(column[frame])] for frame in np.flatnonzero(onset)]
        for onset, column in zip(grid.onset.T, grid.pitch.T, strict=True)
    ]


def pitches(notes: Notes, frames: int) -> np.ndarray:
    """``[frame, voice]`` MIDI numbers: a note sounds until the next one begins."""
    sounding = np.empty((frames, len(notes)), int)
    for voice, line in enumerate(notes):
        for frame, semitone in line:
            sounding[frame:, voice] = semitone
    return sounding


def grid_of_notes(notes: Notes, plan: Plan) -> Grid:
    """The piece again, each note spelled by the key in which it starts."""
    pitch = pitches(notes, plan.timeline.n_frames)
    onset = np.zeros(pitch.shape, bool)
    step = np.empty(pitch.shape, int)
    for voice, line in enumerate(notes):
        for frame, semitone in line:
            onset[frame, voice] = True
            step[frame:, voice] = plan.key_at(frame).spell(np.array(semitone))
    return Grid(pitch, step, onset, plan.phrase_end, plan.timeline.meter, plan.key)
