"""What the search carries and returns: types only.

Shapes: P pieces, N hypotheses, T frames, V voices, K slots (voices in search order), H hidden
states, G automata, R varied copies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import numpy as np

from clausula.constraints.rule import Array
from clausula.engine.copying import Register
from clausula.engine.tie_guidance import TieState


class Weights(NamedTuple):
    """What the terms of a choice weigh: numbers of the compiled program.

    Attributes:
        guidance: ``[]`` multiplies log p_hmm(constraints | prefix).
        temperature: ``[]`` divides the network's log probabilities.
        log_tail: ``[]`` a token so far below the likeliest is cut; -inf cuts nothing.
    """

    guidance: Array
    temperature: Array
    log_tail: Array


@dataclass(frozen=True)
class SearchConfig:
    """How the search behaves.

    Another value of guidance (unless it is 0), temperature or tail is the same compiled program.
    """

    beam: int = 32  # hypotheses a piece
    temperature: float = 1.0  # divides the network's log probabilities
    # Exponent of p_hmm(constraints | prefix), lambda_1 of design §6. Where the best is kept half of
    # it finds likelier music (``BEST``): the forecast is of typical pieces, not of the best.
    guidance: float = 1.0
    # Exponent of p_chain(ties | prefix), lambda_2 of design §6. Off: a chain to which copies are
    # coincidences wants themes of steps and held notes (``benchmarks/returns.py``).
    ties: float = 0.0
    themes: int = 4  # distinct returning themes kept, each with messages of its own
    tail: float = 0.02  # tokens below this share of the likeliest are cut
    maximise: bool = False  # keep the best instead of sampling
    stepwise: bool = False  # the best by log q, normalised at every step; for comparison only
    free: bool = False  # neither masks nor messages: the network's own music, for comparison

    @property
    def weights(self) -> Weights:
        """Guidance, temperature and tail; nothing is cut from what is maximised."""
        tail = 0.0 if self.maximise else self.tail
        log_tail = np.log(tail) if tail > 0 else -np.inf
        return Weights(*map(np.float32, (self.guidance, self.temperature, log_tail)))

    @property
    def program(self) -> SearchConfig:
        """What is compiled: the same but for these, of which it only matters whether one guides."""
        return replace(self, guidance=float(self.guidance > 0), temperature=1.0, tail=0.0)


BEST = SearchConfig(maximise=True, guidance=0.5)  # where one best answer is wanted


class Hypotheses(NamedTuple):
    """State of the beam of one piece between frames.

    Attributes:
        sounding: ``int32[N, V]`` voice index that sounds (0 silent, 2 … 31 pitches).
        age: ``int32[N, V]`` frames since those notes' onsets.
        earlier: ``int32[N, V]`` voice index of the note before those, 0 after a rest.
        chord: ``int32[N]`` the last chord that was spelled, a number of ``SPELLED``.
        parent: ``int32[N]`` row that each hypothesis had when the last frame began.
        history: ``int8[N, T, V]`` voice tokens chosen so far.
        state: ``int32[N, G]`` state of each automaton.
        theme: ``int32[N]`` by which theme the messages are read.
        alpha: ``float32[N, H]`` proportional to P(hidden state | prefix), see ``filter``.
        score: ``float32[N]`` perturbed log q when sampling, S when maximising; -inf when dead.
        log_q: ``float32[N]`` log probability under the guided proposal.
        log_net: ``float32[N]`` log probability under the network, unmasked.
        cost: ``float32[N]`` nats of soft rules so far.
        proposal: the proposal's own state.
        changes: ``int32[N, R]`` of each varied copy so far.
        ties: what is known of the returns to come.
        register: the last notes and verticalities, as far as limits on copies ask.
        lost: ``int32[]`` rows so far that ended without a token that was allowed, or were given up.
    """

    sounding: jax.Array
    age: jax.Array
    earlier: jax.Array
    chord: jax.Array
    parent: jax.Array
    history: jax.Array
    state: jax.Array
    theme: jax.Array
    alpha: jax.Array
    score: jax.Array
    log_q: jax.Array
    log_net: jax.Array
    cost: jax.Array
    proposal: Any
    changes: jax.Array
    ties: TieState
    register: Register
    lost: jax.Array


class Partial(NamedTuple):
    """A frame being chosen: like ``Hypotheses`` but for the voices of this frame.

    Attributes:
        row: ``int32[N]`` row that each hypothesis had when the frame began.
        token: ``int32[N, K]`` voice tokens by slot; 0 where not yet chosen.
        changes: ``int32[N, R]`` of each varied copy, this frame's included.
        ties: what is known of the returns to come.
        lost: ``int32[]``, this frame's included.
    """

    row: jax.Array
    token: jax.Array
    state: jax.Array
    alpha: jax.Array
    score: jax.Array
    log_q: jax.Array
    log_net: jax.Array
    cost: jax.Array
    changes: jax.Array
    ties: TieState
    lost: jax.Array


class SearchResult(NamedTuple):
    """What the search found; P pieces, best first within a piece only when maximising.

    Attributes:
        tokens: ``int8[P, N, T, V]`` voice tokens, voices soprano first.
        score: ``float32[P, N]`` -inf for dead rows.
        log_q: ``float32[P, N]``.
        log_net: ``float32[P, N]``.
        cost: ``float32[P, N]``.
        alive: ``int32[P, T]`` hypotheses left after each frame.
        log_hmm: ``float32[P]`` log p_hmm(constraints) before the first note, summed over automata.
        lost: ``int32[P]`` rows that ended on the way: where there are any, what was drawn are not
            samples by ``log_q``, and have no weights.
    """

    tokens: Array
    score: Array
    log_q: Array
    log_net: Array
    cost: Array
    alive: Array
    log_hmm: Array
    lost: Array
