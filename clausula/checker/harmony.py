"""Which chords a piece is made of, and in which keys: a dynamic programme over both at once.

A state is a chord of a key (``checker.states``). In each slice it pays for every note that is none
of its members, the less the more the note moves like an embellishment, and for every member that is
missing; between slices one pays for another chord, by what usually follows what, and for another
key, by how far it lies. The cheapest way through all slices is the analysis. All costs are nats.

Shapes: T slices, V voices, S states, K keys, A chords of all keys, F functions.

References: C. Raphael and J. Stoddard, "Functional harmonic analysis using probabilistic models"
(Computer Music Journal 28:3, 2004) fit such a model; here the costs are set and tuned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.checker.costs import COSTS, Costs
from clausula.checker.melody import melody_of
from clausula.checker.states import MEMBERS, States, states_of
from clausula.checker.ways import cheapest_way, key_margins
from clausula.chords import N_TONES
from clausula.constraints.passage import ChordSpan
from clausula.grid import REST
from clausula.pitch import Key, Mode
from clausula.slices import SILENT, Slices

# Semitones above the tonic of tones that lead: the seventh degree and what is raised to lead on.
_LEADING = {Mode.MAJOR: (11, 1, 3, 6, 8, 10), Mode.MINOR: (11, 1, 4, 6)}
_SURE = 2.0  # nats: other keys are at most e to the minus two, a seventh, as likely


class Analysis(NamedTuple):
    """What a piece is made of.

    Attributes:
        chords: in order; a rest ends one.
        sure: ``bool[T]`` whether each slice's key is the home key, or given, or beyond doubt; it
            is looked at only where the key's leading tone, or that of another degree, is doubled.
    """

    chords: tuple[ChordSpan, ...]
    sure: np.ndarray


def analysis_of(
    slices: Slices,
    home: Key,
    ends: Sequence[Fraction],
    keys: Sequence[tuple[Fraction, Key]] | None = None,
    costs: Costs = COSTS,
) -> Analysis:
    """The chords of a piece, and where their keys are sure.

    Args:
        slices: the piece.
        home: the home key.
        ends: where phrases end, in quarters.
        keys: ``(onset, key)`` wherever the local key changes, where that is known.
        costs: what an analysis costs.
    """
    states = states_of(home, frozenset(key for _, key in keys or ()))
    fit, bass = _fit(slices, states, costs)
    if keys:
        fit += _outside(slices, keys, states)[:, states.key]
    closing = {int(np.searchsorted(slices.onsets, float(end))) - 1 for end in ends}
    close = np.array([0.0, costs.dominant_close, costs.other_close])[states.triad_close]
    fit[sorted(closing - {-1})] += close
    path, total = cheapest_way(fit, slices.level, states, costs)
    spans = _spans(path, np.where(slices.level < 4, bass, -1), slices, states)
    chords = _with_thirds(spans, slices)
    sure = np.ones(len(path), bool)
    for span in chords if not keys else ():
        if span.key != home:
            sure[span.start : span.stop] = ~_leading_doubled(slices, span)
    if not sure.all():
        sure |= key_margins(fit, slices.level, states, costs, total) >= _SURE
    return Analysis(chords, sure)


def _leading_doubled(slices: Slices, span: ChordSpan) -> np.ndarray:
    """``[t]`` whether two voices sing a tone that leads in the key of a chord, while it lasts."""
    semitone = slices.semitone[span.start : span.stop]
    above = np.where(semitone == REST, -1, (semitone - span.key.tonic_pc) % 12)
    tones = np.array(_LEADING[span.key.mode])
    return ((above[:, :, None] == tones).sum(axis=1) > 1).any(axis=1)


def _outside(slices: Slices, keys: Sequence[tuple[Fraction, Key]], states: States) -> np.ndarray:
    """``[T, K]`` a price that no analysis pays for any key but the given one."""
    found = np.full((len(slices), len(states.keys)), np.inf)
    begins = [float(start) for start, _ in keys]
    index = np.searchsorted(begins, slices.onsets, side="right") - 1
    for time, given in enumerate(np.maximum(index, 0).tolist()):
        found[time, states.keys.index(keys[given][1])] = 0.0
    return found


def _fit(slices: Slices, states: States, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
    """What every state pays for the notes of every slice ``[T, S]``, and the bass tone ``[T]``."""
    n_times, n_voices = slices.semitone.shape
    sounding = slices.semitone != REST
    tones = slices.tones
    lowest = np.where(sounding, slices.semitone, 999)
    in_bass = sounding & (lowest == lowest.min(axis=1, keepdims=True))
    foreign = foreign_costs(slices, costs) * np.where(in_bass, costs.in_bass, 1.0)
    bass = np.where(in_bass, tones, -1).max(axis=1)
    weight, present = np.zeros((2, n_times, N_TONES + 1))
    rows = np.arange(n_times)
    for voice in range(n_voices):
        weight[rows, tones[:, voice]] += foreign[:, voice]
        present[rows, tones[:, voice]] = 1.0
    weight[:, N_TONES], present[:, N_TONES] = 0.0, 1.0
    inverted = np.zeros((N_TONES + 2, len(states.members)))  # [bass tone, A]
    total = np.repeat(weight.sum(axis=1, keepdims=True) + sum(costs.missing), inverted.shape[1], 1)
    for place in range(MEMBERS):
        column = states.members[:, place]
        total -= (weight + costs.missing[place] * present)[:, column]
        inverted[column, np.arange(len(column))] += costs.inversion[place]
    total += inverted[bass]  # a bass of -1, silence, is the last row, where nothing is
    duration = np.array([float(each) for each in slices.duration])
    total *= costs.fit * np.where(sounding.any(axis=1), duration, 0.0)[:, None]
    by_key = costs.from_home * duration[:, None] * states.from_home
    return total[:, states.chord] + by_key[:, states.key], bass


def foreign_costs(slices: Slices, costs: Costs = COSTS) -> np.ndarray:
    """``[T, V]`` what a note costs a quarter where it is no member of the chord."""
    line, number, into, out = melody_of(slices)
    level = slices.level
    after = np.append(level, 0)[line.stop]  # level of what follows
    start = level[line.start]
    weak = (start > after) | (start >= 3)
    step_in, step_out = np.abs(into) == 1, np.abs(out) == 1
    short = line.duration <= 0.5
    one = np.where(weak, costs.half, 1.3 * costs.half)
    struck = np.select(
        [
            step_in & step_out,
            (out == 0) & weak & short,
            step_in | step_out,
            out == 0,
        ],
        [
            np.where(weak, costs.stepwise, costs.accented * costs.stepwise),
            np.full(len(line), 1.5 * costs.stepwise),
            one,
            np.full(len(line), costs.half),
        ],
        costs.leaping,
    )
    kept = np.select(
        [out == -1, out == 1], [costs.suspended, 1.6 * costs.suspended], 0.8 * costs.leaping
    )
    struck = np.where(into == 0, kept, struck)
    pedal = (np.abs(out[number]) != 1) & (level >= 3)[:, None]
    held = np.where(pedal, costs.half, kept[number])
    found = np.where(slices.moved, struck[number], held)
    return np.where(number == SILENT, 0.0, found)


def _spans(
    path: Sequence[int], bass: np.ndarray, slices: Slices, states: States
) -> tuple[ChordSpan, ...]:
    """Chords with their inversions, which notes shorter than half beats do not change."""
    silent = (slices.semitone == REST).all(axis=1)
    found: list[ChordSpan] = []
    start = 0
    for time in range(1, len(path) + 1):
        if time < len(path) and path[time] == path[start] and not silent[time]:
            continue
        if not silent[start]:
            found += _inversions(start, time, path[start], bass, states)
        start = time
    return tuple(found)


def _with_thirds(spans: Sequence[ChordSpan], slices: Slices) -> tuple[ChordSpan, ...]:
    """The chords, one whose third comes only with the next on its root being that one already."""
    found: list[ChordSpan] = []
    for span in reversed(spans):
        chord = span.numeral.chord(span.key)
        if found and found[-1].start == span.stop:
            later = found[-1].numeral.chord(found[-1].key)
            waits = later.root == chord.root and later.tones[1] != chord.tones[1]
            if waits and chord.tones[1] not in slices.tones[span.start : span.stop]:
                follows = found[-1]
                numeral = replace(follows.numeral, inversion=min(span.numeral.inversion, 2))
                span = ChordSpan(span.start, span.stop, follows.key, numeral)
        found.append(span)
    return tuple(reversed(found))


def _inversions(
    start: int, stop: int, state: int, bass: np.ndarray, states: States
) -> list[ChordSpan]:
    """One chord as one span for each member that the bass goes to."""
    key, numeral = states.keys[states.key[state]], states.numerals[state]
    assert numeral is not None, "a barred state costs more than any way"
    tones = numeral.chord(key).tones
    members = [tones.index(tone) if tone in tones else None for tone in bass[start:stop].tolist()]
    current = next((member for member in members if member is not None), 0)
    spans: list[ChordSpan] = []
    begin = start
    for time, member in enumerate(members, start=start):
        if member is not None and member != current:
            spans.append(ChordSpan(begin, time, key, replace(numeral, inversion=current)))
            begin, current = time, member
    spans.append(ChordSpan(begin, stop, key, replace(numeral, inversion=current)))
    return spans
