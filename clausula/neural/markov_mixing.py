"""How the viewpoints' distributions are combined into one.

The combination is geometric: log p = sum over viewpoints of weight * log p_viewpoint, normalised.
A viewpoint's weight depends on how many of its contexts are known at that place, so that it is
trusted as far as its memory reaches. Reference: M. Pearce, D. Conklin and G. Wiggins, "Methods for
combining statistical models of music", CMMR 2004; there the weights follow the entropy, here they
are fitted to pieces that the counts have not seen.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from clausula.neural.features import Array

LEAST_LOG = -16.0  # nats; no viewpoint alone can make a token less likely
STEPS = 250
BATCH = 4096  # frames a step
RATE = 0.03  # highest learning rate
SMOOTHING = 1e-4  # price of weights that differ within a viewpoint


def combine(weights: Array, rows: jax.Array, known: jax.Array) -> jax.Array:
    """``float32[N, P]`` log probabilities.

    Args:
        weights: ``[E, levels + 1]`` by viewpoint and number of known contexts.
        rows: ``[N, E, P]`` the viewpoints' distributions; a token that none allows has 0 in all.
        known: ``int[N, E]`` how many contexts each viewpoint knew.
    """
    log_rows = jnp.maximum(jnp.log(jnp.maximum(rows, 1e-30)), LEAST_LOG)
    possible = rows.max(1) > 0
    # Without the barrier the logarithms are taken one by one inside the sum.
    return _combine(weights, jax.lax.optimization_barrier(log_rows), known, possible)


def _combine(weights: Array, log_rows: jax.Array, known: jax.Array, possible: Array) -> jax.Array:
    chosen = jnp.asarray(weights)[np.arange(weights.shape[0]), known]
    mixed = (chosen[..., None] * log_rows).sum(1)
    return jax.nn.log_softmax(jnp.where(possible, mixed, -jnp.inf), -1)


def fit_weights(
    log_rows: np.ndarray, known: np.ndarray, token: np.ndarray, possible: np.ndarray, levels: int
) -> np.ndarray:
    """``float32[E, levels + 1]`` weights under which the tokens are likeliest.

    Args:
        log_rows: ``[N, E, P]`` log distributions of viewpoints that have not counted these tokens.
        known: ``int[N, E]`` how many contexts each knew.
        token: ``int[N]`` what was chosen.
        possible: ``bool[P]`` the tokens of the vocabulary in use.
        levels: the most contexts that a viewpoint has.
    """
    viewpoints = log_rows.shape[1]
    weights = jnp.full((viewpoints, levels + 1), 1.2 / viewpoints)
    optimizer = optax.adam(optax.cosine_decay_schedule(RATE, STEPS))
    state = optimizer.init(weights)
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        some = rng.integers(0, len(token), min(BATCH, len(token)))
        weights, state = _update(
            optimizer.update, weights, state, log_rows[some], known[some], token[some], possible
        )
    return np.asarray(weights)


@partial(jax.jit, static_argnums=0)
def _update(update, weights, state, log_rows, known, token, possible):
    def loss(weights: jax.Array) -> jax.Array:
        log_p = _combine(weights, log_rows.astype(jnp.float32), known, possible)
        spread = weights - weights.mean(1, keepdims=True)
        chosen = jnp.take_along_axis(log_p, token[:, None], 1)
        return SMOOTHING * jnp.square(spread).sum() - chosen.mean()

    step, state = update(jax.grad(loss)(weights), state)
    return optax.apply_updates(weights, step), state
