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
from typing import Any

import jax
import jax.numpy as jnp

from clausula.engine.beam import Hypotheses, SearchConfig, SearchResult, Weights
from clausula.engine.copying import no_notes
from clausula.engine.filter import filter_init
from clausula.engine.foresight import (
    Foresight,
    Known,
    boundary,
    foresee,
    renewed,
    room_for_segment,
    room_for_slots,
    segment_ahead,
)
from clausula.engine.frame_messages import Slots, frame_messages, log_probability
from clausula.engine.frame_step import Fixed, advance, advance_freely
from clausula.engine.layers import Layers
from clausula.engine.messages import SEGMENT, Model, laid, segment_messages
from clausula.engine.scaled import Scaled, logs
from clausula.engine.tables import SearchTables
from clausula.engine.tie_guidance import tie_init
from clausula.proposal import Proposal


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
    proposed = {"proposal_functions": proposal_functions, "config": config.program}
    if config.free:
        return searched(params, tables, None, jnp.float32(0), config.weights, keys, **proposed)
    # The messages are the same for every piece of a plan until its themes are known: computed
    # once, outside the batch, by a program of their own that all options share.
    ahead, log_hmm = _prepared(tables, themes=config.themes)
    return searched(params, tables, ahead, log_hmm, config.weights, keys, **proposed)


@partial(jax.jit, static_argnames="themes")
def _prepared(tables: SearchTables, themes: int) -> tuple[Foresight, jax.Array]:
    """What lies ahead before the first note, and its log probability summed over automata."""
    ahead = foresee(tables, _model(tables), themes)
    log_hmm = jnp.float32(0)
    for layers, rows in zip(tables.layers, ahead.kept, strict=True):
        after = jax.tree.map(lambda each: each[0, 1], rows)
        log_hmm += _log_probability(layers, tables, after)
    return ahead, log_hmm


@partial(jax.jit, static_argnames=("proposal_functions", "config"))
def searched(
    params: Any,
    tables: SearchTables,
    ahead: Foresight | None,
    log_hmm: jax.Array,
    weights: Weights,
    keys: jax.Array,
    *,
    proposal_functions: Proposal,
    config: SearchConfig,
) -> SearchResult:
    """The loop of ``search``; ``ahead`` and ``log_hmm`` are what its messages say beforehand."""
    proposal = proposal_functions._replace(params=params)
    start = _initial(proposal, tables, config, tables.class_of_frame.shape[0])
    piece = partial(_search_piece, proposal, tables, log_hmm, weights, config)

    # What every piece begins with is batched from the start: a loop whose carry becomes batched on
    # the way would be traced again at every depth.
    def every(values: jax.Array) -> jax.Array:
        return jnp.broadcast_to(values, (len(keys), *values.shape))

    hypotheses = jax.tree.map(every, start)
    rooms = ((), ()) if ahead is None else (room_for_segment(ahead), room_for_slots(ahead))
    told = ahead, *rooms
    if config.themes == 1 or config.free:
        # Nothing will be learnt on the way: one foresight for all pieces.
        return jax.vmap(partial(piece, told))(hypotheses, keys)
    return jax.vmap(piece)(jax.tree.map(every, told), hypotheses, keys)


def _model(tables: SearchTables) -> Model:
    return Model(tables.class_of_frame, tables.transition, tables.log_emission)


def _search_piece(
    proposal: Proposal,
    tables: SearchTables,
    log_hmm: jax.Array,
    weights: Weights,
    config: SearchConfig,
    told: tuple[Foresight | None, tuple[Scaled, ...], tuple[Slots, ...]],
    start: Hypotheses,
    key: jax.Array,
) -> SearchResult:
    frames = tables.class_of_frame.shape[0]
    model = laid(_model(tables))
    fixed = Fixed.of(tables, weights)

    def segment(index: jax.Array, carry: tuple) -> tuple:
        first = index * SEGMENT
        beam, alive, until, ahead, after, slots = carry
        if config.themes > 1 and not config.free:
            known = Known(ahead, beam.theme, beam.score, until)
            ahead, theme, score, until = renewed(tables, model, beam.history, known, first)
            given_up = ((beam.score > -jnp.inf) & ~(score > -jnp.inf)).sum()
            beam = beam._replace(theme=theme, score=score, lost=beam.lost + given_up)
        if not config.free:
            after = segment_ahead(tables, model, ahead, index, after)

        def frame(time: jax.Array, carry: tuple) -> tuple:
            beam, alive, slots = carry
            now = jax.random.fold_in(key, time)
            if config.free:
                beam = advance_freely(proposal, tables, weights, config, now, beam, time)
            else:
                emission = fixed.emission[tables.class_of_frame[time]]
                at = time - first + 1, time, fixed.lone[time]
                here = boundary(tables, ahead, after, *at, emission, slots)
                slots = here.slots
                beam = advance(proposal, tables, fixed, here, emission, config, now, beam, time)
            return beam, alive.at[time].set((beam.score > -jnp.inf).sum()), slots

        last = jnp.minimum(first + SEGMENT, tables.n_frames)
        beam, alive, slots = jax.lax.fori_loop(first, last, frame, (beam, alive, slots))
        return beam, alive, until, ahead, after, slots

    # The number of frames is data, not shape: another length is the same program.
    carry = start, jnp.full(frames, config.beam) + 0 * start.parent[0], jnp.int32(0), *told
    segments = -(-tables.n_frames // SEGMENT)
    end, alive, *_ = jax.lax.fori_loop(0, segments, segment, carry)
    best = jnp.argsort(-end.score)
    return SearchResult(
        tokens=end.history[best],
        score=end.score[best],
        log_q=end.log_q[best],
        log_net=end.log_net[best],
        cost=end.cost[best],
        alive=alive,
        log_hmm=log_hmm,
        lost=end.lost,
    )


def _log_probability(layers: Layers, tables: SearchTables, after: Scaled) -> jax.Array:
    """Log probability that a piece of the hidden Markov model satisfies one automaton.

    Args:
        layers: the automaton.
        tables: of the plan.
        after: messages after the first segment.
    """
    rows = logs(segment_messages(layers, _model(tables), 0, after))[1]
    first = frame_messages(layers, 0, rows, tables.log_emission[tables.class_of_frame[0]])[0]
    return log_probability(layers, first, tables.initial)


def _initial(
    proposal: Proposal, tables: SearchTables, config: SearchConfig, frames: int
) -> Hypotheses:
    n = config.beam
    zeros = jnp.zeros(n)
    return Hypotheses(
        sounding=jnp.zeros((n, 4), jnp.int32),
        age=jnp.full((n, 4), tables.oldest),
        earlier=jnp.zeros((n, 4), jnp.int32),
        chord=jnp.zeros(n, jnp.int32),
        parent=jnp.arange(n),
        history=jnp.zeros((n, frames, 4), jnp.int8),
        state=jnp.tile(jnp.stack([layers.start for layers in tables.layers]), (n, 1)),
        theme=jnp.zeros(n, jnp.int32),
        alpha=filter_init(tables.initial, n),
        # One root; the other rows are dead until its children take their places.
        score=jnp.where(jnp.arange(n) == 0, 0.0, -jnp.inf),
        log_q=zeros,
        log_net=zeros,
        cost=zeros,
        proposal=proposal.init(proposal.params, tables.controls, n),
        changes=jnp.zeros((n, len(tables.budgets)), jnp.int32),
        ties=tie_init(tables.ties, n),
        register=no_notes(tables.copies, n),
        lost=jnp.int32(0),
    )
