"""Returning passages: note by note by the verifier, cell by cell by enumeration."""

import numpy as np
import pytest
from decoding import decode, tokens_of_chords
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.domains import ALL_TOKENS, HOLD_BIT, ONSET_BITS, Domains
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import NO_IMAGE, NO_SOURCE, Repeat, highest_of_copies, tie
from clausula.constraints.text import parse_constraint
from clausula.constraints.transposition import Direction, InKey, Interval, image, key_of_copy
from clausula.constraints.verify import verify_repeat
from clausula.errors import InputError, PlanError
from clausula.grid import Grid, Meter, Voice
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, VOICE_LOWEST

# Four frames a measure, six measures.
TIMELINE = Timeline(Meter(4, 4), 6, frames_per_quarter=1)
C = Key.parse("C")
LOW = int(VOICE_LOWEST[Voice.SOPRANO])


def repeat_of(text: str) -> Repeat:
    repeat = parse_constraint(text)
    assert isinstance(repeat, Repeat)
    return repeat


def moved(text: str, home: str, names: str) -> str:
    """Names of the moved notes, a dash where there is none."""
    how = repeat_of(f"repeat 1 @ 2 {text}").how
    notes = [image(how, Key.parse(home), SpelledPitch.parse(n).semitone) for n in names.split()]
    return " ".join(note.name if note else "-" for note in notes)


@pytest.mark.parametrize(
    ("text", "home", "before", "after"),
    [
        ("up P5", "C", "C4 F#4 B4 Bb4", "G4 C#5 F#5 F5"),
        ("down m2", "C", "C4 E4", "B3 D#4"),
        ("up P8", "f#", "E#4 D4", "E#5 D5"),
        ("tonal up 1", "C", "C4 E4 F4 B4 F#4", "D4 F4 G4 C5 G#4"),
        ("tonal down 2", "C", "C4 E4 C#4", "A3 C4 -"),
        # Raised 6 becomes raised 7; raised 7 a raised 1, which minor does not spell.
        ("tonal up 1", "a", "A4 F#4 G4 G#4", "B4 G#4 A4 -"),
        ("to V", "C", "C4 E4 F#4 B4", "G3 B3 C#4 F#4"),
        ("to V up", "C", "C4 E4 F#4 B4", "G4 B4 C#5 F#5"),
        ("to IV down", "C", "C5 Bb4", "F4 Eb4"),
        ("to vi", "C", "C5 D5 E5 A4 B4", "A4 B4 C5 F4 G4"),
        ("to III", "a", "A4 F4 F#4 G4 G#4", "C5 A4 A4 B4 B4"),
        ("to a", "A", "C#5 G#4", "C5 G4"),
        ("to F#", "C", "C4", "F#4"),
    ],
)
def test_notes_move_by_their_spelling(text, home, before, after):
    assert moved(text, home, before) == after


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("P1", (0, 0)),
        ("m3", (3, 2)),
        ("A4", (6, 3)),
        ("d5", (6, 4)),
        ("P8", (12, 7)),
        ("M10", (16, 9)),
    ],
)
def test_intervals_are_read_and_written(text, interval):
    up, down = Interval.parse(text), Interval.parse(text, Direction.DOWN)
    assert up == interval
    assert down == (-interval[0], -interval[1])
    assert str(up) == f"up {text}"
    assert str(down) == (f"down {text}" if text != "P1" else "up P1")


@pytest.mark.parametrize("text", ["M5", "P3", "5", "P0", "X2", ""])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(InputError, match="is not an interval"):
        Interval.parse(text)


def soprano(names: str, length: int) -> np.ndarray:
    """Soprano tokens of notes and holds (``-``)."""
    tokens = tokens_of_chords(
        [(1, f"{n} G4 E4 C3" if n != "-" else "- - - -") for n in names.split()]
    )
    return tokens[:length, Voice.SOPRANO]


def piece(text: str, home: Key, theme: np.ndarray) -> tuple[np.ndarray, Repeat]:
    """Tokens of a piece of G4s in which a theme of measure 1 returns as the ties say."""
    repeat = repeat_of(text)
    ties, _ = tie([repeat], TIMELINE, home, Domains.full(TIMELINE.n_frames))
    tokens = np.full((TIMELINE.n_frames, 4), FIRST_PITCH + 12)
    tokens[: len(theme), Voice.SOPRANO] = theme
    for frame in np.flatnonzero(ties.source_frame[:, Voice.SOPRANO] != NO_SOURCE):
        mapped = ties.token_map[ties.map_of_frame[frame, 0]]
        tokens[frame, Voice.SOPRANO] = mapped[tokens[ties.source_frame[frame, 0], Voice.SOPRANO]]
    return tokens, repeat


def spelled(tokens: np.ndarray, home: Key, repeat: Repeat) -> Grid:
    """The grid, its copy spelled in the key to which the passage has moved."""
    grid = decode(tokens, TIMELINE, home)
    copied = decode(tokens, TIMELINE, home, key_of_copy(repeat.how, home))
    frames = slice(TIMELINE.frame_of(*repeat.at), TIMELINE.frame_of(*repeat.at) + 4)
    grid.step[frames] = copied.step[frames]
    return grid


