"""The Markov baseline: proper distributions, and the memory it claims."""

import numpy as np
import pytest

from clausula.engine import markov
from clausula.engine.hmm import N_NOTE, classes_of, relative_tokens
from clausula.engine.markov import Memory
from clausula.errors import InputError
from clausula.grid import REST, Grid, Meter
from clausula.pitch import Key


def grid_of(soprano, mode="major"):
    """A grid whose soprano is given as MIDI numbers, ``None`` to hold; the others rest."""
    frames = len(soprano)
    pitch = np.full((frames, 4), REST)
    onset = np.zeros((frames, 4), bool)
    for frame, note in enumerate(soprano):
        pitch[frame, 0] = pitch[frame - 1, 0] if note is None else note
        onset[frame, 0] = note not in (None, REST)
    key = Key.parse("C", mode)
    step = np.where(pitch == REST, 0, key.spell(pitch))
    return Grid(pitch, step, onset, np.zeros(frames, bool), Meter(4, 4), key)


TUNES = [
    grid_of([72, None, None, None, 74, None, 76, None]),
    grid_of([72, None, 71, None, 72, None, None, None], "minor"),
    grid_of([REST, REST, 67, None, 67, None, 69, 71]),
]


@pytest.mark.parametrize("memory", Memory)
def test_every_row_sums_to_one_and_nothing_is_impossible(memory):
    chain = markov.train_markov(TUNES, memory)
    assert chain.shape[3] == markov.state_count(memory)
    np.testing.assert_allclose(chain.sum(axis=-1), 1, rtol=1e-12)
    assert (chain > 0).all()


def test_token_memory_forgets_the_pitch_and_pitch_memory_keeps_it():
    tokens = relative_tokens(TUNES[0])
    by_token = markov.memory_states(tokens, Memory.TOKEN)[:, 0]
    assert by_token.tolist() == [67, tokens[0, 0], 1, 1, 1, tokens[4, 0], 1, tokens[6, 0]]
    by_pitch = markov.memory_states(tokens, Memory.PITCH)[:, 0]
    c, d, e = tokens[[0, 4, 6], 0] - 1
    assert by_pitch.tolist() == [132, c, c + N_NOTE, c + N_NOTE, c + N_NOTE, d, d + N_NOTE, e]


def test_note_memory_is_pitch_memory_that_does_not_know_of_holds():
    tokens = relative_tokens(TUNES[0])
    by_pitch = markov.memory_states(tokens, Memory.PITCH)
    by_note = markov.memory_states(tokens, Memory.NOTE)
    np.testing.assert_array_equal(by_note[1:], by_pitch[1:] % N_NOTE)
    assert (by_note[0] == N_NOTE).all()


def test_a_hold_before_any_note_counts_as_silence():
    states = markov.memory_states(np.ones((3, 4), int), Memory.PITCH)
    assert states[1:].tolist() == [[N_NOTE] * 4] * 2


@pytest.mark.parametrize("memory", Memory)
def test_likelihood_is_the_sum_over_frames_and_voices(memory):
    chain = markov.train_markov(TUNES, memory)
    grid = TUNES[1]
    tokens, classes = relative_tokens(grid), classes_of(grid)
    states = markov.memory_states(tokens, memory)
    expected = sum(
        np.log(chain[voice, 1, classes[t], states[t, voice], tokens[t, voice]])
        for t in range(len(grid))
        for voice in range(4)
    )
    assert markov.log_likelihood(chain, [grid], memory) == pytest.approx([expected])
    assert markov.nats_per_frame(chain, [grid], memory) == pytest.approx(-expected / len(grid))


def test_interpolation_by_hand():
    """Witten and Bell's method C where only the voice and the class tell contexts apart."""
    chain = markov.train_markov([grid_of([72])], Memory.TOKEN)
    token = relative_tokens(grid_of([72]))[0, 0]
    seen = 1 / chain.shape[-1]
    for _ in range(5):
        seen = (1 + seen) / 2
    assert chain[0, 0, 0, -1, token] == pytest.approx(seen)
    unseen_class = (1 + 1 / chain.shape[-1]) / 2
    assert chain[0, 0, 1, 0, token] == pytest.approx(unseen_class)


def test_more_memory_explains_the_training_music_better():
    scores = {
        memory: markov.nats_per_frame(markov.train_markov(TUNES, memory), TUNES, memory)
        for memory in Memory
    }
    assert scores[Memory.PITCH] < scores[Memory.NOTE] < scores[Memory.TOKEN]


def test_no_music():
    with pytest.raises(InputError, match="no music"):
        markov.train_markov([], Memory.TOKEN)
