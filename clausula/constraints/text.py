"""Constraints as text, the way they are written on the command line and in reports.

Conventions: a place is a measure, or measure.beat (``8.3``, ``8.3/2``); ``str`` of a constraint is
text that reads back as the same constraint.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from clausula.constraints.cadence import Cadence, CadenceKind
from clausula.constraints.chord_pattern import ChordPattern
from clausula.constraints.contour import Contour, Shape
from clausula.constraints.copying import MaxCopy
from clausula.constraints.counting import Climax, Count, Stagnation
from clausula.constraints.pattern import Material, Pattern
from clausula.constraints.pins import Pin
from clausula.constraints.place import Degree, Place, Span, numeral
from clausula.constraints.repeat import Repeat
from clausula.constraints.soft import Soft
from clausula.constraints.sonority import (
    BAR_LINE,
    Chord,
    Progression,
    Range,
    Rhythm,
    Scale,
    chord_classes,
)
from clausula.constraints.transposition import (
    Direction,
    InKey,
    Interval,
    Inverted,
    Real,
    Tonal,
    Transposition,
)
from clausula.constraints.vary import Vary
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS, Voice
from clausula.pitch import Key, SpelledPitch

FORMS = (
    "PAC@8.3, IAC@12, HC@4:V, DC@8, plagal@16.3, phrygian@4:ii, PAC@8 in D minor, "
    "PAC@8 anticipated; "
    "repeat 1-3 @ 13, the same with up P5, down M2, tonal up 1, to vi, to D down or inverted "
    "about B4 after it and in S,B at the end; "
    "pin bass @ 5.1 D3, pin soprano @ 5.2 F#4 sounding; "
    "climax once S, climax once S @ 9-12; count 8-12 notes in B, count 1 G5 in S @ 1-8; "
    "stagnation 3 in S; range S D4-G5; scale B @ 5-8, scale S of C D E G A; "
    "chord V65 @ 4 for 2; progression I ii6:1/2 V7 I:2 @ 1; rhythm S q e e h @ 1; "
    "pattern S degrees 1 2 3 (4 | 5)* 1 @ 1-4, pattern S pitches G4 . B4 @ 1, "
    "pattern A intervals (+2 | -2 | 1)*, pattern B durations (q q | h)* @ 1-4, "
    "pattern chords I (IV | ii6) V7? I @ 1-2 each 2; contour S arch @ 1-4; "
    "vary 1-2 @ 9 by 2-5, with how it moves and 'in S' as in a repeat; max-copy 8 notes in S, "
    "max-copy 4 verticalities with rhythm; soft 3 and any of these"
)

NoteConstraint = (
    Climax
    | Count
    | Stagnation
    | Range
    | Scale
    | Chord
    | Progression
    | Rhythm
    | Pattern
    | ChordPattern
    | Contour
    | Vary
    | MaxCopy
)
HardConstraint = Cadence | Repeat | Pin | NoteConstraint
Constraint = HardConstraint | Soft

_PLACE = r"\d{1,9}(?:\.\d{1,9}(?:\.\d{1,9}|/[1-9]\d{0,8})?)?"
_KINDS = "|".join(kind.value for kind in CadenceKind)
_CADENCE = re.compile(
    rf"({_KINDS})\s*@\s*({_PLACE})\s*(?:(?::|\bin\b)\s*(.+?))?(\s*\banticipated)?", re.IGNORECASE
)
_REPEAT = re.compile(
    rf"repeat\s+({_PLACE})(?:\s*-\s*({_PLACE}))?\s*@\s*({_PLACE})(?:\s+(.*?))??(?:\s+in\s+(.+))?"
)
_PIN = re.compile(rf"pin\s+(\w+)\s*@\s*({_PLACE})\s+(\S+)(\s+sounding)?")
_SPAN = rf"(?:\s+@\s+({_PLACE})(?:\s*-\s*({_PLACE}))?)?"
_CLIMAX = re.compile(rf"climax\s+once\s+(\w+){_SPAN}")
_COUNT = re.compile(rf"count\s+(\d{{1,6}})(?:\s*(-)\s*(\d{{1,6}})?)?\s+(\S+)\s+in\s+(\w+){_SPAN}")
_STAGNATION = re.compile(r"stagnation\s+([1-9]\d?)\s+in\s+(\w+)")
_RANGE = re.compile(rf"range\s+(\w+)\s+(\S+?\d)\s*-\s*(\S+?\d){_SPAN}")
_SCALE = re.compile(rf"scale\s+(\w+)(?:\s+of((?:\s+[A-G][#b]?)+))?{_SPAN}")
_CHORD = re.compile(rf"chord\s+(\S+)\s+@\s+({_PLACE})(?:\s+for\s+(\d+(?:/\d+)?))?")
_PROGRESSION = re.compile(
    rf"progression((?:\s+[^\s@]+)+)\s+@\s+({_PLACE})(?:\s+each\s+(\d+(?:/\d+)?))?"
)
_RHYTHM = re.compile(rf"rhythm\s+(\w+)((?:\s+r?[whqes]\.?)+)\s+@\s+({_PLACE})")
_VARY = re.compile(
    rf"vary\s+({_PLACE})(?:\s*-\s*({_PLACE}))?\s*@\s*({_PLACE})"
    r"\s+by\s+(\d{1,4})(?:\s*-\s*(\d{1,4}))?(?:\s+(.*?))??(?:\s+in\s+(.+))?"
)
_MAX_COPY = re.compile(
    r"max-copy\s+(\d{1,2})(?:\s+(notes|verticalities))?(\s+with\s+rhythm)?(?:\s+in\s+(.+))?"
)
_SOFT = re.compile(r"soft\s+(\d{1,6}(?:\.\d{1,6})?)\s+(.+)")
_EACH = r"(?:\s+each\s+([1-9]\d{0,3}(?:/[1-9]\d{0,3})?))?"
_CHORD_PATTERN = re.compile(rf"pattern\s+chords\s+([^@]*?){_SPAN}{_EACH}")
_PATTERN = re.compile(rf"pattern\s+(\w+)\s+({'|'.join(Material)})\s+([^@]*?){_SPAN}")
_CONTOUR = re.compile(rf"contour\s+(\w+)\s+({'|'.join(Shape)}){_SPAN}")
_REAL = re.compile(r"(up|down)\s+(\S+)")
_TONAL = re.compile(r"tonal\s+(up|down)\s+(\d{1,2})")
_INVERTED = re.compile(r"inverted about (\S+)")
_IN_KEY = re.compile(r"to\s+(.+?)(?:\s+(up|down))?")


def parse_constraint(text: str) -> Constraint:
    """Read one constraint, such as ``"PAC@8.3:V"`` or ``"repeat 1-3 @ 13 up P5 in S"``.

    In ``repeat 1-3`` the last measure is included; an end with a beat (``1-3.2``) is the place
    where the passage is over. Voices default to the soprano, the transposition to none.

    Raises:
        InputError: the text has none of the forms, which the message lists.
    """
    stripped = text.strip()
    for form, read in _FORMS:
        found = form.fullmatch(stripped)
        if found:
            return read(found)
    raise InputError(f"{text!r} is not a constraint; write one of {FORMS}")


def load_constraints(path: Path) -> list[Constraint]:
    """The constraints of a TOML file: ``constraints = ["PAC@8", "climax once S"]``.

    Raises:
        InputError: no such file, no TOML, another key, or a text that has none of the forms.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: {error}") from error
    texts = table.pop("constraints", None)
    if table or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(
            f"{path}: a file of constraints is one list of texts; "
            'write constraints = ["PAC@8", "climax once S"]'
        )
    try:
        return [parse_constraint(text) for text in texts]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def parse_cadences(text: str) -> tuple[Cadence, ...]:
    """Read cadences separated by commas, such as ``"HC@4.3,PAC@8.3:V,HC@12.3,PAC@16.3"``.

    Raises:
        InputError: some part is no cadence.
    """
    cadences = []
    for part in text.split(","):
        found = _CADENCE.fullmatch(part.strip())
        if not found:
            raise InputError(
                f"{part.strip()!r} is not a cadence; write PAC, IAC or HC @ measure or "
                "measure.beat, and a key if it is not the home key: HC@4,PAC@8.3:V,PAC@12 in D"
            )
        cadences.append(_cadence(found))
    return tuple(cadences)


