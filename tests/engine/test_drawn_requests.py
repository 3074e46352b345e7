"""Drawn requests of tiny pieces: minimal conflicts are minimal, and what exists is never refuted.

Notes are judged by the verifiers and the checker, which never see what the provers were given.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import Phase, assume, event, example, given, settings
from hypothesis import strategies as st

from clausula.checker.check import check
from clausula.constraints.automaton import accepts
from clausula.constraints.pins import Pin
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.constraints.text import Constraint, parse_constraint
from clausula.engine.conflict import refutation, require_possible, witness
from clausula.engine.demands import Demand, Scene, demands_of
from clausula.engine.plan import Plan, make_plan
from clausula.engine.rendering import grid_of
from clausula.errors import ImpossibleError
from clausula.finding import notated
from clausula.grid import REST, Grid, Meter, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.verifying import judge

CHORALE = load_ruleset("chorale")
MEASURES = 2  # of 2/8
NOTES = ("D4 F4 G4 A4 B4 D5 G5", "G3 B3 D4 F4 A4 D5", "C3 D3 G3 B3 D4 G4", "E2 G2 D3 G3 C4 D4")

voices = st.sampled_from(Voice)
measures = st.integers(1, MEASURES)
places = st.builds("{}{}".format, measures, st.sampled_from(["", ".2", ".3/2"]))
spans = st.sampled_from(["", " @ 1", " @ 2"])
sung = voices.flatmap(lambda v: st.tuples(st.just(v), st.sampled_from(NOTES[v].split())))


def pin(note: tuple[Voice, str], place: str, sounding: str) -> str:
    return f"pin {note[0].name.lower()} @ {place} {note[1]}{sounding}"


def within(voice: Voice, low: int, size: int, span: str) -> str:
    notes = NOTES[voice].split()
    return f"range {voice.name} {notes[low]}-{notes[min(low + size, len(notes) - 1)]}{span}"


def counted(least: int, more: int, what: str, voice: Voice, span: str) -> str:
    return f"count {least}-{least + more} {what or NOTES[voice].split()[2]} in {voice.name}{span}"


pins = st.builds(pin, sung, places, st.sampled_from(["", "", " sounding"]))
near_pins = st.builds(pin, sung, st.sampled_from(["1", "1.3/2"]), st.just(""))
ranges = st.builds(within, voices, st.integers(0, 4), st.integers(0, 2), spans)
notes = (
    st.builds(
        counted, st.integers(0, 5), st.integers(0, 1), st.sampled_from(["notes", ""]), voices, spans
    )
    | st.builds("climax once {.name}{}".format, voices, spans)
    | st.builds("stagnation {} in {.name}".format, st.integers(1, 2), voices)
    | st.builds("scale {.name} of {}{}".format, voices, st.sampled_from(["G A B D", "C E"]), spans)
    | st.builds("chord {} @ {}".format, st.sampled_from(["I", "ii", "V7", "V65", "vi"]), places)
    | st.builds("progression I {} @ 1".format, st.sampled_from(["IV V", "vi", "V65 I"]))
    | st.builds(
        "rhythm {.name} {} @ {}".format,
        voices,
        st.sampled_from(["e e", "q", "s s e", "e. s", "s e s"]),
        measures,
    )
)
cadences = st.builds("{}@{}".format, st.sampled_from(["PAC", "IAC", "HC", "plagal"]), st.just(2))
repeats = st.builds(
    "repeat 1 @ 2 {}in {.name}".format,
    st.sampled_from(["", "up M2 ", "down P4 ", "tonal up 2 ", "inverted about G4 "]),
    voices,
)
codes = st.sets(st.sampled_from([setting.code for setting in CHORALE.settings]), min_size=2)


def plan_of(constraints: Sequence[Constraint]) -> Plan:
    """Two measures of 2/8 in G major, without a cadence but those that are asked for."""
    return make_plan(
        key=Key.parse("G"),
        meter=Meter(2, 8),
        measures=MEASURES,
        form="A",
        cadences=(),
        constraints=constraints,
    )


def faults(tokens: np.ndarray, scene: Scene, demands: Sequence[Demand]) -> list[str]:
    """What the notes break of some demands, by the verifiers and the checker alone."""
    plan, rules = scene.plan, scene.ruleset
    grid = grid_of(tokens, plan, "drawn")
    names = {demand.name for demand in demands}
    asked = [c for c in plan.constraints if str(c) in names]
    kept = tuple(demand.rule for demand in demands if demand.rule is not None)
    codes = {setting.code for setting in kept}
    found = [
        reason
        for constraint in asked
        for reason in judge(grid, constraint, plan)
        # A cadence leaves it to the rule that the leading tone rises, its verifier does not.
        if "T01" in codes or not reason.startswith("T01")
    ]
    heard = grid.pitch != REST
    if f"the ranges of {rules.name}" in names:
        inside = (grid.pitch >= rules.low) & (grid.pitch <= rules.high)
        found += ["out of range or silent"] * int((~inside).sum())
    if "the phrase ends" in names:
        first = [0, *plan.timeline.boundaries[:-1]]
        found += ["held into a phrase"] * int((heard & ~grid.onset)[first].sum())
    keys = [(Fraction(frame, grid.frames_per_quarter), key) for frame, key in plan.keys]
    report = check(notated(grid, plan, "drawn"), replace(rules, settings=kept), plan.key, keys)
    return found + [f"{f.code}: {f.message}" for f in report.findings if f.code in codes]


def chorale_of(codes: set[str]) -> RuleSet:
    """Some of the chorale's rules."""
    return replace(CHORALE, settings=tuple(s for s in CHORALE.settings if s.code in codes))


