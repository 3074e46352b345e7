"""Expressions: the automaton, a translation to Python's own and the verifier's follower agree."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.expression import (
    MOST_PLACES,
    MOST_STATES,
    START,
    Expression,
    Symbols,
    machine_of,
)
from clausula.constraints.pattern import SYMBOLS, Material
from clausula.constraints.rows import distinct_rows
from clausula.constraints.verify_pattern import _follow
from clausula.errors import InputError, PlanError

DEGREES = SYMBOLS[Material.DEGREES]
ALPHABET = "1230"  # 0 is no symbol of any expression here
LETTERS = [frozenset("1"), frozenset("2"), frozenset("3"), frozenset()]
LONGEST = 5
WORDS = [w for n in range(LONGEST + 1) for w in itertools.product(ALPHABET, repeat=n)]

leaves = st.sampled_from(["1", "2", "3", ".", "^1", "^2"])
suffixes = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{2,}", "{1,2}", "{0,2}", "{2,3}"])


def deeper(inner):
    return st.one_of(
        st.tuples(inner, inner).map(" ".join),
        st.tuples(inner, inner).map(lambda pair: f"({' | '.join(pair)})"),
        st.tuples(inner, suffixes).map(lambda pair: f"({pair[0]}){pair[1]}"),
        st.tuples(leaves, suffixes).map("".join),
    )


expressions = st.recursive(leaves, deeper, max_leaves=8)


def pythons(expression: str) -> re.Pattern:
    """The same as an expression of Python's, one character a symbol."""
    return re.compile(re.sub(r"\^(\d)", r"[^\1]", expression).replace(" ", ""))


def accepted(machine, word) -> bool:
    state = 0
    for symbol in word:
        state = int(machine.table[state, ALPHABET.index(symbol)])
        if state < 0:
            return False
    return bool(machine.accepting[state])


def futures(machine, state: int, depth: int) -> frozenset:
    """What is accepted after a state, as a tree of this depth."""
    if state < 0:
        return frozenset()
    here = {("ends",)} if machine.accepting[state] else set()
    if depth:
        for letter, reached in enumerate(machine.table[state].tolist()):
            after = futures(machine, reached, depth - 1)
            here |= {(letter, after)} if after else set()
    return frozenset(here)


@settings(deadline=None, max_examples=200)
@given(expressions)
def test_the_automaton_accepts_what_the_expression_matches(expression):
    machine = machine_of(Expression.parse(expression, DEGREES), LETTERS)
    pattern = pythons(expression)
    for word in WORDS:
        assert accepted(machine, word) == bool(pattern.fullmatch("".join(word)))


@settings(deadline=None, max_examples=200)
@given(expressions, st.lists(st.sampled_from(ALPHABET), max_size=9))
def test_the_verifier_follows_as_python_matches(expression, word):
    matches = bool(pythons(expression).fullmatch("".join(word)))
    assert _follow(expression, word, lambda symbol, heard: symbol == heard) == matches


@settings(deadline=None, max_examples=100)
@given(expressions)
def test_the_automaton_is_minimal(expression):
    machine = machine_of(Expression.parse(expression, DEGREES), LETTERS)
    states = len(machine.table)
    if states <= 6:  # so many letters tell any two states apart
        assert len({futures(machine, state, states) for state in range(states)}) == states


def test_the_classic_automaton_is_as_large_as_it_must_be():
    machine = machine_of(Expression.parse("(1 | 2)* 1 (1 | 2){5}", DEGREES), LETTERS)
    assert len(machine.table) == 2**6


def test_a_letter_may_be_several_symbols():
    expression = Expression.parse("1 2 | 2 1", DEGREES)
    both = frozenset("12")
    after = expression.after(START, both)
    assert expression.accepts(expression.after(after, frozenset("1")))
    assert expression.accepts(expression.after(after, frozenset("2")))
    assert not expression.after(after, frozenset("3"))


@pytest.mark.parametrize(
    ("of", "text", "symbols"),
    [
        (Material.INTERVALS, "+2+ -3 1+ (+2)*", ("+2", "-3", "1")),
        (Material.DURATIONS, "q. q . rq.{2} h+", ("q.", "q", "rq.", "h")),
        (Material.PITCHES, "F#4? Bb3{2} ^C##5", ("F#4", "Bb3", "C##5")),
        (Material.DEGREES, "(1|#4)b7* 5", ("1", "#4", "b7", "5")),
    ],
)
def test_symbols_and_signs_are_told_apart(of, text, symbols):
    assert Expression.parse(text, SYMBOLS[of]).symbols == symbols


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "something is missing; write a scale degree"),
        ("1 |", "something is missing"),
        ("1 () 2", "something is missing"),
        ("(1 2", r"a \( without its \)"),
        ("1 2)", r"a \) without its \("),
        ("1 8", r"before '8': '8' is not a scale degree; write 1 to 7, #4 or b7"),
        ("12", "'12' is not a scale degree"),
        ("1 *", r"'\*' is not"),
        ("1**", r"'\*' is not"),
        ("^(1 | 2)", "is not a scale degree"),
        ("1{0}", r"repeated so often; write \{2\}"),
        ("1{3,2}", "repeated so often"),
        ("(1{999}){999}", f"more than {MOST_PLACES} symbols"),
        ("(" * 99 + "1" + ")" * 99, "groups lie within one another"),
    ],
)
def test_what_is_no_expression(text, words):
    with pytest.raises(InputError, match=words):
        Expression.parse(text, DEGREES)


def test_what_is_too_large_says_so():
    expression = Expression.parse("(1 | 2)* 1 (1 | 2){20}", DEGREES)
    with pytest.raises(PlanError, match=f"more than {MOST_STATES} states; try fewer or smaller"):
        machine_of(expression, LETTERS)


def test_an_expression_that_no_letter_fits_accepts_nothing():
    machine = machine_of(Expression.parse("1 2", DEGREES), [frozenset("3")])
    assert machine.table.tolist() == [[-1]]
    assert machine.accepting.tolist() == [False]


def test_symbols_are_whatever_the_form_says():
    assert Expression.parse("do re+", Symbols("do|re|mi", "a syllable")).symbols == ("do", "re")


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 20),
    st.integers(1, 32),
    st.sampled_from([1, 2, 3000, 2**31]),
)
def test_distinct_rows_are_those_of_numpy(seed, rows, columns, most):
    rng = np.random.default_rng(seed)
    drawn = rng.integers(-1, most, (rows, columns))
    table = np.concatenate([drawn, drawn[: rows // 2]])[:, rng.integers(0, columns, columns)]
    found, which = distinct_rows(table)
    expected, expected_which = np.unique(table, axis=0, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(which, expected_which.reshape(-1))
