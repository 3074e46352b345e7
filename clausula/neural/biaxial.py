"""The biaxial network of 2015: LSTMs along time shared by all notes, then LSTMs along the notes.

Every note runs its own copy of one network along time, which sees the last step around that note;
then another network climbs from the lowest note to the highest, told what was chosen below, and
says by two sigmoids whether each note plays and, if it does, whether it is articulated.

The numbers are the original's: 80 inputs a note, 300 and 300 units along time, 100 and 50 along
the notes, half of every layer's units dropped, the same ones in all steps of a sequence; first
states are learnt. Two departures: the note's position is scaled to 0 … 1, and forget gates begin
open.

Shape suffixes: T steps in time, B sequences, M notes (lowest first), F inputs, H units, G gates.

Source: Johnson, Composing Music with Recurrent Neural Networks, 2015, and its program
biaxial-rnn-music-composition; likelihoods in Johnson, Generating Polyphonic Music Using Tied
Parallel Networks, EvoMUSART 2017.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.neural.layers import normal
from clausula.neural.recurrent import LSTM, Memory, run_stack

OCTAVE = 12
SPREAD = 2 * OCTAVE + 1  # notes within an octave, the middle one included
N_FEATURES = 1 + 12 + 2 * SPREAD + 12 + 4 + 1
PLAY, ARTICULATE = range(2)  # columns of the output


@dataclass(frozen=True)
class BiaxialConfig:
    """Size of the network for piano rolls; kept in the weights' metadata."""

    lowest: int = 21  # MIDI number of the lowest note that is modelled
    notes: int = 88
    along_time: tuple[int, ...] = (300, 300)  # units of each layer
    along_notes: tuple[int, ...] = (100, 50)
    dropout: float = 0.5

    def to_dict(self) -> dict[str, object]:
        """Plain values for metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> BiaxialConfig:
        """The config that ``to_dict`` wrote, as metadata kept it."""
        sizes = {name: tuple(values[name]) for name in ("along_time", "along_notes")}
        return cls(**values | sizes)


def around(played: jax.Array) -> jax.Array:
    """What plays within an octave of each note: ``[…, M]`` becomes ``[…, M, SPREAD]``."""
    notes = played.shape[-1]
    padded = jnp.pad(played, [(0, 0)] * (played.ndim - 1) + [(OCTAVE, OCTAVE)])
    return jnp.stack([padded[..., i : i + notes] for i in range(SPREAD)], -1)


def chroma_from(played: jax.Array, lowest: int) -> jax.Array:
    """How many notes play of each pitch class, counted from each note: ``[…, M, 12]``.

    Args:
        played: ``[…, M]`` 0 or 1.
        lowest: MIDI number of the first note.
    """
    chroma = (np.arange(played.shape[-1]) + lowest) % 12
    counts = played @ np.eye(12, dtype=np.float32)[chroma]
    return counts[..., (chroma[:, None] + np.arange(12)) % 12]


def note_features(
    play: jax.Array, articulate: jax.Array, time: jax.Array, begun: jax.Array, lowest: int
) -> jax.Array:
    """The original's 80 inputs of every note.

    Position, pitch class (12), the notes within an octave at the last step (play and articulate,
    2 × 25), how many notes of each pitch class sounded then, counted from the note's own (12),
    four bits of the step within the measure as -1 and 1, and whether the piece begins.

    Args:
        play: ``float32[…, M]`` 1 for notes that sounded at the last step.
        articulate: ``float32[…, M]`` 1 for those that began there.
        time: ``[…]`` step within the measure; four bits are read.
        begun: ``[…]`` false where there is no last step.
        lowest: MIDI number of the first note.

    Returns:
        ``float32[…, M, F]``.
    """
    notes = play.shape[-1]
    lead = (*play.shape, 1)
    position = np.arange(notes, dtype=np.float32)[:, None] / notes
    pitch_class = np.eye(12, dtype=np.float32)[(np.arange(notes) + lowest) % 12]
    bits = 2.0 * ((time[..., None] >> np.arange(4)) & 1) - 1.0
    start = jnp.where(begun, 0.0, 1.0)[..., None]
    shared = jnp.concatenate([bits, start], -1)[..., None, :]
    return jnp.concatenate(
        [
            jnp.broadcast_to(np.concatenate([position, pitch_class], 1), (*lead[:-1], 13)),
            around(play),
            around(articulate),
            chroma_from(play, lowest),
            jnp.broadcast_to(shared, (*lead[:-1], 5)),
        ],
        -1,
    )


class BiaxialBody(nnx.Module):
    """The layers along both axes; what they are fed is the caller's."""

    def __init__(
        self,
        along_time: tuple[int, ...],
        along_notes: tuple[int, ...],
        told: int,
        dropout: float,
        rngs: nnx.Rngs,
    ):
        """Draw the layers.

        Args:
            along_time: units of the layers along time.
            along_notes: units of those along the notes.
            told: inputs of each note beside what the layers along time tell.
            dropout: share of units that are dropped.
            rngs: source of the first values.
        """
        sizes = (N_FEATURES, *along_time)
        pairs = zip(sizes, along_time, strict=False)
        self.time = nnx.List([LSTM(n_in, n_out, rngs) for n_in, n_out in pairs])
        sizes = (along_time[-1], *along_notes)
        pairs = zip(sizes, along_notes, strict=False)
        self.notes = nnx.List([LSTM(n_in, n_out, rngs) for n_in, n_out in pairs])
        self.told_KG = normal(rngs, told, 4 * along_notes[0], scale=(told + along_time[-1]) ** -0.5)
        self.out = nnx.Linear(along_notes[-1], 2, rngs=rngs)
        # One mask a sequence: a unit is dropped in all of its steps or in none.
        self.dropout = nnx.Dropout(dropout, broadcast_dims=(0,), rngs=rngs if dropout else None)

    def along_time(
        self, gates_TRG: jax.Array, starts: tuple[Memory, ...] | None = None
    ) -> tuple[jax.Array, tuple[Memory, ...]]:
        """What the layers along time tell, ``[T, R, H]``, and their last states; rows are notes."""
        return run_stack(self.time, gates_TRG, self.dropout, starts)

    def along_notes(self, gates_MRG: jax.Array, told_MRK: jax.Array) -> jax.Array:
        """Logits that each note plays and is articulated, ``[M, R, 2]``.

        Args:
            gates_MRG: what the layers along time tell, as ``notes[0]`` projects it.
            told_MRK: the other inputs.
        """
        gates = gates_MRG + told_MRK @ self.told_KG[...]
        hidden, _ = run_stack(self.notes, gates, self.dropout)
        return self.out(hidden)


