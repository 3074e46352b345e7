"""Places, phrases and keys named from the home key."""

from fractions import Fraction

import pytest

from clausula.constraints.place import Degree, Place, Span, Timeline, numeral
from clausula.errors import PlanError
from clausula.grid import Meter
from clausula.pitch import Key, Mode

PICKUP = Timeline(Meter(4, 4), 4, pickup=4, phrase_ends=(32,))


def test_the_last_measure_completes_the_pickup():
    assert PICKUP.n_frames == 64
    assert PICKUP.place(0) == Place(0, Fraction(4))
    assert PICKUP.place(4) == Place(1)
    assert PICKUP.place(63) == Place(4, Fraction(15, 4))
    assert PICKUP.position[:5].tolist() == [12, 13, 14, 15, 0]


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "2/2", "5/4", "3/8"])
@pytest.mark.parametrize("pickup", [0, 2])
def test_frames_and_places_are_inverse(meter, pickup):
    timeline = Timeline(Meter.parse(meter), 3, pickup=pickup)
    for frame in range(timeline.n_frames):
        assert timeline.frame_of(*timeline.place(frame)) == frame


def test_a_beat_is_in_the_meters_unit():
    assert Timeline(Meter(6, 8), 2).frame_of(2, Fraction(2)) == 18
    assert Timeline(Meter(2, 2), 2).frame_of(2, Fraction(2)) == 24


@pytest.mark.parametrize(
    ("measure", "beat", "words"),
    [
        (0, Fraction(3), "runs from measure 0 beat 4"),
        (4, Fraction(4), "to measure 4 beat 15/4"),
        (2, Fraction(5), "beats 1 to 4"),
        (2, Fraction(0), "beats 1 to 4"),
        (2, Fraction(7, 3), "between two frames"),
    ],
)
def test_places_outside_are_refused(measure, beat, words):
    with pytest.raises(PlanError, match=words):
        PICKUP.frame_of(measure, beat)


def test_phrases_run_from_end_to_end():
    assert [(PICKUP.phrase_start(f), PICKUP.phrase_end(f)) for f in (0, 31, 32, 63)] == [
        (0, 32),
        (0, 32),
        (32, 64),
        (32, 64),
    ]


def test_a_span_may_end_with_the_piece():
    assert PICKUP.frames(Span(Place(3), Place(5))) == range(36, 64)
    assert PICKUP.frames(Span(Place(0, Fraction(4)), Place(1, Fraction(2)))) == range(8)
    with pytest.raises(PlanError, match="end comes before the start"):
        PICKUP.frames(Span(Place(3), Place(2)))
    with pytest.raises(PlanError, match="outside the piece"):
        PICKUP.frames(Span(Place(3), Place(6)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measures": 0}, "no piece"),
        ({"pickup": 16}, "does not fit a measure of 16"),
        ({"phrase_ends": (32, 16)}, "do not ascend"),
        ({"phrase_ends": (65,)}, "do not ascend within the piece's 64"),
    ],
)
def test_impossible_timelines_are_refused(changes, words):
    with pytest.raises(PlanError, match=words):
        Timeline(**({"meter": Meter(4, 4), "measures": 4} | changes))


@pytest.mark.parametrize(
    ("text", "home", "key"),
    [
        ("V", "D", "A major"),
        ("v", "d", "A minor"),
        ("V", "d", "A major"),
        ("III", "d", "F major"),
        ("vi", "Eb", "C minor"),
        ("VII", "e", "D major"),
        ("i", "G", "G minor"),
    ],
)
def test_numerals_name_keys(text, home, key):
    degree = numeral(text)
    assert str(degree.of(Key.parse(home))) == key
    assert str(degree) == text


def test_what_is_no_numeral_names_no_key():
    assert [numeral(text) for text in ("VIII", "Iv", "D", "")] == [None] * 4


def test_a_key_of_too_many_accidentals_is_refused():
    with pytest.raises(
        PlanError, match="leads to G# major, whose signature would need 8 accidentals"
    ):
        Degree(5, Mode.MAJOR).of(Key.parse("B"))


def test_a_piece_as_long_as_it_is_said_to_be():
    longer = Timeline(Meter(3, 4), 3, pickup=4, length=40)
    assert longer.n_frames == 40
    assert longer.place(39) == Place(3, Fraction(15, 4))
    assert longer.frames(Span(Place(3), Place(4))) == range(28, 40)
    shortened = Timeline(Meter(3, 4), 3, pickup=4)
    assert shortened.frames(Span(Place(3), Place(4))) == range(28, 36)
