"""Long short-term memory layers: whole sequences at once, or a step at a time.

Shape suffixes: T steps (frames, or notes along the note axis), R rows (sequences side by side),
I inputs, H units, G gates (4 * H: input, forget, output, candidate).

Teacher forcing knows every input beforehand, so the inputs of all steps are projected by one matrix
product, and a layer runs over all of its steps before the next layer begins.

Source: Hochreiter and Schmidhuber 1997; the forget gate of Gers, Schmidhuber and Cummins 2000.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from clausula.neural.layers import normal


class Memory(NamedTuple):
    """State of a layer: ``hidden`` (what it tells) and ``cell``, each ``[R, H]``."""

    hidden: jax.Array
    cell: jax.Array


def _next(gates_RG: jax.Array, cell_RH: jax.Array) -> Memory:
    """The state after a step of whole pre-activations ``[R, G]``."""
    admit, keep, tell, candidate = jnp.split(gates_RG, 4, -1)
    cell = jax.nn.sigmoid(keep) * cell_RH + jax.nn.sigmoid(admit) * jnp.tanh(candidate)
    return Memory(jax.nn.sigmoid(tell) * jnp.tanh(cell), cell)


class LSTM(nnx.Module):
    """One layer, whose first state is learnt."""

    def __init__(self, inputs: int, width: int, rngs: nnx.Rngs):
        self.width = width
        self.kernel_IG = normal(rngs, inputs, 4 * width, scale=inputs**-0.5)
        self.recurrent_HG = normal(rngs, width, 4 * width, scale=width**-0.5)
        # Open forget gates let gradients through from the first update on.
        self.bias_G = nnx.Param(jnp.zeros(4 * width).at[width : 2 * width].set(1.0))
        self.start = nnx.Param(jnp.zeros((2, width)))

    def initial(self, rows: int) -> Memory:
        """The learnt first state, the same in every row."""
        hidden, cell = jnp.broadcast_to(self.start[...][:, None], (2, rows, self.width))
        return Memory(hidden, cell)

    def project(self, x: jax.Array) -> jax.Array:
        """Pre-activations ``[..., G]`` that inputs ``[..., I]`` give, biases included."""
        return x @ self.kernel_IG[...] + self.bias_G[...]

    def __call__(
        self, gates_TRG: jax.Array, start: Memory | None = None
    ) -> tuple[jax.Array, Memory]:
        """Hidden states ``[T, R, H]`` of projected inputs, and the last state."""
        start = self.initial(gates_TRG.shape[1]) if start is None else start

        def step(state: Memory, gates_RG: jax.Array) -> tuple[Memory, jax.Array]:
            after = self.step(gates_RG, state)
            return after, after.hidden

        end, hidden_TRH = jax.lax.scan(step, start, gates_TRG)
        return hidden_TRH, end

    def step(self, gates_RG: jax.Array, state: Memory) -> Memory:
        """The state after one step."""
        return _next(gates_RG + state.hidden @ self.recurrent_HG[...], state.cell)


def run_stack(
    layers: nnx.List,
    gates_TRG: jax.Array,
    dropout: nnx.Dropout,
    starts: tuple[Memory, ...] | None = None,
) -> tuple[jax.Array, tuple[Memory, ...]]:
    """Layers on top of each other, with dropout on what each one tells.

    Args:
        layers: bottom first, at least one.
        gates_TRG: inputs as the bottom layer projected them.
        dropout: applied to every layer's hidden states.
        starts: states before the first step, by layer; the learnt ones if left out.

    Returns:
        Hidden states of the top layer after dropout, and the last states by layer.
    """
    ends: list[Memory] = []
    hidden = gates_TRG
    for i, layer in enumerate(layers):
        gates = layer.project(hidden) if i else gates_TRG
        hidden, end = layer(gates, None if starts is None else starts[i])
        hidden = dropout(hidden)
        ends.append(end)
    return hidden, tuple(ends)


def step_stack(
    layers: nnx.List, gates_RG: jax.Array, states: tuple[Memory, ...]
) -> tuple[Memory, ...]:
    """The states of stacked layers after one step, without dropout."""
    after: list[Memory] = []
    for i, (layer, state) in enumerate(zip(layers, states, strict=True)):
        gates = layer.project(after[-1].hidden) if i else gates_RG
        after.append(layer.step(gates, state))
    return tuple(after)
