"""One frame of the search: from the beam before it to the beam after it.

Within a frame the four voices are chosen in search order (slots 0 … 3: soprano, bass, alto, tenor).
Shapes: T frames, N hypotheses, H hidden states, K themes, S slots, V voices; tokens are the last
axis, 32 of them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.beam_rows import taken_over
from clausula.engine.beam import Hypotheses, Partial, SearchConfig, Weights
from clausula.engine.choosing import Terms, choose, follow, wanted, watched
from clausula.engine.copying import remember
from clausula.engine.filter import predict
from clausula.engine.foresight import Boundary
from clausula.engine.frame_masks import (
    asked_beside,
    copying_costs,
    frame_masks,
    last_chord,
    note_before,
    rule_costs,
    sounding_after,
)
from clausula.engine.guiding import through_automata
from clausula.engine.layers import frame_steps
from clausula.engine.lookahead import (
    ALLOWED_BESIDE,
    FrameAutomaton,
    FrameMasks,
    Likely,
    allowed_soprano,
    frame_automaton,
)
from clausula.engine.messages import alone
from clausula.engine.tables import SearchTables
from clausula.engine.tie_guidance import TieState, theme_tokens, token_log_probs
from clausula.engine.tie_guidance import advance as advance_ties
from clausula.grid import SEARCH_ORDER
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN

VOICES = tuple(int(v) for v in SEARCH_ORDER)  # voice at each slot


class Fixed(NamedTuple):
    """What is worked out once before the first frame.

    Attributes:
        emission: ``[classes, S, 32, H]`` probabilities of the tokens, voices in search order.
        transitions: of each class ``[H, H]``: arrays of their own, since a matrix out of a larger
            array is copied at every use.
        lone: ``bool[T]`` frames that have one automaton state throughout, in all automata.
        weights: what the terms of a choice weigh.
    """

    emission: jax.Array
    transitions: tuple[jax.Array, ...]
    lone: jax.Array
    weights: Weights

    @classmethod
    def of(cls, tables: SearchTables, weights: Weights) -> Fixed:
        """Of a plan."""
        emission = jnp.swapaxes(jnp.exp(tables.log_emission)[:, np.array(VOICES)], 2, 3)
        lone = jnp.stack([alone(layers) for layers in tables.layers]).all(axis=0)
        transitions = tuple(tables.transition[c] for c in range(len(emission)))
        return cls(emission, transitions, lone, weights)

    def entered(self, alpha: jax.Array, frame_class: jax.Array) -> jax.Array:
        """The filter in the next frame."""
        branches = [partial(predict, transition=matrix) for matrix in self.transitions]
        return jax.lax.switch(frame_class, branches, alpha)


class Moment(NamedTuple):
    """What holds throughout one frame.

    Attributes:
        time: the frame.
        state: the proposal's.
        last: ``int32[N, V]`` global tokens of what sounds.
        masks: of every hypothesis.
        automata: its layers of each automaton.
        here: what follows it.
        emission: ``[S, 32, H]`` probabilities of its class.
        copying: ``float32[N, V, 32]`` nats that soft limits on copies ask.
        themes: ``int32[N, V]`` tokens of what the frame repeats.
    """

    time: jax.Array
    state: Any
    last: jax.Array
    masks: FrameMasks
    automata: tuple[FrameAutomaton, ...]
    here: Boundary
    emission: jax.Array
    copying: jax.Array
    themes: jax.Array


def advance(
    proposal: Proposal,
    tables: SearchTables,
    fixed: Fixed,
    here: Boundary,
    emission: jax.Array,
    config: SearchConfig,
    key: jax.Array,
    beam: Hypotheses,
    time: jax.Array,
) -> Hypotheses:
    """Choose one frame's four voices."""
    last, state = _entered(proposal, tables, beam, time)
    now = Moment(
        time,
        state,
        last,
        frame_masks(tables, beam, time),
        tuple(
            frame_automaton(frame_steps(layers, time), reachable[time])
            for layers, reachable in zip(tables.layers, tables.reachable, strict=True)
        ),
        here,
        emission,
        copying_costs(tables, beam, time),
        theme_tokens(tables.ties, beam.history, time),
    )
    entered = fixed.entered(beam.alpha, tables.class_of_frame[time])
    chosen = _nothing_chosen(beam)._replace(alpha=jnp.where(time == 0, beam.alpha, entered))
    for slot in range(4):
        of_slot = jax.random.fold_in(key, slot)
        chosen = _slot(proposal, tables, fixed.weights, config, of_slot, beam, now, chosen, slot)
    return _next_beam(tables, beam, chosen, state, time)


