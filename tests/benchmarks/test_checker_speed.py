"""What the benchmark of the checker's speed measures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import checker_speed
import pytest

import clausula as cl
from clausula.constraints.registry import RULES
from clausula.corpus import load_chorales


def test_every_rule_but_those_of_species_is_judged():
    rules = checker_speed.every_rule()
    codes = {rule.code for rule in rules.judged}
    assert {"M01", "V20", "L09", "T14", "H08", "C05"} <= codes
    assert codes == {code for code in RULES if code[0] in "CHLMTV"}


def test_both_is_analysis_and_rules():
    score = cl.to_score(load_chorales().grids[0])
    analysis, rules, both, whole = checker_speed.stages(score, checker_speed.every_rule())
    assert both.wall == pytest.approx(analysis.wall + rules.wall)
    assert 0 < rules.wall < whole.wall


def test_what_is_no_piece_in_four_parts_is_not_counted(tmp_path):
    letter = tmp_path / "letter.mxl"
    letter.write_text("Dear reader")
    count, cost = checker_speed.corpus([letter], checker_speed.every_rule())
    assert count == 0
    assert cost.wall > 0
