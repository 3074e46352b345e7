"""Returns that may change: the budget's masks and messages against enumeration."""

from itertools import product
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_search import RULES, plan_for

from clausula.constraints.domains import Domains
from clausula.constraints.text import parse_constraint
from clausula.constraints.vary import Positions
from clausula.engine import budgets
from clausula.engine.budgets import DIFFERS, budget_of, budgets_of, log_ahead
from clausula.engine.conflict import require_possible
from clausula.engine.demands import Scene, demands_of
from clausula.engine.frame_masks import _within_budgets
from clausula.errors import ImpossibleError, PlanError
from clausula.vocabulary import HOLD_TOKEN, N_VOICE

change_terms = jax.jit(budgets.change_terms)
TOKENS = [HOLD_TOKEN, 12, 14]  # of which domains and words are drawn
PLACES = 5  # of a copy


class Drawn(NamedTuple):
    budget: budgets.Budget
    domains: list[list[int]]  # tokens by place: those of the passage, then those of the copy


def drawn(seed, price):
    """A soprano copy of five frames with drawn domains."""
    rng = np.random.default_rng(seed)
    mapped = np.tile(np.arange(N_VOICE, dtype=np.int8), (PLACES, 1))
    if rng.random() < 0.3:
        mapped[:, 14] = -1  # a note that cannot return
    domains = [
        sorted(rng.choice(TOKENS, rng.integers(1, 4), replace=False).tolist())
        for _ in range(2 * PLACES)
    ]
    allowed = np.array([[token in tokens for token in range(N_VOICE)] for tokens in domains])
    least = int(rng.integers(0, 3))
    places = Positions(4 * np.arange(8, 8 + PLACES), np.arange(PLACES), mapped)
    bounds = least, least + int(rng.integers(0, 3))
    budget = budget_of(places, allowed[:PLACES], allowed[PLACES:], bounds, price)
    return Drawn(budget, domains)


def asked_at(case, word, place):
    """The terms before a place of the passage or the copy, after the tokens before it."""
    history = np.zeros((1, 16, 4), np.int8)
    history[0, : min(place, PLACES), 0] = word[: min(place, PLACES)]
    frame = place if place < PLACES else place - PLACES + 8
    changes = jnp.array([sum(changes_of(case, word[:place]))])
    return change_terms(case.budget, history, changes, 4 * frame)


def changes_of(case, word):
    """1 for each place of the copy that is a change."""
    mapped = case.budget.mapped
    exact = [int(mapped[i, theme]) for i, theme in enumerate(word[:PLACES])]
    copy = word[PLACES:]
    return [int(token != image) for token, image in zip(copy, exact, strict=False)]


def broken(case, word):
    """Changes too few or too many of a whole passage and its copy."""
    count = sum(changes_of(case, word))
    return max(0, count - int(case.budget.most)) + max(0, int(case.budget.least) - count)


def keepable(case, prefix):
    """Whether some way on keeps the budget, place by place, by enumeration."""
    rests = product(*case.domains[len(prefix) :])
    return any(broken(case, [*prefix, *rest]) == 0 for rest in rests)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_a_token_of_the_copy_is_allowed_where_the_rest_can_keep_the_budget(seed):
    case = drawn(seed, np.inf)
    rng = np.random.default_rng([seed, 1])
    place = PLACES + int(rng.integers(PLACES))
    prefix = [int(rng.choice(tokens)) for tokens in case.domains[:place]]
    terms = asked_at(case, prefix, place)
    for token in case.domains[place]:
        word = [*prefix, token]
        assert bool(terms.allowed[0, token]) == keepable(case, word)
        assert int(terms.differs[0, token]) == changes_of(case, word)[-1]
    assert not terms.cost.any()


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_a_token_of_the_passage_is_refused_only_where_no_copy_keeps_the_budget(seed):
    case = drawn(seed, np.inf)
    rng = np.random.default_rng([seed, 3])
    place = int(rng.integers(2, PLACES))
    prefix = [int(rng.choice(tokens)) for tokens in case.domains[:place]]
    terms = asked_at(case, prefix, place)
    for token in case.domains[place]:
        # The bounds take each place by itself, so at the passage's last they are exact.
        possible = keepable(case, [*prefix, token])
        assert bool(terms.allowed[0, token]) >= possible
        if place == PLACES - 1:
            assert bool(terms.allowed[0, token]) == possible


