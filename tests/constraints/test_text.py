"""Constraints as text: forms, round trips, nonsense."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clausula.constraints.cadence import Cadence, CadenceKind
from clausula.constraints.pins import Pin
from clausula.constraints.place import Degree, Place, Span
from clausula.constraints.repeat import Repeat
from clausula.constraints.text import parse_cadences, parse_constraint
from clausula.constraints.transposition import Direction, InKey, Interval, Real, Tonal
from clausula.errors import InputError
from clausula.grid import Voice
from clausula.pitch import Key, Mode, SpelledPitch

PAC, IAC, HC = CadenceKind.PAC, CadenceKind.IAC, CadenceKind.HC
DOMINANT = Degree(4, Mode.MAJOR)


@pytest.mark.parametrize(
    ("text", "cadence"),
    [
        ("PAC@8", Cadence(PAC, 8)),
        (" pac @ 8.3 ", Cadence(PAC, 8, Fraction(3))),
        ("IAC@8.3.5", Cadence(IAC, 8, Fraction(7, 2))),
        ("IAC@8.7/2", Cadence(IAC, 8, Fraction(7, 2))),
        ("HC@4:V", Cadence(HC, 4, key=DOMINANT)),
        ("HC@4 in ii", Cadence(HC, 4, key=Degree(1, Mode.MINOR))),
        ("PAC@8 in D", Cadence(PAC, 8, key=Key.parse("D"))),
        ("PAC@8.2:bb minor", Cadence(PAC, 8, Fraction(2), Key.parse("bb"))),
    ],
)
def test_cadences_are_read(text, cadence):
    assert parse_constraint(text) == cadence


def test_a_list_of_cadences_is_read():
    assert parse_cadences("HC@4.3,PAC@8.3:V, HC@12.3,PAC@16.3") == (
        Cadence(HC, 4, Fraction(3)),
        Cadence(PAC, 8, Fraction(3), DOMINANT),
        Cadence(HC, 12, Fraction(3)),
        Cadence(PAC, 16, Fraction(3)),
    )


@pytest.mark.parametrize(
    ("text", "repeat"),
    [
        ("repeat 1-3 @ 13", Repeat(Span(Place(1), Place(4)), Place(13))),
        ("repeat 2 @ 5", Repeat(Span(Place(2), Place(3)), Place(5))),
        (
            "repeat 1-3 @ 13 up P5 in S",
            Repeat(Span(Place(1), Place(4)), Place(13), Real(Interval(7, 4))),
        ),
        (
            "repeat 1.2-3.2 @ 13.2 down m3 in soprano",
            Repeat(
                Span(Place(1, Fraction(2)), Place(3, Fraction(2))),
                Place(13, Fraction(2)),
                Real(Interval(-3, -2)),
            ),
        ),
        ("repeat 1-3@5 tonal down 2", Repeat(Span(Place(1), Place(4)), Place(5), Tonal(-2))),
        (
            "repeat 1-3 @ 5 to D minor down in S, A",
            Repeat(
                Span(Place(1), Place(4)),
                Place(5),
                InKey(Key.parse("d"), Direction.DOWN),
                (Voice.SOPRANO, Voice.ALTO),
            ),
        ),
        ("repeat 1-3 @ 5 to V", Repeat(Span(Place(1), Place(4)), Place(5), InKey(DOMINANT))),
    ],
)
def test_repeats_are_read(text, repeat):
    assert parse_constraint(text) == repeat


def test_pins_are_read():
    low_d = SpelledPitch.parse("D3")
    assert parse_constraint("pin bass @ 5.1 D3") == Pin(Voice.BASS, 5, Fraction(1), low_d)
    assert parse_constraint("pin B @ 5 D3 sounding") == Pin(
        Voice.BASS, 5, Fraction(1), low_d, False
    )


beats = st.fractions(1, 4, max_denominator=4)
places = st.builds(Place, st.integers(0, 40), beats)
keys = st.one_of(
    st.sampled_from(["C", "f#", "Bb", "e"]).map(Key.parse),
    st.builds(Degree, st.integers(0, 6), st.sampled_from(Mode)),
)
intervals = st.builds(
    Interval.parse,
    st.sampled_from(["P1", "m2", "M3", "A4", "d5", "P8", "M10", "P12"]),
    st.sampled_from([Direction.UP, Direction.DOWN]),
)
spans = st.builds(Span, places, st.builds(Place, st.integers(1, 40), beats))
hows = st.one_of(
    st.builds(Real, intervals),
    st.builds(Tonal, st.integers(-7, 7)),
    st.builds(InKey, keys, st.sampled_from(Direction)),
)
constraints = st.one_of(
    st.builds(Cadence, st.sampled_from(CadenceKind), st.integers(0, 40), beats, st.none() | keys),
    st.builds(Repeat, spans, places, hows),
    st.builds(
        Pin,
        st.sampled_from(Voice),
        st.integers(0, 40),
        beats,
        st.sampled_from(["F#4", "Bb3", "E4"]).map(SpelledPitch.parse),
        st.booleans(),
    ),
)


@given(constraints)
def test_text_of_a_constraint_reads_back(constraint):
    assert parse_constraint(str(constraint)) == constraint


@pytest.mark.parametrize(
    "text", ["", "PAC", "PAC@", "PAC@x", "EC@8", "PAC@8 D", "repeat 1-3", "pin bass 5.1 D3", "@8"]
)
def test_nonsense_lists_the_forms(text):
    with pytest.raises(InputError, match=r"is not a constraint; write one of PAC@8\.3"):
        parse_constraint(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PAC@8 in H", "'H' is not a key"),
        ("repeat 1-3 @ 5 sideways", "does not say how a passage returns"),
        ("repeat 1-3 @ 5 up M5", "'M5' is not an interval"),
        ("repeat 1-3 @ 5 up P5 in X", "'X' is not a voice"),
        ("pin bass @ 5 H3", "'H3' is not a pitch"),
        ("pin cello @ 5 D3", "'cello' is not a voice"),
    ],
)
def test_a_wrong_part_is_named(text, words):
    with pytest.raises(InputError, match=words):
        parse_constraint(text)


def test_a_list_names_the_part_that_is_no_cadence():
    with pytest.raises(InputError, match="'pin bass @ 5 D3' is not a cadence"):
        parse_cadences("PAC@8,pin bass @ 5 D3")
