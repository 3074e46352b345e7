"""Rules of doubling: thirds, basses of inverted chords, altered notes."""

from __future__ import annotations

from collections.abc import Sequence

from clausula.constraints.example import Example
from clausula.constraints.predicates import (
    degree_of,
    interval,
    inverse,
    is_member,
    sounds,
    stands_on,
)
from clausula.constraints.rule import (
    NONE,
    Array,
    Context,
    Enforcement,
    Harmony,
    Motion,
    Reads,
    Rule,
    Scope,
    Severity,
    Sites,
)
from clausula.constraints.rules_chords import several

_CHORD = frozenset({Reads.CHORD})
_MI_LA_TI = (2, 5, 6)  # degrees, 0 = tonic
# Semitones above the tonic that are foreign to a key; minor has two sixths and two sevenths.
_FOREIGN_IN_MAJOR = (1, 3, 6, 8, 10)
_FOREIGN_IN_MINOR = (1, 4, 6)


def _how_many(voices: Sequence[Motion], member: Array) -> Array:
    """How many voices sound a member of a chord."""
    return sum(is_member(voice.after, member) * 1 for voice in voices)


def _is_triad(chord: Harmony) -> Array:
    return (chord.fifth != NONE) & (chord.seventh == NONE)


def _major(chord: Harmony) -> Array:
    third, fifth = (chord.third - chord.root) % 12, (chord.fifth - chord.root) % 12
    return (chord.third != NONE) & (third == 4) & (fifth == 7)


def _dominant_to_submediant(context: Context) -> Array:
    """Whether V goes to VI, both in root position."""
    before, chord = context.chord_before, context.chord
    rooted = (before.bass == before.root) & (chord.bass == chord.root)
    from_fifth = (degree_of(before.root, context) == 7) & _major(before)
    to_sixth = (degree_of(chord.root, context) == 9) | (degree_of(chord.root, context) == 8)
    return rooted & from_fifth & to_sixth & (before.root != NONE) & (chord.root != NONE)


def _third_doubled(upper: Motion, lower: Motion, context: Context) -> Array:
    chord = context.chord
    rooted = (chord.bass == chord.root) & _major(chord) & _is_triad(chord) & context.begins
    both = is_member(upper.after, chord.third) & is_member(lower.after, chord.third)
    return rooted & both & inverse(_dominant_to_submediant(context))


def _bass_single(voices: Sequence[Motion], context: Context) -> Array:
    chord = context.chord
    second = (chord.bass == chord.fifth) & _is_triad(chord) & context.begins
    return second & (_how_many(voices, chord.fifth) == 1)


def _bass_doubled(upper: Motion, bass: Motion, context: Context) -> Array:
    chord = context.chord
    first = (chord.bass == chord.third) & _is_triad(chord) & context.begins
    degree = (bass.after.step - context.tonic_letter) % 7
    active = (degree == _MI_LA_TI[0]) | (degree == _MI_LA_TI[1]) | (degree == _MI_LA_TI[2])
    both = is_member(upper.after, chord.third) & is_member(bass.after, chord.third)
    diminished = (chord.fifth - chord.root) % 12 == 6
    return first & active & both & inverse(diminished)


def _third_single(voices: Sequence[Motion], context: Context) -> Array:
    chord = context.chord
    diminished = ((chord.fifth - chord.root) % 12 == 6) & _is_triad(chord) & context.begins
    return diminished & (_how_many(voices, chord.third) == 1)


def _submediant_third_single(voices: Sequence[Motion], context: Context) -> Array:
    single = _how_many(voices, context.chord.third) == 1
    rises = single & False
    for voice in voices:
        leads = stands_on(voice.before, context, 6, 11)
        rises = rises | (leads & interval(voice, 1, 1))
    return _dominant_to_submediant(context) & context.begins & single & rises


def _altered_doubled(upper: Motion, lower: Motion, context: Context) -> Array:
    same = ((upper.after.step - lower.after.step) % 7 == 0) & (
        (upper.after.semitone - lower.after.semitone) % 12 == 0
    )
    above = degree_of(upper.after.semitone, context)
    foreign = above != above
    for chroma in _FOREIGN_IN_MAJOR:
        foreign = foreign | ((above == chroma) & inverse(context.minor))
    for chroma in _FOREIGN_IN_MINOR:
        foreign = foreign | ((above == chroma) & context.minor)
    return same & foreign & sounds(upper.after) & sounds(lower.after)


def _with_bass(site: tuple[int, ...], n_voices: int) -> bool:
    return site[1] == n_voices - 1 and n_voices > 2


V12 = Rule(
    code="V12",
    name="Third of a major triad doubled",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_third_doubled,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="{upper} and {lower} both have {pitch_class}, the third of {chord} in root position",
    says="In a major triad in root position the third is not doubled.",
    why="A major third is strong already; doubled, it stands out of the chord.",
    exceptions="In a deceptive cadence from V to VI the third of VI is doubled (V16).",
    source="Integrated Music Theory (Butterfield); a course handout",
    breaking=(
        Example("C", ("D5 G4 B3 G3", "E5 G4 E4 C4"), numerals=("V", "I"), at="ST"),
        Example("F", ("C5 G4 E4 C4", "A4 F4 A3 F3"), numerals=("V", "I"), at="ST"),
    ),
    obeying=(
        Example("C", ("D5 G4 B3 G3", "E5 G4 C4 C4"), numerals=("V", "I")),
        Example("a", ("G#4 E4 B3 E3", "A4 C4 A3 F3"), numerals=("V", "VI")),
    ),
)