def test_the_last_change_may_come_in_any_voice_of_the_last_frame():
    """Before a frame is begun its later voices are refused nothing that its earlier ones mend."""
    layers = np.array([32, 36])  # two frames of the soprano alone
    places = Positions(layers, np.arange(2), np.tile(np.arange(N_VOICE, dtype=np.int8), (2, 1)))
    free = np.ones((2, N_VOICE), bool)
    budget = budget_of(places, free, free, (1, 1), np.inf)
    history = np.full((1, 16, 4), 12, np.int8)
    tables = SimpleNamespace(budgets=(budget,))
    beam = SimpleNamespace(history=history, changes=jnp.array([[0]]), score=jnp.zeros(1))
    soprano, *others = np.asarray(_within_budgets(tables, beam, 9))[0].tolist()
    assert soprano == 0xFFFFFFFF & ~(1 << 12)
    assert others == [0xFFFFFFFF] * 3


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_a_soft_budget_asks_for_every_change_too_few_or_too_many(seed):
    case = drawn(seed, 2.0)
    rng = np.random.default_rng([seed, 2])
    word = [int(rng.choice(tokens)) for tokens in case.domains]
    asked = 0.0
    for place, token in enumerate(word):
        terms = asked_at(case, word, place)
        assert terms.allowed.all()
        asked += float(terms.cost[0, token])
    assert asked == pytest.approx(2.0 * broken(case, word))


def test_nothing_is_asked_elsewhere():
    case = drawn(0, 2.0)
    terms = change_terms(case.budget, np.zeros((1, 16, 4), np.int8), jnp.array([0]), 4 * 9 + 2)
    assert not terms.differs.any()
    assert not terms.cost.any()


@pytest.mark.parametrize("price", [np.inf, 0.7])
def test_messages_of_a_budget_are_those_of_places_that_change_by_chance(price):
    least, most, places = 2, 3, 6
    table = log_ahead(least, most, price, places)
    for left, so_far in product(range(places + 1), repeat=2):
        expected = 0.0
        for flips in product((0, 1), repeat=left):
            p = np.prod([DIFFERS if flip else 1 - DIFFERS for flip in flips])
            count = so_far + sum(flips)
            over = max(0, count - most) + max(0, least - count)
            expected += p * (np.exp(-price * over) if over else 1.0)
        assert np.exp(table[left, so_far]) == pytest.approx(expected)
        assert (table[left, so_far] > -np.inf) == (expected > 0)


def test_a_price_beyond_what_floats_hold_is_still_a_price():
    assert np.isfinite(log_ahead(1, 1, 1e5, 4)).all()


def test_more_changes_than_places_are_refused():
    plan = plan_for(form="A B", constraints=["vary 1 @ 3 by 99 in S"])
    with pytest.raises(PlanError, match="16 places"):
        budgets_of(plan, Domains.full(plan.timeline.n_frames))


def test_pins_that_force_too_many_changes_are_a_conflict():
    places = ("1 B4", "3 A4", "1.3 D5", "3.3 C5")
    asked = ["vary 1 @ 3 by 0-1 in S", *(f"pin soprano @ {place}" for place in places)]
    scene = Scene.of(plan_for(form="A B", constraints=asked), RULES)
    with pytest.raises(ImpossibleError) as raised:
        require_possible(scene, demands_of(scene))
    assert set(raised.value.conflict) == {str(parse_constraint(text)) for text in asked}
    assert raised.value.minimal