class PianoRollBiaxial(nnx.Module):
    """The network on piano rolls, as published; without articulation where a roll has none."""

    def __init__(self, config: BiaxialConfig, rngs: nnx.Rngs):
        self.config = config
        self.body = BiaxialBody(config.along_time, config.along_notes, 2, config.dropout, rngs)

    def __call__(
        self,
        play: jax.Array,
        last: jax.Array,
        first_step: jax.Array,
        starts: tuple[Memory, ...] | None = None,
    ) -> tuple[jax.Array, tuple[Memory, ...]]:
        """Log-probability of every note of piano rolls that play notes without articulation.

        Args:
            play: ``float32[B, T, M]`` 1 where a note sounds.
            last: ``float32[B, M]`` the step before the first one.
            first_step: ``int[B]`` which step of its piece each roll begins with.
            starts: states along time before the first step; the learnt ones if left out.

        Returns:
            ``[B, T, M]``, and the states along time after the last step.
        """
        batch, steps, notes = play.shape
        before = jnp.concatenate([last[:, None], play[:, :-1]], 1)
        time = first_step[:, None] + np.arange(steps)
        silent = jnp.zeros_like(before)
        features = note_features(before, silent, time, time > 0, self.config.lowest)
        x_TRF = jnp.moveaxis(features, 1, 0).reshape(steps, batch * notes, N_FEATURES)
        told, ends = self.body.along_time(self.body.time[0].project(x_TRF), starts)
        told_MRH = jnp.moveaxis(told.reshape(steps * batch, notes, -1), 1, 0)
        played_MR = jnp.moveaxis(play, (2, 1), (0, 1)).reshape(notes, steps * batch)
        below = jnp.concatenate([jnp.zeros_like(played_MR[:1]), played_MR[:-1]])
        choices = jnp.stack([below, jnp.zeros_like(below)], -1)
        logits = self.body.along_notes(self.body.notes[0].project(told_MRH), choices)[..., PLAY]
        log_p = -jax.nn.softplus(jnp.where(played_MR > 0, -logits, logits))
        return jnp.moveaxis(log_p.reshape(notes, steps, batch), (0, 1), (2, 1)), ends
