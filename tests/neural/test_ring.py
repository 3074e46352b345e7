"""The ring of cached frames: rows that move, and hypotheses that keep their own past."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import drawn_example, drawn_network

from clausula.beam_rows import taken_over
from clausula.engine.choosing import settled
from clausula.neural.echo import Array
from clausula.neural.features import AGES
from clausula.neural.ring import Ring, attended, distances, stored
from clausula.neural.scoring import rows_stepwise
from clausula.neural.stepping import transformer_proposal
from clausula.proposal import FrameSoFar, Past
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN

ROWS, HEADS, WINDOW, WIDTH = 6, 2, 5, 3
ORDER = (0, 3, 1, 2)


def drawn_ring(rng):
    shape = (ROWS, HEADS, WINDOW, WIDTH)
    each = [jnp.asarray(rng.normal(size=shape), jnp.float32) for _ in range(4)]
    return Ring(tuple(each[:2]), tuple(each[2:]))


def drawn_parents(rng):
    """Parents as the search gives them: whoever is one keeps its row."""
    parent = rng.integers(0, ROWS, ROWS)
    return jnp.asarray(parent)[settled(jnp.asarray(parent))]


def gathered(ring: Ring, parent: Array) -> Ring:
    return jax.tree.map(lambda cached: cached[parent], ring)


@pytest.mark.parametrize("seed", range(10))
def test_rows_take_over_their_parents_pasts(seed):
    rng = np.random.default_rng(seed)
    ring, parent = drawn_ring(rng), drawn_parents(rng)
    after = taken_over(ring, parent - jnp.arange(ROWS))
    jax.tree.map(np.testing.assert_array_equal, after, gathered(ring, parent))


def test_several_pieces_are_each_alone():
    rng = np.random.default_rng(0)
    rings = [drawn_ring(rng) for _ in range(3)]
    parents = [drawn_parents(rng) for _ in range(3)]
    now = [jax.tree.map(lambda each: each[:, :, 0] + 1, ring) for ring in rings]
    query = jnp.asarray(rng.normal(size=(3, ROWS, HEADS, WIDTH)), jnp.float32)
    bias = jnp.asarray(rng.normal(size=(ROWS, HEADS, WINDOW)), jnp.float32)

    def step(ring, parent, now, query):
        ring = taken_over(ring, parent - jnp.arange(ROWS))
        cached = ring.keys[1], ring.values[1]
        seen = attended(cached, (query, now.keys[1], now.values[1]), bias, bias[:, :, 0])
        return stored(ring, now, jnp.int32(2)), seen

    together = [jax.tree.map(lambda *x: jnp.stack(x), *each) for each in (rings, now)]
    found = jax.vmap(step)(together[0], jnp.stack(parents), together[1], query)
    for piece in range(3):
        alone = step(rings[piece], parents[piece], now[piece], query[piece])
        own = jax.tree.map(lambda each, piece=piece: each[piece], found)
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5), own, alone)


def test_attention_is_that_of_the_definition():
    rng = np.random.default_rng(1)
    ring = drawn_ring(rng)
    query, key, value = (rng.normal(size=(ROWS, HEADS, WIDTH)) for _ in range(3))
    bias = rng.normal(size=(ROWS, HEADS, WINDOW))
    bias[..., 3] = -np.inf
    now = rng.normal(size=(ROWS, HEADS))
    keys, values = np.asarray(ring.keys[0]), np.asarray(ring.values[0])
    logits = np.einsum("nhe,nhwe->nhw", query, keys) + bias
    logits = np.concatenate([logits, ((query * key).sum(-1) + now)[..., None]], -1)
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = np.einsum("nhw,nhwe->nhe", weights[..., :-1], values) + weights[..., -1:] * value
    found = attended((keys, values), (query, key, value), bias, now)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_slots_know_how_far_back_they_lie():
    assert np.asarray(distances(jnp.int32(2), 5)).tolist() == [2, 1, 0, -1, -1]
    assert np.asarray(distances(jnp.int32(7), 5)).tolist() == [2, 1, 0, 4, 3]


@pytest.mark.slow
def test_hypotheses_that_take_over_others_pasts_are_proposed_what_their_own_past_asks():
    """Each row, at the end, is proposed what stepping through its whole history proposes."""
    frames = 24
    proposal = transformer_proposal(drawn_network())
    example = drawn_example()
    rng = np.random.default_rng(2)
    controls = jax.tree.map(lambda column: column[:frames], example.controls)
    state = proposal.init(proposal.params, controls, ROWS)
    begin = jax.jit(proposal.begin_frame)
    history = np.zeros((ROWS, 0, 4), int)
    sounding, age = np.full((ROWS, 4), REST_TOKEN), np.full((ROWS, 4), AGES - 1)
    parent = np.arange(ROWS)
    for time in range(frames):
        past = Past(jnp.asarray(sounding), jnp.asarray(age), jnp.asarray(parent))
        state = begin(proposal.params, state, time, past)
        parent = np.asarray(drawn_parents(rng) if rng.random() < 0.5 else np.arange(ROWS))
        notes = rng.integers(FIRST_PITCH, FIRST_PITCH + 30, (ROWS, 4))
        held = (rng.random((ROWS, 4)) < 0.4) & (sounding[parent] != REST_TOKEN)
        token = np.where(held, HOLD_TOKEN, notes)
        age = np.where(held, np.minimum(age[parent] + 1, AGES - 1), 0)
        last, sounding = sounding, np.where(held, sounding[parent], notes)
        history = np.concatenate([history[parent], token[:, None]], axis=1)
    own = [rows_stepwise(proposal, example_with(example, each))[-1] for each in history]
    log_probs = jax.jit(proposal.log_probs, static_argnums=2)
    for slot in range(4):
        chosen = np.isin(np.arange(4), ORDER[:slot])
        frame = FrameSoFar(
            jnp.asarray(np.where(chosen, token, 0)),
            jnp.asarray(np.where(chosen, sounding, 0)),
            jnp.asarray(last[parent]),
            jnp.asarray(parent),
        )
        rows = np.asarray(log_probs(proposal.params, state, slot, frame))
        for row in range(ROWS):
            np.testing.assert_allclose(rows[row], own[row][slot], atol=2e-4)


def example_with(example, token):
    """The example's controls with other notes."""
    sounding, age = np.zeros_like(token), np.zeros_like(token)
    heard, since = np.full(4, REST_TOKEN), np.full(4, AGES - 1)
    for time, row in enumerate(token):
        held = row == HOLD_TOKEN
        heard = np.where(held, heard, row)
        since = np.where(held, np.minimum(since + 1, AGES - 1), 0)
        sounding[time], age[time] = heard, since
    controls = jax.tree.map(lambda column: column[: len(token)], example.controls)
    return type(example)(
        sounding.astype(np.int32), token.astype(np.int32), age.astype(np.int32), controls, None
    )