V13 = Rule(
    code="V13",
    name="Bass of a six-four chord not doubled",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_bass_single,
    applies=several,
    reads=_CHORD,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The bass of {chord} is not doubled",
    says="In a triad in second inversion the bass is doubled.",
    why="The fourth above the bass is a dissonance; the doubled bass is the stable note.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1",
    breaking=(
        Example("C", ("A4 F4 D4 F3", "C5 E4 C4 G3"), numerals=("ii6", "I64"), at="SATB"),
        Example("a", ("B4 F4 D4 D3", "C5 A4 C4 E3"), numerals=("iio6", "i64"), at="SATB"),
    ),
    obeying=(
        Example("C", ("A4 F4 D4 F3", "G4 E4 C4 G3"), numerals=("ii6", "I64")),
        Example("C", ("A4 F4 D4 F3", "B4 G4 D4 G3"), numerals=("ii6", "V")),
    ),
)

V14 = Rule(
    code="V14",
    name="Active bass of a sixth chord doubled",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_bass_doubled,
    applies=_with_bass,
    reads=_CHORD,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} doubles the bass {lower_after} of {chord}",
    says="In a triad in first inversion the bass is not doubled where it is the third, sixth or "
    "seventh degree.",
    why="These degrees lean towards others; doubled, they lean twice.",
    exceptions="The first, second, fourth and fifth degrees may be doubled. In diminished triads "
    "the bass is doubled (V15).",
    source="Open Music Theory, version 1",
    breaking=(
        Example("C", ("B4 G4 D4 G3", "C5 G4 E4 E3"), numerals=("V", "I6"), at="TB"),
        Example("F", ("C5 F4 A3 F3", "D5 F4 Bb3 D3"), numerals=("I", "IV6"), at="SB"),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 G3", "C5 G4 C4 E3"), numerals=("V", "I6")),
        Example("C", ("C5 G4 E4 C3", "A4 F4 D4 F3"), numerals=("I", "ii6")),
    ),
)

V15 = Rule(
    code="V15",
    name="Third of a diminished triad not doubled",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_third_single,
    applies=several,
    reads=_CHORD,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="The third of {chord} is not doubled",
    says="In a diminished triad the third is doubled.",
    why="Root and fifth of a diminished triad are the tritone and each must resolve; only the "
    "third is free.",
    source="Integrated Music Theory (Butterfield)",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "B4 F4 F4 D3"), numerals=("I", "viio6"), at="SATB"),
        Example("a", ("A4 E4 C4 A3", "B4 F4 F4 D3"), numerals=("i", "iio6"), at="SATB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "B4 F4 D4 D3"), numerals=("I", "viio6")),
        Example("C", ("C5 G4 E4 C3", "A4 F4 F4 D3"), numerals=("I", "ii")),
    ),
)

V16 = Rule(
    code="V16",
    name="Third of the submediant not doubled",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_submediant_third_single,
    applies=several,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="{chord} after {chord_before} does not double its third",
    says="Where V goes to VI in root position, the third of VI is doubled.",
    why="The leading tone rises and the other upper voices fall; any other doubling makes them "
    "leap, or move in parallel with the bass.",
    exceptions="Where the leading tone does not rise.",
    source="Integrated Music Theory (Butterfield)",
    breaking=(
        Example("C", ("B4 G4 D4 G3", "C5 A4 E4 A3"), numerals=("V", "vi"), at="SATB"),
        Example("a", ("B4 E4 G#3 E3", "C5 F4 A3 F3"), numerals=("V", "VI"), at="SATB"),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 G3", "C5 E4 C4 A3"), numerals=("V", "vi")),
        Example("C", ("D5 B4 G4 G3", "C5 A4 E4 A3"), numerals=("V", "vi")),
    ),
)

V17 = Rule(
    code="V17",
    name="Altered note doubled",
    scope=Scope.SLICE,
    sites=Sites.PAIR,
    predicate=_altered_doubled,
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} both have {pitch_class}, which is foreign to the key",
    says="No two voices have a note that is altered out of the key.",
    why="An altered note is bound to move on in the direction of its alteration: doubled, it moves "
    "in parallel octaves or is left hanging.",
    exceptions="The raised sixth and seventh degrees of minor are no alterations.",
    source="Open Music Theory, version 1; course handouts",
    breaking=(
        Example("C", ("F#5 C5 A4 D4", "F#5 D5 A4 F#3"), at="SB"),
        Example("a", ("A4 E4 C4 A3", "Bb4 F4 D4 Bb2"), at="SB"),
    ),
    obeying=(
        Example("C", ("F#5 C5 A4 D4", "F#5 D5 A4 D3")),
        Example("a", ("A4 E4 C4 A3", "A4 F#4 C4 F#3")),
    ),
)

RULES = (V12, V13, V14, V15, V16, V17)
