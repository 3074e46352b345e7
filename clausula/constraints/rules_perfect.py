"""Rules of motion into perfect intervals without parallels: contrary, direct, from a tritone."""

from __future__ import annotations

from clausula.constraints.example import Example
from clausula.constraints.predicates import changes, inverse, similar, sounds
from clausula.constraints.rule import (
    Array,
    Context,
    Enforcement,
    Motion,
    Rule,
    Scope,
    Severity,
    Sites,
    Tone,
)
from clausula.constraints.rules_motion import parallel_octaves, perfect_fifth, perfect_octave
from clausula.constraints.switch import Switch

_STEP = 2  # semitones that no leap exceeds
_PAIRS = Switch(
    "outer",
    ("outer", "all"),
    "outer: soprano and bass alone; all: every two voices",
)


def _pairs(site: tuple[int, ...], n_voices: int, pairs: str) -> bool:
    return pairs == "all" or site == (0, n_voices - 1)


def _moves_contrary(upper: Motion, lower: Motion) -> Array:
    return changes(upper) & changes(lower) & inverse(similar(upper, lower))


def _contrary_perfect(upper: Motion, lower: Motion, context: Context, pairs: str) -> Array:
    fifths = perfect_fifth(upper.before, lower.before) & perfect_fifth(upper.after, lower.after)
    octaves = perfect_octave(upper.before, lower.before) & perfect_octave(upper.after, lower.after)
    contrary = _moves_contrary(upper, lower) & inverse(parallel_octaves(upper, lower, context))
    return (fifths | octaves) & contrary & inverse(context.boundary)


def _leaps(voice: Motion) -> Array:
    distance = voice.after.semitone - voice.before.semitone
    return (distance > _STEP) | (distance < -_STEP)


def _direct_perfect(
    upper: Motion, lower: Motion, context: Context, pairs: str, soprano: str, of: str
) -> Array:
    fifth = perfect_fifth(upper.after, lower.after)
    fifth = fifth & inverse(perfect_fifth(upper.before, lower.before))
    fifth = fifth & inverse(_diminished_fifth(upper.before, lower.before))
    octave = perfect_octave(upper.after, lower.after)
    octave = octave & inverse(perfect_octave(upper.before, lower.before))
    into = octave if of == "octaves" else fifth | octave
    leaps = _leaps(upper) if soprano == "leaps" else upper.after.semitone == upper.after.semitone
    return into & leaps & similar(upper, lower) & inverse(context.boundary)


def _diminished_fifth(upper: Tone, lower: Tone) -> Array:
    semitones, steps = upper.semitone - lower.semitone, upper.step - lower.step
    return (semitones % 12 == 6) & (steps % 7 == 4) & (semitones > 0)


def _tritone_to_fifth(upper: Motion, lower: Motion, context: Context) -> Array:
    before = _diminished_fifth(upper.before, lower.before)
    both = changes(upper) & changes(lower)
    return before & perfect_fifth(upper.after, lower.after) & both & inverse(context.boundary)


def _with_bass(site: tuple[int, ...], n_voices: int) -> bool:
    return site[1] == n_voices - 1


def _without_bass(site: tuple[int, ...], n_voices: int) -> bool:
    return site[1] != n_voices - 1


def _overlap(upper: Motion, lower: Motion, context: Context) -> Array:
    sounding = sounds(upper.before) & sounds(lower.before) & sounds(upper.after)
    above = lower.after.semitone > upper.before.semitone
    below = upper.after.semitone < lower.before.semitone
    crossed = upper.after.semitone < lower.after.semitone
    overlapping = (above & changes(lower)) | (below & changes(upper))
    return sounding & sounds(lower.after) & overlapping & inverse(crossed | context.boundary)


def _neighbours(site: tuple[int, ...], n_voices: int) -> bool:
    return site[1] == site[0] + 1


M03 = Rule(
    code="M03",
    name="Contrary fifths or octaves",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_contrary_perfect,
    applies=_pairs,
    switches={"pairs": _PAIRS},
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} go in contrary motion from one perfect interval to another: "
    "{upper_before}-{lower_before} to {upper_after}-{lower_after}",
    says="Two voices do not move in contrary motion from a fifth to a twelfth, or from an octave "
    "to a fifteenth or back.",
    why="The ear takes compound intervals for the simple ones: contrary fifths are parallels with "
    "one voice moved by an octave.",
    exceptions="Books disagree whether this holds of outer voices alone or of every two. Across "
    "the end of a phrase the rule does not hold.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1, which names the "
    "outer voices; two course handouts",
    breaking=(
        Example("C", ("G4 E4 C4 C4", "D5 D4 B3 G3"), at="SB"),
        Example("C", ("C5 G4 E4 C4", "D5 F4 A3 D3"), at="SB"),
    ),
    obeying=(
        Example("C", ("G4 E4 C4 C4", "B4 D4 G3 G3")),
        Example("C", ("G4 E4 C4 C4", "D5 D4 B3 G3"), boundary=True),
    ),
)

