"""What the search costs: time and memory by length, beam, pieces at once, hidden and other states.

Every row is one plan searched by the shipped network, compiled beforehand, and beside it *the same
search without hidden Markov model and masks*: the same network, beams, randomness and loop
(`SearchConfig(free=True)`). Runs alternate, and the overhead is the median of the ratios of
neighbours. The backward pass is timed apart and taken out of the overhead: what it takes before
the first note, and what the search works out again as it goes (`again`: the boundaries of each
segment, and the messages of every theme once it is known), spread over the tokens of a piece. The
column `overhead with it` leaves it in. A committed token is one voice's in one frame of one
finished piece, whatever the beam.

Rows are kept in the JSON file as they come: an interrupted run goes on where it stopped.

    uv run python benchmarks/search.py --json OUT.json --md OUT.md
    uv run python benchmarks/search.py --quick --json OUT.json
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from messages import drawn_model, plan_of
from results import Compilations, markdown_table, progress_bar, provenance, write_text

from clausula.constraints.rulesets import load_ruleset
from clausula.engine.beam import SearchConfig
from clausula.engine.foresight import (
    Foresight,
    Known,
    foresee,
    renewed,
    room_for_segment,
    segment_ahead,
)
from clausula.engine.messages import SEGMENT, Model, laid
from clausula.engine.search import search
from clausula.engine.tables import SearchTables, compile_plan
from clausula.searching import Session

RULES = load_ruleset("chorale")
RUNS = 5
GIB = 2**30
MORE = {  # further constraints, for wider automata
    "default": (),
    "climax": ("climax once S",),
    "climax and count": ("climax once S", "count 40-60 notes in S"),
}


class Case(NamedTuple):
    """One row.

    Attributes:
        measures: of 4/4.
        beams: hypotheses a piece.
        batch: pieces at once.
        hidden: states of the hidden Markov model; the shipped one has 512, others are drawn.
        plan: name in ``MORE``.
    """

    measures: int = 16
    beams: int = 32
    batch: int = 1
    hidden: int = 512
    plan: str = "default"


QUICK = [Case(), Case(64), Case(beams=8), Case(beams=8, batch=8)]
WHOLE = [
    *(Case(measures) for measures in (16, 32, 64, 128, 256, 512)),
    *(Case(beams=beams) for beams in (1, 4, 8, 16, 64, 128, 256)),
    *(Case(beams=8, batch=batch) for batch in (4, 16, 64)),
    *(Case(hidden=hidden) for hidden in (1024, 2048)),
    *(Case(plan=plan) for plan in list(MORE)[1:]),
]


def _case(row: dict) -> Case:
    """The case that a row is of."""
    return Case(*(row[name] for name in Case._fields))


def _place(row: dict) -> int:
    """Where a row stands in the table."""
    every = [*WHOLE, *QUICK]
    return every.index(_case(row))


def session_of(case: Case) -> Session:
    """The plan of a row, made ready."""
    plan = plan_of(case.measures, MORE[case.plan])
    session = Session(plan, compile_plan(plan, RULES), RULES, SearchConfig(beam=case.beams))
    if case.hidden != session.tables.transition.shape[1]:
        drawn = drawn_model(plan, len(session.tables.class_of_frame), case.hidden)
        session.tables = session.tables._replace(
            initial=np.full(case.hidden, 1 / case.hidden, np.float32),
            transition=np.asarray(drawn.transition),
            log_emission=np.asarray(drawn.log_emission),
        )
    return session


@partial(jax.jit, static_argnames="themes")
def before(tables: SearchTables, themes: int) -> Foresight:
    """The backward pass before the first note."""
    return foresee(tables, _model(tables), themes)


@partial(jax.jit, static_argnames="renews")
def again(
    tables: SearchTables, ahead: Foresight, history: jax.Array, score: jax.Array, renews: bool
) -> jax.Array:
    """What the search works out again on its way, for finished pieces ``[P, N, T, V]``."""
    model = laid(_model(tables))

    def piece(history: jax.Array, score: jax.Array) -> jax.Array:
        def segment(index: jax.Array, carry: tuple) -> tuple:
            ahead, room, theme, until, total = carry
            if renews:
                known = Known(ahead, theme, score, until)
                ahead, theme, _, until = renewed(tables, model, history, known, index * SEGMENT)
            rows = segment_ahead(tables, model, ahead, index, room)
            return ahead, rows, theme, until, total + sum(each.log_scale[0, 0, 0] for each in rows)

        theme = jnp.zeros(len(score), jnp.int32)
        segments = -(-tables.n_frames // SEGMENT)
        carry = ahead, room_for_segment(ahead), theme, jnp.int32(0), 0 * score[0]
        return jax.lax.fori_loop(0, segments, segment, carry)[4]

    return jax.vmap(piece)(history, score)


def _model(tables: SearchTables) -> Model:
    return Model(tables.class_of_frame, tables.transition, tables.log_emission)


def seconds(run: Callable[[], Any]) -> float:
    """Time of a run."""
    began = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - began


def measure(case: Case, runs: int) -> dict[str, Any]:
    """One row."""
    session = session_of(case)
    tables, params = session.tables, session.loaded.proposal.params
    keys = jax.random.split(jax.random.key(0), case.batch)
    proposed = {"proposal_functions": session.loaded.proposal._replace(params=None)}

    def searching(config: SearchConfig) -> Any:
        return search(params, tables, keys, config=config, **proposed)

    bound = partial(searching, session.config)
    free = partial(searching, replace(session.config, free=True))
    compiling = Compilations()
    found = jax.block_until_ready(bound())
    compiled = compiling.seconds
    seconds(free)
    ahead = before(tables, session.config.themes)
    renews = session.config.themes > 1
    history, score = jnp.asarray(found.tokens), jnp.asarray(found.score)
    passes = [
        partial(before, tables, session.config.themes),
        partial(again, tables, ahead, history, score, renews),
    ]
    for run in passes:
        seconds(run)
    times = np.array([[seconds(run) for run in (bound, free, *passes)] for _ in range(runs)])
    whole, bare, backward, on_the_way = np.median(times, axis=0)
    # All of the backward pass is part of a whole search.
    steady = times[:, 0] - times[:, 2] - times[:, 3]
    tokens = 4 * session.plan.timeline.n_frames * case.batch
    return {
        **case._asdict(),
        "automaton_states": max(int(np.asarray(each.states).max()) for each in tables.layers),
        "seconds": float(whole),
        "seconds_per_token": float(whole) / tokens,
        "steady_seconds_per_token": float(np.median(steady)) / tokens,
        "free_seconds_per_token": float(bare) / tokens,
        "overhead_percent": 100 * float(np.median(steady / times[:, 1]) - 1),
        "overhead_with_backward_percent": 100 * float(np.median(times[:, 0] / times[:, 1]) - 1),
        "backward_seconds": float(backward),
        "again_seconds": float(on_the_way),
        "compile_seconds": compiled,
        "runs": runs,
        "measured": provenance(),
        "dead_ends": int((np.asarray(found.alive) == 0).any(axis=1).sum()),
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB,
        "device": jax.devices()[0].device_kind,
    }


def page(rows: Sequence[dict]) -> str:
    """The rows as Markdown."""
    header = ["measures", "beam", "pieces", "hidden", "automaton states", "seconds"]
    header += ["µs a token", "steady", "free", "overhead, %", "overhead with it, %"]
    header += ["before, s", "again, s", "compiled in, s", "GiB so far", "runs"]
    body = [
        [
            row["measures"],
            row["beams"],
            row["batch"],
            row["hidden"],
            row["automaton_states"],
            f"{row['seconds']:.2f}",
            *(
                f"{1e6 * row[name]:.0f}"
                for name in (
                    "seconds_per_token",
                    "steady_seconds_per_token",
                    "free_seconds_per_token",
                )
            ),
            f"{row['overhead_percent']:.1f}",
            f"{row['overhead_with_backward_percent']:.1f}",
            f"{row['backward_seconds']:.2f}",
            f"{row['again_seconds']:.2f}",
            f"{row['compile_seconds']:.0f}",
            f"{row['peak_gib']:.1f}",
            row["runs"],
        ]
        for row in rows
    ]
    # Rows that were taken up may be of other commits: all are named.
    measured = "; ".join(sorted({row["measured"] for row in rows}))
    devices = ", ".join(sorted({row["device"] for row in rows}))
    return "\n".join(
        [
            "# What the search costs",
            "",
            f"{measured}; device: {devices}. Default plans (`A A' B A`, cadences, returns, "
            "rule set chorale), medians of runs that alternate with the same search without hidden "
            "Markov model and masks (`free`). `steady` leaves the backward pass out.",
            "",
            "Caveats: where the device is a CPU no accelerator was there. Absolute times of a CPU "
            "that others use mean little, the ratios more. Compilation is timed once, without the "
            "cache of earlier runs only where there was none. Memory is the process's peak so far, "
            "rows in order.",
            "",
            markdown_table(header, body),
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="four rows, three runs each")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", type=Path, required=True, help="where to write the rows")
    parser.add_argument("--md", type=Path, help="where to write the table")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of rows, from 0")
    options = parser.parse_args(arguments)
    cases, runs = (QUICK, min(3, options.runs)) if options.quick else (WHOLE, options.runs)
    if options.only is not None:
        cases = [cases[number] for number in options.only]
    rows = json.loads(options.json.read_text()) if options.json.exists() else []
    done = {_case(row) for row in rows}
    with progress_bar() as progress:
        for case in progress.track([c for c in cases if c not in done], description="searching"):
            rows.append(measure(case, runs))
            rows.sort(key=_place)
            write_text(options.json, json.dumps(rows, indent=1) + "\n")
    text = page(rows)
    print(text)
    if options.md is not None:
        write_text(options.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
