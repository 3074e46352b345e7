"""Figures that a choir answers, and those that it does not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import figured_bass

DATA = Path(__file__).parents[3] / "shared" / "data" / "checker" / "figured_bass"
KERN = """**kern\t**fb\t**kern\t**kern\t**kern\t**kern
*M4/4\t*\t*\t*\t*\t*
=1\t=1\t=1\t=1\t=1\t=1
4C\t.\t4C\t4e\t4g\t4cc
4BB\t6\t4BB\t4d\t4g\t4b
4C\t6 4\t4C\t4e\t4g\t4cc
4F\t7\t4F\t4c\t4a\t4cc
==\t==\t==\t==\t==\t==
*-\t*-\t*-\t*-\t*-\t*-
"""


def test_a_report_counts_what_agrees_and_shows_what_does_not(tmp_path):
    file = tmp_path / "BWV_1_FB.krn"
    file.write_text(KERN)
    text = "\n".join(figured_bass.report([file]))
    assert "| understood | 3 of 3 | 100.0% |" in text
    assert "players read figures (`practice`) | 2 of 3 |" in text
    assert "| BWV_1 | 1, 3 | `6 4` | C5 G4\\* E4\\* C3 C3 |" in text
    assert "no voice sings while it holds | 2 of 3 |" in text


@pytest.mark.skipif(not DATA.is_dir(), reason="the figured chorales are not beside the project")
def test_nearly_all_of_what_bach_sang_over_his_figures_is_accepted():
    found = [
        one
        for file in sorted(DATA.glob("*.krn"))[:6]
        for one in figured_bass.figures_of(figured_bass.cl.read_score(file), file.stem)
    ]
    assert len(found) > 150
    assert sum(one.practice == 0 for one in found) >= 0.95 * len(found)
