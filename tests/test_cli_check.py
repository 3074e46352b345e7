"""``clausula check`` and ``clausula explain``: good files, odd files, no files."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import mido
import pytest
from command_line import assert_refused, run
from example_scores import part, score

from clausula.writing import to_midi, to_musicxml

CLEAN = score("4/4", "C", "B4:2 C5:2", "G4:2 G4:2", "D4:2 E4:2", "G3:2 C3:2")
FIFTHS = score("4/4", "C", "C5:2 D5:2", "E4:2 F4:2", "G3:2 A3:2", "C3:2 D3:2")
XML = to_musicxml(CLEAN).decode()


@pytest.fixture
def check(tmp_path, capsys):
    """Writes a file and checks it."""

    def checking(content, *options, name="piece.musicxml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run(capsys, "check", path, *options)

    return checking


def zipped(**entries):
    """A zip archive of files, two underscores for each slash in their names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return packed.getvalue()


def midi(*events, kind=1, ticks=480, **signature):
    track = mido.MidiTrack(
        [mido.MetaMessage("time_signature", **({"numerator": 4} | signature))]
        + [mido.Message(what, note=note, time=time) for what, note, time in events]
    )
    file, data = mido.MidiFile(type=kind, ticks_per_beat=ticks, tracks=[track]), io.BytesIO()
    file.save(file=data)
    return data.getvalue()


NOTE = (("note_on", 60, 0), ("note_off", 60, 480))


def test_a_clean_piece_passes(check):
    code, out, err = check(XML)
    assert (code, err) == (0, "")
    assert "C major" in out
    assert out.endswith("No faults found.\n")


def test_parallel_fifths_fail_and_are_placed(check):
    code, out, _ = check(to_musicxml(FIFTHS))
    assert code == 1
    assert "m. 1, beat 3  error" in out
    assert "M01" in out


def test_labels_are_judged_unless_they_are_to_be_ignored(check):
    bass = replace(CLEAN.parts[3].notes[0], text="V7"), replace(CLEAN.parts[3].notes[1], text="I")
    labelled = replace(CLEAN, parts=(*CLEAN.parts[:3], replace(CLEAN.parts[3], notes=bass)))
    xml = to_musicxml(labelled)
    code, out, _ = check(xml)
    assert (code, "H09  V7 is written, but no F sounds: V" in out) == (1, True)
    assert check(xml, "--labels", "ignore").code == 0
    assert_refused(check(xml, "--labels", "maybe"), "judge or ignore")


def test_json_is_one_pure_object(check):
    code, out, err = check(to_musicxml(FIFTHS), "--format", "json")
    report = json.loads(out)
    assert (code, err) == (1, "")
    fault = next(f for f in report["findings"] if f["code"] == "M01" and "B" in f["voices"])
    assert (fault["severity"], fault["measure"], fault["beat"]) == ("error", 1, 3)
    assert fault["voices"] == ["T", "B"]
    assert fault["message"]


def test_the_pickup_is_measure_0_and_few_parts_keep_their_names(check):
    pickup = score("4/4", "C", "C5:1 | D5:4", "C4:1 | D4:4", pickup="1")
    report = json.loads(check(to_musicxml(pickup), "--format", "json").out)
    octaves = next(f for f in report["findings"] if f["code"] == "M02")
    assert (octaves["measure"], octaves["beat"]) == (1, 1)
    assert octaves["voices"] == ["Soprano", "Alto"]
    wide = score("4/4", "C", "A5:1 | D5:4", "C4:1 | D4:4", pickup="1")
    report = json.loads(check(to_musicxml(wide), "--format", "json").out)
    assert (0, 4) in [(f["measure"], f["beat"]) for f in report["findings"]]


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("style", 1)])
def test_fail_on_decides_the_exit_code(check, level, code):
    low = score("4/4", "C", "A3:4", "A3:4", "E3:4", "C3:4")
    report = json.loads(check(to_musicxml(low), "--format", "json").out)
    assert (report["counts"]["error"], report["counts"]["warning"] > 0) == (0, True)
    assert check(to_musicxml(low), "--fail-on", level).code == code


def test_every_format_can_be_printed_and_written(check, tmp_path):
    data = to_musicxml(FIFTHS)
    starts = {"text": "", "json": "{", "html": "<!DOCTYPE html>", "musicxml": "<?xml"}
    for name, start in starts.items():
        printed = check(data, "--format", name)
        out = tmp_path / "written"
        written = check(data, "--format", name, "--out", out)
        assert (printed.code, written.code, written.out, written.err) == (1, 1, "", "")
        assert out.read_bytes().decode() == printed.out
        assert printed.out.startswith(start)
        assert "M01" in printed.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["piece.musicxml", "written"]


def test_out_is_never_the_file_that_is_checked_and_may_not_be_a_folder(check, tmp_path):
    path = tmp_path / "piece.musicxml"
    assert_refused(check(XML, "--format", "html", "--out", path), "is the file to be checked")
    assert path.read_text() == XML
    assert_refused(check(XML, "--out", tmp_path), "cannot be written")
    assert_refused(check(XML, "--out", tmp_path / "none" / "a.html"), "cannot be written")
    assert_refused(check(XML, "--out", "x" * 300), "cannot be written")


