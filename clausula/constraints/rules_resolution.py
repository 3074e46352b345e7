"""Rules of sevenths, tritones and altered tones: how dissonances resolve."""

from __future__ import annotations

from clausula.constraints.example import Example
from clausula.constraints.predicates import (
    changes,
    degree_of,
    interval,
    inverse,
    is_member,
    sounding_among,
    sounds,
    stands_on,
    steps_down,
    steps_up,
)
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
    Tone,
)
from clausula.constraints.switch import Switch
from clausula.grid import REST

_CHORD = frozenset({Reads.CHORD})
_DOMINANT, _LEADING, _TONIC = 7, 11, 0  # semitones of roots above the tonic
# Altered notes by degree and semitones above the tonic: raised lead up, lowered lead down.
_RAISED_IN_MAJOR = ((0, 1), (1, 3), (3, 6), (4, 8), (5, 10))
_LOWERED_IN_MAJOR = ((1, 1), (2, 3), (5, 8), (6, 10))
_RAISED_IN_MINOR = ((0, 1), (2, 4), (3, 6))
_LOWERED_IN_MINOR = ((1, 1), (4, 6))


def leaves(voice: Motion, context: Context) -> Array:
    """Whether a voice moves on as another chord begins within the phrase."""
    return changes(voice) & context.begins & inverse(context.boundary)


def _seventh_unresolved(voice: Motion, context: Context, of: str) -> Array:
    before = context.chord_before
    seventh = is_member(voice.before, before.seventh) & inverse(voice.embellishes)
    # The raised fourth degree of an augmented sixth chord is no seventh.
    seventh = seventh & inverse(stands_on(voice.before, context.before, 3, 6))
    # In V43 between I and I6 the seventh rises with the bass: fa to sol over re to mi.
    rising = (before.bass == before.fifth) & (degree_of(before.root, context.before) == _DOMINANT)
    goal = context.chord
    to_sixth = (degree_of(goal.root, context.before) == _TONIC) & (goal.root != NONE)
    rising = rising & to_sixth & (goal.bass == goal.third) & steps_up(voice)
    if of == "dominants":
        leading = (before.third - before.root) % 12 == 4
        bits = context.sounding_before
        heard = sounding_among(before.root, bits) & sounding_among(before.third, bits)
        dominant = leading & ((before.seventh - before.root) % 12 == 10)
        seventh = seventh & dominant & (heard | (bits == 0))
    return seventh & leaves(voice, context) & inverse(steps_down(voice) | rising)


def _seventh_leapt_to(voice: Motion, context: Context) -> Array:
    arrives = is_member(voice.after, context.chord.seventh) & context.begins
    distance = voice.after.step - voice.before.step
    leaps = (distance > 1) | (distance < -1)
    return arrives & leaps & changes(voice) & inverse(context.boundary)


def _fa_unresolved(voice: Motion, context: Context) -> Array:
    before, key = context.chord_before, context.before
    diminished = (before.fifth - before.root) % 12 == 6
    seventh_degree = (degree_of(before.root, key) == _LEADING) & diminished
    mediant = (degree_of(before.root, key) == 4) | (degree_of(before.root, key) == 3)
    bound = is_member(voice.before, before.fifth) & (before.root != NONE)
    bound = bound & (seventh_degree | mediant)
    return bound & leaves(voice, context) & inverse(steps_down(voice))


def _le_strays(voice: Motion, context: Context) -> Array:
    le = stands_on(voice.before, context, 5, 8)
    return le & leaves(voice, context) & inverse(interval(voice, -1, -1))


def _tritone_astray(upper: Motion, lower: Motion, context: Context) -> Array:
    wide, narrow = (
        _apart(upper.before, lower.before, 6, 3),
        _apart(upper.before, lower.before, 6, 4),
    )
    both = leaves(upper, context) & leaves(lower, context)
    letters = (upper.after.step - lower.after.step) % 7
    opened, closed = letters == 5, letters == 2
    return both & ((wide & inverse(opened)) | (narrow & inverse(closed)))


def _apart(upper: Tone, lower: Tone, semitones: int, steps: int) -> Array:
    """Whether two tones are an interval or its compound apart."""
    size = (upper.semitone - lower.semitone) % 12 == semitones
    letters = (upper.step - lower.step) % 7 == steps
    return size & letters & sounds(upper) & sounds(lower)


def _augmented_sixth_astray(upper: Motion, lower: Motion, context: Context) -> Array:
    sixth = _apart(upper.before, lower.before, 10, 5)
    silent = (upper.after.semitone == REST) | (lower.after.semitone == REST)
    stays = inverse(changes(upper) | changes(lower))
    opens = interval(upper, 1, 1) & interval(lower, -1, -1)
    return sixth & inverse(opens | stays | silent | context.boundary)


