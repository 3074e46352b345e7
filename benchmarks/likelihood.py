r"""Nats per frame of proposals on the published 16th-grid chorales.

Protocol: sum over frames of -log p(all four voices), divided by the number of frames; every frame
counts, the first included; no end token; silence is a class. See the results page beside this file
for what is and what is not comparable.

    uv run python benchmarks/likelihood.py --jsb16 Jsb16thSeparated.json \
        --proposals transformer --splits valid --json OUT
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
from pathlib import Path

import numpy as np
from flax import nnx

from clausula.errors import ClausulaError, InputError
from clausula.neural.features import Example, example_of_bare_pitches
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.train import TrainConfig, nats_by_voice, train
from clausula.neural.weights import load_weights, parameter_count

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights" / "jsb16-transformer.safetensors"


def load_split(path: Path, split: str) -> list[Example]:
    """Pieces of one published split."""
    data = json.loads(path.read_text())
    if split not in data:
        raise InputError(f"{path} has no split {split!r}; it has {', '.join(data)}")
    return [example_of_bare_pitches(np.array(piece, int)) for piece in data[split]]


def fit(path: Path, config: TrainConfig, network: NetworkConfig, out: Path) -> None:
    """Train on the published training split alone; validation chooses the weights."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    train(
        ChoraleTransformer(network, nnx.Rngs(config.seed)),
        load_split(path, "train"),
        load_split(path, "valid"),
        config=config,
        out=out,
        metadata={
            "data": f"{path.name} train split, sha256 {digest[:16]}",
            "command": "benchmarks/likelihood.py " + shlex.join(sys.argv[1:]),
        },
    )


def measure(path: Path, proposal: str, splits: list[str], weights: Path) -> list[dict]:
    """One row a split."""
    if proposal != "transformer":
        raise InputError(f"no proposal {proposal!r}; known: transformer")
    model, metadata = load_weights(weights)
    rows = []
    for split in splits:
        pieces = load_split(path, split)
        by_voice = nats_by_voice(model, pieces)
        rows.append(
            {
                "proposal": proposal,
                "split": split,
                "grid": "16th",
                "nats_per_frame": float(by_voice.sum()),
                "nats_per_note": float(by_voice.sum() / 4),
                "by_voice": {v: float(x) for v, x in zip("SBAT", by_voice, strict=True)},
                "pieces": len(pieces),
                "frames": sum(len(p) for p in pieces),
                "parameters": parameter_count(model),
                "trained_on": metadata["data"],
                "best": json.loads(metadata["best"]),
            }
        )
    return rows


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jsb16", type=Path, required=True, help="Jsb16thSeparated.json")
    parser.add_argument("--proposals", default="transformer", help="comma-separated names")
    parser.add_argument("--splits", default="valid,test", help="comma-separated splits")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--json", type=Path, help="where to write the rows")
    parser.add_argument("--train", action="store_true", help="fit the weights first")
    parser.add_argument("--steps", type=int, default=TrainConfig.steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--field-dropout", type=float, default=0.2)
    arguments = parser.parse_args()
    try:
        if not arguments.jsb16.exists():
            raise InputError(
                f"{arguments.jsb16} does not exist; Jsb16thSeparated.json is in the repository "
                "czhuang/JSB-Chorales-dataset"
            )
        if arguments.train:
            config = TrainConfig(steps=arguments.steps, seed=arguments.seed)
            network = NetworkConfig(
                holds=False, dropout=arguments.dropout, field_dropout=arguments.field_dropout
            )
            fit(arguments.jsb16, config, network, arguments.weights)
        splits = arguments.splits.split(",")
        rows = [
            row
            for proposal in arguments.proposals.split(",")
            for row in measure(arguments.jsb16, proposal, splits, arguments.weights)
        ]
    except ClausulaError as error:
        print(f"likelihood: {error}", file=sys.stderr)
        return 2
    for row in rows:
        print(f"{row['proposal']:12} {row['split']:6} {row['nats_per_frame']:.4f} nats/frame")
    if arguments.json:
        temporary = arguments.json.with_name(arguments.json.name + ".part")
        temporary.write_text(json.dumps(rows, indent=1))
        os.replace(temporary, arguments.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
