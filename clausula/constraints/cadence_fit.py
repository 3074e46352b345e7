"""Whether a given line lets a phrase close with a cadence."""

from __future__ import annotations

import numpy as np

from clausula.constraints.cadence import Cadence, pattern_of
from clausula.constraints.place import Timeline
from clausula.grid import Voice
from clausula.pitch import Key


def line_fits(
    cadence: Cadence, timeline: Timeline, home: Key, voice: Voice, pitch: np.ndarray
) -> bool:
    """Whether the pitches of a given line are among those that a cadence may have in that voice.

    Necessary, not sufficient: what the other voices can do is not looked at.

    Args:
        cadence: which one.
        timeline: the frames of the piece.
        home: the home key.
        voice: whose line.
        pitch: int ``[time]`` MIDI numbers, negative in silence.
    """
    arrival = timeline.frame_of(cadence.measure, cadence.beat)
    key = cadence.key_in(home)
    approach = arrival - timeline.frames_per_beat
    if approach < timeline.phrase_start(arrival):
        return False
    pattern = pattern_of(cadence.kind, key.mode)
    heard = (pitch - key.tonic_pc) % 12
    goal = {Voice.SOPRANO: pattern.soprano, Voice.BASS: (pattern.bass,)}.get(voice, pattern.goal)
    if heard[arrival] not in goal or (pitch[approach : arrival + 1] < 0).any():
        return False
    leads = pattern.leads and heard[arrival - 1] == 11 and voice in (Voice.SOPRANO, Voice.BASS)
    if leads and pitch[arrival] != pitch[arrival - 1] + 1:
        return False
    if voice not in pattern.chordal:
        return True
    first = approach if pattern.whole_beat else arrival - 1
    early = cadence.anticipates_from(timeline) if voice is Voice.SOPRANO else arrival
    chordal = set(pattern.approach.get(voice, {}))
    before, late = (set(heard[a:b].tolist()) for a, b in ((first, early), (early, arrival)))
    return before <= chordal and late <= chordal | set(pattern.soprano)
