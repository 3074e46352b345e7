import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import music21
import pytest
from example_scores import VOICES, chorale, minor, part, score
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.pitch import LETTER_SEMITONES, Key, SpelledPitch
from clausula.reading import read_score
from clausula.score import Note, Part, Score
from clausula.writing import to_musicxml, write_musicxml

METERS = ("4/4", "3/4", "2/2", "6/8", "12/8", "3/8", "5/4")


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("written") / "piece.musicxml"


def _tree(piece, layout="open"):
    return ET.fromstring(to_musicxml(piece, layout))


def _same_music(written: Score, reread: Score) -> None:
    assert [p.notes for p in reread.parts] == [p.notes for p in written.parts]
    for field in ("meters", "keys", "pickup", "length", "title", "key_given"):
        assert getattr(reread, field) == getattr(written, field), field


@st.composite
def _notes(draw, prefix: str, length: Fraction) -> tuple[Note, ...]:
    """Notes and rests of random lengths in sixteenths, over bar lines, up to a length."""
    notes, now = [], Fraction(0)
    while now < length:
        duration = min(Fraction(draw(st.integers(1, 22)), 4), length - now)
        step, alter = draw(st.integers(22, 38)), draw(st.integers(-2, 2))
        semitone = 12 * (step // 7 + 1) + int(LETTER_SEMITONES[step % 7]) + alter
        if not notes or draw(st.integers(0, 4)):
            fermata = draw(st.booleans())
            pitch = SpelledPitch(semitone, step)
            notes.append(Note(f"{prefix}{len(notes)}", now, duration, pitch, fermata))
        now += duration
    return tuple(notes)


@st.composite
def _scores(draw) -> Score:
    meter = Meter.parse(draw(st.sampled_from(METERS)))
    pickup = Fraction(draw(st.integers(0, int(meter.quarters * 4) - 1)), 4)
    length = pickup + meter.quarters * draw(st.integers(1, 2))
    length += meter.quarters - pickup if pickup else 0
    key = Key.parse(draw(st.sampled_from(["C", "a", "Eb", "f#", "Cb", "A", "G"])))
    parts = [Part(n, draw(_notes(n[0], length)), "treble") for n in ("Soprano", "Alto")]
    start = Fraction(0)
    return Score(tuple(parts), ((start, meter),), ((start, key),), pickup, length=length)


@settings(max_examples=25, deadline=None)
@given(_scores())
def test_a_drawn_score_comes_back_the_same(file, piece):
    write_musicxml(piece, file)
    _same_music(piece, read_score(file))


@settings(max_examples=10, deadline=None)
@given(_scores())
def test_the_notes_of_every_measure_fill_it(piece):
    root = _tree(piece)
    lengths = [b - a for a, b in pairwise([*piece.measure_starts, piece.length])]
    for written in root.iter("part"):
        divisions = int(written.findtext(".//divisions"))
        for measure, length in zip(written.iter("measure"), lengths, strict=True):
            found = sum(int(note.findtext("duration")) for note in measure.iter("note"))
            assert Fraction(found, divisions) == length
            for note in measure.iter("note"):
                _value_agrees(note, divisions)


def _value_agrees(note, divisions):
    """Whether the printed value lasts as long as the note sounds."""
    if note.find("rest") is not None and note.find("rest").get("measure"):
        return
    quarters = {"breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": Fraction(1, 2)}
    quarters |= {"16th": Fraction(1, 4), "32nd": Fraction(1, 8)}
    printed = Fraction(quarters[note.findtext("type")])
    printed *= Fraction(3, 2) if note.find("dot") is not None else 1
    assert printed == Fraction(int(note.findtext("duration")), divisions)


@pytest.mark.parametrize("layout", ["open", "choir"])
@pytest.mark.parametrize("piece", [chorale(), minor()], ids=["chorale", "minor"])
def test_a_chorale_comes_back_the_same_from_both_layouts(piece, layout, tmp_path):
    write_musicxml(piece, tmp_path / "a.musicxml", layout)
    _same_music(piece, read_score(tmp_path / "a.musicxml"))


@pytest.mark.parametrize("piece", [chorale(), minor()], ids=["chorale", "minor"])
def test_music21_alone_hears_the_same(piece):
    parsed = music21.converter.parseData(to_musicxml(piece).decode(), format="musicxml")
    for given_part, staff in zip(piece.parts, parsed.parts, strict=True):
        heard = [
            (Fraction(n.offset), Fraction(n.quarterLength), n.nameWithOctave.replace("-", "b"))
            for n in staff.stripTies().flatten().notes
        ]
        assert heard == [(n.onset, n.duration, n.pitch.name) for n in given_part.notes]


def test_changes_of_meter_and_key_come_back(tmp_path):
    piece = score("4/4", "G", "B4:4 | A4:4 | G4:3 | F4:3^", "G4:4 | F#4:4 | E4:3 | D4:3")
    changes = (*piece.meters, (Fraction(8), Meter(3, 4)))
    keys = (*piece.keys, (Fraction(4), Key.parse("e")), (Fraction(11), Key.parse("F")))
    piece = replace(piece, meters=changes, keys=keys)
    write_musicxml(piece, tmp_path / "a.musicxml")
    _same_music(piece, read_score(tmp_path / "a.musicxml"))


@pytest.mark.parametrize("meter", ["5/4", "9/8", "3/4", "2/2"])
def test_a_silent_measure_is_one_rest_and_comes_back(meter, tmp_path):
    length = Meter.parse(meter).quarters
    piece = score(meter, "C", f"C5:{length} | r:{length} | D5:{length}")
    write_musicxml(piece, tmp_path / "a.musicxml")
    _same_music(piece, read_score(tmp_path / "a.musicxml"))
    rests = _tree(piece).findall(".//rest")
    assert [rest.get("measure") for rest in rests] == ["yes"]


def test_a_pick_up_is_measure_0_and_the_last_measure_completes_it():
    for written in _tree(chorale()).iter("part"):
        numbers = [(m.get("number"), m.get("implicit")) for m in written.iter("measure")]
        assert numbers == [("0", "yes"), ("1", "no"), ("2", "no"), ("3", "no")]
        assert written.findall("measure")[-1].findtext("barline/bar-style") == "light-heavy"


def test_staves_carry_names_clefs_signatures_and_one_bracket():
    root = _tree(minor())
    assert [n.text for n in root.iter("part-name")] == list(VOICES)
    assert [n.text for n in root.iter("part-abbreviation")] == ["S.", "A.", "T.", "B."]
    clefs = [(c.findtext("sign"), c.findtext("clef-octave-change")) for c in root.iter("clef")]
    assert clefs == [("G", None), ("G", None), ("G", "-1"), ("F", None)]
    assert [g.text for g in root.iter("group-symbol")] == ["bracket"]
    keys = {(k.findtext("fifths"), k.findtext("mode")) for k in root.iter("key")}
    assert keys == {("-1", "minor")}
    assert {(t.findtext("beats"), t.findtext("beat-type")) for t in root.iter("time")} == {
        ("3", "4")
    }


def test_a_signature_without_a_known_tonic_names_no_mode():
    assert _tree(replace(minor(), key_given=False)).find(".//mode") is None


def test_title_and_composer_are_named_and_nothing_is_dated():
    root = _tree(chorale())
    assert root.findtext("work/work-title") == "Grüße & <Lob>"
    assert [w.text for w in root.iter("credit-words")] == ["Grüße & <Lob>", "J. S. Bach"]
    assert root.findtext("identification/creator") == "J. S. Bach"
    assert root.find(".//encoding-date") is None
    assert _tree(minor()).findtext("identification/creator") == "clausula"
    untitled = _tree(replace(minor(), title=""))
    assert untitled.find("work") is None
    assert untitled.find("movement-title") is None


def test_ids_stand_on_first_symbols_and_are_numbered_on_tied_ones():
    piece = score("4/4", "C", "C5:3 D5:9^ E5:4")
    note = replace(piece.parts[0].notes[1], text="word")
    notes = (piece.parts[0].notes[0], note, piece.parts[0].notes[2])
    root = _tree(replace(piece, parts=(Part("Soprano", notes),)))
    found = [n for n in root.iter("note") if n.findtext("pitch/step") == "D"]
    assert [n.get("id") for n in found] == ["S1", "S1-2", "S1-3"]
    assert [[t.get("type") for t in n.findall("tie")] for n in found] == [
        ["start"],
        ["stop", "start"],
        ["stop"],
    ]
    assert [n.find("notations/fermata") is not None for n in found] == [False, False, True]
    assert [n.findtext("lyric/text") for n in found] == ["word", None, None]


def test_every_verse_is_a_lyric_of_its_own():
    piece = score("4/4", "C", "C5:4")
    note = replace(piece.parts[0].notes[0], text="I\nPAC")
    root = _tree(replace(piece, parts=(Part("Soprano", (note,)),)))
    lyrics = [(each.get("number"), each.findtext("text")) for each in root.iter("lyric")]
    assert lyrics == [("1", "I"), ("2", "PAC")]


def test_no_two_symbols_share_an_id():
    piece = score("4/4", "C", "C5:9 D5:3")
    first, second = piece.parts[0].notes
    notes = (first, replace(second, id="S0-2"))
    root = _tree(replace(piece, parts=(Part("Soprano", notes),)))
    assert [n.get("id") for n in root.iter("note")] == ["S0", "S0-3", "S0-4", "S0-2"]


def test_repeated_notes_are_written_as_notes_of_their_own():
    root = _tree(score("4/4", "C", "C5:1 C5:1 C5:1 C5:1"))
    assert len(list(root.iter("note"))) == 4
    assert root.find(".//tie") is None


def test_printed_accidentals_are_an_editors():
    root = _tree(score("4/4", "G", "F#4:1 F4:1 F4:1 F#4:2 F#4:1 F5:2"))
    shown = [(n.get("id"), n.findtext("accidental")) for n in root.iter("note")]
    assert shown == [
        ("S0", None),
        ("S1", "natural"),
        ("S2", None),
        ("S3", "sharp"),
        ("S3-2", None),
        ("S4", None),
        ("S5", "natural"),
    ]


def test_eighths_are_beamed_by_the_beat():
    root = _tree(score("3/4", "C", "C5:1/2 D5:1/2 E5:1/2 F5:1/2 r:1/2 E5:1/2"))
    assert [n.findtext("beam") for n in root.iter("note")] == ["begin", "end"] * 2 + [None] * 2


def test_a_choir_layout_turns_stems_and_fermatas_outwards():
    root = _tree(minor(), "choir")
    assert [n.text for n in root.iter("part-abbreviation")] == ["S. A.", "T. B."]
    found = {
        (n.get("id")[0], n.findtext("stem"), n.find(".//fermata").get("type"))
        for n in root.iter("note")
        if n.find(".//fermata") is not None
    }
    outward = {("S", "up", "upright"), ("A", "down", "inverted")}
    assert found == outward | {("T", "up", "upright"), ("B", "down", "inverted")}


def test_two_voices_on_a_staff_share_accidentals():
    root = _tree(score("4/4", "C", "C5:2 F#4:2", "F#4:1 F#4:1 F4:2", "C4:4", "C3:4"), "choir")
    shown = {n.get("id"): n.findtext("accidental") for n in root.iter("note")}
    assert shown["A0"] == "sharp"
    assert shown["A1"] is None
    assert shown["S1"] is None
    assert shown["A2"] == "natural"


@pytest.mark.parametrize(
    ("piece", "layout", "words"),
    [
        (chorale(), "closed", "try open or choir"),
        (score("4/4", "C", "C5:4"), "choir", "needs 4 parts, not 1"),
        (Score((), chorale().meters, chorale().keys), "open", "nothing to write"),
        (replace(chorale(), parts=(part("Alto", "C4:1", "percussion"),)), "open", "clef"),
    ],
)
def test_what_cannot_be_written_is_said(piece, layout, words):
    with pytest.raises(InputError, match=words):
        to_musicxml(piece, layout)
