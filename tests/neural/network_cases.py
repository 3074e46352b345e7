"""What the recurrent networks are tested on: drawn pieces, and the contract walked by hand."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clausula.grid import SEARCH_ORDER, Meter
from clausula.neural.batches import Batch, crop, stack
from clausula.neural.echo import echo_of
from clausula.neural.features import AGES, Example, ages_of, controls_of
from clausula.proposal import FrameSoFar, Past, Proposal
from clausula.vocabulary import HOLD_TOKEN, REST_TOKEN

FRAMES = 12


def drawn_example(seed: int, *, holds: bool = True) -> Example:
    """Notes at random: rests, holds, unisons and crossings; the same controls for every seed."""
    rng = np.random.default_rng(seed)
    token = np.sort(rng.integers(8, 48, (FRAMES, 4)), axis=1)[:, ::-1].copy()
    token[rng.random(FRAMES) < 0.2] = rng.integers(20, 40, 4)
    token[rng.random(token.shape) < 0.1] = REST_TOKEN
    if holds:
        token[1:][rng.random((FRAMES - 1, 4)) < 0.4] = HOLD_TOKEN
    sounding = token.copy()
    for t in range(1, FRAMES):
        sounding[t] = np.where(token[t] == HOLD_TOKEN, sounding[t - 1], token[t])
    # The hold of a silence is no token of a grid.
    token = np.where(sounding == REST_TOKEN, REST_TOKEN, token).astype(np.int32)
    starts = np.ones(token.shape, bool)
    starts[1:] = token[1:] != HOLD_TOKEN if holds else sounding[1:] != sounding[:-1]
    end = np.zeros(FRAMES, bool)
    end[6:8] = True
    controls = controls_of(np.arange(FRAMES) % 16, Meter(4, 4), end, 2, True)
    age = ages_of(starts | (sounding == REST_TOKEN)).astype(np.int32)
    sounding = sounding.astype(np.int32)
    return Example(sounding, token, age, controls, echo_of(sounding, token))


def batch_of(examples: list[Example], start: int = 0) -> Batch:
    """Whole pieces, or what follows their first frames."""
    return stack([crop(example, start, FRAMES - start) for example in examples])


@nnx.jit
def log_probs(model: nnx.Module, batch: Batch) -> jax.Array:
    """``[B, T, K]`` log-probability of every token."""
    return model.log_probs(batch)


def drawn_network(build: Callable[[], nnx.Module]) -> nnx.Module:
    """The network with every parameter drawn, so that every path through it matters.

    Args:
        build: makes it, without dropout.
    """
    model = nnx.eval_shape(build)
    rng = np.random.default_rng(0)
    for _, param in nnx.to_flat_state(nnx.state(model, nnx.Param)):
        param.set_value(jnp.asarray(rng.normal(0, 0.3, param.shape), jnp.float32))
    model.eval()
    return model


def stepped(proposal: Proposal, examples: list[Example]) -> np.ndarray:
    """``[piece, T, K]`` log-probability of every token, the pieces changing rows in every frame."""
    begin, log_probs = jax.jit(proposal.begin_frame), jax.jit(proposal.log_probs, static_argnums=2)
    pieces = len(examples)
    sounding, token, age = (
        np.stack([getattr(example, name) for example in examples])
        for name in ("sounding", "token", "age")
    )
    state = proposal.init(proposal.params, examples[0].controls, pieces)
    out = np.zeros(token.shape)
    before = np.arange(pieces)
    for t in range(FRAMES):
        order = np.roll(np.arange(pieces), t)
        last = sounding[order, t - 1] if t else np.full((pieces, 4), REST_TOKEN)
        last_age = age[order, t - 1] if t else np.full((pieces, 4), AGES - 1)
        parent = np.array([list(before).index(piece) for piece in order])
        past = Past(jnp.asarray(last), jnp.asarray(last_age), jnp.asarray(parent))
        state = begin(proposal.params, state, jnp.int32(t), past)
        row = np.roll(np.arange(pieces), 1)
        within = order[row]
        frame = FrameSoFar(
            *(jnp.asarray(x) for x in (token[within, t], sounding[within, t], last[row], row))
        )
        for slot, voice in enumerate(SEARCH_ORDER):
            rows = np.asarray(log_probs(proposal.params, state, slot, frame))
            out[within, t, slot] = rows[np.arange(pieces), token[within, t, voice]]
        before = order
    return out
