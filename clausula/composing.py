"""Composing: plan, search, choose, write, read again, verify."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from clausula.constraints.cadence import Cadence
from clausula.constraints.place import Place
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.constraints.text import parse_cadences, parse_constraint, parse_progression
from clausula.engine.chord_plan import plan_of_chords
from clausula.engine.plan import Constraint, make_plan
from clausula.engine.tables import compile_plan, state_counts
from clausula.errors import InputError
from clausula.finding import find
from clausula.grid import Meter
from clausula.piece import Piece
from clausula.pitch import Key
from clausula.verifying import requested

DEFAULT_MEASURES = 16
LONGEST_MEASURES = 512
WIDEST_BEAM = 1024


def compose(
    measures: int | None = None,
    key: str | Key = "G",
    *,
    mode: str | None = None,
    meter: str | Meter = "4/4",
    form: str | None = None,
    cadences: str | Sequence[Cadence] | None = None,
    progression: str | None = None,
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
        measures: full measures; 16, or as many as the progression fills, if left out.
        key: home key, such as ``"G"``, ``"f# minor"``.
        mode: overrides the mode of ``key``.
        meter: time signature.
        form: letters, one a phrase, primed where varied: ``"A A' B A"``.
        cadences: in place of the form's own, such as ``"HC@4.3,PAC@8.3:V"``.
        progression: its chords, such as ``"I IV | V7:2 I"``: one a beat, or as many as a colon
            says, bar lines where measures begin. Without measures, form or cadences the piece is
            one phrase that lasts as long as they do, the last one held to the end of its measure.
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
    require_counts(beam, candidates, seed)
    home = key if isinstance(key, Key) and mode is None else Key.parse(str(key), mode)
    ruleset = load_ruleset(rules)
    signature = meter if isinstance(meter, Meter) else Meter.parse(meter)
    many = [parse_constraint(c) if isinstance(c, str) else c for c in constraints]
    if progression is not None and measures is form is cadences is None:
        plan = plan_of_chords(progression, home, signature, many)
    else:
        chords = [] if progression is None else [parse_progression(progression, Place(1))]
        wanted = parse_cadences(cadences) if isinstance(cadences, str) else cadences
        measures = DEFAULT_MEASURES if measures is None else measures
        _require_between(1, LONGEST_MEASURES, measures=measures)
        plan = make_plan(
            key=home,
            meter=signature,
            measures=measures,
            form=form,
            cadences=wanted,
            constraints=[*chords, *many],
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
    found = find(session, plan, ruleset, candidates, seed, title or f"Chorale in {home}")
    seconds = time.perf_counter() - began
    common = {
        "seed": seed,
        "key": str(home),
        "meter": str(plan.timeline.meter),
        "measures": plan.timeline.measures,
        "form": " ".join(str(p) for p in plan.phrases) or "one phrase",
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


def require_counts(beam: int, candidates: int, seed: int) -> None:
    """Refuse numbers that cannot mean anything.

    Raises:
        InputError: one of them.
    """
    _require_between(1, WIDEST_BEAM, beam=beam)
    _require_between(1, beam, candidates=candidates)
    _require_between(0, 2**32 - 1, seed=seed)


def _require_between(least: int, most: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if not least <= value <= most:
            raise InputError(f"{name} is {value}; try a whole number from {least} to {most}")
