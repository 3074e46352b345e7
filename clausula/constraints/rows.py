"""The different rows of a table of numbers, which is what minimising spends its time on."""

from __future__ import annotations

import numpy as np


def distinct_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What ``np.unique`` of the rows is, with its inverse, and many times faster.

    Equal columns are compared once, and as many columns as fit are compared as one number.

    Args:
        rows: int ``[row, column]``, -1 or more, at least one column.

    Returns:
        The distinct rows in lexicographic order, and int ``[row]`` which of them each row is.
    """
    if not len(rows):
        return rows, np.zeros(0, int)
    # A column that equals an earlier one never decides an order.
    columns = list({column.tobytes(): column for column in np.ascontiguousarray(rows.T)}.values())
    bits = int(rows.max() + 1).bit_length()
    together = max(1, 62 // max(1, bits))
    keys = []
    for start in range(0, len(columns), together):
        key = np.zeros(len(rows), np.int64)
        for column in columns[start : start + together]:
            key = key << bits | (column + 1)
        keys.append(key)
    order = np.lexsort(keys[::-1])  # its last key is the first to decide
    new = np.zeros(len(rows), bool)
    for key in keys:
        new[1:] |= np.diff(key[order]) != 0
    class_of = np.empty(len(rows), int)
    class_of[order] = np.cumsum(new)
    new[0] = True
    return rows[order[new]], class_of
