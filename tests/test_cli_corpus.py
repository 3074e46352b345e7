"""``clausula corpus``: building and listing."""

import json
import sys
from pathlib import Path

import pytest
from command_line import assert_refused, run

sys.path.insert(0, str(Path(__file__).parent / "corpus"))

from score_files import four


@pytest.fixture
def scores(tmp_path):
    """A folder with one good and one bad score."""
    folder = tmp_path / "scores"
    folder.mkdir()
    (folder / "good.musicxml").write_bytes(four(9, rights="Public domain"))
    (folder / "empty.mid").write_bytes(b"")
    return folder


def test_a_folder_is_built_reported_and_listed(scores, tmp_path, capsys):
    out = tmp_path / "mine.npz"
    done = run(capsys, "corpus", "build", scores, "--style", "mine", "--out", out)
    assert done.code == 0
    assert "the file is empty" in done.out
    assert f"pieces: 1, frames: 144, in {out}" in done.out
    report = json.loads((tmp_path / "mine.report.json").read_text())
    assert report["kept"] == ["good"]
    listed = run(capsys, "corpus", "list", out)
    assert listed.code == 0
    assert "your own" in listed.out
    assert "1: Public domain" in listed.out


def test_what_ships_is_listed_with_what_does_not(capsys):
    listed = run(capsys, "corpus", "list")
    assert listed.code == 0
    for words in ("bach", "76600", "Greentree", "corpus build --bundled palestrina"):
        assert words in listed.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["FOLDER"], "--style is missing"),
        ([], "name a folder of scores, or a style with --bundled"),
        (["FOLDER", "--bundled", "haydn"], "not both"),
        (["--bundled", "abba"], "known are bach, palestrina"),
        (["--bundled", "haydn", "--style", "mine"], "--bundled has its style's tag"),
        (["FOLDER/none", "--style", "mine"], "no such folder"),
        (["FOLDER", "--style", "mine", "--out", "FOLDER"], "is a folder"),
    ],
)
def test_requests_that_cannot_be_met_are_refused(scores, tmp_path, capsys, arguments, words):
    given = [argument.replace("FOLDER", str(scores)) for argument in arguments]
    if "--out" not in given:
        given += ["--out", str(tmp_path / "m.npz")]
    assert_refused(run(capsys, "corpus", "build", *given), words)


def test_a_missing_corpus_cannot_be_listed(tmp_path, capsys):
    assert_refused(run(capsys, "corpus", "list", tmp_path / "none.npz"), "is missing")
