import csv
import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import music21
import numpy as np
import pytest

from clausula.corpus import held_out, load_chorales, statistics
from clausula.corpus.archive import save_corpus
from clausula.corpus.chorales import CHORALES
from clausula.corpus.encode import ERRATA, encode
from clausula.corpus.splits import tunes
from clausula.corpus.stats import chords, stillness
from clausula.errors import CorpusError, InputError
from clausula.grid import REST, Grid, Meter
from clausula.gridding import to_grid
from clausula.key_finding import infer_key
from clausula.pitch import Key, SpelledPitch
from clausula.reading import read_score
from clausula.score import Note, Part, Score
from clausula.vocabulary import N_VOICE, VOICE_LOWEST, tokens_of

FIRST_PITCH = 2


@pytest.fixture(scope="module")
def corpus():
    return load_chorales()


def test_the_corpus_has_about_350_pieces_that_differ(corpus):
    assert len(corpus) > 340
    assert len(set(corpus.names)) == len(corpus)
    music = {grid.pitch.tobytes() + grid.onset.tobytes() for grid in corpus.grids}
    assert len(music) == len(corpus)


def test_grids_are_well_formed(corpus):
    for name, grid in zip(corpus.names, corpus.grids, strict=True):
        silent = grid.pitch == REST
        assert not grid.onset[silent].any(), name
        assert (grid.step[silent] == 0).all(), name
        held = ~silent & ~grid.onset
        assert not held[0].any(), name
        np.testing.assert_array_equal(grid.pitch[1:][held[1:]], grid.pitch[:-1][held[1:]], name)
        assert not silent[0].all(), name
        assert not silent[-1].all(), name
        assert 0 <= grid.pickup < grid.frames_per_measure, name
        assert grid.phrase_end[-1], name
        assert abs(grid.key.fifths) <= 7, name


def test_spelling_agrees_with_sound(corpus):
    for grid in corpus.grids:
        for voice in range(4):
            for pitch, step in set(
                zip(grid.pitch[:, voice].tolist(), grid.step[:, voice].tolist(), strict=True)
            ):
                assert pitch == REST or abs(SpelledPitch(pitch, step).alter) <= 2


def test_all_pitches_are_in_the_vocabularies(corpus):
    pitch = np.concatenate([grid.pitch for grid in corpus.grids])
    lowest = np.where(pitch == REST, 127, pitch).min(axis=0)
    assert (lowest >= VOICE_LOWEST).all()
    assert (pitch.max(axis=0) < VOICE_LOWEST + N_VOICE - FIRST_PITCH).all()
    assert all(tokens_of(grid).min() >= 0 for grid in corpus.grids)


@pytest.mark.parametrize(
    ("name", "key", "meter", "pickup"),
    [
        ("bwv66.6", "f# minor", "4/4", 4),
        ("bwv269", "G major", "3/4", 4),
        ("bwv38.6", "a minor", "4/4", 0),  # Phrygian on E
        ("bwv40.3", "g minor", "4/4", 4),  # Dorian signature
        ("bwv298", "G major", "4/4", 4),  # Mixolydian signature
        ("bwv227.1", "e minor", "4/4", 0),
    ],
)
def test_known_pieces(corpus, name, key, meter, pickup):
    grid = corpus.grids[corpus.index(name)]
    assert (grid.key, str(grid.meter), grid.pickup) == (Key.parse(key), meter, pickup)


def test_titles_sources_and_rights_are_recorded(corpus):
    assert corpus.grids[corpus.index("bwv269")].title == "Aus meines Herzens Grunde"
    assert all(grid.title for grid in corpus.grids)
    assert all("music21" in source for source in corpus.sources)
    assert sum("Greentree" in licence for licence in corpus.licences) > 300
    assert all(corpus.licences)


