"""Patterns of chords: judged as the verifier judges them, which asks for each chord by itself."""

from fractions import Fraction

import numpy as np
import pytest
from decoding import decode, random_word, tokens_of_chords
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.algebra import conjoin
from clausula.constraints.automaton import accepts, is_empty
from clausula.constraints.chord_pattern import ChordPattern
from clausula.constraints.domains import REST_BIT, Domains
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.text import parse_constraint
from clausula.constraints.verify_pattern import verify_chord_pattern
from clausula.errors import InputError, PlanError
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN

TIMELINE = Timeline(Meter(2, 4), 3, frames_per_quarter=2)
HOME = Key.parse("C")
TURNING = [HOME] * 6 + [Key.parse("a")] * 6

PATTERNS = [
    "pattern chords I (IV | ii6) V7? I @ 1-2",
    "pattern chords (I | V | V7 | vi)*",
    "pattern chords I+53? (I)+ . V65 @ 2-3",
    "pattern chords I .* V @ 2 each 1/2",
    "pattern chords (I | I7) I | V @ 2",
    "pattern chords i V6 @ 3",
    "pattern chords (I | i | V){3} each 2",
    "pattern chords .{4} @ 1-2",
]


def changed(tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same with a few tokens replaced, mostly by a hold or the note an octave away."""
    other = tokens.copy()
    for _ in range(rng.integers(1, 4)):
        frame, voice = rng.integers(len(tokens)), rng.integers(4)
        token = int(other[frame, voice])
        near = [t for t in (token - 12, token + 12) if FIRST_PITCH <= t < N_VOICE]
        choices = [HOLD_TOKEN, HOLD_TOKEN, REST_TOKEN, *near, int(rng.integers(N_VOICE))]
        other[frame, voice] = rng.choice(choices)
    return other


def agree(asked: ChordPattern, keys: list[Key], rng: np.random.Generator, words: int) -> list[bool]:
    """Compare automaton and verifier on accepted words and on changed ones."""
    (automaton,) = asked.automata(TIMELINE, keys)
    full = Domains.full(TIMELINE.n_frames)
    verdicts = []
    for _ in range(0 if is_empty(automaton, full) else words):
        tokens = random_word(automaton, full, rng)
        assert verify_chord_pattern(decode(tokens, TIMELINE, HOME), asked, keys) == []
        other = changed(tokens, rng)
        holds = accepts(automaton, other)
        reasons = verify_chord_pattern(decode(other, TIMELINE, HOME), asked, keys)
        assert holds == (reasons == []), (str(asked), other.tolist())
        verdicts.append(holds)
    return verdicts


@pytest.mark.parametrize("text", PATTERNS)
def test_pieces_are_judged_as_the_verifier_judges_them(text):
    verdicts = agree(parse_constraint(text), TURNING, np.random.default_rng(0), 100)
    assert True in verdicts
    assert False in verdicts or "." in text


@st.composite
def drawn_patterns(draw):
    symbols = st.sampled_from(["I", "V", "V7", "IV6", "ii6", "i", "vi", "."])

    def deeper(inner):
        return st.one_of(
            st.tuples(inner, inner).map(" ".join),
            st.tuples(inner, inner).map(lambda pair: f"({' | '.join(pair)})"),
            st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}"])).map(
                lambda pair: f"({pair[0]}){pair[1]}"
            ),
        )

    expression = draw(st.recursive(symbols, deeper, max_leaves=5))
    first = draw(st.integers(1, 3))
    last = draw(st.integers(first, 3))
    beats = draw(st.sampled_from([Fraction(1), Fraction(2)]))
    return ChordPattern(expression, Span(Place(first), Place(last + 1)), beats)


def small_enough(asked: ChordPattern) -> bool:
    """Whether there is an automaton of a pattern; the largest are refused."""
    try:
        asked.automata(TIMELINE, TURNING)
    except PlanError as error:
        if "try fewer or smaller repetitions" not in str(error):
            raise
        return False
    return True


@settings(deadline=None, max_examples=120)
@given(drawn_patterns().filter(small_enough), st.integers(0, 2**32 - 1))
def test_drawn_patterns_are_judged_alike(asked, seed):
    assert parse_constraint(str(asked)) == asked
    agree(asked, TURNING, np.random.default_rng(seed), 6)


@settings(deadline=None, max_examples=80)
@given(drawn_patterns().filter(small_enough), st.integers(0, 2**32 - 1))
def test_drawn_sonorities_are_judged_alike(asked, seed):
    """Not from the automaton's own words: chords of C major, with a wrong note here and there."""
    (automaton,) = asked.automata(TIMELINE, TURNING)
    rng = np.random.default_rng(seed)
    triads = [
        "C5 E4 G3 C3",
        "D5 F4 G3 B2",
        "D5 G4 B3 G2",
        "C5 F4 A3 A2",
        "F5 A4 D4 F3",
        "C5 E4 A3 A2",
    ]
    for _ in range(6):
        drawn = [(int(n), str(rng.choice(triads))) for n in rng.choice([1, 2, 2, 2], 12)]
        tokens = tokens_of_chords(drawn)[: TIMELINE.n_frames]
        if rng.random() < 0.3:
            tokens = changed(tokens, rng)
        grid = decode(tokens, TIMELINE, HOME)
        assert accepts(automaton, tokens) == (verify_chord_pattern(grid, asked, TURNING) == [])


def test_notes_held_into_the_span_count_as_its_chord():
    asked = parse_constraint("pattern chords V I @ 2")
    (automaton,) = asked.automata(TIMELINE, [HOME] * 12)
    held = tokens_of_chords([(4, "G4 D4 B3 G2"), (2, "- - - -"), (6, "G4 E4 C4 C3")])
    assert accepts(automaton, held)
    assert verify_chord_pattern(decode(held, TIMELINE, HOME), asked, [HOME] * 12) == []
    foreign = tokens_of_chords([(4, "A4 D4 B3 G2"), (2, "- - - -"), (6, "G4 E4 C4 C3")])
    assert not accepts(automaton, foreign)
    grid = decode(foreign, TIMELINE, HOME)
    assert verify_chord_pattern(grid, asked, [HOME] * 12) == ["found ? I"]


def test_a_broken_piece_is_found():
    asked = parse_constraint("pattern chords I (IV | ii6) V7 I @ 1-2")
    right = tokens_of_chords(
        [(2, "C5 E4 G3 C3"), (2, "C5 F4 A3 F3"), (2, "B4 F4 D4 G3"), (6, "C5 E4 G3 C3")]
    )
    keys = [HOME] * 12
    assert verify_chord_pattern(decode(right, TIMELINE, HOME), asked, keys) == []
    wrong = right.copy()
    wrong[2] = tokens_of_chords([(1, "C5 E4 A3 A2")])[0]
    assert verify_chord_pattern(decode(wrong, TIMELINE, HOME), asked, keys) == ["found I ? V7 I"]
    other = tokens_of_chords([(2, "C5 E4 G3 C3"), (2, "C5 F4 A3 F3"), (8, "C5 E4 G3 C3")])
    assert verify_chord_pattern(decode(other, TIMELINE, HOME), asked, keys) == ["found I IV I I"]


def test_five_chords_in_eight_measures_stay_small():
    timeline = Timeline(Meter(4, 4), 8)
    asked = parse_constraint("pattern chords (I | IV | V7 | ii6 | vi)*")
    full = Domains.full(timeline.n_frames)
    sung = Domains(full.masks & np.uint32(~REST_BIT & 0xFFFFFFFF))
    (automaton,) = conjoin(asked.automata(timeline, [HOME] * timeline.n_frames), sung)
    assert automaton.width < 1000


def test_what_nothing_can_be_is_empty():
    (automaton,) = parse_constraint("pattern chords I V @ 1-2").automata(TIMELINE, TURNING)
    assert is_empty(automaton, Domains.full(TIMELINE.n_frames))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("pattern chords I Q", InputError, "'Q' is not a chord; write a Roman numeral"),
        ("pattern chords VIII", InputError, "'VIII' is not a chord"),
        ("pattern chords I+", InputError, r"\(V\)\+ for once or more, III\+53 for an augmented"),
        ("pattern chords ^I V", InputError, r"\^ is not for chords; try the chords"),
        ("pattern chords I each 0", InputError, "'each' is not a chord"),
        ("pattern chords I V @ 1 each 3", PlanError, "2 beats are no whole number of chords of 3"),
        ("pattern chords I V @ 7", PlanError, "outside the piece"),
    ],
)
def test_what_cannot_be_compiled_says_why(text, error, words):
    with pytest.raises(error, match=words):
        parse_constraint(text).automata(TIMELINE, [HOME] * 12)


def test_what_is_too_large_says_so():
    timeline = Timeline(Meter(4, 4), 8)
    asked = parse_constraint("pattern chords (.* I .* V .* vi .* ii65){2}")
    with pytest.raises(PlanError, match="states; try fewer or smaller"):
        asked.automata(timeline, [HOME] * timeline.n_frames)
