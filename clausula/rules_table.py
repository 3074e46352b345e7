"""The table that ``clausula rules`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from clausula.constraints.listing import Listed, Standing, enforcement_word
from clausula.constraints.rule import Severity

_SHORT = {
    Severity.ERROR: ("err", "bold red"),
    Severity.WARNING: ("warn", "yellow"),
    Severity.STYLE: ("style", "cyan"),
    Severity.INFO: ("info", "blue"),
    Severity.LABEL: ("label", "green"),
    Severity.OFF: ("-", "dim"),
}


def rules_table(listed: Sequence[Listed]) -> Group:
    """Rules with a column for each rule set that takes one of them, and a legend below."""
    names = [each.ruleset for each in listed[0].standings]
    shown = [i for i in range(len(names)) if any(each.standings[i].taken for each in listed)]
    short = initials(names)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("code", no_wrap=True)
    table.add_column("name", min_width=20, ratio=3)
    for i in shown:
        table.add_column(short[i] if len(shown) > 1 else names[i], no_wrap=True)
    table.add_column("enforced", no_wrap=True)
    table.add_column("source", min_width=20, ratio=4)
    for each in listed:
        rule = each.rule
        cells = [_cell(each.standings[i]) for i in shown]
        table.add_row(rule.code, rule.name, *cells, enforcement_word(rule.enforcement), rule.source)
    return Group(table, _legend(names, short, shown, len(listed)))


def initials(names: Sequence[str]) -> list[str]:
    """A short name for each rule set: first letters of its words, more of them where two agree."""
    for letters in range(1, max(map(len, names)) + 1):
        short = ["".join(word[:letters] for word in name.split("-")) for name in names]
        if len(set(short)) == len(short):
            return short
    return list(names)


def _cell(standing: Standing) -> Text:
    word, style = _SHORT[standing.severity]
    mark = "!" if standing.hard else "$" if standing.cost else ""
    return Text(word + mark, style)


def _legend(names: Sequence[str], short: Sequence[str], shown: Sequence[int], number: int) -> Text:
    lines = []
    if len(shown) > 1:
        lines.append("; ".join(f"{short[i]} = {names[i]}" for i in shown))
    off = [name for i, name in enumerate(names) if i not in shown]
    if off:
        lines.append(f"None of these in {', '.join(off)}.")
    lines.append("! never in generated music; $ at a price; - off.")
    lines.append(f"{number} rules; clausula explain CODE tells more of one.")
    return Text("\n".join(lines))
