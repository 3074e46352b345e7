"""Two experts asked together: the network and the chains, as a product of their opinions.

A network learns what harmony is and remembers little of what its few pieces did exactly; chains
that back off count exactly that and know nothing else. Their mistakes differ, so the normalised
product ``p ∝ p_network^a · p_chains^b`` is far better than either. The exponents are few, one pair
for each voice, and are fitted on the pieces that choose the weights.

Source: Hinton, Products of experts, 1999; log-linear pools of Markov viewpoints after Conklin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from clausula.grid import SEARCH_ORDER
from clausula.neural.batches import Batch, crop, stack
from clausula.neural.features import Controls, Example
from clausula.neural.network import ChoraleTransformer
from clausula.proposal import FrameSoFar, Past, Proposal

ALONE = (1.0, 0.0)  # the first expert's opinion as it is
_BUCKET = 64  # frames
_FIT_UPDATES = 150
_ORDER = np.array(SEARCH_ORDER)


class Pair(NamedTuple):
    """State of two proposals.

    Attributes:
        first: the first one's.
        second: the second one's.
        exponents: ``float32[4, 2]`` of this frame's style, slots in search order.
        controls: the whole piece's.
    """

    first: Any
    second: Any
    exponents: jax.Array
    controls: Controls


def pooled(first: jax.Array, second: jax.Array, exponents: jax.Array) -> jax.Array:
    """Log-probabilities ``[..., P]`` of the normalised product of two experts'.

    Args:
        first: ``[..., P]`` log-probabilities.
        second: likewise.
        exponents: ``[..., 2]``; an expert whose exponent is 0 is not asked, nor what it forbids.
    """
    total, forbidden = jnp.zeros_like(first), jnp.zeros(first.shape, bool)
    for i, log_p in enumerate((first, second)):
        exponent = exponents[..., i, None]
        never = log_p == -jnp.inf
        total += exponent * jnp.where(never, 0.0, log_p)
        forbidden |= never & (exponent > 0)
    return jax.nn.log_softmax(jnp.where(forbidden, -jnp.inf, total), -1)


def pooled_proposal(first: Proposal, second: Proposal, exponents: np.ndarray) -> Proposal:
    """Two proposals as one.

    Args:
        first: speaks for all styles.
        second: asked as far as the exponents say.
        exponents: ``float[styles, 4, 2]``, slots in search order.
    """
    table = jnp.asarray(exponents, jnp.float32)

    def init(params: Any, controls: Controls, hypotheses: int) -> Pair:
        return Pair(
            first.init(params[0], controls, hypotheses),
            second.init(params[1], controls, hypotheses),
            params[2][0],
            controls,
        )

    def begin_frame(params: Any, state: Pair, time: jax.Array, past: Past) -> Pair:
        return Pair(
            first.begin_frame(params[0], state.first, time, past),
            second.begin_frame(params[1], state.second, time, past),
            params[2][jnp.asarray(state.controls.style)[time]],
            state.controls,
        )

    def log_probs(params: Any, state: Pair, slot: int, frame: FrameSoFar) -> jax.Array:
        return pooled(
            first.log_probs(params[0], state.first, slot, frame),
            second.log_probs(params[1], state.second, slot, frame),
            state.exponents[slot],
        )

    return Proposal((first.params, second.params, table), init, begin_frame, log_probs)


@nnx.jit
def _network_rows(model: ChoraleTransformer, batch: Batch) -> jax.Array:
    return model.rows(batch)


def network_rows(model: ChoraleTransformer, example: Example) -> np.ndarray:
    """``float32[time, 4, P]`` every row of a piece read whole, slots in search order."""
    model.eval()
    length = -(-len(example) // _BUCKET) * _BUCKET
    return np.asarray(_network_rows(model, stack([crop(example, 0, length)])))[0, : len(example)]


@jax.jit
def _pooled_nats(
    exponents: jax.Array, first: jax.Array, second: jax.Array, token: jax.Array
) -> jax.Array:
    """``[4]`` mean nats of each slot."""
    rows = pooled(first, second, exponents)
    return -jnp.take_along_axis(rows, token[..., None], -1)[..., 0].mean(0)


def fit_exponents(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], examples: Sequence[Example]
) -> np.ndarray:
    """Exponents that make these pieces most likely, ``float64[4, 2]``.

    Args:
        first: ``[time, 4, P]`` rows of each piece by the first expert.
        second: by the second.
        examples: the pieces.
    """
    token = jnp.asarray(np.concatenate([example.token[:, _ORDER] for example in examples]))
    rows = [jnp.asarray(np.concatenate(some)) for some in (first, second)]
    optimizer = optax.adam(0.03)
    # Logarithms are fitted: exponents stay above zero.
    logs = jnp.full((4, 2), np.log(0.5))
    state = optimizer.init(logs)

    @jax.jit
    def improved(logs: jax.Array, state: optax.OptState) -> tuple[jax.Array, optax.OptState]:
        gradient = jax.grad(lambda x: _pooled_nats(jnp.exp(x), *rows, token).sum())(logs)
        step, state = optimizer.update(gradient, state)
        return logs + step, state

    for _ in range(_FIT_UPDATES):
        logs, state = improved(logs, state)
    return np.asarray(jnp.exp(logs), float)


def pooled_nats_by_voice(
    exponents: np.ndarray,
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    examples: Sequence[Example],
) -> np.ndarray:
    """Nats per frame of each voice in search order, ``float64[4]``; arguments as above."""
    total = np.zeros(4)
    for one, other, example in zip(first, second, examples, strict=True):
        token = jnp.asarray(example.token[:, _ORDER])
        nats = _pooled_nats(jnp.asarray(exponents, jnp.float32), one, other, token)
        total += np.asarray(nats, float) * len(example)
    return total / sum(len(example) for example in examples)
