"""Scoring token by token, transposed views, and the bootstrap."""

import likelihood_cases as cases
import numpy as np
import pytest
from flax import nnx
from likelihood_pool import fitted_pool
from likelihood_views import Mixture, Reader, fits, paired_difference, token_log_probs

from clausula.grid import SEARCH_ORDER, Voice
from clausula.neural.batches import crop, stack, transposed
from clausula.neural.features import example_of_bare_pitches
from clausula.neural.train import nats_by_voice
from clausula.vocabulary import HIGHEST, LOWEST


@pytest.fixture(scope="module")
def model():
    return cases.small_network()


def test_tokens_are_scored_as_the_network_scores_the_piece_alone(model):
    # Of unlike lengths, so that the pieces fall into two groups.
    pieces = cases.examples("train")
    long = example_of_bare_pitches(np.concatenate(cases.pitches()["train"])[:80])
    pieces = [pieces[1], long, pieces[0]]
    rows = token_log_probs(model, pieces)
    assert [row.shape for row in rows] == [piece.token.shape for piece in pieces]
    whole = stack([crop(pieces[0], 0, cases.FRAMES)])
    alone = np.asarray(nnx.jit(lambda network: network.log_probs(whole))(model))[0]
    np.testing.assert_allclose(rows[0], alone, atol=1e-5)
    # The long piece begins as the last one does, and what comes later changes nothing.
    np.testing.assert_allclose(rows[1][: cases.FRAMES], rows[2], atol=1e-5)
    short = [pieces[0], pieces[2]]
    found = Mixture([model]).nats_by_voice(short)
    np.testing.assert_allclose(found, nats_by_voice(model, short), 1e-5)


def test_networks_and_views_are_averaged_as_probabilities(model):
    pieces, other = cases.examples("valid"), cases.small_network(seed=1)
    parts = [
        token_log_probs(network, [transposed(piece, shift) for piece in pieces])
        for network in (model, other)
        for shift in (0, 2)
    ]
    found = Mixture([model, other], (0, 2)).log_probs(pieces)
    for i, rows in enumerate(found):
        mean = np.mean([np.exp(part[i]) for part in parts], 0)
        np.testing.assert_allclose(np.exp(rows), mean, rtol=1e-5)


def test_whole_rows_of_views_agree_with_the_tokens_scored(model):
    pieces, other = cases.examples("valid"), cases.small_network(seed=1)
    rows = Mixture([model, other], (0, 2, -1)).rows(pieces)
    tokens = Mixture([model, other], (0, 2, -1)).log_probs(pieces)
    for piece, row, token in zip(pieces, rows, tokens, strict=True):
        chosen = np.take_along_axis(row, piece.token[:, list(SEARCH_ORDER), None], -1)[..., 0]
        np.testing.assert_allclose(chosen, token, atol=1e-4)
        assert np.exp(row).sum(-1).max() < 1 + 1e-4


def test_a_pool_is_at_least_as_good_as_its_best_expert_on_its_judges(model):
    pieces = cases.examples("valid")
    experts = [Mixture([network]).rows for network in (model, cases.small_network(1))]
    pool = fitted_pool(experts, pieces)
    nats = pool.nats_by_voice(pieces)
    for network in (model, cases.small_network(1)):
        assert (nats <= nats_by_voice(network, pieces) + 1e-3).all()


def test_views_lose_the_probability_of_notes_outside_and_no_more(model):
    lower = [LOWEST + 20, LOWEST + 15, LOWEST + 10]
    choices = [example_of_bare_pitches(np.array([[-1, *lower]]))]
    choices += [
        example_of_bare_pitches(np.array([[note, *lower]])) for note in range(LOWEST, HIGHEST + 1)
    ]
    soprano = SEARCH_ORDER.index(Voice.SOPRANO)

    def mass(*shifts):
        rows = Mixture([model], shifts).log_probs(choices)
        return sum(np.exp(row[0, soprano]) for row in rows)

    assert mass(0) == pytest.approx(1.0, abs=1e-4)
    assert 0.9 < mass(0, 3, -1) < 1.0 - 1e-4


def test_a_piece_that_leaves_the_vocabulary_does_not_fit():
    piece = example_of_bare_pitches(np.array([[HIGHEST - 1, 60, 55, -1]]))
    assert [fits(piece, shift) for shift in (-30, 0, 1, 2)] == [False, True, True, False]


def test_what_has_been_scored_is_not_scored_again(model, monkeypatch):
    reader, pieces = Reader(model), cases.examples("valid")
    first = reader.rows(pieces, 2)
    reader.model = None
    assert all(rows is again for rows, again in zip(first, reader.rows(pieces, 2), strict=True))
    with pytest.raises(ValueError, match="leave out the piece as it is"):
        Mixture([model], (1, 2))


def test_the_bootstrap_is_paired():
    frames = np.array([10, 20, 30, 40])
    rng = np.random.default_rng(0)
    first = rng.uniform(100, 200, 4)
    # However unlike the pieces are, a constant gain a frame leaves nothing to chance.
    constant = paired_difference(first, first + 0.5 * frames, frames)
    assert constant == pytest.approx((0.5, 0.5, 0.5))
    varied = paired_difference(first, first + np.array([0.0, 20.0, 0.0, 40.0]), frames)
    assert varied.mean == pytest.approx(0.6)
    assert 0.0 <= varied.low < varied.mean < varied.high <= 1.0
