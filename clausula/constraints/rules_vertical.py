"""Rules of one chord: ranges, spacing, order of voices, doublings, the raised leading tone."""

from __future__ import annotations

from clausula.constraints.example import Example
from clausula.constraints.predicates import degree_of, inverse, is_member, sounds, stands_on
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
from clausula.constraints.switch import Switch

_OCTAVE = 12
_WIDEST = {"twelfth": 19, "fifteenth": 24}  # semitones
_LEADING_TONE = (6, 11)  # degree and semitones above the tonic
# Notes raised above the scale that lead to the degree above: degree and semitones above the tonic.
_RAISED_IN_MAJOR = ((0, 1), (1, 3), (3, 6), (4, 8), (5, 10))
_RAISED_IN_MINOR = ((2, 4), (3, 6))
_SUBDOMINANT, _SIXTH_BELOW = 5, 8  # semitones of roots above the tonic

BRIEF = Switch(
    "counts",
    ("counts", "passes"),
    "counts: a doubling is one however short; passes: where one of the notes is shorter than a "
    "beat it only passes",
)


def _out_of_range(voice: Motion, context: Context) -> Array:
    pitch = voice.after.semitone
    return sounds(voice.after) & ((pitch < voice.low) | (pitch > voice.high))


def _both_sound(upper: Motion, lower: Motion) -> Array:
    return sounds(upper.after) & sounds(lower.after)


def _wider_than_octave(upper: Motion, lower: Motion, context: Context) -> Array:
    gap = upper.after.semitone - lower.after.semitone
    return _both_sound(upper, lower) & (gap > _OCTAVE)


def _too_far_above(upper: Motion, lower: Motion, context: Context, widest: str) -> Array:
    gap = upper.after.semitone - lower.after.semitone
    return _both_sound(upper, lower) & (gap > _WIDEST[widest])


def _crossed(upper: Motion, lower: Motion, context: Context) -> Array:
    return _both_sound(upper, lower) & (upper.after.semitone < lower.after.semitone)


def _leading_tone_doubled(upper: Motion, lower: Motion, context: Context, brief: str) -> Array:
    same = ((upper.after.step - lower.after.step) % 7 == 0) & (
        (upper.after.semitone - lower.after.semitone) % 12 == 0
    )
    leads = stands_on(upper.after, context, *_LEADING_TONE)
    for degree, chroma in _RAISED_IN_MAJOR:
        leads = leads | (stands_on(upper.after, context, degree, chroma) & inverse(context.minor))
    for degree, chroma in _RAISED_IN_MINOR:
        leads = leads | (stands_on(upper.after, context, degree, chroma) & context.minor)
    # Where the chord is known, only the third of a dominant and the root of vii° lead.
    chord = context.chord
    third = is_member(upper.after, chord.third) & ((chord.third - chord.root) % 12 == 4)
    root = is_member(upper.after, chord.root) & ((chord.fifth - chord.root) % 12 == 6)
    known = third | root | (chord.root == NONE)
    leads = (leads & known & context.sure) | (third & _applied_seventh(context))
    passing = (upper.brief | lower.brief) & (brief == "passes")
    return same & leads & sounds(lower.after) & inverse(passing)


def _applied_seventh(context: Context) -> Array:
    """Whether the chord is a dominant seventh in all its notes, of whatever degree.

    The German sixth sounds alike, and the third of IV7 in minor is its raised sixth degree.
    """
    chord = context.chord
    degree = degree_of(chord.root, context)
    sounds_so = ((chord.third - chord.root) % 12 == 4) & ((chord.seventh - chord.root) % 12 == 10)
    known = (chord.third != NONE) & (chord.seventh != NONE)
    excused = (degree == _SIXTH_BELOW) | ((degree == _SUBDOMINANT) & context.minor)
    return known & sounds_so & inverse(excused)


