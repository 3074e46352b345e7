"""Variable elimination: sums over some variables of a product of tables, in log space.

A *factor* is a table over a few variables of 32 values each. Summing a variable out multiplies the
factors that speak of it, which costs 32 to the power of the variables in them. Where these are more
than a limit, the factors are split into groups (mini-buckets): the variable is summed in the first
and maximised in each of the others. As all factors are probabilities, the result is then an upper
bound, zero exactly where each group is; it is said to be inexact.

References: R. Dechter, "Bucket elimination", Artificial Intelligence 113 (1999); R. Dechter and I.
Rish, "Mini-buckets: A general scheme for bounded inference", J. ACM 50 (2003).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np


class Factor(NamedTuple):
    """A table in log space.

    Attributes:
        variables: ascending, one an axis.
        log_table: ``[32, …]``, -inf for zero.
    """

    variables: tuple[int, ...]
    log_table: np.ndarray


class Eliminated(NamedTuple):
    """What is left of a product after variables are summed out.

    Attributes:
        factors: whose product it is.
        exact: false where it is an upper bound.
    """

    factors: list[Factor]
    exact: bool


def factor(variables: Sequence[int], log_table: np.ndarray) -> Factor:
    """A factor over variables in any order; where two axes share one, their diagonal."""
    names = tuple(sorted(set(variables)))
    letters = {variable: chr(ord("a") + i) for i, variable in enumerate(names)}
    axes = "".join(letters[variable] for variable in variables)
    return Factor(names, np.einsum(f"{axes}->{''.join(letters.values())}", log_table))


def multiply(factors: Iterable[Factor]) -> Factor:
    """The product of factors: one over all their variables."""
    return reduce(_times, factors, Factor((), np.zeros(())))


def _times(one: Factor, other: Factor) -> Factor:
    names = tuple(sorted({*one.variables, *other.variables}))
    return Factor(names, _aligned(one, names) + _aligned(other, names))


def _aligned(one: Factor, names: tuple[int, ...]) -> np.ndarray:
    """The table with an axis of length one for every further variable."""
    missing = tuple(axis for axis, name in enumerate(names) if name not in one.variables)
    return np.expand_dims(one.log_table, missing)


def eliminate(factors: Sequence[Factor], hidden: Iterable[int], widest: int) -> Eliminated:
    """Sum variables out of a product.

    Args:
        factors: of which no one has more variables than ``widest``.
        hidden: the variables to sum out; at each step the one whose factors together speak of the
            fewest variables goes first.
        widest: the most variables that may be multiplied out at once.
    """
    left, exact = list(factors), True
    remaining = sorted(set(hidden))
    while remaining:
        variable = min(remaining, key=lambda v: len(_scope(f for f in left if v in f.variables)))
        remaining.remove(variable)
        bucket = [f for f in left if variable in f.variables]
        left = [f for f in left if variable not in f.variables]
        groups = _grouped(bucket, widest)
        exact &= len(groups) <= 1
        for number, group in enumerate(groups):
            left.append(_without(multiply(group), variable, maximise=number > 0))
    return Eliminated(absorbed(left), exact)


def absorbed(factors: Sequence[Factor]) -> list[Factor]:
    """The same product of fewer factors: none's variables are all among another's."""
    kept: list[Factor] = []
    for one in sorted(factors, key=lambda f: len(f.variables), reverse=True):
        for place, other in enumerate(kept):
            if set(one.variables) <= set(other.variables):
                kept[place] = multiply([other, one])
                break
        else:
            kept.append(one)
    return kept


def _scope(factors: Iterable[Factor]) -> set[int]:
    """All variables of some factors."""
    return {variable for f in factors for variable in f.variables}


def _grouped(bucket: Sequence[Factor], widest: int) -> list[list[Factor]]:
    """Factors in groups of at most ``widest`` variables, the wide factors first."""
    groups: list[list[Factor]] = []
    for one in sorted(bucket, key=lambda f: len(f.variables), reverse=True):
        for group in groups:
            if len(_scope([*group, one])) <= widest:
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _without(one: Factor, variable: int, *, maximise: bool) -> Factor:
    """A variable summed out, or maximised."""
    axis = one.variables.index(variable)
    names = one.variables[:axis] + one.variables[axis + 1 :]
    if maximise:
        return Factor(names, one.log_table.max(axis=axis))
    return Factor(names, log_sum(one.log_table, axis))


def log_sum(log_terms: np.ndarray, axis: int) -> np.ndarray:
    """``log(sum(exp(terms)))``, -inf exactly where all terms are."""
    scale = log_terms.max(axis=axis)
    scale = np.where(np.isneginf(scale), 0.0, scale)
    total = np.exp(log_terms - np.expand_dims(scale, axis)).sum(axis=axis)
    with np.errstate(divide="ignore"):
        return np.log(total) + scale


def log_matmul(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``log(exp(left) @ exp(right))``, -inf exactly where all terms are.

    A product of matrices scaled by the largest of each row and column. Where that is too small for
    float64, though not zero, the sum is taken again in log space, relative to its largest term.

    Args:
        left: ``[m, k]``.
        right: ``[k, n]``.
    """
    rows, columns = left.max(axis=1, keepdims=True), right.max(axis=0, keepdims=True)
    rows = np.where(np.isneginf(rows), 0.0, rows)
    columns = np.where(np.isneginf(columns), 0.0, columns)
    total = np.exp(left - rows) @ np.exp(right - columns)
    with np.errstate(divide="ignore"):
        result = np.log(total) + rows + columns
    small = total < _SAFE
    if small.any():
        possible = np.isfinite(left).astype(np.float32) @ np.isfinite(right).astype(np.float32) > 0
        i, j = np.nonzero(small & possible)
        result[i, j] = log_sum(left[i] + right[:, j].T, 1)
    return result


_SAFE = 1e-280  # below, float64 loses digits before it reaches zero
