"""Composing: plan, search, choose, write, read again, verify.

Nothing is returned that was not written as MusicXML, read back, and found to hold by the checker
and by verifiers that see the file's notes alone, not what the search was given.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from clausula.checker.report import Report
from clausula.constraints.cadence import Cadence
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.constraints.text import parse_cadences, parse_constraint
from clausula.engine.plan import Constraint, Plan, make_plan
from clausula.engine.tables import compile_plan, state_counts
from clausula.errors import InputError, SearchError
from clausula.grid import Grid, Meter
from clausula.gridding import to_score
from clausula.pitch import Key
from clausula.score import Score
from clausula.verifying import Verification, requested, verify
from clausula.writing import write_midi, write_musicxml

ATTEMPTS = 3  # passes of the search, each with fresh randomness and more pieces at a time
LONGEST_MEASURES = 512
WIDEST_BEAM = 1024


@dataclass(frozen=True)
class Piece:
    """A composed piece.

    Attributes:
        grid: its notes.
        score: the same in notation.
        plan: what was decided beforehand.
        report: what was asked, what was verified, and how the search went.
        alternatives: further candidates, next best first.
    """

    grid: Grid
    score: Score
    plan: Plan
    report: dict[str, Any]
    alternatives: tuple[Piece, ...] = field(default=())

    def write(self, path: str | Path) -> None:
        """Write one file; the ending says what: .musicxml, .mid, .svg or .png.

        Raises:
            InputError: another ending, or a folder that cannot be written.
        """
        write_score(self.score, Path(path))


def write_score(score: Score, path: Path) -> None:
    """Write a score in the format that the path's ending names.

    Raises:
        InputError: another ending, or a folder that cannot be written.
    """
    # Engraving loads verovio and matplotlib, which nothing else needs.
    from clausula.engraving import write_png, write_svg

    writers: dict[str, Callable[[Score, Path], None]] = {
        ".musicxml": write_musicxml,
        ".xml": write_musicxml,
        ".mid": write_midi,
        ".midi": write_midi,
        ".svg": write_svg,
        ".png": write_png,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: no writer for {path.suffix!r}; try {', '.join(writers)}")
    writer(score, path)


def compose(
    measures: int = 16,
    key: str | Key = "G",
    *,
    mode: str | None = None,
    meter: str | Meter = "4/4",
    form: str | None = None,
    cadences: str | Sequence[Cadence] | None = None,
    constraints: Sequence[str | Constraint] = (),
    rules: str | Path | RuleSet = "chorale",
    beam: int = 32,
    candidates: int = 1,
    seed: int = 0,
    title: str = "",
    proposal: str = "transformer",
    weights: str | Path | None = None,
    style: str | None = None,
) -> Piece:
    """Compose a four-part piece that satisfies a plan and a rule set.

    Args:
        measures: full measures.
        key: home key, such as ``"G"``, ``"f# minor"``.
        mode: overrides the mode of ``key``.
        meter: time signature.
        form: letters, one a phrase, primed where varied: ``"A A' B A"``.
        cadences: in place of the form's own, such as ``"HC@4.3,PAC@8.3:V"``.
        constraints: further cadences, returns and pins, as text or values.
        rules: rule set that is kept throughout and by which the result is checked.
        beam: hypotheses kept at every step.
        candidates: distinct pieces wanted; the best is returned, the others are its alternatives.
        seed: of everything random; the same seed gives the same piece on one machine.
        title: what the piece is called.
        proposal: how notes are proposed: transformer, charrnn, biaxial, recombinant or markov.
        weights: of a proposal that ``clausula train`` wrote; the shipped one by default.
        style: tag that the proposal knows, such as bach or monteverdi.

    Returns:
        The piece nearest in taste to real ones, verified.

    Raises:
        InputError: an argument that cannot be read.
        PlanError: a plan that contradicts itself or that nothing can meet.
        CorpusError: weights are missing, or do not fit.
        SearchError: the search gave up; the message says where.
    """
    began = time.perf_counter()
    _validate(measures, beam, candidates, seed)
    home = key if isinstance(key, Key) and mode is None else Key.parse(str(key), mode)
    ruleset = load_ruleset(rules)
    plan = make_plan(
        key=home,
        meter=meter if isinstance(meter, Meter) else Meter.parse(meter),
        measures=measures,
        form=form,
        cadences=parse_cadences(cadences) if isinstance(cadences, str) else cadences,
        constraints=[parse_constraint(c) if isinstance(c, str) else c for c in constraints],
    )
    compiled = compile_plan(plan, ruleset)
    # Only now is JAX needed: a plan that fails does so at once.
    from clausula.engine.beam import SearchConfig
    from clausula.searching import Session

    session = Session(
        plan,
        compiled,
        ruleset,
        SearchConfig(beam=beam),
        proposal=proposal,
        weights=None if weights is None else Path(weights),
        style=style,
    )
    found = _search(session, plan, ruleset, candidates, seed, title or f"Chorale in {home}")
    seconds = time.perf_counter() - began
    common = {
        "seed": seed,
        "key": str(home),
        "meter": str(plan.timeline.meter),
        "measures": measures,
        "form": " ".join(str(p) for p in plan.phrases),
        "ruleset": ruleset.name,
        "beam": beam,
        "requested": requested(plan, ruleset),
        "automaton": state_counts(compiled),
        "log_p_chain_ties": round(float(session.tables.ties.log_start.sum()), 4),
        "ties_exact": round(float(session.tables.ties_exact), 4),
        "versions": session.versions,
        "seconds": round(seconds, 2),
    }
    pieces = [
        Piece(f.grid, f.score, plan, common | f.report | {"dead_ends": found.dead_ends})
        for f in found.accepted
    ]
    best, *others = pieces
    return Piece(best.grid, best.score, plan, best.report, tuple(others))


def _validate(measures: int, beam: int, candidates: int, seed: int) -> None:
    """Refuse numbers that cannot mean anything."""
    for name, value, most in (
        ("measures", measures, LONGEST_MEASURES),
        ("beam", beam, WIDEST_BEAM),
        ("candidates", candidates, beam),
    ):
        if not 1 <= value <= most:
            raise InputError(f"{name} is {value}; try a whole number from 1 to {most}")
    if not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed}; try a whole number from 0 to {2**32 - 1}")


@dataclass(frozen=True)
class _Accepted:
    grid: Grid
    score: Score
    report: dict[str, Any]
    taste: float


@dataclass
class _Found:
    accepted: list[_Accepted]
    dead_ends: int = 0
    rejected: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def reject(self, verified: Sequence[Verification]) -> None:
        """Count a draft that was turned down, and what it failed."""
        self.rejected += 1
        broken = (v for v in verified if v.hard and not v.holds)
        self.faults.update(f"{v.constraint}: {v.reasons[0]}" for v in broken)


def _search(
    session: Any, plan: Plan, ruleset: RuleSet, candidates: int, seed: int, title: str
) -> _Found:
    """Search until enough distinct pieces pass verification.

    Raises:
        SearchError: they do not, after several attempts.
    """
    from clausula.engine.taste import DISTINCT, difference, taste

    found = _Found([])
    where = ""
    for attempt in range(ATTEMPTS):
        outcome = session.search(seed, attempt)
        found.dead_ends += outcome.dead_ends
        where = outcome.first_dead_end or where
        for draft in outcome.drafts(title):
            if any(difference(draft.grid, a.grid) < DISTINCT for a in found.accepted):
                continue
            score = notated(draft.grid, plan, title)
            verified, report = verify(score, plan, ruleset)
            if report.reaches("error") or not all(v.holds or not v.hard for v in verified):
                found.reject(verified)
                continue
            found.accepted.append(
                _Accepted(
                    draft.grid, score, _report(draft, verified, report, found), taste(draft.terms)
                )
            )
            if len(found.accepted) == candidates:
                found.accepted.sort(key=lambda accepted: accepted.taste)
                return found
    if found.accepted:
        raise SearchError(
            f"only {len(found.accepted)} of {candidates} distinct candidates were found in "
            f"{ATTEMPTS} attempts; try a wider --beam or fewer --candidates"
        )
    blame = f"every hypothesis died at {where}" if where else "no draft passed verification"
    if found.rejected:
        fault, times = found.faults.most_common(1)[0]
        blame += f"; {found.rejected} drafts were turned down, {times} of them for {fault}"
    raise SearchError(
        f"gave up after {ATTEMPTS} attempts (not proved impossible): {blame}; try another --seed, "
        "a wider --beam, or fewer constraints there"
    )


def _report(
    draft: Any, verified: Sequence[Verification], report: Report, found: _Found
) -> dict[str, Any]:
    """What the report says of one accepted piece."""
    return {
        "verified": [
            {
                "constraint": v.constraint,
                "holds": v.holds,
                "hard": v.hard,
                "reasons": list(v.reasons),
            }
            for v in verified
        ],
        "findings": report.to_json()["findings"],
        "log_p_net": round(draft.log_net, 4),
        "log_q": round(draft.log_q, 4),
        "nats_per_frame": round(-draft.log_net / len(draft.grid), 4),
        "log_p_hmm_constraints": round(draft.log_hmm, 4),
        "soft_cost": round(draft.cost, 4),
        "taste": {name: round(value, 3) for name, value in draft.terms.items()},
        "rejected_before": found.rejected,
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
