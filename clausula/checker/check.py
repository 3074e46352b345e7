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

from clausula.checker.context import context_of, phrase_ends
from clausula.checker.keys import home_key, local_keys
from clausula.checker.report import Finding, Report, finding
from clausula.constraints.rule import Context, Rule, Scope, Sonority
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.errors import InputError
from clausula.grid import REST, VOICE_LETTERS
from clausula.pitch import Key
from clausula.score import Score
from clausula.slices import Slices, slices_of


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
) -> Report:
    """Every fault of a piece.

    Args:
        source: a file, a ``Score``, or anything with a ``score``.
        ruleset: a bundled rule set's name, a user's TOML file, or a ``RuleSet``.
        key: the home key; inferred when left out.
        keys: ``(onset in quarter notes, key)`` wherever the local key changes; when left out it is
            inferred phrase by phrase.

    Raises:
        InputError: the file cannot be read as music, it has more than four voices, or no such rule
            set or key.
    """
    rules = load_ruleset(ruleset)
    score, name = _score_of(source)
    _refuse_more_than_four(score, name)
    slices = slices_of(score)
    ends = phrase_ends(score)
    if key is None:
        home, confidence = home_key(slices)
    else:
        home, confidence = key if isinstance(key, Key) else Key.parse(key), 1.0
    local = tuple(keys) if keys else local_keys(slices, home, ends)
    context = context_of(slices, rules, local, ends)
    return Report(
        file=name,
        key=home,
        key_source="inferred" if key is None else "given",
        confidence=confidence,
        local_keys=tuple((*score.place(onset), local_key) for onset, local_key in local),
        ruleset=rules.name,
        findings=_findings(slices, rules, violations_of(slices, rules.judged, context)),
    )


def violations_of(slices: Slices, rules: Sequence[Rule], context: Context) -> tuple[Violation, ...]:
    """Where the rules are broken, in order of time.

    A fault of one chord is named where a voice that has part in it starts a note, not again in each
    slice that it lasts.

    Args:
        slices: the piece.
        rules: what is judged.
        context: of each slice, as ``context_of`` gives it.
    """
    cur = Sonority(slices.semitone, slices.step, slices.moved)
    prev = Sonority(*(_shifted(a, fill) for a, fill in zip(cur, (REST, 0, False), strict=True)))
    found: list[Violation] = []
    for rule in rules:
        sites = rule.sites.of(slices.n_voices)
        for time, column in np.argwhere(rule.violations(prev, cur, context)):
            site = sites[column]
            if rule.scope is not Scope.SLICE or slices.moved[time, list(site)].any():
                found.append(Violation(int(time), rule, site))
    return tuple(sorted(found, key=lambda violation: violation.time))


def _shifted(array: np.ndarray, fill: int) -> np.ndarray:
    """The row before each row; ``fill`` before the first."""
    return np.concatenate([np.full_like(array[:1], fill), array[:-1]])


def _findings(
    slices: Slices, ruleset: RuleSet, violations: Sequence[Violation]
) -> tuple[Finding, ...]:
    return tuple(finding(v.rule, ruleset, slices, v.time, v.site) for v in violations)


def _refuse_more_than_four(score: Score, name: str) -> None:
    """Refuse what the rules, which are those of four parts, cannot judge."""
    if len(score.parts) > len(VOICE_LETTERS):
        names = ", ".join(part.name for part in score.parts)
        raise InputError(
            f"{name}: {len(score.parts)} voices ({names}), where the rules are for four at most; "
            "try leaving out what doubles or accompanies them"
        )


def _score_of(source: str | Path | Score | HasScore) -> tuple[Score, str]:
    """The score and what to call it."""
    if isinstance(source, str | Path):
        # Reading needs music21, which takes a second to import; a score at hand does not.
        from clausula.reading import read_score

        # A file name need not be text, but a report is.
        return read_score(source), os.fsencode(source).decode("utf-8", "replace")
    score = source if isinstance(source, Score) else getattr(source, "score", None)
    if not isinstance(score, Score):
        raise InputError(f"{type(source).__name__} is no score; try a file or a Score")
    return score, score.title or "untitled"
