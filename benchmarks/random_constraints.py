"""Is a request at random always answered: by a piece that keeps it, or by a proof that none can?

Requests (``random_requests``) are composed as a user would, one after another in one process. Every
piece is written as MusicXML and judged from the file by the verifiers, by the checker with the
plan's keys and with inferred ones, and by `independent` as far as that knows what was asked. What
is refused as impossible is given to a solver of its own (``full_model``), with every token that
voices have at every place: *confirmed* means that it finds the named constraints unsatisfiable.

Conventions: a *dead end* is a pass of the search that leaves no hypothesis: *before* counts
requests whose first pass was one, *after* those for which no piece was found at the end. Rows are
kept as they come, one line a request, so that an interrupted run goes on where it stopped.

    uv run python benchmarks/random_constraints.py --n 1000 --seed 9 --json OUT.json --md OUT.md

``--shard 1/2`` does every second request; the rows of several shards may lie in one file.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import jax
from full_model import Verdict, verdict
from hard_constraints import asked
from independent import judge as judged_apart
from one_program import share_programs
from random_requests import Request, drawn
from results import (
    append_row,
    markdown_table,
    progress_bar,
    provenance,
    read_rows,
    write_text,
)

import clausula as cl
from clausula.checker.check import check
from clausula.constraints.rule import Severity
from clausula.constraints.soft import Soft
from clausula.constraints.transposition import UNMOVED
from clausula.errors import ImpossibleError
from clausula.grid import Voice
from clausula.gridding import to_grid
from clausula.piece import Piece
from clausula.verifying import every_hard_rule, judge

RULES = cl.load_ruleset("chorale")
# Compiled programs stay mapped in memory until they are let go; the disk keeps them.
HELD = 8 * 2**30  # bytes of memory at which they are
KNOWN_APART = ("PAC", "IAC", "HC")  # cadences that `independent` judges
PIECE, IMPOSSIBLE, GAVE_UP, REFUSED = "piece", "impossible", "gave up", "refused"


def answered(seed: int, number: int, beam: int) -> dict:
    """One request: composed and judged, or its refusal confirmed."""
    request = drawn(seed, number)
    row: dict = {"seed": seed, "number": number, "beam": beam, "request": request._asdict()}
    row["measured"] = provenance()
    began = time.perf_counter()
    try:
        piece = composed(request, number, beam)
    except ImpossibleError as error:
        row |= {"seconds": time.perf_counter() - began, "outcome": IMPOSSIBLE}
        return row | _confirmed(request, error)
    except cl.PlanError as error:
        return row | {"outcome": REFUSED, "message": str(error)}
    except cl.SearchError as error:
        row |= {"seconds": time.perf_counter() - began, "outcome": GAVE_UP}
        return row | {"message": str(error), "dead_end": error.first_dead_end}
    row |= {"seconds": time.perf_counter() - began, "outcome": PIECE}
    report = piece.report
    return row | {
        "dead_end": report["first_dead_end"],
        "recovery": report["recovery"],
        "rejected": report["rejected_before"],
        "violations": violations(piece),
    }


def composed(request: Request, seed: int, beam: int) -> Piece:
    """The piece that a user gets."""
    return cl.compose(
        request.measures,
        request.key,
        meter=request.meter,
        form=request.form,
        constraints=request.constraints,
        rules=RULES,
        beam=beam,
        seed=seed,
    )


def _confirmed(request: Request, error: ImpossibleError) -> dict:
    """What the solver says of a conflict."""
    began = time.perf_counter()
    said = verdict(request, error.conflict, RULES)
    return {
        "conflict": list(error.conflict),
        "prover": error.prover,
        "minimal": error.minimal,
        "confirmed": said is Verdict.UNSATISFIABLE,
        "verdict": said.value,
        "solver_seconds": time.perf_counter() - began,
    }


def violations(piece: Piece) -> list[str]:
    """What the written file breaks, by three judges."""
    plan = piece.plan
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        piece.write(path)
        score = cl.read_score(path)
        found = [f"independent: {reason}" for reason in judged_apart(path, _known_apart(piece))]
    quarter = plan.timeline.frames_per_quarter
    grid = to_grid(score, plan.key, quarter)
    for constraint in plan.constraints:
        if not isinstance(constraint, Soft):
            found += [f"{constraint}: {reason}" for reason in judge(grid, constraint, plan)]
    keys = [(Fraction(frame, quarter), key) for frame, key in plan.keys]
    strict = every_hard_rule(RULES)
    for report in (check(score, strict, plan.key, keys), check(score, RULES)):
        errors = (f for f in report.findings if f.severity is Severity.ERROR)
        found += [f"checker: {f.code} m. {f.measure} beat {f.beat}: {f.message}" for f in errors]
    return found


def _known_apart(piece: Piece) -> dict:
    """The plan as far as `independent` knows what is asked: it leaves out what it cannot judge."""
    plan = piece.plan
    known = replace(
        plan,
        cadences=tuple(c for c in plan.cadences if c.kind.value in KNOWN_APART),
        repeats=tuple(r for r in plan.repeats if r.how == UNMOVED and r.voices == (Voice.SOPRANO,)),
    )
    return asked(known)


def summary(rows: Sequence[dict]) -> dict[str, int]:
    """The counts that are asked for."""
    by = Counter(row["outcome"] for row in rows)
    return {
        "pieces": by[PIECE],
        "violations": sum(len(row.get("violations", ())) for row in rows),
        "dead_ends_before": sum(bool(row.get("dead_end")) for row in rows),
        "dead_ends_after": by[GAVE_UP],
        "impossible": by[IMPOSSIBLE],
        "impossible_confirmed": sum(row.get("confirmed", False) for row in rows),
        "refused": by[REFUSED],
    }


def page(rows: Sequence[dict], arguments: argparse.Namespace) -> str:
    """The results as Markdown."""
    counts = summary(rows)
    found = [row for row in rows if row["outcome"] == PIECE]
    dead = [row for row in rows if row.get("dead_end")]
    steps = Counter(row["recovery"] for row in found)
    provers = Counter(row["prover"] for row in rows if "prover" in row)
    seconds = [row["seconds"] for row in found] or [0.0]
    asked_for = [len(row["request"]["constraints"]) for row in rows]
    return "\n".join(
        [
            "# Requests at random",
            "",
            f"Caveats: {len(rows)} requests with seed {arguments.seed}, beam {arguments.beam}, "
            f"{median(asked_for):g} constraints each in the median, {max(asked_for)} at most; "
            "limits on copies are not said to the solver, as no conflict names them; "
            "seconds hold compilations.",
            "",
            markdown_table(list(counts), [list(counts.values())]),
            "",
            f"Found by: {_counted(steps)}. Provers: {_counted(provers)}. A piece took "
            f"{median(seconds):.1f} s in the median, {max(seconds):.0f} s at most.",
            "",
            *(f"- dead end of {row['number']} at {row['dead_end']}: {_asked(row)}" for row in dead),
            *(f"- {row['number']} ({row['outcome']}): {t}" for row in rows for t in _troubles(row)),
            "",
            f"Measured with {'; '.join(sorted({row['measured'] for row in rows}))}:",
            "",
            f"    uv run python benchmarks/random_constraints.py --n {arguments.n} "
            f"--seed {arguments.seed} --json OUT.json --md OUT.md",
            "",
        ]
    )


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.most_common()) or "none"


def _asked(row: dict) -> str:
    """The request in words, and what found the piece."""
    request = row["request"]
    return (
        f"{request['key']}, {request['meter']}, {request['measures']} measures, "
        f"{request['form']}; {'; '.join(request['constraints'])} "
        f"({row.get('recovery', row['outcome'])})"
    )


def _troubles(row: dict) -> list[str]:
    """What is wrong with an answer."""
    found = [*row.get("violations", ())]
    if "message" in row:
        found.append(row["message"])
    if row.get("confirmed") is False:
        found.append(f"{row['verdict']}: {'; '.join(row['conflict'])}")
    return found


def resident() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not say (not Linux)."""
    said = Path("/proc/self/statm")
    return int(said.read_text().split()[1]) * resource.getpagesize() if said.exists() else 0


