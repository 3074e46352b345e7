"""Rules of harmony in time: what follows what, where chords change, how phrases open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.predicates import degree_of, inverse, sounds
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

_CHORD = frozenset({Reads.CHORD})
_TONIC, _SUPERTONIC, _SUBDOMINANT, _DOMINANT, _LEADING = 0, 2, 5, 7, 11  # semitones of roots
_BARE_MELODY = 2  # voices that make a chord at least


def _retrogression(voices: Sequence[Motion], context: Context) -> Array:
    before, chord = context.chord_before, context.chord
    from_fifth = (degree_of(before.root, context) == _DOMINANT) & (
        (before.third - before.root) % 12 == 4
    )
    dominant = (from_fifth | (degree_of(before.root, context) == _LEADING)) & (before.root != NONE)
    root = degree_of(chord.root, context)
    to_fourth = (root == _SUBDOMINANT) | (
        (root == _SUPERTONIC) & ((chord.third - chord.root) % 12 == 3)
    )
    predominant = to_fourth & (chord.root != NONE)
    bass = voices[-1]
    steps = bass.after.step - bass.before.step
    passing = (chord.bass != chord.root) & ((steps == 1) | (steps == -1))
    sounding = sounds(bass.after) & sounds(bass.before)
    begins = context.begins & context.on_beat & inverse(context.boundary)
    return dominant & predominant & begins & sounding & inverse(passing)


def _syncopated(passage: Passage) -> np.ndarray:
    """Downbeats over which a chord is carried that began on a weaker beat."""
    found = passage.nothing(1)
    begins = np.flatnonzero(passage.context.begins)
    phrase = _first_slices(passage)
    for start, stop in zip(begins, [*begins[1:], len(passage)], strict=True):
        inside = passage.level[start + 1 : stop]
        carried = np.flatnonzero(inside == 0)
        if len(carried) and passage.level[start] > 0 and start not in phrase:
            found[start + 1 + carried[0], 0] = True
    return found


def _first_slices(passage: Passage) -> set[int]:
    """The first slice of every phrase in which something sounds."""
    ends = [float(end) for end in passage.ends[:-1]]
    starts = [0, *np.searchsorted(passage.slices.onsets, ends).tolist()]
    found = set()
    for start in starts:
        sounding = np.flatnonzero((passage.cur.semitone[start:] >= 0).any(axis=1))
        if len(sounding):
            found.add(start + int(sounding[0]))
    return found


def _opens_elsewhere(passage: Passage) -> np.ndarray:
    found = passage.nothing(1)
    if passage.n_voices <= _BARE_MELODY:
        return found
    above = degree_of(passage.context.chord.root, passage.context)
    begins = np.flatnonzero(passage.context.begins)
    for start in _first_slices(passage):
        if passage.context.chord.root[start] == NONE or above[start] == _TONIC:
            continue
        later = begins[begins > start]
        upbeat = passage.level[start] > 0 and len(later) and passage.level[later[0]] == 0
        # A dominant on the upbeat leads into a phrase that opens on the tonic.
        leads = above[start] == _DOMINANT and upbeat and above[later[0]] == _TONIC
        found[start, 0] = not leads
    return found


H01 = Rule(
    code="H01",
    name="Dominant to predominant",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_retrogression,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="{chord_before} goes back to {chord}",
    says="A dominant does not go to a chord that prepares it.",
    why="Harmony moves from the predominant through the dominant to the tonic; the way back undoes "
    "the tension.",
    exceptions="A passing chord in inversion, such as IV6 between V and V6.",
    source="A course handout; open checkers of part-writing",
    breaking=(
        Example("C", ("B4 G4 D4 G3", "A4 F4 C4 F3"), numerals=("V", "IV"), at="SATB"),
        Example("a", ("B4 G#4 E4 E3", "A4 F4 D4 D3"), numerals=("V", "iv"), at="SATB"),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 G3", "C5 G4 E4 C3"), numerals=("V", "I")),
        Example("C", ("B4 G4 D4 G3", "C5 F4 C4 A3"), numerals=("V", "IV6")),
    ),
)

H02 = Rule(
    code="H02",
    name="Harmony carried over the bar line",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=_syncopated,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="{chord} began on a weak beat and is carried over the bar line",
    says="A harmony that begins on a weak beat changes at the next downbeat.",
    why="Changes of harmony are accents: a downbeat without one is robbed of its weight.",
    exceptions="The chord with which a phrase begins may be repeated.",
    source="A course handout",
    breaking=(
        Example(
            "C",
            ("C5 G4 E4 C3", "C5 G4 E4 C3", "A4 F4 C4 F3", "B4 G4 D4 G3", "D5 G4 D4 B2"),
            numerals=("I:2", "IV", "V", "V6"),
            at="SATB",
        ),
        Example(
            "F",
            ("A4 F4 C4 F3", "A4 F4 C4 F3", "Bb4 F4 D4 Bb2", "D5 F4 Bb3 Bb2"),
            numerals=("I:2", "IV", "IV"),
            meter="3/4",
            at="SATB",
        ),
    ),
    obeying=(
        Example(
            "C",
            ("C5 G4 E4 C3", "C5 G4 E4 C3", "A4 F4 C4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3"),
            numerals=("I:2", "IV", "V", "I"),
        ),
        Example(
            "C",
            ("C5 G4 E4 C3", "C5 G4 E4 C3", "B4 G4 D4 G3"),
            numerals=("I:2", "V"),
            pickup="1",
        ),
    ),
)

H03 = Rule(
    code="H03",
    name="Phrase does not open on the tonic",
    scope=Scope.EXERCISE,
    sites=Sites.ALL,
    judge=_opens_elsewhere,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The phrase opens on {chord}, not on the tonic of {key}",
    says="A phrase opens on the tonic.",
    why="Only from home can the music leave home.",
    exceptions="A dominant on the upbeat may lead to the tonic on the downbeat. Two voices alone "
    "make no chords.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1",
    breaking=(
        Example(
            "C",
            ("C5 A4 F4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3"),
            numerals=("IV", "V", "I"),
            at="SATB",
            where="1.1",
        ),
        Example(
            "a",
            ("B4 G#4 E4 E3", "A4 E4 C4 A2"),
            numerals=("V", "i"),
            at="SATB",
            where="1.1",
        ),
    ),
    obeying=(
        Example(
            "C",
            ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 G4 E4 C3"),
            numerals=("I", "V", "I"),
        ),
        Example("a", ("B4 G#4 E4 E3", "A4 E4 C4 A2"), numerals=("V", "i"), pickup="1"),
    ),
)

RULES = (H01, H02, H03)
