"""Rules of notes that are foreign to their chord: how they are approached and left."""

from __future__ import annotations

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage, ToneKind
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.grid import REST
from clausula.slices import ON_BEAT

_ILLEGAL = int(ToneKind.OTHER)


def _illegal(passage: Passage) -> np.ndarray:
    return (passage.tones == _ILLEGAL) & passage.slices.moved


def _suspensions(passage: Passage) -> np.ndarray:
    """``bool[time, voice]`` where a note on a beat is foreign and should have been prepared."""
    found = passage.nothing(passage.n_voices)
    on_beat = passage.level <= ON_BEAT
    last = passage.context.begins.nonzero()[0]
    closing = int(last[-1]) if len(last) else len(passage)
    for voice in range(passage.n_voices):
        kinds = passage.tones[:, voice]
        struck = passage.slices.moved[:, voice]
        unprepared = (kinds == int(ToneKind.APPOGGIATURA)) & struck & on_beat
        kept = ~struck & on_beat & passage.context.begins
        unresolved = (kinds == int(ToneKind.PEDAL)) & kept
        upward = (kinds == int(ToneKind.RETARDATION)) & kept
        upward[closing:] = False  # at the close a retardation may rise
        if voice == passage.n_voices - 1:
            unresolved[:] = False  # a bass that stays is a pedal
        found[:, voice] = unprepared | unresolved | upward
    return found


def _resolution_sounds(passage: Passage) -> np.ndarray:
    """Suspensions against which the note of their resolution sounds above the bass."""
    found = passage.nothing(passage.n_voices)
    semitone = passage.cur.semitone
    for voice, line in enumerate(passage.lines):
        held = (passage.tones[:, voice] == int(ToneKind.SUSPENSION)) & passage.context.begins
        for time in np.flatnonzero(held):
            note = passage.slices.note[time, voice]
            if note + 1 >= len(line):
                continue
            goal = int(line.semitone[note + 1]) % 12
            others = [v for v in range(passage.n_voices - 1) if v != voice]
            against = [semitone[time, v] != REST and semitone[time, v] % 12 == goal for v in others]
            found[time, voice] = any(against)
    return found


H05 = Rule(
    code="H05",
    name="Dissonance neither approached nor left by step",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    judge=_illegal,
    severity=Severity.ERROR,
    enforcement=Enforcement.FINALS_ONLY,
    spells=True,
    message="The {voice}'s {pitch} is foreign to {chord} and embellishes nothing: it is neither "
    "reached nor left by step, nor held",
    says="A note that is foreign to its chord is reached or left by step, kept from the chord "
    "before, or anticipates the next.",
    why="An embellishment is heard by its nearness to what it embellishes.",
    source="A course handout; Open Music Theory, version 1",
    breaking=(
        Example(
            "C",
            lines=("C5:1 G4:1/2 B4:1/2 E5:1", "G4:1 G4:1 G4:1", "E4:1 E4:1 C4:1", "C3:1 C3:1 C3:1"),
            numerals=("I:3",),
            at="S",
            where="1.2.5",
        ),
        Example(
            "a",
            lines=("A4:1 C5:1/2 F4:1/2 A4:1", "E4:3", "C4:3", "A3:3"),
            numerals=("i:3",),
            at="S",
            where="1.2.5",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 G4:1/2 A4:1/2 G4:1", "G4:1 G4:1 G4:1", "E4:1 E4:1 C4:1", "C3:1 C3:1 C3:1"),
            numerals=("I:3",),
        ),
        Example(
            "a",
            lines=("A4:1 C5:1/2 B4:1/2 A4:1", "E4:3", "C4:3", "A3:3"),
            numerals=("i:3",),
        ),
    ),
)

H06 = Rule(
    code="H06",
    name="Suspension unprepared or unresolved",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    judge=_suspensions,
    severity=Severity.ERROR,
    enforcement=Enforcement.FINALS_ONLY,
    spells=True,
    message="The {voice}'s {pitch} is suspended against {chord}, but not prepared in the chord "
    "before or not resolved down by step",
    says="A suspension is kept from the chord before and goes down by step.",
    why="Prepared, the dissonance is heard to arise from a consonance; resolved, to return to one.",
    exceptions="At the close a retardation may rise. A bass that stays is a pedal.",
    source="Open Music Theory, version 1; a course handout",
    breaking=(
        Example(
            "C",
            lines=("G4:1 C5:1/2 B4:1/2 C5:1", "E4:1 D4:1 E4:1", "C4:1 G3:1 G3:1", "C3:1 G2:1 C3:1"),
            numerals=("I", "V", "I"),
            at="S",
            where="1.2",
        ),
        Example(
            "C",
            lines=("C5:3/2 D5:1/2 E5:1", "E4:1 D4:1 E4:1", "G3:1 G3:1 G3:1", "C3:1 G2:1 C3:1"),
            numerals=("I", "V", "I"),
            at="S",
            where="1.2",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:3/2 B4:1/2 C5:1", "E4:1 D4:1 E4:1", "C4:1 G3:1 G3:1", "C3:1 G2:1 C3:1"),
            numerals=("I", "V", "I"),
        ),
        Example(
            "C",
            lines=("D5:1 D5:1 C5:1", "B4:3/2 C5:3/2", "G3:1 E4:1 E4:1", "G3:1 C3:1 C3:1"),
            numerals=("V", "I:2"),
        ),
    ),
)

H07 = Rule(
    code="H07",
    name="Resolution sounds against its suspension",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    judge=_resolution_sounds,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="The note to which the {voice}'s {pitch} resolves sounds already in an upper voice",
    says="While a suspension lasts no upper voice has the note to which it resolves.",
    why="The resolution brings nothing new if it has been heard all the time.",
    exceptions="The bass may have it, as in a 9-8 suspension.",
    source="No source was read for it: kept from memory",
    breaking=(
        Example(
            "C",
            lines=("C5:3/2 B4:1/2 C5:1", "E4:1 D4:1 E4:1", "C4:1 B3:1 C4:1", "C3:1 G2:1 C3:1"),
            numerals=("I", "V", "I"),
            at="S",
            where="1.2",
        ),
        Example(
            "a",
            lines=("A4:3/2 G#4:1/2 A4:1", "E4:1 G#4:1 A4:1", "C4:1 B3:1 C4:1", "A3:1 E3:1 A2:1"),
            numerals=("i", "V", "i"),
            at="S",
            where="1.2",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:3/2 B4:1/2 C5:1", "E4:1 D4:1 E4:1", "C4:1 G3:1 C4:1", "C3:1 G2:1 C3:1"),
            numerals=("I", "V", "I"),
        ),
        Example(
            "C",
            lines=("D5:3/2 C5:1/2", "G4:1 G4:1", "B3:1 E4:1", "G3:1 C3:1"),
            numerals=("V", "I"),
        ),
    ),
)

RULES = (H05, H06, H07)
