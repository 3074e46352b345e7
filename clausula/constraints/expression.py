"""Regular expressions over musical symbols, compiled to minimal deterministic automata.

Conventions: ``a b`` is one after the other, ``a | b`` either, ``( )`` groups, ``.`` is any symbol,
``^a`` any but ``a``; ``a*`` any number of times, ``a+`` once or more, ``a?`` once or not at all,
``a{2}``, ``a{2,}`` and ``a{2,4}`` as often as they say. A sign of repetition follows what it
repeats without a space, which tells ``1+`` from ``1 +2``.

What is read is a word of *letters*. A letter is the set of the expression's symbols that one note,
length or chord is: two names of one note are both in it, and what is none of them is the empty set.

Sources: Glushkov, The abstract theory of automata, Russian Mathematical Surveys 16 (1961), for the
places; Moore, Gedanken-experiments on sequential machines, Automata Studies (1956), for the
smallest automaton.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clausula.constraints.rows import distinct_rows
from clausula.errors import InputError, PlanError

REFUSED = -1
MOST_PLACES = 1024  # symbols, when repetitions are written out
MOST_STATES = 2048  # of an automaton before it is minimised
DEEPEST = 32  # groups within groups
START = 1  # the set of places before anything is read
Letter = frozenset[str]


class Symbols(NamedTuple):
    """How the symbols of an expression are written.

    Attributes:
        form: a regular expression of one symbol.
        words: what it is, and how it is written, for messages.
    """

    form: str
    words: str


class Leaf(NamedTuple):
    """One symbol of an expression.

    Attributes:
        symbol: its text, ``None`` for any.
        negated: whether everything but it is meant.
    """

    symbol: str | None
    negated: bool = False

    def fits(self, letter: Letter) -> bool:
        """Whether a letter is what is meant."""
        return self.symbol is None or (self.symbol in letter) is not self.negated


class _Series(NamedTuple):
    parts: list[_Node]


class _Choice(NamedTuple):
    parts: list[_Node]


class _Repeat(NamedTuple):
    part: _Node
    least: int
    most: int | None


_Node = Leaf | _Series | _Choice | _Repeat


@dataclass(frozen=True)
class Expression:
    """An expression as its places: each symbol where it is written, and what may follow it.

    Sets of places are the bits of a number; place 0 is the start, before every symbol.

    Attributes:
        text: as it is written.
        leaves: the symbol of each place but the start.
        follow: the places that may come next after each.
        last: the places at which a word may end.
    """

    text: str
    leaves: tuple[Leaf, ...]
    follow: tuple[int, ...]
    last: int

    @classmethod
    def parse(cls, text: str, symbols: Symbols) -> Expression:
        """Read an expression.

        Raises:
            InputError: it is none; the message says where and what to write.
        """
        return _Places(text).expression(_Parser(text, symbols).whole())

    @property
    def symbols(self) -> tuple[str, ...]:
        """The different symbols that it names, in order."""
        return tuple(dict.fromkeys(leaf.symbol for leaf in self.leaves if leaf.symbol is not None))

    def next_places(self, places: int) -> int:
        """The places that may come next after any of these."""
        found = 0
        for place in _bits(places):
            found |= self.follow[place]
        return found

    def after(self, places: int, letter: Letter) -> int:
        """The places of a letter that is read after any of these; 0 where it does not fit."""
        found = 0
        for place in _bits(self.next_places(places)):
            if self.leaves[place - 1].fits(letter):
                found |= 1 << place
        return found

    def accepts(self, places: int) -> bool:
        """Whether a word may end at one of these."""
        return bool(places & self.last)


class Machine(NamedTuple):
    """A minimal deterministic automaton; state 0 is the start.

    Attributes:
        table: int ``[state, letter]`` next state, ``REFUSED`` where no word goes on.
        accepting: bool ``[state]``.
    """

    table: np.ndarray
    accepting: np.ndarray


def machine_of(expression: Expression, letters: Sequence[Letter]) -> Machine:
    """The smallest automaton of the words over these letters that an expression matches.

    Raises:
        PlanError: it has too many states before it is minimised.
    """
    index = {START: 0}
    rows: list[list[int]] = []
    for places in (queue := [START]):
        row = []
        for letter in letters:
            reached = expression.after(places, letter)
            if reached and reached not in index:
                index[reached] = len(index)
                queue.append(reached)
            row.append(index[reached] if reached else REFUSED)
        rows.append(row)
        require_size(len(index), MOST_STATES, expression.text)
    accepting = np.array([expression.accepts(places) for places in queue])
    return _smallest(np.array(rows), accepting)


def require_size(states: int, most: int, text: str) -> None:
    """Refuse a pattern that is too large.

    Raises:
        PlanError: it has more states than that.
    """
    if states > most:
        raise PlanError(
            f"the pattern {text} needs more than {most} states; "
            "try fewer or smaller repetitions and alternatives, or several shorter patterns"
        )


def _smallest(table: np.ndarray, accepting: np.ndarray) -> Machine:
    """Moore's partition: states are told apart by what they accept, then by where letters lead."""
    dead = len(table)
    # REFUSED is -1 and so indexes the appended dead state, which only leads to itself.
    whole = np.append(table, np.full((1, table.shape[1]), dead), axis=0)
    classes = np.append(accepting, False).astype(int)
    count = 0
    while count < classes.max() + 1:
        count = classes.max() + 1
        signature = np.column_stack([classes, classes[whole]])
        _, classes = distinct_rows(signature)
    number = {int(classes[dead]): REFUSED}
    chosen = [state for state in range(dead) if _is_new(int(classes[state]), number)]
    if classes[0] == classes[dead]:  # no word at all: a start from which nothing leads on
        return Machine(np.full((1, table.shape[1]), REFUSED), np.zeros(1, bool))
    renumbered = np.array([number[int(c)] for c in classes])
    return Machine(renumbered[whole[chosen]], accepting[chosen])


