"""Which chords a piece is made of, and in which keys: a dynamic programme over both at once.

A state is a key and a chord of that key. In each slice a chord pays for every note that is none of
its members, the less the more the note moves like an embellishment, and for every member that is
missing; between slices one pays for another chord, by what usually follows what, and for another
key, by how far it lies. The cheapest way through all slices is the analysis. All costs are nats.

Shapes: T slices, V voices, K keys, C chords of a key, A chords of all keys, F functions.

References: C. Raphael and J. Stoddard, "Functional harmonic analysis using probabilistic models"
(Computer Music Journal 28:3, 2004) fit such a model; here the costs are set and tuned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from clausula.checker.vocabulary import FOLLOWS, VOCABULARY, Function
from clausula.chords import N_TONES, Chord, Quality
from clausula.constraints.passage import ChordSpan, Line
from clausula.grid import REST
from clausula.key_finding import KEYS
from clausula.pitch import Key
from clausula.slices import Slices

_FAR = 5  # sharps or flats from the home key at most
_MEMBERS = 4
_NEVER = 1e9
_STAY, _SAME_ROOT, _CHANGE, _KEY = range(4)  # how a state was reached


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

    stepwise: float = 0.5
    accented: float = 2.18
    suspended: float = 0.9
    half: float = 4.22
    leaping: float = 4.0
    in_bass: float = 2.62
    missing: tuple[float, float, float, float] = (1.55, 0.77, 0.24, 1.05)
    inversion: tuple[float, float, float, float] = (0, 0.17, 1.36, 0.25)
    fit: float = 1.3
    change: tuple[float, float, float, float, float] = (0, 0, 0, 0.94, 1.68)
    same_root: float = 0.2
    same_root_share: float = 0.19
    follows: float = 1.01
    rarity: float = 1.0
    key_change: float = 2.47
    key_distance: float = 0.96
    from_home: float = 0.12
    other_close: float = 2.5
    dominant_close: float = 1.31
    other_start: float = 3.0
    other_end: float = 2.54


COSTS = Costs()


class _Space(NamedTuple):
    """The states for a home key.

    Attributes:
        keys: ``[K]``.
        chords: ``[A]``.
        chord_of: int ``[K, C]`` index into ``chords``, A where the key has no more.
        rarity: ``[K, C]`` nats.
        function: int ``[K, C]``.
        same_root: ``bool[K, C, C]`` two chords on one root.
        members: int ``[A + 1, 4]`` tones of each chord, ``N_TONES`` where it has no fourth.
        triad_close: ``[K, C]`` 0 tonic triad, 1 dominant triad, 2 neither.
        distance: ``[K, K]`` sharps and flats between keys.
        from_home: ``[K]``.
        home: index of the home key.
    """

    keys: tuple[Key, ...]
    chords: tuple[Chord, ...]
    chord_of: np.ndarray
    rarity: np.ndarray
    function: np.ndarray
    same_root: np.ndarray
    members: np.ndarray
    triad_close: np.ndarray
    distance: np.ndarray
    from_home: np.ndarray
    home: int


@lru_cache(maxsize=64)
def _space(home: Key, given: frozenset[Key] = frozenset()) -> _Space:
    near = [key for key in KEYS if abs(key.fifths - home.fifths) <= _FAR]
    keys = tuple(dict.fromkeys([home, *sorted(given, key=str), *near]))
    order: dict[Chord, int] = {}
    width = max(len(entries) for entries in VOCABULARY.values())
    shape = (len(keys), width)
    chord_of, rarity = np.full(shape, -1), np.full(shape, _NEVER)
    function, close = np.zeros(shape, int), np.full(shape, 2)
    roots = np.full((*shape, 2), -1)
    roots[..., 1] = -np.arange(width) - 1
    for k, key in enumerate(keys):
        for c, entry in enumerate(VOCABULARY[key.mode]):
            numeral = entry.numeral
            chord_of[k, c] = order.setdefault(numeral.chord(key), len(order))
            rarity[k, c], function[k, c] = entry.cost, entry.function
            roots[k, c] = numeral.degree, numeral.chroma
            triad = numeral.quality in (Quality.MAJOR, Quality.MINOR) and not numeral.of
            if triad and numeral.degree in (0, 4):
                close[k, c] = 1 if numeral.degree else 0
    chords = tuple(order)
    members = np.full((len(chords) + 1, _MEMBERS), N_TONES)
    for a, chord in enumerate(chords):
        members[a, : len(chord.tones)] = chord.tones
    same = (roots[:, :, None] == roots[:, None]).all(-1) & ~np.eye(width, dtype=bool)
    sharps = np.array([key.fifths for key in keys])
    modes = np.array([key.mode == home.mode for key in keys])
    return _Space(
        keys=keys,
        chords=chords,
        chord_of=chord_of,
        rarity=rarity,
        function=function,
        same_root=same,
        members=members,
        triad_close=close,
        distance=np.abs(sharps[:, None] - sharps) + 0.3 * (modes[:, None] != modes),
        from_home=np.abs(sharps - home.fifths),
        home=keys.index(home),
    )


def chords_of(
    slices: Slices,
    lines: Sequence[Line],
    level: np.ndarray,
    home: Key,
    ends: Sequence[Fraction],
    keys: Sequence[tuple[Fraction, Key]] | None = None,
    costs: Costs = COSTS,
) -> tuple[ChordSpan, ...]:
    """The chords of a piece, in order; a rest ends one.

    Args:
        slices: the piece.
        lines: its voices.
        level: ``[time]`` metrical level of each slice, 0 to 4.
        home: the home key.
        ends: where phrases end, in quarters.
        keys: ``(onset, key)`` wherever the local key changes, where that is known.
        costs: what an analysis costs.
    """
    space = _space(home, frozenset(key for _, key in keys or ()))
    fit, bass = _fit(slices, lines, level, space, costs)
    if keys:
        fit = fit + _outside(slices, keys, space)[:, :, None]
    closing = _last_slices(slices, ends)
    path = _cheapest(fit, level, closing, space, costs)
    spans = _spans(path, np.where(level < 4, bass, -1), slices, space)
    return _with_thirds(spans, slices)


def _last_slices(slices: Slices, ends: Sequence[Fraction]) -> set[int]:
    """The slice with which each phrase ends."""
    onsets = np.array([float(onset) for onset in slices.onset])
    return {int(np.searchsorted(onsets, float(end))) - 1 for end in ends}


def _outside(slices: Slices, keys: Sequence[tuple[Fraction, Key]], space: _Space) -> np.ndarray:
    """``[T, K]`` a price that no analysis pays for any key but the given one."""
    found = np.zeros((len(slices), len(space.keys)))
    for time, onset in enumerate(slices.onset):
        key = next((key for start, key in reversed(keys) if start <= onset), keys[0][1])
        found[time] = _NEVER
        found[time, space.keys.index(key)] = 0.0
    return found


def _fit(
    slices: Slices, lines: Sequence[Line], level: np.ndarray, space: _Space, costs: Costs
) -> tuple[np.ndarray, np.ndarray]:
    """What every chord pays for the notes of every slice ``[T, K, C]``, and the bass ``int[T]``."""
    n_times, n_voices = slices.semitone.shape
    sounding = slices.semitone != REST
    tones = np.where(sounding, 7 * (slices.semitone % 12) + slices.step % 7, N_TONES)
    foreign = foreign_costs(slices, lines, level, costs)
    lowest = np.where(sounding, slices.semitone, 999)
    in_bass = sounding & (lowest == lowest.min(axis=1, keepdims=True))
    foreign = foreign * np.where(in_bass, costs.in_bass, 1.0)
    bass = np.where(in_bass, tones, -1).max(axis=1)
    weight, present = np.zeros((2, n_times, N_TONES + 1))
    rows = np.arange(n_times)
    for voice in range(n_voices):
        np.add.at(weight, (rows, tones[:, voice]), foreign[:, voice])
        present[rows, tones[:, voice]] = 1.0
    weight[:, N_TONES], present[:, N_TONES] = 0.0, 1.0
    is_member = np.zeros((len(space.members), N_TONES + 1))
    np.put_along_axis(is_member, space.members, 1.0, axis=1)
    total = weight.sum(axis=1, keepdims=True) - weight @ is_member.T
    for place in range(_MEMBERS):
        column = space.members[:, place]
        total += costs.missing[place] * (1.0 - present[:, column])
        total += costs.inversion[place] * (bass[:, None] == column)
    duration = np.array([float(each) for each in slices.duration])
    total *= costs.fit * np.where(sounding.any(axis=1), duration, 0.0)[:, None]
    by_key = total[:, space.chord_of]
    by_key += costs.from_home * (duration[:, None] * space.from_home)[:, :, None]
    return by_key, bass


def foreign_costs(
    slices: Slices, lines: Sequence[Line], level: np.ndarray, costs: Costs = COSTS
) -> np.ndarray:
    """``[T, V]`` what a note costs a quarter where it is no member of the chord."""
    found = np.zeros(slices.semitone.shape)
    for voice, line in enumerate(lines):
        if not len(line):
            continue
        into, out = approaches(line), departures(line)
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
        note = slices.note[:, voice]
        sounds = note >= 0
        held = sounds & ~slices.moved[:, voice]
        found[sounds, voice] = struck[note[sounds]]
        pedal = (np.abs(out[note]) != 1) & (level >= 3)
        found[held, voice] = np.where(pedal[held], costs.half, kept[note[held]])
    return found


FARTHER = 99  # what counts as the step to or from a note that is not there


def approaches(line: Line) -> np.ndarray:
    """``[note]`` letters from the note before, ``FARTHER`` after a rest or by a chromatic leap."""
    steps = np.diff(line.step, prepend=0)
    wide = np.abs(np.diff(line.semitone, prepend=0)) > 2
    return np.where(line.joined & ~((np.abs(steps) == 1) & wide), steps, FARTHER)


def departures(line: Line) -> np.ndarray:
    """``[note]`` letters to the note that follows, ``FARTHER`` before a rest."""
    return np.append(approaches(line)[1:], FARTHER)


def _cheapest(
    fit: np.ndarray, level: np.ndarray, closing: set[int], space: _Space, costs: Costs
) -> list[tuple[int, int]]:
    """The key and the chord of every slice on the cheapest way."""
    n_times, n_keys, _ = fit.shape
    keys = np.arange(n_keys)
    rarity = space.rarity * costs.rarity
    away = np.where(keys == space.home, 0.0, 1.0)[:, None]
    between = costs.key_change + costs.key_distance * np.maximum(space.distance - 1, 0)
    np.fill_diagonal(between, _NEVER)
    close = np.array([0.0, costs.dominant_close, costs.other_close])[space.triad_close]
    same_entry = costs.same_root + costs.same_root_share * rarity
    total = rarity + fit[0] + costs.other_start * away
    if 0 in closing:
        total = total + close
    back: list[tuple[np.ndarray, ...]] = []
    for time in range(1, n_times):
        change = costs.change[level[time]]
        followed, from_chord = _followed(total, space.function, costs.follows)
        same = np.where(space.same_root, total[:, :, None], _NEVER)
        from_same = same.argmin(axis=1)
        cheapest_chord = total.argmin(axis=1)
        elsewhere = total[keys, cheapest_chord][:, None] + between
        from_key = elsewhere.argmin(axis=0)
        ways = np.stack(
            [
                total,
                same.min(axis=1) + same_entry + costs.same_root_share * change,
                followed + rarity + change,
                elsewhere.min(axis=0)[:, None] + rarity + change,
            ]
        )
        way = ways.argmin(axis=0)
        total = ways.min(axis=0) + fit[time]
        if time in closing:
            total = total + close
        back.append((way, from_same, from_chord, from_key, cheapest_chord))
    total = total + costs.other_end * away
    key, chord = (int(i) for i in np.unravel_index(total.argmin(), total.shape))
    path = [(key, chord)]
    for way, from_same, from_chord, from_key, cheapest_chord in reversed(back):
        how = way[key, chord]
        if how == _SAME_ROOT:
            chord = int(from_same[key, chord])
        elif how == _CHANGE:
            chord = int(from_chord[key, chord])
        elif how == _KEY:
            key = int(from_key[key])
            chord = int(cheapest_chord[key])
        path.append((key, chord))
    return path[::-1]


def _followed(
    total: np.ndarray, function: np.ndarray, weight: float
) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest total before each chord of a key, and the chord before it: ``[K, C]``.

    What follows what depends on functions alone, so the cheapest chord of each is enough.
    """
    by_function = np.where(
        function == np.arange(len(Function))[:, None, None], total, _NEVER
    )  # [F, K, C]
    chord = by_function.argmin(axis=2)  # [F, K]
    best = by_function.min(axis=2)
    candidates = best[:, :, None] + weight * FOLLOWS[:, None]  # [F, K, F']
    before = candidates.argmin(axis=0)  # [K, F']
    cheapest = np.take_along_axis(candidates.min(axis=0), function, axis=1)
    from_function = np.take_along_axis(before, function, axis=1)
    return cheapest, np.take_along_axis(chord.T, from_function, axis=1)


