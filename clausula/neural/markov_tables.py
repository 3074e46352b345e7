"""Counts of tokens by context, and the distributions that they give.

A chain of contexts is interpolated from the widest to the narrowest: where a context was seen n
times with k kinds of token, the next wider one's distribution counts as k more observations, and
the widest falls back on the uniform distribution. So no token of the vocabulary is impossible.
Reference: I. Witten and T. Bell, "The Zero-Frequency Problem", IEEE Trans. Information Theory 37
(1991), method C. Shapes: N rows, P tokens, E viewpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.neural.features import Array
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_GLOBAL

SYMBOL_SHIFT = 80  # distances from the anchor are stored as positive numbers


class Table(NamedTuple):
    """Counts of one slot, all viewpoints and levels together, in compressed rows.

    Attributes:
        context: ``uint32[C]`` hashes, ascending.
        start: ``int32[C + 1]`` where each context's entries begin.
        symbol: ``uint8[K]`` tokens, pitches as distances from the anchor plus ``SYMBOL_SHIFT``.
        count: ``float32[K]`` how often each was seen.
    """

    context: Array
    start: Array
    symbol: Array
    count: Array

    @property
    def width(self) -> int:
        """The most kinds of token that any context has."""
        return int(np.diff(self.start).max())


def mix(value: Array, word: Array) -> Array:
    """One step of a multiplicative hash (D. Knuth, TAOCP 3, 6.4) in 32-bit arithmetic.

    Args:
        value: ``uint32[N]`` the hash so far.
        word: ``[N]`` integers to add to it; negative ones wrap.
    """
    # Words are small: unless they are spread over all bits, unlike contexts begin alike.
    return (value ^ (word.astype(np.uint32) * np.uint32(0x85EBCA6B))) * np.uint32(0x9E3779B1)


def count(
    contexts: Sequence[Sequence[np.ndarray]],
    anchors: Sequence[np.ndarray],
    token: np.ndarray,
    least: int,
) -> Table:
    """Count tokens.

    Args:
        contexts: ``uint32[N]`` hashes by viewpoint and level.
        anchors: ``int[N]`` anchor token by viewpoint.
        token: ``int[N]`` what was chosen.
        least: contexts that were seen less often are left out.
    """
    keys, counts = [], []
    for levels, anchor in zip(contexts, anchors, strict=True):
        symbol = np.where(token >= FIRST_PITCH, token - anchor + SYMBOL_SHIFT, token)
        for level in levels:
            pair = (level.astype(np.uint64) << np.uint64(8)) | symbol.astype(np.uint64)
            key, times = np.unique(pair, return_counts=True)
            keys.append(key)
            counts.append(times)
    key, times = np.concatenate(keys), np.concatenate(counts)
    # Contexts of two levels whose hashes happen to be equal are one.
    key, group = np.unique(key, return_inverse=True)
    times = np.bincount(group, times)
    context = key >> np.uint64(8)
    first = np.flatnonzero(np.append(True, context[1:] != context[:-1]))
    seen = np.add.reduceat(times, first)
    kinds = np.diff(np.append(first, len(key)))
    kept = seen >= least
    entries = np.repeat(kept, kinds)
    return Table(
        context[first][kept].astype(np.uint32),
        np.append(0, np.cumsum(kinds[kept])).astype(np.int32),
        (key[entries] & np.uint64(255)).astype(np.uint8),
        times[entries].astype(np.float32),
    )


def uniform(holds: bool) -> np.ndarray:
    """``float32[P]`` what the widest context falls back on; no hold where nothing is held."""
    weight = np.ones(N_GLOBAL, np.float32)
    weight[HOLD_TOKEN] = holds
    return weight / weight.sum()


def interpolate(xp: ModuleType, p: Array, counts: Array) -> Array:
    """Distributions ``[…, P]`` one context narrower; a context never seen changes nothing."""
    total = counts.sum(-1, keepdims=True)
    kinds = (counts > 0).sum(-1, keepdims=True)
    mixed = (counts + kinds * p) / xp.maximum(total + kinds, 1)
    return xp.where(total > 0, mixed, p)


def chain_rows(
    table: Table, levels: Sequence[np.ndarray], anchor: np.ndarray, holds: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Distributions of one viewpoint, in NumPy.

    Args:
        table: of the slot.
        levels: ``uint32[N]`` hashes, the widest context first.
        anchor: ``int[N]`` tokens.
        holds: whether the hold is a token.

    Returns:
        ``float32[N, P]`` and ``int[N]`` how many of the contexts were known.
    """
    rows = len(anchor)
    p = np.broadcast_to(uniform(holds), (rows, N_GLOBAL))
    known = np.zeros(rows, int)
    for level in levels:
        counts = _counts(table, level, anchor)
        p = interpolate(np, p, counts)
        known += counts.sum(1) > 0
    return p, known


