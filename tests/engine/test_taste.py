"""The taste score: its terms, its weights, and what it says of dull and of real pieces."""

from dataclasses import replace

import numpy as np
import pytest

from clausula.corpus import held_out, load_chorales
from clausula.engine.taste import (
    DISTINCT,
    FEATURES,
    WEIGHTS,
    difference,
    features,
    parse_taste,
    reference,
    taste,
    taste_parts,
    taste_report,
    taste_terms,
    taste_weights,
)
from clausula.errors import InputError

NATS = reference()["nats"].mean


@pytest.fixture(scope="module")
def real():
    corpus = load_chorales()
    return [corpus.grids[i] for i in held_out(corpus)]


def held(grid, frames=64):
    """The same with each chord held four measures long."""
    first = np.arange(len(grid)) // frames * frames
    return replace(
        grid,
        pitch=grid.pitch[first],
        step=grid.step[first],
        onset=np.broadcast_to((first == np.arange(len(grid)))[:, None], grid.onset.shape),
    )


def test_the_recorded_means_are_those_of_the_held_out_pieces(real):
    rows = [features(grid) for grid in real]
    for name in FEATURES:
        values = [row[name] for row in rows]
        assert reference()[name].mean == pytest.approx(np.mean(values), abs=1e-5)
        assert reference()[name].deviation == pytest.approx(np.std(values), abs=1e-5)
    assert list(reference()) == [*FEATURES, "nats"]


def test_terms_are_named_and_weighted(real):
    terms = taste_terms(real[0], NATS, 0.0)
    assert list(terms) == list(WEIGHTS)
    assert terms["nats"] == 0
    assert terms["cost"] == 0


def test_a_held_piece_is_farther_from_real_ones_than_any_of_them(real):
    scores = [taste(taste_terms(grid, NATS, 0.0)) for grid in real]
    dull = [taste(taste_terms(held(grid), NATS, 0.0)) for grid in real]
    assert min(dull) > max(scores)


def test_what_is_too_likely_is_as_far_as_what_is_too_unlikely(real):
    far = 2 * reference()["nats"].deviation
    one, other = (taste_terms(real[0], NATS + by, 0.0) for by in (-far, far))
    assert taste(one) == pytest.approx(taste(other))
    assert taste_parts(one)["nats"] == pytest.approx(4)


def test_a_cost_counts_as_it_is_by_the_measure(real):
    frames = real[0].frames_per_measure
    dear = taste_terms(real[0], NATS, 2 / frames)
    assert taste(dear) - taste(taste_terms(real[0], NATS, 0.0)) == pytest.approx(2)


def test_the_report_adds_up(real):
    weights = taste_weights(parse_taste("nats=3, still=0"))
    report = taste_report(taste_terms(real[1], NATS + 0.1, 0.01), weights)
    assert report["terms"]["nats"]["weight"] == 3
    assert report["terms"]["still"]["adds"] == 0
    adds = sum(term["adds"] for term in report["terms"].values())
    assert report["score"] == pytest.approx(adds, abs=1e-3)


def test_weights_that_are_not_asked_for_stay():
    assert taste_weights(None) == WEIGHTS
    assert taste_weights({"nats": 5}) == WEIGHTS | {"nats": 5}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"stil": 1}, "no term 'stil'; try still"),
        ({"nats": "much"}, "taste nats='much'; try a number"),
        ({"nats": float("inf")}, "taste nats=inf"),
        (dict.fromkeys(WEIGHTS, 0), "every weight of taste is 0"),
    ],
)
def test_weights_that_rank_nothing_are_refused(asked, words):
    with pytest.raises(InputError, match=words):
        taste_weights(asked)


def test_difference_is_the_share_of_what_sounds_otherwise(real):
    grid = real[0]
    changed = grid.pitch.copy()
    changed[: len(grid) // 2, 0] += 1
    assert difference(grid, grid) == 0
    other = replace(grid, pitch=changed)
    assert difference(grid, other) == pytest.approx(0.125, abs=0.01)
    assert difference(grid, other) < DISTINCT
