"""Tied positions as themes and statements."""

import numpy as np

from clausula.constraints.domains import Domains, phrase_domains
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import Ties, tie
from clausula.constraints.text import parse_constraint
from clausula.engine.themes import line_of
from clausula.grid import Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE

# Four frames a measure, twelve measures.
TIMELINE = Timeline(Meter(4, 4), 12, frames_per_quarter=1)

EVERY_NOTE = np.full((TIMELINE.n_frames, 4), 0xFFFFFFFF, np.uint32)


def line(*texts, voice=Voice.SOPRANO):
    repeats = [parse_constraint(text) for text in texts]
    ties, domains = tie(repeats, TIMELINE, Key.parse("C"), phrase_domains(TIMELINE))
    return line_of(ties, domains, EVERY_NOTE, voice)


def outline(found):
    """Theme, first measure, measures and whether it is a copy, of every statement."""
    return [(s.theme, s.start // 4 + 1, (s.stop - s.start) // 4, s.copy) for s in found.statements]


def test_a_passage_and_its_copies_are_one_theme():
    found = line("repeat 1-2 @ 4", "repeat 1-2 @ 9 up M2")
    assert outline(found) == [(0, 1, 2, False), (0, 4, 2, True), (0, 9, 2, True)]
    assert found.themes == 1
    image = found.statements[2].image
    assert image[FIRST_PITCH] == FIRST_PITCH + 2
    assert image[HOLD_TOKEN] == HOLD_TOKEN


def test_what_returns_more_often_is_a_theme_of_its_own():
    found = line("repeat 1-2 @ 5", "repeat 1-3 @ 9")
    assert outline(found) == [
        (0, 1, 2, False),
        (1, 3, 1, False),
        (0, 5, 2, True),
        (0, 9, 2, True),
        (1, 11, 1, True),
    ]


def test_a_copy_copied_again_leads_to_the_first_passage():
    found = line("repeat 1-3 @ 4", "repeat 5-6 @ 10")
    assert outline(found) == [
        (0, 1, 1, False),
        (1, 2, 2, False),
        (0, 4, 1, True),
        (1, 5, 2, True),
        (1, 10, 2, True),
    ]


def test_equal_parts_one_after_the_other_are_one_theme():
    found = line("repeat 1 @ 5", "repeat 2 @ 6")
    assert outline(found) == [(0, 1, 2, False), (0, 5, 2, True)]


def test_nothing_returns_in_other_voices():
    assert line("repeat 1 @ 5", voice=Voice.BASS).statements == ()


def test_statements_allow_each_other():
    """A theme of one frame, its copy a step up; domains not yet joined."""
    up = np.where(np.arange(N_VOICE) >= FIRST_PITCH, np.arange(N_VOICE) + 1, np.arange(N_VOICE))
    up[-1] = -1
    source = np.full((2, 4), -1)
    source[1, 0] = 0
    row = np.zeros_like(source)
    row[1, 0] = 1
    ties = Ties(source, row, np.stack([np.arange(N_VOICE), up]))
    masks = np.full((2, 4), 0xFFFFFFFF, np.uint32)
    masks[0, 0], masks[1, 0] = 0b111100, 0b1010100
    found = line_of(ties, Domains(masks), EVERY_NOTE[:2], Voice.SOPRANO)
    assert np.flatnonzero(found.allowed[0]).tolist() == [3, 5]
    assert np.flatnonzero(found.allowed[1]).tolist() == [4, 6]
    assert found.feasible
    masks[1, 0] = 0b10
    masks[0, 0] = 0b100
    assert not line_of(ties, Domains(masks), EVERY_NOTE[:2], Voice.SOPRANO).feasible
