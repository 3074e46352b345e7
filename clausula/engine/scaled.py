"""Messages as numbers, each row relative to its largest: no logarithms between layers.

A row of messages ``[z]`` is kept as ``value``, whose largest is ``UNIT``, and the log of what that
largest stands for. Sums and products then need no logarithm but one a row.

Nothing reachable underflows. Within a row the messages differ by what parameters differ by: after
a transition by no more than ``ln(H / FLOOR)`` (21.4 nats at 2,048 hidden states), and by no more
than the log of the least emission, ``FLOOR ** 2 / 64`` (31.8 nats), for every voice since. So the
least message of a frame is 149 nats below the largest of its row, and ``UNIT`` is near the top of
float32, whose smallest normal number is 165 nats below it. Rows may differ from one another by any
amount: that is in their scales.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

UNIT = 2.0**112  # its logarithm is almost a float32: messages do not drift by the difference
LOG_UNIT = float(np.log(UNIT))


class Scaled(NamedTuple):
    """Rows of messages: ``log(value / UNIT) + log_scale``.

    Attributes:
        value: ``[..., z]``, of which the largest is ``UNIT``; 0 where there is no continuation.
        log_scale: ``[...]`` of each row, -inf where there is no continuation.
    """

    value: jax.Array
    log_scale: jax.Array


def finite_max(log_terms: jax.Array, axis: int) -> jax.Array:
    """The maximum, or 0 where all terms are -inf: a scale that never makes ``inf - inf``."""
    best = log_terms.max(axis=axis)
    return jnp.where(jnp.isneginf(best), 0.0, best)


def scaled(log_rows: jax.Array) -> Scaled:
    """From logs ``[q, z]``."""
    # The root, twice: what is far below the largest has no exponential without the unit.
    root = jnp.exp((log_rows - finite_max(log_rows, axis=1)[:, None]) / 2)
    return Scaled(UNIT * root * root, log_rows.max(axis=1))


def logs(rows: Scaled) -> jax.Array:
    """The logs, of the shape of the values."""
    return jnp.log(rows.value) + (rows.log_scale - LOG_UNIT)[..., None]


def emptied(rows: Scaled) -> Scaled:
    """Zeros, batched as the rows are: a loop that carries both is traced once."""
    return Scaled(0 * rows.value, jnp.where(rows.log_scale > 0, 0.0, 0.0))


def rescaled(value: jax.Array, log_scale: jax.Array) -> Scaled:
    """Rows ``[..., z]`` of any size relative to a scale ``[...]``, relative to their own."""
    best = value.max(axis=-1)
    # After four voices at their least the factor itself would overflow; its root does not.
    root = jnp.where(best > 0, UNIT**0.5 / jnp.sqrt(best), 0.0)[..., None]
    return Scaled(value * root * root, log_scale + (jnp.log(best) - LOG_UNIT))


def weighted(
    after: Scaled,
    mass: jax.Array,
    leads: jax.Array,
    successor: jax.Array,
    group: jax.Array,
    cost: jax.Array | float,
    kinds: jax.Array,
) -> Scaled:
    """``sum_k mass[group[q, k], z] after[successor[q, k], z] exp(-cost[q, k])``.

    Over the ``k`` that lead on.

    Args:
        after: ``[q', z]``.
        mass: ``[g, z]``.
        leads: ``bool[q, k]``.
        successor: ``int32[q, k]`` row of ``after``; any where nothing leads on.
        group: ``int32[q, k]`` row of ``mass``.
        cost: ``[q, k]`` nats, or a number.
        kinds: ``[]`` how many of the ``k`` to add.
    """
    row = jnp.maximum(successor, 0)
    log_scale = jnp.where(leads, after.log_scale[row] - cost, -jnp.inf)
    top = finite_max(log_scale, axis=1)
    # A row far below the best of its sum may still count where the best one is least. Its weight
    # could underflow though the product does not: it is multiplied in as its root, twice.
    root = jnp.exp((log_scale - top[:, None]) / 2).T
    row, group = row.T, group.T

    def add(k: jax.Array, total: jax.Array) -> jax.Array:
        weight = root[k][:, None]
        return total + _take(after.value, row[k]) * weight * weight * _take(mass, group[k])

    none = jnp.zeros((leads.shape[0], mass.shape[1])) + 0 * (after.value[:1, :1] + mass[:1, :1])
    total = jax.lax.fori_loop(0, kinds, add, none)
    return rescaled(total, top)


def _take(rows: jax.Array, index: jax.Array) -> jax.Array:
    """``rows[index]``, where every index is one of a row: half as fast if that were checked."""
    return rows.at[index].get(mode="promise_in_bounds")
