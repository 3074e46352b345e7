"""The observed chain: what ships is what the corpus counts, read in any key."""

import numpy as np
import pytest

from clausula.corpus import held_out, load_chorales
from clausula.engine import chain
from clausula.engine.hmm import FLOOR, LOWEST_RELATIVE, N_CLASSES, N_NOTE, N_RELATIVE
from clausula.engine.markov import Memory, interpolated, nats_per_frame
from clausula.errors import CorpusError
from clausula.grid import Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, VOICE_LOWEST

COUNTS = chain.load_counts()


def test_what_ships_is_counted_from_the_chorales_that_are_not_held_out():
    np.testing.assert_array_equal(COUNTS, chain.chorale_counts())
    corpus = load_chorales()
    apart = {i for i in held_out(corpus)}
    frames = sum(len(grid) for i, grid in enumerate(corpus.grids) if i not in apart)
    assert COUNTS.sum() == 4 * frames
    assert chain.COUNTS.stat().st_size < 100_000


def test_counts_survive_the_file(tmp_path):
    path = tmp_path / "counts.npz"
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 1000, COUNTS.shape) * (rng.random(COUNTS.shape) < 0.01)
    chain.save_counts(counts, path)
    np.testing.assert_array_equal(chain.load_counts(path), counts)


def test_files_that_are_none(tmp_path):
    with pytest.raises(CorpusError, match="no chain at"):
        chain.load_counts(tmp_path / "none.npz")
    other = tmp_path / "other.npz"
    other.write_bytes(b"music")
    with pytest.raises(CorpusError, match="no chain of clausula"):
        chain.load_counts(other)
    np.savez(other, gaps=np.array([10**9]), counts=np.array([1]))
    with pytest.raises(CorpusError, match="no chain of clausula"):
        chain.load_counts(other)


def test_nats_on_the_held_out_chorales():
    corpus = load_chorales()
    apart = [corpus.grids[i] for i in held_out(corpus)]
    nats = nats_per_frame(interpolated(COUNTS), apart, Memory.NOTE)
    assert nats == pytest.approx(2.681, abs=0.001)


@pytest.mark.parametrize("key", ["C", "F#", "e"])
def test_steps_are_those_of_the_key(key):
    key = Key.parse(key)
    steps = chain.log_steps(COUNTS, key, first_class=3)
    assert steps.shape == (N_CLASSES + 1, 4, N_VOICE, N_VOICE)
    assert (steps > np.log(FLOOR / N_RELATIVE) - 1e-3).all()
    notes = [REST_TOKEN, *range(FIRST_PITCH, N_VOICE)]
    assert (np.exp(steps[:-1, :, notes]).sum(axis=-1) < 1 + 1e-5).all()
    mode = int(key.mode == "minor")
    shift = (key.tonic_pc + 6) % 12 - 6
    chances = interpolated(COUNTS)
    for voice in Voice:
        relative = np.arange(2, N_VOICE) + VOICE_LOWEST[voice] - FIRST_PITCH - shift
        note = relative - LOWEST_RELATIVE + 1
        columns = [*(relative - LOWEST_RELATIVE + FIRST_PITCH)]
        expected = chances[voice, mode, 5][np.ix_(note, columns)]
        found = np.exp(steps[5, voice, FIRST_PITCH:, FIRST_PITCH:])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-8)
        np.testing.assert_allclose(
            np.exp(steps[5, voice, FIRST_PITCH:, HOLD_TOKEN]),
            chances[voice, mode, 5, note, HOLD_TOKEN],
            rtol=1e-4,
        )
        first = np.exp(steps[chain.FIRST_FRAME, voice, REST_TOKEN, FIRST_PITCH:])
        np.testing.assert_allclose(
            first, chances[voice, mode, 3, N_NOTE, columns], rtol=1e-4, atol=2e-8
        )


def test_the_first_frame_is_entered_from_the_beginning():
    assert chain.step_of_frame(np.array([3, 1, 2])).tolist() == [chain.FIRST_FRAME, 1, 2]
