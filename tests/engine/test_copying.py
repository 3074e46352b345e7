"""Limits on copies: hashed runs against the runs themselves, note by note."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.copying import MaxCopy
from clausula.constraints.verify_copying import verify_max_copy
from clausula.engine import copying
from clausula.engine.copying import CopyTables, copies_of, no_notes
from clausula.grid import REST, SEARCH_ORDER, Grid, Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN, VOICE_LOWEST

ASKED = [
    MaxCopy(3),
    MaxCopy(4, (Voice.BASS,)),
    MaxCopy(3, rhythm=True),
    MaxCopy(2, ()),
    MaxCopy(3, (), rhythm=True),
]
copied_notes = jax.jit(copying.copied_notes)
copied_chords = jax.jit(copying.copied_chords)
remember = jax.jit(copying.remember)


def drawn_tokens(rng, frames):
    """Few notes, so that runs come back: in each voice three neighbours, holds and some rests."""
    tokens = rng.choice([HOLD_TOKEN, 8, 9, 10], (frames, 4), p=[0.4, 0.2, 0.2, 0.2])
    tokens[rng.random((frames, 4)) < 0.04] = REST_TOKEN
    tokens[0] = 8
    return tokens


def grid_of_tokens(tokens):
    sounding = np.zeros_like(tokens)
    last = np.zeros(4, int)
    for frame, row in enumerate(tokens):
        last = np.where(row == HOLD_TOKEN, last, row)
        sounding[frame] = last
    pitch = np.where(sounding == REST_TOKEN, REST, sounding - 2 + VOICE_LOWEST)
    onset = (tokens != HOLD_TOKEN) & (tokens != REST_TOKEN)
    frames = len(tokens)
    return Grid(
        pitch, np.zeros_like(pitch), onset, np.zeros(frames, bool), Meter(4, 4), Key.parse("C")
    )


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1), st.sampled_from(ASKED))
def test_a_token_is_refused_where_it_completes_a_run_of_the_corpus(seed, asked):
    rng = np.random.default_rng(seed)
    corpus = [grid_of_tokens(drawn_tokens(rng, 12)) for _ in range(2)]
    copies = copies_of(asked, np.inf, corpus)
    tables = CopyTables((copies,), ()) if asked.voices else CopyTables((), (copies,))
    register, sounding = no_notes(tables, 1), np.zeros(4, int)
    tokens = drawn_tokens(rng, 8)
    for time, row in enumerate(tokens):
        before = len(verify_max_copy(grid_of_tokens(tokens[:time]), asked, corpus)) if time else 0
        refused = refused_tokens(asked, copies, register, time, sounding, row)
        for tried in tries(asked, rng, row):
            whole = grid_of_tokens(np.vstack([tokens[:time], tried]))
            assert refused(tried) == len(verify_max_copy(whole, asked, corpus)) - before
        sounding = np.where(row == HOLD_TOKEN, sounding, row)
        register = remember(register, jnp.asarray(row)[None], jnp.asarray(sounding)[None], time)


def refused_tokens(asked, copies, register, time, sounding, row):
    """How many voices of a frame complete a run, as a function of its tokens."""
    if asked.voices:
        words = np.asarray(copied_notes(copies, register, time))[0]
        return lambda tried: sum(int(words[v]) >> int(tried[v]) & 1 for v in Voice)
    by_slot = jnp.asarray(row[list(SEARCH_ORDER)])[None]
    bits = np.asarray(copied_chords(copies, register, time, jnp.asarray(sounding)[None], by_slot))
    return lambda tried: int(bits[0, tried[SEARCH_ORDER[-1]]])


def tries(asked, rng, row):
    """The frame as it is, and with another note in a voice that the search may still choose."""
    yield row
    voice = Voice(int(rng.integers(4))) if asked.voices else Voice(int(SEARCH_ORDER[-1]))
    other = row.copy()
    other[voice] = int(rng.choice([HOLD_TOKEN, 8, 9, 10, 11]))
    yield other


def test_registers_of_no_limit_are_empty():
    register = no_notes(CopyTables(), 3)
    after = remember(register, jnp.full((3, 4), 5), jnp.full((3, 4), 5), 0)
    assert all(values.size == 0 for values in after)


def test_a_corpus_without_such_a_run_forbids_nothing():
    tables = CopyTables((copies_of(MaxCopy(3), np.inf, [grid_of_tokens(np.full((4, 4), 8))]),))
    shorter = CopyTables((copies_of(MaxCopy(5), np.inf, [grid_of_tokens(np.full((4, 4), 8))]),))
    assert len(tables.lines[0].hashes)
    assert not len(shorter.lines[0].hashes)
    assert not copied_notes(shorter.lines[0], no_notes(shorter, 2), 0).any()


def test_a_longer_run_than_the_register_is_a_fault_of_the_caller():
    corpus = [grid_of_tokens(drawn_tokens(np.random.default_rng(0), 12))]
    short, long = (copies_of(MaxCopy(n), np.inf, corpus) for n in (3, 5))
    with pytest.raises(ValueError, match="shorter"):
        copying.copied_notes(long, no_notes(CopyTables((short,)), 1), 0)


def test_all_tokens_are_looked_up():
    corpus = [
        grid_of_tokens(np.array([[t, HOLD_TOKEN, HOLD_TOKEN, HOLD_TOKEN] for t in range(2, 32)]))
    ]
    copies = copies_of(MaxCopy(3, (Voice.SOPRANO,)), np.inf, corpus)
    register, sounding = no_notes(CopyTables((copies,)), 1), np.zeros(4, int)
    for time, token in enumerate([10, 11]):
        row = np.array([token, REST_TOKEN, REST_TOKEN, REST_TOKEN])
        sounding = np.where(row == HOLD_TOKEN, sounding, row)
        register = remember(register, jnp.asarray(row)[None], jnp.asarray(sounding)[None], time)
    words = np.asarray(copied_notes(copies, register, 2))[0]
    assert [t for t in range(N_VOICE) if int(words[Voice.SOPRANO]) >> t & 1] == [12]
    assert not words[1:].any()
