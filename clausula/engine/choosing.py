"""One slot's choice: from what is said of every token to the rows that go on.

Shapes: N hypotheses, G automata, R varied copies; tokens are the last axis, 32 of them.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.engine.beam import Partial, SearchConfig
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


def choose(config: SearchConfig, key: jax.Array, chosen: Partial, terms: Terms) -> Choice:
    """Keep the best ``N`` of all children."""
    guide = jnp.where(terms.allowed, terms.log_guide, 0.0)
    wanted = terms.log_net / config.temperature + guide - terms.cost
    logits = jnp.where(terms.allowed, wanted, -jnp.inf)
    log_q = chosen.log_q[:, None] + _cut_and_normalise(logits, config.tail)
    if config.maximise:
        so_far = (chosen.log_net - chosen.cost)[:, None]
        potential = so_far + terms.log_net - terms.cost + guide
        alive = terms.allowed & (chosen.score > -jnp.inf)[:, None]
        score = jnp.where(alive, potential, -jnp.inf)
    else:
        score = perturbed_children(key, log_q, chosen.score)
    best, index = jax.lax.top_k(score.reshape(-1), config.beam)
    row, token = index // N_VOICE, index % N_VOICE
    return Choice(row, token, best, log_q[row, token])


def follow(
    chosen: Partial,
    choice: Choice,
    terms: Terms,
    slot: int,
    automata: Automata,
    log_emission: jax.Array,
) -> Partial:
    """The hypotheses after the choice; what is known of ties stays as it was, row by row."""
    row, token = choice.row, choice.token
    return Partial(
        row=chosen.row[row],
        token=chosen.token[row].at[:, slot].set(token),
        state=step_states(automata, slot, chosen.state[row], token),
        log_alpha=emit(chosen.log_alpha[row], log_emission, token)[0],
        score=choice.score,
        log_q=choice.log_q,
        log_net=chosen.log_net[row] + terms.log_net[row, token],
        cost=chosen.cost[row] + terms.cost[row, token],
        changes=chosen.changes[row] + terms.differs[row, :, token],
        ties=chosen.ties,
    )


def _cut_and_normalise(logits: jax.Array, tail: float) -> jax.Array:
    """Log probabilities after the tail is cut; rows without a token stay ``-inf``."""
    top = logits.max(1, keepdims=True)
    some = top > -jnp.inf
    kept = jnp.where(logits >= top + np.log(tail), logits, -jnp.inf) if tail > 0 else logits
    kept = jnp.where(some, kept, 0.0)
    return jnp.where(some, jax.nn.log_softmax(kept, -1), -jnp.inf)
