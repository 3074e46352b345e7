"""A search made ready: the shipped network and hidden Markov model on one compiled plan.

This is where proposal and engine meet; neither imports the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from clausula import __version__
from clausula.constraints.rulesets import RuleSet
from clausula.corpus import held_out, load_chorales
from clausula.engine import hmm
from clausula.engine.beam import SearchConfig, SearchResult
from clausula.engine.plan import Plan
from clausula.engine.rendering import grid_of
from clausula.engine.search import search
from clausula.engine.tables import Compiled, search_tables
from clausula.engine.taste import taste, taste_terms, write_reference
from clausula.errors import CorpusError
from clausula.grid import Grid
from clausula.neural.features import AGES, controls_of, example_of
from clausula.neural.stepping import transformer_proposal
from clausula.neural.train import nats_by_voice
from clausula.neural.weights import BUNDLED, load_weights
from clausula.pitch import Mode
from clausula.proposal import Proposal
from clausula.runtime import keep_compiled_programs


class Draft(NamedTuple):
    """A finished hypothesis, not yet verified.

    Attributes:
        grid: its notes.
        log_net: log probability under the network, nats.
        log_q: log probability under the guided proposal, nats.
        cost: nats of soft rules.
        log_hmm: log p_hmm(constraints) before the first note.
        terms: taste, term by term.
    """

    grid: Grid
    log_net: float
    log_q: float
    cost: float
    log_hmm: float
    terms: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What one pass of the search left.

    Attributes:
        plan: of the search.
        result: arrays of all pieces and beams.
        dead_ends: pieces whose every hypothesis died.
        first_dead_end: where that first happened, in words; empty if it did not.
    """

    plan: Plan
    result: SearchResult
    dead_ends: int
    first_dead_end: str

    def drafts(self, title: str) -> Iterator[Draft]:
        """The surviving hypotheses, nearest to real pieces in taste first."""
        total = self.plan.timeline.n_frames
        drafts = []
        for piece, row in np.argwhere(self.result.score > -np.inf):
            grid = grid_of(self.result.tokens[piece, row], self.plan, title)
            log_net = float(self.result.log_net[piece, row])
            cost = float(self.result.cost[piece, row])
            drafts.append(
                Draft(
                    grid,
                    log_net,
                    float(self.result.log_q[piece, row]),
                    cost,
                    float(self.result.log_hmm[piece]),
                    taste_terms(grid, -log_net / total, cost / total),
                )
            )
        return iter(sorted(drafts, key=lambda draft: taste(draft.terms)))


@cache
def _models(weights: Path) -> tuple[Proposal, dict[str, str], hmm.HMM]:
    """A network as a proposal, its metadata, and the shipped hidden Markov model."""
    model, metadata = load_weights(weights)
    if not model.config.holds:
        raise CorpusError(
            f"{weights} was trained on bare pitches and cannot hold a note; train one with "
            "'clausula train'"
        )
    hidden, _ = hmm.load()
    return transformer_proposal(model), metadata, hidden


class Session:
    """A plan with everything the search needs, loaded once."""

    def __init__(
        self,
        plan: Plan,
        compiled: Compiled,
        ruleset: RuleSet,
        config: SearchConfig,
        weights: Path = BUNDLED,
    ) -> None:
        """Load the network and the hidden Markov model and fill the tables.

        Args:
            plan: what to compose.
            compiled: the same, from ``compile_plan``.
            ruleset: kept throughout.
            config: how to search.
            weights: of the network.

        Raises:
            CorpusError: weights are missing, or do not fit.
        """
        keep_compiled_programs()
        self.proposal, self.network, hidden = _models(weights)
        timeline = plan.timeline
        controls = controls_of(
            timeline.position,
            timeline.meter,
            plan.phrase_end,
            plan.key.tonic_pc,
            plan.key.mode is Mode.MINOR,
        )
        self.plan = plan
        self.config = config
        self.tables = search_tables(plan, compiled, ruleset, hidden, controls, AGES - 1)

    @property
    def versions(self) -> dict[str, str]:
        """What made the piece, for the report."""
        return {
            "clausula": __version__,
            "jax": jax.__version__,
            "device": jax.devices()[0].platform,
            "network": self.network["data"],
        }

    def search(self, seed: int, attempt: int = 0) -> Outcome:
        """One pass: one piece at first, four at a time when that one found nothing.

        Args:
            seed: the user's.
            attempt: how many passes went before.
        """
        key = jax.random.fold_in(jax.random.key(seed), attempt)
        keys = jax.random.split(key, 1 if attempt == 0 else 4)
        result = search(
            self.proposal.params,
            self.tables,
            keys,
            proposal_functions=self.proposal._replace(params=None),
            config=self.config,
        )
        result = SearchResult(*(np.asarray(field) for field in result))
        dead = result.alive == 0
        ended = dead.any(axis=1)
        where = ""
        if ended.any():
            where = self.plan.timeline.words(int(dead[ended].argmax(axis=1).min()))
        return Outcome(self.plan, result, int(ended.sum()), where)


def record_taste() -> None:
    """Measure the held-out pieces under the shipped network: what real pieces are like."""
    corpus = load_chorales()
    model, _ = load_weights()
    grids = [corpus.grids[i] for i in held_out(corpus)]
    nats = [float(nats_by_voice(model, [example_of(grid)]).sum()) for grid in grids]
    write_reference(grids, nats)
