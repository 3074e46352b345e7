"""Training: optax on random crops, averaged weights, resumable by orbax, parallel over a mesh.

One loop trains every network: a module with a frozen ``config`` and ``log_probs(batch)``, the
log-probability ``[B, T, K]`` of each token of a batch in search order.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from clausula.errors import ClausulaError, InputError
from clausula.grid import SEARCH_ORDER
from clausula.neural.batches import Batch, crop, stack, training_batches
from clausula.neural.checkpoints import Checkpoints, Position
from clausula.neural.features import Example
from clausula.neural.losses import plot_losses
from clausula.neural.pinning import Change
from clausula.neural.weights import load_weights, save_weights

Network = Any  # an nnx.Module with ``config`` and ``log_probs(batch)``
EVALUATION_BUCKET = 64  # pieces are padded to a multiple of this many frames


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; kept in the weights' metadata."""

    steps: int = 2000  # optimiser updates
    batch: int = 16  # crops an update
    length: int = 128  # frames a crop
    peak: float = 1.5e-3  # highest learning rate, reached after the warm-up
    floor: float = 0.05  # share of the peak that the cosine ends at
    warmup: int = 150  # updates
    weight_decay: float = 0.1  # on matrices
    clip: float = 1.0  # global norm of the gradient
    average: float = 0.995  # decay of the averaged weights, which are the ones kept
    evaluate_every: int = 100  # updates between evaluations
    patience: int = 5  # evaluations without a better one before training stops; 0: never
    half: bool | None = None  # compute in bfloat16; None: where the device is no CPU
    seed: int = 0  # of weights, crops and dropout


def loss_of(model: Network, batch: Batch) -> jax.Array:
    """Nats per frame over the batch's valid frames; tokens that are given cost nothing."""
    return _nats(model, batch).sum() / batch.valid.sum()


def _nats(model: Network, batch: Batch) -> jax.Array:
    """``[B, T, K]`` nats of each token that counts."""
    return jnp.where(batch.counted[..., np.array(SEARCH_ORDER)], -model.log_probs(batch), 0.0)


def _half_loss_of(model: Network, batch: Batch) -> jax.Array:
    """The same in bfloat16; the weights that are trained stay float32."""
    graph, params, rest = nnx.split(model, nnx.Param, ...)  # type: ignore[misc]
    copy = nnx.merge(graph, jax.tree.map(lambda p: p.astype(jnp.bfloat16), params), rest, copy=True)
    loss = loss_of(copy, batch).astype(jnp.float32)
    nnx.update(model, nnx.state(copy, nnx.RngState))
    return loss


@nnx.jit(static_argnames=("half",))
def update(
    model: Network,
    optimizer: nnx.Optimizer,
    average: nnx.State,
    batch: Batch,
    decay: jax.typing.ArrayLike,
    *,
    half: bool = False,
) -> tuple[jax.Array, nnx.State]:
    """One optimiser update in place; returns the loss before it and the new averaged weights."""
    loss, gradient = nnx.value_and_grad(_half_loss_of if half else loss_of)(model, batch)
    optimizer.update(model, gradient)
    params = nnx.state(model, nnx.Param)
    return loss, jax.tree.map(lambda a, p: decay * a + (1 - decay) * p, average, params)


@nnx.jit
def _summed_nats(model: Network, batch: Batch) -> jax.Array:
    return _nats(model, batch).sum((0, 1))


def nats_by_voice(model: Network, examples: Sequence[Example]) -> np.ndarray:
    """Nats per frame of each voice in search order, ``[4]``, over whole pieces.

    Every frame counts, the first included; there is no end token. The sum of the four is the
    nats per frame of the published protocol. Tokens that pins leave no choice cost nothing.
    """
    model.eval()
    by_length: dict[int, list[Example]] = {}
    for example in examples:
        by_length.setdefault(-(-len(example) // EVALUATION_BUCKET), []).append(example)
    total = np.zeros(4)
    for blocks, group in sorted(by_length.items()):
        for i in range(0, len(group), 8):
            crops = [crop(e, 0, blocks * EVALUATION_BUCKET) for e in group[i : i + 8]]
            blank = crops[0]._replace(counted=np.zeros_like(crops[0].counted))
            crops += [blank] * (8 - len(crops))
            total += np.asarray(_summed_nats(model, stack(crops)), float)
    model.train()
    return total / sum(len(e) for e in examples)


def make_optimizer(model: Network, config: TrainConfig) -> nnx.Optimizer:
    """AdamW with warm-up and a cosine; vectors and biases do not decay.

    Args:
        model: the network.
        config: of the training.
    """
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, config.peak, config.warmup, config.steps, config.floor * config.peak
    )
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


class Trainer:
    """A network, its optimiser and its averaged weights, replicated over the devices."""

    def __init__(self, model: Network, config: TrainConfig) -> None:
        """Replicate the model and make its optimiser.

        Raises:
            InputError: the crops of an update do not divide among the devices.
        """
        devices = jax.devices()
        if config.batch % len(devices):
            raise InputError(
                f"a batch of {config.batch} crops does not divide among {len(devices)} devices; "
                f"try --batch {-(-config.batch // len(devices)) * len(devices)}"
            )
        mesh = Mesh(np.array(devices), ("data",))
        self._split = NamedSharding(mesh, PartitionSpec("data"))
        self._whole = NamedSharding(mesh, PartitionSpec())
        self.config = config
        self.half = devices[0].platform != "cpu" if config.half is None else config.half
        self.model = model
        self.optimizer = make_optimizer(model, config)
        nnx.update(model, self.replicated(nnx.state(model)))
        nnx.update(self.optimizer, self.replicated(nnx.state(self.optimizer)))
        self.average = jax.tree.map(jnp.copy, nnx.state(model, nnx.Param))

    def replicated(self, tree: nnx.State) -> nnx.State:
        """A copy of every array on every device of every process; all of them hold the same."""

        def spread(x: jax.Array) -> jax.Array:
            if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key):
                return jax.random.wrap_key_data(spread(jax.random.key_data(x)))
            host = np.asarray(x)
            return jax.make_array_from_callback(host.shape, self._whole, lambda i: host[i])

        return jax.tree.map(spread, tree)

    def step(self, batch: Batch, done: int) -> jax.Array:
        """One update, the crops shared out among the devices; the loss before it."""
        spread = jax.tree.map(
            lambda x: jax.make_array_from_callback(x.shape, self._split, lambda i: x[i]), batch
        )
        # Early on the average follows closely, or it would remember the random beginning.
        decay = min(self.config.average, (1 + done) / (10 + done))
        loss, self.average = update(
            self.model,
            self.optimizer,
            self.average,
            spread,
            np.float32(decay),
            half=self.half,
        )
        return loss

    def averaged(self) -> Network:
        """A copy of the network that bears the averaged weights."""
        graph, _, rest = nnx.split(self.model, nnx.Param, ...)  # type: ignore[misc]
        return nnx.merge(graph, self.average, jax.tree.map(jnp.copy, rest))


