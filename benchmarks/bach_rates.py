"""How often does Bach break each rule, and what does the rule set ``chorale`` say of him?

The 355 bundled chorales of Bach, as music21 has them, judged with the keys and chords that the
checker infers. Beside them stand rates that were counted in the 370 chorales of the kern edition
(craigsapp/bach-370-chorales) by other code, from the notes alone, each where it counts what a rule
judges. Both per 1,000 slices: moments at which some voice moves. Parallels are compared piece by
piece, since editions differ in wrong notes. What lies across the end of a phrase is left out.

    uv run python benchmarks/bach_rates.py --data FOLDER --md OUT.md

``FOLDER`` holds ``bach370_rule_rates_computed.csv``, ``bach370_consecutives_computed.csv`` and
``music21_vs_kern_discrepancies.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from results import markdown_table, provenance, write_text

from clausula.checker.check import violations_of
from clausula.checker.passage import Reading, passage_of
from clausula.constraints.passage import Passage
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import RuleSet, Setting, load_ruleset
from clausula.corpus import load_chorales
from clausula.gridding import to_score

KERN_SLICES = 30036
# Rows of the kern table by what rule judges the same, and the switches with which it does.
SAME: Mapping[str, tuple[str, ...]] = {
    "V02": ("spacing_SA", "spacing_AT"),
    "V03": ("spacing_TB>12th",),
    "V04": ("crossing_SA", "crossing_AT", "crossing_TB"),
    "M04": ("direct_P5_soprano_leap", "direct_P8_soprano_leap"),
    "M06": ("d5>P5_upper",),
    "M07": ("overlap",),
    "M08": ("all_four_same_direction",),
    "M09": ("cross_relation",),
    "L02": ("melodic_A4",),
    "L05": ("leap>8ve",),
}
NOTES = {
    "V02": "the kern table counts each slice in which two voices stay apart, the rule the note "
    "that parts them",
    "V04": "likewise",
    "V03": "likewise",
    "M07": "the kern table counts a voice that meets the other's last note",
    "M08": "editions tie notes differently",
}
WRONG_NOTES = "music21_vs_kern_discrepancies.json"
PARALLELS = {"M01": "P5", "M02": "P8"}


class Judged(NamedTuple):
    """A chorale: its name (``bwv10.7``), slices, and how often each rule finds something."""

    name: str
    slices: int
    found: Counter[str]


@cache
def passages() -> tuple[tuple[str, Passage], ...]:
    """Bach's chorales, read."""
    rules = load_ruleset("chorale")
    pieces = [piece for piece in load_chorales().pieces if piece.style == "bach"]
    return tuple(
        (p.name, passage_of(to_score(p.grid, title=p.name), rules, Reading(p.grid.key)))
        for p in pieces
    )


def judged(ruleset: RuleSet) -> list[Judged]:
    """What a rule set finds in every chorale."""
    return [
        Judged(
            name,
            len(passage),
            Counter(v.rule.code for v in violations_of(passage, ruleset.judged)),
        )
        for name, passage in passages()
    ]


def every_rule() -> RuleSet:
    """Every rule that needs no task, with its default switches."""
    settings = tuple(
        Setting(code, Severity.ERROR)
        for code, rule in RULES.items()
        if code[0] in "VMLTH" and rule.severity >= Severity.STYLE
    )
    return replace(load_ruleset("chorale"), settings=settings)


def beside_kern(found: Sequence[Judged], rates: Path) -> str:
    """Rates of the rules that both count."""
    with rates.open(encoding="utf-8") as file:
        kern = {row["rule"]: int(row["count"]) for row in csv.DictReader(file)}
    slices = sum(each.slices for each in found)
    rows = []
    for code, names in SAME.items():
        own = sum(each.found[code] for each in found)
        theirs = sum(kern[name] for name in names)
        rows.append(
            (
                f"{code} {RULES[code].name}",
                own,
                f"{1000 * own / slices:.2f}",
                theirs,
                f"{1000 * theirs / KERN_SLICES:.2f}",
                NOTES.get(code, ""),
            )
        )
    header = ("rule", "here", "per 1,000 slices", "kern edition", "per 1,000 slices", "differ")
    return markdown_table(header, rows)


