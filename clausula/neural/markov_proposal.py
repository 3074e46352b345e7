"""Markov chains of variable order as a proposal: the strong classical baseline.

For each voice several chains, each with its own viewpoint, are interpolated from wide contexts to
narrow ones and combined geometrically. Every token of the vocabulary keeps positive probability:
a chain's widest context falls back on the uniform distribution (see ``markov_tables``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.errors import CorpusError, InputError
from clausula.neural.features import Controls, Example
from clausula.neural.markov_contexts import (
    ORDER,
    Chosen,
    Known,
    Memory,
    View,
    WholePieces,
    empty_memory,
    known_of,
    read_whole,
    remember,
    view,
)
from clausula.neural.markov_files import load_tables, save_tables
from clausula.neural.markov_mixing import LEAST_LOG, combine, fit_weights
from clausula.neural.markov_tables import Table, chain_rows, chain_rows_in_jax, count, uniform
from clausula.neural.markov_viewpoints import (
    VIEWPOINTS,
    anchors,
    features,
    hashes,
    hashes_in_jax,
    level_exists,
)
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import N_GLOBAL

FOLDS = 4  # the weights are fitted on quarters of the pieces that the other three have not seen
CHUNK = 4096  # rows that are combined at once


@dataclass(frozen=True)
class MarkovModel:
    """Counts and weights, by slot in search order.

    Attributes:
        tables: counts of tokens by context.
        weights: ``float32[E, levels + 1]`` of the viewpoints, by number of known contexts.
        holds: whether the hold is a token; not on bare pitches.
    """

    tables: tuple[Table, ...]
    weights: tuple[np.ndarray, ...]
    holds: bool


class MarkovState(NamedTuple):
    """What a hypothesis carries.

    Attributes:
        memory: of the frames before.
        seen: what is known before the present frame.
        known: the whole piece's controls, each ``int32[time]``.
    """

    memory: Memory
    seen: View
    known: Known


class _Slot(NamedTuple):
    """Contexts, anchors (both by viewpoint) and tokens of every row for one slot."""

    contexts: list[list[np.ndarray]]
    anchors: list[np.ndarray]
    token: np.ndarray

    def part(self, rows: np.ndarray) -> _Slot:
        """Some of the rows."""
        contexts = [[level[rows] for level in levels] for levels in self.contexts]
        return _Slot(contexts, [anchor[rows] for anchor in self.anchors], self.token[rows])


def fit_markov(examples: Sequence[Example], *, holds: bool, least: int = 1) -> MarkovModel:
    """Count the examples, and fit the weights of the viewpoints by cross-validation.

    Args:
        examples: pieces to learn from.
        holds: whether the hold is a token; false for bare pitches.
        least: contexts seen less often are left out, for a smaller model.

    Raises:
        InputError: fewer pieces than ``FOLDS``.
    """
    if len(examples) < FOLDS:
        raise InputError(
            f"{len(examples)} pieces are too few to fit a Markov chain; pass at least {FOLDS}"
        )
    whole = read_whole(examples)
    tables, weights = [], []
    for slot in range(4):
        data = _slot(whole, slot, holds)
        tables.append(count(data.contexts, data.anchors, data.token, least))
        weights.append(_fit_slot(data, whole.piece, slot, holds, least))
    return MarkovModel(tuple(tables), tuple(weights), holds)


def _slot(whole: WholePieces, slot: int, holds: bool) -> _Slot:
    found = features(np, whole.seen, whole.chosen, slot, holds)
    named = anchors(np, whole.seen, whole.chosen, slot)
    return _Slot(
        hashes(found, slot),
        [named[viewpoint.anchor] for viewpoint in VIEWPOINTS[slot]],
        whole.chosen.token[:, ORDER[slot]],
    )


def _fit_slot(data: _Slot, piece: np.ndarray, slot: int, holds: bool, least: int) -> np.ndarray:
    shape = (len(piece), len(VIEWPOINTS[slot]))
    log_rows, known = np.empty((*shape, N_GLOBAL), np.float16), np.empty(shape, np.int32)
    for fold in range(FOLDS):
        inside = np.flatnonzero(piece % FOLDS == fold)
        rest = data.part(np.flatnonzero(piece % FOLDS != fold))
        table = count(rest.contexts, rest.anchors, rest.token, least)
        rows, known[inside] = _rows(table, data.part(inside), holds)
        log_rows[inside] = np.maximum(np.log(np.maximum(rows, 1e-30)), LEAST_LOG)
    deepest = max(len(viewpoint.levels) for viewpoint in VIEWPOINTS[slot])
    return fit_weights(log_rows, known, data.token, uniform(holds) > 0, deepest)


def _rows(table: Table, data: _Slot, holds: bool) -> tuple[np.ndarray, np.ndarray]:
    """``[N, E, P]`` distributions of the viewpoints and ``[N, E]`` numbers of known contexts."""
    pairs = [
        chain_rows(table, levels, anchor, holds)
        for levels, anchor in zip(data.contexts, data.anchors, strict=True)
    ]
    return np.stack([p for p, _ in pairs], 1), np.stack([known for _, known in pairs], 1)


def markov_nats_by_voice(model: MarkovModel, examples: Sequence[Example]) -> np.ndarray:
    """Nats per frame of each voice in search order over whole pieces, ``float64[4]``.

    Every frame counts, the first included; there is no end token.

    Raises:
        InputError: there are no pieces.
    """
    if not examples:
        raise InputError("there are no pieces to score: pass at least one example")
    whole = read_whole(examples)
    total = np.zeros(4)
    frames = len(whole.piece)
    for slot in range(4):
        data = _slot(whole, slot, model.holds)
        for start in range(0, frames, CHUNK):
            some = data.part(np.arange(start, min(start + CHUNK, frames)))
            log_p = _mixed(model, slot, some)
            total[slot] -= np.asarray(log_p)[np.arange(len(some.token)), some.token].sum()
    return total / frames


def markov_rows(model: MarkovModel, example: Example) -> np.ndarray:
    """``float32[time, 4, P]`` every row of a piece, slots in search order."""
    whole = read_whole([example])
    slots = [_mixed(model, slot, _slot(whole, slot, model.holds)) for slot in range(4)]
    return np.stack([np.asarray(rows) for rows in slots], 1)


def _mixed(model: MarkovModel, slot: int, data: _Slot) -> jax.Array:
    rows, known = _rows(model.tables[slot], data, model.holds)
    return combine(model.weights[slot], jnp.asarray(rows), jnp.asarray(known))


def markov_proposal(model: MarkovModel) -> Proposal:
    """The chains behind the proposal contract."""
    widths = [table.width for table in model.tables]
    params = jax.tree.map(jnp.asarray, (model.tables, model.weights))

    def init(params: Any, controls: Controls, hypotheses: int) -> MarkovState:
        known = Known(*map(jnp.asarray, known_of(controls)))
        memory = empty_memory(jnp, hypotheses)
        silence = jnp.zeros((hypotheses, 4), jnp.int32)
        return MarkovState(memory, view(jnp, memory, silence, known.at(0, hypotheses)), known)

    def begin_frame(params: Any, state: MarkovState, time: jax.Array, past: Past) -> MarkovState:
        rows = past.parent.shape[0]
        before = Memory(*(column[past.parent] for column in state.memory))
        position = state.known.at(jnp.maximum(time - 1, 0), rows).position
        after = remember(jnp, before, past.sounding, past.age, position)
        memory = jax.tree.map(lambda new, old: jnp.where(time > 0, new, old), after, before)
        seen = view(jnp, memory, past.sounding, state.known.at(time, rows))
        return MarkovState(memory, seen, state.known)

    def log_probs(params: Any, state: MarkovState, slot: int, frame: FrameSoFar) -> jax.Array:
        tables, weights = params
        seen = jax.tree.map(lambda column: column[frame.row], state.seen)
        chosen = Chosen(frame.token, frame.sounding)
        found = features(jnp, seen, chosen, slot, model.holds)
        named = anchors(jnp, seen, chosen, slot)
        rows, known = chain_rows_in_jax(
            tables[slot],
            widths[slot],
            hashes_in_jax(found, slot),
            level_exists(slot),
            jnp.stack([named[viewpoint.anchor] for viewpoint in VIEWPOINTS[slot]], 1),
            model.holds,
        )
        return combine(weights[slot], rows, known)

    return Proposal(params, init, begin_frame, log_probs)


def save_markov(path: Path, model: MarkovModel, metadata: dict[str, str]) -> None:
    """Write the model as safetensors; counts stop at 65,535."""
    weights = {f"{slot}.weights": weight for slot, weight in enumerate(model.weights)}
    save_tables(path, model.tables, weights, metadata | {"holds": str(int(model.holds))})


def load_markov(path: Path) -> tuple[MarkovModel, dict[str, str]]:
    """A model and its metadata.

    Raises:
        CorpusError: no such file, or it holds no such model.
    """
    tables, others, metadata = load_tables(path)
    names = [f"{slot}.weights" for slot in range(4)]
    if not set(names) <= set(others):
        raise CorpusError(f"{path} holds no Markov chains; fit some with 'clausula train'")
    weights = tuple(others[name] for name in names)
    return MarkovModel(tables, weights, metadata["holds"] == "1"), metadata
