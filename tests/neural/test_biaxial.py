"""The biaxial network: exact conditioning, proper rows, stepping equals reading whole."""

from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from network_cases import batch_of, drawn_example, drawn_network, log_probs, stepped
from scoring_cases import assert_rows_are_distributions, examples_of_openings

from clausula.grid import SEARCH_ORDER
from clausula.neural.biaxial import (
    N_FEATURES,
    BiaxialConfig,
    PianoRollBiaxial,
    note_features,
)
from clausula.neural.biaxial_composing import (
    ORDER,
    BiaxialComposer,
    ComposerConfig,
    biaxial_proposal,
)
from clausula.neural.ordered_notes import bounds_of, log_note
from clausula.neural.weights import parameter_count

NOTES = 6


@pytest.fixture(scope="module", params=[True, False], ids=["holds", "bare"])
def model(request):
    sizes = {"along_time": (8, 8), "along_notes": (8, 6)}
    config = ComposerConfig(**sizes, dropout=0.0, holds=request.param)
    return drawn_network(lambda: BiaxialComposer(config, nnx.Rngs(0)))


def pieces(model):
    return [drawn_example(seed, holds=model.config.holds) for seed in range(3)]


def test_stepping_equals_reading_whole(model):
    examples = pieces(model)
    whole = log_probs(model, batch_of(examples))
    np.testing.assert_allclose(stepped(biaxial_proposal(model), examples), whole, atol=1e-4)


def test_rows_are_distributions(model):
    example = examples_of_openings(1, holds=model.config.holds)[0]
    assert_rows_are_distributions(biaxial_proposal(model), example, holds=model.config.holds)


def test_the_future_is_never_seen(model):
    batch = batch_of(pieces(model))
    token, sounding, previous = batch.token.copy(), batch.sounding.copy(), batch.previous.copy()
    token[:, 7:] = sounding[:, 7:] = previous[:, 8:] = 30
    other = batch._replace(token=token, sounding=sounding, previous=previous)
    before, after = log_probs(model, batch), log_probs(model, other)
    np.testing.assert_array_equal(before[:, :7], after[:, :7])
    assert (before[:, 8:] != after[:, 8:]).any(-1).all()


def test_a_voice_never_sees_those_after_it(model):
    batch = batch_of(pieces(model))
    before = log_probs(model, batch)[:, 4]
    for later in (1, 2, 3):
        token, sounding = batch.token.copy(), batch.sounding.copy()
        token[:, 4, ORDER[later:]] = sounding[:, 4, ORDER[later:]] = 25
        after = log_probs(model, batch._replace(token=token, sounding=sounding))[:, 4]
        np.testing.assert_array_equal(before[:, :later], after[:, :later])


def test_gradients_are_finite(model):
    """Also where rests, unisons and crossings leave no four ordered notes."""
    batch = batch_of(pieces(model))
    grads = nnx.jit(nnx.grad(lambda net: -net.log_probs(batch).sum()))(model)
    for gradient in jax.tree.leaves(grads):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("seed", range(3))
def test_conditioning_is_that_of_enumeration(seed):
    """All 15 sets of four of six notes, weighted by their odds, voice after voice."""
    odds = np.random.default_rng(seed).gamma(0.5, size=NOTES) + 1e-3
    sets = {notes[::-1]: odds[list(notes)].prod() for notes in combinations(range(NOTES), 4)}
    log_odds = jnp.log(jnp.asarray(odds))[None]
    for notes in list(sets)[::4]:
        index = jnp.asarray(notes)[None]
        fixed: dict[int, int] = {}
        for slot, voice in enumerate(SEARCH_ORDER):
            lower, upper = bounds_of(slot, index, NOTES)
            log_p, some = log_note(slot, log_odds, lower, upper)
            fitting = {s: w for s, w in sets.items() if all(s[v] == n for v, n in fixed.items())}
            expected = [sum(w for s, w in fitting.items() if s[voice] == n) for n in range(NOTES)]
            np.testing.assert_allclose(
                np.exp(log_p[0]), np.array(expected) / sum(expected), atol=1e-5
            )
            assert bool(some[0])
            fixed[voice] = notes[voice]