def parallels_by_piece(found: Sequence[Judged], data: Path) -> str:
    """Parallel fifths and octaves piece by piece, those here alone beside known wrong notes."""
    wrong = Counter(
        (_name(each["chorale"]), each["kind"].upper())
        for each in json.loads((data / WRONG_NOTES).read_text(encoding="utf-8"))
        if not each["confirmed_by_kern_edition_same_chorale_and_kind"]
    )
    with (data / "bach370_consecutives_computed.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["motion"] == "similar" and row["after_fermata"] == "0"
        ]
    theirs = Counter((_name(row["bwv"]), row["kind"]) for row in rows)
    lines = []
    for code, kind in PARALLELS.items():
        both = here = known = there = 0
        differ = []
        for each in found:
            own, other = each.found[code], theirs[each.name, kind]
            both += min(own, other)
            here += max(0, own - other)
            known += min(max(0, own - other), wrong[each.name, kind])
            there += max(0, other - own)
            if own != other:
                differ.append(f"{each.name} {own}/{other}")
        lines.append((f"{code} {kind}", both, here, known, there, ", ".join(differ)))
    header = (
        "rule",
        "in both",
        "here alone",
        "of these known as wrong notes of music21's files",
        "kern alone",
        "pieces that differ (here/kern)",
    )
    return markdown_table(header, lines)


def _name(bwv: str) -> str:
    """``BWV 86/6`` as the corpus names it."""
    return bwv.lower().replace(" ", "").replace("/", ".")


def by_severity(found: Sequence[Judged], ruleset: RuleSet) -> str:
    """How often each rule is broken, gravest first, and the sum of each severity."""
    total: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    for each in found:
        total.update(each.found)
        pieces.update(each.found.keys())
    rows = []
    for level in sorted(Severity, reverse=True):
        codes = [s.code for s in ruleset.settings if s.severity is level]
        if level is Severity.OFF or not codes:
            continue
        number = sum(total[code] for code in codes)
        hit = sum(any(each.found[code] for code in codes) for each in found)
        rows.append((f"**{level.word}**", number, f"{number / len(found):.2f}", hit))
        for code in sorted(codes, key=lambda code: -total[code]):
            if total[code]:
                share = f"{total[code] / len(found):.2f}"
                rows.append((f"{code} {RULES[code].name}", total[code], share, pieces[code]))
    return markdown_table(("chorale", "findings", "a chorale", "chorales"), rows)


def rates_of_every_rule(found: Sequence[Judged]) -> str:
    """Rates of all rules, most broken first."""
    total: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    for each in found:
        total.update(each.found)
        pieces.update(each.found.keys())
    slices = sum(each.slices for each in found)
    rows = [
        (f"{code} {RULES[code].name}", times, f"{1000 * times / slices:.2f}", pieces[code])
        for code, times in total.most_common()
    ]
    return markdown_table(("rule", "findings", "per 1,000 slices", "chorales"), rows)


def main() -> None:
    """Judge all chorales and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the two kern tables")
    parser.add_argument("--md", type=Path, help="file for the tables")
    options = parser.parse_args()
    chorale = load_ruleset("chorale")
    of_set, of_all = judged(chorale), judged(every_rule())
    text = "\n\n".join(
        (
            f"# Rules in Bach's chorales\n\n{len(of_all)} chorales, "
            f"{sum(each.slices for each in of_all):,} slices; {provenance()}",
            "## What the rule set `chorale` finds\n\n" + by_severity(of_set, chorale),
            "## Beside the kern edition\n\n"
            + beside_kern(of_all, options.data / "bach370_rule_rates_computed.csv"),
            "## Parallels piece by piece\n\n" + parallels_by_piece(of_all, options.data),
            "## Every rule, as it is by default\n\n" + rates_of_every_rule(of_all),
        )
    )
    print(text)
    if options.md:
        write_text(options.md, text + "\n")


if __name__ == "__main__":
    main()
