"""Rows of a beam that stay where they are.

A hypothesis that goes on keeps its row; only a row that has died takes over the past of another.
So what a beam carries along, however long, is not copied from frame to frame but for those rows.
Sampled beams seldom have any, since their hypotheses are as good as independent; beams that
maximise have some all the time, and pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap

Tree = TypeVar("Tree")


def pieces_together(function: Callable[..., Any]) -> Callable[..., Any]:
    """Under ``vmap``, one call with an axis of pieces before that of the rows.

    What is carried along is then read, copied and written in one shape, which is what lets the
    compiler do all of it in place; and a loop over the rows that move is one loop, not one a piece.

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


@pieces_together
def taken_over(past: Tree, shift: jax.Array) -> Tree:
    """The rows after hypotheses took over the pasts of others.

    Args:
        past: a tree of arrays whose first axis are rows, before.
        shift: ``int32[N]`` how many rows further the past lies that each row continues; 0 for
            every row that is anyone's past.
    """
    rows = shift.shape[-1]
    moved = (shift != 0).reshape(-1)
    target = jnp.flatnonzero(moved, size=len(moved), fill_value=0)

    def copy(index: jax.Array, past: Tree) -> Tree:
        place = target[index]
        # Of one piece there is no axis of pieces.
        piece = [place // rows] * (shift.ndim - 1)
        row = place % rows
        source = row + shift.reshape(-1)[place]

        def copied(cached: jax.Array) -> jax.Array:
            own = cached.shape[shift.ndim :]
            rest = [0] * len(own)
            found = jax.lax.dynamic_slice(cached, [*piece, source, *rest], (1,) * shift.ndim + own)
            return jax.lax.dynamic_update_slice(cached, found, [*piece, row, *rest])

        return jax.tree.map(copied, past)

    return jax.lax.fori_loop(0, moved.sum(), copy, past)
