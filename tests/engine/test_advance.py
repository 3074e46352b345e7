"""One slot of the search against its formula: temperature, guidance, costs, tail, both scores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clausula.engine.beam import Partial, SearchConfig
from clausula.engine.choosing import Terms, choose, follow, settled, watched
from clausula.engine.filter import UNIT
from clausula.engine.lookahead import FrameAutomaton
from clausula.vocabulary import N_VOICE

ROWS, STATES = 3, 5


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    allowed = rng.random((ROWS, N_VOICE)) < 0.5
    log_net = np.log(rng.dirichlet(np.ones(N_VOICE), ROWS))
    log_guide = np.where(allowed, -rng.exponential(1, (ROWS, N_VOICE)), -np.inf)
    cost = rng.exponential(0.5, (ROWS, N_VOICE))
    emission = np.log(rng.dirichlet(np.ones(N_VOICE), STATES))
    return allowed, log_net, log_guide, cost, emission


def advanced(config, arrays):
    allowed, log_net, log_guide, cost, emission = (jnp.asarray(a) for a in arrays)
    chosen = Partial(
        row=jnp.arange(ROWS),
        token=jnp.zeros((ROWS, 4), int),
        state=jnp.zeros((ROWS, 1), int),
        alpha=jnp.full((ROWS, STATES), UNIT),
        score=jnp.asarray([-0.3, -1.0, -0.1]),
        log_q=jnp.asarray([-1.0, -2.0, -3.0]),
        log_net=jnp.asarray([-1.5, -2.5, -3.5]),
        cost=jnp.asarray([0.1, 0.2, 0.3]),
        changes=jnp.asarray([[0], [1], [2]]),
        ties=None,
        lost=jnp.int32(0),
    )
    differs = jnp.tile(jnp.arange(N_VOICE) != 7, (ROWS, 1, 1)).astype(int)
    terms = Terms(allowed, log_net, config.guidance * log_guide, cost, differs)
    steps = jnp.zeros((4, 2, N_VOICE), int)
    automata = (FrameAutomaton(steps, jnp.zeros(2, jnp.uint32), jnp.asarray(True)),)
    choice = choose(config, config.weights, jax.random.key(1), chosen, terms, settle=False)
    after = follow(chosen, choice, terms, 0)
    return chosen, watched(after, chosen, choice, 0, automata, jnp.exp(emission).T)


def expected_log_q(config, arrays):
    """The guided proposal, by its definition, one row at a time."""
    allowed, log_net, log_guide, cost, _ = arrays
    out = np.full((ROWS, N_VOICE), -np.inf)
    for row in range(ROWS):
        weight = np.zeros(N_VOICE)
        for token in np.flatnonzero(allowed[row]):
            weight[token] = np.exp(
                log_net[row, token] / config.temperature
                + config.guidance * log_guide[row, token]
                - cost[row, token]
            )
        weight[weight < config.tail * weight.max()] = 0
        kept = weight > 0
        out[row, kept] = np.log(weight[kept] / weight.sum())
    return out


@pytest.mark.parametrize(
    "config",
    [
        SearchConfig(beam=12),
        SearchConfig(beam=12, temperature=0.7, guidance=0.5, tail=0.1),
        SearchConfig(beam=12, tail=0.0, guidance=0.0),
    ],
)
def test_tokens_are_drawn_by_the_guided_proposal(config):
    arrays = drawn()
    before, after = advanced(config, arrays)
    alive = np.asarray(after.score) > -np.inf
    assert alive.any()
    row, token = np.asarray(after.row)[alive], np.asarray(after.token)[alive, 0]
    log_q = np.asarray(before.log_q)[row] + expected_log_q(config, arrays)[row, token]
    np.testing.assert_allclose(after.log_q[alive], log_q, rtol=1e-4)
    log_net = np.asarray(before.log_net)[row] + arrays[1][row, token]
    np.testing.assert_allclose(after.log_net[alive], log_net, rtol=1e-4)
    cost = np.asarray(before.cost)[row] + arrays[3][row, token]
    np.testing.assert_allclose(after.cost[alive], cost, rtol=1e-4)


def test_no_token_of_the_tail_is_drawn():
    config = SearchConfig(beam=ROWS * N_VOICE, tail=0.3)
    arrays = drawn()
    _, after = advanced(config, arrays)
    alive = np.asarray(after.score) > -np.inf
    assert alive.sum() == (expected_log_q(config, arrays) > -np.inf).sum()


def test_maximising_keeps_the_best_by_network_guidance_and_costs():
    config = SearchConfig(beam=6, maximise=True, guidance=0.5, tail=0.0)
    arrays = drawn()
    allowed, log_net, log_guide, cost, _ = arrays
    before, after = advanced(config, arrays)
    score = np.where(
        allowed,
        np.asarray(before.log_net)[:, None]
        + log_net
        - np.asarray(before.cost)[:, None]
        - cost
        + config.guidance * np.where(allowed, log_guide, 0),
        -np.inf,
    )
    np.testing.assert_allclose(after.score, np.sort(score.ravel())[::-1][:6], rtol=1e-4)


def test_changes_are_counted_by_row_and_token():
    before, after = advanced(SearchConfig(beam=12), drawn())
    expected = np.asarray(before.changes)[after.row, 0] + (np.asarray(after.token[:, 0]) != 7)
    np.testing.assert_array_equal(after.changes[:, 0], expected)


def test_the_filter_follows_the_chosen_token():
    config = SearchConfig(beam=6)
    arrays = drawn()
    _, after = advanced(config, arrays)
    weight = np.exp(arrays[4])[:, np.asarray(after.token)[:, 0]].T
    expected = UNIT * weight / weight.max(1, keepdims=True)
    np.testing.assert_allclose(after.alpha, expected, rtol=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_the_first_child_of_every_parent_takes_its_row(seed):
    parent = np.random.default_rng(seed).integers(0, 9, 9)
    order = np.asarray(settled(jnp.asarray(parent)))
    assert sorted(order.tolist()) == list(range(9))
    for row in set(parent.tolist()):
        assert parent[order[row]] == row
        assert order[row] == parent.tolist().index(row)
