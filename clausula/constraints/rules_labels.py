"""Labels: cadences by their names, and what is asked of a whole melody."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from clausula.constraints.cadence import CadenceKind
from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites


def _cadences(passage: Passage, kinds: tuple[CadenceKind, ...]) -> np.ndarray:
    found = passage.nothing(1)
    for cadence in passage.cadences:
        found[cadence.arrival, 0] |= cadence.kind in kinds
    return found


_MANY = 2  # notes that a melody has at least, if it is to have a climax


def _shapeless(passage: Passage) -> np.ndarray:
    """A soprano whose highest note returns, or that leaps more than it steps."""
    found = passage.nothing(passage.n_voices)
    line = passage.lines[0]
    if len(line) <= _MANY:
        return found
    peaks = np.flatnonzero(line.semitone == line.semitone.max())
    # Repeated at once, or held on, it is one climax.
    again = [note for before, note in pairwise(peaks.tolist()) if note > before + 1]
    if again:
        found[line.start[again[0]], 0] = True
    moves = np.diff(line.step)[np.diff(line.semitone) != 0]
    if len(moves) and (np.abs(moves) > 1).mean() > 0.5:
        found[line.start[-1], 0] = True
    return found


def _label(
    code: str,
    name: str,
    kinds: tuple[CadenceKind, ...],
    texts: tuple[str, str, str],
    breaking: tuple[Example, ...],
    obeying: tuple[Example, ...],
) -> Rule:
    """A cadence's label; ``texts`` are what it says, why, and its source."""
    says, why, source = texts
    return Rule(
        code=code,
        name=name,
        scope=Scope.EXERCISE,
        sites=Sites.ALL,
        judge=partial(_cadences, kinds=kinds),
        severity=Severity.LABEL,
        enforcement=Enforcement.CHECK_ONLY,
        message=f"{name} in {{key}}: {{chord}}",
        says=says,
        why=why,
        source=source,
        breaking=breaking,
        obeying=obeying,
    )


_PAC = Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 G4 E4 C3"), at="SATB")
_IAC = Example("C", ("E5 G4 C4 C3", "D5 G4 B3 G3", "E5 G4 C4 C3"), at="SATB")
_HC = Example("C", ("C5 G4 E4 C3", "C5 F4 A3 F3", "B4 G4 D4 G3"), at="SATB")
_DC = Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 E4 C4 A3"), at="SATB")
_PLAGAL = Example("C", ("C5 G4 E4 C3", "C5 A4 F4 F3", "C5 G4 E4 C3"), at="SATB")
_PHRYGIAN = Example("a", ("A4 E4 C4 A3", "A4 D4 A3 F3", "G#4 E4 B3 E3"), at="SATB")

C01 = _label(
    "C01",
    "Perfect authentic cadence",
    (CadenceKind.PAC,),
    (
        "V or V7 goes to I, both in root position, with the tonic in the soprano.",
        "It is the strongest close.",
        "Open Music Theory, version 1",
    ),
    (_PAC, Example("a", ("A4 E4 C4 A3", "B4 E4 G#3 E3", "A4 E4 C4 A2"), at="SATB")),
    (Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 E4 C4 A3")), Example("C", _IAC.chords)),
)

C02 = _label(
    "C02",
    "Imperfect authentic cadence",
    (CadenceKind.IAC,),
    (
        "A dominant goes to I, but not as in a perfect authentic cadence: the soprano ends on "
        "another degree, or a chord is inverted.",
        "It closes, and leaves something open.",
        "Open Music Theory, version 1",
    ),
    (_IAC, Example("C", ("C5 G4 E4 C3", "B4 F4 D4 D3", "C5 E4 C4 C3"), at="SATB")),
    (Example("C", ("E5 G4 C4 C3", "D5 G4 B3 G3", "C5 G4 E4 C3")), Example("C", _HC.chords)),
)

C03 = _label(
    "C03",
    "Half cadence",
    (CadenceKind.HC,),
    (
        "A phrase ends on the triad of V in root position.",
        "It asks; an authentic cadence answers.",
        "Open Music Theory, version 1",
    ),
    (_HC, Example("a", ("A4 E4 C4 A3", "B4 E4 G#3 E3"), at="SATB")),
    (Example("C", ("C5 G4 E4 C3", "C5 F4 A3 F3", "C5 G4 E4 C3")), Example("C", _PAC.chords)),
)

C04 = _label(
    "C04",
    "Deceptive cadence",
    (CadenceKind.DC,),
    (
        "V goes to VI where I was expected.",
        "The bass steps up instead of falling home; the phrase must try again.",
        "Integrated Music Theory (Butterfield)",
    ),
    (_DC, Example("a", ("A4 E4 C4 A3", "B4 E4 G#3 E3", "C5 A3 A3 F3"), at="SATB")),
    (Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 E4 C4 C3")), Example("C", _PAC.chords)),
)

C05 = _label(
    "C05",
    "Plagal or Phrygian cadence",
    (CadenceKind.PLAGAL, CadenceKind.PHRYGIAN),
    (
        "Plagal: IV goes to I. Phrygian: in minor iv6 goes to V, the bass falling a half step.",
        "Both close without a leading tone.",
        "Integrated Music Theory (Butterfield); the Phrygian one is kept from memory",
    ),
    (_PLAGAL, _PHRYGIAN),
    (Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 G4 E4 C3")), Example("C", _HC.chords)),
)

L09 = Rule(
    code="L09",
    name="Soprano without shape",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_shapeless,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} has no single highest note, or leaps more than it steps ({pitch})",
    says="The soprano moves mostly by step and has a single climax.",
    why="A melody that goes somewhere once is heard as one arch.",
    exceptions="A highest note that is repeated at once is one climax.",
    source="Integrated Music Theory (Butterfield)",
    breaking=(
        Example(
            "C",
            ("C5 G4 E4 C3", "D5 G4 B3 G3", "C5 G4 E4 C3", "D5 G4 B3 G3", "C5 G4 E4 C3"),
            at="S",
            where="1.4",
        ),
        Example(
            "C",
            ("C5 G4 E4 C3", "E5 G4 C4 C3", "C5 G4 E4 C3", "G4 G4 E4 C3"),
            at="S",
        ),
    ),
    obeying=(
        Example(
            "C",
            ("C5 G4 E4 C3", "D5 G4 B3 G3", "C5 G4 E4 C3", "B4 G4 D4 G3", "C5 G4 E4 C3"),
        ),
        Example("C", ("C5 G4 E4 C3", "D5 G4 B3 G3", "D5 G4 B3 G2", "C5 G4 E4 C3")),
    ),
)

RULES = (C01, C02, C03, C04, C05, L09)
