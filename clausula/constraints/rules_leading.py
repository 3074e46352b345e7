"""Rules of the leading tone in inner voices, of six-four chords, of V42 and of vii°."""

from __future__ import annotations

from collections.abc import Sequence

from clausula.constraints.example import Example
from clausula.constraints.predicates import (
    changes,
    degree_of,
    interval,
    inverse,
    is_member,
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
    Harmony,
    Motion,
    Reads,
    Rule,
    Scope,
    Severity,
    Sites,
)
from clausula.constraints.rules_resolution import leaves

_CHORD = frozenset({Reads.CHORD})
_BOTH = frozenset({Reads.CHORD, Reads.EARLIER})
_TONIC, _DOMINANT, _LEADING = 0, 7, 11  # semitones of roots above the tonic
LEADING_TONE = (6, 11)  # degree and semitones above the tonic


def dominant_function(chord: Harmony, context: Context) -> Array:
    """Whether a chord is V or vii°, with or without a seventh, and has the leading tone."""
    root = degree_of(chord.root, context)
    fifth = (root == _DOMINANT) & ((chord.third - chord.root) % 12 == 4)
    return (fifth | (root == _LEADING)) & (chord.root != NONE)


def _inner_strays(voice: Motion, context: Context) -> Array:
    key = context.before
    leads = stands_on(voice.before, key, *LEADING_TONE)
    leads = leads & dominant_function(context.chord_before, key)
    changed = inverse(dominant_function(context.chord, context))
    goes = interval(voice, 1, 1) | interval(voice, -4, -2)
    return leads & changed & leaves(voice, context) & inverse(goes)


def _is_six_four(chord: Harmony) -> Array:
    return (chord.bass == chord.fifth) & (chord.fifth != NONE) & (chord.seventh == NONE)


def _cadential(context: Context) -> Array:
    """Whether a tonic six-four chord goes to a dominant over the same bass."""
    before, chord = context.chord_before, context.chord
    tonic = degree_of(before.root, context.before) == _TONIC
    same_bass = chord.bass == before.bass
    return _is_six_four(before) & tonic & same_bass & (chord.root == before.fifth)


def _six_four_unresolved(voice: Motion, context: Context) -> Array:
    before = context.chord_before
    bound = is_member(voice.before, before.root) | is_member(voice.before, before.third)
    moved = changes(voice) | inverse(sounds(voice.after))
    # The sixth or fourth may also wait for its step: as a suspension it is held.
    wrong = bound & moved & inverse(steps_down(voice)) & context.begins
    return wrong & _cadential(context) & sounds(voice.after) & inverse(voice.embellishes)


def _passes(bass: Motion) -> Array:
    """Whether the bass goes by step on through its note, in one direction."""
    first = bass._replace(before=bass.earlier, after=bass.before)
    up = steps_up(first) & steps_up(bass)
    down = steps_down(first) & steps_down(bass)
    return sounds(bass.earlier) & (up | down)


def _stays(bass: Motion) -> Array:
    """Whether the bass was on its note before and stays on it, in any octave."""
    before = (bass.earlier.semitone - bass.before.semitone) % 12 == 0
    after = (bass.after.semitone - bass.before.semitone) % 12 == 0
    return (before | inverse(sounds(bass.earlier))) & after


def _arpeggiates(bass: Motion, context: Context) -> Array:
    """Whether the bass came to its note from another member of the chord."""
    before = context.chord_before
    return is_member(bass.earlier, before.root) | is_member(bass.earlier, before.third)


def _idle_six_four(bass: Motion, context: Context) -> Array:
    before = context.chord_before
    other = degree_of(before.root, context.before) != _TONIC
    explained = _passes(bass) | _stays(bass) | _arpeggiates(bass, context)
    known = _is_six_four(before) & other & is_member(bass.before, before.fifth)
    return known & leaves(bass, context) & inverse(explained)


def _cadential_astray(bass: Motion, context: Context) -> Array:
    before, chord = context.chord_before, context.chord
    tonic = _is_six_four(before) & (degree_of(before.root, context.before) == _TONIC)
    unknown = chord.root == NONE
    to_fifth = (chord.root == before.fifth) & (chord.bass == chord.root)
    stays = (bass.after.semitone - bass.before.semitone) % 12 == 0
    reached = (to_fifth | unknown) & stays
    # The bass that stays under another chord makes a pedal of it.
    pedal = stays & ((bass.earlier.semitone - bass.before.semitone) % 12 == 0)
    explained = _passes(bass) | _arpeggiates(bass, context) | (pedal & sounds(bass.earlier))
    ends = context.begins & inverse(context.boundary) & sounds(bass.after)
    on_fifth = is_member(bass.before, before.fifth)
    return tonic & on_fifth & ends & inverse(reached | explained)


