"""A search made ready: the shipped network and hidden Markov model on one compiled plan.

This is where proposal and engine meet; neither imports the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from clausula import __version__
from clausula.constraints.domains import Domains
from clausula.constraints.repeat import NO_SOURCE, Ties, with_loose_ties
from clausula.constraints.rulesets import RuleSet
from clausula.corpus import held_out, load_chorales
from clausula.engine import hmm
from clausula.engine.beam import SearchConfig, SearchResult
from clausula.engine.given_nats import saved_nats
from clausula.engine.gumbel import log_inclusion
from clausula.engine.messages import SEGMENT
from clausula.engine.plan import Plan
from clausula.engine.rendering import grid_of
from clausula.engine.search import search
from clausula.engine.tables import Compiled, confined, search_tables
from clausula.engine.taste import WEIGHTS, taste, taste_terms, write_reference
from clausula.grid import REST, Grid
from clausula.neural.echo import Return, no_return
from clausula.neural.features import (
    AGES,
    PIN_ANY,
    PIN_HOLD,
    PIN_ONSET,
    Pins,
    controls_of,
    example_of,
    no_pins,
    sounding_of,
)
from clausula.neural.proposals import DEFAULT, DEFAULT_STYLE, Loaded, load_proposal
from clausula.neural.scoring import nats_by_voice_stepwise
from clausula.pitch import Mode
from clausula.runtime import keep_compiled_programs
from clausula.vocabulary import FIRST_PITCH, LOWEST, N_VOICE

# Whether a network reads pins where there are none: slower, but one compiled program for both.
ALWAYS_PINNED = False
# Bytes that the messages of the pieces of one pass may fill together.
MESSAGE_BYTES = 1 << 31


class Draft(NamedTuple):
    """A finished hypothesis, not yet verified.

    Attributes:
        grid: its notes.
        tokens: ``int[time, voice]`` the same as voice tokens.
        log_net: log probability under the network, nats.
        log_q: log probability under the guided proposal, nats.
        log_weight: log of p_net over the probability of being drawn; none where that is not known:
            of the last row of a full beam, and where rows ended on the way.
        cost: nats of soft rules.
        log_hmm: log p_hmm(constraints) before the first note.
        terms: taste, term by term.
    """

    grid: Grid
    tokens: np.ndarray
    log_net: float
    log_q: float
    log_weight: float | None
    cost: float
    log_hmm: float
    terms: dict[str, float]


class Stuck(NamedTuple):
    """Where a piece's last hypotheses died.

    Attributes:
        frame: the first that none of them got through.
        tokens: ``int[time, voice]`` of one that got that far; frames from there on mean nothing.
    """

    frame: int
    tokens: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What one pass of the search left.

    Attributes:
        plan: of the search.
        result: arrays of all pieces and beams.
        maximised: whether the best were kept: these are no samples.
    """

    plan: Plan
    result: SearchResult
    maximised: bool = False

    @property
    def stuck(self) -> list[Stuck]:
        """Where pieces whose every hypothesis died did so."""
        dead = self.result.alive == 0
        # What is left of a dead beam are the notes of what was its best row.
        return [
            Stuck(int(dead[piece].argmax()), self.result.tokens[piece, 0].astype(int))
            for piece in np.flatnonzero(dead.any(axis=1))
        ]

    @property
    def dead_ends(self) -> int:
        """Pieces whose every hypothesis died."""
        return len(self.stuck)

    @property
    def first_dead_end(self) -> str:
        """Where the first of them died, in words; empty if none did."""
        frames = [each.frame for each in self.stuck]
        return self.plan.timeline.words(min(frames)) if frames else ""

    def drafts(self, title: str, weights: Mapping[str, float] = WEIGHTS) -> Iterator[Draft]:
        """The surviving hypotheses, nearest to real pieces first, by taste with these weights."""
        total = self.plan.timeline.n_frames
        saved = saved_nats(line.voice for line in self.plan.given)
        drafts = []
        for piece, row in np.argwhere(self.result.score > -np.inf):
            tokens = self.result.tokens[piece, row, :total].astype(int)
            grid = grid_of(tokens, self.plan, title)
            log_net = float(self.result.log_net[piece, row])
            cost = float(self.result.cost[piece, row])
            drafts.append(
                Draft(
                    grid,
                    tokens,
                    log_net,
                    float(self.result.log_q[piece, row]),
                    self._log_weight(piece, row),
                    cost,
                    float(self.result.log_hmm[piece]),
                    taste_terms(grid, saved - log_net / total, cost / total),
                )
            )
        return iter(sorted(drafts, key=lambda draft: taste(draft.terms, weights)))

    def _log_weight(self, piece: int, row: int) -> float | None:
        """See ``Draft``."""
        found = self.result
        if self.maximised or found.lost[piece]:
            return None
        log_q, perturbed = found.log_q[piece], found.score[piece]
        log_drawn = log_inclusion(log_q, perturbed, len(perturbed))[row]
        return None if np.isnan(log_drawn) else float(found.log_net[piece, row] - log_drawn)


@cache
def _models(name: str, weights: Path | None) -> tuple[Loaded, hmm.HMM]:
    """A proposal and the shipped hidden Markov model."""
    return load_proposal(name, weights), hmm.load()[0]


