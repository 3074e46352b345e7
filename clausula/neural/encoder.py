"""How the transformer hears given notes, future ones too.

An encoder reads all pins and controls of a piece in both directions. What it says of a frame is
added to the frame's vector and to each voice's. Each voice is also told outright the given notes of
voices that are chosen after it, and the next given note of every voice with the time until then;
its logits see the intervals to all of these. In a piece without a pin all of this is exactly zero.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.grid import SEARCH_ORDER
from clausula.neural.features import (
    COUNTDOWNS,
    METERS,
    PIN_HOLD,
    POSITIONS,
    UNPINNED,
    Controls,
    Pins,
)
from clausula.neural.layers import (
    N_INTERVALS,
    FieldTable,
    by_interval,
    columns,
    degree_of,
    dropout_of,
    normal,
    rotated,
    toeplitz,
)
from clausula.vocabulary import FIRST_PITCH, N_GLOBAL, REST_TOKEN

N_PIN_STATES = 3  # as features: any, hold, onset
N_VOICES = 4
PIN_HEADS = 4
REACH = 128  # frames that the encoder sees each way
SCALE = 0.15  # of the encoder's embeddings, of which about forty are added up
AHEAD = 33  # classes of how far the next given note is: 0 to 31 frames, more


class Told(NamedTuple):
    """What is told of the given notes of frames, ``[...]``.

    Attributes:
        said: ``[..., E]`` the encoder's vectors, zero in pieces without pins.
        some: ``float[...]`` 1 in pieces with a pin, 0 in others.
        upcoming: ``[..., V]`` as ``next_pin``.
        distance: likewise.
    """

    said: jax.Array
    some: jax.Array
    upcoming: jax.Array
    distance: jax.Array


class PinBlock(nnx.Module):
    """A pre-norm transformer block that sees both directions."""

    def __init__(self, width: int, heads: int, dropout: float, rngs: nnx.Rngs):
        self.heads = heads
        self.norm_attention = nnx.LayerNorm(width, rngs=rngs)
        self.qkv = nnx.Linear(width, 3 * width, use_bias=False, rngs=rngs)
        self.out = nnx.Linear(width, width, use_bias=False, rngs=rngs)
        self.past = nnx.Param(jnp.zeros((heads, REACH)))
        self.future = nnx.Param(jnp.zeros((heads, REACH)))
        self.norm_mlp = nnx.LayerNorm(width, rngs=rngs)
        self.up = nnx.Linear(width, 3 * width, rngs=rngs)
        self.down = nnx.Linear(3 * width, width, rngs=rngs)
        self.dropout = dropout_of(dropout, rngs)

    def __call__(self, x_BTD: jax.Array, there_BT: jax.Array) -> jax.Array:
        """Whole pieces; frames that are not ``there``, or ``REACH`` away, are not seen."""
        total = x_BTD.shape[1]
        time = jnp.arange(total)
        qkv = self.qkv(self.norm_attention(x_BTD))
        q, k, v = jnp.split(qkv.reshape(*x_BTD.shape[:-1], 3 * self.heads, -1), 3, axis=-2)
        q, k = rotated(q * q.shape[-1] ** -0.5, time), rotated(k, time)
        width = [(0, 0), (0, max(0, total - REACH))]
        past, future = (jnp.pad(b[...], width)[:, :total] for b in (self.past, self.future))
        near = np.abs(np.arange(total)[:, None] - np.arange(total)) < REACH
        # A frame of padding sees itself, or its row would have nothing to see.
        seen = (near & there_BT[:, None, :]) | np.eye(total, dtype=bool)
        logits = jnp.einsum("bthe,bshe->bhts", q, k) + toeplitz(past, future)
        weights = jax.nn.softmax(jnp.where(seen[:, None], logits, -jnp.inf), -1)
        attended = jnp.einsum("bhts,bshe->bthe", weights, v).reshape(x_BTD.shape)
        x = x_BTD + self.dropout(self.out(attended))
        return x + self.dropout(self.down(jax.nn.gelu(self.up(self.norm_mlp(x)))))


class PinEncoder(nnx.Module):
    """Pins and controls of a whole piece in, what they say of every frame out."""

    def __init__(
        self,
        width: int,
        layers: int,
        styles: int,
        dropout: float,
        rngs: nnx.Rngs,
    ):
        sizes = [N_GLOBAL, 14, N_PIN_STATES, N_INTERVALS, N_INTERVALS]
        sizes += [N_GLOBAL, 14, N_INTERVALS, AHEAD]
        self.fields = FieldTable(
            [size for size in sizes for _ in range(N_VOICES)]
            + [POSITIONS, len(METERS), 3, COUNTDOWNS, COUNTDOWNS, 13, 3, styles],
            width,
            rngs,
            scale=SCALE,
        )
        self.dropout = dropout_of(dropout, rngs)
        self.blocks = nnx.List([PinBlock(width, PIN_HEADS, dropout, rngs) for _ in range(layers)])
        self.norm = nnx.LayerNorm(width, rngs=rngs)

    def __call__(self, controls: Controls, pins: Pins) -> jax.Array:
        """Vectors ``[B, T, D]``.

        Args:
            controls: each ``[B, T, …]``; positions below zero are padding.
            pins: theirs.
        """
        c = controls
        pinned = pins.sounding != UNPINNED
        there = c.position >= 0
        upcoming, distance = next_pin(pins.sounding)
        fields = [
            *columns(pins.sounding),
            *columns(_degree(pins.sounding, c.tonic)),
            *columns(jnp.where(pinned, pins.state, UNPINNED)),
            *columns(_interval(pins, -1)),
            *columns(_interval(pins, 1)),
            *columns(upcoming),
            *columns(_degree(upcoming, c.tonic)),
            *columns(_between(pins.sounding, upcoming)),
            *columns(distance),
            *(c.position, c.meter, c.phrase_end, c.until, c.since, c.tonic, c.mode, c.style),
        ]
        x = self.dropout(self.fields(fields))
        for block in self.blocks:
            x = block(x, there)
        return self.norm(x)


def next_pin(sounding: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The next given note of every voice that is not the one given now, and how far it is.

    Attention could find it; that it is told outright teaches the network from few pieces what it
    most needs to know of the future.

    Args:
        sounding: ``[B, T, V]`` of the pins.

    Returns:
        Its pitch token, ``UNPINNED`` where none comes, and its class of distance, both
        ``[B, T, V]``.
    """
    total = sounding.shape[-2]
    time = np.arange(total)[:, None]
    before = jnp.roll(sounding, 1, axis=-2)
    begins = (sounding != UNPINNED) & ((sounding != before) | (time == 0))
    first = jax.lax.cummin(jnp.where(begins, time, total), axis=sounding.ndim - 2, reverse=True)
    # From the next frame on: what begins now is given now.
    nowhere = jnp.full_like(first[..., :1, :], total)
    first = jnp.concatenate([first[..., 1:, :], nowhere], axis=-2)
    found = jnp.take_along_axis(sounding, jnp.minimum(first, total - 1), axis=-2)
    comes = first < total
    distance = jnp.minimum(first - time, AHEAD - 1)
    return jnp.where(comes, found, UNPINNED), jnp.where(comes, distance, UNPINNED)


