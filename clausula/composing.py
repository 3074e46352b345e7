"""Composing: plan, search, choose, write, read again, verify.

Nothing is returned that was not written as MusicXML, read back, and found to hold by the checker
and by verifiers that see the file's notes alone, not what the search was given.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from clausula.checker.check import check
from clausula.checker.report import Report
from clausula.constraints.cadence import Cadence
from clausula.constraints.counting import Climax, Count, Stagnation
from clausula.constraints.pins import Pin
from clausula.constraints.place import Place
from clausula.constraints.repeat import Repeat
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.constraints.sonority import Chord, Progression, Range, Rhythm, Scale
from clausula.constraints.text import parse_cadences, parse_constraint
from clausula.constraints.verify import verify_cadence, verify_pin, verify_repeat
from clausula.constraints.verify_counting import verify_climax, verify_count, verify_stagnation
from clausula.constraints.verify_sonority import (
    verify_chord,
    verify_range,
    verify_rhythm,
    verify_scale,
)
from clausula.engine.plan import Constraint, Plan, make_plan
from clausula.engine.tables import compile_plan, state_counts
from clausula.errors import InputError, SearchError
from clausula.grid import Grid, Meter
from clausula.gridding import to_grid, to_score
from clausula.pitch import Key
from clausula.reading import read_score
from clausula.score import Score
from clausula.writing import write_midi, write_musicxml

ATTEMPTS = 3  # passes of the search, each with fresh randomness and more pieces at a time
LONGEST_MEASURES = 512
WIDEST_BEAM = 1024


@dataclass(frozen=True)
class Verification:
    """One constraint as it was found in the written file.

    Attributes:
        constraint: what was asked, in words.
        holds: whether it does.
        reasons: why not; empty if it holds.
    """

    constraint: str
    holds: bool
    reasons: tuple[str, ...] = ()


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
        self.faults.update(f"{v.constraint}: {v.reasons[0]}" for v in verified if not v.holds)


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
            if report.reaches("error") or not all(v.holds for v in verified):
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
            {"constraint": v.constraint, "holds": v.holds, "reasons": list(v.reasons)}
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
        A verification for each line of ``requested``, and the checker's report on the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        write_musicxml(score, path)
        read = read_score(path)
    grid = to_grid(read, plan.key, plan.timeline.frames_per_quarter)
    rows = [_verification(str(c), judge(grid, c, plan)) for c in plan.constraints]
    quarter = plan.timeline.frames_per_quarter
    keys = [(Fraction(frame, quarter), key) for frame, key in plan.keys]
    faults = dict.fromkeys(
        f"{f.code} m. {f.measure} beat {f.beat}: {f.message}"
        for report in (check(read, every_hard_rule(ruleset), plan.key, keys), check(read, ruleset))
        for f in report.findings
        if f.severity is Severity.ERROR
    )
    rows.append(_verification(f"rules {ruleset.name}", list(faults)))
    differs = [] if same_music(score, read) else ["the notes differ"]
    rows.append(_verification("the same music re-read", differs))
    return rows, check(read, ruleset, plan.key, keys)


def every_hard_rule(ruleset: RuleSet) -> RuleSet:
    """The rule set with every rule that generation must keep judged as an error."""
    return replace(
        ruleset,
        settings=tuple(
            replace(s, severity=Severity.ERROR) if s.hard else s for s in ruleset.settings
        ),
    )


def _verification(name: str, reasons: list[str]) -> Verification:
    return Verification(name, not reasons, tuple(reasons))


def judge(grid: Grid, constraint: Constraint, plan: Plan) -> list[str]:
    """Reasons why a constraint of a plan does not hold in a grid; empty if it does."""
    match constraint:
        case Cadence():
            arrival = plan.timeline.frame_of(constraint.measure, constraint.beat)
            return verify_cadence(grid, constraint, plan.timeline.phrase_end(arrival))
        case Repeat():
            return verify_repeat(grid, constraint)
        case Pin():
            return verify_pin(grid, constraint)
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


def _key_at(plan: Plan, place: Place) -> Key:
    return plan.key_at(plan.timeline.frame_of(*place))


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


def same_music(one: Score, other: Score) -> bool:
    """Whether onsets, durations, spelled pitches and fermatas agree part by part."""

    def music(score: Score) -> list[list[tuple]]:
        return [[(n.onset, n.duration, n.pitch, n.fermata) for n in p.notes] for p in score.parts]

    return music(one) == music(other)
