"""Messages and filter against enumeration of every word and every hidden path."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import ROOM, Enumeration, SmallModel

from clausula.constraints.automaton import REFUSED, LayeredAutomaton, accepts, reachable
from clausula.constraints.domains import Domains
from clausula.engine import filter as hmm_filter
from clausula.engine import frame_messages as within_frame
from clausula.engine import layers as layered
from clausula.engine import messages
from clausula.engine.messages_reference import reference_log_probability
from clausula.engine.scaled import logs, scaled
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER

brute_force = settings(deadline=None, max_examples=250)
seeds = st.integers(0, 2**32 - 1)

frame_messages = jax.jit(within_frame.frame_messages)
segment_messages = jax.jit(messages.segment_messages)
messages_after_slots = jax.jit(within_frame.messages_after_slots)
lone_messages = jax.jit(within_frame.lone_messages)
log_probability = jax.jit(within_frame.log_probability)
step_rows = jax.jit(layered.step_rows, static_argnames="slot")
predict, emit = jax.jit(hmm_filter.predict), jax.jit(hmm_filter.emit)
token_guidance = jax.jit(hmm_filter.token_guidance)


def fast(model, frames=ROOM):
    """Boundary messages, and the four of every frame, from the JAX version."""
    layers, hmm = model.layers(frames), model.padded(frames)
    boundary = messages.boundary_messages(layers, hmm)
    within = [
        frame_messages(layers, t, boundary[t + 1], hmm.log_emission[model.classes[t]])
        for t in range(model.frames)
    ]
    return layers, boundary, within


def assert_log_equal(actual, expected, rtol=1e-4):
    """Equal where finite, and -inf in the same places."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    np.testing.assert_array_equal(np.isneginf(actual), np.isneginf(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(actual[finite], expected[finite], rtol=rtol, atol=1e-4)


@brute_force
@given(seeds)
def test_reference_equals_enumeration(seed):
    model = SmallModel(seed)
    every, log_beta = Enumeration(model), model.reference().log_beta
    reached = reachable(model.automaton, model.domains)
    for layer in range(4 * model.frames + 1):
        p = every.satisfied(layer)
        np.testing.assert_allclose(np.exp(log_beta[layer]), p, rtol=1e-6)
        np.testing.assert_array_equal(np.isfinite(log_beta[layer]), p > 0)
        np.testing.assert_array_equal(
            reached[layer], every.accepted(every.words(layer), layer).any(axis=0)
        )


@brute_force
@given(seeds)
def test_fast_equals_reference_and_the_boolean_pass(seed):
    model = SmallModel(seed)
    reference = model.reference()
    reached = reachable(model.automaton, model.domains)
    _, boundary, within = fast(model)
    width = model.automaton.width
    assert_log_equal(boundary[: model.frames + 1, :width], reference.boundary)
    log_beta = np.concatenate(within)
    assert_log_equal(log_beta[:, :width], reference.log_beta[:-1])
    finite = np.isfinite(log_beta[:, :width])
    np.testing.assert_array_equal(finite, np.broadcast_to(reached[:-1, :, None], finite.shape))
    assert np.isneginf(boundary[:, width:]).all()


@brute_force
@given(seeds)
def test_total_probability_equals_enumeration(seed):
    model = SmallModel(seed)
    every = Enumeration(model)
    words = every.words(0)
    accepted = every.accepted(words, 0)[:, model.automaton.start]
    voices = np.argsort(SEARCH_ORDER)
    for word, holds in zip(words[:50], accepted[:50], strict=True):
        assert accepts(model.automaton, word.reshape(-1, 4)[:, voices]) == holds
    total = every.chances @ every.emitted(words, 0) @ accepted
    reference = reference_log_probability(model.reference(), model.initial, model.automaton.start)
    assert np.exp(reference) == pytest.approx(total, rel=1e-6)
    layers, _, within = fast(model)
    found = log_probability(layers, within[0][0], jnp.asarray(model.initial))
    assert float(jnp.exp(found)) == pytest.approx(total, rel=1e-4)


def wide_model(seed, frames=3, width=2 * messages.BLOCK + 5, sizes=None):
    """Layers of one block, of several, and of a few states, with few successors and with many."""
    model = SmallModel(seed, frames=frames, width=width)
    rng = np.random.default_rng(seed)
    if sizes is None:
        sizes = rng.choice([1, layered.NARROW, messages.BLOCK, width], 4 * frames + 1)
        sizes[0], sizes[rng.integers(1, 4 * frames)] = 1, width
    tables = rng.integers(0, sizes[1:, None, None], (4 * frames, width, 32))
    crowded = rng.random(4 * frames) < 0.5
    tables[crowded] = np.minimum(tables[crowded], rng.integers(1, 5) - 1)
    tables[rng.random(tables.shape) < 0.3] = REFUSED
    tables[np.arange(width) >= sizes[:-1, None]] = REFUSED
    model.automaton = LayeredAutomaton(
        tables.astype(np.int32), np.arange(4 * frames, dtype=np.int32), sizes.astype(np.int32)
    )
    return model


