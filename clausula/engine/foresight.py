"""Messages by theme: what a returning passage has become is known to the messages of its copies.

While a theme is being written the hidden Markov model knows of its copies only what the domains
leave. Once some of it has sounded, the copies are pins, and the backward pass is done again with
them (design §6): for each of at most ``K`` distinct themes of the beam, where the next segment of
frames begins. Hypotheses with other themes are given up; the best are kept.

Shapes: N hypotheses, K themes, T frames, S slots (4), Q automaton states, H hidden states.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.engine.frame_messages import Slots, lone_messages, messages_after_slots
from clausula.engine.layers import Layers
from clausula.engine.lookahead import BITS
from clausula.engine.messages import SEGMENT, Laid, Model, checkpoints, segment_messages
from clausula.engine.scaled import Scaled
from clausula.engine.tables import SearchTables
from clausula.grid import SEARCH_ORDER

TIMES = 16  # the messages are renewed so often in a piece, where no copy comes near
NEAR = 2 * SEGMENT  # frames ahead of a copy at which what it copies must be known
_SLOTS = np.array([int(voice) for voice in SEARCH_ORDER])
# Odd numbers by voice and by frame, drawn once, for hashes of what themes are.
_ODD = np.random.default_rng(0).integers(0, 2**31, (1 << 14, 4), np.uint32) * 2 + 1


class Foresight(NamedTuple):
    """What lies ahead, by theme.

    Attributes:
        domains: ``uint32[K, T, S]`` tokens allowed.
        kept: of each automaton ``[K, segment + 1, Q, H]``, see ``messages.checkpoints``.
    """

    domains: jax.Array
    kept: tuple[Scaled, ...]


def foresee(tables: SearchTables, model: Model | Laid, themes: int) -> Foresight:
    """Before the first frame, when nothing is known of any theme."""
    domains = tables.layers[0].domains
    kept = tuple(checkpoints(layers, model) for layers in tables.layers)

    def every(values: jax.Array) -> jax.Array:
        return jnp.broadcast_to(values, (themes, *values.shape))

    return Foresight(every(domains), jax.tree.map(every, kept))


class Known(NamedTuple):
    """What the search knows ahead where a segment begins.

    Attributes:
        ahead: by theme.
        theme: ``int32[N]`` of each hypothesis.
        score: ``float32[N]``; -inf where dead or given up.
        until: ``int32[]`` what sounded before this frame is known to the messages.
    """

    ahead: Foresight
    theme: jax.Array
    score: jax.Array
    until: jax.Array


def renewed(
    tables: SearchTables,
    model: Model | Laid,
    history: jax.Array,
    known: Known,
    first: jax.Array,
) -> Known:
    """The messages again, if something of a theme has sounded whose copies are still to come.

    Each time costs a backward pass over what is left of the piece, so a long piece waits: until a
    copy comes near, or as much of a theme has sounded as a sixteenth of the piece.

    Args:
        tables: of the plan.
        model: the hidden Markov model.
        history: ``int8[N, T, V]``.
        known: what was known.
        first: the frame that comes next.
    """
    ahead, _, score, until = known
    source = tables.tie_source[:, _SLOTS]
    time = jnp.arange(len(source))[:, None]
    owed = (source >= 0) & (source < first) & (time >= first)  # copies that can be pinned

    def again() -> Known:
        heard = history[:, jnp.maximum(source, 0), _SLOTS].astype(jnp.int32)  # [N, T, S]
        mapped = tables.tie_map[tables.map_of_frame[:, _SLOTS], heard].astype(jnp.int32)
        factors = jnp.asarray(_ODD[: len(source)])
        terms = jnp.where(owed, (mapped + 2).astype(jnp.uint32) * factors, 0)
        best_first = jnp.argsort(-score)
        signature = terms.sum((1, 2), dtype=jnp.uint32)
        number, place = distinct(signature[best_first], score[best_first] > -jnp.inf)
        number, place = number[jnp.argsort(best_first)], best_first[place]
        themes = len(ahead.domains)
        room = jnp.pad(place, (0, max(0, themes - len(place))))  # themes may outnumber the beam
        chosen = mapped[room[:themes]]  # [K, T, S]
        # No image is no token: what cannot return is given up.
        pin = jnp.where(chosen >= 0, jnp.asarray(BITS)[jnp.maximum(chosen, 0)], jnp.uint32(0))
        domains = tables.layers[0].domains & jnp.where(owed, pin, ~jnp.uint32(0))

        def messages(own: jax.Array, kept: tuple[Scaled, ...]) -> tuple[Scaled, ...]:
            return tuple(
                checkpoints(_with(layers, own), model, rows, first // SEGMENT)
                for layers, rows in zip(tables.layers, kept, strict=True)
            )

        left = jnp.where(number < themes, score, -jnp.inf)
        ahead_now = Foresight(domains, jax.vmap(messages)(domains, ahead.kept))
        return Known(ahead_now, jnp.minimum(number, themes - 1), left, jnp.int32(first))

    news = owed & (source >= until)
    near = news & (time < first + NEAR)
    due = first - until >= tables.n_frames // TIMES
    return jax.lax.cond(near.any() | (news.any() & due), again, lambda: known)


def distinct(signature: jax.Array, alive: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Number equal signatures in order of their first row.

    Args:
        signature: ``[N]``.
        alive: ``bool[N]`` rows that count.

    Returns:
        ``int32[N]`` the number of each row's signature, ``N`` for dead ones, and ``int32[N]`` the
        first row of each number, row 0 for numbers that nothing has.
    """
    rows = jnp.arange(len(signature))
    none = len(rows)
    same = (signature[:, None] == signature) & alive & alive[:, None]
    opener = jnp.where(alive, same.argmax(axis=1), none)
    opens = opener == rows
    count = jnp.cumsum(opens) - 1
    number = jnp.where(alive, count[jnp.minimum(opener, none - 1)], none)
    place = jnp.zeros(none, jnp.int32)
    place = place.at[jnp.where(opens, number, none)].set(rows, mode="drop")
    return number.astype(jnp.int32), place


