"""Markov chains: counts by hand, stepping equals reading whole, the contract."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scoring_cases import assert_rows_are_distributions, examples_of_openings, nats_of_rows

from clausula.errors import CorpusError, InputError
from clausula.neural.batches import transposed
from clausula.neural.markov_contexts import NOTES, read_whole
from clausula.neural.markov_mixing import combine, fit_weights
from clausula.neural.markov_proposal import (
    fit_markov,
    load_markov,
    markov_nats_by_voice,
    markov_proposal,
    save_markov,
)
from clausula.neural.markov_tables import chain_rows, count
from clausula.neural.markov_viewpoints import features, hashes, hashes_in_jax, level_exists
from clausula.proposal import FrameSoFar, Past
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_GLOBAL


@pytest.fixture(scope="module", params=[True, False], ids=["holds", "bare"])
def fitted(request):
    examples = examples_of_openings(14, holds=request.param)
    model = fit_markov(examples[:12], holds=request.param)
    return model, markov_proposal(model), examples[12:]


def test_counts_are_interpolated_after_witten_and_bell():
    context = np.array([7, 7, 7, 9], np.uint32)
    anchor = np.array([30, 30, 31, 30])
    token = np.array([32, 32, 31, HOLD_TOKEN])
    table = count([[context]], [anchor], token, least=1)
    p, known = chain_rows(table, [np.array([7, 8], np.uint32)], np.array([40, 40]), holds=True)
    # Seen three times with two kinds: up two (twice), and the same pitch (once).
    uniform = 1 / N_GLOBAL
    assert p[0, 42] == pytest.approx((2 + 2 * uniform) / 5)
    assert p[0, 40] == pytest.approx((1 + 2 * uniform) / 5)
    assert p[0, 41] == pytest.approx(2 * uniform / 5)
    np.testing.assert_allclose(p[1], uniform)
    assert known.tolist() == [1, 0]


def test_rare_contexts_can_be_left_out():
    context = np.array([7, 7, 9], np.uint32)
    anchor, token = np.full(3, 30), np.array([32, 32, 33])
    table = count([[context]], [anchor], token, least=2)
    assert table.context.tolist() == [7]
    assert table.count.tolist() == [2]


def test_distances_out_of_the_vocabulary_are_not_counted():
    context = np.zeros(2, np.uint32)
    table = count([[context]], [np.array([30, 30])], np.array([20, 31]), least=1)
    p, _ = chain_rows(table, [context[:1]], np.array([FIRST_PITCH + 4]), holds=False)
    assert p.sum() == pytest.approx(1.0)
    assert p[0, HOLD_TOKEN] == 0
    assert p[0].argmax() == FIRST_PITCH + 5


@pytest.mark.parametrize("slot", range(4))
def test_both_ways_of_hashing_agree(slot):
    whole = read_whole(examples_of_openings(2, holds=True))
    found = features(np, whole.seen, whole.chosen, slot, True)
    together = np.asarray(hashes_in_jax(jax.tree.map(jnp.asarray, found), slot))
    for e, levels in enumerate(hashes(found, slot)):
        assert level_exists(slot)[e].sum() == len(levels)
        for d, level in enumerate(levels):
            np.testing.assert_array_equal(together[:, e, d], level)


def test_weights_prefer_the_viewpoint_that_knows():
    rng = np.random.default_rng(0)
    token = rng.integers(0, 4, 500)
    right = np.where(np.arange(4) == token[:, None], 0.85, 0.05)
    wrong = np.full((500, 4), 0.25)
    wrong[np.arange(500), rng.integers(0, 4, 500)] = 0.75
    log_rows = np.log(np.stack([right, wrong / wrong.sum(1, keepdims=True)], 1))
    known = np.ones((500, 2), np.int32)
    weights = fit_weights(log_rows, known, token, np.ones(4, bool), 1)
    assert weights[0, 1] > 0.9
    assert abs(weights[1, 1]) < 0.3


def test_a_combination_is_geometric():
    rows = jnp.asarray([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]])
    weights = np.array([[0.0, 2.0], [0.5, 0.0]])
    log_p = combine(weights, rows, jnp.asarray([[1, 0]]))
    expected = rows[0, 0] ** 2 * rows[0, 1] ** 0.5
    np.testing.assert_allclose(jnp.exp(log_p[0]), expected / expected.sum(), rtol=1e-5)


def test_stepping_equals_reading_whole_and_sums_to_one(fitted):
    model, proposal, examples = fitted
    total = np.zeros(4)
    for example in examples:
        rows = assert_rows_are_distributions(proposal, example, holds=model.holds)
        total += nats_of_rows(rows, example)
    whole = markov_nats_by_voice(model, examples)
    np.testing.assert_allclose(total / sum(map(len, examples)), whole, atol=1e-4)
    assert whole.sum() < 2 * np.log(N_GLOBAL)


def test_features_are_the_same_in_every_key():
    piece = examples_of_openings(1, holds=True)[0]
    # Before its fifth note a voice remembers the middle of its range, which does not move.
    settled = ((piece.age == 0).cumsum(0) > NOTES).all(1)
    assert settled.any()
    near, far = (read_whole([p]) for p in (piece, transposed(piece, 2)))
    for slot in range(4):
        moved = features(np, far.seen, far.chosen, slot, True)
        for name, values in features(np, near.seen, near.chosen, slot, True).items():
            expected = values + 2 if name == "own" else values
            np.testing.assert_array_equal(moved[name][settled], expected[settled], name)


def test_rows_follow_their_hypotheses(fitted):
    """Two hypotheses swapped by the beam carry their own pasts with them."""
    _, proposal, examples = fitted
    begin, log_probs = jax.jit(proposal.begin_frame), jax.jit(proposal.log_probs, static_argnums=2)
    one, two = examples
    state = proposal.init(proposal.params, one.controls, 2)
    pair = lambda name, t: jnp.stack([getattr(e, name)[t] for e in (one, two)])  # noqa: E731
    for t in range(8):
        last = pair("sounding", t - 1) if t else jnp.zeros((2, 4), jnp.int32)
        age = pair("age", t - 1) if t else jnp.full((2, 4), 16)
        state = begin(proposal.params, state, jnp.int32(t), Past(last, age, jnp.arange(2)))
    last, age = pair("sounding", 7), pair("age", 7)

    def next_rows(order: list[int]) -> np.ndarray:
        row = jnp.asarray(order)
        past = Past(last[row], age[row], row)
        begun = begin(proposal.params, state, jnp.int32(8), past)
        empty = jnp.zeros((2, 4), jnp.int32)
        frame = FrameSoFar(empty, empty, last[row], jnp.arange(2))
        return np.asarray(log_probs(proposal.params, begun, 0, frame))[:, FIRST_PITCH:]

    straight, swapped = next_rows([0, 1]), next_rows([1, 0])
    np.testing.assert_allclose(swapped, straight[::-1], atol=1e-5)
    assert np.abs(straight[0] - straight[1]).max() > 0.1


def test_a_model_comes_back(fitted, tmp_path):
    model, _, examples = fitted
    path = tmp_path / "markov"
    save_markov(path, model, {"data": "openings"})
    loaded, metadata = load_markov(path)
    assert metadata["data"] == "openings"
    assert loaded.holds == model.holds
    np.testing.assert_array_equal(
        markov_nats_by_voice(loaded, examples), markov_nats_by_voice(model, examples)
    )


def test_what_is_no_model_is_named(tmp_path):
    path = tmp_path / "cut"
    with pytest.raises(CorpusError, match="no counts at"):
        load_markov(path)
    path.write_bytes(b"not a model")
    with pytest.raises(CorpusError, match="holds no counts"):
        load_markov(path)


def test_too_few_pieces_are_named():
    with pytest.raises(InputError, match="too few"):
        fit_markov(examples_of_openings(2, holds=True), holds=True)
