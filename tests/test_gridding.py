from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.corpus import load_chorales
from clausula.errors import InputError
from clausula.grid import REST, Grid, Meter
from clausula.gridding import note_spans, to_grid, to_score
from clausula.pitch import Key, Mode, SpelledPitch
from clausula.score import Note, Part, Score

ARRAYS = ("pitch", "step", "onset", "phrase_end")


def assert_same_music(one, other):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
    for name in ("meter", "key", "pickup", "frames_per_quarter", "title"):
        assert getattr(one, name) == getattr(other, name)


@st.composite
def voices(draw, frames):
    """One column of pitch, step and onset: notes and rests of any length."""
    pitch, step = np.full(frames, REST), np.zeros(frames, int)
    onset = np.zeros(frames, bool)
    start = 0
    while start < frames:
        end = start + draw(st.integers(1, 6))
        if draw(st.integers(0, 4)):
            pitch[start:end] = semitone = draw(st.integers(36, 84))
            letters = (0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6)
            raised = draw(st.booleans()) and semitone % 12 in (1, 3, 6, 8, 10)
            step[start:end] = 7 * (semitone // 12 - 1) + letters[semitone % 12] + raised
            onset[start] = True
        start = end
    return pitch, step, onset


@st.composite
def grids(draw):
    frames = draw(st.integers(1, 40))
    columns = [draw(voices(frames)) for _ in range(4)]
    pitch, step, onset = (np.stack(arrays, axis=1) for arrays in zip(*columns, strict=True))
    grid = Grid(
        pitch,
        step,
        onset,
        np.zeros(frames, bool),
        draw(st.sampled_from([Meter(4, 4), Meter(3, 4), Meter(6, 8)])),
        Key.parse(draw(st.sampled_from(["G major", "f# minor", "Bb major"]))),
        draw(st.integers(0, 11)),
        draw(st.sampled_from([4, 12])),
        "Drawn",
    )
    # A phrase ends on whole notes of one voice, with a frame between two ends.
    for start, end in note_spans(grid, draw(st.integers(0, 3))):
        if draw(st.booleans()) and not grid.phrase_end[max(0, start - 1)]:
            grid.phrase_end[start:end] = True
    return grid


@settings(deadline=None, max_examples=60)
@given(grids())
def test_a_grid_written_and_read_is_the_same(grid):
    assert_same_music(to_grid(to_score(grid), frames_per_quarter=grid.frames_per_quarter), grid)


def test_every_chorale_survives_the_round_trip():
    for grid in load_chorales().grids:
        assert_same_music(to_grid(to_score(grid)), grid)


@pytest.fixture
def chorale():
    corpus = load_chorales()
    return corpus.grids[corpus.index("bwv66.6")]


def test_a_score_survives_the_round_trip(chorale):
    score = to_score(chorale)
    assert to_score(to_grid(score)) == score


def test_notation_of_a_grid(chorale):
    score = to_score(chorale)
    assert [part.name for part in score.parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert [part.clef for part in score.parts] == ["treble", "treble", "treble8vb", "bass"]
    assert [note.id for note in score.parts[0].notes[:3]] == ["S1", "S2", "S3"]
    assert [note.pitch.name for note in score.parts[3].notes[:3]] == ["A3", "G#3", "F#3"]
    assert [score.place(n.onset) for n in score.parts[0].notes if n.fermata][:2] == [(1, 3), (2, 3)]
    assert score.pickup == 1
    assert score.keys == ((0, Key.parse("f#")),)


def test_ids_can_be_left_out_and_the_title_given(chorale):
    score = to_score(chorale, ids=False, title="Mine")
    assert {note.id for part in score.parts for note in part.notes} == {""}
    assert score.title == "Mine"


def test_local_keys_are_changes_of_signature(chorale):
    score = to_score(chorale, local_keys=[(16, Key.parse("A major"))])
    assert score.keys == ((0, Key.parse("f#")), (4, Key.parse("A major")))


def test_only_the_last_note_of_a_phrase_end_has_a_fermata():
    pitch = np.tile([72, 67, 64, 48], (8, 1))
    onset = np.zeros((8, 4), bool)
    onset[0] = True
    onset[4, 1] = True
    grid = Grid(pitch, pitch * 0 + 28, onset, np.ones(8, bool), Meter(2, 4), Key.parse("C"))
    assert [[n.fermata for n in part.notes] for part in to_score(grid).parts] == [
        [True],
        [False, True],
        [True],
        [True],
    ]


COMMON = ((Fraction(0), Meter(4, 4)),)


def score_of(*lines, meters=COMMON, key="C", key_given=True):
    parts = []
    for i, line in enumerate(lines):
        notes = [
            Note("", Fraction(onset), Fraction(duration), SpelledPitch.parse(name))
            for onset, duration, name in line
        ]
        parts.append(Part(f"Line {i + 1}", tuple(notes)))
    keys = ((Fraction(0), Key.parse(key)),)
    return Score(tuple(parts), meters, keys, length=Fraction(4), key_given=key_given)


WHOLE_C = [(0, 4, "C4")]


def test_rests_repeats_and_spelling_on_the_grid():
    soprano = [(0, 1, "D#5"), (1, 1, "Eb5"), (3, 1, "Eb5")]
    grid = to_grid(score_of(soprano, WHOLE_C, WHOLE_C, WHOLE_C))
    assert grid.pitch[::4, 0].tolist() == [75, 75, REST, 75]
    assert grid.step[::4, 0].tolist() == [36, 37, 0, 37]
    assert np.flatnonzero(grid.onset[:, 0]).tolist() == [0, 4, 12]


def test_five_parts_are_refused():
    with pytest.raises(InputError, match=r"5 parts found \(Line 1, .*Line 5\).*try a score"):
        to_grid(score_of(*[WHOLE_C] * 5))


def test_a_change_of_meter_is_refused():
    meters = ((Fraction(0), Meter(2, 4)), (Fraction(2), Meter(1, 4)))
    with pytest.raises(InputError, match=r"changes to 1/4 in measure 2"):
        to_grid(score_of(*[WHOLE_C] * 4, meters=meters))


def test_notes_off_the_grid_are_refused_where_they_are():
    third = Fraction(1, 3)
    alto = [(0, 1, "C4"), (1, third, "D4"), (1 + third, 2 * third, "E4")]
    score = score_of(WHOLE_C, alto, WHOLE_C, WHOLE_C)
    with pytest.raises(InputError, match=r"Line 2, measure 1, beat 2: D4 .* 12 frames a quarter"):
        to_grid(score)
    grid = to_grid(score, frames_per_quarter=12)
    assert np.flatnonzero(grid.onset[:, 1]).tolist() == [0, 12, 16]


def test_the_key_is_inferred_when_only_a_signature_is_given():
    soprano = [(0, 1, "A4"), (1, 1, "B4"), (2, 1, "G#4"), (3, 1, "A4")]
    bass = [(0, 1, "A3"), (1, 2, "E3"), (3, 1, "A2")]
    alto = [(0, 1, "E4"), (1, 2, "E4"), (3, 1, "C4")]
    score = score_of(soprano, alto, alto, bass, key_given=False)
    assert to_grid(score).key == Key(9, 5, Mode.MINOR)
    assert to_grid(replace(score, key_given=True)).key == Key.parse("C")
    assert to_grid(score, key=Key.parse("G")).key == Key.parse("G")