def _altered_astray(voice: Motion, context: Context) -> Array:
    key = context.before
    raised = lowered = voice.before.step != voice.before.step
    for degree, chroma in _RAISED_IN_MAJOR:
        raised = raised | (stands_on(voice.before, key, degree, chroma) & inverse(key.minor))
    for degree, chroma in _RAISED_IN_MINOR:
        raised = raised | (stands_on(voice.before, key, degree, chroma) & key.minor)
    for degree, chroma in _LOWERED_IN_MAJOR:
        lowered = lowered | (stands_on(voice.before, key, degree, chroma) & inverse(key.minor))
    for degree, chroma in _LOWERED_IN_MINOR:
        lowered = lowered | (stands_on(voice.before, key, degree, chroma) & key.minor)
    # Its own letter again, unaltered, cancels it.
    cancels = voice.after.step == voice.before.step
    strays = (raised & inverse(steps_up(voice))) | (lowered & inverse(steps_down(voice)))
    return strays & leaves(voice, context) & inverse(cancels)


def _outer_pair(site: tuple[int, ...], n_voices: int) -> bool:
    return site == (0, n_voices - 1)


T03 = Rule(
    code="T03",
    name="Seventh not resolved down by step",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_seventh_unresolved,
    reads=_CHORD,
    switches={
        "of": Switch(
            "all",
            ("all", "dominants"),
            "all: every chord with a seventh; dominants: those of dominant seventh "
            "chords, where root and third sound with them, others being suspensions or passing",
        )
    },
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The {voice}'s {before}, the seventh of {chord_before}, goes to {after}, not down by "
    "step",
    says="The seventh of a chord goes down by step when the chord changes.",
    why="A seventh is a dissonance that falls: the ear waits for the step down.",
    exceptions="It may be held into the next chord, or move within its own, where another voice "
    "may take it over. In V43 between I and I6 it may rise with the bass. Across the end of a "
    "phrase the rule does not hold.",
    source="Course handouts, one after Aldwell and Schachter; Open Music Theory, version 1; "
    "Integrated Music Theory (Butterfield)",
    breaking=(
        Example("C", ("D5 F4 B3 G3", "C5 G4 C4 C3"), numerals=("V7", "I"), at="A"),
        Example("a", ("B4 G#4 D4 E3", "A4 A4 E4 C3"), numerals=("V7", "i6"), at="T"),
        Example("C", ("F4 B3 G3 D3", "G4 C4 G3 C3"), numerals=("V43", "I"), at="S"),
    ),
    obeying=(
        Example("C", ("D5 F4 B3 G3", "C5 E4 C4 C3"), numerals=("V7", "I")),
        Example("C", ("D5 F4 B3 G3", "F5 B4 D4 G3", "E5 C5 C4 C3"), numerals=("V7", "V7", "I")),
        Example("C", ("F4 B3 G3 D3", "G4 C4 G3 E3"), numerals=("V43", "I6")),
        Example("C", ("D5 F4 B3 G3", "D5 F4 A3 F3"), numerals=("V7", "ii6")),
    ),
)

T04 = Rule(
    code="T04",
    name="Seventh approached by leap",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_seventh_leapt_to,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="The {voice} leaps from {before} to {after}, the seventh of {chord}",
    says="The seventh of a chord is reached by step, or was there before.",
    why="Dissonances began as passing and suspended notes; leapt to, they stand out.",
    exceptions="Within one chord a voice may leap to the seventh.",
    source="Open Music Theory, version 1",
    breaking=(
        Example("C", ("C5 C4 A3 F3", "D5 F4 B3 G3"), numerals=("IV", "V7"), at="A"),
        Example("a", ("A4 E4 C4 A2", "D5 G#4 B3 E3"), numerals=("i", "V7"), at="S"),
    ),
    obeying=(
        Example("C", ("C5 C4 A3 F3", "D5 B3 G3 G3"), numerals=("IV", "V")),
        Example("C", ("C5 E4 C4 C3", "B4 F4 D4 G3"), numerals=("I", "V7")),
    ),
)

T05 = Rule(
    code="T05",
    name="Diminished fifth not resolved down",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_fa_unresolved,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="The {voice}'s {before}, the fifth of {chord_before}, goes to {after}, not down by "
    "step",
    says="The fourth degree in a vii° chord, and the fifth of a mediant chord, go down by step.",
    why="The fifth of vii° is the upper note of its tritone and falls inward.",
    exceptions="It may be held. Across the end of a phrase the rule does not hold.",
    source="Open Music Theory, version 1",
    breaking=(
        Example("C", ("B4 F4 D4 D3", "C5 G4 E4 C3"), numerals=("viio6", "I"), at="A"),
        Example("a", ("D5 G#4 B3 B2", "E5 A4 C4 A2"), numerals=("viio6", "i"), at="S"),
    ),
    obeying=(
        Example("C", ("B4 F4 D4 D3", "C5 E4 C4 C3"), numerals=("viio6", "I")),
        Example("C", ("D5 F4 B3 G3", "C5 E4 C4 C3"), numerals=("V7", "I")),
    ),
)

