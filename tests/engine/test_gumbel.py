"""Stochastic beams sample without replacement, in proportion to q."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from clausula.engine.gumbel import perturbed_children


def test_the_largest_child_carries_the_parents_value():
    log_q = jnp.log(jnp.asarray([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]]))
    parents = jnp.asarray([-0.3, 1.7])
    children = perturbed_children(jax.random.key(0), log_q, parents)
    np.testing.assert_allclose(children.max(1), parents, rtol=1e-5)


def test_forbidden_children_and_dead_parents_are_minus_infinity():
    log_q = jnp.asarray([[0.0, -jnp.inf], [-0.7, -0.7], [-jnp.inf, -jnp.inf]])
    parents = jnp.asarray([0.5, -jnp.inf, 0.1])
    children = perturbed_children(jax.random.key(0), log_q, parents)
    expected = [[True, False], [False, False], [False, False]]
    np.testing.assert_array_equal(children > -jnp.inf, expected)
    assert not np.isnan(children).any()


def test_first_choice_follows_q_over_two_steps():
    first = jnp.log(jnp.asarray([0.7, 0.3]))
    second = jnp.log(jnp.asarray([[0.9, 0.1], [0.4, 0.6]]))

    @partial(jax.vmap)
    def winner(key):
        one, two = jax.random.split(key)
        parents = perturbed_children(one, first[None], jnp.zeros(1))[0]
        children = perturbed_children(two, first[:, None] + second, parents)
        return jnp.argmax(children.reshape(-1))

    counts = np.bincount(winner(jax.random.split(jax.random.key(1), 20000)), minlength=4) / 20000
    np.testing.assert_allclose(counts, [0.63, 0.07, 0.12, 0.18], atol=0.012)
