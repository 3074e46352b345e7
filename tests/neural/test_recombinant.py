"""Recombination: it quotes what it has filed, backs off, and steps as it reads whole."""

import numpy as np
import pytest
from scoring_cases import assert_rows_are_distributions, examples_of_openings

from clausula.errors import CorpusError, InputError
from clausula.grid import Meter
from clausula.neural.batches import transposed
from clausula.neural.features import METERS, Example, ages_of, controls_of
from clausula.neural.markov_proposal import load_markov
from clausula.neural.recombinant import (
    BEAT_FRAMES,
    fit_recombinant,
    load_recombinant,
    recombinant_nats_by_voice,
    recombinant_proposal,
    save_recombinant,
)
from clausula.neural.scoring import nats_by_voice_stepwise
from clausula.vocabulary import HOLD_TOKEN, N_GLOBAL


@pytest.fixture(scope="module", params=[True, False], ids=["holds", "bare"])
def fitted(request):
    examples = examples_of_openings(14, holds=request.param)
    return fit_recombinant(examples[:12], holds=request.param), examples[12:]


def test_stepping_equals_reading_whole(fitted):
    model, examples = fitted
    whole = recombinant_nats_by_voice(model, examples)
    np.testing.assert_allclose(
        nats_by_voice_stepwise(recombinant_proposal(model), examples), whole, atol=1e-4
    )
    assert whole.sum() < 4 * np.log(N_GLOBAL) / 3


def test_rows_are_distributions(fitted):
    model, examples = fitted
    assert_rows_are_distributions(recombinant_proposal(model), examples[0], holds=model.holds)


def test_beats_are_as_long_as_the_meter_says():
    frames = dict(zip(METERS, BEAT_FRAMES.tolist(), strict=True))
    assert frames == {
        None: 4, "4/4": 4, "3/4": 4, "2/4": 4, "3/2": 8, "6/4": 4, "2/2": 8, "12/8": 6, "6/8": 6,
    }  # fmt: skip


def two_beats(second: list[int], meter: str = "4/4") -> Example:
    """A beat of one chord, then the sopranos given, over the same held lower voices."""
    frames = 4 + len(second)
    sounding = np.tile(np.array([41, 36, 31, 20], np.int32), (frames, 1))
    sounding[4:, 0] = second
    onset = np.zeros(sounding.shape, bool)
    onset[[0, 4]] = True
    token = np.where(onset, sounding, HOLD_TOKEN).astype(np.int32)
    position = np.arange(frames)
    controls = controls_of(position, Meter.parse(meter), np.zeros(frames, bool), 0, False)
    return Example(sounding, token, ages_of(onset).astype(np.int32), controls, None)


def test_a_filed_beat_is_quoted_in_any_key():
    model = fit_recombinant([two_beats([43] * 4)] * 8, holds=True)
    for shift in (0, 5):
        piece = transposed(two_beats([43] * 4), shift)
        rows = assert_rows_are_distributions(recombinant_proposal(model), piece, holds=True)
        assert np.exp(rows[4, 0, 43 + shift]) > 0.9


def test_what_follows_depends_on_the_exact_entering_notes():
    """Two filed beats that differ in the entering alto alone go on differently."""
    up, down = two_beats([43] * 4), two_beats([39] * 4)
    down.sounding[:, 1] = down.token[0, 1] = down.token[4, 1] = 34
    model = fit_recombinant([up] * 4 + [down] * 4, holds=True)
    rows = {
        name: assert_rows_are_distributions(recombinant_proposal(model), piece, holds=True)
        for name, piece in (("up", up), ("down", down))
    }
    for name, (likely, unlikely) in {"up": (43, 39), "down": (39, 43)}.items():
        assert rows[name][4, 0, likely] > rows[name][4, 0, unlikely] + 1.0


def test_beats_of_another_length_are_not_candidates():
    model = fit_recombinant([two_beats([43] * 4)] * 8, holds=True)
    other = two_beats([43] * 4, "6/8")
    rows = assert_rows_are_distributions(recombinant_proposal(model), other, holds=True)
    np.testing.assert_allclose(np.exp(rows[4, 0]), 1 / N_GLOBAL, rtol=1e-4)


def test_a_model_comes_back(fitted, tmp_path):
    model, examples = fitted
    path = tmp_path / "recombinant"
    save_recombinant(path, model, {"data": "openings"})
    loaded, metadata = load_recombinant(path)
    assert metadata["data"] == "openings"
    assert loaded.holds == model.holds
    np.testing.assert_array_equal(
        recombinant_nats_by_voice(loaded, examples), recombinant_nats_by_voice(model, examples)
    )
    with pytest.raises(CorpusError, match="holds no Markov chains"):
        load_markov(path)


def test_no_pieces_are_named():
    with pytest.raises(InputError, match="no beats"):
        fit_recombinant([], holds=True)