def _counts(table: Table, context: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """``float32[N, P]`` counts of the tokens after a context; 0 where it was never seen."""
    rows = len(anchor)
    place = np.minimum(np.searchsorted(table.context, context), len(table.context) - 1)
    found = table.context[place] == context
    kinds = np.where(found, table.start[place + 1] - table.start[place], 0)
    row = np.repeat(np.arange(rows), kinds)
    within = np.arange(len(row)) - np.repeat(np.cumsum(kinds) - kinds, kinds)
    entry = np.repeat(table.start[place], kinds) + within
    symbol = table.symbol[entry].astype(int)
    token = np.where(symbol >= FIRST_PITCH, symbol - SYMBOL_SHIFT + anchor[row], symbol)
    # Far from where it was counted, a distance may lead out of the vocabulary.
    kept = (symbol < FIRST_PITCH) | ((token >= FIRST_PITCH) & (token < N_GLOBAL))
    index = row[kept] * N_GLOBAL + token[kept]
    out = np.bincount(index, table.count[entry[kept]], rows * N_GLOBAL)
    return out.astype(np.float32).reshape(rows, N_GLOBAL)


def chain_rows_in_jax(
    table: Table,
    width: int,
    contexts: jax.Array,
    exists: np.ndarray,
    anchors: jax.Array,
    holds: bool,
) -> tuple[jax.Array, jax.Array]:
    """Distributions of all viewpoints, inside a compiled program.

    Args:
        table: of the slot.
        width: the most kinds of token that a context has.
        contexts: ``uint32[N, E, D]`` hashes by viewpoint and level, the widest context first.
        exists: ``bool[E, D]`` false where a viewpoint has fewer levels.
        anchors: ``int32[N, E]`` tokens by viewpoint.
        holds: whether the hold is a token.

    Returns:
        ``float32[N, E, P]`` and ``int32[N, E]`` how many of the contexts were known.
    """
    # Without the barrier each later step would compute the hashes anew.
    counts = _counts_in_jax(table, width, *jax.lax.optimization_barrier((contexts, anchors)))
    counts = jnp.where(exists[..., None], counts, 0.0)
    p = jnp.broadcast_to(uniform(holds), (*anchors.shape, N_GLOBAL))
    for level in range(exists.shape[1]):
        p = interpolate(jnp, p, counts[:, :, level])
    return p, (counts.sum(-1) > 0).sum(-1)


def _counts_in_jax(table: Table, width: int, context: jax.Array, anchor: jax.Array) -> jax.Array:
    """``float32[N, E, D, P]`` counts of the tokens after each context; 0 where never seen."""
    place = jnp.searchsorted(table.context, context)
    place = jnp.minimum(place, table.context.shape[0] - 1)
    start = table.start[place]
    kinds = jnp.where(table.context[place] == context, table.start[place + 1] - start, 0)
    within = jnp.arange(width)
    entry = jnp.minimum(start[..., None] + within, table.symbol.shape[0] - 1)
    symbol = table.symbol[entry].astype(jnp.int32)
    moved = symbol - SYMBOL_SHIFT + anchor[:, :, None, None]
    token = jnp.where(symbol >= FIRST_PITCH, moved, symbol)
    inside = (symbol < FIRST_PITCH) | (moved >= FIRST_PITCH)
    # What is not counted goes to a column past the end, which the scatter drops.
    token = jnp.where((within < kinds[..., None]) & inside, token, N_GLOBAL)
    n, e, d = (index[..., None] for index in np.ogrid[tuple(map(slice, context.shape))])
    zeros = jnp.zeros((*context.shape, N_GLOBAL))
    return zeros.at[n, e, d, token].set(table.count[entry], mode="drop")
