"""Automata put one after another accept what they accept together."""

import numpy as np
import pytest
from decoding import random_word

from clausula.constraints.algebra import conjoin, minimise, product
from clausula.constraints.automaton import accepts, universal
from clausula.constraints.cadence import cadence_automaton
from clausula.constraints.domains import Domains
from clausula.constraints.place import Timeline
from clausula.constraints.splicing import busy, spliced
from clausula.constraints.text import parse_cadences, parse_constraint
from clausula.grid import Meter
from clausula.pitch import Key

TIMELINE = Timeline(Meter(4, 4), 8, phrase_ends=(64,))
HOME = Key.parse("G")


def automata(*texts):
    for text in texts:
        if "@" in text and text[:2] in ("PA", "HC"):
            yield cadence_automaton(*parse_cadences(text), TIMELINE, HOME)[0]
        else:
            yield from parse_constraint(text).automata(TIMELINE, [HOME] * TIMELINE.n_frames)


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        (("HC@4.3", "PAC@8.3"), 1),
        (("PAC@8.3", "HC@4.3", "chord I @ 1"), 1),
        (("PAC@8.3", "count 8-40 notes in B", "HC@4.3"), 2),
    ],
)
def test_fewer_automata_accept_the_same(texts, left):
    given = list(automata(*texts))
    found = spliced(given)
    assert len(found) == left
    together = minimise(found[0])
    for other in found[1:]:
        together = minimise(product(together, other))
    alone = given[0]
    for other in given[1:]:
        alone = minimise(product(alone, other))
    assert together.n_states.tolist() == alone.n_states.tolist()
    full = Domains.full(TIMELINE.n_frames)
    rng = np.random.default_rng(3)
    accepted = 0
    for _ in range(60):
        tokens = random_word(alone, full, rng)
        tokens[rng.integers(len(tokens)), rng.integers(4)] = rng.integers(32)
        assert accepts(together, tokens) == all(accepts(a, tokens) for a in given)
        accepted += accepts(together, tokens)
    assert 0 < accepted < 60


def test_what_accepts_everything_is_left_out():
    free = universal(TIMELINE.n_frames)
    assert not busy(free)
    assert spliced([free]) == []
    (one,) = conjoin([free], Domains.full(TIMELINE.n_frames))
    assert one.width == 1
