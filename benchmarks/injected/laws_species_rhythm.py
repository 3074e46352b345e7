"""Laws of rhythm: the note values of a species, and the catalogue's J rules of the fifth.

Conventions as in `laws_species_line`.
"""

from __future__ import annotations

from injected.laws_species_florid import HALF, syncopations
from injected.laws_species_line import Hit, Law, onsets
from injected.laws_species_pair import strict
from injected.species_exercise import BAR, Exercise, Tone


def values(ex: Exercise) -> list[Hit]:
    """G13: the note values of the species, no rest inside, the last note a bar."""
    found, last = [], BAR * ex.last_bar
    if ex.alone:
        return []
    for i, tone in enumerate(ex.line):
        before = ex.line[i - 1].end if i else None if not ex.begun else -1
        gap = before is not None and (before != tone.onset if i else tone.onset > HALF)
        if gap or not _value(ex, tone, last):
            bar = tone.onset // BAR
            inside = [t.onset for t in ex.line if t.onset // BAR in (bar, bar - 1)]
            found.append((tone.onset, BAR * bar, *inside, tone.end, *([before] if i else [])))
    return found[:1]


def _value(ex: Exercise, tone: Tone, last: int) -> bool:
    place, length = tone.onset % BAR, tone.duration
    if tone.onset == last or tone.end > last:
        return (place, length) == (0, BAR)
    if ex.species == 1:
        return (place, length) == (0, BAR)
    if ex.species == 2:
        return (place % HALF, length) == (0, HALF) or (tone.onset, length) == (last - BAR, BAR)
    if ex.species == 3:
        return length == 2
    if ex.species == 4:
        return (place % HALF, length) == (0, HALF) or (place, length) == (HALF, BAR)
    return length in (1, 2, 4, 6, 8)


def eighths(ex: Exercise) -> list[Hit]:
    """J01: in pairs on beat 2 or 4, one a bar, by step on every side."""
    steps = {m.index: m.step for m in ex.moves}
    bars: dict[int, list[int]] = {}
    for i, tone in enumerate(ex.line):
        if tone.duration == 1:
            bars.setdefault(tone.onset // BAR, []).append(i)
    found = []
    for bar, notes in bars.items():
        done = max(notes) + 1 < len(ex.line) or ex.ended
        whole = len(notes) == 2 and notes[1] == notes[0] + 1
        whole = whole or (not done and len(notes) == 1)
        placed = ex.line[notes[0]].onset % BAR in (2, 6)
        around = [steps.get(i) for i in range(notes[0] - 1, notes[-1] + 1) if i in steps]
        if not whole or not placed or any(abs(s) != 1 for s in around):
            inside = [t.onset for t in ex.line if t.onset // BAR == bar or t.end // BAR == bar]
            found.append((ex.line[notes[0]].onset, *inside, BAR * (bar + 1)))
    return found


def _bar_of(ex: Exercise, index: int) -> list[Tone]:
    bar = ex.line[index].onset // BAR
    return [t for t in ex.line if t.onset // BAR == bar or t.onset < bar * BAR < t.end]


def _weak_halves(ex: Exercise) -> list[tuple[int, bool]]:
    """Halves on a weak place: their index, and whether the rule says so plainly."""
    found = []
    for i, tone in enumerate(ex.line):
        place, bar = tone.onset % BAR, tone.onset // BAR
        if tone.duration < HALF or place in (0,):
            continue
        before = [t for t in _bar_of(ex, i) if t.onset < tone.onset]
        starts = [t.onset % BAR for t in before if t.onset >= bar * BAR]
        if place != HALF:
            found.append((i, place == 2))
        elif tone.duration == HALF and bar < ex.last_bar - 1 and len(before) > 1:
            found.append((i, starts == [0, 2]))
    return found


def weak_half(ex: Exercise) -> list[Hit]:
    """J02: a half on beat 2, or after two quarters and not tied."""
    return [onsets(ex, i) for i, plain in _weak_halves(ex) if plain]


def weak_half_strict(ex: Exercise) -> list[Hit]:
    """J02+: on any beat but 1 and 3, or after other small notes and not tied."""
    return [onsets(ex, i) for i, plain in _weak_halves(ex) if not plain]


def off_the_third(ex: Exercise) -> list[Hit]:
    """J03: a dissonant tied note whose step down is not on beat 3, or is dissonant there."""
    found = []
    for _, strong, _after in syncopations(ex):
        if strong.consonant or (not ex.ended and ex.line[-1].end <= strong.time + HALF):
            continue
        there = ex.at.get(strong.time + HALF)
        note = ex.line[there.index] if there else None
        held = ex.line[strong.index]
        if (
            note is None
            or there is None
            or not (
                note.onset == strong.time + HALF
                and note.degree == held.degree - 1
                and there.consonant
            )
        ):
            inside = [t.onset for t in ex.line if strong.time < t.onset <= strong.time + BAR]
            found.append((strong.time, *inside))
    return found


def whole_note(ex: Exercise) -> list[Hit]:
    """J04: a whole bar before the last."""
    return [
        (t.onset,)
        for t in ex.line
        if t.onset % BAR == 0 and t.duration >= BAR and t.onset // BAR < ex.last_bar
    ]


def one_rhythm(ex: Exercise) -> list[Hit]:
    """J05: a rhythm in three bars running."""
    rhythms = [
        tuple(t.onset % BAR for t in ex.line if t.onset // BAR == bar) for bar in range(ex.last_bar)
    ]
    hits = []
    for bar in range(len(rhythms) - 2):
        if rhythms[bar] and len(set(rhythms[bar : bar + 3])) == 1:
            spans = range(bar * BAR, (bar + 3) * BAR)
            hits.append(tuple(t.onset for t in reversed(ex.line) if t.onset in spans))
            hits[-1] += tuple((bar + k) * BAR for k in range(3))
    return hits[:1]


LOCAL: dict[str, Law] = {
    "G13": values,
    "J01": strict(eighths, 5),
    "J02": strict(weak_half, 5),
    "J02+": strict(weak_half_strict, 5),
    "J03": strict(off_the_third, 5),
    "J04": strict(whole_note, 5),
}
WHOLE: dict[str, Law] = {"J05": strict(one_rhythm, 5)}
