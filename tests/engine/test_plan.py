"""Plans: forms, default cadences, returns, keys by time, and what is refused."""

from fractions import Fraction

import pytest

from clausula.constraints.text import parse_cadences, parse_constraint
from clausula.engine.plan import make_plan
from clausula.errors import PlanError
from clausula.grid import Meter
from clausula.pitch import Key

G = Key.parse("G")


def plan_of(measures=16, meter="4/4", form=None, cadences=None, constraints=()):
    return make_plan(
        key=G,
        meter=Meter.parse(meter),
        measures=measures,
        form=form,
        cadences=parse_cadences(cadences) if cadences else None,
        constraints=[parse_constraint(text) for text in constraints],
    )


def test_the_default_is_a_rounded_song_form():
    plan = plan_of()
    assert [str(p) for p in plan.phrases] == ["A", "A'", "B", "A"]
    assert [str(c) for c in plan.cadences] == ["HC@4.3", "PAC@8.3", "HC@12.3", "PAC@16.3"]
    assert [str(r) for r in plan.repeats] == [
        "repeat 1-2 @ 5 in S",
        "repeat 1-3 @ 13 in S",
    ]


@pytest.mark.parametrize(
    ("meter", "beat"), [("4/4", 3), ("3/4", 1), ("2/4", 1), ("6/4", 4), ("3/2", 1)]
)
def test_phrases_arrive_in_the_second_half_of_even_measures(meter, beat):
    assert {c.beat for c in plan_of(meter=meter).cadences} == {Fraction(beat)}


def test_a_theme_returns_up_to_the_measures_of_its_cadences():
    plan = plan_of(meter="3/4")  # arrivals on downbeats: approached in the measure before
    assert [str(r) for r in plan.repeats] == ["repeat 1-2 @ 5 in S", "repeat 1-2 @ 13 in S"]


def test_a_key_turns_in_time_for_its_cadence():
    plan = plan_of(measures=4, form="A B", cadences="HC@2.3,PAC@4:iii")
    assert plan.keys == ((0, G), (2 * 16 + 4, Key.parse("b")))


def test_a_cadence_that_is_asked_for_replaces_the_forms_own():
    plan = plan_of(constraints=["IAC@12"])
    assert [str(c) for c in plan.cadences] == ["HC@4.3", "PAC@8.3", "IAC@12", "PAC@16.3"]


def test_a_return_that_is_asked_for_replaces_the_forms_own():
    asked = ["repeat 1-2 @ 6 up M2 in S", "repeat 1-3 @ 13 in B"]
    plan = plan_of(constraints=asked)
    assert [str(r) for r in plan.repeats] == ["repeat 1-3 @ 13 in S", *asked]
    assert [str(c) for c in plan.asked] == asked


def test_a_phrase_turns_to_its_cadences_key_at_its_middle():
    plan = plan_of(cadences="HC@4.3,PAC@8.3:V,HC@12.3,PAC@16.3")
    dominant = Key.parse("D")
    assert plan.keys == ((0, G), (6 * 16, dominant), (8 * 16, G))
    assert plan.key_at(6 * 16 - 1) == G
    assert plan.key_at(7 * 16) == dominant


def test_a_passage_that_returns_elsewhere_brings_its_key():
    plan = plan_of(form="A B C D", constraints=["repeat 1-2 @ 9 up P5 in S"])
    assert plan.key_at(8 * 16) == Key.parse("D")
    assert plan.key_at(10 * 16) == G


def test_fermatas_run_from_the_arrival_to_the_phrase_end():
    plan = plan_of(measures=8)
    assert plan.fermatas == ((24, 32), (56, 64), (88, 96), (120, 128))
    assert plan.phrase_end.sum() == 32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"measures": 7, "form": "A B"}, "try 8 measures"),
        ({"form": "A ? B"}, "is not a form"),
        ({"form": ""}, "is not a form"),
        ({"cadences": "PAC@5,PAC@16.3"}, "no phrase ends in measure 5"),
        ({"cadences": "PAC@16,HC@16.3"}, "both end one phrase"),
        ({"cadences": "PAC@16.9"}, "has beats 1 to 4"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments, words):
    with pytest.raises(PlanError, match=words):
        plan_of(**arguments)
