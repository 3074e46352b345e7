"""Rules of two voices that move: parallel, contrary and direct fifths, octaves and unisons."""

from __future__ import annotations

from clausula.constraints.example import Example
from clausula.constraints.predicates import changes, inverse, similar
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


def perfect_fifth(upper: Tone, lower: Tone) -> Array:
    """Whether two tones are a perfect fifth or its compound, whichever of them is the higher."""
    semitones, steps = upper.semitone - lower.semitone, upper.step - lower.step
    upright = (semitones % 12 == 7) & (steps % 7 == 4) & (semitones > 0)
    crossed = (semitones % 12 == 5) & (steps % 7 == 3) & (semitones < 0)
    return upright | crossed


def perfect_octave(upper: Tone, lower: Tone) -> Array:
    """Whether two tones are a unison, an octave or its compound."""
    semitones, steps = upper.semitone - lower.semitone, upper.step - lower.step
    return (semitones % 12 == 0) & (steps % 7 == 0)


def parallel_fifths(upper: Motion, lower: Motion, context: Context) -> Array:
    """Whether two voices go in parallel from one perfect fifth to another."""
    before = perfect_fifth(upper.before, lower.before)
    after = perfect_fifth(upper.after, lower.after)
    return before & after & similar(upper, lower) & inverse(context.boundary)


def parallel_octaves(upper: Motion, lower: Motion, context: Context) -> Array:
    """Whether two voices go in parallel from one octave or unison to another."""
    before = perfect_octave(upper.before, lower.before)
    after = perfect_octave(upper.after, lower.after)
    gap_before = upper.before.semitone - lower.before.semitone
    gap_after = upper.after.semitone - lower.after.semitone
    opens = (gap_before == 0) & ((gap_after == 12) | (gap_after == -12))
    closes = (gap_after == 0) & ((gap_before == 12) | (gap_before == -12))
    parallel = similar(upper, lower) | ((opens | closes) & changes(upper) & changes(lower))
    return before & after & parallel & inverse(context.boundary)


M01 = Rule(
    code="M01",
    name="Parallel fifths",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=parallel_fifths,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="Parallel fifths between {upper} and {lower}: {upper_before}-{lower_before} to "
    "{upper_after}-{lower_after}",
    says="Two voices that are a perfect fifth (or a twelfth) apart do not move in the same "
    "direction to another perfect fifth.",
    why="Voices that move in parallel fifths fuse, and the texture loses an independent voice.",
    exceptions="A fifth that is repeated is no motion. A diminished fifth before or after is "
    "judged by other rules. Across the end of a phrase the rule does not hold.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1; Westergaard's "
    "rules; a course handout after Aldwell and Schachter",
    breaking=(
        Example("C", ("F5 A4 C4 F3", "D5 B4 D4 G3"), at="TB"),
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3"), at="AB"),
        Example("C", ("C5 G4 F4 A2", "D5 B4 G4 G2"), at="ST"),
        Example("G", ("D5 B4 G4 G2", "E5 C5 G4 A2"), at="SB"),
    ),
    obeying=(
        Example("C", ("F5 A4 C4 F3", "D5 G4 B3 G3")),
        Example("C", ("C5 G4 E4 C3", "C5 G4 E4 C3")),
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3"), boundary=True),
        Example("C", ("F5 B4 D4 G3", "E5 C5 C4 A3")),
        Example("a", ("D5 G#4 E4 B3", "E5 A4 C4 A3")),
    ),
)

M02 = Rule(
    code="M02",
    name="Parallel octaves or unisons",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=parallel_octaves,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="Parallel octaves or unisons between {upper} and {lower}: "
    "{upper_before}-{lower_before} to {upper_after}-{lower_after}",
    says="Two voices on a unison or a perfect octave (or its compound) do not move in the same "
    "direction to another one; nor do they go from a unison to an octave or back in any direction.",
    why="Two voices that sing the same note names in a row are heard as one: the texture loses a "
    "part.",
    exceptions="An octave that is repeated is no motion. Across the end of a phrase the rule does "
    "not hold.",
    source="Integrated Music Theory (Butterfield); Open Music Theory, version 1; a course handout",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 F4 B3 D3"), at="SB"),
        Example("C", ("G4 E4 C4 C4", "F4 F4 D4 D4"), at="TB"),
        Example("F", ("C5 A4 F3 F3", "D5 Bb4 G3 G2"), at="TB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "B4 F4 D4 D3")),
        Example("C", ("C5 G4 E4 C3", "C5 G4 E4 C2")),
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3"), boundary=True),
    ),
)

RULES = (M01, M02)
