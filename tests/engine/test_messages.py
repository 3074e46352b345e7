"""Messages and filter against enumeration of every word and every hidden path."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clausula.constraints.automaton import REFUSED, LayeredAutomaton, accepts, reachable
from clausula.constraints.domains import Domains
from clausula.engine import filter as hmm_filter
from clausula.engine import layers as layered
from clausula.engine import messages
from clausula.engine.messages_reference import reference_log_probability, reference_messages
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER

STATES = 3
MODELS = range(24)
LAYERS = 12  # every small model has as many tables, so that the models share compiled programs

frame_messages = jax.jit(messages.frame_messages)
step_rows = jax.jit(layered.step_rows, static_argnames="slot")
predict, emit = jax.jit(hmm_filter.predict), jax.jit(hmm_filter.emit)
token_guidance = jax.jit(hmm_filter.token_guidance)


class Model:
    """A random tiny HMM, automaton and domains."""

    def __init__(self, seed, frames=None, width=4, classes=2, states=STATES):
        rng = np.random.default_rng(seed)
        self.frames = frames or int(rng.integers(1, 4))
        layers = 4 * self.frames
        self.initial = rng.dirichlet(np.ones(states)).astype(np.float32)
        self.transition = rng.dirichlet(np.ones(states), (classes, states)).astype(np.float32)
        emission = rng.dirichlet(np.full(32, 0.3), (classes, 4, states)).astype(np.float32)
        self.log_emission = np.log(np.maximum(emission, 1e-9))
        self.classes = rng.integers(0, classes, self.frames).astype(np.int32)
        n_states = np.append(1, rng.integers(1, width + 1, layers)).astype(np.int32)
        tables = np.full((max(layers, LAYERS), width, 32), REFUSED, np.int32)
        for layer in range(layers):
            tables[layer, : n_states[layer]] = rng.integers(
                REFUSED, n_states[layer + 1], (n_states[layer], 32)
            )
        self.automaton = LayeredAutomaton(tables, np.arange(layers, dtype=np.int32), n_states)
        choices = 3 if self.frames == 1 else 2
        masks = np.zeros((self.frames, 4), np.uint32)
        for cell in np.ndindex(masks.shape):
            for token in rng.choice(32, rng.integers(1, choices + 1), replace=False):
                masks[cell] |= np.uint32(1 << int(token))
        self.domains = Domains(masks)

    def words(self, first_layer):
        """``[word, layer]`` every allowed word of the layers from ``first_layer`` on."""
        sets = [np.flatnonzero(allowed) for allowed in self.domains.by_layer()[first_layer:]]
        return np.array(list(product(*sets)), int)

    def accepted(self, words, first_layer, q):
        """``[word]`` whether the automaton accepts each from state ``q``."""
        states = np.full(len(words), q)
        for layer in range(words.shape[1]):
            table = self.automaton.tables[self.automaton.table_of_layer[first_layer + layer]]
            states = np.where(states >= 0, table[states, words[:, layer]], REFUSED)
        return states >= 0

    def suffix_probability(self, words, first_layer, z):
        """``[word]`` P(word | state ``z`` of the first layer's frame), over all hidden paths."""
        first_frame = min(first_layer // 4, self.frames - 1)
        total = np.zeros(len(words))
        for rest in product(range(STATES), repeat=self.frames - 1 - first_frame):
            path = (z, *rest)
            p = np.ones(len(words))
            for frame in range(first_frame + 1, self.frames):
                here = frame - first_frame
                p *= self.transition[self.classes[frame], path[here - 1], path[here]]
            for column in range(words.shape[1]):
                frame, slot = divmod(first_layer + column, 4)
                emission = self.log_emission[self.classes[frame], SEARCH_ORDER[slot]]
                p *= np.exp(emission[path[frame - first_frame], words[:, column]].astype(float))
            total += p
        return total

    def padded(self, frames):
        """The hidden Markov model, with classes for so many frames."""
        classes = np.pad(self.classes, (0, frames - self.frames))
        arrays = (classes, self.transition, self.log_emission)
        return messages.Model(*(jnp.asarray(array) for array in arrays))

    def fast(self, frames=None):
        """Boundary messages, and the four of every frame, from the JAX version."""
        layers = layered.layers_of(self.automaton, self.domains, frames)
        boundary = messages.boundary_messages(layers, self.padded(len(layers.table)))
        within = [
            frame_messages(
                layers,
                jnp.int32(t),
                boundary[t + 1],
                jnp.asarray(self.log_emission)[int(self.classes[t])],
            )
            for t in range(self.frames)
        ]
        return layers, boundary, within

    def reference(self):
        return reference_messages(
            self.transition, self.log_emission, self.classes, self.automaton, self.domains
        )


def assert_log_equal(actual, expected, rtol=1e-4):
    """Equal where finite, and -inf in the same places."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    np.testing.assert_array_equal(np.isneginf(actual), np.isneginf(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(actual[finite], expected[finite], rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("seed", MODELS)
def test_reference_equals_enumeration(seed):
    model = Model(seed)
    log_beta = model.reference().log_beta
    reached = reachable(model.automaton, model.domains)
    for layer in range(4 * model.frames + 1):
        words = model.words(layer)
        for q in range(model.automaton.n_states[layer]):
            accepted = model.accepted(words, layer, q)
            assert reached[layer, q] == accepted.any()
            for z in range(STATES):
                p = model.suffix_probability(words, layer, z)[accepted].sum()
                assert np.exp(log_beta[layer, q, z]) == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("seed", MODELS)
def test_total_probability_equals_enumeration(seed):
    model = Model(seed)
    words = model.words(0)
    accepted = model.accepted(words, 0, model.automaton.start)
    voices = np.argsort(SEARCH_ORDER)
    for word, holds in zip(words[:50], accepted[:50], strict=True):
        assert accepts(model.automaton, word.reshape(-1, 4)[:, voices]) == holds
    total = sum(
        model.initial[z] * model.suffix_probability(words, 0, z)[accepted].sum()
        for z in range(STATES)
    )
    reference = reference_log_probability(model.reference(), model.initial, model.automaton.start)
    assert np.exp(reference) == pytest.approx(total, rel=1e-6)
    layers, _, within = model.fast(frames=4)
    fast = messages.log_probability(layers, within[0][0], jnp.asarray(model.initial))
    assert float(jnp.exp(fast)) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("seed", MODELS)
def test_fast_equals_reference_and_the_boolean_pass(seed):
    model = Model(seed)
    reference = model.reference()
    reached = reachable(model.automaton, model.domains)
    _, boundary, within = model.fast(frames=4)
    width = model.automaton.width
    assert_log_equal(boundary[: model.frames + 1, :width], reference.boundary)
    for frame in range(model.frames):
        rows = slice(4 * frame, 4 * frame + 4)
        assert_log_equal(within[frame][:, :width], reference.log_beta[rows])
        finite = np.asarray(within[frame][:, :width]) > -np.inf
        np.testing.assert_array_equal(
            finite, np.broadcast_to(reached[rows][..., None], finite.shape)
        )
    assert np.isneginf(boundary[:, width:]).all()


def wide_model(seed, frames=3, width=2 * messages.BLOCK + 5, sizes=None):
    """Layers of one block, of several, and of a few states, with few successors and with many."""
    model = Model(seed, frames=frames, width=width)
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
    _, boundary, within = model.fast()
    width = model.automaton.width
    reference = model.reference()
    assert_log_equal(boundary[:, :width], reference.boundary)
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
    layers, boundary, within = model.fast()
    # What follows the last frame is not counted, so that it is never taken for one of them.
    alone = [True, False, False, True, False, False, False, False]
    assert np.asarray(messages._alone(layers)).tolist() == alone
    reference = model.reference()
    assert np.isfinite(boundary[:, 0]).all()
    assert_log_equal(boundary[:, :width], reference.boundary)
    assert_log_equal(np.concatenate(within)[:, :width], reference.log_beta[:-1])


def test_segments_are_the_whole(monkeypatch):
    monkeypatch.setattr(messages, "SEGMENT", 2)
    model = wide_model(7, frames=7)
    layers, boundary, _ = model.fast(frames=8)
    padded = model.padded(8)
    rows = messages.checkpoints(layers, padded)
    assert_log_equal(rows, boundary[::2])
    segment_messages = jax.jit(messages.segment_messages)
    for segment in range(4):
        part = segment_messages(layers, padded, segment, rows[segment + 1])
        assert_log_equal(part, boundary[2 * segment : 2 * segment + 3])


def test_several_domains_at_once_are_each_alone():
    model = wide_model(5, frames=3)
    layers, boundary, _ = model.fast()
    narrower = layers.domains & jnp.uint32(0x0F0F0F0F)
    several = layers._replace(domains=jnp.stack([layers.domains, narrower]))
    axes = layered.Layers(*(0 if field == "domains" else None for field in several._fields))
    batch = jax.vmap(messages.boundary_messages, (axes, None))(several, model.padded(3))
    assert_log_equal(batch[0], boundary)
    alone = messages.boundary_messages(layers._replace(domains=narrower), model.padded(3))
    assert_log_equal(batch[1], alone)
    assert (np.isneginf(batch[1]) != np.isneginf(batch[0])).any()


@pytest.mark.parametrize("states", [1, 2])
def test_the_least_likely_piece_stays_reachable(states):
    """64 pinned frames, each voice at the floor of every distribution in most states."""
    rng = np.random.default_rng(0)
    model = Model(0, frames=64)
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
    _, boundary, within = model.fast()
    assert_log_equal(boundary[:, :4], reference.boundary)
    assert_log_equal(np.concatenate(within)[:, :4], reference.log_beta[:-1])
    assert reference.boundary[0, 0].max() < -2000
    assert np.isfinite(boundary[:, :states]).all()


def filtered(model, word):
    """log_alpha before every layer, and the log probability of every token, along a word."""
    alpha = hmm_filter.filter_init(jnp.asarray(model.initial), 1)
    before, log_probs = [], []
    for layer, token in enumerate(word):
        frame, slot = divmod(layer, 4)
        if slot == 0 and frame > 0:
            alpha = predict(alpha, jnp.asarray(model.transition[model.classes[frame]]))
        before.append(alpha)
        emission = model.log_emission[model.classes[frame], SEARCH_ORDER[slot]]
        alpha, log_prob = emit(alpha, jnp.asarray(emission), jnp.array([token]))
        log_probs.append(float(log_prob[0]))
    return before, log_probs


@pytest.mark.parametrize("seed", MODELS)
def test_filter_chain_rule_equals_enumeration(seed):
    model = Model(seed)
    word = model.words(0)[-1:]
    total = sum(model.initial[z] * model.suffix_probability(word, 0, z)[0] for z in range(STATES))
    _, log_probs = filtered(model, word[0])
    assert sum(log_probs) == pytest.approx(np.log(total), rel=1e-4)


@pytest.mark.parametrize("seed", MODELS)
def test_guidance_is_the_enumerated_probability_of_satisfaction(seed):
    model = Model(seed)
    words = model.words(0)
    layers, boundary, within = model.fast(frames=4)
    rng = np.random.default_rng(seed)
    word = words[rng.integers(len(words))]
    before, _ = filtered(model, word)
    q = model.automaton.start
    for layer, token in enumerate(word):
        frame, slot = divmod(layer, 4)
        after = within[frame][slot + 1] if slot < 3 else boundary[frame + 1]
        successor, kind = step_rows(layers, jnp.int32(frame), slot, jnp.array([q]))
        emission = jnp.asarray(model.log_emission[model.classes[frame], SEARCH_ORDER[slot]])
        guidance = token_guidance(before[layer], after, successor, kind, emission)[0]
        for x in range(32):
            expected = enumerated_satisfaction(model, word, layer, x, q)
            assert np.exp(float(guidance[x])) == pytest.approx(expected, rel=1e-3, abs=1e-7)
            assert (guidance[x] > -jnp.inf) == (expected > 0)
        q = int(model.automaton.tables[layer, q, token])
        if q == REFUSED:
            return


def enumerated_satisfaction(model, word, layer, token, q):
    """P(rest satisfies | word up to the layer, then token) by summing over words and paths."""
    allowed = model.domains.by_layer()
    after = model.automaton.tables[layer, q, token]
    if not allowed[layer, token] or after == REFUSED:
        return 0.0
    suffixes = model.words(layer + 1)
    accepted = model.accepted(suffixes, layer + 1, after)
    prefix = np.append(word[:layer], token)
    whole = np.concatenate([np.tile(prefix, (len(suffixes), 1)), suffixes], axis=1)
    joint = sum(
        model.initial[z] * model.suffix_probability(whole, 0, z)[accepted].sum()
        for z in range(STATES)
    )
    evidence = sum(model.initial[z] * prefix_probability(model, prefix, z) for z in range(STATES))
    return joint / evidence


def prefix_probability(model, prefix, z):
    """P(prefix | first state ``z``); its last frame may be incomplete."""
    frames = (len(prefix) + 3) // 4
    total = 0.0
    for rest in product(range(STATES), repeat=frames - 1):
        path = (z, *rest)
        p = 1.0
        for frame in range(1, frames):
            p *= model.transition[model.classes[frame], path[frame - 1], path[frame]]
        for layer, token in enumerate(prefix):
            frame, slot = divmod(layer, 4)
            emission = model.log_emission[model.classes[frame], SEARCH_ORDER[slot]]
            p *= np.exp(float(emission[path[frame], token]))
        total += p
    return total


def test_nothing_accepted_is_a_value():
    model = Model(1)
    tables = np.full_like(model.automaton.tables, REFUSED)
    model.automaton = LayeredAutomaton(
        tables, model.automaton.table_of_layer, model.automaton.n_states
    )
    layers, _, within = model.fast(frames=4)
    total = messages.log_probability(layers, within[0][0], jnp.asarray(model.initial))
    assert float(total) == -np.inf


def test_only_the_first_row_when_asked():
    model = Model(2)
    layers, boundary, _ = model.fast(frames=4)
    first = messages.boundary_messages(layers, model.padded(4), keep_all=False)
    np.testing.assert_array_equal(first, boundary[:1])


def test_equal_buckets_are_compiled_once():
    shorter, longer = Model(3, frames=2), Model(4, frames=3)
    shorter.fast(frames=4)
    compiled = messages.boundary_messages._cache_size()
    layers, _, _ = longer.fast(frames=4)
    assert layers.active.tolist() == [True, True, True, False]
    assert messages.boundary_messages._cache_size() == compiled


def test_lengths_must_agree():
    model = Model(5, frames=2)
    with pytest.raises(PlanError, match="compile all for the same timeline"):
        layered.layers_of(model.automaton, Domains.full(3))
    with pytest.raises(PlanError, match="room for 1 frames"):
        layered.layers_of(model.automaton, model.domains, frames=1)