def assert_honest(texts: list[str], codes: set[str]) -> None:
    """A refusal that calls itself minimal is; notes found for all that is asked keep all of it."""
    scene = Scene.of(
        plan_of([parse_constraint(text) for text in dict.fromkeys(texts)]), chorale_of(codes)
    )
    demands = demands_of(scene)
    try:
        require_possible(scene, demands)
    except ImpossibleError as refused:
        error = refused
    else:
        tokens = witness(scene, demands)
        event("possible" if tokens is not None else "neither proved nor found")
        assert tokens is None or faults(tokens, scene, demands) == []
        return
    event(f"{len(error.conflict)} conflict by {error.prover}, minimal: {error.minimal}")
    named = {demand.name: demand for demand in demands}
    members = [named[name] for name in error.conflict]
    assert refutation(scene, members) is not None
    for each in members:
        others = [other for other in members if other is not each]
        tokens = witness(scene, others)
        assert tokens is not None or not error.minimal
        assert tokens is not None or refutation(scene, others) is None
        assert tokens is None or faults(tokens, scene, others) == []


# What is drawn is short enough to be read, and shrinking would try many hundred requests.
drawn = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@settings(drawn, max_examples=200)
@given(st.lists(near_pins | near_pins | ranges, min_size=2, max_size=4), codes)
def test_a_minimal_conflict_of_given_notes_is_minimal(texts, codes):
    assert_honest(texts, codes)


@settings(drawn, max_examples=50)
@given(
    st.lists(pins | notes, min_size=2, max_size=3),
    st.lists(cadences, max_size=1),
    st.lists(repeats, max_size=1),
    codes,
)
# What is refuted as a passage and its copies is refuted in part over the automata.
@example(["pin soprano @ 1 D4", "climax once S"], ["PAC@2"], ["repeat 1 @ 2 in S"], {"V01", "V02"})
def test_a_minimal_conflict_of_mixed_kinds_is_minimal(texts, cadence, repeat, codes):
    assert_honest(texts + cadence + repeat, codes)


def heard_in(grid: Grid, onset: tuple[int, int], sounding: bool) -> Pin:
    """The pin of a note that stands there, at its beginning or a frame later where it sounds."""
    frame, voice = onset
    held = frame + 1 < len(grid) and not grid.onset[frame + 1, voice]
    later = frame + 1 if sounding and held else frame
    pitch = SpelledPitch(int(grid.pitch[frame, voice]), int(grid.step[frame, voice]))
    place = int(grid.measure[later]), grid.beat[later]
    return Pin(Voice(voice), *place, pitch, onset=later == frame)


@settings(drawn, max_examples=100)
@given(st.data())
def test_what_some_notes_keep_is_not_refuted_and_they_are_left(data):
    """Notes that were found, some of them pinned; beside them whatever the verifiers find true."""
    rules = chorale_of(data.draw(codes))
    base = data.draw(st.lists(notes, max_size=1)) + data.draw(st.lists(cadences, max_size=1))
    base += data.draw(st.lists(repeats, max_size=1))
    asked = [parse_constraint(text) for text in base]
    scene = Scene.of(plan_of(asked), rules)
    tokens = witness(scene, demands_of(scene), data.draw(st.integers(0, 1000)))
    assume(tokens is not None)
    plan, grid = scene.plan, grid_of(tokens, scene.plan)
    onsets = st.sampled_from([(int(f), int(v)) for f, v in np.argwhere(grid.onset)])
    given_notes = data.draw(st.lists(st.tuples(onsets, st.booleans()), min_size=1))
    more = [heard_in(grid, onset, sounding) for onset, sounding in given_notes]
    offered = [parse_constraint(text) for text in data.draw(st.lists(notes | ranges, max_size=6))]
    more += [constraint for constraint in offered if not judge(grid, constraint, plan)]
    scene = Scene.of(plan_of([*asked, *dict.fromkeys(more)]), rules)
    left = require_possible(scene, demands_of(scene))
    bits = left.domains.masks >> tokens.astype(np.uint32)
    assert (bits & 1).all()
    assert all(accepts(automaton, tokens) for automaton in left.automata)
