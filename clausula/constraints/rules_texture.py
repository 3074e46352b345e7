"""Rules of motion that look beyond two chords or two voices: cross-relations, hidden parallels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.passage import Passage, ToneKind
from clausula.constraints.predicates import changes, inverse, sounds
from clausula.constraints.rule import (
    Array,
    Context,
    Enforcement,
    Motion,
    Rule,
    Scope,
    Severity,
    Sites,
    Sonority,
    Tone,
)
from clausula.constraints.rules_motion import (
    parallel_fifths,
    parallel_octaves,
)
from clausula.grid import REST


def _together(voices: Sequence[Motion], context: Context) -> Array:
    rising = falling = inverse(context.boundary)
    for voice in voices:
        rising = rising & changes(voice) & (voice.after.semitone > voice.before.semitone)
        falling = falling & changes(voice) & (voice.after.semitone < voice.before.semitone)
    return rising | falling


def _four(site: tuple[int, ...], n_voices: int) -> bool:
    return n_voices == 4


def _chromatic(one: Tone, other: Tone) -> Array:
    """Whether two tones have the same letter and differ by a half step, in whatever octaves."""
    semitones = (one.semitone - other.semitone) % 12
    same_letter = (one.step - other.step) % 7 == 0
    return same_letter & ((semitones == 1) | (semitones == 11)) & sounds(one) & sounds(other)


def _cross_relation(upper: Motion, lower: Motion, context: Context) -> Array:
    down = _chromatic(upper.before, lower.after)
    up = _chromatic(lower.before, upper.after)
    # A voice that makes the alteration itself has explained it.
    own = _chromatic(upper.before, upper.after) | _chromatic(lower.before, lower.after)
    starts = lower.after.moved & down | upper.after.moved & up
    return (down | up) & starts & inverse(own) & inverse(context.boundary)


def _hidden_parallels(passage: Passage) -> np.ndarray:
    """Parallels that an embellishing note makes, or only delays between two chords' tones."""
    found = passage.nothing(len(Sites.PAIR.of(passage.n_voices)))
    if len(passage.chords) < 2:
        return found
    tones = _chord_tones(passage)
    uppers, lowers = np.array(Sites.PAIR.of(passage.n_voices), int).reshape(-1, 2).T
    upper, lower = (
        Motion(
            Tone(tones.semitone[:-1, voices], tones.step[:-1, voices], True),
            Tone(tones.semitone[1:, voices], tones.step[1:, voices], True),
            0,
            127,
        )
        for voices in (uppers, lowers)
    )
    parallel = parallel_fifths(upper, lower, _PLAIN) | parallel_octaves(upper, lower, _PLAIN)
    shown = _shown_parallels(passage, uppers, lowers)
    times = np.array([span.start for span in passage.chords[1:]])
    joined = times == [span.stop for span in passage.chords[:-1]]
    within = (joined & ~passage.context.boundary[times])[:, None]
    # What the surface shows is no delay: there M01 or M02 speaks.
    found[times] = parallel & ~shown[times] & within
    kinds = np.concatenate([passage.tones[:1], passage.tones])
    plain = (kinds == int(ToneKind.CHORD)) | (kinds == int(ToneKind.SILENT))
    struck = plain[:-1] & plain[1:]
    return found | (shown & ~(struck[:, uppers] & struck[:, lowers]))


def _shown_parallels(passage: Passage, uppers: np.ndarray, lowers: np.ndarray) -> np.ndarray:
    """``[time, pair]`` parallels that two voices make from one slice to the next."""
    upper, lower = (
        Motion(passage.prev.tone(voices), passage.cur.tone(voices), 0, 127)
        for voices in (uppers, lowers)
    )
    inside = inverse(passage.context.boundary)[:, None]
    both = parallel_fifths(upper, lower, _PLAIN) | parallel_octaves(upper, lower, _PLAIN)
    return both & inside


