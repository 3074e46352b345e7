"""What does each constraint cost, and what does it buy? Named constraint sets over the same seeds.

None, each part alone, all, all as wishes, and all but each part in turn (`named_sets.py`) are asked
of the same plans with the same seeds, by the search that composing uses, one piece each. Whatever a
set asked, its pieces are judged by everything: every finding of the whole rule set, the plan's
cadences and returns, the longest copy from the corpus. Own sets are a TOML file.

    uv run python benchmarks/constraint_sets.py --json OUT.jsonl --md OUT.md --html OUT.html
    uv run python benchmarks/constraint_sets.py --quick --json OUT.jsonl
    uv run python benchmarks/constraint_sets.py --sets MINE.toml --only calm,all --json OUT.jsonl

Rows are kept as they come, one line a piece: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from copied_runs import CopiedRuns
from named_sets import ConstraintSet, bundled, load_sets
from openings import real_openings
from results import append_row, commit, progress_bar, provenance, read_rows, write_text
from set_page import page
from set_report import REAL, report
from written_notes import notes_of

from clausula.checker.check import check
from clausula.constraints.rulesets import load_ruleset
from clausula.corpus import held_out, load_chorales
from clausula.engine.beam import SearchConfig
from clausula.engine.plan import Plan, make_plan
from clausula.engine.search import searched
from clausula.engine.tables import compile_plan
from clausula.errors import ClausulaError, ImpossibleError, InputError, SearchError
from clausula.finding import Found, find
from clausula.grid import Grid, Meter
from clausula.gridding import to_score
from clausula.pitch import Key
from clausula.score import Score
from clausula.searching import Session
from clausula.verifying import every_hard_rule, judge

JUDGED_BY = load_ruleset("chorale")
METER = Meter(4, 4)


class Outline(NamedTuple):
    """A plan that every set is asked for; its cadences and returns are the form's own."""

    key: str
    form: str

    def plan(self, measures: int, asked: ConstraintSet | None = None) -> Plan:
        """The whole plan, with what a set asks for besides.

        Raises:
            PlanError: they contradict each other.
        """
        return make_plan(
            key=Key.parse(self.key),
            meter=METER,
            measures=measures,
            form=self.form,
            constraints=asked.asked() if asked else (),
        )


OUTLINES = {
    f"{key}: {form}": Outline(key, form)
    for key, form in (("G", "A A' B A"), ("e", "A B A B"), ("Bb", "A B A' B"), ("d", "A A B B"))
}
QUICK = {"G: A A'": Outline("G", "A A'")}


class Size(NamedTuple):
    """How much is measured."""

    outlines: dict[str, Outline]
    seeds: int
    measures: int
    beam: int


class Task(NamedTuple):
    """One piece to compose."""

    asked: ConstraintSet
    outline: str
    seed: int
    measures: int
    beam: int

    @property
    def named(self) -> dict[str, Any]:
        """By which a row is found again: a set that was changed meanwhile is another one."""
        described = {"set": self.asked.name, "asked": self.asked.described()}
        return described | {name: getattr(self, name) for name in self._fields[1:]}


@cache
def corpus_runs() -> CopiedRuns:
    """The chorales of the package, all of them, as `max-copy` knows them."""
    return CopiedRuns(load_chorales().grids)


def tasks(sets: Sequence[ConstraintSet], size: Size) -> Iterator[Task]:
    """Everything that is to be composed, a set and a plan at a time."""
    for asked in sets:
        for outline in size.outlines:
            for seed in range(size.seeds):
                yield Task(asked, outline, seed, size.measures, size.beam)


def missing(wanted: Sequence[Task], rows: Sequence[dict]) -> list[Task]:
    """The tasks that no row answers yet."""
    return [task for task in wanted if not of_task(task, rows)]


def of_task(task: Task, rows: Sequence[dict]) -> list[dict]:
    """The rows that answer a task."""
    named = task.named
    return [row for row in rows if all(row.get(name) == named[name] for name in named)]


class Ready(NamedTuple):
    """A set's plan made ready for the search.

    Attributes:
        session: the search; none where the plan is impossible.
        plan: what the set asks.
        impossible: the proof, in words.
    """

    session: Session | None
    plan: Plan
    impossible: str = ""


def ready(task: Task, outline: Outline) -> Ready:
    """Compile what a set asks of a plan.

    Raises:
        PlanError: the set's own constraints contradict themselves.
    """
    plan = task.asked.of(outline.plan(task.measures, task.asked))
    rules = task.asked.ruleset()
    try:
        compiled = compile_plan(plan, rules)
    except ImpossibleError as error:
        return Ready(None, plan, str(error))
    return Ready(Session(plan, compiled, rules, SearchConfig(beam=task.beam)), plan)


def compose(task: Task, prepared: Ready, outline: Outline) -> dict[str, Any]:
    """One piece, judged by everything; or why there is none."""
    if prepared.session is None:
        return {"impossible": prepared.impossible}
    programs = searched._cache_size()
    began = time.perf_counter()
    try:
        found = find(
            prepared.session, prepared.plan, task.asked.ruleset(), 1, task.seed, task.asked.name
        )
    except SearchError as error:
        return {"gave_up": str(error)}
    seconds = time.perf_counter() - began
    compiled = searched._cache_size() > programs
    (one,) = found.accepted
    whole = outline.plan(task.measures)
    return {
        "seconds": round(seconds, 2),
        "compiled": compiled,  # then the seconds hold the compilation
        **searched_well(found),
        **judged_by_plan(one.grid, whole),
        **judged_by_rules(one.score, whole),
        **copied(one.grid, corpus_runs()),
        "notes": notes_of(one.grid),
    }


