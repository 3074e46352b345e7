"""The analysis: its dynamic programme beside plain enumeration, its keys, and how phrases close."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from writing_exercises import exercise

from clausula.checker.costs import COSTS, Costs
from clausula.checker.harmony import _fit, analysis_of
from clausula.checker.passage import Reading, passage_of
from clausula.checker.states import States, states_of
from clausula.checker.vocabulary import FOLLOWS, VOCABULARY, Function
from clausula.checker.ways import Ways, cheapest_way, key_margins
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Sites
from clausula.constraints.rulesets import load_ruleset
from clausula.corpus import load_chorales
from clausula.gridding import to_score
from clausula.pitch import Key, Mode
from clausula.slices import slices_of

CHORALE = load_ruleset("chorale")
PLAIN = ("C5 G4 E4 C3", "A4 F4 C4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3")
CHORALES = load_chorales().grids[::60]


def steps(states: States, level: int, costs: Costs = COSTS) -> np.ndarray:
    """``[S, S]`` what each state costs after each other one, every pair looked at by itself."""
    entry = costs.rarity * states.rarity + costs.change[level]
    function = states.group % len(Function)
    follows = costs.follows * FOLLOWS[function[:, None], function]
    far = costs.key_distance * np.maximum(states.distance - 1, 0)
    between = costs.key_change + far[states.key[:, None], states.key]
    same_key = states.key[:, None] == states.key
    cost = np.where(same_key, follows, between) + entry
    root = np.array(
        [(-1, i) if n is None else (n.degree, n.chroma) for i, n in enumerate(states.numerals)]
    )
    same_root = same_key & (root[:, None] == root).all(axis=2)
    share = costs.same_root_share * entry + costs.same_root
    cost = np.where(same_root, np.minimum(cost, share), cost)
    np.fill_diagonal(cost, 0.0)
    return cost


@pytest.mark.parametrize("grid", CHORALES[:4], ids=lambda grid: grid.title)
def test_no_way_is_cheaper_than_the_one_found(grid):
    slices = slices_of(to_score(grid))
    states = states_of(grid.key)
    n_slices = 40
    fit, level = _fit(slices, states, COSTS)[0][:n_slices], slices.level[:n_slices]
    between = {each: steps(states, each) for each in set(level.tolist())}
    away = np.where(states.key == states.home, 0.0, 1.0)
    total = COSTS.rarity * states.rarity + fit[0] + COSTS.other_start * away
    for time in range(1, n_slices):
        total = (total[:, None] + between[level[time]]).min(axis=0) + fit[time]
    best = (total + COSTS.other_end * away).min()
    path, _ = cheapest_way(fit, level, states, COSTS)
    cost = COSTS.rarity * states.rarity[path[0]] + COSTS.other_start * away[path[0]]
    cost += sum(fit[time, state] for time, state in enumerate(path))
    pairs = enumerate(pairwise(path), start=1)
    cost += sum(between[level[time]][one, other] for time, (one, other) in pairs)
    assert cost + COSTS.other_end * away[path[-1]] == pytest.approx(best, abs=1e-6)


def test_every_step_onward_is_the_cheapest_of_all_pairs():
    states = states_of(Key.parse("e"))
    total = np.random.default_rng(1).uniform(0, 20, len(states))
    out = np.empty(len(states))
    for level in range(5):
        Ways(states, COSTS).onward(total, level, out)
        np.testing.assert_allclose(out, (total[:, None] + steps(states, level)).min(axis=0))


def test_every_step_before_is_the_cheapest_of_all_pairs():
    states = states_of(Key.parse("e"))
    later = np.random.default_rng(2).uniform(0, 20, len(states))
    for level in range(5):
        expected = (steps(states, level) + later).min(axis=1)
        np.testing.assert_allclose(Ways(states, COSTS).before(later, level), expected)


@pytest.mark.parametrize("time", [3, 11, 19])
def test_a_key_is_ahead_by_what_barring_it_costs(time):
    slices = slices_of(to_score(CHORALES[1]))
    states = states_of(CHORALES[1].key)
    fit, level = _fit(slices, states, COSTS)[0][:20], slices.level[:20]
    end = COSTS.other_end * (states.key != states.home)
    path, total = cheapest_way(fit, level, states, COSTS)
    barred = fit.copy()
    barred[time, states.key == states.key[path[time]]] = 1e6
    other = (cheapest_way(barred, level, states, COSTS)[1][-1] + end).min()
    margin = key_margins(fit, level, states, COSTS, total)[time]
    assert margin == pytest.approx(other - (total[-1] + end).min(), abs=1e-6)


@pytest.mark.parametrize("home", ["C", "f#", "Bb", "g"])
def test_every_key_has_its_chords(home):
    states = states_of(Key.parse(home))
    assert states.keys[states.home] == Key.parse(home)
    sizes = {mode: len(VOCABULARY[mode]) for mode in Mode}
    for index, key in enumerate(states.keys):
        own = [n for n, at in zip(states.numerals, states.key, strict=True) if at == index and n]
        assert len(own) == sizes[key.mode]
    for numeral, key, chord in zip(states.numerals, states.key, states.chord, strict=True):
        if numeral is not None:
            tones = numeral.chord(states.keys[key]).tones
            assert states.members[chord][: len(tones)].tolist() == list(tones)


def local_keys(score, home: str) -> list[tuple[int, Key]]:
    """The slice and the key wherever the key of the chords changes."""
    slices = slices_of(score)
    found: list[tuple[int, Key]] = []
    for span in passage_of(score, CHORALE, Reading(Key.parse(home))).chords:
        if not found or found[-1][1] != span.key:
            found.append((int(slices.onset[span.start]), span.key))
    return found


@pytest.mark.parametrize(
    "half",
    [
        ("C5 G4 E4 C3", "D5 G4 B3 G3"),
        ("D5 A4 F4 D3", "D5 G4 B3 G3"),
        ("C5 G4 E4 C3", "D5 G4 B3 G3", "D5 G4 B3 G3"),
    ],
)
def test_a_half_close_does_not_leave_the_home_key(half):
    score = exercise(*half, *PLAIN, fermatas=(len(half) - 1, len(half) + 3))
    assert local_keys(score, "C") == [(0, Key.parse("C"))]


def test_local_keys_change_with_the_phrase():
    home = ("C5 G4 E4 C3", "A4 F4 C4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3")
    away = ("D5 A4 F#4 D3", "E5 G4 C4 C3", "D5 F#4 A3 D3", "D5 G4 B3 G2")
    score = exercise(*home, *away, *home, fermatas=(3, 7, 11))
    assert [key for _, key in local_keys(score, "C")] == [Key.parse(k) for k in "CGC"]


def test_local_keys_follow_a_new_signature():
    home = ("C5 G4 E4 C3", "A4 F4 C4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3")
    far = ("E5 B4 G#4 E3", "C#5 A4 E4 A3", "D#5 B4 F#4 B3", "E5 B4 G#4 E3")
    score = exercise(*home, *far, fermatas=(3, 7), keys=((4, "E"),))
    assert [key for _, key in local_keys(score, "C")] == [Key.parse(k) for k in "CE"]


def test_a_picardy_third_does_not_leave_the_home_key():
    first = ("A4 E4 C4 A2", "B4 F4 D4 D3", "G#4 E4 B3 E3", "A4 E4 C4 A2")
    last = ("A4 E4 C4 A2", "B4 F4 D4 D3", "G#4 E4 B3 E3", "A4 E4 C#4 A2")
    assert local_keys(exercise(*first, *last, fermatas=(3, 7)), "a") == [(0, Key.parse("a"))]


def test_given_keys_are_kept():
    score = exercise(*PLAIN, *PLAIN)
    keys = ((Fraction(0), Key.parse("F")), (Fraction(4), Key.parse("C")))
    spans = analysis_of(slices_of(score), Key.parse("C"), (Fraction(8),), keys).chords
    assert {(span.start < 4, str(span.key)) for span in spans} == {
        (True, "F major"),
        (False, "C major"),
    }


def test_a_chord_that_outlasts_its_phrase_closes_it_with_the_phrases_own_soprano():
    score = exercise(*PLAIN, "E5 G4 C4 C3", "D5 G4 B3 G3", "C5 G4 E4 C3", fermatas=(3, 6))
    first, last = passage_of(score, CHORALE, Reading(Key.parse("C"))).cadences
    assert (first.kind, last.kind) == (CadenceKind.PAC, CadenceKind.PAC)
    higher = exercise(*PLAIN[:3], "E5 G4 E4 C3", "C5 G4 E4 C3", fermatas=(3,))
    first, *_ = passage_of(higher, CHORALE, Reading(Key.parse("C"))).cadences
    assert first.kind is CadenceKind.IAC


def test_all_sites_at_once_are_what_each_site_is_alone():
    broken = set()
    for grid in CHORALES:
        passage = passage_of(to_score(grid), CHORALE, Reading(grid.key))
        for code, rule in RULES.items():
            if rule.predicate is None:
                continue
            alone = rule.violations(passage.prev, passage.cur, passage.context, passage.beside)
            found = rule.found(passage)
            np.testing.assert_array_equal(found, alone, code)
            broken |= {rule.sites} if found.any() else set()
    assert broken == set(Sites)