SPECIES = to_musicxml(score("4/4", "C", "C5:2 F4:2 | G4:4", "C4:4 | E4:4"))


@pytest.mark.parametrize("cantus", ["B", "b", "2", "A"])
def test_species_are_judged_by_fux_against_their_cantus(check, cantus):
    out = check(SPECIES, "--species", "2", "--cantus", cantus, "--format", "json").out
    report = json.loads(out)
    assert report["ruleset"] == "fux"
    weak = next(f for f in report["findings"] if f["code"] == "B02")
    assert (weak["measure"], weak["beat"]) == (1, 3)
    other = json.loads(check(SPECIES, "--species", "1", "--format", "json").out)
    assert "B02" not in [f["code"] for f in other["findings"]]


@pytest.mark.parametrize(("cadence", "missing"), [("pac", False), ("HC", True)])
def test_a_cadence_that_was_asked_for_is_missed(check, tmp_path, cadence, missing):
    close = score("4/4", "C", "C5:2 B4:2 | C5:4", "G4:8", "E4:2 D4:2 | E4:4", "C3:2 G3:2 | C3:4")
    ranges = "".join(f'{voice} = ["C2", "C6"]\n' for voice in "SATB")
    mine = tmp_path / "mine.toml"
    mine.write_text(f'[ranges]\n{ranges}[rules]\nH04 = {{ severity = "error" }}\n')
    outcome = check(to_musicxml(close), "--cadence", cadence, "--rules", mine)
    assert outcome.code == int(missing)
    assert ("H04" in outcome.out) is missing


def test_a_given_key_is_stated(check):
    assert "A minor (given)" in check(XML, "--key", "a").out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--key", "H"], ["'H' is not a key; try"]),
        (["--key", "G# major"], ["8 accidentals", "try the enharmonic"]),
        (["--fail-on", "nonsense"], ["'nonsense' is unknown; try style, warning, error"]),
        (["--fail-on", "off"], ["'off' is unknown"]),
        (["--format", "xml"], ["'xml' is unknown; try text, json, html, musicxml"]),
        (["--species", "6"], ["--species 6 is unknown; try 1 to 5"]),
        (["--species", "1", "--cantus", "X"], ["'X' is none of the parts; try S, A, T, B, 1"]),
        (["--cadence", "PAK"], ["'PAK' is unknown; try PAC"]),
        (["--cadence", "PAC", "--rules", "none"], ["H04, which rule set none leaves out"]),
        (["--rules", "nope"], ["no rule set 'nope'; try a-level"]),
        (["--rules", "x" * 300 + ".toml"], ["cannot be read", "check its name"]),
    ],
)
def test_unknown_options_are_refused(check, options, words):
    assert_refused(check(XML, *options), *words)


