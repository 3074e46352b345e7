"""Networks and Markov chains asked together on the published split.

The exponents of the pool are fitted on the validation split, which chooses the networks' weights
too; the test splits are reported from the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from clausula.neural.experts import fit_exponents, pooled_nats_by_voice
from clausula.neural.features import Example

RowsOf = Callable[[Sequence[Example]], list[np.ndarray]]


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


def remembered(rows_of: RowsOf) -> RowsOf:
    """The same, piece by piece no more than once."""
    known: dict[int, tuple[Example, np.ndarray]] = {}

    def rows(examples: Sequence[Example]) -> list[np.ndarray]:
        new = [e for e in examples if id(e) not in known]
        for example, of_piece in zip(new, rows_of(new), strict=True):
            known[id(example)] = (example, of_piece)
        return [known[id(e)][1] for e in examples]

    return rows
