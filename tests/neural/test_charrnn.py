"""The character LSTM: proper rows, no look ahead, stepping equals reading whole."""

import numpy as np
import pytest
from flax import nnx
from network_cases import batch_of, drawn_example, drawn_network, log_probs, stepped
from scoring_cases import assert_rows_are_distributions, examples_of_openings

from clausula.neural.charrnn import (
    NO_FRAME,
    ORDER,
    TIED,
    CharacterConfig,
    CharacterLSTM,
    charrnn_proposal,
    symbols_of,
)
from clausula.neural.weights import parameter_count
from clausula.vocabulary import HOLD_TOKEN, REST_TOKEN


@pytest.fixture(scope="module", params=[True, False], ids=["holds", "bare"])
def model(request):
    config = CharacterConfig(width=16, dropout=0.0, holds=request.param)
    return drawn_network(lambda: CharacterLSTM(config, nnx.Rngs(0)))


def pieces(model, count=3):
    return [drawn_example(seed, holds=model.config.holds) for seed in range(count)]


def test_stepping_equals_reading_whole(model):
    examples = pieces(model)
    whole = log_probs(model, batch_of(examples))
    np.testing.assert_allclose(stepped(charrnn_proposal(model), examples), whole, atol=1e-4)


def test_rows_are_distributions(model):
    example = examples_of_openings(1, holds=model.config.holds)[0]
    assert_rows_are_distributions(charrnn_proposal(model), example, holds=model.config.holds)


def test_the_future_is_never_seen(model):
    batch = batch_of(pieces(model, 1))
    token, sounding = batch.token.copy(), batch.sounding.copy()
    token[:, 7:] = sounding[:, 7:] = 30
    other = batch._replace(token=token, sounding=sounding)
    before, after = log_probs(model, batch)[0], log_probs(model, other)[0]
    np.testing.assert_array_equal(before[:7], after[:7])
    assert (before[8:] != after[8:]).all()


def test_a_voice_never_sees_those_after_it(model):
    batch = batch_of(pieces(model, 1))
    before = log_probs(model, batch)[0, 4]
    for later in (1, 2, 3):
        token, sounding = batch.token.copy(), batch.sounding.copy()
        token[:, 4, ORDER[later:]] = sounding[:, 4, ORDER[later:]] = 25
        after = log_probs(model, batch._replace(token=token, sounding=sounding))[0, 4]
        np.testing.assert_array_equal(before[:later], after[:later])
        assert (before[later:] != after[later:]).all()


def test_a_crop_is_told_the_frame_before_it(model):
    batch = batch_of(pieces(model, 1), start=3)
    other = batch._replace(previous=np.full_like(batch.previous, 30))
    first, changed = log_probs(model, batch)[0, 0], log_probs(model, other)[0, 0]
    assert (first != changed).all()
    opening = batch._replace(begun=np.zeros_like(batch.begun))
    other = other._replace(begun=opening.begun)
    np.testing.assert_array_equal(log_probs(model, opening), log_probs(model, other))


def test_symbols_tell_ties_from_beginnings():
    token = np.array([HOLD_TOKEN, 20, REST_TOKEN, HOLD_TOKEN])
    sounding = np.array([30, 20, REST_TOKEN, REST_TOKEN])
    symbols = symbols_of(sounding, token != HOLD_TOKEN)
    np.testing.assert_array_equal(symbols, [TIED + 30, 20, REST_TOKEN, REST_TOKEN])
    assert symbols.max() < NO_FRAME


def test_config_comes_back():
    config = CharacterConfig(width=20, styles=("any", "bach"))
    assert CharacterConfig.from_dict(config.to_dict()) == config


def test_size_as_shipped():
    model = nnx.eval_shape(lambda: CharacterLSTM(CharacterConfig(dropout=0.0), nnx.Rngs(0)))
    assert 500_000 < parameter_count(model) < 1_000_000
