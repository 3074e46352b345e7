"""Does the frame-level HMM earn its place? Its likelihood beside Markov chains' on one alphabet.

Protocol: nats per frame = sum over frames of -log p(all four voices) over the number of frames, on
the bundled chorales whose tunes no training sees. All models speak key-relative tokens with holds,
and are given the same: key, mode, and each frame's class (place in the measure, place in the
phrase). So the numbers compare these models only, not with benchmarks on bare pitches.

    uv run python benchmarks/hmm_likelihood.py --json OUT            # the weights in the package
    uv run python benchmarks/hmm_likelihood.py --train --states 512 --json OUT

Training goes faster with OPENBLAS_NUM_THREADS=1 when other programs use the processor.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

from clausula.corpus import held_out, load_chorales
from clausula.corpus.chorales import CHORALES
from clausula.engine import hmm as hidden
from clausula.engine import markov
from clausula.engine.em import Step, train_hmm
from clausula.errors import ClausulaError
from clausula.grid import Grid


def split_grids() -> tuple[list[Grid], list[Grid]]:
    """Training grids, and those held out."""
    corpus = load_chorales()
    apart = set(held_out(corpus))
    train = [grid for i, grid in enumerate(corpus.grids) if i not in apart]
    return train, [corpus.grids[i] for i in sorted(apart)]


def report_step(step: Step) -> None:
    """One line of progress on stderr."""
    print(f"iteration {step.iteration}: {step.nats_per_frame:.4f}", file=sys.stderr, flush=True)


def fit(train: list[Grid], test: list[Grid], args: argparse.Namespace) -> None:
    """Train and save, with what a reader of the weights needs to know."""
    start = time.perf_counter()
    model = train_hmm(train, args.states, args.seed, args.iterations, on_step=report_step)
    seconds = time.perf_counter() - start
    metadata = {
        "states": args.states,
        "seed": args.seed,
        "iterations": args.iterations,
        "seconds": round(seconds, 1),
        "data": f"{CHORALES.name} sha256 {hashlib.sha256(CHORALES.read_bytes()).hexdigest()[:16]}, "
        f"{len(test)} pieces held out",
        "nats_per_frame_train": round(hidden.nats_per_frame(model, train), 4),
        "nats_per_frame_held_out": round(hidden.nats_per_frame(model, test), 4),
    }
    hidden.save(model, args.weights, metadata)


def measure(train: list[Grid], test: list[Grid], weights: Path) -> list[dict]:
    """One row a model: nats per frame where it was trained and where it was not."""
    rows = []
    for memory in markov.Memory:
        chain = markov.train_markov(train, memory)
        rows.append(
            {
                "model": f"markov-{memory.value}",
                "train": markov.nats_per_frame(chain, train, memory),
                "held_out": markov.nats_per_frame(chain, test, memory),
            }
        )
    model, metadata = hidden.load(weights)
    rows.append(
        {
            "model": f"hmm-{model.states}",
            "train": hidden.nats_per_frame(model, train),
            "held_out": hidden.nats_per_frame(model, test),
            "weights": metadata,
        }
    )
    return rows


def main() -> int:
    """Train when asked, print the table, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=24)
    parser.add_argument("--train", action="store_true", help="train first, and save to --weights")
    parser.add_argument("--weights", type=Path, default=hidden.WEIGHTS)
    parser.add_argument("--json", type=Path, help="write the rows here")
    args = parser.parse_args()
    try:
        train, test = split_grids()
        if args.train:
            fit(train, test, args)
        rows = measure(train, test, args.weights)
    except ClausulaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"nats per frame, {len(train)} training and {len(test)} held-out chorales")
    print(f"{'model':<16}{'train':>8}{'held out':>10}")
    for row in rows:
        print(f"{row['model']:<16}{row['train']:>8.3f}{row['held_out']:>10.3f}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