class Session:
    """A plan with everything the search needs, loaded once."""

    def __init__(
        self,
        plan: Plan,
        compiled: Compiled,
        ruleset: RuleSet,
        config: SearchConfig,
        *,
        proposal: str = DEFAULT,
        weights: Path | None = None,
        style: str | None = None,
    ) -> None:
        """Load the proposal and the hidden Markov model and fill the tables.

        Args:
            plan: what to compose.
            compiled: the same, from ``compile_plan``.
            ruleset: kept throughout.
            config: how to search.
            proposal: by name.
            weights: its file; the shipped one if left out.
            style: tag that the proposal knows; the default style, where it knows that, if left out.

        Raises:
            CorpusError: weights are missing, or do not fit.
            InputError: there is no such proposal, or it does not know the style.
        """
        keep_compiled_programs()
        self.loaded, hidden = _models(proposal, weights)
        timeline = plan.timeline
        controls = controls_of(
            timeline.position,
            timeline.meter,
            plan.phrase_end,
            plan.key.tonic_pc,
            plan.key.mode is Mode.MINOR,
            self.loaded.style_index(style),
        )
        ties = with_loose_ties(compiled.ties, plan.loosely, timeline, plan.key)
        controls = controls._replace(pins=_pins(plan), planned=_planned(ties))
        self.plan, self.compiled = plan, compiled
        returns = bool((compiled.ties.source_frame != NO_SOURCE).any())
        self.config = config if returns else replace(config, themes=1)
        self.tables = search_tables(plan, compiled, ruleset, hidden, controls, AGES - 1)

    @property
    def versions(self) -> dict[str, str]:
        """What made the piece, for the report."""
        return {
            "clausula": __version__,
            "jax": jax.__version__,
            "device": jax.devices()[0].platform,
            "proposal": self.loaded.name,
            "network": self.loaded.metadata["data"],
        }

    @property
    def most_at_once(self) -> int:
        """Pieces whose messages fit in memory together, one at least.

        Each piece has messages of its own for each of its themes: at every boundary of segments and
        at every frame of the segment that is being searched.
        """
        hidden = self.tables.transition.shape[-1]
        boundaries = len(self.tables.domains) // SEGMENT + SEGMENT
        states = sum(layers.successor.shape[1] for layers in self.tables.layers)
        each = 4 * self.config.themes * boundaries * states * hidden
        return max(1, MESSAGE_BYTES // each)

    def search(
        self,
        seed: int,
        attempt: int = 0,
        *,
        pieces: int = 1,
        beam: int | None = None,
        domains: Domains | None = None,
    ) -> Outcome:
        """One pass.

        Args:
            seed: the user's.
            attempt: how many passes went before; each draws anew.
            pieces: searched side by side, as far as memory allows (``most_at_once``).
            beam: hypotheses a piece, if others than usual.
            domains: tokens to which this pass is confined.
        """
        key = jax.random.fold_in(jax.random.key(seed), attempt)
        pieces = min(pieces, self.most_at_once)
        result = search(
            self.loaded.proposal.params,
            self.tables if domains is None else confined(self.tables, domains),
            jax.random.split(key, pieces),
            proposal_functions=self.loaded.proposal._replace(params=None),
            config=self.config if beam is None else replace(self.config, beam=beam),
        )
        arrays = SearchResult(*(np.asarray(field) for field in result))
        return Outcome(self.plan, arrays, self.config.maximise)


def _pins(plan: Plan) -> Pins | None:
    """The pinned notes and the given lines as a network hears them; none where there are none."""
    if not (plan.pins or plan.given or ALWAYS_PINNED):
        return None
    timeline = plan.timeline
    pins = no_pins(timeline.n_frames)
    for pin in plan.pins:
        frame = timeline.frame_of(pin.measure, pin.beat)
        pins.sounding[frame, pin.voice] = pin.pitch.semitone - LOWEST + FIRST_PITCH
        pins.state[frame, pin.voice] = PIN_ONSET if pin.onset else PIN_ANY
    for line in plan.given:
        pitch = line.pitches(timeline)
        states = np.where(line.onsets(timeline), PIN_ONSET, PIN_HOLD)
        pins.sounding[:, line.voice] = sounding_of(pitch)
        pins.state[:, line.voice] = np.where(pitch == REST, PIN_ANY, states)
    return pins


def _planned(ties: Ties) -> Return:
    """The returns as a network is told of them: one source a frame, the upper voices' first."""
    planned = no_return(len(ties.source_frame))
    returns = ties.source_frame != NO_SOURCE
    highest = returns.argmax(axis=1)
    frames = np.arange(len(returns))
    planned.source[:] = ties.source_frame[frames, highest]
    image = ties.token_map.astype(int) - np.arange(N_VOICE)
    notes = (ties.token_map >= FIRST_PITCH) & (np.arange(N_VOICE) >= FIRST_PITCH)
    # A tonal copy moves degrees by different amounts: the middle one stands for them.
    middle = [int(np.median(row[known])) for row, known in zip(image, notes, strict=True)]
    planned.shift[:] = np.array(middle)[ties.map_of_frame[frames, highest]]
    planned.voice[:] = returns & (ties.source_frame == planned.source[:, None])
    return planned


def record_taste() -> None:
    """Measure the held-out pieces under the shipped proposal: what real pieces are like."""
    corpus = load_chorales()
    loaded = load_proposal()
    style = loaded.style_index(DEFAULT_STYLE)
    grids = [corpus.grids[i] for i in held_out(corpus)]
    examples = [example_of(grid, style) for grid in grids]
    nats = [float(nats_by_voice_stepwise(loaded.proposal, [e]).sum()) for e in examples]
    write_reference(grids, nats)
