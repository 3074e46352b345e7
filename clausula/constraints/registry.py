"""Every rule there is, by code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from clausula import constraints
from clausula.constraints.rule import Rule
from clausula.errors import InputError


def by_code(rules: Iterable[Rule]) -> dict[str, Rule]:
    """Rules by their codes, in order.

    Raises:
        ValueError: two rules have one code.
    """
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.code in found:
            raise ValueError(
                f"two rules are called {rule.code}: {found[rule.code].name}, {rule.name}"
            )
        found[rule.code] = rule
    return dict(sorted(found.items()))


def _declared() -> Iterator[Rule]:
    """What the modules ``rules_*`` of this package declare in their ``RULES``."""
    for module in iter_modules(constraints.__path__, f"{constraints.__name__}."):
        if module.name.rpartition(".")[2].startswith("rules_"):
            yield from import_module(module.name).RULES


RULES: Mapping[str, Rule] = MappingProxyType(by_code(_declared()))


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
