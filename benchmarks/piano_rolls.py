r"""Nats per frame of the biaxial network on the published piano rolls, quarter grid, 88 keys.

Protocol: minus log of the probability of all 88 keys given the frames before, summed over all
frames, the first included, divided by their number; no end token. The network has the published
size. The rolls do not say which notes are struck again, so it has no articulation to see or to
learn; pieces are not transposed in training; keys outside the training split's range have one small
probability (`piano_roll_data`).

Training lasts a given time. Adam, not the original's AdaDelta, which wants many more updates; the
rate falls along a half cosine of the time that is spent. The weights that validate best are kept.

    uv run python benchmarks/piano_rolls.py --data DIR --dataset JSB_Chorales --train
    uv run python benchmarks/piano_rolls.py --data DIR --dataset JSB_Chorales --json OUT
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from piano_roll_data import DATASETS, Rolls, load_rolls
from piano_roll_training import RollTraining, fit, nats_per_frame
from piano_roll_weights import load_roll_weights
from results import provenance

from clausula.errors import ClausulaError, InputError
from clausula.neural.weights import parameter_count

HERE = Path(__file__).parent


def measure(rolls: Rolls, dataset: str, splits: Sequence[str], weights: Path) -> list[dict]:
    """One row a split."""
    model, keys, metadata = load_roll_weights(weights)
    return [
        {
            "proposal": "biaxial",
            "dataset": dataset,
            "split": split,
            "grid": "quarter",
            "nats_per_frame": nats_per_frame(model, rolls.splits[split], keys),
            "pieces": len(rolls.splits[split]),
            "frames": sum(map(len, rolls.splits[split])),
            "parameters": parameter_count(model),
            "keys": asdict(keys),
            "trained_on": metadata["data"],
            "training": json.loads(metadata["training"]),
            "best": json.loads(metadata["best"]),
            "where": provenance(),
        }
        for split in splits
    ]


def parsed() -> argparse.Namespace:
    """The command line; its options for training are the fields of ``RollTraining``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the .mat files")
    parser.add_argument("--dataset", choices=DATASETS, default=DATASETS[0])
    parser.add_argument("--splits", default="valid,test", help="comma-separated; empty for none")
    parser.add_argument("--weights", type=Path, help="default: beside this script")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    parser.add_argument("--train", action="store_true", help="fit the weights first")
    for name, value in asdict(RollTraining()).items():
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, type=type(value), default=value, help=f"default {value}")
    return parser.parse_args()


def main() -> int:
    """Command line."""
    arguments = parsed()
    weights = arguments.weights
    if weights is None:
        weights = HERE / "weights" / f"rolls-{arguments.dataset}.safetensors"
    try:
        splits = [split for split in arguments.splits.split(",") if split]
        rolls = load_rolls(arguments.data, arguments.dataset)
        for split in splits:
            if split not in rolls.splits:
                raise InputError(f"no split {split!r}; known: {', '.join(rolls.splits)}")
        if arguments.train:
            options = {name: getattr(arguments, name) for name in asdict(RollTraining())}
            about = {
                "data": f"{arguments.dataset}.mat train split, sha256 {rolls.digest}",
                "command": "benchmarks/piano_rolls.py --train",
            }
            fit(rolls, RollTraining(**options), weights, about)
        rows = measure(rolls, arguments.dataset, splits, weights)
    except ClausulaError as error:
        print(f"piano_rolls: {error}", file=sys.stderr)
        return 2
    for row in rows:
        print(f"{row['dataset']:14} {row['split']:6} {row['nats_per_frame']:.4f} nats/frame")
    if arguments.json:
        temporary = arguments.json.with_name(arguments.json.name + ".part")
        temporary.write_text(json.dumps(rows, indent=1))
        os.replace(temporary, arguments.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
