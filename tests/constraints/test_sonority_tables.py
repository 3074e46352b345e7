"""Tables of rules that read the chord, against the predicates that fill them."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.pair_tables import ContextClass
from clausula.constraints.registry import RULES
from clausula.constraints.rule import (
    NONE,
    REST,
    SILENCE,
    UNKNOWN,
    Context,
    Harmony,
    Motion,
    Reads,
    Sites,
    Tone,
)
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.sonority_tables import following_allowed, together_allowed
from clausula.constraints.spelled_chords import SPELLED, chord_numbers
from clausula.grid import Voice
from clausula.pitch import Key, Mode
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, voice_semitones

STRICT = load_ruleset("common-practice-strict")
CLASSES = tuple(ContextClass(Key.parse(key)) for key in ("C", "g", "f#"))


@cache
def following():
    return following_allowed(STRICT, CLASSES)


@cache
def together():
    return together_allowed(STRICT, CLASSES)


def spelled(*classes: int) -> Harmony:
    number = int(chord_numbers(np.array(classes)))
    return Harmony(*(int(field[number]) for field in SPELLED))


def test_what_is_spelled():
    assert spelled(7, 4, 0, 0) == Harmony(0, 4, 7, NONE, 0, 0b10010001)
    assert spelled(2, 11, 5, 7) == Harmony(7, 11, 2, 5, 7, 0b100010100100), "G B D F over G"
    assert spelled(5, 11, 7, 11)[:5] == (7, 11, 2, 5, 11), "its fifth may be missing"
    assert spelled(4, 0, 7, 9)[:5] == (9, 0, 4, 7, 9), "a seventh chord, not an added sixth"
    assert spelled(0, 7, 0, 0)[:5] == (0, 4, 7, NONE, 0), "a bare fifth"
    assert spelled(4, 0, 0, 4) == UNKNOWN, "a third may belong to two chords"
    assert spelled(5, 7, 0, 0) == UNKNOWN
    assert spelled(-1, -1, -1, -1) == UNKNOWN
    assert spelled(7, 4, 0, -1)[:5] == (0, 4, 7, NONE, 0), "the lowest that sounds is the bass"


def tone(voice: Voice, index: int, key: Key) -> Tone:
    semitone = int(voice_semitones(voice)[index])
    if semitone == REST:
        return SILENCE
    return Tone(semitone, int(key.spell(semitone)), True)


def context(where: ContextClass) -> Context:
    own = (where.key.tonic_pc, where.key.tonic_letter, where.key.mode is Mode.MINOR)
    low, high = np.array(STRICT.low), np.array(STRICT.high)
    return Context(*own, *own, False, False, False, low, high)


indices = st.just(0) | st.integers(FIRST_PITCH, N_VOICE - 1)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(CLASSES) - 1), st.data())
def test_what_may_follow_is_what_the_predicates_let_pass(number, data):
    where = CLASSES[number]
    # Mostly triads and sevenths, since most other notes spell nothing.
    over = data.draw(st.sampled_from([(0, 4, 7, 10), (0, 4, 10, 10), (0, 4, 7, 0), (0, 3, 7, 0)]))
    root = data.draw(st.integers(0, 11))
    parts = data.draw(st.permutations([(root + size) % 12 for size in over]))
    before = []
    for voice, pitch_class in zip(Voice, parts, strict=True):
        notes = voice_semitones(voice)
        fitting = [i for i in range(FIRST_PITCH, N_VOICE) if notes[i] % 12 == pitch_class]
        before.append(data.draw(st.sampled_from(fitting)))
    chord = spelled(*parts)
    table = following()
    for voice in Voice:
        earlier, token = data.draw(indices), data.draw(indices)
        last = tone(voice, before[voice], where.key)
        motion = Motion(
            last,
            tone(voice, token, where.key),
            STRICT.low[voice],
            STRICT.high[voice],
            tone(voice, earlier, where.key),
        )
        own = context(where)._replace(
            chord_before=chord._replace(heard=0),
            begins=token != 0 and motion.before.semitone != motion.after.semitone,
        )
        broken = any(
            rule.applies((voice,), 4) and bool(rule.breaks(motion, own))
            for rule in STRICT.hard
            if rule.sites is Sites.VOICE and rule.reads
        )
        row = table.row[int(chord_numbers(np.array(parts)))]
        word = int(table.words[number, voice, row, earlier, before[voice]])
        assert (word >> token & 1) == (not broken)
        assert word >> HOLD_TOKEN & 1, "what is held goes nowhere"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(CLASSES) - 1), st.tuples(indices, indices, indices, indices))
def test_what_may_sound_together_is_what_the_predicates_let_pass(number, notes):
    where = CLASSES[number]
    tones = [tone(voice, index, where.key) for voice, index in zip(Voice, notes, strict=True)]
    classes = [-1 if t.semitone == REST else t.semitone % 12 for t in tones]
    broken = False
    keys = [where.key]
    if where.key.mode is Mode.MINOR:
        keys.append(Key.parse({"g": "Bb", "f#": "A"}[str(where.key).split()[0].lower()]))
    for rule, key in product(STRICT.hard, keys):
        if Reads.CHORD not in rule.reads or rule.sites is Sites.VOICE:
            continue
        tones = [tone(voice, index, key) for voice, index in zip(Voice, notes, strict=True)]
        own = context(ContextClass(key))._replace(chord=spelled(*classes))
        motions = [Motion(t, t, 0, 127) for t in tones]
        for site in rule.sites.of(4):
            if rule.applies(site, 4):
                here = [motions[voice] for voice in site]
                broken |= bool(rule.breaks(*([here] if rule.sites is Sites.ALL else here), own))
    if min(classes) >= 0:  # where all sound, the strict set wants a chord that all belong to
        chord = spelled(*classes)
        broken |= not set(classes) <= set(map(int, chord[:4]))
    soprano, alto, tenor, bass = notes
    word = int(together()[number, soprano, bass, alto])
    assert (word >> tenor & 1) == (not broken)


def test_dissonant_beats_are_refused_only_where_the_rules_of_them_are_hard():
    # A suspended fourth over C: soprano, bass, alto, tenor.
    notes = [
        int(np.flatnonzero(voice_semitones(voice) == semitone)[-1])
        for voice, semitone in ((0, 67), (3, 48), (1, 65), (2, 60))
    ]
    for name, refused in (("common-practice-strict", True), ("chorale", False)):
        soprano, bass, alto, tenor = notes
        table = together_allowed(load_ruleset(name), CLASSES[:1])
        assert bool(int(table[0, soprano, bass, alto]) >> tenor & 1) is not refused


def test_no_note_that_a_prover_refuses_is_needed():
    assert following_allowed(load_ruleset("none"), CLASSES) is None
    assert together_allowed(load_ruleset("none"), CLASSES) is None


@pytest.mark.parametrize("code", [c for c, r in RULES.items() if len(r.reads) == 2])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_note_before_only_excuses_what_a_chord_asks(code, data):
    rule = RULES[code].under({"where": "everywhere"} if code == "T01" else {})
    assert rule.sites is Sites.VOICE
    voice = data.draw(st.sampled_from([v for v in Voice if rule.applies((v,), 4)]))
    key = data.draw(st.sampled_from(CLASSES)).key
    number = data.draw(st.integers(1, len(SPELLED.root) - 1))
    chord = Harmony(*(int(field[number]) for field in SPELLED))
    before, after, earlier = (tone(voice, data.draw(indices), key) for _ in range(3))
    own = context(ContextClass(key))._replace(chord_before=chord)
    motion = Motion(before, after, 0, 127)
    known = bool(rule.breaks(motion._replace(earlier=earlier), own))
    assert not known or bool(rule.breaks(motion, own))


def test_a_given_line_answers_for_itself():
    bound = following_allowed(STRICT, [CLASSES[0]])
    free = following_allowed(STRICT, [replace(CLASSES[0], given=frozenset(Voice))])
    assert (bound.words != 0xFFFFFFFF).any()
    arrived = {rule.code for rule in STRICT.hard if rule.reads and rule.of_cadence}
    assert arrived == {"T01"}
    inner = free.words[0, [Voice.ALTO, Voice.TENOR]]
    assert (inner == 0xFFFFFFFF).all()
