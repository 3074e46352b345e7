"""Rules of first species: note against note."""

from __future__ import annotations

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.species import (
    OPEN,
    WESTERGAARD,
    bars_of,
    dissonances,
    each_step,
    equal_perfects,
    intervals_of,
    is_species,
    no_pairs,
    similar_into_perfect,
)
from clausula.constraints.switch import Switch


def _dissonance(passage: Passage) -> np.ndarray:
    if not is_species(passage, 1):
        return no_pairs(passage)
    return dissonances(passage)


def _consecutive_perfects(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1):
        found[1:] = equal_perfects(passage, *each_step(passage))
    return found


def _similar(passage: Passage, licence: str) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1):
        found[1:] = similar_into_perfect(passage, *each_step(passage), licence)
    return found


def _unison(passage: Passage) -> np.ndarray:
    found = no_pairs(passage)
    if is_species(passage, 1):
        found |= intervals_of(passage).unison
        found[0] = False
        found[bars_of(passage).start[-1] :] = False
    return found


A01 = Rule(
    code="A01",
    name="Dissonance in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_dissonance,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_after} over {lower_after} between {upper} and {lower} is dissonant",
    says="Note against note, parts form only consonances: unisons, thirds, perfect fifths, sixths, "
    "octaves and their compounds. The perfect fourth is a dissonance.",
    why="A dissonance needs a weaker place to pass through; where every note is a downbeat, there "
    "is none.",
    exceptions="In three or four parts a fourth between upper ones is consonant, and so is a "
    "tritone of two that are both consonant with the bass.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("G4:4 A4 A4 A4 B4 C5", "C4:4 F4 E4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "C",
            lines=("C5:4 A4 B4 D5 B4 C5", "C4:4 F4 F4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 G4 F4 E4 D4", "D4:4 D4 E4 C4 C#4 D4"),
            species=1,
            cantus="S",
            at="SB",
            where="4.1",
        ),
    ),
    obeying=(
        Example("C", lines=("G4:4 A4 G4 A4 B4 C5", "C4:4 F4 E4 F4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("C5:4 B4 C5", "G4:4 F4 E4", "E4:4 D4 C4"), species=1, cantus="B"),
    ),
)

A02 = Rule(
    code="A02",
    name="Consecutive fifths or octaves in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_consecutive_perfects,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper_before}-{lower_before} and {upper_after}-{lower_after} between {upper} and "
    "{lower} are perfect intervals of one size",
    says="Two parts that move do not go from a perfect fifth to another, or from a unison or "
    "octave to another; compounds count as the simple interval, in whatever direction they go.",
    why="Two perfect consonances of one size melt the lines into one.",
    exceptions="An interval that is repeated is no motion.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("G4:4 A4 B4 A4 B4 C5", "C4:4 F4 E4 D4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="4.1",
        ),
        Example(
            "C",
            lines=("C5:4 A4 G4 D5 B4 C5", "C4:4 F4 C4 G3 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="4.1",
        ),
        Example(
            "C",
            lines=("C5:4 D5 C5 A4 B4 C5", "C4:4 D4 E4 F4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="2.1",
        ),
    ),
    obeying=(
        Example("C", lines=("G4:4 A4 B4 F4 B4 C5", "C4:4 F4 E4 D4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("C5:4 A4 G4 B4 B4 C5", "C4:4 F4 C4 G3 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("G4:4 G4 A4 B4 C5", "C4:4 C4 F4 D4 C4"), species=1, cantus="B"),
    ),
)

A03 = Rule(
    code="A03",
    name="Similar motion into a perfect interval in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_similar,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} move in the same direction from {upper_before}-{lower_before} "
    "into {upper_after}-{lower_after}",
    says="Two parts do not move in the same direction into a perfect fifth, a unison or an octave.",
    why="Both lines point at an interval that stands out by itself; it sounds as if parallels were "
    "hidden in it.",
    exceptions="Two perfect intervals of one size in a row are named by another rule. A rule set "
    "may excuse the last octave, and a fifth over which the upper part comes by step to the fifth "
    "or the second degree.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("C5:4 A4 E4 A4 B4 C5", "C4:4 F4 C4 D4 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="4.1",
        ),
        Example(
            "C",
            lines=("G4:4 F4 A4 C5 B4 C5", "C4:4 D4 F4 C4 G3 C4"),
            species=1,
            cantus="B",
            at="SB",
        ),
    ),
    obeying=(
        Example("C", lines=("C5:4 A4 E4 F4 B4 C5", "C4:4 F4 C4 D4 D4 C4"), species=1, cantus="B"),
        Example("C", lines=("G4:4 F4 A4 C5 B4 C5", "C4:4 D4 F4 E4 D4 C4"), species=1, cantus="B"),
    ),
    switches={
        "licence": Switch(
            "none",
            ("none", "step"),
            "none: nothing is excused; step: an upper part that moves by step excuses the octave "
            "of the final tonics, and a fifth under the fifth or the second degree",
        )
    },
)

A04 = Rule(
    code="A04",
    name="Unison in first species",
    scope=Scope.EXERCISE,
    sites=Sites.PAIR,
    judge=_unison,
    severity=Severity.ERROR,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} meet on {upper_after} in the course of the exercise",
    says="Two parts sing one note only at the beginning and at the end.",
    why="In a unison one of the two lines is not heard.",
    source=f"{OPEN}; {WESTERGAARD}",
    breaking=(
        Example(
            "C",
            lines=("G4:4 F4 E4 F4 B4 C5", "C4:4 D4 E4 A3 D4 C4"),
            species=1,
            cantus="B",
            at="SB",
            where="3.1",
        ),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 D4 E4 D4", "D4:4 D4 C4 D4 C#4 D4"),
            species=1,
            cantus="S",
            at="SB",
            where="4.1",
        ),
    ),
    obeying=(
        Example("C", lines=("G4:4 F4 G4 F4 B4 C5", "C4:4 D4 E4 A3 D4 C4"), species=1, cantus="B"),
        Example(
            "d dorian",
            lines=("D4:4 F4 E4 D4 E4 D4", "D4:4 D4 C4 B3 C#4 D4"),
            species=1,
            cantus="S",
        ),
    ),
)

RULES = (A01, A02, A03, A04)
