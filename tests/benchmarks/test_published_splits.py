"""The published split, as a list of pieces."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from published_splits import OUT, described, opening, soprano_hash, tune_disjoint

from clausula.corpus import load_chorales


def test_a_piece_is_found_among_the_chorales_at_any_pitch():
    corpus = load_chorales()
    known = corpus.grids[corpus.index("bwv269")].pitch
    rng = np.random.default_rng(0)
    foreign = rng.integers(40, 80, known.shape)
    found = described({"train": [foreign], "valid": [known], "test": [known + 3, foreign + 1]})
    assert [piece["name"] for piece in found["splits"]["train"]] == [None]
    assert [piece["name"] for piece in found["splits"]["valid"]] == ["bwv269"]
    assert [piece["name"] for piece in found["splits"]["test"]] == ["bwv269", None]
    assert found["tune_disjoint_test"] == []
    assert found["splits"]["test"][0]["soprano"] == soprano_hash(known + 3)


def test_openings_leave_out_repeats_silence_and_pitch():
    def piece(*pitches):
        return np.array([[p, 50, 45, 40] for p in pitches])

    tune = piece(-1, 60, 60, 62, 64, 64, 65, 67, 69, 71, 72, 60)
    same = piece(62, 64, 66, 66, 67, 69, -1, 71, 73, 74, 50)
    other = piece(60, 62, 64, 65, 67, 69, 71, 73)
    assert opening(tune) == opening(same) == (2, 2, 1, 2, 2, 2, 1)
    assert tune_disjoint({"train": [tune], "valid": [], "test": [same, other]}) == [1]


def test_the_recorded_lists_are_the_published_split():
    recorded = json.loads(OUT.read_text())
    sizes = {name: len(pieces) for name, pieces in recorded["splits"].items()}
    assert sizes == {"train": 229, "valid": 76, "test": 77}
    named = [p["name"] for pieces in recorded["splits"].values() for p in pieces if p["name"]]
    assert len(named) > 330
    assert set(named) <= set(load_chorales().names)
    chosen = recorded["tune_disjoint_test"]
    assert len(chosen) == len(set(chosen)) == 40
    hashes = {p["soprano"] for split in ("train", "valid") for p in recorded["splits"][split]}
    assert not any(recorded["splits"]["test"][i]["soprano"] in hashes for i in chosen)
