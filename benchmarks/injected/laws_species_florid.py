"""Laws of third and fourth species, read from the catalogue's D and F rules.

Conventions as in `laws_species_line`.
"""

from __future__ import annotations

from itertools import pairwise

from injected.laws_species_line import Hit, Law, onsets
from injected.laws_species_pair import downbeats, equal_perfects, strict
from injected.species_exercise import BAR, Exercise, Vertical

HALF = BAR // 2
_CAMBIATA, _DOUBLE_NEIGHBOR = (1, 2, -1, -1), (1, -2, 1, 1)


def _onset(ex: Exercise, index: int) -> Vertical:
    return ex.at[ex.line[index].onset]


def tied(ex: Exercise, vertical: Vertical) -> bool:
    """Whether the note of a downbeat is held from the bar before."""
    return ex.line[vertical.index].onset < vertical.time


def strong_dissonance(ex: Exercise) -> list[Hit]:
    """D01: a dissonant downbeat; in the fifth species one that is not tied."""
    return [(v.time,) for v in downbeats(ex) if not v.consonant and not tied(ex, v)]


def _fits(ex: Exercise, start: int, shape: tuple[int, ...], steps: dict[int, int]) -> bool:
    """Whether the moves from a note on are a figure, or its mirror, as far as they are known."""
    if start < 0 or start not in steps:
        return start < 0 and not ex.begun
    sign = 1 if steps[start] > 0 else -1
    for i, wanted in enumerate(shape, start):
        if i not in steps:
            return i >= len(ex.line) - 1 and not ex.ended
        if steps[i] != sign * wanted:
            return False
    return True


def _figure(ex: Exercise, i: int, steps: dict[int, int]) -> str:
    """The code that a dissonant note breaks, if any."""
    into, out = steps.get(i - 1), steps.get(i)
    if (i == 0 and not ex.begun) or (out is None and not ex.ended and into in (1, -1, 2, -2)):
        return ""
    if into is None or out is None:
        return "D02"
    if abs(into) == abs(out) == 1:
        around = _onset(ex, i - 1).consonant and (
            i + 1 >= len(ex.line) or _onset(ex, i + 1).consonant
        )
        if into == out or around:
            return ""
    for shape, members in ((_CAMBIATA, (1,)), (_DOUBLE_NEIGHBOR, (1, 2))):
        for member in members:
            first = i - member
            if not _fits(ex, first, shape, steps):
                continue
            if first < 0:
                return ""
            known = [k for k in (first, first + 2 if shape is _CAMBIATA else first + 3)]
            sound = all(_onset(ex, k).consonant for k in known if k < len(ex.line))
            plain = ex.line[first].onset % BAR == 0 and all(
                t.duration == 2 for t in ex.line[first : first + 4]
            )
            if sound:
                return "" if plain else "D02+"
            return _astray(ex, first)
    if abs(into) == 1 and out in (2 * into, -2 * into):
        first = i - 1
    elif abs(into) == 2 and steps.get(i - 2) == -into // 2:
        first = i - 2
    else:
        return "D02"
    return _astray(ex, first)


def _astray(ex: Exercise, first: int) -> str:
    """A figure that errs: off the downbeat one may call it that, or no figure at all."""
    return "D03" if ex.line[first].onset % BAR == 0 else "D02+"


def _dissonances(ex: Exercise, code: str) -> list[Hit]:
    steps = {m.index: m.step for m in ex.moves}
    found = []
    for i, tone in enumerate(ex.line):
        if tone.onset % BAR and not _onset(ex, i).consonant:
            broken = "D02+" if tone.duration > 2 else _figure(ex, i, steps)
            if broken == code:
                further = range(i, i + 4) if code == "D03" else (i,)
                found.append(onsets(ex, *further))
    return found


def without_figure(ex: Exercise) -> list[Hit]:
    """D02: a dissonance that no figure explains."""
    return _dissonances(ex, "D02")


def astray(ex: Exercise) -> list[Hit]:
    """D03: a cambiata or double neighbor that goes on wrongly."""
    found = _dissonances(ex, "D03")
    return [found[0]] if found and all(set(hit) & set(found[0]) for hit in found) else found


def odd_figure(ex: Exercise) -> list[Hit]:
    """D02+: a figure off its place, a dissonant half."""
    return _dissonances(ex, "D02+")


def perfect_again(ex: Exercise) -> list[Hit]:
    """D04: a fifth on the downbeat after one on beat 3 or 4, an octave after one on 2 to 4."""
    found = []
    for v in downbeats(ex):
        if tied(ex, v):
            continue
        reach = {True: HALF, False: BAR - 2}[v.fifth]
        before = [
            u.time
            for u in ex.verticals
            if v.time - reach <= u.time < v.time and equal_perfects(u, v)
        ]
        if before:
            found.append((v.time, *before))
    return found


def three_bars(ex: Exercise) -> list[Hit]:
    """D05: three bars that open on the same perfect interval."""
    beats = downbeats(ex)
    return [
        (c.time, b.time, a.time)
        for a, b, c in zip(beats, beats[1:], beats[2:], strict=False)
        if equal_perfects(a, b) and equal_perfects(b, c)
    ]


def syncopations(ex: Exercise) -> list[tuple[Vertical, Vertical, Vertical | None]]:
    """Where a note is tied: its weak beat, its downbeat, and the note after it if there is one."""
    found = []
    for v in downbeats(ex):
        if tied(ex, v):
            after = _onset(ex, v.index + 1) if v.index + 1 < len(ex.line) else None
            found.append((_onset(ex, v.index), v, after))
    return found


