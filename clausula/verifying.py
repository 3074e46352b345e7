"""Verifying: a piece is written as MusicXML, read again, and judged by the file's notes alone.

The verifiers see a grid and the constraint as it was asked, nothing that the search was given.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from clausula.checker.check import check
from clausula.checker.report import Finding, Report
from clausula.constraints.cadence import Cadence
from clausula.constraints.chord_pattern import ChordPattern
from clausula.constraints.contour import Contour
from clausula.constraints.copying import MaxCopy
from clausula.constraints.counting import Climax, Count, Stagnation
from clausula.constraints.given import Given
from clausula.constraints.pattern import Pattern
from clausula.constraints.pins import Pin
from clausula.constraints.place import Place
from clausula.constraints.registry import RULES
from clausula.constraints.repeat import Repeat
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import RuleSet
from clausula.constraints.soft import Soft
from clausula.constraints.sonority import Chord, Progression, Range, Rhythm, Scale
from clausula.constraints.vary import Vary
from clausula.constraints.verify import verify_cadence, verify_pin, verify_repeat, verify_vary
from clausula.constraints.verify_contour import verify_contour
from clausula.constraints.verify_copying import verify_max_copy
from clausula.constraints.verify_counting import verify_climax, verify_count, verify_stagnation
from clausula.constraints.verify_given import verify_line, verify_notes
from clausula.constraints.verify_pattern import verify_chord_pattern, verify_pattern
from clausula.constraints.verify_sonority import (
    verify_chord,
    verify_range,
    verify_rhythm,
    verify_scale,
)
from clausula.corpus import load_chorales
from clausula.engine.plan import Constraint, Plan
from clausula.grid import Grid
from clausula.gridding import to_grid
from clausula.pitch import Key
from clausula.reading import read_score
from clausula.score import Score
from clausula.writing import write_musicxml


@dataclass(frozen=True)
class Verification:
    """One constraint as it was found in the written file.

    Attributes:
        constraint: what was asked, in words.
        holds: whether it does.
        reasons: why not; empty if it holds.
        hard: false for a wish, which a piece may break.
    """

    constraint: str
    holds: bool
    reasons: tuple[str, ...] = ()
    hard: bool = True


def requested(plan: Plan, ruleset: RuleSet) -> list[str]:
    """What was asked, a line a constraint, in the order in which it is verified."""
    return [*(str(c) for c in plan.constraints), f"rules {ruleset.name}", "the same music re-read"]


def verify(score: Score, plan: Plan, ruleset: RuleSet) -> tuple[list[Verification], Report]:
    """Write a score as MusicXML, read the file and judge what it says.

    Args:
        score: the piece.
        plan: what was asked.
        ruleset: by which it is checked, with the plan's local keys and with inferred ones.

    Returns:
        A verification for each line of ``requested``, and the checker's report on the file, without
        the faults that lie in given lines alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        write_musicxml(score, path)
        read = read_score(path)
    grid = to_grid(read, plan.key, plan.timeline.frames_per_quarter)
    rows = [
        _verification(str(c), judge(grid, c, plan) + _kept(read, c), hard=not isinstance(c, Soft))
        for c in plan.constraints
    ]
    quarter = plan.timeline.frames_per_quarter
    keys = [(Fraction(frame, quarter), key) for frame, key in plan.keys]
    faults = dict.fromkeys(
        f"{f.code} m. {f.measure} beat {f.beat}: {f.message}"
        for report in (check(read, every_hard_rule(ruleset), plan.key, keys), check(read, ruleset))
        for f in report.findings
        if f.severity is Severity.ERROR and not _of_given(f, plan)
    )
    rows.append(_verification(f"rules {ruleset.name}", list(faults)))
    differs = [] if same_music(score, read) else ["the notes differ"]
    rows.append(_verification("the same music re-read", differs))
    report = check(read, ruleset, plan.key, keys)
    findings = tuple(f for f in report.findings if not _of_given(f, plan))
    return rows, replace(report, findings=findings)


def _kept(read: Score, constraint: Constraint | Given) -> list[str]:
    """Reasons why a given line has lost a note of its own, by id."""
    if not isinstance(constraint, Given):
        return []
    return verify_notes(read.parts[constraint.voice], constraint)


def _of_given(fault: Finding, plan: Plan) -> bool:
    """Whether a fault is that of given lines alone, which no other voice can mend."""
    given = {line.voice.name[0] for line in plan.given}
    return not RULES[fault.code].of_cadence and given.issuperset(fault.voices)


def every_hard_rule(ruleset: RuleSet) -> RuleSet:
    """The rule set with every rule that generation must keep judged as an error."""
    return replace(
        ruleset,
        settings=tuple(
            replace(s, severity=Severity.ERROR) if s.hard else s for s in ruleset.settings
        ),
    )


def _verification(name: str, reasons: list[str], *, hard: bool = True) -> Verification:
    return Verification(name, not reasons, tuple(reasons), hard)


def judge(grid: Grid, constraint: Constraint | Given, plan: Plan) -> list[str]:
    """Reasons why a constraint of a plan does not hold in a grid; empty if it does."""
    match constraint:
        case Soft():
            return judge(grid, constraint.constraint, plan)
        case Vary():
            return verify_vary(grid, constraint)
        case MaxCopy():
            return verify_max_copy(grid, constraint, load_chorales().grids)
        case Cadence():
            arrival = plan.timeline.frame_of(constraint.measure, constraint.beat)
            return verify_cadence(grid, constraint, plan.timeline.phrase_end(arrival))
        case Repeat():
            return verify_repeat(grid, constraint)
        case Pin():
            return verify_pin(grid, constraint)
        case Given():
            return verify_line(grid, constraint)
        case Climax():
            return verify_climax(grid, constraint)
        case Count():
            return verify_count(grid, constraint)
        case Stagnation():
            return verify_stagnation(grid, constraint)
        case Range():
            return verify_range(grid, constraint)
        case Scale():
            return verify_scale(grid, constraint, plan.key_of_frame)
        case Chord():
            return verify_chord(grid, constraint, _key_at(plan, constraint.at))
        case Progression():
            return [
                reason
                for chord in constraint.chords(plan.timeline)
                for reason in verify_chord(grid, chord, _key_at(plan, chord.at))
            ]
        case Rhythm():
            return verify_rhythm(grid, constraint)
        case Pattern():
            return verify_pattern(grid, constraint, plan.key_of_frame)
        case ChordPattern():
            return verify_chord_pattern(grid, constraint, plan.key_of_frame)
        case Contour():
            return verify_contour(grid, constraint)


def _key_at(plan: Plan, place: Place) -> Key:
    return plan.key_at(plan.timeline.frame_of(*place))


def same_music(one: Score, other: Score) -> bool:
    """Whether onsets, durations, spelled pitches and fermatas agree part by part."""

    def music(score: Score) -> list[list[tuple]]:
        return [[(n.onset, n.duration, n.pitch, n.fermata) for n in p.notes] for p in score.parts]

    return music(one) == music(other)
