"""Experts asked together, the network and the chains first, as a product of their opinions.

A network learns what harmony is and remembers little of what its few pieces did exactly; chains
that back off count exactly that and know nothing else. Their mistakes differ, so the normalised
product ``p ∝ p_network^a · p_chains^b`` is far better than either. The exponents are few, one for
each expert and voice, and are fitted on the pieces that choose the weights.

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


class Asked(NamedTuple):
    """State of proposals that are asked together.

    Attributes:
        states: theirs.
        exponents: ``float32[4, E]`` of this frame's style, slots in search order.
        controls: the whole piece's.
    """

    states: tuple[Any, ...]
    exponents: jax.Array
    controls: Controls


def pooled(experts: Sequence[jax.Array], exponents: jax.Array) -> jax.Array:
    """Log-probabilities ``[..., P]`` of the normalised product of experts'.

    Args:
        experts: of each one, log-probabilities ``[..., P]``.
        exponents: ``[..., E]``; an expert whose exponent is 0 is not asked, nor what it forbids.
    """
    total, forbidden = jnp.zeros_like(experts[0]), jnp.zeros(experts[0].shape, bool)
    for i, log_p in enumerate(experts):
        exponent = exponents[..., i, None]
        never = log_p == -jnp.inf
        total += exponent * jnp.where(never, 0.0, log_p)
        forbidden |= never & (exponent > 0)
    return jax.nn.log_softmax(jnp.where(forbidden, -jnp.inf, total), -1)


def pooled_proposal(experts: Sequence[Proposal], exponents: np.ndarray) -> Proposal:
    """Several proposals as one.

    Args:
        experts: asked as far as the exponents say.
        exponents: ``float[styles, 4, E]``, slots in search order.
    """
    table = jnp.asarray(exponents, jnp.float32)

    def init(params: Any, controls: Controls, hypotheses: int) -> Asked:
        each, exponents = params
        states = [e.init(p, controls, hypotheses) for e, p in zip(experts, each, strict=True)]
        return Asked(tuple(states), exponents[0], controls)

    def begin_frame(params: Any, state: Asked, time: jax.Array, past: Past) -> Asked:
        each, exponents = params
        asked = zip(experts, each, state.states, strict=True)
        states = [e.begin_frame(p, s, time, past) for e, p, s in asked]
        here = exponents[jnp.asarray(state.controls.style)[time]]
        return Asked(tuple(states), here, state.controls)

    def log_probs(params: Any, state: Asked, slot: int, frame: FrameSoFar) -> jax.Array:
        asked = zip(experts, params[0], state.states, strict=True)
        rows = [e.log_probs(p, s, slot, frame) for e, p, s in asked]
        return pooled(rows, state.exponents[slot])

    params = (tuple(expert.params for expert in experts), table)
    return Proposal(params, init, begin_frame, log_probs)


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
    exponents: jax.Array, experts: tuple[jax.Array, ...], token: jax.Array
) -> jax.Array:
    """``[4]`` mean nats of each slot."""
    rows = pooled(experts, exponents)
    return -jnp.take_along_axis(rows, token[..., None], -1)[..., 0].mean(0)


def fit_exponents(
    experts: Sequence[Sequence[np.ndarray]], examples: Sequence[Example]
) -> np.ndarray:
    """Exponents that make these pieces most likely, ``float64[4, E]``.

    Args:
        experts: of each one, its rows ``[time, 4, P]`` of each piece.
        examples: the pieces.
    """
    token = jnp.asarray(np.concatenate([example.token[:, _ORDER] for example in examples]))
    rows = tuple(jnp.asarray(np.concatenate(of_pieces)) for of_pieces in experts)
    optimizer = optax.adam(0.03)
    # Logarithms are fitted: exponents stay above zero.
    logs = jnp.full((4, len(rows)), -np.log(len(rows)))
    state = optimizer.init(logs)

    @jax.jit
    def improved(logs: jax.Array, state: optax.OptState) -> tuple[jax.Array, optax.OptState]:
        gradient = jax.grad(lambda x: _pooled_nats(jnp.exp(x), rows, token).sum())(logs)
        step, state = optimizer.update(gradient, state)
        return logs + step, state

    for _ in range(_FIT_UPDATES):
        logs, state = improved(logs, state)
    return np.asarray(jnp.exp(logs), float)


def pooled_nats_by_voice(
    exponents: np.ndarray,
    experts: Sequence[Sequence[np.ndarray]],
    examples: Sequence[Example],
) -> np.ndarray:
    """Nats per frame of each voice in search order, ``float64[4]``; arguments as above."""
    total = np.zeros(4)
    for rows, example in zip(zip(*experts, strict=True), examples, strict=True):
        token = jnp.asarray(example.token[:, _ORDER])
        nats = _pooled_nats(jnp.asarray(exponents, jnp.float32), rows, token)
        total += np.asarray(nats, float) * len(example)
    return total / sum(len(example) for example in examples)
