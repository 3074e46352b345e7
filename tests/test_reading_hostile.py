"""Hostile files: every one is read note for note, or refused in one line that says what to try.

The files are those of ``benchmarks/hostile_input.py``, which also measures time and memory.
"""

import sys
from pathlib import Path

import pytest
from command_line import assert_refused, run

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from hostile.case import SATB, heard, note, plain, score, single, voices
from hostile.catalogue import GROUPS
from hostile.mutated import mutated_bytes, mutated_score

from clausula.checker.check import check
from clausula.errors import InputError
from clausula.reading import read_score

CASES = [case for group in GROUPS.values() for case in group if not case.slow]
# Of the slow ones the tests take the one that a few seconds are enough for.
LONG = [case for group in GROUPS.values() for case in group if case.name.endswith("of one voice")]


def read(path):
    return heard(read_score(path))


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.notes is not None], ids=lambda case: case.name[:60]
)
def test_odd_scores_are_read_note_for_note(case, tmp_path):
    assert read(case.write(tmp_path)) == tuple(map(plain, case.notes))


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.notes is None], ids=lambda case: case.name[:60]
)
def test_what_cannot_be_read_is_refused_in_one_line(case, tmp_path, capsys):
    path = case.write(tmp_path)
    options = [option.replace("{folder}", str(tmp_path)) for option in case.options]
    outcome = run(capsys, "check", path, *options)
    assert_refused(outcome, case.says)
    assert len(outcome.err) < 1_000
    assert outcome.err.strip().isprintable()


@pytest.mark.slow
@pytest.mark.parametrize("case", LONG, ids=lambda case: case.name)
def test_long_scores_are_read_or_refused(case, tmp_path):
    path = case.write(tmp_path)
    if case.notes is None:
        with pytest.raises(InputError, match=case.says):
            read_score(path)
    else:
        assert read(path) == tuple(map(plain, case.notes))


@pytest.mark.parametrize("cut", range(20, 2_600, 129))
def test_a_score_cut_anywhere_is_refused(cut, tmp_path):
    path = tmp_path / "cut.musicxml"
    path.write_text(score(*map(single, SATB))[:cut])
    with pytest.raises(InputError, match=r"cut\.musicxml: its MusicXML is damaged"):
        read_score(path)


def test_the_shared_note_of_two_voices_is_the_same_note_of_the_file_once(tmp_path):
    upper = ["C5:1 G4:2 B4:1", "E4:1 f:2 D4:1"]
    path = tmp_path / "met.musicxml"
    path.write_text(score(voices(*upper, "C4:4", "C3:4"), staves=2))
    soprano, alto, *_ = read_score(path).parts
    assert soprano.notes[1].pitch == alto.notes[1].pitch
    assert soprano.notes[1].id != alto.notes[1].id


def test_a_printed_rest_is_silence_and_a_longer_note_is_not_shared(tmp_path):
    path = tmp_path / "rest.musicxml"
    rests, holds = ["C5:1 G4:2 B4:1", "E4:1 r:2 D4:1"], ["C5:3 B4:1", "E4:1 f:2 D4:1"]
    path.write_text(score(voices(*rests, "C4:4", "C3:4"), staves=2))
    assert read(path)[1] == "E4:1 r:2 D4:1"
    path.write_text(score(voices(*holds, "C4:4", "C3:4"), staves=2))
    assert read(path)[:2] == ("C5:3 B4:1", "E4:1 r:2 D4:1")


def test_only_files_of_the_folder_are_read(tmp_path, capsys):
    secret = tmp_path / "secret"
    secret.write_text("do not print this")
    path = tmp_path / "piece.musicxml"
    entity = f'<!DOCTYPE s [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'
    path.write_text(score(single("C5:4"), names=("&a;",), head=entity))
    outcome = run(capsys, "check", path)
    assert_refused(outcome, "entities")
    assert "do not print" not in outcome.out + outcome.err


def test_names_are_printed_on_one_line_without_controls(tmp_path):
    path = tmp_path / "names.musicxml"
    path.write_text(score(single("C5:4"), names=("a\u202e\n b" + "x" * 200,)))
    (part,) = read_score(path).parts
    assert part.name.startswith("a b")
    assert len(part.name) == 80


def test_parts_of_instruments_that_cross_stay_in_order(tmp_path):
    path = tmp_path / "crossing.musicxml"
    lines = ("C5:1 C4:1 C5:2", "G4:4")
    path.write_text(score(*map(single, lines), names=("Violin", "Viola")))
    assert read(path) == lines


def test_the_missing_letters_of_a_transposition_are_told(tmp_path):
    path = tmp_path / "clarinet.musicxml"
    transposed = ("<transpose><chromatic>-3</chromatic></transpose>",)
    path.write_text(score([note("Eb5", 4)], more=transposed))
    assert read(path) == ("C5:4",)


def test_an_orchestra_stays_in_its_order(tmp_path):
    path = tmp_path / "orchestra.musicxml"
    lines = ("C5:4", "C3:4", "C6:4", "G4:4", "C2:4")
    path.write_text(score(*map(single, lines)))
    assert read(path) == lines


@pytest.mark.parametrize("kind", ["musicxml", "krn", "abc", "mid"])
def test_files_changed_at_random_are_checked_or_refused(kind, tmp_path, capfd):
    path = tmp_path / f"changed.{kind}"
    outcomes = set()
    for seed in range(60):
        path.write_bytes(mutated_score(seed) if kind == "musicxml" else mutated_bytes(seed, kind))
        try:
            check(read_score(path))
            outcomes.add("checked")
        except InputError as error:
            outcomes.add(f"refused: {error}")
    assert all(outcome.isprintable() for outcome in outcomes)
    assert "checked" in outcomes
    assert len(outcomes) > 1
    assert capfd.readouterr() == ("", "")
