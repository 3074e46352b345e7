"""The benchmark of maximising, sampling and ranking: which hypothesis each way chooses."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import taste
from openings import real_openings
from taste import KEYS, METER, Hypothesis, by_way, chosen, page, plan_of, searches
from written_notes import notes_of

from clausula.checker.report import Report
from clausula.pitch import Mode
from clausula.verifying import Verification

PLAN = plan_of(0, 8)
REAL = [grid for _, grid in real_openings(8, METER)]


def hypothesis(beam, score, taste_score, grid=REAL[0]):
    return Hypothesis(beam, score, 1.0, taste_score, grid)


@pytest.fixture
def judged(monkeypatch):
    """Pieces of which the grid is in this list fail verification."""
    faulty = []

    def verify(score, plan, ruleset):
        holds = not any(score is grid for grid in faulty)
        report = Report("", PLAN.key, "given", 1.0, (), "none", ())
        return [Verification("PAC@8", holds)], report

    monkeypatch.setattr(taste, "verify", verify)
    monkeypatch.setattr(taste, "notated", lambda grid, plan, title: grid)
    return faulty


FOUND = [
    hypothesis(0, 1.0, 5.0, REAL[0]),
    hypothesis(0, 3.0, 4.0, REAL[1]),
    hypothesis(0, 2.0, 2.0, REAL[2]),
    hypothesis(3, 9.0, 1.0, REAL[3]),
]


def way(name):
    (found,) = (s.ways[name] for s in searches(8).values() if name in s.ways)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("maximising", 4.0),
        ("sampling", 4.0),
        ("ranking one beam", 2.0),
        ("ranking four beams", 1.0),
    ],
)
def test_each_way_chooses_by_its_own_order(judged, name, expected):
    found = chosen(FOUND, way(name), PLAN)
    assert (found["taste"], found["turned_down"]) == (expected, 0)


def test_what_is_turned_down_the_next_one_replaces(judged):
    judged.append(REAL[1])
    found = chosen(FOUND, way("sampling"), PLAN)
    assert (found["taste"], found["turned_down"]) == (2.0, 1)
    judged += REAL[:3]
    assert chosen(FOUND, way("sampling"), PLAN) == {"turned_down": 3}


def test_searches_differ_in_what_they_are_named_for():
    found = searches(8)
    assert (found["greedy"].config.beam, found["greedy"].config.maximise) == (1, True)
    assert (found["maximising"].config.beam, found["maximising"].config.maximise) == (8, True)
    assert found["uncut"].config.tail == 0
    assert not found["sampled"].config.maximise


def test_half_of_the_plans_are_minor_and_all_have_a_return():
    plans = [plan_of(number, 8) for number in range(len(KEYS))]
    assert sum(plan.key.mode is Mode.MINOR for plan in plans) == len(KEYS) / 2
    assert {(plan.key.mode, str(plan.phrases[1])) for plan in plans} == {
        (mode, letter) for mode in Mode for letter in ("A", "A'")
    }
    assert all(plan.repeats for plan in plans)


def test_the_page_has_a_column_a_way_and_counts_what_is_missing():
    sung = [grid for grid in REAL if (grid.pitch >= 0).all()]
    rows = []
    for plan in range(4):
        piece = {"nats": 1.2 + plan, "taste": 3.0, "turned_down": 0, "notes": notes_of(sung[plan])}
        rows.append({"plan": plan, "seed": 0, "ways": {"greedy": piece, "sampling": piece}})
    rows.append({"plan": 4, "seed": 0, "ways": {"greedy": {"turned_down": 8}}})
    groups, lacking = by_way(rows, 8)
    assert [len(pieces) for pieces in groups.values()] == [4, 4]
    assert lacking == {"greedy": 1}
    np.testing.assert_array_equal(groups["sampling"][2][1].pitch, sung[2].pitch)
    text = page(rows, 8, "--seeds 1")
    assert "| statistic | greedy | sampling | corpus |" in text
    assert "| nats per frame | 2.700" in text
    assert "Without a piece that verification accepts: greedy 1." in text
