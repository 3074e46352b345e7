"""Soft constraints: what automata ask of words, and messages that look ahead of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import LEAST, ROOM, STATES, Enumeration, SmallModel
from small_search import RULES, plan_for

from clausula.constraints.algebra import conjoin, minimise, product, restrict, softened
from clausula.constraints.automaton import REFUSED, priced, universal
from clausula.constraints.domains import Domains
from clausula.constraints.text import parse_constraint
from clausula.engine import frame_messages as within_frame
from clausula.engine import layers as layered
from clausula.engine import messages
from clausula.engine.conflict import require_possible
from clausula.engine.demands import Scene, compiled, demands_of
from clausula.engine.messages_reference import reference_log_probability, reference_messages
from clausula.grid import SEARCH_ORDER, Voice

frame_messages = jax.jit(within_frame.frame_messages)
ROOMY = (LEAST[0], 8, 8)


def asked_of(automaton, words):
    """``[word]`` nats that an automaton asks, ``inf`` where it refuses, by the definition."""
    asked = np.zeros(len(words))
    for row, word in enumerate(words):
        state = automaton.start
        for layer, token in enumerate(word):
            table = automaton.table_of_layer[layer]
            if automaton.costs is not None:
                asked[row] += automaton.costs[table, state, token]
            state = int(automaton.tables[table, state, token])
            if state == REFUSED:
                asked[row] = np.inf
                break
    return asked


def soft_model(seed, weight):
    """A small model, its automaton softened, and whether the hard one accepts each word."""
    model = SmallModel(seed)
    words = Enumeration(model).words(0)
    accepted = np.isfinite(asked_of(model.automaton, words))
    model.automaton = softened(minimise(restrict(model.automaton, model.domains)), weight)
    return model, words, accepted


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_a_softened_automaton_asks_its_weight_of_what_it_would_refuse(seed):
    model, words, accepted = soft_model(seed, 2.5)
    np.testing.assert_allclose(asked_of(model.automaton, words), np.where(accepted, 0, 2.5))


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_products_and_minimised_automata_ask_the_same(seed):
    one, words, accepted = soft_model(seed, 2.5)
    rng = np.random.default_rng(seed)
    costs = np.where(rng.random((one.frames, 32)) < 0.3, 1.5, 0.0)
    voice = Voice(int(rng.integers(4)))
    other = priced(voice, costs)
    slot = list(SEARCH_ORDER).index(voice)
    expected = np.where(accepted, 0, 2.5) + sum(
        costs[frame, words[:, 4 * frame + slot]] for frame in range(one.frames)
    )
    both = product(one.automaton, other)
    (joined,) = conjoin([one.automaton, other], one.domains)
    for automaton in (both, minimise(both), joined):
        np.testing.assert_allclose(asked_of(automaton, words), expected, rtol=1e-6)


@pytest.mark.parametrize("weight", [0.5, 30.0, 500.0])
@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 2**32 - 1))
def test_messages_are_the_log_of_the_expected_price(weight, seed):
    model, words, accepted = soft_model(seed, weight)
    every = Enumeration(model)
    p = every.chances @ every.emitted(words, 0)
    log_kept = np.logaddexp.reduce(np.log(p[accepted]), initial=-np.inf)
    log_broken = np.logaddexp.reduce(np.log(p[~accepted]), initial=-np.inf)
    expected = np.logaddexp(log_kept, log_broken - weight)
    reference = reference_messages(
        model.transition, model.log_emission, model.classes, model.automaton, model.domains
    )
    start = model.automaton.start
    found = reference_log_probability(reference, model.initial, start)
    assert found == pytest.approx(expected, rel=1e-6)
    layers = layered.layers_of(model.automaton, model.domains, ROOM, ROOMY)
    if layers.cost is None:  # nothing is refused, and so nothing asked
        return
    boundary = messages.boundary_messages(layers, model.padded(ROOM))
    emission = jnp.asarray(model.log_emission[model.classes[0]])
    first = frame_messages(layers, jnp.int32(0), boundary[1], emission)[0]
    fast = within_frame.log_probability(layers, first, jnp.asarray(model.initial))
    assert float(fast) == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert np.isfinite(boundary[:1, : model.automaton.n_states[0]]).all()
    assert boundary.shape[2] == STATES


def test_a_wish_never_makes_a_plan_impossible():
    wishes = ["soft 3 range S C4-D4", "soft 2 pin soprano @ 4.3 F#4", "soft 1 HC@4.3"]
    plan = plan_for(constraints=[*wishes, "soft 4 chord V @ 1", "soft 1 repeat 1 @ 3 up P8 in S"])
    scene = Scene.of(plan, RULES)
    left = require_possible(scene, demands_of(scene))
    assert any(automaton.costs is not None for automaton in left.automata)


KINDS = [
    ("soft 2 range S D4-G4", 1),
    ("soft 2 scale S of C E G", 1),
    ("soft 2 PAC@4.3", 1),
    ("soft 2 pin bass @ 2 D3", 1),
    ("soft 2 progression I V I @ 1", 3),
    ("soft 2 climax once S", 1),
    ("soft 2 rhythm S q q @ 1", 1),
    ("soft 2 repeat 1 @ 3", 0),
    ("soft 2 vary 1 @ 3 by 1", 0),
    ("soft 2 max-copy 8", 0),
]


@pytest.mark.parametrize(("text", "automata"), KINDS)
def test_every_kind_has_a_soft_form(text, automata):
    wish = parse_constraint(text)
    assert str(parse_constraint(str(wish))) == str(wish)
    demand = compiled(wish, plan_for())
    assert len(demand.automata) == automata
    assert demand.domains is None
    assert all(automaton.costs.max() == 2 for automaton in demand.automata)


def test_a_range_asks_for_every_note_that_begins_outside():
    wish = parse_constraint("soft 2 range S D4-G4 @ 2")
    plan = plan_for()
    (automaton,) = compiled(wish, plan).automata
    tokens = np.ones((plan.timeline.n_frames, 4), int)
    tokens[[0, 16, 20, 31], 0] = [2, 3, 9, 4]  # G#3 and A3 within the span, C#4's beginning before
    word = tokens[:, SEARCH_ORDER].reshape(1, -1)
    assert asked_of(automaton, word) == [4.0]


def test_universal_asks_nothing():
    (together,) = conjoin([universal(2)], Domains.full(2))
    assert together.costs is None
