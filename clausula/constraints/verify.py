"""Whether a finished grid has what was asked, judged from its spelled notes alone.

This shares no code with what the search is given: it reads pitches, steps and onsets, not tokens.
Each function returns the reasons why a constraint fails; an empty list says that it holds. Frames
are given as measure and beat. The grid must be spelled for the local key.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from clausula.constraints.cadence import Cadence, CadenceKind
from clausula.constraints.pins import Pin
from clausula.constraints.repeat import Repeat
from clausula.constraints.transposition import Direction, InKey, Inverted, Real, Tonal
from clausula.constraints.vary import Vary
from clausula.grid import REST, Grid, Voice
from clausula.pitch import LETTER_SEMITONES, LETTERS, Key, Mode

_DOMINANT_SEVENTH = {(4, 7), (6, 11), (1, 2), (3, 5)}
_DOMINANT_TRIAD = {(4, 7), (6, 11), (1, 2)}
_LEADING_TONE = (6, 11)
_DOMINANT = (4, 7)
_TONIC = (0, 0)
_FOURTH = (3, 5)


def verify_cadence(grid: Grid, cadence: Cadence, phrase_end: int | None = None) -> list[str]:
    """Reasons why the grid has not this cadence.

    Args:
        grid: the finished piece; its ``key`` is the home key.
        cadence: what was asked.
        phrase_end: frame (exclusive) to which the goal is to be held; by default the end of the
            fermata that sounds at the arrival, the end of the piece where none does.
    """
    arrival = _frame(grid, cadence.measure, cadence.beat)
    if arrival is None:
        return [f"the piece has no measure {cadence.measure} beat {cadence.beat}"]
    if _beat_before(grid, arrival).start < 0:
        return [f"{_at(grid, arrival)}: no beat is left before the arrival"]
    end = _phrase_end(grid, arrival) if phrase_end is None else phrase_end
    degrees = _degrees(grid, cadence.key_in(grid.key))
    third = (2, 4 if cadence.key_in(grid.key).mode is Mode.MAJOR else 3)
    sixth = (5, 9 if cadence.key_in(grid.key).mode is Mode.MAJOR else 8)
    tonic_triad, submediant = {_TONIC, third, _DOMINANT}, {sixth, _TONIC, third}
    match cadence.kind:
        case CadenceKind.HC:
            reasons = _half(grid, degrees, arrival)
        case CadenceKind.PAC | CadenceKind.IAC:
            soprano = {_TONIC} if cadence.kind is CadenceKind.PAC else {third, _DOMINANT}
            early = soprano if cadence.anticipated else set()
            reasons = _dominant(grid, degrees, arrival, soprano, early)
            if degrees[arrival - 1][Voice.SOPRANO] == _FOURTH and soprano == {_TONIC}:
                reasons.append(f"{_at(grid, arrival)}: the soprano leaps from the seventh")
            reasons += _goal(grid, degrees, arrival, tonic_triad, third, _TONIC)
        case CadenceKind.DC:
            reasons = _dominant(grid, degrees, arrival, {_TONIC, third})
            reasons += _goal(grid, degrees, arrival, submediant, _TONIC, sixth)
        case CadenceKind.PLAGAL:
            reasons = _subdominant(grid, degrees, arrival, sixth, bass=_FOURTH)
            reasons += _goal(grid, degrees, arrival, tonic_triad, third, _TONIC)
        case CadenceKind.PHRYGIAN:
            reasons = _subdominant(grid, degrees, arrival, (5, 8), bass=(5, 8))
            reasons += _goal(grid, degrees, arrival, _DOMINANT_TRIAD, _LEADING_TONE, _DOMINANT)
    return reasons + _held(grid, arrival, end)


def _subdominant(
    grid: Grid,
    degrees: list[list[tuple[int, int]]],
    arrival: int,
    sixth: tuple[int, int],
    *,
    bass: tuple[int, int],
) -> list[str]:
    """Reasons against IV on that bass in the beat before."""
    reasons = []
    for frame in _beat_before(grid, arrival):
        if degrees[frame][Voice.BASS] != bass:
            reasons.append(f"{_at(grid, frame)}: the bass is not on degree {bass[0] + 1}")
        if not set(degrees[frame]) <= {_FOURTH, sixth, _TONIC}:
            reasons.append(f"{_at(grid, frame)}: a voice is foreign to IV")
    return reasons


def _dominant(
    grid: Grid,
    degrees: list[list[tuple[int, int]]],
    arrival: int,
    soprano: set[tuple[int, int]],
    early: set[tuple[int, int]] | frozenset[tuple[int, int]] = frozenset(),
) -> list[str]:
    """Reasons against V(7) in root position that leads the soprano on.

    In the second half of the beat the soprano may sound the degrees of ``early`` too.
    """
    reasons = []
    beat = _beat_before(grid, arrival)
    for frame in beat:
        if degrees[frame][Voice.BASS] != _DOMINANT:
            reasons.append(f"{_at(grid, frame)}: the bass is not on degree 5")
        late = 2 * (frame - beat.start) >= len(beat)
        anticipates = late and degrees[frame][Voice.SOPRANO] in early
        if not set(degrees[frame][Voice.ALTO :] if anticipates else degrees[frame]) <= (
            _DOMINANT_SEVENTH
        ):
            reasons.append(f"{_at(grid, frame)}: a voice is foreign to V7")
        if _LEADING_TONE not in degrees[frame]:
            reasons.append(f"{_at(grid, frame)}: no leading tone")
    if degrees[arrival][Voice.SOPRANO] not in soprano:
        reasons.append(f"{_at(grid, arrival)}: the soprano arrives on another degree")
    for voice in (Voice.SOPRANO, Voice.BASS):
        rise = grid.pitch[arrival, voice] - grid.pitch[arrival - 1, voice]
        if degrees[arrival - 1][voice] == _LEADING_TONE and rise != 1:
            reasons.append(
                f"T01 {_at(grid, arrival)}: the {voice.name.lower()}'s leading tone falls"
            )
    return reasons


def _half(grid: Grid, degrees: list[list[tuple[int, int]]], arrival: int) -> list[str]:
    """Reasons against an arrival on V."""
    reasons = []
    if degrees[arrival - 1][Voice.BASS] == _DOMINANT:
        reasons.append(f"{_at(grid, arrival)}: the bass was on degree 5 already")
    return reasons + _goal(grid, degrees, arrival, _DOMINANT_TRIAD, _LEADING_TONE, _DOMINANT)


def _goal(
    grid: Grid,
    degrees: list[list[tuple[int, int]]],
    arrival: int,
    chord: set[tuple[int, int]],
    third: tuple[int, int],
    root: tuple[int, int],
) -> list[str]:
    """Reasons against the chord of arrival, and against silence in the beat before it."""
    where = _at(grid, arrival)
    reasons = []
    if not set(degrees[arrival]) <= chord:
        reasons.append(f"{where}: a voice is foreign to the goal's triad")
    if third not in degrees[arrival]:
        reasons.append(f"{where}: the goal has no third")
    if degrees[arrival][Voice.BASS] != root:
        reasons.append(f"{where}: the bass is not on the goal's root")
    for voice in (Voice.SOPRANO, Voice.BASS):
        if not grid.onset[arrival, voice]:
            reasons.append(f"{where}: the {voice.name.lower()} starts no note")
    before = _beat_before(grid, arrival)
    if (grid.pitch[before.start : before.stop] == REST).any():
        reasons.append(f"{where}: a voice rests in the beat before")
    return reasons


def _held(grid: Grid, arrival: int, end: int) -> list[str]:
    """Reasons against all voices holding from the arrival to the phrase end, and no longer."""
    reasons = []
    after = slice(arrival + 1, end)
    if grid.onset[after].any() or (grid.pitch[after] != grid.pitch[arrival]).any():
        reasons.append(f"{_at(grid, arrival)}: the goal is not held to the phrase end")
    if end < len(grid) and ((grid.pitch[end] != REST) & ~grid.onset[end]).any():
        reasons.append(f"{_at(grid, end)}: a note is held over the phrase end")
    return reasons


def verify_pin(grid: Grid, pin: Pin) -> list[str]:
    """Reasons why the grid has not this given note."""
    frame = _frame(grid, pin.measure, pin.beat)
    if frame is None:
        return [f"the piece has no measure {pin.measure} beat {pin.beat}"]
    sounding = (int(grid.pitch[frame, pin.voice]), int(grid.step[frame, pin.voice]))
    if sounding != tuple(pin.pitch):
        return [f"{_at(grid, frame)}: the {pin.voice.name.lower()} does not sound {pin.pitch.name}"]
    if pin.onset and not grid.onset[frame, pin.voice]:
        return [f"{_at(grid, frame)}: {pin.pitch.name} sounds but does not start there"]
    return []


def verify_repeat(grid: Grid, repeat: Repeat) -> list[str]:
    """Reasons why the passage does not return as asked; the grid's ``key`` is the home key."""
    start = _frame(grid, *repeat.source.start)
    target = _frame(grid, *repeat.at)
    end = _frame(grid, *repeat.source.end)
    if end is None and repeat.source.end.measure > grid.measure[-1]:
        end = len(grid)
    if start is None or target is None or end is None or target + end - start > len(grid):
        return ["the piece is too short for the passage and its copy"]
    if grid.position[start] != grid.position[target]:
        return ["the copy stands at another metrical position"]
    reasons = []
    for voice in repeat.voices:
        reasons += _delimited(grid, voice, start, end) + _delimited(
            grid, voice, target, target + end - start
        )
        for offset in range(end - start):
            if not _returns(grid, repeat, voice, start + offset, target + offset):
                reasons.append(f"{_at(grid, target + offset)}: the {voice.name.lower()} differs")
    return reasons


