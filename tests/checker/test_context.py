from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from writing_exercises import exercise

from clausula.checker.context import context_of, phrase_ends
from clausula.checker.keys import home_key
from clausula.constraints.rulesets import load_ruleset
from clausula.corpus import load_chorales
from clausula.gridding import to_score
from clausula.key_finding import infer_key
from clausula.pitch import Key
from clausula.slices import slices_of

CHORALE = load_ruleset("chorale")
PLAIN = ("C5 G4 E4 C3", "A4 F4 C4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3")


def arrivals(score, key: str) -> list[int]:
    """Slices that are the tonic of an authentic cadence."""
    slices = slices_of(score)
    keys = ((Fraction(0), Key.parse(key)),)
    context = context_of(slices, CHORALE, keys, phrase_ends(score))
    return np.flatnonzero(context.arrival).tolist()


def test_phrases_end_with_fermatas_and_with_the_piece():
    assert phrase_ends(exercise(*PLAIN)) == (4,)
    assert phrase_ends(exercise(*PLAIN, fermatas=(1, 3))) == (2, 4)
    assert phrase_ends(exercise(*PLAIN, fermatas=(1, 2))) == (2, 3, 4)


def test_fermatas_that_sound_together_end_one_phrase():
    score = exercise("C5 G4 E4 C3", ". . . B2", "A4 F4 C4 F3", fermatas=(1,))
    soprano, _, _, bass = score.parts
    assert bass.notes[1].fermata
    assert soprano.notes[0].end == bass.notes[1].end
    assert phrase_ends(score) == (2, 3)


def test_boundaries_stand_at_the_first_slice_after_a_phrase():
    slices = slices_of(exercise(*PLAIN, fermatas=(1,)))
    keys = ((Fraction(0), Key.parse("C")),)
    context = context_of(slices, CHORALE, keys, phrase_ends(slices.score))
    assert context.boundary.tolist() == [False, False, True, False]
    assert context.first.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("chords", "expected"),
    [
        (PLAIN, [3]),
        (("B4 G4 D4 G3", "C5 G4 E4 C3", "C5 . . C2"), [1]),  # the tonic's bass leaps an octave
        (("B4 G4 D4 G3", "F4 D4 G3 G3", "C5 G4 E4 C3"), []),  # no leading tone before the tonic
        (("A4 F4 C4 F3", "G4 E4 C4 C3"), []),  # plagal
        (("C5 G4 E4 C3", "B4 G4 D4 G3"), []),  # half
        (("B4 G4 D4 G3", ". G4 E4 C3", "C5 . . ."), []),  # the leading tone is suspended
        (("C5 G4 E4 C3", "C5 G4 E4 C3"), []),
    ],
)
def test_arrivals(chords, expected):
    assert arrivals(exercise(*chords), "C") == expected


def test_arrivals_follow_the_local_key():
    chords = ("D5 A4 F4 D3", "C#5 G4 E4 A3", "D5 F4 D4 D3")
    assert arrivals(exercise(*chords), "d") == [2]
    assert arrivals(exercise(*chords), "C") == []


@pytest.mark.parametrize("key_given", [True, False])
def test_the_home_key_of_a_plain_exercise(key_given):
    key, confidence = home_key(exercise(*PLAIN, key_given=key_given))
    assert key == Key.parse("C")
    assert 0.5 < confidence <= 1


def test_a_minor_piece_under_a_signature_alone():
    chords = ("A4 E4 C4 A2", "B4 F4 D4 D3", "G#4 E4 B3 E3", "A4 E4 C4 A2")
    key, _ = home_key(exercise(*chords, key="C", key_given=False))
    assert key == Key.parse("a")


def test_a_name_in_the_file_makes_its_key_likelier():
    named, unnamed = (exercise(*PLAIN, key_given=given) for given in (True, False))
    assert home_key(named)[1] > home_key(unnamed)[1]


def test_a_missing_signature_does_not_deny_a_key():
    chords = ("D5 A4 F#4 D3", "B4 G4 D4 G3", "C#5 A4 E4 A3", "D5 A4 F#4 D3")
    assert home_key(exercise(*chords, key="C"))[0] == Key.parse("D")


def test_a_half_close_ends_in_the_home_key():
    chords = ("C5 G4 E4 C3", "A4 F4 C4 F3", "C5 G4 E4 C3", "B4 G4 D4 G3")
    assert home_key(exercise(*chords, key_given=False))[0] == Key.parse("C")


@pytest.mark.parametrize("signature", ["Gb", "F#"])
def test_the_signature_decides_between_enharmonic_keys(signature):
    chords = {
        "Gb": ("Gb4 Db4 Bb3 Gb2", "Gb4 Eb4 Cb4 Cb3", "F4 Db4 Ab3 Db3", "Gb4 Db4 Bb3 Gb2"),
        "F#": ("F#4 C#4 A#3 F#2", "F#4 D#4 B3 B2", "E#4 C#4 G#3 C#3", "F#4 C#4 A#3 F#2"),
    }[signature]
    score = exercise(*chords, key=signature, key_given=False)
    assert home_key(score)[0] == Key.parse(signature)


def test_home_keys_of_the_corpus():
    grids = load_chorales().grids[::12]
    found = [home_key(to_score(grid))[0] for grid in grids]
    assert np.mean([key == grid.key for key, grid in zip(found, grids, strict=True)]) > 0.9


def test_home_keys_of_the_corpus_without_names():
    scores = [replace(to_score(grid), key_given=False) for grid in load_chorales().grids[::12]]
    found = [home_key(score)[0] for score in scores]
    assert found == [infer_key(score, score.keys[0][1].fifths or None) for score in scores]
