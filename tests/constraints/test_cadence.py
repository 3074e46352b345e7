"""Compiled cadences against the verifier, which reads finished grids and shares no code."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from decoding import decode, random_word, sounding, tokens_of_chords, within
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clausula.constraints.algebra import conjoin
from clausula.constraints.automaton import accepts, is_empty
from clausula.constraints.cadence import Cadence, CadenceKind, cadence_automaton
from clausula.constraints.domains import REST_BIT, Domains, phrase_domains
from clausula.constraints.place import Degree, Timeline
from clausula.constraints.verify import verify_cadence
from clausula.engine.tables import LEAST_LAYERS
from clausula.errors import PlanError
from clausula.grid import REST, Meter, Voice
from clausula.pitch import Key, Mode
from clausula.vocabulary import HOLD_TOKEN, N_VOICE

# Two frames a beat: the reach begins at frame 2, the approach at 6, the arrival at 8, held to 12.
TIMELINE = Timeline(Meter(2, 4), 4, frames_per_quarter=2, phrase_ends=(12,))
REACH, APPROACH, ARRIVAL, END = 2, 6, 8, 12

OPENING, CLOSING = (2, "E5 G4 C4 C3"), (4, "E5 G4 C4 C3")
WINDOWS = {
    "PAC C, all voices move": (
        "C",
        CadenceKind.PAC,
        [(4, "C5 A4 C4 F3"), (2, "B4 G4 D4 G3"), (4, "C5 G4 E4 C3")],
    ),
    "PAC C, bass and alto held into V7, alto into I": (
        "C",
        CadenceKind.PAC,
        [
            (2, "E5 G4 C4 C3"),
            (2, "C5 G4 E4 G3"),
            (1, "D5 - B3 -"),
            (1, "G5 - - -"),
            (4, "C5 - E4 C3"),
        ],
    ),
    "PAC C, seventh left in the soprano": (
        "C",
        CadenceKind.PAC,
        [
            (4, "E5 G4 C4 C3"),
            (1, "D5 G4 B3 G3"),
            (1, "F5 - - -"),
            (4, "C5 G4 E4 C3"),
        ],
    ),
    "PAC a, leading tone raised": (
        "a",
        CadenceKind.PAC,
        [(4, "C5 A4 F4 D3"), (2, "B4 G#4 E4 E3"), (4, "A4 A4 C4 A2")],
    ),
    "PAC C, arrival without a third": (
        "C",
        CadenceKind.PAC,
        [(4, "C5 A4 C4 F3"), (2, "B4 G4 D4 G3"), (4, "C5 G4 G4 C3")],
    ),
    "IAC Eb, soprano on 3": (
        "Eb",
        CadenceKind.IAC,
        [(4, "Ab4 Eb4 C4 F3"), (2, "F4 D4 Bb3 Bb2"), (4, "G4 Eb4 - Eb3")],
    ),
    "IAC f#, soprano leaves the leading tone": (
        "f#",
        CadenceKind.IAC,
        [(4, "D5 F#4 B3 B2"), (2, "E#5 E#4 B3 C#3"), (4, "C#5 A4 A3 F#3")],
    ),
    "HC G, tenor held": (
        "G",
        CadenceKind.HC,
        [(2, "B4 G4 D4 G3"), (2, "C5 E4 A3 A2"), (2, "A4 E4 - C3"), (4, "A4 F#4 - D3")],
    ),
    "HC d, leading tone held by the alto": (
        "d",
        CadenceKind.HC,
        [(4, "D5 A4 F4 D3"), (2, "G4 C#4 Bb3 G2"), (4, "A4 - A3 A2")],
    ),
    "DC C, tonic doubled": (
        "C",
        CadenceKind.DC,
        [(4, "C5 A4 C4 F3"), (2, "B4 G4 D4 G3"), (4, "C5 E4 C4 A3")],
    ),
    "DC a, to F": (
        "a",
        CadenceKind.DC,
        [(4, "C5 A4 F4 D3"), (2, "B4 G#4 E4 E3"), (4, "C5 A4 C4 F3")],
    ),
    "plagal G, soprano held before": (
        "G",
        CadenceKind.PLAGAL,
        [(4, "B4 G4 D4 G3"), (2, "G4 E4 C4 C3"), (4, "G4 D4 B3 G3")],
    ),
    "phrygian a": (
        "a",
        CadenceKind.PHRYGIAN,
        [(4, "C5 E4 A3 A3"), (2, "D5 D4 A3 F3"), (4, "E5 E4 G#3 E3")],
    ),
    "PAC C, anticipated": (
        "C",
        CadenceKind.PAC,
        [(4, "C5 A4 C4 F3"), (1, "D5 G4 B3 G3"), (1, "C5 - - -"), (4, "C5 G4 E4 C3")],
    ),
    "IAC a, anticipated": (
        "a",
        CadenceKind.IAC,
        [(4, "C5 A4 F4 D3"), (1, "D5 G#4 B3 E3"), (1, "C5 - - -"), (4, "C5 A4 C4 A2")],
    ),
    "PAC C, anticipated unasked": (
        "C",
        CadenceKind.PAC,
        [(4, "C5 A4 C4 F3"), (1, "D5 G4 B3 G3"), (1, "C5 - - -"), (4, "C5 G4 E4 C3")],
    ),
}
BROKEN = {
    "PAC C, seventh left in the soprano",
    "PAC C, arrival without a third",
    "IAC f#, soprano leaves the leading tone",
    "PAC C, anticipated unasked",
}


def compiled(name):
    key, kind, chords = WINDOWS[name]
    home, cadence = Key.parse(key), Cadence(kind, 3, anticipated=name.endswith("anticipated"))
    automaton, domains = cadence_automaton(cadence, TIMELINE, home, END)
    return home, cadence, automaton, domains, tokens_of_chords([OPENING, *chords, CLOSING])


def begins(tokens, frame, voice):
    """The frame in which the note that sounds began."""
    while tokens[frame, voice] == HOLD_TOKEN and frame:
        frame -= 1
    return frame


def followed(cadence, tokens):
    """Whether every note that the compiled form must know began within its reach."""
    if cadence.kind is CadenceKind.HC:
        cells = [(ARRIVAL - 1, Voice.BASS)]
        cells += [(ARRIVAL, voice) for voice in (Voice.ALTO, Voice.TENOR)]
    else:
        cells = [(frame, voice) for frame in range(APPROACH, ARRIVAL + 1) for voice in Voice]
    return all(begins(tokens, frame, voice) >= REACH for frame, voice in cells)


def well_formed(tokens):
    """Whether no silence is held."""
    return not ((tokens == HOLD_TOKEN) & (sounding(tokens) == REST)).any()


def holds(home, cadence, tokens):
    """The verifier's word; that a leading tone rises to a perfect cadence is left to rule T01."""
    reasons = verify_cadence(decode(tokens, TIMELINE, home), cadence, END)
    if cadence.kind in (CadenceKind.PAC, CadenceKind.DC):
        reasons = [reason for reason in reasons if not reason.startswith("T01")]
    return not reasons


