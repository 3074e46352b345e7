"""What of a score fits the grid: the whole piece, or its passages.

A piece fits whole when exactly four parts sound in it, its meter is constant, its pitches lie in
the vocabulary and few of its notes lie off the grid. Else its passages of at least eight full
measures that fit are kept: parts that rest throughout a passage are left out of it, and a note that
sounds across an end of it is cut there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from clausula.grid import REST, Grid, Meter
from clausula.gridding import to_grid
from clausula.key_finding import infer_key
from clausula.score import Note, Part, Score
from clausula.vocabulary import HIGHEST, LOWEST

SHORTEST = 8  # full measures in a passage
MOST_CHANGED = 0.05  # share of a passage's notes
OF_SEVERAL = "of several"  # text of a note that was kept of several at once


@dataclass(frozen=True)
class Passage:
    """What fits.

    Attributes:
        score: four parts in one meter, all on the grid.
        measures: first and last measure in the piece; None for the whole piece.
        simplified: whether notes were moved, dropped or left out of chords.
    """

    score: Score
    measures: tuple[int, int] | None
    simplified: bool


@dataclass(frozen=True)
class _Measure:
    """What decides whether a measure fits.

    Attributes:
        start: in quarter notes.
        end: in quarter notes.
        number: 0 for the pick-up.
        meter: in force.
        parts: indices of the parts that sound.
        notes: how many begin.
        changed: how many of those were changed.
        fault: why it cannot be kept at all; empty if it can.
    """

    start: Fraction
    end: Fraction
    number: int
    meter: Meter
    parts: frozenset[int]
    notes: int
    changed: int
    fault: str


def scaled(score: Score, factor: Fraction) -> Score:
    """The score with every length multiplied, the meters' note values with them."""
    if factor == 1:
        return score
    parts = tuple(
        Part(
            part.name,
            tuple(
                replace(note, onset=note.onset * factor, duration=note.duration * factor)
                for note in part.notes
            ),
            part.clef,
        )
        for part in score.parts
    )
    return replace(
        score,
        parts=parts,
        meters=tuple(
            (onset * factor, _scaled_meter(meter, factor)) for onset, meter in score.meters
        ),
        keys=tuple((onset * factor, key) for onset, key in score.keys),
        pickup=score.pickup * factor,
        length=score.length * factor,
    )


def _scaled_meter(meter: Meter, factor: Fraction) -> Meter:
    value = Fraction(1, meter.denominator) * factor
    return Meter(meter.numerator * value.numerator, value.denominator)


