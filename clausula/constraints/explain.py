"""What a rule says, in words, for ``clausula explain``."""

from __future__ import annotations

from textwrap import fill, indent

from clausula.constraints.example import Example
from clausula.constraints.listing import standings
from clausula.constraints.registry import find_rule
from clausula.constraints.rule_words import (
    choices_in_words,
    enforcement_in_words,
    setting_in_words,
    source_in_words,
    standings_in_words,
    table_of_example,
)
from clausula.constraints.rulesets import known_rulesets, load_ruleset

_WIDTH = 88
_MARGIN = "    "


def explain(code: str) -> str:
    """A page on one rule: what it says, why, an example, what to write instead, exceptions, source.

    Then come what rule sets may choose and do choose, how they take the rule, and what generation
    does about it.

    Raises:
        InputError: no such rule; the message lists near ones.
    """
    rule = find_rule(code)
    taken = standings(rule, map(load_ruleset, known_rulesets()))
    sections = (
        ("What it says", _prose(rule.says)),
        ("Why", _prose(rule.why)),
        ("Example", _table(rule.breaking[0])),
        ("Instead", _table(rule.obeying[0])),
        ("Exceptions", _prose(rule.exceptions or "None.")),
        ("Source", _prose(source_in_words(rule))),
        ("Choices", "\n".join(_prose(line) for line in choices_in_words(rule, taken))),
        ("Rule sets", _prose(standings_in_words(taken))),
        ("In generation", _prose(enforcement_in_words(rule))),
    )
    body = "\n\n".join(f"{heading}\n{text}" for heading, text in sections if text)
    return f"{rule.code}  {rule.name}\n\n{body}\n"


def _prose(text: str) -> str:
    return fill(
        text,
        _WIDTH,
        initial_indent=_MARGIN,
        subsequent_indent=_MARGIN,
        break_on_hyphens=False,
    )


def _table(example: Example) -> str:
    table = indent("\n".join(table_of_example(example)), _MARGIN)
    return f"{_prose(setting_in_words(example))}\n{table}"