T06 = Rule(
    code="T06",
    name="Lowered sixth not to the fifth",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_le_strays,
    reads=_CHORD,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The {voice}'s {before} goes to {after}, not down to the fifth degree",
    says="The sixth degree of minor, and the lowered sixth of major, go down to the fifth.",
    why="The half step pulls it down as surely as the leading tone is pulled up.",
    exceptions="It may be held, or move within its chord.",
    source="Open Music Theory, version 1",
    breaking=(
        Example(
            "a",
            ("A4 F4 D4 D3", "A4 E4 C4 A2", "F4 D4 A3 D3", "A4 E4 C4 A2"),
            numerals=("iv", "i", "iv", "i"),
            at="S",
        ),
        Example("C", ("C5 Ab4 F4 F3", "C5 C5 E4 G3"), numerals=("iv", "I64"), at="A"),
    ),
    obeying=(
        Example(
            "a",
            ("A4 F4 D4 D3", "A4 E4 C4 A2", "F4 D4 A3 D3", "E4 C4 A3 A2"),
            numerals=("iv", "i", "iv", "i"),
        ),
        Example("C", ("C5 Ab4 F4 F3", "C5 G4 E4 G3"), numerals=("iv", "I64")),
    ),
)

T07 = Rule(
    code="T07",
    name="Tritone of the outer voices unresolved",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_tritone_astray,
    applies=_outer_pair,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="The tritone {upper_before}-{lower_before} of {upper} and {lower} goes to "
    "{upper_after}-{lower_after}",
    says="Between soprano and bass an augmented fourth opens to a sixth, a diminished fifth closes "
    "to a third.",
    why="Each note of a tritone has its half step; in the outer voices both are heard.",
    exceptions="One note may stay. Across the end of a phrase the rule does not hold.",
    source="A course handout",
    breaking=(
        Example("C", ("B4 G4 D4 F3", "G4 G4 C4 E3"), numerals=("V42", "I6"), at="SB"),
        Example("C", ("F4 D4 G3 B2", "G4 E4 G3 C3"), numerals=("V65", "I"), at="SB"),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 F3", "C5 G4 C4 E3"), numerals=("V42", "I6")),
        Example("C", ("F4 D4 G3 B2", "E4 C4 G3 C3"), numerals=("V65", "I")),
    ),
)

T08 = Rule(
    code="T08",
    name="Augmented sixth not resolved outward",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_augmented_sixth_astray,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The augmented sixth {upper_before}-{lower_before} of {upper} and {lower} goes to "
    "{upper_after}-{lower_after}, not to an octave",
    says="An augmented sixth opens to an octave, each voice by a half step.",
    why="Both notes lead by a half step to the same goal; that is what the interval is for.",
    exceptions="It may be held.",
    source="A course handout",
    breaking=(
        Example("a", ("D#5 A4 C4 F3", "E5 G#4 B3 G#3"), at="SB"),
        Example("C", ("F#5 C5 C4 Ab3", "D5 B4 D4 G3"), at="SB"),
    ),
    obeying=(
        Example("a", ("D#5 A4 C4 F3", "E5 G#4 B3 E3")),
        Example("C", ("F#5 C5 C4 Ab3", "G5 B4 D4 G3")),
    ),
)

T09 = Rule(
    code="T09",
    name="Altered tone not resolved",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_altered_astray,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="The altered {before} in the {voice} goes to {after}, not on in its direction by step",
    says="A raised tone goes up by step, a lowered one down.",
    why="Its alteration is half of a step; the other half is expected.",
    exceptions="It may be held, move within its chord, or be cancelled on its own letter.",
    source="A course handout",
    breaking=(
        Example("C", ("A4 F#4 C4 D3", "G4 D4 B3 G3"), numerals=("V7/V", "V"), at="A"),
        Example("C", ("C5 Ab4 F4 F3", "C5 Bb4 E4 G3"), numerals=("iv", "V7/IV"), at="A"),
    ),
    obeying=(
        Example("C", ("A4 F#4 C4 D3", "G4 G4 B3 G3"), numerals=("V7/V", "V")),
        Example("C", ("A4 F#4 C4 D3", "G4 F4 B3 G3"), numerals=("V7/V", "V7")),
    ),
)

RULES = (T03, T04, T05, T06, T07, T08, T09)
