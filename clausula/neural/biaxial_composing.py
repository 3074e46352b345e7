"""The biaxial network as a proposal: its sigmoids, conditioned exactly on four ordered notes.

The sigmoids of a frame are independent given the inputs of the note axis. Given that four notes
play, soprano above alto above tenor above bass, the next voice's note has an exact distribution
(``ordered_notes``). After each choice the layers along the notes run again, told what is now known,
so that every factor is a proper conditional and the chain rule holds. A note that the voice already
sounds is held or struck again by the note's articulate sigmoid; any other is struck.

Told to each note, beside what the layers along time say: whether the note below plays, whether it
is articulated, whether that is still unknown; the voices chosen in this frame within an octave of
the note and by pitch class from it; the voice's own last pitch within an octave; which voice is to
be chosen. Along time, the first layer's gates also see position, meter, phrase end, mode, style,
and the note's degree in the key. What a note is told also reaches its sigmoids directly, by one
matrix for each voice: intervals then count from the first updates on.

*Backing off.* Four ordered notes leave nothing for rests, unisons and crossings. Each token's
probability is ``(1 - e) * conditioned + e * smooth``: ``smooth`` is log-linear in the note's own
odds whatever the order, in the token (apart after a rest), in the interval from the voice's own
last pitch and in those to the voices already chosen; ``e`` is learnt for each voice, once for
frames that follow four ordered notes and once for those that follow anything else. Where no four
ordered notes go with what is chosen, ``smooth`` alone speaks. Every token is possible.

Shape suffixes: T time, B batch, R rows, M notes (lowest first), V voices (4), K slots (4, in
search order) or told inputs, S slots, G gates, P tokens of the global vocabulary.
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
from clausula.neural.biaxial import (
    ARTICULATE,
    PLAY,
    SPREAD,
    BiaxialBody,
    around,
    chroma_from,
    note_features,
)
from clausula.neural.features import COUNTDOWNS, METERS, POSITIONS, UNKNOWN_KEY, Controls
from clausula.neural.layers import N_INTERVALS, FieldTable, by_interval, normal
from clausula.neural.ordered_notes import bounds_of, log_add, log_note
from clausula.neural.recurrent import Memory, step_stack
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, LOWEST, N_GLOBAL, REST_TOKEN

ORDER = np.array(SEARCH_ORDER)
N_VOICES = 4
NOTES = N_GLOBAL - FIRST_PITCH
TOLD = 3 + SPREAD + 12 + SPREAD + N_VOICES  # inputs of the note axis, see the module
RARE = -3.0  # logit of backing off, before training


@dataclass(frozen=True)
class ComposerConfig:
    """Size of the network for composing, smaller than the published one; kept in metadata."""

    along_time: tuple[int, ...] = (128, 128)  # units of each layer
    along_notes: tuple[int, ...] = (64, 32)
    dropout: float = 0.2
    styles: tuple[str, ...] = ("any",)  # tags that it knows; the first stands for none
    holds: bool = True  # false: tokens are the sounding pitches, as in the published data

    def to_dict(self) -> dict[str, object]:
        """Plain values for metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> ComposerConfig:
        """The config that ``to_dict`` wrote, as metadata kept it."""
        names = ("along_time", "along_notes", "styles")
        return cls(**values | {name: tuple(values[name]) for name in names})


def roll_of(sounding: jax.Array, counted: jax.Array) -> jax.Array:
    """``float32[…, M]`` 1 for notes that some counted voice sounds; both ``[…, V]``."""
    hot = jax.nn.one_hot(jnp.where(counted, sounding - FIRST_PITCH, -1), NOTES)
    return hot.max(-2)


