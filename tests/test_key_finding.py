from fractions import Fraction

import numpy as np
import pytest

from clausula.corpus import load_chorales
from clausula.grid import Meter
from clausula.gridding import to_score
from clausula.key_finding import (
    KEYS,
    Chord,
    Sound,
    close,
    infer_key,
    key_points,
    profiles,
    sound_of,
)
from clausula.pitch import Key, Mode, SpelledPitch
from clausula.score import Note, Part, Score

TONIC, SUBDOMINANT, DOMINANT = "C5 G4 E4 C3", "C5 A4 F4 F3", "B4 G4 D4 G3"
APPLIED = "C5 A4 F#4 D3"


def chords(*names: str, quarters: int = 1) -> Score:
    """Four parts in chords of equal length, under no signature."""
    columns = zip(*(name.split() for name in names), strict=True)
    lines = [[SpelledPitch.parse(name) for name in line] for line in columns]
    length = Fraction(quarters)
    parts = tuple(
        Part(name, tuple(Note(f"{name}{i}", i * length, length, p) for i, p in enumerate(line)))
        for name, line in zip("SATB", lines, strict=True)
    )
    start = Fraction(0)
    return Score(parts, ((start, Meter(4, 4)),), ((start, Key.parse("C")),), key_given=False)


def test_keys_are_every_signature_once():
    assert sorted(key.fifths for key in KEYS) == sorted([*range(-7, 8)] * 2)
    assert KEYS[:2] == (Key.parse("C"), Key.parse("a"))


def test_the_shipped_keys_are_found_under_their_signatures():
    grids = load_chorales().grids[::6]
    assert [infer_key(to_score(grid), grid.key.fifths) for grid in grids] == [g.key for g in grids]


def test_a_passage_is_judged_by_what_sounds_within_it():
    score = chords(TONIC, DOMINANT, TONIC, quarters=2)
    sound = sound_of(score, Fraction(1), Fraction(3))
    quarters = {"C": 2, "E": 1, "G": 3, "B": 1, "D": 1}
    wanted = np.zeros(12)
    for name, length in quarters.items():
        wanted[Key.parse(name).tonic_pc] = length
    np.testing.assert_array_equal(sound.quarters, wanted)
    assert (sound.first.bass, sound.first.classes) == (0, {0, 4, 7})
    assert (sound.last.bass, sound.last.classes) == (7, {7, 11, 2})


@pytest.mark.parametrize("signature", [None, 0])
def test_a_half_close_is_heard_in_the_key_that_opened(signature):
    assert infer_key(chords(TONIC, SUBDOMINANT, TONIC, DOMINANT), signature) == Key.parse("C")


def test_a_close_needs_the_leading_tone_of_its_key():
    plain = sound_of(chords(TONIC, SUBDOMINANT, TONIC, DOMINANT))
    applied = sound_of(chords(TONIC, APPLIED, TONIC, DOMINANT))
    g = Key.parse("G")
    assert close(g, plain) == close(g, applied) == 0.5
    gained = [key_points(s) - profiles(s) for s in (plain, applied)]
    assert (gained[1] - gained[0])[KEYS.index(g)] == pytest.approx(0.5)


def test_a_key_that_the_signature_denies_is_judged_by_its_profile_alone():
    sound = sound_of(chords(TONIC, SUBDOMINANT, DOMINANT, TONIC))
    points = key_points(sound, signature=4)
    place = KEYS.index(Key.parse("C"))
    assert points[place] == profiles(sound)[place]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_the_profile_of_a_key_is_the_published_one(key):
    # Krumhansl, chapter 4: the tonic is the most stable, the fifth the next, in every key.
    fifth, triad = (key.tonic_pc + 7) % 12, [0, 4 - 1 * (key.mode is Mode.MINOR), 7]
    quarters = np.full(12, 2.5)
    quarters[[(key.tonic_pc + each) % 12 for each in triad]] = (6.35, 4.5, 5.2)
    chord = Chord(key.tonic_pc, frozenset({key.tonic_pc, fifth}))
    found = profiles(Sound(quarters, chord, chord))
    assert KEYS[int(found.argmax())].tonic_pc == key.tonic_pc
    assert KEYS[int(found.argmax())].mode is key.mode
    assert found.max() > 0.8


@pytest.mark.parametrize(
    ("last", "key", "points"),
    [
        (TONIC, "C", 0.5),
        (TONIC, "c", 0.5),  # the Picardy third
        ("C5 G4 Eb4 C3", "c", 0.5),
        ("C5 G4 Eb4 C3", "C", 0.4),  # the third denies the mode
        (TONIC, "F", 0.2),  # a half close
        ("C5 G4 Eb4 C3", "F", 0.0),
        (TONIC, "G", 0.0),
    ],
)
def test_what_a_last_chord_says(last, key, points):
    assert close(Key.parse(key), sound_of(chords(SUBDOMINANT, last))) == points


def test_without_contrast_no_profile_speaks():
    every = [
        f"{name}4" for name in ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    ]
    notes = tuple(
        Note(str(i), Fraction(i), Fraction(1), SpelledPitch.parse(p)) for i, p in enumerate(every)
    )
    start = Fraction(0)
    score = Score((Part("", notes),), ((start, Meter(4, 4)),), ((start, Key.parse("C")),))
    assert set(profiles(sound_of(score))) == {0.0}
