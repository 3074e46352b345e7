"""The two-voice pass against enumeration."""

from itertools import product

import numpy as np
import pytest

from clausula.constraints.domains import Domains
from clausula.constraints.pair_tables import (
    SEARCH_PAIRS,
    ContextClass,
    pair_allowed,
    voice_allowed,
)
from clausula.constraints.rulesets import load_ruleset
from clausula.engine.pairs import pair_pass, rule_words
from clausula.grid import Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE

RULES = load_ruleset("chorale")
CLASSES = [ContextClass(Key.parse("G")), ContextClass(Key.parse("G"), arrival=True)]
# Near one another, so that voices cross, overlap and move in parallel.
NEAR = {Voice.SOPRANO: 12, Voice.ALTO: 14, Voice.TENOR: 17, Voice.BASS: 20}


def drawn(seed, frames, choices):
    rng = np.random.default_rng(seed)
    masks = np.zeros((frames, 4), np.uint32)
    for frame, voice in np.ndindex(masks.shape):
        pitches = FIRST_PITCH + NEAR[Voice(voice)] + rng.integers(-4, 5, choices)
        tokens = [*pitches.tolist(), HOLD_TOKEN][rng.integers(2) :]
        if frame == 0:
            tokens = [token for token in tokens if token != HOLD_TOKEN]
        for token in tokens:
            masks[frame, voice] |= np.uint32(1 << token)
    return Domains(masks), rng.integers(0, len(CLASSES), frames)


def solutions(domains, contexts, voices):
    """Every choice of the voices' tokens that breaks no rule of one or two of them."""
    words = [rule_words(RULES, context) for context in CLASSES]
    allowed = domains.by_layer().reshape(len(contexts), 4, N_VOICE)
    slots = [slot for slot, voice in enumerate(SEARCH_SLOTS) if voice in voices]
    options = [
        list(product(*(np.flatnonzero(allowed[frame, slot]) for slot in slots)))
        for frame in range(len(contexts))
    ]
    order = [SEARCH_SLOTS[slot] for slot in slots]

    def extend(frame, before, chosen):
        if frame == len(contexts):
            yield chosen
            return
        of_voice, of_pair = words[contexts[frame]]
        for tokens in options[frame]:
            at = dict(zip(order, tokens, strict=True))
            if all(of_voice[v, before[v]] >> at[v] & 1 for v in order) and all(
                of_pair[place, before[u], before[v], at[u]] >> at[v] & 1
                for place, (u, v) in enumerate(SEARCH_PAIRS)
                if u in at and v in at
            ):
                after = {v: before[v] if at[v] == HOLD_TOKEN else int(at[v]) for v in order}
                yield from extend(frame + 1, after, [*chosen, at])

    yield from extend(0, dict.fromkeys(order, 0), [])


SEARCH_SLOTS = (Voice.SOPRANO, Voice.BASS, Voice.ALTO, Voice.TENOR)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_cut_is_in_no_piece_and_a_break_is_a_proof(seed):
    domains, contexts = drawn(seed, frames=2, choices=2)
    passed = pair_pass(domains, CLASSES, contexts, RULES)
    found = list(solutions(domains, contexts, tuple(Voice)))
    if passed.broken is not None:
        assert not found
    for piece in found:
        for frame, tokens in enumerate(piece):
            for voice, token in tokens.items():
                assert passed.domains.masks[frame, voice] >> token & 1


@pytest.mark.parametrize("seed", range(40))
def test_two_voices_are_exact(seed):
    """With the other two silent what is left is what some choice of the two uses, no more."""
    domains, contexts = drawn(seed, frames=3, choices=3)
    place = seed % len(SEARCH_PAIRS)
    two = SEARCH_PAIRS[place]
    for voice in set(Voice) - set(two):
        domains.masks[:, voice] = 1  # silence
    passed = pair_pass(domains, CLASSES, contexts, RULES)
    found = list(solutions(domains, contexts, two))
    assert (passed.broken is not None) == (not found)
    if not found:
        return
    used = np.zeros((len(contexts), 4), np.uint32)
    for piece in found:
        for frame, tokens in enumerate(piece):
            for voice, token in tokens.items():
                used[frame, voice] |= np.uint32(1 << int(token))
    np.testing.assert_array_equal(passed.domains.masks[:, list(two)], used[:, list(two)])


def test_words_of_a_rule_set_are_those_of_its_rules_together():
    for context in CLASSES:
        voice, pair = rule_words(RULES, context)
        np.testing.assert_array_equal(voice, voice_allowed(RULES, context))
        np.testing.assert_array_equal(pair, pair_allowed(RULES, context))
