"""Messages over tied positions at full size, with the shipped chain: sums, rows and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tie_walk import Walk, advance, theme_tokens, token_log_probs

from clausula.constraints.domains import Domains, phrase_domains
from clausula.constraints.repeat import tie
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine import chain
from clausula.engine.demands import range_domains
from clausula.engine.hmm import frame_classes
from clausula.engine.plan import make_plan
from clausula.engine.tie_reference import sounding_after, tokens_that_keep
from clausula.engine.tie_tables import tie_forecast
from clausula.errors import PlanError
from clausula.grid import Meter, Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN


def planned(form, measures, constraints=(), key="G"):
    """A plan with the shipped chain: ties, domains, forecast, and the chain frame by frame."""
    plan = make_plan(
        key=Key.parse(key),
        meter=Meter(4, 4),
        measures=measures,
        form=form,
        constraints=[parse_constraint(text) for text in constraints],
    )
    timeline = plan.timeline
    free = range_domains(timeline, load_ruleset("chorale")) & phrase_domains(timeline)
    ties, domains = tie(plan.repeats, timeline, plan.key, free)
    classes = frame_classes(timeline.meter, timeline.position, plan.phrase_end)
    log_steps = chain.log_steps(chain.load_counts(), plan.key, int(classes[0]))
    steps = chain.step_of_frame(classes)
    forecast = tie_forecast(ties, domains, log_steps, steps)
    return ties, domains, forecast, log_steps[steps]


@pytest.mark.parametrize(
    ("form", "measures", "constraints", "voice"),
    [
        ("A A' B A", 16, [], Voice.SOPRANO),
        ("A B A B", 8, ["repeat 1-2 @ 5 up M2 in S,B", "repeat 1 @ 7 up P4 in B"], Voice.BASS),
        ("A B A C A B B A", 16, ["repeat 1 @ 5 down m3 in S"], Voice.SOPRANO),
        ("A B' A' C A' B B' A", 32, [], Voice.SOPRANO),
    ],
    ids=["AA'BA", "ABAB moved", "ABACABBA", "ABA'CA'BB'A"],
)
def test_probability_is_kept_from_frame_to_frame(form, measures, constraints, voice):
    """What holds before a frame is the mean of what holds after it, at full size."""
    ties, domains, forecast, log_step = planned(form, measures, constraints)
    tables = jax.tree.map(jnp.asarray, forecast.tables)
    assert forecast.exact.all()
    assert forecast.feasible.all()
    walk = Walk(tables, voice)
    rng = np.random.default_rng(0)
    for frame in range(len(log_step)):
        after = walk.log_probs()
        keeping = tokens_that_keep(ties, domains, voice, walk.prefix)
        assert np.flatnonzero(after > -np.inf).tolist() == keeping
        terms = log_step[frame, voice, sounding_after(walk.prefix)] + after
        total = np.logaddexp.reduce(terms.astype(float))
        assert total == pytest.approx(walk.log_kept, abs=2e-3), frame
        walk.choose(rng.choice(N_VOICE, p=np.exp(terms - total) / np.exp(terms - total).sum()))
    assert walk.log_kept == 0


def test_rows_are_their_own_and_follow_their_parents():
    ties, _, forecast, _ = planned("A B A B", 8)
    tables = jax.tree.map(jnp.asarray, forecast.tables)
    rng = np.random.default_rng(1)
    walks = [Walk(tables, Voice.SOPRANO) for _ in range(2)]
    both = Walk(tables, Voice.SOPRANO, rows=2)
    for time in range(len(ties.source_frame)):
        single = [walk.log_probs() for walk in walks]
        both.log_probs()
        theme = theme_tokens(tables, both.history, np.int32(time))[:, 0]
        sounding = np.array([sounding_after(walk.prefix) for walk in walks], np.int32)
        log_probs = token_log_probs(
            tables, both.state, np.int32(time), np.int32(0), sounding, theme
        )
        np.testing.assert_allclose(log_probs, single, atol=1e-4)
        row = rng.permutation(2).astype(np.int32)
        tokens = [int(rng.choice(np.flatnonzero(single[r] > -np.inf))) for r in row]
        both.state = advance(
            tables,
            both.state,
            np.int32(time),
            np.int32(0),
            sounding,
            log_probs,
            row,
            np.array(tokens, np.int32),
        )
        both.history = both.history[row]
        both.history[:, time, 0] = tokens
        walks = [walks[r] for r in row]
        for walk, token in zip(walks, tokens, strict=True):
            walk.choose(token)
        np.testing.assert_allclose(
            both.state.log_ties[:, 0], [walk.log_kept for walk in walks], atol=1e-4
        )


def test_voices_of_which_nothing_returns_have_no_part():
    _, _, forecast, _ = planned("A A", 4)
    tables = jax.tree.map(jnp.asarray, forecast.tables)
    assert forecast.tables.returning.tolist() == [True, False, False, False]
    walk = Walk(tables, Voice.ALTO)
    assert walk.log_probs().tolist() == [0.0] * N_VOICE
    walk.choose(FIRST_PITCH)
    assert walk.log_kept == 0


def test_a_passage_that_cannot_return_is_infeasible_without_numbers():
    ties, domains, _, log_step = planned("A A", 4)
    copied = int(np.flatnonzero(ties.source_frame[:, 0] >= 0)[-1])
    rests = domains.masks.copy()
    rests[copied, 0] = 1 << REST_TOKEN
    steps = np.arange(len(log_step))
    forecast = tie_forecast(ties, Domains(rests), log_step, steps)
    assert forecast.feasible.tolist() == [False, True, True, True]
    assert forecast.tables.log_start.tolist() == [-np.inf, 0, 0, 0]
    assert (Walk(jax.tree.map(jnp.asarray, forecast.tables), 0).log_probs() == -np.inf).all()


def test_a_theme_that_may_begin_with_a_hold_is_refused():
    ties, domains, _, log_step = planned("A A", 4)
    masks = domains.masks.copy()
    returning = ties.source_frame[:, 0] >= 0
    masks[returning, 0] |= 1 << HOLD_TOKEN
    masks[ties.source_frame[returning, 0], 0] |= 1 << HOLD_TOKEN
    with pytest.raises(PlanError, match="soprano's returning passage may begin with a held note"):
        tie_forecast(ties, Domains(masks), log_step, np.arange(len(log_step)))


def test_another_form_is_not_another_program():
    shapes = [
        jax.tree.map(lambda a: (a.shape, a.dtype), planned(form, 8)[2].tables)
        for form in ("A A' B A", "A B A B")
    ]
    assert shapes[0] == shapes[1]
