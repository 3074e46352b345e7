"""Training the weights that ship, on the bundled chorales."""

from __future__ import annotations

import hashlib
from pathlib import Path

from clausula.corpus import held_out, load_chorales
from clausula.corpus.chorales import CHORALES
from clausula.neural.features import example_of
from clausula.neural.network import NetworkConfig
from clausula.neural.train import TrainConfig, train
from clausula.neural.weights import BUNDLED


def train_bundled(
    out: Path = BUNDLED,
    *,
    network: NetworkConfig | None = None,
    config: TrainConfig | None = None,
    command: str = "clausula train",
) -> None:
    """Train on every bundled chorale but the tune-disjoint tenth, which chooses the weights.

    Args:
        out: weights file; the log and the picture of the loss go beside it.
        network: size of the network.
        config: how it is trained.
        command: recorded with the weights.
    """
    corpus = load_chorales()
    examples = [example_of(grid) for grid in corpus.grids]
    apart = set(held_out(corpus))
    digest = hashlib.sha256(CHORALES.read_bytes()).hexdigest()[:16]
    train(
        [e for i, e in enumerate(examples) if i not in apart],
        [examples[i] for i in sorted(apart)],
        network=network or NetworkConfig(),
        config=config or TrainConfig(),
        out=out,
        metadata={
            "data": f"{CHORALES.name} sha256 {digest}, {len(apart)} pieces held out",
            "command": command,
        },
    )
