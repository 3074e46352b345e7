"""The two-voice pass against enumeration."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.domains import Domains
from clausula.constraints.pair_tables import (
    SEARCH_PAIRS,
    ContextClass,
    pair_allowed,
    voice_allowed,
)
from clausula.constraints.rulesets import load_ruleset
from clausula.engine.pairs import Memory, pair_pass, rule_words
from clausula.grid import Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE

brute_force = settings(deadline=None, max_examples=250)
seeds = st.integers(0, 2**32 - 1)
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


def solutions(domains, contexts, voices, start=0, sounding=None):
    """Every choice of the voices' tokens that breaks no rule of one or two of them.

    From frame ``start`` on, where ``sounding`` (by voice) was heard before it.
    """
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

    yield from extend(start, sounding or dict.fromkeys(order, 0), [])


SEARCH_SLOTS = (Voice.SOPRANO, Voice.BASS, Voice.ALTO, Voice.TENOR)


@brute_force
@given(seeds)
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


@brute_force
@given(seeds, st.integers(1, 3), st.sampled_from(SEARCH_PAIRS))
def test_two_voices_are_exact(seed, choices, two):
    """With the other two silent what is left is what some choice of the two uses, no more."""
    domains, contexts = drawn(seed, 3, choices)
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


@brute_force
@given(seeds, seeds)
def test_what_an_earlier_pass_remembers_changes_nothing(seed, other):
    domains, contexts = drawn(seed, 3, 2)
    cut = Domains(domains.masks & (drawn(other, 3, 3)[0].masks | np.uint32(1)))
    memory = Memory()
    pair_pass(domains, CLASSES, contexts, RULES, memory=memory)
    again = pair_pass(cut, CLASSES, contexts, RULES, memory=memory)
    fresh = pair_pass(cut, CLASSES, contexts, RULES)
    np.testing.assert_array_equal(again.domains.masks, fresh.domains.masks)
    np.testing.assert_array_equal(again.alive, fresh.alive)
    assert again.broken == fresh.broken


@brute_force
@given(seeds, st.integers(1, 2), st.sampled_from(SEARCH_PAIRS))
def test_what_is_alive_can_reach_the_end_and_nothing_else_can(seed, choices, two):
    domains, contexts = drawn(seed, 3, choices)
    for voice in set(Voice) - set(two):
        domains.masks[:, voice] = 1  # silence
    passed = pair_pass(domains, CLASSES, contexts, RULES)
    if passed.broken is not None:
        return
    place = SEARCH_PAIRS.index(two)
    near = [range(NEAR[voice] - 3, NEAR[voice] + 8, 2) for voice in two]
    for frame, i, j in product(range(len(contexts)), *near):
        sounding = {two[0]: i, two[1]: j}
        ways = solutions(passed.domains, contexts, two, frame + 1, sounding)
        alive = passed.alive[frame, place, i] >> j & 1
        assert alive == any(True for _ in ways), (frame, sounding)


def test_words_of_a_rule_set_are_those_of_its_rules_together():
    for context in CLASSES:
        voice, pair = rule_words(RULES, context)
        np.testing.assert_array_equal(voice, voice_allowed(RULES, context))
        np.testing.assert_array_equal(pair, pair_allowed(RULES, context))
