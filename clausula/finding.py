"""Finding pieces: search, write, read again, verify, until enough of them hold.

Nothing is accepted that was not written as MusicXML, read back, and found to hold by the checker
and by verifiers that see the file's notes alone, not what the search was given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from clausula.checker.report import Report
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import RuleSet
from clausula.engine.plan import Plan
from clausula.engine.rendering import grid_of
from clausula.engine.taste import DISTINCT, WEIGHTS, difference, taste, taste_report
from clausula.errors import SearchError
from clausula.grid import Grid, Voice
from clausula.gridding import to_score
from clausula.recovering import Broken, Pass, Step, Trouble, drawn, gave_up, mended
from clausula.score import Score
from clausula.verifying import Verification, verify

AT_ONCE = 16  # pieces that a pass searches at most


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

    def ranked(self) -> Found:
        """The same, the pieces nearest to real ones first."""
        return replace(self, accepted=sorted(self.accepted, key=lambda each: each.taste))


def find(
    session: Any,
    plan: Plan,
    ruleset: RuleSet,
    candidates: int,
    seed: int,
    title: str,
    weights: Mapping[str, float] = WEIGHTS,
) -> Found:
    """Search until enough distinct pieces pass verification, or give back those that did.

    Args:
        session: the search made ready.
        plan: what was asked.
        ruleset: by which drafts are judged.
        candidates: pieces wanted, each two of which differ in ``DISTINCT`` of their voice frames.
        seed: of the passes.
        title: what the pieces are called.
        weights: of the terms of taste, by which drafts are tried and ranked.

    Raises:
        SearchError: none does, whatever was tried.
    """

    def holds(tokens: np.ndarray) -> bool:
        return not _judged(grid_of(tokens, plan, title), plan, ruleset, title)[1]

    found, trouble = Found([]), Trouble()
    distinct = DISTINCT * (1 - len(plan.given) / len(Voice))  # only other voices can differ

    def every() -> Iterator[Pass]:
        yield from drawn(session, seed, trouble, partial(pieces_at_once, candidates))
        # Fewer pieces than wanted are better than more that had to be mended.
        if not found.accepted:
            yield from mended(session, seed, trouble, holds)

    for tried in every():
        found.hear(tried)
        for draft in tried.outcome.drafts(title, weights):
            if any(difference(draft.grid, a.grid) < distinct for a in found.accepted):
                continue
            judged, faults = _judged(draft.grid, plan, ruleset, title)
            if faults:
                found.rejected += 1
                found.faults.update(faults)
                trouble.broken.append(Broken(draft.tokens, tuple(faults)))
                continue
            report = _report(draft, judged, found, tried.step)
            report |= {"taste": taste_report(draft.terms, weights)}
            found.accepted.append(
                Accepted(draft.grid, judged.score, report, taste(draft.terms, weights))
            )
            if len(found.accepted) == candidates:
                return found.ranked()
    if found.accepted:
        return found.ranked()
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


def pieces_at_once(candidates: int, attempt: int) -> int:
    """How many pieces a pass searches: rows of one beam share long beginnings, pieces nothing.

    Their number is a shape of the compiled program: one, or few multiples of four.
    """
    if candidates == 1 and attempt == 0:
        return 1
    return min(-(-candidates // 4) * 4, AT_ONCE)


def _report(draft: Any, judged: _Judged, found: Found, step: Step) -> dict[str, Any]:
    """What the report says of one accepted piece."""
    log_weight = draft.log_weight if step.weighted else None
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
        "log_weight": None if log_weight is None else round(log_weight, 4),
        "nats_per_frame": round(-draft.log_net / len(draft.grid), 4),
        "log_p_hmm_constraints": round(draft.log_hmm, 4),
        "soft_cost": round(draft.cost, 4),
        "rejected_before": found.rejected,
        "rejected_for": dict(found.faults),
        "recovery": step.value,
        "first_dead_end": found.first_dead_end,
    }


def notated(grid: Grid, plan: Plan, title: str) -> Score:
    """The grid in notation, with a fermata on every note of each phrase's final chord.

    That includes inner notes that began before the others: an editor prints it on all four. Lines
    that were given are the notes that were given, and the others have fermatas where those have.
    """
    score = to_score(grid, title=title)
    ends = {Fraction(end, grid.frames_per_quarter) for _, end in plan.fermatas}
    lines = {line.voice: line.notes for line in plan.given}
    if lines:
        ends = {note.end for notes in lines.values() for note in notes if note.fermata}
    taken = {note.id for notes in lines.values() for note in notes}
    parts = (
        replace(
            part,
            notes=lines.get(
                Voice(voice),
                tuple(replace(n, id=_free(n.id, taken), fermata=n.end in ends) for n in part.notes),
            ),
        )
        for voice, part in enumerate(score.parts)
    )
    return replace(score, parts=tuple(parts))


def _free(name: str, taken: set[str]) -> str:
    """The id itself, or with letters added until no given note has it."""
    while name in taken:
        name += "x"
    return name


def compared(one: Accepted, found: Sequence[Accepted], wanted: int) -> dict[str, Any]:
    """What the report of one candidate says of the others.

    Returns:
        ``candidates``: how many were wanted and found, the least difference asked for, and by how
        much this one differs from each in order of rank, itself included: shares of voice frames.
    """
    differs = [round(difference(one.grid, other.grid), 4) for other in found]
    found_of = {"wanted": wanted, "found": len(found), "least": DISTINCT, "differs": differs}
    return {"candidates": found_of}