def _cadence(found: re.Match[str]) -> Cadence:
    """The cadence of a match."""
    place = _place(found[2])
    key = None if found[3] is None else _key(found[3])
    kind = next(kind for kind in CadenceKind if kind.value.lower() == found[1].lower())
    return Cadence(kind, place.measure, place.beat, key, found[4] is not None)


def _repeat(found: re.Match[str]) -> Repeat:
    """The repeat of a match."""
    voices = found[5] or "S"
    return Repeat(
        _span(found[1], found[2]),
        _place(found[3]),
        _how(found[4] or "up P1"),
        tuple(parse_voice(name.strip()) for name in voices.split(",")),
    )


def _vary(found: re.Match[str]) -> Vary:
    """The varied return of a match."""
    least = int(found[4])
    most = int(found[5]) if found[5] else least
    if most < least:
        raise InputError(f"{found[0]!r} counts down; write the smaller number first")
    return Vary(
        _span(found[1], found[2]),
        _place(found[3]),
        least,
        most,
        _how(found[6] or "up P1"),
        tuple(parse_voice(name.strip()) for name in (found[7] or "S").split(",")),
    )


def _max_copy(found: re.Match[str]) -> MaxCopy:
    """The limit of a match."""
    length, together = int(found[1]), found[2] == "verticalities"
    if length < (2 if together else 3):
        raise InputError(
            f"{found[0]!r}: runs this short are in every piece; try 8 notes or 4 verticalities"
        )
    if together and found[4]:
        raise InputError(f"{found[0]!r}: verticalities have no voice; leave out what follows 'in'")
    named = tuple(parse_voice(name.strip()) for name in found[4].split(",")) if found[4] else ()
    voices = () if together else tuple(sorted(set(named or Voice)))
    return MaxCopy(length, voices, rhythm=found[3] is not None)


