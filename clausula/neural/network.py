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

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.grid import SEARCH_ORDER
from clausula.neural.batches import Batch
from clausula.neural.blocks import Block
from clausula.neural.config import NetworkConfig
from clausula.neural.echo import N_ECHOES, N_LENGTHS, NO_TOKEN, Echo
from clausula.neural.encoder import PinEncoder, PinReader, Told, next_pin
from clausula.neural.features import (
    AGES,
    COUNTDOWNS,
    METERS,
    POSITIONS,
    UNPINNED,
    Controls,
    Pins,
)
from clausula.neural.layers import (
    INTERVAL_SPAN,
    N_INTERVALS,
    FieldTable,
    by_degree,
    by_interval,
    columns,
    degree_of,
    dropout_of,
    normal,
)
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, LOWEST, N_GLOBAL, REST_TOKEN

N_VOICES = 4
ORDER = np.array(SEARCH_ORDER)
NEIGHBOURS = ((0, 1), (1, 2), (2, 3), (0, 3))
N_STATES = 3  # a chosen token as rest, hold or onset


class FrameEmbedding(nnx.Module):
    """A whole frame, the controls of the next one and what its past suggests, as one vector."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        self.field_dropout = dropout_of(config.field_dropout, rngs)
        self.fields = FieldTable(
            [N_GLOBAL + 1] * N_VOICES
            + [14] * N_VOICES
            + [AGES] * N_VOICES
            + [N_INTERVALS + 1] * len(NEIGHBOURS)
            + [2] * 12
            + [POSITIONS, len(METERS), 3, COUNTDOWNS, COUNTDOWNS, 13, 3, len(config.styles)]
            + [N_LENGTHS] * N_ECHOES,
            config.width,
            rngs,
        )

    def __call__(
        self,
        sounding: jax.Array,
        age: jax.Array,
        begun: jax.Array,
        controls: Controls,
        echo: Echo,
    ) -> jax.Array:
        """Vectors ``[..., D]``.

        Args:
            sounding: ``[..., V]`` pitch tokens of the previous frame.
            age: ``[..., V]`` frames since those notes' onsets.
            begun: ``[...]`` false where there is no previous frame: the piece begins.
            controls: of the frame to come, each ``[...]``.
            echo: of the frame to come.
        """
        silent = sounding == REST_TOKEN
        pitch = jnp.where(begun[..., None], sounding, N_GLOBAL)
        chroma = (sounding + LOWEST - FIRST_PITCH) % 12
        degree = degree_of(sounding, controls.tonic[..., None])
        present = jax.nn.one_hot(jnp.where(silent, 12, chroma), 12, dtype=jnp.int32).max(-2)
        c = controls
        fields = [
            *columns(pitch),
            *columns(degree),
            *columns(age),
            *self._intervals(sounding, silent),
            *columns(present),
            *(c.position, c.meter, c.phrase_end, c.until, c.since, c.tonic, c.mode, c.style),
            *columns(echo.length[..., int(ORDER[0])]),
        ]
        weights = self.field_dropout(jnp.ones((*begun.shape, len(fields))))
        return self.fields(fields, weights)

    def _intervals(self, sounding: jax.Array, silent: jax.Array) -> list[jax.Array]:
        """Intervals between neighbouring voices and the outer pair, each ``[...]``."""
        rows = []
        for upper, lower in NEIGHBOURS:
            interval = sounding[..., upper] - sounding[..., lower] + INTERVAL_SPAN
            rows.append(jnp.where(silent[..., upper] | silent[..., lower], N_INTERVALS, interval))
        return rows


class Heard(NamedTuple):
    """What a voice is told of the given notes.

    Attributes:
        reader: of this voice.
        told: of the frame.
        pins: of the frame, each ``[..., V]``.
    """

    reader: PinReader
    told: Told
    pins: Pins


class SlotHead(nnx.Module):
    """Log-probabilities of one voice given the frame's vector and the voices chosen before it."""

    def __init__(self, slot: int, config: NetworkConfig, rngs: nnx.Rngs):
        d, m = config.width, config.head_mlp
        self.slot = slot
        self.holds = config.holds
        self.field_dropout = dropout_of(config.field_dropout, rngs)
        self.dropout = dropout_of(config.dropout, rngs)
        self.norm = nnx.LayerNorm(d, rngs=rngs)
        self.norm_out = nnx.LayerNorm(d, rngs=rngs)
        self.fields = FieldTable(
            [N_GLOBAL]
            + [N_LENGTHS] * N_ECHOES
            + [N_GLOBAL, N_STATES, 14, *([2] * N_ECHOES)] * slot,
            d,
            rngs,
        )
        self.enter = normal(rngs, d, d, scale=d**-0.5)
        self.up = normal(rngs, d, m, scale=d**-0.5)
        self.down = normal(rngs, m, d, scale=0.5 * m**-0.5)
        # Absolute logits, intervals (melodic, then to each earlier voice), degrees, echoes.
        self.absolute = normal(rngs, d, N_GLOBAL, scale=0.02)
        self.intervals = normal(rngs, d, (1 + slot) * N_INTERVALS, scale=0.02)
        self.by_degree = normal(rngs, d, 12, scale=0.02)
        self.by_echo = normal(rngs, d, N_ECHOES, scale=0.02)
        self.echo_bias = nnx.Param(jnp.zeros((N_ECHOES, N_LENGTHS)))
        self.bias = nnx.Param(jnp.zeros(N_GLOBAL))

    def __call__(
        self,
        h: jax.Array,
        tokens: jax.Array,
        sounding: jax.Array,
        last: jax.Array,
        tonic: jax.Array,
        echo: Echo,
        heard: Heard | None = None,
    ) -> jax.Array:
        """Log-probabilities ``[..., P]`` of the voice at this slot of the search order.

        Args:
            h: ``[..., D]`` the frame's vector.
            tokens: ``[..., V]`` tokens of this frame; only voices of earlier slots are read.
            sounding: ``[..., V]`` pitch tokens that those voices then sound.
            last: ``[..., V]`` pitch tokens of the previous frame.
            tonic: ``[...]`` pitch class of the key or ``UNKNOWN_KEY``.
            echo: of this frame.
            heard: of the given notes; none for a network without an encoder.
        """
        voice = int(ORDER[self.slot])
        earlier = [int(v) for v in ORDER[: self.slot]]
        fields = [last[..., voice], *columns(echo.length[..., voice])]
        for other in earlier:
            known = echo.token[..., other] != NO_TOKEN
            agrees = (tokens[..., other, None] == echo.token[..., other]).astype(jnp.int32)
            fields += [
                sounding[..., other],
                jnp.minimum(tokens[..., other], N_STATES - 1),
                degree_of(sounding[..., other], tonic),
                *columns(jnp.where(known, agrees, -1)),
            ]
        weights = self.field_dropout(jnp.ones((*tonic.shape, len(fields))))
        x = h @ self.enter[...] + self.fields(fields, weights)
        if heard is not None:
            some = heard.told.some[..., None]
            x += some * heard.reader(heard.told, heard.pins, sounding, last, tonic)
        hidden = jax.nn.gelu(self.norm(x) @ self.up[...])
        u = self.norm_out(x + self.dropout(hidden @ self.down[...]))
        logits = u @ self.absolute[...] + self.bias[...] + self._echoed(u, echo, voice)
        tables = jnp.split(u @ self.intervals[...], 1 + self.slot, -1)
        references = [last[..., voice], *(sounding[..., other] for other in earlier)]
        pairs = zip(tables, references, strict=True)
        relative = sum(by_interval(table, reference) for table, reference in pairs)
        relative += self._by_degree(u, tonic)
        logits += jnp.pad(relative, [(0, 0)] * (relative.ndim - 1) + [(FIRST_PITCH, 0)])
        if heard is not None:
            logits += some * heard.reader.logits(u, heard.told, heard.pins, last)
        if not self.holds:
            logits = logits.at[..., HOLD_TOKEN].set(-jnp.inf)
        return jax.nn.log_softmax(logits.astype(jnp.float32), -1)

    def _echoed(self, u: jax.Array, echo: Echo, voice: int) -> jax.Array:
        """What each echo adds to the token that it suggests, ``[..., P]``."""
        gain = u @ self.by_echo[...]
        length = jax.nn.one_hot(echo.length[..., voice], N_LENGTHS, dtype=gain.dtype)
        gain += (length * self.echo_bias[...]).sum(-1)
        suggested = jax.nn.one_hot(echo.token[..., voice], N_GLOBAL, dtype=gain.dtype)
        return (suggested * gain[..., None]).sum(-2)

    def _by_degree(self, u: jax.Array, tonic: jax.Array) -> jax.Array:
        """What each pitch gains from its degree of the key, ``[..., P - FIRST_PITCH]``."""
        return by_degree(u @ self.by_degree[...], tonic)


