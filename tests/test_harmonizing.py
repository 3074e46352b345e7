"""Harmonizing: what is given stays, phrases close as the melody allows, wrong input is named.

The network and the hidden Markov model of the searches here are tiny and drawn at random, so what
holds in their music holds because it is enforced.
"""

import sys
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from command_line import assert_refused, run
from example_scores import part, score

sys.path.insert(0, str(Path(__file__).parent / "engine"))
from small_search import PROPOSAL, ROOM, SMALL, small_hmm

from clausula import searching
from clausula.checker.check import check
from clausula.constraints.given import Given
from clausula.constraints.rulesets import load_ruleset
from clausula.engine import beam
from clausula.engine import tables as compiling
from clausula.engine.cadence_choice import Close, closes_of, count_closes, preferred
from clausula.engine.given_nats import saved_nats
from clausula.engine.tables import compile_plan
from clausula.errors import InputError, PlanError
from clausula.given_score import given_lines, key_of, phrase_ends, timeline_of
from clausula.grid import REST, Voice
from clausula.gridding import to_grid
from clausula.harmonizing import harmonize, possible, requested_of
from clausula.neural.proposals import Loaded
from clausula.pitch import Key
from clausula.reading import read_score
from clausula.verifying import verify
from clausula.writing import write_midi, write_musicxml

RULES = load_ruleset("chorale")
MELODY = "D5:1 | B4:1 A4:1 G4:1 A4:1 | B4:1 A4:1 G4:1^ B4:1 | C5:1 B4:1 A4:1/2 B4:1/2 A4:1 | G4:3^"
KERN = """**kern
*clefG2
*k[f#]
*G:
*M3/4
4b
=1
4a
4g
4a
=2
2.g;
==
*-
"""


def melody(line=MELODY, meter="4/4", key="G", pickup="1", **more):
    return score(meter, key, line, pickup=pickup, title="A melody", **more)


@pytest.fixture
def drawn(monkeypatch):
    """Harmonizes with what is drawn; every plan here is the program of the search's own tests."""
    loaded = Loaded("drawn", PROPOSAL, {"data": "drawn"}, ())
    monkeypatch.setattr(searching, "_models", lambda *_: (loaded, small_hmm()))
    monkeypatch.setattr(compiling, "LEAST_LAYERS", ROOM)
    monkeypatch.setattr(beam, "SearchConfig", lambda **_: SMALL)

    def harmonizing(source, **options):
        return harmonize(source, beam=8, seed=1, rules="chorale", **options)

    return harmonizing


def endings(given, **asked):
    request, _ = possible(requested_of(given, **asked), RULES)
    return [str(ending.cadence) for ending in request.endings]


def line_of(piece, voice):
    return piece.score.parts[voice].notes


def test_a_melody_keeps_its_notes_and_ids_and_closes_at_its_fermatas(drawn, tmp_path):
    path = tmp_path / "melody.musicxml"
    write_musicxml(melody(), path)
    given = read_score(path)
    piece = drawn(path)
    assert line_of(piece, Voice.SOPRANO) == given.parts[0].notes
    piece.write(tmp_path / "piece.musicxml")
    again = read_score(tmp_path / "piece.musicxml")
    assert [n.id for n in again.parts[0].notes] == [n.id for n in given.parts[0].notes]
    ids = [note.id for part in again.parts for note in part.notes]
    assert len(set(ids)) == len(ids)
    assert (again.pickup, again.length) == (given.pickup, given.length)
    assert [row["cadence"] for row in piece.report["cadences"]] == ["PAC", "PAC"]
    assert [row["at"] for row in piece.report["cadences"]] == ["2.3", "4"]
    assert (piece.report["key"], piece.report["key_source"]) == ("G major", "the file's")
    assert all(row["holds"] for row in piece.report["verified"])
    assert "soprano as given" in piece.report["requested"]
    assert not check(tmp_path / "piece.musicxml", key="G").reaches("error")
    # Where the melody has a fermata, all four have one.
    assert [sum(n.fermata for n in p.notes) for p in again.parts] == [2, 2, 2, 2]


