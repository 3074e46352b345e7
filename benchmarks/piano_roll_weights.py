"""Weights of the biaxial network on piano rolls: float16 safetensors with all that made them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from flax import nnx
from piano_roll_data import KeyRange
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from clausula.errors import CorpusError
from clausula.neural.biaxial import BiaxialConfig, PianoRollBiaxial


def save_rolls(
    path: Path, model: PianoRollBiaxial, keys: KeyRange, metadata: dict[str, str]
) -> None:
    """Write the parameters as float16, through a temporary name."""
    flat = nnx.to_flat_state(nnx.state(model, nnx.Param))
    tensors = {".".join(map(str, at)): np.asarray(p[...], np.float16) for at, p in flat}
    facts = {"config": json.dumps(model.config.to_dict()), "keys": json.dumps(asdict(keys))}
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(save(tensors, metadata | facts))
    os.replace(temporary, path)


def load_roll_weights(path: Path) -> tuple[PianoRollBiaxial, KeyRange, dict[str, str]]:
    """The network without dropout, the keys that it models, and its metadata.

    Raises:
        CorpusError: no such file, or it holds something else.
    """
    if not path.is_file():
        raise CorpusError(f"no weights at {path}; train some with --train")
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = BiaxialConfig.from_dict(json.loads(metadata["config"]))
        keys = KeyRange(**json.loads(metadata["keys"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{path} holds no weights of this network ({error}); train some with --train"
        ) from error
    still = replace(config, dropout=0.0)
    model = nnx.eval_shape(lambda: PianoRollBiaxial(still, nnx.Rngs(0)))
    flat = dict(nnx.to_flat_state(nnx.state(model, nnx.Param)))
    shapes = {".".join(map(str, at)): param.shape for at, param in flat.items()}
    if shapes != {name: tensor.shape for name, tensor in tensors.items()}:
        raise CorpusError(f"{path} does not fit this version of the network; train it again")
    for at, param in flat.items():
        param.set_value(jnp.asarray(tensors[".".join(map(str, at))], jnp.float32))
    return model, keys, metadata
