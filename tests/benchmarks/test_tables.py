"""What the benchmarks count, and what they tell the verifier of a plan."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import hard_constraints
import statistics_beside_corpus
from results import append_row, markdown_table, read_rows

import clausula as cl
from clausula.engine.plan import make_plan


def plan_of(**options):
    cadences = options.pop("cadences", None)
    constraints = [cl.parse_constraint(text) for text in options.pop("constraints", ())]
    key, meter = cl.Key.parse(options["key"]), cl.Meter.parse(options["meter"])
    if cadences:
        cadences = [cl.parse_constraint(text) for text in cadences.split(",")]
    return make_plan(
        key=key, meter=meter, measures=16, form=None, cadences=cadences, constraints=constraints
    )


def test_the_verifier_is_told_the_plan():
    told = hard_constraints.asked(plan_of(key="Bb", meter="4/4", cadences="PAC@8.3:V,PAC@16.3"))
    assert told["key"] == "Bb major"
    assert told["phrase_ends"] == [4, 8, 12, 16]
    assert told["cadences"][0] == {"kind": "PAC", "measure": 8, "beat": "3", "key": "F major"}
    assert told["returns"] == [{"source": [1, 2], "at": 5}, {"source": [1, 3], "at": 13}]
    assert told["keys"] == [["0", "Bb major"], ["24", "F major"], ["32", "Bb major"]]


def test_a_plan_that_the_verifier_cannot_judge_is_refused():
    plan = plan_of(key="G", meter="4/4", constraints=["repeat 9-10 @ 11 tonal up 1"])
    with pytest.raises(ValueError, match="at the same pitch"):
        hard_constraints.asked(plan)


def test_summary_counts_pieces():
    good = {"violations": [], "checker_errors": [], "dead_ends": 0, "rejected_before": 1}
    bad = good | {"violations": ["M01 …", "V10 …"], "dead_ends": 3}
    rows = [
        {"plan": "4/4 major", "seconds": 2.0} | good,
        {"plan": "4/4 major", "seconds": 4.0} | bad,
        {"plan": "4/4 major", "gave_up": "…"},
    ]
    first, total = hard_constraints.summary(rows)
    assert first == ["4/4 major", 2, 1, 0, 1, 3, 1, 2, "3.0"]
    assert total[1:] == first[1:]


def test_statistics_off_by_more_than_a_third_are_flagged():
    written = {"same": 1.0, "little": 0.6, "much": 1.4, "never": 0.0, "new": 0.1}
    corpus = {"same": 1.0, "little": 1.0, "much": 1.0, "never": 0.0, "new": 0.0}
    rows = statistics_beside_corpus.compared({"written": written, "corpus": corpus})
    assert [row["statistic"] for row in rows if row["off"]] == ["little", "much", "new"]
    assert [row["ratio"] for row in rows] == [1.0, 0.6, 1.4, None, None]


def test_a_kept_grid_is_the_same(tmp_path):
    pitch = np.full((16, 4), 60)
    onset = np.arange(16)[:, None] % 4 == np.zeros(4, int)
    grid = cl.Grid(
        pitch, pitch - 25, onset, np.arange(16) > 11, cl.Meter(4, 4), cl.Key.parse("f# minor")
    )
    piece = cl.Piece(grid, None, None, {"seconds": 1.5})
    statistics_beside_corpus.keep(piece, tmp_path / "seed-1.npz")
    again, report = statistics_beside_corpus.kept(tmp_path / "seed-1.npz")
    assert report == {"seconds": 1.5}
    assert (again.key, again.meter) == (grid.key, grid.meter)
    for name in statistics_beside_corpus.ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(grid, name))


def test_rows_are_kept_as_they_come(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert read_rows(path) == []
    append_row(path, {"seed": 1})
    append_row(path, {"seed": 2})
    assert read_rows(path) == [{"seed": 1}, {"seed": 2}]


def test_markdown_aligns_numbers():
    assert markdown_table(("a", "b"), [("x", 1)]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
