"""Pins: what they accept against what the verifier reads on the grid."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from decoding import decode, within

from clausula.constraints.automaton import accepts
from clausula.constraints.pins import Pin, pin_automaton
from clausula.constraints.place import Timeline
from clausula.constraints.verify import verify_pin
from clausula.errors import PlanError
from clausula.grid import Meter, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN, VOICE_LOWEST

TIMELINE = Timeline(Meter(2, 4), 3, frames_per_quarter=1)
HOME = Key.parse("e")


def pin_of(name: str, onset: bool) -> Pin:
    """A note of the tenor on the second beat of measure 3, the last of six frames."""
    return Pin(Voice.TENOR, 3, Fraction(2), SpelledPitch.parse(name), onset)


@pytest.mark.parametrize("onset", [True, False])
def test_every_tenor_is_judged_as_the_verifier_judges_it(onset):
    pin = pin_of("D#4", onset)
    automaton, domains = pin_automaton(pin, TIMELINE, HOME)
    token = 63 - int(VOICE_LOWEST[Voice.TENOR]) + FIRST_PITCH
    counts = {True: 0, False: 0}
    for choices in itertools.product((REST_TOKEN, HOLD_TOKEN, token, token + 2), repeat=5):
        tokens = np.full((6, 4), token)
        tokens[1:, Voice.TENOR] = choices
        found = accepts(automaton, tokens) and within(domains, tokens)
        # The measure before begins at frame 2: the note of frame 0 or 1 is not known to the pin.
        from_before = set(choices[1:]) == {HOLD_TOKEN}
        expected = verify_pin(decode(tokens, TIMELINE, HOME), pin) == []
        assert found == (expected and not from_before)
        counts[found] += 1
    assert min(counts.values()) >= 256


def test_a_sounding_pin_follows_two_states():
    automaton, _ = pin_automaton(pin_of("B3", False), TIMELINE, HOME)
    assert automaton.width == 2
    assert automaton.n_states[:9].tolist() == [1] * 9


def test_the_verifier_tells_sounding_from_starting():
    tokens = np.full((6, 4), HOLD_TOKEN)
    tokens[0] = FIRST_PITCH + 24
    grid = decode(tokens, TIMELINE, HOME)
    assert verify_pin(grid, pin_of("G4", True)) == [
        "measure 3 beat 2: G4 sounds but does not start there"
    ]
    assert verify_pin(grid, pin_of("G4", False)) == []
    assert verify_pin(grid, pin_of("A4", False)) == [
        "measure 3 beat 2: the tenor does not sound A4"
    ]
    late = Pin(Voice.TENOR, 4, Fraction(1), SpelledPitch.parse("G4"))
    assert verify_pin(grid, late) == ["the piece has no measure 4 beat 1"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("C6", "the tenor can be written from G2 to C5"),
        ("Eb4", "in E minor this note is written D#4"),
    ],
)
def test_notes_the_voice_or_key_has_not_are_refused(name, words):
    with pytest.raises(PlanError, match=words):
        pin_automaton(pin_of(name, True), TIMELINE, HOME)
