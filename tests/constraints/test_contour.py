"""Contours: every short line has one shape, and is judged as the verifier judges it."""

import itertools

import numpy as np
import pytest
from decoding import decode

from clausula.constraints.automaton import accepts
from clausula.constraints.contour import Contour, Shape
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.text import parse_constraint
from clausula.constraints.verify_contour import verify_contour
from clausula.errors import PlanError
from clausula.grid import Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN

TIMELINE = Timeline(Meter(2, 4), 3, frames_per_quarter=1)
HOME = Key.parse("C")
NOTE = FIRST_PITCH + 12
SPANS = [None, Span(Place(2), Place(4))]


def filled(line) -> np.ndarray:
    tokens = np.full((6, 4), NOTE)
    tokens[:, Voice.SOPRANO] = line
    return tokens


@pytest.mark.parametrize("span", SPANS, ids=str)
def test_every_line_has_one_shape_which_the_verifier_sees_too(span):
    automata = {
        shape: Contour(Voice.SOPRANO, shape, span).automata(TIMELINE, [HOME] * 6)[0]
        for shape in Shape
    }
    counts = dict.fromkeys(Shape, 0)
    silent = (REST_TOKEN,) * 6
    for line in (silent, *itertools.product((HOLD_TOKEN, NOTE, NOTE + 2, NOTE + 4), repeat=6)):
        if line[0] == HOLD_TOKEN:
            continue
        tokens = filled(line)
        shapes = [shape for shape in Shape if accepts(automata[shape], tokens)]
        heard = line if span is None else line[2:]
        assert len(shapes) == int(max(heard) >= NOTE)
        grid = decode(tokens, TIMELINE, HOME)
        other = next(shape for shape in Shape if shape not in shapes)
        assert verify_contour(grid, Contour(Voice.SOPRANO, other, span))
        for shape in shapes:
            assert verify_contour(grid, Contour(Voice.SOPRANO, shape, span)) == []
            counts[shape] += 1
    assert min(counts.values()) > 20


@pytest.mark.parametrize(
    ("notes", "shape"),
    [
        ([2, 4, 4, 9, 7, 5], Shape.ARCH),
        ([2, 9, 2, 7, 4, 4], Shape.ARCH),
        ([4, 2, 0, 2, 0, 2], Shape.VALLEY),
        ([4, 7, 2, 9, 0, 5], Shape.WAVE),
        ([0, 4, 2, 5, 4, 7], Shape.RISING),
        ([7, 4, 5, 4, 5, 0], Shape.FALLING),
        ([4, 4, 4, 4, 4, 4], Shape.LEVEL),
    ],
)
def test_shapes(notes, shape):
    tokens = filled([NOTE + note for note in notes])
    (automaton,) = Contour(Voice.SOPRANO, shape).automata(TIMELINE, [HOME] * 6)
    assert accepts(automaton, tokens)


def test_a_broken_line_is_found():
    tokens = filled([NOTE, NOTE + 4, NOTE + 7, NOTE + 4, NOTE - 1, NOTE + 2])
    asked = parse_constraint("contour S arch @ 1-3")
    assert verify_contour(decode(tokens, TIMELINE, HOME), asked) == ["the shape is wave"]
    silent = filled([REST_TOKEN] * 6)
    assert verify_contour(decode(silent, TIMELINE, HOME), asked) == ["no note begins there"]


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("span", SPANS, ids=str)
def test_text_of_a_contour_reads_back(shape, span):
    contour = Contour(Voice.BASS, shape, span)
    assert parse_constraint(str(contour)) == contour


def test_a_span_outside_the_piece():
    with pytest.raises(PlanError, match="lies outside the piece"):
        parse_constraint("contour S arch @ 3-5").automata(TIMELINE, [HOME] * 6)
