"""Passages that return moved obey the rules of their copies while they sound."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clausula.constraints.pair_tables import SEARCH_PAIRS, ContextClass, Image
from clausula.constraints.repeat import token_map
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.constraints.transposition import key_of_copy
from clausula.engine.conflict import narrow
from clausula.engine.demands import Scene, demands_of
from clausula.engine.pairs import rule_words
from clausula.engine.plan import make_plan
from clausula.grid import Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, voice_semitones

RULES = load_ruleset("chorale")
HOME = Key.parse("a")
UP_A_THIRD = "repeat 1 @ 3 tonal up 2 in S,A,T,B"
ELSEWHERE = "repeat 1 @ 3 to v in S,T"
SOUNDS = [index for index in range(N_VOICE) if index != HOLD_TOKEN]


def has(word, token) -> bool:
    return bool(int(word) >> int(token) & 1)


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("text", [UP_A_THIRD, ELSEWHERE])
@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_token_is_refused_whose_image_is(text, begins, data):
    repeat = parse_constraint(text)
    maps = {v: token_map(repeat, HOME, v) for v in repeat.voices}
    copy = ContextClass(key_of_copy(repeat.how, HOME))
    image = Image(copy, tuple(maps[v].tobytes() if v in maps else None for v in Voice), begins)
    plain = ContextClass(HOME)
    of_voice, of_pair = rule_words(RULES, replace(plain, images=(image,)))
    (own_voice, own_pair), (there_voice, there_pair) = (rule_words(RULES, c) for c in (plain, copy))
    place = data.draw(st.sampled_from(range(len(SEARCH_PAIRS))))
    two = SEARCH_PAIRS[place]
    before = [data.draw(st.sampled_from(SOUNDS)) for _ in two]
    token = [data.draw(st.integers(0, N_VOICE - 1)) for _ in two]

    for voice, was, now in zip(two, before, token, strict=True):
        allowed = has(own_voice[voice, was], now)
        if voice in maps:
            here = range(N_VOICE) if begins else {int(maps[voice][was])} - {-1}
            then = maps[voice][now]
            allowed &= then >= 0 and any(has(there_voice[voice, b], then) for b in here)
        assert has(of_voice[voice, was], now) == allowed

    allowed = has(own_pair[place, *before, token[0]], token[1])
    if all(voice in maps for voice in two):
        here = [
            range(N_VOICE) if begins else {int(maps[voice][was])} - {-1}
            for voice, was in zip(two, before, strict=True)
        ]
        then = [maps[voice][now] for voice, now in zip(two, token, strict=True)]
        allowed &= min(then) >= 0 and any(
            has(there_pair[place, *b, then[0]], then[1]) for b in product(*here)
        )
    assert has(of_pair[place, *before, token[0]], token[1]) == allowed


def sounding(voice: Voice, midi: int) -> int:
    return int(np.flatnonzero(voice_semitones(voice) == midi)[0])


@pytest.mark.parametrize(("constraint", "refused"), [(None, False), (UP_A_THIRD, True)])
def test_no_note_is_doubled_that_becomes_a_leading_tone(constraint, refused):
    """G doubled in C major is B doubled a third higher."""
    plan = make_plan(
        key=Key.parse("C"),
        meter=Meter(4, 4),
        measures=4,
        constraints=[] if constraint is None else [parse_constraint(constraint)],
    )
    scene = Scene.of(plan, RULES)
    left = narrow(scene, demands_of(scene))
    second_beat = plan.timeline.frames_per_beat
    _, pair = rule_words(RULES, left.classes[left.context_of_frame[second_beat]])
    before = sounding(Voice.SOPRANO, 76), sounding(Voice.BASS, 48)
    after = sounding(Voice.SOPRANO, 79), sounding(Voice.BASS, 55)
    place = SEARCH_PAIRS.index((Voice.SOPRANO, Voice.BASS))
    # E over C, then G over G: no rule of the chord itself minds.
    assert has(pair[place, *before, after[0]], after[1]) is not refused


def test_a_return_at_pitch_in_the_same_key_asks_nothing_more():
    plan = make_plan(key=Key.parse("C"), meter=Meter(4, 4), measures=16, form="A A' B A")
    scene = Scene.of(plan, RULES)
    left = narrow(scene, demands_of(scene))
    known = len(scene.classes)
    assert (left.context_of_frame[: plan.timeline.frames_per_measure] < known).all()
