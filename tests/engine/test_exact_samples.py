"""The search on spaces small enough to be listed: what it finds is what there is, by its weights.

A piece is taken and all but a few of its places are left no choice. Brute force lists every way to
fill these, and asks the network, reading the finished piece, how likely it is.
"""

import itertools
from dataclasses import replace
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from small_search import MODEL, PROPOSAL, ROOM, RULES, controls_for, plan_for, run, small_hmm

from clausula.engine import tables as compiling
from clausula.engine.beam import SearchConfig, SearchResult
from clausula.engine.gumbel import log_inclusion
from clausula.engine.rendering import grid_of
from clausula.engine.search import search
from clausula.engine.tables import compile_plan
from clausula.grid import SEARCH_ORDER
from clausula.neural.batches import crop, stack
from clausula.neural.features import AGES, example_of
from clausula.neural.scoring import rows_stepwise
from clausula.verifying import judge
from clausula.vocabulary import voice_to_global

PLAN = plan_for(measures=2, form="A")
NO_RULES = replace(RULES, settings=())
PLACES = [(0, 0), (8, 1), (20, 3), (24, 0)]  # frame and voice; the last two belong to the cadence
WHOLE = SearchConfig(beam=96, tail=0.0, themes=1, maximise=True)
FEW = SearchConfig(beam=5, tail=0.0, themes=1)
ONE = SearchConfig(beam=1, tail=0.0, themes=1)
ROUNDS = 500


@nnx.jit
def log_probs(model, batch):
    return model.log_probs(batch).sum((1, 2))


class Space:
    """Every piece that keeps the plan and differs from one in the places alone."""

    def __init__(self):
        base = run(PLAN, seed=3).tokens[0, 0, :32].astype(int)
        options = [{int(base[place]) + step for step in (0, 2, -1)} for place in PLACES]
        self.domains = np.uint32(1) << base.astype(np.uint32)
        for place, tokens in zip(PLACES, options, strict=True):
            self.domains[place] = sum(1 << token for token in tokens)
        self.pieces = []
        for tokens in itertools.product(*options):
            piece = base.copy()
            for place, token in zip(PLACES, tokens, strict=True):
                piece[place] = token
            if all(not judge(grid_of(piece, PLAN), c, PLAN) for c in PLAN.constraints):
                self.pieces.append(piece)
        self.examples = [example_of(grid_of(piece, PLAN)) for piece in self.pieces]
        batch = stack([crop(example, 0, 32) for example in self.examples])
        self.log_net = np.asarray(log_probs(MODEL, batch))
        self.listed = {piece.tobytes(): i for i, piece in enumerate(self.pieces)}
        with mock.patch.object(compiling, "LEAST_LAYERS", ROOM):
            compiled = compile_plan(PLAN, NO_RULES)
            tables = compiling.search_tables(
                PLAN, compiled, NO_RULES, small_hmm(), controls_for(PLAN), AGES - 1
            )
        tables.domains[:32] &= self.domains
        ours = jnp.asarray(tables.domains[:, list(SEARCH_ORDER)])
        layers = tables.layers[0]
        narrowed = layers._replace(domains=layers.domains & ours)
        self.tables = tables._replace(layers=(narrowed,))

    def search(self, config, keys) -> SearchResult:
        result = search(
            PROPOSAL.params,
            self.tables,
            keys,
            proposal_functions=PROPOSAL._replace(params=None),
            config=config,
        )
        return jax.tree.map(np.asarray, result)

    def number(self, tokens):
        """Which piece these are; there is no other."""
        return self.listed[tokens[:32].astype(int).tobytes()]


@pytest.fixture(scope="module")
def space():
    return Space()


@pytest.fixture(scope="module")
def drawn(space):
    return space.search(FEW, jax.random.split(jax.random.key(5), ROUNDS))


def test_some_ways_are_refused_and_some_are_left(space):
    assert 8 <= len(space.pieces) < 3 ** len(PLACES)


