"""What is asked of a copy is asked of its passage."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.automaton import accepts
from clausula.constraints.carrying import carried
from clausula.constraints.domains import Domains
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import NO_IMAGE, NO_SOURCE, tie
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.conflict import narrow
from clausula.engine.demands import Scene, demands_of
from clausula.engine.plan import make_plan
from clausula.grid import Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import N_VOICE

HOME = Key.parse("C")
TIMELINE = Timeline(Meter(2, 4), 6)
FRAMES = TIMELINE.n_frames
REPEAT = "repeat 1-2 @ 4 tonal up 1 in S"


@cache
def ties_and_domains(*texts: str):
    repeats = [parse_constraint(text) for text in texts]
    return tie(repeats, TIMELINE, HOME, Domains.full(FRAMES))


@cache
def asked(text: str):
    """An automaton, and what it asks of the passage that returns."""
    (automaton,) = parse_constraint(text).automata(TIMELINE, [HOME] * FRAMES)
    return automaton, carried(automaton, *ties_and_domains(REPEAT))


def copied(tokens: np.ndarray, ties) -> np.ndarray | None:
    """The same with every copy made; None where something has no image."""
    tokens = tokens.copy()
    for frame, voice in np.argwhere(ties.source_frame != NO_SOURCE):
        row = ties.map_of_frame[frame, voice]
        tokens[frame, voice] = ties.token_map[row, tokens[ties.source_frame[frame, voice], voice]]
    return None if (tokens == NO_IMAGE).any() else tokens


@st.composite
def pieces(draw):
    """Voice tokens ``[time, voice]``."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    tokens = rng.integers(2, N_VOICE, (FRAMES, 4))
    held = rng.random((FRAMES, 4)) < draw(st.floats(0.2, 0.95))
    held[0] = False
    return np.where(held, 1, tokens)


@pytest.mark.parametrize(
    "text", ["count 3-5 notes in S @ 4", "scale S @ 5", "contour S falling @ 4-5"]
)
@settings(deadline=None, max_examples=150)
@given(pieces())
def test_within_a_copy_it_is_exact(text, tokens):
    ties, domains = ties_and_domains(REPEAT)
    automaton, found = asked(text)
    piece = copied(tokens, ties)
    if piece is None or not allowed(domains, piece):
        return
    assert all(accepts(own, piece) for own in found) == accepts(automaton, piece)


@pytest.mark.parametrize(
    "text", ["count 6-9 notes in S @ 3-5", "count 2-12 notes in S", "stagnation 2 in S"]
)
@settings(deadline=None, max_examples=150)
@given(pieces())
def test_beyond_a_copy_it_is_necessary(text, tokens):
    ties, domains = ties_and_domains(REPEAT)
    automaton, found = asked(text)
    piece = copied(tokens, ties)
    if piece is not None and accepts(automaton, piece) and allowed(domains, piece):
        assert all(accepts(own, piece) for own in found)


def allowed(domains: Domains, tokens: np.ndarray) -> bool:
    return bool((domains.masks >> tokens.astype(np.uint32) & 1).all())


def test_a_count_over_a_copy_and_more_limits_the_passage():
    _, (own,) = asked("count 2-3 notes in S @ 4-6")
    few, many = (np.ones((FRAMES, 4), int) for _ in range(2))
    few[0, Voice.SOPRANO] = many[[0, 2, 4, 6], Voice.SOPRANO] = 12
    few[8, Voice.SOPRANO] = many[8, Voice.SOPRANO] = 13
    assert accepts(own, few)
    assert not accepts(own, many)


def test_nothing_is_asked_where_nothing_returns():
    automaton, _ = asked("count 3-5 notes in S @ 4")
    assert carried(automaton, *ties_and_domains()) == ()


def test_the_provers_and_the_search_are_told():
    constraints = [parse_constraint(t) for t in ("repeat 1-2 @ 5 in S", "count 9-9 notes in S @ 5")]
    plan = make_plan(key=HOME, meter=Meter(4, 4), measures=8, constraints=constraints)
    scene = Scene.of(plan, load_ruleset("none"))
    left = narrow(scene, demands_of(scene))
    nine = np.ones((plan.timeline.n_frames, 4), int)
    nine[0] = 12
    assert not all(accepts(group, nine) for group in left.automata)