def test_silent_voices_bound_nothing_and_crossed_ones_leave_nothing():
    odds = jnp.zeros((1, NOTES))
    silent_soprano = jnp.asarray([[-1, -1, -1, 0]])
    lower, upper = bounds_of(2, silent_soprano, NOTES)
    assert (int(lower[0]), int(upper[0])) == (0, NOTES)
    crossed = jnp.asarray([[1, -1, -1, 4]])
    log_p, some = log_note(2, odds, *bounds_of(2, crossed, NOTES))
    assert not bool(some[0])
    assert (log_p == -jnp.inf).all()


def test_features_are_the_originals_eighty():
    play = jnp.zeros((1, 30)).at[0, jnp.asarray([4, 16])].set(1.0)
    features = note_features(play, play, jnp.asarray([5]), jnp.asarray([True]), 36)
    assert features.shape == (1, 30, N_FEATURES)
    assert N_FEATURES == 80
    note = np.asarray(features[0, 4])
    assert np.flatnonzero(note[1:13]).tolist() == [4]  # an E
    assert np.flatnonzero(note[13:38]).tolist() == [12, 24]  # itself and its octave
    assert note[63] == 2  # two of its pitch class
    assert np.asarray(features[0, 2])[63 + 2] == 2  # seen from two semitones below
    assert note[75:79].tolist() == [1, -1, 1, -1]  # step 5
    assert note[79] == 0


def rolls(seed, batch=2, steps=5, notes=20):
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.random((batch, steps, notes)) < 0.2, jnp.float32)


@nnx.jit
def read_roll(model, *arguments):
    return model(*arguments)


@pytest.fixture(scope="module")
def roll_model():
    config = BiaxialConfig(notes=20, along_time=(8, 8), along_notes=(6, 5), dropout=0.0)
    return drawn_network(lambda: PianoRollBiaxial(config, nnx.Rngs(0)))


def test_a_piano_roll_in_two_pieces_is_the_whole(roll_model):
    play = rolls(0)
    silence, first = jnp.zeros_like(play[:, 0]), jnp.zeros(2, int)
    whole, _ = read_roll(roll_model, play, silence, first)
    head, states = read_roll(roll_model, play[:, :3], silence, first)
    tail, _ = read_roll(roll_model, play[:, 3:], play[:, 2], first + 3, states)
    np.testing.assert_allclose(jnp.concatenate([head, tail], 1), whole, atol=1e-5)


def test_a_note_of_a_roll_sees_the_past_and_the_notes_below(roll_model):
    play = rolls(1)
    before, _ = read_roll(roll_model, play, jnp.zeros_like(play[:, 0]), jnp.zeros(2, int))
    changed = play.at[:, 2, 9].set(1 - play[:, 2, 9])
    after, _ = read_roll(roll_model, changed, jnp.zeros_like(play[:, 0]), jnp.zeros(2, int))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    np.testing.assert_array_equal(before[:, 2, :9], after[:, 2, :9])
    assert (before[:, 2, 10:] != after[:, 2, 10:]).all()
    assert (before[:, 3:] != after[:, 3:]).any((1, 2)).all()
    # The same note, played or not, is a Bernoulli variable.
    np.testing.assert_allclose(jnp.exp(before[:, 2, 9]) + jnp.exp(after[:, 2, 9]), 1.0, rtol=1e-5)


def test_configs_come_back():
    composer = ComposerConfig(along_time=(8,), styles=("any", "bach"))
    assert ComposerConfig.from_dict(composer.to_dict()) == composer
    published = BiaxialConfig(lowest=40)
    assert BiaxialConfig.from_dict(published.to_dict()) == published


def test_sizes():
    """The published network has 1.37 million values; the composer is small enough to ship."""
    published = nnx.eval_shape(lambda: PianoRollBiaxial(BiaxialConfig(dropout=0.0), nnx.Rngs(0)))
    assert round(parameter_count(published) / 1e6, 2) == 1.37
    composer = nnx.eval_shape(lambda: BiaxialComposer(ComposerConfig(dropout=0.0), nnx.Rngs(0)))
    assert parameter_count(composer) < 500_000
