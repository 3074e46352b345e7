"""One slot's choice: from what is said of every token to the rows that go on.

Shapes: N hypotheses, G automata, R varied copies; tokens are the last axis, 32 of them.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from clausula.engine.beam import Partial, SearchConfig, Weights
from clausula.engine.filter import emit
from clausula.engine.gumbel import perturbed_children
from clausula.engine.lookahead import Automata, step_states
from clausula.vocabulary import N_VOICE


class Terms(NamedTuple):
    """What is said of every token of a slot, ``[N, 32]`` each.

    Attributes:
        allowed: bool, by every mask.
        log_net: log probability under the network.
        log_guide: weighted log probability that the constraints will be kept; read only where the
            token is allowed.
        cost: nats that soft rules and constraints ask.
        differs: ``int32[N, R, 32]`` 1 where the token is a change of a varied copy.
    """

    allowed: jax.Array
    log_net: jax.Array
    log_guide: jax.Array
    cost: jax.Array
    differs: jax.Array


class Choice(NamedTuple):
    """The children that are kept, ``[N]`` each.

    Attributes:
        row: the row of which each is a child.
        token: its token.
        score: perturbed log q when sampling, S when maximising; -inf when dead.
        log_q: log probability under the guided proposal.
    """

    row: jax.Array
    token: jax.Array
    score: jax.Array
    log_q: jax.Array


def choose(
    config: SearchConfig,
    weights: Weights,
    key: jax.Array,
    chosen: Partial,
    terms: Terms,
    *,
    settle: bool,
) -> Choice:
    """Keep the best ``N`` of all children.

    Args:
        config: how.
        weights: what the terms weigh.
        key: of the randomness.
        chosen: the rows.
        terms: what is said of their children.
        settle: whether the frame ends: what is kept takes its place in the beam.
    """
    guide = jnp.where(terms.allowed, terms.log_guide, 0.0)
    logits = jnp.where(terms.allowed, wanted(weights, terms), -jnp.inf)
    log_q = chosen.log_q[:, None] + _cut_and_normalise(logits, weights.log_tail)
    if config.maximise:
        so_far = (chosen.log_net - chosen.cost)[:, None]
        potential = so_far + terms.log_net - terms.cost + guide
        alive = terms.allowed & (chosen.score > -jnp.inf)[:, None]
        score = jnp.where(alive, log_q if config.stepwise else potential, -jnp.inf)
    else:
        score = perturbed_children(key, log_q, chosen.score)
    # Where nothing is left, what was best is kept for whoever wants to know how far it got.
    left = (score > -jnp.inf).any()
    ranks = jnp.where(left, score, jnp.broadcast_to(chosen.score[:, None], score.shape))
    _, index = jax.lax.top_k(ranks.reshape(-1), config.beam)
    row, token = index // N_VOICE, index % N_VOICE
    choice = Choice(row, token, score[row, token], log_q[row, token])
    if not settle:
        return choice
    order = settled(chosen.row[row])
    return jax.tree.map(lambda values: values[order], choice)


def wanted(weights: Weights, terms: Terms) -> jax.Array:
    """``[N, 32]`` what speaks for each token when sampling; read only where it is allowed."""
    return terms.log_net / weights.temperature + terms.log_guide - terms.cost


def settled(parent: jax.Array) -> jax.Array:
    """An order in which every parent's first child takes its parent's row.

    Args:
        parent: ``int32[N]`` row of each child's parent.

    Returns:
        ``int32[N]`` which child each row takes.
    """
    rows = jnp.arange(len(parent))
    first = jnp.full_like(parent, len(rows)).at[parent].min(rows)
    heir = first[parent] == rows
    # The other children take the rows of those who left none.
    others = jnp.flatnonzero(~heir, size=len(rows), fill_value=0)
    childless = first == len(rows)
    return jnp.where(childless, others[jnp.cumsum(childless) - 1], first)


def follow(chosen: Partial, choice: Choice, terms: Terms, slot: int) -> Partial:
    """The hypotheses after the choice.

    What automata, filter and ties know of them stays as it was, row by row; see ``watched``.
    """
    row, token = choice.row, choice.token
    ended = (chosen.score > -jnp.inf) & ~terms.allowed.any(axis=1)
    return chosen._replace(
        row=chosen.row[row],
        token=chosen.token[row].at[:, slot].set(token),
        score=choice.score,
        log_q=choice.log_q,
        log_net=chosen.log_net[row] + terms.log_net[row, token],
        cost=chosen.cost[row] + terms.cost[row, token],
        changes=chosen.changes[row] + terms.differs[row, :, token],
        lost=chosen.lost + ended.sum(),
    )


def watched(
    after: Partial,
    before: Partial,
    choice: Choice,
    slot: int,
    automata: Automata,
    emission: jax.Array,
) -> Partial:
    """The hypotheses of ``follow`` with automata and filter moved on; emission ``[32, H]``."""
    row, token = choice.row, choice.token
    return after._replace(
        state=step_states(automata, slot, before.state[row], token),
        alpha=emit(before.alpha[row], emission, token)[0],
    )


def _cut_and_normalise(logits: jax.Array, log_tail: jax.Array) -> jax.Array:
    """Log probabilities after the tail is cut; rows without a token stay ``-inf``."""
    top = logits.max(1, keepdims=True)
    some = top > -jnp.inf
    kept = jnp.where(logits >= top + log_tail, logits, -jnp.inf)
    kept = jnp.where(some, kept, 0.0)
    return jnp.where(some, jax.nn.log_softmax(kept, -1), -jnp.inf)