def _with(layers: Layers, domains: jax.Array) -> Layers:
    return layers._replace(domains=domains)


def room_for_segment(ahead: Foresight) -> tuple[Scaled, ...]:
    """Arrays for ``segment_ahead`` to write to; they are large, so all segments share them."""

    def empty(rows: jax.Array, fill: float) -> jax.Array:
        return jnp.full((rows.shape[0], SEGMENT + 1, *rows.shape[2:]), fill)

    return tuple(Scaled(empty(k.value, 0.0), empty(k.log_scale, -jnp.inf)) for k in ahead.kept)


def segment_ahead(
    tables: SearchTables,
    model: Model | Laid,
    ahead: Foresight,
    segment: jax.Array,
    into: tuple[Scaled, ...],
) -> tuple[Scaled, ...]:
    """Of each automaton ``[K, SEGMENT + 1, Q, H]`` the messages at the segment's boundaries.

    Args:
        tables: of the plan.
        model: the hidden Markov model.
        ahead: what is known.
        segment: ``int32[]`` which.
        into: what another segment left, or ``room_for_segment``.
    """

    def of_theme(domains: jax.Array, kept: tuple, into: tuple) -> tuple[Scaled, ...]:
        after = jax.tree.map(lambda rows: rows[segment + 1], kept)
        return tuple(
            segment_messages(_with(layers, domains), model, segment, rows, room)
            for layers, rows, room in zip(tables.layers, after, into, strict=True)
        )

    return jax.vmap(of_theme)(ahead.domains, ahead.kept, into)


def room_for_slots(ahead: Foresight) -> tuple[Slots, ...]:
    """Arrays for ``boundary`` to write to: of each automaton, by theme."""

    def of(rows: Scaled) -> Slots:
        one = jax.tree.map(lambda each: jnp.zeros_like(each[:, 0]), rows)
        four = jax.tree.map(lambda each: jnp.zeros((len(each), 4, *each.shape[1:])), one)
        return Slots(four, one)

    return tuple(of(rows) for rows in ahead.kept)


class Boundary(NamedTuple):
    """What follows one frame.

    Attributes:
        lone: ``bool[]`` whether the frame has one automaton state throughout, in all automata.
        rows: of each automaton ``[K, S, H]`` messages after each slot, where it is lone.
        slots: of each automaton ``[K, S, Q, H]`` messages after each slot, where it is not.
    """

    lone: jax.Array
    rows: tuple[Scaled, ...]
    slots: tuple[Slots, ...]


def boundary(
    tables: SearchTables,
    ahead: Foresight,
    after: tuple[Scaled, ...],
    place: jax.Array,
    time: jax.Array,
    lone: jax.Array,
    emission: jax.Array,
    into: tuple[Slots, ...],
) -> Boundary:
    """What follows a frame.

    Args:
        tables: of the plan.
        ahead: what is known.
        after: from ``segment_ahead``.
        place: of the boundary after the frame in these.
        time: the frame.
        lone: ``bool[]`` see ``messages.alone``.
        emission: ``[S, 32, H]`` probabilities of the frame's class.
        into: the ``slots`` of another frame, or ``room_for_slots``.
    """

    def alone(domains: jax.Array, rows: Scaled, layers: Layers) -> Scaled:
        first = jax.tree.map(lambda each: each[place, 0], rows)
        return lone_messages(_with(layers, domains), time, first, emission)

    def general(domains: jax.Array, rows: Scaled, room: Slots, layers: Layers) -> Slots:
        at = time, rows, place
        return messages_after_slots(_with(layers, domains), *at, emission, room, wanted=~lone)

    every = list(zip(tables.layers, after, into, strict=True))
    return Boundary(
        lone,
        tuple(jax.vmap(partial(alone, layers=g))(ahead.domains, rows) for g, rows, _ in every),
        tuple(
            jax.vmap(partial(general, layers=g))(ahead.domains, rows, room)
            for g, rows, room in every
        ),
    )