def _third_inversion_astray(bass: Motion, context: Context) -> Array:
    before, chord = context.chord_before, context.chord
    dominant = degree_of(before.root, context.before) == _DOMINANT
    last = dominant & (before.bass == before.seventh) & (before.seventh != NONE)
    last = last & ((before.third - before.root) % 12 == 4) & is_member(bass.before, before.seventh)
    unknown = chord.root == NONE
    to_tonic = (degree_of(chord.root, context.before) == _TONIC) | unknown
    third = (bass.after.step - context.tonic_letter_before) % 7 == 2
    ends = context.begins & inverse(context.boundary) & sounds(bass.after)
    prolonged = dominant_function(chord, context.before)
    return last & ends & inverse(prolonged) & inverse(to_tonic & third)


def _rooted_seventh_degree(voices: Sequence[Motion], context: Context) -> Array:
    before, chord = context.chord_before, context.chord
    triad = (degree_of(before.root, context.before) == _LEADING) & (before.seventh == NONE)
    rooted = triad & (before.bass == before.root) & (before.root != NONE)
    to_tonic = (degree_of(chord.root, context) == _TONIC) & (chord.root != NONE)
    sounding = sounds(voices[0].after)
    return rooted & to_tonic & context.begins & sounding & inverse(context.boundary)


def _inner(site: tuple[int, ...], n_voices: int) -> bool:
    return 0 < site[0] < n_voices - 1


def _bass(site: tuple[int, ...], n_voices: int) -> bool:
    return site[0] == n_voices - 1 and n_voices > 2


T02 = Rule(
    code="T02",
    name="Leading tone of an inner voice astray",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_inner_strays,
    applies=_inner,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="The leading tone {before} in the {voice} goes to {after}",
    says="In an inner voice the leading tone rises to the tonic or falls a third to the fifth "
    "degree.",
    why="The fall is covered by the other voices and completes the tonic chord; anything else is "
    "heard as a wrong turn.",
    exceptions="It may be held, and move freely while the dominant lasts.",
    source="Course handouts; Integrated Music Theory (Butterfield); Open Music Theory, version 1",
    breaking=(
        Example("C", ("D5 B4 G4 G3", "E5 E4 G4 C3"), numerals=("V", "I"), at="A"),
        Example("a", ("B4 E4 G#3 E3", "C5 E4 C4 A2"), numerals=("V", "i"), at="T"),
    ),
    obeying=(
        Example("C", ("D5 B4 G4 G3", "E5 C5 G4 C3"), numerals=("V", "I")),
        Example("C", ("D5 B4 G4 G3", "C5 G4 E4 C3"), numerals=("V", "I")),
    ),
)

T10 = Rule(
    code="T10",
    name="Cadential six-four not resolved down",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_six_four_unresolved,
    reads=_CHORD,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The {voice}'s {before} in the cadential six-four goes to {after}, not down by step",
    says="In a cadential six-four chord the sixth and the fourth above the bass go down by step.",
    why="They are suspensions over the dominant, whatever the chord is called.",
    exceptions="They may be held into the dominant and fall then.",
    source="Course handouts; Open Music Theory, version 1",
    breaking=(
        Example("C", ("C5 E4 G3 G3", "D5 D4 B3 G3"), numerals=("I64", "V"), at="S"),
        Example("a", ("C5 A4 E4 E3", "E5 G#4 E4 E3"), numerals=("i64", "V"), at="S"),
    ),
    obeying=(
        Example("C", ("C5 E4 G3 G3", "B4 D4 G3 G3"), numerals=("I64", "V")),
        Example("a", ("C5 A4 E4 E3", "B4 G#4 E4 E3"), numerals=("i64", "V")),
    ),
)