class BackOff(nnx.Module):
    """The smooth distribution, and how often it speaks."""

    def __init__(self, holds: bool, rngs: nnx.Rngs):
        self.holds = holds
        self.token = normal(rngs, N_VOICES, 2, N_GLOBAL, scale=0.02)  # 1: after a rest
        self.melodic = normal(rngs, N_VOICES, N_INTERVALS, scale=0.02)
        self.harmonic = normal(rngs, N_VOICES, N_VOICES, N_INTERVALS, scale=0.02)
        self.chance = nnx.Param(jnp.full((N_VOICES, 2), RARE))

    def log_smooth(
        self, slot: int, log_odds: jax.Array, sounding: jax.Array, last: jax.Array
    ) -> jax.Array:
        """Log-probabilities ``[…, P]``.

        Args:
            slot: in search order.
            log_odds: ``[…, P]`` of each token, whatever the order; ``-inf`` says nothing.
            sounding: ``[…, V]`` pitch tokens of earlier slots.
            last: ``[…, V]`` pitch tokens of the frame before.
        """
        rested = (last[..., ORDER[slot]] == REST_TOKEN).astype(int)
        logits = self.token[...][slot][rested] + jnp.where(log_odds > -jnp.inf, log_odds, 0.0)
        pitches = self._seen_from(self.melodic[...][slot], last[..., ORDER[slot]])
        for earlier in range(slot):
            reference = sounding[..., ORDER[earlier]]
            pitches += self._seen_from(self.harmonic[...][slot, earlier], reference)
        others = jnp.zeros((*pitches.shape[:-1], FIRST_PITCH), pitches.dtype)
        logits = logits + jnp.concatenate([others, pitches], -1)
        if not self.holds:
            logits = jnp.where(np.arange(N_GLOBAL) == HOLD_TOKEN, -jnp.inf, logits)
        return jax.nn.log_softmax(logits, -1)

    def _seen_from(self, table_I: jax.Array, reference: jax.Array) -> jax.Array:
        spread = jnp.broadcast_to(table_I, (*reference.shape, N_INTERVALS))
        return by_interval(spread, reference)

    def mixed(
        self,
        slot: int,
        log_exact: jax.Array,
        some: jax.Array,
        log_smooth: jax.Array,
        last: jax.Array,
    ) -> jax.Array:
        """The mixture ``[…, P]``.

        Args:
            slot: in search order.
            log_exact: ``[…, P]`` conditioned on four ordered notes.
            some: ``[…]`` whether four ordered notes go with what is chosen.
            log_smooth: ``[…, P]``.
            last: ``[…, V]`` pitch tokens of the frame before.
        """
        ordered = (jnp.diff(last, axis=-1) < 0).all(-1) & (last != REST_TOKEN).all(-1)
        usual, unusual = self.chance[...][slot]
        logit = jnp.where(ordered, usual, unusual)[..., None]
        both = log_add(log_exact - jax.nn.softplus(logit), log_smooth - jax.nn.softplus(-logit))
        return jnp.where(some[..., None], both, log_smooth)


