"""What numerals and figures ask for, and which notes do not answer it.

Conventions: a tone is ``chords.tone``; rows are slices, columns voices. Figures have two readers.
An exercise wants them *exactly*. In *practice* they say to a continuo player what is not plain: a
note that is held may be left out of the next figures, a suspension that is resolved later and a
short passing note need none, an interval that is not figured follows the local key, and where all
that is figured sounds, a seventh may be sung that is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from clausula.constraints.passage import Passage, ToneKind
from clausula.figures import named_tones, readings_of
from clausula.grid import REST
from clausula.pitch import SpelledPitch

_SEVENTH_CHORD = 4  # members


class Asked(NamedTuple):
    """What may sound from slice ``start`` to before ``stop``.

    Attributes:
        start: first slice.
        stop: the slice after the last.
        ways: the tones of one chord after the other, in each way to read what is asked.
        bass: tone that belongs in the bass, none where the figures leave it free.
        named: each figure that is written, and its tone.
        before: tones that were asked for over the same bass note before.
        bass_letter: of the note above which the figures stand.
        text: the figures as written.
    """

    start: int
    stop: int
    ways: tuple[tuple[frozenset[int], ...], ...]
    bass: int | None
    named: tuple[tuple[str, int], ...] = ()
    before: frozenset[int] = frozenset()
    bass_letter: int = 0
    text: str = ""


def asked_for(passage: Passage) -> Iterator[Asked]:
    """What numerals that were asked for, or figures, ask for, in order of time."""
    if passage.task.numerals:
        for span in passage.chords:
            tones = span.numeral.chord(span.key).tones
            bass = tones[span.numeral.inversion]
            yield Asked(span.start, span.stop, ((frozenset(tones),),), bass)
    yield from figured(passage)


def figured(passage: Passage) -> Iterator[Asked]:
    """What figures ask for, in order of time."""
    onsets = passage.slices.onset
    last: Asked | None = None
    for onset, text in passage.task.figures:
        start = bisect_right(onsets, onset) - 1
        if start < 0 or passage.cur.semitone[start, -1] == REST:
            continue
        fifths = passage.slices.score.key_at(onset).fifths
        bass = SpelledPitch(int(passage.cur.semitone[start, -1]), int(passage.cur.step[start, -1]))
        ways = readings_of(text, bass, fifths)
        goes_on = last is not None and last.stop == start and not passage.slices.moved[start, -1]
        before = frozenset().union(*last.ways[0], last.before) if last and goes_on else frozenset()
        stop = max(_until(passage, start), start + 1)
        named = named_tones(text, bass, fifths)
        last = Asked(start, stop, ways, None, named, before, bass.step % 7, text)
        yield last


def _until(passage: Passage, start: int) -> int:
    """Where figures end: at the next ones, or where the bass moves."""
    onsets = {onset for onset, _ in passage.task.figures}
    for time in range(start + 1, len(passage)):
        if passage.slices.onset[time] in onsets or passage.slices.moved[time, -1]:
            return time
    return len(passage)


def foreign_notes(passage: Passage, asked: Asked, practice: bool = False) -> np.ndarray:
    """``bool[slice, voice]`` the notes that no way to read what is asked explains.

    Args:
        passage: what is judged.
        asked: what is asked of some slices of it.
        practice: whether figures are read as players do, not as an exercise's.
    """
    lenient = practice and bool(asked.named)
    found = []
    for tones in asked.ways:
        for bounds in _cuts(asked, len(tones)):
            rows = []
            for (start, stop), members in zip(pairwise(bounds), tones, strict=False):
                wrong = foreign_to(passage, start, stop, members)
                if lenient and wrong.any():
                    for each in usual(passage, start, stop, asked, members).values():
                        wrong &= ~each
                rows.append(wrong)
            found.append(np.concatenate(rows))
    return min(found, key=np.count_nonzero)


def _cuts(asked: Asked, parts: int) -> Iterator[list[int]]:
    """Every way to cut the slices into so many stretches, or into as many as there are slices."""
    length = asked.stop - asked.start
    for cuts in combinations(range(1, length), min(parts, length) - 1):
        yield [asked.start, *(asked.start + cut for cut in cuts), asked.stop]


def foreign_to(passage: Passage, start: int, stop: int, members: frozenset[int]) -> np.ndarray:
    """``bool[slice, voice]`` the notes that neither belong to a chord nor embellish it.

    Args:
        passage: where it sounds.
        start: its first slice.
        stop: the slice after its last.
        members: its tones.
    """
    rows = slice(start, stop)
    moved = passage.slices.moved[rows]
    tones = _tones(passage, rows)
    foreign = ~np.isin(tones, sorted(members)) & (tones >= 0)
    held = ~np.logical_or.accumulate(moved, axis=0)
    struck, kept = passage.foreign[:, rows]
    legal = np.where(held, kept, struck) != int(ToneKind.OTHER)
    throughout = foreign.all(axis=0)
    wrong = foreign & (throughout | ~legal) & moved
    # A note kept from before that never becomes a member is named where the chord begins.
    wrong[0] |= throughout & ~moved[0]
    return wrong


def _tones(passage: Passage, rows: slice) -> np.ndarray:
    """``[slice, voice]`` the tones that sound, -1 in silence."""
    semitone = passage.cur.semitone[rows]
    return np.where(semitone == REST, -1, 7 * (semitone % 12) + passage.cur.step[rows] % 7)


def usual(
    passage: Passage, start: int, stop: int, asked: Asked, members: frozenset[int]
) -> dict[str, np.ndarray]:
    """What players take for granted beside figures: ``bool[slice, voice]`` by its name."""
    rows = slice(start, stop)
    tones, moved = _tones(passage, rows), passage.slices.moved[rows]
    struck, kept = passage.foreign[:, rows]
    legal = (struck != int(ToneKind.OTHER)) & (struck != int(ToneKind.APPOGGIATURA))
    named = {each for _, each in asked.named}
    implied = {each % 7 for each in members - named}
    adds = _adding({each % 7 for each in members}, asked.bass_letter)
    sung = named <= set(tones.ravel().tolist())
    resolving = [int(ToneKind.SUSPENSION), int(ToneKind.RETARDATION)]
    return {
        "held on from the figures before": np.isin(tones, sorted(asked.before)) & ~moved,
        "suspension resolved later": ~moved & np.isin(kept, resolving),
        "short passing or neighbouring note": legal & passage.brief[rows] & moved,
        "accidental of the local key": np.isin(tones % 7, sorted(implied)) & (tones >= 0),
        "seventh that is not figured": np.isin(tones % 7, adds) & (tones >= 0) & sung,
    }


def _adding(letters: set[int], bass: int) -> list[int]:
    """The letters that make a seventh chord of others, a fourth that waits for the third aside."""
    third, fourth = (bass + 2) % 7, (bass + 3) % 7
    suspended = fourth in letters and not letters & {third, (bass + 5) % 7}
    chord = (letters - {fourth} | {third}) if suspended else letters
    return [letter for letter in range(7) if _in_thirds(chord | {letter})]


def _in_thirds(letters: set[int]) -> bool:
    """Whether letters are those of a seventh chord."""
    return len(letters) == _SEVENTH_CHORD and any(
        letters == {(root + third) % 7 for third in (0, 2, 4, 6)} for root in letters
    )


def unsung(passage: Passage, asked: Asked) -> Sequence[str]:
    """The figures that are written and that no voice sings while they hold.

    An octave, a fifth that stands beside no sixth and a third that stands beside no fourth may be
    left out where they have no sign, as in any triad.
    """
    heard = set(_tones(passage, slice(asked.start, asked.stop)).ravel().tolist())
    written = {name for name, _ in asked.named}
    free = (
        {"8"} | ({"5"} if "6" not in written else set()) | ({"3"} if "4" not in written else set())
    )
    return [name for name, each in asked.named if name not in free and each not in heard]
