"""The reference of all rules as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from clausula.constraints.example import Example
from clausula.constraints.listing import GROUPS, Listed
from clausula.constraints.rule import Severity
from clausula.constraints.rule_words import (
    choices_in_words,
    enforcement_in_words,
    setting_in_words,
    source_in_words,
    standings_in_words,
    table_of_example,
    titles_of_examples,
)
from clausula.constraints.rulesets import RuleSet


def markdown(listed: Sequence[Listed], rulesets: Sequence[RuleSet]) -> str:
    """Rules as a page: what each says and why, its examples, choices, rule sets and source."""
    pages = ["# The rules", _ABOUT, _table(listed, rulesets)]
    for letter, title in GROUPS.items():
        group = [each for each in listed if each.group == letter]
        if group:
            pages += [f"## {letter}: {title}", *map(_rule, group)]
    return "\n\n".join(pages) + "\n"


_ABOUT = (
    "Written by `clausula rules --out docs/rules.md --out docs/rules.html`; the second is one page "
    "with every example engraved. `--rules mine.toml` writes them for a rule set of your own. In "
    "the examples a voice at fault is marked with `<`; a number after a colon is a length in "
    "quarters, which lasts until the next."
)


def _table(listed: Sequence[Listed], rulesets: Sequence[RuleSet]) -> str:
    """A table of the rule sets: how many rules each takes, and how gravely."""
    levels = [level for level in sorted(Severity, reverse=True) if level is not Severity.OFF]
    words = [level.word for level in levels]
    rows = [
        f"| rule set | {' | '.join(words)} | what it is |",
        f"| --- |{' ---: |' * len(words)} --- |",
    ]
    for ruleset in rulesets:
        counts = counted(listed, ruleset)
        cells = " | ".join(str(counts[level]) for level in levels)
        rows.append(f"| {ruleset.name} | {cells} | {ruleset.description} |")
    return "\n".join(rows)


def counted(listed: Sequence[Listed], ruleset: RuleSet) -> Counter[Severity]:
    """How many of some rules a rule set takes at each severity."""
    return Counter(ruleset.severity(each.rule.code) for each in listed)


def _rule(listed: Listed) -> str:
    rule, taken = listed.rule, listed.standings
    choices = "\n".join(f"- {line}" for line in choices_in_words(rule, taken))
    parts = (
        f"### {rule.code} {rule.name}",
        rule.says,
        f"*Why:* {rule.why}",
        f"*Exceptions:* {rule.exceptions}" if rule.exceptions else "",
        f"*Choices:*\n\n{choices}" if choices else "",
        f"*Rule sets:* {standings_in_words(taken)}",
        f"*In generated music:* {enforcement_in_words(rule)}",
        f"*Source:* {source_in_words(rule)}",
        *map(_example, titles_of_examples(rule), (rule.breaking[0], rule.obeying[0])),
    )
    return "\n\n".join(part for part in parts if part)


def _example(title: str, example: Example) -> str:
    table = "\n".join(table_of_example(example))
    return f"*{title}:* {setting_in_words(example)}\n\n```text\n{table}\n```"