def verify_vary(grid: Grid, vary: Vary) -> list[str]:
    """Reasons why a passage does not return with as many changes as were asked."""
    repeat = vary.exact
    start, target = _frame(grid, *repeat.source.start), _frame(grid, *repeat.at)
    end = _frame(grid, *repeat.source.end)
    if end is None and repeat.source.end.measure > grid.measure[-1]:
        end = len(grid)
    if start is None or target is None or end is None or target + end - start > len(grid):
        return ["the piece is too short for the passage and its copy"]
    changes = sum(
        _changes(grid, repeat, voice, start + offset, target + offset)
        for voice in vary.voices
        for offset in range(end - start)
    )
    if vary.least <= changes <= vary.most:
        return []
    return [f"{_at(grid, target)}: the copy has {changes} changes"]


def _changes(grid: Grid, repeat: Repeat, voice: Voice, frame: int, copy: int) -> bool:
    """Whether one frame of a copy is not what the frame of the passage asks for.

    A note held on counts as the same, whatever it is: its beginning was counted.
    """
    held, held_copy = (
        bool(grid.pitch[f, voice] != REST and not grid.onset[f, voice]) for f in (frame, copy)
    )
    return not (held and held_copy) and not _returns(grid, repeat, voice, frame, copy)


def _delimited(grid: Grid, voice: Voice, start: int, end: int) -> list[str]:
    """Reasons against a passage that starts with a note and ends with the end of one."""
    reasons = []
    if not grid.onset[start, voice]:
        reasons.append(f"{_at(grid, start)}: the passage does not begin with a note")
    if end < len(grid) and grid.pitch[end, voice] != REST and not grid.onset[end, voice]:
        reasons.append(f"{_at(grid, end)}: the passage's last note is held too long")
    return reasons


