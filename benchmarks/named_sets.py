"""Named constraint sets: which part of what a plan and a rule set ask is kept, wished for, or left.

A set says for each part whether it is ``hard``, ``soft`` (a wish at a price) or ``off``:

    ranges           the rule set's ranges; off: those of the rule set ``none``
    counterpoint     its rules
    cadences         those of the plan
    repetition       the returns of the plan
    anti-plagiarism  ``COPYING``

Users write their own as TOML, with constraints besides, in words, which hold as they stand:

    [sets.calm]
    like = "all"                        # a named set to start from; none if left out
    counterpoint = "off"
    rules = "common-practice-strict"    # in place of chorale
    weight = 6                          # nats a wish, in place of 3
    constraints = ["stagnation 3 in S", "soft 2 climax once S"]

What every set keeps is the shape of a plan: each phrase begins with notes, and no voice rests.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

from clausula.constraints.registry import RULES
from clausula.constraints.rule import Scope, Severity
from clausula.constraints.rulesets import RuleSet, Setting, load_ruleset
from clausula.constraints.soft import Soft
from clausula.constraints.sonority import Range
from clausula.constraints.text import Constraint, HardConstraint, parse_constraint
from clausula.engine.plan import Plan
from clausula.errors import InputError
from clausula.grid import Voice
from clausula.pitch import Key, SpelledPitch

COPYING = ("max-copy 8 notes", "max-copy 5 verticalities")
WISH = 3.0  # nats
FRAMES_A_QUARTER = 4


class Level(StrEnum):
    """How a part is taken."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True)
class ConstraintSet:
    """What is asked of the search.

    Attributes:
        name: in tables.
        ranges: see the module; so are the next four.
        rules: the rule set whose ranges and rules these are.
        weight: nats that a wish costs where it is not granted, a soft rule for each quarter note.
        constraints: asked for besides, as text.
    """

    name: str
    ranges: Level = Level.OFF
    counterpoint: Level = Level.OFF
    cadences: Level = Level.OFF
    repetition: Level = Level.OFF
    anti_plagiarism: Level = Level.OFF
    rules: str = "chorale"
    weight: float = WISH
    constraints: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """Everything but the name, as plain values."""
        levels = {field: str(getattr(self, field)) for field in PARTS.values()}
        return {
            **levels,
            "rules": self.rules,
            "weight": self.weight,
            "constraints": list(self.constraints),
        }

    def asked(self) -> list[Constraint]:
        """What is asked for besides, for ``make_plan``."""
        return [parse_constraint(text) for text in self.constraints]

    def ruleset(self) -> RuleSet:
        """The rules that the search keeps, or pays for.

        Soft rules are those of one slice alone: the engine has no price for motions.
        """
        full, bare = load_ruleset(self.rules), load_ruleset("none")
        ranges = full if self.ranges is Level.HARD else bare
        settings: tuple[Setting, ...] = ()
        if self.counterpoint is Level.HARD:
            settings = full.settings
        elif self.counterpoint is Level.SOFT:
            settings = tuple(
                Setting(s.code, Severity.STYLE, cost=s.cost or self.weight / FRAMES_A_QUARTER)
                for s in full.settings
                if (s.hard or s.cost) and RULES[s.code].scope is Scope.SLICE
            )
        return RuleSet(self.name, full.description, ranges.low, ranges.high, settings)

    def of(self, plan: Plan) -> Plan:
        """The plan with what this set leaves out taken out, and what it wishes for made soft.

        Phrase ends, fermatas and the local keys stay, so that all sets write to one outline.
        """
        copying = [parse_constraint(text) for text in COPYING]
        hard = [c for c in copying if self.anti_plagiarism is Level.HARD]
        wishes: list[HardConstraint] = []
        if self.ranges is Level.SOFT:
            wishes += ranges_of(load_ruleset(self.rules))
        if self.cadences is Level.SOFT:
            wishes += [c for c in plan.cadences if c not in plan.asked]
        if self.repetition is Level.SOFT:
            wishes += [c for c in plan.repeats if c not in plan.asked]
        if self.anti_plagiarism is Level.SOFT:
            wishes += copying
        cadences_stay, repeats_stay = (
            level is Level.HARD for level in (self.cadences, self.repetition)
        )
        return replace(
            plan,
            cadences=tuple(c for c in plan.cadences if cadences_stay or c in plan.asked),
            repeats=tuple(c for c in plan.repeats if repeats_stay or c in plan.asked),
            others=(*plan.others, *hard, *(Soft(wish, self.weight) for wish in wishes)),
        )


