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
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from clausula.checker.melody import melody_of
from clausula.checker.states import MEMBERS, States, states_of
from clausula.checker.vocabulary import FOLLOWS, Function
from clausula.chords import N_TONES
from clausula.constraints.passage import ChordSpan
from clausula.grid import REST
from clausula.pitch import Key
from clausula.slices import SILENT, Slices


@dataclass(frozen=True)
class Costs:
    """What an analysis costs, in nats; those of notes and members a quarter note.

    Attributes:
        stepwise: a foreign note reached and left by step, from a weaker to a stronger moment.
        accented: how many times more where it is stronger than what follows.
        suspended: one that is kept from before and falls by step.
        half: one that has a step on one side alone.
        leaping: one that has none.
        in_bass: how many times more in the bass.
        missing: root, third, fifth, seventh that does not sound.
        inversion: each member in the bass.
        fit: how much all of these count.
        change: another chord, by the metrical level of its slice.
        same_root: another chord on the same root, beside.
        same_root_share: share of the costs of another chord that it pays.
        follows: how much it counts what follows what.
        rarity: how much it counts how usual a chord is.
        key_change: another key.
        key_distance: each further sharp or flat between both.
        from_home: each sharp or flat from the home key, a quarter note.
        other_close: a phrase that closes on neither tonic nor dominant.
        dominant_close: one that closes on a dominant.
        other_start: a piece that begins in another key.
        other_end: one that ends there.
    """

    stepwise: float = 0.51
    accented: float = 2.18
    suspended: float = 0.94
    half: float = 3.28
    leaping: float = 4.0
    in_bass: float = 2.86
    missing: tuple[float, float, float, float] = (1.55, 0.95, 0.24, 0.87)
    inversion: tuple[float, float, float, float] = (0, 0.14, 1.36, 0.25)
    fit: float = 1.31
    change: tuple[float, float, float, float, float] = (0, 0, 0, 0.94, 1.68)
    same_root: float = 0.26
    same_root_share: float = 0.45
    follows: float = 1.01
    rarity: float = 1.19
    key_change: float = 2.47
    key_distance: float = 0.79
    from_home: float = 0.09
    other_close: float = 1.94
    dominant_close: float = 2.22
    other_start: float = 3.65
    other_end: float = 2.54


COSTS = Costs()


def chords_of(
    slices: Slices,
    home: Key,
    ends: Sequence[Fraction],
    keys: Sequence[tuple[Fraction, Key]] | None = None,
    costs: Costs = COSTS,
) -> tuple[ChordSpan, ...]:
    """The chords of a piece, in order; a rest ends one.

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
    path = _cheapest(fit, slices.level, states, costs)
    spans = _spans(path, np.where(slices.level < 4, bass, -1), slices, states)
    return _with_thirds(spans, slices)


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


def _cheapest(fit: np.ndarray, level: np.ndarray, states: States, costs: Costs) -> list[int]:
    """The state of every slice on the cheapest way.

    What follows what depends on functions alone and what changes key on keys alone, so of all
    states before only the cheapest of each function, of each key and on each root matter.
    """
    ways = _Ways(states, costs)
    away = np.where(states.key == states.home, 0.0, 1.0)
    total, best = np.empty((2, *fit.shape))
    total[0] = ways.rarity + fit[0] + costs.other_start * away
    for time, weakness in enumerate(level[1:].tolist(), start=1):
        ways.onward(total[time - 1], weakness, best[time])
        np.add(best[time], fit[time], out=total[time])
    state = int((total[-1] + costs.other_end * away).argmin())
    path = [state]
    for time in range(len(fit) - 1, 0, -1):
        if best[time, state] != total[time - 1, state]:
            state = ways.back(total[time - 1], state, int(level[time]))
        path.append(state)
    return path[::-1]


class _Ways:
    """What the way from any state to any other costs, but for staying, which is free."""

    def __init__(self, states: States, costs: Costs) -> None:
        self.states = states
        self.rarity = states.rarity * costs.rarity
        self.follows = costs.follows * FOLLOWS
        self.between = costs.key_change + costs.key_distance * np.maximum(states.distance - 1, 0)
        np.fill_diagonal(self.between, np.inf)
        change = np.array(costs.change)[:, None]
        self.entry = self.rarity + change  # [level, S]
        self.entry_on_root = (
            costs.same_root + costs.same_root_share * self.rarity + costs.same_root_share * change
        )

    def onward(self, total: np.ndarray, level: int, out: np.ndarray) -> None:
        """Write to ``out`` the cheapest way to each state, given that to each state before."""
        states = self.states
        by_function = np.minimum.reduceat(total, states.groups).reshape(-1, len(Function))
        followed = (by_function[:, :, None] + self.follows).min(axis=1)  # [K, F]
        elsewhere = (by_function.min(axis=1)[:, None] + self.between).min(axis=0)
        other = np.minimum(followed, elsewhere[:, None]).ravel()[states.group]
        same = np.minimum.reduceat(total[states.by_root], states.roots)[states.root]
        other += self.entry[level]
        same += self.entry_on_root[level]
        np.minimum(other, same, out=out)
        np.minimum(out, total, out=out)

    def back(self, total: np.ndarray, state: int, level: int) -> int:
        """The state from which the cheapest way leads to another state."""
        states = self.states
        key, function = divmod(int(states.group[state]), len(Function))
        first = int(states.groups[key * len(Function)])
        within = slice(first, first + int((states.key == key).sum()))
        on_root = np.where(states.root[within] == states.root[state], total[within], np.inf)
        follows = self.follows[states.group[within] - key * len(Function), function]
        followed = total[within] + follows
        elsewhere = total + self.between[states.key, key]
        entry = self.entry[level, state]
        ways = (
            (float(on_root.min() + self.entry_on_root[level, state]), first + on_root.argmin()),
            (float(followed.min() + entry), first + followed.argmin()),
            (float(elsewhere.min() + entry), elsewhere.argmin()),
        )
        return int(min(ways)[1])


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
