"""The solver that confirms conflicts: it finds every witness, and judges notes as verifiers do."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ortools")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from full_model import Verdict, concerned, judged

from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.conflict import witness
from clausula.engine.demands import Scene, demands_of
from clausula.engine.plan import make_plan
from clausula.engine.rendering import grid_of
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.verifying import judge
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN

RULES = load_ruleset("chorale")
NO_RULES = replace(RULES, settings=())

SAID = [
    "PAC@4.2",
    "IAC@4.2",
    "DC@4.2",
    "HC@4.2",
    "plagal@4.2",
    "phrygian@4.2 in vi",
    "PAC@4 in V",
    "pin tenor @ 2.2 B3",
    "pin soprano @ 3 D5 sounding",
    "repeat 1 @ 3 in S",
    "repeat 1 @ 3 up M2 in S,B",
    "repeat 1 @ 3 tonal down 1 in A",
    "repeat 1 @ 3 inverted about B4 in S",
    "climax once S",
    "climax once S @ 2",
    "count 3-4 notes in B @ 1-2",
    "count 2 G4 in S",
    "stagnation 1 in A",
    "range S E4-B4",
    "scale A of G A B D E",
    "scale B @ 2-3",
    "chord ii6 @ 1.2",
    "progression I IV6 V65 I @ 1",
    "rhythm T e e q @ 1",
    "pattern S degrees 1 2 3 (4 | 5)+ .* @ 1",
    "pattern A pitches (G4 A4 | D4 E4)* @ 1-2",
    "pattern B intervals (+2 | -2 | 1)* @ 3",
    "pattern T durations (q | e e | h)* @ 1-2",
    "pattern chords I (IV | ii6) V7? I @ 2-3",
    "contour S rising @ 1-2",
    "contour S arch @ 2",
    "contour B valley @ 1-3",
]


def scene_of(texts, rules=NO_RULES):
    plan = make_plan(
        key=Key.parse("G"),
        meter=Meter(2, 4),
        measures=4,
        form="A",
        cadences=(),
        constraints=[parse_constraint(text) for text in texts],
    )
    return Scene.of(plan, rules)


def verdict_of(scene, names, tokens=None):
    whole = range(scene.plan.timeline.n_frames)
    return judged(scene.plan, names, RULES, whole, tokens)


def changed(tokens, times, rng):
    """The same notes with a few tokens, or many, drawn anew."""
    tokens = tokens.copy()
    for _ in range(times):
        frame, voice = rng.integers(1, len(tokens)), rng.integers(4)
        near = rng.integers(FIRST_PITCH, 32)
        tokens[frame, voice] = rng.choice([HOLD_TOKEN, near])
    return tokens


def near(text, rng):
    """Notes that keep a constraint, and some that may not."""
    scene = scene_of([text])
    kept = witness(scene, demands_of(scene))
    free = witness(scene_of([]), demands_of(scene_of([])))
    return kept, [free, *(changed(kept, times, rng) for times in (1, 2, 3, 20, 80))]


def agrees(text, scene, tokens):
    """Whether the constraint holds, about which the solver and the verifier are of one mind."""
    constraint = parse_constraint(text)
    reasons = judge(grid_of(tokens, scene.plan), constraint, scene.plan)
    # A cadence leaves it to the rule that the leading tone rises, its verifier does not.
    holds = all(reason.startswith("T01") for reason in reasons)
    expected = Verdict.SATISFIABLE if holds else Verdict.UNSATISFIABLE
    assert verdict_of(scene, [text], tokens) is expected, reasons
    return holds


@pytest.mark.parametrize("text", SAID)
def test_notes_are_judged_as_the_verifiers_judge_them(text):
    scene = scene_of([text])
    kept, others = near(text, np.random.default_rng(0))
    assert agrees(text, scene, kept)
    assert {agrees(text, scene, tokens) for tokens in [kept, *others]} == {True, False}


def test_what_keeps_everything_is_found():
    texts = ["PAC@4.2", "repeat 1 @ 3 in S", "chord ii6 @ 1.2", "pin bass @ 2 G3"]
    scene = scene_of(texts, RULES)
    demands = demands_of(scene)
    tokens = witness(scene, demands)
    names = [demand.name for demand in demands]
    assert verdict_of(scene, names, tokens) is Verdict.SATISFIABLE
    assert verdict_of(scene, [*names, "pin bass @ 2 A2"], tokens) is Verdict.UNSATISFIABLE


def test_a_varied_return_is_counted_as_its_verifier_counts_it():
    text = "vary 1 @ 3 by 1-2 in S"
    scene = scene_of([text])
    kept, others = near("repeat 1 @ 3 in S", np.random.default_rng(1))
    assert {agrees(text, scene, tokens) for tokens in [kept, *others]} == {True, False}


IMPOSSIBLE = {
    "a cadence": "PAC@4; pin soprano @ 4 A4",
    "crossing": "rule V04 (Voice crossing) of chorale; pin soprano @ 2 E4; pin alto @ 2 A4",
    "a climax": "climax once S @ 2; pin soprano @ 3 G5; range S D4-G5",
    "no new note": "count 0 notes in T @ 3; rhythm T h @ 2; the ranges of chorale",
    "a return": "repeat 1 @ 3 up M2 in S; pin soprano @ 1 G4; pin soprano @ 3 B4",
    "too few changes": "vary 1 @ 3 by 0-1 in S; pin soprano @ 1 G4; pin soprano @ 3 A4; "
    "pin soprano @ 1.2 G4; pin soprano @ 3.2 A4",
    "parallel fifths": "rule M01 (Parallel fifths) of chorale; rhythm S h @ 2; rhythm B h @ 2; "
    "pin soprano @ 2 A4; pin bass @ 2 D3; pin soprano @ 3 B4; pin bass @ 3 E3",
    "stagnation": "stagnation 1 in B; pin bass @ 2 D3; rhythm B q q @ 2; pin bass @ 2.2 D3",
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_conflict_is_one_and_nothing_less_is(kind):
    names = IMPOSSIBLE[kind].split("; ")
    scene = scene_of([name for name in names if not name.startswith(("rule", "the"))])
    frames = concerned(scene.plan, names)
    assert judged(scene.plan, names, RULES, frames) is Verdict.UNSATISFIABLE
    for name in names:
        others = [other for other in names if other != name]
        assert judged(scene.plan, others, RULES, frames) is Verdict.SATISFIABLE
