"""A score as a passage: sliced, its keys, chords and cadences found or given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest

import numpy as np

from clausula.checker.cadences import cadences_of
from clausula.checker.context import context_of, phrase_ends
from clausula.checker.harmony import Analysis, analysis_of
from clausula.checker.judging import judged_numerals, with_chords
from clausula.checker.labels import NOTHING, Written
from clausula.checker.remarks import remarks_on
from clausula.checker.tones import embellishments, tone_kinds
from clausula.chords import parse_numeral
from clausula.constraints.passage import (
    NO_TASK,
    ChordSpan,
    Passage,
    Task,
)
from clausula.constraints.rule import NONE, Harmony
from clausula.constraints.rulesets import RuleSet
from clausula.grid import REST
from clausula.pitch import Key
from clausula.score import Score
from clausula.slices import ON_BEAT, Slices, slices_of


@dataclass(frozen=True)
class Reading:
    """How a score is read before it is judged.

    Attributes:
        home: the home key.
        keys: ``(onset in quarters, key)`` wherever the local key changes; found where none are
            given.
        chords: of the passage; found where none are given.
        task: what was asked of the writer.
        written: the labels in the file, which are judged, and where they hold, followed.
    """

    home: Key
    keys: tuple[tuple[Fraction, Key], ...] = ()
    chords: tuple[ChordSpan, ...] | None = None
    task: Task = NO_TASK
    written: Written = NOTHING


def passage_of(score: Score, ruleset: RuleSet, reading: Reading) -> Passage:
    """A score as rules see it.

    Raises:
        InputError: the score has no note.
    """
    slices = slices_of(score)
    ends = phrase_ends(score)
    task = reading.task
    chords, sure = reading.chords, np.ones(len(slices), bool)
    if chords is None and task.numerals:
        chords = chords_asked(slices, task.numerals, reading.keys, reading.home)
    if chords is None:
        chords, sure = analysis_of(slices, reading.home, ends, reading.keys)
    if reading.written.figures and not task.figures:
        reading = replace(reading, task=replace(task, figures=reading.written.figures))
    analysis = Analysis(chords, sure)
    passage = _passage(slices, ruleset, reading, analysis, ends)
    if not reading.written and not reading.task.figures:
        return passage
    wrong, named = judged_numerals(passage, reading.written, reading.home)
    if named:
        analysis = Analysis(with_chords(chords, named), sure)
        passage = _passage(slices, ruleset, reading, analysis, ends)
    return replace(passage, remarks=(*wrong, *remarks_on(passage, reading.written)))


def _passage(
    slices: Slices,
    ruleset: RuleSet,
    reading: Reading,
    analysis: Analysis,
    ends: Sequence[Fraction],
) -> Passage:
    """What sounds, under chords that are known."""
    chords = analysis.chords
    keys = reading.keys or _keys_of(slices, chords, reading.home)
    if reading.task.species and not reading.keys:
        keys = ((Fraction(slices.onset[0]), reading.home),)  # species do not modulate
    now = harmony_of(slices, chords)
    context = context_of(slices, ruleset, keys, ends)._replace(
        chord=now,
        chord_before=Harmony(*(np.append(NONE, field[:-1]) for field in now)),
        begins=_begins(len(slices), chords),
        on_beat=slices.level <= ON_BEAT,
        sounding_before=np.append(0, pitch_classes(slices)[:-1]),
        sure=analysis.sure,
    )
    return Passage(
        slices=slices,
        context=context,
        chords=chords,
        tones=tone_kinds(slices, chords),
        foreign=embellishments(slices),
        cadences=cadences_of(slices, chords, ends),
        ends=tuple(ends),
        task=reading.task,
    )


def chords_asked(
    slices: Slices,
    numerals: Sequence[tuple[Fraction, str]],
    keys: Sequence[tuple[Fraction, Key]],
    home: Key,
) -> tuple[ChordSpan, ...]:
    """The chords that Roman numerals ask for, each until the next.

    Args:
        slices: the passage under them.
        numerals: onset in quarters and numeral, which may begin with a key: ``"G: V"``.
        keys: ``(onset, key)`` wherever the local key changes, where that is known.
        home: the key where nothing else is said.

    Raises:
        InputError: one is no numeral.
    """
    onsets = slices.onsets
    key, spans = home, []
    for (onset, text), following in zip_longest(numerals, numerals[1:]):
        start = int(np.searchsorted(onsets, float(onset)))
        end = len(onsets) if following is None else np.searchsorted(onsets, float(following[0]))
        named, colon, name = text.rpartition(":")
        given = next((key for moment, key in reversed(keys) if moment <= onset), None)
        key = Key.parse(named) if colon else given or key
        if start < int(end):
            spans.append(ChordSpan(start, int(end), key, parse_numeral(name.strip(), key)))
    return tuple(spans)


def _keys_of(
    slices: Slices, chords: Sequence[ChordSpan], home: Key
) -> tuple[tuple[Fraction, Key], ...]:
    """``(onset, key)`` wherever the key of the chords changes."""
    found = [(Fraction(slices.onset[0]), chords[0].key if chords else home)]
    for span in chords:
        if span.key != found[-1][1]:
            found.append((slices.onset[span.start], span.key))
    return tuple(found)


def harmony_of(slices: Slices, chords: Sequence[ChordSpan]) -> Harmony:
    """The chord of every slice; fields ``[time]``."""
    fields = np.full((len(Harmony._fields), len(slices)), NONE)
    fields[-1] = 0
    bits = pitch_classes(slices)
    for span in chords:
        chord = span.numeral.chord(span.key)
        classes = [*chord.classes, NONE, NONE][:4]
        bass = classes[span.numeral.inversion]
        fields[:-1, span.start : span.stop] = np.array([*classes, bass])[:, None]
    for first, last in _runs(chords):
        rows = slice(chords[first].start, chords[last].stop)
        fields[-1, rows] = int(np.bitwise_or.reduce(bits[rows]))
    return Harmony(*fields)


def pitch_classes(slices: Slices) -> np.ndarray:
    """``int[time]`` bits of the pitch classes of every slice."""
    bits = np.where(slices.semitone == REST, 0, 1 << (slices.semitone % 12))
    return np.bitwise_or.reduce(bits, axis=1)


def _runs(chords: Sequence[ChordSpan]) -> Iterator[tuple[int, int]]:
    """First and last index of every chord: inversions, and a seventh that joins, do not end it."""
    names = [span.numeral.chord(span.key).tones[:2] for span in chords]
    first = 0
    for index in range(1, len(chords) + 1):
        if index == len(chords) or names[index] != names[first]:
            yield first, index - 1
            first = index


def _begins(n_slices: int, chords: Sequence[ChordSpan]) -> np.ndarray:
    """``bool[time]``: whether another chord begins, not only another inversion of it."""
    found = np.zeros(n_slices, bool)
    found[[chords[first].start for first, _ in _runs(chords)]] = True
    return found
