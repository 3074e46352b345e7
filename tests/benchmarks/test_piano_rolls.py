"""The piano-roll benchmark: a likelihood of all 88 keys, training, weights that come back."""

import json
import sys
from itertools import product
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.io import savemat

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from piano_roll_data import KEYS, KeyRange, crop, load_rolls, random_crops
from piano_roll_training import RollTraining, falling_rate, first_frames, fit, nats_per_frame
from piano_roll_weights import load_roll_weights

from clausula.errors import CorpusError, InputError
from clausula.neural.biaxial import BiaxialConfig, PianoRollBiaxial


def drawn_rolls(count: int, seed: int = 0) -> list[np.ndarray]:
    """Short pieces on keys 30 … 33."""
    rng = np.random.default_rng(seed)
    rolls = []
    for _ in range(count):
        roll = np.zeros((int(rng.integers(3, 9)), KEYS), np.uint8)
        roll[:, 30:34] = rng.random((len(roll), 4)) < 0.4
        rolls.append(roll)
    rolls[0][0, [30, 33]] = 1
    return rolls


def write_mat(folder: Path, **splits: list[np.ndarray]) -> None:
    arrays = {}
    for split, rolls in splits.items():
        cell = np.empty((1, len(rolls)), object)
        cell[0, :] = rolls
        arrays[f"{split}data"] = cell
    savemat(folder / "JSB_Chorales.mat", arrays)


@pytest.fixture(scope="module")
def network():
    config = BiaxialConfig(notes=4, along_time=(6,), along_notes=(5,), dropout=0.0)
    model = nnx.eval_shape(lambda: PianoRollBiaxial(config, nnx.Rngs(0)))
    rng = np.random.default_rng(0)
    for _, param in nnx.to_flat_state(nnx.state(model, nnx.Param)):
        param.set_value(jnp.asarray(rng.normal(0, 0.5, param.shape), jnp.float32))
    return model


def test_all_chords_of_the_modelled_keys_share_what_the_others_leave(network):
    keys = KeyRange(first=30, count=4, outside=1e-3)
    total = 0.0
    for chord in product((0, 1), repeat=4):
        roll = np.zeros((1, KEYS), np.uint8)
        roll[0, 30:34] = chord
        total += np.exp(-nats_per_frame(network, [roll], keys))
    assert total == pytest.approx((1 - 1e-3) ** 84, rel=1e-5)


def test_long_pieces_are_read_in_parts_without_a_seam(network):
    keys = KeyRange(first=30, count=4, outside=1e-3)
    rng = np.random.default_rng(1)
    roll = np.zeros((70, KEYS), np.uint8)
    roll[:, 30:34] = rng.random((70, 4)) < 0.4
    part = crop([keys.inside(roll)], [0], 70)
    log_p, _ = network(part.play, part.last, part.first_step)
    whole = -float(log_p.sum()) + keys.nats_outside(roll)
    assert nats_per_frame(network, [roll], keys) == pytest.approx(whole / 70, rel=1e-5)


def test_key_range_and_what_lies_outside():
    rolls = drawn_rolls(3)
    keys = KeyRange.of(rolls, margin=1)
    assert (keys.first, keys.count) == (29, 6)
    frames = sum(map(len, rolls))
    assert keys.outside == pytest.approx(0.5 / (frames * 82 + 1))
    stray = rolls[0].copy()
    before = keys.nats_outside(stray)
    stray[1, 80] = 1
    odds = keys.outside / (1 - keys.outside)
    assert keys.nats_outside(stray) - before == pytest.approx(-np.log(odds))
    assert KeyRange.of([np.ones((2, KEYS), np.uint8)], margin=3).count == KEYS


def test_crops_are_padded_and_know_the_step_before():
    roll = np.eye(5, 4, dtype=np.uint8)
    part = crop([roll, roll], [0, 3], 4)
    assert part.valid.tolist() == [[True] * 4, [True, True, False, False]]
    assert part.last.tolist() == [[0] * 4, roll[2].tolist()]
    np.testing.assert_array_equal(part.play[1, :2], roll[3:])
    np.testing.assert_array_equal(part.play[1, 2:], 0)
    drawn = random_crops([roll], size=6, length=3, rng=np.random.default_rng(0))
    starts = {int(s) for _ in range(8) for s in next(drawn).first_step}
    assert starts == {0, 1, 2}


def test_the_rate_falls_from_the_peak_to_the_floor():
    config = RollTraining(minutes=2.0, peak=1.0, floor=0.1)
    rates = [float(falling_rate(config, spent)) for spent in (0.0, 1.0, 2.0, 3.0)]
    assert rates == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_validation_is_cut_evenly():
    rolls = [np.zeros((n, KEYS)) for n in (10, 30)]
    assert [len(r) for r in first_frames(rolls, 20)] == [5, 15]
    assert [len(r) for r in first_frames(rolls, 100)] == [10, 30]


def test_trained_weights_come_back(tmp_path):
    write_mat(tmp_path, train=drawn_rolls(4), valid=drawn_rolls(2, 1), test=drawn_rolls(2, 2))
    rolls = load_rolls(tmp_path, "JSB_Chorales")
    assert [r.tolist() for r in rolls.splits["train"]] == [r.tolist() for r in drawn_rolls(4)]
    out = tmp_path / "rolls.safetensors"
    # Less than an update takes: one update and one evaluation.
    config = RollTraining(minutes=1e-6, batch=2, length=4)
    fit(rolls, config, out, {"data": "drawn"})
    row = json.loads(out.with_suffix(".jsonl").read_text())
    model, keys, metadata = load_roll_weights(out)
    assert metadata["data"] == "drawn"
    assert json.loads(metadata["best"]) == row
    assert row["valid"] == pytest.approx(
        nats_per_frame(model, rolls.splits["valid"], keys), abs=0.02
    )


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no file .*Nottingham"):
        load_rolls(tmp_path, "Nottingham")
    narrow = [np.zeros((3, 5), np.uint8), np.zeros((4, 5), np.uint8)]
    write_mat(tmp_path, train=narrow, valid=narrow, test=narrow)
    with pytest.raises(InputError, match="shape"):
        load_rolls(tmp_path, "JSB_Chorales")
    with pytest.raises(CorpusError, match="no weights"):
        load_roll_weights(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(CorpusError, match="holds no weights"):
        load_roll_weights(tmp_path / "bad.safetensors")