def _chord_tones(passage: Passage) -> Tone:
    """``[chord, voice]`` the first chord tone of each voice; silence where it has none."""
    rows = np.arange(len(passage))[:, None]
    own = np.where(passage.tones == int(ToneKind.CHORD), rows, len(passage))
    first = np.minimum.reduceat(own, [span.start for span in passage.chords], axis=0)
    row, voice = np.minimum(first, len(passage) - 1), np.arange(passage.n_voices)
    silent = first == len(passage)
    semitone = np.where(silent, REST, passage.cur.semitone[row, voice])
    return Tone(semitone, np.where(silent, 0, passage.cur.step[row, voice]), True)


_PLAIN = Context(0, 0, False, 0, 0, False, False, False, False, 0, 127)


def _licensed_fifths(passage: Passage) -> np.ndarray:
    """Parallel fifths of which the upper note is an anticipation and the lower a seventh."""
    sites = Sites.PAIR.of(passage.n_voices)
    found = passage.nothing(len(sites))
    closes = np.zeros(len(passage), bool)
    for cadence in passage.cadences:
        closes[max(cadence.arrival - 3, 0) : cadence.arrival] = True
    kinds = passage.tones
    for column, (upper, lower) in enumerate(sites):
        one, other = _motion_of(passage, upper), _motion_of(passage, lower)
        fifths = parallel_fifths(one, other, passage.context)
        ahead = kinds[:, upper] == int(ToneKind.ANTICIPATION)
        seventh = passage.cur.semitone[:, lower] % 12 == passage.context.chord.seventh
        passing = kinds[:, lower] == int(ToneKind.PASSING)
        found[:, column] = fifths & ahead & (seventh | passing) & closes
    return found


def _motion_of(passage: Passage, voice: int) -> Motion:
    prev: Sonority = passage.prev
    return Motion(prev.tone(voice), passage.cur.tone(voice), 0, 127)


def _across_phrases(upper: Motion, lower: Motion, context: Context) -> Array:
    within = context._replace(boundary=False)
    parallel = parallel_fifths(upper, lower, within) | parallel_octaves(upper, lower, within)
    return parallel & context.boundary


M08 = Rule(
    code="M08",
    name="All voices move the same way",
    scope=Scope.SLICES,
    sites=Sites.ALL,
    predicate=_together,
    applies=_four,
    severity=Severity.STYLE,
    enforcement=Enforcement.CHECK_ONLY,
    message="All four voices move in the same direction",
    says="Four voices rather do not all rise or all fall at once.",
    why="Contrary motion keeps voices apart; where all move alike they become one.",
    exceptions="Across the end of a phrase the rule does not hold. It is common at a change of "
    "position.",
    source="No source was read for it: kept from memory",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3"), at="SATB"),
        Example("C", ("E5 C5 G4 C4", "C5 A4 F4 A3"), at="SATB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "A4 F4 D4 D3")),
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3"), boundary=True),
    ),
)

M09 = Rule(
    code="M09",
    name="Cross-relation",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_cross_relation,
    severity=Severity.WARNING,
    enforcement=Enforcement.MASK,
    message="Cross-relation between {upper} and {lower}: {upper_before}-{lower_before} to "
    "{upper_after}-{lower_after}",
    says="A note and its chromatic alteration do not follow each other in different voices.",
    why="The ear expects the voice that had the note to alter it; another voice contradicts it.",
    exceptions="Where the voice that had the note makes the alteration itself, others may too. "
    "Across the end of a phrase the rule does not hold.",
    source="Course handouts, one after Aldwell and Schachter; Westergaard's rules",
    breaking=(
        Example("C", ("C5 G4 E4 A2", "E5 A4 E4 C#3"), at="SB"),
        Example("a", ("G4 E4 C4 C3", "E4 E4 B3 G#2"), at="SB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 A2", "C#5 A4 E4 A2")),
        Example("C", ("C5 G4 E4 C3", "E5 A4 E4 C3")),
        Example("a", ("G4 E4 C4 C3", "G#4 E4 B3 E3")),
    ),
)

