"""Do long forms compose, with moved and inverted returns, and what are messages over ties worth?

Forms with returns of several kinds, 16 to 64 measures, by the shipped network. Each is searched by
masks alone, with the messages of the observed chain over tied positions, with messages of the
hidden Markov model by theme as well (up to four themes), and with those only, as composing does;
the same seeds side by side, one pass each: nothing is tried again. Hypotheses that are left are
written, read again and judged by the verifiers until one passes, as composing does.

    uv run python benchmarks/returns.py --seeds 8 --json OUT.jsonl --md OUT.md

Rows are kept as they come: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from results import (
    append_row,
    markdown_table,
    progress_bar,
    provenance,
    read_rows,
    write_text,
)

from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.beam import SearchConfig
from clausula.engine.plan import Plan, make_plan
from clausula.engine.tables import compile_plan
from clausula.finding import notated
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.searching import Session
from clausula.verifying import verify

RULES = load_ruleset("chorale")
SEARCHES = {
    "masks alone": SearchConfig(beam=32, ties=0.0, themes=1),
    "chain": SearchConfig(beam=32, ties=1.0, themes=1),
    "chain and themes": SearchConfig(beam=32, ties=1.0),
    "themes": SearchConfig(beam=32),
}


class Form(NamedTuple):
    """A form with the returns that are asked for besides its own."""

    letters: str
    measures: int
    key: str
    returns: tuple[str, ...]


FORMS = {
    "AABA, the second up a fifth": Form("A A B A", 16, "C", ("repeat 1-3 @ 5 up P5",)),
    "ABACA, the second to the relative minor": Form(
        "A B A C A", 20, "G", ("repeat 1-3 @ 9 to vi",)
    ),
    "ABAB, the last inverted": Form("A B A B", 32, "F", ("repeat 9-13 @ 25 inverted about A4",)),
    "ABACABBA, soprano and bass": Form(
        "A B A C A B B A", 64, "D", ("repeat 1-6 @ 17 in S,B", "repeat 9-14 @ 49 tonal down 1 in S")
    ),
}


def plan_of(form: Form) -> Plan:
    """What is asked."""
    return make_plan(
        key=Key.parse(form.key),
        meter=Meter(4, 4),
        measures=form.measures,
        form=form.letters,
        constraints=[parse_constraint(text) for text in form.returns],
    )


def session_of(form: Form, search: str) -> Session:
    """A search made ready."""
    plan = plan_of(form)
    return Session(plan, compile_plan(plan, RULES), RULES, SEARCHES[search])


def measure(session: Session, seed: int) -> dict:
    """One pass of the search, judged."""
    began = time.perf_counter()
    outcome = session.search(seed)
    seconds = time.perf_counter() - began
    frames = session.plan.timeline.n_frames
    row: dict = {"seconds": round(seconds, 2), "dead_ends": outcome.dead_ends, "rejected": 0}
    alive = np.asarray(outcome.result.score[0] > -np.inf)
    if alive.any():
        row["nats_of_all"] = float(-outcome.result.log_net[0][alive].mean() / frames)
    for draft in outcome.drafts("Return"):
        verified, report = verify(notated(draft.grid, session.plan, ""), session.plan, RULES)
        if not report.reaches("error") and all(v.holds for v in verified):
            return row | {"verified": True, "nats": -draft.log_net / frames}
        row["rejected"] += 1
    return row | {"verified": False, "where": outcome.first_dead_end}


def missing(rows: Sequence[dict], seeds: int) -> list[tuple[str, str, int]]:
    """What is still to be measured."""
    done = {(row["form"], row["search"], row["seed"]) for row in rows}
    wanted = [(f, w, s) for f in FORMS for w in SEARCHES for s in range(seeds)]
    return [one for one in wanted if one not in done]


HEADER = (
    "form", "measures", "search", "passes", "verified", "dead ends", "turned down",
    "nats per frame", "of all hypotheses", "seconds (median)",
)  # fmt: skip


def summary(rows: Sequence[dict]) -> list[list[object]]:
    """A row for each form and search."""
    table: list[list[object]] = []
    for name, form in FORMS.items():
        for search in SEARCHES:
            group = [r for r in rows if (r["form"], r["search"]) == (name, search)]
            if not group:
                continue
            kept = [row for row in group if row["verified"]]
            table.append(
                [
                    name,
                    form.measures,
                    search,
                    len(group),
                    len(kept),
                    sum(row["dead_ends"] for row in group),
                    sum(row["rejected"] for row in group),
                    f"{np.mean([row['nats'] for row in kept]):.3f}" if kept else "",
                    _mean_and_error([r["nats_of_all"] for r in group if "nats_of_all" in r]),
                    f"{median(row['seconds'] for row in group):.1f}",
                ]
            )
    return table


def _mean_and_error(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--md", type=Path)
    given = parser.parse_args(arguments)
    rows = read_rows(given.json)
    ready: tuple[tuple[str, str], Session] | None = None
    with progress_bar() as bar:
        for name, search, seed in bar.track(missing(rows, given.seeds)):
            if ready is None or ready[0] != (name, search):
                ready = (name, search), session_of(FORMS[name], search)
                ready[1].search(0, attempt=0)  # compiled before it is timed
            row = {"form": name, "search": search, "seed": seed} | measure(ready[1], seed)
            append_row(given.json, row)
            rows.append(row)
    table = markdown_table(HEADER, summary(rows))
    print(table)
    if given.md:
        write_text(given.md, f"{__doc__.strip()}\n\n{table}\n\n{provenance()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
