"""Every part-writing fault of a piece, with its place and words.

The rules are those of ``clausula.constraints``, judged on slices by their own predicates. What
generation never reads, the key, the phrases and the cadences of a finished score, is inferred here
unless it is given.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from clausula.checker.grouping import UNGROUPED, fault_of, grouped
from clausula.checker.judging import written_key
from clausula.checker.keys import home_key
from clausula.checker.labels import NOTHING, written_in
from clausula.checker.passage import Reading, passage_of
from clausula.checker.report import CadenceAt, ChordFrom, Finding, KeyFrom, Report, finding
from clausula.constraints.passage import Passage, Task
from clausula.constraints.rule import Rule, Scope, Severity
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS
from clausula.pitch import Key, Mode
from clausula.score import Score
from clausula.slices import slices_of

_NAMED = 8  # voices that a refusal names


class HasScore(Protocol):
    """Anything that carries a score, such as a composed piece."""

    @property
    def score(self) -> Score:
        """The piece in notation."""


class Violation(NamedTuple):
    """A rule that is broken: at which slice, by which voices (upper one first)."""

    time: int
    rule: Rule
    site: tuple[int, ...]


def check(
    source: str | Path | Score | HasScore,
    ruleset: str | Path | RuleSet = "chorale",
    key: str | Key | None = None,
    keys: Sequence[tuple[Fraction, Key]] | None = None,
    task: Task | None = None,
    name: str | None = None,
    labels: bool = True,
) -> Report:
    """Every fault of a piece.

    Args:
        source: a file, a ``Score``, or anything with a ``score``.
        ruleset: a bundled rule set's name, a user's TOML file, or a ``RuleSet``.
        key: the home key; inferred when left out.
        keys: ``(onset in quarter notes, key)`` wherever the local key changes; when left out it is
            inferred phrase by phrase.
        task: what the writer was asked to do.
        name: what the report calls the piece; its path or title if left out.
        labels: whether numerals, figures and names of cadences in the file are judged.

    Raises:
        InputError: the file cannot be read as music, it has more than four voices, or no such rule
            set or key.
    """
    rules = load_ruleset(ruleset)
    score, known_as = score_and_name(source)
    name = known_as if name is None else name
    _refuse_more_than_four(score, name)
    written = written_in(score) if labels else NOTHING
    if key is None:
        home, confidence = home_key(score)
        home = written_key(written, slices_of(score), home) if written else home
    else:
        home, confidence = key if isinstance(key, Key) else Key.parse(key), 1.0
    reading = Reading(home, tuple(keys or ()), task=task or Task(), written=written)
    passage = passage_of(score, rules, reading)
    return Report(
        file=name,
        key=home,
        key_source="inferred" if key is None else "given",
        confidence=confidence,
        keys=_keys(passage),
        ruleset=rules.name,
        findings=findings_of(passage, rules),
        chords=_chords(passage),
        cadences=_cadences(passage),
        score=score,
    )


def findings_of(passage: Passage, rules: RuleSet) -> tuple[Finding, ...]:
    """What a rule set finds in a passage, in order of time: licences applied, faults grouped."""
    judged = _licensed(violations_of(passage, rules.judged), rules)
    faults = {
        index: fault_of(v.rule, rules.severity(v.rule.code), passage, v.time, v.site)
        for index, (v, _) in enumerate(judged)
        if rules.severity(v.rule.code) >= Severity.STYLE
    }
    places = dict(zip(faults, grouped(tuple(faults.values())), strict=True))
    return tuple(
        finding(v.rule, rules, passage, v.time, v.site, places.get(index, UNGROUPED), excused)
        for index, (v, excused) in enumerate(judged)
    )


def _licensed(
    violations: Sequence[Violation], rules: RuleSet
) -> list[tuple[Violation, frozenset[str]]]:
    """The violations that no licence excuses, and with each licence the codes that it excuses.

    These are the faults that stand at its place and site; if there are none, for their rules may
    except such places themselves, those that it is a licence for.
    """
    there = {(v.time, v.site, v.rule.code) for v in violations}
    excused: set[tuple[int, tuple[int, ...], str]] = set()
    licences: list[frozenset[str]] = []
    for v in violations:
        holds = rules.severity(v.rule.code) is Severity.INFO
        codes = v.rule.licenses if holds else frozenset()
        faults = {(v.time, v.site, code) for code in codes} & there
        licences.append(frozenset(code for _, _, code in faults) or codes)
        excused |= faults
    return [
        (v, licence)
        for v, licence in zip(violations, licences, strict=True)
        if (v.time, v.site, v.rule.code) not in excused
    ]


def violations_of(passage: Passage, rules: Sequence[Rule]) -> tuple[Violation, ...]:
    """Where the rules are broken, in order of time.

    A fault of one chord is named where a voice that has part in it starts a note, not again in each
    slice that it lasts.

    Args:
        passage: what is judged.
        rules: by which.
    """
    moved = passage.slices.moved
    found: list[Violation] = []
    for rule in rules:
        sites = rule.sites.of(passage.n_voices)
        for time, column in np.argwhere(rule.found(passage)):
            site = sites[column]
            if rule.scope is not Scope.SLICE or moved[time, list(site)].any():
                found.append(Violation(int(time), rule, site))
    return tuple(sorted(found, key=lambda violation: violation.time))


def _keys(passage: Passage) -> tuple[KeyFrom, ...]:
    """Wherever the local key changes, from the first slice on."""
    context = passage.context
    found: list[KeyFrom] = []
    tracks = zip(context.tonic_pc, context.tonic_letter, context.minor, strict=True)
    for time, (pc, letter, minor) in enumerate(tracks):
        key = Key(int(pc), int(letter), Mode.MINOR if minor else Mode.MAJOR)
        if not found or found[-1].key != key:
            found.append(KeyFrom(*passage.slices.place[time], key))
    return tuple(found)


def _chords(passage: Passage) -> tuple[ChordFrom, ...]:
    place = passage.slices.place
    return tuple(ChordFrom(*place[span.start], span.name, span.key) for span in passage.chords)


def _cadences(passage: Passage) -> tuple[CadenceAt, ...]:
    place = passage.slices.place
    return tuple(CadenceAt(*place[here.arrival], here.kind, here.key) for here in passage.cadences)


def _refuse_more_than_four(score: Score, name: str) -> None:
    """Refuse what the rules, which are those of four parts, cannot judge."""
    if len(score.parts) > len(VOICE_LETTERS):
        names = ", ".join(part.name for part in score.parts[:_NAMED])
        names += ", …" if len(score.parts) > _NAMED else ""
        raise InputError(
            f"{name}: {len(score.parts)} voices ({names}), where the rules are for four at most; "
            "try leaving out what doubles or accompanies them"
        )


def score_and_name(source: str | Path | Score | HasScore) -> tuple[Score, str]:
    """The score of what ``check`` takes, and what to call it.

    Raises:
        InputError: the file cannot be read as music, or it is nothing of the kind.
    """
    if isinstance(source, str | Path):
        # Reading needs music21, which takes a second to import; a score at hand does not.
        from clausula.reading import read_score

        # A file name need not be text, but a report is.
        return read_score(source), os.fsencode(source).decode("utf-8", "replace")
    score = source if isinstance(source, Score) else getattr(source, "score", None)
    if not isinstance(score, Score):
        raise InputError(f"{type(source).__name__} is no score; try a file or a Score")
    return score, score.title or "untitled"