def unprepared(ex: Exercise) -> list[Hit]:
    """F01: tied though dissonant; dissonant on the downbeat though not tied."""
    found = [(weak.time, strong.time) for weak, strong, _ in syncopations(ex) if not weak.consonant]
    return found + strong_dissonance(ex)


def _resolves(ex: Exercise, strong: Vertical, after: Vertical | None) -> bool:
    if after is None:
        return not ex.ended
    move = ex.line[after.index].degree - ex.line[strong.index].degree
    return move == -1 and after.consonant and after.time == strong.time + HALF


def unresolved(ex: Exercise) -> list[Hit]:
    """F02: a dissonant tied note that does not step down to a consonance."""
    return [
        (strong.time, strong.time + HALF, *(() if after is None else (after.time,)))
        for _, strong, after in syncopations(ex)
        if not strong.consonant and not _resolves(ex, strong, after)
    ]


def unusual(ex: Exercise) -> list[Hit]:
    """F03: other than 7-6, 4-3, 9-8 above, 2-3, 4-5 and 5-6 below, and compounds."""
    found = []
    for _, strong, after in syncopations(ex):
        if after is None or strong.consonant or not _resolves(ex, strong, after):
            continue
        kinds = {6, 3, 1} if ex.below else {1, 3, 4}
        if strong.step % 7 not in kinds or (ex.below and strong.step == 1):
            found.append((strong.time, after.time))
    return found


def _chains(ex: Exercise, compounds: bool) -> list[Hit]:
    kinds = []
    for _, strong, after in syncopations(ex):
        if after is not None:
            pair = (strong.step, after.step)
            kinds.append((tuple(s % 7 for s in pair) if compounds else pair, strong, after))
    found = []
    few = {(1, 0), (3, 4), (5, 4)} if compounds else {(8, 7), (3, 4), (5, 4)}
    for i, (kind, strong, after) in enumerate(kinds):
        run = 1
        while run <= i and kinds[i - run][0] == kind and kinds[i - run][1].bar == strong.bar - run:
            run += 1
        if run == (2 if kind in few else 4):
            places = [v.time for each in kinds[i - run + 1 : i + 1] for v in each[1:]]
            found.append((strong.time, after.time, *places))
    return found


def alike(ex: Exercise) -> list[Hit]:
    """F04: two 9-8, 4-5 or 6-5 running, or four of any type."""
    return _chains(ex, False)


def alike_strict(ex: Exercise) -> list[Hit]:
    """F04+: compounds of a type counted as the type."""
    return _chains(ex, True)


def weak_perfects(ex: Exercise) -> list[Hit]:
    """F05: fifths, or octaves, on two weak beats running."""
    weak = [v for v in ex.verticals if v.time % BAR == HALF]
    return [
        (b.time, a.time) for a, b in pairwise(weak) if b.bar == a.bar + 1 and equal_perfects(a, b)
    ]


def broken_ties(ex: Exercise) -> list[tuple[Vertical, Vertical]]:
    """Weak beat and downbeat where a tie is broken inside the exercise."""
    return [(a, b) for a, b in ex.crossings if b.bar < ex.last_bar]


def ties(ex: Exercise) -> list[Hit]:
    """F06: broken twice, or a break against the rules of the second species.

    Bars in a row without a tie are one break.
    """
    breaks = broken_ties(ex)
    again = [(a, b) for (_, last), (a, b) in pairwise(breaks) if b.bar > last.bar + 1]
    found = [tuple(v.time for pair in (*again, *breaks) for v in pair)] if again else []
    steps = {m.index: m.step for m in ex.moves}
    for a, b in breaks:
        passes = abs(steps.get(a.index, 0)) == 1 and steps.get(a.index) == steps.get(a.index - 1)
        direct = b.perfect and all(ex.motion(a, b))
        direct = direct and (ex.similar(a, b) or equal_perfects(a, b))
        if direct or (a.time % BAR and not a.consonant and not passes):
            found.append((b.time, a.time))
    return found


def frame(ex: Exercise) -> list[Hit]:
    """F07: a half rest first; the tonic tied into the last bar but one, then the leading tone."""
    found = []
    if ex.line[0].onset != HALF:
        found.append(onsets(ex, 0))
    bar = BAR * (ex.last_bar - 1)
    strong = ex.at.get(bar)
    if strong is None or len(ex.line) < strong.index + 2:
        return found
    one, other = ex.line[strong.index], ex.line[strong.index + 1]
    if not (tied(ex, strong) and one.degree % 7 == 0 and other.degree == one.degree - 1):
        found.append((bar, bar + HALF, one.onset))
    return found


LOCAL: dict[str, Law] = {
    "D01": strict(strong_dissonance, 3, 5),
    "D02": strict(without_figure, 3, 5),
    "D02+": strict(odd_figure, 3, 5),
    "D03": strict(astray, 3, 5),
    "D04": strict(perfect_again, 3),
    "D04+": strict(perfect_again, 5),
    "D05": strict(three_bars, 3),
    "D05+": strict(three_bars, 5),
    "F01": strict(unprepared, 4),
    "F02": strict(unresolved, 4),
    "F03": strict(unusual, 4),
    "F03+": strict(unusual, 5),
    "F04": strict(alike, 4),
    "F04+": strict(alike_strict, 4),
    "F05": strict(weak_perfects, 4),
}
WHOLE: dict[str, Law] = {
    "F06": strict(ties, 4),
    "F07": strict(frame, 4),
}
