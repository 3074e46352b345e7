"""Finding pieces: search, write, read again, verify, until enough of them hold.

Nothing is accepted that was not written as MusicXML, read back, and found to hold by the checker
and by verifiers that see the file's notes alone, not what the search was given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from clausula.checker.report import Report
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import RuleSet
from clausula.engine.plan import Plan
from clausula.engine.rendering import grid_of
from clausula.errors import SearchError
from clausula.grid import Grid
from clausula.gridding import to_score
from clausula.recovering import Broken, Pass, Step, Trouble, gave_up, passes
from clausula.score import Score
from clausula.verifying import Verification, verify


@dataclass(frozen=True)
class Accepted:
    """A draft that was verified; ``taste`` is its distance from real pieces."""

    grid: Grid
    score: Score
    report: dict[str, Any]
    taste: float


@dataclass
class Found:
    """What the passes of the search have given so far.

    Attributes:
        accepted: distinct verified pieces, nearest to real ones first.
        dead_ends: passes over a piece that left no hypothesis.
        first_dead_end: where the first pass left none, in words; empty if it left some.
        steps: what was tried, in order.
        rejected: drafts that were turned down.
        faults: what they failed.
    """

    accepted: list[Accepted]
    dead_ends: int = 0
    first_dead_end: str = ""
    steps: list[str] = field(default_factory=list)
    rejected: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def hear(self, tried: Pass) -> None:
        """Count a pass and its dead ends."""
        if tried.step is Step.FIRST:
            self.first_dead_end = tried.outcome.first_dead_end
        self.steps.append(tried.step)
        self.dead_ends += tried.outcome.dead_ends


def find(
    session: Any, plan: Plan, ruleset: RuleSet, candidates: int, seed: int, title: str
) -> Found:
    """Search until enough distinct pieces pass verification.

    Raises:
        SearchError: they do not, whatever was tried.
    """
    from clausula.engine.taste import DISTINCT, difference, taste

    def holds(tokens: np.ndarray) -> bool:
        return not _judged(grid_of(tokens, plan, title), plan, ruleset, title)[1]

    found, trouble = Found([]), Trouble()
    for tried in passes(session, seed, trouble, holds):
        found.hear(tried)
        for draft in tried.outcome.drafts(title):
            if any(difference(draft.grid, a.grid) < DISTINCT for a in found.accepted):
                continue
            drawn, faults = _judged(draft.grid, plan, ruleset, title)
            if faults:
                found.rejected += 1
                found.faults.update(faults)
                trouble.broken.append(Broken(draft.tokens, tuple(faults)))
                continue
            report = _report(draft, drawn, found, tried.step)
            found.accepted.append(Accepted(draft.grid, drawn.score, report, taste(draft.terms)))
            if len(found.accepted) == candidates:
                found.accepted.sort(key=lambda accepted: accepted.taste)
                return found
    if found.accepted:
        raise SearchError(
            f"only {len(found.accepted)} of {candidates} distinct candidates were found in "
            f"{len(found.steps)} passes; try a wider --beam or fewer --candidates"
        )
    raise _gave_up(found, gave_up(session, trouble))


class _Judged(NamedTuple):
    """A draft in notation, and what was found in its file."""

    score: Score
    verified: list[Verification]
    report: Report


def _judged(grid: Grid, plan: Plan, ruleset: RuleSet, title: str) -> tuple[_Judged, list[str]]:
    """A draft verified, and its faults in words: none if it is to be accepted."""
    score = notated(grid, plan, title)
    verified, report = verify(score, plan, ruleset)
    faults = [f"{v.constraint}: {v.reasons[0]}" for v in verified if v.hard and not v.holds]
    if report.reaches("error") and not faults:
        faults = [
            f"{f.code} m. {f.measure} beat {f.beat}: {f.message}"
            for f in report.findings
            if f.severity is Severity.ERROR
        ]
    return _Judged(score, verified, report), faults


def _gave_up(found: Found, where: str) -> SearchError:
    """The error that says what was tried, where it ended, and what drafts failed."""
    blame = [where] if where else []
    if found.rejected:
        fault, times = found.faults.most_common(1)[0]
        blame.append(f"{found.rejected} drafts were turned down, {times} of them for {fault}")
    tried = ", ".join(dict.fromkeys(found.steps))
    return SearchError(
        f"gave up after {len(found.steps)} passes ({tried}; not proved impossible): "
        f"{'; '.join(blame)}; try another --seed, a wider --beam, or fewer constraints there",
        dead_ends=found.dead_ends,
        first_dead_end=found.first_dead_end,
    )


def _report(draft: Any, judged: _Judged, found: Found, step: Step) -> dict[str, Any]:
    """What the report says of one accepted piece."""
    return {
        "verified": [
            {
                "constraint": v.constraint,
                "holds": v.holds,
                "hard": v.hard,
                "reasons": list(v.reasons),
            }
            for v in judged.verified
        ],
        "findings": judged.report.to_json()["findings"],
        "log_p_net": round(draft.log_net, 4),
        # After a restart or a repair nobody knows how likely the piece was to be drawn.
        "log_q": round(draft.log_q, 4) if step.weighted else None,
        "nats_per_frame": round(-draft.log_net / len(draft.grid), 4),
        "log_p_hmm_constraints": round(draft.log_hmm, 4),
        "soft_cost": round(draft.cost, 4),
        "taste": {name: round(value, 3) for name, value in draft.terms.items()},
        "rejected_before": found.rejected,
        "recovery": step.value,
        "first_dead_end": found.first_dead_end,
    }


def notated(grid: Grid, plan: Plan, title: str) -> Score:
    """The grid in notation, with a fermata on every note of each phrase's final chord.

    That includes inner notes that began before the others: an editor prints it on all four.
    """
    score = to_score(grid, title=title)
    ends = {Fraction(end, grid.frames_per_quarter) for _, end in plan.fermatas}
    parts = (
        replace(
            part,
            notes=tuple(replace(n, fermata=n.onset + n.duration in ends) for n in part.notes),
        )
        for part in score.parts
    )
    return replace(score, parts=tuple(parts))
