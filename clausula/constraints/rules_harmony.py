"""Rules of harmony in time: what follows what, where chords change, how phrases open."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.predicates import degree_of, inverse
from clausula.constraints.rule import (
    NONE,
    Enforcement,
    Rule,
    Scope,
    Severity,
    Sites,
)
from clausula.constraints.switch import Switch
from clausula.grid import REST

_TONIC, _SUPERTONIC, _SUBDOMINANT, _DOMINANT, _LEADING = 0, 2, 5, 7, 11  # semitones of roots
_BARE_MELODY = 2  # voices that make a chord at least


def _retrogression(passage: Passage) -> np.ndarray:
    found = passage.nothing(1)
    context = passage.context
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
    bass = [sonority.semitone[:, -1] != REST for sonority in (passage.prev, passage.cur)]
    begins = context.begins & context.on_beat & inverse(context.boundary)
    back = dominant & predominant & begins & bass[0] & bass[1]
    found[:, 0] = back & inverse(_passing_chords(passage))
    return found


def _passing_chords(passage: Passage) -> np.ndarray:
    """``[time]`` whether an inverted chord begins over a bass that steps on through its note."""
    passing = np.zeros(len(passage), bool)
    before, now = passage.prev.step[:, -1], passage.cur.step[:, -1]
    times = np.flatnonzero(passage.context.begins)
    for time, later in pairwise(times):
        into, out = now[time] - before[time], now[later] - before[later]
        sounding = passage.cur.semitone[later, -1] != REST
        passing[time] = abs(into) == 1 and into == out and sounding
    return passing & (passage.context.chord.bass != passage.context.chord.root)


def _syncopated(passage: Passage, on: str) -> np.ndarray:
    """Strong beats over which a harmony is carried that began on a weaker beat."""
    found = passage.nothing(1)
    begins = _harmonies(passage)
    weakest = {"downbeats": 0, "strong beats": 1}[on]
    phrase = _first_slices(passage)
    for start, stop in zip(begins, [*begins[1:], len(passage)], strict=True):
        inside = passage.level[start + 1 : stop]
        carried = np.flatnonzero((inside <= weakest) & (inside < passage.level[start]))
        if len(carried) and start not in phrase:
            found[start + 1 + carried[0], 0] = True
    return found


def _harmonies(passage: Passage) -> list[int]:
    """Slices with which another harmony begins: another inversion of a chord is none."""
    context = passage.context
    before, chord = context.chord_before, context.chord
    same = (before.root == chord.root) & (before.third == chord.third) & (chord.root != NONE)
    changed = context.begins & (inverse(same) | context.boundary)
    return [int(time) for time in np.flatnonzero(changed)]


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


def _opens_elsewhere(passage: Passage, upbeat: str) -> np.ndarray:
    found = passage.nothing(1)
    if passage.n_voices <= _BARE_MELODY:
        return found
    above = degree_of(passage.context.chord.root, passage.context)
    begins = np.flatnonzero(passage.context.begins)
    for start in _first_slices(passage):
        if passage.context.chord.root[start] == NONE or above[start] == _TONIC:
            continue
        later = begins[begins > start]
        before = passage.level[start] > 0 and len(later) and passage.level[later[0]] == 0
        # A dominant on the upbeat leads into a phrase that opens on the tonic.
        leads = above[start] == _DOMINANT and before and above[later[0]] == _TONIC
        found[start, 0] = not (leads and upbeat == "dominant")
    return found


H01 = Rule(
    code="H01",
    name="Dominant to predominant",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=_retrogression,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="{chord_before} goes back to {chord}",
    says="A dominant does not go to a chord that prepares it.",
    why="Harmony moves from the predominant through the dominant to the tonic; the way back undoes "
    "the tension.",
    exceptions="A passing chord in inversion, such as IV6 between V and V6: the bass steps on "
    "through its note.",
    source="A course handout; open checkers of part-writing",
    breaking=(
        Example("C", ("B4 G4 D4 G3", "A4 F4 C4 F3"), numerals=("V", "IV"), at="SATB"),
        Example("a", ("B4 G#4 E4 E3", "A4 F4 D4 D3"), numerals=("V", "iv"), at="SATB"),
        Example(
            "C",
            ("B4 G4 D4 G3", "C5 F4 C4 A3", "B4 G4 D4 G3"),
            numerals=("V", "IV6", "V"),
            at="SATB",
            where="1.2",
        ),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 G3", "C5 G4 E4 C3"), numerals=("V", "I")),
        Example("C", ("B4 G4 D4 G3", "C5 F4 C4 A3", "D5 G4 D4 B3"), numerals=("V", "IV6", "V6")),
    ),
)

H02 = Rule(
    code="H02",
    name="Harmony carried onto a strong beat",
    scope=Scope.WINDOW,
    sites=Sites.ALL,
    judge=_syncopated,
    switches={
        "on": Switch(
            "downbeats",
            ("downbeats", "strong beats"),
            "Which beats want another harmony than the weaker beat before them.",
        )
    },
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The harmony of {chord} began on a weaker beat and is carried on",
    says="A harmony that begins on a weak beat changes at the next downbeat; the strictest say, at "
    "the next strong beat. Another inversion is the same harmony.",
    why="Changes of harmony are accents: a strong beat without one is robbed of its weight.",
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
    switches={
        "upbeat": Switch(
            "dominant",
            ("dominant", "tonic"),
            "dominant: on the upbeat it may lead to the tonic on the downbeat; tonic: it may not.",
        )
    },
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The phrase opens on {chord}, not on the tonic of {key}",
    says="A phrase opens on the tonic.",
    why="Only from home can the music leave home.",
    exceptions="Most let a dominant on the upbeat lead to the tonic on the downbeat. Two voices "
    "alone make no chords.",
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
