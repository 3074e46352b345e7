"""Rules of exercises: what was asked for, numerals, figures, given parts, a cadence, is there."""

from __future__ import annotations

import numpy as np

from clausula.constraints.asked import asked_for, foreign_notes
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.example import Example
from clausula.constraints.passage import Passage
from clausula.constraints.rule import Enforcement, Rule, Scope, Severity, Sites
from clausula.constraints.switch import Switch
from clausula.grid import REST
from clausula.score import Part


def _foreign(passage: Passage, figures: str) -> np.ndarray:
    """Notes that are no member of what was asked for, nor embellish it."""
    found = passage.nothing(passage.n_voices)
    for asked in asked_for(passage):
        wrong = foreign_notes(passage, asked, practice=figures == "practice")
        found[asked.start : asked.stop] |= wrong
    return found


def _wrong_bass(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    semitone, step = passage.cur.semitone[:, -1], passage.cur.step[:, -1]
    for asked in asked_for(passage):
        sung = 7 * (semitone[asked.start] % 12) + step[asked.start] % 7
        silent = semitone[asked.start] == REST
        found[asked.start, -1] |= asked.bass is not None and not silent and sung != asked.bass
    found[:, -1] |= passage.remarked("V19")
    return found


_HALF = (CadenceKind.HC, CadenceKind.PHRYGIAN)


def _no_cadence(passage: Passage) -> np.ndarray:
    found = passage.nothing(1)
    wanted = passage.task.cadence
    if wanted is None or not passage.chords:
        return found
    last = _last_root(passage)
    made = [cadence.kind for cadence in passage.cadences if cadence.arrival >= last]
    alike = _HALF if wanted is CadenceKind.HC else (wanted,)
    found[-1, 0] = not any(kind in alike for kind in made)
    return found


def _last_root(passage: Passage) -> int:
    """The slice in which the last chord begins, inversions taken together."""
    return int(np.flatnonzero(passage.context.begins)[-1])


def _altered(passage: Passage) -> np.ndarray:
    found = passage.nothing(passage.n_voices)
    for voice, part in passage.task.given:
        differs = np.array([_differs(passage, time, voice, part) for time in range(len(passage))])
        goes_on = np.concatenate([[False], differs[:-1]]) & ~passage.slices.moved[:, voice]
        found[:, voice] = differs & ~goes_on
    return found


def _differs(passage: Passage, time: int, voice: int, part: Part) -> bool:
    """Whether a voice sounds or strikes something else than was given."""
    onset = passage.slices.onset[time]
    given = next((n for n in part.notes if n.onset <= onset < n.end), None)
    own = passage.slices.note_at(time, voice)
    if given is None or own is None:
        return given is not own
    return own.pitch != given.pitch or (own.onset == onset) != (given.onset == onset)


V18 = Rule(
    code="V18",
    name="Note foreign to the given chord",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    judge=_foreign,
    severity=Severity.ERROR,
    enforcement=Enforcement.AUTOMATON,
    message="The {voice}'s {pitch} is no member of {asked}, nor a legal embellishment of it",
    says="Every note belongs to the chord that the numeral or the figures ask for, or embellishes "
    "it and moves on while it lasts.",
    why="The exercise asks for these chords and no others.",
    exceptions="Passing and neighbouring notes, suspensions and other embellishments that are left "
    "as they should be before the chord ends.",
    source="A course handout after Aldwell and Schachter",
    switches={
        "figures": Switch(
            "exact",
            ("exact", "practice"),
            "whether figures say all, or, as players read them, what is not plain: notes held on, "
            "sevenths, passing notes and the local key's accidentals need no figure",
        )
    },
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 A4 B3 G3"), numerals=("I", "V"), asked=True, at="A"),
        Example("C", ("C5 G4 E4 C3", "D5 G4 C4 B2"), figures=("", "6"), at="T"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "D5 G4 B3 G3"), numerals=("I", "V"), asked=True),
        Example("C", ("C5 G4 E4 C3", "D5 G4 G3 B2"), figures=("", "6")),
        Example(
            "C",
            lines=("C5:1 D5:1/2 C5:1/2 B4:1", "G4:1 G4:1 G4:1", "E4:1 B3:1 D4:1", "C3:1 G3:1 G2:1"),
            numerals=("I", "V:2"),
            asked=True,
        ),
    ),
)

V19 = Rule(
    code="V19",
    name="Wrong bass note",
    scope=Scope.SLICES,
    sites=Sites.VOICE,
    judge=_wrong_bass,
    severity=Severity.ERROR,
    enforcement=Enforcement.AUTOMATON,
    message="The {voice} has {pitch}, which is not the bass of {chord}",
    says="The bass sings the member of the chord that its figures put there.",
    why="The inversion is part of what is asked for: it is heard in the bass.",
    source="A course handout after Aldwell and Schachter",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 G4 D4 G3"), numerals=("I", "V6"), asked=True, at="B"),
        Example("a", ("A4 E4 C4 A3", "B4 E4 G#3 E3"), numerals=("i", "V65"), asked=True, at="B"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "D5 G4 D4 B2"), numerals=("I", "V6"), asked=True),
        Example("a", ("A4 E4 C4 A3", "B4 E4 D4 G#3"), numerals=("i", "V65"), asked=True),
    ),
)

H04 = Rule(
    code="H04",
    name="Required cadence missing",
    scope=Scope.EXERCISE,
    sites=Sites.ALL,
    judge=_no_cadence,
    severity=Severity.ERROR,
    enforcement=Enforcement.AUTOMATON,
    message="The exercise does not close with the cadence that is asked for; it ends on {chord}",
    says="The exercise closes with the cadence that it asks for.",
    why="A cadence is what makes a close; without it the music stops and does not end.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "C5 A4 F4 F3", "C5 G4 E4 C3"), cadence="PAC", at="SATB"),
        Example("a", ("A4 E4 C4 A3", "B4 E4 G#3 E3"), cadence="PAC", at="SATB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3", "C5 G4 E4 C3"), cadence="PAC"),
        Example("a", ("A4 E4 C4 A3", "B4 E4 G#3 E3"), cadence="HC"),
    ),
)

H08 = Rule(
    code="H08",
    name="Given part altered",
    scope=Scope.EXERCISE,
    sites=Sites.VOICE,
    judge=_altered,
    severity=Severity.ERROR,
    enforcement=Enforcement.AUTOMATON,
    message="The {voice} was given and has been changed here",
    says="What is given stays as it is.",
    why="Another melody or bass is another exercise.",
    source="The task itself",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 G4 B3 G3"), given="S: C5 B4", at="S"),
        Example("C", ("C5 G4 E4 C3", "D5 G4 B3 G3"), given="B: C3:2", at="B"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "B4 G4 D4 G3"), given="S: C5 B4"),
        Example("C", ("C5 G4 E4 C3", "D5 G4 B3 G3"), given="B: C3 G3"),
    ),
)

RULES = (V18, V19, H04, H08)
