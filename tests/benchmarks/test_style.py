"""The style benchmark: its classifier, its counts and its errors."""

import json
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import style
from distances import distances, numbers
from style_classifier import (
    SHORTEST,
    WINDOW,
    confusion,
    evened,
    fit,
    passages,
    regression,
    windows,
    with_intercept,
)

from clausula.corpus import Piece, load_chorales
from clausula.corpus.archive import corpus_of
from clausula.grid import Grid, Meter
from clausula.neural.proposals import Loaded
from clausula.pitch import Key
from clausula.proposal import Proposal
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, LOWEST, N_GLOBAL

STEPS = {"bach": np.array([0, 2, 4, 5, 7]), "haydn": np.array([0, 4, 7, 11])}


def piece_of(tag: str, seed: int, frames: int = 160) -> Piece:
    """Quarter notes on some degrees of the key, different ones in each style."""
    rng = np.random.default_rng(seed)
    lines = rng.choice(STEPS[tag], (frames // 4, 4)) + np.array([72, 64, 55, 48])
    pitch = np.repeat(lines, 4, axis=0)
    onset = np.broadcast_to((np.arange(frames) % 4 == 0)[:, None], pitch.shape)
    step = np.zeros_like(pitch)
    grid = Grid(pitch, step, onset, np.zeros(frames, bool), Meter(4, 4), Key.parse("C"))
    return Piece(f"{tag}{seed}", grid, "none", "none", style=tag, work=f"{tag}{seed}")


def two_styles(pieces: int = 12):
    return corpus_of([piece_of(tag, seed) for tag in STEPS for seed in range(pieces)])


def test_windows_keep_meter_and_start_with_notes():
    corpus = load_chorales()
    long = max(corpus.grids, key=len)
    found = list(windows(long))
    assert len(found) == len(long) // WINDOW + (len(long) % WINDOW >= SHORTEST)
    for number, window in enumerate(found):
        cut = slice(number * WINDOW, number * WINDOW + len(window))
        np.testing.assert_array_equal(window.position, long.position[cut])
        np.testing.assert_array_equal(window.pitch, long.pitch[cut])
        assert (window.onset[0] == (window.pitch[0] >= 0)).all()
        np.testing.assert_array_equal(window.onset[1:], long.onset[cut][1:])
    short = min(corpus.grids, key=len)
    assert [len(window) for window in windows(short)] == [len(short)]


def test_styles_and_pieces_count_alike():
    weights = evened(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 7]))
    np.testing.assert_allclose(weights, [1 / 8, 1 / 8, 1 / 4, 1 / 2])


def test_regression_stands_where_the_gradient_is_zero():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    weights, penalty = np.full(60, 1 / 60), 0.1
    found = regression(rows, labels, weights, penalty)
    scores = with_intercept(rows) @ found
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    gradient = with_intercept(rows).T @ (shares - np.eye(3)[labels]) / 60
    gradient[:-1] += penalty * found[:-1]
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


def test_styles_that_differ_are_told_apart():
    corpus = two_styles()
    learnt = [i for i, name in enumerate(corpus.names) if not name.endswith(("1", "2"))]
    other = [i for i in range(len(corpus)) if i not in learnt]
    classifier = fit(corpus, learnt)
    found = passages(corpus, other)
    assert classifier.styles == ("bach", "haydn")
    assert classifier.name(found.grids) == list(found.styles)


def test_counts_of_names():
    tags, styles = ("a", "b", "any"), ("a", "b")
    counts = confusion(tags, styles, ["a", "a", "b", "any"], ["a", "b", "b", "a"])
    found = style.Named(tags, styles, counts.tolist())
    assert found.counts == [[1, 1], [0, 1], [1, 0]]
    assert (found.right("a"), found.wrong("a")) == ((1, 2), (1, 2))
    assert found.balanced == 0.75


def test_wilson_at_known_points():
    # Newcombe (1998), table I.
    assert style.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert style.wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_like_music_is_no_farther_than_its_halves():
    real = [piece_of("bach", seed).grid for seed in range(12)]
    same = [piece_of("bach", seed).grid for seed in range(20, 32)]
    other = [piece_of("haydn", seed).grid for seed in range(12)]
    like = {row["histogram"]: row for row in distances(same, real, 0, draws=40)}
    unlike = {row["histogram"]: row for row in distances(other, real, 0, draws=40)}
    assert like["degrees"]["written"][1] == pytest.approx(like["degrees"]["real"][1], rel=0.3)
    assert unlike["degrees"]["farther"] == unlike["chords"]["farther"] == 1
    assert unlike["degrees"]["written"][0] > unlike["degrees"]["real"][2]
    assert like["lengths"]["written"] == [0, 0, 0]


def test_standard_errors_are_of_the_pieces():
    one = piece_of("bach", 0).grid
    assert all(error == 0 for _, error in numbers([one, one]).values())
    assert numbers([one])["onsets"] == (1.0, 0.0)


def obedient(tags=("any", "bach", "haydn")) -> Loaded:
    """A proposal that writes quarter notes on the degrees of the style that it is told."""
    odds = np.full((len(tags), N_GLOBAL), -40.0)
    for number, tag in enumerate(tags):
        degrees = STEPS.get(tag, STEPS["bach"])
        odds[number, (degrees + 60 - LOWEST + FIRST_PITCH)] = 0
    table = jnp.asarray(odds)

    def log_probs(params, state, slot, frame):
        controls, time = state
        hold = jnp.where(jnp.arange(N_GLOBAL) == HOLD_TOKEN, 0.0, -40.0)
        row = jnp.where(controls.position[time] % 4 == 0, table[controls.style[time]], hold)
        return jnp.broadcast_to(row - jnp.logaddexp.reduce(row), (len(frame.row), N_GLOBAL))

    proposal = Proposal(
        jnp.zeros(1),
        lambda params, controls, hypotheses: (controls, jnp.zeros((), jnp.int32)),
        lambda params, state, time, past: (state[0], time),
        log_probs,
    )
    return Loaded("known", proposal, {}, tags)


def run_on(monkeypatch, tmp_path, loaded):
    monkeypatch.setattr(style, "load_proposal", lambda name, weights: loaded)
    monkeypatch.setattr(style, "load_bundled", lambda: two_styles(22))
    out = tmp_path / "style.json"
    return style.main(["--n", "4", "--json", str(out)]), out


def test_the_whole_benchmark_on_a_proposal_that_obeys(monkeypatch, tmp_path, capsys):
    status, out = run_on(monkeypatch, tmp_path, obedient())
    assert status == 0
    result = json.loads(out.read_text())
    assert result["real"]["counts"] == [[2, 0], [0, 2]]
    for phrases in ("known", "unknown"):
        assert result["written"][phrases]["counts"] == [[4, 0], [0, 4], [4, 0]]
        assert result["written"][phrases]["balanced"] == 1
    assert result["sections"] == {}
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "100% of those written with phrase ends known" in out.with_suffix(".md").read_text()
    assert "| bach | 2 of 2" in capsys.readouterr().out


def test_a_proposal_without_tags_is_an_error(monkeypatch, tmp_path, capsys):
    status, out = run_on(monkeypatch, tmp_path, obedient(()))
    assert status == 2
    assert "does not know the styles bach, haydn" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("option", "words"), [("--n=1", "too few"), ("--seed=-1", "negative")])
def test_numbers_out_of_range_are_errors(option, words, capsys):
    assert style.main([option]) == 2
    assert words in capsys.readouterr().err
