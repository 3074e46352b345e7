"""Training: stopped and resumed, or spread over devices, it is the same."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from drawn import SMALL, drawn_example
from flax import nnx
from network_cases import drawn_network

from clausula.errors import ClausulaError, InputError
from clausula.neural import train as training
from clausula.neural.batches import crop, stack
from clausula.neural.charrnn import CharacterConfig, CharacterLSTM
from clausula.neural.network import ChoraleTransformer
from clausula.neural.train import TrainConfig, loss_of, nats_by_voice, train
from clausula.neural.weights import adopt, load_weights

HERE = Path(__file__).parent
# One loop trains every network; this one is compiled in a fraction of the transformer's time.
NETWORK = CharacterConfig(width=24, layers=1, dropout=0.2)
CONFIG = TrainConfig(
    steps=12, batch=4, length=16, warmup=2, evaluate_every=3, patience=0, average=0.9
)


def fit(out: Path, config: TrainConfig = CONFIG, **options):
    """Train a small network on drawn notes; the rows of its log."""
    train(
        CharacterLSTM(NETWORK, nnx.Rngs(config.seed)),
        [drawn_example(i) for i in range(4)],
        [drawn_example(9)],
        config=config,
        out=out,
        metadata={"data": "drawn"},
        **options,
    )
    return rows_of(out)


def rows_of(out: Path) -> list[dict]:
    """The log beside the weights, but for the seconds."""
    lines = out.with_suffix(".jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("train") / "w.safetensors"
    return out, fit(out)


def test_training_learns_and_keeps_the_best(undisturbed):
    out, rows = undisturbed
    assert [row["step"] for row in rows] == [3, 6, 9, 12]
    assert rows[-1]["valid"] < rows[0]["valid"]
    model, metadata = load_weights(out)
    best = min(row["valid"] for row in rows)
    assert json.loads(metadata["best"])["valid"] == best
    # Weights are kept as float16.
    assert nats_by_voice(model, [drawn_example(9)]).sum() == pytest.approx(best, abs=2e-3)
    assert json.loads(metadata["training"])["steps"] == CONFIG.steps
    assert out.with_suffix(".png").stat().st_size > 1000
    assert not out.with_suffix(".checkpoint").exists()


def test_a_killed_training_goes_on_as_it_would_have(undisturbed, tmp_path):
    out = tmp_path / "w.safetensors"
    child = subprocess.Popen([sys.executable, HERE / "training_process.py", out, "slowly"])
    checkpoint = out.with_suffix(".checkpoint")
    limit = time.monotonic() + 240
    while not list(checkpoint.glob("step-*/facts.json")):
        assert child.poll() is None, "the training ended before its first checkpoint"
        assert time.monotonic() < limit
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(rows_of(out)) < 4
    assert fit(out, resume=True) == undisturbed[1]


def test_resuming_needs_the_same_training(tmp_path):
    out = tmp_path / "w.safetensors"
    with pytest.raises(InputError, match="train without --resume"):
        fit(out, resume=True)


def test_another_training_is_not_resumed(tmp_path, monkeypatch):
    out = tmp_path / "w.safetensors"
    monkeypatch.setattr(training.Checkpoints, "remove", lambda self: None)
    fit(out, replace(CONFIG, evaluate_every=6))
    with pytest.raises(InputError, match="another peak"):
        fit(out, replace(CONFIG, evaluate_every=6, peak=1.0), resume=True)


def test_half_precision_learns_as_well(undisturbed, tmp_path):
    rows = fit(tmp_path / "w.safetensors", replace(CONFIG, half=True))
    for row, whole in zip(rows, undisturbed[1], strict=True):
        assert row["valid"] == pytest.approx(whole["valid"], rel=5e-3)
    assert rows[-1] != undisturbed[1][-1]


def test_the_transformer_in_half_precision_is_nearly_the_whole():
    """Its loss, and that its gradient (of rules of its own) comes back in the weights' types."""
    config = replace(SMALL, dropout=0.0, field_dropout=0.0)
    model = drawn_network(lambda: ChoraleTransformer(config, nnx.Rngs(0)))
    batch = stack([crop(drawn_example(i), 0, 16) for i in range(2)])
    half = float(nnx.jit(training._half_loss_of)(model, batch))
    assert half == pytest.approx(float(nnx.jit(loss_of)(model, batch)), rel=5e-3)
    gradient = nnx.eval_shape(nnx.grad(training._half_loss_of), model, batch)
    shapes = jax.tree.map(lambda x: (x.shape, x.dtype), nnx.state(model, nnx.Param))
    assert jax.tree.map(lambda x: (x.shape, x.dtype), gradient) == shapes


def test_a_network_adopts_the_weights_of_another(undisturbed):
    began, _ = load_weights(undisturbed[0])
    again = CharacterLSTM(NETWORK, nnx.Rngs(5))
    adopt(again, began)
    assert nats_by_voice(again, [drawn_example(9)]).sum() == pytest.approx(
        nats_by_voice(began, [drawn_example(9)]).sum()
    )


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    with pytest.raises(ClausulaError, match="try a lower --peak"):
        fit(tmp_path / "w.safetensors", replace(CONFIG, peak=1e30, warmup=0, clip=1e30))


def test_training_stops_when_nothing_gets_better(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "nats_by_voice", lambda *_: np.ones(4))
    rows = fit(tmp_path / "w.safetensors", replace(CONFIG, patience=1))
    assert [row["step"] for row in rows] == [3, 6]


def run_apart(out: Path, devices: int, *place: str) -> subprocess.Popen:
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, str(HERE / "training_process.py"), str(out), *place]
    return subprocess.Popen(command, env=environment)


def assert_same_curve(rows: list[dict], others: list[dict]) -> None:
    for row, other in zip(rows, others, strict=True):
        assert row["step"] == other["step"]
        assert row["train"] == pytest.approx(other["train"], abs=1e-4)
        assert row["valid"] == pytest.approx(other["valid"], abs=1e-4)


def test_four_devices_give_the_same_numbers(undisturbed, tmp_path):
    out = tmp_path / "w.safetensors"
    assert run_apart(out, devices=4).wait(timeout=300) == 0
    assert_same_curve(undisturbed[1], rows_of(out))


def test_two_processes_give_the_same_numbers(undisturbed, tmp_path):
    with socket.create_server(("localhost", 0)) as free:
        coordinator = f"localhost:{free.getsockname()[1]}"
    out = tmp_path / "w.safetensors"
    started = [run_apart(out, 1, coordinator, "2", str(index)) for index in range(2)]
    assert [process.wait(timeout=300) for process in started] == [0, 0]
    assert_same_curve(undisturbed[1], rows_of(out))


def test_a_batch_that_does_not_divide_is_refused(monkeypatch):
    monkeypatch.setattr(training.jax, "devices", lambda: [None] * 3)
    with pytest.raises(InputError, match="try --batch 6"):
        training.Trainer(None, CONFIG)
