"""Runs of the corpus that a piece must not copy: hashed fragments and a register of last notes.

Each hypothesis carries the last notes of every voice, and the last verticalities. A token that
would complete a run of the corpus is forbidden, or costs. Runs are compared by a 32-bit hash, the
same in NumPy and JAX: a sum of the notes, each relative to the run's first, times drawn odd
numbers. Two runs that collide by chance (one pair in four thousand million) forbid one token more
than they should; none is ever missed. Source: Dietzfelbinger et al., "A reliable randomized
algorithm for the closest-pair problem", J. Algorithms 25 (1997), on multiplicative hashing.

Shapes: N hypotheses, V voices, L notes of a run, M runs of the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.copying import MaxCopy
from clausula.constraints.rule import Array
from clausula.constraints.soft import Soft
from clausula.corpus import load_chorales
from clausula.engine.layers import bucket
from clausula.engine.lookahead import BITS
from clausula.engine.plan import Plan
from clausula.grid import REST, SEARCH_ORDER, Grid, Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

LOW = np.array([voice_semitones(voice)[FIRST_PITCH] - FIRST_PITCH for voice in Voice])
NONE = -1  # in a register: no note yet, or a rest since


class Copies(NamedTuple):
    """The runs that one constraint forbids.

    Attributes:
        hashes: ``uint32[M]`` ascending, the last one repeated.
        notes: ``uint32[L, columns]`` factors of the notes; one column, or one a voice.
        gaps: ``uint32[L - 1]`` factors of the lengths; 0 where the rhythm does not count.
        voices: ``bool[V]`` whose runs count, of one column.
        price: ``float32[]`` nats; infinite where the constraint is hard.
    """

    hashes: Array
    notes: Array
    gaps: Array
    voices: Array
    price: Array


class Register(NamedTuple):
    """The last notes, oldest first.

    Attributes:
        pitch: ``int32[N, V, notes]`` MIDI numbers, ``NONE`` before the first or after a rest.
        begin: ``int32[N, V, notes]`` frames in which they began.
        chord: ``int32[N, chords, V]`` the last verticalities.
        since: ``int32[N, chords]`` frames in which those began.
    """

    pitch: jax.Array
    begin: jax.Array
    chord: jax.Array
    since: jax.Array


class CopyTables(NamedTuple):
    """All constraints on copies, by what they compare."""

    lines: tuple[Copies, ...] = ()
    chords: tuple[Copies, ...] = ()


def copy_tables(plan: Plan) -> CopyTables:
    """The runs of the bundled chorales that a plan's constraints forbid."""
    tables = CopyTables()
    for constraint in plan.others:
        asked = constraint.constraint if isinstance(constraint, Soft) else constraint
        if not isinstance(asked, MaxCopy):
            continue
        price = constraint.weight if isinstance(constraint, Soft) else np.inf
        copies = copies_of(asked, price, load_chorales().grids)
        if asked.voices:
            tables = tables._replace(lines=(*tables.lines, copies))
        else:
            tables = tables._replace(chords=(*tables.chords, copies))
    return tables


def copies_of(asked: MaxCopy, price: float, grids: Sequence[Grid]) -> Copies:
    """The runs of some pieces, hashed."""
    rng = np.random.default_rng(asked.length)
    columns = 1 if asked.voices else len(Voice)
    odd = rng.integers(0, 2**31, (asked.length, columns + 1), np.uint32) * 2 + 1
    notes, gaps = odd[:, :columns], odd[1:, columns] * np.uint32(asked.rhythm)
    found = [np.zeros(0, np.uint32)]
    for grid in grids:
        for voices in [[voice] for voice in Voice] if asked.voices else [list(Voice)]:
            found.append(_runs(grid, voices, notes, gaps))
    hashes = np.unique(np.concatenate(found))
    if len(hashes):
        hashes = np.pad(hashes, (0, bucket(len(hashes)) - len(hashes)), mode="edge")
    counted = np.isin(np.arange(len(Voice)), asked.voices)
    return Copies(hashes, notes, gaps, counted, np.float32(price))