HOWS = ["up P1", "up M2", "down P4", "tonal up 1", "tonal down 2", "to V", "to IV down", "to vi"]
HOWS.append("inverted about G4")


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(HOWS),
    st.sampled_from(["C", "Eb", "e", "b"]),
    st.lists(st.integers(10, 24), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.integers(-2, 2).filter(bool),
)
def test_a_tied_copy_is_verified_and_a_changed_one_is_not(how, tonic, notes, held, change):
    home = Key.parse(tonic)
    theme = np.array(notes)
    theme[1:][held] = HOLD_TOKEN
    text = f"repeat 1 @ 3 {how}"
    ties, _ = tie([repeat_of(text)], TIMELINE, home, Domains.full(TIMELINE.n_frames))
    # Notes without an image are replaced by a tonic, far enough from the ends of the thirty that
    # every how can move it.
    tonic_token = FIRST_PITCH + 7 + (home.tonic_pc - LOW - 7) % 12
    theme[ties.token_map[-1][theme] == NO_IMAGE] = tonic_token
    tokens, repeat = piece(text, home, theme)
    assert verify_repeat(spelled(tokens, home, repeat), repeat) == []
    wrong = tokens.copy()
    wrong[8, Voice.SOPRANO] += change
    assert verify_repeat(spelled(wrong, home, repeat), repeat)
    longer = tokens.copy()
    longer[12, Voice.SOPRANO] = HOLD_TOKEN
    assert verify_repeat(spelled(longer, home, repeat), repeat)


def test_the_verifier_names_the_place():
    tokens, repeat = piece("repeat 1 @ 3 up P5", C, soprano("C5 - D5 B4", 4))
    tokens[9, Voice.SOPRANO] = tokens[8, Voice.SOPRANO]
    assert verify_repeat(spelled(tokens, C, repeat), repeat) == [
        "measure 3 beat 2: the soprano differs"
    ]
    early = tokens.copy()
    early[0, Voice.SOPRANO] = 0
    assert "measure 1 beat 1: the passage does not begin with a note" in verify_repeat(
        spelled(early, C, repeat), repeat
    )
    late = repeat_of("repeat 1 @ 9")
    assert verify_repeat(spelled(tokens, C, repeat), late) == [
        "the piece is too short for the passage and its copy"
    ]


def test_another_octave_of_the_same_degrees_is_not_where_the_repeat_goes():
    tokens, repeat = piece("repeat 1 @ 3 to V", C, soprano("C5 - D5 B4", 4))
    assert repeat.how == InKey(repeat.how.key, Direction.NEAREST)
    tokens[8:12, Voice.SOPRANO] += np.where(tokens[8:12, Voice.SOPRANO] >= FIRST_PITCH, 12, 0)
    assert len(verify_repeat(spelled(tokens, C, repeat), repeat)) == 4


def cells(domains: Domains, frame: int) -> set[int]:
    mask = int(domains.masks[frame, Voice.SOPRANO])
    return {token for token in range(32) if mask >> token & 1}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(HOWS), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_domains_are_what_every_copy_allows(hows, seed):
    rng = np.random.default_rng(seed)
    starts = {
        4 * measure - 4: f"repeat 1 @ {measure} {how}"
        for measure, how in zip((2, 4, 6), hows, strict=False)
    }
    repeats = [repeat_of(text) for text in starts.values()]
    before = Domains.full(TIMELINE.n_frames)
    before.masks[:] = rng.integers(0, 2**32, before.masks.shape, np.uint32)
    before.masks[:] |= rng.integers(0, 2**32, before.masks.shape, np.uint32) | np.uint32(1 << 14)
    ties, _ = tie(repeats, TIMELINE, C, Domains.full(TIMELINE.n_frames))
    expected = {}
    for offset in range(4):
        limit = np.uint32(ONSET_BITS if offset == 0 else ALL_TOKENS)
        allowed = Domains(before.masks & limit)
        maps = {
            start + offset: ties.token_map[ties.map_of_frame[start + offset, 0]] for start in starts
        }
        source = {
            token
            for token in cells(allowed, offset)
            if all(mapped[token] in cells(allowed, frame) for frame, mapped in maps.items())
        }
        expected[offset] = source
        expected |= {frame: {int(mapped[t]) for t in source} for frame, mapped in maps.items()}
    if not all(expected.values()):
        with pytest.raises(PlanError, match="no soprano note"):
            tie(repeats, TIMELINE, C, before)
        return
    _, after = tie(repeats, TIMELINE, C, before)
    assert {frame: cells(after, frame) for frame in expected} == expected
    assert (after.masks[:, 1:] == before.masks[:, 1:]).all()


def test_passages_begin_and_end_with_notes():
    _, after = tie([repeat_of("repeat 2 @ 4 up M2")], TIMELINE, C, Domains.full(24))
    holds = [frame for frame in range(24) if HOLD_TOKEN not in cells(after, frame)]
    assert holds == [4, 8, 12, 16]
    assert [0 in cells(after, frame) for frame in (4, 8, 12, 16)] == [False, True, False, True]