def main() -> int:
    """Command line; 1 when something is wrong, refused, given up or not confirmed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=50, help="requests")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--beam", type=int, default=32)
    parser.add_argument("--shard", default="1/1", help="which part of the requests: 1/2, 2/2")
    parser.add_argument("--json", type=Path, required=True, help="where to write the counts")
    parser.add_argument("--rows", type=Path, help="where rows are kept; beside --json by default")
    parser.add_argument("--md", type=Path, help="where to write the table")
    arguments = parser.parse_args()
    shard, shards = (int(part) for part in arguments.shard.split("/"))
    kept = arguments.rows or arguments.json.with_suffix(".jsonl")
    wanted = range(shard - 1, arguments.n, shards)

    def own() -> dict[int, dict]:
        found = [row for row in read_rows(kept) if row["seed"] == arguments.seed]
        return {row["number"]: row for row in found if row["beam"] == arguments.beam}

    done = own()
    share_programs()
    with progress_bar() as progress:
        for number in progress.track(wanted, description="composing"):
            if number in done:
                continue
            append_row(kept, answered(arguments.seed, number, arguments.beam))
            if resident() > HELD:
                jax.clear_caches()
    rows = [row for number, row in sorted(own().items()) if number < arguments.n]
    counts = summary(rows)
    write_text(arguments.json, json.dumps(counts, indent=1) + "\n")
    text = page(rows, arguments)
    print(text)
    if arguments.md:
        write_text(arguments.md, text)
    confirmed = counts["impossible"] == counts["impossible_confirmed"]
    wrong = counts["violations"] + counts["dead_ends_after"] + counts["refused"]
    return 0 if confirmed and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
