"""The viewpoints of the Markov chains: the contexts of each chain, widest first.

A chain sees one aspect of a frame (rhythm, melody, harmony, …). Its tokens are counted as distances
from an *anchor*: the voice's own last note, a voice that is already chosen, or none. Reference:
D. Conklin and I. Witten, "Multiple viewpoint systems for music prediction", Journal of New Music
Research 24 (1995).
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.grid import VOICE_LETTERS
from clausula.neural.features import Array
from clausula.neural.markov_contexts import ORDER, Chosen, View, pitch_class
from clausula.neural.markov_tables import SYMBOL_SHIFT, mix
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN

SILENT = 99  # stands for an interval where one side of it rests
FARTHEST = 16  # frames to a phrase end that are told apart


class Viewpoint(NamedTuple):
    """One chain of contexts.

    Attributes:
        anchor: what its pitches are measured from: a name in ``anchors``.
        levels: features that each longer context adds to the one before, words in one string.
    """

    anchor: str
    levels: tuple[str, ...]


VIEWPOINTS: tuple[tuple[Viewpoint, ...], ...] = (
    (
        Viewpoint("own", ("position", "age", "step1", "heard", "ages")),
        Viewpoint("own", ("heard", "position age", "step1", "step2 length1")),
        Viewpoint("own", ("step1", "length1 age sixteenth", "step2", "heard", "step3")),
        Viewpoint("own", ("last_B", "age", "eighth", "last_A", "last_T", "beat_S beat_B")),
        Viewpoint("own", ("heard age", "last_B", "last_A last_T", "sixteenth", "position")),
        Viewpoint("zero", ("own",)),
        Viewpoint("zero", ("position",)),
        Viewpoint("own", ("until end", "position", "age", "degree", "since", "last_B")),
    ),
    (
        Viewpoint("own", ("position", "age moved", "step1", "heard", "moves_S")),
        Viewpoint("own", ("heard", "position age moved", "step1", "step2 length1")),
        Viewpoint("own", ("moves_S", "age sixteenth", "now_S", "heard", "step1", "position")),
        Viewpoint("S", ("heard_S", "moves_S", "sixteenth", "last_S")),
        Viewpoint("own", ("now_S moved", "age last_S", "heard sixteenth", "last_A", "last_T")),
        Viewpoint("zero", ("own",)),
        Viewpoint("own", ("until end", "position", "age moved", "degree", "now_S")),
    ),
    (
        Viewpoint("own", ("position", "age moved", "step1", "heard", "moves_S", "moves_B")),
        Viewpoint("own", ("heard", "sixteenth age moved", "step1", "now_S", "length1")),
        Viewpoint("S", ("over_B", "heard_S", "sixteenth moved")),
        Viewpoint("B", ("over_B", "last_B last_S", "heard_B", "last_T")),
        Viewpoint(
            "own",
            ("now_S now_B", "moved", "age last_S last_B", "heard sixteenth", "last_T", "position"),
        ),
        Viewpoint("own", ("moves_S moves_B", "now_B", "now_S", "age", "heard sixteenth")),
        Viewpoint("zero", ("own",)),
        Viewpoint("own", ("until end", "position", "age moved", "degree", "now_S now_B")),
    ),
    (
        Viewpoint("own", ("position", "age moved", "step1", "heard", "moves_S moves_B", "moves_A")),
        Viewpoint("own", ("heard", "sixteenth age moved", "step1", "now_B", "now_S")),
        Viewpoint("A", ("over_B over_A", "heard_S", "sixteenth moved")),
        Viewpoint("B", ("over_B over_A", "last_B", "heard_B", "last_A last_S")),
        Viewpoint(
            "own",
            (
                "now_S now_B now_A",
                "moved",
                "age last_S last_B",
                "heard sixteenth",
                "last_A",
                "position",
            ),
        ),
        Viewpoint(
            "own", ("moves_S moves_B moves_A", "now_B", "now_S now_A", "age", "heard sixteenth")
        ),
        Viewpoint("zero", ("own",)),
        Viewpoint("own", ("until end", "position", "age moved", "degree", "now_S now_B now_A")),
    ),
)


def anchors(xp: ModuleType, seen: View, chosen: Chosen, slot: int) -> dict[str, Array]:
    """``int32[N]`` the pitch token of each anchor: own, zero, and each chosen voice by letter."""
    own = seen.notes[:, ORDER[slot], 0]
    found = {"own": own, "zero": xp.zeros_like(own)}
    for voice in ORDER[:slot]:
        now = chosen.sounding[:, voice]
        found[VOICE_LETTERS[voice]] = xp.where(now == REST_TOKEN, seen.notes[:, voice, 0], now)
    return found


def features(
    xp: ModuleType, seen: View, chosen: Chosen, slot: int, holds: bool
) -> dict[str, Array]:
    """``int32[N]`` every feature by name.

    Args:
        xp: NumPy, or ``jax.numpy``.
        seen: what is known before the frame.
        chosen: its voices of earlier slots; later ones are not read.
        slot: whose token comes next.
        holds: whether a note that goes on is a hold; on bare pitches it is the same pitch again.
    """
    known, voice = seen.known, ORDER[slot]
    own = seen.notes[:, voice, 0]
    notes, lengths = seen.notes[:, voice], seen.lengths[:, voice]
    ages = seen.lengths[..., 0]
    found = {
        # The measure and the phrase
        "position": known.position + 64 * known.meter,
        "sixteenth": known.position % 4,
        "eighth": known.position % 8,
        "end": known.phrase_end,
        "until": xp.minimum(known.until, FARTHEST),
        "since": xp.minimum(known.since, 1),
        # The voice's own line
        "own": own,
        "age": ages[:, voice],
        "length1": lengths[:, 1],
        "step1": notes[:, 0] - notes[:, 1],
        "step2": notes[:, 1] - notes[:, 2],
        "step3": notes[:, 2] - notes[:, 3],
        "degree": _degree(own, seen.tonic, seen.mode),
        "heard": _degree(own, seen.local % 12, seen.local // 12),
        "ages": ages[:, 0] + 32 * ages[:, 1] + 1024 * ages[:, 2] + 32768 * ages[:, 3],
    }
    for other, letter in enumerate(VOICE_LETTERS):
        found[f"last_{letter}"] = _interval(xp, seen.last[:, other], own)
        found[f"beat_{letter}"] = _interval(xp, seen.beats[:, 0, other], own)
    return found | _beside(xp, seen, chosen, slot, holds)


def _beside(xp: ModuleType, seen: View, chosen: Chosen, slot: int, holds: bool) -> dict[str, Array]:
    """Features of the voices already chosen."""
    own = seen.notes[:, ORDER[slot], 0]
    found = {"moved": xp.zeros_like(own)}
    soprano = chosen.sounding[:, ORDER[0]]
    for place, voice in enumerate(ORDER[:slot]):
        letter = VOICE_LETTERS[voice]
        token, now = chosen.token[:, voice], chosen.sounding[:, voice]
        before = seen.notes[:, voice, 0]
        local = _degree(now, seen.local % 12, seen.local // 12)
        moves = token != HOLD_TOKEN if holds else now != seen.last[:, voice]
        found["moved"] = found["moved"] + moves * np.int32(1 << place)
        found[f"now_{letter}"] = _interval(xp, now, own)
        found[f"heard_{letter}"] = xp.where(now == REST_TOKEN, SILENT, local)
        found[f"moves_{letter}"] = xp.where(
            token >= FIRST_PITCH, SYMBOL_SHIFT + token - before, token
        )
        silent = (now == REST_TOKEN) | (soprano == REST_TOKEN)
        found[f"over_{letter}"] = xp.where(silent, SILENT, now - soprano)
    return found


def _degree(token: Array, tonic: Array, mode: Array) -> Array:
    """Semitones above the tonic, plus 12 in minor."""
    return (pitch_class(token) - tonic) % 12 + 12 * mode


def _interval(xp: ModuleType, token: Array, own: Array) -> Array:
    return xp.where(token == REST_TOKEN, SILENT, token - own)


def hashes(found: dict[str, np.ndarray], slot: int) -> list[list[np.ndarray]]:
    """``uint32[N]`` the hash of every context of the slot, by viewpoint and level; in NumPy."""
    rows = len(found["own"])
    out = []
    for index, viewpoint in enumerate(VIEWPOINTS[slot]):
        value = np.full(rows, index + 1, np.uint32)
        levels = []
        for words in viewpoint.levels:
            for name in words.split():
                value = mix(value, found[name])
            levels.append(value)
        out.append(levels)
    return out


def level_exists(slot: int) -> np.ndarray:
    """``bool[E, D]`` false where a viewpoint of the slot has fewer levels than the deepest."""
    depths = np.array([len(viewpoint.levels) for viewpoint in VIEWPOINTS[slot]])
    return np.arange(depths.max()) < depths[:, None]


def hashes_in_jax(found: dict[str, Array], slot: int) -> Array:
    """``uint32[N, E, D]`` the hashes of ``hashes``, all at once, inside a compiled program."""
    names = sorted(found)
    exists = level_exists(slot)
    longest = max(len(" ".join(v.levels).split()) for v in VIEWPOINTS[slot])
    column = np.full((*exists.shape, longest), -1)
    for e, viewpoint in enumerate(VIEWPOINTS[slot]):
        for d in range(len(viewpoint.levels)):
            words = " ".join(viewpoint.levels[: d + 1]).split()
            column[e, d, : len(words)] = [names.index(word) for word in words]
    # Without the barrier every context would compute its features anew.
    table = jax.lax.optimization_barrier(jnp.stack([found[name] for name in names], 1))
    start = np.arange(1, len(exists) + 1, dtype=np.uint32)[None, :, None]
    value = jnp.broadcast_to(start, (len(table), *exists.shape))
    for step in range(longest):
        index = column[..., step]
        value = jnp.where(index >= 0, mix(value, table[:, np.maximum(index, 0)]), value)
    return value
