"""Repair of windows: the solver finds every filling that brute force finds, and no other."""

from itertools import product

import numpy as np
import pytest

from clausula.constraints.automaton import accepts
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.conflict import narrow, witness
from clausula.engine.demands import Scene, demands_of
from clausula.engine.pairs import rule_words
from clausula.engine.plan import make_plan
from clausula.engine.repair import Window, repairs
from clausula.engine.ways import Ways, sounding_after
from clausula.grid import SEARCH_ORDER, Meter
from clausula.pitch import Key
from clausula.vocabulary import HOLD_TOKEN

RULES = load_ruleset("chorale")
# Few notes a voice, so that brute force can try everything.
FEW = [
    "scale S of G A",
    "range S G4-A4",
    "scale A of D E",
    "range A D4-E4",
    "scale T of B D",
    "range T B3-D4",
    "scale B of G",
    "range B G2-G2",
]
PLANS = {
    "free": [],
    "counted": ["count 2-3 notes in B", "stagnation 1 in S"],
    "pinned": ["pin soprano @ 1.2 A4 sounding", "climax once S"],
    "returning": ["repeat 1 @ 2 in S"],
    "moved": ["repeat 1 @ 2 in S,A", "pin alto @ 1.2 E4 sounding"],
}


def scene_of(texts):
    plan = make_plan(
        key=Key.parse("G"),
        meter=Meter(2, 16),
        measures=3,
        form="A",
        cadences=(),
        constraints=[parse_constraint(text) for text in [*FEW, *texts]],
    )
    return Scene.of(plan, RULES)


def goes_on(ways, tokens):
    """Whether whole notes keep every rule, tie and domain, place by place."""
    sounding = [0] * 4
    for frame, chosen in enumerate(tokens):
        for slot, voice in enumerate(SEARCH_ORDER):
            if chosen[voice] not in ways.allowed(frame, slot, tokens, sounding):
                return False
        sounding = sounding_after(chosen, sounding)
    return True


def by_brute_force(scene, demands, tokens, free):
    """Every filling that keeps the demands, judged by automata one by one and by tables."""
    left = narrow(scene, demands)
    words = tuple(rule_words(scene.ruleset, context) for context in left.classes)
    ways = Ways(left, words)
    automata = [automaton for demand in demands for automaton in demand.automata]
    found = [tokens]
    for frame in np.flatnonzero(free):
        heard = left.sounding[frame] | np.uint32(1 << HOLD_TOKEN)
        masks = left.domains.masks[frame] & heard
        options = [[t for t in range(32) if int(mask) >> t & 1] for mask in masks]
        filled = []
        for notes, chosen in product(found, product(*options)):
            changed = notes.copy()
            changed[frame] = chosen
            if goes_on(ways, changed[: frame + 1]):
                filled.append(changed)
        found = filled
    return {
        notes.tobytes()
        for notes in found
        if goes_on(ways, notes) and all(accepts(automaton, notes) for automaton in automata)
    }


def found_by_solver(scene, demands, tokens, free, seed=0):
    window = Window(tokens, free, ~free)
    return [
        notes.tobytes() for notes in repairs(scene, demands, window, np.random.default_rng(seed))
    ]


@pytest.mark.parametrize("frames", [(2,), (3, 4), (1, 5)], ids=str)
@pytest.mark.parametrize("name", PLANS)
def test_all_repairs_are_found_and_no_others(name, frames):
    scene = scene_of(PLANS[name])
    demands = demands_of(scene)
    tokens = witness(scene, demands, seed=1)
    free = np.isin(np.arange(len(tokens)), frames)
    found = found_by_solver(scene, demands, tokens, free)
    assert len(set(found)) == len(found)
    assert set(found) == by_brute_force(scene, demands, tokens, free)
    assert tokens.tobytes() in found
