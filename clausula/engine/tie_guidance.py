"""What a hypothesis knows of the ties to come, read from ``TieTables`` inside the search's jit.

The search carries a ``TieState`` and at every slot asks ``token_log_probs`` how likely the observed
chain is to keep all ties and domains of the voice after each token, then tells ``advance`` which
token was chosen in which row. The log probability of all returning voices together is the sum of
``TieState.log_ties``: 0 in a finished piece, whose ties are kept.

Reference: design §6.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from clausula.engine.scaled import finite_max
from clausula.engine.tie_tables import TieTables
from clausula.vocabulary import HOLD_TOKEN, N_VOICE


class TieState(NamedTuple):
    """What a hypothesis carries; N hypotheses, V voices.

    Attributes:
        ends: int32 ``[N, V, end]`` first and last notes of the themes that have sounded; what the
            others hold is never read.
        log_owed: float32 ``[N, V]`` log probability of the copies' own steps that are still to come
            for what has sounded.
        log_ties: float32 ``[N, V]`` log P(the voice keeps all ties | its tokens so far).
    """

    ends: jax.Array
    log_owed: jax.Array
    log_ties: jax.Array


def tie_init(tables: TieTables, batch: int) -> TieState:
    """The state before the first frame."""
    voices, ends = len(tables.returning), tables.stride.shape[2] - 1
    return TieState(
        jnp.zeros((batch, voices, ends), jnp.int32),
        jnp.zeros((batch, voices)),
        jnp.tile(jnp.asarray(tables.log_start), (batch, 1)),
    )


def theme_tokens(tables: TieTables, history: jax.Array, time: jax.Array) -> jax.Array:
    """``int32[N, V]`` what each voice did in the frame that it repeats; anything where it is none.

    Args:
        tables: of the plan.
        history: int8 ``[N, T, V]`` voice tokens chosen so far.
        time: the frame.
    """
    source = jnp.maximum(jnp.asarray(tables.tie_source)[time], 0)
    return history[:, source, jnp.arange(len(source))].astype(jnp.int32)


def token_log_probs(
    tables: TieTables,
    state: TieState,
    time: jax.Array,
    voice: int | jax.Array,
    sounding: jax.Array,
    theme: jax.Array,
) -> jax.Array:
    """How likely the chain is to keep the voice's ties and domains, by the token chosen now.

    Args:
        tables: of the plan.
        state: of each row.
        time: the frame.
        voice: whose turn it is.
        sounding: int32 ``[N]`` the voice's note before the frame.
        theme: int32 ``[N]`` the voice's column of ``theme_tokens``.

    Returns:
        ``[N, 32]`` log P(ties and domains from here to the end | tokens so far, this token), -inf
        exactly where the token breaks them or nothing can keep them; 0 for a voice that never
        returns.
    """

    def read() -> jax.Array:
        ahead = _after(tables, state, time, voice)
        held = jnp.take_along_axis(ahead, sounding[:, None], axis=1)
        change = jnp.asarray(tables.log_owed)[time, voice, sounding]
        owed = _owed(tables, time, voice, state.log_owed[:, voice, None], change)
        log_probs = owed + ahead.at[:, HOLD_TOKEN].set(held[:, 0])
        return jnp.where(_allowed(tables, time, voice, sounding, theme), log_probs, -jnp.inf)

    nothing = jnp.zeros((len(sounding), N_VOICE))
    return jax.lax.cond(jnp.asarray(tables.returning)[voice], read, lambda: nothing)


def advance(
    tables: TieTables,
    state: TieState,
    time: jax.Array,
    voice: int | jax.Array,
    sounding: jax.Array,
    log_probs: jax.Array,
    row: jax.Array,
    token: jax.Array,
) -> TieState:
    """The state after a voice's tokens are chosen, in the rows' new order.

    Args:
        tables: of the plan.
        state: before.
        time: the frame.
        voice: whose turn it was.
        sounding: int32 ``[N]`` the voice's note before the frame, in the rows' old order.
        log_probs: ``[N, 32]`` from ``token_log_probs``.
        row: int32 ``[N]`` the old row from which each new one continues.
        token: int32 ``[N]`` the voice token of each new row.
    """
    before = sounding[row]
    now = jnp.where(token == HOLD_TOKEN, before, token)
    ends = state.ends[row]
    numbers = jnp.arange(ends.shape[2])
    for marks in (tables.first_end, tables.last_end):
        here = numbers == jnp.asarray(marks)[time, voice]
        ends = ends.at[:, voice].set(jnp.where(here, now[:, None], ends[:, voice]))
    change = jnp.asarray(tables.log_owed)[time, voice, before, token]
    owed = _owed(tables, time, voice, state.log_owed[row, voice], change)
    return TieState(
        ends,
        state.log_owed[row].at[:, voice].set(owed),
        state.log_ties[row].at[:, voice].set(log_probs[row, token]),
    )


def _after(
    tables: TieTables, state: TieState, time: jax.Array, voice: int | jax.Array
) -> jax.Array:
    """``[N, 32]`` by the note that sounds after the frame: log P(the rest | ends so far, note).

    What copies owe for what has sounded is not in it.
    """
    stretch = jnp.asarray(tables.stretch)[time, voice]
    offset, stride = jnp.asarray(tables.offset)[stretch], jnp.asarray(tables.stride)[stretch]
    known = (state.ends[:, voice, None] * stride[None, :, :-1]).sum(axis=2)
    target = jnp.arange(N_VOICE)[None, None] * stride[None, :, -1:]
    entries = jnp.asarray(tables.log_entries)[offset[None, :, None] + known[..., None] + target]
    terms = jnp.asarray(tables.log_ahead)[time, voice][None] + entries.sum(axis=1)[:, None]
    scale = finite_max(terms, axis=2)
    return jnp.log(jnp.exp(terms - scale[..., None]).sum(axis=2)) + scale


def _owed(
    tables: TieTables, time: jax.Array, voice: int | jax.Array, before: jax.Array, change: jax.Array
) -> jax.Array:
    """What copies owe after a token, from before and its change; nothing after the last copy.

    Without that, rounding would leave a finished piece a trace of debt.
    """
    return jnp.where(jnp.asarray(tables.owing)[time, voice], before + change, 0.0)


def _allowed(
    tables: TieTables,
    time: jax.Array,
    voice: int | jax.Array,
    sounding: jax.Array,
    theme: jax.Array,
) -> jax.Array:
    """``bool[N, 32]`` the tokens that domains and ties allow."""
    tokens = jnp.arange(N_VOICE)
    bits = jnp.asarray(tables.allowed)[time, voice] >> tokens.astype(jnp.uint32) & 1
    maps = jnp.asarray(tables.tie_map)[jnp.asarray(tables.map_of_frame)[time, voice]]
    copied = jnp.asarray(tables.tie_source)[time, voice] >= 0
    heard = jnp.where(tokens == HOLD_TOKEN, sounding[:, None], tokens).astype(jnp.uint32)
    may = jnp.asarray(tables.sounds)[time, voice] >> heard & 1
    return (bits == 1) & (may == 1) & (~copied | (tokens == maps[theme].astype(jnp.int32)[:, None]))