def _spans(
    path: Sequence[tuple[int, int]], bass: np.ndarray, slices: Slices, space: _Space
) -> tuple[ChordSpan, ...]:
    """Chords with their inversions, which notes shorter than half beats do not change."""
    silent = (slices.semitone == REST).all(axis=1)
    found: list[ChordSpan] = []
    start = 0
    for time in range(1, len(path) + 1):
        if time < len(path) and path[time] == path[start] and not silent[time]:
            continue
        if not silent[start]:
            found += _inversions(start, time, path[start], bass, space)
        start = time
    return tuple(found)


def _with_thirds(spans: Sequence[ChordSpan], slices: Slices) -> tuple[ChordSpan, ...]:
    """The chords, one whose third comes only with the next on its root being that one already."""
    sounding = slices.semitone != REST
    tones = np.where(sounding, 7 * (slices.semitone % 12) + slices.step % 7, -1)
    found: list[ChordSpan] = []
    for span in reversed(spans):
        chord = span.numeral.chord(span.key)
        if found and found[-1].start == span.stop:
            later = found[-1].numeral.chord(found[-1].key)
            waits = later.root == chord.root and later.tones[1] != chord.tones[1]
            if waits and chord.tones[1] not in tones[span.start : span.stop]:
                follows = found[-1]
                numeral = replace(follows.numeral, inversion=min(span.numeral.inversion, 2))
                span = ChordSpan(span.start, span.stop, follows.key, numeral)
        found.append(span)
    return tuple(reversed(found))


def _inversions(
    start: int, stop: int, state: tuple[int, int], bass: np.ndarray, space: _Space
) -> list[ChordSpan]:
    """One chord as one span for each member that the bass goes to."""
    key = space.keys[state[0]]
    numeral = VOCABULARY[key.mode][state[1]].numeral
    tones = numeral.chord(key).tones
    members = [tones.index(bass[t]) if bass[t] in tones else None for t in range(start, stop)]
    current = next((member for member in members if member is not None), 0)
    spans: list[ChordSpan] = []
    begin = start
    for time, member in enumerate(members, start=start):
        if member is not None and member != current:
            spans.append(ChordSpan(begin, time, key, replace(numeral, inversion=current)))
            begin, current = time, member
    spans.append(ChordSpan(begin, stop, key, replace(numeral, inversion=current)))
    return spans