def advance_freely(
    proposal: Proposal,
    tables: SearchTables,
    weights: Weights,
    config: SearchConfig,
    key: jax.Array,
    beam: Hypotheses,
    time: jax.Array,
) -> Hypotheses:
    """The same with neither masks nor messages; only silence, which nothing holds, is not held."""
    last, state = _entered(proposal, tables, beam, time)
    chosen = _nothing_chosen(beam)
    nothing = jnp.zeros((config.beam, N_VOICE))
    no_change = jnp.zeros((config.beam, beam.changes.shape[1], N_VOICE), jnp.int32)
    for slot, voice in enumerate(VOICES):
        row = chosen.row
        silent = (beam.sounding[row, voice] == 0)[:, None]
        allowed = ~(silent & (jnp.arange(N_VOICE) == HOLD_TOKEN))
        log_net = _network(proposal, tables, state, slot, chosen, beam.sounding[row], last[row])
        terms = Terms(allowed, log_net, nothing, nothing, no_change)
        now = jax.random.fold_in(key, slot)
        choice = choose(config, weights, now, chosen, terms, settle=slot == 3)
        chosen = follow(chosen, choice, terms, slot)
    return _next_beam(tables, beam, chosen, state, time)


def _entered(
    proposal: Proposal, tables: SearchTables, beam: Hypotheses, time: jax.Array
) -> tuple[jax.Array, Any]:
    """Global pitch tokens ``[N, V]`` of what sounds, and the proposal's state in a new frame."""
    last = tables.to_global[np.arange(4), beam.sounding]
    past = Past(last, beam.age, beam.parent)
    return last, proposal.begin_frame(proposal.params, beam.proposal, time, past)


def _nothing_chosen(beam: Hypotheses) -> Partial:
    """Every row before the first voice of a frame."""
    rows = len(beam.score)
    return Partial(
        row=jnp.arange(rows),
        token=jnp.zeros((rows, 4), jnp.int32),
        state=beam.state,
        alpha=beam.alpha,
        score=beam.score,
        log_q=beam.log_q,
        log_net=beam.log_net,
        cost=beam.cost,
        changes=beam.changes,
        ties=beam.ties,
        lost=beam.lost,
    )


def _slot(
    proposal: Proposal,
    tables: SearchTables,
    weights: Weights,
    config: SearchConfig,
    key: jax.Array,
    beam: Hypotheses,
    now: Moment,
    chosen: Partial,
    slot: int,
) -> Partial:
    """Choose one voice of a frame."""
    voice, row = VOICES[slot], chosen.row
    own = beam.sounding[row, voice]
    following = tables, now.here, now.emission, now.time, beam.theme[row]
    log_hmm, price = through_automata(*following, chosen, slot)
    beside = asked_beside(tables, beam, chosen, slot, now.time)
    of_chain = tables.ties, chosen.ties, now.time, voice, own
    log_guide = jnp.zeros_like(price)
    if config.guidance:
        log_guide += weights.guidance * (log_hmm + beside.log_guide)
    if config.ties:
        log_ties = token_log_probs(*of_chain, now.themes[row, voice])
        log_guide += config.ties * _together(chosen.ties, voice, log_ties)
    terms = Terms(
        beside.allowed,
        _network(proposal, tables, now.state, slot, chosen, beam.sounding[row], now.last[row]),
        log_guide,
        rule_costs(tables, slot, now.time, chosen.token, beam.sounding[row])
        + price
        + beside.cost
        + now.copying[row, voice],
        beside.differs,
    )
    terms = terms._replace(allowed=_allowed(weights, now, chosen, terms, slot))
    choice = choose(config, weights, key, chosen, terms, settle=slot == 3)
    after = follow(chosen, choice, terms, slot)
    after = watched(after, chosen, choice, slot, now.automata, now.emission[slot])
    if config.ties:
        after = after._replace(ties=advance_ties(*of_chain, log_ties, choice.row, choice.token))
    return after


