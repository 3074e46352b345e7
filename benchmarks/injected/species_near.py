"""Situations that look like a fault and are none, one a rule: what near misses have to show."""

from __future__ import annotations

from itertools import groupby, pairwise

from injected import laws_species_florid as florid
from injected import laws_species_pair as pair
from injected.laws_species_line import Hit, Law, onsets
from injected.species_exercise import BAR, Exercise, Vertical


def _first(times: list[int]) -> list[Hit]:
    return [(times[0],)] if times else []


def _always(ex: Exercise) -> list[Hit]:
    return [(ex.line[0].onset,)]


def _repeats(ex: Exercise) -> list[Hit]:
    degrees = [t.degree for t in ex.line]
    gap = 1 if ex.species == 1 and not ex.alone else 2
    return _first([t.onset for t, d, e in zip(ex.line[gap:], degrees, degrees[gap:], strict=False)
                   if d == e])  # fmt: skip


def _moves(ex: Exercise, wanted: set[tuple[int, int]]) -> list[Hit]:
    return [onsets(ex, m.index + 1) for m in ex.moves if (m.semitone, m.step) in wanted][:1]


def _sung(ex: Exercise) -> list[Hit]:
    return _moves(ex, {(8, 5), (12, 7), (-12, -7)})


def _octave_leap(ex: Exercise) -> list[Hit]:
    return _moves(ex, {(12, 7), (-12, -7)})


def _tenth(ex: Exercise) -> list[Hit]:
    degrees = [t.degree for t in ex.line]
    return [(0,)] if max(degrees) - min(degrees) == 9 else []


def _top(ex: Exercise) -> int:
    return max(range(len(ex.line)), key=lambda i: ex.line[i].semitone)


