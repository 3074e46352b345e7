from fractions import Fraction
from itertools import pairwise

import pytest
from example_scores import score
from hypothesis import given
from hypothesis import strategies as st

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.notation import (
    accidental_flags,
    metrical_weight,
    note_cuts,
    rest_cuts,
    symbols_in,
)
from clausula.pitch import Key
from clausula.score import Score

METERS = ("4/4", "3/4", "2/4", "2/2", "6/8", "9/8", "12/8", "3/8", "5/4")


@pytest.mark.parametrize(
    ("meter", "start", "end", "cuts"),
    [
        ("4/4", "0", "4", []),
        ("4/4", "0", "5/2", ["2"]),
        ("4/4", "0", "5/4", ["1"]),
        ("4/4", "1", "3", []),  # quarter, half, quarter
        ("4/4", "1", "5/2", []),  # dotted quarter on the second beat
        ("4/4", "1/2", "3/2", []),  # eighth, quarter, eighth
        ("4/4", "3/2", "5/2", ["2"]),  # the middle of the measure shows
        ("4/4", "3/2", "3", ["2"]),
        ("4/4", "1/2", "2", []),
        ("4/4", "1/2", "4", ["2"]),
        ("4/4", "1/4", "5/4", ["1"]),
        ("4/4", "1/4", "1", []),
        ("4/4", "2/3", "4/3", []),  # the second of three quarters in the time of two
        ("3/4", "3/2", "5/2", []),
        ("3/4", "0", "5/2", ["2"]),
        ("3/4", "1/2", "3", ["1"]),
        ("6/8", "0", "2", ["3/2"]),  # beats of compound meters show
        ("6/8", "1", "2", ["3/2"]),
        ("6/8", "1/2", "3/2", []),
        ("6/8", "0", "3", []),
        ("9/8", "0", "9/2", ["3"]),
        ("5/4", "0", "5", ["4"]),
    ],
)
def test_notes_are_cut_where_a_strong_position_would_be_hidden(meter, start, end, cuts):
    found = note_cuts(Fraction(start), Fraction(end), Meter.parse(meter))
    assert found == tuple(Fraction(cut) for cut in cuts)


@pytest.mark.parametrize(
    ("meter", "start", "end", "cuts"),
    [
        ("4/4", "0", "2", []),
        ("4/4", "1", "3", ["2"]),  # no syncopated rests
        ("4/4", "1", "4", ["2"]),
        ("4/4", "0", "3", ["2"]),  # no dotted rests longer than a beat in simple meters
        ("4/4", "1/2", "3/2", ["1"]),
        ("3/4", "1", "3", ["2"]),
        ("4/4", "0", "3/4", []),
        ("6/8", "0", "3/2", []),
        ("6/8", "1", "2", ["3/2"]),
    ],
)
def test_rests_hide_no_beat(meter, start, end, cuts):
    found = rest_cuts(Fraction(start), Fraction(end), Meter.parse(meter))
    assert found == tuple(Fraction(cut) for cut in cuts)


@given(st.sampled_from(METERS), st.integers(0, 40), st.integers(1, 40), st.sampled_from([4, 6, 8]))
def test_every_stretch_between_cuts_is_one_symbol(meter_name, start, length, unit):
    meter = Meter.parse(meter_name)
    begin, end = Fraction(start, unit), Fraction(start + length, unit)
    if end > meter.quarters:
        return
    for cut in (note_cuts, rest_cuts):
        edges = [begin, *cut(begin, end, meter), end]
        lengths = [b - a for a, b in pairwise(edges)]
        assert min(lengths) > 0
        for value in lengths:
            undotted = value / 3 * 2 if value.numerator % 3 == 0 else value
            plain = undotted * 3 / 2 if undotted.denominator % 3 == 0 else undotted
            assert plain.numerator.bit_count() == plain.denominator.bit_count() == 1


def test_weights_fall_from_the_bar_line_to_the_divisions():
    meter = Meter(4, 4)
    weights = [metrical_weight(Fraction(i, 4), meter) for i in (0, 8, 4, 2, 1)]
    assert weights == sorted(set(weights), reverse=True)
    assert metrical_weight(Fraction(3, 2), Meter(6, 8)) == metrical_weight(Fraction(1), Meter(3, 4))


def test_quintuplets_are_refused_in_words():
    piece = score("4/4", "C", "C5:1/5 D5:1/5 E5:1/5 F5:1/5 G5:1/5 A5:3")
    with pytest.raises(InputError, match="no symbol lasts"):
        symbols_in(piece.parts[0], piece, Fraction(0), Fraction(4))


def _printed(key, line, start=0, end=4):
    piece = score("4/4", key, line)
    symbols = symbols_in(piece.parts[0], piece, Fraction(start), Fraction(end))
    flags = accidental_flags(symbols, piece)
    return [s.note.pitch.name for s, flag in zip(symbols, flags, strict=True) if flag]


def test_accidentals_last_through_the_measure_in_their_octave():
    assert _printed("C", "F#4:1 F#4:1 F#5:1 F#4:1") == ["F#4", "F#5"]


def test_a_cancelled_accidental_prints_a_natural():
    assert _printed("G", "F#4:1 F4:1 F4:1 F#4:1") == ["F4", "F#4"]
    assert _printed("Eb", "E4:1 Eb4:1 Ab4:1 A4:1") == ["E4", "Eb4", "A4"]


def test_a_tie_over_the_bar_line_neither_repeats_nor_keeps_the_accidental():
    line = "C5:3 F#4:2 F4:1 F#4:2"
    assert _printed("C", line) == ["F#4"]
    assert _printed("C", line, 4, 8) == ["F#4"]


def test_a_new_signature_ends_what_the_old_one_needed():
    piece = score("4/4", "C", "F#4:1 F#4:1 F#4:1 F4:1")
    piece = Score(piece.parts, piece.meters, (*piece.keys, (Fraction(2), Key.parse("G"))))
    symbols = symbols_in(piece.parts[0], piece, Fraction(0), Fraction(4))
    assert accidental_flags(symbols, piece) == [True, False, False, True]
