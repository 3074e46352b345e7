"""The network: tokens sum to one, the future is never seen, stepping equals reading whole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from clausula.grid import Meter
from clausula.neural.batches import crop, stack
from clausula.neural.features import AGES, Controls, Example, ages_of, controls_of
from clausula.neural.network import ORDER, ChoraleTransformer, NetworkConfig
from clausula.neural.stepping import transformer_proposal
from clausula.neural.train import log_probs
from clausula.neural.weights import load_weights, save_weights
from clausula.proposal import FrameSoFar, Past
from clausula.vocabulary import HOLD_TOKEN, N_GLOBAL, REST_TOKEN

SMALL = NetworkConfig(width=24, layers=2, heads=2, mlp=32, head_mlp=24, window=6)
FRAMES = 15  # more than two windows, so that the ring of cached frames wraps


def drawn_example(seed: int = 0) -> Example:
    rng = np.random.default_rng(seed)
    token = rng.integers(20, 40, (FRAMES, 4))
    token[rng.random(token.shape) < 0.4] = HOLD_TOKEN
    token[rng.random(token.shape) < 0.1] = REST_TOKEN
    token[0] = rng.integers(20, 40, 4)
    sounding = token.copy()
    for t in range(1, FRAMES):
        sounding[t] = np.where(token[t] == HOLD_TOKEN, sounding[t - 1], token[t])
    end = np.zeros(FRAMES, bool)
    end[6:8] = True
    controls = controls_of(np.arange(FRAMES) % 16, Meter(4, 4), end, 2, True)
    age = ages_of(token != HOLD_TOKEN)
    return Example(
        sounding.astype(np.int32), token.astype(np.int32), age.astype(np.int32), controls
    )


@pytest.fixture(scope="module")
def model():
    net = ChoraleTransformer(SMALL, nnx.Rngs(0))
    # Break the symmetric start, so that every path through the network matters.
    graph, params, rest = nnx.split(net, nnx.Param, ...)
    keys = iter(jax.random.split(jax.random.key(1), 200))
    params = jax.tree.map(lambda p: p + 0.2 * jax.random.normal(next(keys), p.shape), params)
    net = nnx.merge(graph, params, rest)
    net.eval()
    return net


def stepped(model, example: Example, slot_inputs=None) -> np.ndarray:
    """``[T, 4]`` log probabilities by slot through the proposal, two shuffled hypotheses."""
    proposal = transformer_proposal(model)
    state = proposal.init(proposal.params, example.controls, 2)
    both = lambda x: jnp.stack([x, x])  # noqa: E731
    last, age = jnp.zeros((2, 4), int), jnp.full((2, 4), AGES - 1)
    rows = []
    for t in range(len(example)):
        state = proposal.begin_frame(
            proposal.params, state, jnp.int32(t), Past(last, age, jnp.asarray([1, 0]))
        )
        frame = FrameSoFar(
            both(example.token[t]), both(example.sounding[t]), last, jnp.asarray([1, 0])
        )
        row = []
        for slot, voice in enumerate(ORDER):
            log_p = proposal.log_probs(proposal.params, state, slot, frame)
            np.testing.assert_allclose(jnp.exp(log_p).sum(-1), 1.0, rtol=1e-5)
            row.append(float(log_p[0, example.token[t, voice]]))
        rows.append(row)
        last, age = both(example.sounding[t]), both(example.age[t])
    return np.array(rows)


def test_stepping_equals_reading_whole(model):
    example = drawn_example()
    whole = log_probs(model, stack([crop(example, 0, FRAMES)]))[0]
    np.testing.assert_allclose(stepped(model, example), whole, atol=2e-4)


def test_the_future_is_never_seen(model):
    example = drawn_example()
    batch = stack([crop(example, 0, FRAMES)])
    changed = batch.token.copy(), batch.sounding.copy(), batch.previous.copy()
    for array in changed:
        array[:, 9:] = 30
    changed[2][:, :10] = batch.previous[:, :10]
    other = batch._replace(token=changed[0], sounding=changed[1], previous=changed[2])
    np.testing.assert_array_equal(log_probs(model, batch)[:, :9], log_probs(model, other)[:, :9])


@pytest.mark.parametrize("later", [1, 2, 3])
def test_a_voice_never_sees_those_after_it(model, later):
    example = drawn_example()
    batch = stack([crop(example, 0, FRAMES)])
    token, sounding = batch.token.copy(), batch.sounding.copy()
    for slot in range(later, 4):
        token[:, 4, ORDER[slot]] = 25
        sounding[:, 4, ORDER[slot]] = 25
    before = log_probs(model, batch)[0, 4, :later]
    after = log_probs(model, batch._replace(token=token, sounding=sounding))[0, 4, :later]
    np.testing.assert_array_equal(before, after)


def test_without_holds_no_probability_is_lost_on_them():
    net = ChoraleTransformer(NetworkConfig(**SMALL.to_dict() | {"holds": False}), nnx.Rngs(0))
    net.eval()
    x = jnp.zeros((1, SMALL.width))
    log_p = net.head(0, x, *(jnp.zeros((1, 4), int) for _ in range(3)), jnp.asarray([0]))
    assert log_p.shape == (1, N_GLOBAL)
    assert log_p[0, HOLD_TOKEN] == -jnp.inf
    np.testing.assert_allclose(jnp.exp(log_p).sum(), 1.0, rtol=1e-5)


def test_weights_come_back(model, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, model, {"data": "drawn"})
    loaded, metadata = load_weights(path)
    assert metadata["data"] == "drawn"
    batch = stack([crop(drawn_example(), 0, FRAMES)])
    np.testing.assert_allclose(log_probs(loaded, batch), log_probs(model, batch), atol=0.05)


def test_controls_are_named():
    assert isinstance(drawn_example().controls, Controls)
