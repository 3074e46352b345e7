"""Bootstrap intervals: what they cover, and pairs."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from bootstrap import mean, mean_over_pairs


def test_a_mean_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(50):
        found = mean([rng.normal(2.0, 1.0, 20), rng.normal(6.0, 3.0, 20)])
        hits += found.low <= 4.0 <= found.high
    assert hits >= 41


def test_the_interval_is_as_wide_as_the_formula_says():
    values = np.random.default_rng(0).normal(0, 1, 400)
    found = mean([values])
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_groups_are_drawn_within_themselves():
    found = mean([[0.0] * 5, [10.0] * 5])
    assert found == (5, 5, 5)


def test_pairs_leave_out_a_piece_with_itself():
    table = np.full((4, 4), 3.0)
    np.fill_diagonal(table, 100.0)
    assert mean_over_pairs([table]) == (3, 3, 3)
    assert mean_over_pairs([table, np.full((2, 2), 1.0)]).value == (12 * 3 + 2) / 14


def test_nothing_to_draw_is_nan():
    assert np.isnan(mean([[]]).value)
    assert np.isnan(mean_over_pairs([np.zeros((1, 1))]).value)
