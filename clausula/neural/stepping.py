"""The transformer as a proposal: one frame at a time, over a window of cached keys and values.

The cache is a ring of ``window`` slots. Hypotheses are never copied when the beam reorders them:
each slot remembers, for every hypothesis, which row of that slot is its ancestor.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from clausula.neural.features import Controls
from clausula.neural.network import ChoraleTransformer
from clausula.proposal import FrameSoFar, Past, Proposal


class Cache(NamedTuple):
    """State of the transformer along time; L layers, W window, N hypotheses, H heads, E width.

    Attributes:
        keys: ``float32[L, W, N, H, E]``.
        values: likewise.
        ancestor: ``int32[W, N]`` row of each slot that a hypothesis descends from.
        h: ``float32[N, D]`` vectors of the current frame, by the row it began with.
        tonic: ``int32[]`` tonic of the current frame.
        controls: the whole piece's, ``[time]``.
    """

    keys: jax.Array
    values: jax.Array
    ancestor: jax.Array
    h: jax.Array
    tonic: jax.Array
    controls: Controls


def transformer_proposal(model: ChoraleTransformer) -> Proposal:
    """The network behind the proposal contract; dropout is off."""
    model.eval()
    graph, *states = nnx.split(model, nnx.Param, ...)
    params, rest = states
    config = model.config
    head_width = config.width // config.heads

    def init(params: nnx.State, controls: Controls, hypotheses: int) -> Cache:
        shape = (config.layers, config.window, hypotheses, config.heads, head_width)
        return Cache(
            jnp.zeros(shape),
            jnp.zeros(shape),
            jnp.zeros((config.window, hypotheses), jnp.int32),
            jnp.zeros((hypotheses, config.width)),
            jnp.int32(0),
            controls,
        )

    def begin_frame(params: nnx.State, cache: Cache, time: jax.Array, past: Past) -> Cache:
        return _begin_frame(nnx.merge(graph, params, rest), cache, time, past)

    def log_probs(params: nnx.State, cache: Cache, slot: int, frame: FrameSoFar) -> jax.Array:
        net = nnx.merge(graph, params, rest)
        tonic = jnp.broadcast_to(cache.tonic, frame.row.shape)
        return net.head(slot, cache.h[frame.row], frame.token, frame.sounding, frame.last, tonic)

    return Proposal(params, init, begin_frame, log_probs)


def _begin_frame(net: ChoraleTransformer, cache: Cache, time: jax.Array, past: Past) -> Cache:
    window = net.config.window
    hypotheses = past.parent.shape[0]
    now = time % window
    ancestor = cache.ancestor[:, past.parent].at[now].set(jnp.arange(hypotheses))
    slots = jnp.arange(window)
    distance = (time - slots) % window
    distance = jnp.where(distance <= time, distance, -1)
    controls = Controls(*(column[time] for column in cache.controls))
    begun = jnp.broadcast_to(time > 0, (hypotheses,))
    spread = Controls(*(jnp.broadcast_to(c, (hypotheses,)) for c in controls))
    x = net.embedding(past.sounding, past.age, begun, spread)
    keys, values = cache.keys, cache.values
    for layer, block in enumerate(net.blocks):
        _, k, v = block.project(x)
        keys = keys.at[layer, now].set(k)
        values = values.at[layer, now].set(v)
        x = block.step(
            x,
            keys[layer][slots[:, None], ancestor],
            values[layer][slots[:, None], ancestor],
            distance,
        )
    return Cache(keys, values, ancestor, x, controls.tonic, cache.controls)
