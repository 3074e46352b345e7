"""The search: one jitted loop over frames, batched over pieces and beams (design §7).

Each hypothesis is a row; all its state is one pytree. Within a frame the four voices are chosen in
search order (slots 0 … 3: soprano, bass, alto, tenor). At each slot a row's token distribution is

    log q(token) = log p_net(token) / temperature
                   + guidance * log p_hmm(constraints | prefix, token)
                   + ties * log p_chain(ties | prefix, token) - cost of soft rules,
                   masked, cut at the tail, normalised

and either the rows are sampled without replacement by log q (stochastic beams), or those with
the best ``log p_net + guidance * log p_hmm + ties * log p_chain - costs`` are kept (maximising;
never renormalised, so that rows stay comparable). Shapes: T frames, N hypotheses, H hidden
states, G automata (the product of all constraints, or several where that is too wide), Q automaton
states, K slots.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.engine.beam import Hypotheses, Partial, SearchConfig, SearchResult
from clausula.engine.choosing import Terms, choose, follow
from clausula.engine.copying import no_notes, remember
from clausula.engine.filter import filter_init, predict, token_guidance
from clausula.engine.foresight import Foresight, foresee, renewed, segment_ahead, slots_ahead
from clausula.engine.frame_masks import (
    asked_beside,
    copying_costs,
    frame_masks,
    rule_costs,
    sounding_after,
)
from clausula.engine.layers import Layers, frame_steps, step_costs, step_rows
from clausula.engine.lookahead import (
    ALLOWED,
    FrameAutomaton,
    FrameMasks,
    frame_automaton,
)
from clausula.engine.messages import (
    SEGMENT,
    Model,
    frame_messages,
    log_probability,
    segment_messages,
)
from clausula.engine.tables import SearchTables
from clausula.engine.tie_guidance import TieState, advance, theme_tokens, tie_init, token_log_probs
from clausula.grid import SEARCH_ORDER
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import FIRST_PITCH, N_VOICE, REST_TOKEN

VOICES = tuple(int(v) for v in SEARCH_ORDER)  # voice at each slot


def search(
    params: Any,
    tables: SearchTables,
    keys: jax.Array,
    *,
    proposal_functions: Proposal,
    config: SearchConfig,
) -> SearchResult:
    """Search pieces that satisfy the tables.

    Args:
        params: the proposal's parameters.
        tables: the compiled plan.
        keys: random keys, one a piece.
        proposal_functions: the proposal with ``params`` left out, so that it can be hashed.
        config: static options.
    """
    # The messages are the same for every piece of a plan until its themes are known: computed
    # once, outside the batch, by a program of their own that all options share.
    ahead, log_hmm = _prepared(tables, themes=config.themes)
    proposed = {"proposal_functions": proposal_functions, "config": config}
    return searched(params, tables, ahead, log_hmm, keys, **proposed)


@partial(jax.jit, static_argnames="themes")
def _prepared(tables: SearchTables, themes: int) -> tuple[Foresight, jax.Array]:
    """What lies ahead before the first note, and its log probability summed over automata."""
    ahead = foresee(tables, _model(tables), themes)
    log_hmm = jnp.float32(0)
    for layers, rows in zip(tables.layers, ahead.kept, strict=True):
        log_hmm += _log_probability(layers, tables, rows[0])
    return ahead, log_hmm


@partial(jax.jit, static_argnames=("proposal_functions", "config"))
def searched(
    params: Any,
    tables: SearchTables,
    ahead: Foresight,
    log_hmm: jax.Array,
    keys: jax.Array,
    *,
    proposal_functions: Proposal,
    config: SearchConfig,
) -> SearchResult:
    """The loop of ``search``; ``ahead`` and ``log_hmm`` are what its messages say beforehand."""
    proposal = proposal_functions._replace(params=params)
    start = _initial(proposal, tables, config, tables.class_of_frame.shape[0])
    piece = partial(_search_piece, proposal, tables, log_hmm, config)

    # What every piece begins with is batched from the start: a loop whose carry becomes batched on
    # the way would be traced again at every depth.
    def every(values: jax.Array) -> jax.Array:
        return jnp.broadcast_to(values, (len(keys), *values.shape))

    first, hypotheses = jax.tree.map(every, (ahead, start))
    return jax.vmap(piece)(first, hypotheses, keys)


def _model(tables: SearchTables) -> Model:
    return Model(tables.class_of_frame, tables.transition, tables.log_emission)


def _search_piece(
    proposal: Proposal,
    tables: SearchTables,
    log_hmm: jax.Array,
    config: SearchConfig,
    at_first: Foresight,
    start: Hypotheses,
    key: jax.Array,
) -> SearchResult:
    frames = tables.class_of_frame.shape[0]
    model = _model(tables)

    def segment(
        index: jax.Array, carry: tuple[Hypotheses, jax.Array, Foresight]
    ) -> tuple[Hypotheses, jax.Array, Foresight]:
        first = index * SEGMENT
        beam, alive, ahead = carry
        if config.themes > 1:
            known = beam.history, beam.theme, beam.score
            ahead, theme, score = renewed(tables, model, ahead, *known, first)
            beam = beam._replace(theme=theme, score=score)
        boundaries = segment_ahead(tables, model, ahead, index)

        def frame(
            time: jax.Array, carry: tuple[Hypotheses, jax.Array]
        ) -> tuple[Hypotheses, jax.Array]:
            beam, alive = carry
            now = jax.random.fold_in(key, time)
            after = tuple(rows[:, time - first + 1] for rows in boundaries)
            beam = _frame(proposal, tables, ahead, after, config, now, beam, time)
            return beam, alive.at[time].set((beam.score > -jnp.inf).sum())

        last = jnp.minimum(first + SEGMENT, tables.n_frames)
        beam, alive = jax.lax.fori_loop(first, last, frame, (beam, alive))
        return beam, alive, ahead

    # The number of frames is data, not shape: another length is the same program.
    carry = start, jnp.full(frames, config.beam) + 0 * start.parent[0], at_first
    segments = -(-tables.n_frames // SEGMENT)
    end, alive, _ = jax.lax.fori_loop(0, segments, segment, carry)
    return SearchResult(end.history, end.score, end.log_q, end.log_net, end.cost, alive, log_hmm)


def _log_probability(layers: Layers, tables: SearchTables, kept: jax.Array) -> jax.Array:
    """Log probability that a piece of the hidden Markov model satisfies one automaton."""
    after = segment_messages(layers, _model(tables), 0, kept[1])[1]
    first = frame_messages(layers, 0, after, tables.log_emission[tables.class_of_frame[0]])[0]
    return log_probability(layers, first, tables.initial)


def _initial(
    proposal: Proposal, tables: SearchTables, config: SearchConfig, frames: int
) -> Hypotheses:
    n = config.beam
    zeros = jnp.zeros(n)
    return Hypotheses(
        sounding=jnp.zeros((n, 4), jnp.int32),
        age=jnp.full((n, 4), tables.oldest),
        parent=jnp.arange(n),
        history=jnp.zeros((n, frames, 4), jnp.int8),
        state=jnp.tile(jnp.stack([layers.start for layers in tables.layers]), (n, 1)),
        theme=jnp.zeros(n, jnp.int32),
        log_alpha=filter_init(tables.initial, n),
        # One root; the other rows are dead until its children take their places.
        score=jnp.where(jnp.arange(n) == 0, 0.0, -jnp.inf),
        log_q=zeros,
        log_net=zeros,
        cost=zeros,
        proposal=proposal.init(proposal.params, tables.controls, n),
        changes=jnp.zeros((n, len(tables.budgets)), jnp.int32),
        ties=tie_init(tables.ties, n),
        register=no_notes(tables.copies, n),
    )


class _Moment(NamedTuple):
    """What holds throughout one frame.

    Attributes:
        time: the frame.
        state: the proposal's.
        last: ``int32[N, V]`` global tokens of what sounds.
        masks: of every hypothesis.
        automata: its layers of each automaton.
        log_emission: ``[V, H, 32]`` of its class.
        after: of each automaton ``[theme, K, Q, H]`` messages after each slot.
        copying: ``float32[N, V, 32]`` nats that soft limits on copies ask.
        themes: ``int32[N, V]`` tokens of what the frame repeats.
    """

    time: jax.Array
    state: Any
    last: jax.Array
    masks: FrameMasks
    automata: tuple[FrameAutomaton, ...]
    log_emission: jax.Array
    after: tuple[jax.Array, ...]
    copying: jax.Array
    themes: jax.Array


def _frame(
    proposal: Proposal,
    tables: SearchTables,
    ahead: Foresight,
    after_frame: tuple[jax.Array, ...],
    config: SearchConfig,
    key: jax.Array,
    beam: Hypotheses,
    time: jax.Array,
) -> Hypotheses:
    """Choose one frame's four voices; ``after_frame`` are the messages after it, by theme."""
    last = _to_global(tables, beam.sounding)
    past = Past(last, beam.age, beam.parent)
    frame_class = tables.class_of_frame[time]
    log_emission = tables.log_emission[frame_class]
    now = _Moment(
        time,
        proposal.begin_frame(proposal.params, beam.proposal, time, past),
        last,
        frame_masks(tables, beam, time),
        tuple(
            frame_automaton(frame_steps(layers, time), reachable[time])
            for layers, reachable in zip(tables.layers, tables.reachable, strict=True)
        ),
        log_emission,
        slots_ahead(tables, ahead, after_frame, time, log_emission),
        copying_costs(tables, beam, time),
        theme_tokens(tables.ties, beam.history, time),
    )
    entered = predict(beam.log_alpha, tables.transition[frame_class])
    chosen = Partial(
        row=jnp.arange(config.beam),
        token=jnp.zeros((config.beam, 4), jnp.int32),
        state=beam.state,
        log_alpha=jnp.where(time == 0, beam.log_alpha, entered),
        score=beam.score,
        log_q=beam.log_q,
        log_net=beam.log_net,
        cost=beam.cost,
        changes=beam.changes,
        ties=beam.ties,
    )
    for slot in range(4):
        of_slot = jax.random.fold_in(key, slot)
        chosen = _slot(proposal, tables, config, of_slot, beam, now, chosen, slot)
    return _next_beam(tables, beam, chosen, now.state, time)


