"""How often do composing and checking disagree?

The search enforces rules on what it knows: the keys of the plan, and the chords that notes spell by
themselves. The checker reads the finished file, without the plan, and analyses it whole. A piece
disagrees where the first draft of it, before any was turned down, has an error-level finding on
reading it again.

    uv run python benchmarks/disagreement.py --n 100 --json OUT.jsonl --md OUT.md

Rows are kept as they come: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bootstrap import mean
from results import append_row, markdown_table, progress_bar, provenance, read_rows, write_text

import clausula as cl
from clausula.errors import SearchError

KEYS = ("G", "e", "D", "b", "F", "d", "Bb", "g", "C", "a", "A", "c")
METERS = ("4/4", "4/4", "3/4")
MEASURES = 16
SETS = ("chorale", "common-practice-strict")


def composed(rules: str, seed: int) -> dict[str, Any]:
    """One piece, and what its drafts were turned down for."""
    row: dict[str, Any] = {"rules": rules, "seed": seed}
    key, meter = KEYS[seed % len(KEYS)], METERS[seed % len(METERS)]
    try:
        report = cl.compose(MEASURES, key, meter=meter, rules=rules, seed=seed).report
    except SearchError as error:
        return row | {"gave_up": str(error), "dead_ends": error.dead_ends}
    return row | {
        "rejected": report["rejected_before"],
        "faults": report["rejected_for"],
        "dead_ends": report["dead_ends"],
        "seconds": report["seconds"],
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each rule set."""
    lines = []
    for rules in dict.fromkeys(row["rules"] for row in rows):
        own = [row for row in rows if row["rules"] == rules]
        done = [row for row in own if "gave_up" not in row]
        share = mean([[float(row["rejected"] > 0) for row in done]])
        codes = Counter(fault.split()[0] for row in done for fault in row["faults"])
        lines.append(
            (
                rules,
                len(done),
                len(own) - len(done),
                f"{100 * share.value:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f})",
                sum(row["rejected"] for row in done),
                ", ".join(f"{code} {times}" for code, times in codes.most_common()) or "none",
                sum(row["dead_ends"] > 0 for row in own),
            )
        )
    header = (
        "rule set",
        "pieces",
        "given up",
        "% whose first draft was turned down",
        "drafts turned down",
        "for",
        "with a dead end",
    )
    return markdown_table(header, lines)


def main() -> None:
    """Compose, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="pieces by each rule set")
    parser.add_argument("--rules", nargs="*", default=list(SETS), help="rule sets")
    parser.add_argument("--json", type=Path, help="JSON lines, kept as they come")
    parser.add_argument("--md", type=Path, help="the table")
    options = parser.parse_args()
    rows = read_rows(options.json) if options.json else []
    known = {(row["rules"], row["seed"]) for row in rows}
    left = [(r, s) for s in range(options.n) for r in options.rules if (r, s) not in known]
    with progress_bar() as bar:
        for rules, seed in bar.track(left, description="pieces"):
            rows.append(composed(rules, seed))
            if options.json:
                append_row(options.json, rows[-1])
    print(table(rows))
    if options.md:
        write_text(options.md, f"{table(rows)}\n\n{provenance()}\n")


if __name__ == "__main__":
    main()