def test_midi_and_kern_are_harmonized_too(drawn, tmp_path):
    kern = tmp_path / "melody.krn"
    kern.write_text(KERN)
    midi = tmp_path / "melody.mid"
    write_midi(read_score(kern), midi)
    for path in (kern, midi):
        given = read_score(path)
        piece = drawn(path)
        assert line_of(piece, Voice.SOPRANO) == given.parts[0].notes
        assert piece.score.pickup == 1


def test_a_bass_is_kept(drawn):
    bass = part("Bass", "G3:1 | D3:1 G3:1 C3:1 D3:1 | G2:2^")
    piece = drawn(replace(melody("D5:1"), parts=(bass,), length=Fraction(0)))
    assert line_of(piece, Voice.BASS) == bass.notes
    assert piece.report["given"] == [{"voice": "bass", "notes": 6}]


def test_two_voices_and_rests_are_kept(drawn):
    lines = (
        part("Soprano", "D5:1 | B4:1 A4:1 G4:1^ r:1 | B4:1 A4:1 G4:2^"),
        part("Tenor", "B3:1 | D4:1 C4:1 B3:1^ r:1 | r:1 C4:1 B3:2^"),
    )
    given = replace(melody("D5:1"), parts=lines, length=Fraction(0))
    piece = drawn(given)
    assert [line_of(piece, v) for v in (Voice.SOPRANO, Voice.TENOR)] == [p.notes for p in lines]
    grid = to_grid(piece.score)
    together = slice(16, 20)
    assert (grid.pitch[together] == REST).all()
    assert (grid.pitch[20:24, [Voice.ALTO, Voice.BASS]] != REST).all()


def test_chords_under_a_melody_are_those_asked_for(drawn):
    given = melody("D5:1 | B4:1 A4:1 G4:1 A4:1 | B4:1 A4:1 G4:2^", pickup="1")
    piece = drawn(given, progression="I | I6 V6 I ii:1/2 ii6:1/2 | I64 V7 I")
    (row,) = [r for r in piece.report["verified"] if r["constraint"].startswith("progression")]
    assert row["holds"]
    assert row["constraint"].endswith("I64 V7 I:2 @ 0.4")
    bass = to_grid(piece.score).pitch[:, Voice.BASS]
    assert [int(p) % 12 for p in bass[2:40:4]][:4] == [7, 11, 6, 7]


def test_verification_catches_a_changed_note_and_a_lost_id(drawn):
    piece = drawn(melody())
    soprano = piece.score.parts[0]
    for change, word in ((replace(soprano.notes[2], id="other"), "missing"),
                         (replace(soprano.notes[2], text="la"), "was changed")):  # fmt: skip
        notes = (*soprano.notes[:2], change, *soprano.notes[3:])
        broken = replace(piece.score, parts=(replace(soprano, notes=notes), *piece.score.parts[1:]))
        rows, _ = verify(broken, piece.plan, RULES)
        (row,) = [r for r in rows if r.constraint == "soprano as given"]
        assert word in row.reasons[0]


def test_cadences_are_those_that_melodies_close_with():
    assert endings(melody()) == ["PAC@2.3", "PAC@4"]
    assert endings(melody("B4:1 A4:1 B4:1 A4:1^ | B4:1 A4:1 G4:2^", pickup="0")) == [
        "HC@1.4",
        "PAC@2.3",
    ]
    # A close on the third is imperfect; one that no dominant leads to, plagal.
    assert endings(melody("G4:1 A4:1 C5:1 B4:1^", pickup="0"))[-1] == "IAC@1.4"
    assert endings(melody("B4:1 C5:1 F#4:1 G4:1^", pickup="0"))[-1] == "PAC@1.4"
    assert endings(melody("B4:1 A4:1 E4:1 G4:1^", pickup="0"))[-1] == "plagal@1.4"


