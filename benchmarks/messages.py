"""How fast is the backward pass, and how much does it hold?

The messages of the default plan over 64 measures, for each number of hidden states, beside their
floor: the time that the multiplications alone take on this machine, for the states that there are.
Those by the transition matrices are done with the same matrices in the same order, as many rows at
a time as the layer has states (one row is bound by memory, and by which matrices the caches still
hold); those by the emissions over and over with one matrix. Each is done as ``rows @ matrix`` and
as ``matrix @ columns``, and the faster counts. Pass and floor are timed in turn, so that what else
the machine does falls on both.

A plan with a climax shows layers of many states; ``product`` shows about a thousand in every layer:
the automata of two climaxes alone, multiplied, which the search would keep apart; it is measured
for the first number of hidden states only. The models are drawn: the time does not depend on their
numbers. Memory is what the compiled pass holds at once, arguments and result included, beside the
largest resident set of the whole process so far.

    uv run python benchmarks/messages.py --hidden 512,1024,2048 --json OUT.json --md OUT.md
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from results import markdown_table, provenance, write_text

from clausula.constraints.algebra import conjoin
from clausula.constraints.automaton import LayeredAutomaton
from clausula.constraints.counting import Climax
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.hmm import N_CLASSES, frame_classes
from clausula.engine.layers import Layers, layers_of
from clausula.engine.messages import Model, checkpoints
from clausula.engine.plan import Plan, make_plan
from clausula.engine.tables import FRAME_BUCKET, LEAST_LAYERS, Compiled, compile_plan
from clausula.errors import ClausulaError
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.vocabulary import N_VOICE

PRODUCT = "product"
PLANS = {
    "default": [],
    "climax": ["climax once S"],
    PRODUCT: ["climax once S", "climax once A"],
}
TIMES = 5  # runs of which the median counts
LEAST = 32  # multiplications in a row that are timed at once
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


def seconds(run: Callable[[], Any]) -> float:
    """Time of a run."""
    began = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - began


class Work(NamedTuple):
    """Multiplications of one shape.

    Attributes:
        operations: of all of them in the pass.
        runs: ways to do them one after another, compiled; the fastest counts.
        share: of what a run does is the pass's, to weigh its time by.
    """

    operations: float
    runs: tuple[Callable[[], jax.Array], ...]
    share: float


def by_transition(model: Model, rows: int, classes: np.ndarray) -> Work:
    """Products of so many rows with the transition matrix of each of these classes, in order."""
    matrices = list(model.transition)
    hidden = matrices[0].shape[0]
    order = jnp.asarray(np.tile(classes, -(-LEAST // len(classes))))

    def as_rows(matrix: jax.Array, x: jax.Array) -> jax.Array:
        return jnp.matmul(x, matrix.T, precision="highest")

    def as_columns(matrix: jax.Array, x: jax.Array) -> jax.Array:
        return jnp.matmul(matrix, x, precision="highest")

    def run(multiply: Callable, start: jax.Array) -> Callable[[], jax.Array]:
        @jax.jit
        def chain(matrices: list[jax.Array], order: jax.Array, x: jax.Array) -> jax.Array:
            # Rows of ones stay ones: the matrices are stochastic.
            branches = [partial(multiply, matrix) for matrix in matrices]
            return jax.lax.fori_loop(
                0, len(order), lambda i, x: jax.lax.switch(order[i], branches, x), x
            )

        return lambda: chain(matrices, order, start)

    runs = (
        run(as_rows, jnp.ones((rows, hidden))),
        run(as_columns, jnp.ones((hidden, rows) if rows > 1 else hidden)),
    )
    operations = 2.0 * rows * hidden * hidden * len(classes)
    return Work(operations, runs, len(classes) / len(order))


def by_emission(model: Model, rows: int, count: int) -> Work:
    """So many products of so many rows with the emissions of one voice."""
    emission = jnp.exp(model.log_emission[0, 0]).T
    hidden = emission.shape[1]
    repeats = max(LEAST, int(1e8 // (rows * hidden * N_VOICE)))

    @jax.jit
    def chain(tokens: jax.Array, emission: jax.Array, x: jax.Array) -> jax.Array:
        def again(_: int, x: jax.Array) -> jax.Array:
            # Each product waits for the one before, and is of ones again.
            return jnp.matmul(tokens * x[:, :1], emission, precision="highest")

        return jax.lax.fori_loop(0, repeats, again, x)

    start = (jnp.ones((rows, N_VOICE)), emission, jnp.ones((rows, hidden)))
    operations = 2.0 * rows * N_VOICE * hidden * count
    return Work(operations, (lambda: chain(*start),), count / repeats)


def works_of(layers: Layers, model: Model) -> list[Work]:
    """All multiplications of a pass, those of one shape together."""
    states = np.asarray(layers.states)[np.asarray(layers.active)]
    classes = np.asarray(model.classes)[: len(states)]
    # The pass goes backwards.
    works = [
        by_transition(model, int(rows), classes[states[:, 0] == rows][::-1])
        for rows in np.unique(states[:, 0])
    ]
    counts = zip(*np.unique(states, return_counts=True), strict=True)
    return works + [by_emission(model, int(rows), int(count)) for rows, count in counts]


def automata_of(name: str, compiled: Compiled) -> Sequence[LayeredAutomaton]:
    """The automata of a plan; of ``product`` those of its own constraints, in one."""
    if name != PRODUCT:
        return compiled.automata
    plan = compiled.scene.plan
    climaxes = [each for each in plan.others if isinstance(each, Climax)]
    own = [a for each in climaxes for a in each.automata(plan.timeline, plan.key_of_frame)]
    return conjoin(own, compiled.domains)


def held(layers: Layers, model: Model) -> int:
    """Bytes that one pass holds at once: arguments, result and temporary arrays."""
    memory: Any = checkpoints.lower(layers, model).compile().memory_analysis()
    lasting = memory.argument_size_in_bytes + memory.output_size_in_bytes
    return lasting + memory.temp_size_in_bytes


def row_of(name: str, hidden: int, measures: int) -> dict:
    """One measurement."""
    plan = plan_of(measures, PLANS[name])
    compiled = compile_plan(plan, load_ruleset("chorale"))
    frames = -(-plan.timeline.n_frames // FRAME_BUCKET) * FRAME_BUCKET
    automata = automata_of(name, compiled)
    layers = [layers_of(a, compiled.domains, frames, LEAST_LAYERS) for a in automata]
    model = drawn_model(plan, frames, hidden)
    passes = [partial(checkpoints, each, model) for each in layers]
    for run in passes:
        jax.block_until_ready(run())
    works = [work for each in layers for work in works_of(each, model)]
    for work in works:
        for multiply in work.runs:
            multiply().block_until_ready()
    spent, floors = [], []
    for _ in range(TIMES):
        spent.append(sum(map(seconds, passes)))
        floors.append([[work.share * seconds(run) for run in work.runs] for work in works])
    taken = float(np.median(spent))
    medians = [np.median(runs, axis=0) for runs in zip(*floors, strict=True)]
    floor = float(sum(median.min() for median in medians))
    return {
        "plan": name,
        "hidden": hidden,
        "measures": measures,
        "widest": max(a.width for a in automata),
        "states": int(sum(a.n_states.sum() for a in automata)),
        "seconds": taken,
        "fastest": min(spent),
        "slowest": max(spent),
        "giga_operations": sum(work.operations for work in works) / 1e9,
        "floor_seconds": floor,
        "times_floor": taken / floor,
        "kept_gib": sum(part.nbytes for run in passes for part in run()) / GIB,
        "held_gib": max(held(each, model) for each in layers) / GIB,
        "resident_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB,
    }


def page(rows: Sequence[dict]) -> str:
    """The rows as Markdown."""
    header = ["plan", "hidden states", "widest layer", "states", "seconds", "fastest to slowest"]
    header += ["10^9 operations", "floor, s", "times the floor", "messages kept, GiB"]
    header += ["held by the pass, GiB", "process so far, GiB"]
    body = [
        [
            row["plan"],
            row["hidden"],
            row["widest"],
            row["states"],
            f"{row['seconds']:.3f}",
            f"{row['fastest']:.3f} to {row['slowest']:.3f}",
            f"{row['giga_operations']:.2f}",
            f"{row['floor_seconds']:.3f}",
            f"{row['times_floor']:.2f}",
            f"{row['kept_gib']:.2f}",
            f"{row['held_gib']:.2f}",
            f"{row['resident_gib']:.2f}",
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
        numbers = [int(hidden) for hidden in arguments.hidden.split(",")]
        rows = [
            row_of(name, hidden, arguments.measures)
            for name in arguments.plans.split(",")
            for hidden in (numbers[:1] if name == PRODUCT else numbers)
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
