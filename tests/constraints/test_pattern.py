"""Patterns of a voice: lines are judged as the verifier judges them."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from decoding import decode, random_word, sounding
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.automaton import accepts, is_empty
from clausula.constraints.domains import Domains
from clausula.constraints.pattern import Material, Pattern
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.text import parse_constraint
from clausula.constraints.verify_pattern import verify_pattern
from clausula.errors import InputError, PlanError
from clausula.grid import REST, Meter, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN, VOICE_LOWEST

TIMELINE = Timeline(Meter(2, 4), 3, frames_per_quarter=1)
HOME = Key.parse("C")
KEYS = [HOME] * 3 + [Key.parse("a")] * 3
FRAMES = 6
MOST_LINES = 1500


def soprano(name: str) -> int:
    return SpelledPitch.parse(name).semitone - int(VOICE_LOWEST[Voice.SOPRANO]) + FIRST_PITCH


def lines(names):
    """Lines from these notes, holds and rests: all where there are few; nothing holds silence."""
    choices = (REST_TOKEN, HOLD_TOKEN, *(soprano(name) for name in names))
    found = [
        line
        for line in itertools.product(choices, repeat=FRAMES)
        if line[0] != HOLD_TOKEN and (REST_TOKEN, HOLD_TOKEN) not in itertools.pairwise(line)
    ]
    return found if len(found) < MOST_LINES else random.Random(0).sample(found, MOST_LINES)


def filled(line) -> np.ndarray:
    tokens = np.full((len(line), 4), FIRST_PITCH + 12)
    tokens[:, Voice.SOPRANO] = line
    return tokens


def spelled(tokens, timeline=TIMELINE, keys=KEYS):
    """A grid in which each note is spelled by the key in which it begins."""
    grid = decode(tokens, timeline, HOME)
    pitch, step = sounding(tokens), grid.step.copy()
    for frame, key in enumerate(keys[: len(tokens)]):
        begun = key.spell(pitch[frame])
        held = step[frame - 1] if frame else begun
        step[frame] = np.where(tokens[frame] == HOLD_TOKEN, held, begun)
    step[pitch == REST] = 0
    return replace(grid, step=step)


PATTERNS = [
    ("pattern S pitches C4 (D4 | Eb4)+", ["C4", "D#4"]),
    ("pattern S pitches (C4 | ^D4 .)* @ 2", ["C4", "D4", "E4"]),
    ("pattern S degrees 1 .{1,2} @ 1-2", ["C4", "A4"]),
    ("pattern S degrees (1 | #7)* 3?", ["C4", "E4", "G#4"]),
    ("pattern S degrees (3 | 5)+ @ 2-3", ["C4", "E4"]),
    ("pattern S intervals (+2 | -2)+", ["C4", "D4", "E4"]),
    ("pattern S intervals (1 | +3)* -3* @ 1.2-3", ["G4", "G#4", "B4"]),
    ("pattern S intervals ^+2{2} @ 2-3", ["C4", "D#4"]),
    ("pattern S durations (q q | h)*", ["C4", "D4"]),
    ("pattern S durations q rq* . @ 2", ["C4", "D4"]),
    ("pattern S durations rh? (h | w)+ @ 1.2-3", ["C4", "D4"]),
    ("pattern S durations ^q* @ 2", ["C4", "D4"]),
]


@pytest.mark.parametrize(("text", "names"), PATTERNS, ids=lambda value: str(value))
def test_a_line_is_judged_as_the_verifier_judges_it(text, names):
    asked = parse_constraint(text)
    (automaton,) = asked.automata(TIMELINE, KEYS)
    found = {True: 0, False: 0}
    for line in lines(names):
        holds = accepts(automaton, filled(line))
        assert holds == (verify_pattern(spelled(filled(line)), asked, KEYS) == []), line
        found[holds] += 1
    assert min(found.values()) > 10


FINER = Timeline(Meter(2, 4), 4, frames_per_quarter=2)
TURNING = [Key.parse("G")] * 6 + [Key.parse("e")] * 6 + [Key.parse("D")] * 4
ALPHABETS = {
    Material.PITCHES: ["G4", "A4", "B4", "C5", "D#5", "E5", "F#5"],
    Material.DEGREES: ["1", "2", "3", "4", "#4", "5", "7"],
    Material.INTERVALS: ["1", "+2", "-2", "+3", "-3", "+4", "-4"],
    Material.DURATIONS: ["q", "e", "h", "q.", "rq", "re", "w"],
}


@st.composite
def drawn_patterns(draw):
    """A pattern of any material, in some span of the finer timeline."""
    of = draw(st.sampled_from(Material))
    symbols = st.sampled_from(ALPHABETS[of])
    leaves = st.one_of(symbols, st.just("."), symbols.map(lambda symbol: f"^{symbol}"))

    def deeper(inner):
        return st.one_of(
            st.tuples(inner, inner).map(" ".join),
            st.tuples(inner, inner).map(lambda pair: f"({' | '.join(pair)})"),
            st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,3}"])).map(
                lambda pair: f"({pair[0]}){pair[1]}"
            ),
        )

    expression = draw(st.recursive(leaves, deeper, max_leaves=6))
    first = draw(st.integers(1, 4))
    last = draw(st.integers(first, 4))
    span = draw(st.sampled_from([None, Span(Place(first), Place(last + 1))]))
    return Pattern(Voice.SOPRANO, of, expression, span)


@settings(deadline=None, max_examples=200)
@given(drawn_patterns(), st.integers(0, 2**32 - 1))
def test_drawn_pieces_are_judged_as_the_verifier_judges_them(asked, seed):
    (automaton,) = asked.automata(FINER, TURNING)
    rng = np.random.default_rng(seed)
    notes = np.array([soprano(name) for name in ALPHABETS[Material.PITCHES]])
    for _ in range(8):
        kinds = rng.choice(3, FINER.n_frames, p=rng.dirichlet([1, 1, 0.3]))
        line = np.where(kinds == 0, HOLD_TOKEN, np.where(kinds == 1, rng.choice(notes, 16), 0))
        line[0] = line[0] if line[0] != HOLD_TOKEN else REST_TOKEN
        tokens = filled(line)
        holds = accepts(automaton, tokens)
        assert holds == (verify_pattern(spelled(tokens, FINER, TURNING), asked, TURNING) == [])
    if not is_empty(automaton, Domains.full(FINER.n_frames)):
        for _ in range(3):
            tokens = random_word(automaton, Domains.full(FINER.n_frames), rng)
            assert verify_pattern(spelled(tokens, FINER, TURNING), asked, TURNING) == []


@settings(deadline=None, max_examples=100)
@given(drawn_patterns())
def test_text_of_a_pattern_reads_back(asked):
    assert parse_constraint(str(asked)) == asked


def test_a_broken_line_is_found():
    asked = parse_constraint("pattern S degrees 1 2 3 @ 1")
    line = [soprano("C4"), soprano("D4"), soprano("E4"), HOLD_TOKEN, HOLD_TOKEN, REST_TOKEN]
    timeline = Timeline(Meter(3, 4), 2, frames_per_quarter=1)
    keys = [HOME] * 6
    good = spelled(filled(line), timeline, keys)
    assert verify_pattern(good, asked, keys) == []
    wrong_note = replace(good, pitch=good.pitch.copy())
    wrong_note.pitch[1, Voice.SOPRANO] += 1
    assert verify_pattern(wrong_note, asked, keys) == ["found degrees 1 #2 3"]
    lost_note = replace(good, onset=good.onset.copy())
    lost_note.onset[2, Voice.SOPRANO] = False
    assert verify_pattern(lost_note, asked, keys) == ["found degrees 1 2"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pattern S pitches D4", "found pitches 60 62 64"),
        ("pattern S intervals 1", "found intervals +2 +2"),
        ("pattern S durations q", "found durations 1 1 3 r1"),
        ("pattern S degrees 5 @ 2", "found degrees of no note"),
    ],
)
def test_reasons_say_what_was_found(text, found):
    line = [soprano("C4"), soprano("D4"), soprano("E4"), HOLD_TOKEN, HOLD_TOKEN, REST_TOKEN]
    timeline = Timeline(Meter(3, 4), 2, frames_per_quarter=1)
    keys = [HOME] * 6
    grid = spelled(filled(line), timeline, keys)
    assert verify_pattern(grid, parse_constraint(text), keys) == [found]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("pattern S pitches C2 D4", PlanError, "the soprano cannot be written on C2; try another"),
        ("pattern S degrees 1 b5", PlanError, "in C major or A minor no note is spelled as degree"),
        ("pattern S durations e", InputError, "no whole number of frames"),
        ("pattern S degrees 1 @ 9", PlanError, "measure 9 beat 1 lies outside the piece"),
        ("pattern S intervals (+2 | -2){500}", PlanError, "needs more than 8192 states; try fewer"),
    ],
)
def test_what_cannot_be_compiled_says_why(text, error, words):
    with pytest.raises(error, match=words):
        parse_constraint(text).automata(TIMELINE, KEYS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pattern S degrees 1 9", "'9' is not a scale degree"),
        ("pattern S pitches H4", "'H4' is not a pitch"),
        ("pattern S intervals 2", "'2' is not an interval"),
        ("pattern S durations x", "'x' is not a length"),
        ("pattern X durations q", "'X' is not a voice"),
        ("pattern S durations q @ 1-x", "is not a constraint"),
    ],
)
def test_nonsense_is_refused_when_it_is_read(text, words):
    with pytest.raises(InputError, match=words):
        parse_constraint(text)
