"""The HMM filter that every hypothesis of the search carries, and what it says of the next token.

``alpha[b, z]`` is proportional to P(frame's state z | all tokens so far): numbers, of which the
largest of a row is ``UNIT``, so that nothing is exponentiated from token to token. Within a row the
states differ by what parameters differ by (``scaled``): by ``ln(H / FLOOR)``, 21.4 nats at 2,048
states, after a transition, and by at most 31.8 more for every voice since. No sum over them
underflows: before a slot ``s`` the filter has seen ``s`` voices of the frame, the messages after it
have ``3 - s`` to come, so the largest product of the two lies at most 117 nats below the product
of their units, and with an emission's 32 at most 149; that product is ``2 ** 112``, 165 nats above
float32's smallest normal number.

References: design §6; Rabiner 1989, §III.A (the forward recursion) and §V.A (scaling).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import REFUSED
from clausula.engine import scaled
from clausula.engine.scaled import Scaled

UNIT = 2.0**56
_TO_UNIT = UNIT / scaled.UNIT  # messages are multiplied by the filter at its own unit
_LOG_UNIT = float(np.log(UNIT))


def filter_init(initial: jax.Array, batch: int) -> jax.Array:
    """``[batch, z]`` before the first frame's first token, from ``initial[z]`` of the mode."""
    return jnp.tile(initial * (UNIT / initial.max()), (batch, 1))


def predict(alpha: jax.Array, transition: jax.Array) -> jax.Array:
    """Into the next frame: ``alpha'[z'] = sum_z alpha[z] A[z, z']``.

    Args:
        alpha: ``[batch, z]`` of the frame finished.
        transition: ``[z, z']`` of the class of the frame entered.
    """
    return _to_unit(jnp.matmul(alpha, transition, precision="highest"))


def emit(alpha: jax.Array, emission: jax.Array, tokens: jax.Array) -> tuple[jax.Array, jax.Array]:
    """After one voice's token: ``alpha'[z] = alpha[z] P(x | z)``.

    Args:
        alpha: ``[batch, z]``.
        emission: ``[32, z]`` probabilities of the frame's class and the voice.
        tokens: int ``[batch]`` the voice tokens chosen.

    Returns:
        The new ``[batch, z]``, and ``[batch]`` log P(x | tokens so far).
    """
    joint = alpha * emission[tokens]
    return _to_unit(joint), jnp.log(joint.sum(axis=1)) - jnp.log(alpha.sum(axis=1))


def _to_unit(weights: jax.Array) -> jax.Array:
    """Rows whose largest is ``UNIT``; every row has something above zero."""
    return weights * (UNIT / weights.max(axis=1, keepdims=True))


def token_guidance(
    alpha: jax.Array, after: Scaled, kind: jax.Array | None, emission: jax.Array
) -> jax.Array:
    """How likely the HMM is to satisfy the constraints if this token is chosen now.

    ``log sum_z alpha[z] P(x | z) exp(log_beta[l + 1, delta(q, x), z])
    - log sum_z alpha[z] P(x | z)`` (design §6). It is -inf exactly where the token is refused or
    leads to a state from which nothing can be accepted.

    Args:
        alpha: ``[batch, z]`` the filter before the token.
        after: ``[batch, kind, z]`` messages after each kind of token, at its successor: of the
            next slot, or after the last slot of the next frame. A scale of -inf where none is.
        kind: int ``[batch, 32]`` from ``layers.step_rows``; none where all tokens are of one kind
            and none is refused.
        emission: ``[32, z]`` probabilities of the frame's class and the voice.

    Returns:
        ``[batch, 32]`` log P(constraints | tokens so far, this token), at most 0.
    """
    joint = alpha[:, None] * (after.value * _TO_UNIT)
    rows = jnp.concatenate([alpha[:, None], joint], axis=1)
    total = jnp.log(jnp.einsum("bkz,xz->bkx", rows, emission, precision="highest"))
    scale = jnp.where(after.log_scale > -jnp.inf, after.log_scale - _LOG_UNIT, -jnp.inf)
    log_joint = total[:, 1:] + scale[..., None]
    if kind is None:
        return jnp.minimum(log_joint[:, 0] - total[:, 0], 0.0)
    of_token = jnp.take_along_axis(log_joint, jnp.maximum(kind, 0)[:, None], axis=1)[:, 0]
    # A ratio of two rounded sums may exceed one by their rounding; a probability may not.
    return jnp.where(kind == REFUSED, -jnp.inf, jnp.minimum(of_token - total[:, 0], 0.0))
