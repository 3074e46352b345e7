"""What do maximising, sampling and ranking do to the music? Statistics beside the corpus'.

The same plans and seeds, each by six ways of choosing: the best hypothesis of a maximising beam,
and of a greedy one; one sample of the guided proposal, with the tail of unlikely notes and without
it; and the hypothesis nearest in taste among those of one beam, and among those of four. Every
piece was written, read again and verified, as composing does; what is turned down, the next one
replaces.

    uv run python benchmarks/taste.py --json OUT.jsonl --md OUT.md

Rows are kept as they come: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bootstrap import Interval, mean
from distances import TITLES, distances
from openings import real_openings
from results import append_row, markdown_table, progress_bar, provenance, read_rows, write_text
from written_notes import grid_of_notes, notes_of

from clausula.constraints.rulesets import load_ruleset
from clausula.corpus import held_out, load_chorales
from clausula.engine.beam import SearchConfig
from clausula.engine.plan import Plan, make_plan
from clausula.engine.rendering import grid_of
from clausula.engine.tables import Compiled, compile_plan
from clausula.engine.taste import features, reference, taste, taste_terms
from clausula.finding import notated
from clausula.grid import Grid, Meter
from clausula.pitch import Key
from clausula.searching import Outcome, Session
from clausula.verifying import verify

RULES = load_ruleset("chorale")
METER = Meter(4, 4)
KEYS = ("G", "e", "D", "b", "F", "d", "Bb", "g", "C", "a", "A", "c")
FORMS = ("A A'", "A A")
Groups = dict[str, list[tuple[dict, Grid]]]  # what was kept of each piece, and it, by way
FOUR = 4  # beams among which the last way chooses


class Hypothesis(NamedTuple):
    """A finished piece of a search, not yet verified.

    Attributes:
        beam: which of the pieces searched at once it is one of.
        score: by which the search kept it: S, or perturbed log q, whose largest is a sample of q.
        nats: a frame, under the network.
        taste: its score.
    """

    beam: int
    score: float
    nats: float
    taste: float
    grid: Grid


class Way(NamedTuple):
    """How one of the finished pieces is chosen: the least by ``order``, among the first beams."""

    order: Callable[[Hypothesis], float]
    beams: int = 1


class Search(NamedTuple):
    """A search, and the ways of choosing from what it leaves."""

    config: SearchConfig
    ways: dict[str, Way]


def searches(beam: int) -> dict[str, Search]:
    """The searches that are compared."""
    best = Way(lambda each: -each.score)
    sampled = {
        "sampling": best,
        "ranking one beam": Way(lambda each: each.taste),
        "ranking four beams": Way(lambda each: each.taste, FOUR),
    }
    return {
        "greedy": Search(SearchConfig(beam=1, maximise=True), {"greedy": best}),
        "maximising": Search(SearchConfig(beam=beam, maximise=True), {"maximising": best}),
        "uncut": Search(SearchConfig(beam=beam, tail=0.0), {"sampling, tail uncut": best}),
        "sampled": Search(SearchConfig(beam=beam), sampled),
    }


def plan_of(number: int, measures: int) -> Plan:
    """One of the plans: a key and a form with a return."""
    return make_plan(
        key=Key.parse(KEYS[number]),
        meter=METER,
        measures=measures,
        form=FORMS[number // 2 % len(FORMS)],
    )


@cache
def compiled_plan(number: int, measures: int) -> tuple[Plan, Compiled]:
    """The same, compiled: once for all searches."""
    plan = plan_of(number, measures)
    return plan, compile_plan(plan, RULES)


def hypotheses(outcome: Outcome) -> list[Hypothesis]:
    """The finished pieces of a search."""
    result, frames = outcome.result, outcome.plan.timeline.n_frames
    found = []
    for beam, row in np.argwhere(np.asarray(result.score) > -np.inf):
        grid = grid_of(np.asarray(result.tokens)[beam, row], outcome.plan)
        nats, cost = (
            float(column[beam, row]) / frames for column in (-result.log_net, result.cost)
        )
        score = taste(taste_terms(grid, nats, cost))
        found.append(Hypothesis(int(beam), float(result.score[beam, row]), nats, score, grid))
    return found


def chosen(found: Sequence[Hypothesis], way: Way, plan: Plan) -> dict[str, Any]:
    """The first that verification accepts, in the way's order."""
    turned_down = 0
    for each in sorted((h for h in found if h.beam < way.beams), key=way.order):
        verified, report = verify(notated(each.grid, plan, ""), plan, RULES)
        if not report.reaches("error") and all(v.holds for v in verified):
            said = {"nats": each.nats, "taste": each.taste, "turned_down": turned_down}
            return said | {"notes": notes_of(each.grid)}
        turned_down += 1
    return {"turned_down": turned_down}


def measure(search: Search, session: Session, seed: int) -> dict[str, dict]:
    """What each way chooses from one search."""
    pieces = max(way.beams for way in search.ways.values())
    outcome = session.search(seed, pieces=pieces)
    found = hypotheses(outcome)
    return {name: chosen(found, way, session.plan) for name, way in search.ways.items()}


STATISTICS = {  # of one piece: title, factor and digits
    "held": ("frames in which a voice holds, %", 100, 1),
    "onsets": ("onsets per beat, mean of the voices", 1, 2),
    "chords": ("distinct chords per measure of 4/4", 4, 2),
    "longest_chord": ("longest unchanged chord, beats", 1, 2),
    "still": ("beats that bring the chord before, %", 100, 1),
    "together": ("voice pairs moving together, %", 100, 1),
    "leaps": ("melodic intervals from a fourth on, %", 100, 1),
    "dissonance": ("dissonance on strong beats, %", 100, 1),
    "pitch_similarity": ("self-similarity: pitches, %", 100, 1),
    "rhythm_similarity": ("self-similarity: onsets, %", 100, 1),
}