def _leading_tone_unraised(upper: Motion, bass: Motion, context: Context) -> Array:
    key = context.before  # a chord is a dominant in its own key
    falls_home = stands_on(bass.before, key, 4, 7) & stands_on(bass.after, key, 0, 0)
    return falls_home & stands_on(upper.before, key, 6, 10) & key.minor


def _upper_neighbours(site: tuple[int, ...], n_voices: int) -> bool:
    return site[1] == site[0] + 1 and site[1] != n_voices - 1


def _lowest_neighbours(site: tuple[int, ...], n_voices: int) -> bool:
    return site == (n_voices - 2, n_voices - 1)


def _with_bass(site: tuple[int, ...], n_voices: int) -> bool:
    return site[1] == n_voices - 1


def _four_voices(site: tuple[int, ...], n_voices: int) -> bool:
    return n_voices == 4


V01 = Rule(
    code="V01",
    name="Voice out of range",
    scope=Scope.SLICE,
    sites=Sites.VOICE,
    predicate=_out_of_range,
    applies=_four_voices,
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="The {voice}'s {pitch} is out of range: {low} to {high}",
    says="Each voice of a four-part choir stays within its range, which the rule set gives.",
    why="Beyond it an untrained singer strains above or is not heard below.",
    exceptions="Scores of other than four parts have no named voices, so no ranges.",
    source="Integrated Music Theory (Butterfield); course handouts, one after Aldwell and "
    "Schachter",
    breaking=(
        Example("d", ("A5 D5 F4 D4",), at="S"),
        Example("G", ("B4 G4 D4 G2", "B4 F3 D4 D2"), at="AB"),
    ),
    obeying=(Example("d", ("A4 F4 D4 D3",)), Example("C", ("- - G4 E2",))),
)

V02 = Rule(
    code="V02",
    name="Upper voices too far apart",
    scope=Scope.SLICE,
    sites=Sites.PAIR,
    predicate=_wider_than_octave,
    applies=_upper_neighbours,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} are more than an octave apart: {upper_after} over {lower_after}",
    says="No more than an octave lies between soprano and alto, nor between alto and tenor.",
    why="Upper voices that keep together blend into one chord; a wide gap splits the choir in two.",
    exceptions="Tenor and bass may lie further apart (V03).",
    source="Integrated Music Theory (Butterfield); course handouts, one after Aldwell and "
    "Schachter",
    breaking=(
        Example("C", ("E5 C4 G3 C3",), at="SA"),
        Example("G", ("D5 B4 G3 G2",), at="AT"),
    ),
    obeying=(Example("C", ("E5 C5 G4 C3",)), Example("C", ("C5 C4 C3 C3",))),
)

V03 = Rule(
    code="V03",
    name="Tenor too far above the bass",
    scope=Scope.SLICE,
    sites=Sites.PAIR,
    predicate=_too_far_above,
    applies=_lowest_neighbours,
    severity=Severity.STYLE,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} are too far apart: {upper_after} over {lower_after}",
    says="No more than a twelfth lies between the tenor and the bass.",
    switches={
        "widest": Switch("twelfth", ("twelfth", "fifteenth"), "What may lie between them at most.")
    },
    why="The bass carries the chord; too far below, it no longer sounds as part of it.",
    exceptions="Books disagree: some allow two octaves, some set no limit and leave the rule off.",
    source="A course handout after Aldwell and Schachter; another course handout; Integrated Music "
    "Theory (Butterfield), which sets no limit",
    breaking=(Example("C", ("C5 G4 G4 C2",), at="TB"), Example("F", ("C5 A4 F4 F2",), at="TB")),
    obeying=(Example("C", ("C5 G4 E4 C3",)), Example("C", ("C5 G4 G4 C3",))),
)

