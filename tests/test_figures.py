"""Figures as they are written, and the tones that they mean."""

import pytest

from clausula.chords import tone_name
from clausula.errors import InputError
from clausula.figures import named_tones, readings_of, tones_of
from clausula.pitch import SpelledPitch

G3 = SpelledPitch.parse("G3")


def names(tones):
    return " ".join(sorted(tone_name(each) for each in tones))


@pytest.mark.parametrize(
    ("figures", "meant"),
    [
        ("", "Bb D G"),
        ("6", "Bb E G"),
        ("6/5", "Bb D E G"),
        ("65", "Bb D E G"),
        ("#64", "C E# G"),
        ("642", "A C E G"),
        ("2", "A C E G"),
        ("5 2", "A C D G"),
        ("4", "C D G"),
        ("10", "Bb D G"),
        ("nr6 #4| 3", "Bb C# E G"),
        ("7_ 5", "Bb D F G"),
    ],
)
def test_figures_in_every_usual_spelling(figures, meant):
    assert names(tones_of(figures, G3, -1)) == meant


@pytest.mark.parametrize("figures", ["4-3", "4\N{EN DASH}3"])
def test_figures_after_each_other(figures):
    (ways, *_) = readings_of(figures, G3, -1)
    assert [names(tones) for tones in ways] == ["C D G", "Bb D G"]


def test_two_columns_move_together():
    for figures in ("6-5 4-3", "6/4-5/3", "6 4-5 3"):
        (ways, *_) = readings_of(figures, G3, -1)
        assert [names(tones) for tones in ways] == ["C E G", "Bb D G"], figures


def test_a_stack_of_a_suspension_may_be_two_figures():
    stack, after = readings_of("9 8", G3, -1)
    assert (len(stack), len(after)) == (1, 2)


def test_a_sharp_in_a_flat_key_is_a_sharp_or_raises():
    assert {names(way[0]) for way in readings_of("#", G3, -1)} == {"B# D G", "B D G"}
    assert "Bb D Fb G" in {names(way[0]) for way in readings_of("b7", G3, -1)}


def test_a_sharp_on_a_sharp_of_the_signature_restates_it():
    assert names(tones_of("#6", SpelledPitch.parse("A3"), 1)) == "A C F#"


def test_the_figures_that_are_named():
    assert [name for name, _ in named_tones("7 #", G3, 0)] == ["7", "#"]


@pytest.mark.parametrize("figures", ["q", "6!", "0", "15", "V", "6a"])
def test_what_is_no_figure(figures):
    with pytest.raises(InputError, match="no figure"):
        tones_of(figures, G3, 0)
