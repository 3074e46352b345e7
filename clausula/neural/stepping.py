"""The transformer as a proposal: one frame at a time, over a window of cached keys and values.

The cache is a ring (``ring``). Notes are small: they are copied when the beam reorders its
hypotheses.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx

from clausula.beam_rows import taken_over
from clausula.neural.echo import (
    BESIDE,
    N_ECHOES,
    NEAREST,
    NO_SOURCE,
    NO_TOKEN,
    PLANNED,
    SPAN,
    Echo,
    length_class,
    shifted,
)
from clausula.neural.encoder import Told
from clausula.neural.features import Controls
from clausula.neural.network import ChoraleTransformer
from clausula.neural.ring import Ring, attended, distances, empty_ring, stored
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import HOLD_TOKEN, REST_TOKEN

Tree = TypeVar("Tree")


class Notes(NamedTuple):
    """What the hypotheses wrote, and how it repeats itself.

    Attributes:
        sounding: ``int8[N, SPAN + time, V]`` pitch tokens; ``SPAN`` empty frames come first.
        token: likewise, what each voice did.
        run: ``int16[N, N_ECHOES, SPAN]`` frames in a row that agree with those so far back.
    """

    sounding: jax.Array
    token: jax.Array
    run: jax.Array


class Cache(NamedTuple):
    """State of the transformer along time.

    Attributes:
        ring: keys and values of the window.
        h: ``float32[N, D]`` vectors of the current frame, by the row it began with.
        echo: of the current frame, ``[N, N_ECHOES, V]``.
        notes: so far.
        controls: of the whole piece, each ``[time, …]``.
        here: the current frame's, each ``[…]``.
        told: of every frame's given notes; none without an ear for them, or without such notes.
        told_here: of the current frame's.
    """

    ring: Ring
    h: jax.Array
    echo: Echo
    notes: Notes
    controls: Controls
    here: Controls
    told: Told | None
    told_here: Told | None


def transformer_proposal(model: ChoraleTransformer) -> Proposal:
    """The network behind the proposal contract; dropout is off."""
    model.eval()
    graph, *states = nnx.split(model, nnx.Param, ...)
    params, rest = states

    def init(params: nnx.State, controls: Controls, hypotheses: int) -> Cache:
        return _init(nnx.merge(graph, params, rest), controls, hypotheses)

    def begin_frame(params: nnx.State, cache: Cache, time: jax.Array, past: Past) -> Cache:
        return _begin_frame(nnx.merge(graph, params, rest), cache, time, past)

    def log_probs(params: nnx.State, cache: Cache, slot: int, frame: FrameSoFar) -> jax.Array:
        net = nnx.merge(graph, params, rest)
        here = _spread(cache.here, len(frame.row))
        heard = net.heard(slot, _spread(cache.told_here, len(frame.row)), here.pins)
        echo = Echo(*(field[frame.row] for field in cache.echo))
        h = cache.h[frame.row]
        head = net.heads[slot]
        return head(h, frame.token, frame.sounding, frame.last, here.tonic, echo, heard)

    return Proposal(params, init, begin_frame, log_probs)


def _spread(tree: Tree, hypotheses: int) -> Tree:
    """Every array with a new first axis of hypotheses."""
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (hypotheses, *x.shape)), tree)


def _init(net: ChoraleTransformer, controls: Controls, hypotheses: int) -> Cache:
    config = net.config
    frames = controls.position.shape[0]
    controls = jax.tree.map(jnp.asarray, controls)
    width = config.width // config.heads
    told = net.encode(jax.tree.map(lambda x: x[None], controls))
    told = jax.tree.map(lambda x: x[0], told)
    nothing = jnp.zeros((hypotheses, N_ECHOES, 4), jnp.int32)
    notes = jnp.zeros((hypotheses, SPAN + frames, 4), jnp.int8)
    return Cache(
        empty_ring(config.layers, config.window, hypotheses, config.heads, width),
        jnp.zeros((hypotheses, config.width)),
        Echo(nothing, nothing),
        Notes(notes, notes, jnp.zeros((hypotheses, N_ECHOES, SPAN), jnp.int16)),
        controls,
        jax.tree.map(lambda x: x[0], controls),
        told,
        jax.tree.map(lambda x: x[0], told),
    )


def _begin_frame(net: ChoraleTransformer, cache: Cache, time: jax.Array, past: Past) -> Cache:
    hypotheses = past.parent.shape[0]
    ring = taken_over(cache.ring, past.parent - jnp.arange(hypotheses))
    window = net.config.window
    distance = distances(time, window)
    here, told = jax.tree.map(lambda x: x[time], (cache.controls, cache.told))
    notes = _remember(cache.notes, time, past, holds=net.config.holds)
    echo = _echo(notes, time, here)
    begun = jnp.broadcast_to(time > 0, (hypotheses,))
    spread = _spread(here, hypotheses)
    x = net.embed(past.sounding, past.age, begun, spread, echo, _spread(told, hypotheses))
    keys, values = [], []
    for layer, block in enumerate(net.blocks):
        projected = block.project(x, time[None])
        biases = _spread((block.bias_by_slot(distance), block.bias_HW[...][:, 0]), hypotheses)
        cached = ring.keys[layer], ring.values[layer]
        x = block.finish(x, attended(cached, projected, *biases))
        keys.append(projected[1])
        values.append(projected[2])
    # What is stored needs the last layer, in name only: once that is done all has been read, and
    # the ring is written in place. Unordered, it would be copied each frame.
    done = 0 * x[:, :1, None]
    now = jax.tree.map(lambda rows: rows + done, Ring(tuple(keys), tuple(values)))
    ring = stored(ring, now, time % window)
    return Cache(ring, x, echo, notes, cache.controls, here, cache.told, told)


def _remember(notes: Notes, time: jax.Array, past: Past, *, holds: bool) -> Notes:
    """The notes with the frame before this one, in the rows' new order."""
    at = SPAN + time - 1
    token = past.sounding
    if holds:
        held = (past.age > 0) & (token != REST_TOKEN)
        token = jnp.where(held, HOLD_TOKEN, token)
    shift = past.parent - jnp.arange(len(past.parent))
    before = taken_over((notes.sounding, notes.token), shift)
    now = past.sounding.astype(jnp.int8), token.astype(jnp.int8)
    # Written first and read afterwards, the notes are written in place.
    sounding, tokens = jax.tree.map(
        lambda all_of, of_frame: jax.lax.dynamic_update_slice_in_dim(
            all_of, of_frame[:, None], at, 1
        ),
        before,
        now,
    )
    back = jax.lax.dynamic_slice_in_dim(sounding, time - 1, SPAN, 1)[:, ::-1]
    # Entry i of ``back`` lies i + 1 frames before the last one.
    same = back == past.sounding[:, None].astype(jnp.int8)
    inside = jnp.arange(1, SPAN + 1) <= time - 1
    agrees = jnp.stack([same.all(-1), same[..., 0]], 1) & inside
    run = notes.run[past.parent]
    # Entry i of ``run`` is of lag i, so the lag SPAN that ``back`` also shows has no place.
    run = jnp.where(jnp.pad(agrees, ((0, 0), (0, 0), (1, 0)))[..., :-1], run + 1, 0)
    return Notes(sounding, tokens, run.astype(jnp.int16))


def _echo(notes: Notes, time: jax.Array, here: Controls) -> Echo:
    """``echo.echo_of`` for one frame of every hypothesis."""
    run = jnp.where(jnp.arange(SPAN) >= NEAREST, notes.run, 0)
    lag = run.argmax(-1)
    rank = length_class(run.max(-1), jnp)
    rows = jnp.arange(len(lag))[:, None]
    token = notes.token[rows, SPAN + time - lag].astype(jnp.int32)
    token = jnp.where(rank[..., None] > 0, token, NO_TOKEN)
    length = jnp.broadcast_to(rank[..., None], token.shape)
    planned = here.planned
    known = planned.source != NO_SOURCE
    source = notes.token[:, SPAN + jnp.maximum(planned.source, 0)].astype(jnp.int32)
    kind = jnp.where(planned.voice == 1, PLANNED, BESIDE)
    token = token.at[:, 0].set(jnp.where(known, shifted(source, planned.shift, jnp), token[:, 0]))
    return Echo(token, length.at[:, 0].set(jnp.where(known, kind, length[:, 0])))