def test_errata_are_marked_and_really_there(corpus):
    with ERRATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    marked = {name for name, errata in zip(corpus.names, corpus.errata, strict=True) if errata}
    assert marked == {row["name"] for row in rows} & set(corpus.names)
    for row in rows:
        # A cut silence shifts BWV 424 against the offsets of its file.
        if row["name"] not in marked or row["name"] == "bwv424":
            continue
        grid = corpus.grids[corpus.index(row["name"])]
        frame = int(4 * Fraction(row["offset_quarters"]))
        upper, lower = (grid.pitch[frame, "SATB".index(voice)] for voice in row["voices"])
        assert (upper - lower) % 12 == {"p5": 7, "p8": 0}[row["kind"]], row


def test_encoding_again_gives_what_is_shipped(corpus):
    for name in ("bwv66.6", "bwv339", "bwv36.4-2"):
        piece = encode(Path(music21.corpus.getWork(name)))
        shipped = corpus.grids[corpus.index(name)]
        np.testing.assert_array_equal(piece.grid.pitch, shipped.pitch)
        np.testing.assert_array_equal(piece.grid.onset, shipped.onset)
        assert (piece.grid.key, piece.grid.pickup) == (shipped.key, shipped.pickup)
        assert piece.simplified == corpus.simplified[corpus.index(name)]


def test_pieces_with_instruments_are_not_encoded():
    with pytest.raises(InputError, match="5 parts found"):
        encode(Path(music21.corpus.getWork("bwv1.6")))


def test_written_and_loaded_pieces_are_equal(tmp_path):
    piece = encode(Path(music21.corpus.getWork("bwv66.6")))
    save_corpus([piece], tmp_path / "one.npz")
    loaded = load_chorales(tmp_path / "one.npz")
    assert loaded.names == ("bwv66.6",)
    np.testing.assert_array_equal(loaded.grids[0].step, piece.grid.step)
    assert loaded.grids[0].key == piece.grid.key
    assert list(tmp_path.iterdir()) == [tmp_path / "one.npz"]