def on_frames(score: Score, frames_per_quarter: int = 4) -> tuple[Score, list[Fraction]]:
    """The score with onsets and ends on the grid, and the onset of every note that changed.

    Times are rounded down, and no note becomes shorter than a frame. Of the notes of a voice that
    fall into one frame only the first is kept and lasts as long as they did.
    """

    def down(moment: Fraction) -> Fraction:
        return Fraction(moment * frames_per_quarter // 1, frames_per_quarter)

    changed: list[Fraction] = []
    parts = []
    for part in score.parts:
        notes: list[Note] = []
        for note in part.notes:
            onset = down(note.onset)
            end = max(down(note.end), onset + Fraction(1, frames_per_quarter))
            if (onset, end) != (note.onset, note.end):
                changed.append(note.onset)
            if notes and onset < notes[-1].end:
                notes[-1] = replace(notes[-1], duration=max(end, notes[-1].end) - notes[-1].onset)
            else:
                notes.append(replace(note, onset=onset, duration=end - onset))
        parts.append(Part(part.name, tuple(notes), part.clef))
    return replace(score, parts=tuple(parts)), changed


def passages(score: Score, frames_per_quarter: int = 4) -> tuple[list[Passage], dict[str, int]]:
    """What of a score fits the grid.

    Args:
        score: any number of parts and meters.
        frames_per_quarter: the grid's resolution.

    Returns:
        The passages, the whole piece as one if it fits, and how many measures were left out for
        each reason.
    """
    score, changed = on_frames(score, frames_per_quarter)
    changed += [n.onset for part in score.parts for n in part.notes if n.text == OF_SEVERAL]
    measures = _measures(score, sorted(changed), frames_per_quarter)
    runs = [list(run) for _, run in groupby(measures, key=lambda m: (m.meter, m.fault))]
    if len(runs) == 1 and not measures[0].fault and not _misfit(measures, frames_per_quarter):
        return [_cut(score, measures, whole=True)], {}
    kept: list[Passage] = []
    left_out: Counter[str] = Counter()
    for run in runs:
        if run[0].fault:
            left_out[run[0].fault] += len(run)
        else:
            found, reasons = _fitting(run, frames_per_quarter)
            kept += [_cut(score, passage, whole=False) for passage in found]
            left_out += reasons
    return kept, dict(left_out)


def gridded(passage: Passage, title: str, frames_per_quarter: int = 4) -> Grid:
    """A passage on the grid, in the key that it sounds in, without silence at its ends."""
    score = replace(passage.score, title=title)
    key = score.keys[0][1]
    # A signature without accidentals is also what a file without any signature looks like.
    signature = key.fifths if score.key_given else key.fifths or None
    return trimmed(to_grid(score, infer_key(score, signature), frames_per_quarter))


def trimmed(grid: Grid) -> Grid:
    """The grid without silence before its first and after its last note; the pick-up follows."""
    sounding = np.flatnonzero((grid.pitch != REST).any(axis=1))
    span = slice(sounding[0], sounding[-1] + 1)
    return replace(
        grid,
        pitch=grid.pitch[span],
        step=grid.step[span],
        onset=grid.onset[span],
        phrase_end=grid.phrase_end[span],
        pickup=int(grid.pickup - sounding[0]) % grid.frames_per_measure,
    )


def _measures(score: Score, changed: Sequence[Fraction], frames_per_quarter: int) -> list[_Measure]:
    """Every measure, with what decides whether it fits."""
    starts = score.measure_starts
    parts: list[set[int]] = [set() for _ in starts]
    notes = [0] * len(starts)
    outside = [False] * len(starts)
    for index, part in enumerate(score.parts):
        for note in part.notes:
            first = bisect_right(starts, note.onset) - 1
            notes[first] += 1
            for i in range(first, bisect_left(starts, note.end)):
                parts[i].add(index)
                outside[i] |= not LOWEST <= note.pitch.semitone <= HIGHEST
    meters = [score.meter_at(start) for start in starts]
    if score.pickup:
        meters[0] = score.meter_at(score.pickup)
    return [
        _Measure(
            start,
            end,
            score.place(start)[0],
            meters[i],
            frozenset(parts[i]),
            notes[i],
            bisect_left(changed, end) - bisect_left(changed, start),
            _fault(meters[i], outside[i], frames_per_quarter),
        )
        for i, (start, end) in enumerate(pairwise([*starts, score.length]))
    ]


def _fault(meter: Meter, outside: bool, frames_per_quarter: int) -> str:
    if (meter.quarters * frames_per_quarter).denominator != 1:
        return f"a measure of {meter} is no whole number of frames"
    return f"pitches outside MIDI {LOWEST} to {HIGHEST}" if outside else ""


def _misfit(run: Sequence[_Measure], frames_per_quarter: int) -> str:
    """Why measures in one meter do not fit together; empty if they do."""
    sounding = len(_parts(run))
    if sounding != 4:
        return f"{sounding} parts sound, but the grid has four voices"
    if sum(m.changed for m in run) > MOST_CHANGED * sum(m.notes for m in run):
        return _changes(frames_per_quarter)
    return ""


def _changes(frames_per_quarter: int) -> str:
    return (
        f"notes off the grid of {frames_per_quarter} frames a quarter (try a higher "
        "--frames-per-quarter), or several at once in a part"
    )


def _fitting(
    run: Sequence[_Measure], frames_per_quarter: int
) -> tuple[list[Sequence[_Measure]], Counter[str]]:
    """The passages of a run in one meter that fit, and the measures left out by reason."""
    longest = _longest(run)
    if longest is not None:
        start, stop = longest
        before, why_before = _fitting(run[:start], frames_per_quarter)
        after, why_after = _fitting(run[stop:], frames_per_quarter)
        return [*before, run[start:stop], *after], why_before + why_after
    why = _misfit(run, frames_per_quarter) or f"stretches shorter than {SHORTEST} measures"
    changed = sum(measure.changed > 0 for measure in run)
    reasons: Counter[str] = Counter()
    reasons[_changes(frames_per_quarter)] += changed
    reasons[why] += len(run) - changed
    return [], +reasons


def _longest(run: Sequence[_Measure]) -> tuple[int, int] | None:
    """First measure and end of the longest passage that fits; None if none does.

    No note is changed in its first and last measure, so that it does not end in what misfits.
    """
    parts = np.array([sum(1 << part for part in measure.parts) for measure in run])
    notes = np.array([measure.notes for measure in run])
    changed = np.array([measure.changed for measure in run])
    full = np.array([measure.end - measure.start == measure.meter.quarters for measure in run])
    best = (0, 0)
    for start in range(len(run)):
        if changed[start]:
            continue
        sounding = np.bitwise_count(np.bitwise_or.accumulate(parts[start:]))
        fits = (sounding == 4) & (changed[start:] == 0) & (np.cumsum(full[start:]) >= SHORTEST)
        fits &= np.cumsum(changed[start:]) <= MOST_CHANGED * np.cumsum(notes[start:])
        stop = start + int(np.flatnonzero(fits).max(initial=-1)) + 1
        best = max(best, (start, stop), key=lambda span: span[1] - span[0])
    return best if best[1] > best[0] else None


def _parts(run: Sequence[_Measure]) -> frozenset[int]:
    return frozenset[int]().union(*(measure.parts for measure in run))


def _cut(score: Score, run: Sequence[_Measure], whole: bool) -> Passage:
    """The four parts that sound in a run, with times from its start."""
    start, end = run[0].start, run[-1].end
    parts = []
    for index in sorted(_parts(run)):
        notes = [
            replace(
                n, onset=max(n.onset, start) - start, duration=min(n.end, end) - max(n.onset, start)
            )
            for n in score.parts[index].notes
            if n.onset < end and n.end > start
        ]
        parts.append(Part(score.parts[index].name, tuple(notes), score.parts[index].clef))
    later = [(onset - start, key) for onset, key in score.keys if start < onset < end]
    cut = replace(
        score,
        parts=tuple(parts),
        meters=((Fraction(0), run[0].meter),),
        keys=((Fraction(0), score.key_at(start)), *later),
        pickup=Fraction(0) if run[0].number else run[0].end - run[0].start,
        length=end - start,
    )
    measures = None if whole else (run[0].number, run[-1].number)
    return Passage(cut, measures, any(measure.changed for measure in run))