def _runs(grid: Grid, voices: list[Voice], notes: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """``uint32[run]`` hashes of the runs of a voice, or of all, that no rest interrupts."""
    length = len(notes)
    begins = np.flatnonzero(grid.onset[:, voices].any(axis=1))
    if len(begins) < length:
        return np.zeros(0, np.uint32)
    frames = np.lib.stride_tricks.sliding_window_view(begins, length)  # [run, L]
    silent = np.append(0, np.cumsum((grid.pitch[:, voices] == REST).any(axis=1)))
    whole = silent[frames[:, -1] + 1] == silent[frames[:, 0]]
    frames = frames[whole]
    pitch = grid.pitch[:, voices][frames]  # [run, L, column]
    relative = (pitch - pitch[:, :1, -1:]).astype(np.int64).astype(np.uint32)
    lengths = np.diff(frames, axis=1).astype(np.uint32)
    return (relative * notes).sum(axis=(1, 2), dtype=np.uint32) + (lengths * gaps).sum(
        axis=1, dtype=np.uint32
    )


def no_notes(tables: CopyTables, n: int) -> Register:
    """The register before the first frame, as long as the tables need."""
    notes = max([len(copies.gaps) for copies in tables.lines], default=0)
    chords = max([len(copies.gaps) for copies in tables.chords], default=0)
    voices = len(Voice)
    return Register(
        jnp.full((n, voices, notes), NONE),
        jnp.zeros((n, voices, notes), jnp.int32),
        jnp.full((n, chords, voices), NONE),
        jnp.zeros((n, chords), jnp.int32),
    )


def copied_notes(copies: Copies, register: Register, time: jax.Array) -> jax.Array:
    """``uint32[N, V]`` tokens that complete a run if they begin now."""
    length = len(copies.gaps)
    if length > register.pitch.shape[2]:
        raise ValueError("the register is shorter than the run")
    pitch = register.pitch[..., -length:]
    begin = jnp.concatenate(
        [register.begin[..., -length:], jnp.full((*pitch.shape[:2], 1), time)], axis=-1
    )
    first = pitch[..., :1]
    known = ((pitch - first).astype(jnp.uint32) * copies.notes[:-1, 0]).sum(-1, dtype=jnp.uint32)
    gaps = jnp.diff(begin, axis=-1).astype(jnp.uint32)
    known += (gaps * copies.gaps).sum(-1, dtype=jnp.uint32)
    tokens = jnp.arange(N_VOICE)
    last = jnp.asarray(LOW)[:, None] + tokens - first  # [N, V, 32]
    hashed = known[..., None] + last.astype(jnp.uint32) * copies.notes[-1, 0]
    copied = _among(hashed, copies.hashes) & (tokens >= FIRST_PITCH)
    copied &= (pitch != NONE).all(axis=-1)[..., None] & copies.voices[:, None]
    return jnp.where(copied, BITS, jnp.uint32(0)).sum(-1, dtype=jnp.uint32)


def copied_chords(
    copies: Copies, register: Register, time: jax.Array, sounding: jax.Array, token: jax.Array
) -> jax.Array:
    """``bool[N, 32]`` tenor tokens that complete a run of verticalities.

    Args:
        copies: the constraint.
        register: the last verticalities.
        time: ``[]`` the frame.
        sounding: ``int32[N, V]`` voice indices that sound before the frame.
        token: ``int32[N, 4]`` tokens by slot; the tenor's is not read.
    """
    length = len(copies.gaps)
    chord = register.chord[:, -length:]  # [N, L - 1, V]
    first = chord[:, 0, -1]
    moves = jnp.zeros(len(first), bool)
    known = ((chord - first[:, None, None]).astype(jnp.uint32) * copies.notes[:-1]).sum(
        (1, 2), dtype=jnp.uint32
    )
    since = jnp.concatenate([register.since[:, -length:], jnp.full((len(first), 1), time)], axis=1)
    known += (jnp.diff(since, axis=1).astype(jnp.uint32) * copies.gaps).sum(1, dtype=jnp.uint32)
    whole = (chord != NONE).all(axis=(1, 2))
    for slot, voice in enumerate(SEARCH_ORDER[:-1]):
        heard = jnp.where(token[:, slot] == HOLD_TOKEN, sounding[:, voice], token[:, slot])
        moves |= token[:, slot] >= FIRST_PITCH
        whole &= heard >= FIRST_PITCH
        relative = heard + int(LOW[voice]) - first
        known += relative.astype(jnp.uint32) * copies.notes[-1, voice]
    own = SEARCH_ORDER[-1]
    tokens = jnp.arange(N_VOICE)
    heard = jnp.where(tokens == HOLD_TOKEN, sounding[:, own, None], tokens)
    relative = heard + int(LOW[own]) - first[:, None]
    hashed = known[:, None] + relative.astype(jnp.uint32) * copies.notes[-1, own]
    begins = moves[:, None] | (tokens >= FIRST_PITCH)
    return _among(hashed, copies.hashes) & begins & (heard >= FIRST_PITCH) & whole[:, None]


def _among(values: jax.Array, ascending: jax.Array) -> jax.Array:
    """Whether each value is one of a sorted table's."""
    if not len(ascending):
        return jnp.zeros(values.shape, bool)
    place = jnp.searchsorted(ascending, values.ravel())
    found = ascending[jnp.minimum(place, len(ascending) - 1)] == values.ravel()
    return found.reshape(values.shape)


def remember(
    register: Register, token: jax.Array, sounding: jax.Array, time: jax.Array
) -> Register:
    """The register after a frame.

    Args:
        register: before it, in the rows' new order.
        token: ``int32[N, V]`` the frame's tokens.
        sounding: ``int32[N, V]`` voice indices that sound in it.
        time: ``[]`` the frame.
    """
    begins, rests = token >= FIRST_PITCH, token == REST_TOKEN
    semitone = jnp.where(sounding >= FIRST_PITCH, sounding + jnp.asarray(LOW), NONE)
    moves = begins.any(axis=1)
    silent = (semitone == NONE).any(axis=1)

    def shifted(values: jax.Array, new: jax.Array, where: jax.Array) -> jax.Array:
        if not values.shape[-1]:
            return values
        pushed = jnp.concatenate([values[..., 1:], new[..., None]], axis=-1)
        return jnp.where(where[..., None], pushed, values)

    at = jnp.broadcast_to(time, begins.shape)
    pitch = jnp.where(rests[..., None], NONE, shifted(register.pitch, semitone, begins))
    by_voice = jnp.swapaxes(register.chord, 1, 2)
    chord = shifted(by_voice, semitone, jnp.broadcast_to(moves[:, None], begins.shape))
    return Register(
        pitch,
        shifted(register.begin, at, begins),
        jnp.where(silent[:, None, None], NONE, jnp.swapaxes(chord, 1, 2)),
        shifted(register.since, at[:, 0], moves),
    )
