"""Rules of one line: melodic intervals and tendency tones."""

from __future__ import annotations

from clausula.constraints.example import Example
from clausula.constraints.predicates import (
    changes,
    interval,
    inverse,
    sounds,
    stands_on,
    steps_down,
)
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
)
from clausula.constraints.rules_leading import dominant_function
from clausula.constraints.rules_resolution import leaves
from clausula.constraints.switch import Switch


def _augmented_second(voice: Motion, context: Context) -> Array:
    leaps = interval(voice, 3, 1) | interval(voice, -3, -1)
    return leaps & changes(voice) & inverse(context.boundary)


def _leading_tone_strays(voice: Motion, context: Context, where: str) -> Array:
    leads = stands_on(voice.before, context, 6, 11)
    strays = leads & sounds(voice.after) & inverse(interval(voice, 1, 1))
    at_cadence = strays & context.arrival
    if where == "cadence":
        return at_cadence
    key = context.before
    changed = dominant_function(context.chord_before, key)
    changed = changed & inverse(dominant_function(context.chord, key))
    from_tonic = voice._replace(before=voice.earlier, after=voice.before)
    descends = steps_down(from_tonic) & steps_down(voice)
    elsewhere = stands_on(voice.before, key, 6, 11) & changed & leaves(voice, context)
    return at_cadence | (elsewhere & inverse(interval(voice, 1, 1) | descends))


def _outer(site: tuple[int, ...], n_voices: int) -> bool:
    return site[0] in (0, n_voices - 1)


L01 = Rule(
    code="L01",
    name="Melodic augmented second",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_augmented_second,
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="Augmented second in the {voice}: {before} to {after}",
    says="No voice moves by an augmented second, as from the sixth degree of a minor key to the "
    "raised seventh.",
    why="The interval sounds like a third but is written as a step: singers miss it, and the line "
    "breaks.",
    exceptions="Across the end of a phrase the rule does not hold.",
    source="Course handouts, one after Aldwell and Schachter",
    breaking=(
        Example("a", ("A4 F4 C4 F3", "B4 G#4 B3 E3"), at="A"),
        Example("d", ("C#5 A4 E4 A3", "Bb4 G4 D4 G3"), at="S"),
    ),
    obeying=(
        Example("a", ("A4 F4 C4 F3", "G#4 E4 B3 E3")),
        Example("a", ("C5 F4 A3 F3", "C5 F#4 A3 D3")),
        Example("C", ("C5 G4 E4 C3", "A4 F4 C4 F3")),
        Example("a", ("A4 F4 C4 F3", "B4 G#4 B3 E3"), boundary=True),
    ),
)

T01 = Rule(
    code="T01",
    name="Leading tone does not rise",
    scope=Scope.LINE,
    sites=Sites.VOICE,
    predicate=_leading_tone_strays,
    applies=_outer,
    of_cadence=True,
    reads=frozenset({Reads.CHORD, Reads.EARLIER}),
    switches={
        "where": Switch(
            "cadence",
            ("cadence", "everywhere"),
            "cadence: at the arrival of an authentic cadence alone; everywhere: wherever a "
            "dominant goes to a chord of another function",
        )
    },
    severity=Severity.ERROR,
    enforcement=Enforcement.MASK,
    message="The leading tone {before} in the {voice} goes to {after}, not up to the tonic",
    says="At the arrival of an authentic cadence, an outer voice that had the leading tone goes up "
    "a half step to the tonic.",
    why="In an outer voice everyone hears where the leading tone goes; unless it rises, the "
    "cadence stays open.",
    exceptions="In an inner voice it may fall to the fifth degree, to complete the tonic chord. "
    "Away from a cadence it may descend as part of a scale, from the tonic "
    "through the leading tone to the sixth degree.",
    source="Course handouts, one after Aldwell and Schachter; Open Music Theory, version 1",
    breaking=(
        Example("C", ("B4 G4 D4 G3", "G4 G4 E4 C3"), at="S", arrival=True),
        Example("d", ("C#5 G4 E4 A3", "A4 F4 D4 D3"), at="S", arrival=True),
    ),
    obeying=(
        Example("C", ("B4 G4 D4 G3", "C5 G4 E4 C3"), arrival=True),
        Example("C", ("D5 B4 G4 G3", "C5 G4 E4 C3"), arrival=True),
        Example("C", ("B4 G4 D4 G3", "A4 A4 E4 C4")),
    ),
)

RULES = (L01, T01)
