"""Composing: plan, search, choose, write, read again, verify."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from clausula.constraints.cadence import Cadence
from clausula.constraints.place import Place
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.constraints.text import parse_cadences, parse_constraint, parse_progression
from clausula.engine.chord_plan import plan_of_chords
from clausula.engine.plan import Constraint, make_plan
from clausula.engine.tables import compile_plan, state_counts
from clausula.engine.taste import parse_taste, taste_weights
from clausula.errors import InputError
from clausula.finding import compared, find
from clausula.grid import Meter
from clausula.piece import Piece
from clausula.pitch import Key
from clausula.verifying import requested

DEFAULT_MEASURES = 16
LONGEST_MEASURES = 512
WIDEST_BEAM = 1024
MOST_CANDIDATES = 64
COOLEST, HOTTEST = 0.1, 10.0


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
    taste: str | Mapping[str, float] | None = None,
    temperature: float = 1.0,
    tail: float = 0.02,
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
        candidates: pieces wanted, of which each two differ in a quarter of what the voices sound,
            frame by frame; the one nearest to real pieces is returned, the others are its
            alternatives. Where fewer are found, ``report["candidates"]`` says so.
        taste: weights of the terms of the taste score (see ``clausula.engine.taste``) that ranks
            them, such as ``"nats=2,still=0"``; the others keep their own.
        temperature: divides the network's log probabilities: above 1 bolder, below 1 safer.
        tail: notes less likely than this share of the likeliest one are never chosen.
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
    require_sampling(temperature, tail)
    weights_of_taste = taste_weights(parse_taste(taste) if isinstance(taste, str) else taste)
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
        SearchConfig(beam=beam, temperature=float(temperature), tail=float(tail)),
        proposal=proposal,
        weights=None if weights is None else Path(weights),
        style=style,
    )
    title = title or f"Chorale in {home}"
    found = find(session, plan, ruleset, candidates, seed, title, weights_of_taste)
    seconds = time.perf_counter() - began
    common = {
        "seed": seed,
        "key": str(home),
        "meter": str(plan.timeline.meter),
        "measures": plan.timeline.measures,
        "form": " ".join(str(p) for p in plan.phrases) or "one phrase",
        "ruleset": ruleset.name,
        "beam": beam,
        "temperature": temperature,
        "tail": tail,
        "requested": requested(plan, ruleset),
        "automaton": state_counts(compiled),
        "log_p_chain_ties": round(float(session.tables.ties.log_start.sum()), 4),
        "ties_exact": round(float(session.tables.ties_exact), 4),
        "versions": session.versions,
        "seconds": round(seconds, 2),
    }
    common["dead_ends"] = found.dead_ends
    pieces = [
        Piece(f.grid, f.score, plan, common | f.report | compared(f, found.accepted, candidates))
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
    _require_between(1, MOST_CANDIDATES, candidates=candidates)
    _require_between(0, 2**32 - 1, seed=seed)


def _require_between(least: int, most: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if not least <= value <= most:
            raise InputError(f"{name} is {value}; try a whole number from {least} to {most}")


def require_sampling(temperature: float, tail: float) -> None:
    """Refuse what no distribution can be sampled by."""
    # Written so that NaN, which compares with nothing, is refused too.
    if not COOLEST <= temperature <= HOTTEST:
        raise InputError(
            f"temperature is {temperature:g}; try a number from {COOLEST:g} to {HOTTEST:g}"
        )
    if not 0 <= tail < 1:
        raise InputError(f"tail is {tail:g}; try a share from 0, which cuts nothing, to below 1")
