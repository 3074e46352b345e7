"""The HMM's alphabet, classes, likelihood and files."""

from itertools import product

import numpy as np
import pytest

from clausula.engine import hmm as hidden
from clausula.engine.hmm import FLOOR, HMM, N_CLASSES, N_NOTE
from clausula.errors import CorpusError, InputError
from clausula.grid import REST, Grid, Meter
from clausula.pitch import Key
from clausula.vocabulary import VOICE_LOWEST


def random_hmm(seed, states=3):
    rng = np.random.default_rng(seed)
    return HMM(
        hidden.with_floor(rng.dirichlet(np.ones(states), 2)),
        hidden.with_floor(rng.dirichlet(np.ones(states), (N_CLASSES, states))),
        hidden.hold_with_floor(rng.random((N_CLASSES, 4, states))),
        hidden.with_floor(rng.dirichlet(np.ones(N_NOTE), (4, states))),
    )


def random_grid(seed, frames, key="D", meter="4/4"):
    """Notes within each voice's thirty, held for random lengths, with some rests and a fermata."""
    rng = np.random.default_rng(seed)
    key = Key.parse(key)
    pitch = np.full((frames, 4), REST)
    onset = np.zeros((frames, 4), bool)
    for voice in range(4):
        for frame in range(frames):
            if frame and pitch[frame - 1, voice] != REST and rng.random() < 0.5:
                pitch[frame, voice] = pitch[frame - 1, voice]
            elif rng.random() < 0.9:
                pitch[frame, voice] = VOICE_LOWEST[voice] + rng.integers(30)
                onset[frame, voice] = True
    step = np.where(pitch == REST, 0, key.spell(pitch))
    phrase_end = np.zeros(frames, bool)
    phrase_end[frames // 2 : frames // 2 + 2] = True
    return Grid(pitch, step, onset, phrase_end, Meter.parse(meter), key, pickup=2)


def enumerated_log_likelihood(model, grid):
    """Sum over every hidden path, one token at a time."""
    tokens, classes = hidden.relative_tokens(grid), hidden.classes_of(grid)
    total = 0.0
    for path in product(range(model.states), repeat=len(grid)):
        p = float(model.initial[hidden.MODES.index(grid.key.mode), path[0]])
        for t, z in enumerate(path):
            if t:
                p *= float(model.transition[classes[t], path[t - 1], z])
            for voice, token in enumerate(tokens[t]):
                hold = float(model.hold[classes[t], voice, z])
                if token == 1:
                    p *= hold
                else:
                    p *= (1 - hold) * float(model.note[voice, z, 0 if token == 0 else token - 1])
        total += p
    return np.log(total)


def test_likelihood_equals_enumeration_whatever_the_packing():
    model = random_hmm(0)
    grids = [random_grid(1, 3), random_grid(2, 6, "e"), random_grid(3, 1, "Ab"), random_grid(4, 6)]
    expected = [enumerated_log_likelihood(model, grid) for grid in grids]
    np.testing.assert_allclose(hidden.log_likelihood(model, grids), expected, rtol=1e-5)
    mean = -sum(expected) / sum(len(grid) for grid in grids)
    assert hidden.nats_per_frame(model, grids) == pytest.approx(mean, rel=1e-5)


def test_alphabet_is_relative_to_the_key():
    grid = random_grid(5, 8, "D")
    up = Grid(
        grid.pitch + (grid.pitch != REST),
        grid.step,
        grid.onset,
        grid.phrase_end,
        grid.meter,
        Key.parse("Eb"),
        grid.pickup,
    )
    np.testing.assert_array_equal(hidden.relative_tokens(grid), hidden.relative_tokens(up))
    for name in ("C", "F#", "Gb", "B", "a", "f#"):
        key = Key.parse(name)
        assert -6 <= hidden.tonic_shift(key) <= 5
        assert (key.tonic_pc - hidden.tonic_shift(key)) % 12 == 0


def test_classes_of_a_measure_in_four_and_in_six_eight():
    phrase_end = np.zeros(16, bool)
    four = hidden.frame_classes(Meter(4, 4), np.arange(16), phrase_end)
    assert four.tolist() == [0, 3, 2, 3] + [1, 3, 2, 3] * 3
    six = hidden.frame_classes(Meter(6, 8), np.arange(12), phrase_end[:12])
    assert six.tolist() == [0, 3, 2, 3, 2, 3, 1, 3, 2, 3, 2, 3]
    fine = hidden.frame_classes(Meter(2, 4), np.arange(16), phrase_end, frames_per_quarter=8)
    assert fine.tolist() == [0, 3, 3, 3, 2, 3, 3, 3, 1, 3, 3, 3, 2, 3, 3, 3]


def test_classes_around_a_fermata():
    phrase_end = np.isin(np.arange(24), range(4, 12))
    classes = hidden.frame_classes(Meter(2, 4), np.arange(24) % 8, phrase_end)
    assert classes.tolist() == [
        *(0, 3, 2, 3, 5, 7, 7, 7),
        *(6, 7, 7, 7, 9, 3, 2, 3),
        *(0, 3, 2, 3, 1, 3, 2, 3),
    ]
    downbeats = hidden.frame_classes(Meter(2, 4), np.arange(16) % 8, np.arange(16) < 8)
    assert downbeats[[0, 8]].tolist() == [4, 8]


def test_emissions_in_voice_tokens_agree_with_those_in_relative_tokens():
    model = random_hmm(6)
    grid = random_grid(7, 12, "Bb")
    table = hidden.log_emission(model, grid.key)
    assert (np.exp(table).sum(axis=-1) <= 1 + 1e-5).all()
    sequences = hidden.pack([grid])
    likelihood, scale = hidden.frame_likelihood(model, sequences)
    lowest = np.array(VOICE_LOWEST)
    tokens = np.where(grid.onset, grid.pitch - lowest + 2, 1)
    tokens = np.where(grid.pitch == REST, 0, tokens)
    classes = hidden.classes_of(grid)
    expected = sum(table[classes, voice, :, tokens[:, voice]] for voice in range(4))
    np.testing.assert_allclose(np.log(likelihood) + scale[:, None], expected, rtol=1e-4)


def test_whole_alphabet_sums_to_one():
    model = random_hmm(8)
    move = 1 - model.hold[..., None]
    np.testing.assert_allclose(model.hold + (move * model.note).sum(axis=-1), 1, atol=1e-5)
    for distribution in (model.initial, model.transition, model.note):
        np.testing.assert_allclose(distribution.sum(axis=-1), 1, atol=1e-5)


def test_floor_is_kept_by_the_least_likely():
    certain = hidden.with_floor(np.eye(4))
    assert certain.min() >= 0.999 * FLOOR / 4
    np.testing.assert_allclose(certain.sum(axis=-1), 1, atol=1e-6)
    assert hidden.hold_with_floor(np.array([0.0, 1.0])).tolist() == [
        pytest.approx(FLOOR),
        pytest.approx(1 - FLOOR),
    ]


def test_saved_and_loaded_is_normalised_and_nearly_the_same(tmp_path):
    model = random_hmm(9)
    path = tmp_path / "hmm.safetensors"
    hidden.save(model, path, {"states": 3, "seed": 9})
    loaded, metadata = hidden.load(path)
    assert metadata == {"states": 3, "seed": 9}
    for before, after in zip(model, loaded, strict=True):
        assert after.dtype == np.float32
        np.testing.assert_allclose(after, before, rtol=0.02, atol=2e-6)
    np.testing.assert_allclose(loaded.transition.sum(axis=-1), 1, atol=1e-5)


def test_the_model_in_the_package_is_whole():
    model, metadata = hidden.load()
    assert metadata["states"] == model.states >= 512
    for distribution in (model.initial, model.transition, model.note):
        assert distribution.min() >= 0.999 * FLOOR / distribution.shape[-1]
        np.testing.assert_allclose(distribution.sum(axis=-1), 1, atol=1e-4)
    assert 0 < model.hold.min() <= model.hold.max() < 1


def test_files_that_are_no_model(tmp_path):
    with pytest.raises(CorpusError, match="no HMM at"):
        hidden.load(tmp_path / "none.safetensors")
    text = tmp_path / "text.safetensors"
    text.write_text("not weights")
    with pytest.raises(CorpusError, match="no HMM of clausula"):
        hidden.load(text)
    model = random_hmm(10)
    other = model._replace(hold=model.hold[:4], transition=model.transition[:4])
    path = tmp_path / "other.safetensors"
    hidden.save(other, path, {})
    with pytest.raises(CorpusError, match="other classes"):
        hidden.load(path)


def test_music_outside_the_alphabet():
    grid = random_grid(11, 4)
    low = Grid(grid.pitch - 40, grid.step, grid.onset, grid.phrase_end, grid.meter, grid.key)
    with pytest.raises(InputError, match="no pitch of a choir"):
        hidden.relative_tokens(low)
    with pytest.raises(InputError, match="no music to read"):
        hidden.pack([])
