"""A ring of cached keys and values, one slot a frame of the attention window, for every hypothesis.

A hypothesis that goes on keeps its row (``proposal.Past``), so that the ring is read where it lies:
a gather of each hypothesis's past would cost more than the attention itself. Only a row that has
died takes over the past of another one, and only those rows are copied. Sampled beams seldom do
that, since their hypotheses are as good as independent; beams that maximise do it all the time,
and pay for it. What a frame costs does not depend on how many came before it.

Shape suffixes: W slots, N hypotheses, H heads, E width of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap


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


def _pieces_together(function: Callable[..., Any]) -> Callable[..., Any]:
    """Under ``vmap``, one call with an axis of pieces before that of the rows.

    The ring is then read, copied and written in one shape, which is what lets the compiler do all
    of it in place; and a loop over the rows that move is one loop, not one a piece.

    Args:
        function: of arrays with any axes before those it names, and of numbers.
    """
    wrapped = custom_vmap(function)

    @wrapped.def_vmap
    def of_all(size: int, batched: list, *arguments: Any) -> tuple[Any, Any]:
        def every(values: jax.Array, is_batched: bool) -> jax.Array:
            if is_batched or values.ndim == 0:
                return values
            return jnp.broadcast_to(values, (size, *values.shape))

        after = wrapped(*jax.tree.map(every, arguments, tuple(batched)))
        return after, jax.tree.map(lambda _: True, after)

    return wrapped


@_pieces_together
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


@_pieces_together
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


@_pieces_together
def taken_over(ring: Ring, shift: jax.Array) -> Ring:
    """The ring after hypotheses took over the pasts of others.

    Args:
        ring: before.
        shift: ``int32[N]`` how many rows further the past lies that each row continues; 0 for
            every row that is anyone's past.
    """
    rows = shift.shape[-1]
    moved = (shift != 0).reshape(-1)
    target = jnp.flatnonzero(moved, size=len(moved), fill_value=0)

    def copy(index: jax.Array, ring: Ring) -> Ring:
        place = target[index]
        # Of one piece there is no axis of pieces.
        piece = [place // rows] * (shift.ndim - 1)
        row = place % rows
        source = row + shift.reshape(-1)[place]

        def copied(cached: jax.Array) -> jax.Array:
            past = (1,) * shift.ndim + cached.shape[-3:]
            found = jax.lax.dynamic_slice(cached, [*piece, source, 0, 0, 0], past)
            return jax.lax.dynamic_update_slice(cached, found, [*piece, row, 0, 0, 0])

        return jax.tree.map(copied, ring)

    return jax.lax.fori_loop(0, moved.sum(), copy, ring)
