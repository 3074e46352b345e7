"""Weights on disk: float16 safetensors with the network's config and the data's digest."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from clausula.errors import CorpusError
from clausula.neural.network import ChoraleTransformer, NetworkConfig

BUNDLED = Path(__file__).parent / "transformer.safetensors"


def _flat(model: ChoraleTransformer) -> dict[str, nnx.Param]:
    pairs = nnx.to_flat_state(nnx.state(model, nnx.Param))
    return {".".join(str(p) for p in path): param for path, param in pairs}


def save_weights(path: Path, model: ChoraleTransformer, metadata: dict[str, str]) -> None:
    """Write the parameters as float16, through a temporary name."""
    tensors = {name: np.asarray(p[...], np.float16) for name, p in _flat(model).items()}
    header = metadata | {"config": json.dumps(model.config.to_dict())}
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(save(tensors, header))
    os.replace(temporary, path)


def load_weights(path: Path = BUNDLED) -> tuple[ChoraleTransformer, dict[str, str]]:
    """The network in evaluation mode, as float32, and its metadata.

    Raises:
        CorpusError: no such file, or its tensors do not fit its config.
    """
    if not path.exists():
        raise CorpusError(f"no weights at {path}; train some with 'clausula train --out {path}'")
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = NetworkConfig.from_dict(json.loads(metadata["config"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{path} holds no weights of this network ({error}); train some with 'clausula train'"
        ) from error
    # Shapes only: initial values would be drawn to be thrown away. Dropout is for training.
    still = replace(config, dropout=0.0, field_dropout=0.0)
    model = nnx.eval_shape(lambda: ChoraleTransformer(still, nnx.Rngs(0)))
    model.config = config
    flat = _flat(model)
    if set(flat) != set(tensors) or any(flat[n].shape != tensors[n].shape for n in flat):
        raise CorpusError(f"{path} does not fit this version of the network; train it again")
    for name, param in flat.items():
        param.set_value(jnp.asarray(tensors[name], jnp.float32))
    model.eval()
    return model, metadata


def adopt(model: ChoraleTransformer, other: ChoraleTransformer) -> None:
    """Give a network the parameters of another one, wherever both have them."""
    theirs = _flat(other)
    for name, param in _flat(model).items():
        if name in theirs:
            param.set_value(theirs[name][...])


def parameter_count(model: ChoraleTransformer) -> int:
    """Number of trained values."""
    return sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
