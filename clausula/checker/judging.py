"""Do the labels that a writer added say what sounds?

A numeral is judged from its place to the next of its row, or to any change of chord before, for not
every chord need be named: it holds if the notes up to one of these belong to its chord or embellish
it, its root and seventh sound, and the bass is the member that its figures say. Notes count by how
they sound, not how they are spelled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np

from clausula.checker.labels import Written, WrittenNumeral
from clausula.chords import Chord, Numeral, Quality, parse_numeral, tone_name, tone_names
from clausula.constraints.asked import foreign_to
from clausula.constraints.passage import ChordSpan, Passage, Remark
from clausula.errors import InputError
from clausula.grid import REST
from clausula.key_finding import KEYS
from clausula.pitch import Key, Mode
from clausula.slices import Slices

_SURE = 2  # labels more that another key explains than the one that the notes suggest
_DOMINANT = 4


class _Judged(NamedTuple):
    """A numeral that was judged: the chord that it names and where it holds, or what is wrong."""

    chord: ChordSpan | None
    remark: Remark | None = None


def judged_numerals(
    passage: Passage, written: Written, home: Key
) -> tuple[tuple[Remark, ...], tuple[ChordSpan, ...]]:
    """What numerals say wrongly, and the chords of those that say what sounds.

    Args:
        passage: with the chords that are found without the numerals.
        written: the labels.
        home: key of numerals in a row that names none.
    """
    found = [
        _numeral(passage, numeral, _until(passage, written, numeral), home)
        for numeral in written.numerals
    ]
    remarks = tuple(one.remark for one in found if one.remark)
    spans = sorted((one.chord for one in found if one.chord), key=lambda span: span.start)
    starts = [span.start for span in spans]
    ends = [*starts[1:], len(passage)]
    chords = [s._replace(stop=min(s.stop, end)) for s, end in zip(spans, ends, strict=False)]
    return remarks, tuple(span for span in chords if span.start < span.stop)


def with_chords(found: Sequence[ChordSpan], named: Sequence[ChordSpan]) -> tuple[ChordSpan, ...]:
    """The chords that were found, with those that are named in place of them where both are."""
    chords: list[ChordSpan] = []
    for span in found:
        now = span.start
        for name in named:
            if span.start <= name.start < span.stop or name.start < span.start < name.stop:
                if now < min(name.start, span.stop):
                    chords.append(span._replace(start=now, stop=name.start))
                now = max(now, name.stop)
        if now < span.stop:
            chords.append(span._replace(start=now))
    return tuple(sorted([*chords, *named], key=lambda span: span.start))


def written_key(written: Written, slices: Slices, home: Key) -> Key:
    """The home key by the numerals, where they tell; else the one that the notes suggest."""
    first = min(written.numerals, default=None)
    if first is None or first.key is not None:
        return home if first is None or first.key is None else first.key
    near = [home, *(key for key in KEYS if key != home)]
    held = [sum(_sounds_like(slices, one, key) for one in written.numerals) for key in near]
    best = int(np.argmax(held))
    return near[best] if held[best] >= held[0] + _SURE else home


def _sounds_like(slices: Slices, numeral: WrittenNumeral, key: Key) -> bool:
    """Whether all notes at a numeral's place belong to its chord."""
    time = _slice_at(slices.onset, numeral.onset)
    row = slices.semitone[time]
    heard = set((row[row != REST] % 12).tolist())
    return any(heard <= set(each.chord(key).classes) for each in _meanings(numeral.name, key))


def _meanings(name: str, key: Key) -> list[Numeral]:
    """The chords that a numeral may name: raised and lowered degrees of minor are signed or not."""
    names = [name]
    if key.mode is Mode.MINOR and name[:1] in ("#", "b"):
        names.append(name[1:])
    found = []
    for each in names:
        try:
            found.append(parse_numeral(each, key))
        except InputError:  # a chord of another mode, such as an applied one of a diminished degree
            continue
    return found


def _slice_at(onsets: Sequence[Fraction], onset: Fraction) -> int:
    return max(0, bisect_right(onsets, onset) - 1)


def _until(passage: Passage, written: Written, numeral: WrittenNumeral) -> list[int]:
    """The slices before which a numeral may be meant to end, in order.

    They are the next change of chord, those after chords of less than a beat, and the next numeral
    of its row, if nothing has changed before; what follows on the same root goes on with the chord.
    """
    slices = passage.slices
    start = _slice_at(slices.onset, numeral.onset)
    named = []
    for each in written.numerals:
        if each.row == numeral.row and each.onset > numeral.onset:
            named.append(bisect_left(slices.onset, each.onset))
            if _root(each.name) != _root(numeral.name):
                break
    else:
        named.append(len(passage))
    if numeral.moves:
        return [end for end in named if end > start]
    beat = slices.score.meter_at(slices.onset[start]).beat
    ends = [end for end in named[:-1] if end > start]
    for change in [*(s.start for s in passage.chords if start < s.start < named[-1]), named[-1]]:
        if change > start:
            ends.append(change)
        if change == len(slices) or slices.onset[change] - slices.onset[start] >= beat:
            break
    return sorted(set(ends))


def _root(name: str) -> str:
    return name.rstrip("0123456789/")


