"""Building a corpus from many files, some of them bad, and resuming."""

import json
from fractions import Fraction

import mido
import numpy as np
import pytest
from example_scores import chorale, minor
from score_files import four, musicxml

from clausula.corpus import build as build_module
from clausula.corpus.archive import load_corpus
from clausula.corpus.build import build, fingerprint, phrases_known
from clausula.corpus.sources import bundled_sources, folder_sources
from clausula.errors import CorpusError
from clausula.gridding import to_grid
from clausula.writing import to_midi, to_musicxml


@pytest.fixture
def folder(tmp_path):
    """An empty folder for scores."""
    made = tmp_path / "scores"
    made.mkdir()
    return made


def put(folder, **files):
    """Write files; a double underscore in a name stands for the dot, two of them for a folder."""
    for name, content in files.items():
        *above, stem, suffix = name.split("__")
        path = folder.joinpath(*above, f"{stem}.{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def drums():
    """A MIDI file of percussion alone."""
    file, track = mido.MidiFile(), mido.MidiTrack()
    file.tracks.append(track)
    for _ in range(8):
        track.append(mido.Message("note_on", channel=9, note=36, time=0))
        track.append(mido.Message("note_off", channel=9, note=36, time=480))
    file.save(filename=None, file=(kept := _Bytes()))
    return kept.value


class _Bytes:
    """A file object that keeps what is written to it."""

    def __init__(self):
        self.value = b""

    def write(self, data):
        self.value += bytes(data)
        return len(data)


@pytest.mark.slow
def test_bad_files_are_named_and_nothing_is_lost(folder, tmp_path):
    five = musicxml(*("|".join([f"{p}:4"] * 9) for p in ("C5", "A4", "G4", "E4", "C3")))
    put(
        folder,
        truncated__musicxml=four(9)[:700],
        empty__mxl=b"",
        five__musicxml=five,
        drums__mid=drums(),
        long__musicxml=four(2000),
        below__good__mid=to_midi(minor()),
        notes__txt=b"words",
    )
    sources, ignored = folder_sources(folder, "mine")
    seen = []
    out = tmp_path / "mine.npz"
    report = build(sources, out, ignored=ignored, progress=lambda *state: seen.append(state))
    assert report.kept == ["below/good", "long"]
    reasons = {
        "truncated": "its MusicXML is damaged or unusual (",
        "empty": "the file is empty;",
        "five": "nothing fits: 9 measures: 5 parts sound, but the grid has four voices",
        "drums": "there are no notes in it;",
        "notes.txt": "its name ends in none of .mxl, .musicxml, .xml, .krn, .mid, .midi",
    }
    assert set(report.skipped) == set(reasons)
    for name, reason in reasons.items():
        assert report.skipped[name].startswith(reason)
    assert [(done, total) for done, total, _ in seen] == [(i, 6) for i in range(1, 7)]
    corpus = load_corpus(out)
    assert corpus.names == ("below/good", "long")
    assert corpus.styles == ("mine", "mine")
    assert [len(grid) for grid in corpus.grids] == [48, 32000]
    assert report.frames == 32048
    assert json.loads((tmp_path / "mine.report.json").read_text())["skipped"] == report.skipped
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.npz", "mine.report.json", "scores"]


def test_pickups_rests_meters_and_fermatas_arrive(folder, tmp_path):
    put(folder, a__musicxml=to_musicxml(chorale()), b__musicxml=to_musicxml(minor()))
    build(folder_sources(folder, "mine")[0], tmp_path / "m.npz", frames_per_quarter=12)
    corpus = load_corpus(tmp_path / "m.npz")
    assert corpus.frames_per_quarter == 12
    assert (corpus.grids[0].pickup, str(corpus.grids[1].meter)) == (12, "3/4")
    whole = to_grid(chorale(), frames_per_quarter=12)
    np.testing.assert_array_equal(corpus.grids[0].pitch, whole.pitch)
    np.testing.assert_array_equal(corpus.grids[0].phrase_end, whole.phrase_end)
    assert corpus.works == ("a", "b")
    assert corpus.phrases_known == (True, True)


def test_a_piece_off_the_grid_says_how_to_keep_it(folder, tmp_path):
    put(folder, a__musicxml=to_musicxml(chorale()), b__musicxml=four(2))
    report = build(folder_sources(folder, "mine")[0], tmp_path / "m.npz")
    assert "off the grid of 4 frames" in report.skipped["a"]
    assert "--frames-per-quarter" in report.skipped["a"]


class Killed(BaseException):
    """As sudden as a signal: nothing catches it."""


def killed_after(count):
    def progress(done, total, name):
        if done == count:
            raise Killed

    return progress


@pytest.fixture
def parsed(monkeypatch):
    """Names of the files that are parsed, as they are."""
    names = []
    real = build_module.encode_file

    def encode(source, frames_per_quarter):
        names.append(source.name)
        return real(source, frames_per_quarter)

    monkeypatch.setattr(build_module, "encode_file", encode)
    return names


def test_an_interrupted_build_goes_on_where_it_was(folder, tmp_path, parsed):
    put(folder, a__xml=four(2), b__xml=four(3), bad__xml=b"<x>", c__xml=four(4), d__xml=four(5))
    sources, _ = folder_sources(folder, "mine")
    out = tmp_path / "m.npz"
    with pytest.raises(Killed):
        build(sources, out, progress=killed_after(3))
    assert parsed == ["a", "b", "bad"]
    assert not out.exists()
    put(folder, b__xml=four(6))
    report = build(folder_sources(folder, "mine")[0], out)
    # The changed file is parsed again, the bad one is not.
    assert parsed[3:] == ["b", "c", "d"]
    assert report.resumed == 2
    assert report.kept == ["a", "b", "c", "d"]
    assert [len(grid) for grid in load_corpus(out).grids] == [32, 96, 64, 80]
    assert not out.with_name("m.npz.parts").exists()


def test_another_resolution_does_not_reuse_what_was_parsed(folder, tmp_path, parsed):
    put(folder, a__xml=four(2), b__xml=four(3))
    sources, _ = folder_sources(folder, "mine")
    with pytest.raises(Killed):
        build(sources, tmp_path / "m.npz", progress=killed_after(2))
    build(sources, tmp_path / "m.npz", frames_per_quarter=12)
    assert parsed == ["a", "b", "a", "b"]
    assert load_corpus(tmp_path / "m.npz").frames_per_quarter == 12


def test_a_killed_write_of_an_entry_is_not_taken_for_one(folder, tmp_path, parsed, monkeypatch):
    put(folder, a__xml=four(2))
    sources, _ = folder_sources(folder, "mine")

    def replace(*paths):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(build_module.os, "replace", replace)
        with pytest.raises(Killed):
            build(sources, tmp_path / "m.npz")
    assert build(sources, tmp_path / "m.npz").resumed == 0
    assert parsed == ["a", "a"]


def test_an_error_that_was_not_foreseen_is_one_files_error(folder, tmp_path, monkeypatch):
    put(folder, a__xml=four(2), b__xml=four(3))
    real = build_module.encode_file

    def encode(source, frames_per_quarter):
        if source.name == "a":
            raise KeyError("odd")
        return real(source, frames_per_quarter)

    monkeypatch.setattr(build_module, "encode_file", encode)
    report = build(folder_sources(folder, "mine")[0], tmp_path / "m.npz")
    assert report.kept == ["b"]
    assert "KeyError: 'odd'" in report.skipped["a"]


def test_pieces_that_are_the_same_music_are_kept_once(folder, tmp_path):
    higher = musicxml("D5:4|E5:4", "A4:4|A4:4", "F#4:4|F#4:4", "D3:4|D3:4")
    lower = musicxml("C5:4|D5:4", "G4:4|G4:4", "E4:4|E4:4", "C3:4|C3:4")
    put(folder, a__xml=lower, b__xml=higher, c__xml=four(3))
    report = build(folder_sources(folder, "mine")[0], tmp_path / "m.npz")
    assert report.kept == ["a", "c"]
    assert report.skipped == {"b": "note for note a"}


def test_nothing_that_fits_is_an_error_that_names_the_report(folder, tmp_path):
    put(folder, a__xml=b"<x>")
    sources, _ = folder_sources(folder, "mine")
    with pytest.raises(CorpusError, match=r"none of 1 files fits the grid; .*m\.report\.json"):
        build(sources, tmp_path / "m.npz")
    assert "a" in json.loads((tmp_path / "m.report.json").read_text())["skipped"]


def test_a_lost_file_is_named(folder, tmp_path):
    put(folder, a__xml=four(2))
    (folder / "b.xml").symlink_to(folder / "nowhere.xml")
    report = build(folder_sources(folder, "mine")[0], tmp_path / "m.npz")
    assert report.skipped == {"b": "it cannot be read (No such file or directory)"}


def test_outputs_that_cannot_be_written_are_refused_before_any_work(folder, tmp_path, parsed):
    put(folder, a__xml=four(2))
    sources, _ = folder_sources(folder, "mine")
    (tmp_path / "file").write_text("")
    for out, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "mine", r"does not end in \.npz"),
        (tmp_path / "file" / "m.npz", "cannot be written"),
    ):
        with pytest.raises(CorpusError, match=words):
            build(sources, out)
    assert parsed == []


