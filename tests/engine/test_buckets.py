"""Plans that differ in what they ask have tables of the same shapes: one compiled program."""

import jax
import numpy as np
import pytest
from small_search import RULES, controls_for, plan_for, small_hmm

from clausula.engine.tables import compile_plan, search_tables
from clausula.neural.features import AGES

USUAL = "A A' B A"
PLANS = {
    "other cadences": plan_for(8, form=USUAL, cadences="IAC@2,HC@4,PAC@6:V,PAC@8.3"),
    "another meter, mode and form": plan_for(8, key="e", form="A B A C", meter="3/4"),
    "another return": plan_for(8, form="A B", constraints=["repeat 1-2 @ 5 tonal up 1 in S,B"]),
    "a chord and scales": plan_for(8, form=USUAL, constraints=["chord V65 @ 3.2", "scale A @ 1"]),
    "a progression": plan_for(8, form=USUAL, constraints=["progression ii6 V7 I @ 3"]),
    "a rhythm and a range": plan_for(
        8, form=USUAL, constraints=["rhythm T q e e h @ 3", "range S D4-G5"]
    ),
    "a count": plan_for(8, form=USUAL, constraints=["count 4-9 notes in T @ 1-2"]),
}


def shapes(plan):
    """Shape and type of every table, as shipped."""
    compiled = compile_plan(plan, RULES)
    tables = search_tables(plan, compiled, RULES, small_hmm(), controls_for(plan), AGES - 1)
    leaves = jax.tree_util.tree_flatten_with_path(tables)[0]
    return {jax.tree_util.keystr(path): (np.shape(v), np.asarray(v).dtype) for path, v in leaves}


@pytest.fixture(scope="module")
def usual():
    return shapes(plan_for(8, form=USUAL))


@pytest.mark.parametrize("name", PLANS)
def test_usual_plans_share_one_program(name, usual):
    assert shapes(PLANS[name]) == usual


def test_a_stagnation_asks_for_more_room(usual):
    """Wider automata are another program: the buckets end somewhere."""
    wide = shapes(plan_for(8, form=USUAL, constraints=["stagnation 3 in S"]))
    assert {name for name in wide if wide[name] != usual[name]} == {
        ".layers[0].successor",
        ".layers[0].kind",
        ".layers[0].group_of_kind",
        ".layers[0].accepting",
        ".reachable[0]",
    }
