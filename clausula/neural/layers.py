"""Building blocks of the networks: lookups as matrix products, interval tables, attention.

Shape suffixes: B batch, T time, W attention window, N hypotheses, D width, H heads, E width of a
head, F fields, R rows of a table, I intervals, P tokens of the global vocabulary.

Tables here are small and batches are large, so a lookup is a product with a one-hot matrix: on a
CPU the scatter that its gradient would need costs several times more than the product.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.neural.features import UNKNOWN_KEY
from clausula.vocabulary import FIRST_PITCH, LOWEST, N_GLOBAL, REST_TOKEN

INTERVAL_SPAN = N_GLOBAL - FIRST_PITCH  # intervals run from -span to +span
N_INTERVALS = 2 * INTERVAL_SPAN + 1


def normal(rngs: nnx.Rngs, *shape: int, scale: float) -> nnx.Param:
    """A parameter drawn from a normal distribution of that standard deviation."""
    return nnx.Param(nnx.initializers.normal(scale)(rngs.params(), shape))


def dropout_of(rate: float, rngs: nnx.Rngs) -> nnx.Dropout:
    """Dropout; without a rate it carries no random state."""
    return nnx.Dropout(rate, rngs=rngs if rate else None)


class FieldTable(nnx.Module):
    """The sum of one embedding for each field of a record: a multi-hot product."""

    def __init__(self, sizes: Sequence[int], width: int, rngs: nnx.Rngs, scale: float = 0.02):
        self.sizes = tuple(sizes)
        self.offsets = tuple(int(o) for o in np.cumsum([0, *self.sizes[:-1]]))
        self.table_RD = normal(rngs, sum(self.sizes), width, scale=scale)

    def __call__(self, fields: Sequence[jax.Array], weights: jax.Array | None = None) -> jax.Array:
        """Summed embeddings ``[..., D]``.

        Args:
            fields: an integer array ``[...]`` for each field, below its size; a negative one
                embeds to zero.
            weights: ``[..., F]`` factor of each field.
        """
        columns = []
        for f, (index, size) in enumerate(zip(fields, self.sizes, strict=True)):
            hot = jax.nn.one_hot(index, size, dtype=self.table_RD[...].dtype)
            columns.append(hot if weights is None else hot * weights[..., f : f + 1])
        return jnp.concatenate(columns, -1) @ self.table_RD[...]


@jax.custom_vjp
def by_interval(table_I: jax.Array, reference: jax.Array) -> jax.Array:
    """Entry of an interval table for every pitch, seen from ``reference``; 0 if that is silent.

    Args:
        table_I: ``[..., I]``, entry ``INTERVAL_SPAN`` is the unison.
        reference: ``[...]`` pitch token; ``REST_TOKEN`` in silence.

    Returns:
        ``[..., P - FIRST_PITCH]``.
    """
    interval = np.arange(FIRST_PITCH, N_GLOBAL) - reference[..., None]
    index = jnp.clip(interval + INTERVAL_SPAN, 0, N_INTERVALS - 1)
    values = jnp.take_along_axis(table_I, index, -1)
    return jnp.where((reference == REST_TOKEN)[..., None], 0.0, values)


def _by_interval_forward(table_I: jax.Array, reference: jax.Array) -> tuple[jax.Array, jax.Array]:
    return by_interval(table_I, reference), reference


def _by_interval_backward(reference: jax.Array, gradient: jax.Array) -> tuple[jax.Array, None]:
    # Seen from one reference each pitch has its own interval, so the gradient is a gather too.
    pitch = np.arange(N_INTERVALS) - INTERVAL_SPAN + reference[..., None] - FIRST_PITCH
    inside = (pitch >= 0) & (pitch < N_GLOBAL - FIRST_PITCH)
    inside &= (reference != REST_TOKEN)[..., None]
    index = jnp.clip(pitch, 0, N_GLOBAL - FIRST_PITCH - 1)
    return jnp.where(inside, jnp.take_along_axis(gradient, index, -1), 0.0), None


by_interval.defvjp(_by_interval_forward, _by_interval_backward)


@jax.custom_vjp
def by_degree(table_C: jax.Array, tonic: jax.Array) -> jax.Array:
    """Entry of a table of degrees for every pitch; 0 where no key is known.

    Args:
        table_C: ``[..., 12]`` by semitones above the tonic.
        tonic: ``[...]`` pitch class of the key or ``UNKNOWN_KEY``.

    Returns:
        ``[..., P - FIRST_PITCH]``.
    """
    degree = (np.arange(LOWEST, LOWEST + N_GLOBAL - FIRST_PITCH) - tonic[..., None]) % 12
    values = jnp.take_along_axis(table_C, degree, -1)
    return jnp.where((tonic == UNKNOWN_KEY)[..., None], 0.0, values)


def _by_degree_forward(table_C: jax.Array, tonic: jax.Array) -> tuple[jax.Array, jax.Array]:
    return by_degree(table_C, tonic), tonic


def _by_degree_backward(tonic: jax.Array, gradient: jax.Array) -> tuple[jax.Array, None]:
    # Octaves are added up first; then each degree is one entry, a gather again.
    missing = -gradient.shape[-1] % 12
    padded = jnp.pad(gradient, [(0, 0)] * (gradient.ndim - 1) + [(0, missing)])
    octave = padded.reshape(*gradient.shape[:-1], -1, 12).sum(-2)
    index = (np.arange(12) + tonic[..., None] - LOWEST) % 12
    values = jnp.take_along_axis(octave, index, -1)
    return jnp.where((tonic == UNKNOWN_KEY)[..., None], 0.0, values), None


by_degree.defvjp(_by_degree_forward, _by_degree_backward)


def rotated(x: jax.Array, time: jax.Array) -> jax.Array:
    """Rotary positions: pairs of channels turned by angles that grow with time.

    Args:
        x: ``[..., H, E]`` queries or keys.
        time: ``[...]`` frame of each.

    Source: Su et al., RoFormer, 2021, section 3.2.
    """
    half = x.shape[-1] // 2
    frequency = np.float32(10000.0) ** (-np.arange(half, dtype=np.float32) / half)
    angle = time[..., None, None].astype(jnp.float32) * frequency
    sine, cosine = jnp.sin(angle).astype(x.dtype), jnp.cos(angle).astype(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cosine - b * sine, a * sine + b * cosine], -1)


def toeplitz(past_HT: jax.Array, future_HT: jax.Array | None = None) -> jax.Array:
    """``out[h, t, s] = past[h, t - s]`` for ``s <= t``, ``future[h, s - t]`` beyond: no gather.

    Args:
        past_HT: entry d for what lies d frames back.
        future_HT: entry d for what lies d frames ahead (entry 0 is not read); zeros if left out.

    Returns:
        ``[H, T, T]``.
    """
    heads, total = past_HT.shape
    ahead = jnp.zeros_like(past_HT) if future_HT is None else future_HT
    row = jnp.concatenate([past_HT[:, :1], ahead[:, 1:], past_HT[:, :0:-1]], axis=1)
    # Laid end to end and cut one column short, each row begins one distance further back.
    columns = 2 * total - 1
    flat = jnp.tile(row, (1, total))[:, : total * (columns - 1)]
    if total == 1:
        return past_HT[:, :, None]
    return flat.reshape(heads, total, columns - 1)[:, :, :total]


def columns(x: jax.Array) -> list[jax.Array]:
    """The entries of the last axis, each ``[...]``."""
    return [x[..., i] for i in range(x.shape[-1])]


def degree_of(sounding: jax.Array, tonic: jax.Array) -> jax.Array:
    """Semitones above the tonic, 12 for silence, 13 where the key is not known."""
    degree = (sounding + LOWEST - FIRST_PITCH - tonic) % 12
    return jnp.where(sounding == REST_TOKEN, 12, jnp.where(tonic == UNKNOWN_KEY, 13, degree))
