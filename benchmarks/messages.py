"""How fast is the backward pass, and how much does it hold?

The messages of the default plan over 64 measures, for each number of hidden states, beside their
floor: the operations of the states that there are, over the rate at which this machine multiplies
such matrices when it does nothing else (as many rows as a layer has states, times the transition
matrix). A plan with a climax shows layers of many states. The models are drawn: the time does not
depend on their numbers. Memory is the resident set's growth while the pass runs.

    uv run python benchmarks/messages.py --hidden 512,1024,2048 --json OUT.json --md OUT.md
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from results import markdown_table, provenance, write_text

from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.hmm import N_CLASSES, frame_classes
from clausula.engine.layers import Layers, layers_of
from clausula.engine.messages import SEGMENT, Model, checkpoints
from clausula.engine.plan import Plan, make_plan
from clausula.engine.tables import FRAME_BUCKET, LEAST_LAYERS, compile_plan
from clausula.errors import ClausulaError
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.vocabulary import N_VOICE

PLANS = {"default": [], "climax": ["climax once S"]}
TIMES = 3  # runs of which the median counts
GIB = 2**30


def plan_of(measures: int, constraints: Sequence[str]) -> Plan:
    """The default plan with some constraints."""
    return make_plan(
        key=Key.parse("G"),
        meter=Meter(4, 4),
        measures=measures,
        constraints=[parse_constraint(text) for text in constraints],
    )


def drawn_model(plan: Plan, frames: int, hidden: int) -> Model:
    """A hidden Markov model of that size, at random."""
    rng = np.random.default_rng(0)
    timeline = plan.timeline
    classes = frame_classes(
        timeline.meter, timeline.position, plan.phrase_end, timeline.frames_per_quarter
    )
    transition = rng.random((N_CLASSES, hidden, hidden), np.float32) + 0.01
    emission = rng.random((N_CLASSES, 4, hidden, N_VOICE), np.float32) + 0.01
    transition /= transition.sum(axis=-1, keepdims=True)
    emission /= emission.sum(axis=-1, keepdims=True)
    return Model(
        jnp.asarray(np.pad(classes, (0, frames - len(classes)))),
        jnp.asarray(transition),
        jnp.log(jnp.asarray(emission)),
    )


def seconds(run: Callable[[], jax.Array]) -> float:
    """Median time of a run, compiled beforehand."""
    run().block_until_ready()
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run().block_until_ready()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def floor_seconds(layers: Sequence[Layers], hidden: int) -> tuple[float, float]:
    """Multiplications of a pass, in units of 10^9 operations, and the time they take alone.

    Counted are the products with the transition matrix at every boundary and with the emissions at
    every layer, each for the states that the layer has. The rate of each is measured at its own
    number of rows, rounded up to a power of two.
    """
    rates: dict[tuple[int, int], float] = {}

    def rate(rows: int, columns: int) -> float:
        size = 1 << (rows - 1).bit_length()
        if (size, columns) not in rates:
            a = jnp.ones((size, hidden if columns == hidden else N_VOICE))
            b = jnp.ones((a.shape[1], hidden))
            repeats = max(1, int(2e8 // (size * a.shape[1] * hidden)))

            @jax.jit
            def many(a: jax.Array, b: jax.Array) -> jax.Array:
                def again(_: int, x: jax.Array) -> jax.Array:
                    return x + 1e-9 * (a + x[:, :1]) @ b

                return jax.lax.fori_loop(0, repeats, again, jnp.zeros((size, hidden)))

            taken = seconds(lambda: many(a, b)) / repeats
            rates[size, columns] = 2 * size * a.shape[1] * hidden / taken
        return rates[size, columns]

    operations = total = 0.0
    for each in layers:
        states = np.asarray(each.states)[np.asarray(each.active)]
        for rows, count in zip(*np.unique(states[:, 0], return_counts=True), strict=True):
            done = 2.0 * rows * hidden * hidden * count
            operations += done
            total += done / rate(int(rows), hidden)
        for rows, count in zip(*np.unique(states, return_counts=True), strict=True):
            done = 2.0 * rows * N_VOICE * hidden * count
            operations += done
            total += done / rate(int(rows), N_VOICE)
    return operations / 1e9, total


def row_of(name: str, hidden: int, measures: int) -> dict:
    """One measurement."""
    plan = plan_of(measures, PLANS[name])
    compiled = compile_plan(plan, load_ruleset("chorale"))
    frames = -(-plan.timeline.n_frames // FRAME_BUCKET) * FRAME_BUCKET
    layers = [layers_of(a, compiled.domains, frames, LEAST_LAYERS) for a in compiled.automata]
    model = drawn_model(plan, frames, hidden)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = sum(seconds(lambda each=each: checkpoints(each, model)) for each in layers)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    giga, floor = floor_seconds(layers, hidden)
    kept = frames // SEGMENT + 1
    return {
        "plan": name,
        "hidden": hidden,
        "measures": measures,
        "widest": max(a.width for a in compiled.automata),
        "states": int(sum(a.n_states.sum() for a in compiled.automata)),
        "seconds": spent,
        "giga_operations": giga,
        "floor_seconds": floor,
        "times_floor": spent / floor,
        "kept_gib": sum(4 * hidden * a.successor.shape[1] for a in layers) * kept / GIB,
        "grown_gib": grown * 1024 / GIB,
    }


def page(rows: Sequence[dict]) -> str:
    """The rows as Markdown."""
    header = ["plan", "hidden states", "widest layer", "states", "seconds", "10^9 operations"]
    header += ["floor, s", "times the floor", "messages kept, GiB", "memory grown, GiB"]
    body = [
        [
            row["plan"],
            row["hidden"],
            row["widest"],
            row["states"],
            f"{row['seconds']:.3f}",
            f"{row['giga_operations']:.2f}",
            f"{row['floor_seconds']:.3f}",
            f"{row['times_floor']:.2f}",
            f"{row['kept_gib']:.2f}",
            f"{row['grown_gib']:.2f}",
        ]
        for row in rows
    ]
    return "\n".join(
        [
            f"# The backward pass over {rows[0]['measures']} measures",
            "",
            f"{provenance()}. Medians of {TIMES} runs, compiled beforehand.",
            "",
            markdown_table(header, body),
            "",
        ]
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", default="512,1024,2048", help="comma-separated")
    parser.add_argument("--measures", type=int, default=64)
    parser.add_argument("--plans", default=",".join(PLANS), help="comma-separated")
    parser.add_argument("--json", type=Path, required=True, help="where to write the rows")
    parser.add_argument("--md", type=Path, help="where to write the table")
    arguments = parser.parse_args()
    try:
        rows = [
            row_of(name, int(hidden), arguments.measures)
            for name in arguments.plans.split(",")
            for hidden in arguments.hidden.split(",")
        ]
    except ClausulaError as error:
        print(f"messages: {error}", file=sys.stderr)
        return 2
    text = page(rows)
    print(text)
    write_text(arguments.json, json.dumps(rows, indent=1) + "\n")
    if arguments.md:
        write_text(arguments.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
