"""Every rule there is, by code."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from clausula.constraints import rules_line, rules_motion, rules_vertical
from clausula.constraints.rule import Rule
from clausula.errors import InputError

RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.code: rule for rule in rules_vertical.RULES + rules_motion.RULES + rules_line.RULES}
)


def find_rule(code: str) -> Rule:
    """The rule of that code; capitals do not matter.

    Raises:
        InputError: there is none; the message lists near ones.
    """
    wanted = code.strip().upper()
    if wanted in RULES:
        return RULES[wanted]
    near = get_close_matches(wanted, RULES, n=4, cutoff=0.5)
    raise InputError(f"no rule {code!r}; try {', '.join(near or RULES)}")
