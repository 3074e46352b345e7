"""Laws of a written line, read from the definitions of the catalogue's G rules.

Conventions: a law is a callable from an exercise to its *hits*; a hit is the onsets, in eighths,
that name the fault, the first of them the one it is told at. `WHOLE` laws need a finished line.
A code with ``+`` is a reading stricter than the rule's: clean passages keep it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from injected.species_exercise import BAR, Exercise, Move

Hit = tuple[int, ...]
Law = Callable[[Exercise], list[Hit]]
_SUNG = {(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (7, 4), (12, 7)}
_TRIADS = ({0, 4, 7}, {0, 3, 7})


def onsets(ex: Exercise, *indices: int) -> Hit:
    """Onsets of notes of the line, those that it has."""
    return tuple(ex.line[i].onset for i in indices if 0 <= i < len(ex.line))


def frame_alone(ex: Exercise) -> list[Hit]:
    """G01: eight to fourteen notes, tonic to tonic."""
    if not ex.alone:
        return []
    n, found = len(ex.line), []
    if not 8 <= n <= 14:
        found.append(onsets(ex, n - 1, 0, 14))
    if ex.line[0].degree % 7:
        found.append(onsets(ex, 0))
    if ex.line[-1].degree % 7:
        found.append(onsets(ex, n - 1))
    return found


def opening(ex: Exercise) -> list[Hit]:
    """G02: P1, P5, P8 above the cantus; P1, P8 below."""
    if ex.alone or not ex.begun or not ex.line:
        return []
    first = ex.verticals[0]
    return [] if first.octave or (ex.below and first.fifth) else [(first.time,)]


def close(ex: Exercise) -> list[Hit]:
    """G03: the tonic in unison or octaves, by step from both sides; alone by step."""
    last = ex.line[-1]
    if len(ex.line) < 2 or ex.line[-2].end != last.onset:
        return []
    move = last.degree - ex.line[-2].degree
    if ex.alone:
        return [] if abs(move) == 1 else [onsets(ex, len(ex.line) - 1, len(ex.line) - 2)]
    given = ex.cantus[-1] - ex.cantus[-2]
    legal = last.degree % 7 == 0 and ex.verticals[-1].octave and (move, given) in ((1, -1), (-1, 1))
    return [] if legal else [onsets(ex, len(ex.line) - 1, len(ex.line) - 2)]


def sung_intervals(ex: Exercise) -> list[Hit]:
    """G04: m2 to P5, P8, m6 upwards."""
    return [
        onsets(ex, m.index + 1, m.index)
        for m in ex.moves
        if (abs(m.semitone), abs(m.step)) not in _SUNG and (m.semitone, m.step) != (8, 5)
    ]


def compass(ex: Exercise) -> list[Hit]:
    """G05: a tenth at most."""
    low = min(t.degree for t in ex.line)
    high = max(t.degree for t in ex.line)
    if high - low <= 9:
        return []
    wide = [t for t in ex.line if t.degree - low > 9 or high - t.degree > 9]
    return [tuple(t.onset for t in wide)]


def _tops(ex: Exercise) -> list[int]:
    top = max(t.semitone for t in ex.line)
    return [i for i, t in enumerate(ex.line) if t.semitone == top]


def climax(ex: Exercise) -> list[Hit]:
    """G06: once, and not in the bar of the cantus' climax."""
    tops = _tops(ex)
    found = []
    if any(b - a > 1 for a, b in pairwise(tops)):
        found.append(onsets(ex, *reversed(tops)))
    bars = {bar for bar, degree in enumerate(ex.cantus) if degree == max(ex.cantus)}
    shared = [i for i in tops if ex.line[i].onset // BAR in bars]
    if shared:
        found.append(onsets(ex, *shared))
    return found


def climax_held(ex: Exercise) -> list[Hit]:
    """G06+: nor held into it."""
    bars = {bar for bar, degree in enumerate(ex.cantus) if degree == max(ex.cantus)}
    tops = [ex.line[i] for i in _tops(ex)]
    return [(t.onset,) for t in tops if (t.end - 1) // BAR in bars and t.onset // BAR not in bars]


def recovery(ex: Exercise) -> list[Hit]:
    """G07: after a fourth or more a step back; the last note is free."""
    return [
        onsets(ex, b.index, b.index + 1)
        for a, b in pairwise(ex.moves)
        if b.index == a.index + 1
        and abs(a.step) >= 3
        and not (abs(b.step) == 1 and a.step * b.step < 0)
    ]


def leaps_running(ex: Exercise) -> list[Hit]:
    """G08: two leaps at most, and in one direction only through a triad."""
    found = []
    for a, b in pairwise(ex.moves):
        running = a.leap and b.leap and a.step * b.step > 0 and b.index == a.index + 1
        if running and not _triad(ex, a.index):
            found.append(onsets(ex, b.index + 1, b.index))
    return found + [hit for hit, counted in _three_leaps(ex) if counted]


def leaps_running_strict(ex: Exercise) -> list[Hit]:
    """G08+: two of the three leaps are one triad, as in a cantus firmus of Fux."""
    return [hit for hit, counted in _three_leaps(ex) if not counted]


def _triad(ex: Exercise, first: int) -> bool:
    """Whether three notes make a major or minor triad."""
    pitches = {ex.line[i].semitone for i in range(first, first + 3)}
    return any({(p - root) % 12 for p in pitches} in _TRIADS for root in pitches)


def _three_leaps(ex: Exercise) -> list[tuple[Hit, bool]]:
    """Three leaps running, and whether the last two are more than one triad's."""
    found = []
    for a, b, c in zip(ex.moves, ex.moves[1:], ex.moves[2:], strict=False):
        if a.leap and b.leap and c.leap and c.index == a.index + 2:
            one = b.step * c.step > 0 > a.step * b.step and _triad(ex, b.index)
            found.append((onsets(ex, c.index + 1, c.index, b.index), not one))
    return found


def chromatic(ex: Exercise) -> list[Hit]:
    """G09: only the raised seventh of the cadence, and the sixth before it."""
    found = []
    for i, tone in enumerate(ex.line):
        up = tone.semitone - ex.natural(tone.degree)
        if not up:
            continue
        # A whole step below the final is raised, a half step needs no help.
        seventh = tone.degree % 7 == 6 and ex.natural(-1) == -2
        sixth = tone.degree % 7 == 5 and i + 1 < len(ex.line)
        sixth = sixth and ex.line[i + 1].degree == tone.degree + 1
        sixth = sixth and ex.line[i + 1].semitone > ex.natural(tone.degree + 1)
        cadence = tone.onset // BAR == ex.last_bar - 1 and ex.mode != "phrygian"
        if up != 1 or not cadence or not (seventh or sixth):
            found.append((tone.onset,))
    return found


def _figures(ex: Exercise) -> list[tuple[int, int, bool]]:
    """First note and number of notes of what is repeated, and whether no one would deny it.

    That is, whether the rhythm returns too, and each time by the same interval.

    Of a line that goes on only what its last note completes.
    """
    degrees, n, found = [t.degree for t in ex.line], len(ex.line), []
    moves = [b - a for a, b in pairwise(degrees)]
    for size, times in ((2, 3), (3, 3), *((size, 2) for size in range(3, n // 2 + 1))):
        whole = size * times
        for i in range(0 if ex.ended else max(n - whole, 0), n - whole + 1):
            shape = moves[i : i + size - 1]
            if any(moves[j : j + size - 1] != shape for j in range(i + size, i + whole, size)):
                continue
            exact = degrees[i] == degrees[i + size]
            firsts = degrees[i : i + whole : size]
            even = len({b - a for a, b in pairwise(firsts)}) == 1
            if _scale(degrees[i : i + whole]) or (not exact and (size, times) == (3, 2)):
                continue
            lengths = [
                [t.duration for t in ex.line[j : j + size]] for j in range(i, i + whole, size)
            ]
            found.append((i, whole, even and all(each == lengths[0] for each in lengths)))
    return found


def _scale(degrees: list[int]) -> bool:
    moves = [b - a for a, b in pairwise(degrees)]
    return abs(sum(moves)) == len(moves) and all(abs(move) == 1 for move in moves)


def motive(ex: Exercise) -> list[Hit]:
    """G10: a figure sung again at once."""
    found = [onsets(ex, *range(i + n - 1, i - 1, -1)) for i, n, same in _figures(ex) if same]
    return _joined(found)


def _joined(hits: list[Hit]) -> list[Hit]:
    """Hits that share an onset are one."""
    merged: list[set[int]] = []
    for hit in map(set, hits):
        touching = [each for each in merged if each & hit]
        merged = [each for each in merged if not each & hit] + [hit.union(*touching)]
    return [tuple(sorted(each, reverse=True)) for each in merged]


def motive_strict(ex: Exercise) -> list[Hit]:
    """G10+: in another rhythm, by other intervals, or a note is a figure's last and next first."""
    found = [onsets(ex, i) for i, _, same in _figures(ex) if not same]
    moves = [m.step for m in ex.moves]
    for size, times in ((2, 3), (3, 2), (4, 2)):
        for i in range(len(moves) - size * times + 1):
            span = moves[i : i + size * times]
            if span == span[:size] * times and len(set(span)) > 1:
                found.append(onsets(ex, i))
    return found


def steps_prevail(ex: Exercise) -> list[Hit]:
    """G11: more than half of the moves are steps, notes that are repeated left out."""
    return _few_steps(ex, [m for m in ex.moves if m.step])


def steps_prevail_strict(ex: Exercise) -> list[Hit]:
    """G11+: repeated notes counted among the moves."""
    return _few_steps(ex, list(ex.moves))


def _few_steps(ex: Exercise, moves: list[Move]) -> list[Hit]:
    steps = sum(abs(m.step) == 1 for m in moves)
    return [] if 2 * steps > len(moves) else [tuple(t.onset for t in reversed(ex.line))]


def repeats(ex: Exercise) -> list[Hit]:
    """G12: no note at once again; once in a counterpoint of the first species."""
    found = [onsets(ex, m.index + 1, m.index) for m in ex.moves if m.step == 0]
    return found[1:] if ex.species == 1 and not ex.alone else found


def climax_consonant(ex: Exercise) -> list[Hit]:
    """G14: the highest note is consonant with the tonic; the fourth counts as consonant."""
    tops = _tops(ex)
    dissonant = ex.line[tops[0]].semitone % 12 in (1, 2, 6, 10, 11)
    return [onsets(ex, *tops)] if dissonant else []


def octave_leaps(ex: Exercise) -> list[Hit]:
    """G15: one at most."""
    leaps = [m for m in ex.moves if abs(m.step) == 7]
    return [onsets(ex, m.index + 1, m.index) for m in leaps[1:]]


LOCAL: dict[str, Law] = {
    "G04": sung_intervals,
    "G07": recovery,
    "G12": repeats,
    "G02": opening,
    "G08": leaps_running,
    "G08+": leaps_running_strict,
    "G10": motive,
    "G10+": motive_strict,
}
WHOLE: dict[str, Law] = {
    "G01": frame_alone,
    "G03": close,
    "G05": compass,
    "G06": climax,
    "G06+": climax_held,
    "G09": chromatic,
    "G11": steps_prevail,
    "G11+": steps_prevail_strict,
    "G14": climax_consonant,
    "G15": octave_leaps,
}
