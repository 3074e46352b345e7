"""Masks and costs of one frame for every hypothesis, from what it sounds, repeats and copies."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.sonority_tables import Following
from clausula.constraints.spelled_chords import CHORD_OF_NOTES, MEMBERS
from clausula.engine.beam import Hypotheses, Partial
from clausula.engine.budgets import Change, all_changes
from clausula.engine.copying import Copies, copied_chords, copied_notes
from clausula.engine.lookahead import (
    BITS,
    PAIR_INDEX,
    FrameMasks,
    Together,
    from_bits,
    to_bits,
)
from clausula.engine.tables import SearchTables
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

# Pitch class of every sounding index of each voice, -1 in silence.
_CLASSES = np.stack(
    [np.where(np.arange(N_VOICE) < FIRST_PITCH, -1, voice_semitones(v) % 12) for v in Voice]
)


def frame_masks(tables: SearchTables, beam: Hypotheses, time: jax.Array) -> FrameMasks:
    """The frame's masks for every row, from what it sounds and what its theme asks."""
    context = tables.context_of_frame[time]
    slots = np.array([int(voice) for voice in SEARCH_ORDER])
    by_slot = beam.sounding[:, slots]
    voice = tables.voice_bits[context][slots, by_slot] & tables.domains[time][slots]
    voice = voice & _returning(tables, beam.history, time)[:, slots]
    for copies in tables.copies.lines:
        copied = copied_notes(copies, beam.register, time)[:, slots]
        voice = voice & jnp.where(jnp.isinf(copies.price), ~copied, ~jnp.uint32(0))
    voice = voice & _within_budgets(tables, beam, time)
    if tables.following is not None:
        after = _after_chord(tables.following, beam.chord, beam.earlier, beam.sounding, context)
        voice = voice & after[:, slots]
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
    together = None
    if tables.together is not None:
        together = Together(tables.together[context], by_slot, tables.on_beat[time])
    return FrameMasks(voice, pair & jnp.stack(alive, axis=1), together)


def _returning(tables: SearchTables, history: jax.Array, time: jax.Array) -> jax.Array:
    """``uint32[N, V]`` tokens of each voice in a frame that are no false copy.

    A copied voice sounds what its theme did, moved: one token, known once the theme has sounded.
    """
    source = tables.tie_source[time]
    theme = history[:, jnp.maximum(source, 0), jnp.arange(len(Voice))].astype(jnp.int32)
    token = tables.tie_map[tables.map_of_frame[time], theme].astype(jnp.int32)
    only = jnp.where(token >= 0, jnp.asarray(BITS)[jnp.maximum(token, 0)], jnp.uint32(0))
    return jnp.where(source >= 0, only, ~jnp.uint32(0))


def _after_chord(
    following: Following, chord: jax.Array, earlier: jax.Array, now: jax.Array, context: jax.Array
) -> jax.Array:
    """``uint32[N, V]`` tokens of each voice allowed after the chord that sounded.

    Args:
        following: what may follow what.
        chord: ``int32[N]`` the chord.
        earlier: ``int32[N, V]`` the note before the last of each voice.
        now: ``int32[N, V]`` the last.
        context: of the frame that follows.
    """
    row = following.row[chord]
    asked = earlier if following.words.shape[3] > 1 else jnp.zeros_like(earlier)
    return following.words[context, jnp.arange(len(Voice)), row[:, None], asked, now]


def _going_on(
    tables: SearchTables,
    after: Following,
    beam: Hypotheses,
    chosen: Partial,
    time: jax.Array,
) -> jax.Array:
    """``bool[N, 32]`` tenor tokens after whose chord each voice has a way into the next frame.

    Where a voice returns, or must rest or hold or be a certain note, a chord that makes a seventh
    of what it sounds would leave it none.
    """
    rows, n_rows = chosen.row, len(chosen.row)
    slot_of = [SEARCH_ORDER.index(voice) for voice in Voice]
    token = jnp.broadcast_to(chosen.token[:, None, slot_of], (n_rows, N_VOICE, len(Voice)))
    token = token.at[:, :, Voice.TENOR].set(jnp.arange(N_VOICE)).reshape(-1, len(Voice))

    def each(values: jax.Array) -> jax.Array:
        return jnp.repeat(values[rows], N_VOICE, axis=0)

    sounding = sounding_after(token, each(beam.sounding))
    chord = last_chord(sounding, each(beam.chord), tables.on_beat[time])
    earlier = note_before(token, each(beam.sounding), each(beam.earlier))
    following = jnp.minimum(time + 1, len(tables.context_of_frame) - 1)
    context = tables.context_of_frame[following]
    words = _after_chord(after, chord, earlier, sounding, context)
    words = words & tables.voice_bits[context][jnp.arange(len(Voice)), sounding]
    # What is copied from this very frame is not written yet.
    known = tables.tie_source[following] < time
    returning = _returning(tables, beam.history[rows], following)
    own = jnp.where(known, returning, ~jnp.uint32(0)) & tables.domains[following]
    on = (words.reshape(n_rows, N_VOICE, len(Voice)) & own[:, None] != 0).all(axis=2)
    return on | (following >= tables.n_frames)


