"""What may sound by an automaton, against every word over a few tokens."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clausula.constraints.algebra import minimise, restrict
from clausula.constraints.automaton import LayeredAutomaton, universal
from clausula.constraints.cadence import Cadence, CadenceKind, cadence_automaton
from clausula.constraints.domains import ALL_TOKENS, Domains
from clausula.constraints.place import Timeline
from clausula.constraints.text import parse_constraint
from clausula.engine.sounding import sounding_sets
from clausula.grid import SEARCH_ORDER, Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import HOLD_TOKEN, REST_TOKEN, voice_semitones

TOKENS = [0, 1, 5, 9]
STATES, FRAMES = 3, 2


def drawn(seed):
    rng = np.random.default_rng(seed)
    tables = np.full((4 * FRAMES, STATES, 32), -1, np.int32)
    following = rng.integers(0, STATES, (4 * FRAMES, STATES, len(TOKENS)))
    following[rng.random(following.shape) < 0.25] = -1
    tables[:, :, TOKENS] = following
    n_states = np.array([1, *[STATES] * (4 * FRAMES)])
    automaton = LayeredAutomaton(tables, np.arange(4 * FRAMES), n_states)
    masks = np.zeros((FRAMES, 4), np.uint32)
    for cell in np.ndindex(masks.shape):
        for token in rng.choice(TOKENS, rng.integers(1, 3), replace=False):
            masks[cell] |= np.uint32(1 << int(token))
    return minimise(restrict(automaton, Domains(masks))), Domains(masks)


def enumerated(automaton, domains):
    """``[frame][voice]`` the indices that sound in some accepted word, from silence before."""
    choices = [np.flatnonzero(allowed).tolist() for allowed in domains.by_layer()]
    found = [[set() for _ in Voice] for _ in range(FRAMES)]
    for word in product(*choices):
        state = automaton.start
        for layer, token in enumerate(word):
            state = int(automaton.tables[automaton.table_of_layer[layer], state, token])
            if state < 0:
                break
        if state < 0:
            continue
        for slot, voice in enumerate(SEARCH_ORDER):
            sounding = {REST_TOKEN}
            for frame in range(FRAMES):
                token = word[4 * frame + slot]
                sounding = sounding if token == HOLD_TOKEN else {token}
                found[frame][voice] |= sounding
    return found


def indices(word):
    return {index for index in range(32) if int(word) >> index & 1 and index != HOLD_TOKEN}


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_what_sounds_in_an_accepted_word_is_there_and_nothing_else(seed):
    automaton, domains = drawn(seed)
    assume(automaton.n_states.all())
    words = sounding_sets(automaton, domains)
    expected = enumerated(automaton, domains)
    # Where there is one state nothing is remembered, and so nothing is said.
    remembered = (automaton.n_states[1:-1] > 1).all()
    for frame, voice in np.ndindex(words.shape):
        assert indices(words[frame, voice]) >= expected[frame][voice]
        if remembered and words[frame, voice] != ALL_TOKENS:
            assert indices(words[frame, voice]) == expected[frame][voice]


def test_a_note_held_into_a_cadence_is_one_of_its_chord():
    timeline = Timeline(Meter(4, 4), 4)
    automaton, domains = cadence_automaton(
        Cadence(CadenceKind.PAC, 4), timeline, Key.parse("G"), timeline.n_frames
    )
    words = sounding_sets(minimise(restrict(automaton, domains)), domains)
    approach = timeline.frame_of(4) - 1
    for voice in Voice:
        semitones = voice_semitones(voice)
        sounding = {int(semitones[index]) % 12 for index in indices(words[approach, voice])}
        assert sounding <= ({2} if voice is Voice.BASS else {2, 6, 9, 0}), voice
    assert all(indices(word) == indices(ALL_TOKENS) for word in words[: approach - 8].flat)


def test_nothing_foreign_is_held_into_the_first_chord_of_a_pattern():
    timeline = Timeline(Meter(4, 4), 4)
    domains = Domains.full(timeline.n_frames)
    pattern = parse_constraint("pattern chords I .* @ 3")
    (automaton,) = pattern.automata(timeline, [Key.parse("G")] * timeline.n_frames)
    words = sounding_sets(minimise(restrict(automaton, domains)), domains)
    for voice in Voice:
        heard = indices(words[timeline.frame_of(3), voice]) - {REST_TOKEN}
        classes = {int(voice_semitones(voice)[index]) % 12 for index in heard}
        assert classes == ({7} if voice is Voice.BASS else {7, 11, 2}), voice


@pytest.mark.parametrize("frames", [1, 5])
def test_what_says_nothing_restricts_nothing(frames):
    words = sounding_sets(universal(frames), Domains.full(frames))
    assert (words == ALL_TOKENS).all()
