"""The character proposal: an LSTM over a piece written as text, four symbols a frame.

The text opens with what is known of the piece (style, key, mode, meter) and the frame before its
first one, then goes on voice by voice: soprano, bass, alto, tenor, next frame. A symbol is a rest,
a note that begins, or a note tied over (as ABC notation ties them), so that the text alone tells
what sounds. Beside each symbol stands what is known of the voice to be written next: which of the
four it is, where in the measure, and the phrase end.

Shape suffixes: B batch, T time, L length of the text, N hypotheses, V voices (4), K slots (4, in
search order), D width, P tokens of the global vocabulary.

Source: Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks, 2015; for chorales
as text of four symbols a frame, Liang, Gotham, Johnson and Shotton, BachBot, ISMIR 2017.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.grid import SEARCH_ORDER
from clausula.neural.batches import Batch
from clausula.neural.features import COUNTDOWNS, METERS, POSITIONS, Controls
from clausula.neural.layers import FieldTable, dropout_of
from clausula.neural.recurrent import LSTM, Memory, run_stack, step_stack
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import HOLD_TOKEN, N_GLOBAL, REST_TOKEN

ORDER = np.array(SEARCH_ORDER)
N_VOICES = 4
TIED = N_GLOBAL  # symbol of a tied note, less its pitch token
NO_FRAME = 2 * N_GLOBAL  # symbol of every voice before the piece begins
N_SYMBOLS = NO_FRAME + 1
HEADERS = 4  # style, tonic, mode, meter
NOTHING = -1  # a field that is not told


@dataclass(frozen=True)
class CharacterConfig:
    """Size and kind of the network; kept in the weights' metadata."""

    width: int = 224  # embeddings and hidden units of each layer
    layers: int = 2  # LSTMs on top of each other
    dropout: float = 0.3  # on embeddings and on what each layer tells
    styles: tuple[str, ...] = ("any",)  # tags that it knows; the first stands for none
    holds: bool = True  # false: tokens are the sounding pitches, as in the published data

    def to_dict(self) -> dict[str, object]:
        """Plain values for metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> CharacterConfig:
        """The config that ``to_dict`` wrote, as metadata kept it."""
        return cls(**values | {"styles": tuple(values["styles"])})


def symbols_of(sounding: jax.Array, starts: jax.Array) -> jax.Array:
    """Symbols of voices that sound pitch tokens, begun now or tied over; same shape."""
    return jnp.where(starts | (sounding == REST_TOKEN), sounding, TIED + sounding)


class CharacterLSTM(nnx.Module):
    """The network: text in, log-probabilities of every next token out."""

    def __init__(self, config: CharacterConfig, rngs: nnx.Rngs):
        self.config = config
        d = config.width
        self.symbol = FieldTable((N_SYMBOLS,), d, rngs, scale=0.1)
        self.header = FieldTable((len(config.styles), 13, 3, len(METERS)), d, rngs, scale=0.1)
        beside = (N_VOICES, POSITIONS, 3, COUNTDOWNS)
        self.beside = FieldTable(beside, d, rngs, scale=0.1)
        self.dropout = dropout_of(config.dropout, rngs)
        self.layers = nnx.List([LSTM(d, d, rngs) for _ in range(config.layers)])
        self.out = nnx.Linear(d, N_GLOBAL, rngs=rngs)

    def embed_headers(self, controls: Controls) -> jax.Array:
        """Vectors ``[…, HEADERS, D]`` of the opening; ``controls`` of its first frame, ``[…]``."""
        values = (controls.style, controls.tonic, controls.mode, controls.meter)
        one_each = [
            jnp.stack([value if i == j else jnp.full_like(value, NOTHING) for j in range(HEADERS)])
            for i, value in enumerate(values)
        ]
        return jnp.moveaxis(self.header(one_each), 0, -2)

    def embed(self, symbol: jax.Array, slot: int, controls: Controls) -> jax.Array:
        """Vectors ``[…, D]`` of a symbol and of what is known of the next one.

        Args:
            symbol: ``[…]`` the last one written.
            slot: of the next one.
            controls: of the next one's frame, each ``[…]``.
        """
        here = (
            jnp.full_like(symbol, slot),
            controls.position,
            controls.phrase_end,
            controls.until,
        )
        return self.symbol([symbol]) + self.beside(here)

    def before_first(
        self, sounding: jax.Array, starts: jax.Array, begun: jax.Array
    ) -> list[jax.Array]:
        """Symbols, in search order, of the frame before the text's first one.

        Args:
            sounding: ``[…, V]`` pitch tokens of that frame.
            starts: ``[…, V]`` whether they began there.
            begun: ``[…]`` false where there is no such frame: the piece begins.
        """
        symbols = jnp.where(begun[..., None], symbols_of(sounding, starts), NO_FRAME)
        return [symbols[..., voice] for voice in ORDER]

    def read_opening(self, symbols: list[jax.Array], controls: Controls) -> tuple[Memory, ...]:
        """States before a text's first token is written, but for the last symbol's input.

        Args:
            symbols: each ``[R]``, from ``before_first``.
            controls: of the first frame, each ``[R]``.
        """
        opening = jnp.concatenate(
            [
                jnp.moveaxis(self.embed_headers(controls), -2, 0),
                jnp.stack([self.symbol([symbol]) for symbol in symbols[:-1]]),
            ]
        )
        x = self.dropout(opening)
        return run_stack(self.layers, self.layers[0].project(x), self.dropout)[1]

    def read(
        self, states: tuple[Memory, ...], symbol: jax.Array, slot: int, controls: Controls
    ) -> tuple[Memory, ...]:
        """States after one more symbol, without dropout; arguments as for ``embed``."""
        gates = self.layers[0].project(self.embed(symbol, slot, controls))
        return step_stack(self.layers, gates, states)

    def next_token(self, hidden: jax.Array) -> jax.Array:
        """Log-probabilities ``[…, P]`` given what the top layer tells, ``[…, D]``."""
        logits = self.out(hidden)
        if not self.config.holds:
            logits = jnp.where(np.arange(N_GLOBAL) == HOLD_TOKEN, -jnp.inf, logits)
        return jax.nn.log_softmax(logits, -1)

    def log_probs(self, batch: Batch) -> jax.Array:
        """Log-probability ``[B, T, K]`` of the tokens of a batch, in search order."""
        first = jax.tree.map(lambda column: column[:, 0], batch.controls)
        begun_there = self.starts(batch.previous_age[:, 0])
        before = self.before_first(batch.previous[:, 0], begun_there, batch.begun[:, 0])
        symbols = symbols_of(batch.sounding, batch.token != HOLD_TOKEN)
        # The last voice of each frame is read on the way to the first of the next.
        last = jnp.concatenate([before[-1][:, None], symbols[:, :-1, ORDER[-1]]], 1)
        inputs = [last, *(symbols[..., voice] for voice in ORDER[:-1])]
        x_BTKD = jnp.stack([self.embed(s, k, batch.controls) for k, s in enumerate(inputs)], 2)
        rows, frames = batch.token.shape[:2]
        x_LBD = jnp.moveaxis(x_BTKD.reshape(rows, frames * N_VOICES, -1), 1, 0)
        gates = self.layers[0].project(self.dropout(x_LBD))
        hidden, _ = run_stack(self.layers, gates, self.dropout, self.read_opening(before, first))
        hidden = jnp.moveaxis(hidden, 0, 1).reshape(rows, frames, N_VOICES, -1)
        log_probs = self.next_token(hidden)
        return jnp.take_along_axis(log_probs, batch.token[..., ORDER, None], -1)[..., 0]

    def starts(self, age: jax.Array) -> jax.Array:
        """Whether notes of these ages began in their frame; every bare pitch counts as begun."""
        return age == 0 if self.config.holds else jnp.ones_like(age, bool)


class Written(NamedTuple):
    """State of the proposal.

    Attributes:
        opening: states that the opening leaves, one row.
        first: by layer, states once the frame's first slot can be answered, ``[N, D]``.
        controls: the whole piece's, ``[time, …]``.
        here: the current frame's, each ``[…]``.
    """

    opening: tuple[Memory, ...]
    first: tuple[Memory, ...]
    controls: Controls
    here: Controls


def charrnn_proposal(model: CharacterLSTM) -> Proposal:
    """The network behind the proposal contract; dropout is off."""
    model.eval()
    graph, *states = nnx.split(model, nnx.Param, ...)
    params, rest = states

    def init(params: nnx.State, controls: Controls, hypotheses: int) -> Written:
        net = nnx.merge(graph, params, rest)
        controls = jax.tree.map(jnp.asarray, controls)
        here = jax.tree.map(lambda column: column[0], controls)
        symbols = [jnp.full(1, NO_FRAME)] * N_VOICES
        opening = net.read_opening(symbols, _spread(here, 1))
        first = tuple(layer.initial(hypotheses) for layer in net.layers)
        return Written(opening, first, controls, here)

    def begin_frame(params: nnx.State, state: Written, time: jax.Array, past: Past) -> Written:
        return _begin_frame(nnx.merge(graph, params, rest), state, time, past)

    def log_probs(params: nnx.State, state: Written, slot: int, frame: FrameSoFar) -> jax.Array:
        net = nnx.merge(graph, params, rest)
        memory = _rows(state.first, frame.row)
        symbols = symbols_of(frame.sounding, frame.token != HOLD_TOKEN)
        here = _spread(state.here, len(frame.row))
        for later in range(1, slot + 1):
            memory = net.read(memory, symbols[:, ORDER[later - 1]], later, here)
        return net.next_token(memory[-1].hidden)

    return Proposal(params, init, begin_frame, log_probs)


def _begin_frame(net: CharacterLSTM, state: Written, time: jax.Array, past: Past) -> Written:
    """Read the frame before, whose first three voices end the text so far, and its last voice."""
    hypotheses = past.parent.shape[0]
    symbols = symbols_of(past.sounding, net.starts(past.age))
    memory = _rows(state.first, past.parent)
    before = _spread(state.here, hypotheses)
    for slot in range(1, N_VOICES):
        memory = net.read(memory, symbols[:, ORDER[slot - 1]], slot, before)
    opening = _rows(state.opening, jnp.zeros(hypotheses, jnp.int32))
    memory = jax.tree.map(lambda first, later: jnp.where(time == 0, first, later), opening, memory)
    last = jnp.where(time == 0, NO_FRAME, symbols[:, ORDER[-1]])
    here = jax.tree.map(lambda column: column[time], state.controls)
    memory = net.read(memory, last, 0, _spread(here, hypotheses))
    return Written(state.opening, memory, state.controls, here)


def _rows(states: tuple[Memory, ...], rows: jax.Array) -> tuple[Memory, ...]:
    return jax.tree.map(lambda x: x[rows], states)


def _spread(controls: Controls, rows: int) -> Controls:
    """Every array with a new first axis of that many rows."""
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (rows, *x.shape)), controls)
