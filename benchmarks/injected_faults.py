"""Does the checker find each rule's fault, and only that? Exercises with one known fault each.

For every rule `injected` makes passages with exactly one fault and *near misses*, which look like
it and are legal. It was written from the catalogue's definitions, without sight of the rules' code.

Conventions: a fault is *recalled* when a finding with its code names its measure and beat (either
of the two where it spans two verticalities) and shares a voice with it. *Precision* is the share
of a code's findings, over its faults and near misses, that stand at an injected place. Codes that
the rule set lacks are missing, not wrong. Passages are judged in their key, with their numerals
given unless ``--bare``.

    uv run python benchmarks/injected_faults.py --n 50 --seed 1 --json OUT.jsonl --md OUT.md

Rows are kept as they come: an interrupted run goes on where it stopped, and so does one that asks
for more rules.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from injected import harmony, line, motion, species, tendency, vertical
from injected.decorated import decorated
from injected.making import Injector
from injected.notes import Clean, Injected
from injected.passages import clean
from results import (
    append_row,
    commit,
    markdown_table,
    progress_bar,
    provenance,
    read_rows,
    write_text,
)

import clausula as cl
from clausula.checker.report import Report
from clausula.errors import InputError

MARKED = ("STYLE", "WARNING", "ERROR")  # severities that accuse; labels and remarks do not
CLEAN = "clean passages"  # stands for them where a row has a rule's code
FAMILIES = (vertical, motion, line, tendency, harmony, species)
SPECIES = "GABDFJ"  # first letters of the rules of species counterpoint
SPECIES_RULES = {"A11": "westergaard"}  # the other rules of species are judged by those of Fux
FAULTS: dict[str, Injector] = {c: f for each in FAMILIES for c, f in each.FAULTS.items()}
NEAR_MISSES: dict[str, Injector] = {c: f for each in FAMILIES for c, f in each.NEAR_MISSES.items()}


@dataclass
class Tally:
    """What was found of one rule.

    Attributes:
        code: the rule.
        faults: passages with its fault.
        recalled: of them, found.
        near_misses: passages that only look like it.
        accused: of them, with a finding of this code anywhere.
        findings: with this code, over all of these passages.
        right: of them, at an injected place.
        refused: passages that the checker could not judge.
        collateral: how often another code accuses one of these passages unexpectedly.
        missed: words and seeds of faults that were not found.
        alarms: words and seeds of near misses with a finding.
    """

    code: str
    faults: int = 0
    recalled: int = 0
    near_misses: int = 0
    accused: int = 0
    findings: int = 0
    right: int = 0
    refused: int = 0
    collateral: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def row(self) -> list[str]:
        """Its line of the table."""
        return [
            self.code,
            f"{self.recalled}/{self.faults}",
            share(self.recalled, self.faults),
            f"{self.right}/{self.findings}",
            share(self.right, self.findings),
            f"{self.accused}/{self.near_misses}",
            str(self.refused),
            " ".join(f"{code} {n}" for code, n in sorted(self.collateral.items())) or "-",
        ]


def share(part: int, of: int) -> str:
    """A percentage, or a dash where there is nothing to divide by."""
    return f"{100 * part / of:.0f} %" if of else "-"


def judged(passage: Clean, rules: str, bare: bool) -> Report:
    """The checker's report.

    Args:
        passage: what is judged.
        rules: name of the rule set.
        bare: whether the numerals are kept from it where the task does not need them.

    Raises:
        InputError: it cannot judge that.
    """
    task = passage.task
    if not bare and not task.numerals:
        task = replace(task, numerals=passage.numerals)
    key = cl.Key.parse(passage.key)
    if task.species:
        return cl.check(passage.score, rules, key=key, task=task)
    return cl.check(passage.score, rules, key=key, keys=((Fraction(0), key),), task=task)


def tally(code: str, n: int, seed: int, rules: str, bare: bool) -> Tally:
    """Faults and near misses of one rule, judged; the same seed gives the same passages."""
    found = Tally(code)
    for i in range(n):
        for kind, made in (("fault", FAULTS), ("near miss", NEAR_MISSES)):
            case = made[code](random.Random(f"{seed} {code} {kind} {i}"))
            try:
                report = judged(case.clean, rules, bare)
            except InputError as error:
                found.refused += 1
                found.missed.append(f"{kind} {i} refused: {error}")
                continue
            _count(found, case, report, i, kind == "fault")
    return found


def _count(found: Tally, case: Injected, report: Report, i: int, fault: bool) -> None:
    """Add one judged passage to a tally."""
    own = [each for each in report.findings if each.code == case.code]
    there = [each for each in own if fault and (each.measure, each.beat) in case.accepted]
    found.findings += len(own)
    found.right += len(there)
    marked = {each.code for each in report.findings if each.severity.name in MARKED}
    for code in marked - case.other - {case.code}:
        found.collateral[code] = found.collateral.get(code, 0) + 1
    place = f"{i}: {case.words}, measure {case.measure} beat {case.beat} {case.voices}"
    if fault:
        found.faults += 1
        hit = any(set(each.voices) & set(case.voices) for each in there)
        found.recalled += hit
        if not hit:
            found.missed.append(place)
    else:
        found.near_misses += 1
        found.accused += bool(own)
        if own:
            found.alarms.append(place)


def rules_for(code: str, rules: str) -> str:
    """The rule set that judges a rule's passages: species have their own."""
    return SPECIES_RULES.get(code, "fux") if code[0] in SPECIES else rules


