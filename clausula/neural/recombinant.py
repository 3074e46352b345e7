"""Recombination of the corpus' beats as a proposal, after David Cope.

Every beat of the corpus is filed under the exact notes that it enters with: what the four voices
sound in the frame before it. A new piece is put together from filed beats whose entering notes are
those that have just been reached, so that the voice leading across the seam is one that the corpus
has. Beats are filed relative to the bass they enter with, which is to say in every key.

As a probability, the candidates are weighed token by token: p(token) is the share of it among the
filed beats that agree with the beat so far. Agreement is asked for step by step, from the widest

    the frame of the beat, and how long the voice has held its note
    … and which of the frame's other voices move, and where they then are
    the whole beat so far (entering notes left open)
    … and the entering outer voices
    … and all four entering notes
    … and mode, degree of the bass (where the key is known), beat of the measure, fermata

to the narrowest, each interpolated with the one before (see ``markov_tables``), the widest with the
uniform distribution: no token is impossible, and where no filed beat agrees, the next wider set
decides. Beats of different length are never mixed.

Reference: D. Cope, "Computers and Musical Style" (1991) and "Virtual Music" (2001). Shapes:
N rows, V voices, P tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.errors import InputError
from clausula.grid import Meter, Voice, frames_in
from clausula.neural.features import METERS, UNKNOWN_KEY, Array, Controls, Example
from clausula.neural.markov_contexts import (
    MIDDLE,
    ORDER,
    Chosen,
    Known,
    known_of,
    pitch_class,
    side_by_side,
)
from clausula.neural.markov_files import load_tables, save_tables
from clausula.neural.markov_tables import Table, chain_rows, chain_rows_in_jax, count, mix
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import HOLD_TOKEN, REST_TOKEN

FRAMES_PER_QUARTER = 4
_QUARTER = Meter(4, 4)
# Frames in a beat, by index of the meter in ``METERS``; quarters where it is not known.
BEAT_FRAMES = np.array(
    [
        frames_in((Meter.parse(name) if name else _QUARTER).beat, FRAMES_PER_QUARTER)
        for name in METERS
    ],
    np.int32,
)
CHUNK = 4096  # rows whose distributions are held at once
_SILENT = 99  # stands for an interval from a voice that rests
# Words that tell kinds of context apart.
_WIDE, _BESIDE, _SO_FAR = np.arange(1, 4, dtype=np.int32)[:, None]
_OLDEST = 8  # frames; older notes are not told apart


@dataclass(frozen=True)
class RecombinantModel:
    """The filed beats, as counts of what follows each way into and through a beat.

    Attributes:
        tables: by slot in search order.
        holds: whether the hold is a token; not on bare pitches.
    """

    tables: tuple[Table, ...]
    holds: bool


class Beat(NamedTuple):
    """Where a piece stands in its present beat, before a frame is chosen.

    Attributes:
        last: ``int32[N, V]`` sounding tokens of the frame before.
        age: ``int32[N, V]`` their ages.
        notes: ``int32[N, V]`` pitch token that each voice sounded last, through rests.
        entering: ``int32[N, V]`` sounding tokens of the frame before the beat.
        reference: ``int32[N]`` pitch token that intervals in the beat are measured from.
        so_far: ``uint32[N]`` hash of the beat's frames.
    """

    last: Array
    age: Array
    notes: Array
    entering: Array
    reference: Array
    so_far: Array


class RecombinantState(NamedTuple):
    """What a hypothesis carries: its beat, the frame's and the whole piece's controls."""

    beat: Beat
    now: Known
    known: Known


def empty_beat(xp: ModuleType, rows: int) -> Beat:
    """Before the first frame."""
    silence = xp.zeros((rows, 4), xp.int32)
    notes = xp.broadcast_to(xp.asarray(MIDDLE), (rows, 4))
    so_far = xp.zeros(rows, xp.uint32)
    return Beat(silence, silence, notes, silence, notes[:, Voice.BASS], so_far)


def advance(xp: ModuleType, beat: Beat, sounding: Array, age: Array, now: Known) -> Beat:
    """The state before a frame, given the one before the frame that went.

    Args:
        xp: NumPy, or ``jax.numpy``.
        beat: before the last frame.
        sounding: ``int32[N, V]`` of the last frame.
        age: ``int32[N, V]`` of the last frame.
        now: controls of the frame that comes.
    """
    notes = xp.where(sounding == REST_TOKEN, beat.notes, sounding)
    so_far = beat.so_far
    for voice in ORDER:
        so_far = mix(so_far, _from(xp, beat.reference, sounding[:, voice]))
        so_far = mix(so_far, xp.minimum(age[:, voice], 1))
    first = _frame_of_beat(xp, now) == 0
    return Beat(
        sounding,
        age,
        notes,
        xp.where(first[:, None], sounding, beat.entering),
        xp.where(first, notes[:, Voice.BASS], beat.reference),
        xp.where(first, np.uint32(0), so_far),
    )


def contexts(
    xp: ModuleType, beat: Beat, chosen: Chosen, now: Known, slot: int, holds: bool
) -> list[Array]:
    """``uint32[N]`` hashes of what a filed beat must agree with, the widest first."""
    start = xp.zeros_like(beat.so_far)
    frame, length = _frame_of_beat(xp, now), xp.asarray(BEAT_FRAMES)[now.meter]
    place = mix(mix(start, frame), length)
    age = xp.minimum(beat.age[:, ORDER[slot]], _OLDEST)
    wide = mix(mix(place, _WIDE), age)
    so_far = mix(mix(place, _SO_FAR), beat.so_far)
    own = beat.notes[:, ORDER[slot]]
    moving, beside = wide, mix(wide, _BESIDE)
    for voice in ORDER[:slot]:
        token, sounding = chosen.token[:, voice], chosen.sounding[:, voice]
        moves = token != HOLD_TOKEN if holds else sounding != beat.last[:, voice]
        moving = mix(moving, moves)
        beside = mix(mix(beside, moves), _from(xp, own, sounding))
        so_far = mix(mix(so_far, moves), _from(xp, beat.reference, sounding))
    # From here on tokens are counted from the voice's own note: where that is must agree too.
    so_far = mix(so_far, own - beat.reference)
    outer = mix(so_far, _from(xp, beat.reference, beat.entering[:, Voice.SOPRANO]))
    four = outer
    for voice in (Voice.BASS, Voice.ALTO, Voice.TENOR):
        four = mix(four, _from(xp, beat.reference, beat.entering[:, voice]))
    degree = (pitch_class(beat.reference) - now.tonic) % 12
    degree = xp.where(now.tonic == UNKNOWN_KEY, UNKNOWN_KEY, degree)
    exact = mix(mix(four, degree), now.mode)
    exact = mix(mix(exact, now.position), now.phrase_end)
    # For the first voice of a frame these two would ask for nothing new.
    partners = [moving, beside] if slot else []
    return [wide, *partners, so_far, outer, four, exact]


def _frame_of_beat(xp: ModuleType, now: Known) -> Array:
    return now.position % xp.asarray(BEAT_FRAMES)[now.meter]


def _from(xp: ModuleType, reference: Array, sounding: Array) -> Array:
    return xp.where(sounding == REST_TOKEN, _SILENT, sounding - reference)


class _Rows(NamedTuple):
    """Every frame of some pieces as rows."""

    beat: Beat
    chosen: Chosen
    now: Known


def _read(examples: Sequence[Example]) -> _Rows:
    music = side_by_side(examples)
    beats = []
    beat = empty_beat(np, len(examples))
    for t in range(len(music.token)):
        now = Known(*(column[t] for column in music.known))
        if t > 0:
            beat = advance(np, beat, music.sounding[t - 1], music.age[t - 1], now)
        beats.append(beat)
    columns = zip(*beats, strict=True)
    return _Rows(
        Beat(*(music.rows(np.stack(column)) for column in columns)),
        Chosen(music.rows(music.token), music.rows(music.sounding)),
        Known(*map(music.rows, music.known)),
    )


def fit_recombinant(
    examples: Sequence[Example], *, holds: bool, least: int = 1
) -> RecombinantModel:
    """File the examples' beats.

    Args:
        examples: pieces to recombine.
        holds: whether the hold is a token; false for bare pitches.
        least: ways into a beat that are filed less often are left out, for a smaller model.

    Raises:
        InputError: there are no pieces.
    """
    if not examples:
        raise InputError("there are no beats to file: pass at least one example")
    rows = _read(examples)
    tables = []
    for slot, voice in enumerate(ORDER):
        levels = contexts(np, rows.beat, rows.chosen, rows.now, slot, holds)
        anchor, token = rows.beat.notes[:, voice], rows.chosen.token[:, voice]
        tables.append(count([levels], [anchor], token, least))
    return RecombinantModel(tuple(tables), holds)


def recombinant_nats_by_voice(model: RecombinantModel, examples: Sequence[Example]) -> np.ndarray:
    """Nats per frame of each voice in search order over whole pieces, ``float64[4]``.

    Every frame counts, the first included; there is no end token.

    Raises:
        InputError: there are no pieces.
    """
    if not examples:
        raise InputError("there are no pieces to score: pass at least one example")
    rows = _read(examples)
    frames = len(rows.chosen.token)
    total = np.zeros(4)
    for slot, voice in enumerate(ORDER):
        levels = contexts(np, rows.beat, rows.chosen, rows.now, slot, model.holds)
        for start in range(0, frames, CHUNK):
            some = slice(start, start + CHUNK)
            anchor, token = rows.beat.notes[some, voice], rows.chosen.token[some, voice]
            p, _ = chain_rows(
                model.tables[slot], [level[some] for level in levels], anchor, model.holds
            )
            total[slot] -= np.log(p[np.arange(len(token)), token]).sum()
    return total / frames


def recombinant_proposal(model: RecombinantModel) -> Proposal:
    """The filed beats behind the proposal contract."""
    widths = [table.width for table in model.tables]
    params = jax.tree.map(jnp.asarray, model.tables)

    def init(params: Any, controls: Controls, hypotheses: int) -> RecombinantState:
        known = Known(*map(jnp.asarray, known_of(controls)))
        return RecombinantState(empty_beat(jnp, hypotheses), known.at(0, hypotheses), known)

    def begin_frame(
        params: Any, state: RecombinantState, time: jax.Array, past: Past
    ) -> RecombinantState:
        now = state.known.at(time, past.parent.shape[0])
        before = jax.tree.map(lambda column: column[past.parent], state.beat)
        after = advance(jnp, before, past.sounding, past.age, now)
        beat = jax.tree.map(lambda new, old: jnp.where(time > 0, new, old), after, before)
        return RecombinantState(beat, now, state.known)

    def log_probs(params: Any, state: RecombinantState, slot: int, frame: FrameSoFar) -> jax.Array:
        beat, now = jax.tree.map(lambda column: column[frame.row], (state.beat, state.now))
        chosen = Chosen(frame.token, frame.sounding)
        levels = contexts(jnp, beat, chosen, now, slot, model.holds)
        hashed, anchor = jnp.stack(levels, 1)[:, None], beat.notes[:, ORDER[slot], None]
        exists = np.ones(hashed.shape[1:], bool)
        p, _ = chain_rows_in_jax(params[slot], widths[slot], hashed, exists, anchor, model.holds)
        return jax.nn.log_softmax(jnp.log(p[:, 0]), -1)

    return Proposal(params, init, begin_frame, log_probs)


def save_recombinant(path: Path, model: RecombinantModel, metadata: dict[str, str]) -> None:
    """Write the model as safetensors; counts stop at 65,535."""
    save_tables(path, model.tables, {}, metadata | {"holds": str(int(model.holds))})


def load_recombinant(path: Path) -> tuple[RecombinantModel, dict[str, str]]:
    """A model and its metadata.

    Raises:
        CorpusError: no such file, or it holds no such model.
    """
    tables, _, metadata = load_tables(path)
    return RecombinantModel(tables, metadata["holds"] == "1"), metadata
