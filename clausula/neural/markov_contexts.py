"""What a Markov chain remembers of a piece, and what it sees of a frame.

Everything is an integer array, by the same code in NumPy (whole pieces) and in JAX (inside the
search). Pitches enter as intervals (from the voice's own last note, between voices, from the
tonic), so that what is learnt in one key holds in all. Shapes: N rows (hypotheses or frames),
V voices.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from clausula.grid import SEARCH_ORDER
from clausula.neural.features import UNKNOWN_KEY, Array, Controls, Example
from clausula.vocabulary import FIRST_PITCH, LOWEST, REST_TOKEN

ORDER = tuple(int(v) for v in SEARCH_ORDER)
NOTES = 4  # notes remembered of each voice, the latest first
BEATS = 2  # beats whose verticality is remembered
LONGEST = 16  # frames; longer notes count as this long
# Where a voice is taken to be before its first note: tokens of the middle of its range.
MIDDLE = np.array([71, 65, 58, 50], np.int32) - LOWEST + FIRST_PITCH
_CLASS_OF_TOKEN_0 = (LOWEST - FIRST_PITCH) % 12
_FORGETTING = 6  # the pitch classes heard lose 1 / 2 ** _FORGETTING of their weight a frame
# C. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), table 2.1, times 100.
_PROFILES = np.array(
    [
        [635, 223, 348, 233, 438, 409, 252, 519, 239, 366, 229, 288],
        [633, 268, 352, 538, 260, 353, 254, 475, 398, 269, 334, 317],
    ]
)
_STANDARD = (_PROFILES - _PROFILES.mean(1, keepdims=True)) / _PROFILES.std(1, keepdims=True)
# ``[24, 12]``, row 12 * mode + tonic. Integers, so that NumPy and JAX agree on the winner.
_KEYS = np.stack([np.roll(profile, tonic) for profile in _STANDARD for tonic in range(12)])
_KEYS = np.rint(64 * _KEYS).astype(np.int32)


class Memory(NamedTuple):
    """What is kept of the frames before, beyond the last one.

    Attributes:
        notes: ``int32[N, V, NOTES]`` pitch tokens of each voice's notes, the latest first.
        lengths: ``int32[N, V, NOTES]`` frames from their onset to the next one; the first, of the
            latest note, counts up.
        beats: ``int32[N, BEATS, V]`` sounding tokens at the latest beats, the last one first.
        classes: ``int32[N, 12]`` pitch classes heard, weighted toward the present.
    """

    notes: Array
    lengths: Array
    beats: Array
    classes: Array


class Known(NamedTuple):
    """The controls that a chain reads, each ``int32[N]``; see ``Controls``."""

    position: Array
    meter: Array
    phrase_end: Array
    until: Array
    since: Array
    tonic: Array
    mode: Array

    def at(self, time: Array | int, rows: int) -> Known:
        """One frame's, for every row; inside a compiled program."""
        return Known(*(jnp.broadcast_to(column[time], (rows,)) for column in self))


class View(NamedTuple):
    """What is known of a frame before any of its voices is chosen.

    Attributes:
        last: ``int32[N, V]`` sounding tokens of the frame before.
        notes: ``int32[N, V, NOTES]`` as in ``Memory``.
        lengths: ``int32[N, V, NOTES]`` as in ``Memory``.
        beats: ``int32[N, BEATS, V]`` as in ``Memory``.
        tonic: ``int32[N]`` pitch class of the key, the given one or the likeliest.
        mode: ``int32[N]`` 0 major, 1 minor, likewise.
        local: ``int32[N]`` 12 * mode + tonic of the key that is heard.
        known: controls of the frame.
    """

    last: Array
    notes: Array
    lengths: Array
    beats: Array
    tonic: Array
    mode: Array
    local: Array
    known: Known


class Chosen(NamedTuple):
    """The voices of the frame that are already chosen, each ``int32[N, V]``.

    Attributes:
        token: what they do.
        sounding: what they then sound.
    """

    token: Array
    sounding: Array


def known_of(controls: Controls) -> Known:
    """The controls that a chain reads, of a whole piece; each ``int32[time]``."""
    return Known(*(getattr(controls, name) for name in Known._fields))


def empty_memory(xp: ModuleType, rows: int) -> Memory:
    """The memory before the first frame."""
    middle = xp.asarray(MIDDLE)[None, :, None]
    return Memory(
        xp.broadcast_to(middle, (rows, 4, NOTES)),
        xp.zeros((rows, 4, NOTES), xp.int32),
        xp.zeros((rows, BEATS, 4), xp.int32),
        xp.zeros((rows, 12), xp.int32),
    )


