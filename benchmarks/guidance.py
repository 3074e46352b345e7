"""What guidance is worth: the same plans and beams with it, without it, and with less of it.

Every plan has cadences and a returning theme. Each is searched by

- *guided*: as composing does. Maximising prunes by ``log p_net + log p_hmm(constraints) / 2``,
  never normalised from step to step (the half was chosen on sixteen other plans, from number
  1,000 on);
- *masks only*: the same masks, which look ahead within a frame and refuse what the automata cannot
  end well from, without a word from the hidden Markov model;
- *theme first*: the theme is taken from a search of the plan without its return and then given:
  two searches, of which the second meets a theme that is known from the start;
- *guided twice*, as many searches: the theme that guidance found is given to a second one, and the
  better of both pieces is kept (maximising only: of two samples there is no better one);
- *step by step*: maximising by the guided distribution normalised at every step, as constrained
  decoding of language models is commonly done. Sampling is normalised at every step anyway, so
  there is nothing to compare.

Maximising is judged by the network's own log probability of the best finished piece, a plan beside
the same plan; sampling by how far the pieces' histograms are from held-out chorales'. Intervals are
bootstrapped over plans. A dead end is a search that left no hypothesis; no second attempt is made.

    uv run python benchmarks/guidance.py --plans 100 --json OUT.jsonl --md OUT.md
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from openings import real_openings
from results import append_row, markdown_table, progress_bar, provenance, read_rows, write_text
from written_notes import grid_of_notes, notes_of

from clausula.constraints.rulesets import load_ruleset
from clausula.corpus.histograms import Counts, histograms, jensen_shannon, pooled
from clausula.engine.beam import BEST, SearchConfig
from clausula.engine.plan import Plan, make_plan
from clausula.engine.rendering import grid_of
from clausula.engine.tables import Compiled, SearchTables, compile_plan
from clausula.grid import SEARCH_ORDER, Grid, Meter, Voice
from clausula.pitch import Key
from clausula.searching import Outcome, Session

RULES = load_ruleset("chorale")
KEYS = ("G", "e", "D", "b", "F", "d", "Bb", "g", "C", "a", "A", "c", "Eb", "f#", "E")
FORMS = ("A A'", "A A", "A A' B A", "A B A C")
METERS = ("4/4", "4/4", "3/4")
DRAWS = 1000
GUIDED, TWICE = "guided", "guided twice"
SAME = 1e-6  # nats a frame within which two pieces cost the same
Search = Callable[[Session], Outcome]


def plan_of(number: int, measures: int, *, returns: bool = True) -> Plan:
    """One of the plans; without its returns every phrase has a letter of its own."""
    form = FORMS[number % len(FORMS)]
    plan = make_plan(
        key=Key.parse(KEYS[number % len(KEYS)]),
        meter=Meter.parse(METERS[number % len(METERS)]),
        measures=measures,
        form=form,
    )
    if returns:
        return plan
    letters = " ".join("ABCDEFGH"[: len(plan.phrases)])
    timeline = plan.timeline
    return make_plan(
        key=plan.key,
        meter=timeline.meter,
        measures=measures,
        form=letters,
        cadences=plan.cadences,
    )


def config_of(way: str, *, maximise: bool, beam: int) -> SearchConfig:
    """The search of one way."""
    # Normalised at every step, what is maximised is the guided distribution itself.
    base = BEST if maximise and way != "step by step" else SearchConfig(maximise=maximise)
    config = replace(base, beam=beam)
    if way == "masks only":
        # Themes are messages too: there is no use for them.
        return replace(config, guidance=0.0, themes=1)
    return replace(config, stepwise=way == "step by step")


WAYS = {
    True: (GUIDED, "masks only", "theme first", TWICE, "step by step"),
    False: (GUIDED, "masks only", "theme first"),
}


def measure(number: int, measures: int, beam: int, *, maximise: bool) -> dict[str, dict]:
    """What each way finds for one plan."""
    plan = plan_of(number, measures)
    compiled = compile_plan(plan, RULES)
    found = {}
    for way in WAYS[maximise]:
        config = config_of(way, maximise=maximise, beam=beam)
        session = Session(plan, compiled, RULES, config)
        if way == "theme first":
            lone = plan_of(number, measures, returns=False)
            theme = Session(lone, compile_plan(lone, RULES), RULES, config).search(number)
            if not alive(theme):
                found[way] = {"dead": True}
                continue
            session.tables = with_theme(session.tables, compiled, theme)
        outcome = session.search(number)
        found[way] = best_of(outcome, plan)
        if way == TWICE and alive(outcome):
            session.tables = with_theme(session.tables, compiled, outcome)
            again = best_of(session.search(number), plan)
            found[way] = min(found[way], again, key=lambda each: each.get("nats", np.inf))
    return found


def alive(outcome: Outcome) -> bool:
    """Whether anything was found."""
    return bool((outcome.result.score > -np.inf).any())


def with_theme(tables: SearchTables, compiled: Compiled, outcome: Outcome) -> SearchTables:
    """The tables with the soprano of what returns given as another search wrote it."""
    source = compiled.ties.source_frame[:, Voice.SOPRANO]
    given = np.unique(source[source >= 0])
    theme = np.asarray(outcome.result.tokens)[0, 0, given, Voice.SOPRANO].astype(np.uint32)
    domains = tables.domains.copy()
    domains[given, Voice.SOPRANO] &= np.uint32(1) << theme
    slots = jnp.asarray(domains[:, list(SEARCH_ORDER)])
    layers = tuple(each._replace(domains=each.domains & slots) for each in tables.layers)
    return tables._replace(domains=domains, layers=layers)


def best_of(outcome: Outcome, plan: Plan) -> dict[str, Any]:
    """The first row: the best when maximising, an ordinary sample when sampling."""
    if not alive(outcome):
        return {"dead": True}
    grid = grid_of(np.asarray(outcome.result.tokens)[0, 0], plan)
    nats = -float(outcome.result.log_net[0, 0]) / len(grid)
    return {
        "dead": False,
        "nats": nats,
        "notes": notes_of(grid),
        "lost": int(outcome.result.lost[0]),
    }


def both(rows: Sequence[dict], way: str, beside: str = GUIDED) -> list[tuple[dict, dict]]:
    """What guidance and another way found, plan by plan, where both found something."""
    pairs = [(row["found"][beside], row["found"][way]) for row in rows]
    return [(one, other) for one, other in pairs if not one["dead"] and not other["dead"]]


def interval(values: np.ndarray) -> str:
    """The mean with its 95 % bootstrap interval over plans."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (DRAWS, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def maximising_table(rows: Sequence[dict]) -> str:
    """Nats a frame of the best finished pieces."""
    body = []
    for way in WAYS[True]:
        dead = sum(row["found"][way]["dead"] for row in rows)
        pairs = both(rows, way)
        gain = np.array([other["nats"] - one["nats"] for one, other in pairs])
        own = np.array([other["nats"] for _, other in pairs])
        beside = ["", "", ""]
        if way != GUIDED:
            shares = (gain > SAME).mean(), (gain < -SAME).mean()
            beside = [interval(gain), *(f"{100 * share:.0f}" for share in shares)]
        body.append([way, len(rows), dead, interval(own), *beside])
    header = ["way", "plans", "dead ends", "nats a frame", "more than guided"]
    return markdown_table([*header, "guided better, %", "worse, %"], body)


