"""The lookahead masks against an enumeration of every completion of a frame."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clausula.engine.lookahead import (
    ALLOWED_BESIDE,
    PAIRS,
    FrameMasks,
    Likely,
    Together,
    allowed_soprano,
    frame_automaton,
    from_bits,
    to_bits,
)
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE

FEW = 5  # tokens of each voice that the drawn masks allow at all
STATES = 4


def drawn(seed: int, density: float):
    rng = np.random.default_rng(seed)
    few = np.zeros(N_VOICE, bool)
    few[rng.choice(N_VOICE, FEW, replace=False)] = True
    voice = few & (rng.random((4, N_VOICE)) < 0.9)
    pair = rng.random((6, N_VOICE, N_VOICE)) < density
    step = rng.integers(-1, STATES, (4, STATES, N_VOICE))
    reachable = rng.random((4, STATES)) < 0.7
    return voice, pair, step, reachable


def completions(voice, pair, automata, together=None):
    """Every whole frame that is allowed, by enumeration; ``automata`` are step and reachable.

    ``together`` are whether soprano, bass, alto and tenor may sound and what they sounded before.
    """
    options = [np.flatnonzero(v) for v in voice]
    for frame in itertools.product(*options):
        if together is not None:
            words, before = together
            heard = [b if t == HOLD_TOKEN else t for t, b in zip(frame, before, strict=True)]
            if not words[tuple(heard)]:
                continue
        if any(not pair[i][frame[u], frame[v]] for i, (u, v) in enumerate(PAIRS)):
            continue
        if all(survives(frame, *automaton) for automaton in automata):
            yield frame


ALL = Likely(jnp.zeros((1, N_VOICE)), -np.inf)


soprano = jax.jit(allowed_soprano)
beside = {slot: jax.jit(allowed) for slot, allowed in ALLOWED_BESIDE.items()}


def allowed_by_slot(slot, masks, automata, state, tokens, likely=ALL):
    if slot == 0:
        return soprano(masks, automata, state, likely)
    return beside[slot](masks, automata, state, tokens)


def survives(frame, step, reachable):
    at = 0
    for slot, token in enumerate(frame):
        at = step[slot][at, token]
        if at < 0 or not reachable[slot][at]:
            return False
    return True


@pytest.mark.parametrize("several", [1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_allowed_is_what_some_completion_allows(seed, several):
    voice, pair, *first = drawn(seed, density=0.75)
    masks = FrameMasks(to_bits(jnp.asarray(voice))[None], to_bits(jnp.asarray(pair))[None])
    steps = [first, drawn(seed + 100, density=0.75)[2:]][:several]
    automata = tuple(frame_automaton(*map(jnp.asarray, each)) for each in steps)
    whole = list(completions(voice, pair, steps))
    prefixes = {()} | {frame[:k] for frame in whole for k in range(1, 4)}
    for prefix in sorted(prefixes):
        slot, state = len(prefix), np.zeros((1, several), int)
        for i, token in enumerate(prefix):
            for g, (step, _) in enumerate(steps):
                state[0, g] = step[i][state[0, g], token]
        tokens = jnp.asarray([[*prefix, *([0] * (4 - slot))]])
        allowed = allowed_by_slot(slot, masks, automata, jnp.asarray(state), tokens)[0]
        expected = {frame[slot] for frame in whole if frame[:slot] == prefix}
        assert set(np.flatnonzero(np.asarray(allowed)).tolist()) == {int(t) for t in expected}


@pytest.mark.parametrize("seed", range(6))
def test_what_sounds_together_is_allowed_by_what_some_completion_sounds(seed):
    voice, pair, *_ = drawn(seed, density=0.9)
    voice[:, HOLD_TOKEN] = True
    rng = np.random.default_rng(seed)
    words = rng.random((N_VOICE,) * 4) < 0.5
    before = rng.integers(FIRST_PITCH, N_VOICE, 4)
    together = Together(to_bits(jnp.asarray(words)), jnp.asarray(before)[None], jnp.asarray(True))
    masks = FrameMasks(
        to_bits(jnp.asarray(voice))[None], to_bits(jnp.asarray(pair))[None], together
    )
    whole = list(completions(voice, pair, [], (words, before)))
    everything = list(completions(voice, pair, []))
    assert 0 < len(whole) < len(everything)
    automaton = frame_automaton(jnp.zeros((4, 1, N_VOICE), int), jnp.ones((4, 1), bool))
    state = jnp.zeros((1, 1), int)
    for asked, frames in ((True, whole), (False, everything)):
        here = masks._replace(together=together._replace(asked=jnp.asarray(asked)))
        prefixes = {()} | {frame[:k] for frame in frames for k in range(1, 4)}
        for prefix in sorted(prefixes):
            slot = len(prefix)
            tokens = jnp.asarray([[*prefix, *([0] * (4 - slot))]])
            allowed = allowed_by_slot(slot, here, (automaton,), state, tokens)[0]
            expected = {int(frame[slot]) for frame in frames if frame[:slot] == prefix}
            assert set(np.flatnonzero(np.asarray(allowed)).tolist()) == expected


def test_trivial_automaton_gives_the_same_masks():
    voice, pair, _, _ = drawn(3, density=0.75)
    masks = FrameMasks(to_bits(jnp.asarray(voice))[None], to_bits(jnp.asarray(pair))[None])
    step = np.full((4, STATES, N_VOICE), -1)
    step[:, 0] = 0
    reachable = np.zeros((4, STATES), bool)
    reachable[:, 0] = True
    automaton = frame_automaton(jnp.asarray(step), jnp.asarray(reachable))
    assert bool(automaton.trivial)
    state, tokens = jnp.asarray([[0]]), jnp.zeros((1, 4), int)
    plain = allowed_by_slot(0, masks, (automaton,), state, tokens)
    watched = automaton._replace(trivial=jnp.asarray(False))
    careful = allowed_by_slot(0, masks, (watched,), state, tokens)
    np.testing.assert_array_equal(plain, careful)


@pytest.mark.parametrize("seed", range(8))
def test_sopranos_that_could_be_chosen_are_asked_about_and_no_others_are_allowed(seed):
    voice, pair, *first = drawn(seed, density=0.75)
    masks = FrameMasks(to_bits(jnp.asarray(voice))[None], to_bits(jnp.asarray(pair))[None])
    automata = (frame_automaton(*map(jnp.asarray, first)),)
    state, tokens = jnp.zeros((1, 1), int), jnp.zeros((1, 4), int)
    every = np.asarray(allowed_by_slot(0, masks, automata, state, tokens)[0])
    logits = np.random.default_rng(seed).normal(0, 4, N_VOICE).astype(np.float32)
    logits[[2, 5]] = -np.inf
    for log_tail in (-0.5, -2.0, -8.0):
        likely = Likely(jnp.asarray(logits)[None], log_tail)
        some = np.asarray(allowed_by_slot(0, masks, automata, state, tokens, likely)[0])
        assert not (some & ~every).any()
        best = logits[every].max(initial=-np.inf)
        choosable = every & (logits > -np.inf) & (logits >= best + log_tail)
        assert not (choosable & ~some).any()


def test_bits_round_trip():
    allowed = np.random.default_rng(0).random((7, N_VOICE)) < 0.5
    np.testing.assert_array_equal(from_bits(to_bits(jnp.asarray(allowed))), allowed)
