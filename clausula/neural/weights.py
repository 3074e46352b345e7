"""Weights on disk: float16 safetensors with the network's kind, config and the data's digest."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from clausula.errors import CorpusError

BUNDLED = Path(__file__).parent / "transformer.safetensors"
TRANSFORMER = "transformer"
_RATES = ("dropout", "field_dropout")


def network_kinds() -> dict[str, tuple[Any, Any]]:
    """The class of each kind of network, and of its config."""
    from clausula.neural.biaxial_composing import BiaxialComposer, ComposerConfig
    from clausula.neural.charrnn import CharacterConfig, CharacterLSTM
    from clausula.neural.network import ChoraleTransformer, NetworkConfig

    return {
        TRANSFORMER: (ChoraleTransformer, NetworkConfig),
        "charrnn": (CharacterLSTM, CharacterConfig),
        "biaxial": (BiaxialComposer, ComposerConfig),
    }


def _flat(model: nnx.Module) -> dict[str, nnx.Param]:
    pairs = nnx.to_flat_state(nnx.state(model, nnx.Param))
    return {".".join(str(p) for p in path): param for path, param in pairs}


def kind_of(model: nnx.Module) -> str:
    """The name of a network's kind."""
    return next(name for name, (module, _) in network_kinds().items() if type(model) is module)


def save_weights(path: Path, model: Any, metadata: dict[str, str]) -> None:
    """Write the parameters as float16, through a temporary name."""
    tensors = {name: np.asarray(p[...], np.float16) for name, p in _flat(model).items()}
    config = json.dumps(model.config.to_dict())
    header = metadata | {"kind": kind_of(model), "config": config}
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(save(tensors, header))
    os.replace(temporary, path)


def load_weights(path: Path = BUNDLED, kind: str | None = None) -> tuple[Any, dict[str, str]]:
    """A network in evaluation mode, as float32, and its metadata.

    Args:
        path: the file.
        kind: of the network that is wanted; whatever the file holds if left out.

    Raises:
        CorpusError: no such file, another kind of network, or tensors that do not fit its config.
    """
    if not path.exists():
        raise CorpusError(f"no weights at {path}; train some with 'clausula train --out {path}'")
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found = metadata["kind"]
        module, config_type = network_kinds()[found]
        config = config_type.from_dict(json.loads(metadata["config"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{path} holds no weights of this version's networks ({error}); train some with "
            "'clausula train'"
        ) from error
    if kind not in (None, found):
        raise CorpusError(f"{path} holds a {found}, not a {kind}; name it with --proposal {found}")
    # Shapes only: initial values would be drawn to be thrown away. Dropout is for training.
    still = replace(config, **{rate: 0.0 for rate in _RATES if hasattr(config, rate)})
    model = nnx.eval_shape(lambda: module(still, nnx.Rngs(0)))
    model.config = config
    flat = _flat(model)
    if set(flat) != set(tensors) or any(flat[n].shape != tensors[n].shape for n in flat):
        raise CorpusError(f"{path} does not fit this version of the network; train it again")
    for name, param in flat.items():
        param.set_value(jnp.asarray(tensors[name], jnp.float32))
    model.eval()
    return model, metadata


def record_metadata(path: Path, facts: dict[str, str]) -> None:
    """Add to what a file of weights says of itself; its tensors stay as they are."""
    with safe_open(path, framework="np") as file:
        metadata = dict(file.metadata() or {})
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(save(tensors, metadata | facts))
    os.replace(temporary, path)


def adopt(model: nnx.Module, other: nnx.Module) -> None:
    """Give a network the parameters of another one, wherever both have them."""
    theirs = _flat(other)
    for name, param in _flat(model).items():
        if name in theirs:
            param.set_value(theirs[name][...])


def parameter_count(model: nnx.Module) -> int:
    """Number of trained values."""
    return sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