class BiaxialComposer(nnx.Module):
    """The network: frames and controls in, log-probabilities of every voice's token out."""

    def __init__(self, config: ComposerConfig, rngs: nnx.Rngs):
        self.config = config
        self.body = BiaxialBody(config.along_time, config.along_notes, TOLD, config.dropout, rngs)
        gates = 4 * config.along_time[0]
        shared = (POSITIONS, len(METERS), 3, COUNTDOWNS, 3, len(config.styles))
        self.controls = FieldTable(shared, gates, rngs)
        self.degree = FieldTable((13,), gates, rngs)
        self.back_off = BackOff(config.holds, rngs)
        # What a note is told also reaches its two sigmoids by one matrix for each slot.
        self.direct_SK2 = nnx.Param(jnp.zeros((N_VOICES, TOLD, 2)))

    def time_gates(
        self, sounding: jax.Array, age: jax.Array, begun: jax.Array, controls: Controls
    ) -> jax.Array:
        """Inputs of the layers along time as the first one projects them, ``[…, M, G]``.

        Args:
            sounding: ``[…, V]`` pitch tokens of the frame before.
            age: ``[…, V]`` their ages.
            begun: ``[…]`` false where there is no frame before.
            controls: of the frame to come, each ``[…]``.
        """
        heard = (sounding != REST_TOKEN) & begun[..., None]
        play, articulate = roll_of(sounding, heard), roll_of(sounding, heard & (age == 0))
        # A frame after the end has no position; four bits of it need some number.
        position = jnp.maximum(controls.position, 0)
        layer = self.body.time[0]
        features = note_features(play, articulate, position, begun, LOWEST)
        gates = layer.project(features.astype(layer.kernel_IG[...].dtype))
        c = controls
        shared = self.controls([c.position, c.meter, c.phrase_end, c.until, c.mode, c.style])
        degree = (np.arange(NOTES) + LOWEST - c.tonic[..., None]) % 12
        degree = jnp.where((c.tonic == UNKNOWN_KEY)[..., None], 12, degree)
        return gates + shared[..., None, :] + self.degree([degree])

    def log_slot(
        self,
        slot: int,
        gates_MRG: jax.Array,
        token: jax.Array,
        sounding: jax.Array,
        last: jax.Array,
    ) -> jax.Array:
        """Log-probabilities ``[R, P]`` of a slot's token.

        Args:
            slot: in search order.
            gates_MRG: what the layers along time tell, as the first one along notes projects it.
            token: ``[R, V]`` tokens of this frame; only voices of earlier slots are read.
            sounding: ``[R, V]`` pitch tokens that those voices then sound.
            last: ``[R, V]`` pitch tokens of the frame before.
        """
        told_MRK = jnp.moveaxis(self.told(slot, token, sounding, last), 1, 0)
        logits = self.body.along_notes(gates_MRG, told_MRK) + told_MRK @ self.direct_SK2[...][slot]
        return self.answer(slot, logits, token, sounding, last)

    def answer(
        self,
        slot: int,
        logits_MR2: jax.Array,
        token: jax.Array,
        sounding: jax.Array,
        last: jax.Array,
    ) -> jax.Array:
        """Log-probabilities ``[R, P]`` from the layers along notes; the rest as in ``log_slot``."""
        play_RM, articulate_RM = logits_MR2[..., PLAY].T, logits_MR2[..., ARTICULATE].T
        log_notes, some = log_note(slot, play_RM, *_bounds(slot, sounding))
        own_last = last[:, ORDER[slot]]
        log_exact = self._tokens(log_notes, articulate_RM, own_last)
        log_odds = self._tokens(play_RM, articulate_RM, own_last)
        log_smooth = self.back_off.log_smooth(slot, log_odds, sounding, last)
        return self.back_off.mixed(slot, log_exact, some, log_smooth, last)

    def told(self, slot: int, token: jax.Array, sounding: jax.Array, last: jax.Array) -> jax.Array:
        """``[R, M, TOLD]`` what each note is told of this frame; arguments as in ``log_slot``."""
        playing, (lower, upper) = _playing(slot, sounding), _bounds(slot, sounding)
        own_last = last[:, ORDER[slot]]
        play = roll_of(sounding, playing)
        begun = roll_of(sounding, playing & (token != HOLD_TOKEN))
        notes = np.arange(NOTES)
        open_ = (notes > lower[:, None]) & (notes < upper[:, None])
        known = jnp.stack([play, begun, open_.astype(play.dtype)], -1)
        below = jnp.pad(known[:, :-1], ((0, 0), (1, 0), (0, 0)))
        own = roll_of(own_last[:, None], (own_last != REST_TOKEN)[:, None])
        which = jnp.broadcast_to(np.eye(N_VOICES, dtype=np.float32)[slot], (*play.shape, N_VOICES))
        parts = [below, around(play), chroma_from(play, LOWEST), around(own), which]
        return jnp.concatenate(parts, -1).astype(self.body.told_KG[...].dtype)

    def _tokens(
        self, log_notes: jax.Array, articulate: jax.Array, own_last: jax.Array
    ) -> jax.Array:
        """Log-probabilities, or log-odds, ``[R, P]`` of tokens given those of notes, ``[R, M]``."""
        silence = jnp.full_like(log_notes[:, :1], -jnp.inf)
        if not self.config.holds:
            return jnp.concatenate([silence, silence, log_notes], -1)
        same = np.arange(NOTES) == (own_last - FIRST_PITCH)[:, None]
        struck = jnp.where(same, log_notes - jax.nn.softplus(-articulate), log_notes)
        held = jnp.where(same, log_notes - jax.nn.softplus(articulate), -jnp.inf)
        return jnp.concatenate([silence, held.max(-1, keepdims=True), struck], -1)

    def log_probs(self, batch: Batch) -> jax.Array:
        """Log-probability ``[B, T, K]`` of the tokens of a batch, in search order."""
        rows, frames = batch.token.shape[:2]
        gates = self.time_gates(batch.previous, batch.previous_age, batch.begun, batch.controls)
        gates_TRG = jnp.moveaxis(gates, 1, 0).reshape(frames, rows * NOTES, -1)
        hidden, _ = self.body.along_time(gates_TRG)
        hidden_MRH = jnp.moveaxis(hidden.reshape(frames * rows, NOTES, -1), 1, 0)
        gates_MRG = self.body.notes[0].project(hidden_MRH)

        def by_frame(x: jax.Array) -> jax.Array:
            return jnp.moveaxis(x, 1, 0).reshape(frames * rows, N_VOICES)

        frame = (by_frame(batch.token), by_frame(batch.sounding), by_frame(batch.previous))
        # The notes are climbed once, with the four slots side by side.
        told = [jnp.moveaxis(self.told(slot, *frame), 1, 0) for slot in range(N_VOICES)]
        direct = [t @ self.direct_SK2[...][slot] for slot, t in enumerate(told)]
        logits = self.body.along_notes(
            jnp.tile(gates_MRG, (1, N_VOICES, 1)), jnp.concatenate(told, 1)
        ) + jnp.concatenate(direct, 1)
        chosen = []
        for slot, logits_MR2 in enumerate(jnp.split(logits, N_VOICES, axis=1)):
            log_probs = self.answer(slot, logits_MR2, *frame)
            target = frame[0][:, ORDER[slot], None]
            chosen.append(jnp.take_along_axis(log_probs, target, -1)[:, 0])
        return jnp.moveaxis(jnp.stack(chosen, -1).reshape(frames, rows, N_VOICES), 1, 0)


