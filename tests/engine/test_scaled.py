"""Scaled rows against the same sums in log space and float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clausula.engine import scaled
from clausula.engine.messages_reference import log_sum

LEAST_EMISSION = np.log(1.5e-14)
SPREAD = 21.4 - 3 * LEAST_EMISSION  # nats between the messages of a row before a frame's first slot
SUCCESSORS, STATES, KINDS, GROUPS, ROWS = 12, 7, 5, 4, 400

weighted = jax.jit(scaled.weighted)


def drawn(rng, shape, least):
    """Numbers between ``least`` and 0, of which some are either."""
    values = rng.uniform(least, 0, shape)
    return np.where(rng.random(shape) < 0.5, rng.choice([least, 0.0], shape), values)


@pytest.mark.parametrize("apart", [0, 60, 120, 180, 1000])
def test_no_term_that_counts_is_lost(apart):
    """Rows up to so many nats apart, each with messages as far apart as a frame can bring them."""
    rng = np.random.default_rng(apart)
    log_after = drawn(rng, (SUCCESSORS, STATES), -SPREAD) + drawn(rng, (SUCCESSORS, 1), -apart)
    log_after[0] = -np.inf
    log_mass = drawn(rng, (GROUPS, STATES), LEAST_EMISSION)
    successor = rng.integers(0, SUCCESSORS, (ROWS, KINDS))
    group = rng.integers(0, GROUPS, (ROWS, KINDS))
    leads = rng.random((ROWS, KINDS)) < 0.6
    after = scaled.scaled(jnp.asarray(log_after, jnp.float32))
    mass = jnp.exp(jnp.asarray(log_mass, jnp.float32))
    # A kind that leads nowhere names no successor; kinds beyond the last are not added.
    named = jnp.asarray(np.where(leads, successor, -1))
    found = weighted(after, mass, jnp.asarray(leads), named, jnp.asarray(group), 0.0, KINDS)
    terms = np.where(leads[..., None], log_after[successor] + log_mass[group], -np.inf)
    expected = log_sum(terms, axis=1)
    actual = np.asarray(scaled.logs(found))
    np.testing.assert_array_equal(np.isneginf(actual), np.isneginf(expected))
    finite = np.isfinite(expected)
    assert finite.any()
    assert not finite.all()
    np.testing.assert_allclose(actual[finite], expected[finite], rtol=1e-6, atol=3e-4)


def test_kinds_beyond_the_layers_own_are_not_added():
    after = scaled.scaled(jnp.log(jnp.array([[0.5, 0.25], [0.125, 0.5]])))
    leads, successor = jnp.array([[True, True]]), jnp.array([[0, 1]])
    both = weighted(after, jnp.ones((1, 2)), leads, successor, jnp.zeros((1, 2), jnp.int32), 0.0, 2)
    np.testing.assert_allclose(np.exp(scaled.logs(both)), [[0.625, 0.75]], rtol=1e-5)
    one = weighted(after, jnp.ones((1, 2)), leads, successor, jnp.zeros((1, 2), jnp.int32), 0.0, 1)
    np.testing.assert_allclose(np.exp(scaled.logs(one)), [[0.5, 0.25]], rtol=1e-5)


def test_rows_from_which_nothing_follows_stay_so():
    rows = scaled.scaled(jnp.array([[-jnp.inf, -jnp.inf], [-2000.0, -2100.0]]))
    np.testing.assert_allclose(scaled.logs(rows)[1], [-2000, -2100], rtol=1e-6)
    again = scaled.rescaled(rows.value, rows.log_scale)
    assert np.isneginf(again.log_scale[0])
    assert np.isneginf(scaled.logs(again)[0]).all()
    np.testing.assert_allclose(again.value, rows.value)
