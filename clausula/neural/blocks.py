"""The transformer's blocks along time.

Shape suffixes: B batch, T time, W attention window, D width, H heads, E width of a head.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.neural.config import NetworkConfig
from clausula.neural.layers import dropout_of, rotated, toeplitz


class Block(nnx.Module):
    """One pre-norm transformer block with windowed causal attention and a bias by distance."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        d = config.width
        self.heads = config.heads
        self.window = config.window
        self.rotary = config.rotary
        self.norm_attention = nnx.LayerNorm(d, rngs=rngs)
        self.qkv = nnx.Linear(d, 3 * d, use_bias=False, rngs=rngs)
        self.out = nnx.Linear(d, d, use_bias=False, rngs=rngs)
        self.bias_HW = nnx.Param(jnp.zeros((config.heads, config.window)))
        self.norm_mlp = nnx.LayerNorm(d, rngs=rngs)
        self.up = nnx.Linear(d, config.mlp, rngs=rngs)
        self.down = nnx.Linear(config.mlp, d, rngs=rngs)
        self.dropout = dropout_of(config.dropout, rngs)

    def project(self, x: jax.Array, time: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Queries, keys and values ``[..., H, E]`` of residuals ``[..., D]`` at those frames."""
        qkv = self.qkv(self.norm_attention(x))
        q, k, v = jnp.split(qkv.reshape(*x.shape[:-1], 3 * self.heads, -1), 3, axis=-2)
        q = q * q.shape[-1] ** -0.5
        return (rotated(q, time), rotated(k, time), v) if self.rotary else (q, k, v)

    def finish(self, x: jax.Array, attended: jax.Array) -> jax.Array:
        """The residual ``[..., D]`` after attention (``[..., H, E]``) and the MLP."""
        x = x + self.dropout(self.out(attended.reshape(x.shape)))
        hidden = jax.nn.gelu(self.up(self.norm_mlp(x)))
        return x + self.dropout(self.down(hidden))

    def __call__(self, x_BTD: jax.Array) -> jax.Array:
        """Whole sequences at once; each frame sees itself and the ``window - 1`` before."""
        total = x_BTD.shape[1]
        q, k, v = self.project(x_BTD, jnp.arange(total)[None])
        distance = np.arange(total)[:, None] - np.arange(total)[None, :]
        seen = (distance >= 0) & (distance < self.window)
        bias = self.bias_HW[...]
        bias = jnp.pad(bias, ((0, 0), (0, max(0, total - self.window))))[:, :total]
        logits = jnp.einsum("bthe,bshe->bhts", q, k) + toeplitz(bias)[None]
        weights = jax.nn.softmax(jnp.where(jnp.asarray(seen)[None, None], logits, -jnp.inf), -1)
        return self.finish(x_BTD, jnp.einsum("bhts,bshe->bthe", weights, v))

    def bias_by_slot(self, distance_W: jax.Array) -> jax.Array:
        """``[H, W]`` bias of the frames before, -inf where one is not seen.

        Args:
            distance_W: frames back that each slot lies; not above 0 where nothing is to be seen.
        """
        seen = (distance_W > 0) & (distance_W < self.window)
        bias_HW = self.bias_HW[...][:, jnp.clip(distance_W, 0, self.window - 1)]
        return jnp.where(seen, bias_HW, -jnp.inf)