@pytest.mark.parametrize("extra", [[], ["--nonsense"], ["two", "files"]])
def test_wrong_usage_exits_with_2(capsys, extra):
    assert run(capsys, "check", *extra).code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = [", "not TOML"),
        ("\xff", "[ranges] and [rules] must be tables"),
        ('[ranges]\nS = ["C4", "Z9"]', "rule set mine: range S: 'Z9' is not a pitch"),
        ('[ranges]\nS = ["G5", "C4"]', "range S runs from G5 down to C4; swap"),
    ],
)
def test_a_broken_rule_set_names_file_and_entry(check, tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text if "=" in text else "", encoding="utf-8")
    assert_refused(check(XML, "--rules", path), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty; try"),
        (bytes(range(1, 256)), "not a score; try MusicXML"),
        ("Dear sir,\nT: and K:\n", "not a score"),
        ("K: one\n\nKind regards", "not a score"),
        (XML[: len(XML) // 2], "MusicXML is damaged or unusual"),
        (XML.replace("<step>C", "<step>H"), "'H'"),
        (XML.replace("<octave>5", "<octave>99"), "staff 1, measure 1, beat 3: C99 is none of MIDI"),
        ("<html/>", "root is <html>"),
        (b"PK\x03\x04nothing", "damaged"),
        (zipped(a="hello"), "the archive holds no score"),
        (zipped(), "not a score"),
        ("<score-partwise><part-list/></score-partwise>", "no measures in it; try another"),
        (XML.replace('<score-part id="', '<score-part id="x'), "missing from its part list"),
        (XML.replace("<beat-type>4", "<beat-type>3"), "time signature 4/3 is none"),
        (XML.replace("<beat-type>4", "<beat-type>0"), "without any length"),
        ("!!!COM: nobody\n", "no measures in it"),
        ("**kern\n4c\n4zzz\n*-\n", "line 3: '4zzz' is no kern note"),
        ("X:1\nK:C\n", "no notes in it"),
        (midi(), "no notes in it"),
        (midi(NOTE[0]), "no notes in it"),
        (midi(*NOTE)[:40], "MIDI is damaged or unusual"),
        (midi(*NOTE)[:12] + b"\xe7\x28" + midi(*NOTE)[14:], "in seconds, not in beats; try"),
        (midi(*NOTE).replace(b"\xff\x58\x04\x04", b"\xff\x58\x04\x00"), "time signature 0/4"),
    ],
)
def test_what_is_no_score_is_refused_in_one_line(check, content, words):
    assert_refused(check(content), "piece.musicxml: ", words)


def test_five_voices_are_refused(check):
    bass = part("Contrabass", "C2:2 C2:2")
    five = replace(CLEAN, parts=(*CLEAN.parts, bass))
    assert_refused(check(to_musicxml(five)), "5 voices (Soprano, ", "Contrabass)", "four at most")


def test_quarter_tones_are_refused_with_their_place(check):
    sharper = XML.replace("<step>B</step>", "<step>B</step><alter>0.5</alter>")
    assert_refused(check(sharper), "staff 1, measure 1, beat 1: B~4 is a quarter tone")


def test_no_file_and_a_folder(capsys, tmp_path):
    assert_refused(run(capsys, "check", tmp_path / "none.xml"), "none.xml: there is no such file")
    assert_refused(run(capsys, "check", tmp_path), "this is a folder; name one file")
    assert_refused(run(capsys, "check", "x" * 300), "it cannot be read", "check its name")
    (tmp_path / "file").write_text("x")
    assert_refused(run(capsys, "check", tmp_path / "file" / "x"), "there is no such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights(check, tmp_path, capsys):
    check(XML)
    (tmp_path / "piece.musicxml").chmod(0)
    assert_refused(run(capsys, "check", tmp_path / "piece.musicxml"), "Permission denied")


@pytest.mark.parametrize("name", ["Grüße – ♯.xml", "with space.musicxml", "no ending"])
def test_any_file_name_will_do(check, name):
    code, out, _ = check(XML, name=name)
    assert code == 0
    assert name in out


def test_a_name_that_is_no_text_is_still_reported(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.musicxml"
    Path(os.fsdecode(path)).write_bytes(XML.encode())
    command = [os.fsencode(sys.executable), b"-m", b"clausula.cli", b"check", b"--format", b"json"]
    done = subprocess.run([*command, path], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["file"].endswith("\N{REPLACEMENT CHARACTER}.musicxml")


def test_the_archive_says_which_file_is_the_score(check):
    container = '<container><rootfile full-path="b.xml"/></container>'
    packed = zipped(a_xml="<html/>", b_xml=XML, **{"META-INF__container_xml": container})
    assert check(packed).code == 0


@pytest.mark.parametrize("kind", [0, 1])
def test_midi_of_one_track_is_read(check, kind):
    four = (72, 67, 64, 48)
    on = [("note_on", note, 0) for note in four]
    off = [("note_off", note, 480 * (note == 72)) for note in four]
    assert check(midi(*on, *off, kind=kind)).code == 0


def test_midi_of_four_tracks_is_read(check):
    assert check(to_midi(CLEAN)).code == 0


def test_percussion_is_no_voice(check):
    four = to_musicxml(score("4/4", "C", "E5:4", "G4:4", "C4:4", "C3:4")).decode()
    upper, bass = four.split('<part id="P4">')
    drum = re.sub(r"<pitch>.*?</pitch>", "<unpitched/>", bass, count=1, flags=re.DOTALL)
    drums = f'{upper}<part id="P4">{drum}'
    assert "<unpitched/>" in drums
    assert "No faults found." in check(drums).out
    report = json.loads(check(drums.replace("<octave>5", "<octave>6"), "--format", "json").out)
    assert [finding["voices"] for finding in report["findings"]] == [["Soprano", "Alto"]]


def test_notes_without_length_do_not_sound(check):
    grace = XML.replace(
        '<note id="',
        "<note><grace/><pitch><step>F</step><octave>5</octave>"
        '</pitch><voice>1</voice></note><note id="',
        1,
    )
    assert "<grace/>" in grace
    assert "No faults found." in check(grace).out


def test_abc_without_a_meter_is_in_eighths(check):
    code, out, _ = check("X:1\nT:Scale\nK:C\nCDEF GABc|\n", "--format", "json")
    assert code == 0
    assert json.loads(out)["key"] == "C major"


def test_explain_prints_a_page_or_says_which_codes_there_are(capsys):
    code, out, err = run(capsys, "explain", "m01")
    assert (code, err) == (0, "")
    assert out.startswith("M01  Parallel fifths")
    assert_refused(run(capsys, "explain", "X99"), "no rule 'X99'; try ")
    assert run(capsys, "explain").code == 2


@pytest.mark.parametrize(
    ("format", "drawn"), [("text", False), ("json", False), ("html", True), ("musicxml", True)]
)
def test_no_format_loads_jax_and_words_load_no_engraver(check, tmp_path, format, drawn):
    check(XML)
    script = (
        "import sys\n"
        "from clausula import cli\n"
        "try:\n    cli.main()\n"
        "finally:\n    print({'jax', 'verovio', 'matplotlib'} & set(sys.modules), file=sys.stderr)"
    )
    arguments = ["check", str(tmp_path / "piece.musicxml"), "--format", format]
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "jax" not in done.stderr
    assert ("verovio" in done.stderr) is drawn