def _climax_beside(ex: Exercise) -> list[Hit]:
    top = ex.line[_top(ex)]
    if ex.alone:
        second = sorted(t.degree for t in ex.line)[-2]
        return [(top.onset,)] if second == top.degree - 1 else []
    peak = ex.cantus.index(max(ex.cantus))
    return [(top.onset,)] if abs(top.onset // BAR - peak) == 1 else []


def _recovered(ex: Exercise) -> list[Hit]:
    return [onsets(ex, m.index + 1) for m in ex.moves if abs(m.step) >= 3][:1]


def _two_leaps(ex: Exercise) -> list[Hit]:
    found = [(a, b) for a, b in pairwise(ex.moves) if a.leap and b.leap]
    return [onsets(ex, b.index) for _, b in found][:1]


def _raised(ex: Exercise) -> list[Hit]:
    return [(t.onset,) for t in ex.line if t.semitone != ex.natural(t.degree)][:1]


def _short_sequence(ex: Exercise) -> list[Hit]:
    steps = {m.index: m.step for m in ex.moves}
    for i in range(len(ex.line) - 5):
        one, other = ([steps.get(i + k) for k in ks] for ks in ((0, 1), (3, 4)))
        if one == other and len(set(one)) > 1:
            return [onsets(ex, i)]
    return []


def _barely_steps(ex: Exercise) -> list[Hit]:
    steps = sum(abs(m.step) == 1 for m in ex.moves)
    return [(0,)] if 2 * steps - len(ex.moves) in (1, 2) else []


def _licensed_values(ex: Exercise) -> list[Hit]:
    rest = [t.onset for t in ex.line[:1] if t.onset]
    whole = [t.onset for t in ex.line[:-1] if t.duration == BAR and t.onset % BAR == 0]
    broken = [t.onset for t in ex.line[:-1] if t.onset % BAR == 0]
    licensed = {2: rest + whole, 3: rest, 4: broken, 5: rest}.get(ex.species, [0])
    return _first(licensed)


def _climax_degree(ex: Exercise) -> list[Hit]:
    top = ex.line[_top(ex)]
    return [(top.onset,)] if top.degree % 7 in (3, 5) else []


def _compound(ex: Exercise) -> list[Hit]:
    return _first([v.time for v in ex.verticals if v.step > 7 or v.step == 5])


def _perfects_apart(ex: Exercise) -> list[Hit]:
    near = zip(ex.verticals, ex.verticals[1:], ex.verticals[2:], strict=False)
    found = [c.time for a, b, c in near if pair.equal_perfects(a, c) and not b.perfect]
    return _first(found + [b.time for a, b in pairwise(ex.verticals) if a.perfect and b.perfect])


def _into_perfect(ex: Exercise) -> list[Hit]:
    pairs = [(a, b) for a, b in ex.crossings if b.perfect and b.bar < ex.last_bar]
    return _first([b.time for a, b in pairs if ex.contrary(a, b)])


def _unison_ends(ex: Exercise) -> list[Hit]:
    ends = (ex.verticals[0], ex.verticals[-1])
    return _first([v.time for v in ends if v.step == 0])


def _twelfth(ex: Exercise) -> list[Hit]:
    return _first([v.time for v in ex.verticals if v.step == 11])


def _three_alike(ex: Exercise) -> list[Hit]:
    runs = [list(run) for _, run in groupby(ex.verticals, key=lambda v: v.step)]
    return _first([run[-1].time for run in runs if len(run) == 3 and run[0].step % 7 in (2, 5)])


def _touching(ex: Exercise) -> list[Hit]:
    found = []
    for a, b in pairwise(ex.verticals):
        written, cantus = ex.motion(a, b)
        upper, lower = (written, cantus) if ex.below else (cantus, written)
        if a.semitone and min(a.semitone + upper, a.semitone - lower) in (0, 1, 2):
            found.append(b.time)
    return _first(found)


def _leaps_apart(ex: Exercise) -> list[Hit]:
    found = []
    for a, b in pair.steps(ex):
        one = ex.line[b.index].degree - ex.line[a.index].degree
        other = ex.cantus[b.bar] - ex.cantus[a.bar]
        sizes = sorted((abs(one), abs(other)))
        if (one * other < 0 and sizes[0] > 1) or (one * other > 0 and sizes[0] == 1 < sizes[1]):
            found.append(b.time)
    return _first(found)


def _as_often(ex: Exercise) -> list[Hit]:
    contrary, similar = pair.motions(ex)
    return [(0,)] if contrary == similar else []


def _close_from_tenth(ex: Exercise) -> list[Hit]:
    def near(a: Vertical, b: Vertical) -> bool:
        legal = a.step in (5, 2) or b.bar == ex.last_bar
        return b.step == 7 and legal and ex.contrary(a, b)

    return _first([b.time for a, b in ex.crossings if near(a, b)])


def _bass_leaps(ex: Exercise) -> list[Hit]:
    found = []
    for a, b in pairwise(ex.verticals):
        written, cantus = ex.motion(a, b)
        found += [b.time] * (abs(cantus if ex.below else written) in (5, 7))
    return _first(found)


def _weak_dissonance(ex: Exercise) -> list[Hit]:
    return _first([v.time for v in ex.verticals if v.time % BAR and not v.consonant])


def _downbeat_perfects(ex: Exercise) -> list[Hit]:
    beats = pair.downbeats(ex)
    unequal = [b.time for a, b in pairwise(beats) if a.perfect and b.perfect]
    return _first(unequal + [c.time for a, c in zip(beats, beats[2:], strict=False)
                             if pair.equal_perfects(a, c)])  # fmt: skip


def _wide_downbeats(ex: Exercise) -> list[Hit]:
    lines = [(ex.line[a.index], ex.line[b.index], b) for a, b in pairwise(pair.downbeats(ex))]
    return _first([b.time for one, two, b in lines if abs(one.degree - two.degree) in (4, 5, 6, 7)])


def _weak_unison(ex: Exercise) -> list[Hit]:
    inside = [v for v in ex.verticals[1:] if v.time % BAR]
    return _first([v.time for v in inside if v.step == 0])


def _excused_leap(ex: Exercise) -> list[Hit]:
    return _first([b.time for _, b, better in pair.barline_leaps(ex) if not better])


def _dissonant_third_beat(ex: Exercise) -> list[Hit]:
    return _first([v.time for v in ex.verticals if v.time % BAR == 4 and not v.consonant])


def _figure(ex: Exercise) -> list[Hit]:
    steps = {m.index: m.step for m in ex.moves}
    found = []
    for i, tone in enumerate(ex.line):
        four = [steps.get(i + k, 0) for k in range(4)]
        shapes = ([1, 2, -1, -1], [-1, -2, 1, 1], [1, -2, 1, 1], [-1, 2, -1, -1])
        if four in shapes and tone.onset % BAR == 0 and not ex.at[ex.line[i + 1].onset].consonant:
            found.append(ex.line[i + 1].onset)
    return _first(found)


def _perfects_in_bar(ex: Exercise) -> list[Hit]:
    found = []
    for v in pair.downbeats(ex):
        for u in ex.verticals:
            if u.perfect and v.perfect and v.time - BAR < u.time < v.time:
                found.append(v.time)
    return _first(found)


def _two_bars(ex: Exercise) -> list[Hit]:
    return _first([b.time for a, b in pairwise(pair.downbeats(ex)) if pair.equal_perfects(a, b)])


def _suspension(ex: Exercise) -> list[Hit]:
    beats = pair.downbeats(ex)[1:-1]
    return _first([v.time for v in beats if florid.tied(ex, v) and not v.consonant])


def _rarer_suspension(ex: Exercise) -> list[Hit]:
    beats = [v for v in pair.downbeats(ex)[1:] if florid.tied(ex, v) and not v.consonant]
    rare = (8, 3) if ex.below else (3, 4, 8, 10, 11)
    return _first([v.time for v in beats if v.step in rare])


def _run_of_ties(ex: Exercise) -> list[Hit]:
    beats = [v for v in pair.downbeats(ex) if florid.tied(ex, v)]
    pairs = [(v.step, ex.at[v.time + 4].step, v.time) for v in beats if v.time + 4 in ex.at]
    near = zip(pairs, pairs[1:], pairs[2:], strict=False)
    return _first([c[2] for a, b, c in near if a[:2] == b[:2] == c[:2] and c[2] - a[2] == 2 * BAR])


def _weak_perfects(ex: Exercise) -> list[Hit]:
    weak = [v for v in ex.verticals if v.time % BAR == 4]
    return _first([b.time for a, b in pairwise(weak) if a.perfect and b.perfect])


def _one_break(ex: Exercise) -> list[Hit]:
    return _first([b.time for _, b in florid.broken_ties(ex)])


def _pair(ex: Exercise) -> list[Hit]:
    return _first([t.onset for t in ex.line if t.duration == 1])


def _tied_half(ex: Exercise) -> list[Hit]:
    starts = {t.onset for t in ex.line if t.duration == 2}
    return _first([t.onset for t in ex.line if t.onset % BAR == 4 and t.duration > 4
                   and {t.onset - 4, t.onset - 2} <= starts])  # fmt: skip


def _ornamented(ex: Exercise) -> list[Hit]:
    return _first([v.time for v in pair.downbeats(ex)[1:-1]
                   if florid.tied(ex, v) and not v.consonant
                   and ex.line[v.index].end < v.time + 4])  # fmt: skip


def _long_tie(ex: Exercise) -> list[Hit]:
    return _first([t.onset for t in ex.line if t.onset % BAR == 4 and t.duration == BAR])


def _rhythm_twice(ex: Exercise) -> list[Hit]:
    rhythms = [tuple(t.onset % BAR for t in ex.line if t.onset // BAR == bar)
               for bar in range(ex.last_bar)]  # fmt: skip
    return _first([BAR * i for i, (a, b) in enumerate(pairwise(rhythms), 1) if a == b])


def _ends(ex: Exercise) -> list[Hit]:
    return [(0,)] if len(ex.line) in (8, 14) else []


SITUATIONS: dict[str, Law] = {
    "G01": _ends, "G02": _always, "G03": _always, "G04": _sung, "G05": _tenth,
    "G06": _climax_beside, "G07": _recovered, "G08": _two_leaps, "G09": _raised,
    "G10": _short_sequence, "G11": _barely_steps, "G12": _repeats, "G13": _licensed_values,
    "G14": _climax_degree, "G15": _octave_leap,
    "A01": _compound, "A02": _perfects_apart, "A03": _into_perfect, "A04": _unison_ends,
    "A05": _twelfth, "A06": _three_alike, "A07": _touching, "A08": _leaps_apart,
    "A09": _as_often, "A10": _close_from_tenth, "A11": _bass_leaps,
    "B01": _weak_dissonance, "B02": _weak_dissonance, "B03": _into_perfect,
    "B04": _downbeat_perfects, "B05": _wide_downbeats, "B06": _weak_unison, "B07": _excused_leap,
    "D01": _dissonant_third_beat, "D02": _weak_dissonance, "D03": _figure,
    "D04": _perfects_in_bar, "D05": _two_bars,
    "F01": _suspension, "F02": _suspension, "F03": _rarer_suspension, "F04": _run_of_ties,
    "F05": _weak_perfects, "F06": _one_break, "F07": _suspension,
    "J01": _pair, "J02": _tied_half, "J03": _ornamented, "J04": _long_tie, "J05": _rhythm_twice,
}  # fmt: skip
