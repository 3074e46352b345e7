"""Rules of melodic intervals: what no voice leaps, and what must follow a leap."""

from __future__ import annotations

from clausula.constraints.example import Example
from clausula.constraints.predicates import changes, inverse, sounds, steps_down, steps_up
from clausula.constraints.rule import (
    Array,
    Context,
    Enforcement,
    Motion,
    Reads,
    Rule,
    Scope,
    Severity,
    Sites,
    Tone,
)

_EARLIER = frozenset({Reads.EARLIER})
# Semitones and steps of augmented and diminished intervals within an octave; A2 is L01's.
_AUGMENTED = ((5, 2), (6, 3), (8, 4), (10, 5), (12, 6))
_DIMINISHED = ((2, 2), (4, 3), (6, 4), (7, 5), (9, 6), (11, 7))
_SEVENTHS = ((10, 6), (11, 6))
# Steps of two leaps in one direction, each with the semitones by which they outline a triad.
_TRIADS = ((3, 4), (4, 3), (3, 3), (3, 5), (4, 5), (5, 3), (5, 4), (3, 6), (6, 3))
_FOURTH = 3  # steps
_OCTAVE = 12
_FIFTH = 7


def _one_of(before: Tone, after: Tone, intervals: tuple[tuple[int, int], ...]) -> Array:
    """Whether two tones are one of some intervals apart, in either direction."""
    semitones, steps = after.semitone - before.semitone, after.step - before.step
    found = semitones != semitones
    for size, letters in intervals:
        found = found | ((semitones == size) & (steps == letters))
        found = found | ((semitones == -size) & (steps == -letters))
    return found & sounds(before) & sounds(after)


def _augmented(voice: Motion, context: Context) -> Array:
    return _one_of(voice.before, voice.after, _AUGMENTED) & inverse(context.boundary)


def _first(voice: Motion) -> Motion:
    """The motion to the note of the earlier slice."""
    return voice._replace(before=voice.earlier, after=voice.before)


def _rose(voice: Motion) -> Array:
    return voice.before.semitone > voice.earlier.semitone


def _wide(before: Tone, after: Tone, steps: int) -> Array:
    """Whether two tones are at least so many letters apart."""
    distance = after.step - before.step
    return ((distance >= steps) | (distance <= -steps)) & sounds(before) & sounds(after)


def _moves_on(voice: Motion, context: Context) -> Array:
    return changes(voice) & voice.after.moved & inverse(context.boundary)


def _turns_by_step(voice: Motion) -> Array:
    """Whether a voice goes on by step against its last motion."""
    return (steps_down(voice) & _rose(voice)) | (steps_up(voice) & inverse(_rose(voice)))


def _diminished_unturned(voice: Motion, context: Context) -> Array:
    leapt = _one_of(voice.earlier, voice.before, _DIMINISHED)
    return leapt & _moves_on(voice, context) & inverse(_turns_by_step(voice))


def _seventh(voice: Motion, context: Context) -> Array:
    straight = _one_of(voice.before, voice.after, _SEVENTHS)
    onward = (voice.after.semitone > voice.before.semitone) == _rose(voice)
    between = _one_of(voice.earlier, voice.after, _SEVENTHS) & onward & changes(_first(voice))
    either = straight | (between & changes(voice))
    return either & voice.after.moved & inverse(context.boundary)


def _beyond_octave(voice: Motion, context: Context) -> Array:
    distance = voice.after.semitone - voice.before.semitone
    wide = ((distance > _OCTAVE) | (distance < -_OCTAVE)) & changes(voice)
    return wide & inverse(context.boundary)


def _unrecovered(voice: Motion, context: Context) -> Array:
    leapt = _wide(voice.earlier, voice.before, _FOURTH)
    return leapt & _moves_on(voice, context) & inverse(_turns_by_step(voice))


def _no_triad(voice: Motion, context: Context) -> Array:
    first = voice.before.semitone - voice.earlier.semitone
    second = voice.after.semitone - voice.before.semitone
    leaps = _wide(voice.earlier, voice.before, 2) & _wide(voice.before, voice.after, 2)
    outlined = first != first
    for one, other in _TRIADS:
        outlined = outlined | ((first == one) & (second == other))
        outlined = outlined | ((first == -one) & (second == -other))
    onward = (second > 0) == (first > 0)
    return leaps & onward & _moves_on(voice, context) & inverse(outlined)