def described(grid: Grid) -> dict[str, float]:
    """``STATISTICS`` of one piece."""
    return features(grid) | {"held": float(1 - grid.onset.mean())}


def statistics_table(groups: Groups, real: Sequence[Grid]) -> tuple[list[str], list[list[str]]]:
    """A column a way, and the corpus'; means over pieces with intervals."""
    columns = {name: [described(grid) for _, grid in pieces] for name, pieces in groups.items()}
    columns["corpus"] = [described(grid) for grid in real]
    body = []
    for name, (title, factor, digits) in STATISTICS.items():
        found = [mean([[row[name] for row in column]]) for column in columns.values()]
        body.append([title, *(_cell(each, factor, digits) for each in found)])
    for title, key, digits in (("nats per frame", "nats", 3), ("taste score", "taste", 1)):
        found = [mean([[row[key] for row, _ in pieces]]) for pieces in groups.values()]
        cells = [_cell(each, 1, digits) for each in found]
        body.append([title, *cells, _real_nats() if key == "nats" else ""])
    return ["statistic", *columns], body


def _cell(found: Interval, factor: float, digits: int) -> str:
    value, low, high = (f"{factor * number:.{digits}f}" for number in found)
    return f"{value} ({low} to {high})"


def _real_nats() -> str:
    """Of whole held-out chorales, as the package recorded them; the interval is the normal one."""
    real = reference()["nats"]
    error = 1.96 * real.deviation / len(held_out(load_chorales())) ** 0.5
    return f"{real.mean:.3f} ({real.mean - error:.3f} to {real.mean + error:.3f})"


def farther_table(groups: Groups, real: Sequence[Grid]) -> tuple[list[str], list[list[str]]]:
    """How often written pieces are farther from real ones than real ones are, by histogram."""
    found = {
        name: distances([grid for _, grid in pieces], real, seed=0)
        for name, pieces in groups.items()
    }
    body = [
        [title, *(f"{rows[i]['farther']:.0%}" for rows in found.values())]
        for i, title in enumerate(TITLES.values())
    ]
    return ["histogram", *found], body


def by_way(rows: Sequence[dict], measures: int) -> tuple[Groups, dict[str, int]]:
    """The pieces of each way, and for how many plans and seeds it found none."""
    groups: Groups = {}
    lacking: dict[str, int] = {}
    for row in rows:
        for way, piece in row["ways"].items():
            if "notes" in piece:
                grid = grid_of_notes(piece["notes"], plan_of(row["plan"], measures))
                groups.setdefault(way, []).append((piece, grid))
            else:
                lacking[way] = lacking.get(way, 0) + 1
    return groups, lacking


def page(rows: Sequence[dict], measures: int, command: str) -> str:
    """The results as Markdown."""
    groups, lacking = by_way(rows, measures)
    real = [grid for _, grid in real_openings(measures, METER)]
    count = max(len(pieces) for pieces in groups.values())
    nothing = ", ".join(f"{way} {n}" for way, n in lacking.items()) or "none"
    return "\n".join(
        [
            "# Maximising, sampling, ranking",
            "",
            f"- {len(KEYS)} plans of {measures} measures in as many keys, half of them minor; "
            f"{count} pieces a way, where all were found. Without a piece that verification "
            f"accepts: {nothing}.",
            f"- *Corpus*: {len(real)} openings as long, of held-out chorales in 4/4; its nats are "
            "of whole held-out chorales in all meters.",
            "- Means over pieces, with 95 % bootstrap intervals over pieces.",
            "- The last two ways choose by the taste score, which reads most of these statistics: "
            "that they come near the corpus there is what they are for, not a proof of quality. "
            "The histograms further below are not among its terms.",
            "",
            markdown_table(*statistics_table(groups, real)),
            "",
            "How often, of 200 halvings of the corpus, written pieces are farther from one half "
            "than the other half is (50 %: no difference):",
            "",
            markdown_table(*farther_table(groups, real)),
            "",
            f"Measured with {provenance()}:",
            "",
            f"    uv run python benchmarks/taste.py {command}",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2, help="pieces a plan and way")
    parser.add_argument("--measures", type=int, default=8)
    parser.add_argument("--beam", type=int, default=8)
    parser.add_argument("--json", type=Path, required=True, help="rows, one line a piece")
    parser.add_argument("--md", type=Path, help="where to write the tables")
    given = parser.parse_args(arguments)
    sized = {"measures": given.measures, "beam": given.beam}
    wanted = [
        {"search": name, "plan": plan, "seed": seed} | sized
        for name in searches(given.beam)
        for plan in range(len(KEYS))
        for seed in range(given.seeds)
    ]
    rows = read_rows(given.json)
    keys = list(wanted[0])
    done = [{key: row[key] for key in keys} for row in rows]
    with progress_bar() as bar:
        for task in bar.track([task for task in wanted if task not in done]):
            search = searches(given.beam)[task["search"]]
            plan, compiled = compiled_plan(task["plan"], given.measures)
            session = Session(plan, compiled, RULES, search.config)
            append_row(given.json, task | {"ways": measure(search, session, task["seed"])})
    rows = [row for row in read_rows(given.json) if {key: row[key] for key in keys} in wanted]
    options = " ".join(f"--{name} {getattr(given, name)}" for name in ("seeds", "measures", "beam"))
    text = page(rows, given.measures, f"{options} --json OUT.jsonl --md OUT.md")
    print(text)
    if given.md:
        write_text(given.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
