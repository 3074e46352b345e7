"""Masks within a frame that look ahead inside it.

Slots are voices in search order: 0 soprano, 1 bass, 2 alto, 3 tenor. A set of a voice's 32 tokens
is the bits of one ``uint32``. A token is allowed only if some completion of the frame satisfies
every one- and two-slice hard rule and leaves the automata a way to the end (design §6): every such
rule relates two voices, so the completions of a frame are enumerated over bass and alto, with all
tenors at once in the bits of a word. Shapes: N hypotheses, G automata, Q automaton states and a
sink.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.vocabulary import HOLD_TOKEN, N_VOICE

PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))  # slots, in the order of the tables
PAIR_INDEX = {pair: i for i, pair in enumerate(PAIRS)}
BITS = (np.uint32(1) << np.arange(N_VOICE, dtype=np.uint32)).astype(np.uint32)


ASKED = 8  # soprano tokens that are asked about at once


class Together(NamedTuple):
    """What all voices may sound together.

    Attributes:
        words: ``uint32[32, 32, 32]`` tenor notes by soprano, bass and alto: sounding indices.
        before: ``int32[N, 4]`` what each slot sounded before, which a hold keeps.
        asked: ``bool[]`` whether the frame asks.
    """

    words: jax.Array
    before: jax.Array
    asked: jax.Array


class FrameMasks(NamedTuple):
    """What a frame allows each hypothesis, given what it sounded before.

    Attributes:
        voice: ``uint32[N, 4]`` tokens of each slot allowed by themselves.
        pair: ``uint32[N, 6, 32]`` for each pair of slots and token of the first, the tokens of
            the second allowed beside it.
        together: rules of all voices at once; none where there are no such rules.
    """

    voice: jax.Array
    pair: jax.Array
    together: Together | None = None

    def of_rows(self, row: jax.Array) -> FrameMasks:
        """Those of other rows ``int32[N]``."""
        together = self.together
        if together is not None:
            together = together._replace(before=together.before[row])
        return FrameMasks(self.voice[row], self.pair[row], together)


class FrameAutomaton(NamedTuple):
    """One frame's layers of the automaton, restricted to states that can still reach the end.

    Attributes:
        step: ``int32[4, Q + 1, 32]`` next state by slot; the last state is a sink.
        last: ``uint32[Q + 1]`` tenor tokens that lead out of the frame, by the state before them.
        trivial: ``bool[]`` true where no state is ever lost and no lookahead is needed.
    """

    step: jax.Array
    last: jax.Array
    trivial: jax.Array


def to_bits(allowed: jax.Array) -> jax.Array:
    """``uint32[...]`` of ``bool[..., 32]``."""
    return jnp.where(allowed, BITS, np.uint32(0)).sum(-1, dtype=jnp.uint32)


def from_bits(bits: jax.Array) -> jax.Array:
    """``bool[..., 32]`` of ``uint32[...]``."""
    return (bits[..., None] & BITS) != 0


def frame_automaton(step: jax.Array, reachable: jax.Array) -> FrameAutomaton:
    """Fold reachability into one frame's transitions.

    Args:
        step: ``int32[4, Q, 32]`` next state by slot, -1 where rejected.
        reachable: ``bool[4, Q]`` whether the end can be reached after each slot, by state.
    """
    sink = step.shape[1]
    after = jax.vmap(lambda alive, states: alive[states])(reachable, jnp.maximum(step, 0))
    kept = (step >= 0) & after
    folded = jnp.where(kept, step, sink)
    padded = jnp.concatenate([folded, jnp.full((4, 1, N_VOICE), sink)], axis=1)
    last = to_bits(padded[3] != sink)
    # Only state 0 exists where nothing is tracked; if it loses no token, nothing can be lost.
    trivial = jnp.all(kept[:, 0]) & jnp.all(jnp.where(kept, folded, 0) == 0)
    return FrameAutomaton(padded.astype(jnp.int32), last, trivial)


Automata = tuple[FrameAutomaton, ...]


def _completions(
    masks: FrameMasks, automata: Automata, soprano: jax.Array, state: jax.Array
) -> jax.Array:
    """``bool[N, 32, 32]``: may (bass, alto) be completed by a tenor beside this soprano?

    Args:
        masks: the frame's masks.
        automata: the frame's automata; none where all are trivial.
        soprano: ``int32[N]`` its token.
        state: ``int32[N, G]`` automaton states after it.
    """
    rows = jnp.arange(soprano.shape[0])
    beside = masks.pair[rows, :3, soprano]  # bass, alto and tenor tokens allowed beside it
    bass = masks.voice[:, 1] & beside[:, 0]
    alto = masks.voice[:, 2] & beside[:, 1]
    tenor = masks.voice[:, 3] & beside[:, 2]
    alto_by_bass = alto[:, None] & masks.pair[:, PAIR_INDEX[1, 2]]
    tenor_by_both = (
        tenor[:, None, None]
        & masks.pair[:, PAIR_INDEX[1, 3], :, None]
        & masks.pair[:, PAIR_INDEX[2, 3], None, :]
    )
    for g, automaton in enumerate(automata):
        after_bass = automaton.step[1][state[:, g]]
        after_alto = automaton.step[2][after_bass]
        tenor_by_both = tenor_by_both & automaton.last[after_alto]
    if masks.together is not None:
        tenor_by_both = tenor_by_both & _sounding_well(masks.together, soprano)
    return (tenor_by_both != 0) & from_bits(alto_by_bass) & from_bits(bass)[:, :, None]


def _sounding_well(together: Together, *chosen: jax.Array) -> jax.Array:
    """Tenor tokens that may sound with tokens ``[N]`` of soprano, bass and alto, in this order.

    Returns:
        ``uint32[N]``, with an axis of 32 for the bass, and for the alto, where they are left out.
    """
    missing = 3 - len(chosen)
    shape = (len(chosen[0]), *[N_VOICE] * missing)

    def asked() -> jax.Array:
        sounding = [
            jnp.where(token == HOLD_TOKEN, before, token)
            for token, before in zip(chosen, together.before.T, strict=False)
        ]
        words = together.words[tuple(sounding)]
        for axis in range(1, missing + 1):
            # What the hold token of a voice that is still to choose keeps.
            before = together.before[:, len(chosen) + axis - 1]
            kept = jnp.take_along_axis(words, before.reshape(-1, *[1] * missing), axis)
            held = jnp.arange(N_VOICE) == HOLD_TOKEN
            words = jnp.where(held.reshape(-1, *[1] * (missing - axis)), kept, words)
        tenor = together.before[:, 3].astype(jnp.uint32).reshape(-1, *[1] * missing)
        hold = jnp.asarray(BITS)[HOLD_TOKEN]
        return jnp.where((words >> tenor) & 1 == 1, words | hold, words & ~hold)

    return jax.lax.cond(together.asked, asked, lambda: jnp.full(shape, ~jnp.uint32(0)))


class Likely(NamedTuple):
    """Which tokens are worth asking about.

    Attributes:
        logits: ``float32[N, 32]`` what speaks for each token; -inf where it is not to be chosen.
        log_tail: a token so far below the best that is allowed is cut, allowed or not; -inf where
            none is.
    """

    logits: jax.Array
    log_tail: jax.Array | float


def allowed_soprano(
    masks: FrameMasks, automata: Automata, state: jax.Array, likely: Likely
) -> jax.Array:
    """``bool[N, 32]`` soprano tokens that some bass, alto and tenor complete.

    The likeliest are asked about first, and no others than those that could still be chosen: what
    would be cut all the same is not allowed either.
    """
    rows = jnp.arange(len(state))[:, None]
    logits = jnp.where(from_bits(masks.voice[:, 0]), likely.logits, -jnp.inf)
    ordered, order = jax.lax.top_k(logits, N_VOICE)

    def more(carry: tuple[jax.Array, jax.Array]) -> jax.Array:
        asked, allowed = carry
        best = jnp.where(allowed, logits, -jnp.inf).max(axis=1)
        following = ordered[:, jnp.minimum(asked, N_VOICE - 1)]
        cut = following < best + likely.log_tail
        return (asked < N_VOICE) & (~cut & (following > -jnp.inf)).any()

    def ask(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        asked, allowed = carry
        tokens = jax.lax.dynamic_slice_in_dim(order, asked, ASKED, 1)
        completed = _completed(masks, automata, state, tokens)
        found = allowed.at[rows, tokens].set(completed)
        return asked + ASKED, found

    # Batched from the start wherever the rows are, so that a batch is traced once.
    none = logits > jnp.inf
    allowed = jax.lax.while_loop(more, ask, (jnp.int32(0), none))[1]
    return allowed & (logits > -jnp.inf)


def _completed(
    masks: FrameMasks, automata: Automata, state: jax.Array, tokens: jax.Array
) -> jax.Array:
    """``bool[N, A]`` which of some sopranos ``int32[N, A]`` can be completed."""

    def with_automata(soprano: jax.Array) -> jax.Array:
        after = step_states(automata, 0, state, soprano)
        return _completions(masks, automata, soprano, after).any((1, 2))

    def without(soprano: jax.Array) -> jax.Array:
        return _completions(masks, (), soprano, state).any((1, 2))

    return jax.lax.cond(
        jnp.all(jnp.array([automaton.trivial for automaton in automata])),
        lambda: jax.vmap(without, 1, 1)(tokens),
        lambda: jax.vmap(with_automata, 1, 1)(tokens),
    )


def step_states(automata: Automata, slot: int, state: jax.Array, token: jax.Array) -> jax.Array:
    """``int32[N, G]`` states after a slot's token ``[N]``."""
    return jnp.stack([a.step[slot][state[:, g], token] for g, a in enumerate(automata)], axis=1)