def note_before(token: jax.Array, sounding: jax.Array, earlier: jax.Array) -> jax.Array:
    """``int32[N, V]`` the note before the one that sounds after a frame's tokens.

    Args:
        token: ``int32[N, V]`` the frame's.
        sounding: ``int32[N, V]`` what sounded before the frame.
        earlier: ``int32[N, V]`` the note before that.
    """
    kept = jnp.where(token == REST_TOKEN, 0, earlier)
    return jnp.where(token >= FIRST_PITCH, sounding, kept)


def last_chord(sounding: jax.Array, before: jax.Array, on_beat: jax.Array) -> jax.Array:
    """``int32[N]`` the last chord that was spelled, as far as it may still be the chord.

    Between the slices that spell it voices pass through other notes. A beat on which something
    sounds that is none of its members, and that spells nothing itself, ends what is known.

    Args:
        sounding: ``int32[N, V]`` what sounds.
        before: ``int32[N]`` the last chord of the frame before.
        on_beat: ``bool[]`` whether a beat begins.
    """
    classes = jnp.asarray(_CLASSES)[jnp.arange(len(Voice)), sounding]
    bits = jnp.where(classes < 0, 0, 1 << classes)
    heard = bits[:, 0] | bits[:, 1] | bits[:, 2] | bits[:, 3]
    lowest = jnp.full(len(heard), -1)
    for voice in Voice:
        lowest = jnp.where(classes[:, voice] >= 0, classes[:, voice], lowest)
    spelled = jnp.asarray(CHORD_OF_NOTES)[heard, jnp.maximum(lowest, 0)].astype(jnp.int32)
    foreign = heard & ~jnp.asarray(MEMBERS)[before] != 0
    kept = jnp.where(on_beat & foreign, 0, before)
    return jnp.where((spelled > 0) & (lowest >= 0), spelled, kept)


def _within_budgets(tables: SearchTables, beam: Hypotheses, time: jax.Array) -> jax.Array:
    """``uint32[N, 4]`` tokens of each slot that no budget refuses, whatever the others choose."""
    if not tables.budgets:
        return jnp.full((len(beam.score), 4), ~jnp.uint32(0))
    allowed = [
        all_changes(tables.budgets, beam.history, beam.changes, 4 * time + slot, 4 * time).allowed
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


def rule_costs(
    tables: SearchTables, slot: int, time: jax.Array, token: jax.Array, sounding: jax.Array
) -> jax.Array:
    """``[N, 32]`` nats that soft rules ask for each token beside the voices already chosen."""
    context = tables.context_of_frame[time]
    voice = SEARCH_ORDER[slot]
    options = jnp.arange(N_VOICE)
    heard = sounding_after(options[None, :], sounding[:, voice, None])
    total = tables.voice_cost[context, voice][heard]
    for earlier in range(slot):
        other = SEARCH_ORDER[earlier]
        beside = sounding_after(token[:, earlier], sounding[:, other])
        table = tables.pair_cost[context, PAIR_INDEX[earlier, slot]]
        total += table[beside[:, None], heard]
    return total


def asked_beside(
    tables: SearchTables, beam: Hypotheses, chosen: Partial, slot: int, time: jax.Array
) -> Change:
    """What is asked of the slot's tokens beside rules and automata."""
    history = beam.history[chosen.row]
    terms = all_changes(tables.budgets, history, chosen.changes, 4 * time + slot)
    if slot < 3:
        return terms
    allowed, cost = terms.allowed, terms.cost
    if tables.following is not None:
        allowed = allowed & _going_on(tables, tables.following, beam, chosen, time)
    register = jax.tree.map(lambda values: values[chosen.row], beam.register)
    for copies in tables.copies.chords:
        sounding = beam.sounding[chosen.row]
        copied = copied_chords(copies, register, time, sounding, chosen.token)
        allowed = allowed & ~(copied & jnp.isinf(copies.price))
        cost = cost + jnp.where(copied, price_of(copies), 0.0)
    return terms._replace(allowed=allowed, cost=cost)