def test_no_cadence_is_chosen_whose_chord_would_spell_a_given_note_otherwise():
    # A sharp is the leading tone of B minor, B flat is nothing there.
    sharp, flat = (
        endings(melody(f"C5:1 A4:1 G4:1 {name}4:1^ | B4:1 A4:1 G4:2^", pickup="0"))[0]
        for name in ("A#", "Bb")
    )
    assert sharp == "HC@1.4 in iii"
    assert "in iii" not in flat


def test_cadences_that_are_asked_for_replace_and_add():
    assert endings(melody(), cadences="DC@2.3") == ["DC@2.3", "PAC@4"]
    assert endings(melody(), cadences="HC@1.4") == ["HC@1.4", "PAC@2.3", "PAC@4"]
    with pytest.raises(PlanError, match=r"HC@1\.3/2: no given note begins there; .* 2\.3, 4"):
        endings(melody(), cadences="HC@1.3/2")


def test_a_cadence_that_is_proved_impossible_gives_way():
    # A bass on C closes no phrase at home: it is the sixth degree of E minor, under its third.
    assert endings(melody(), constraints=["pin bass @ 2.3 C3"]) == ["DC@2.3 in vi", "PAC@4"]


def test_local_keys_follow_the_cadences():
    given = melody(
        "G4:1 A4:1 B4:1 C5:1 | D5:1 C#5:1 D5:2^ | C5:1 B4:1 A4:1 A4:1 | G4:4^", pickup="0"
    )
    plan = possible(requested_of(given), RULES)[0].plan
    assert [str(c) for c in plan.cadences] == ["PAC@2.3 in V", "PAC@4"]
    assert str(plan.key_at(28)) == "D major"
    assert str(plan.key_at(40)) == "G major"


@pytest.mark.parametrize(
    ("line", "source", "ends"),
    [
        (MELODY, "fermatas", [32, 64]),
        (MELODY.replace("^", ""), "the end alone", [64]),
        ("G4:1 " * 8 + "r:1 " + "G4:1 " * 8, "long notes and rests", [32, 68]),
        ("G4:1 " * 7 + "G4:2 " + "A4:1 " * 8, "long notes and rests", [36, 68]),
        ("G4:1 " * 32, "every 4 measures", [64, 128]),
    ],
)
def test_where_phrases_end(line, source, ends):
    given = melody(line, pickup="0")
    found = phrase_ends(given_lines(given), timeline_of(given))
    assert (found.source, found.frames) == (source, ends)


@pytest.mark.parametrize(
    ("names", "lines", "voices"),
    [
        (["Soprano"], ["G4:4"], ["soprano"]),
        (["Voice"], ["G4:4"], ["soprano"]),
        (["Voice"], ["G2:4"], ["bass"]),
        (["Tenor"], ["G4:4"], ["tenor"]),
        (["x", "y"], ["C5:4", "C3:4"], ["soprano", "bass"]),
        (["x", "y", "z"], ["C5:4", "E4:4", "G3:4"], ["soprano", "alto", "tenor"]),
        (["S", "B"], ["C5:4", "C3:4"], ["soprano", "bass"]),
    ],
)
def test_voices_are_told_by_name_order_and_range(names, lines, voices):
    parts = tuple(part(name, line) for name, line in zip(names, lines, strict=True))
    given = replace(melody("G4:4", pickup="0"), parts=parts)
    assert [line.voice.name.lower() for line in given_lines(given)] == voices


def test_one_voice_of_four_is_kept_when_asked_for():
    full = score("4/4", "G", "G4:4", "D4:4", "B3:4", "G2:4")
    (line,) = given_lines(full, [Voice.TENOR])
    assert (line.voice, line.notes) == (Voice.TENOR, full.parts[2].notes)


def test_keys_are_given_the_files_or_inferred():
    minor = melody("A4:1 B4:1 C5:1 G#4:1 | A4:4", key="C", pickup="0", key_given=False)
    assert [str(x) for x in key_of(minor, None, None)] == ["A minor", "inferred"]
    assert str(key_of(minor, "d", None)[0]) == "D minor"
    assert str(key_of(minor, None, "major")[0]) == "C major"