PARTS = {  # as users write them: the field
    "ranges": "ranges",
    "counterpoint": "counterpoint",
    "cadences": "cadences",
    "repetition": "repetition",
    "anti-plagiarism": "anti_plagiarism",
}


def _every(name: str, level: Level) -> ConstraintSet:
    return replace(ConstraintSet(name), **dict.fromkeys(PARTS.values(), level))


def bundled() -> dict[str, ConstraintSet]:
    """The sets that are compared by default: none, each part alone, all, and all but each part."""
    whole = _every("all", Level.HARD)
    alone = [replace(ConstraintSet(name), **{PARTS[name]: Level.HARD}) for name in PARTS]
    without = [replace(whole, name=f"without {n}", **{PARTS[n]: Level.OFF}) for n in PARTS]
    sets = [ConstraintSet("none"), *alone, whole, _every("all-soft", Level.SOFT), *without]
    return {each.name: each for each in sets}


def ranges_of(ruleset: RuleSet) -> list[HardConstraint]:
    """The ranges of a rule set as constraints."""
    spell = Key.parse("C").spell
    limits = zip(Voice, ruleset.low, ruleset.high, strict=True)
    return [
        Range(voice, *(SpelledPitch(semitone, int(spell(semitone))) for semitone in pair))
        for voice, *pair in limits
    ]


def load_sets(path: Path) -> dict[str, ConstraintSet]:
    """The sets of a TOML file, by name.

    Raises:
        InputError: no such file, no TOML, or an entry that means nothing.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: {error}; write [sets.NAME] tables") from error
    sets = table.pop("sets", None)
    if table or not isinstance(sets, dict) or not sets:
        found = ", ".join(table) or "no set"
        raise InputError(f"{path}: {found}; write tables [sets.NAME], one a set")
    return {name: _own_set(f"{path}, set {name}", name, entry) for name, entry in sets.items()}


def _own_set(where: str, name: str, entry: object) -> ConstraintSet:
    if not isinstance(entry, dict):
        raise InputError(f"{where} is {entry!r}; write a table [sets.{name}]")
    _refuse_unknown(where, entry, (*PARTS, "like", "rules", "weight", "constraints"))
    like = entry.get("like", "none")
    if like not in bundled():
        raise InputError(f"{where}: like {like!r} is no set; try {', '.join(bundled())}")
    found = replace(bundled()[like], name=name)
    for part, field in PARTS.items():
        if part in entry:
            found = replace(found, **{field: _level(where, part, entry[part])})
    constraints = entry.get("constraints", [])
    if not isinstance(constraints, list) or not all(isinstance(c, str) for c in constraints):
        raise InputError(f"{where}: constraints is {constraints!r}; write a list of texts")
    rules, weight = entry.get("rules", found.rules), entry.get("weight", WISH)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise InputError(
            f"{where}: weight is {weight!r}; write a number of nats above 0, such as 3"
        )
    kept = {"rules": str(rules), "weight": float(weight), "constraints": tuple(constraints)}
    found = replace(found, **kept)
    try:
        found.ruleset()
        found.asked()
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return found


def _level(where: str, part: str, word: object) -> Level:
    if word not in list(Level):
        raise InputError(f"{where}: {part} is {word!r}; try {', '.join(Level)}")
    return Level(str(word))


def _refuse_unknown(where: str, entry: dict[str, Any], known: Sequence[str]) -> None:
    for key in entry:
        if key not in known:
            near = get_close_matches(key, known, n=1) or known
            raise InputError(f"{where}: {key!r} is unknown; try {', '.join(near)}")
