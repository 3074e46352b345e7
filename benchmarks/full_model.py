"""Is a conflict one? Its constraints given to CP-SAT, at their own places, with full domains.

A verdict is only about what a conflict names: constraints, the phrase ends, a rule set's ranges,
rules. They are said anew from their definitions (``full_demands``, ``full_patterns``,
``full_rules``). First the frames that they concern are tried: what is unsatisfiable there is so in
the whole piece. Otherwise the whole piece is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from full_demands import reach, say
from full_music import Music, pitches_of, tones_where
from full_rules import say_rule
from ortools.sat.python import cp_model
from random_requests import Request

from clausula.constraints.cadence import Cadence
from clausula.constraints.rulesets import RuleSet
from clausula.constraints.text import Constraint, parse_constraint
from clausula.engine.plan import Plan, make_plan
from clausula.grid import Meter, Voice
from clausula.pitch import Key

SECONDS = 120.0  # that the solver may take over one conflict
_RULE = re.compile(r"rule (\w+) \(")


class Verdict(StrEnum):
    """What the solver says of a conflict."""

    UNSATISFIABLE = "unsatisfiable"
    SATISFIABLE = "satisfiable"
    UNKNOWN = "not decided in time"
    UNSAID = "a constraint that cannot be said"


def plan_of(request: Request) -> Plan:
    """The plan that a request makes."""
    return make_plan(
        key=Key.parse(request.key),
        meter=Meter.parse(request.meter),
        measures=request.measures,
        form=request.form,
        constraints=[parse_constraint(text) for text in request.constraints],
    )


def verdict(request: Request, conflict: Sequence[str], ruleset: RuleSet) -> Verdict:
    """Whether some music keeps everything that a conflict names."""
    plan = plan_of(request)
    first = judged(plan, conflict, ruleset, concerned(plan, conflict))
    if first in (Verdict.UNSATISFIABLE, Verdict.UNSAID):
        return first
    return judged(plan, conflict, ruleset, range(plan.timeline.n_frames))


def judged(
    plan: Plan,
    names: Sequence[str],
    ruleset: RuleSet,
    frames: range,
    tokens: np.ndarray | None = None,
) -> Verdict:
    """Whether some music of these frames, or these notes themselves, keep what is named.

    Args:
        plan: the places and keys.
        names: of constraints and of what is demanded by default.
        ruleset: whose ranges and rules are meant.
        frames: those that are looked at.
        tokens: ``int[time, voice]`` voice tokens that the voices sing; anything if left out.
    """
    music = Music(plan, frames)
    arrivals = [
        plan.timeline.frame_of(c.measure, c.beat)
        for c in map(_constraint, names)
        if isinstance(c, Cadence) and c.kind.leads
    ]
    for name in names:
        constraint = _constraint(name)
        if constraint is not None:
            if not say(music, constraint):
                return Verdict.UNSAID
        elif found := _RULE.match(name):
            say_rule(music, found[1], ruleset, arrivals)
        elif name == "the phrase ends":
            _say_phrase_ends(music)
        else:
            _say_ranges(music, ruleset)
    if tokens is not None:
        music.fix(tokens)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = SECONDS
    solver.parameters.num_workers = 1
    return {
        cp_model.INFEASIBLE: Verdict.UNSATISFIABLE,
        cp_model.OPTIMAL: Verdict.SATISFIABLE,
        cp_model.FEASIBLE: Verdict.SATISFIABLE,
    }.get(solver.solve(music.model), Verdict.UNKNOWN)


def _constraint(name: str) -> Constraint | None:
    """The constraint of a name; none where what is demanded by default is meant."""
    default = name == "the phrase ends" or name.startswith("the ranges of ") or _RULE.match(name)
    return None if default else parse_constraint(name)


def concerned(plan: Plan, names: Sequence[str]) -> range:
    """The frames from the first to the last that some constraint concerns, and one on each side."""
    asked = [constraint for constraint in map(_constraint, names) if constraint is not None]
    reaches = [frames for frames in (reach(c, plan) for c in asked) if frames is not None]
    if not reaches:
        return range(plan.timeline.n_frames)
    first = min(frames.start for frames in reaches) - 1
    last = max(frames.stop for frames in reaches) + 1
    return range(max(0, first), min(plan.timeline.n_frames, last))


def _say_phrase_ends(music: Music) -> None:
    """Nothing is held into a phrase."""
    for frame in (0, *music.plan.timeline.boundaries[:-1]):
        if frame in music.frames:
            for voice in Voice:
                music[voice].not_held(frame)


def _say_ranges(music: Music, ruleset: RuleSet) -> None:
    """Every voice sings throughout, within its range."""
    for voice in Voice:
        pitches = pitches_of(voice)
        fits = (pitches >= ruleset.low[voice]) & (pitches <= ruleset.high[voice])
        for frame in music.frames:
            music[voice].only(frame, tones_where(voice, fits))