def _playing(slot: int, sounding: jax.Array) -> jax.Array:
    """``bool[R, V]`` voices of earlier slots that sound."""
    return (sounding != REST_TOKEN) & np.isin(np.arange(N_VOICES), ORDER[:slot])


def _bounds(slot: int, sounding: jax.Array) -> tuple[jax.Array, jax.Array]:
    """``bounds_of`` from pitch tokens ``[R, V]``."""
    index = jnp.where(_playing(slot, sounding), sounding - FIRST_PITCH, -1)
    return bounds_of(slot, index, NOTES)


class Sounded(NamedTuple):
    """State of the proposal; N hypotheses.

    Attributes:
        memory: by layer along time, ``[N, M, H]``.
        gates: ``[N, M, G]`` what they tell of this frame, as the note axis projects it.
        controls: the whole piece's, ``[time, …]``.
    """

    memory: tuple[Memory, ...]
    gates: jax.Array
    controls: Controls


def biaxial_proposal(model: BiaxialComposer) -> Proposal:
    """The network behind the proposal contract; dropout is off."""
    model.eval()
    graph, *states = nnx.split(model, nnx.Param, ...)
    params, rest = states

    def init(params: nnx.State, controls: Controls, hypotheses: int) -> Sounded:
        net = nnx.merge(graph, params, rest)
        shape = (hypotheses, NOTES)
        first = tuple(layer.initial(hypotheses * NOTES) for layer in net.body.time)
        memory = jax.tree.map(lambda x: x.reshape(*shape, -1), first)
        gates = jnp.zeros((*shape, 4 * net.config.along_notes[0]))
        return Sounded(memory, gates, jax.tree.map(jnp.asarray, controls))

    def begin_frame(params: nnx.State, state: Sounded, time: jax.Array, past: Past) -> Sounded:
        return _begin_frame(nnx.merge(graph, params, rest), state, time, past)

    def log_probs(params: nnx.State, state: Sounded, slot: int, frame: FrameSoFar) -> jax.Array:
        net = nnx.merge(graph, params, rest)
        gates_MRG = jnp.moveaxis(state.gates[frame.row], 1, 0)
        return net.log_slot(slot, gates_MRG, frame.token, frame.sounding, frame.last)

    return Proposal(params, init, begin_frame, log_probs)


def _begin_frame(net: BiaxialComposer, state: Sounded, time: jax.Array, past: Past) -> Sounded:
    hypotheses = past.parent.shape[0]
    here = jax.tree.map(
        lambda column: jnp.broadcast_to(column[time], (hypotheses, *column.shape[1:])),
        state.controls,
    )
    begun = jnp.broadcast_to(time > 0, (hypotheses,))
    gates = net.time_gates(past.sounding, past.age, begun, here)
    flat = jax.tree.map(lambda x: x[past.parent].reshape(hypotheses * NOTES, -1), state.memory)
    after = step_stack(net.body.time, gates.reshape(hypotheses * NOTES, -1), flat)
    memory = jax.tree.map(lambda x: x.reshape(hypotheses, NOTES, -1), after)
    return Sounded(memory, net.body.notes[0].project(memory[-1].hidden), state.controls)
