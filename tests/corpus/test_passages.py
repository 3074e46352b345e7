"""Which passages of a score fit the grid, and how they are cut."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from example_scores import part, score

from clausula.corpus.passages import OF_SEVERAL, gridded, on_frames, passages, scaled, trimmed
from clausula.grid import REST, Grid, Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score

LINES = ("C5:4 ", "G4:4 ", "E4:4 ", "C3:4 ")


def measures(count, *lines):
    """A score in 4/4 of the same measure over and over."""
    return score("4/4", "C", *(line * count for line in lines or LINES))


def spans(found):
    return [passage.measures for passage in found]


def test_notes_within_one_sixteenth_become_the_first():
    eighth = Fraction(1, 8)
    times = [(0, 3 * eighth), (3 * eighth, eighth), (1, eighth), (1 + eighth, eighth)]
    notes = [
        Note("", Fraction(a), Fraction(b), SpelledPitch(60 + i, 28))
        for i, (a, b) in enumerate(times)
    ]
    odd = Score(
        (Part("S", tuple(notes)),), ((Fraction(0), Meter(4, 4)),), ((Fraction(0), Key.parse("C")),)
    )
    simple, changed = on_frames(odd)
    quarter = Fraction(1, 4)
    assert [(n.onset, n.duration, n.pitch.semitone) for n in simple.parts[0].notes] == [
        (0, quarter, 60),
        (quarter, quarter, 61),
        (1, quarter, 62),
    ]
    assert changed == [note.onset for note in notes]
    assert on_frames(simple) == (simple, [])
    assert on_frames(odd, 8) == (odd, [])


def test_halving_note_values_halves_the_meter_with_them():
    long = score("4/2", "C", *(line.replace("4 ", "8 ") * 8 for line in LINES), pickup="2")
    half = scaled(long, Fraction(1, 2))
    assert half.meters == ((0, Meter(4, 4)),)
    assert (half.pickup, half.length) == (1, 32)
    assert [n.duration for n in half.parts[0].notes] == [4] * 8
    assert scaled(half, Fraction(2)) == long
    assert scaled(long, Fraction(1)) is long


def test_a_piece_that_fits_is_kept_whole_however_short():
    found, left_out = passages(measures(2))
    assert (spans(found), left_out, found[0].simplified) == ([None], {}, False)
    assert len(gridded(found[0], "t")) == 32


def test_a_change_of_meter_cuts():
    changing = replace(
        measures(20), meters=((Fraction(0), Meter(4, 4)), (Fraction(40), Meter(2, 4)))
    )
    found, left_out = passages(changing)
    assert spans(found) == [(1, 10), (11, 30)]
    assert [str(passage.score.meters[0][1]) for passage in found] == ["4/4", "2/4"]
    assert left_out == {}
    grids = [gridded(passage, "t") for passage in found]
    assert [len(grid) for grid in grids] == [160, 160]


def test_a_short_stretch_is_left_out_and_counted():
    changing = replace(
        measures(12), meters=((Fraction(0), Meter(4, 4)), (Fraction(36), Meter(3, 4)))
    )
    found, left_out = passages(changing)
    assert spans(found) == [(1, 9)]
    assert left_out == {"stretches shorter than 8 measures": 4}


def test_a_pickup_stays_with_the_first_passage():
    lines = [f"{line[:2]}:1 " + line * 12 for line in LINES]
    changing = replace(
        score("4/4", "C", *lines, pickup="1"),
        meters=((Fraction(0), Meter(4, 4)), (Fraction(33), Meter(2, 4))),
    )
    found, _ = passages(changing)
    assert spans(found) == [(0, 8), (9, 16)]
    assert [gridded(passage, "t").pickup for passage in found] == [4, 0]
    assert np.flatnonzero(gridded(found[0], "t").position == 0).tolist() == list(range(4, 132, 16))


def test_pitches_outside_the_vocabulary_cut():
    high = measures(20, "C5:4 " * 1, *LINES[1:])
    soprano = high.parts[0]
    notes = list(soprano.notes)
    notes[9] = replace(notes[9], pitch=SpelledPitch.parse("F6"))
    found, left_out = passages(
        replace(high, parts=(replace(soprano, notes=tuple(notes)), *high.parts[1:]))
    )
    assert spans(found) == [(1, 9), (11, 20)]
    assert left_out == {"pitches outside MIDI 34 to 86": 1}


def test_a_note_across_a_cut_is_cut_there():
    tied = score("4/4", "C", "C5:80", *(line * 20 for line in LINES[1:]))
    changing = replace(tied, meters=((Fraction(0), Meter(4, 4)), (Fraction(40), Meter(2, 4))))
    found, _ = passages(changing)
    assert [passage.score.parts[0].notes[0].duration for passage in found] == [40, 40]
    assert all(gridded(passage, "t").onset[0, 0] for passage in found)


def five_parts(rests):
    """Five parts, each silent in the measures (from 0) that are its own."""
    parts = []
    for i, pitch in enumerate(("C5", "A4", "G4", "E4", "C3")):
        words = ("r:4 " if m in rests[i] else f"{pitch}:4 " for m in range(20))
        parts.append(part(f"P{i}", "".join(words)))
    return replace(measures(20), parts=tuple(parts))


def test_a_part_that_rests_throughout_a_passage_is_left_out_of_it():
    found, left_out = passages(five_parts([range(2, 12), (), range(9, 20), (), ()]))
    assert spans(found) == [(10, 20)]
    assert [p.name for p in found[0].score.parts] == ["P0", "P1", "P3", "P4"]
    assert left_out == {"5 parts sound, but the grid has four voices": 9}


def test_five_parts_that_all_sound_do_not_fit():
    assert passages(five_parts([()] * 5)) == (
        [],
        {"5 parts sound, but the grid has four voices": 20},
    )


def test_too_few_parts_do_not_fit():
    found, left_out = passages(score("4/4", "C", "C5:4 " * 9, "E4:4 " * 9))
    assert (found, left_out) == ([], {"2 parts sound, but the grid has four voices": 9})


@pytest.fixture
def triplets():
    """Twenty measures; those from the eleventh to the twelfth have triplets."""
    soprano = "C5:4 " * 10 + "C5:1/3 D5:1/3 E5:10/3 " * 2 + "C5:4 " * 8
    return score("4/4", "C", soprano, *(line * 20 for line in LINES[1:]))


def test_notes_off_the_grid_cut_where_they_are_many(triplets):
    found, left_out = passages(triplets)
    assert spans(found) == [(1, 10), (13, 20)]
    ((reason, count),) = left_out.items()
    assert "off the grid of 4 frames" in reason
    assert "--frames-per-quarter" in reason
    assert count == 2
    assert not any(passage.simplified for passage in found)


def test_a_finer_grid_holds_triplets(triplets):
    (whole,), left_out = passages(triplets, 12)
    assert (whole.measures, whole.simplified, left_out) == (None, False, {})
    grid = gridded(whole, "t", 12)
    assert (len(grid), grid.frames_per_quarter) == (20 * 48, 12)
    assert np.flatnonzero(grid.onset[480:528, 0]).tolist() == [0, 4, 8]


def test_few_changed_notes_are_rounded_and_marked():
    soprano = "C5:4 " * 10 + "C5:1/3 D5:11/3 " + "C5:4 " * 9
    (whole,), _ = passages(score("4/4", "C", soprano, *(line * 20 for line in LINES[1:])))
    assert (whole.measures, whole.simplified) == (None, True)


def test_notes_kept_of_several_count_as_changed():
    plain = measures(20)
    marked = tuple(replace(n, text=OF_SEVERAL) for n in plain.parts[0].notes)
    found, left_out = passages(
        replace(plain, parts=(replace(plain.parts[0], notes=marked), *plain.parts[1:]))
    )
    assert found == []
    assert sum(left_out.values()) == 20


def test_the_key_of_a_passage_is_its_own():
    modulating = score(
        "4/4",
        "C",
        "C5:2 B4:2 " * 9 + "C5:4 " + "D5:2 C#5:2 " * 9 + "D5:4 ",
        "G4:4 " * 10 + "A4:4 " * 10,
        "E4:2 D4:2 " * 9 + "E4:4 " + "F#4:2 E4:2 " * 9 + "F#4:4 ",
        "C3:2 G3:2 " * 9 + "C3:4 " + "D3:2 A3:2 " * 9 + "D3:4 ",
    )
    modulating = replace(
        modulating,
        meters=((Fraction(0), Meter(4, 4)), (Fraction(40), Meter(2, 4))),
        keys=((Fraction(0), Key.parse("C")), (Fraction(40), Key.parse("D"))),
    )
    found, _ = passages(modulating)
    assert [str(gridded(passage, "t").key) for passage in found] == ["C major", "D major"]


def test_silence_at_the_ends_is_cut():
    grid = gridded(passages(score("4/4", "C", *(f"r:4 {line}r:4" for line in LINES)))[0][0], "t")
    assert (len(grid), grid.pickup) == (16, 0)
    pitch = np.full((32, 4), REST)
    pitch[12:20] = 60
    onset = pitch != REST
    late = Grid(pitch, 0 * pitch, onset, np.zeros(32, bool), Meter(4, 4), Key.parse("C"), 8)
    assert (len(trimmed(late)), trimmed(late).pickup) == (8, 12)
