"""From the search's tokens to a grid, spelled for the local keys of the plan."""

from __future__ import annotations

import numpy as np

from clausula.engine.plan import Plan
from clausula.grid import REST, Grid
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, VOICE_LOWEST


def grid_of(tokens: np.ndarray, plan: Plan, title: str = "") -> Grid:
    """The piece that voice tokens write.

    Args:
        tokens: ``int[time, voice]`` voice tokens, soprano first; frames beyond the plan's are cut.
        plan: gives meter, keys and phrase ends; a note is spelled by the key in which it starts,
            that of a given line as it was written.
        title: what the piece is called.
    """
    total = plan.timeline.n_frames
    tokens = np.asarray(tokens[:total], int)
    onset = tokens >= FIRST_PITCH
    # The token that a voice last started: holds repeat it, rests silence it.
    started = np.where(tokens == HOLD_TOKEN, -1, np.arange(total)[:, None])
    last = np.maximum.accumulate(started, axis=0)
    sounding = np.take_along_axis(tokens, np.maximum(last, 0), axis=0)
    pitch = np.where(sounding >= FIRST_PITCH, sounding - FIRST_PITCH + VOICE_LOWEST, REST)
    step = np.zeros_like(pitch)
    for frame in range(total):
        key = plan.key_at(frame)
        fresh = onset[frame]
        step[frame] = np.where(fresh, key.spell(pitch[frame]), step[frame - 1] if frame else 0)
    for line in plan.given:
        for note in line.notes:
            frames = line.frames_of(note, plan.timeline)
            step[frames.start : frames.stop, line.voice] = note.pitch.step
    step[pitch == REST] = 0
    return Grid(
        pitch,
        step,
        onset,
        plan.phrase_end,
        plan.timeline.meter,
        plan.key,
        plan.timeline.pickup,
        plan.timeline.frames_per_quarter,
        title,
    )
