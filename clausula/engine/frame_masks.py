"""The masks of one frame for every hypothesis, from what it sounds, repeats and must not copy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from clausula.engine.beam import Hypotheses
from clausula.engine.budgets import all_changes
from clausula.engine.copying import Copies, copied_notes
from clausula.engine.lookahead import BITS, PAIR_INDEX, FrameMasks, from_bits, to_bits
from clausula.engine.tables import SearchTables
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import HOLD_TOKEN, N_VOICE


def frame_masks(tables: SearchTables, beam: Hypotheses, time: jax.Array) -> FrameMasks:
    """The frame's masks for every row, from what it sounds and what its theme asks."""
    context = tables.context_of_frame[time]
    slots = np.array([int(voice) for voice in SEARCH_ORDER])
    by_slot = beam.sounding[:, slots]
    voice = tables.voice_bits[context][slots, by_slot] & tables.domains[time][slots]
    # A copied voice sounds what its theme did, moved: one token, known once the theme has sounded.
    source = tables.tie_source[time][slots]
    theme = beam.history[:, jnp.maximum(source, 0), slots].astype(jnp.int32)
    token = tables.tie_map[tables.map_of_frame[time][slots], theme].astype(jnp.int32)
    only = jnp.where(token >= 0, jnp.asarray(BITS)[jnp.maximum(token, 0)], jnp.uint32(0))
    voice = voice & jnp.where(source >= 0, only, ~jnp.uint32(0))
    for copies in tables.copies.lines:
        copied = copied_notes(copies, beam.register, time)[:, slots]
        voice = voice & jnp.where(jnp.isinf(copies.price), ~copied, ~jnp.uint32(0))
    voice = voice & _within_budgets(tables, beam, time)
    pair = jnp.stack(
        [
            tables.pair_bits[context, i, by_slot[:, u], by_slot[:, v]]
            for (u, v), i in PAIR_INDEX.items()
        ],
        axis=1,
    )
    alive = [
        _leading_on(tables.pair_alive[time, i], by_slot[:, u], by_slot[:, v])
        for (u, v), i in PAIR_INDEX.items()
    ]
    return FrameMasks(voice, pair & jnp.stack(alive, axis=1))


def _within_budgets(tables: SearchTables, beam: Hypotheses, time: jax.Array) -> jax.Array:
    """``uint32[N, 4]`` tokens of each slot that no budget refuses, were they the frame's only."""
    if not tables.budgets:
        return jnp.full((len(beam.score), 4), ~jnp.uint32(0))
    allowed = [
        all_changes(tables.budgets, beam.history, beam.changes, 4 * time + slot).allowed
        for slot in range(4)
    ]
    return to_bits(jnp.stack(allowed, axis=1))


def copying_costs(tables: SearchTables, beam: Hypotheses, time: jax.Array) -> jax.Array:
    """``float32[N, V, 32]`` nats that soft limits on copies ask for every token of the frame."""
    cost = jnp.zeros((len(beam.score), len(SEARCH_ORDER), N_VOICE))
    for copies in tables.copies.lines:
        copied = from_bits(copied_notes(copies, beam.register, time))
        cost += jnp.where(copied, price_of(copies), 0.0)
    return cost


def price_of(copies: Copies) -> jax.Array:
    """Nats of a soft limit; nothing of a hard one, which is a mask."""
    return jnp.where(jnp.isinf(copies.price), 0.0, copies.price)


def _leading_on(alive: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """``uint32[N, 32]`` for each token of a pair's first voice the second's that can go on.

    Args:
        alive: ``uint32[32]`` bits by what both sound at the end of the frame.
        first: ``int32[N]`` what the first voice sounded before.
        second: ``int32[N]`` what the second did.
    """
    tokens = jnp.arange(N_VOICE)
    words = alive[sounding_after(tokens[None], first[:, None])]
    hold = jnp.asarray(BITS)[HOLD_TOKEN]
    keeps = words & jnp.asarray(BITS)[second][:, None] != 0
    return jnp.where(keeps, words | hold, words & ~hold)


def sounding_after(token: jax.Array, before: jax.Array) -> jax.Array:
    """Voice index that sounds after a token, given the one before; same shape."""
    return jnp.where(token == HOLD_TOKEN, before, token)