V04 = Rule(
    code="V04",
    name="Voice crossing",
    scope=Scope.SLICE,
    sites=Sites.PAIR,
    predicate=_crossed,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} cross: the {upper}'s {upper_after} is below the {lower}'s "
    "{lower_after}",
    says="An upper voice never sounds below a lower one.",
    why="Once voices cross, the ear follows the wrong line: it hears the higher note as the higher "
    "voice.",
    exceptions="Two voices may meet on a unison. Some books tolerate a brief crossing of the alto "
    "and the tenor.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1; a course handout",
    breaking=(
        Example("C", ("C5 E4 G4 C3",), at="AT"),
        Example("C", ("E4 G4 C4 C3",), at="SA"),
    ),
    obeying=(Example("C", ("C5 G4 E4 C3",)), Example("C", ("G4 E4 E4 C3",))),
)

V10 = Rule(
    code="V10",
    name="Doubled leading tone",
    scope=Scope.SLICE,
    sites=Sites.PAIR,
    predicate=_leading_tone_doubled,
    reads=frozenset({Reads.CHORD}),
    switches={"brief": BRIEF},
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} both sing {pitch_class}, which leads up to {goal} and should not "
    "be doubled",
    says="No two voices sound the leading tone of the key at once, nor that of another degree: a "
    "note raised out of the key, or the third of a dominant seventh chord.",
    why="A leading tone is bound to rise. Two of them either rise together in parallel octaves, or "
    "one is left unresolved.",
    exceptions="The raised sixth degree of a minor key may be doubled: it leads to the leading "
    "tone, not to a chord's root. In chords that are no dominants, such as iii, the same note "
    "leads nowhere. In another key than the home key it counts where no other key is nearly as "
    "likely.",
    source="Four course handouts, one after Aldwell and Schachter",
    breaking=(
        Example("C", ("B4 G4 D4 B2",), at="SB"),
        Example("a", ("G#4 E4 B3 E3", "B4 G#4 E4 G#3"), at="AB"),
        Example("C", ("F#4 A3 D3 F#2",), at="SB"),
        Example("C", ("E5 Bb4 E4 C3",), numerals=("V7/IV",), at="ST"),
    ),
    obeying=(
        Example("C", ("D5 G4 D4 B2",)),
        Example("a", ("F#4 C4 A3 F#3",)),
        Example("C", ("C5 A4 F4 D3", "B4 G4 D4 G3")),
        Example("C", ("E5 G4 E4 C3",)),
        Example("a", ("A4 D#4 A3 F3",), numerals=("Ger65",)),
    ),
)

V20 = Rule(
    code="V20",
    name="Leading tone not raised",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_leading_tone_unraised,
    applies=_with_bass,
    blames_before=True,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The {upper}'s {upper_before} is not raised, though the {lower} goes from "
    "{lower_before} to {lower_after}, dominant to tonic, in minor",
    says="In a minor key, where the bass goes from the fifth degree to the first, the chord on the "
    "fifth degree has the raised seventh degree.",
    why="Without a half step below the tonic the dominant does not lead home, and no cadence is "
    "heard.",
    exceptions="The natural seventh belongs to chords that go elsewhere, such as the mediant. A "
    "chord is a dominant in the key in which it stands, whatever key follows.",
    source="Course handouts, one after Aldwell and Schachter",
    breaking=(
        Example("a", ("G4 E4 B3 E3", "A4 E4 C4 A2"), at="SB"),
        Example("d", ("E4 C4 A3 A2", "F4 D4 A3 D3"), at="AB"),
        Example("C", ("G4 E4 B3 E3", "A4 E4 C4 A2"), key_before="a", at="SB"),
    ),
    obeying=(
        Example("a", ("G#4 E4 B3 E3", "A4 E4 C4 A2")),
        Example("C", ("B4 G4 D4 G3", "C5 G4 E4 C3")),
        Example("a", ("G4 E4 B3 E3", "A4 F4 C4 F3")),
        Example("C", ("Bb4 G4 D4 G3", "C5 G4 E4 C3")),
        Example("a", ("G4 E4 B3 E3", "A4 E4 C4 A2"), key_before="e"),
    ),
)

RULES = (V01, V02, V03, V04, V10, V20)
