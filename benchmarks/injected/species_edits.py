"""Ways to change a species exercise: other pitches, an echo, a chain, another rhythm.

Conventions: an *edit* is a callable from a random generator and an exercise to changed ones,
without end; most of them break several rules, and whoever asks keeps those that break what was
wanted. A *retiming* changes a rhythm before it has pitches; none where there is no place for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from injected.species_exercise import BAR, Exercise, Tone
from injected.species_passages import Pins, Rhythm, off_reach

Edit = Callable[[random.Random, Exercise], Iterator[Exercise]]
Retiming = Callable[[random.Random, Rhythm], Rhythm | None]
_PITCHES = 60  # tried in one place before another


def _with(ex: Exercise, changed: dict[int, tuple[int, int]]) -> Exercise:
    line = [
        tone._replace(degree=changed[i][0], semitone=changed[i][1]) if i in changed else tone
        for i, tone in enumerate(ex.line)
    ]
    return replace(ex, line=tuple(line))


def repitch(
    first: Callable[[int], Sequence[int]], count: tuple[int, ...] = (1, 2), chromatic: bool = False
) -> Edit:
    """Other pitches for a few notes in a row.

    Args:
        first: of the number of notes, the indices that may be the first of the changed ones.
        count: how many notes may change.
        chromatic: whether the first of them gets an accidental.
    """

    def edit(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
        n = len(ex.line)
        while True:
            k = rng.choice(count)
            places = [i for i in first(n) if 0 <= i <= n - k]
            start = rng.choice(places)
            for _ in range(_PITCHES):
                changed: dict[int, tuple[int, int]] = {}
                for i in range(start, start + k):
                    near = changed[i - 1][0] if i - 1 in changed else ex.line[i].degree
                    degree = near + rng.randrange(-7, 8)
                    changed[i] = (degree, ex.natural(degree))
                if chromatic:
                    degree = rng.choice((ex.line[start].degree, changed[start][0]))
                    changed[start] = (degree, ex.natural(degree) + rng.choice((-1, 1)))
                if _sane(ex, start, changed):
                    yield _with(ex, changed)

    return edit


def _sane(ex: Exercise, start: int, changed: dict[int, tuple[int, int]]) -> bool:
    """Whether the line still holds together: no leap of more than an octave."""
    end = start + len(changed)
    around = [changed[i][0] if i in changed else ex.line[i].degree
              for i in range(max(start - 1, 0), min(end + 1, len(ex.line)))]  # fmt: skip
    return not any(off_reach(b - a) for a, b in pairwise(around))


def anywhere(n: int) -> Sequence[int]:
    """Every note but the first and the last."""
    return range(1, n - 1)


def head(n: int) -> Sequence[int]:
    """The first note."""
    return (0,)


def foot(n: int) -> Sequence[int]:
    """The last two notes."""
    return (n - 2, n - 1)


def echo(sizes: tuple[int, ...], times: int, exact: bool | None = None) -> Edit:
    """A figure sung again at once, on its own degree or on another."""

    def edit(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
        n = len(ex.line)
        while True:
            size = rng.choice(sizes)
            start = rng.randrange(0, max(1, n - size * times))
            shift = 0 if exact else rng.choice([s for s in range(-4, 5) if s or exact is None])
            spare = rng.random() < 0.5  # the last note of the return may be another
            changed = {}
            for k in range(1, times):
                for j in range(size):
                    i = start + size * k + j
                    if i < n - 2:
                        degree = ex.line[start + j].degree + shift * k
                        changed[i] = (degree, ex.natural(degree))
            if spare and changed:
                i = max(changed) + 1
                degree = changed[i - 1][0] + rng.choice((-2, -1, 1, 2))
                if i < n - 2:
                    changed[i] = (degree, ex.natural(degree))
            if changed:
                yield _with(ex, changed)

    return edit


def chain(above: tuple[int, ...], length: int, below: tuple[int, ...] = ()) -> Pins:
    """A few bars in a row that open on the same interval with the cantus.

    Args:
        above: intervals in letters when the line is the upper part.
        length: how many bars.
        below: the same when it is the lower part; equal where left out.
    """

    def pins(rng: random.Random, ex: Exercise) -> dict[int, int]:
        step = rng.choice(above if ex.below else below or above)
        starts = list(range(1, max(2, ex.last_bar - length + 1)))
        moves = [b - a for a, b in pairwise(ex.cantus)]
        runs = [i for i in starts if set(moves[i : i + length - 1]) in ({1}, {-1})]
        # Tied notes can only follow a cantus that goes by step.
        start = rng.choice(runs if runs and ex.species == 4 else starts)
        sign = 1 if ex.below else -1
        bars = range(start, min(start + length, ex.last_bar))
        return {BAR * bar: ex.cantus[bar] + sign * step for bar in bars}

    return pins


def octave_leap(times: int) -> Edit:
    """A leap of an octave that steps back, so many times, upwards and downwards."""

    def edit(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
        n = len(ex.line)
        while True:
            changed, sign = {}, rng.choice((-1, 1))
            starts = sorted(rng.sample(range(1, n - 4), times))
            for i in starts:
                base = changed.get(i, (ex.line[i].degree, 0))[0]
                for j, degree in ((i + 1, base + 7 * sign), (i + 2, base + 6 * sign)):
                    changed[j] = (degree, ex.natural(degree))
                if rng.random() < 0.7 and i + 3 < n - 2:
                    degree = base + rng.choice((5, 4)) * sign
                    changed[i + 3] = (degree, ex.natural(degree))
                sign = -sign
            yield _with(ex, changed)

    return edit


def rest(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
    """A note inside left out, or cut short."""
    while True:
        i = rng.randrange(1, len(ex.line) - 1)
        tone = ex.line[i]
        if rng.random() < 0.5 and tone.duration > 1:
            line = (*ex.line[:i], tone._replace(duration=tone.duration // 2), *ex.line[i + 1 :])
        else:
            line = ex.line[:i] + ex.line[i + 1 :]
        yield replace(ex, line=line)


def split(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
    """A note made two of half its length, the second a step or a third away."""
    while True:
        i = rng.randrange(0, len(ex.line))
        tone = ex.line[i]
        if tone.duration < 2:
            continue
        half = tone.duration // 2
        degree = tone.degree + rng.choice((-2, -1, 1, 2))
        two = Tone(tone.onset + half, half, degree, ex.natural(degree))
        one = tone._replace(duration=half)
        yield replace(ex, line=(*ex.line[:i], one, two, *ex.line[i + 1 :]))


def merge(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
    """Two notes made one."""
    while True:
        i = rng.randrange(0, len(ex.line) - 1)
        one, two = ex.line[i : i + 2]
        longer = one._replace(duration=two.end - one.onset)
        yield replace(ex, line=(*ex.line[:i], longer, *ex.line[i + 2 :]))


def short_end(rng: random.Random, ex: Exercise) -> Iterator[Exercise]:
    """The last note cut short."""
    while True:
        last = ex.line[-1]
        yield replace(ex, line=(*ex.line[:-1], last._replace(duration=BAR // 2)))


def bar_values(
    values: tuple[int, ...], tie_in: bool | None = False, final: bool = False, times: int = 1
) -> Retiming:
    """Other values for a bar, or for some in a row.

    Args:
        values: in eighths, those of a bar; the last may reach over the bar line.
        tie_in: whether the first of them is held from the bar before.
        final: whether it is the last bar but one.
        times: for how many bars.
    """

    def retiming(rng: random.Random, spans: Rhythm) -> Rhythm | None:
        last = spans[-1][0] // BAR
        bar = last - 1 if final else rng.randrange(1, max(2, last - times))
        starts = [s for s, _ in spans]
        for k in range(times):
            low = BAR * (bar + k)
            inside = [low + sum(values[:i]) for i in range(len(values))]
            kept = inside[1:] if tie_in else inside
            starts = sorted({s for s in starts if not low <= s < low + BAR} | set(kept))
            over = low + sum(values)
            if over > low + BAR:
                starts = [s for s in starts if not low + BAR <= s < over]
                starts = sorted({*starts, over})
        ends = [*starts[1:], spans[-1][0] + BAR]
        return tuple((s, e - s) for s, e in zip(starts, ends, strict=True))

    return retiming


def no_rest(rng: random.Random, spans: Rhythm) -> Rhythm | None:
    """A line that begins on the first downbeat."""
    return ((0, spans[0][0]), *spans) if spans[0][0] else None


def untied(count: int) -> Retiming:
    """So many ties of the fourth species broken, others than those that are."""

    def retiming(rng: random.Random, spans: Rhythm) -> Rhythm | None:
        if any(s % BAR == 0 for s, _ in spans[:-1]):
            return None
        bars = rng.sample(range(2, spans[-1][0] // BAR - 1), count)
        starts = sorted({s for s, _ in spans} | {BAR * bar for bar in bars})
        ends = [*starts[1:], spans[-1][0] + BAR]
        return tuple((s, e - s) for s, e in zip(starts, ends, strict=True))

    return retiming


def untied_end(rng: random.Random, spans: Rhythm) -> Rhythm | None:
    """The fourth species' last tie broken."""
    bar = spans[-1][0] - BAR
    starts = sorted({s for s, _ in spans} | {bar})
    ends = [*starts[1:], spans[-1][0] + BAR]
    return tuple((s, e - s) for s, e in zip(starts, ends, strict=True))