def _returns(grid: Grid, repeat: Repeat, voice: Voice, frame: int, copy: int) -> bool:
    """Whether one frame of the copy is what the frame of the passage asks for."""
    pitch, copied = int(grid.pitch[frame, voice]), int(grid.pitch[copy, voice])
    if grid.onset[frame, voice] != grid.onset[copy, voice] or (pitch == REST) != (copied == REST):
        return False
    if pitch == REST:
        return True
    step, copied_step = int(grid.step[frame, voice]), int(grid.step[copy, voice])
    if isinstance(repeat.how, Real):
        return (copied - pitch, copied_step - step) == repeat.how.interval
    alteration = _alteration(pitch, step, grid.key)
    if isinstance(repeat.how, Tonal):
        copied_alteration = _alteration(copied, copied_step, grid.key)
        return copied_step - step == repeat.how.steps and alteration == copied_alteration
    if isinstance(repeat.how, Inverted):
        mirrored = copied_step + step == 2 * repeat.how.axis.step
        return mirrored and alteration == _alteration(copied, copied_step, grid.key) == 0
    key = _named_key(repeat.how, grid.key)
    degree = (step - grid.key.tonic_letter) % 7
    if (grid.key.mode, key.mode) == (Mode.MINOR, Mode.MAJOR) and degree in (5, 6):
        alteration = min(alteration, 0)
    return (
        degree == (copied_step - key.tonic_letter) % 7
        and alteration == _alteration(copied, copied_step, key)
        and _goes(repeat.how, grid.key, key, copied_step - step)
    )