def _needless_leap(voice: Motion, context: Context) -> Array:
    distance = voice.after.semitone - voice.before.semitone
    wide = (distance > _FIFTH) | (distance < -_FIFTH)
    chord = context.chord
    near = wide != wide
    for member in (chord.root, chord.third, chord.fifth, chord.seventh):
        away = (member - voice.before.semitone) % 12
        close = (away <= 2) | (away >= 10)
        near = near | (close & (member >= 0))
    return wide & near & _moves_on(voice, context)


def _upper(site: tuple[int, ...], n_voices: int) -> bool:
    return site[0] != n_voices - 1 or n_voices == 1


def _inner(site: tuple[int, ...], n_voices: int) -> bool:
    return 0 < site[0] < n_voices - 1


L02 = Rule(
    code="L02",
    name="Augmented melodic interval",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_augmented,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="Augmented interval in the {voice}: {before} to {after}",
    says="No voice leaps by an augmented fourth or any other augmented interval.",
    why="Augmented intervals are hard to sing and pull apart the scale that the ear has in mind.",
    exceptions="A chromatic half step on one letter is no leap. The augmented second is L01. "
    "Across the end of a phrase the rule does not hold.",
    source="Course handouts, one after Aldwell and Schachter",
    breaking=(
        Example("C", ("C5 A4 F4 F3", "D5 G4 D4 B3"), at="B"),
        Example("C", ("F4 C4 A3 F3", "B4 D4 G3 G3"), at="S"),
    ),
    obeying=(
        Example("C", ("C5 A4 F4 F3", "D5 G4 D4 B2")),
        Example("C", ("C5 G4 E4 C3", "C#5 A4 E4 A2")),
    ),
)

L03 = Rule(
    code="L03",
    name="Diminished leap not turned inward",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    predicate=_diminished_unturned,
    reads=_EARLIER,
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="The {voice} leaps by a diminished interval to {before} and does not turn back by step "
    "but goes to {after}",
    says="After a leap by a diminished interval a voice steps back into it.",
    why="The second note of a diminished leap is a tendency tone, which resolves inward.",
    exceptions="A note that is repeated may wait. Across the end of a phrase the rule does not "
    "hold.",
    source="Course handouts",
    breaking=(
        Example("C", ("C5 A4 C4 F3", "D5 G4 D4 B2", "D5 G4 B3 G2"), at="B"),
        Example("a", ("C5 A4 E4 A3", "G#4 E4 B3 E3", "E4 E4 B3 E3"), at="S"),
    ),
    obeying=(
        Example("C", ("C5 A4 C4 F3", "D5 G4 D4 B2", "E5 G4 C4 C3")),
        Example("C", ("C5 A4 C4 F3", "D5 G4 D4 B2", "D5 G4 D4 B2")),
    ),
)

L04 = Rule(
    code="L04",
    name="Leap of a seventh",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    predicate=_seventh,
    reads=_EARLIER,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The {voice} covers a seventh as it reaches {after}",
    says="No voice leaps a seventh, nor goes the distance of one in the same direction over a "
    "single note between.",
    why="A seventh is a dissonance; sung as a leap it is hard to hit and sounds unresolved.",
    exceptions="Across the end of a phrase the rule does not hold. The diminished seventh is L03.",
    source="Course handouts, one after Aldwell and Schachter",
    breaking=(
        Example("C", ("G4 E4 C4 C3", "F5 D4 B3 G3"), at="S"),
        Example("C", ("C5 G4 E4 G3", "C5 A4 F4 C4", "D5 A4 F4 F4"), at="B"),
    ),
    obeying=(
        Example("C", ("G4 E4 C4 C3", "F4 D4 B3 G3")),
        Example("C", ("C5 G4 E4 G3", "C5 A4 F4 C4", "B4 G4 D4 G3")),
    ),
)