def as_much_work(rows: Sequence[dict]) -> str:
    """The two ways that search twice, beside each other."""
    pairs = both(rows, "theme first", TWICE)
    gain = np.array([other["nats"] - one["nats"] for one, other in pairs])
    return (
        f"Of the two that search twice, *theme first* asks {interval(gain)} nats a frame more than "
        f"*{TWICE}* in the {len(pairs)} plans in which it finds anything: {TWICE} is better in "
        f"{100 * (gain > SAME).mean():.0f} % of them, worse in {100 * (gain < -SAME).mean():.0f} %."
    )


def sampling_table(rows: Sequence[dict], real: Sequence[Grid]) -> str:
    """Nats a frame of the samples, and how far they are from held-out chorales."""
    of_real = pooled([histograms(grid) for grid in real])
    counted = {
        way: {
            row["plan"]: histograms(
                grid_of_notes(found["notes"], plan_of(row["plan"], row["bars"]))
            )
            for row in rows
            if not (found := row["found"][way])["dead"]
        }
        for way in WAYS[False]
    }
    body = []
    for way in WAYS[False]:
        dead = sum(row["found"][way]["dead"] for row in rows)
        pairs = both(rows, way)
        nats = np.array([other["nats"] for _, other in pairs])
        gain = np.array([other["nats"] - one["nats"] for one, other in pairs])
        plans = sorted(set(counted[GUIDED]) & set(counted[way]))
        own, more = farther(counted[GUIDED], counted[way], plans, of_real)
        beside = ("", "") if way == GUIDED else (interval(gain), more)
        body.append([way, len(rows), dead, interval(nats), beside[0], own, beside[1]])
    header = ["way", "plans", "dead ends", "nats a frame", "more than guided"]
    return markdown_table([*header, "distance from real, %", "farther than guided"], body)