def _soft(found: re.Match[str]) -> Soft:
    """The wish of a match."""
    weight, wish = float(found[1]), parse_constraint(found[2])
    if isinstance(wish, Soft):
        raise InputError(f"{found[0]!r} is soft twice; write its weight once")
    if weight == 0:
        raise InputError(f"{found[0]!r} costs nothing; try a weight of a few nats, such as 3")
    return Soft(wish, weight)


def _pin(found: re.Match[str]) -> Pin:
    """The pin of a match."""
    place = _place(found[2])
    pitch = SpelledPitch.parse(found[3])
    return Pin(parse_voice(found[1]), place.measure, place.beat, pitch, onset=found[4] is None)


def _climax(found: re.Match[str]) -> Climax:
    return Climax(parse_voice(found[1]), _maybe_span(found[2], found[3]))


def _count(found: re.Match[str]) -> Count:
    least = int(found[1])
    most = least if found[2] is None else None if found[3] is None else int(found[3])
    if most is not None and most < least:
        raise InputError(f"{found[0]!r} counts down; write the smaller number first")
    pitch = None if found[4] in ("note", "notes") else SpelledPitch.parse(found[4])
    return Count(parse_voice(found[5]), least, most, pitch, _maybe_span(found[6], found[7]))


def _stagnation(found: re.Match[str]) -> Stagnation:
    return Stagnation(parse_voice(found[2]), int(found[1]))


def _range(found: re.Match[str]) -> Range:
    low, high = SpelledPitch.parse(found[2]), SpelledPitch.parse(found[3])
    return Range(parse_voice(found[1]), low, high, _maybe_span(found[4], found[5]))


def _scale(found: re.Match[str]) -> Scale:
    notes = tuple((found[2] or "").split())
    return Scale(parse_voice(found[1]), _maybe_span(found[3], found[4]), notes)


def _chord(found: re.Match[str]) -> Chord:
    return Chord(_numeral(found[1]), _place(found[2]), Fraction(found[3] or 1))


def _progression(found: re.Match[str]) -> Progression:
    return parse_progression(found[1], _place(found[2]), Fraction(found[3] or 1))


