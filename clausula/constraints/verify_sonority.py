"""Whether a finished grid keeps ranges, scales, chords and rhythms, judged from its notes alone.

As ``verify``: no code is shared with what the search is given.
"""

from __future__ import annotations

import re
from fractions import Fraction

from clausula.constraints.place import Place
from clausula.constraints.sonority import Chord, Range, Rhythm, Scale
from clausula.constraints.verify_counting import at_frame, inside_span
from clausula.grid import REST, Grid
from clausula.pitch import Key, Mode

_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


def verify_range(grid: Grid, asked: Range) -> list[str]:
    """Reasons why the voice leaves its range."""
    reasons = []
    for frame, inside in enumerate(inside_span(grid, asked.span)):
        pitch = int(grid.pitch[frame, asked.voice])
        if inside and pitch != REST and not asked.low.semitone <= pitch <= asked.high.semitone:
            reasons.append(f"{at_frame(grid, frame)}: the note lies outside")
    return reasons


def verify_scale(grid: Grid, asked: Scale, keys: list[Key]) -> list[str]:
    """Reasons why the voice leaves the scale.

    Args:
        grid: the finished piece.
        asked: the constraint.
        keys: the local key of every frame.
    """
    reasons = []
    for frame, inside in enumerate(inside_span(grid, asked.span)):
        pitch, key = int(grid.pitch[frame, asked.voice]), keys[frame]
        if not inside or pitch == REST:
            continue
        if asked.chroma:
            fits = pitch % 12 in asked.chroma
        else:
            own = _MAJOR if key.mode is Mode.MAJOR else (*_MINOR, 9, 11)
            fits = (pitch - key.tonic_pc) % 12 in own
        if not fits:
            reasons.append(f"{at_frame(grid, frame)}: the note is foreign to the scale")
    return reasons


def verify_chord(grid: Grid, asked: Chord, key: Key) -> list[str]:
    """Reasons why another chord sounds; ``key`` is the local one."""
    members, bass = _members(asked.name, key)
    start = _frame_at(grid, asked.at)
    if start is None:
        return [f"the piece has no measure {asked.at}"]
    length = int(asked.beats * grid.meter.beat * grid.frames_per_quarter)
    reasons = []
    for frame in range(start, min(start + length, len(grid))):
        sounding = [int(p) % 12 for p in grid.pitch[frame] if p != REST]
        if not set(sounding) <= set(members):
            reasons.append(f"{at_frame(grid, frame)}: a voice is foreign to {asked.name}")
        low = int(grid.pitch[frame, -1])
        if low != REST and low % 12 != bass:
            reasons.append(f"{at_frame(grid, frame)}: the bass is another member")
        if frame == start and not {*members[:2], *members[3:]} <= set(sounding):
            reasons.append(f"{at_frame(grid, frame)}: root, third or seventh is missing")
    return reasons


def _members(name: str, key: Key) -> tuple[list[int], int]:
    """Pitch classes of a Roman numeral and its bass, from thirds stacked on the degree."""
    found = re.fullmatch(r"([b#]?)([iIvV]+)([°oø+]?)(\d*)", name)
    if found is None:
        raise ValueError(name)
    accidental, numeral, quality, figures = found.groups()
    degree = ["i", "ii", "iii", "iv", "v", "vi", "vii"].index(numeral.lower())
    scale = list(_MAJOR if key.mode is Mode.MAJOR else _MINOR)
    if key.mode is Mode.MINOR and numeral in ("V", "vii"):
        scale[6] = 11
    root = scale[degree] + {"": 0, "#": 1, "b": -1}[accidental]
    third = 4 if numeral.isupper() else 3
    diatonic_fifth = (scale[(degree + 4) % 7] - scale[degree]) % 12
    if quality in ("°", "o", "ø"):
        fifth = 6
    elif quality == "+":
        fifth = 8
    else:
        fifth = diatonic_fifth if numeral.islower() else 7
    seventh = 9 if quality in ("°", "o") else (scale[(degree + 6) % 7] - scale[degree]) % 12
    has_seventh = figures in ("7", "65", "43", "42", "2")
    chord = [0, third, fifth] + ([seventh] if has_seventh else [])
    inversion = {"": 0, "53": 0, "7": 0, "6": 1, "65": 1, "64": 2, "43": 2, "42": 3, "2": 3}[
        figures
    ]
    classes = [(key.tonic_pc + root + interval) % 12 for interval in chord]
    return classes, classes[inversion]


def verify_rhythm(grid: Grid, asked: Rhythm) -> list[str]:
    """Reasons why the voice moves otherwise."""
    lengths = {"w": "4", "h": "2", "q": "1", "e": "1/2", "s": "1/4"}
    start = _frame_at(grid, asked.at)
    if start is None:
        return [f"the piece has no measure {asked.at}"]
    frame = Fraction(start)
    reasons = []
    for value in asked.values.split():
        bare = value.removeprefix("r")
        length = Fraction(lengths[bare[0]]) * (Fraction(3, 2) if bare.endswith(".") else 1)
        stop = frame + length * grid.frames_per_quarter
        for at in range(int(frame), int(stop)):
            silent = int(grid.pitch[at, asked.voice]) == REST
            begins = bool(grid.onset[at, asked.voice])
            wrong = (not silent) if value != bare else (silent or begins != (at == frame))
            if wrong:
                reasons.append(f"{at_frame(grid, at)}: the rhythm is another")
        frame = stop
    end = int(frame)
    if (
        end < len(grid)
        and grid.pitch[end, asked.voice] != REST
        and not grid.onset[end, asked.voice]
    ):
        reasons.append(f"{at_frame(grid, end)}: the last note is held on")
    return reasons


def _frame_at(grid: Grid, place: Place) -> int | None:
    """The first frame at a measure and beat; none if the piece has no such place."""
    for frame, at in enumerate(zip(grid.measure.tolist(), grid.beat, strict=True)):
        if at == tuple(place):
            return frame
    return None