def changed(tokens, changes):
    copy = tokens.copy()
    for frame, voice, token in changes:
        copy[frame, voice] = token
    return copy


def agreement(name, words):
    """How often both accept, how often both refuse; they must never differ."""
    home, cadence, automaton, domains, base = compiled(name)
    counts = Counter()
    for changes in words:
        tokens = changed(base, changes)
        if not well_formed(tokens):
            continue
        found = within(domains, tokens) and accepts(automaton, tokens)
        assert found == (holds(home, cadence, tokens) and followed(cadence, tokens)), (
            changes,
            verify_cadence(decode(tokens, TIMELINE, home), cadence, END),
        )
        counts[found] += 1
    return counts


@pytest.mark.parametrize("name", WINDOWS)
def test_every_change_of_one_token_is_judged_alike(name):
    words = [
        [(frame, voice, token)]
        for frame in range(1, END + 1)
        for voice in range(4)
        for token in range(N_VOICE)
    ]
    counts = agreement(name, words)
    assert counts[False] > 100
    assert counts[True] > (0 if name in BROKEN else 30)


@pytest.mark.parametrize("name", WINDOWS)
def test_changes_of_several_tokens_are_judged_alike(name):
    rng = np.random.default_rng(7)
    # Tokens of the base piece and holds, so that more than a few of the changed pieces hold.
    base = compiled(name)[-1]
    words = []
    for _ in range(500):
        frames = rng.integers(APPROACH - 2, END + 1, int(rng.integers(2, 4)))
        voices = rng.integers(0, 4, len(frames))
        words.append(
            [
                (f, v, rng.choice([HOLD_TOKEN, *base[:, v], rng.integers(N_VOICE)]))
                for f, v in zip(frames.tolist(), voices.tolist(), strict=True)
            ]
        )
    counts = agreement(name, words)
    assert counts[False] > 100
    assert name in BROKEN or counts[True] > 5


