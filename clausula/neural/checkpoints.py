"""Checkpoints of a training that may be stopped at any moment, by orbax."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax import nnx

from clausula.errors import InputError

if TYPE_CHECKING:
    from clausula.neural.train import Trainer


@dataclass(frozen=True)
class Position:
    """How far a training is.

    Attributes:
        step: updates done.
        best: lowest validation so far, nats per frame.
        since_best: evaluations since then.
        rows: of the log.
    """

    step: int
    best: float
    since_best: int
    rows: tuple[dict, ...]

    @classmethod
    def start(cls) -> Position:
        """Before the first update."""
        return cls(0, float("inf"), 0, ())

    @property
    def seconds(self) -> float:
        """Time spent so far."""
        return self.rows[-1]["seconds"] if self.rows else 0.0

    def advanced(self, step: int, row: dict) -> Position:
        """After one more evaluation."""
        better = row["valid"] < self.best
        return replace(
            self,
            step=step,
            best=min(self.best, row["valid"]),
            since_best=0 if better else self.since_best + 1,
            rows=(*self.rows, row),
        )


class Checkpoints:
    """The last checkpoint of one training, in one folder."""

    def __init__(self, folder: Path, config: dict) -> None:
        """Nothing is written yet.

        Args:
            folder: where checkpoints go, ``step-N`` each.
            config: of the training; another one cannot resume from here.
        """
        self.folder = folder.absolute()
        self.config = config

    def save(self, trainer: Trainer, rng: np.random.Generator, position: Position) -> None:
        """Keep everything that the next update depends on; older checkpoints go."""
        target = self.folder / f"step-{position.step}"
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(target / "arrays", _arrays(trainer), force=True)
        if jax.process_index():
            return
        facts = {
            "config": self.config,
            "position": asdict(position),
            "rng": rng.bit_generator.state,
        }
        # Orbax moves its folder into place when it is whole; this file says that both are.
        partial = target / "facts.part"
        partial.write_text(json.dumps(facts))
        partial.replace(target / "facts.json")
        for other in self.folder.glob("step-*"):
            if other != target:
                shutil.rmtree(other)

    def restore(self, trainer: Trainer, rng: np.random.Generator) -> Position:
        """Put everything back as it was at the last checkpoint.

        Raises:
            InputError: there is none, or it is of a training with other settings.
        """
        whole = sorted(self.folder.glob("step-*/facts.json"), key=_step)
        if not whole:
            raise InputError(f"no checkpoint in {self.folder}; train without --resume")
        facts = json.loads(whole[-1].read_text())
        if facts["config"] != self.config:
            changed = [k for k in self.config if facts["config"].get(k) != self.config[k]]
            raise InputError(
                f"{self.folder} was trained with another {', '.join(changed)}; resume with the "
                "same options, or train without --resume"
            )
        with ocp.StandardCheckpointer() as checkpointer:
            template = jax.tree.map(_shape, _arrays(trainer))
            _put_back(trainer, checkpointer.restore(whole[-1].parent / "arrays", template))
        rng.bit_generator.state = facts["rng"]
        kept = facts["position"]
        return Position(kept["step"], kept["best"], kept["since_best"], tuple(kept["rows"]))

    def remove(self) -> None:
        """Delete the folder: the training is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _step(facts: Path) -> int:
    return int(facts.parent.name.removeprefix("step-"))


def _shape(x: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding)


def _bare(x: jax.Array) -> jax.Array:
    """Random keys as the integers they are."""
    return jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x


def _arrays(trainer: Trainer) -> dict:
    """Every array of a trainer as nested dictionaries."""
    return {
        "model": jax.tree.map(_bare, nnx.to_pure_dict(nnx.state(trainer.model))),
        "optimizer": jax.tree.map(_bare, nnx.to_pure_dict(nnx.state(trainer.optimizer))),
        "average": nnx.to_pure_dict(trainer.average),
    }


def _put_back(trainer: Trainer, arrays: dict) -> None:
    def keyed(old: jax.Array, new: jax.Array) -> jax.Array:
        if jax.dtypes.issubdtype(old.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(new)
        return new

    for module, name in ((trainer.model, "model"), (trainer.optimizer, "optimizer")):
        state = nnx.state(module)
        old = nnx.to_pure_dict(state)
        nnx.replace_by_pure_dict(state, jax.tree.map(keyed, old, arrays[name]))
        nnx.update(module, state)
    average = nnx.state(trainer.model, nnx.Param)
    nnx.replace_by_pure_dict(average, arrays["average"])
    trainer.average = average
