"""The HMM filter that every hypothesis of the search carries, and what it says of the next token.

``log_alpha[b, z]`` is log P(frame's state z | all tokens so far), normalised. It stays in log
space: after four improbable tokens the states of one frame differ by more than float32 can hold.
Sums are taken relative to their largest term, so no positive probability becomes zero.

References: design §6; Rabiner 1989, §III.A (the forward recursion).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from clausula.constraints.automaton import REFUSED
from clausula.engine.scaled import finite_max


def filter_init(initial: jax.Array, batch: int) -> jax.Array:
    """``[batch, z]`` before the first frame's first token, from ``initial[z]`` of the mode."""
    return jnp.tile(jnp.log(initial), (batch, 1))


def predict(log_alpha: jax.Array, transition: jax.Array) -> jax.Array:
    """Into the next frame: ``alpha'[z'] = sum_z alpha[z] A[z, z']``.

    Args:
        log_alpha: ``[batch, z]`` of the frame finished.
        transition: ``[z, z']`` of the class of the frame entered.
    """
    scale = log_alpha.max(axis=1, keepdims=True)
    total = jnp.matmul(jnp.exp(log_alpha - scale), transition, precision="highest")
    return _normalised(jnp.log(total))[0]


def emit(
    log_alpha: jax.Array, log_emission: jax.Array, tokens: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """After one voice's token: ``alpha'[z] = alpha[z] P(x | z) / P(x | tokens so far)``.

    Args:
        log_alpha: ``[batch, z]``.
        log_emission: ``[z, 32]`` of the frame's class and the voice.
        tokens: int ``[batch]`` the voice tokens chosen.

    Returns:
        The new ``[batch, z]``, and ``[batch]`` log P(x | tokens so far).
    """
    return _normalised(log_alpha + log_emission.T[tokens])


def _normalised(log_weights: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Log weights minus the log of their total, and that log; the total is positive."""
    scale = log_weights.max(axis=1, keepdims=True)
    log_total = jnp.log(jnp.exp(log_weights - scale).sum(axis=1, keepdims=True)) + scale
    return log_weights - log_total, log_total[:, 0]


def token_log_prob(log_alpha: jax.Array, log_emission: jax.Array) -> jax.Array:
    """``[batch, 32]`` log P(x | tokens so far) of every token of a voice under the HMM alone."""
    scale = log_alpha.max(axis=1, keepdims=True)
    total = jnp.matmul(jnp.exp(log_alpha - scale), jnp.exp(log_emission), precision="highest")
    return jnp.log(total) + scale


def token_guidance(
    log_alpha: jax.Array,
    after: jax.Array,
    successor: jax.Array,
    kind: jax.Array,
    log_emission: jax.Array,
) -> jax.Array:
    """How likely the HMM is to satisfy the constraints if this token is chosen now.

    ``log sum_z alpha[z] P(x | z) exp(log_beta[l + 1, delta(q, x), z])
    - log sum_z alpha[z] P(x | z)`` (design §6). The first sum is taken relative
    to its largest ``alpha * beta``, whose emission is above its floor, so the result is -inf
    exactly where the token is refused or leads to a state from which nothing can be accepted.

    Args:
        log_alpha: ``[batch, z]`` the filter before the token.
        after: ``[batch, kind, z]`` messages after each kind of token, at its successor: of the
            next slot, or after the last slot of the next frame; any where it is refused.
        successor: int ``[batch, kind]`` from ``layers.step_rows``.
        kind: int ``[batch, 32]`` from the same.
        log_emission: ``[z, 32]`` of the frame's class and the voice.

    Returns:
        ``[batch, 32]`` log P(constraints | tokens so far, this token), at most 0.
    """
    joint = log_alpha[:, None] + jnp.where(successor[..., None] == REFUSED, -jnp.inf, after)
    scale = finite_max(joint, axis=2)[..., None]
    total = jnp.einsum(
        "bkz,zx->bkx", jnp.exp(joint - scale), jnp.exp(log_emission), precision="highest"
    )
    log_joint = jnp.take_along_axis(jnp.log(total) + scale, jnp.maximum(kind, 0)[:, None], axis=1)
    log_satisfied = log_joint[:, 0] - token_log_prob(log_alpha, log_emission)
    # A ratio of two rounded sums may exceed one by their rounding; a probability may not.
    return jnp.where(kind == REFUSED, -jnp.inf, jnp.minimum(log_satisfied, 0.0))