def _degree(sounding: jax.Array, tonic: jax.Array) -> jax.Array:
    """Degrees of given notes, ``UNPINNED`` elsewhere."""
    return jnp.where(sounding == UNPINNED, UNPINNED, degree_of(sounding, tonic[..., None]))


def _between(first: jax.Array, second: jax.Array) -> jax.Array:
    """Interval class up from one given pitch to another, or ``UNPINNED``."""
    known = (first >= FIRST_PITCH) & (second >= FIRST_PITCH)
    return jnp.where(known, second - first + N_INTERVALS // 2, UNPINNED)


def _interval(pins: Pins, step: int) -> jax.Array:
    """Interval class from a voice's pin to the one in the frame ``step`` on, or ``UNPINNED``."""
    other = jnp.roll(pins.sounding, -step, axis=-2)
    frames = np.arange(pins.sounding.shape[-2])
    inside = (frames + step >= 0) & (frames + step < len(frames))
    return jnp.where(inside[:, None], _between(pins.sounding, other), UNPINNED)


class PinReader(nnx.Module):
    """What one voice makes of the encoder, of the pins of its own frame and of the next ones."""

    def __init__(self, slot: int, width: int, from_width: int, rngs: nnx.Rngs):
        self.earlier = tuple(int(v) for v in SEARCH_ORDER[:slot])
        self.later = tuple(int(v) for v in SEARCH_ORDER[slot + 1 :])
        self.voice = int(SEARCH_ORDER[slot])
        self.enter = normal(rngs, from_width, width, scale=0.2 * from_width**-0.5)
        given = [N_GLOBAL, N_PIN_STATES] * (1 + len(self.later))
        self.fields = FieldTable(given + [N_GLOBAL, 14, N_INTERVALS, AHEAD] * N_VOICES, width, rngs)
        references = len(self.later) + N_VOICES
        self.intervals = nnx.Param(jnp.zeros((width, references * N_INTERVALS)))
        self.own = nnx.Param(jnp.zeros((width, 1)))
        self.own_bias = nnx.Param(jnp.zeros(1))

    def __call__(
        self, told: Told, pins: Pins, sounding: jax.Array, last: jax.Array, tonic: jax.Array
    ) -> jax.Array:
        """Addition to the voice's vector, ``[..., D]``.

        Args:
            told: of the frame.
            pins: of the frame, each ``[..., V]``.
            sounding: ``[..., V]`` pitch tokens of this frame; voices of earlier slots are read.
            last: ``[..., V]`` those of the previous frame.
            tonic: ``[...]`` pitch class of the key.
        """
        fields = []
        for voice in (self.voice, *self.later):
            known = pins.sounding[..., voice] != UNPINNED
            fields += [
                pins.sounding[..., voice],
                jnp.where(known, pins.state[..., voice], UNPINNED),
            ]
        degree = _degree(told.upcoming, tonic)
        for voice in range(N_VOICES):
            now = (sounding if voice in self.earlier else last)[..., voice]
            upcoming = told.upcoming[..., voice]
            fields += [
                upcoming,
                degree[..., voice],
                _between(now, upcoming),
                told.distance[..., voice],
            ]
        return told.said @ self.enter[...] + self.fields(fields)

    def logits(self, u: jax.Array, told: Told, pins: Pins, last: jax.Array) -> jax.Array:
        """Addition to the logits, ``[..., P]``, by intervals to given notes.

        Args:
            u: ``[..., D]`` the voice's last hidden vector.
            told: of the frame.
            pins: of the frame.
            last: ``[..., V]`` pitch tokens of the previous frame.
        """
        references = [pins.sounding[..., voice] for voice in self.later]
        references += columns(told.upcoming)
        tables = jnp.split(u @ self.intervals[...], len(references), -1)
        relative = sum(
            by_interval(table, jnp.maximum(reference, REST_TOKEN))
            for table, reference in zip(tables, references, strict=True)
        )
        total = jnp.pad(relative, [(0, 0)] * (u.ndim - 1) + [(FIRST_PITCH, 0)])
        gain = u @ self.own[...] + self.own_bias[...]
        return total + gain * allowed_by(pins, self.voice, last)


def allowed_by(pins: Pins, voice: int, last: jax.Array) -> jax.Array:
    """1 for every token that agrees with a voice's pin, 0 elsewhere and without one, ``[..., P]``.

    Args:
        pins: of the frame.
        voice: which.
        last: ``[..., V]`` pitch tokens of the previous frame: a hold sounds them.
    """
    sounding, state = pins.sounding[..., voice], pins.state[..., voice]
    onset = jax.nn.one_hot(jnp.where(state == PIN_HOLD, UNPINNED, sounding), N_GLOBAL)
    may_hold = (state != PIN_HOLD + 1) & (sounding == last[..., voice]) & (sounding >= FIRST_PITCH)
    return onset.at[..., 1].set(may_hold.astype(onset.dtype))