def test_a_missing_or_foreign_corpus_is_one_clear_error(tmp_path):
    with pytest.raises(CorpusError, match=r"missing; encode scores with"):
        load_chorales(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(CorpusError, match="no encoded corpus"):
        load_chorales(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", pitch=np.zeros(3))
    with pytest.raises(CorpusError, match="no encoded corpus"):
        load_chorales(tmp_path / "other.npz")


def test_an_unknown_name_is_refused(corpus):
    with pytest.raises(CorpusError, match="'bwv9999' is not in the corpus"):
        corpus.index("bwv9999")


def chord_grid(rows, meter="4/4", pickup=0):
    """One quarter a row of four MIDI numbers; a note starts where a voice's number changes."""
    pitch = np.repeat(np.array(rows), 4, axis=0)
    onset = np.zeros(pitch.shape, bool)
    onset[0] = True
    onset[1:] = pitch[1:] != pitch[:-1]
    onset &= pitch != REST
    return Grid(
        pitch,
        pitch * 0,
        onset,
        np.zeros(len(pitch), bool),
        Meter.parse(meter),
        Key.parse("C"),
        pickup,
    )


SILENT = (REST,) * 4
TONIC = (72, 67, 64, 48)
DOMINANT = (71, 67, 62, 55)
SUSPENDED = (72, 67, 62, 55)


def test_held_out_is_a_tenth_of_whole_tunes_and_recorded(corpus):
    chosen = held_out(corpus)
    assert 0.08 * len(corpus) <= len(chosen) <= 0.1 * len(corpus)
    assert chosen == held_out(corpus)
    for tune in tunes(corpus):
        assert set(tune) <= set(chosen) or not set(tune) & set(chosen)
    recorded = json.loads(CHORALES.with_name("held_out.json").read_text())
    assert recorded == [corpus.names[i] for i in chosen]


def test_settings_of_one_tune_are_together(corpus):
    groups = [{corpus.names[i] for i in tune} for tune in tunes(corpus)]
    assert sorted(i for tune in tunes(corpus) for i in tune) == list(range(len(corpus)))
    passion = {"bwv244.15", "bwv244.44", "bwv244.54", "bwv270", "bwv135.6"}
    assert any(passion <= group for group in groups)


def test_statistics_of_a_small_piece():
    grid = chord_grid([TONIC, TONIC, DOMINANT, TONIC, TONIC, DOMINANT, SUSPENDED, DOMINANT])
    found = statistics([grid])
    assert found["onsets_per_beat"] == {"S": 6 / 8, "A": 1 / 8, "T": 4 / 8, "B": 4 / 8}
    assert found["mean_pitch"]["A"] == 67
    assert found["chords_per_measure"] == (2 + 3) / 2
    assert found["longest_chord"] == found["longest_chord_of_all"] == 2
    assert found["strong_dissonance"] == 1 / 4
    assert found["melodic_intervals"]["S"]["step"] == 1
    assert found["melodic_intervals"]["B"]["fourth to fifth"] == 1
    # All six pairs begin; S, T and B move three times (three pairs of them, three with A); S alone
    # moves twice (three pairs).
    assert found["moving_together"] == (6 + 3 * 3) / (6 + 3 * 6 + 2 * 3)


def test_harmony_stands_still_where_a_beat_brings_the_chord_of_the_beat_before():
    struck_again = chord_grid([TONIC, TONIC, DOMINANT, TONIC])
    struck_again.onset[4] = True
    assert stillness([struck_again]) == 1 / 3
    # The second beat of two quarters each: what lies between the beats does not count.
    assert stillness([chord_grid([TONIC, DOMINANT, TONIC, SUSPENDED], meter="2/2")]) == 1
    assert stillness([chord_grid([TONIC])]) == 0


def test_statistics_leave_out_rests_and_count_every_sonority():
    assert chords(chord_grid([SILENT])).tolist() == [0] * 4
    assert statistics([chord_grid([SILENT, TONIC])])["longest_chord"] == 1
    seventh = (65, 62, 59, 55)
    assert statistics([chord_grid([seventh])])["strong_dissonance"] == 1
    diminished = (65, 62, 59, 50)
    assert statistics([chord_grid([diminished])])["strong_dissonance"] == 0


def test_notes_outside_the_scale_are_counted():
    leading, lowered = (72, 67, 64, 59), (70, 67, 63, 60)
    major = chord_grid([leading, lowered])
    assert statistics([major])["outside_scale"] == 2 / 7  # the fifth is held
    minor = replace(major, key=Key.parse("c"))
    assert statistics([minor])["outside_scale"] == 1 / 7  # only the major third


def test_statistics_of_the_corpus_are_plausible(corpus):
    found = statistics(corpus.grids)
    assert 0.8 < found["onsets_per_beat"]["S"] < 1.1
    assert 0.5 < found["moving_together"] < 0.8
    assert sum(found["melodic_intervals"]["T"].values()) == pytest.approx(1)
    assert found["melodic_intervals"]["S"]["step"] > found["melodic_intervals"]["B"]["larger"]


def test_keys_are_found_in_every_transposition(corpus):
    grid = corpus.grids[corpus.index("bwv66.6")]
    score = read_score(music21.corpus.getWork("bwv66.6"))
    assert infer_key(score) == grid.key
    assert infer_key(score, signature=3) == grid.key
    for up in range(1, 12):
        moved = tuple(
            Part(
                part.name,
                tuple(
                    Note(
                        n.id, n.onset, n.duration, SpelledPitch(n.pitch.semitone + up, n.pitch.step)
                    )
                    for n in part.notes
                ),
            )
            for part in score.parts
        )
        key = infer_key(Score(moved, score.meters, score.keys))
        assert (key.tonic_pc, key.mode) == ((grid.key.tonic_pc + up) % 12, grid.key.mode)


def test_loading_needs_neither_music21_nor_jax():
    code = (
        "import sys, clausula.corpus as c; c.load_chorales();"
        "print(sorted({'music21', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_grid_of_a_read_chorale_is_the_corpus_grid(corpus):
    grid = to_grid(read_score(music21.corpus.getWork("bwv269")))
    shipped = corpus.grids[corpus.index("bwv269")]
    np.testing.assert_array_equal(grid.pitch, shipped.pitch)
