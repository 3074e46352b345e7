"""Statistics by which pieces are compared, such as written ones with a corpus.

Conventions: counts are pooled over all pieces. A *chord* is the set of sounding pitch classes
with the bass's class; voices are named S, A, T, B. Strong beats are the first of a measure and, of
four, the third. A sonority is *consonant* when it is a major, minor or diminished triad or part of
one, in any inversion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from clausula.grid import REST, VOICE_LETTERS, Grid, frames_in
from clausula.pitch import Mode

# Largest melodic interval, in semitones, of each class but the last.
_INTERVALS = {"unison": 0, "step": 2, "third": 4, "fourth to fifth": 7, "larger": 127}
_SCALES = {Mode.MAJOR: (0, 2, 4, 5, 7, 9, 11), Mode.MINOR: (0, 2, 3, 5, 7, 8, 9, 10, 11)}
_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6))


def statistics(grids: Sequence[Grid]) -> dict:
    """What the pieces are like, in plain numbers.

    Args:
        grids: the pieces.

    Returns:
        ``onsets_per_beat`` and ``mean_pitch`` (MIDI number, NaN in silence) by voice;
        ``moving_together``, the share of voice pairs that both start a note where at least one of
        them does; ``chords_per_measure``, distinct ones in a full measure; ``longest_chord`` in
        beats, the mean of the pieces' longest, and ``longest_chord_of_all``;
        ``melodic_intervals``, shares by voice and class; ``strong_dissonance``, the share of
        strong beats that are not consonant; ``outside_scale``, the share of notes that the piece's
        key has not (in minor the raised sixth and seventh degrees belong to it).
    """
    beats = sum(len(grid) / _beat(grid) for grid in grids)
    longest = [_longest_chord(grid) for grid in grids]
    pitch = np.ma.masked_equal(np.concatenate([grid.pitch for grid in grids]), REST)
    onsets = sum(grid.onset.sum(axis=0) for grid in grids) / beats
    return {
        "onsets_per_beat": _by_voice(onsets),
        "moving_together": _ratio(_together(grid) for grid in grids),
        "chords_per_measure": _ratio(_measure_chords(grid) for grid in grids),
        "longest_chord": float(np.mean(longest)),
        "longest_chord_of_all": max(longest),
        "melodic_intervals": {
            letter: _intervals([_line(grid, voice) for grid in grids])
            for voice, letter in enumerate(VOICE_LETTERS)
        },
        "strong_dissonance": _ratio(_dissonance(grid) for grid in grids),
        "outside_scale": _ratio(_outside(grid) for grid in grids),
        "mean_pitch": _by_voice(pitch.mean(axis=0).astype(float).filled(np.nan)),
    }


def motion(grids: Sequence[Grid]) -> dict[str, float]:
    """How the pairs of voices move from frame to frame.

    A pair of sounding voices *moves* where both start another pitch than they had. Parallels are
    moving pairs that keep a perfect fifth, octave or unison (or one of these with octaves between)
    in semitones, both going the same way.

    Returns:
        ``moving_pairs``, the share of moving ones among pairs of which at least one voice starts a
        note; ``parallels``, in 1,000 moving pairs, which says nothing of how many there are.
    """
    counts = np.sum([_motion(grid) for grid in grids], axis=0)
    moved, candidates, parallel = (int(n) for n in counts)
    return {
        "moving_pairs": moved / max(1, candidates),
        "parallels": 1000 * parallel / max(1, moved),
    }


def self_similarity(grids: Sequence[Grid]) -> dict[str, float]:
    """How much of a measure an earlier measure of the piece brings already.

    Returns:
        The means over all full measures but a piece's first of the best earlier measure's
        agreement: ``pitches``, the share of frames and voices that sound the same; ``rhythms``,
        the onsets that both have over those that either has. 0 where no piece has two measures.
    """
    found = [_best_agreements(grid) for grid in grids]
    best = np.concatenate([np.zeros((2, 0)), *found], axis=1)
    means = best.mean(axis=1) if best.shape[1] else np.zeros(2)
    return {"pitches": float(means[0]), "rhythms": float(means[1])}


def stillness(grids: Sequence[Grid]) -> float:
    """The share of beats, but for a piece's first, on which the chord of the beat before sounds.

    It may be held or struck again: either way the harmony stands still.
    """
    return _ratio(_still_beats(grid) for grid in grids)


def chords(grid: Grid) -> np.ndarray:
    """``[time]`` chords as numbers: a bit a sounding pitch class, then the bass; 0 in silence."""
    sounding = grid.pitch != REST
    bits = np.where(sounding, 1 << (grid.pitch % 12), 0)
    lowest = np.where(sounding, grid.pitch, 127).min(axis=1) % 12
    classes = np.bitwise_or.reduce(bits, axis=1)
    return np.where(sounding.any(axis=1), classes * 16 + lowest, 0)


def _consonant() -> np.ndarray:
    """``[4096]`` whether a set of pitch classes, as bits, is part of a triad."""
    table = np.zeros(4096, bool)
    for root in range(12):
        for triad in _TRIADS:
            members = [1 << ((root + tone) % 12) for tone in triad]
            for size in range(4):
                for some in combinations(members, size):
                    table[sum(some)] = True
    return table


_CONSONANT = _consonant()


def _by_voice(values: np.ndarray) -> dict[str, float]:
    return {letter: float(value) for letter, value in zip(VOICE_LETTERS, values, strict=True)}


def _ratio(counts: Iterable[tuple[int, int]]) -> float:
    """Pooled share of ``(part, whole)`` counts."""
    part, whole = np.sum(list(counts), axis=0)
    return float(part / whole) if whole else 0.0


def _beat(grid: Grid) -> int:
    return frames_in(grid.meter.beat, grid.frames_per_quarter)


def _line(grid: Grid, voice: int) -> np.ndarray:
    """The pitches that a voice starts, in order."""
    return grid.pitch[grid.onset[:, voice], voice]


def _together(grid: Grid) -> tuple[int, int]:
    both = either = 0
    for one, other in combinations(grid.onset.T, 2):
        both += int((one & other).sum())
        either += int((one | other).sum())
    return both, either


def _full_measures(grid: Grid, column: np.ndarray) -> np.ndarray:
    """``[measure, frame, …]`` of what stands in the full measures."""
    measures = (len(grid) - grid.pickup) // grid.frames_per_measure
    full = column[grid.pickup :][: measures * grid.frames_per_measure]
    return full.reshape(measures, grid.frames_per_measure, *column.shape[1:])


def _measure_chords(grid: Grid) -> tuple[int, int]:
    """Distinct chords summed over full measures, and the number of those measures."""
    rows = _full_measures(grid, chords(grid))
    return sum(len(set(row) - {0}) for row in rows.tolist()), len(rows)


def _best_agreements(grid: Grid) -> np.ndarray:
    """``[2, measure]`` of each later measure: most alike in pitch and in rhythm."""
    pitch, onset = (_full_measures(grid, column) for column in (grid.pitch, grid.onset))
    best = [
        (
            (pitch[:later] == pitch[later]).mean(axis=(1, 2)).max(),
            _shared(onset[:later], onset[later]).max(),
        )
        for later in range(1, len(pitch))
    ]
    return np.array(best).reshape(-1, 2).T


def _shared(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """``[measure]`` onsets of both over onsets of either; 1 where neither has one."""
    both, either = ((each.sum(axis=(1, 2))) for each in (earlier & later, earlier | later))
    return np.where(either == 0, 1.0, both / np.maximum(either, 1))


def _motion(grid: Grid) -> tuple[int, int, int]:
    """Moving pairs, pairs of which a voice starts a note, and parallels."""
    pitch, change = grid.pitch, np.diff(grid.pitch, axis=0)
    sounds = (pitch[1:] != REST) & (pitch[:-1] != REST)
    moves = grid.onset[1:] & sounds & (change != 0)
    moved = candidates = parallel = 0
    for i, j in combinations(range(pitch.shape[1]), 2):
        both = moves[:, i] & moves[:, j]
        starts = (grid.onset[1:, i] | grid.onset[1:, j]) & sounds[:, i] & sounds[:, j]
        interval = (pitch[:, i] - pitch[:, j]) % 12
        # The lower column sounds the reference: a voice that crosses below makes a fourth of it.
        perfect = np.isin(interval[1:], (0, 7)) & (interval[1:] == interval[:-1])
        same_way = change[:, i] * change[:, j] > 0
        moved += int(both.sum())
        candidates += int(starts.sum())
        parallel += int((both & perfect & same_way).sum())
    return moved, candidates, parallel


def _still_beats(grid: Grid) -> tuple[int, int]:
    """Beats that bring the chord of the beat before, and beats that follow one."""
    beat = _beat(grid)
    heard = chords(grid)[grid.pickup % beat :: beat]
    return int((heard[1:] == heard[:-1]).sum()), max(0, len(heard) - 1)


def _longest_chord(grid: Grid) -> float:
    """Beats of the longest stretch in which one chord sounds."""
    heard = chords(grid)
    edges = np.flatnonzero(np.diff(heard, prepend=-1, append=-1))
    lengths = np.diff(edges)[heard[edges[:-1]] != 0]
    return float(lengths.max(initial=0)) / _beat(grid)


def _intervals(lines: Sequence[np.ndarray]) -> dict[str, float]:
    sizes = np.abs(np.concatenate([np.diff(line) for line in lines]))
    classes = np.searchsorted(list(_INTERVALS.values()), sizes)
    counts = np.bincount(classes, minlength=len(_INTERVALS))
    return {
        name: float(count) / max(1, len(sizes))
        for name, count in zip(_INTERVALS, counts, strict=True)
    }


def _dissonance(grid: Grid) -> tuple[int, int]:
    beat = _beat(grid)
    strong = [0] if grid.frames_per_measure != 4 * beat else [0, 2 * beat]
    heard = chords(grid)[np.isin(grid.position, strong)]
    heard = heard[heard != 0]
    return int((~_CONSONANT[heard // 16]).sum()), len(heard)


def _outside(grid: Grid) -> tuple[int, int]:
    """Notes that are not in the key's scale, and all notes."""
    notes = grid.pitch[grid.onset & (grid.pitch != REST)]
    degrees = (notes - grid.key.tonic_pc) % 12
    return int((~np.isin(degrees, _SCALES[grid.key.mode])).sum()), len(notes)
