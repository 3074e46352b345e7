"""Tables, predicates and the checker say the same of every drawn pair of chords."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clausula.checker.check import violations_of
from clausula.constraints.pair_tables import (
    SEARCH_PAIRS,
    ContextClass,
    pair_allowed,
    pair_cost,
    voice_allowed,
    voice_cost,
)
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Context, Scope, Sites, Sonority
from clausula.constraints.rulesets import load_ruleset
from clausula.grid import REST, Meter, Voice
from clausula.pitch import Key, Mode, SpelledPitch
from clausula.score import Note, Part, Score
from clausula.slices import slices_of
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

STRICT = load_ruleset("common-practice-strict")
CLASSES = (
    ContextClass(Key.parse("C")),
    ContextClass(Key.parse("d")),
    ContextClass(Key.parse("f#"), arrival=True),
    ContextClass(Key.parse("Ab"), boundary=True),
    ContextClass(Key.parse("C"), key_before=Key.parse("Ab")),
    ContextClass(Key.parse("e"), key_before=Key.parse("b")),
)
SEMITONES = np.stack([voice_semitones(voice) for voice in Voice])


@cache
def tables(where: ContextClass) -> tuple[np.ndarray, np.ndarray]:
    return pair_allowed(STRICT, where), voice_allowed(STRICT, where)


def spelled(key: Key, semitone: np.ndarray) -> np.ndarray:
    return np.where(semitone == REST, 0, key.spell(semitone))


def after(where: ContextClass, before: list[int], tokens: list[int]) -> tuple[Sonority, Sonority]:
    """The two chords that preceding sounding indices and tokens stand for."""
    was, now = (SEMITONES[np.arange(4), indices] for indices in (before, tokens))
    was_step = spelled(where.key_before or where.key, was)
    held = np.array(tokens) == HOLD_TOKEN
    semitone = np.where(held, was, now)
    step = np.where(held, was_step, spelled(where.key, now))
    moved = np.array(tokens) >= FIRST_PITCH
    return Sonority(was, was_step, was != REST), Sonority(semitone, step, moved)


def context(where: ContextClass) -> Context:
    before = where.key_before or where.key
    return Context(
        where.key.tonic_pc,
        where.key.tonic_letter,
        where.key.mode is Mode.MINOR,
        before.tonic_pc,
        before.tonic_letter,
        before.mode is Mode.MINOR,
        where.boundary,
        where.arrival,
        False,
        np.array(STRICT.low),
        np.array(STRICT.high),
    )


@st.composite
def moments(draw) -> tuple[ContextClass, list[int], list[int]]:
    """A context, what sounded before, and the tokens that follow; voices often move together."""
    where = draw(st.sampled_from(CLASSES))
    before = [draw(st.integers(FIRST_PITCH, N_VOICE - 1) | st.just(0)) for _ in Voice]
    shift = draw(st.integers(-5, 5))
    tokens = []
    for index in before:
        along = min(max(index + shift, FIRST_PITCH), N_VOICE - 1)
        free = st.integers(0, N_VOICE - 1)
        token = draw(st.just(along) | free)
        tokens.append(REST_TOKEN if token == HOLD_TOKEN and index == 0 else token)
    return where, before, tokens


def bit(word: np.ndarray, token: int) -> bool:
    return bool(int(word) >> token & 1)


@settings(max_examples=300, deadline=None)
@given(moments())
def test_tables_say_what_the_predicates_say(moment):
    where, before, tokens = moment
    prev, cur = after(where, before, tokens)
    broken = set()
    for rule in STRICT.hard:
        if rule.spells:
            continue  # judged of whole passages
        found = rule.violations(prev, cur, context(where))
        broken |= {site for site, bad in zip(rule.sites.of(4), found, strict=True) if bad}
    pairs, voices = tables(where)
    for index, (u, v) in enumerate(SEARCH_PAIRS):
        allowed = bit(pairs[index, before[u], before[v], tokens[u]], tokens[v])
        assert allowed == (tuple(sorted((u, v))) not in broken)
    for voice in Voice:
        barred = where.boundary and tokens[voice] == HOLD_TOKEN
        allowed = bit(voices[voice, before[voice]], tokens[voice])
        assert allowed == ((voice,) not in broken and not barred)


def as_score(prev: Sonority, cur: Sonority) -> Score:
    """Two quarters in four parts; a held note lasts two."""
    parts = []
    for voice in Voice:
        notes = []
        held = cur.semitone[voice] != REST and not cur.moved[voice]
        for beat, chord in enumerate((prev, cur)):
            if chord.semitone[voice] != REST and not (beat == 1 and held):
                pitch = SpelledPitch(int(chord.semitone[voice]), int(chord.step[voice]))
                length = Fraction(2 if held else 1)
                notes.append(Note(f"{voice.name}{beat}", Fraction(beat), length, pitch))
        parts.append(Part(voice.name, tuple(notes)))
    start = Fraction(0)
    meters, keys = ((start, Meter(4, 4)),), ((start, Key.parse("C")),)
    return Score(tuple(parts), meters, keys)


@settings(max_examples=300, deadline=None)
@given(moments())
def test_the_checker_says_what_the_predicates_say(moment):
    where, before, tokens = moment
    prev, cur = after(where, before, tokens)
    score = as_score(prev, cur)
    assume(any(part.notes for part in score.parts))
    slices = slices_of(score)
    assume(len(slices) == 2)
    one = context(where)
    every = Context(*(np.broadcast_to(field, (len(slices),)) for field in one[:9]), *one[9:11])
    passage = Passage(
        slices, every, (), np.zeros((2, 4), int), np.zeros((2, 2, 4), int), (), (score.length,)
    )
    # Rules of passages, and those that read chords, have contexts of their own to be tried in.
    local = [rule for rule in STRICT.judged if rule.predicate is not None and not rule.reads]
    found = {(v.rule.code, v.site) for v in violations_of(passage, local) if v.time}
    expected = set()
    for rule in local:
        columns = rule.violations(prev, cur, one)
        for site, bad in zip(rule.sites.of(4), columns, strict=True):
            newly = rule.scope is not Scope.SLICE or cur.moved[list(site)].any()
            if bad and newly:
                expected.add((rule.code, site))
    assert found == expected


@pytest.mark.parametrize("where", CLASSES[:2])
def test_silence_allows_every_partner(where):
    pairs, voices = tables(where)
    everything = np.uint32(0xFFFFFFFF)
    assert (pairs[:, 0, 0, REST_TOKEN] == everything).all()
    assert (pairs[:, 1] == pairs[:, 0]).all(), "index 1 counts as silence"
    assert all(bit(word, REST_TOKEN) for word in voices.ravel())


def test_nothing_is_held_after_silence_or_across_a_boundary():
    _, free = tables(CLASSES[0])
    _, bound = tables(CLASSES[3])
    assert not any(bit(word, HOLD_TOKEN) for word in free[:, :FIRST_PITCH].ravel())
    assert not any(bit(word, HOLD_TOKEN) for word in bound.ravel())
    in_range = STRICT.low[0] - SEMITONES[0, FIRST_PITCH] + FIRST_PITCH
    assert bit(free[0, in_range], HOLD_TOKEN)
    assert not bit(free[0, FIRST_PITCH], HOLD_TOKEN), "a note out of range is not held"


def test_the_none_rule_set_allows_everything_but_holding_silence():
    none = load_ruleset("none")
    assert (pair_allowed(none, CLASSES[0]) == np.uint32(0xFFFFFFFF)).all()
    words = voice_allowed(none, CLASSES[0])
    assert (words[:, FIRST_PITCH:] == np.uint32(0xFFFFFFFF)).all()
    assert (words[:, :FIRST_PITCH] == np.uint32(0xFFFFFFFD)).all()


def test_costs_are_those_of_the_predicates():
    chorale = load_ruleset("chorale")
    costs = pair_cost(chorale, CLASSES[0])
    tenor_bass = SEARCH_PAIRS.index((Voice.BASS, Voice.TENOR))
    wide = SEMITONES[Voice.TENOR][None, :] - SEMITONES[Voice.BASS][:, None] > 19
    sounding = np.arange(N_VOICE) >= FIRST_PITCH
    expected = 0.5 * (wide & sounding[None, :] & sounding[:, None])
    np.testing.assert_array_equal(costs[tenor_bass], expected)
    assert np.delete(costs, tenor_bass, axis=0).sum() == 0
    assert expected.sum() > 0
    assert voice_cost(chorale, CLASSES[0]).sum() == 0


def test_a_voice_rule_may_cost(tmp_path):
    path = tmp_path / "soft.toml"
    ranges = 'S = ["C4", "G5"]\nA = ["G3", "D5"]\nT = ["C3", "A4"]\nB = ["E2", "D4"]\n'
    path.write_text(f"[ranges]\n{ranges}[rules]\nV01 = {{ cost = 1.5 }}\n")
    soft = load_ruleset(path)
    costs = voice_cost(soft, CLASSES[0])
    low, high = np.array(soft.low)[:, None], np.array(soft.high)[:, None]
    outside = (low > SEMITONES) | (high < SEMITONES)
    np.testing.assert_array_equal(costs, 1.5 * (outside & (SEMITONES != REST)))
    assert pair_cost(soft, CLASSES[0]).sum() == 0


def test_all_hard_rules_are_pairs_or_voices():
    assert {rule.sites for rule in STRICT.hard if not rule.reads} == {Sites.VOICE, Sites.PAIR}
