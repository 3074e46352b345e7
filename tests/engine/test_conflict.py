"""Conflicts: irreducible, minimal where called so, and witnesses that keep what they should."""

import re

import numpy as np
import pytest

from clausula.checker.check import check
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.conflict import quickxplain, refutation, witness
from clausula.engine.demands import Demand, Scene, demands_of
from clausula.engine.plan import make_plan
from clausula.engine.rendering import grid_of
from clausula.engine.tables import compile_plan
from clausula.errors import ImpossibleError
from clausula.finding import notated
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.verifying import judge

RULES = load_ruleset("chorale")


def plan_of(*constraints, measures=8, form="A B", key="G", meter="4/4"):
    return make_plan(
        key=Key.parse(key),
        meter=Meter.parse(meter),
        measures=measures,
        form=form,
        constraints=[parse_constraint(text) for text in constraints],
    )


@pytest.mark.parametrize("seed", range(200))
def test_a_drawn_conflict_is_irreducible(seed):
    """Sets of numbers; impossible are those that contain one of some drawn kernels."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 12))
    kernels = [
        frozenset(rng.choice(size, rng.integers(1, min(4, size) + 1), replace=False).tolist())
        for _ in range(rng.integers(1, 4))
    ]
    demands = [Demand(str(number)) for number in range(size)]

    def refuted(some):
        return any(kernel <= {int(demand.name) for demand in some} for kernel in kernels)

    found = quickxplain(demands, refuted)
    assert refuted(found)
    assert not any(refuted([d for d in found if d is not each]) for each in found)


IMPOSSIBLE = [
    (["pin bass @ 5 D3", "pin bass @ 5 E3"], ["pin bass @ 5 D3", "pin bass @ 5 E3"], "place"),
    (
        ["pin soprano @ 5 D4", "pin alto @ 5 A4"],
        ["rule V04 (Voice crossing) of chorale", "pin soprano @ 5 D4", "pin alto @ 5 A4"],
        "two-voice",
    ),
    (["chord V @ 6", "pin bass @ 6 G3"], ["chord V @ 6", "pin bass @ 6 G3"], "place"),
    (["pin soprano @ 8.3 A4"], ["PAC@8.3", "pin soprano @ 8.3 A4"], "place"),
    (["count 3 notes in B", "rhythm B q q q q @ 3"], None, "boolean"),
    (
        ["climax once S", "pin soprano @ 2 G5", "pin soprano @ 3 G5"],
        None,
        "boolean",
    ),
    (["range S C4-F4"], None, "place"),
    (["repeat 1 @ 3 up P8 in S", "pin soprano @ 1 A4"], None, "copies"),
    (
        ["repeat 1-2 @ 5 in S", "climax once S @ 5-6"],
        ["repeat 1-2 @ 5 in S", "climax once S @ 5-6"],
        "copies",
    ),
]


@pytest.mark.parametrize(("texts", "conflict", "prover"), IMPOSSIBLE)
def test_a_conflict_is_named_and_minimal(texts, conflict, prover):
    with pytest.raises(ImpossibleError) as raised:
        compile_plan(plan_of(*texts), RULES)
    error = raised.value
    assert prover in error.prover
    assert error.minimal
    if conflict is not None:
        assert sorted(error.conflict) == sorted(conflict)
    # Each is refuted together, and nothing is where one of them is left out.
    scene = Scene.of(plan_of(*texts), RULES)
    named = {demand.name: demand for demand in demands_of(scene)}
    members = [named[name] for name in error.conflict]
    assert refutation(scene, members) is not None
    for each in members:
        assert refutation(scene, [other for other in members if other is not each]) is None
    lines = error.lines().splitlines()
    assert lines[0].startswith("impossible, proved by")
    assert "minimal" in lines[0]
    assert [line.strip() for line in lines[1:-1]] == list(error.conflict)


POSSIBLE = [
    ["pin soprano @ 2 D5", "pin bass @ 2 G3", "climax once S"],
    ["repeat 1 @ 3 up M2 in S", "count 20-30 notes in B"],
    ["chord V65 @ 4 for 2", "scale S @ 1-8", "stagnation 3 in S"],
    ["rhythm S q e e h @ 2", "range S D4-E5", "HC@4.3"],
    ["repeat 1 @ 3 up P5 in S,B", "repeat 1 @ 6 inverted about B4 in S", "repeat 2 @ 7 in A,T"],
]


@pytest.mark.parametrize("texts", POSSIBLE)
def test_a_witness_keeps_everything(texts):
    """Judged by the verifiers and the checker, which never saw what the walk was given."""
    plan = plan_of(*texts)
    scene = Scene.of(plan, RULES)
    tokens = witness(scene, demands_of(scene))
    assert tokens is not None
    grid = grid_of(tokens.astype(np.int8), plan, "witness")
    for constraint in plan.constraints:
        assert judge(grid, constraint, plan) == [], str(constraint)
    # What chords ask is masked in the search alone, and so is a new key's spelling of what is held
    # into it.
    codes = {s.code for s in RULES.settings if s.hard} - {"V05", "T03"}
    if len(plan.keys) > 1:
        codes.remove("T08")
    report = check(notated(grid, plan, "witness"), RULES, keys=[(0, plan.key)])
    assert not [f for f in report.findings if f.code in codes]


def test_provers_refute_no_possible_plan():
    for texts in POSSIBLE:
        assert compile_plan(plan_of(*texts), RULES).automata


def test_names_say_what_a_user_wrote():
    scene = Scene.of(plan_of("pin bass @ 5 D3"), RULES)
    names = [demand.name for demand in demands_of(scene)]
    assert len(set(names)) == len(names)
    assert names[-1] == "pin bass @ 5 D3"  # what is asked for is blamed first
    assert any(re.fullmatch(r"rule V04 \(.+\) of chorale", name) for name in names)
