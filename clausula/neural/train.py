"""Training: optax on random crops, a JSONL log, a progress bar and a picture of the loss."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from clausula.errors import ClausulaError
from clausula.neural.batches import Batch, crop, stack, training_batches
from clausula.neural.features import Example
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.weights import load_weights, save_weights

EVALUATION_BUCKET = 64  # pieces are padded to a multiple of this many frames


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; kept in the weights' metadata."""

    steps: int = 3000  # optimiser updates
    batch: int = 8  # crops an update
    length: int = 256  # frames a crop
    peak: float = 1.5e-3  # highest learning rate, reached after the warm-up
    warmup: int = 150  # updates
    weight_decay: float = 0.05  # on matrices
    clip: float = 1.0  # global norm of the gradient
    evaluate_every: int = 250  # updates between evaluations
    seed: int = 0  # of weights, crops and dropout


def log_probs(model: ChoraleTransformer, batch: Batch) -> jax.Array:
    """``[B, T, K]`` log-probability of each token of the batch."""
    return model(
        batch.token, batch.sounding, batch.previous, batch.previous_age, batch.begun, batch.controls
    )


def loss_of(model: ChoraleTransformer, batch: Batch) -> jax.Array:
    """Nats per frame over the batch's valid frames."""
    frame = -log_probs(model, batch).sum(-1)
    return jnp.where(batch.valid, frame, 0.0).sum() / batch.valid.sum()


@nnx.jit
def update(model: ChoraleTransformer, optimizer: nnx.Optimizer, batch: Batch) -> jax.Array:
    """One optimiser update in place; returns the loss before it."""
    loss, gradient = nnx.value_and_grad(loss_of)(model, batch)
    optimizer.update(model, gradient)
    return loss


@nnx.jit
def _summed_nats(model: ChoraleTransformer, batch: Batch) -> jax.Array:
    return jnp.where(batch.valid[..., None], -log_probs(model, batch), 0.0).sum((0, 1))


def nats_by_voice(model: ChoraleTransformer, examples: Sequence[Example]) -> np.ndarray:
    """Nats per frame of each voice in search order, ``[4]``, over whole pieces.

    Every frame counts, the first included; there is no end token. The sum of the four is the
    nats per frame of the published protocol.
    """
    model.eval()
    by_length: dict[int, list[Example]] = {}
    for example in examples:
        by_length.setdefault(-(-len(example) // EVALUATION_BUCKET), []).append(example)
    total = np.zeros(4)
    for blocks, group in sorted(by_length.items()):
        for i in range(0, len(group), 8):
            crops = [crop(e, 0, blocks * EVALUATION_BUCKET) for e in group[i : i + 8]]
            blank = crops[0]._replace(valid=np.zeros_like(crops[0].valid))
            crops += [blank] * (8 - len(crops))
            total += np.asarray(_summed_nats(model, stack(crops)), float)
    model.train()
    return total / sum(len(e) for e in examples)


def make_optimizer(model: ChoraleTransformer, config: TrainConfig) -> nnx.Optimizer:
    """AdamW with warm-up and a cosine to zero; vectors and biases do not decay."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, config.peak, config.warmup, config.steps)
    chain = optax.chain(
        optax.clip_by_global_norm(config.clip),
        optax.adamw(
            schedule,
            b2=0.98,
            weight_decay=config.weight_decay,
            mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
        ),
    )
    return nnx.Optimizer(model, chain, wrt=nnx.Param)


def train(
    training: Sequence[Example],
    validation: Sequence[Example],
    *,
    network: NetworkConfig,
    config: TrainConfig,
    out: Path,
    metadata: dict[str, str],
) -> ChoraleTransformer:
    """Train a network and keep the weights that validate best.

    Args:
        training: pieces to learn from.
        validation: pieces that choose the weights; never learnt from.
        network: its size.
        config: how it is trained.
        out: the weights file to write (``.safetensors``); a log (``.jsonl``) and a picture of the
            loss (``.png``) are written beside it.
        metadata: recorded with the weights: data digest, command.

    Returns:
        The network with the best weights, as they were written (float16).

    Raises:
        ClausulaError: the loss is no longer a number.
    """
    model = ChoraleTransformer(network, nnx.Rngs(config.seed))
    optimizer = make_optimizer(model, config)
    batches = training_batches(
        training,
        size=config.batch,
        length=config.length,
        rng=np.random.default_rng(config.seed),
    )
    log_path = out.with_suffix(".jsonl")
    out.parent.mkdir(parents=True, exist_ok=True)
    began, best, rows, losses = time.perf_counter(), np.inf, [], []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress, log_path.open("w") as log:
        bar = progress.add_task("training", total=config.steps)
        for step in range(1, config.steps + 1):
            losses.append(update(model, optimizer, next(batches)))
            progress.advance(bar)
            if step % config.evaluate_every and step != config.steps:
                continue
            train_loss = float(np.mean([float(x) for x in losses]))
            losses = []
            if not np.isfinite(train_loss):
                raise ClausulaError(
                    f"the loss is {train_loss} after step {step}; try a lower --peak than "
                    f"{config.peak}"
                )
            by_voice = nats_by_voice(model, validation)
            valid = float(by_voice.sum())
            if not np.isfinite(valid):
                raise ClausulaError(f"validation gives {valid} nats a frame after step {step}")
            row = {
                "step": step,
                "train": train_loss,
                "valid": valid,
                "by_voice": [round(float(x), 4) for x in by_voice],
                "seconds": round(time.perf_counter() - began, 1),
            }
            rows.append(row)
            log.write(json.dumps(row) + "\n")
            log.flush()
            progress.update(bar, description=f"train {train_loss:.3f} valid {valid:.3f}")
            if valid < best:
                best = valid
                save_weights(out, model, metadata | _record(config, row, len(training)))
    plot_losses(rows, out.with_suffix(".png"))
    return load_weights(out)[0]


def _record(config: TrainConfig, row: dict, pieces: int) -> dict[str, str]:
    """What the weights' metadata say about their training."""
    return {
        "training": json.dumps(asdict(config)),
        "best": json.dumps(row),
        "pieces": str(pieces),
        "device": f"{jax.devices()[0].platform}, {platform.machine()}",
        "jax": jax.__version__,
    }


def plot_losses(rows: Sequence[dict], path: Path) -> None:
    """Draw training and validation nats per frame against updates."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    steps = [row["step"] for row in rows]
    axes.plot(steps, [row["train"] for row in rows], label="training (with dropout)")
    axes.plot(steps, [row["valid"] for row in rows], label="validation")
    axes.set_xlabel("updates")
    axes.set_ylabel("nats per frame")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