class ChoraleTransformer(nnx.Module):
    """The network: frames in, log-probabilities of every voice's token out."""

    def __init__(self, config: NetworkConfig, rngs: nnx.Rngs):
        self.config = config
        self.embedding = FrameEmbedding(config, rngs)
        self.dropout = dropout_of(config.dropout, rngs)
        self.blocks = nnx.List([Block(config, rngs) for _ in range(config.layers)])
        self.heads = nnx.List([SlotHead(slot, config, rngs) for slot in range(N_VOICES)])

        self.hears_pins = bool(config.pin_width)
        if self.hears_pins:
            self.encoder = PinEncoder(
                config.pin_width, config.pin_layers, len(config.styles), config.dropout, rngs
            )
            self.pin_entry = nnx.Param(jnp.zeros((config.pin_width, config.width)))
            self.pin_readers = nnx.List(
                [PinReader(s, config.width, config.pin_width, rngs) for s in range(N_VOICES)]
            )

    def encode(self, controls: Controls) -> Told | None:
        """What is told of the given notes of whole pieces; ``None`` without an encoder or pins.

        Args:
            controls: of whole pieces, each ``[B, T, …]``.
        """
        if not self.hears_pins or controls.pins is None:
            return None
        pins = controls.pins
        some = (pins.sounding != UNPINNED).any((-2, -1))[:, None]
        some = jnp.broadcast_to(some, controls.position.shape).astype(jnp.float32)
        upcoming, distance = next_pin(pins.sounding)
        return Told(self.encoder(controls, pins) * some[..., None], some, upcoming, distance)

    def heard(self, slot: int, told: Told | None, pins: Pins | None) -> Heard | None:
        """What the voice of one slot hears.

        Args:
            slot: in search order.
            told: by ``encode``, of the frames asked for.
            pins: of those frames, each ``[..., V]``.
        """
        return None if told is None or pins is None else Heard(self.pin_readers[slot], told, pins)

    def embed(
        self,
        sounding: jax.Array,
        age: jax.Array,
        begun: jax.Array,
        controls: Controls,
        echo: Echo,
        told: Told | None,
    ) -> jax.Array:
        """Vectors ``[..., D]`` that enter the blocks; arguments as of ``FrameEmbedding``."""
        x = self.embedding(sounding, age, begun, controls, echo)
        return x if told is None else x + told.said @ self.pin_entry[...]

    def log_probs(self, batch: Batch) -> jax.Array:
        """Log-probability ``[B, T, K]`` of the tokens that were chosen, in search order."""
        # One-hot: a sum's gradient is cheap where a gather's is not.
        chosen = jax.nn.one_hot(batch.token[..., ORDER], N_GLOBAL)
        return jnp.where(chosen > 0, self.rows(batch), 0.0).sum(-1)

    def rows(self, batch: Batch) -> jax.Array:
        """Log-probabilities ``[B, T, K, P]`` of all tokens, slots in search order."""
        b = batch
        told = self.encode(b.controls)
        x = self.embed(b.previous, b.previous_age, b.begun, b.controls, b.echo, told)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)
        out = []
        for slot in range(N_VOICES):
            heard = self.heard(slot, told, b.controls.pins)
            tonic = b.controls.tonic
            head = self.heads[slot]
            out.append(head(x, b.token, b.sounding, b.previous, tonic, b.echo, heard))
        return jnp.stack(out, -2)
