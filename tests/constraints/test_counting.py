"""Counting constraints: every short line is judged as the verifier judges it."""

import itertools

import numpy as np
import pytest
from decoding import decode

from clausula.constraints.automaton import accepts
from clausula.constraints.counting import Climax, Count, Stagnation
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.verify_counting import verify_climax, verify_count, verify_stagnation
from clausula.grid import Meter, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN

TIMELINE = Timeline(Meter(2, 4), 3, frames_per_quarter=1)
HOME = Key.parse("C")
SECOND = Span(Place(2), Place(3))
NOTE = FIRST_PITCH + 12
G4 = SpelledPitch.parse("G4")

CONSTRAINTS = [
    (Climax(Voice.SOPRANO), verify_climax),
    (Climax(Voice.SOPRANO, SECOND), verify_climax),
    (Count(Voice.SOPRANO, least=2, most=4), verify_count),
    (Count(Voice.SOPRANO, least=1, span=SECOND), verify_count),
    (Count(Voice.SOPRANO, most=1, pitch=G4), verify_count),
    (Count(Voice.SOPRANO, least=2, most=2, pitch=G4, span=SECOND), verify_count),
    (Stagnation(Voice.SOPRANO, 1), verify_stagnation),
    (Stagnation(Voice.SOPRANO, 2), verify_stagnation),
]


def name_of(value):
    """The same in every process: a function's text would hold its address."""
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("constraint", "verify"), CONSTRAINTS, ids=name_of)
def test_every_line_is_judged_as_the_verifier_judges_it(constraint, verify):
    (automaton,) = constraint.automata(TIMELINE, [HOME] * 6)
    counts = {True: 0, False: 0}
    for line in itertools.product((REST_TOKEN, HOLD_TOKEN, NOTE, NOTE + 2, NOTE + 4), repeat=6):
        if line[0] == HOLD_TOKEN or (REST_TOKEN, HOLD_TOKEN) in itertools.pairwise(line):
            continue
        tokens = np.full((6, 4), NOTE)
        tokens[:, Voice.SOPRANO] = line
        grid = decode(tokens, TIMELINE, HOME)
        assert accepts(automaton, tokens) == (verify(grid, constraint) == [])
        counts[accepts(automaton, tokens)] += 1
    assert min(counts.values()) > 50
