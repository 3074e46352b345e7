"""Which rare melodic intervals do the constraints, and the cut of the tail, take away?

Drafts are counted before any is chosen: with all constraints, with none, and with none and no tail
cut, beside the bundled 4/4 major chorales. Two keys, two seeds, 32 drafts each.

    uv run python benchmarks/interval_drafts.py --md OUT.md
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from results import markdown_table, provenance, write_text

from clausula.constraints.rulesets import load_ruleset
from clausula.corpus import load_chorales, statistics
from clausula.engine.beam import SearchConfig
from clausula.engine.plan import make_plan
from clausula.engine.tables import compile_plan
from clausula.grid import Grid, Meter
from clausula.pitch import Key, Mode
from clausula.searching import Session

ROWS = (
    ("S", "fourth to fifth"),
    ("S", "larger"),
    ("T", "larger"),
    ("B", "unison"),
    ("B", "larger"),
)
KEYS = ("G", "A")
SEEDS = (100, 101)


def drafts(constrained: bool, config: SearchConfig) -> list[Grid]:
    """Every surviving hypothesis of a few searches."""
    ruleset = load_ruleset("chorale" if constrained else "none")
    grids = []
    for key in KEYS:
        plan = make_plan(key=Key.parse(key), meter=Meter(4, 4), measures=16)
        if not constrained:
            plan = replace(plan, cadences=(), repeats=())
        session = Session(plan, compile_plan(plan, ruleset), ruleset, config)
        for seed in SEEDS:
            grids += [draft.grid for draft in session.search(seed).drafts("")]
    return grids


def shares(grids: Sequence[Grid]) -> list[float]:
    """Share of each of ``ROWS`` among its voice's melodic intervals."""
    intervals = statistics(grids)["melodic_intervals"]
    return [intervals[voice][name] for voice, name in ROWS]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--md", type=Path, required=True)
    arguments = parser.parse_args()
    corpus = [
        grid
        for grid in load_chorales().grids
        if grid.meter == Meter(4, 4) and grid.key.mode is Mode.MAJOR
    ]
    groups = {
        f"{len(corpus)} bundled, 4/4 major": corpus,
        "constraints": drafts(True, SearchConfig()),
        "none": drafts(False, SearchConfig()),
        "none, no tail cut": drafts(False, SearchConfig(tail=0.0)),
    }
    columns = [shares(grids) for grids in groups.values()]
    rows = [
        [f"{voice}, {name}", *(f"{column[i]:.3f}" for column in columns)]
        for i, (voice, name) in enumerate(ROWS)
    ]
    table = markdown_table(("share of melodic intervals", *groups), rows)
    print(table)
    write_text(
        arguments.md, f"# Rare melodic intervals\n\n{table}\n\nMeasured with {provenance()}\n"
    )


if __name__ == "__main__":
    main()