def _named_key(how: InKey, home: Key) -> Key:
    """The key that a repeat goes to."""
    return how.key if isinstance(how.key, Key) else how.key.of(home)


def _goes(how: InKey, home: Key, key: Key, steps: int) -> bool:
    """Whether a tonic moved by so many steps goes where the repeat says."""
    tonic = home.tonic_letter + steps
    rise = (
        12 * (tonic // 7)
        + int(LETTER_SEMITONES[tonic % 7] - LETTER_SEMITONES[home.tonic_letter])
        + _signature(key, tonic % 7)
        - _signature(home, home.tonic_letter)
    )
    limits = {
        Direction.NEAREST: range(-5, 7),
        Direction.UP: range(1, 13),
        Direction.DOWN: range(-12, 0),
    }
    return rise in limits[how.direction]


def _alteration(pitch: int, step: int, key: Key) -> int:
    """Semitones by which a spelled note differs from the key signature's note on its step."""
    octave, letter = divmod(step, 7)
    accidental = pitch - 12 * (octave + 1) - int(LETTER_SEMITONES[letter])
    return accidental - _signature(key, letter)


def _signature(key: Key, letter: int) -> int:
    """The sharp (1) or flat (-1) that a key signature puts before a letter."""
    sharps = "FCGDAEB"
    if key.fifths > 0:
        return int(LETTERS[letter] in sharps[: key.fifths])
    return -int(LETTERS[letter] in sharps[7 + key.fifths :])


def _degrees(grid: Grid, key: Key) -> list[list[tuple[int, int]]]:
    """Scale degree (0 = tonic) and semitones above the tonic of every frame's voices."""
    degree = np.where(grid.pitch == REST, -1, (grid.step - key.tonic_letter) % 7)
    chroma = np.where(grid.pitch == REST, -1, (grid.pitch - key.tonic_pc) % 12)
    return [
        list(zip(degree[frame].tolist(), chroma[frame].tolist(), strict=True))
        for frame in range(len(grid))
    ]


def _frame(grid: Grid, measure: int, beat: Fraction) -> int | None:
    """The frame of a place, ``None`` where the piece has no such frame."""
    for frame in np.flatnonzero(grid.measure == measure).tolist():
        if grid.beat[frame] == beat:
            return frame
    return None


def _beat_before(grid: Grid, arrival: int) -> range:
    """Frames of the beat before the arrival."""
    return range(arrival - int(grid.meter.beat * grid.frames_per_quarter), arrival)


def _phrase_end(grid: Grid, arrival: int) -> int:
    """The end (exclusive) of the fermata at a frame; of the piece where there is none."""
    over = np.flatnonzero(~grid.phrase_end[arrival:])
    return arrival + int(over[0]) if grid.phrase_end[arrival] and len(over) else len(grid)


def _at(grid: Grid, frame: int) -> str:
    """Measure and beat of a frame in words."""
    return f"measure {int(grid.measure[frame])} beat {grid.beat[frame]}"
