"""Networks and Markov chains asked together on the published split.

The exponents of the pool are fitted on the validation split, which chooses the networks' weights
too; the test splits are reported from the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import nnx
from likelihood_views import by_bucket, fits

from clausula.neural.batches import Batch, transposed
from clausula.neural.experts import fit_exponents, pooled_nats_by_voice
from clausula.neural.features import Example
from clausula.vocabulary import FIRST_PITCH

RowsOf = Callable[[Sequence[Example]], list[np.ndarray]]


@nnx.jit
def _rows(model: Any, batch: Batch) -> jax.Array:
    return model.rows(batch)


def mean_rows(
    models: Sequence[nnx.Module], shifts: Sequence[int], examples: Sequence[Example]
) -> list[np.ndarray]:
    """Log of the mean probability of every token over networks and transposed views.

    Args:
        models: networks of one vocabulary.
        shifts: semitones of the views; 0 is among them.
        examples: the pieces.

    Returns:
        One ``float32[time, 4, P]`` a piece, slots in search order.
    """
    totals = [np.full(0, -np.inf)] * len(examples)
    for model in models:
        for shift in shifts:
            inside = [i for i, example in enumerate(examples) if fits(example, shift)]
            moved = [transposed(examples[i], shift) for i in inside]
            for i, rows in zip(inside, by_bucket(_rows, model, moved), strict=True):
                rows = moved_back(rows, shift)
                totals[i] = np.logaddexp(totals[i], rows) if totals[i].size else rows
    log_count = np.log(len(models) * len(shifts))
    return [(total - log_count).astype(np.float32) for total in totals]


def moved_back(rows: np.ndarray, shift: int) -> np.ndarray:
    """Rows of a view at the piece's own pitch; ``-inf`` for what the view cannot say."""
    out = np.full_like(rows, -np.inf)
    out[..., :FIRST_PITCH] = rows[..., :FIRST_PITCH]
    pitches = rows.shape[-1] - FIRST_PITCH
    own = np.arange(max(0, -shift), pitches - max(0, shift))
    out[..., FIRST_PITCH + own] = rows[..., FIRST_PITCH + own + shift]
    return out


class Pool(NamedTuple):
    """Experts and how far each is asked.

    Attributes:
        experts: each one's rows of any pieces.
        exponents: ``float64[4, E]``, slots in search order.
    """

    experts: tuple[RowsOf, ...]
    exponents: np.ndarray

    def nats_by_voice(self, examples: Sequence[Example]) -> np.ndarray:
        """Nats per frame of each voice in search order, ``float64[4]``, over whole pieces."""
        rows = [rows_of(examples) for rows_of in self.experts]
        return pooled_nats_by_voice(self.exponents, rows, examples)


def fitted_pool(experts: Sequence[RowsOf], judges: Sequence[Example]) -> Pool:
    """The pool whose exponents make the judges most likely."""
    return Pool(tuple(experts), fit_exponents([rows_of(judges) for rows_of in experts], judges))