def _allowed(weights: Weights, now: Moment, chosen: Partial, terms: Terms, slot: int) -> jax.Array:
    """``bool[N, 32]`` tokens that every mask allows, of those that could be chosen."""
    here = now.masks.of_rows(chosen.row)
    if slot:
        beside = ALLOWED_BESIDE[slot](here, now.automata, chosen.state, chosen.token)
        return terms.allowed & beside
    alive = terms.allowed & (chosen.score > -jnp.inf)[:, None]
    logits = jnp.where(alive, wanted(weights, terms), -jnp.inf)
    return allowed_soprano(here, now.automata, chosen.state, Likely(logits, weights.log_tail))


def _together(ties: TieState, voice: int, log_ties: jax.Array) -> jax.Array:
    """``[N, 32]`` log P(all voices keep their ties | tokens so far, this voice's token)."""
    others = np.array([other for other in VOICES if other != voice])
    return log_ties + ties.log_ties[:, others].sum(axis=1, keepdims=True)


def _network(
    proposal: Proposal,
    tables: SearchTables,
    state: Any,
    slot: int,
    chosen: Partial,
    sounding: jax.Array,
    last: jax.Array,
) -> jax.Array:
    """``[N, 32]`` the network's log probabilities of the slot's voice tokens."""
    token = jnp.zeros_like(chosen.token)
    now = jnp.zeros_like(chosen.token)
    for earlier in range(slot):
        voice = VOICES[earlier]
        chose = chosen.token[:, earlier]
        token = token.at[:, voice].set(tables.to_global[voice, chose])
        heard = sounding_after(chose, sounding[:, voice])
        now = now.at[:, voice].set(tables.to_global[voice, heard])
    frame = FrameSoFar(token, now, last, chosen.row)
    log_probs = proposal.log_probs(proposal.params, state, slot, frame)
    return log_probs[:, tables.to_global[VOICES[slot]]]


def _next_beam(
    tables: SearchTables, beam: Hypotheses, chosen: Partial, state: Any, time: jax.Array
) -> Hypotheses:
    """The beam after the frame, in the rows' new order."""
    row = chosen.row
    token = jnp.zeros_like(chosen.token)
    for slot, voice in enumerate(VOICES):
        token = token.at[:, voice].set(chosen.token[:, slot])
    sounding = sounding_after(token, beam.sounding[row])
    started = (token >= FIRST_PITCH) | (token == REST_TOKEN)
    age = jnp.where(started, 0, jnp.minimum(beam.age[row] + 1, tables.oldest))
    history = taken_over(beam.history, row - jnp.arange(len(row)))
    history = jax.lax.dynamic_update_slice_in_dim(history, token.astype(jnp.int8)[:, None], time, 1)
    return Hypotheses(
        sounding=sounding,
        age=age,
        earlier=note_before(token, beam.sounding[row], beam.earlier[row]),
        chord=last_chord(sounding, beam.chord[row], tables.on_beat[time]),
        parent=row,
        history=history,
        state=chosen.state,
        theme=beam.theme[row],
        alpha=chosen.alpha,
        score=chosen.score,
        log_q=chosen.log_q,
        log_net=chosen.log_net,
        cost=chosen.cost,
        proposal=state,
        changes=chosen.changes,
        ties=chosen.ties,
        lost=chosen.lost,
        register=remember(
            jax.tree.map(lambda values: values[row], beam.register), token, sounding, time
        ),
    )