def test_a_beam_as_wide_as_the_space_finds_all_of_it_the_best_first(space):
    found = space.search(WHOLE, jax.random.key(0)[None])
    alive = found.score[0] > -np.inf
    numbers = [space.number(tokens) for tokens in found.tokens[0][alive]]
    assert sorted(numbers) == list(range(len(space.pieces)))
    np.testing.assert_allclose(found.log_net[0][alive], space.log_net[numbers], rtol=1e-4)
    assert (np.diff(found.score[0][alive]) <= 1e-4).all()
    assert space.log_net[numbers[0]] == space.log_net.max()


def test_a_beam_of_one_that_maximises_is_greedy(space):
    """Of the pieces that begin as chosen so far, the token that the network likes best."""
    greedy = replace(ONE, maximise=True, guidance=0.0)
    found = space.search(greedy, jax.random.key(0)[None])
    left = list(range(len(space.pieces)))
    for frame in range(32):
        for slot, voice in enumerate(SEARCH_ORDER):
            tokens = {int(space.pieces[i][frame, voice]) for i in left}
            if len(tokens) == 1:
                continue
            rows = rows_stepwise(PROPOSAL, space.examples[left[0]])[frame, slot]
            to_global = voice_to_global(voice)
            best = max(tokens, key=lambda token, rows=rows, to=to_global: rows[to[token]])
            left = [i for i in left if space.pieces[i][frame, voice] == best]
    assert space.number(found.tokens[0, 0]) == left[0]


def test_nothing_is_lost_where_every_way_leads_on(drawn):
    assert (drawn.lost == 0).all()


def test_samples_by_their_weights_are_unbiased(space, drawn):
    """Sums over all pieces of q and of p_net times a statistic, within four standard errors."""
    notes = np.array([[piece[place] for place in PLACES] for piece in space.pieces])
    wide = space.search(replace(FEW, beam=WHOLE.beam), jax.random.key(1)[None])
    log_q = np.full(len(space.pieces), -np.inf)
    for tokens, value in zip(wide.tokens[0], wide.log_q[0], strict=True):
        if value > -np.inf and tokens.any():
            log_q[space.number(tokens)] = value
    np.testing.assert_allclose(np.exp(log_q).sum(), 1.0, rtol=1e-4)
    for log_p in (log_q, space.log_net - space.log_net.max()):
        for statistic in notes.T:
            estimates = np.zeros(ROUNDS)
            for r in range(ROUNDS):
                log_in = log_inclusion(drawn.log_q[r], drawn.score[r], FEW.beam)
                for row in np.flatnonzero(~np.isnan(log_in)):
                    i = space.number(drawn.tokens[r, row])
                    estimates[r] += statistic[i] * np.exp(log_p[i] - log_in[row])
            error = estimates.std() / np.sqrt(ROUNDS)
            expected = (statistic * np.exp(log_p)).sum()
            assert abs(estimates.mean() - expected) < 4 * error


def test_a_sample_of_one_comes_as_often_as_its_probability_says(space, drawn):
    """The first of a stochastic beam is an ordinary sample of q."""
    log_q = {}
    for r in range(ROUNDS):
        for row in range(FEW.beam):
            log_q[space.number(drawn.tokens[r, row])] = drawn.log_q[r, row]
    first = [space.number(drawn.tokens[r, 0]) for r in range(ROUNDS)]
    counts = np.bincount(first, minlength=len(space.pieces)) / ROUNDS
    for i, value in log_q.items():
        q = float(np.exp(value))
        assert abs(counts[i] - q) < 4.5 * np.sqrt(q * (1 - q) / ROUNDS) + 1 / ROUNDS


def test_rows_of_a_beam_are_distinct(space, drawn):
    for tokens in drawn.tokens[:50]:
        assert len({space.number(row) for row in tokens}) == FEW.beam


def test_a_batch_is_as_many_single_searches(space, drawn):
    keys = jax.random.split(jax.random.key(5), ROUNDS)
    for piece in (0, 1, 17):
        alone = space.search(FEW, keys[piece][None])
        np.testing.assert_array_equal(alone.tokens[0], drawn.tokens[piece])
        np.testing.assert_allclose(alone.score[0], drawn.score[piece], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(alone.log_net[0], drawn.log_net[piece], rtol=1e-4)
