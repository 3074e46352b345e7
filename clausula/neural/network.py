"""The transformer proposal: causal along time, then along the voices of a frame.

Shape suffixes: B batch, T time, W attention window, N hypotheses, V voices (4), K slots (4, in
search order), D width, H heads, E width of a head, P tokens of the global vocabulary, I intervals.

Along time a windowed causal transformer reads whole frames and the controls of the frame to come.
Within the frame the voices follow one another (soprano, bass, alto, tenor); each sees the notes
already chosen. Logits see pitch absolutely and relatively: tables over the melodic interval from
the voice's own last pitch, the harmonic intervals to the voices already chosen, and the degree of
the key are added to the absolute ones, all read off the same hidden vector.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.grid import SEARCH_ORDER
from clausula.neural.features import (
    AGES,
    COUNTDOWNS,
    METERS,
    POSITIONS,
    UNKNOWN_KEY,
    Controls,
)
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, LOWEST, N_GLOBAL, REST_TOKEN

N_VOICES = 4
ORDER = np.array(SEARCH_ORDER)
INTERVAL_SPAN = N_GLOBAL - FIRST_PITCH  # intervals run from -span to +span
N_INTERVALS = 2 * INTERVAL_SPAN + 1
NEIGHBOURS = ((0, 1), (1, 2), (2, 3), (0, 3))
N_STATES = 3  # a chosen token as rest, hold or onset


@dataclass(frozen=True)
class NetworkConfig:
    """Size and kind of a network; kept in the weights' metadata."""

    width: int = 192  # residual stream
    layers: int = 4  # transformer blocks along time
    heads: int = 6  # attention heads a block
    mlp: int = 768  # hidden units of a block's MLP
    head_mlp: int = 512  # hidden units of each voice's MLP
    window: int = 128  # frames that attention sees, the current one included
    dropout: float = 0.3  # on embeddings, attention output and MLPs
    holds: bool = True  # false: tokens are the sounding pitches, as in the published data

    def to_dict(self) -> dict[str, int | float | bool]:
        """Plain values for metadata."""
        return asdict(self)


def _dropout(config: NetworkConfig, rngs: nnx.Rngs) -> nnx.Dropout:
    """Dropout; without a rate it carries no random state."""
    return nnx.Dropout(config.dropout, rngs=rngs if config.dropout else None)


class Block(nnx.Module):
    """One pre-norm transformer block with windowed causal attention and a bias by distance."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        d = config.width
        self.heads = config.heads
        self.window = config.window
        self.norm_attention = nnx.LayerNorm(d, rngs=rngs)
        self.qkv = nnx.Linear(d, 3 * d, use_bias=False, rngs=rngs)
        self.out = nnx.Linear(d, d, use_bias=False, rngs=rngs)
        self.bias_HW = nnx.Param(jnp.zeros((config.heads, config.window)))
        self.norm_mlp = nnx.LayerNorm(d, rngs=rngs)
        self.up = nnx.Linear(d, config.mlp, rngs=rngs)
        self.down = nnx.Linear(config.mlp, d, rngs=rngs)
        self.dropout = _dropout(config, rngs)

    def project(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Queries, keys and values ``[..., H, E]`` of residuals ``[..., D]``."""
        qkv = self.qkv(self.norm_attention(x))
        q, k, v = jnp.split(qkv.reshape(*x.shape[:-1], 3 * self.heads, -1), 3, axis=-2)
        return q * q.shape[-1] ** -0.5, k, v

    def finish(self, x: jax.Array, attended: jax.Array) -> jax.Array:
        """The residual ``[..., D]`` after attention (``[..., H, E]``) and the MLP."""
        x = x + self.dropout(self.out(attended.reshape(x.shape)))
        hidden = jax.nn.gelu(self.up(self.norm_mlp(x)))
        return x + self.dropout(self.down(hidden))

    def __call__(self, x_BTD: jax.Array) -> jax.Array:
        """Whole sequences at once; each frame sees itself and the ``window - 1`` before."""
        total = x_BTD.shape[1]
        q, k, v = self.project(x_BTD)
        distance = np.arange(total)[:, None] - np.arange(total)[None, :]
        seen = (distance >= 0) & (distance < self.window)
        bias_HTT = self.bias_HW[...][:, np.clip(distance, 0, self.window - 1)]
        logits = jnp.einsum("bthe,bshe->bhts", q, k) + bias_HTT[None]
        weights = jax.nn.softmax(jnp.where(jnp.asarray(seen)[None, None], logits, -jnp.inf), -1)
        return self.finish(x_BTD, jnp.einsum("bhts,bshe->bthe", weights, v))

    def step(
        self, x_ND: jax.Array, keys_WNHE: jax.Array, values_WNHE: jax.Array, distance_W: jax.Array
    ) -> jax.Array:
        """One frame of N hypotheses over their cached keys and values.

        Args:
            x_ND: residuals.
            keys_WNHE: keys of the window, each hypothesis's own past, the current frame included.
            values_WNHE: likewise.
            distance_W: frames back that each slot lies; negative where it is empty.
        """
        q, _, _ = self.project(x_ND)
        bias_HW = self.bias_HW[...][:, jnp.clip(distance_W, 0, self.window - 1)]
        logits = jnp.einsum("nhe,wnhe->nhw", q, keys_WNHE) + bias_HW[None]
        seen = (distance_W >= 0) & (distance_W < self.window)
        weights = jax.nn.softmax(jnp.where(seen[None, None], logits, -jnp.inf), -1)
        return self.finish(x_ND, jnp.einsum("nhw,wnhe->nhe", weights, values_WNHE))


