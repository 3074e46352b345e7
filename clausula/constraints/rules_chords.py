"""Rules of what a chord is made of: members that are missing, roots and sevenths that are doubled.

These rules read the chord of a slice. The checker finds it by analysis, or is given it; the search
knows it where the notes of a slice spell it (``engine.sonorities``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.predicates import inverse, is_member, sounding_among, sounds
from clausula.constraints.rule import (
    NONE,
    Array,
    Context,
    Enforcement,
    Motion,
    Reads,
    Rule,
    Scope,
    Severity,
    Sites,
)
from clausula.constraints.rules_vertical import BRIEF

_CHORD = frozenset({Reads.CHORD})
_TRITONE, _DIMINISHED = 6, 9  # fifth and seventh of a diminished seventh chord, semitones
_FEWEST = 3  # voices that can be asked for a whole chord


def several(site: tuple[int, ...], n_voices: int) -> bool:
    """Whether there are voices enough for a whole chord."""
    return n_voices >= _FEWEST


def _missing(member: Array, context: Context) -> Array:
    """Whether a chord that begins on a beat never sounds one of its members."""
    known = (member != NONE) & (context.chord.heard != 0) & context.on_beat
    return known & context.begins & inverse(sounding_among(member, context.chord.heard))


def _bare(context: Context) -> Array:
    """Whether nothing sounds but members of the chord: a foreign note may stand for a member."""
    foreign = context.chord.heard
    for member in context.chord[:4]:
        heard = (member != NONE) & sounding_among(member, foreign)
        foreign = foreign - heard * (1 << (member % 12))
    return foreign == 0


def _enough(voices: Sequence[Motion]) -> Array:
    """Whether voices enough sound for a whole chord."""
    return sum(sounds(voice.after) * 1 for voice in voices) >= _FEWEST


def _third_missing(voices: Sequence[Motion], context: Context) -> Array:
    chord = context.chord
    # Three notes of a diminished seventh chord are a diminished triad to the ear.
    diminished = (chord.seventh != NONE) & ((chord.seventh - chord.root) % 12 == _DIMINISHED)
    missing = _missing(chord.third, context) & _bare(context)
    return missing & _enough(voices) & inverse(diminished)


def _root_missing(voices: Sequence[Motion], context: Context) -> Array:
    chord = context.chord
    diminished = (chord.fifth - chord.root) % 12 == _TRITONE
    missing = _missing(chord.root, context) & _bare(context)
    return missing & _enough(voices) & inverse(diminished)


def _seventh_missing(voices: Sequence[Motion], context: Context) -> Array:
    return _missing(context.chord.seventh, context) & _enough(voices)


def _fifth_missing_inverted(voices: Sequence[Motion], context: Context) -> Array:
    inverted = (context.chord.bass != context.chord.root) & (context.chord.bass != NONE)
    return _missing(context.chord.fifth, context) & _enough(voices) & inverted


def _root_tripled(passage: Passage) -> np.ndarray:
    found = passage.nothing(1)
    if passage.n_voices <= _FEWEST:
        return found
    last = len(passage) - 1
    final = passage.context.begins.nonzero()[0]
    closing = int(final[-1]) if len(final) else last
    root = passage.context.chord.root
    pitch = passage.cur.semitone
    on_root = (pitch % 12 == root[:, None]) & (pitch >= 0) & (root != NONE)[:, None]
    tripled = on_root.sum(axis=1) >= 3
    at_home = root == passage.context.tonic_pc
    tripled[closing:] &= ~at_home[closing:]
    found[:, 0] = tripled & passage.context.begins
    return found


def _seventh_doubled(upper: Motion, lower: Motion, context: Context, brief: str) -> Array:
    seventh = context.chord.seventh
    passing = (upper.brief | lower.brief) & (brief == "passes")
    return is_member(upper.after, seventh) & is_member(lower.after, seventh) & inverse(passing)


V05 = Rule(
    code="V05",
    name="Third missing",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_third_missing,
    applies=several,
    reads=_CHORD,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{chord} has no third",
    says="Every triad and every seventh chord has its third.",
    why="The third says whether a chord is major or minor; a bare fifth sounds hollow among full "
    "chords.",
    exceptions="A suspension or another foreign note may stand in its place. A diminished "
    "seventh chord is whole without it. Textures of fewer than three voices cannot be asked for "
    "whole chords.",
    source="Integrated Music Theory (Butterfield); course handouts, one after Aldwell and "
    "Schachter",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 G4 D4 G3"), numerals=("I", "V"), at="SATB"),
        Example("a", ("A4 E4 C4 A3", "A4 D4 A3 D3"), numerals=("i", "iv"), at="SATB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "D5 G4 B3 G3"), numerals=("I", "V")),
        Example(
            "C",
            lines=("D5:2 C5:2", "G4:2 E4:2", "C4:1 B3:1 C4:2", "G3:2 C3:2"),
            numerals=("V:2", "I:2"),
        ),
    ),
)

V06 = Rule(
    code="V06",
    name="Root missing",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_root_missing,
    applies=several,
    reads=_CHORD,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{chord} has no root",
    says="Every chord has its root, unless it is diminished.",
    why="Without its root a chord is heard as another one, or not at all.",
    exceptions="A diminished triad or seventh stands for a dominant whose root is left out; "
    "nothing more is asked of it.",
    source="Integrated Music Theory (Butterfield); course handouts, one after Aldwell and "
    "Schachter",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "B4 F4 D4 D3"), numerals=("I", "V43"), at="SATB"),
        Example("a", ("A4 E4 C4 A3", "A4 F4 F4 A3"), numerals=("i", "iv6"), at="SATB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "B4 G4 F4 D3"), numerals=("I", "V43")),
        Example("C", ("C5 G4 E4 C3", "B4 F4 D4 D3"), numerals=("I", "viio6")),
    ),
)

V07 = Rule(
    code="V07",
    name="Seventh missing",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_seventh_missing,
    applies=several,
    reads=_CHORD,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{chord} has no seventh",
    says="A chord whose numeral or figure asks for a seventh has it.",
    why="Without it the chord is a plain triad, and what was asked for is not there.",
    exceptions="Where nobody wrote numerals or figures, a chord without a seventh is no seventh "
    "chord.",
    source="A course handout after Aldwell and Schachter",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3"), numerals=("I", "V7"), at="SATB"),
        Example("d", ("D5 A4 F4 D3", "E5 Bb4 G4 G3"), numerals=("i", "iiø65"), at="SATB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "B4 F4 D4 G3"), numerals=("I", "V7")),
        Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3"), numerals=("I", "V")),
    ),
)

V08 = Rule(
    code="V08",
    name="Fifth missing in an inversion",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_fifth_missing_inverted,
    applies=several,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="{chord} is inverted and has no fifth",
    says="A chord that is not in root position has its fifth.",
    why="In root position the ear supplies the fifth; over another bass it does not, and the chord "
    "is heard as another.",
    exceptions="In root position the fifth may be left out.",
    source="A course handout; Integrated Music Theory (Butterfield)",
    breaking=(
        Example("C", ("B4 G4 D4 G3", "C5 E4 C4 E3"), numerals=("V", "I6"), at="SATB"),
        Example("a", ("G#4 E4 B3 E3", "A4 C4 A3 C3"), numerals=("V", "i6"), at="SATB"),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 G3", "C5 G4 C4 E3"), numerals=("V", "I6")),
        Example("C", ("D5 G4 B3 G3", "C5 E4 C4 C3"), numerals=("V", "I")),
    ),
)

V09 = Rule(
    code="V09",
    name="Root tripled",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    judge=_root_tripled,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="{chord} has its root in three voices",
    says="No more than two voices have the root of a chord, except in the last tonic.",
    why="Three roots leave one voice for everything else, and the chord sounds thin.",
    exceptions="The last tonic may consist of three roots and a third.",
    source="Integrated Music Theory (Butterfield)",
    breaking=(
        Example(
            "C",
            ("C5 G4 E4 C3", "F4 F4 A3 F3", "B4 D4 G3 G2"),
            numerals=("I", "IV", "V"),
            at="SATB",
            where="1.2",
        ),
        Example(
            "a",
            ("A4 A4 C4 A3", "B4 G#4 E4 E3"),
            numerals=("i", "V"),
            at="SATB",
            where="1.1",
        ),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "C5 F4 A3 F3", "B4 D4 G3 G2"), numerals=("I", "IV", "V")),
        Example("C", ("D5 G4 B3 G3", "C5 E4 C4 C3"), numerals=("V", "I")),
    ),
)

V11 = Rule(
    code="V11",
    name="Seventh doubled",
    scope=Scope.SLICE,
    sites=Sites.PAIR,
    predicate=_seventh_doubled,
    switches={"brief": BRIEF},
    reads=_CHORD,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} both sing {pitch_class}, the seventh of {chord}",
    says="No two voices have the seventh of a chord.",
    why="A seventh is bound to fall by step. Two of them fall in parallel octaves, or one is left "
    "unresolved.",
    source="Course handouts, one after Aldwell and Schachter; Integrated Music Theory "
    "(Butterfield)",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "F5 F4 B3 G3"), numerals=("I", "V7"), at="SA"),
        Example("a", ("A4 E4 C4 A3", "D5 G#4 D4 E3"), numerals=("i", "V7"), at="ST"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "D5 F4 B3 G3"), numerals=("I", "V7")),
        Example("C", ("C5 G4 E4 C3", "F5 F4 A3 D3"), numerals=("I", "ii")),
    ),
)

RULES = (V05, V06, V07, V08, V09, V11)
