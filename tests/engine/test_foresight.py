"""Messages by theme: what has sounded is pinned in its copies, and the best themes are kept."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_search import RULES, controls_for, plan_for, run, small_hmm

from clausula.engine import foresight
from clausula.engine.beam import SearchConfig
from clausula.engine.foresight import Known, distinct, foresee
from clausula.engine.messages import Model, checkpoints
from clausula.engine.rendering import grid_of
from clausula.engine.scaled import logs
from clausula.engine.tables import compile_plan, search_tables
from clausula.grid import SEARCH_ORDER, Voice
from clausula.neural.features import AGES
from clausula.verifying import judge

THEMES = 3
ROWS = 6


def test_equal_signatures_have_one_number_in_order():
    signature = jnp.array([5, 7, 5, 9, 7, 9, 1])
    alive = jnp.array([True, True, True, False, True, False, True])
    number, place = distinct(signature, alive)
    assert number.tolist() == [0, 1, 0, 7, 1, 7, 2]
    assert place[:3].tolist() == [0, 1, 6]


@pytest.fixture(scope="module")
def scene():
    """Tables of a plan whose soprano returns up a step, and hypotheses at the second segment."""
    plan = plan_for(8, form="A B", constraints=["repeat 1 @ 5 up M2 in S", "repeat 2 @ 6 in S"])
    tables = search_tables(
        plan, compile_plan(plan, RULES), RULES, small_hmm(), controls_for(plan), AGES - 1
    )
    tables = jax.tree.map(jnp.asarray, tables)
    model = Model(tables.class_of_frame, tables.transition, tables.log_emission)
    history = np.ones((ROWS, len(tables.class_of_frame), 4), np.int8)
    history[:, 0, Voice.SOPRANO] = [12, 14, 12, 16, 14, 12]  # three themes, and one row is dead
    history[:, 16, Voice.SOPRANO] = 12
    score = jnp.array([-1.0, -2.0, -3.0, -4.0, -5.0, -jnp.inf])
    return tables, model, jnp.asarray(history), score


def renewed(scene, themes, first=32):
    tables, model, history, score = scene
    ahead = foresee(tables, model, themes)
    known = Known(ahead, jnp.zeros(ROWS, jnp.int32), score, jnp.int32(0))
    # Traced anew each time: a test may have set other limits.
    return ahead, jax.jit(partial(foresight.renewed))(tables, model, history, known, first)


def test_themes_are_pinned_in_their_copies_and_nowhere_else(scene):
    tables, model, _, _ = scene
    _, (ahead, theme, score, until) = renewed(scene, THEMES)
    assert until == 32
    assert theme[:5].tolist() == [0, 1, 0, 2, 1]
    assert (score[:5] > -jnp.inf).all()
    assert score[5] == -jnp.inf
    own = np.asarray(tables.layers[0].domains)
    soprano = list(SEARCH_ORDER).index(Voice.SOPRANO)
    for number, note in enumerate([12, 14, 16]):
        expected = own.copy()
        expected[64:96, soprano] = 1 << 1
        expected[64, soprano] = 1 << note + 2
        expected[80, soprano] = 1 << 12
        expected &= own
        np.testing.assert_array_equal(ahead.domains[number], expected)
        pinned = tables.layers[0]._replace(domains=jnp.asarray(expected))
        kept = jax.tree.map(lambda each, own=number: each[own], ahead.kept[0])
        expected = logs(checkpoints(pinned, model))
        np.testing.assert_allclose(logs(kept)[1:], expected[1:], rtol=1e-5)


def test_only_the_best_themes_are_kept(scene):
    _, (ahead, theme, score, _) = renewed(scene, 2)
    assert (score > -jnp.inf).tolist() == [True, True, True, False, True, False]
    assert theme.max() == 1
    assert len(ahead.domains) == 2


def test_nothing_new_is_nothing_done(scene):
    before, (ahead, theme, _, until) = renewed(scene, THEMES, first=96)
    np.testing.assert_array_equal(ahead.domains, before.domains)
    assert not theme.any()
    assert until == 0


@pytest.mark.parametrize(("near", "waits"), [(32, True), (33, False)])
def test_a_long_piece_waits_until_a_copy_is_near(scene, monkeypatch, near, waits):
    """The copies begin 32 frames ahead; what has sounded is less than the piece."""
    monkeypatch.setattr(foresight, "TIMES", 1)
    monkeypatch.setattr(foresight, "NEAR", near)
    before, (ahead, _, _, until) = renewed(scene, THEMES)
    assert (np.asarray(ahead.domains) == np.asarray(before.domains)).all() == waits
    assert until == (0 if waits else 32)


@pytest.mark.parametrize(("form", "ties"), [("A A B A", 0.0), ("A B A B", 1.0)])
def test_pieces_searched_with_themes_keep_every_constraint(form, ties):
    plan = plan_for(2 * len(form.split()), form=form, meter="2/4")
    config = SearchConfig(beam=8, tail=0.0, themes=THEMES, ties=ties)
    result = run(plan, config=config, pieces=2)
    assert (result.score > -np.inf).any()
    for tokens in result.tokens[result.score > -np.inf]:
        grid = grid_of(tokens, plan)
        for constraint in plan.constraints:
            assert judge(grid, constraint, plan) == [], str(constraint)


def test_a_beam_may_be_narrower_than_its_themes(scene):
    tables, model, history, _ = scene
    ahead = foresee(tables, model, THEMES)
    known = Known(ahead, jnp.zeros(1, jnp.int32), jnp.zeros(1), jnp.int32(0))
    alone = history[:1], known, 32
    ahead, theme, score, _ = jax.jit(foresight.renewed)(tables, model, *alone)
    assert len(ahead.domains) == THEMES
    assert theme.tolist() == [0]
    assert score.tolist() == [0.0]
