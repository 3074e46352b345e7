"""What every note does: chord tone, passing tone, suspension and the rest.

Conventions: a note that is no member of the chord is named after how its voice comes to it and
leaves it. *By step* is a second of at most two semitones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clausula.checker.melody import FARTHER, Melody, melody_of
from clausula.constraints.passage import ChordSpan, ToneKind
from clausula.slices import ON_BEAT, SILENT, Slices


def tone_kinds(slices: Slices, chords: Sequence[ChordSpan]) -> np.ndarray:
    """``[time, voice]`` what the note that sounds does there, as ``ToneKind``."""
    n_times, _ = slices.semitone.shape
    members = np.full((n_times, 4), -1)
    sevenths, begins = np.full((2, n_times, 1), -1)
    for span in chords:
        rows = slice(span.start, span.stop)
        chord = span.numeral.chord(span.key)
        members[rows, : len(chord.tones)] = chord.tones
        sevenths[rows] = -1 if chord.seventh is None else chord.seventh
        begins[rows] = span.start
    melody = melody_of(slices)
    figure, note = _figures(melody, slices.level), melody.number
    tones = slices.tones
    member = (tones[:, :, None] == members[:, None]).any(axis=2)
    held = melody.line.start[note] < begins
    foreign = np.where(held, figure.kept[note], figure.struck[note])
    own = member & ~((tones == sevenths) & figure.passing[note] & ~held)
    kinds = np.where(own, int(ToneKind.CHORD), foreign)
    return np.where((note == SILENT) | (begins < 0), int(ToneKind.SILENT), kinds)


def embellishments(slices: Slices) -> np.ndarray:
    """``[2, time, voice]`` what each note is where it is foreign, as ``ToneKind``.

    First if it begins with or within the chord, then if it was there before the chord.
    """
    melody = melody_of(slices)
    figure, note = _figures(melody, slices.level), melody.number
    found = np.stack([figure.struck[note], figure.kept[note]])
    return np.where(note == SILENT, int(ToneKind.SILENT), found)


class _Figure(NamedTuple):
    """What each note is where it is foreign.

    Attributes:
        struck: if it begins with or within its chord, as ``ToneKind``.
        kept: if it was there before the chord.
        passing: ``bool[note]`` whether even a chord's seventh is only touched by it: off the beat,
            by step on both sides and not downward.
    """

    struck: np.ndarray
    kept: np.ndarray
    passing: np.ndarray


def _figures(melody: Melody, level: np.ndarray) -> _Figure:
    line, _, into, out = melody
    onward = np.append(out[1:], FARTHER)  # from the next note on
    backward = np.append(FARTHER, into[:-1])
    leap_out, leap_in = _leaps(out), _leaps(into)
    step_in, step_out = np.abs(into) == 1, np.abs(out) == 1
    falling_third = (out == -2) & (into == -1) & (onward == 1)
    turns = step_in & (out == -2 * into) & (onward == into)
    turned = step_out & (into == -2 * out) & (backward == out)
    struck = np.select(
        [
            (into == 0) & (out == -1),
            (into == 0) & (out == 1),
            step_in & (into == out),
            step_in & step_out,
            out == 0,
            falling_third,
            turns | turned,
            step_in & leap_out,
            leap_in & step_out,
        ],
        [
            ToneKind.SUSPENSION,
            ToneKind.RETARDATION,
            ToneKind.PASSING,
            ToneKind.NEIGHBOR,
            ToneKind.ANTICIPATION,
            ToneKind.CAMBIATA,
            ToneKind.DOUBLE_NEIGHBOR,
            ToneKind.ESCAPE,
            ToneKind.APPOGGIATURA,
        ],
        ToneKind.OTHER,
    )
    kept = np.select(
        [out == -1, out == 1], [ToneKind.SUSPENSION, ToneKind.RETARDATION], ToneKind.PEDAL
    )
    weak = level[line.start] > ON_BEAT
    touched = weak & step_in & step_out & (out != -1)
    return _Figure(struck.astype(int), kept.astype(int), touched)


def _leaps(steps: np.ndarray) -> np.ndarray:
    return (np.abs(steps) > 1) & (steps != FARTHER)
