"""Rules judged on their own examples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from string import Formatter

import numpy as np

from clausula.checker.labels import written_in
from clausula.checker.passage import Reading, passage_of
from clausula.chords import parse_numeral
from clausula.constraints.example import Example
from clausula.constraints.example_score import (
    modal_key,
    score_of_example,
    task_of_example,
    voice_letters,
)
from clausula.constraints.passage import ChordSpan, Passage
from clausula.constraints.rule import Rule, Scope, Sites
from clausula.constraints.rulesets import RuleSet
from clausula.pitch import Key
from clausula.score import Score
from clausula.slices import slices_of


def passage_of_example(example: Example, ruleset: RuleSet) -> Passage:
    """An example as rules see it."""
    score = score_of_example(example)
    key = modal_key(example.key)[0]
    keys = [(Fraction(0), key)]
    if example.key_before:
        keys = [(Fraction(0), Key.parse(example.key_before)), (score.length - 1, key)]
    chords = _chords(example, score, keys) if example.numerals else None
    task, written = task_of_example(example), written_in(score)
    reading = Reading(key, tuple(keys), chords, task, written)
    passage = passage_of(score, ruleset, reading)
    if example.arrival:
        arrival = np.zeros(len(passage), bool)
        arrival[-1] = True
        passage.context.arrival[:] = arrival
    return passage


def blamed(rule: Rule, example: Example, ruleset: RuleSet) -> set[tuple[str, str]]:
    """Voices and place (``"SB"``, ``"2.3"``) of everything that a rule finds in an example."""
    passage = passage_of_example(example, ruleset)
    letters, sites = voice_letters(example), rule.sites.of(passage.n_voices)
    found = set()
    for time, column in np.argwhere(rule.found(passage)):
        site = sites[column]
        if rule.scope is Scope.SLICE and not passage.slices.moved[time, list(site)].any():
            continue
        measure, beat = passage.slices.place[time]
        found.add(("".join(letters[voice] for voice in site), f"{measure}.{_plain(beat)}"))
    return found


def notes_at_fault(rule: Rule, example: Example, ruleset: RuleSet) -> set[str]:
    """Ids of the notes of an example that a rule blames.

    They are those that sound where it is broken, and those before them if its message tells of
    both.
    """
    passage = passage_of_example(example, ruleset)
    sites = rule.sites.of(passage.n_voices)
    fields = {name for _, name, _, _ in Formatter().parse(rule.message) if name}
    back = (1, 0) if any("before" in name for name in fields) else (0,)
    found = set()
    for time, column in np.argwhere(rule.found(passage)):
        for voice in sites[column]:
            notes = (passage.slices.note_at(time - step, voice) for step in back if time >= step)
            found |= {note.id for note in notes if note}
    return found


def expected(rule: Rule, example: Example) -> set[tuple[str, str]]:
    """The same as the example itself says."""
    if not example.at:
        return set()
    score = score_of_example(example)
    slices = slices_of(score)
    measure, beat = slices.place[-1]
    where = example.where or f"{measure}.{_plain(beat)}"
    names = list(example.at) if rule.sites is Sites.VOICE else example.at.split(",")
    return {(name, where) for name in names}


def _plain(beat: Fraction) -> str:
    return str(beat) if beat.denominator == 1 else f"{float(beat):g}"


def _chords(
    example: Example, score: Score, keys: Sequence[tuple[Fraction, Key]]
) -> tuple[ChordSpan, ...]:
    """The chords that an example names, each of so many quarters."""
    onsets = list(slices_of(score).onset)
    spans, now = [], Fraction(0)
    for text in example.numerals:
        name, _, length = text.partition(":")
        end = now + Fraction(length or 1)
        key = next(key for start, key in reversed(keys) if start <= now)
        start, stop = (sum(onset < moment for onset in onsets) for moment in (now, end))
        spans.append(ChordSpan(start, stop, key, parse_numeral(name, key)))
        now = end
    return tuple(spans)
