"""Experts asked together: the product is a distribution, and the exponents are the best ones."""

import jax
import jax.numpy as jnp
import numpy as np
from drawn import drawn_example, drawn_network, pinned

from clausula.neural.experts import (
    fit_exponents,
    network_rows,
    pooled,
    pooled_nats_by_voice,
    pooled_proposal,
)
from clausula.neural.markov_proposal import fit_markov, markov_proposal, markov_rows
from clausula.neural.network import ORDER
from clausula.neural.scoring import rows_stepwise
from clausula.neural.stepping import transformer_proposal

TOKENS = 7


def drawn_rows(seed: int, shape: tuple[int, ...] = (5, 4)) -> np.ndarray:
    """Log-probabilities ``[*shape, TOKENS]``."""
    drawn = np.random.default_rng(seed).normal(size=(*shape, TOKENS))
    return np.array(jax.nn.log_softmax(jnp.asarray(drawn), -1))


def test_the_product_is_normalised():
    one, other = drawn_rows(0), drawn_rows(1)
    exponents = np.tile([0.7, 0.4], (4, 1))
    found = np.exp(np.asarray(pooled([one, other], exponents)))
    expected = np.exp(0.7 * one + 0.4 * other)
    np.testing.assert_allclose(found, expected / expected.sum(-1, keepdims=True), rtol=1e-5)


def test_what_either_forbids_is_forbidden_unless_it_is_not_asked():
    one, other = drawn_rows(0), drawn_rows(1)
    other[..., 3] = -np.inf
    both = np.asarray(pooled([one, other], np.tile([0.5, 0.5], (4, 1))))
    assert (both[..., 3] == -np.inf).all()
    assert np.isfinite(np.delete(both, 3, -1)).all()
    np.testing.assert_allclose(pooled([one, other], np.tile([1.0, 0.0], (4, 1))), one, atol=1e-6)


def test_fitted_exponents_are_a_minimum():
    truth = drawn_rows(2, (4000, 4))
    noise = np.random.default_rng(3)
    # Two blurred views of the truth, each wrong in its own way.
    views = [
        np.asarray(jax.nn.log_softmax(jnp.asarray(truth + noise.normal(size=truth.shape)), -1))
        for _ in range(2)
    ]
    uniform = noise.random((*truth.shape[:-1], 1))
    drawn = (np.exp(truth).cumsum(-1) < uniform).sum(-1).clip(0, TOKENS - 1)
    example = drawn_example()
    token = np.zeros((len(drawn), 4), np.int32)
    token[:, ORDER] = drawn
    example = type(example)(token, token, token, example.controls, example.echo)
    experts = [[view] for view in views]
    fitted = fit_exponents(experts, [example])
    best = pooled_nats_by_voice(fitted, experts, [example]).sum()
    for alone in ([1.0, 0.0], [0.0, 1.0]):
        assert best < pooled_nats_by_voice(np.tile(alone, (4, 1)), experts, [example]).sum() - 0.1
    for slot in range(4):
        for expert in range(2):
            for step in (-0.05, 0.05):
                moved = fitted.copy()
                moved[slot, expert] += step
                assert pooled_nats_by_voice(moved, experts, [example]).sum() > best


def test_stepping_equals_reading_whole():
    model, chains = drawn_network(), fit_markov([drawn_example(i) for i in range(4)], holds=True)
    example = pinned(drawn_example(7))
    exponents = np.zeros((3, 4, 2))
    exponents[1] = np.random.default_rng(0).uniform(0.2, 0.8, (4, 2))
    proposal = pooled_proposal([transformer_proposal(model), markov_proposal(chains)], exponents)
    rows = rows_stepwise(proposal, example)
    whole = pooled([network_rows(model, example), markov_rows(chains, example)], exponents[1])
    np.testing.assert_allclose(np.exp(rows).sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(rows, whole, atol=2e-4)
