"""What the automata and the hidden Markov model say of one slot's tokens.

Most frames of most plans have one automaton state throughout: nothing is being counted or
approached. There the messages of a slot are one row a theme, and no token leads elsewhere than
another. The other frames take the general way. Which way a frame takes is known beforehand and the
same for all pieces, so that only one of them is worked out.

Shapes: N hypotheses, K themes, Q automaton states, H hidden states; tokens are the last axis, 32.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from clausula.constraints.automaton import REFUSED
from clausula.engine.beam import Partial
from clausula.engine.filter import token_guidance
from clausula.engine.foresight import Boundary
from clausula.engine.layers import step_costs, step_rows
from clausula.engine.scaled import Scaled
from clausula.engine.tables import SearchTables
from clausula.vocabulary import N_VOICE


def through_automata(
    tables: SearchTables,
    here: Boundary,
    emission: jax.Array,
    time: jax.Array,
    theme: jax.Array,
    chosen: Partial,
    slot: int,
) -> tuple[jax.Array, jax.Array]:
    """``[N, 32]`` log P(all automata will be satisfied | token), and nats that they ask for it.

    Args:
        tables: of the plan.
        here: what follows the frame.
        emission: ``[S, 32, H]`` probabilities of the frame's class.
        time: the frame.
        theme: ``int32[N]`` of each row.
        chosen: the rows.
        slot: whose token comes next.
    """
    nothing = jnp.zeros((len(theme), N_VOICE))

    def lone() -> tuple[jax.Array, jax.Array]:
        log_guide = nothing
        for rows in here.rows:
            after = jax.tree.map(lambda each: each[theme, slot][:, None], rows)
            log_guide += token_guidance(chosen.alpha, after, None, emission[slot])
        return log_guide, nothing

    def general() -> tuple[jax.Array, jax.Array]:
        log_guide, price = nothing, nothing
        for g, layers in enumerate(tables.layers):
            states = chosen.state[:, g]
            successor, kind = step_rows(layers, time, slot, states)
            after = here.slots[g].rows
            value = after.value[theme[:, None], slot, successor]
            log_scale = after.log_scale[theme[:, None], slot, successor]
            leads = Scaled(value, jnp.where(successor == REFUSED, -jnp.inf, log_scale))
            log_guide += token_guidance(chosen.alpha, leads, kind, emission[slot])
            price += step_costs(layers, time, slot, states, kind)
        return log_guide, price

    return jax.lax.cond(here.lone, lone, general)