def train(
    model: Network,
    training: Sequence[Example],
    validation: Sequence[Example],
    *,
    config: TrainConfig,
    out: Path,
    metadata: dict[str, str],
    resume: bool = False,
    weights: np.ndarray | None = None,
    change: Change | None = None,
    watched: Sequence[Example] = (),
) -> Network:
    """Train a network and keep the averaged weights that validate best.

    Args:
        model: the network, as initialised.
        training: pieces to learn from.
        validation: pieces that choose the weights; never learnt from.
        config: how it is trained.
        out: the weights file to write (``.safetensors``); a log (``.jsonl``) and a picture of the
            loss (``.png``) are written beside it, and while training runs a folder
            (``.checkpoint``) to resume from.
        metadata: recorded with the weights: data digest, command.
        resume: go on from where a run that was stopped left off, exactly as it would have gone.
        weights: how often each piece is drawn; in proportion to its length if left out.
        change: made to a piece each time that it is drawn, such as random pins.
        watched: more pieces whose nats per frame are logged (``watched``); they choose nothing.

    Returns:
        The network with the best weights, as they were written (float16).

    Raises:
        ClausulaError: the loss is no longer a number, or the stopped run was another one.
    """
    trainer = Trainer(model, config)
    rng = np.random.default_rng(config.seed)
    batches = training_batches(
        training,
        size=config.batch,
        length=config.length,
        rng=rng,
        weights=weights,
        change=change,
    )
    checkpoints = Checkpoints(out.with_suffix(".checkpoint"), asdict(config))
    out.parent.mkdir(parents=True, exist_ok=True)
    position = Position.start()
    if resume:
        position = checkpoints.restore(trainer, rng)
    began = time.perf_counter() - position.seconds
    losses: list[jax.Array] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("training", total=config.steps, completed=position.step)
        for step in range(position.step + 1, config.steps + 1):
            losses.append(trainer.step(next(batches), step))
            progress.advance(bar)
            if step % config.evaluate_every and step != config.steps:
                continue
            row = _evaluated(trainer, losses, validation, step)
            if watched:
                row["watched"] = float(nats_by_voice(trainer.averaged(), watched).sum())
            row["seconds"] = round(time.perf_counter() - began, 1)
            losses = []
            progress.update(bar, description=f"train {row['train']:.3f} valid {row['valid']:.3f}")
            better = row["valid"] < position.best
            position = position.advanced(step, row)
            if jax.process_index() == 0:
                if better:
                    record = _record(config, row, len(training))
                    save_weights(out, trainer.averaged(), metadata | record)
                write_log(out.with_suffix(".jsonl"), position.rows)
            if config.patience and position.since_best >= config.patience:
                break
            checkpoints.save(trainer, rng, position)
    if jax.process_index() == 0:
        plot_losses(position.rows, out.with_suffix(".png"))
        checkpoints.remove()
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("weights written")
    return load_weights(out)[0]


def _evaluated(
    trainer: Trainer, losses: Sequence[jax.Array], validation: Sequence[Example], step: int
) -> dict:
    """A row of the log: mean loss since the last one and nats per frame of the validation."""
    mean = float(np.mean([float(x) for x in losses]))
    if not np.isfinite(mean):
        raise ClausulaError(
            f"the loss is {mean} by update {step}; try a lower --peak than {trainer.config.peak}"
        )
    by_voice = nats_by_voice(trainer.averaged(), validation)
    valid = float(by_voice.sum())
    if not np.isfinite(valid):
        raise ClausulaError(f"validation gives {valid} nats a frame after update {step}")
    return {
        "step": step,
        "train": mean,
        "valid": valid,
        "by_voice": [round(float(x), 4) for x in by_voice],
    }


def write_log(path: Path, rows: Sequence[dict]) -> None:
    """The rows so far, one JSON object a line; a resumed run writes what the whole one would."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in rows))
    temporary.replace(path)


def _record(config: TrainConfig, row: dict, pieces: int) -> dict[str, str]:
    """What the weights' metadata say about their training."""
    return {
        "training": json.dumps(asdict(config)),
        "best": json.dumps(row),
        "pieces": str(pieces),
        "device": f"{jax.device_count()} x {jax.devices()[0].device_kind}, {platform.machine()}",
        "jax": jax.__version__,
    }