def parse_progression(text: str, at: Place, beats: Fraction = Fraction(1)) -> Progression:
    """Read the chords of ``"I ii6 | V7:2 I"``.

    Args:
        text: Roman numerals, a length in beats after a colon where it is not ``beats``, bar lines.
        at: where the first begins.
        beats: how long a chord without a length lasts.

    Raises:
        InputError: there is no chord, or one cannot be read.
    """
    progression = Progression(tuple(text.replace(BAR_LINE, f" {BAR_LINE} ").split()), at, beats)
    lengths = progression.lengths()
    if not lengths:
        raise InputError(f"{text!r} names no chord; write Roman numerals: I IV V7 I")
    for name, _ in lengths:
        _numeral(name)
    return progression


def _numeral(name: str) -> str:
    """The numeral itself, when it can be read in some key."""
    chord_classes(name, Key.parse("C"))
    return name


def _rhythm(found: re.Match[str]) -> Rhythm:
    return Rhythm(parse_voice(found[1]), _place(found[3]), " ".join(found[2].split()))


def _pattern(found: re.Match[str]) -> Pattern:
    span = _maybe_span(found[4], found[5])
    pattern = Pattern(parse_voice(found[1]), Material(found[2]), " ".join(found[3].split()), span)
    pattern.parsed()
    return pattern


def _chord_pattern(found: re.Match[str]) -> ChordPattern:
    span = _maybe_span(found[2], found[3])
    pattern = ChordPattern(" ".join(found[1].split()), span, Fraction(found[4] or 1))
    pattern.parsed()
    return pattern


def _contour(found: re.Match[str]) -> Contour:
    return Contour(parse_voice(found[1]), Shape(found[2]), _maybe_span(found[3], found[4]))


def _span(first: str, last: str | None) -> Span:
    """The span of ``"1"`` or ``"1-3"``: a last measure is included, a last beat is not."""
    end = _place(last or first)
    return Span(_place(first), end if "." in (last or first) else Place(end.measure + 1))


def _maybe_span(first: str | None, last: str | None) -> Span | None:
    return None if first is None else _span(first, last)


def _place(text: str) -> Place:
    """The place of ``"8"``, ``"8.3"``, ``"8.3.5"`` or ``"8.7/2"``."""
    measure, _, beat = text.partition(".")
    return Place(int(measure), Fraction(beat) if beat else Fraction(1))


def _key(text: str) -> Key | Degree:
    """The key of a Roman numeral or a name."""
    return numeral(text.strip()) or Key.parse(text)


def _how(text: str) -> Transposition:
    """The transposition of ``"up P5"``, ``"tonal down 1"`` or ``"to V"``."""
    if found := _REAL.fullmatch(text):
        return Real(Interval.parse(found[2], Direction(found[1])))
    if found := _TONAL.fullmatch(text):
        return Tonal(int(found[2]) * (-1 if found[1] == "down" else 1))
    if found := _INVERTED.fullmatch(text):
        return Inverted(SpelledPitch.parse(found[1]))
    if found := _IN_KEY.fullmatch(text):
        return InKey(_key(found[1]), Direction(found[2] or ""))
    raise InputError(
        f"{text!r} does not say how a passage returns; "
        "write up P5, down M2, tonal up 1, inverted about B4, to V, to D minor or to V down"
    )


def parse_voice(text: str) -> Voice:
    """The voice of a letter or a name.

    Raises:
        InputError: it is none.
    """
    for voice in Voice:
        if text.lower() in (voice.name.lower(), VOICE_LETTERS[voice].lower()):
            return voice
    raise InputError(f"{text!r} is not a voice; write soprano, alto, tenor, bass or S, A, T, B")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Constraint]], ...] = (
    (_CADENCE, _cadence),
    (_REPEAT, _repeat),
    (_PIN, _pin),
    (_CLIMAX, _climax),
    (_COUNT, _count),
    (_STAGNATION, _stagnation),
    (_RANGE, _range),
    (_SCALE, _scale),
    (_CHORD, _chord),
    (_PROGRESSION, _progression),
    (_RHYTHM, _rhythm),
    (_VARY, _vary),
    (_MAX_COPY, _max_copy),
    (_SOFT, _soft),
    (_CHORD_PATTERN, _chord_pattern),
    (_PATTERN, _pattern),
    (_CONTOUR, _contour),
)