M04 = Rule(
    code="M04",
    name="Direct fifths or octaves",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_direct_perfect,
    applies=_pairs,
    switches={
        "pairs": _PAIRS,
        "soprano": Switch(
            "leaps",
            ("leaps", "any"),
            "leaps: only where the upper voice leaps; any: even where it moves by step",
        ),
        "of": Switch("both", ("both", "octaves"), "both: fifths and octaves; octaves: those alone"),
    },
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="Direct motion of {upper} and {lower} into {upper_after}-{lower_after}: both move the "
    "same way from {upper_before}-{lower_before}",
    says="Soprano and bass do not move in the same direction into a perfect fifth or octave while "
    "the soprano leaps.",
    why="Similar motion into a perfect interval draws attention to it, as if a parallel had been "
    "hidden by filling the leap.",
    exceptions="Books disagree about inner voices, about a soprano that moves by step, and about "
    "fifths. Across the end of a phrase the rule does not hold.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1, which names "
    "octaves alone; two course handouts",
    breaking=(
        Example("C", ("E4 C4 G3 C3", "A4 C4 F3 D3"), at="SB"),
        Example("C", ("G4 E4 C4 E3", "C5 E4 G3 C4"), at="SB"),
    ),
    obeying=(
        Example("C", ("E4 C4 G3 C3", "F4 C4 F3 D3")),
        Example("C", ("E4 C4 G3 C3", "A4 C4 F3 D3"), boundary=True),
        Example("C", ("B4 G4 D4 G3", "C5 G4 E4 C4")),
    ),
)

M05 = Rule(
    code="M05",
    name="Diminished to perfect fifth with the bass",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_tritone_to_fifth,
    applies=_with_bass,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} go from a diminished fifth to a perfect one: "
    "{upper_before}-{lower_before} to {upper_after}-{lower_after}",
    says="No voice goes with the bass from a diminished fifth to a perfect fifth.",
    why="A diminished fifth wants to close to a third. Opening to a perfect fifth it is left "
    "unresolved, and nearly a parallel.",
    exceptions="In the other direction, from a perfect to a diminished fifth, nothing is wrong. "
    "Where a second-inversion dominant passes between I and I6, the fifths lie between upper "
    "voices, of which M06 speaks. Across the end of a phrase the rule does not hold.",
    source="Integrated Music Theory (Butterfield); two course handouts",
    breaking=(
        Example("C", ("F4 D4 G3 B2", "G4 E4 G3 C3"), at="SB"),
        Example("a", ("E4 B3 D4 G#3", "C4 C4 E4 A3"), at="TB"),
    ),
    obeying=(
        Example("C", ("F4 D4 G3 B2", "E4 C4 G3 C3")),
        Example("C", ("G4 E4 C4 C3", "F4 D4 G3 B2")),
    ),
)

M06 = Rule(
    code="M06",
    name="Diminished to perfect fifth between upper voices",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_tritone_to_fifth,
    applies=_without_bass,
    severity=Severity.STYLE,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} go from a diminished fifth to a perfect one: "
    "{upper_before}-{lower_before} to {upper_after}-{lower_after}",
    says="Two upper voices rather do not go from a diminished to a perfect fifth.",
    why="The lower note of the tritone rises and the upper one should fall; here it does not.",
    exceptions="It is common where the bass moves in tenths with the rising voice, as in I V43 I6.",
    source="Integrated Music Theory (Butterfield); a course handout",
    breaking=(
        Example("C", ("F4 B3 G3 D3", "G4 C4 G3 E3"), at="SA"),
        Example("C", ("D5 F4 B3 G3", "E5 G4 C4 C3"), at="AT"),
    ),
    obeying=(
        Example("C", ("F4 B3 G3 D3", "E4 C4 G3 C3")),
        Example("C", ("G4 C4 G3 E3", "F4 B3 G3 D3")),
    ),
)

M07 = Rule(
    code="M07",
    name="Overlapping voices",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_overlap,
    applies=_neighbours,
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="{upper} and {lower} overlap: {upper_before}-{lower_before} to "
    "{upper_after}-{lower_after}",
    says="No voice moves beyond the note that the neighbouring voice has just left.",
    why="The ear follows the note that is left to the nearest one, and so hears one voice where "
    "there are two.",
    exceptions="Two voices may meet on a note. Across the end of a phrase the rule does not hold. "
    "Voices that cross are judged by V04.",
    source="Three course handouts, one after Aldwell and Schachter",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "C5 A4 A4 F3"), at="AT"),
        Example("C", ("G4 E4 C4 C3", "C4 C4 C4 A2"), at="SA"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "C5 A4 F4 F3")),
        Example("C", ("C5 E4 C4 C3", "B4 D4 D4 G3")),
    ),
)

RULES = (M03, M04, M05, M06, M07)
