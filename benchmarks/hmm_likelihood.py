"""Does the frame-level HMM earn its place? Its likelihood beside others' on one alphabet.

Protocol: nats per frame = sum over frames of -log p(all four voices) over the number of frames, on
the bundled chorales whose tunes no training sees. All models speak tokens with rests and holds. The
HMM and the Markov chains are given the key, the mode and each frame's class (place in the measure,
place in the phrase); the network is also given the meter, the way to the next phrase end, and the
style. The numbers are not comparable with benchmarks on bare pitches.

    uv run python benchmarks/hmm_likelihood.py                   # the weights in the package
    uv run python benchmarks/hmm_likelihood.py --train           # fit them first
    uv run python benchmarks/hmm_samples.py --out samples.npz    # what is distilled
    uv run python benchmarks/hmm_likelihood.py --samples samples.npz --tune \
        --style-weights 0,0.1,0.3 --sample-weights 0,0.1,0.3,1
    uv run python benchmarks/hmm_likelihood.py --samples samples.npz --sample-weights 0.3 \
        --sizes 256,512,1024,2048

The same --json goes on where an earlier run stopped: what it holds is not trained for again.
Training goes faster with OPENBLAS_NUM_THREADS=1 when other programs use the processor.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
from pathlib import Path

from hmm_training import Fitted, Material, Recipe, fit, material
from results import markdown_table, provenance, write_text

from clausula.corpus.chorales import CHORALES
from clausula.engine import hmm as hidden
from clausula.engine import markov
from clausula.engine.em import Step
from clausula.errors import ClausulaError
from clausula.neural.features import example_of
from clausula.neural.proposals import DEFAULT_STYLE
from clausula.neural.train import nats_by_voice
from clausula.neural.weights import load_weights

REPORTS = Path(__file__).parent / "reports"


def report_step(step: Step) -> None:
    """One line of progress on stderr."""
    print(f"iteration {step.iteration}: {step.nats_per_frame:.4f}", file=sys.stderr, flush=True)


def digest(path: Path) -> str:
    """What a file holds, in sixteen letters."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def keep(fitted: Fitted, music: Material, recipe: Recipe, args: argparse.Namespace) -> None:
    """Save a model, with what a reader of the weights needs to know."""
    metadata = {
        **vars(recipe),
        "processor_seconds": round(fitted.seconds, 1),
        "data": f"{CHORALES.name} sha256 {digest(CHORALES)}, {len(music.apart)} pieces held out",
        "nats_per_frame_train": round(hidden.nats_per_frame(fitted.model, music.train), 4),
        "nats_per_frame_held_out": round(hidden.nats_per_frame(fitted.model, music.apart), 4),
    }
    if recipe.sample_weight:
        metadata["samples"] = f"{len(music.samples)} pieces, sha256 {digest(args.samples)}"
    hidden.save(fitted.model, args.weights, metadata)


def hmm_row(model: hidden.HMM, music: Material, **facts: object) -> dict:
    """Nats per frame of a model where it was trained and where it was not."""
    return {
        "model": f"hmm-{model.states}",
        "train": hidden.nats_per_frame(model, music.train),
        "held_out": hidden.nats_per_frame(model, music.apart),
        **facts,
    }


def beside(music: Material, network: Path | None) -> list[dict]:
    """The rows of the other models; the network's where its weights are given."""
    rows = []
    for memory in markov.Memory:
        chain = markov.train_markov(music.train, memory)
        rows.append(
            {
                "model": f"markov-{memory.value}",
                "train": markov.nats_per_frame(chain, music.train, memory),
                "held_out": markov.nats_per_frame(chain, music.apart, memory),
            }
        )
    if network is not None:
        model, facts = load_weights(network)
        style = model.config.styles.index(DEFAULT_STYLE)
        nats = nats_by_voice(model, [example_of(grid, style) for grid in music.apart])
        data = {"data": facts["data"]}
        rows.append({"model": "network", "held_out": float(nats.sum()), "weights": data})
    return rows


