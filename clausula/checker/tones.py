"""What every note does: chord tone, passing tone, suspension and the rest.

Conventions: a note that is no member of the chord is named after how its voice comes to it and
leaves it. *By step* is a second of at most two semitones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clausula.checker.harmony import FARTHER, approaches, departures
from clausula.constraints.passage import ON_BEAT, ChordSpan, Line, ToneKind, levels_of
from clausula.grid import REST
from clausula.slices import Slices


def tone_kinds(slices: Slices, lines: Sequence[Line], chords: Sequence[ChordSpan]) -> np.ndarray:
    """``[time, voice]`` what the note that sounds does there, as ``ToneKind``."""
    kinds = np.full(slices.semitone.shape, int(ToneKind.SILENT))
    tones = np.where(slices.semitone == REST, -1, 7 * (slices.semitone % 12) + slices.step % 7)
    figures = [_figures(line, levels_of(slices)) for line in lines]
    for span in chords:
        rows = slice(span.start, span.stop)
        chord = span.numeral.chord(span.key)
        member = np.isin(tones[rows], chord.tones)
        seventh = tones[rows] == chord.seventh
        for voice, line in enumerate(lines):
            note = slices.note[rows, voice]
            if not len(line):
                continue
            held = (note >= 0) & (line.start[note] < span.start)
            foreign = np.where(held, figures[voice].kept[note], figures[voice].struck[note])
            own = member[:, voice] & ~(seventh[:, voice] & figures[voice].passing[note] & ~held)
            kinds[rows, voice] = np.where(own, int(ToneKind.CHORD), foreign)
            kinds[rows, voice][note < 0] = int(ToneKind.SILENT)
    return kinds


def embellishments(slices: Slices, lines: Sequence[Line]) -> np.ndarray:
    """``[2, time, voice]`` what each note is where it is foreign, as ``ToneKind``.

    First if it begins with or within the chord, then if it was there before the chord.
    """
    found = np.full((2, *slices.semitone.shape), int(ToneKind.SILENT))
    level = levels_of(slices)
    for voice, line in enumerate(lines):
        note = slices.note[:, voice]
        if len(line):
            figure = _figures(line, level)
            found[0, :, voice] = np.where(note >= 0, figure.struck[note], int(ToneKind.SILENT))
            found[1, :, voice] = np.where(note >= 0, figure.kept[note], int(ToneKind.SILENT))
    return found


class _Figure(NamedTuple):
    """What each note of a line is where it is foreign.

    Attributes:
        struck: if it begins with or within its chord, as ``ToneKind``.
        kept: if it was there before the chord.
        passing: ``bool[note]`` whether even a chord's seventh is only touched by it: off the beat,
            by step on both sides and not downward.
    """

    struck: np.ndarray
    kept: np.ndarray
    passing: np.ndarray


def _figures(line: Line, level: np.ndarray) -> _Figure:
    into, out = approaches(line), departures(line)
    onward = np.append(out[1:], FARTHER) if len(line) else out  # from the next note on
    backward = np.append(FARTHER, into[:-1]) if len(line) else into
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
