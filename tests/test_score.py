from fractions import Fraction

import pytest

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score

C_MAJOR = ((Fraction(0), Key.parse("C major")),)
COMMON = (Fraction(0), Meter(4, 4))


def note(onset, duration, name="C4"):
    return Note("", Fraction(onset), Fraction(duration), SpelledPitch.parse(name))


def score(*meters, pickup=0, length=0, notes=()):
    part = Part("Soprano", tuple(notes))
    return Score((part,), meters or (COMMON,), C_MAJOR, Fraction(pickup), length=Fraction(length))


def test_a_note_ends_after_its_duration():
    assert note(Fraction(1, 2), Fraction(3, 4)).end == Fraction(5, 4)


def test_overlapping_notes_in_a_part_are_refused():
    with pytest.raises(InputError, match=r"Alto: C4 still sounds at quarter 1 when D4 begins"):
        Part("Alto", (note(0, 2), note(1, 1, "D4")))


def test_adjacent_notes_and_gaps_are_legal():
    assert len(Part("Alto", (note(0, 1), note(1, 1), note(3, 1))).notes) == 3


def test_maps_must_start_at_zero_and_run_forward():
    with pytest.raises(InputError, match="meter map must start at 0"):
        score((Fraction(1), Meter(4, 4)))
    with pytest.raises(InputError, match="key map must start at 0"):
        Score((), (COMMON,), ())
    with pytest.raises(InputError, match="meter map"):
        score(COMMON, (Fraction(8), Meter(3, 4)), (Fraction(4), Meter(2, 4)))


def test_length_is_never_before_the_last_note():
    assert score(notes=[note(0, 3)]).length == 3
    assert score(notes=[note(0, 3)], length=4).length == 4


@pytest.mark.parametrize(
    ("onset", "place"),
    [(0, (1, 1)), (3, (1, 4)), (4, (2, 1)), (Fraction(11, 2), (2, Fraction(5, 2)))],
)
def test_places_in_common_time(onset, place):
    assert score(length=8).place(Fraction(onset)) == place


def test_pickup_is_measure_zero_and_has_the_last_beats():
    piece = score(pickup=1, length=9)
    assert piece.place(Fraction(0)) == (0, 4)
    assert piece.place(Fraction(1, 2)) == (0, Fraction(9, 2))
    assert piece.place(Fraction(1)) == (1, 1)
    assert piece.place(Fraction(5)) == (2, 1)
    assert piece.measure_starts == (0, 1, 5)


def test_beats_are_dotted_in_compound_meters():
    piece = score((Fraction(0), Meter(6, 8)), length=6)
    assert piece.place(Fraction(3, 2)) == (1, 2)
    assert piece.place(Fraction(1, 2)) == (1, Fraction(4, 3))
    assert piece.place(Fraction(3)) == (2, 1)


def test_measures_are_counted_through_meter_changes():
    piece = score(
        COMMON, (Fraction(9), Meter(3, 4)), (Fraction(15), Meter(2, 2)), pickup=1, length=19
    )
    assert piece.measure_starts == (0, 1, 5, 9, 12, 15)
    assert piece.place(Fraction(12)) == (4, 1)
    assert piece.place(Fraction(17)) == (5, 2)
    assert piece.meter_at(Fraction(14)) == Meter(3, 4)
    assert piece.meter_at(Fraction(15)) == Meter(2, 2)


def test_a_measure_cut_by_a_meter_change_counts_as_one():
    piece = score(COMMON, (Fraction(6), Meter(3, 4)), length=9)
    assert piece.measure_starts == (0, 4, 6)
    assert piece.place(Fraction(6)) == (3, 1)


def test_places_past_the_end_go_on_in_the_last_meter():
    assert score(length=4).place(Fraction(9)) == (3, 2)


def test_key_in_force():
    keys = ((Fraction(0), Key.parse("C")), (Fraction(8), Key.parse("G")))
    piece = Score((), (COMMON,), keys)
    assert piece.key_at(Fraction(7)) == Key.parse("C")
    assert piece.key_at(Fraction(8)) == Key.parse("G")
