"""The results of `constraint_sets.py` as tables: a row a set, intervals beside the means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from bootstrap import Interval, mean, mean_over_pairs
from named_sets import COPYING, WISH
from results import markdown_table
from written_notes import pitches

from clausula.constraints.copying import MaxCopy
from clausula.constraints.registry import RULES
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint

REAL = "held-out chorales"
LIMITS = [limit for text in COPYING if isinstance(limit := parse_constraint(text), MaxCopy)]
FRAMES_A_BEAT = 4
RUN = 4  # notes of the melodic runs of which the distinct ones are counted
Row = dict[str, Any]
Groups = list[list[Row]]  # by plan


class Measure(NamedTuple):
    """A number that every set has.

    Attributes:
        title: with its unit.
        of: its interval over finished pieces; what real pieces lack is NaN there.
        digits: after the point.
        same_plan: whether it compares pieces of one plan, which real pieces do not have.
        plotted: whether the page shows it at a glance.
    """

    title: str
    of: Callable[[Groups], Interval]
    digits: int = 2
    same_plan: bool = False
    plotted: bool = True


def _average(value: Callable[[Row], float]) -> Callable[[Groups], Interval]:
    def of(groups: Groups) -> Interval:
        return mean([[v for row in group if not np.isnan(v := value(row))] for group in groups])

    return of


def _share(name: str) -> Callable[[Row], float]:
    """Percent of the cadences, or returns, that hold; NaN where there are none."""

    def of(row: Row) -> float:
        return 100 * float(np.mean(row[name])) if row.get(name) else np.nan

    return of


def _pairs(value: Callable[[Row, Row], float]) -> Callable[[Groups], Interval]:
    def of(groups: Groups) -> Interval:
        tables = []
        for group in groups:
            table = np.zeros((len(group), len(group)))
            for i, j in combinations(range(len(group)), 2):
                table[i, j] = table[j, i] = value(group[i], group[j])
            tables.append(table)
        return mean_over_pairs(tables)

    return of


def unlike(one: Row, other: Row) -> float:
    """Percent of voice frames in which two pieces sound different pitches."""
    frames = round(FRAMES_A_BEAT * one["beats"])
    sounding = [pitches(row["notes"], frames) for row in (one, other)]
    return 100 * float((sounding[0] != sounding[1]).mean())


def runs(row: Row) -> list[tuple[int, ...]]:
    """The intervals of every ``RUN`` notes in a row of every voice."""
    found = []
    for notes in row["notes"]:
        moves = np.diff([semitone for _, semitone in notes])
        found += [tuple(moves[i : i + RUN - 1]) for i in range(len(moves) - RUN + 2)]
    return found


def distinct(one: Row, other: Row) -> float:
    """Percent of the runs of two pieces, counted together, that are different ones."""
    together = runs(one) + runs(other)
    return 100 * len(set(together)) / len(together)


def everything(row: Row) -> float:
    """100 where a piece keeps all that the set ``all`` asks, else 0; NaN where there is no plan."""
    if "cadences" not in row:
        return np.nan
    copies = row["copied_notes"], row["copied_verticalities"]
    original = all(n < limit.length for n, limit in zip(copies, LIMITS, strict=True))
    kept = original and not row["faults"] and all(row["cadences"]) and all(row["returns"])
    return 100.0 * kept


MEASURES = (
    Measure("keeps all that `all` asks, %", _average(everything), 0),
    Measure("faults per 100 beats", _average(lambda row: 100 * row["faults"] / row["beats"])),
    Measure("cadences found, %", _average(_share("cadences")), 0),
    Measure("returns found, %", _average(_share("returns")), 0),
    Measure("nats per frame", _average(lambda row: row.get("nats", np.nan)), 3),
    Measure("taste score", _average(lambda row: row.get("taste", np.nan)), 1, plotted=False),
    Measure("longest copy, notes", _average(lambda row: row["copied_notes"]), 1),
    Measure(
        "longest copy, verticalities",
        _average(lambda row: row["copied_verticalities"]),
        1,
        plotted=False,
    ),
    Measure("unlike each other, %", _pairs(unlike), 0, same_plan=True),
    Measure(f"distinct runs of {RUN}, %", _pairs(distinct), 0, same_plan=True, plotted=False),
)


def by_set(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each set, in the order in which they come."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["set"], []).append(row)
    return groups


def finished(rows: Sequence[Row]) -> Groups:
    """The rows that are pieces, by plan."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if "notes" in row:
            groups.setdefault(row["outline"], []).append(row)
    return list(groups.values())


def measured(rows: Sequence[Row]) -> list[Interval]:
    """Every one of ``MEASURES`` of one set."""
    groups, real = finished(rows), rows[0]["set"] == REAL
    return [each.of([] if real and each.same_plan else groups) for each in MEASURES]


def interval_cell(found: Interval, digits: int) -> str:
    """``1.32 (1.30 to 1.35)``; empty where nothing was measured."""
    if np.isnan(found.value):
        return ""
    value, low, high = (f"{number:.{digits}f}" for number in found)
    return value if low == high else f"{value} ({low} to {high})"


