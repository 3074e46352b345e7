"""Recombination: it quotes what it has filed, backs off, and steps as it reads whole."""

import numpy as np
import pytest
from scoring_cases import assert_rows_are_distributions, examples_of_openings, nats_of_rows

from clausula.errors import CorpusError, InputError
from clausula.grid import Grid, Meter
from clausula.neural.features import METERS, Example, example_of
from clausula.neural.markov_proposal import load_markov
from clausula.neural.recombinant import (
    BEAT_FRAMES,
    fit_recombinant,
    load_recombinant,
    recombinant_nats_by_voice,
    recombinant_proposal,
    save_recombinant,
)
from clausula.pitch import Key
from clausula.vocabulary import N_GLOBAL


@pytest.fixture(scope="module", params=[True, False], ids=["holds", "bare"])
def fitted(request):
    examples = examples_of_openings(14, holds=request.param)
    return fit_recombinant(examples[:12], holds=request.param), examples[12:]


def test_stepping_equals_reading_whole_and_sums_to_one(fitted):
    model, examples = fitted
    proposal = recombinant_proposal(model)
    total = np.zeros(4)
    for example in examples:
        rows = assert_rows_are_distributions(proposal, example, holds=model.holds)
        total += nats_of_rows(rows, example)
    whole = recombinant_nats_by_voice(model, examples)
    np.testing.assert_allclose(total / sum(map(len, examples)), whole, atol=1e-4)
    assert whole.sum() < 2 * np.log(N_GLOBAL)


def test_beats_are_as_long_as_the_meter_says():
    frames = dict(zip(METERS, BEAT_FRAMES.tolist(), strict=True))
    assert frames == {
        None: 4, "4/4": 4, "3/4": 4, "2/4": 4, "3/2": 8, "6/4": 4, "2/2": 8, "12/8": 6, "6/8": 6,
        "3/8": 2, "4/8": 2, "9/8": 6, "4/2": 8,
    }  # fmt: skip


def two_beats(soprano: int, *, alto: int = 68, meter: str = "4/4", shift: int = 0) -> Example:
    """A beat of one chord, then the soprano given over the same held lower voices."""
    pitch = np.tile([73, alto, 63, 52], (8, 1))
    pitch[4:, 0] = soprano
    pitch += shift
    onset = np.zeros(pitch.shape, bool)
    onset[[0, 4]] = True
    key = Key.parse(("C", "C#", "D", "Eb", "E", "F")[shift])
    step, end = key.spell(pitch), np.zeros(8, bool)
    return example_of(Grid(pitch, step, onset, end, Meter.parse(meter), key))


def soprano_nats(model, example: Example) -> float:
    """Of the whole line, not per frame."""
    return recombinant_nats_by_voice(model, [example])[0] * len(example)


@pytest.mark.parametrize("shift", [0, 5])
def test_a_filed_beat_is_quoted_in_any_key(shift):
    model = fit_recombinant([two_beats(75)] * 8, holds=True)
    quoted = soprano_nats(model, two_beats(75, shift=shift))
    other = soprano_nats(model, two_beats(71, shift=shift))
    assert quoted < other - 3


def test_what_follows_depends_on_the_exact_entering_notes():
    """Two filed beats that differ in the entering alto alone go on differently."""
    model = fit_recombinant([two_beats(75)] * 4 + [two_beats(71, alto=66)] * 4, holds=True)
    assert soprano_nats(model, two_beats(75)) < soprano_nats(model, two_beats(71)) - 1
    up, down = two_beats(75, alto=66), two_beats(71, alto=66)
    assert soprano_nats(model, down) < soprano_nats(model, up) - 1


def test_beats_of_another_length_are_not_candidates():
    model = fit_recombinant([two_beats(75)] * 8, holds=True)
    nats = recombinant_nats_by_voice(model, [two_beats(75, meter="6/8")])
    np.testing.assert_allclose(nats, np.log(N_GLOBAL), rtol=1e-5)


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
