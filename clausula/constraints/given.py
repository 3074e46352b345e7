"""A whole line that is given: its notes, its rests, nothing else.

One constraint, not a pin a note: every frame of the voice is decided. Where all the lines that are
given are silent together, the others are silent too: a rest of the melody is one of the choir.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from clausula.constraints.domains import ALL_TOKENS, HOLD_BIT, REST_BIT, Domains
from clausula.constraints.place import Timeline
from clausula.errors import PlanError
from clausula.grid import REST, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note
from clausula.vocabulary import FIRST_PITCH, N_VOICE, VOICE_LOWEST


@dataclass(frozen=True)
class Given:
    """A voice that sings exactly these notes.

    >>> str(Given(Voice.SOPRANO, ()))
    'soprano as given'

    Attributes:
        voice: whose line it is.
        notes: in order, ties merged, spelled as they are written.
    """

    voice: Voice
    notes: tuple[Note, ...]

    def __str__(self) -> str:
        return f"{self.voice.name.lower()} as given"

    def frames_of(self, note: Note, timeline: Timeline) -> range:
        """The frames that a note fills.

        Raises:
            PlanError: it begins or ends between two frames, or outside the piece.
        """
        quarter = timeline.frames_per_quarter
        first, end = note.onset * quarter, note.end * quarter
        if first.denominator != 1 or end.denominator != 1:
            raise PlanError(
                f"{self._at(note, timeline)}: {note.pitch.name} begins or ends between two frames "
                f"of 1/{quarter} quarter; try the rhythm in sixteenths or longer values"
            )
        if end > timeline.n_frames:
            raise PlanError(
                f"{self._at(note, timeline)}: {note.pitch.name} sounds beyond the end of the piece"
            )
        return range(int(first), int(end))

    def pitches(self, timeline: Timeline) -> np.ndarray:
        """``int[time]`` MIDI number that sounds, ``REST`` in silence."""
        sounding = np.full(timeline.n_frames, REST)
        for note in self.notes:
            frames = self.frames_of(note, timeline)
            sounding[frames.start : frames.stop] = note.pitch.semitone
        return sounding

    def onsets(self, timeline: Timeline) -> np.ndarray:
        """``bool[time]`` whether a note begins."""
        begins = np.zeros(timeline.n_frames, bool)
        begins[[self.frames_of(note, timeline).start for note in self.notes]] = True
        return begins

    def domains(self, timeline: Timeline) -> Domains:
        """One token for every frame of the voice.

        Raises:
            PlanError: a note is off the grid, or not among the thirty of its voice.
        """
        domains = Domains.full(timeline.n_frames)
        line = domains.masks[:, self.voice]
        line[:] = REST_BIT
        for note in self.notes:
            frames = self.frames_of(note, timeline)
            line[frames.start] = 1 << self._token(note, timeline)
            line[frames.start + 1 : frames.stop] = HOLD_BIT
        return domains

    def sounding(self, timeline: Timeline) -> np.ndarray:
        """``uint32[time, voice]`` bits of what may sound, every bit in the other voices."""
        words = np.full((timeline.n_frames, len(Voice)), ALL_TOKENS, np.uint32)
        words[:, self.voice] = REST_BIT
        for note in self.notes:
            frames = self.frames_of(note, timeline)
            words[frames.start : frames.stop, self.voice] = 1 << self._token(note, timeline)
        return words

    def _token(self, note: Note, timeline: Timeline) -> int:
        """The voice token that starts a note.

        Raises:
            PlanError: the voice has no such note.
        """
        lowest = int(VOICE_LOWEST[self.voice])
        highest = lowest + N_VOICE - FIRST_PITCH - 1
        if not lowest <= note.pitch.semitone <= highest:
            spell = Key.parse("C").spell
            low, high = (SpelledPitch(s, int(spell(s))).name for s in (lowest, highest))
            raise PlanError(
                f"{self._at(note, timeline)}: {note.pitch.name} cannot be sung; the "
                f"{self.voice.name.lower()} can be written from {low} to {high}: try transposing "
                "the file, or another voice"
            )
        return note.pitch.semitone - lowest + FIRST_PITCH

    def _at(self, note: Note, timeline: Timeline) -> str:
        """Voice, measure and beat of a note."""
        beat = timeline.meter.beat
        bar_line = Fraction(timeline.pickup, timeline.frames_per_quarter)
        measure, into = divmod(note.onset - bar_line, timeline.meter.quarters)
        return f"{self.voice.name.lower()}, measure {measure + 1} beat {1 + into / beat}"


def silent_together(lines: Sequence[Given], timeline: Timeline) -> np.ndarray:
    """``bool[time]`` where every line that is given rests; nowhere if none is."""
    if not lines:
        return np.zeros(timeline.n_frames, bool)
    return np.all([line.pitches(timeline) == REST for line in lines], axis=0)