KEYS = ["C", "f", "D", "bb", "f#"]
TIMELINES = [
    Timeline(Meter(4, 4), 4, pickup=4, phrase_ends=(32,)),
    Timeline(Meter(3, 4), 4, phrase_ends=(24,)),
    Timeline(Meter(6, 8), 3),
]


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(KEYS),
    st.sampled_from([None, Degree(4, Mode.MAJOR), Degree(3, Mode.MINOR)]),
    st.sampled_from(list(CadenceKind)),
    st.sampled_from(TIMELINES),
    st.integers(0, 2**32 - 1),
)
def test_whatever_is_accepted_is_verified(key, degree, kind, timeline, seed):
    home = Key.parse(key)
    cadence = Cadence(kind, 2, Fraction(2), degree)
    assume(kind is not CadenceKind.PHRYGIAN or cadence.key_in(home).mode is Mode.MINOR)
    automaton, domains = cadence_automaton(cadence, timeline, home)
    sung = Domains(domains.masks & ~np.uint32(REST_BIT)) & phrase_domains(timeline)
    tokens = random_word(automaton, sung, np.random.default_rng(seed))
    grid = decode(tokens, timeline, home, cadence.key_in(home))
    end = timeline.phrase_end(timeline.frame_of(2, Fraction(2)))
    reasons = verify_cadence(grid, cadence, end)
    assert [reason for reason in reasons if not reason.startswith("T01")] == []
    assert not reasons or kind in (CadenceKind.PAC, CadenceKind.DC)


def test_the_verifier_names_what_is_wrong():
    home, cadence, _, _, tokens = compiled("PAC C, all voices move")
    assert verify_cadence(decode(tokens, TIMELINE, home), cadence, END) == []
    jump = changed(tokens, [(ARRIVAL, Voice.SOPRANO, tokens[ARRIVAL, Voice.SOPRANO] - 12)])
    assert verify_cadence(decode(jump, TIMELINE, home), cadence, END) == [
        "T01 measure 3 beat 1: the soprano's leading tone falls"
    ]
    left = changed(tokens, [(ARRIVAL + 2, Voice.ALTO, tokens[ARRIVAL, Voice.ALTO])])
    assert verify_cadence(decode(left, TIMELINE, home), cadence, END) == [
        "measure 3 beat 1: the goal is not held to the phrase end"
    ]
    outside = verify_cadence(decode(tokens, TIMELINE, home), Cadence(CadenceKind.PAC, 9), END)
    assert outside == ["the piece has no measure 9 beat 1"]


def test_an_enharmonic_leading_tone_is_none():
    home, cadence, _, _, tokens = compiled("PAC a, leading tone raised")
    grid = decode(tokens, TIMELINE, home)
    grid.step[grid.pitch % 12 == 8] += 1
    assert any("foreign to V7" in reason for reason in verify_cadence(grid, cadence, END))


@pytest.mark.parametrize("kind", CadenceKind)
def test_a_cadence_fits_the_room_that_programs_have(kind):
    timeline = Timeline(Meter(4, 4), 16, phrase_ends=(64, 128, 192))
    cadences = [Cadence(kind, measure, Fraction(3)) for measure in (4, 8, 12, 16)]
    automata = [cadence_automaton(c, timeline, Key.parse("e"))[0] for c in cadences]
    together = conjoin(automata, Domains.full(timeline.n_frames))[0]
    assert together.width <= LEAST_LAYERS[1]
    assert together.n_states[4 * 32] == 1


def test_two_keys_at_one_place_leave_nothing():
    timeline = Timeline(Meter(4, 4), 4)
    home = Key.parse("C")
    first, first_domains = cadence_automaton(Cadence(CadenceKind.HC, 3), timeline, home)
    to_relative = Cadence(CadenceKind.PAC, 3, key=Degree(5, Mode.MINOR))
    second, second_domains = cadence_automaton(to_relative, timeline, home)
    assert is_empty(
        conjoin([first, second], first_domains & second_domains)[0], first_domains & second_domains
    )


@pytest.mark.parametrize(
    ("cadence", "words"),
    [
        (Cadence(CadenceKind.PAC, 1), "no beat of its phrase is left before measure 1 beat 1"),
        (Cadence(CadenceKind.HC, 4), "no beat of its phrase is left before measure 4 beat 1"),
        (Cadence(CadenceKind.PAC, 9), "outside the piece"),
        (Cadence(CadenceKind.PHRYGIAN, 3), "B major has no Phrygian cadence; try HC"),
        (Cadence(CadenceKind.PAC, 3, Fraction(5)), "beats 1 to 2"),
        (Cadence(CadenceKind.PAC, 3, Fraction(4, 3)), "between two frames"),
        (Cadence(CadenceKind.PAC, 3, key=Degree(5, Mode.MAJOR)), "8 accidentals"),
    ],
)
def test_impossible_places_are_refused_in_words(cadence, words):
    with pytest.raises(PlanError, match=words):
        cadence_automaton(cadence, TIMELINE, Key.parse("B"))


def test_a_phrase_that_is_over_before_the_arrival_is_refused():
    with pytest.raises(PlanError, match="phrase is over"):
        cadence_automaton(Cadence(CadenceKind.PAC, 3), TIMELINE, Key.parse("C"), 8)
