"""The network: tokens sum to one, the future is never seen, stepping equals reading whole."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import FRAMES, SMALL, drawn_example, drawn_network, pinned, planned
from flax import nnx

from clausula.neural.batches import Batch, crop, stack
from clausula.neural.echo import NO_TOKEN, Echo
from clausula.neural.network import ORDER, ChoraleTransformer
from clausula.neural.scoring import rows_stepwise
from clausula.neural.stepping import transformer_proposal
from clausula.neural.weights import load_weights, save_weights
from clausula.vocabulary import HOLD_TOKEN, N_GLOBAL

EXAMPLES = {
    "bare": drawn_example(),
    "pinned": pinned(drawn_example()),
    "planned": planned(drawn_example()),
    "both": planned(pinned(drawn_example())),
}


@pytest.fixture(scope="module")
def model():
    return drawn_network()


@pytest.fixture(scope="module")
def proposal(model):
    return transformer_proposal(model)


def whole(example) -> Batch:
    return stack([crop(example, 0, len(example))])


@nnx.jit
def _log_probs(model, batch):
    return model.log_probs(batch)


def log_probs(model, batch) -> np.ndarray:
    return np.asarray(_log_probs(model, batch))[0]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_stepping_equals_reading_whole(model, proposal, kind):
    example = EXAMPLES[kind]
    rows = rows_stepwise(proposal, example)
    np.testing.assert_allclose(np.exp(rows).sum(-1), 1.0, rtol=1e-5)
    chosen = np.take_along_axis(rows, example.token[:, ORDER, None], -1)[..., 0]
    np.testing.assert_allclose(chosen, log_probs(model, whole(example)), atol=1e-4)


def test_what_is_told_matters(model):
    bare = log_probs(model, whole(EXAMPLES["bare"]))
    for kind in ("pinned", "planned"):
        assert np.abs(log_probs(model, whole(EXAMPLES[kind])) - bare).max() > 0.01
    style = EXAMPLES["bare"].controls.style
    other = replace(EXAMPLES["bare"], controls=EXAMPLES["bare"].controls._replace(style=style + 1))
    assert np.abs(log_probs(model, whole(other)) - bare).max() > 0.01


def test_without_pins_the_network_is_as_if_it_could_not_hear_them(model):
    deaf = ChoraleTransformer(replace(model.config, pin_width=0), nnx.Rngs(0))
    params = nnx.state(model, nnx.Param)
    own = nnx.state(deaf, nnx.Param)
    nnx.update(deaf, nnx.State({name: params[name] for name in own}))
    deaf.eval()
    batch = whole(EXAMPLES["bare"])
    np.testing.assert_allclose(log_probs(model, batch), log_probs(deaf, batch), atol=1e-5)
    batch = whole(EXAMPLES["pinned"])
    assert np.abs(log_probs(model, batch) - log_probs(deaf, batch)).max() > 0.01


def notes_as_numbers(model, batch: Batch):
    """The log-probabilities as a function of what enters the blocks, ``[T, D] -> [T, K]``."""
    entered = model.embed(
        batch.previous, batch.previous_age, batch.begun, batch.controls, batch.echo, None
    )

    def of(x):
        for block in model.blocks:
            x = block(x)
        out = []
        for slot in range(4):
            rows = model.heads[slot](
                x, batch.token, batch.sounding, batch.previous, batch.controls.tonic, batch.echo
            )
            target = batch.token[..., ORDER[slot], None]
            out.append(jnp.take_along_axis(rows, target, -1)[..., 0])
        return jnp.stack(out, -1)[0]

    return of, entered


def test_the_gradient_from_later_frames_is_zero(model):
    deaf = drawn_network(replace(SMALL, pin_width=0))
    of, entered = notes_as_numbers(deaf, whole(EXAMPLES["bare"]))
    at = FRAMES // 2
    gradient = np.asarray(jax.grad(lambda x: of(x)[at].sum())(entered))[0]
    assert not gradient[at + 1 :].any()
    assert not gradient[: max(0, at + 1 - 2 * SMALL.window)].any()  # two blocks' windows
    assert np.abs(gradient[at - 3 : at + 1]).min(-1).max() > 0


@pytest.mark.parametrize("kind", ["bare", "planned"])
def test_the_future_is_never_seen(proposal, kind):
    example = EXAMPLES[kind]
    at = 45
    token, sounding = example.token.copy(), example.sounding.copy()
    token[at:] = sounding[at:] = 30
    changed = replace(example, token=token, sounding=sounding)
    before = rows_stepwise(proposal, example)[: at + 1, 0]
    after = rows_stepwise(proposal, changed)[: at + 1, 0]
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("later", [1, 2, 3])
def test_a_voice_never_sees_those_after_it(model, later):
    batch = whole(EXAMPLES["bare"])
    token, sounding = batch.token.copy(), batch.sounding.copy()
    for slot in range(later, 4):
        token[:, 4, ORDER[slot]] = 25
        sounding[:, 4, ORDER[slot]] = 25
    before = log_probs(model, batch)[4, :later]
    after = log_probs(model, batch._replace(token=token, sounding=sounding))[4, :later]
    np.testing.assert_array_equal(before, after)


def test_without_holds_no_probability_is_lost_on_them():
    net = ChoraleTransformer(replace(SMALL, holds=False), nnx.Rngs(0))
    net.eval()
    nothing = jnp.full((1, 2, 4), NO_TOKEN)
    notes = [jnp.zeros((1, 4), int)] * 3
    log_p = net.heads[0](
        jnp.zeros((1, SMALL.width)), *notes, jnp.asarray([0]), Echo(nothing, nothing * 0)
    )
    assert log_p.shape == (1, N_GLOBAL)
    assert log_p[0, HOLD_TOKEN] == -jnp.inf
    np.testing.assert_allclose(jnp.exp(log_p).sum(), 1.0, rtol=1e-5)


def test_weights_come_back(model, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, model, {"data": "drawn"})
    loaded, metadata = load_weights(path)
    assert metadata["data"] == "drawn"
    assert tuple(json.loads(metadata["config"])["styles"]) == SMALL.styles
    batch = whole(EXAMPLES["both"])
    np.testing.assert_allclose(log_probs(loaded, batch), log_probs(model, batch), atol=0.1)


def test_a_search_of_another_length_is_traced_once():
    traces = []
    model = drawn_network()
    proposal = transformer_proposal(model)

    @jax.jit
    def scored(controls, time):
        traces.append(1)
        state = proposal.init(proposal.params, controls, 2)
        return state.h.sum() + time

    for seed in (1, 2):
        scored(drawn_example(seed).controls, jnp.int32(seed))
    assert len(traces) == 1