def remember(
    xp: ModuleType, memory: Memory, sounding: Array, age: Array, position: Array
) -> Memory:
    """The memory after one more frame.

    Args:
        xp: NumPy, or ``jax.numpy``.
        memory: the memory before it.
        sounding: ``int32[N, V]`` of the frame.
        age: ``int32[N, V]`` of the frame.
        position: ``int32[N]`` of the frame in its measure.
    """
    sounds = sounding != REST_TOKEN
    begins = ((age == 0) & sounds)[..., None]
    notes = xp.concatenate([sounding[..., None], memory.notes[..., :-1]], -1)
    grown = xp.minimum(memory.lengths[..., :1] + 1, LONGEST)
    lengths = xp.concatenate([xp.ones_like(grown), memory.lengths[..., :-1]], -1)
    held = xp.concatenate([grown, memory.lengths[..., 1:]], -1)
    beats = xp.concatenate([sounding[:, None], memory.beats[:, :-1]], 1)
    heard = (pitch_class(sounding)[..., None] == xp.arange(12)) & sounds[..., None]
    fading = memory.classes >> _FORGETTING
    return Memory(
        xp.where(begins, notes, memory.notes),
        xp.where(begins, lengths, held),
        xp.where((position % 4 == 0)[:, None, None], beats, memory.beats),
        memory.classes - fading + 64 * heard.sum(1).astype(xp.int32),
    )


def view(xp: ModuleType, memory: Memory, last: Array, known: Known) -> View:
    """The frame after ``memory``.

    Args:
        xp: NumPy, or ``jax.numpy``.
        memory: of the frames before.
        last: ``int32[N, V]`` sounding tokens of the frame before.
        known: controls of the frame.
    """
    agreement = (memory.classes[:, None] * xp.asarray(_KEYS)).sum(-1)
    local = agreement.argmax(-1).astype(xp.int32)
    given = known.tonic != UNKNOWN_KEY
    return View(
        last,
        memory.notes,
        memory.lengths,
        memory.beats,
        xp.where(given, known.tonic, local % 12),
        xp.where(given, known.mode, local // 12),
        local,
        known,
    )


def pitch_class(tokens: Array) -> Array:
    """Pitch classes (C = 0) of pitch tokens; same shape."""
    return (tokens + _CLASS_OF_TOKEN_0) % 12


class WholePieces(NamedTuple):
    """Every frame of some pieces as rows, piece after piece.

    Attributes:
        seen: what is known before each frame.
        chosen: what was then chosen, all voices.
        piece: ``int[N]`` which piece a row is of.
    """

    seen: View
    chosen: Chosen
    piece: np.ndarray


class SideBySide(NamedTuple):
    """Pieces beside one another, the shorter ones padded with their last frame.

    Attributes:
        token: ``int32[time, piece, V]``.
        sounding: ``int32[time, piece, V]``.
        age: ``int32[time, piece, V]``.
        known: controls, each ``int32[time, piece]``.
        lengths: ``int[piece]`` frames.
    """

    token: np.ndarray
    sounding: np.ndarray
    age: np.ndarray
    known: Known
    lengths: np.ndarray

    def rows(self, column: np.ndarray) -> np.ndarray:
        """``[N, …]`` of ``[time, piece, …]``: piece after piece, without the padding."""
        inside = np.arange(len(column)) < self.lengths[:, None]
        return np.swapaxes(column, 0, 1)[inside]


def side_by_side(examples: Sequence[Example]) -> SideBySide:
    """Pieces made ready to advance together, frame by frame."""
    lengths = np.array([len(e) for e in examples])
    frames = np.minimum(np.arange(lengths.max())[:, None], lengths - 1)

    def padded(columns: Sequence[Array]) -> np.ndarray:
        return np.stack([c[frames[:, i]] for i, c in enumerate(columns)], axis=1)

    columns = zip(*(known_of(e.controls) for e in examples), strict=True)
    return SideBySide(
        padded([e.token for e in examples]),
        padded([e.sounding for e in examples]),
        padded([e.age for e in examples]),
        Known(*(padded(column) for column in columns)),
        lengths,
    )


def read_whole(examples: Sequence[Example]) -> WholePieces:
    """Read finished pieces as rows."""
    music = side_by_side(examples)
    memories = [empty_memory(np, len(examples))]
    for t in range(len(music.token) - 1):
        position = music.known.position[t]
        memories.append(remember(np, memories[-1], music.sounding[t], music.age[t], position))
    first = np.full_like(music.sounding[:1], REST_TOKEN)
    last = np.concatenate([first, music.sounding[:-1]])
    columns = zip(*memories, strict=True)
    memory = Memory(*(music.rows(np.stack(column)) for column in columns))
    return WholePieces(
        view(np, memory, music.rows(last), Known(*map(music.rows, music.known))),
        Chosen(music.rows(music.token), music.rows(music.sounding)),
        np.repeat(np.arange(len(examples)), music.lengths),
    )