T11 = Rule(
    code="T11",
    name="Six-four chord without a purpose",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    predicate=_idle_six_four,
    applies=_bass,
    blames_before=True,
    reads=_BOTH,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{chord_before} is neither cadential nor passing nor over a pedal: the bass goes on "
    "from {before} to {after}",
    says="A triad stands in second inversion only as a cadential six-four, as a passing chord, "
    "over a bass that stays, or where the bass arpeggiates the chord.",
    why="The fourth above the bass is a dissonance and needs a reason.",
    exceptions="The tonic six-four has a rule of its own (T12).",
    source="Integrated Music Theory (Butterfield); a course handout",
    breaking=(
        Example(
            "C",
            ("C5 G4 E4 C3", "A4 F4 D4 A3", "G4 D4 B3 G3"),
            numerals=("I", "ii64", "V"),
            at="B",
        ),
        Example(
            "G",
            ("D5 B4 G4 B3", "C5 G4 E4 G3", "A4 F#4 D4 D3"),
            numerals=("I6", "IV64", "V"),
            at="B",
        ),
        Example(
            "C",
            ("E5 G4 C4 C3", "F5 A4 C4 C3", "D5 A4 F4 F3"),
            numerals=("I", "IV64", "ii6"),
            at="B",
        ),
    ),
    obeying=(
        Example(
            "C",
            ("C5 G4 E4 C3", "A4 F4 D4 D3", "G4 D4 B3 G3"),
            numerals=("I", "ii", "V"),
        ),
        Example(
            "C",
            ("G4 E4 C4 C3", "G4 D4 B3 D3", "G4 C4 C4 E3"),
            numerals=("I", "V64", "I6"),
        ),
        Example(
            "C",
            ("G4 E4 C4 C3", "A4 F4 C4 C3", "G4 E4 C4 C3"),
            numerals=("I", "IV64", "I"),
        ),
    ),
)

T12 = Rule(
    code="T12",
    name="Cadential six-four not before the dominant",
    scope=Scope.WINDOW,
    sites=Sites.VOICE,
    predicate=_cadential_astray,
    applies=_bass,
    blames_before=True,
    reads=_BOTH,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{chord_before} does not go to V in root position: the bass goes from {before} to "
    "{after}",
    says="After a cadential six-four comes the dominant in root position.",
    why="The chord is the dominant, delayed; the bass has arrived already and stays.",
    exceptions="A tonic six-four may also pass, stand over a pedal or arpeggiate.",
    source="Integrated Music Theory (Butterfield); a course handout",
    breaking=(
        Example(
            "C",
            ("A4 F4 C4 F3", "G4 E4 C4 G3", "A4 F4 C4 F3"),
            numerals=("IV", "I64", "IV"),
            at="B",
        ),
        Example(
            "C",
            ("A4 F4 D4 F3", "G4 E4 C4 G3", "G4 D4 B3 B2"),
            numerals=("ii6", "I64", "V6"),
            at="B",
        ),
    ),
    obeying=(
        Example(
            "C",
            ("A4 F4 C4 F3", "G4 E4 C4 G3", "G4 D4 B3 G3"),
            numerals=("IV", "I64", "V"),
        ),
        Example(
            "C",
            ("A4 F4 C4 F3", "G4 E4 C4 G3", "A4 F4 C4 A3"),
            numerals=("IV", "I64", "IV6"),
        ),
    ),
)

T13 = Rule(
    code="T13",
    name="V42 not to I6",
    scope=Scope.SLICES,
    sites=Sites.VOICE,
    predicate=_third_inversion_astray,
    applies=_bass,
    reads=_CHORD,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{chord_before} goes to {chord}: its bass {before} goes to {after}",
    says="V42 goes to I6.",
    why="The seventh is in the bass and falls by step, to the third of the tonic.",
    exceptions="While the dominant lasts its inversions may follow each other.",
    source="A course handout; Integrated Music Theory (Butterfield)",
    breaking=(
        Example("C", ("B4 G4 D4 F3", "C5 G4 E4 C3"), numerals=("V42", "I"), at="B"),
        Example("a", ("B4 G#4 E4 D3", "C5 A4 E4 A2"), numerals=("V42", "i"), at="B"),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 F3", "C5 G4 C4 E3"), numerals=("V42", "I6")),
        Example("C", ("B4 G4 D4 F3", "B4 G4 D4 G3"), numerals=("V42", "V")),
    ),
)

T14 = Rule(
    code="T14",
    name="Triad vii° in root position before the tonic",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_rooted_seventh_degree,
    reads=_CHORD,
    severity=Severity.WARNING,
    enforcement=Enforcement.FINALS_ONLY,
    message="{chord_before} in root position goes to {chord}",
    says="The triad vii° goes to the tonic in first inversion, not in root position.",
    why="In root position its diminished fifth stands over the bass.",
    exceptions="With its seventh it may stand in root position.",
    source="A course handout; Integrated Music Theory (Butterfield)",
    breaking=(
        Example("C", ("D5 F4 D4 B2", "C5 E4 C4 C3"), numerals=("viio", "I"), at="SATB"),
        Example("a", ("D5 B4 D4 G#3", "C5 A4 E4 A3"), numerals=("viio", "i"), at="SATB"),
    ),
    obeying=(
        Example("C", ("B4 F4 D4 D3", "C5 E4 C4 C3"), numerals=("viio6", "I")),
        Example("C", ("D5 F4 G3 B2", "C5 E4 G3 C3"), numerals=("V65", "I")),
    ),
)

RULES = (T02, T10, T11, T12, T13, T14)