class FrameEmbedding(nnx.Module):
    """A whole frame and the controls of the next one, as one vector."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        d = config.width

        def table(rows: int) -> nnx.Embed:
            return nnx.Embed(rows, d, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)

        self.pitch = table(N_VOICES * (N_GLOBAL + 1))
        self.degree = table(N_VOICES * 14)
        self.age = table(N_VOICES * AGES)
        self.interval = table(len(NEIGHBOURS) * (N_INTERVALS + 1))
        self.chroma = nnx.Linear(12, d, rngs=rngs)
        self.position = table(POSITIONS)
        self.meter = table(len(METERS))
        self.phrase_end = table(3)
        self.until = table(COUNTDOWNS)
        self.since = table(COUNTDOWNS)
        self.tonic = table(13)
        self.mode = table(3)

    def __call__(
        self, sounding: jax.Array, age: jax.Array, begun: jax.Array, controls: Controls
    ) -> jax.Array:
        """Vectors ``[..., D]``.

        Args:
            sounding: ``[..., V]`` pitch tokens of the previous frame.
            age: ``[..., V]`` frames since those notes' onsets.
            begun: ``[...]`` false where there is no previous frame: the piece begins.
            controls: of the frame to come, each ``[...]``.
        """
        voices = np.arange(N_VOICES)
        silent = sounding == REST_TOKEN
        pitch = jnp.where(begun[..., None], sounding, N_GLOBAL)
        x = self.pitch(pitch + voices * (N_GLOBAL + 1)).sum(-2)
        chroma = (sounding + LOWEST - FIRST_PITCH) % 12
        known = (controls.tonic != UNKNOWN_KEY)[..., None]
        degree = jnp.where(
            silent, 12, jnp.where(known, (chroma - controls.tonic[..., None]) % 12, 13)
        )
        x += self.degree(degree + voices * 14).sum(-2)
        x += self.age(age + voices * AGES).sum(-2)
        x += self._intervals(sounding, silent)
        chromas = jax.nn.one_hot(jnp.where(silent, 12, chroma), 12).max(-2)
        x += self.chroma(chromas)
        x += self.position(controls.position) + self.meter(controls.meter)
        x += self.phrase_end(controls.phrase_end) + self.mode(controls.mode)
        x += self.until(controls.until) + self.since(controls.since)
        return x + self.tonic(controls.tonic)

    def _intervals(self, sounding: jax.Array, silent: jax.Array) -> jax.Array:
        """Embedded intervals between neighbouring voices and the outer pair, ``[..., D]``."""
        rows = []
        for i, (upper, lower) in enumerate(NEIGHBOURS):
            interval = sounding[..., upper] - sounding[..., lower] + INTERVAL_SPAN
            rest = silent[..., upper] | silent[..., lower]
            rows.append(jnp.where(rest, N_INTERVALS, interval) + i * (N_INTERVALS + 1))
        return self.interval(jnp.stack(rows, -1)).sum(-2)


class VoiceHead(nnx.Module):
    """Logits of each voice given the frame's vector and the voices chosen before it."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        d, m, k = config.width, config.head_mlp, N_VOICES
        normal = nnx.initializers.normal

        def weight(*shape: int, scale: float) -> nnx.Param:
            return nnx.Param(normal(scale)(rngs.params(), shape))

        self.holds = config.holds
        self.norm = nnx.LayerNorm(d, rngs=rngs)
        self.norm_out = nnx.LayerNorm(d, rngs=rngs)
        self.dropout = _dropout(config, rngs)
        # Row [slot, earlier slot]: what the later voice makes of the earlier one's note.
        self.chosen_pitch = weight(k, k, N_GLOBAL, d, scale=0.02)
        self.chosen_state = weight(k, k, N_STATES, d, scale=0.02)
        self.chosen_degree = weight(k, k, 14, d, scale=0.02)
        self.last_pitch = weight(k, N_GLOBAL, d, scale=0.02)
        self.enter = weight(k, d, d, scale=d**-0.5)
        self.up = weight(k, d, m, scale=d**-0.5)
        self.down = weight(k, m, d, scale=0.5 * m**-0.5)
        self.absolute = weight(k, d, N_GLOBAL, scale=0.02)
        self.melodic = weight(k, d, N_INTERVALS, scale=0.02)
        self.harmonic = weight(k, k, d, N_INTERVALS, scale=0.02)
        self.by_degree = weight(k, d, 12, scale=0.02)
        self.bias = nnx.Param(jnp.zeros((k, N_GLOBAL)))

    def __call__(
        self,
        slot: int,
        h: jax.Array,
        tokens: jax.Array,
        sounding: jax.Array,
        last: jax.Array,
        tonic: jax.Array,
    ) -> jax.Array:
        """Log-probabilities ``[..., P]`` of the voice at ``slot`` of the search order.

        Args:
            slot: 0 … 3, soprano, bass, alto, tenor.
            h: ``[..., D]`` the frame's vector.
            tokens: ``[..., V]`` tokens of this frame; only voices of earlier slots are read.
            sounding: ``[..., V]`` pitch tokens that those voices then sound.
            last: ``[..., V]`` pitch tokens of the previous frame.
            tonic: ``[...]`` pitch class of the key or ``UNKNOWN_KEY``.
        """
        voice = int(ORDER[slot])
        x = h @ self.enter[...][slot] + self.last_pitch[...][slot][last[..., voice]]
        for earlier in range(slot):
            other = int(ORDER[earlier])
            state = jnp.minimum(tokens[..., other], N_STATES - 1)
            x += self.chosen_pitch[...][slot, earlier][sounding[..., other]]
            x += self.chosen_state[...][slot, earlier][state]
            x += self.chosen_degree[...][slot, earlier][_degree(sounding[..., other], tonic)]
        hidden = jax.nn.gelu(self.norm(x) @ self.up[...][slot])
        u = self.norm_out(x + self.dropout(hidden @ self.down[...][slot]))
        logits = u @ self.absolute[...][slot] + self.bias[...][slot]
        pitches = np.arange(FIRST_PITCH, N_GLOBAL)
        relative = _shifted(u @ self.melodic[...][slot], last[..., voice])
        for earlier in range(slot):
            table = u @ self.harmonic[...][slot, earlier]
            relative += _shifted(table, sounding[..., int(ORDER[earlier])])
        degrees = (pitches + LOWEST - FIRST_PITCH - tonic[..., None]) % 12
        by_degree = jnp.take_along_axis(u @ self.by_degree[...][slot], degrees, -1)
        relative += jnp.where((tonic == UNKNOWN_KEY)[..., None], 0.0, by_degree)
        logits = logits.at[..., FIRST_PITCH:].add(relative)
        if not self.holds:
            logits = logits.at[..., HOLD_TOKEN].set(-jnp.inf)
        return jax.nn.log_softmax(logits, -1)