def _numeral(passage: Passage, written: WrittenNumeral, ends: Sequence[int], home: Key) -> _Judged:
    """One numeral and the notes at its place."""
    start = _slice_at(passage.slices.onset, written.onset)
    found = next((span for span in passage.chords if span.start <= start < span.stop), None)
    if not ends or found is None:
        return _Judged(None)  # nothing sounds there
    keys = [written.key] if written.key else list(dict.fromkeys([home, found.key]))
    faults = []
    for key, numeral in ((each, one) for each in keys for one in _meanings(written.name, each)):
        if _six_four(numeral, key, found):
            return _Judged(None)
        fault = _fault(passage, written, numeral, key, found, ends)
        if not isinstance(fault, Remark):
            return _Judged(ChordSpan(start, fault, key, numeral))
        faults.append(fault)
    # A wrong inversion is nearer the truth than another chord.
    return _Judged(None, min(faults, key=lambda fault: fault.code == "H09"))


def _fault(
    passage: Passage,
    written: WrittenNumeral,
    numeral: Numeral,
    key: Key,
    found: ChordSpan,
    ends: Sequence[int],
) -> Remark | int:
    """What is wrong with a numeral, or the slice before which its chord ends."""
    start = _slice_at(passage.slices.onset, written.onset)
    chord = numeral.chord(key)
    starts = range(start, ends[-1]) if written.moves else [start]
    ways = [(a, b) for a, b in product(starts, ends) if a < b]
    good = [(a, b) for a, b in ways if not _strangers(passage, a, b, chord).any()]
    same = set(found.numeral.chord(found.key).classes) == set(chord.classes)
    # A root that has just sounded is still in the ear: V to V65 without it.
    rooted = same or chord.root_pc in _heard(passage, max(0, start - 1), ends[-1])
    if (not good and not same) or not rooted:
        return Remark(start, "H09", _other_chord(passage, written, chord, found, ways[0]))
    begin, end = good[0] if good else (start, found.stop)
    last = ends[-1] if written.moves else max(end, found.stop)
    if chord.seventh is not None and chord.seventh // 7 not in _heard(passage, start, last):
        name = tone_name(chord.seventh)
        without = "" if written.moves else f": {_triad(numeral).written(key)}"
        return Remark(start, "H09", f"{written.text} is written, but no {name} sounds{without}")
    actual = _inversion(passage, begin if written.moves else start, end, chord)
    if actual is None or actual == numeral.inversion or numeral.quality.augmented_sixth:
        return end
    bass = tone_name(chord.tones[actual])
    shown = replace(numeral, inversion=actual).written(key)
    return Remark(start, "V19", f"{written.text} is written; the bass {bass} makes it {shown}")


def _six_four(numeral: Numeral, key: Key, found: ChordSpan) -> bool:
    """Whether V64 names a cadential six-four, the tonic over the fifth degree."""
    tonic = found.numeral
    return (
        numeral.degree == _DOMINANT
        and numeral.inversion == 2
        and not numeral.of
        and tonic.inversion == 2
        and tonic.chord(found.key).root_pc == key.tonic_pc
    )


def _strangers(passage: Passage, start: int, stop: int, chord: Chord) -> np.ndarray:
    """``bool[slice, voice]`` notes that neither belong to a chord nor embellish it."""
    semitone, step = passage.cur.semitone[start:stop], passage.cur.step[start:stop]
    alike = np.isin(semitone % 12, chord.classes) & (semitone != REST)
    tones = (7 * (semitone % 12) + step % 7)[alike]
    return foreign_to(passage, start, stop, frozenset(chord.tones) | set(tones.tolist()))


def _heard(passage: Passage, start: int, stop: int) -> set[int]:
    """Pitch classes that sound."""
    row = passage.cur.semitone[start:stop]
    return set((row[row != REST] % 12).tolist())


def _inversion(passage: Passage, start: int, stop: int, chord: Chord) -> int | None:
    """The member in the bass: the first that is one, and is no short note on the way to another."""
    for time in range(start, stop):
        row = passage.cur.semitone[time]
        lowest = np.where(row == REST, 999, row)
        voice = int(lowest.argmin())
        member = lowest[voice] % 12 in chord.classes
        if member and not (passage.brief[time, voice] and passage.tones[time, voice] > 0):
            return chord.classes.index(lowest[voice] % 12)
    return None


def _triad(numeral: Numeral) -> Numeral:
    """A seventh chord without its seventh, in the same inversion as far as it has one."""
    intervals = numeral.quality.semitones[:3]
    quality = next(q for q in Quality if q.semitones == intervals and not q.augmented_sixth)
    return replace(numeral, quality=quality, inversion=min(numeral.inversion, 2))


def _other_chord(
    passage: Passage,
    written: WrittenNumeral,
    chord: Chord,
    found: ChordSpan,
    way: tuple[int, int],
) -> str:
    """Words for a numeral that names another chord than sounds."""
    rows = slice(*way)
    tones = 7 * (passage.cur.semitone[rows] % 12) + passage.cur.step[rows] % 7
    strange = sorted(
        set(tones[_strangers(passage, *way, chord)].tolist()), key=lambda each: each % 7
    )
    sounding = found.name if written.key in (None, found.key) else f"{found.name} in {found.key}"
    if not strange:
        root = tone_name(chord.root)
        return f"{written.text} is written, but its root {root} does not sound: {sounding}"
    explains = {each // 7 for each in strange} <= set(found.numeral.chord(found.key).classes)
    makes = f"; the notes make {sounding}" if explains else ""
    verb = "does" if len(strange) == 1 else "do"
    stranger = f"{tone_names(strange)} {verb} not belong to it"
    return f"{written.text} is {tone_names(chord.tones)}; {stranger}{makes}"
