"""EM: the counts are the gradient of log Z, the likelihood climbs, training is reproducible."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clausula.engine import em
from clausula.engine import hmm as hidden
from clausula.engine.hmm import HMM, N_CLASSES, N_NOTE
from clausula.errors import InputError
from clausula.grid import REST, Grid, Meter
from clausula.pitch import Key

HARDLY_SMOOTHED = em.Smoothing(transition=1e-4, pooled=1e-4, note=1e-4, hold=1e-4, initial=1e-4)


def walk(seed, frames=24, mode="major"):
    """Four voices that move by step or hold, a fermata at the end of every measure."""
    rng = np.random.default_rng(seed)
    moves = rng.integers(-2, 3, (frames, 4)) * (rng.random((frames, 4)) < 0.4)
    pitch = np.clip(np.array([72, 65, 58, 48]) + np.cumsum(moves, axis=0), 40, 80)
    pitch[rng.random(frames) < 0.05, 2] = REST
    onset = np.ones_like(pitch, bool)
    onset[1:] = pitch[1:] != pitch[:-1]
    onset &= pitch != REST
    key = Key.parse("C", mode)
    phrase_end = np.arange(frames) % 16 >= 12
    step = np.where(pitch == REST, 0, key.spell(pitch))
    return Grid(pitch, step, onset, phrase_end, Meter(4, 4), key)


def random_hmm(seed, states):
    rng = np.random.default_rng(seed)
    return HMM(
        hidden.with_floor(rng.dirichlet(np.ones(states), 2)),
        hidden.with_floor(rng.dirichlet(np.ones(states), (N_CLASSES, states))),
        hidden.hold_with_floor(rng.random((N_CLASSES, 4, states))),
        hidden.with_floor(rng.dirichlet(np.ones(N_NOTE), (4, states))),
    )


def log_z(logs, grids):
    """The forward pass in plain log space, as a function of the log parameters."""
    total = 0.0
    for grid in grids:
        tokens, classes = hidden.relative_tokens(grid), hidden.classes_of(grid)
        classes, voices, columns = classes[:, None], np.arange(4), np.maximum(tokens - 1, 0)
        moves = logs["move"][classes, voices] + logs["note"][voices, :, columns]
        holds = logs["hold"][classes, voices]
        emission = jnp.where(tokens[..., None] == 1, holds, moves).sum(axis=1)
        alpha = logs["initial"][hidden.MODES.index(grid.key.mode)] + emission[0]
        for t in range(1, len(grid)):
            step = alpha[:, None] + logs["transition"][classes[t, 0]]
            alpha = jax.scipy.special.logsumexp(step, axis=0) + emission[t]
        total += jax.scipy.special.logsumexp(alpha)
    return total


def test_expected_counts_are_the_gradient_of_log_z():
    model = random_hmm(0, states=3)
    grids = [walk(1, 5), walk(2, 3, "minor"), walk(3, 5)]
    logs = {name: jnp.log(value) for name, value in model._asdict().items()}
    logs["move"] = jnp.log1p(-model.hold)
    value, gradient = jax.value_and_grad(log_z)(logs, grids)
    counts = em.expected_counts(model, hidden.pack(grids))
    assert counts.log_likelihood == pytest.approx(float(value), rel=1e-5)
    assert counts.frames == 13
    for name, expected in gradient.items():
        np.testing.assert_allclose(getattr(counts, name), expected, rtol=1e-3, atol=1e-5)


def test_counts_add_up():
    model = random_hmm(1, states=4)
    grids = [walk(seed, 20) for seed in range(3)]
    counts = em.expected_counts(model, hidden.pack(grids))
    assert counts.initial.sum() == pytest.approx(3, rel=1e-4)
    assert counts.transition.sum() == pytest.approx(57, rel=1e-4)
    assert (counts.hold + counts.move).sum() == pytest.approx(4 * 60, rel=1e-4)
    assert counts.note.sum() == pytest.approx(counts.move.sum(), rel=1e-4)


def test_each_iteration_is_more_likely_than_the_last():
    grids = [walk(seed, 48) for seed in range(6)]
    model = random_hmm(2, states=5)
    likelihoods = []
    for _ in range(12):
        counts = em.expected_counts(model, hidden.pack(grids))
        likelihoods.append(counts.log_likelihood)
        model = em.maximise(counts, HARDLY_SMOOTHED)
    # Floor and smoothing move the M-step a little away from its maximum.
    assert (np.diff(likelihoods) > -0.05).all()
    assert likelihoods[-1] > likelihoods[0] + 100


def test_training_is_a_function_of_its_arguments(monkeypatch):
    grids = [walk(seed) for seed in range(5)]
    steps = []
    first = em.train_hmm(grids, states=6, seed=1, iterations=4, on_step=steps.append)
    again = em.train_hmm(grids, states=6, seed=1, iterations=4)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    other = em.train_hmm(grids, states=6, seed=2, iterations=4)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))
    assert [step.iteration for step in steps] == [0, 1, 2, 3]
    assert steps[-1].nats_per_frame < steps[0].nats_per_frame
    monkeypatch.setattr(em, "CHUNK_FRAMES", 30)
    chunked = em.train_hmm(grids, states=6, seed=1, iterations=4)
    for a, b in zip(first, chunked, strict=True):
        np.testing.assert_allclose(a, b, rtol=0.02, atol=1e-4)


def test_a_weight_counts_a_piece_more_or_less_often(monkeypatch):
    grids = [walk(seed) for seed in range(4)]
    # Whole repetitions and weights are the same likelihood; chunks of one weight each add up.
    twice = em.train_hmm([*grids, *grids[2:]], states=5, seed=1, iterations=3)
    by_weight = em.train_hmm(grids, states=5, seed=1, iterations=3, weights=[1, 1, 2, 2])
    for a, b in zip(twice, by_weight, strict=True):
        np.testing.assert_allclose(a, b, rtol=0.02, atol=1e-4)
    monkeypatch.setattr(em, "CHUNK_FRAMES", 40)
    chunked = em.train_hmm(grids, states=5, seed=1, iterations=3, weights=[1, 1, 2, 2])
    for a, b in zip(by_weight, chunked, strict=True):
        np.testing.assert_allclose(a, b, rtol=0.02, atol=1e-4)
    plain = em.train_hmm(grids, states=5, seed=1, iterations=3)
    light = em.train_hmm(grids, states=5, seed=1, iterations=3, weights=[1, 1, 1e-3, 1e-3])
    own, other = grids[:2], grids[2:]
    assert hidden.nats_per_frame(light, own) < hidden.nats_per_frame(plain, own)
    assert hidden.nats_per_frame(light, other) > hidden.nats_per_frame(plain, other)


def test_more_states_than_verticalities():
    model = em.train_hmm([walk(0, 5)], states=16, seed=0, iterations=2)
    assert model.states == 16
    assert np.isfinite(hidden.nats_per_frame(model, [walk(1, 8)]))


def test_clusters_follow_what_sounds():
    grid = walk(4, 32)
    (labels,) = em.sounding_clusters([grid], states=200, seed=0)
    _, kinds = np.unique(grid.pitch, axis=0, return_inverse=True)
    assert len(set(zip(kinds.ravel(), labels, strict=True))) == len(set(kinds.ravel()))


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        em.train_hmm([walk(0)], states=0)
    with pytest.raises(InputError, match="no music"):
        em.train_hmm([], states=2)
    for weights in ([1.0], [1.0, 0.0]):
        with pytest.raises(InputError, match="above 0"):
            em.train_hmm([walk(0), walk(1)], states=2, weights=weights)
