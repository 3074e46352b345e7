"""Elimination and scaled products against sums written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.engine.elimination import (
    absorbed,
    eliminate,
    factor,
    log_matmul,
    log_sum,
    multiply,
)

SIZE = 3  # values of a variable; nothing in the module asks for 32


def drawn(rng, scopes, zeros=0.2):
    """A random factor over each scope, in probabilities with some zeros."""
    factors = []
    for scope in scopes:
        table = rng.random((SIZE,) * len(scope))
        table[rng.random(table.shape) < zeros] = 0
        with np.errstate(divide="ignore"):
            factors.append(factor(scope, np.log(table)))
    return factors


def summed(factors, hidden):
    """The product of all, with the hidden variables summed out one by one."""
    whole = multiply(factors)
    kept = tuple(v for v in whole.variables if v not in hidden)
    axes = tuple(i for i, v in enumerate(whole.variables) if v in hidden)
    return kept, np.exp(whole.log_table).sum(axis=axes)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_elimination_is_the_sum_of_the_product(seed):
    rng = np.random.default_rng(seed)
    scopes = [
        rng.choice(6, rng.integers(1, 3), replace=False).tolist() for _ in range(rng.integers(2, 9))
    ]
    factors = drawn(rng, scopes)
    hidden = set(rng.choice(6, rng.integers(0, 5), replace=False).tolist())
    kept, expected = summed(factors, hidden)
    found = eliminate(absorbed(factors), hidden, 6)
    whole = multiply(found.factors)
    assert found.exact
    assert whole.variables == kept
    np.testing.assert_allclose(np.exp(whole.log_table), expected, rtol=1e-10)
    bound = eliminate(absorbed(factors), hidden, 2)
    upper = np.exp(multiply(bound.factors).log_table)
    assert (upper >= expected * (1 - 1e-10)).all()
    if bound.exact:
        np.testing.assert_allclose(upper, expected, rtol=1e-10)


def test_a_full_triangle_is_too_wide_for_pairs():
    factors = drawn(np.random.default_rng(0), [(0, 1), (1, 2), (0, 2)])
    assert eliminate(factors, [0], 3).exact
    assert not eliminate(factors, [0], 2).exact


def test_factors_read_variables_in_any_order_and_twice():
    table = np.log(np.arange(1, 10.0).reshape(3, 3))
    turned = factor([5, 2], table)
    assert turned.variables == (2, 5)
    np.testing.assert_array_equal(turned.log_table, table.T)
    twice = factor([4, 4], table)
    assert twice.variables == (4,)
    np.testing.assert_array_equal(twice.log_table, np.diag(table))


def test_absorbed_factors_are_fewer_and_their_product_the_same():
    factors = drawn(np.random.default_rng(1), [(0, 1), (1,), (1, 0), (2,), ()])
    fewer = absorbed(factors)
    assert [f.variables for f in fewer] == [(0, 1), (2,)]
    np.testing.assert_allclose(multiply(fewer).log_table, multiply(factors).log_table)


@pytest.mark.parametrize("spread", [1, 50, 600, 5000])
def test_products_keep_what_underflows(spread):
    """Products whose terms differ by far more than float64 can hold, beside true zeros."""
    rng = np.random.default_rng(spread)
    left, right = -spread * rng.random((2, 8, 8))
    left[rng.random((8, 8)) < 0.4] = -np.inf
    right[rng.random((8, 8)) < 0.4] = -np.inf
    left[0], right[:, 3] = -np.inf, -np.inf
    expected = np.logaddexp.reduce(left[:, :, None] + right[None], axis=1)
    found = log_matmul(left, right)
    np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-12)


def test_a_sum_of_zeros_is_zero():
    assert log_sum(np.full((2, 3), -np.inf), 1).tolist() == [-np.inf, -np.inf]
