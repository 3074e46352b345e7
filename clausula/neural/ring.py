"""A ring of cached keys and values, one slot a frame of the attention window, for every hypothesis.

A hypothesis that goes on keeps its row (``proposal.Past``), so that the ring is read where it lies:
a gather of each hypothesis's past would cost more than the attention itself. Only a row that has
died takes over the past of another one, and only those rows are copied. Sampled beams seldom do
that, since their hypotheses are as good as independent; beams that maximise do it all the time,
and pay for it. What a frame costs does not depend on how many came before it.

Shape suffixes: W slots, N hypotheses, H heads, E width of a head.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from clausula.beam_rows import pieces_together


class Ring(NamedTuple):
    """Cached keys and values by layer, each ``float32[N, H, W, E]``."""

    keys: tuple[jax.Array, ...]
    values: tuple[jax.Array, ...]


def empty_ring(layers: int, window: int, hypotheses: int, heads: int, width: int) -> Ring:
    """A ring before the first frame."""
    empty = tuple(jnp.zeros((hypotheses, heads, window, width)) for _ in range(layers))
    return Ring(empty, empty)


def distances(time: jax.Array, window: int) -> jax.Array:
    """``int32[W]`` frames back that each slot lies at a frame; -1 where it is still empty."""
    back = (time - jnp.arange(window)) % window
    return jnp.where(back <= time, back, -1)


@pieces_together
def attended(
    cached: tuple[jax.Array, jax.Array],
    projected: tuple[jax.Array, jax.Array, jax.Array],
    bias: jax.Array,
    bias_now: jax.Array,
) -> jax.Array:
    """``[N, H, E]`` one layer's attention over the frames before and the current one.

    Args:
        cached: the layer's keys and values, before the current frame is stored.
        projected: the current frame's queries, keys and values, each ``[N, H, E]``.
        bias: ``[N, H, W]`` added to the logits of the frames before, -inf where one is not seen.
        bias_now: ``[N, H]`` to the current one's.
    """
    (query, key, value), (keys, values) = projected, cached
    before = jnp.einsum("...nhe,...nhwe->...nhw", query, keys) + bias
    now = (query * key).sum(axis=-1) + bias_now
    weights = jax.nn.softmax(jnp.concatenate([before, now[..., None]], axis=-1), axis=-1)
    return (
        jnp.einsum("...nhw,...nhwe->...nhe", weights[..., :-1], values) + weights[..., -1:] * value
    )


@pieces_together
def stored(ring: Ring, now: Ring, slot: jax.Array) -> Ring:
    """The ring with the keys and values of a frame.

    Nothing but the ring itself may need what is returned here: only then it is stored in place.

    Args:
        ring: before.
        now: each ``[N, H, E]`` by layer.
        slot: ``[]`` of the frame.
    """

    def put(cached: jax.Array, rows: jax.Array) -> jax.Array:
        return jax.lax.dynamic_update_slice_in_dim(cached, rows[..., None, :], slot, -2)

    return jax.tree.map(put, ring, now)
