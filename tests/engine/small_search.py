"""A tiny network and a tiny hidden Markov model, drawn at random, for tests of the search.

What they like is senseless, so whatever holds in their music holds because it is enforced.
"""

from unittest import mock

import jax
import numpy as np
from flax import nnx

from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_cadences, parse_constraint
from clausula.engine import tables as compiling
from clausula.engine.beam import SearchConfig
from clausula.engine.hmm import HMM, N_CLASSES, N_NOTE, hold_with_floor, with_floor
from clausula.engine.plan import make_plan
from clausula.engine.search import search
from clausula.engine.tables import compile_plan
from clausula.grid import Meter
from clausula.neural.features import AGES, controls_of
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.stepping import transformer_proposal
from clausula.pitch import Key, Mode

RULES = load_ruleset("chorale")
NETWORK = NetworkConfig(width=16, layers=1, heads=2, mlp=16, head_mlp=16, window=12)
STATES = 6
SMALL = SearchConfig(beam=8, tail=0.0, themes=1)
ROOM = (128, 2048, 32)  # tables, states and successors of any plan here: all share one program


def small_network() -> ChoraleTransformer:
    net = ChoraleTransformer(NETWORK, nnx.Rngs(0))
    net.eval()
    return net


def small_hmm() -> HMM:
    rng = np.random.default_rng(0)

    def drawn(*shape):
        return with_floor(rng.gamma(0.5, size=shape) + 1e-6)

    return HMM(
        drawn(2, STATES),
        drawn(N_CLASSES, STATES, STATES),
        hold_with_floor(rng.beta(2, 2, (N_CLASSES, 4, STATES))),
        drawn(4, STATES, N_NOTE),
    )


MODEL = small_network()
PROPOSAL = transformer_proposal(MODEL)


def plan_for(measures=4, key="G", form="A A'", cadences=None, constraints=(), meter="4/4"):
    return make_plan(
        key=Key.parse(key),
        meter=Meter.parse(meter),
        measures=measures,
        form=form,
        cadences=parse_cadences(cadences) if cadences else None,
        constraints=[parse_constraint(text) for text in constraints],
    )


def controls_for(plan):
    timeline = plan.timeline
    minor = plan.key.mode is Mode.MINOR
    return controls_of(timeline.position, timeline.meter, plan.phrase_end, plan.key.tonic_pc, minor)


def run(
    plan,
    seed=0,
    config=SMALL,
    pieces=1,
    without=None,
    rules=RULES,
):
    """Search; ``without`` is a frame and a voice that the tables leave nothing."""
    with mock.patch.object(compiling, "LEAST_LAYERS", ROOM):
        tables = compiling.search_tables(
            plan, compile_plan(plan, rules), rules, small_hmm(), controls_for(plan), AGES - 1
        )
    if without is not None:
        tables.domains[without] = 0
    result = search(
        PROPOSAL.params,
        tables,
        jax.random.split(jax.random.key(seed), pieces),
        proposal_functions=PROPOSAL._replace(params=None),
        config=config,
    )
    return jax.tree.map(np.asarray, result)