def test_files_of_one_name_in_two_formats_stay_apart(folder):
    put(folder, a__xml=b"", a__mid=b"", sub__a__xml=b"", hidden__a__xml=b"")
    (folder / "hidden").rename(folder / ".hidden")
    sources, ignored = folder_sources(folder, "mine")
    assert [source.name for source in sources] == ["a.mid", "a.xml", "sub/a"]
    assert ignored == {}


def test_a_folder_without_scores_or_a_bad_tag_is_refused(folder, tmp_path):
    with pytest.raises(CorpusError, match="holds no scores"):
        folder_sources(folder, "mine")
    put(folder, a__xml=b"")
    with pytest.raises(CorpusError, match="no such folder"):
        folder_sources(tmp_path / "none", "mine")
    with pytest.raises(CorpusError, match="is a file"):
        folder_sources(folder / "a.xml", "mine")
    with pytest.raises(CorpusError, match="'My Style' is no tag"):
        folder_sources(folder, "My Style")


def test_what_a_build_wrote_into_the_folder_is_no_score(folder):
    put(folder, a__xml=four(2), old__npz=b"")
    with pytest.raises(Killed):
        build(folder_sources(folder, "mine")[0], folder / "m.npz", progress=killed_after(1))
    sources, ignored = folder_sources(folder, "mine")
    assert ([source.name for source in sources], ignored) == (["a"], {})