def _slot(
    proposal: Proposal,
    tables: SearchTables,
    config: SearchConfig,
    key: jax.Array,
    beam: Hypotheses,
    now: _Moment,
    chosen: Partial,
    slot: int,
) -> Partial:
    """Choose one voice of a frame."""
    voice, row = VOICES[slot], chosen.row
    own = beam.sounding[row, voice]
    log_hmm, price = _through_automata(tables, beam, now, chosen, slot)
    beside = asked_beside(tables, beam, chosen, slot, now.time)
    of_chain = tables.ties, chosen.ties, now.time, voice, own
    log_guide = config.guidance * (log_hmm + beside.log_guide)
    if config.ties:
        log_ties = token_log_probs(*of_chain, now.themes[row, voice])
        log_guide += config.ties * _together(chosen.ties, voice, log_ties)
    here = FrameMasks(now.masks.voice[row], now.masks.pair[row])
    terms = Terms(
        ALLOWED[slot](here, now.automata, chosen.state, chosen.token) & beside.allowed,
        _network(proposal, tables, now.state, slot, chosen, beam.sounding[row], now.last[row]),
        log_guide,
        rule_costs(tables, slot, now.time, chosen.token, beam.sounding[row])
        + price
        + beside.cost
        + now.copying[row, voice],
        beside.differs,
    )
    choice = choose(config, key, chosen, terms)
    after = follow(chosen, choice, terms, slot, now.automata, now.log_emission[voice])
    if config.ties:
        after = after._replace(ties=advance(*of_chain, log_ties, choice.row, choice.token))
    return after


