"""Training and measuring the biaxial network on piano rolls, for a given time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from piano_roll_data import LOWEST_KEY, Crop, KeyRange, Rolls, crop, random_crops
from piano_roll_weights import save_rolls

from clausula.errors import ClausulaError
from clausula.neural.biaxial import PLAY, BiaxialConfig, PianoRollBiaxial

TOGETHER = 8  # pieces measured side by side
STEPS = 64  # of each piece at once


@dataclass(frozen=True)
class RollTraining:
    """How the network is trained; kept in the weights' metadata."""

    minutes: float = 38.0  # wall clock, evaluations included
    batch: int = 2  # crops an update
    length: int = 32  # steps a crop: eight measures of four
    peak: float = 5e-3  # learning rate at the beginning
    floor: float = 0.02  # share of the peak at the end
    clip: float = 1.0  # global norm of the gradient
    dropout: float = 0.4  # share of the units that an update goes without; published: half
    evaluate_every: float = 6.0  # minutes between evaluations
    valid_frames: int = 8000  # frames of the validation split that choose the weights, at most
    margin: int = 0  # keys beyond the training split's range that are modelled
    seed: int = 0  # of weights, crops and dropout


def nats_of(model: PianoRollBiaxial, part: Crop) -> jax.Array:
    """Nats per valid frame of a crop, over the modelled keys."""
    log_p, _ = model(part.play, part.last, part.first_step)
    return -jnp.where(part.valid[..., None], log_p, 0.0).sum() / part.valid.sum()


def make_update(graph: nnx.GraphDef, transform: optax.GradientTransformation) -> Callable:
    """A compiled update; it returns parameters, other state, the optimiser's state and the loss."""

    @jax.jit
    def update(
        params: nnx.State, rest: nnx.State, moments: optax.OptState, rate: jax.Array, part: Crop
    ) -> tuple:
        def loss(params: nnx.State) -> tuple[jax.Array, nnx.State]:
            model = nnx.merge(graph, params, rest, copy=True)
            value = nats_of(model, part)
            return value, nnx.split(model, nnx.Param, ...)[2]

        (value, after), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        steps, moments = transform.update(gradient, moments)
        params = jax.tree.map(lambda p, step: p - rate * step, params, steps)
        return params, after, moments, value

    return update


@nnx.jit
def _part_nats(model: PianoRollBiaxial, part: Crop, states: tuple) -> tuple[jax.Array, tuple]:
    log_p, states = model(part.play, part.last, part.first_step, states)
    return -jnp.where(part.valid[..., None], log_p, 0.0).sum(), states


def nats_per_frame(model: PianoRollBiaxial, rolls: Sequence[np.ndarray], keys: KeyRange) -> float:
    """Nats per frame over whole rolls, all 88 keys.

    States along time are carried through each piece, however long.
    """
    model.eval()
    inside = sorted((keys.inside(roll) for roll in rolls), key=len)
    total = sum(keys.nats_outside(roll) for roll in rolls)
    blank = np.zeros((0, keys.count), np.uint8)
    for i in range(0, len(inside), TOGETHER):
        group = inside[i : i + TOGETHER]
        group += [blank] * (TOGETHER - len(group))
        states = tuple(layer.initial(TOGETHER * keys.count) for layer in model.body.time)
        for start in range(0, max(map(len, group)), STEPS):
            part = crop(group, [start] * TOGETHER, STEPS)
            nats, states = _part_nats(model, part, states)
            total += float(nats)
    model.train()
    return total / sum(map(len, rolls))


def first_frames(rolls: Sequence[np.ndarray], most: int) -> list[np.ndarray]:
    """Rolls in their order, each cut to its share of ``most`` frames in all."""
    share = min(1.0, most / sum(map(len, rolls)))
    return [roll[: max(1, round(len(roll) * share))] for roll in rolls]


class RollTrainer:
    """The network with its optimiser; the training split decides which keys it models."""

    def __init__(self, training: Sequence[np.ndarray], config: RollTraining) -> None:
        """Draw the network."""
        self.config = config
        self.keys = KeyRange.of(training, config.margin)
        inside = [self.keys.inside(roll) for roll in training]
        network = BiaxialConfig(
            lowest=LOWEST_KEY + self.keys.first, notes=self.keys.count, dropout=config.dropout
        )
        model = PianoRollBiaxial(network, nnx.Rngs(config.seed))
        # Silence is learnt before anything else, unless it stands in the bias from the start.
        share = float(np.concatenate(inside).mean())
        bias = model.body.out.bias
        bias.set_value(bias[...].at[PLAY].set(np.log(share / (1 - share))))
        self._graph, self._params, self._rest = nnx.split(model, nnx.Param, ...)
        transform = optax.chain(optax.clip_by_global_norm(config.clip), optax.scale_by_adam())
        self._moments = transform.init(self._params)
        self._update = make_update(self._graph, transform)
        rng = np.random.default_rng(config.seed)
        self._crops = random_crops(inside, size=config.batch, length=config.length, rng=rng)

    def step(self, spent: float) -> float:
        """One update, so many minutes after the first; the loss before it."""
        self._params, self._rest, self._moments, loss = self._update(
            self._params,
            self._rest,
            self._moments,
            falling_rate(self.config, spent),
            next(self._crops),
        )
        return float(loss)

    @property
    def model(self) -> PianoRollBiaxial:
        """The network as it stands."""
        return nnx.merge(self._graph, self._params, self._rest)


def fit(rolls: Rolls, config: RollTraining, out: Path, about: dict[str, str]) -> None:
    """Train on the training split; the validation split chooses the weights.

    Args:
        rolls: the data set.
        config: how to train.
        out: weights file; a log (``.jsonl``) is written beside it.
        about: recorded with the weights.

    Raises:
        ClausulaError: the loss is no longer a number.
    """
    trainer = RollTrainer(rolls.splits["train"], config)
    judges = first_frames(rolls.splits["valid"], config.valid_frames)
    out.parent.mkdir(parents=True, exist_ok=True)
    about = about | {"training": json.dumps(asdict(config))}
    began, spent, best, updates = time.perf_counter(), 0.0, np.inf, 0
    with out.with_suffix(".jsonl").open("w") as log:
        while spent < config.minutes:
            losses: list[float] = []
            pause = min(spent + config.evaluate_every, config.minutes)
            while not losses or spent < pause:
                losses.append(trainer.step(spent))
                spent = (time.perf_counter() - began) / 60
            updates += len(losses)
            train = float(np.mean(losses))
            valid = nats_per_frame(trainer.model, judges, trainer.keys)
            row = {"update": updates, "train": train, "valid": valid, "minutes": round(spent, 2)}
            if not np.isfinite(train + valid):
                raise ClausulaError(
                    f"training gives {train} nats a frame after update {updates}, validation "
                    f"{valid}; try a lower --peak than {config.peak}"
                )
            print(json.dumps(row), file=log, flush=True)
            print(json.dumps(row), flush=True)
            if valid < best:
                best = valid
                save_rolls(out, trainer.model, trainer.keys, about | {"best": json.dumps(row)})
            spent = (time.perf_counter() - began) / 60


def falling_rate(config: RollTraining, spent: float) -> jax.Array:
    """The learning rate after so many minutes: a half cosine from the peak to the floor."""
    fall = 0.5 * (1 + np.cos(np.pi * min(1.0, spent / config.minutes)))
    return jnp.float32(config.peak * (config.floor + (1 - config.floor) * fall))
