"""Layered automata against the enumeration of every word over a few tokens."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.automaton import (
    REFUSED,
    LayeredAutomaton,
    accepts,
    conjoin,
    forward_reached,
    is_empty,
    minimise,
    product,
    reachable,
    universal,
    windowed,
)
from clausula.constraints.domains import Domains, meet, onsets_on, phrase_domains
from clausula.constraints.place import Timeline
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER, Meter, Voice

STATES = 3
LAYERS = 4  # of one frame
seeds = st.integers(0, 2**32 - 1)
symbol_counts = st.integers(2, 3)


def drawn(seed: int, symbols: int, refused: float = 0.3) -> LayeredAutomaton:
    """A random automaton of one frame that refuses every token from ``symbols`` on."""
    rng = np.random.default_rng(seed)
    tables = np.full((LAYERS, STATES, 32), REFUSED, np.int32)
    shape = (LAYERS, STATES, symbols)
    tables[:, :, :symbols] = rng.integers(0, STATES, shape)
    tables[:, :, :symbols][rng.random(shape) < refused] = REFUSED
    # Tables in a drawn order, some shared, none forced to be in use.
    return LayeredAutomaton(
        tables,
        rng.integers(0, LAYERS, LAYERS),
        np.full(LAYERS + 1, STATES),
        int(rng.integers(STATES)),
    )


def drawn_domains(seed: int, symbols: int) -> Domains:
    masks = np.random.default_rng(seed).integers(0, 2**symbols, (1, 4))
    return Domains(masks.astype(np.uint32))


def run(
    a: LayeredAutomaton, word: tuple[int, ...], layer: int = 0, state: int | None = None
) -> int:
    """The state in which a word (tokens by layer) leaves the automaton, by the definition."""
    state = a.start if state is None else state
    for offset, token in enumerate(word):
        if state != REFUSED:
            state = int(a.tables[a.table_of_layer[layer + offset]][state][token])
    return state


def language(a: LayeredAutomaton, symbols: int) -> set[tuple[int, ...]]:
    words = itertools.product(range(symbols), repeat=LAYERS)
    return {word for word in words if run(a, word) != REFUSED}


def tokens_of(word: tuple[int, ...]) -> np.ndarray:
    tokens = np.zeros((1, 4), int)
    tokens[0, list(SEARCH_ORDER)] = word
    return tokens


@settings(deadline=None, max_examples=60)
@given(seeds, symbol_counts)
def test_accepts_follows_the_tables_in_search_order(seed, symbols):
    a = drawn(seed, symbols)
    accepted = language(a, symbols)
    for word in itertools.product(range(symbols), repeat=LAYERS):
        assert accepts(a, tokens_of(word)) == (word in accepted)


@settings(deadline=None, max_examples=60)
@given(seeds, seeds, symbol_counts)
def test_product_accepts_what_both_accept(seed_a, seed_b, symbols):
    a, b = drawn(seed_a, symbols), drawn(seed_b, symbols)
    both = language(a, symbols) & language(b, symbols)
    assert language(product(a, b), symbols) == both
    assert language(conjoin([a, b], Domains.full(1))[0], symbols) == both


@settings(deadline=None, max_examples=60)
@given(seeds, symbol_counts)
def test_minimise_keeps_the_language_with_one_state_a_distinct_future(seed, symbols):
    a = drawn(seed, symbols)
    words = language(a, symbols)
    smallest = minimise(a)
    assert language(smallest, symbols) == words
    for layer in range(1, LAYERS + 1):
        futures = {
            frozenset(w[layer:] for w in words if w[:layer] == prefix)
            for prefix in {w[:layer] for w in words}
        }
        assert smallest.n_states[layer] == len(futures)
    assert smallest.n_states[0] == 1


@settings(deadline=None, max_examples=60)
@given(seeds, seeds, symbol_counts)
def test_the_boolean_pass_equals_enumeration(seed, domain_seed, symbols):
    a, domains = drawn(seed, symbols), drawn_domains(domain_seed, symbols)
    allowed = [np.flatnonzero(row).tolist() for row in domains.by_layer()]
    alive, reached = reachable(a, domains), forward_reached(a, domains)
    for layer in range(LAYERS + 1):
        for state in range(STATES):
            futures = itertools.product(*allowed[layer:])
            assert alive[layer, state] == any(
                run(a, word, layer, state) != REFUSED for word in futures
            )
        pasts = itertools.product(*allowed[:layer])
        ends = {run(a, word) for word in pasts} - {REFUSED}
        assert set(np.flatnonzero(reached[layer]).tolist()) == ends
    assert is_empty(a, domains) == (not alive[0, a.start])


def test_layers_are_soprano_bass_alto_tenor():
    masks = np.array([[1 << 5, 1 << 6, 1 << 7, 1 << 8]], np.uint32)
    by_layer = Domains(masks).by_layer()
    assert [np.flatnonzero(row).tolist() for row in by_layer] == [[5], [8], [6], [7]]


def odd_alto_onsets(n_frames: int, window: range) -> LayeredAutomaton:
    """An odd number of alto notes within the window."""

    def symbols(frame, slot):
        return (np.arange(32) >= 2).astype(int) * (SEARCH_ORDER[slot] is Voice.ALTO)

    def step(frame, slot, odd, symbol):
        after = odd ^ bool(symbol)
        return None if (frame, slot) == (window[-1], 3) and not after else after

    return windowed(n_frames, window, False, symbols, step)


def test_a_windowed_automaton_counts_inside_its_window_only():
    a = odd_alto_onsets(5, range(1, 3))
    for choices in itertools.product((0, 1, 2, 9), repeat=4):
        tokens = np.full((5, 4), 1)
        tokens[:4, Voice.ALTO] = choices
        odd = sum(token >= 2 for token in choices[1:3]) % 2 == 1
        assert accepts(a, tokens) == odd
        assert accepts(minimise(a), tokens) == odd
    assert a.n_states[:4].tolist() == [1] * 4
    assert a.n_states[12:].tolist() == [1] * 9


def test_contradicting_windows_leave_nothing():
    def refuse(frame, slot, state, symbol):
        return None

    nothing = windowed(3, range(1, 2), 0, lambda frame, slot: np.zeros(32, int), refuse)
    assert is_empty(nothing, Domains.full(3))
    small = minimise(product(odd_alto_onsets(3, range(3)), nothing))
    assert is_empty(small, Domains.full(3))
    assert small.n_states.tolist() == [1] + [0] * 12


def test_everything_is_accepted_by_the_universal_automaton():
    tokens = np.random.default_rng(0).integers(0, 32, (7, 4))
    assert accepts(universal(7), tokens)
    assert conjoin([], Domains.full(7))[0].width == 1


def test_automata_of_different_lengths_do_not_combine():
    with pytest.raises(PlanError, match="2 and 3 frames"):
        product(universal(2), universal(3))


def test_meeting_names_an_irreducible_conflict():
    timeline = Timeline(Meter(4, 4), 2)
    parts = {}
    for name, voice, pcs in (
        ("needless", Voice.ALTO, range(12)),
        ("low", Voice.ALTO, (0, 2, 4)),
        ("far away", Voice.BASS, (1,)),
        ("high", Voice.ALTO, (5, 7)),
    ):
        parts[name] = Domains.full(timeline.n_frames)
        parts[name].masks[20, voice] = onsets_on(voice, pcs)
    with pytest.raises(PlanError, match=r"measure 2 beat 2, alto: .* low together with high;"):
        meet(list(parts.items()), timeline)
    without = [part for part in parts.items() if part[0] != "high"]
    assert meet(without, timeline).masks[20, Voice.ALTO] == onsets_on(Voice.ALTO, (0, 2, 4))


def test_phrases_begin_without_a_hold():
    timeline = Timeline(Meter(3, 4), 3, pickup=4, phrase_ends=(16,))
    holds = phrase_domains(timeline).masks >> 1 & 1
    assert np.flatnonzero(1 - holds[:, 0]).tolist() == [0, 16]
    assert (holds == holds[:, :1]).all()