def test_bundled_files_have_their_styles_note_values_and_works():
    kyrie = {source.name: source for source in bundled_sources("palestrina")}["palestrina/Kyrie_11"]
    assert kyrie.factor == Fraction(1, 2)
    assert kyrie.unit == "note values halved"
    assert kyrie.work.startswith("Missa")
    assert "corpus/palestrina/Kyrie_11.krn" in kyrie.origin
    names = [source.name for source in bundled_sources("beethoven")]
    # Of a movement in two formats one is read.
    assert len(names) == len(set(names))
    assert "beethoven/opus18no1/movement1" in names
    with pytest.raises(CorpusError, match=r"style 'abba' is unknown; known are bach, palestrina"):
        bundled_sources("abba")


def test_phrases_are_known_where_fermatas_are_never_far():
    grid = to_grid(chorale(), frames_per_quarter=12)
    assert phrases_known(grid)
    grid.phrase_end[:] = False
    assert not phrases_known(grid)


def test_fingerprints_know_music_at_any_pitch():
    grid = to_grid(minor())
    twin = to_grid(minor())
    twin.pitch[twin.pitch >= 0] += 2
    assert fingerprint(twin) == fingerprint(grid)
    twin.pitch[5, 0] += 1
    assert fingerprint(twin) != fingerprint(grid)