def test_copies_of_copies_lead_to_the_original():
    repeats = [repeat_of("repeat 3-4 @ 5 up M2"), repeat_of("repeat 1-2 @ 3 up M2")]
    ties, _ = tie(repeats, TIMELINE, C, Domains.full(24))
    assert ties.source_frame[8:, 0].tolist() == [*range(8), *range(8)]
    assert ties.source_frame[:8, 0].tolist() == [NO_SOURCE] * 8
    twice = ties.token_map[ties.map_of_frame[16, 0]]
    once = ties.token_map[ties.map_of_frame[8, 0]]
    assert once[10] == 12
    assert twice[10] == 14
    assert once[30] == NO_IMAGE
    assert twice[29] == NO_IMAGE


@pytest.mark.parametrize(
    ("how", "passage", "copy"),
    [
        ("", False, False),
        ("up M2", False, True),
        ("down M2", True, False),
        ("tonal up 1", False, True),
        ("inverted about B4", True, True),
    ],
)
def test_only_one_of_passage_and_copy_is_the_higher(how, passage, copy):
    repeat = parse_constraint(" ".join(f"repeat 1 @ 2 {how} in S".split()))
    ties, _ = tie([repeat], TIMELINE, C, Domains.full(TIMELINE.n_frames))
    measure = TIMELINE.frames_per_measure
    may = highest_of_copies(ties, Voice.SOPRANO)
    assert (may[:measure] == passage).all()
    assert (may[measure : 2 * measure] == copy).all()
    assert may[2 * measure :].all()
    assert highest_of_copies(ties, Voice.ALTO).all()


def test_an_inversion_mirrors_scale_steps():
    tokens, _ = piece("repeat 1 @ 3 inverted about B4", C, soprano("C5 - D5 B4", 4))
    copied = decode(tokens, TIMELINE, C).pitch[8:12, Voice.SOPRANO]
    assert copied.tolist() == [69, 69, 67, 71]  # A4 - G4 B4
    with pytest.raises(PlanError, match="F#4 is not a note of C major's scale"):
        key_of_copy(repeat_of("repeat 1 @ 3 inverted about F#4").how, C)


def test_each_returning_voice_is_tied_by_itself():
    repeats = [repeat_of("repeat 1 @ 3 up M2 in S,B"), repeat_of("repeat 2 @ 3 in A")]
    ties, after = tie(repeats, TIMELINE, C, Domains.full(24))
    expected = [[0, 4, NO_SOURCE, 0], [1, 5, NO_SOURCE, 1]]
    assert ties.source_frame[8:10].tolist() == expected
    begins = [not after.masks[8, voice] >> HOLD_TOKEN & 1 for voice in Voice]
    assert begins == [True, True, False, True]
    with pytest.raises(PlanError, match="both fill measure 3"):
        tie([*repeats, repeat_of("repeat 1 @ 3 in S")], TIMELINE, C, Domains.full(24))


def test_no_repeat_leaves_everything_as_it_was():
    ties, after = tie([], TIMELINE, C, Domains.full(24))
    assert (ties.source_frame == NO_SOURCE).all()
    assert ties.token_map.tolist() == [list(range(32))]
    assert (after.masks == ALL_TOKENS).all()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["repeat 1 @ 3 up P5 in S,S"], "name each returning voice once"),
        (["repeat 1 @ 3.2"], "starts at beat 1 and would return at beat 2"),
        (["repeat 1-2 @ 6"], "the copy would end after the piece"),
        (["repeat 1-2 @ 2"], "starts before the passage is over"),
        (["repeat 3 @ 1"], "name the first statement as the passage"),
        (["repeat 1 @ 4", "repeat 2 @ 4"], "both fill measure 4 beat 1"),
        (["repeat 1 @ 9"], "outside the piece"),
        (["repeat 1 @ 3 up A6"], "C major moved up A6 leads to A# major"),
        (
            ["repeat 1 @ 3 up M17"],
            r"measure 1 beat 1: no soprano note .*: repeat 1 @ 3 up M17 in S "
            r"\(copied to measure 3 beat 1\); try",
        ),
        (
            ["repeat 1 @ 3 up M10", "repeat 1 @ 4", "repeat 1 @ 5 down M10"],
            r"up M10 in S \(copied to measure 3 beat 1\) together with .*down M10",
        ),
    ],
)
def test_what_cannot_return_is_refused_in_words(texts, words):
    domains = Domains.full(24)
    domains.masks[:, Voice.SOPRANO] = HOLD_BIT | (ONSET_BITS & 0x0FFFFFF0)
    with pytest.raises(PlanError, match=words):
        tie([repeat_of(text) for text in texts], TIMELINE, C, domains)


def test_a_passage_that_would_begin_inside_a_held_chord_is_refused():
    domains = Domains.full(24)
    domains.masks[4:8] = HOLD_BIT
    for text, words in (
        ("repeat 2 @ 4", "must begin at measure 2 beat 1"),
        ("repeat 1 @ 4", "must be over at measure 2 beat 1"),
    ):
        with pytest.raises(PlanError, match=words):
            tie([repeat_of(text)], TIMELINE, C, domains)
