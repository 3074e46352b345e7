"""How each note of a score is come to and left by its voice.

Conventions: the notes of all voices stand one voice behind the other in arrays ``[note]``; between
two voices is no way, as after a rest. *By step* is a second of at most two semitones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clausula.slices import SILENT, Line, Slices

FARTHER = 99  # what counts as the step to or from a note that is not there


class Melody(NamedTuple):
    """All notes of a score.

    Attributes:
        line: the notes, a voice after the other.
        number: ``[time, voice]`` index of the note that sounds, ``SILENT`` in silence.
        into: ``[note]`` letters from the note before, ``FARTHER`` after a rest or by a chromatic
            leap.
        out: ``[note]`` letters to the note that follows, ``FARTHER`` before a rest.
    """

    line: Line
    number: np.ndarray
    into: np.ndarray
    out: np.ndarray


def melody_of(slices: Slices) -> Melody:
    """All notes of a score and the steps between them."""
    line = Line(*(np.concatenate(each) for each in zip(*slices.lines, strict=True)))
    before = np.cumsum([0, *(len(each) for each in slices.lines[:-1])])
    steps = np.diff(line.step, prepend=0)
    wide = np.abs(np.diff(line.semitone, prepend=0)) > 2
    into = np.where(line.joined & ~((np.abs(steps) == 1) & wide), steps, FARTHER)
    return Melody(
        line,
        np.where(slices.note == SILENT, SILENT, slices.note + before),
        into,
        np.append(into[1:], FARTHER),
    )