def recipes(args: argparse.Namespace) -> list[Recipe]:
    """Every combination of the sizes and weights asked for."""
    numbers = [
        [kind(x) for x in text.split(",")]
        for kind, text in ((int, args.sizes), (float, args.style_weights))
    ]
    numbers.append([float(x) for x in args.sample_weights.split(",")])
    return [
        Recipe(*combination, iterations=args.iterations, seed=args.seed)
        for combination in itertools.product(*numbers)
    ]


def fitted_rows(music: Material, args: argparse.Namespace) -> list[dict]:
    """One row a recipe; each is written down when it is known, and not trained for again."""
    judges = "tuning split" if args.tune else "held-out chorales"
    rows = [row for row in written(args.json) if "states" in row]
    for recipe in recipes(args):
        facts = {**vars(recipe), "judges": judges}
        if recipe.sample_weight and args.samples:
            facts["samples"] = digest(args.samples)
        if not args.train and any(facts.items() <= row.items() for row in rows):
            continue
        fitted = fit(music, recipe, report_step)
        facts["processor_seconds"] = round(fitted.seconds, 1)
        rows.append(hmm_row(fitted.model, music, **facts))
        print(json.dumps(rows[-1]), flush=True)
        if args.json:
            write_text(args.json, json.dumps(rows, indent=2) + "\n")
        if args.train:
            keep(fitted, music, recipe, args)
    return rows


def written(path: Path | None) -> list[dict]:
    """Rows of an earlier run; none where there was none."""
    return json.loads(path.read_text()) if path is not None and path.exists() else []


def table(rows: list[dict]) -> str:
    """The rows in Markdown."""
    cells = [
        [
            row["model"],
            row.get("judges", "held-out chorales"),
            row.get("iterations", ""),
            row.get("style_weight", ""),
            row.get("sample_weight", ""),
            row.get("processor_seconds", ""),
            f"{row['train']:.3f}" if "train" in row else "",
            f"{row['held_out']:.3f}",
        ]
        for row in rows
    ]
    weights = ("weight of other styles", "of samples")
    header = (
        "model",
        "judged on",
        "iterations",
        *weights,
        "processor seconds",
        "training",
        "apart",
    )
    return markdown_table(header, cells)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", help="numbers of states to train, such as 256,512")
    parser.add_argument("--style-weights", default="0", help="how often other styles count")
    parser.add_argument("--sample-weights", default="0", help="how often samples count")
    parser.add_argument("--samples", type=Path, help="file from hmm_samples.py")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=24)
    parser.add_argument("--train", action="store_true", help="train one model, save to --weights")
    parser.add_argument("--tune", action="store_true", help="judge on the tuning split, 256 states")
    parser.add_argument("--weights", type=Path, default=hidden.WEIGHTS)
    parser.add_argument("--network", type=Path, help="weights of a network for a row of its own")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--md", type=Path, help="write the table here")
    args = parser.parse_args()
    if args.sizes is None and (args.tune or args.train):
        args.sizes = "256" if args.tune else "512"
    if args.train and (args.tune or len(recipes(args)) > 1):
        parser.error("--train saves one model: give one size and one weight each, not --tune")
    return args


def main() -> int:
    """Train when asked, print the table, write the rows."""
    args = arguments()
    try:
        music = material(args.samples, tuning=args.tune)
        rows = fitted_rows(music, args) if args.sizes else []
        if not args.sizes:
            model, metadata = hidden.load(args.weights)
            rows = [hmm_row(model, music, weights=metadata)]
            rows += [row for row in written(args.json) if "states" in row]
        rows = ([] if args.tune else beside(music, args.network)) + rows
    except ClausulaError as error:
        print(f"hmm_likelihood: {error}", file=sys.stderr)
        return 2
    text = (
        f"Nats per frame; {len(music.train)} chorales to learn from, {len(music.apart)} apart, "
        f"{len(music.others)} pieces of other styles, {len(music.samples)} samples of the network; "
        f"{provenance()}. The network has learnt from the tuning split's chorales, so samples gain "
        f"more there than on held-out ones.\n\n{table(rows)}\n"
    )
    print(text)
    if args.json:
        write_text(args.json, json.dumps(rows, indent=2) + "\n")
    if args.md:
        write_text(args.md, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
