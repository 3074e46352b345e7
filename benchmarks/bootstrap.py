"""Bootstrap intervals of means over pieces, and of means over pairs of pieces.

Pieces come in groups (plans). Plans are chosen, seeds are drawn: so pieces are drawn again within
each group, and an interval speaks of other seeds for the same plans, not of other plans.
Source: B. Efron, R. Tibshirani, *An Introduction to the Bootstrap*, 1993, ch. 13 (percentiles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

DRAWS = 1000
LEVEL = 0.95


class Interval(NamedTuple):
    """A mean and the percentile interval of its bootstrap; NaN where there is nothing to draw."""

    value: float
    low: float
    high: float


Statistic = Callable[[Sequence[np.ndarray]], float]  # of the indices drawn in each group


def mean(groups: Sequence[Sequence[float]]) -> Interval:
    """The mean over all pieces.

    Args:
        groups: one value a piece, by plan.
    """
    values = [np.asarray(group, float) for group in groups if len(group)]

    def of(drawn: Sequence[np.ndarray]) -> float:
        return float(np.concatenate([v[i] for v, i in zip(values, drawn, strict=True)]).mean())

    return _interval([len(v) for v in values], of)


def mean_over_pairs(groups: Sequence[np.ndarray]) -> Interval:
    """The mean over all pairs of two pieces of one plan.

    Args:
        groups: symmetric ``[piece, piece]`` values of the pairs, by plan; the diagonal is not read.
            A piece that is drawn twice makes no pair with itself.
    """
    values = [group for group in groups if len(group) > 1]

    def of(drawn: Sequence[np.ndarray]) -> float:
        pairs = [v[np.ix_(i, i)][i[:, None] != i] for v, i in zip(values, drawn, strict=True)]
        together = np.concatenate(pairs)
        return float(together.mean()) if len(together) else np.nan

    return _interval([len(v) for v in values], of)


def _interval(sizes: Sequence[int], statistic: Statistic) -> Interval:
    if not sizes:
        return Interval(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(0)
    value = statistic([np.arange(size) for size in sizes])
    draws = [statistic([rng.integers(size, size=size) for size in sizes]) for _ in range(DRAWS)]
    outside = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(draws, (outside, 100 - outside))
    return Interval(value, float(low), float(high))