@pytest.mark.parametrize("seed", range(3))
def test_wide_and_narrow_layers_equal_the_reference(seed):
    model = wide_model(seed)
    _, boundary, within = fast(model)
    width = model.automaton.width
    reference = model.reference()
    assert_log_equal(boundary[: model.frames + 1, :width], reference.boundary)
    assert_log_equal(np.concatenate(within)[:, :width], reference.log_beta[:-1])


@pytest.mark.parametrize("seed", range(3))
def test_frames_of_one_state_beside_others_equal_the_reference(seed):
    width = messages.BLOCK + 5
    by_frame = np.array([1, 1, layered.NARROW, 1, 1, width, width, 1])
    model = wide_model(seed, len(by_frame), width, np.append(np.repeat(by_frame, 4), 1))
    # Every token goes on, or a lone state would soon have no way to the end.
    tables = model.automaton.tables
    alive = np.arange(width) < model.automaton.n_states[:-1, None]
    tables[alive] = np.maximum(tables[alive], 0)
    layers, boundary, within = fast(model, frames=model.frames)
    # What follows the last frame is not counted, so that it is never taken for one of them.
    alone = [True, False, False, True, False, False, False, False]
    assert np.asarray(messages.alone(layers)).tolist() == alone
    reference = model.reference()
    assert np.isfinite(boundary[:, 0]).all()
    assert_log_equal(boundary[:, :width], reference.boundary)
    assert_log_equal(np.concatenate(within)[:, :width], reference.log_beta[:-1])


def test_segments_are_the_whole(monkeypatch):
    monkeypatch.setattr(messages, "SEGMENT", 2)
    model = wide_model(7, frames=7)
    layers, boundary, _ = fast(model, frames=8)
    padded = model.padded(8)
    rows = messages.checkpoints(layers, padded)
    assert_log_equal(logs(rows), boundary[::2])
    segment_messages = jax.jit(messages.segment_messages)
    for segment in range(4):
        after = jax.tree.map(lambda each, row=segment + 1: each[row], rows)
        part = segment_messages(layers, padded, segment, after)
        assert_log_equal(logs(part), boundary[2 * segment : 2 * segment + 3])


@pytest.mark.parametrize("seed", range(3))
def test_messages_after_a_slot_are_those_before_the_next(seed):
    width = messages.BLOCK + 5
    by_frame = np.array([1, 1, layered.NARROW, 1, 1, width, width, 1])
    model = wide_model(seed, len(by_frame), width, np.append(np.repeat(by_frame, 4), 1))
    layers, boundary, within = fast(model, frames=model.frames)
    lone = np.asarray(messages.alone(layers))
    assert lone.any()
    for time in range(model.frames):
        log_emission = model.padded(model.frames).log_emission[model.classes[time]]
        emission = jnp.swapaxes(jnp.exp(log_emission)[np.array(SEARCH_ORDER)], 1, 2)
        after = scaled(boundary[time + 1])
        expected = np.concatenate([within[time][1:], boundary[time + 1][None]])
        if lone[time]:
            first = jax.tree.map(lambda each: each[0], after)
            rows = logs(lone_messages(layers, time, first, emission))
            assert_log_equal(rows, expected[:, 0])
        # What other frames left is never read.
        left = jax.tree.map(lambda each: jnp.full_like(each, 7.0), after)
        room = within_frame.Slots(jax.tree.map(lambda each: jnp.stack([each] * 4), left), left)
        around = jax.tree.map(lambda each: jnp.stack([jnp.full_like(each, 3.0), each]), after)
        slots = messages_after_slots(layers, time, around, 1, emission, room)
        untouched = messages_after_slots(layers, time, around, 1, emission, room, wanted=False)
        assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), untouched, room))
        for slot in range(4):
            some = logs(jax.tree.map(lambda each, s=slot: each[s], slots.rows))
            states = int(layers.states.reshape(-1)[min(4 * time + slot + 1, 4 * model.frames - 1)])
            assert_log_equal(some[:states], expected[slot, :states])


def test_several_domains_at_once_are_each_alone():
    model = wide_model(5, frames=3)
    model.domains = Domains.full(3)
    layers, boundary, _ = fast(model, frames=model.frames)
    narrower = layers.domains & jnp.uint32(0x0F0F0F0F)
    several = layers._replace(domains=jnp.stack([layers.domains, narrower]))
    axes = layered.Layers(*(0 if field == "domains" else None for field in several._fields))
    batch = jax.vmap(messages.boundary_messages, (axes, None))(several, model.padded(3))
    assert_log_equal(batch[0], boundary)
    alone = messages.boundary_messages(layers._replace(domains=narrower), model.padded(3))
    assert_log_equal(batch[1], alone)
    assert (batch[1] < batch[0] - 0.1).any()