def quality_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of what the pieces are like."""
    header = ["set", *(each.title for each in MEASURES)]
    body = [
        [
            name,
            *(interval_cell(f, m.digits) for f, m in zip(measured(group), MEASURES, strict=True)),
        ]
        for name, group in by_set(rows).items()
    ]
    return header, body


def search_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of how the searches went."""
    header = [
        "set", "asked for", "found", "hard constraints kept", "wishes granted", "dead ends",
        "turned down", "gave up", "impossible", "seconds (median)",
    ]  # fmt: skip
    body = []
    for name, group in by_set(rows).items():
        if name == REAL:
            continue
        done = [row for row in group if "notes" in row]
        seconds = [row["seconds"] for row in done if not row["compiled"]]
        counts = {
            key: sum(row[key] for row in done)
            for key in ("asked_hard", "kept_hard", "wishes", "granted", "dead_ends", "rejected")
        }
        numbers = [
            len(group),
            len(done),
            f"{counts['kept_hard']} of {counts['asked_hard']}",
            f"{counts['granted']} of {counts['wishes']}" if counts["wishes"] else "",
            counts["dead_ends"],
            counts["rejected"],
            sum("gave_up" in row for row in group),
            sum("impossible" in row for row in group),
            f"{median(seconds):.1f}" if seconds else "",
        ]
        body.append([name, *map(str, numbers)])
    return header, body


def rule_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of findings per 100 beats by rule."""
    codes = [setting.code for setting in load_ruleset("chorale").settings]
    body = []
    for name, group in by_set(rows).items():
        done = [row for rows_of_plan in finished(group) for row in rows_of_plan]
        beats = sum(row["beats"] for row in done)
        counts = [sum(row["findings"].get(code, 0) for row in done) for code in codes]
        body.append([name, *(f"{100 * count / beats:.1f}" if beats else "" for count in counts)])
    return ["set", *codes], body


def caveats(rows: Sequence[Row]) -> list[str]:
    """What has to be known to read the numbers."""
    composed = [row for row in rows if row["set"] != REAL]
    plans = sorted({row["outline"] for row in composed})
    seeds = len({row["seed"] for row in composed})
    (measures,) = {row["measures"] for row in composed}
    commits = ", ".join(sorted({row["commit"] for row in composed}))
    real = [row for row in rows if row["set"] == REAL]
    codes = ", ".join(rule.code for rule in load_ruleset("chorale").hard)
    return [
        f"{len(plans)} plan{'s' * (len(plans) > 1)} of {measures} measures ({'; '.join(plans)}) "
        f"and {seeds} seeds a set, by the shipped network; in brackets 95 % bootstrap intervals "
        "over the seeds. They speak of other seeds for these plans, not of other plans; of few "
        "seeds they are too narrow, and where all pieces agree there is none.",
        "Every set keeps the plan's outline: phrases begin with notes, voices do not rest, the "
        "network is told where phrases end. Only a set that asks for returns is told of them.",
        "A piece is the hypothesis nearest to real pieces in taste among those that keep what its "
        "own set asks. *Faults* are violations of the chorale rule set's hard rules "
        f"({codes}), one a place, whether the set asked for them or not.",
        f"*Wishes* cost {WISH:g} nats each where they are not granted, soft rules as much a "
        "quarter note; motions (M01, M02, V20, L01, T01) have no price in the engine: `all-soft` "
        f"leaves them free. *Anti-plagiarism* is {' and '.join(COPYING)}.",
        f"*{REAL}* are {len(real)} openings as long, in 4/4, judged in inferred keys; their copies "
        "are looked for in the chorales that are not held out, those of written pieces in all.",
        "*Keeps all*: the plan's cadences and returns, every hard rule, and the limits on copies. "
        "*Unlike each other*: voice frames with different pitches, over pairs of seeds. *Distinct "
        f"runs*: different ones among the melodic runs of {RUN} notes of two pieces. Seconds are "
        "of the search with writing and verifying, compilation left out, on a shared machine.",
        f"The pieces were composed at {commits}.",
    ]


def report(rows: Sequence[Row], where: str, command: str) -> str:
    """The results as Markdown."""
    names = ", ".join(f"{code} {RULES[code].name.lower()}" for code in rule_table(rows)[0][1:])
    return "\n".join(
        [
            "# Constraint sets",
            "",
            *(f"- {caveat}" for caveat in caveats(rows)),
            "",
            "## What the pieces are like",
            "",
            markdown_table(*quality_table(rows)),
            "",
            "## Findings per 100 beats, by rule",
            "",
            markdown_table(*rule_table(rows)),
            "",
            f"Rules: {names}.",
            "",
            "## How the searches went",
            "",
            markdown_table(*search_table(rows)),
            "",
            f"Tables made with {where}:",
            "",
            f"    uv run python benchmarks/constraint_sets.py {command}",
            "",
        ]
    )
