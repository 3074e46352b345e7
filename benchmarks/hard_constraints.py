"""Does every hard constraint hold in what is written? Three plans, many seeds, judged from files.

Every piece is written as MusicXML and judged by `independent`, which shares no code with the
program, and by the project's own checker as a user would run it (key inferred). Rows are kept as
they come, one line a piece, so that an interrupted run goes on where it stopped.

    uv run python benchmarks/hard_constraints.py --seeds 50 --json OUT.jsonl --md OUT.md
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from independent import judge
from results import (
    append_row,
    markdown_table,
    progress_bar,
    provenance,
    read_rows,
    write_text,
)

import clausula as cl

MAJOR = ("C", "D", "Eb", "F", "G", "A", "Bb")
MINOR = ("c", "d", "e", "f", "g", "a", "b")


class Plan(NamedTuple):
    """What is asked of `clausula.compose`; ``cadences`` None means the form's own."""

    keys: tuple[str, ...]
    meter: str
    cadences: str | None = None


PLANS = {
    "4/4 major": Plan(MAJOR, "4/4"),
    "3/4 minor": Plan(MINOR, "3/4"),
    "4/4 major, to the dominant": Plan(MAJOR, "4/4", "HC@4.3,PAC@8.3:V,HC@12.3,PAC@16.3"),
}


def asked(plan: Any) -> dict:
    """What `independent.judge` is told of a composed piece's plan.

    Raises:
        ValueError: the plan asks for what the verifier cannot judge.
    """
    for repeat in plan.repeats:
        places = (repeat.source.start, repeat.source.end, repeat.at)
        # Tonal returns and those to another key have no interval.
        interval = getattr(repeat.how, "interval", None)
        if any(place.beat != 1 for place in places) or interval != (0, 0):
            raise ValueError(f"{repeat} is no return of whole measures at the same pitch")
    per_quarter = plan.timeline.frames_per_quarter
    return {
        "key": str(plan.key),
        "meter": str(plan.timeline.meter),
        "measures": plan.timeline.measures,
        "cadences": [
            {
                "kind": cadence.kind.value,
                "measure": cadence.measure,
                "beat": str(cadence.beat),
                "key": str(cadence.key_in(plan.key)),
            }
            for cadence in plan.cadences
        ],
        "returns": [
            {
                "source": [repeat.source.start.measure, repeat.source.end.measure - 1],
                "at": repeat.at.measure,
            }
            for repeat in plan.repeats
        ],
        "phrase_ends": [phrase.last for phrase in plan.phrases],
        "keys": [[str(Fraction(frame, per_quarter)), str(key)] for frame, key in plan.keys],
    }


def measure(name: str, seed: int) -> dict:
    """One piece: composed, written, judged."""
    plan = PLANS[name]
    key = plan.keys[seed % len(plan.keys)]
    row: dict = {"plan": name, "seed": seed, "key": key}
    try:
        piece = cl.compose(key=key, meter=plan.meter, cadences=plan.cadences, seed=seed)
    except cl.SearchError as error:
        return row | {"gave_up": str(error)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        piece.write(path)
        violations = judge(path, asked(piece.plan))
        findings = cl.check(path).to_json()["findings"]
    errors = [finding for finding in findings if finding["severity"] == "error"]
    return row | {
        "violations": violations,
        "checker_errors": [f"{f['code']} m. {f['measure']}: {f['message']}" for f in errors],
        **{name: piece.report[name] for name in ("dead_ends", "rejected_before", "seconds")},
    }


def summary(rows: list[dict]) -> list[list[object]]:
    """The table's rows: one a plan, then all together."""
    groups = {name: [row for row in rows if row["plan"] == name] for name in PLANS}
    table = []
    for name, group in (groups | {"all": rows}).items():
        if not group:
            continue
        done = [row for row in group if "gave_up" not in row]
        table.append(
            [
                name,
                len(done),
                sum(bool(row["violations"]) for row in done),
                sum(bool(row["checker_errors"]) for row in done),
                len(group) - len(done),
                sum(row["dead_ends"] for row in done),
                sum(bool(row["dead_ends"]) for row in done),
                sum(row["rejected_before"] for row in done),
                f"{median(row['seconds'] for row in done):.1f}" if done else "",
            ]
        )
    return table


HEADER = (
    "plan",
    "pieces",
    "with violations",
    "with checker errors",
    "gave up",
    "dead ends",
    "pieces with dead ends",
    "rejected before",
    "median seconds",
)


def page(rows: list[dict], seeds: int) -> str:
    """The results as Markdown."""
    codes = Counter(
        code
        for row in rows
        for code in {reason.split()[0].rstrip(":") for reason in row.get("violations", ())}
    )
    found = ", ".join(f"{code} in {count}" for code, count in codes.most_common()) or "none"
    failures = [
        f"- {row['plan']}, seed {row['seed']}, {row['key']}: {reason}"
        for row in rows
        for reason in (
            *row.get("violations", ()),
            *(f"checker: {error}" for error in row.get("checker_errors", ())),
            *([f"gave up: {row['gave_up']}"] if "gave_up" in row else []),
        )
    ]
    return "\n".join(
        [
            "# Hard constraints in what is written",
            "",
            "Caveats: pieces were already read again and checked before they were returned "
            "(*rejected before* counts those that failed); the first piece's seconds hold the "
            "compilation; a *dead end* is a pass of the search that leaves no hypothesis.",
            "",
            markdown_table(HEADER, summary(rows)),
            "",
            f"Violations by code (pieces): {found}.",
            *(["", *failures] if failures else []),
            "",
            f"Measured with {provenance()}, default options:",
            "",
            f"    uv run python benchmarks/hard_constraints.py --seeds {seeds} "
            "--json OUT.jsonl --md OUT.md",
            "",
        ]
    )


def main() -> int:
    """Command line; 1 when a piece has a violation or an error, or the search gave up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50, help="pieces a plan")
    parser.add_argument("--json", type=Path, required=True, help="rows, one line a piece")
    parser.add_argument("--md", type=Path, help="where to write the table")
    arguments = parser.parse_args()
    wanted = [(name, seed) for name in PLANS for seed in range(arguments.seeds)]
    try:
        done = {(row["plan"], row["seed"]) for row in read_rows(arguments.json)}
        with progress_bar() as progress:
            bar = progress.add_task("composing", total=len(wanted))
            for name, seed in wanted:
                if (name, seed) not in done:
                    append_row(arguments.json, measure(name, seed))
                progress.advance(bar)
    except cl.ClausulaError as error:
        print(f"hard_constraints: {error}", file=sys.stderr)
        return 2
    rows = [row for row in read_rows(arguments.json) if (row["plan"], row["seed"]) in set(wanted)]
    text = page(rows, arguments.seeds)
    print(text)
    if arguments.md:
        write_text(arguments.md, text)
    clean = all(
        "gave_up" not in row and not row["violations"] and not row["checker_errors"] for row in rows
    )
    return 0 if clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