L05 = Rule(
    code="L05",
    name="Leap beyond an octave",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_beyond_octave,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The {voice} leaps more than an octave: {before} to {after}",
    says="No voice leaps more than an octave.",
    why="No singer hits such a leap surely, and no ear hears one line in it.",
    exceptions="Across the end of a phrase the rule does not hold.",
    source="Two course handouts",
    breaking=(
        Example("C", ("E5 G4 E4 C4", "D5 G4 D4 B2"), at="B"),
        Example("F", ("C4 A3 F3 F3", "D5 Bb3 F3 Bb2"), at="S"),
    ),
    obeying=(
        Example("C", ("E5 G4 E4 C4", "D5 G4 D4 B3")),
        Example("C", ("C5 G4 E4 C4", "C5 G4 E4 C3")),
    ),
)

L06 = Rule(
    code="L06",
    name="Leap not recovered",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    predicate=_unrecovered,
    applies=_upper,
    reads=_EARLIER,
    severity=Severity.STYLE,
    enforcement=Enforcement.MASK,
    message="The {voice} leaps to {before} and goes on to {after}, not back by step",
    says="After a leap of a fourth or more a voice turns back by step.",
    why="A step back fills the gap that a leap has torn.",
    exceptions="The bass may leap on. A repeated note may wait.",
    source="Integrated Music Theory (Butterfield); a course handout",
    breaking=(
        Example("C", ("G4 E4 C4 C3", "C5 E4 C4 A2", "E5 G4 B3 E3"), at="S"),
        Example("C", ("C5 G4 E4 C3", "G4 E4 C4 E3", "F4 F4 A3 F3"), at="S"),
    ),
    obeying=(
        Example("C", ("G4 E4 C4 C3", "C5 E4 C4 A2", "B4 G4 B3 E3")),
        Example("C", ("C5 G4 E4 C3", "G4 E4 C4 E3", "A4 F4 A3 F3")),
    ),
)

L07 = Rule(
    code="L07",
    name="Two leaps in one direction",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    predicate=_no_triad,
    reads=_EARLIER,
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="The {voice} leaps twice in one direction, to {before} and {after}, and outlines no "
    "triad",
    says="Two leaps in the same direction outline a triad.",
    why="A broken triad is heard as one chord; other pairs of leaps tear the line.",
    exceptions="Across the end of a phrase the rule does not hold.",
    source="Survey of Fux, Schenker, Jeppesen, Salzer and Schachter, Schubert and Kennan",
    breaking=(
        Example("C", ("G4 E4 C4 C3", "C5 F4 C4 A2", "F5 F4 C4 A2"), at="S"),
        Example("C", ("C5 G4 E4 C3", "C5 G4 E4 G3", "C5 F4 A3 D4"), at="B"),
    ),
    obeying=(
        Example("C", ("G4 E4 C4 C3", "C5 F4 C4 A2", "E5 G4 C4 C3")),
        Example("C", ("C5 G4 E4 C3", "C5 G4 E4 E3", "C5 G4 E4 G3")),
    ),
)

L08 = Rule(
    code="L08",
    name="Needless leap of an inner voice",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_needless_leap,
    applies=_inner,
    reads=frozenset({Reads.CHORD}),
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice} leaps from {before} to {after} where {chord} has a note within a step",
    says="Alto and tenor do not leap more than a fifth where a step would do.",
    why="Inner voices serve the chord: the nearer its notes, the smoother the change.",
    source="Essays on the AP examination; Open Music Theory, version 1",
    breaking=(
        Example("C", ("C5 E4 C4 C3", "D5 D5 B3 G3"), numerals=("I", "V"), at="A"),
        Example(
            "C", ("C5 A4 C4 F3", "B4 G4 G3 G3", "C5 G4 E4 C3"), numerals=("IV", "V", "I"), at="T"
        ),
    ),
    obeying=(
        Example("C", ("C5 E4 C4 C3", "D5 D4 B3 G3"), numerals=("I", "V")),
        Example("C", ("C5 G4 E4 C3", "C5 A4 F4 F3"), numerals=("I", "IV")),
    ),
)

RULES = (L02, L03, L04, L05, L06, L07, L08)
