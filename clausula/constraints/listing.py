"""Every rule there is and how rule sets take it, for tables, programs and the reference page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from clausula.constraints.registry import RULES
from clausula.constraints.rule import Enforcement, Rule, Severity
from clausula.constraints.rulesets import RuleSet, known_rulesets, load_ruleset
from clausula.errors import InputError

# The letters that codes begin with, in the order in which a course comes to them.
GROUPS: Mapping[str, str] = {
    "V": "Chords, spacing and doubling",
    "M": "Motion between two voices",
    "L": "Lines",
    "T": "Tendency tones",
    "H": "Harmony and exercises",
    "C": "Cadences, named",
    "G": "Counterpoint of any species",
    "A": "First species",
    "B": "Second species",
    "D": "Third species",
    "F": "Fourth species",
    "J": "Fifth species",
}


@dataclass(frozen=True)
class Standing:
    """How a rule set takes a rule.

    Attributes:
        ruleset: its name.
        severity: of a finding.
        hard: whether generated music never breaks the rule.
        cost: nats that a violation costs generated music in each frame, 0 for none.
        choices: what it chooses for every switch of the rule.
    """

    ruleset: str
    severity: Severity
    hard: bool
    cost: float
    choices: Mapping[str, Any]

    @property
    def taken(self) -> bool:
        """Whether the rule set makes any use of the rule."""
        return self.hard or self.cost > 0 or self.severity is not Severity.OFF


@dataclass(frozen=True)
class Listed:
    """A rule, and how each rule set takes it."""

    rule: Rule
    standings: tuple[Standing, ...]

    @property
    def group(self) -> str:
        """The letter of its code."""
        return self.rule.code[0]

    def to_json(self) -> dict[str, Any]:
        """Plain values that ``json.dumps`` takes."""
        rule, standings = self.rule, self.standings
        return {
            "code": rule.code,
            "name": rule.name,
            "group": GROUPS[self.group],
            "severity": {each.ruleset: each.severity.word for each in standings},
            "hard": {each.ruleset: each.hard for each in standings},
            "cost": {each.ruleset: each.cost for each in standings},
            "source": rule.source,
            "says": rule.says,
            "why": rule.why,
            "exceptions": rule.exceptions,
            "scope": rule.scope.value,
            "enforcement": enforcement_word(rule.enforcement),
            "switches": {
                name: {
                    "says": switch.says,
                    "choices": list(switch.choices),
                    "default": switch.default,
                    "chosen": {each.ruleset: each.choices[name] for each in standings},
                }
                for name, switch in rule.switches.items()
            },
        }


def rules(
    ruleset: str | Path | RuleSet | None = None,
    *,
    code: str = "",
    severity: str = "",
    enforced: str = "",
    search: str = "",
) -> tuple[Listed, ...]:
    """The rules in the order of ``GROUPS`` and their codes.

    Args:
        ruleset: tells how it alone takes the rules, and leaves out those that it does not take,
            unless ``severity`` asks for them; every bundled rule set if left out.
        code: codes or the letters of groups, ``"M01"``, ``"M,L"``.
        severity: words with commas between, ``"error,warning"``; a rule stays if some rule set
            gives it one of them.
        enforced: how generation makes sure of a rule, ``"mask"``, ``"automaton,finals-only"``.
        search: words, all of which a rule has somewhere in its texts.

    Raises:
        InputError: an unknown rule set, code, severity or enforcement.
    """
    sets = rulesets_of(ruleset)
    codes = _codes(code)
    severities = _chosen("severity", severity, {each.word: each for each in Severity})
    enforcements = _chosen("enforcement", enforced, {enforcement_word(e): e for e in Enforcement})
    words = search.casefold().split()
    order = list(GROUPS)
    found = []
    for rule in sorted(RULES.values(), key=lambda each: (order.index(each.code[0]), each.code)):
        each = Listed(rule, standings(rule, sets))
        if ruleset is not None and not severity and not each.standings[0].taken:
            continue
        if (
            rule.code in codes
            and rule.enforcement in enforcements
            and any(standing.severity in severities for standing in each.standings)
            and all(word in _texts(rule) for word in words)
        ):
            found.append(each)
    return tuple(found)


def rulesets_of(ruleset: str | Path | RuleSet | None) -> list[RuleSet]:
    """That rule set alone, or every bundled one."""
    return [load_ruleset(each) for each in ([ruleset] if ruleset else known_rulesets())]


def standings(rule: Rule, rulesets: Iterable[RuleSet]) -> tuple[Standing, ...]:
    """How each of some rule sets takes a rule."""
    defaults = {name: switch.default for name, switch in rule.switches.items()}
    found = []
    for ruleset in rulesets:
        setting = next((each for each in ruleset.settings if each.code == rule.code), None)
        if setting is None:
            found.append(Standing(ruleset.name, Severity.OFF, False, 0.0, defaults))
            continue
        choices = defaults | dict(setting.switches)
        found.append(Standing(ruleset.name, setting.severity, setting.hard, setting.cost, choices))
    return tuple(found)


def enforcement_word(enforcement: Enforcement) -> str:
    """``"mask"``, ``"automaton"``, ``"finals-only"`` or ``"check-only"``."""
    return enforcement.name.lower().replace("_", "-")


def _codes(text: str) -> set[str]:
    """The codes that are named, by themselves or by the letter of their group; all, if none is."""
    found = set()
    for name in _named(text.upper()):
        matching = {code for code in RULES if name in (code, code[0])}
        if not matching:
            near = get_close_matches(name, RULES, n=4, cutoff=0.5)
            raise InputError(f"no rule has the code {name!r}; try {', '.join([*near, *GROUPS])}")
        found |= matching
    return found or set(RULES)


def _chosen(what: str, text: str, known: Mapping[str, Any]) -> set[Any]:
    """The values that are named; all, if none is."""
    for name in _named(text):
        if name not in known:
            raise InputError(f"{what} {name!r} is unknown; try {', '.join(known)}")
    return {known[name] for name in _named(text)} or set(known.values())


def _named(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _texts(rule: Rule) -> str:
    """Everything that a rule says, in small letters."""
    texts = (rule.code, rule.name, rule.says, rule.why, rule.exceptions, rule.message, rule.source)
    switches = [f"{name} {switch.says}" for name, switch in rule.switches.items()]
    return "\n".join((*texts, *switches)).casefold()
