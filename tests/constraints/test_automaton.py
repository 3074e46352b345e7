"""Layered automata against the enumeration of every word over a few tokens."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.algebra import (
    Limit,
    conjoin,
    minimise,
    product,
    restrict,
)
from clausula.constraints.automaton import (
    REFUSED,
    LayeredAutomaton,
    accepts,
    forward_reached,
    is_empty,
    reachable,
    universal,
    used_tokens,
    windowed,
)
from clausula.constraints.domains import Domains, meet, onsets_on, phrase_domains
from clausula.constraints.place import Timeline
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER, Meter, Voice

STATES = 3
LAYERS = 4  # of one frame
SYMBOLS = 3  # most tokens that a drawn automaton knows
brute_force = settings(deadline=None, max_examples=250)
seeds = st.integers(0, 2**32 - 1)
symbol_counts = st.integers(2, SYMBOLS)


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


def drawn_domains(seed: int, symbols: int, forbidden: float = 0.3) -> Domains:
    """Random domains; now and then a place is left with nothing."""
    allowed = np.random.default_rng(seed).random((1, 4, symbols)) >= forbidden
    return Domains((allowed << np.arange(symbols)).sum(axis=-1).astype(np.uint32))


def words_of(domains: Domains | None = None, first_layer: int = 0) -> np.ndarray:
    """Every word ``[word, layer]`` of the layers from one on, within the domains if given."""
    allowed = np.ones((LAYERS, SYMBOLS), bool) if domains is None else domains.by_layer()
    return choices([np.flatnonzero(layer) for layer in allowed[first_layer:]])


def choices(sets: list[np.ndarray]) -> np.ndarray:
    """Every choice of one of each set, ``[choice, set]``."""
    every = list(itertools.product(*sets))
    return np.array(every, int).reshape(len(every), len(sets))


def run(
    a: LayeredAutomaton, words: np.ndarray, layer: int = 0, state: int | None = None
) -> np.ndarray:
    """``[word]`` the state in which each leaves the automaton, by the definition."""
    states = np.full(len(words), a.start if state is None else state)
    for tokens in words.T:
        following = a.tables[a.table_of_layer[layer]][states, tokens]
        states, layer = np.where(states == REFUSED, REFUSED, following), layer + 1
    return states


def language(a: LayeredAutomaton, domains: Domains | None = None) -> set[tuple[int, ...]]:
    """The words that an automaton accepts, within the domains if given."""
    words = words_of(domains)
    return set(map(tuple, words[run(a, words) != REFUSED].tolist()))


def futures(words: set[tuple[int, ...]]) -> list[int]:
    """How many different sets of endings the beginnings of some words have, by length."""
    counts = []
    for layer in range(LAYERS + 1):
        endings: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
        for word in words:
            endings.setdefault(word[:layer], set()).add(word[layer:])
        counts.append(len({frozenset(after) for after in endings.values()}))
    return counts


def assert_smallest(a: LayeredAutomaton, words: set[tuple[int, ...]]) -> None:
    """It accepts these words (and, where none, keeps its start alone), a state a future."""
    assert language(a) == words
    assert a.n_states.tolist() == [1, *futures(words)[1:]]


def tokens_of(word: np.ndarray) -> np.ndarray:
    tokens = np.zeros((1, 4), int)
    tokens[0, list(SEARCH_ORDER)] = word
    return tokens


@brute_force
@given(seeds, symbol_counts)
def test_accepts_follows_the_tables_in_search_order(seed, symbols):
    a, words = drawn(seed, symbols), words_of()
    for word, end in zip(words, run(a, words), strict=True):
        assert accepts(a, tokens_of(word)) == (end != REFUSED)


@brute_force
@given(seeds, seeds, symbol_counts)
def test_product_accepts_what_both_accept(seed_a, seed_b, symbols):
    a, b = drawn(seed_a, symbols), drawn(seed_b, symbols)
    both = language(a) & language(b)
    assert language(product(a, b)) == both
    assert language(conjoin([a, b], Domains.full(1))[0]) == both


@brute_force
@given(seeds, symbol_counts)
def test_minimise_keeps_the_language_with_one_state_a_distinct_future(seed, symbols):
    a = drawn(seed, symbols)
    assert_smallest(minimise(a), language(a))


@brute_force
@given(seeds, seeds, symbol_counts)
def test_restrict_accepts_what_lies_within_the_domains_too(seed, domain_seed, symbols):
    a, domains = drawn(seed, symbols), drawn_domains(domain_seed, symbols)
    restricted, words = restrict(a, domains), language(a, domains)
    assert language(restricted) == words
    np.testing.assert_array_equal(restricted.n_states, a.n_states)
    assert_smallest(minimise(restricted), words)


@brute_force
@given(seeds, seeds, symbol_counts)
def test_nothing_is_left_exactly_where_no_word_is(seed, domain_seed, symbols):
    a, domains = drawn(seed, symbols, refused=0.5), drawn_domains(domain_seed, symbols, 0.4)
    empty = not language(a, domains)
    assert is_empty(a, domains) == empty
    assert (minimise(restrict(a, domains)).n_states[-1] == 0) == empty


@brute_force
@given(st.lists(seeds, min_size=1, max_size=4), seeds, symbol_counts, st.integers(1, 4))
def test_groups_within_a_limit_accept_together_what_all_accept(seeds, domain_seed, symbols, most):
    automata = [drawn(seed, symbols, refused=0.15) for seed in seeds]
    domains = drawn_domains(domain_seed, symbols)
    all_accept = set.intersection(*(language(a, domains) for a in automata))
    limit = Limit(widest=most, mean=(1 + most) / 2)
    groups = conjoin(automata, domains, limit)
    assert set.intersection(*map(language, groups)) == all_accept
    alone = [minimise(restrict(a, domains)) for a in automata]
    for group in groups:
        assert_smallest(group, language(group))
        # Only what is too large by itself may be.
        assert limit.holds(group) or any(language(group) == language(a) for a in alone)
    (whole,) = conjoin(automata, domains)
    assert_smallest(whole, all_accept)


@brute_force
@given(seeds, seeds, symbol_counts)
def test_the_boolean_pass_equals_enumeration(seed, domain_seed, symbols):
    a, domains = drawn(seed, symbols), drawn_domains(domain_seed, symbols)
    alive, reached = reachable(a, domains), forward_reached(a, domains)
    every = words_of(domains)
    for layer in range(LAYERS + 1):
        after = words_of(domains, layer)
        for state in range(STATES):
            assert alive[layer, state] == (run(a, after, layer, state) != REFUSED).any()
        # Beginnings count where a later place has nothing left, so they are not cut from words.
        before = choices([np.flatnonzero(row) for row in domains.by_layer()[:layer]])
        ends = run(a, before)
        assert set(np.flatnonzero(reached[layer]).tolist()) == set(ends.tolist()) - {REFUSED}
    assert is_empty(a, domains) == (not len(every) or (run(a, every) == REFUSED).all())


@brute_force
@given(seeds, seeds, symbol_counts)
def test_used_tokens_are_those_of_the_accepted_words(seed, domain_seed, symbols):
    a, domains = drawn(seed, symbols), drawn_domains(domain_seed, symbols)
    smallest = minimise(restrict(a, domains))
    every = words_of(domains)
    accepted = every[run(a, every) != REFUSED]
    used = used_tokens(smallest).by_layer()
    for layer in range(LAYERS):
        # An automaton that accepts nothing says nothing of single places.
        expected = set(accepted[:, layer].tolist()) if len(accepted) else set(range(32))
        assert set(np.flatnonzero(used[layer]).tolist()) == expected


def test_layers_are_soprano_bass_alto_tenor():
    masks = np.array([[1 << 5, 1 << 6, 1 << 7, 1 << 8]], np.uint32)
    by_layer = Domains(masks).by_layer()
    assert [np.flatnonzero(row).tolist() for row in by_layer] == [[5], [8], [6], [7]]


def odd_onsets(n_frames: int, window: range, voice: Voice = Voice.ALTO) -> LayeredAutomaton:
    """An odd number of one voice's notes within the window."""

    def symbols(frame, slot):
        return (np.arange(32) >= 2).astype(int) * (SEARCH_ORDER[slot] is voice)

    def step(frame, slot, odd, symbol):
        after = odd ^ bool(symbol)
        return None if (frame, slot) == (window[-1], 3) and not after else after

    return windowed(n_frames, window, False, symbols, step)


@pytest.mark.parametrize(("most", "groups"), [(2, 4), (4, 2), (8, 2), (16, 1)])
def test_a_limit_opens_groups(most, groups):
    """Each of four counters doubles the states of those it is joined with."""
    counters = [odd_onsets(3, range(3), voice) for voice in Voice]
    found = conjoin(counters, Domains.full(3), Limit(most, most))
    assert len(found) == groups
    assert max(group.width for group in found) <= most


def test_a_windowed_automaton_counts_inside_its_window_only():
    a = odd_onsets(5, range(1, 3))
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
    small = minimise(product(odd_onsets(3, range(3)), nothing))
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
