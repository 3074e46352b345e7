"""What the likelihood benchmark is tested on: openings of chorales in the published file's form."""

import json
import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from flax import nnx

from clausula.corpus import load_chorales
from clausula.neural.features import Example, example_of_bare_pitches
from clausula.neural.network import ChoraleTransformer, NetworkConfig

FRAMES = 24
SIZES = {"train": 6, "valid": 2, "test": 3}
METADATA = {"data": "openings", "best": "{}", "training": "{}", "command": "none"}


@cache
def pitches() -> dict[str, list[np.ndarray]]:
    """The first frames of the first chorales, by split."""
    grids = iter(load_chorales().grids)
    return {split: [next(grids).pitch[:FRAMES] for _ in range(n)] for split, n in SIZES.items()}


def examples(split: str) -> list[Example]:
    return [example_of_bare_pitches(pitch) for pitch in pitches()[split]]


def write_published(folder: Path) -> Path:
    """The openings as a file like the published one, silence as -1.0."""
    path = folder / "Jsb16thSeparated.json"
    data = {split: [p.astype(float).tolist() for p in found] for split, found in pitches().items()}
    path.write_text(json.dumps(data))
    return path


def small_network(seed: int = 0, pin_width: int = 16) -> ChoraleTransformer:
    """A transformer on bare pitches whose every path matters."""
    config = NetworkConfig(
        width=24, layers=1, mlp=16, head_mlp=16, window=16, pin_width=pin_width, holds=False
    )
    model = ChoraleTransformer(config, nnx.Rngs(seed))
    rng = np.random.default_rng(seed)
    for _, param in nnx.to_flat_state(nnx.state(model, nnx.Param)):
        value = param[...]
        param.set_value(value + 0.1 * rng.standard_normal(value.shape).astype(np.float32))
    model.eval()
    return model
