"""Compose tonal music under hard constraints, and mark harmony exercises by the same rules.

import clausula as cl

piece = cl.compose(measures=16, key="G")
piece.write("g.musicxml")
print(cl.check(piece).to_text())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from clausula.checker.check import check
    from clausula.checker.report import Finding, Report
    from clausula.composing import compose
    from clausula.constraints.explain import explain
    from clausula.constraints.listing import rules
    from clausula.constraints.passage import Task
    from clausula.constraints.rulesets import RuleSet, load_ruleset
    from clausula.constraints.text import parse_constraint
    from clausula.errors import ClausulaError, CorpusError, InputError, PlanError, SearchError
    from clausula.grid import Grid, Meter
    from clausula.gridding import to_grid, to_score
    from clausula.harmonizing import harmonize
    from clausula.marking import to_html, to_marked_musicxml
    from clausula.piece import Piece
    from clausula.pitch import Key, Mode, SpelledPitch
    from clausula.reading import read_score
    from clausula.score import Note, Part, Score
    from clausula.verifying import Verification

__all__ = [
    "ClausulaError",
    "CorpusError",
    "Finding",
    "Grid",
    "InputError",
    "Key",
    "Meter",
    "Mode",
    "Note",
    "Part",
    "Piece",
    "PlanError",
    "Report",
    "RuleSet",
    "Score",
    "SearchError",
    "SpelledPitch",
    "Task",
    "Verification",
    "check",
    "compose",
    "explain",
    "harmonize",
    "load_ruleset",
    "parse_constraint",
    "read_score",
    "rules",
    "to_grid",
    "to_html",
    "to_marked_musicxml",
    "to_score",
]

# Where each public name lives. They are imported on first use: reading needs music21 and composing
# JAX, a second or more each, and neither should cost those who need only the other.
_HOME = {
    "ClausulaError": "clausula.errors",
    "CorpusError": "clausula.errors",
    "Finding": "clausula.checker.report",
    "Grid": "clausula.grid",
    "InputError": "clausula.errors",
    "Key": "clausula.pitch",
    "Meter": "clausula.grid",
    "Mode": "clausula.pitch",
    "Note": "clausula.score",
    "Part": "clausula.score",
    "Piece": "clausula.piece",
    "PlanError": "clausula.errors",
    "Report": "clausula.checker.report",
    "RuleSet": "clausula.constraints.rulesets",
    "Score": "clausula.score",
    "SearchError": "clausula.errors",
    "SpelledPitch": "clausula.pitch",
    "Task": "clausula.constraints.passage",
    "Verification": "clausula.verifying",
    "check": "clausula.checker.check",
    "compose": "clausula.composing",
    "explain": "clausula.constraints.explain",
    "harmonize": "clausula.harmonizing",
    "load_ruleset": "clausula.constraints.rulesets",
    "parse_constraint": "clausula.constraints.text",
    "read_score": "clausula.reading",
    "rules": "clausula.constraints.listing",
    "to_grid": "clausula.gridding",
    "to_html": "clausula.marking",
    "to_marked_musicxml": "clausula.marking",
    "to_score": "clausula.gridding",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use.

    Raises:
        AttributeError: no such name.
    """
    if name not in _HOME:
        raise AttributeError(f"module 'clausula' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