def _is_new(key: int, number: dict[int, int]) -> bool:
    """Whether a class has no number yet; it gets the next one."""
    known = key in number
    number.setdefault(key, len(number) - 1)
    return not known


def _bits(places: int) -> Iterator[int]:
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


_SUFFIX = re.compile(r"[*+?]|\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")
_OFTEN = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class _Parser:
    """Reads an expression by recursive descent."""

    def __init__(self, text: str, symbols: Symbols) -> None:
        self.text, self.words = text, symbols.words
        self.symbol = re.compile(symbols.form)
        self.at = 0

    def whole(self) -> _Node:
        """The tree of the text."""
        node = self._choice(0)
        if self.at < len(self.text):
            raise self._fault("there is a ) without its (")
        return node

    def _choice(self, depth: int) -> _Node:
        if depth > DEEPEST:
            raise self._fault(f"more than {DEEPEST} groups lie within one another; try fewer")
        parts = [self._series(depth)]
        while self._next() == "|":
            self.at += 1
            parts.append(self._series(depth))
        return parts[0] if len(parts) == 1 else _Choice(parts)

    def _series(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated(depth))
        if not parts:
            raise self._fault(f"something is missing; write {self.words}")
        return parts[0] if len(parts) == 1 else _Series(parts)

    def _repeated(self, depth: int) -> _Node:
        node = self._atom(depth)
        found = _SUFFIX.match(self.text, self.at)
        if not found:
            return node
        self.at = found.end()
        if found[0] in _OFTEN:
            return _Repeat(node, *_OFTEN[found[0]])
        least = int(found[1])
        most = least if found[2] is None else None if found[3] is None else int(found[3])
        if most is not None and not max(1, least) <= most:
            raise self._fault("it cannot be repeated so often; write {2} or {1,3}")
        return _Repeat(node, least, most)

    def _atom(self, depth: int) -> _Node:
        if self._next() == "(":
            self.at += 1
            node = self._choice(depth + 1)
            if self._next() != ")":
                raise self._fault("there is a ( without its )")
            self.at += 1
            return node
        if self._next() == ".":
            self.at += 1
            return Leaf(None)
        negated = self._next() == "^"
        self.at += negated
        found = self.symbol.match(self.text, self.at)
        if not found:
            word = re.match(r"[^\s()|]*", self.text[self.at :])
            raise self._fault(f"{word[0] if word else ''!r} is not {self.words}")
        self.at = found.end()
        return Leaf(found[0], negated)

    def _next(self) -> str:
        """The next character that is no space; nothing at the end."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _fault(self, words: str) -> InputError:
        where = f"before {self.text[self.at :][:24]!r}" if self._next() else "at its end"
        return InputError(f"the pattern {self.text!r}, {where}: {words}")


class _Part(NamedTuple):
    """A part of an expression: whether it may be empty, and the places that begin and end it."""

    empty: bool
    first: int
    last: int


class _Places:
    """Gives every symbol of a tree its place, repetitions written out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.leaves: list[Leaf] = []
        self.follow = [0]

    def expression(self, node: _Node) -> Expression:
        """All of it."""
        part = self._part(node)
        self._link(START, part.first)
        last = part.last | (START if part.empty else 0)
        return Expression(self.text, tuple(self.leaves), tuple(self.follow), last)

    def _part(self, node: _Node) -> _Part:
        match node:
            case Leaf():
                if len(self.leaves) == MOST_PLACES:
                    raise InputError(
                        f"the pattern {self.text!r} has more than {MOST_PLACES} symbols when its "
                        "repetitions are written out; try smaller ones"
                    )
                self.leaves.append(node)
                self.follow.append(0)
                place = 1 << len(self.leaves)
                return _Part(False, place, place)
            case _Series(parts):
                return self._series([self._part(part) for part in parts])
            case _Choice(parts):
                found = [self._part(part) for part in parts]
                first, last = 0, 0
                for part in found:
                    first, last = first | part.first, last | part.last
                return _Part(any(part.empty for part in found), first, last)
            case _Repeat(inner, least, most):
                copies = max(least, 1) if most is None else most
                found = [self._part(inner) for _ in range(copies)]
                if most is None:
                    self._link(found[-1].last, found[-1].first)
                optional = [part._replace(empty=True) for part in found[least:]]
                return self._series([*found[:least], *optional])

    def _series(self, parts: list[_Part]) -> _Part:
        whole = _Part(True, 0, 0)
        for part in parts:
            self._link(whole.last, part.first)
            whole = _Part(
                whole.empty and part.empty,
                whole.first | (part.first if whole.empty else 0),
                part.last | (whole.last if part.empty else 0),
            )
        return whole

    def _link(self, before: int, after: int) -> None:
        """Let any of some places follow any of others."""
        for place in _bits(before):
            self.follow[place] |= after
