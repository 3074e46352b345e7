"""How long the checker takes: analysis, rules, reading files, starting, and a whole corpus.

The rule set is every rule of four-part writing at once (all groups but those of species), each with
the severity that it declares. *Analysis* is everything between a parsed score and what rules read:
home key, slices, keys, chords, tones and cadences. *Rules* is every rule on that, up to the places
of violations. *Whole check* adds the words of the findings. These three are taken on the bundled
chorales, each once, after a first pass over some that fills the tables of home keys. *Start* is the
wall time of ``python -m clausula check`` on one written chorale, bytecode compiled and files in the
cache. *Corpus* reads music21's files of Bach in four parts and checks each, in one process.

Wall times suffer from other work on the machine, so the processor's own time of this program stands
beside each, and the load when the script began above the table.

Usage: ``python benchmarks/checker_speed.py [--pieces N] [--files N] [--starts N]``.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import music21
import numpy as np
from results import ROOT, commit, markdown_table

import clausula as cl
from clausula.checker.check import check, violations_of
from clausula.checker.keys import home_key
from clausula.checker.passage import Reading, passage_of
from clausula.constraints.registry import RULES
from clausula.constraints.rulesets import RuleSet, Setting, load_ruleset
from clausula.corpus import load_chorales
from clausula.reading import read_score
from clausula.writing import write_musicxml

VOICES = 4
SPECIES = "ABDFGJ"  # the groups of rules of species counterpoint
CORPUS = Path(music21.__file__).parent / "corpus" / "bach"


def every_rule() -> RuleSet:
    """Every rule of four-part writing, with the ranges of the rule set ``chorale``."""
    codes = [code for code in RULES if code[0] not in SPECIES]
    chorale = load_ruleset("chorale")
    settings = tuple(Setting(code, RULES[code].severity) for code in codes)
    return RuleSet("every-rule", "", chorale.low, chorale.high, settings)


class Cost(NamedTuple):
    """Seconds of wall time and of the processor."""

    wall: float
    busy: float

    @classmethod
    def now(cls) -> Cost:
        """Since some moment."""
        return cls(perf_counter(), process_time())

    def since(self, begin: Cost) -> Cost:
        """From one moment to another."""
        return Cost(self.wall - begin.wall, self.busy - begin.busy)


def stages(score: cl.Score, rules: RuleSet) -> list[Cost]:
    """The cost of a score's analysis, of all rules on it, of both, and of a whole check."""
    begin = Cost.now()
    passage = passage_of(score, rules, Reading(home_key(score)[0]))
    analysed = Cost.now()
    violations_of(passage, rules.judged)
    judged = Cost.now()
    check(score, rules)
    whole = Cost.now().since(judged)
    return [analysed.since(begin), judged.since(analysed), judged.since(begin), whole]


def starts(file: Path, times: int) -> list[Cost]:
    """The cost of each run of ``clausula check`` but a first one."""
    found = []
    for _ in range(times + 1):
        used, begin = _children(), perf_counter()
        command = [sys.executable, "-m", "clausula", "check", str(file)]
        done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr.decode())
        found.append(Cost(perf_counter() - begin, _children() - used))
    return found[1:]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def corpus(files: Sequence[Path], rules: RuleSet) -> tuple[int, Cost]:
    """How many four-part files were read and checked, and what that cost."""
    count, begin = 0, Cost.now()
    for file in files:
        try:
            score = read_score(file)
        except cl.ClausulaError:
            continue  # horns and continuo among the voices, which no rule here is for
        if len(score.parts) == VOICES:
            check(score, rules)
            count += 1
    return count, Cost.now().since(begin)


def spread(name: str, costs: Sequence[Cost], unit: float = 1e3) -> list[str]:
    """A row: median, quartiles and largest of both times, in milliseconds unless said otherwise."""
    quantiles = np.quantile(costs, (0.5, 0.25, 0.75, 1.0), axis=0) * unit
    cells = [
        f"{median:.2f} ({low:.2f} to {high:.2f}, {most:.2f})"
        for median, low, high, most in quantiles.T
    ]
    return [name, *cells]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=355, help="bundled chorales")
    parser.add_argument("--files", type=int, default=410, help="files of the corpus")
    parser.add_argument("--starts", type=int, default=9, help="processes")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    print(
        f"commit {commit()}, {os.cpu_count()} cores, load {load:.1f} at the start, "
        f"Python {platform.python_version()}, NumPy {np.__version__}\n"
    )
    rules = every_rule()
    scores = [cl.to_score(grid) for grid in load_chorales().grids[: arguments.pieces]]
    for score in scores[::10]:
        stages(score, rules)
    columns = zip(*(stages(score, rules) for score in scores), strict=True)
    names = ("analysis", f"{len(rules.judged)} rules", "both", "whole check")
    rows = [spread(f"{name}, ms", costs) for name, costs in zip(names, columns, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chorale.musicxml"
        write_musicxml(scores[0], file)
        rows.append(spread("start of `clausula check`, s", starts(file, arguments.starts), 1))
    header = ("median (quartiles, largest)", "wall", "processor")
    print(markdown_table(header, rows))
    count, cost = corpus(sorted(CORPUS.glob("bwv*.mxl"))[: arguments.files], rules)
    print(
        f"\n{len(scores)} chorales. {count} files read and checked in {cost.wall:.1f} s, of which "
        f"the processor worked {cost.busy:.1f} s; for 370 that is {370 * cost.wall / count:.0f} s "
        f"and {370 * cost.busy / count:.0f} s."
    )


if __name__ == "__main__":
    main()