def farther(
    guided: dict[int, Counts], other: dict[int, Counts], plans: Sequence[int], real: Counts
) -> tuple[str, str]:
    """Mean Jensen-Shannon distance of all histograms, and how much more it is than guidance's."""
    rng = np.random.default_rng(0)

    def distance(counts: dict[int, Counts], drawn: Sequence[int]) -> float:
        together = pooled([counts[plan] for plan in drawn])
        return 100 * float(np.mean([jensen_shannon(together[name], real[name]) for name in real]))

    draws = [rng.choice(plans, len(plans)) for _ in range(DRAWS // 5)]
    own = [distance(other, drawn) for drawn in draws]
    more = [a - distance(guided, drawn) for a, drawn in zip(own, draws, strict=True)]

    def cell(whole: float, values: Sequence[float]) -> str:
        low, high = np.percentile(values, (2.5, 97.5))
        return f"{whole:.2f} ({low:.2f} to {high:.2f})"

    whole = distance(other, plans)
    return cell(whole, own), cell(whole - distance(guided, plans), more)


def page(rows: Sequence[dict], measures: int, beam: int, command: str) -> str:
    """The results as Markdown."""
    real = [grid for _, grid in real_openings(measures, Meter(4, 4))]
    best = [row for row in rows if row["maximise"]]
    samples = [row for row in rows if not row["maximise"]]
    return "\n".join(
        [
            "# What guidance is worth",
            "",
            f"{provenance()}. Plans of {measures} measures, beam {beam}, shipped network and "
            "hidden Markov model, `ties` 0. Intervals: 95 %, bootstrapped over plans. A row "
            "compares the plans for which it and guidance both found something.",
            "",
            f"Caveats: {len(real)} openings of held-out chorales in 4/4 stand for real music; a "
            "third of the plans is in 3/4. The distance of few pieces from real ones is large "
            "whatever they are (see `taste.py`): only the differences between rows say something. "
            "Nothing is verified or ranked here, so that what the search does is seen.",
            "",
            "## Maximising",
            "",
            maximising_table(best),
            "",
            as_much_work(best),
            "",
            "## Sampling",
            "",
            sampling_table(samples, real),
            "",
            f"    {command}",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plans", type=int, default=100)
    parser.add_argument("--measures", type=int, default=8)
    parser.add_argument("--beam", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="number of the first plan")
    parser.add_argument("--json", type=Path, required=True, help="rows; kept as they come")
    parser.add_argument("--md", type=Path, help="where to write the tables")
    options = parser.parse_args(arguments)
    rows = read_rows(options.json)
    done = {(row["plan"], row["maximise"]) for row in rows}
    wanted = [
        (number, best)
        for number in range(options.first, options.first + options.plans)
        for best in (True, False)
    ]
    with progress_bar() as progress:
        for number, best in progress.track(wanted, description="searching"):
            if (number, best) in done:
                continue
            found = measure(number, options.measures, options.beam, maximise=best)
            row = {"plan": number, "bars": options.measures, "maximise": best, "found": found}
            append_row(options.json, row)
            rows.append(row)
    if options.md is not None:
        command = (
            f"uv run python benchmarks/guidance.py --plans {options.plans} --measures "
            f"{options.measures} --beam {options.beam} --json OUT.jsonl --md OUT.md"
        )
        write_text(options.md, page(rows, options.measures, options.beam, command))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
