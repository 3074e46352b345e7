"""Ranges, scales, chords and rhythms: judged as the verifiers judge them."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from decoding import decode, within

from clausula.constraints.automaton import accepts
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.sonority import Chord, Range, Rhythm, Scale, chord_classes
from clausula.constraints.text import parse_constraint, parse_progression
from clausula.constraints.verify_sonority import (
    verify_chord,
    verify_range,
    verify_rhythm,
    verify_scale,
)
from clausula.errors import InputError, PlanError
from clausula.grid import Meter, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN, VOICE_LOWEST

TIMELINE = Timeline(Meter(2, 4), 3, frames_per_quarter=1)
HOME = Key.parse("C")
KEYS = [HOME] * 3 + [Key.parse("a")] * 3
SECOND = Span(Place(2), Place(3))


def soprano(name: str) -> int:
    return SpelledPitch.parse(name).semitone - int(VOICE_LOWEST[Voice.SOPRANO]) + FIRST_PITCH


def lines(*names: str):
    """Every line of six frames from these notes, holds and rests; nothing holds silence."""
    choices = (REST_TOKEN, HOLD_TOKEN, *(soprano(name) for name in names))
    for line in itertools.product(choices, repeat=6):
        if line[0] != HOLD_TOKEN and (REST_TOKEN, HOLD_TOKEN) not in itertools.pairwise(line):
            yield line


def filled(line) -> np.ndarray:
    tokens = np.full((6, 4), FIRST_PITCH + 12)
    tokens[:, Voice.SOPRANO] = line
    return tokens


@pytest.mark.parametrize("span", [None, SECOND])
def test_ranges(span):
    low, high = SpelledPitch.parse("D4"), SpelledPitch.parse("E4")
    asked = Range(Voice.SOPRANO, low, high, span)
    (automaton,) = asked.automata(TIMELINE, KEYS)
    found = {True: 0, False: 0}
    for line in lines("C4", "D4", "E4"):
        holds = accepts(automaton, filled(line))
        assert holds == (verify_range(decode(filled(line), TIMELINE, HOME), asked) == [])
        found[holds] += 1
    assert min(found.values()) > 100


@pytest.mark.parametrize("asked", [Scale(Voice.SOPRANO), Scale(Voice.SOPRANO, SECOND, ("C", "F#"))])
def test_scales_follow_the_local_key(asked):
    (automaton,) = asked.automata(TIMELINE, KEYS)
    found = {True: 0, False: 0}
    for line in lines("C4", "F#4", "G#4"):
        holds = accepts(automaton, filled(line))
        assert holds == (verify_scale(decode(filled(line), TIMELINE, HOME), asked, KEYS) == [])
        found[holds] += 1
    assert min(found.values()) > 100


def test_rhythms():
    asked = Rhythm(Voice.SOPRANO, Place(1, Fraction(2)), "h rq q")
    found = {True: 0, False: 0}
    for line in lines("C4", "D4"):
        holds = within(asked.domains(TIMELINE), filled(line))
        assert holds == (verify_rhythm(decode(filled(line), TIMELINE, HOME), asked) == [])
        found[holds] += 1
    assert found[True] == 3 * 2 * 2 * 3


def drawn(rng, chords):
    """Tokens that mostly sound the chord of each frame, given as ``chord_classes`` gives it."""
    tokens = np.zeros((6, 4), int)
    for frame, (classes, bass) in enumerate(chords):
        for voice in Voice:
            pitches = np.arange(FIRST_PITCH, 32) - FIRST_PITCH + int(VOICE_LOWEST[voice])
            wanted = [bass] if voice is Voice.BASS else classes
            near = np.isin(pitches % 12, wanted) | (rng.random(len(pitches)) < 0.02)
            choices = [HOLD_TOKEN, *(np.flatnonzero(near) + FIRST_PITCH)]
            tokens[frame, voice] = rng.choice(choices if frame else choices[1:])
    return tokens


@pytest.mark.parametrize("name", ["V65", "I", "ii6", "vii°6", "IV64", "V7"])
def test_chords(name):
    asked = Chord(name, Place(2), Fraction(2))
    automata = asked.automata(TIMELINE, [HOME] * 6)
    rng = np.random.default_rng(0)
    found = {True: 0, False: 0}
    for _ in range(3000):
        tokens = drawn(rng, [chord_classes(name, HOME)] * 6)
        holds = all(accepts(a, tokens) for a in automata)
        assert holds == (verify_chord(decode(tokens, TIMELINE, HOME), asked, HOME) == [])
        found[holds] += 1
    assert min(found.values()) > 100


@pytest.mark.parametrize("text", ["progression V7:2 | I IV6 @ 1", "progression ii7 V7 I:2 @ 1.2"])
def test_progressions_are_their_chords(text):
    asked = parse_constraint(text)
    assert str(asked) == text
    (automaton,) = asked.automata(TIMELINE, KEYS)
    chords = asked.chords(TIMELINE)
    rng = np.random.default_rng(1)
    of_frame = [chord_classes("I", HOME)] * 6
    for chord in chords:
        for frame in chord.frames(TIMELINE):
            of_frame[frame] = chord_classes(chord.name, KEYS[chord.frames(TIMELINE).start])
    found = {True: 0, False: 0}
    for _ in range(2000):
        tokens = drawn(rng, of_frame)
        grid = decode(tokens, TIMELINE, HOME)
        verified = all(
            verify_chord(grid, chord, KEYS[chord.frames(TIMELINE).start]) == [] for chord in chords
        )
        assert accepts(automaton, tokens) == verified
        found[verified] += 1
    assert min(found.values()) >= 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("progression I | V @ 1", "the bar line after 1 chords stands at measure 1 beat 2"),
        ("progression I:2 V:2 I:2 I @ 1", "end after the piece"),
        ("progression I:9 @ 1", "end after the piece"),
    ],
)
def test_progressions_that_do_not_fit(text, words):
    with pytest.raises(PlanError, match=words):
        parse_constraint(text).automata(TIMELINE, KEYS)


@pytest.mark.parametrize("text", ["I:0", "I:x", "I:1/0", "| |"])
def test_what_is_no_progression(text):
    with pytest.raises(InputError, match=r"is no length|names no chord"):
        parse_progression(text, Place(1))


@pytest.mark.parametrize(
    ("name", "key", "classes"),
    [
        ("V7", "a", [4, 8, 11, 2]),
        ("vii°7", "a", [8, 11, 2, 5]),
        ("bII6", "a", [10, 2, 5]),
        ("iiø65", "a", [11, 2, 5, 9]),
        ("III+", "a", [0, 4, 8]),
        ("IV", "C", [5, 9, 0]),
    ],
)
def test_members_of_chords(name, key, classes):
    assert chord_classes(name, Key.parse(key))[0] == classes


@pytest.mark.parametrize("name", ["VIII", "Q", "V8"])
def test_what_is_no_chord(name):
    with pytest.raises(InputError, match="is not a chord"):
        chord_classes(name, HOME)