def clean_findings(n: int, seed: int, rules: str, bare: bool) -> tuple[int, Counter[str]]:
    """How many of ``n`` clean passages have no finding, and how many each code accuses.

    Every second one has a non-chord tone. Labels and other remarks accuse nobody.
    """
    unmarked, accused = 0, Counter[str]()
    for i in range(n):
        rng = random.Random(f"{seed} clean {i}")
        report = judged((decorated if i % 2 else clean)(rng), rules, bare)
        codes = {each.code for each in report.findings if each.severity.name in MARKED}
        unmarked += not codes
        accused.update(codes)
    return unmarked, accused


def judgement(code: str, options: argparse.Namespace) -> dict[str, Any]:
    """What is kept of one rule, or of the clean passages, as JSON takes it."""
    if code == CLEAN:
        found = clean_findings(options.n, options.seed, options.rules, options.bare)
        return {"unmarked": found[0], "accused": dict(found[1])}
    rules = rules_for(code, options.rules)
    return asdict(tally(code, options.n, options.seed, rules, options.bare))


def page(tallies: list[Tally], missing: list[str], words: str, cleanly: str) -> str:
    """The results as Markdown."""
    header = ["rule", "recalled", "recall", "at an injected place", "precision",
              "near misses accused", "refused", "other codes"]  # fmt: skip
    table = markdown_table(header, [each.row for each in tallies])
    known = sum(each.recalled for each in tallies), sum(each.faults for each in tallies)
    right = sum(each.right for each in tallies), sum(each.findings for each in tallies)
    total = f"All rules: recall {share(*known)}, precision {share(*right)}."
    absent = f"Rules that the rule set does not have: {', '.join(missing) or 'none'}."
    caveat = (
        "The passages are synthetic and short, and a fault is what this benchmark's author read in "
        "a definition: a rule below 100 % may have been read in another way."
    )
    return "\n\n".join(["# Injected faults", caveat, words, total, cleanly, table, absent]) + "\n"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=50, help="faults, and near misses, of each rule")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", default="common-practice-strict", help="rule set")
    parser.add_argument("--codes", default="", help="V01,M01 …; all when left out")
    parser.add_argument("--bare", action="store_true", help="keep the numerals from the checker")
    parser.add_argument("--json", type=Path, help="JSON lines, kept as they come")
    parser.add_argument("--md", type=Path, help="where the page goes")
    a = parser.parse_args()
    asked = [code for code in a.codes.split(",") if code] or list(FAULTS)
    judges = {code: cl.load_ruleset(rules_for(code, a.rules)) for code in asked}
    has = {code: {setting.code for setting in judges[code].settings} for code in asked}
    missing = [code for code in asked if code not in has[code]]
    where = {"n": a.n, "seed": a.seed, "set": a.rules, "bare": a.bare}
    kept = [row for row in read_rows(a.json) if where.items() <= row.items()] if a.json else []
    known = {row["code"]: row for row in kept}
    present = [code for code in asked if code not in missing]
    with progress_bar() as bar:
        for code in bar.track([*present, CLEAN], description="rules"):
            if code in known:
                continue
            known[code] = where | {"code": code, "at": commit()} | judgement(code, a)
            if a.json:
                append_row(a.json, known[code])
    names = [each.name for each in fields(Tally)]
    tallies = [Tally(*(known[code][name] for name in names)) for code in present]
    unmarked, accused = known[CLEAN]["unmarked"], known[CLEAN]["accused"]
    cleanly = f"Clean passages without a finding: {unmarked}/{a.n}; accused: {accused or 'none'}."
    commits = " ".join(dict.fromkeys(known[code]["at"] for code in [*present, CLEAN]))
    words = (
        f"{a.n} faults and near misses a rule, seed {a.seed}, rule set {a.rules}, species by fux "
        f"and A11 by westergaard, numerals {'kept back' if a.bare else 'given'}; judged at "
        f"{commits}; {provenance()}."
    )
    text = page(tallies, missing, words, cleanly)
    print(text)
    if a.md:
        write_text(a.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