def _through_automata(
    tables: SearchTables, beam: Hypotheses, now: _Moment, chosen: Partial, slot: int
) -> tuple[jax.Array, jax.Array]:
    """``[N, 32]`` log P(all automata will be satisfied | token), and nats that they ask for it."""
    log_guide, price = jnp.zeros((2, len(chosen.row), N_VOICE))
    theme = beam.theme[chosen.row][:, None]
    for g, (layers, after) in enumerate(zip(tables.layers, now.after, strict=True)):
        states = chosen.state[:, g]
        successor, kind = step_rows(layers, now.time, slot, states)
        log_guide += token_guidance(
            chosen.log_alpha,
            after[theme, slot, successor],
            successor,
            kind,
            now.log_emission[VOICES[slot]],
        )
        price += step_costs(layers, now.time, slot, states, kind)
    return log_guide, price


def _together(ties: TieState, voice: int, log_ties: jax.Array) -> jax.Array:
    """``[N, 32]`` log P(all voices keep their ties | tokens so far, this voice's token)."""
    others = np.array([other for other in VOICES if other != voice])
    return log_ties + ties.log_ties[:, others].sum(axis=1, keepdims=True)


def _to_global(tables: SearchTables, sounding: jax.Array) -> jax.Array:
    """Global pitch tokens ``[N, V]`` of voice indices."""
    return tables.to_global[np.arange(4), sounding]


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
    history = beam.history[row].at[:, time].set(token.astype(jnp.int8))
    return Hypotheses(
        sounding=sounding,
        age=age,
        parent=row,
        history=history,
        state=chosen.state,
        theme=beam.theme[row],
        log_alpha=chosen.log_alpha,
        score=chosen.score,
        log_q=chosen.log_q,
        log_net=chosen.log_net,
        cost=chosen.cost,
        proposal=state,
        changes=chosen.changes,
        ties=chosen.ties,
        register=remember(
            jax.tree.map(lambda values: values[row], beam.register), token, sounding, time
        ),
    )