def _degree(sounding: jax.Array, tonic: jax.Array) -> jax.Array:
    """Semitones above the tonic, 12 for silence, 13 where the key is not known."""
    degree = (sounding + LOWEST - FIRST_PITCH - tonic) % 12
    return jnp.where(sounding == REST_TOKEN, 12, jnp.where(tonic == UNKNOWN_KEY, 13, degree))


def _shifted(table_I: jax.Array, reference: jax.Array) -> jax.Array:
    """Entry of an interval table for every pitch, seen from ``reference``; 0 if that is silent.

    Args:
        table_I: ``[..., I]``, entry ``INTERVAL_SPAN`` is the unison.
        reference: ``[...]`` pitch token.

    Returns:
        ``[..., P - FIRST_PITCH]``.
    """
    interval = np.arange(FIRST_PITCH, N_GLOBAL) - reference[..., None]
    index = jnp.clip(interval + INTERVAL_SPAN, 0, N_INTERVALS - 1)
    values = jnp.take_along_axis(table_I, index, -1)
    return jnp.where((reference == REST_TOKEN)[..., None], 0.0, values)


class ChoraleTransformer(nnx.Module):
    """The network: frames in, log-probabilities of every voice's token out."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        self.config = config
        self.embedding = FrameEmbedding(config, rngs)
        self.dropout = _dropout(config, rngs)
        self.blocks = nnx.List([Block(config, rngs) for _ in range(config.layers)])
        self.head = VoiceHead(config, rngs)

    def __call__(
        self,
        token: jax.Array,
        sounding: jax.Array,
        previous: jax.Array,
        previous_age: jax.Array,
        begun: jax.Array,
        controls: Controls,
    ) -> jax.Array:
        """Log-probability ``[B, T, K]`` of the tokens that were chosen, in search order.

        Args:
            token: ``[B, T, V]`` tokens.
            sounding: ``[B, T, V]`` pitch tokens that sound.
            previous: ``[B, T, V]`` pitch tokens of the frame before.
            previous_age: ``[B, T, V]`` their ages.
            begun: ``[B, T]`` whether there is a frame before.
            controls: each ``[B, T]``.
        """
        x = self.dropout(self.embedding(previous, previous_age, begun, controls))
        for block in self.blocks:
            x = block(x)
        chosen = []
        for slot in range(N_VOICES):
            log_probs = self.head(slot, x, token, sounding, previous, controls.tonic)
            target = token[..., int(ORDER[slot])]
            chosen.append(jnp.take_along_axis(log_probs, target[..., None], -1)[..., 0])
        return jnp.stack(chosen, -1)