M10 = Rule(
    code="M10",
    name="Parallels that an embellishment makes or delays",
    scope=Scope.WINDOW,
    sites=Sites.PAIR,
    judge=_hidden_parallels,
    severity=Severity.WARNING,
    enforcement=Enforcement.CHECK_ONLY,
    message="{upper} and {lower} make parallels that embellishing notes create or only delay",
    says="Two voices do not go from one perfect interval of chord tones to the next of the same "
    "kind, even if another note comes between; nor does an embellishing note make parallels.",
    why="Embellishments are heard as such: what they decorate is still parallel, and what they "
    "add is heard too.",
    exceptions="Across the end of a phrase the rule does not hold.",
    source="Integrated Music Theory (Butterfield)",
    breaking=(
        Example(
            "C",
            lines=("C5:1 D5:1", "G4:1/2 F4:1/2 A4:1", "E4:1 F4:1", "C3:1 D3:1"),
            numerals=("I", "ii"),
            at="AB",
        ),
        Example(
            "C",
            lines=("G4:1/2 A4:1/2 A4:1", "E4:1 F4:1", "C4:1 D4:1", "C3:1 D3:1"),
            numerals=("I", "ii"),
            at="SB,ST",
        ),
        Example(
            "C",
            lines=("E5:1/2 D5:1/2 C5:1", "G4:1 F4:1", "C4:1 A3:1", "C3:1 F3:1"),
            numerals=("I", "IV"),
            at="SA",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("C5:1 D5:1", "G4:1/2 F4:1/2 F4:1", "E4:1 A4:1", "C3:1 D3:1"),
            numerals=("I", "ii"),
        ),
        Example("C", ("C5 G4 E4 C3", "A4 F4 D4 D3"), numerals=("I", "ii")),
    ),
)

M11 = Rule(
    code="M11",
    name="Fifths of an anticipation and a seventh",
    scope=Scope.WINDOW,
    sites=Sites.PAIR,
    judge=_licensed_fifths,
    severity=Severity.INFO,
    licenses=frozenset({"M01"}),
    enforcement=Enforcement.CHECK_ONLY,
    message="Licence: parallel fifths between {upper} and {lower} of an anticipation and a "
    "passing seventh before the cadence",
    says="At a cadence the soprano may anticipate the tonic while another voice passes to the "
    "seventh of the dominant, even in parallel fifths.",
    why="Both notes embellish, and they embellish different chords; Bach writes these fifths.",
    source="bach-chorales.com",
    breaking=(
        Example(
            "C",
            lines=("D5:1/2 C5:1/2 C5:2", "G4:1/2 F4:1/2 E4:2", "B3:1 C4:2", "G3:1 C3:2"),
            numerals=("V7", "I:2"),
            at="SA",
            where="1.1.5",
        ),
        Example(
            "G",
            lines=("A4:1/2 G4:1/2 G4:2", "D4:1/2 C4:1/2 B3:2", "F#3:1 G3:2", "D3:1 G2:2"),
            numerals=("V7", "I:2"),
            at="SA",
            where="1.1.5",
        ),
    ),
    obeying=(
        Example(
            "C",
            lines=("D5:1 C5:2", "G4:1/2 F4:1/2 E4:2", "B3:1 C4:2", "G3:1 C3:2"),
            numerals=("V7", "I:2"),
        ),
        Example("C", ("D5 G4 B3 G3", "E5 A4 C4 A3", "D5 G4 B3 G3"), numerals=("V", "vi", "V")),
    ),
)

M12 = Rule(
    code="M12",
    name="Parallels across a phrase end",
    scope=Scope.SLICES,
    sites=Sites.PAIR,
    predicate=_across_phrases,
    severity=Severity.INFO,
    licenses=frozenset({"M01", "M02"}),  # which except phrase ends themselves
    enforcement=Enforcement.CHECK_ONLY,
    message="Phrase boundary: {upper} and {lower} go in parallels from {upper_before}-"
    "{lower_before} to {upper_after}-{lower_after}",
    says="Between the last chord of a phrase and the first of the next, parallels are no fault.",
    why="The break is heard: no voice leads from one phrase into the other.",
    source="No source was read for it: kept from memory",
    breaking=(
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3"), boundary=True, at="AB,SB"),
        Example("G", ("D5 B4 G4 G3", "E5 C5 G4 A3"), boundary=True, at="SB"),
    ),
    obeying=(
        Example("C", ("C5 G4 E4 C3", "A4 F4 D4 D3"), boundary=True),
        Example("C", ("C5 G4 E4 C3", "D5 A4 F4 D3")),
    ),
)

RULES = (M08, M09, M10, M11, M12)
