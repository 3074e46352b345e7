"""Every rule there is, by code."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from clausula.constraints import (
    rules_cantus,
    rules_chords,
    rules_dissonance,
    rules_doubling,
    rules_fifth_species,
    rules_first_species,
    rules_first_species_lines,
    rules_fourth_species,
    rules_fourth_species_ties,
    rules_given,
    rules_harmony,
    rules_labels,
    rules_leading,
    rules_leaps,
    rules_line,
    rules_motion,
    rules_perfect,
    rules_resolution,
    rules_second_species,
    rules_second_species_lines,
    rules_species,
    rules_species_motion,
    rules_texture,
    rules_third_species,
    rules_vertical,
    rules_written,
)
from clausula.constraints.rule import Rule
from clausula.errors import InputError

_FILES = (
    rules_cantus,
    rules_chords,
    rules_dissonance,
    rules_doubling,
    rules_fifth_species,
    rules_first_species,
    rules_first_species_lines,
    rules_fourth_species,
    rules_fourth_species_ties,
    rules_given,
    rules_harmony,
    rules_labels,
    rules_leading,
    rules_leaps,
    rules_line,
    rules_motion,
    rules_perfect,
    rules_resolution,
    rules_second_species,
    rules_second_species_lines,
    rules_species,
    rules_species_motion,
    rules_texture,
    rules_third_species,
    rules_vertical,
    rules_written,
)
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.code: rule
        for rule in sorted(
            (rule for file in _FILES for rule in file.RULES), key=lambda rule: rule.code
        )
    }
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