def allowed_bass(
    masks: FrameMasks, automata: Automata, state: jax.Array, tokens: jax.Array
) -> jax.Array:
    """``bool[N, 32]`` bass tokens that some alto and tenor complete.

    Args:
        masks: the frame's masks.
        automata: the frame's automata.
        state: ``int32[N, G]`` after the soprano.
        tokens: ``int32[N, 4]`` by slot; the soprano's is read.
    """
    return _completions(masks, automata, tokens[:, 0], state).any(2)


def allowed_alto(
    masks: FrameMasks, automata: Automata, state: jax.Array, tokens: jax.Array
) -> jax.Array:
    """``bool[N, 32]`` alto tokens that some tenor completes; see ``allowed_bass``."""
    rows = jnp.arange(state.shape[0])
    soprano, bass = tokens[:, 0], tokens[:, 1]
    alto = (
        masks.voice[:, 2]
        & masks.pair[rows, PAIR_INDEX[0, 2], soprano]
        & masks.pair[rows, PAIR_INDEX[1, 2], bass]
    )
    tenor = _tenor_beside(masks, soprano, bass)[:, None] & masks.pair[:, PAIR_INDEX[2, 3]]
    for g, automaton in enumerate(automata):
        tenor = tenor & automaton.last[automaton.step[2][state[:, g]]]
    if masks.together is not None:
        tenor = tenor & _sounding_well(masks.together, soprano, bass)
    return from_bits(alto) & (tenor != 0)


def allowed_tenor(
    masks: FrameMasks, automata: Automata, state: jax.Array, tokens: jax.Array
) -> jax.Array:
    """``bool[N, 32]`` tenor tokens; see ``allowed_bass``."""
    rows = jnp.arange(state.shape[0])
    tenor = _tenor_beside(masks, tokens[:, 0], tokens[:, 1])
    tenor = tenor & masks.pair[rows, PAIR_INDEX[2, 3], tokens[:, 2]]
    for g, automaton in enumerate(automata):
        tenor = tenor & automaton.last[state[:, g]]
    if masks.together is not None:
        tenor = tenor & _sounding_well(masks.together, *tokens[:, :3].T)
    return from_bits(tenor)


def _tenor_beside(masks: FrameMasks, soprano: jax.Array, bass: jax.Array) -> jax.Array:
    """``uint32[N]`` tenor tokens allowed beside soprano and bass."""
    rows = jnp.arange(soprano.shape[0])
    return (
        masks.voice[:, 3]
        & masks.pair[rows, PAIR_INDEX[0, 3], soprano]
        & masks.pair[rows, PAIR_INDEX[1, 3], bass]
    )


ALLOWED_BESIDE = {1: allowed_bass, 2: allowed_alto, 3: allowed_tenor}
