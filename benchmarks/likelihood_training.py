"""Training the networks of the table, each on the training split of its data alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from flax import nnx

from clausula.errors import InputError
from clausula.neural.evaluating import with_soprano
from clausula.neural.features import Example
from clausula.neural.pinning import unchanged, with_some_pinned
from clausula.neural.train import TrainConfig, train
from clausula.neural.weights import TRANSFORMER, network_kinds

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Recipe:
    """How a network is trained unless options say otherwise.

    Attributes:
        kind: of the network.
        config: of the training.
        network: settings that differ from the config's own.
    """

    kind: str
    config: TrainConfig
    network: dict[str, Any] = field(default_factory=dict)


_REGULARISED = {"dropout": 0.35, "field_dropout": 0.05}
RECIPES = {
    "transformer": Recipe(TRANSFORMER, TrainConfig(), _REGULARISED),
    # Half of what it learns from has pins, so that it overfits later.
    "pins": Recipe(TRANSFORMER, TrainConfig(steps=1600), _REGULARISED | {"pin_width": 128}),
    "charrnn": Recipe("charrnn", TrainConfig(steps=550, peak=3e-3), {"dropout": 0.25}),
    # Every frame climbs the notes four times: crops are small, or an update takes a minute.
    "biaxial": Recipe(
        "biaxial", TrainConfig(steps=550, batch=4, length=64, peak=5e-3), {"dropout": 0.1}
    ),
    # Pieces are 60 frames long, a quarter of the others.
    "quarter": Recipe(TRANSFORMER, TrainConfig(steps=450, length=64), _REGULARISED),
}
FILES = {
    "transformer": "jsb16-transformer.safetensors",
    "pins": "jsb16-transformer-pins.safetensors",
    "charrnn": "jsb16-charrnn.safetensors",
    "biaxial": "jsb16-biaxial.safetensors",
    "quarter": "jsb-quarter-transformer.safetensors",
}
_NETWORK_OPTIONS = {
    "dropout": float,
    "field_dropout": float,
    "width": int,
    "layers": int,
    "pin_width": int,
}
_TRAINING_OPTIONS = {
    f.name: type(f.default)
    for f in fields(TrainConfig)
    if f.default is not MISSING and f.default is not None
}


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """One option for each setting; left out, the recipe's value holds."""
    group = parser.add_argument_group("settings of --train; left out, the network's recipe holds")
    for name, kind in (_TRAINING_OPTIONS | _NETWORK_OPTIONS).items():
        group.add_argument("--" + name.replace("_", "-"), type=kind, default=None)
    group.add_argument("--resume", action="store_true", help="go on where a stopped run left off")


def settings_of(name: str, arguments: argparse.Namespace) -> tuple[TrainConfig, dict[str, Any]]:
    """The training's config and the network's settings: the recipe's, but for what is asked for.

    Raises:
        InputError: an option that this network does not have, or a warm-up that never ends.
    """
    recipe = RECIPES[name]
    asked = {key: getattr(arguments, key) for key in _TRAINING_OPTIONS | _NETWORK_OPTIONS}
    asked = {key: value for key, value in asked.items() if value is not None}
    config = replace(
        recipe.config, **{key: value for key, value in asked.items() if key in _TRAINING_OPTIONS}
    )
    if config.warmup >= config.steps:
        raise InputError(
            f"a warm-up of {config.warmup} updates leaves none of {config.steps}; "
            "give more --steps or less --warmup"
        )
    of_network = {key: value for key, value in asked.items() if key in _NETWORK_OPTIONS}
    known = {f.name for f in fields(network_kinds()[recipe.kind][1])}
    allowed = known if name == "pins" else known - {"pin_width"}
    for key in of_network:
        if key not in allowed:
            raise InputError(f"{name} has no setting --{key.replace('_', '-')}; leave it out")
    return config, recipe.network | of_network


def fit(
    name: str,
    training: Sequence[Example],
    validation: Sequence[Example],
    *,
    arguments: argparse.Namespace,
    out: Path,
    metadata: dict[str, str],
) -> None:
    """Train one network on bare pitches; validation chooses the weights.

    Args:
        name: of the recipe.
        training: pieces to learn from.
        validation: pieces that choose the weights.
        arguments: the command line, with the settings.
        out: the weights file.
        metadata: recorded with the weights, the data's digest among it.

    Raises:
        InputError: an option that this network does not have.
    """
    config, network = settings_of(name, arguments)
    pinned = name == "pins"
    module: Any
    module, config_type = network_kinds()[RECIPES[name].kind]
    train(
        module(config_type(**network | {"holds": False}), nnx.Rngs(config.seed)),
        training,
        validation,
        config=config,
        out=out,
        metadata=metadata,
        resume=arguments.resume,
        change=with_some_pinned(unchanged) if pinned else None,
        watched=[with_soprano(example) for example in validation] if pinned else (),
    )
