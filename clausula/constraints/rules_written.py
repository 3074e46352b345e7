"""Rules of labels in the file itself: do they say what sounds?

What a label means and what sounds at its place is found by ``checker.judging``; so is the message.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites


def _remarked(passage: Passage, code: str) -> np.ndarray:
    return passage.remarked(code)[:, None]


_TONIC, _FIFTH = "C5 G4 E4 C3", "B4 G4 D4 G3"
_CLOSE = (_TONIC, "A4 F4 C4 F3", _FIFTH, _TONIC)

H09 = Rule(
    code="H09",
    name="Numeral that the notes contradict",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=partial(_remarked, code="H09"),
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="Another numeral is written than {chord}, which sounds",
    says="A Roman numeral names the chord that sounds at its place.",
    why="An analysis is a claim about the notes, and the notes decide.",
    exceptions="Embellishments are no part of the chord. A chord that is spelled enharmonically is "
    "the same. A cadential six-four is I64 or the 64 of V64-53.",
    source="The task itself",
    breaking=(
        Example("C", _CLOSE, written=("I", "ii", "V", "I"), at="SATB", where="1.2"),
        Example("C", _CLOSE, written=("I", "IV", "V7", "I"), at="SATB", where="1.3"),
    ),
    obeying=(
        Example("C", _CLOSE, written=("I", "IV", "V", "I")),
        Example("C", _CLOSE, written=("C: I", "G: bVII", "I", "IV")),
    ),
)

H10 = Rule(
    code="H10",
    name="Cadence that is not there",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=partial(_remarked, code="H10"),
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="Another cadence is named than the music makes here",
    says="The name of a cadence stands where the music makes that cadence.",
    why="A cadence is told by its chords, its bass and its soprano, not by its place alone.",
    exceptions="The name may stand under either chord of the cadence.",
    source="The task itself",
    breaking=(
        Example("C", _CLOSE, written=("I", "IV", "V", "I HC"), at="SATB"),
        Example("C", _CLOSE[:3], written=("", "", "PAC"), at="SATB"),
    ),
    obeying=(
        Example("C", _CLOSE, written=("I", "IV", "V", "I PAC")),
        Example("C", _CLOSE[:3], written=("", "", "HC")),
    ),
)

H11 = Rule(
    code="H11",
    name="Label that is not understood",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=partial(_remarked, code="H11"),
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="A label is neither a numeral nor figures",
    says="Every label of an analysis is a numeral, a figure or the name of a cadence.",
    why="What cannot be read cannot be marked.",
    source="The task itself",
    breaking=(
        Example("C", _CLOSE, written=("I", "IVx7", "V", "I"), at="SATB", where="1.2"),
        Example("C", _CLOSE, written=("5", "6!", "5", "5"), at="SATB", where="1.2"),
    ),
    obeying=(
        Example("C", _CLOSE, written=("I", "IV", "V", "I")),
        Example("C", _CLOSE, written=("O", "Herr", "du", "I")),
    ),
)

H12 = Rule(
    code="H12",
    name="Figure that nobody sings",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=partial(_remarked, code="H12"),
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="A figure is not realised",
    says="What figures name above the bass is sung while they hold.",
    why="A figure is written because its note is wanted.",
    exceptions="An octave, the fifth and the third of a triad may be left out where they have no "
    "sign; so may all figures in fewer than four voices.",
    source="The task itself",
    breaking=(
        Example("C", (_TONIC, "D5 G4 B3 G3"), figures=("", "7"), at="SATB"),
        Example("C", (_TONIC, "B4 G4 D4 G3"), figures=("", "8-7"), at="SATB"),
    ),
    obeying=(
        Example("C", (_TONIC, "D5 F4 B3 G3"), figures=("", "7")),
        Example("C", (_TONIC, "D5 G4 B3 G3"), figures=("", "")),
    ),
)

RULES = (H09, H10, H11, H12)