def searched_well(found: Found) -> dict[str, Any]:
    """How the search went, and whether what was asked was kept."""
    accepted = found.accepted[0].report
    hard, wishes = (
        [v for v in accepted["verified"] if v["hard"] is hard] for hard in (True, False)
    )
    return {
        "asked_hard": len(hard),
        "kept_hard": sum(v["holds"] for v in hard),
        "wishes": len(wishes),
        "granted": sum(v["holds"] for v in wishes),
        "nats": accepted["nats_per_frame"],
        "taste": accepted["taste"]["score"],
        "dead_ends": found.dead_ends,
        "rejected": found.rejected,
    }


def judged_by_plan(grid: Grid, plan: Plan) -> dict[str, list[bool]]:
    """Which of a plan's cadences and returns hold, asked for or not."""
    return {
        "cadences": [not judge(grid, cadence, plan) for cadence in plan.cadences],
        "returns": [not judge(grid, repeat, plan) for repeat in plan.repeats],
    }


def judged_by_rules(score: Score, plan: Plan | None) -> dict[str, Any]:
    """Findings of the whole rule set by code, in the plan's local keys.

    Args:
        score: the piece.
        plan: the keys are inferred where there is none.
    """
    strict = every_hard_rule(JUDGED_BY)
    if plan is None:
        found = check(score, strict).findings
    else:
        quarter = plan.timeline.frames_per_quarter
        keys = [(Fraction(frame, quarter), key) for frame, key in plan.keys]
        found = check(score, strict, plan.key, keys).findings
    hard = {rule.code for rule in JUDGED_BY.hard}
    return {
        "beats": float(score.length),
        "findings": Counter(f.code for f in found),
        "faults": sum(f.code in hard for f in found),
    }


def copied(grid: Grid, corpus: CopiedRuns) -> dict[str, int]:
    """The longest copies, in notes of a voice and in verticalities."""
    longest = corpus.longest(grid)
    return {"copied_notes": longest.notes, "copied_verticalities": longest.verticalities}


def real_rows(measures: int) -> list[dict]:
    """Openings of held-out chorales, judged likewise: the yardstick.

    Copies are looked for in the chorales that are not held out.
    """
    corpus = load_chorales()
    apart = set(held_out(corpus))
    others = CopiedRuns([grid for i, grid in enumerate(corpus.grids) if i not in apart])
    return [
        {"set": REAL, "outline": REAL, "seed": index, "measures": measures}
        | judged_by_rules(to_score(opening), None)
        | copied(opening, others)
        | {"notes": notes_of(opening)}
        for index, opening in real_openings(measures, METER)
    ]


def chosen_sets(file: Path | None, only: str | None) -> list[ConstraintSet]:
    """The bundled sets and those of a file, or some of them by name.

    Raises:
        InputError: the file means nothing, or there is no such set.
    """
    known = bundled() | (load_sets(file) if file else {})
    names = [name.strip() for name in only.split(",")] if only else list(known)
    for name in names:
        if name not in known:
            raise InputError(f"--only: no set {name!r}; try {', '.join(known)}")
    return [known[name] for name in names]


def run(wanted: Sequence[Task], outlines: dict[str, Outline], path: Path) -> None:
    """Compose what is missing, a line a piece."""
    prepared: tuple[tuple, Ready] | None = None
    made = commit()
    with progress_bar() as progress:
        for task in progress.track(missing(wanted, read_rows(path)), description="composing"):
            outline = outlines[task.outline]
            if prepared is None or prepared[0] != (task.asked, task.outline):
                prepared = (task.asked, task.outline), ready(task, outline)
            row = task.named | {"commit": made} | compose(task, prepared[1], outline)
            append_row(path, row)


def asked_for(given: argparse.Namespace) -> str:
    """The options that decide the numbers, as they are written."""
    if given.quick:
        options = ["--quick"]
    else:
        options = [f"--{name} {getattr(given, name)}" for name in ("seeds", "measures", "beam")]
    options += [f"--sets {given.sets.name}"] if given.sets else []
    options += [f'--only "{given.only}"'] if given.only else []
    return " ".join(options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one plan of 8 measures, 3 seeds")
    parser.add_argument("--seeds", type=int, default=5, help="pieces a set and plan")
    parser.add_argument("--measures", type=int, default=16)
    parser.add_argument("--beam", type=int, default=16)
    parser.add_argument("--sets", type=Path, help="own sets, a TOML file")
    parser.add_argument("--only", help="some sets, by name, separated by commas")
    parser.add_argument("--json", type=Path, required=True, help="rows, one line a piece")
    parser.add_argument("--md", type=Path, help="where to write the tables")
    parser.add_argument("--html", type=Path, help="where to write the page")
    given = parser.parse_args(arguments)
    size = Size(OUTLINES, given.seeds, given.measures, given.beam)
    if given.quick:
        size = Size(QUICK, 3, 8, 8)
    try:
        sets = chosen_sets(given.sets, given.only)
        wanted = list(tasks(sets, size))
        run(wanted, size.outlines, given.json)
    except ClausulaError as error:
        print(f"constraint_sets: {error}", file=sys.stderr)
        return 2
    kept = read_rows(given.json)
    rows = [of_task(task, kept)[-1] for task in wanted] + real_rows(size.measures)
    command = f"{asked_for(given)} --json OUT.jsonl --md OUT.md --html OUT.html"
    text = report(rows, provenance(), command)
    print(text)
    if given.md:
        write_text(given.md, text)
    if given.html:
        write_text(given.html, page(rows, size.outlines, provenance(), command))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
