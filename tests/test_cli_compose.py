"""``clausula compose`` and ``clausula train``: plans that cannot be met, and one that can."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from command_line import assert_refused, run

from clausula import cli
from clausula.errors import InputError

PAST_THE_PLAN = "clausula.searching"  # imported once a plan holds
LONG_NUMBER = "9" * 5000  # Python reads no integer of more than 4300 digits


@pytest.fixture
def compose(capsys, tmp_path, monkeypatch):
    """Composes into a folder that does not exist yet; fails the test if the search is reached."""

    def composing(*options):
        monkeypatch.setitem(sys.modules, PAST_THE_PLAN, None)
        outcome = run(capsys, "compose", "--out", tmp_path / "out", *options)
        assert not (tmp_path / "out").exists()
        return outcome

    return composing


def constraints(*texts):
    return [word for text in texts for word in ("--constraint", text)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--key", "H"], ["'H' is not a key; try D"]),
        (["--key", "G# major"], ["8 accidentals", "try the enharmonic"]),
        (["--mode", "lydian"], ["'lydian' is unknown; try major or minor"]),
        (["--meter", "4/5"], ["'4/5' is not a meter; try 4/4"]),
        (["--meter", "4"], ["'4' is not a meter"]),
        (["--meter", LONG_NUMBER + "/4"], ["is not a meter"]),
        (["--meter", "32/1", "--measures", "512"], ["512 measures of 32/1", "try 16 measures"]),
        (["--measures", "0"], ["measures is 0; try a whole number from 1 to 512"]),
        (["--measures", "-3"], ["measures is -3; try"]),
        (["--measures", "513"], ["measures is 513; try"]),
        (["--measures", "1"], ["one measure cannot", "'A'", "try 2 measures"]),
        (["--form", ""], ["'' is not a form; write letters"]),
        (["--form", "A?B"], ["'A?B' is not a form"]),
        (["--form", "A B C"], ["16 measures cannot", "3 phrases", "try 18 measures"]),
        (["--beam", "0"], ["beam is 0; try a whole number from 1 to 1024"]),
        (["--candidates", "99"], ["candidates is 99; try a whole number from 1 to 64"]),
        (["--temperature", "0"], ["temperature is 0; try a number from 0.1 to 10"]),
        (["--temperature", "nan"], ["temperature is nan; try"]),
        (["--tail", "1"], ["tail is 1; try a share from 0"]),
        (["--tail", "-0.1"], ["tail is -0.1; try"]),
        (["--taste", "nats"], ["taste 'nats' is no weight; write names with numbers"]),
        (["--taste", "nats=much"], ["taste 'nats=much' is no weight"]),
        (["--taste", "natts=1"], ["taste has no term 'natts'; try nats"]),
        (["--taste", "nats=-1"], ["taste nats=-1; try 0"]),
        (["--taste", "nats=nan"], ["taste nats=nan; try 0"]),
        (["--seed", "-1"], ["seed is -1; try"]),
        (["--rules", "nope"], ["no rule set 'nope'; try a-level"]),
    ],
)
def test_what_means_nothing_is_refused(compose, options, words):
    assert_refused(compose(*options), *words)


@pytest.mark.parametrize("options", [["--measures", "many"], ["--nonsense"], ["extra"]])
def test_wrong_usage_exits_with_2(compose, options):
    code, _, err = compose(*options)
    assert code == 2
    assert "--help" in err


@pytest.mark.parametrize("meter", ["7/8", "5/4", "2/2", "6/8", "3/2", "3/4", "12/8", "1/4", "3/16"])
def test_every_meter_makes_a_plan(capsys, tmp_path, monkeypatch, meter):
    monkeypatch.setitem(sys.modules, PAST_THE_PLAN, None)
    with pytest.raises(ImportError, match=PAST_THE_PLAN):
        run(capsys, "compose", "--meter", meter, "--measures", 8, "--out", tmp_path / "out")


@pytest.mark.parametrize(
    ("cadences", "words"),
    [
        ("", ["'' is not a cadence; write"]),
        ("nonsense", ["'nonsense' is not a cadence; write PAC"]),
        ("PAC@99", ["PAC@99: measure 99 beat 1 lies outside the piece", "try a place between"]),
        pytest.param("PAC@" + LONG_NUMBER, ["is not a cadence"], id="long number"),
        ("PAC@5", ["PAC@5: no phrase ends in measure 5", "4, 8, 12, 16"]),
        ("PAC@16.9", ["PAC@16.9: measure 16 beat 9", "beats 1 to 4"]),
        ("PAC@16.0", ["PAC@16.0: measure 16 beat 0", "beats 1 to 4"]),
        ("PAC@16.2.1", ["lies between two frames", "try a beat on the grid"]),
        ("PAC@16.3,HC@16.3", ["PAC@16.3 and HC@16.3 both end one phrase"]),
        ("PAC@16.3 in H", ["'H' is not a key"]),
        ("PAC@16.3 in Cb minor", ["Cb minor would need 10 accidentals"]),
        ("PAC@16.3:VIII", ["'VIII' is not a key"]),
    ],
)
def test_cadences_that_fit_nowhere_are_refused(compose, cadences, words):
    assert_refused(compose("--cadences", cadences), *words)


def test_a_cadence_in_a_key_that_nobody_can_write(compose):
    outcome = compose("--key", "C#", "--cadences", "PAC@16.3:iii")
    assert_refused(outcome, "PAC@16.3 in iii: ", "E# minor", "8 accidentals", "try")


def test_a_cadence_out_of_the_voices_ranges(compose, tmp_path):
    narrow = tmp_path / "narrow.toml"
    narrow.write_text(
        '[ranges]\nS = ["C4", "F4"]\nA = ["G3", "F4"]\nT = ["C3", "D4"]\nB = ["E2", "C4"]\n'
    )
    outcome = compose("--rules", narrow, "--cadences", "PAC@16.3 in A")
    assert_refused(outcome, "measure 16 beat 3, soprano", "PAC@16.3 in A major", "narrow")


def test_two_cadences_for_one_phrase(compose):
    outcome = compose("--cadences", "HC@4.3,PAC@16.3", *constraints("IAC@4"))
    assert_refused(outcome, "IAC@4 and HC@4.3 both end one phrase")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", ["'nonsense' is not a constraint; write one of"]),
        ("pin bass @ 5.1 C6", ["pin bass @ 5 C6: the bass", "try another octave or voice"]),
        ("pin bass @ 5.1 H3", ["'H3' is not a pitch"]),
        ("pin bas @ 5.1 D3", ["'bas' is not a voice; write soprano"]),
        ("pin bass @ 99 D3", ["pin bass @ 99 D3: measure 99", "outside the piece"]),
        ("pin bass @ 5.1 Eb3", ["in G major this note is written D#3"]),
        ("pin soprano @ 9 C6", ["  the ranges of chorale", "measure 9 beat 1, soprano; try"]),
        ("pin soprano @ 16.3 A4", ["measure 16 beat 3, soprano", "PAC@16.3", "A4"]),
        ("pin bass @ 16.2.75 E3 sounding", ["  PAC@16.3", "  pin bass @ 16.11/4 E3", "minimal"]),
        ("repeat 1-3 @ 2", ["repeat 1-3 @ 2", "starts before the passage is over; try"]),
        ("repeat 1-3 @ 15", ["the copy would end after the piece; try"]),
        ("repeat 1-3 @ 9.2", ["starts at beat 1 and would return at beat 2; try"]),
        ("repeat 1-30 @ 9", ["repeat 1-30 @ 9", "measure 31", "outside the piece"]),
        ("repeat 3-1 @ 9", ["repeat 3-1 @ 9", "end comes before the start; try"]),
        ("repeat 1-3 @ 9 in B,B", ["name each returning voice once"]),
        ("repeat 1-3 @ 9 sideways", ["'sideways' does not say how"]),
        ("repeat 1-3 @ 9 up P3", ["'P3' is not an interval; try"]),
        ("repeat 1-3 @ 9 up A1", ["repeat 1-3 @ 9 up A1 in S: ", "G# major", "try"]),
        ("repeat 1-3 @ 9 up M24", ["measure 1 beat 1: no soprano note", "repeat 1-3 @ 9 up M24"]),
        ("repeat 1-3 @ 9 tonal up " + "9" * 30, ["does not say how a passage returns"]),
        ("repeat 4.4-5 @ 9.4", ["must begin at measure 4 beat 4, which HC@4.3 forbids; try"]),
    ],
)
def test_constraints_that_cannot_hold_are_refused(compose, text, words):
    assert_refused(compose(*constraints(text)), *words)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["pin bass @ 5 D3", "pin bass @ 5 E3"], ["measure 5 beat 1, bass", "  pin bass @ 5 D3"]),
        (
            ["pin soprano @ 1 C5", "pin soprano @ 5 D5"],
            ["pin soprano @ 1 C5 together with pin soprano @ 5 D5 (through repeat 1-2 @ 5"],
        ),
        (
            ["pin soprano @ 5 D4", "pin alto @ 5 A4"],
            ["  pin soprano @ 5 D4", "  pin alto @ 5 A4", "  rule V04", "two-voice pass"],
        ),
        (["repeat 1-2 @ 9", "repeat 1-2 @ 10"], ["both fill measure 10 beat 1"]),
    ],
)
def test_constraints_that_contradict_each_other_are_named(compose, texts, words):
    assert_refused(compose(*constraints(*texts)), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('constraints = ["pin bass @ 5 D3", "pin bass @ 5 E3"]', ["  pin bass @ 5 D3"]),
        ('constraints = ["pin bass @ 5"]', ["many.toml: 'pin bass @ 5' is not a constraint"]),
        ('constraints = "PAC@8"', ["many.toml: a file of constraints is one list of texts"]),
        ("constraints = [1]", ["many.toml: a file of constraints is one list of texts"]),
        ('constraint = ["PAC@8"]', ["many.toml: a file of constraints is one list of texts"]),
        ("constraints = [", ["many.toml: "]),
    ],
)
def test_a_file_of_constraints(compose, tmp_path, text, words):
    path = tmp_path / "many.toml"
    path.write_text(text)
    assert_refused(compose("--constraints", path), *words)


def test_a_plan_fails_before_jax_is_loaded(tmp_path):
    script = (
        "import sys\n"
        "from clausula import cli\n"
        "try:\n    cli.main()\n"
        "except SystemExit as end:\n    assert end.code == 2\n"
        "sys.exit('jax' in sys.modules)"
    )
    options = [*constraints("pin bass @ 16.2.75 E3 sounding"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-c", script, "compose", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "proved by the two-voice pass" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300])
def test_an_out_folder_that_cannot_be_one(capsys, tmp_path, name):
    (tmp_path / "file").write_text("mine")
    assert_refused(run(capsys, "compose", "--out", tmp_path / name), "--out", "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_an_existing_out_folder_keeps_its_files_when_the_request_fails(capsys, tmp_path):
    (tmp_path / "piece.mid").write_text("mine")
    outcome = run(capsys, "compose", "--out", tmp_path, "--cadences", "PAC@99")
    assert_refused(outcome, "PAC@99")
    assert [path.name for path in tmp_path.iterdir()] == ["piece.mid"]
    assert (tmp_path / "piece.mid").read_text() == "mine"


def piece(write, **report):
    return SimpleNamespace(alternatives=(), report=report, write=write)


def test_other_files_stay_and_own_ones_are_replaced(tmp_path):
    for name in ("piece.mid", "notes.txt"):
        (tmp_path / name).write_text("old")
    cli.write_folder(piece(lambda path: path.write_text("new"), seed=3), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "old"
    assert (tmp_path / "piece.mid").read_text() == "new"
    assert json.loads((tmp_path / "report.json").read_text()) == {"seed": 3}
    assert len(list(tmp_path.iterdir())) == 6


def test_a_failure_while_writing_leaves_nothing_behind(tmp_path):
    def write(path):
        if path.suffix == ".svg":
            raise OSError(28, "No space left on device")
        path.write_text("half")

    with pytest.raises(InputError, match="No space left"):
        cli.write_folder(piece(write), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "piece.svg").mkdir()
    (tmp_path / "piece.mid").write_text("old")
    with pytest.raises(InputError, match=r"piece\.svg is a folder; move it"):
        cli.write_folder(piece(lambda path: path.write_text("new")), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["piece.mid", "piece.svg"]
    assert (tmp_path / "piece.mid").read_text() == "old"


def scored(score, differs):
    """A piece as reports describe it, of two candidates where three were wanted."""
    term = {"value": score, "weight": 1.0, "adds": score}
    return SimpleNamespace(
        score=SimpleNamespace(title="Two"),
        alternatives=(),
        report={
            "meter": "4/4",
            "form": "A",
            "seed": 0,
            "verified": [],
            "nats_per_frame": 1.5,
            "dead_ends": 0,
            "seconds": 1.0,
            "taste": {"score": score, "terms": {"nats": term, "cost": term}},
            "candidates": {"wanted": 3, "found": 2, "least": 0.25, "differs": differs},
        },
    )


def test_candidates_are_shown_beside_each_other_and_fewer_than_wanted_are_said(capsys, tmp_path):
    best, other = scored(2.5, [0.0, 0.4]), scored(3.5, [0.4, 0.0])
    best.alternatives = (other,)
    cli._show(best, tmp_path)
    shown = " ".join(capsys.readouterr().out.split())
    assert "│ nats │ 1 │ +2.50 2.50 │ +3.50 3.50 │" in shown
    assert "│ score │ │ 2.50 │ 3.50 │" in shown
    assert "│ least difference │ │ 40% │ 40% │" in shown
    assert "Only 2 of 3 candidates were found that differ in 25%" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--peak", "0"], "--peak 0.0 is out of range; try 0.0015"),
        (["--peak", "nan"], "--peak nan is out of range"),
        (["--dropout", "1"], "--dropout 1.0 is out of range; try 0.4"),
        (["--weight-decay", "-1"], "--weight-decay -1.0 is out of range; try 0.1"),
        (["--out", "."], "is a folder; name a file"),
        (["--out", __file__ + "/weights"], "is a file; name a folder"),
    ],
)
def test_training_refuses_what_it_cannot_use(capsys, tmp_path, options, words):
    assert_refused(run(capsys, "train", "--out", tmp_path / "weights", *options), words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--steps", "0"], ["--batch", "0"], ["--seed", "-1"], []])
def test_training_needs_positive_numbers_and_a_file(capsys, tmp_path, options):
    out = ["--out", tmp_path / "weights"] if options else []
    assert run(capsys, "train", *out, *options).code == 2


@pytest.mark.slow
def test_one_seed_writes_the_same_bytes_twice_and_they_pass_the_check(capsys, tmp_path):
    options = ["--measures", 4, "--beam", 8, "--seed", 5]
    for name in ("one", "two"):
        code, out, err = run(capsys, "compose", *options, "--out", tmp_path / name)
        assert (code, err) == (0, "")
        assert "PAC@4.3" in out
        assert "Taste score" in out
    for ending in cli.IMAGES:
        one, two = ((tmp_path / name / f"piece{ending}").read_bytes() for name in ("one", "two"))
        assert one == two, ending
    reports = [json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two")]
    for report in reports:
        assert report.pop("seconds") > 0
    assert reports[0] == reports[1]
    assert {"seed", "requested", "verified", "dead_ends", "log_p_net"} <= set(reports[0])
    assert reports[0]["seed"] == 5
    assert [row["constraint"] for row in reports[0]["verified"]] == reports[0]["requested"]
    assert all(row["holds"] for row in reports[0]["verified"])
    assert reports[0]["log_p_net"] < 0
    alone = {"wanted": 1, "found": 1, "least": 0.25, "differs": [0.0]}
    assert reports[0]["candidates"] == alone
    assert run(capsys, "check", tmp_path / "one" / "piece.musicxml").code == 0
