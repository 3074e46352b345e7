"""Rule sets: which rules are hard, which cost something, how much a finding weighs.

A rule set is a TOML file: ``description``, ``[ranges]`` with the lowest and highest pitch of S, A,
T and B, and a table ``[rules]`` with a line a rule::

    M01 = { severity = "error", hard = true }   # never happens in generated music
    V03 = { severity = "style", cost = 0.5 }    # happens, at 0.5 nats a frame
    M04 = { severity = "error", of = "octaves" }  # a switch: something books disagree about

A rule that is not named is off. Strictness is data: no rule knows of it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from clausula.constraints.registry import RULES
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS
from clausula.pitch import SpelledPitch

_LARGEST = 1_000_000  # bytes of a rule set
_FOLDER = Path(__file__).parent / "rulesets"


@dataclass(frozen=True)
class Setting:
    """How one rule is taken.

    Attributes:
        code: the rule's.
        severity: of a finding; ``Severity.OFF`` is not reported.
        hard: whether generation forbids a violation.
        cost: nats that a violation costs generation in each frame, 0 for none.
        switches: name and choice of each switch that is set.
    """

    code: str
    severity: Severity
    hard: bool = False
    cost: float = 0.0
    switches: tuple[tuple[str, Any], ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule with its switches set."""
        return RULES[self.code].under(dict(self.switches))


@dataclass(frozen=True)
class RuleSet:
    """A named choice of rules.

    Attributes:
        name: the file's, without its ending.
        description: one sentence.
        low: lowest MIDI number of each voice, soprano first.
        high: highest MIDI number of each voice.
        settings: one for each rule that is named.
    """

    name: str
    description: str
    low: tuple[int, ...]
    high: tuple[int, ...]
    settings: tuple[Setting, ...]

    @cached_property
    def judged(self) -> tuple[Rule, ...]:
        """The rules whose violations are reported, in the order of the file."""
        return tuple(s.rule for s in self.settings if s.severity is not Severity.OFF)

    @cached_property
    def hard(self) -> tuple[Rule, ...]:
        """The rules that generated music never breaks."""
        return tuple(s.rule for s in self.settings if s.hard)

    @cached_property
    def costs(self) -> tuple[tuple[Rule, float], ...]:
        """The rules that generated music breaks at a price, with the price in nats a frame."""
        return tuple((s.rule, s.cost) for s in self.settings if s.cost)

    def severity(self, code: str) -> Severity:
        """How much a finding of that rule weighs."""
        return next((s.severity for s in self.settings if s.code == code), Severity.OFF)


def known_rulesets() -> list[str]:
    """Names of the rule sets that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_ruleset(ruleset: str | Path | RuleSet) -> RuleSet:
    """The rule set of that name, or of a user's own TOML file; a ``RuleSet`` comes back as it is.

    Raises:
        InputError: unknown name, unreadable file, or a file with an unknown or contradictory entry.
    """
    if isinstance(ruleset, RuleSet):
        return ruleset
    path = Path(ruleset)
    if str(ruleset) in known_rulesets():
        path = _FOLDER / f"{ruleset}.toml"
    try:
        if path.suffix != ".toml":
            raise FileNotFoundError
        table = tomllib.loads(_text(path))
    except FileNotFoundError:
        raise InputError(
            f"no rule set {str(ruleset)!r}; try {', '.join(known_rulesets())}, or a .toml file"
        ) from None
    except OSError as error:
        raise InputError(
            f"rule set {path} cannot be read ({error.strerror}); check its name and rights"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"rule set {path}: not TOML ({error}); try one of the bundled") from error
    except RecursionError as error:
        raise InputError(f"rule set {path}: nested too deeply; try one of the bundled") from error
    return _ruleset(path.stem, table)


def _text(path: Path) -> str:
    """What a rule set's file holds.

    Raises:
        InputError: it is a pipe or a device, which may have no end, or too large.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"rule set {path}: a pipe or a device; try saving it as a file first")
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise InputError(f"rule set {path}: larger than {_LARGEST:,} bytes; try one of the bundled")
    return data.decode("utf-8")


def _ruleset(name: str, table: dict[str, Any]) -> RuleSet:
    where = f"rule set {name}"
    _refuse_unknown(where, table, ("description", "ranges", "rules"))
    ranges, rules = table.get("ranges"), table.get("rules", {})
    if not isinstance(ranges, dict) or not isinstance(rules, dict):
        raise InputError(f"{where}: [ranges] and [rules] must be tables; see the bundled ones")
    _refuse_unknown(f"{where}, [ranges]", ranges, tuple(VOICE_LETTERS))
    limits = [_range(where, letter, ranges.get(letter)) for letter in VOICE_LETTERS]
    _refuse_unknown(f"{where}, [rules]", rules, tuple(RULES))
    return RuleSet(
        name=name,
        description=str(table.get("description", "")),
        low=tuple(low for low, _ in limits),
        high=tuple(high for _, high in limits),
        settings=tuple(_setting(f"{where}, rule {code}", code, rules[code]) for code in rules),
    )


def _range(where: str, letter: str, entry: object) -> tuple[int, int]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise InputError(f"{where}: range {letter} is {entry!r}; try {letter} = ['C4', 'G5']")
    try:
        low, high = (SpelledPitch.parse(str(name)).semitone for name in entry)
    except InputError as error:
        raise InputError(f"{where}: range {letter}: {error}") from error
    if low > high:
        raise InputError(f"{where}: range {letter} runs from {entry[0]} down to {entry[1]}; swap")
    return low, high


def _setting(where: str, code: str, entry: object) -> Setting:
    if not isinstance(entry, dict):
        raise InputError(f'{where} is {entry!r}; try {{ severity = "error", hard = true }}')
    switches = RULES[code].switches
    _refuse_unknown(where, entry, ("severity", "hard", "cost", *switches))
    severity = entry.get("severity", RULES[code].severity.word)
    hard, cost = entry.get("hard", False), entry.get("cost", 0.0)
    words = [level.word for level in Severity]
    if severity not in words:
        raise InputError(f"{where}: severity {severity!r} is unknown; try {', '.join(words)}")
    if not isinstance(hard, bool):
        raise InputError(f"{where}: hard is {hard!r}; try true or false")
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < float("inf"):
        raise InputError(f"{where}: cost is {cost!r}; try a number of nats, such as 0.5")
    if hard and cost:
        raise InputError(f"{where} is hard and has a cost; keep one")
    if hard and RULES[code].enforcement is Enforcement.CHECK_ONLY:
        raise InputError(f"{where}: only the checker judges it; drop hard")
    if cost and RULES[code].scope is not Scope.SLICE:
        raise InputError(f"{where}: only rules of one slice can have a cost; try hard or drop cost")
    chosen = tuple((name, entry[name]) for name in switches if name in entry)
    for name, choice in chosen:
        if not switches[name].takes(choice):
            choices = ", ".join(switches[name].words)
            raise InputError(f"{where}: {name} is {choice!r}; try {choices}")
    return Setting(code, Severity[severity.upper()], hard, float(cost), chosen)


def _refuse_unknown(where: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=4)
            advice = ", ".join(near or known)
            raise InputError(f"{where}: {key!r} is unknown; try {advice}")