@pytest.mark.parametrize("states", [1, 2])
def test_the_least_likely_piece_stays_reachable(states):
    """64 pinned frames, each voice at the floor of every distribution in most states."""
    rng = np.random.default_rng(0)
    model = SmallModel(0, frames=64)
    floor = 1.5e-14
    model.transition = np.where(rng.random(model.transition.shape) < 0.7, 2e-9, 1).astype("f")
    emission = np.where(rng.random(model.log_emission.shape) < 0.9, floor, 0.03)
    model.log_emission = np.log(emission).astype("f")
    tokens = rng.integers(0, 32, (64, 4))
    model.domains = Domains(np.uint32(1) << tokens.astype(np.uint32))
    swapped = np.arange(4)[:, None] ^ (states - 1)
    tables = np.where(np.arange(4)[:, None] < states, swapped, REFUSED)
    model.automaton = LayeredAutomaton(
        np.repeat(tables[None], 32, axis=2).astype(np.int32),
        np.zeros(256, np.int32),
        np.full(257, states, np.int32),
    )
    reference = model.reference()
    _, boundary, within = fast(model, frames=64)
    assert_log_equal(boundary[:, :4], reference.boundary)
    assert_log_equal(np.concatenate(within)[:, :4], reference.log_beta[:-1])
    assert reference.boundary[0, 0].max() < -2000
    assert np.isfinite(boundary[:, :states]).all()


def filtered(model, word):
    """alpha before every layer, and the log probability of every token, along a word."""
    alpha = hmm_filter.filter_init(model.initial, 1)
    before, log_probs = [], []
    for layer, token in enumerate(word):
        frame, slot = divmod(layer, 4)
        if slot == 0 and frame > 0:
            alpha = predict(alpha, model.transition[model.classes[frame]])
        before.append(alpha)
        emission = jnp.exp(model.emission_of(layer)).T
        alpha, log_prob = emit(alpha, emission, np.array([token]))
        log_probs.append(float(log_prob[0]))
    return before, log_probs


@brute_force
@given(seeds)
def test_filter_chain_rule_equals_enumeration(seed):
    model = SmallModel(seed)
    every = Enumeration(model)
    word = np.random.default_rng(seed).choice(every.words(0))
    _, log_probs = filtered(model, word)
    of_prefixes = [
        np.log(every.chances @ every.emitted(word[None, : layer + 1], 0)[:, 0])
        for layer in range(len(word))
    ]
    np.testing.assert_allclose(np.cumsum(log_probs), of_prefixes, rtol=1e-4)


@brute_force
@given(seeds)
def test_guidance_is_the_enumerated_probability_of_satisfaction(seed):
    """All tokens at every place of a word, as far as the automaton goes along with it."""
    model = SmallModel(seed)
    every = Enumeration(model)
    layers, boundary, within = fast(model)
    word = np.random.default_rng(seed).choice(every.words(0))
    before, _ = filtered(model, word)
    q = model.automaton.start
    for layer, token in enumerate(word):
        frame, slot = divmod(layer, 4)
        after = within[frame][slot + 1] if slot < 3 else boundary[frame + 1]
        successor, kind = step_rows(layers, frame, slot, np.array([q]))
        rows = jnp.where((successor == REFUSED)[..., None], -jnp.inf, after[successor])
        leads = jax.tree.map(lambda each: each[None], scaled(rows[0]))
        emission = jnp.exp(model.emission_of(layer)).T
        guidance = token_guidance(before[layer], leads, kind, emission)[0]
        expected = every.satisfied_after_each(word, layer, q)
        np.testing.assert_allclose(np.exp(guidance), expected, rtol=1e-3, atol=1e-7)
        np.testing.assert_array_equal(np.isfinite(guidance), expected > 0)
        q = int(model.automaton.tables[layer, q, token])
        if q == REFUSED:
            return


def test_nothing_accepted_is_a_value():
    model = SmallModel(1)
    tables = np.full_like(model.automaton.tables, REFUSED)
    model.automaton = LayeredAutomaton(
        tables, model.automaton.table_of_layer, model.automaton.n_states
    )
    layers, _, within = fast(model)
    total = log_probability(layers, within[0][0], jnp.asarray(model.initial))
    assert float(total) == -np.inf


def test_only_the_first_row_when_asked():
    model = SmallModel(2)
    layers, boundary, _ = fast(model)
    first = messages.boundary_messages(layers, model.padded(ROOM), keep_all=False)
    np.testing.assert_array_equal(first, boundary[:1])


def test_equal_buckets_are_compiled_once():
    shorter, longer = SmallModel(3, frames=2), SmallModel(4, frames=3)
    fast(shorter)
    compiled = messages.boundary_messages._cache_size()
    layers, _, _ = fast(longer)
    assert layers.active.tolist() == [True, True, True, False]
    assert messages.boundary_messages._cache_size() == compiled


def test_lengths_must_agree():
    model = SmallModel(5, frames=2)
    with pytest.raises(PlanError, match="compile all for the same timeline"):
        layered.layers_of(model.automaton, Domains.full(3))
    with pytest.raises(PlanError, match="room for 1 frames"):
        layered.layers_of(model.automaton, model.domains, frames=1)