def test_a_fault_of_the_given_line_alone_is_not_judged(drawn):
    # An augmented second, and a note above the soprano's range.
    line = "A4:1 F4:1 G#4:1 A4:1 | A5:1 G#5:1 A5:2^"
    piece = drawn(melody(line, key="a", pickup="0"), key="a")
    assert all(row["holds"] for row in piece.report["verified"])
    assert {f.code for f in check(piece, key="a").findings} >= {"L01", "V01"}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (melody("G4:1/3 A4:1/3 B4:1/3 G4:3^", pickup="0"), PlanError, "between two frames"),
        (melody("G4:1 C7:1 B4:1 G4:1^", pickup="0"), PlanError, "measure 1 beat 2: C7 cannot be"),
        (melody("r:4", pickup="0", length=Fraction(4)), InputError, "no note to harmonize"),
        (score("4/4", "G", *["G4:4"] * 4), InputError, "all four voices are given"),
    ],
)
def test_what_cannot_be_harmonized_is_named(given, error, words):
    with pytest.raises(error, match=words):
        requested_of(given)


def test_a_meter_that_changes_is_refused():
    given = melody("G4:4 | A4:3", pickup="0")
    meters = (*given.meters, (Fraction(4), replace(given.meters[0][1], numerator=3)))
    with pytest.raises(InputError, match="the meter changes to 3/4 in measure 2"):
        requested_of(replace(given, meters=meters))


@pytest.mark.parametrize(
    ("voices", "words"),
    [("S,B", "voices soprano, bass for 1 parts"), ("viola", "'viola' is not a voice")],
)
def test_voices_that_the_file_has_not(voices, words):
    with pytest.raises(InputError, match=words):
        requested_of(melody(), voices)


def test_the_command_line_names_what_is_wrong(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "clausula.searching", None)
    path, high = tmp_path / "melody.musicxml", tmp_path / "high.musicxml"
    write_musicxml(melody(), path)
    write_musicxml(melody("G4:1 C7:1 B4:1 G4:1^", pickup="0"), high)
    out = tmp_path / "out"
    for options, words in (
        ([high], ["soprano, measure 1 beat 2: C7", "try transposing"]),
        ([tmp_path / "nothing.mid"], ["there is no such file"]),
        ([path, "--alternatives", -1], ["candidates is 0"]),
        ([path, "--progression", "I Q"], ["'Q' is not a chord"]),
    ):
        assert_refused(run(capsys, "harmonize", *options, "--out", out), *words)
        assert not out.exists()


def test_given_lines_leave_the_provers_one_token_a_frame():
    request = requested_of(melody())
    compiled = compile_plan(request.plan, RULES)
    column = compiled.domains.masks[:, Voice.SOPRANO]
    assert all(int(word).bit_count() == 1 for word in column)
    (line,) = request.lines
    assert isinstance(line, Given)


def test_counts_of_closes_prefer_what_was_counted():
    home = Key.parse("C")
    grid = to_grid(score("4/4", "C", "D5:2 C5:2^", "G4:2 G4:2^", "B3:2 E3:2^", "G3:2 C3:2^"))
    counts = count_closes([grid])
    assert counts["major"]["2,0"] == {"PAC I": 1}
    assert counts["minor"] == {}
    assert isinstance(preferred(home, (74, 72), final=False)[0], Close)
    assert str(preferred(home, (74, 72), final=False)[0]) == "PAC I"
    assert len(preferred(home, None, final=True)) == len(closes_of(home))


def test_whatever_is_given_saves_nats():
    sets = [set(chosen) for n in (1, 2, 3) for chosen in combinations(Voice, n)]
    assert saved_nats([]) == 0
    for given in sets:
        assert saved_nats(given) > 0
        assert all(saved_nats(given) < saved_nats(more) for more in sets if given < more)
