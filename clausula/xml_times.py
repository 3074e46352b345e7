"""When each note of a MusicXML part sounds, and what no reader can make sense of.

MusicXML counts in *divisions* of a quarter note; a cursor runs through each measure, which
``backup`` and ``forward`` move.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple
from xml.etree.ElementTree import Element

from clausula.errors import InputError
from clausula.limits import (
    LONGEST_MEASURE,
    MOST_BEATS,
    MOST_NOTES,
    MOST_PARTS,
    MOST_QUARTERS,
    MOST_STAVES,
    echoed,
    refuse_many,
)

_WHOLE = re.compile(r"[+-]?\d{1,9}")
# No exponents: 1e999999999 is a number that fills the memory.
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{0,9})?|[+-]?\.\d{1,9}")
_MOST_FIFTHS = 7
_MOST_OCTAVES = 100  # more than any pitch has; what is out of range is told later, by its name
_ZERO = Fraction(0)


class Timed(NamedTuple):
    """A note or rest and its time.

    Attributes:
        note: the element.
        measure: index of its measure in the part.
        onset: quarter notes from the start of the measure.
        end: where it stops, likewise.
    """

    note: Element
    measure: int
    onset: Fraction
    end: Fraction


def timed_parts(root: Element) -> list[list[Timed]]:
    """Every note and rest of each part but grace notes, in the order of the file.

    Args:
        root: of a partwise score.

    Raises:
        InputError: times, signatures or staves that mean nothing, or more than can be read.
    """
    parts = root.findall("part")
    refuse_many(len(parts), MOST_PARTS, "parts")
    refuse_many(sum(1 for _ in root.iter("note")), MOST_NOTES, "notes and rests")
    names = [part.get("id", "") for part in parts]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise InputError(f"two parts have the id {echoed(twice)!r}; try exporting it again")
    return [list(_timed(part, number)) for number, part in enumerate(parts, start=1)]


def _timed(part: Element, number: int) -> Iterator[Timed]:
    divisions: Fraction | None = None
    total = _ZERO
    for index, measure in enumerate(part.iterfind("measure")):
        where = f"part {number}, written measure {index + 1}"
        now = onset = furthest = _ZERO
        for element in measure:
            if element.tag == "attributes":
                divisions = _attributes(element, divisions, where)
            elif element.tag in ("note", "backup", "forward"):
                length = _length(element, divisions, where)
                if element.tag == "backup":
                    now = _moved_back(now, length, divisions, where)
                elif element.tag == "forward":
                    now += length
                elif element.find("grace") is None:
                    onset = onset if element.find("chord") is not None else now
                    now = onset + length
                    _look_at(element, where)
                    yield Timed(element, index, onset, now)
                furthest = max(furthest, now)
        if furthest > LONGEST_MEASURE:
            raise InputError(
                f"{where} is {float(furthest):g} quarter notes long, where {LONGEST_MEASURE:,} "
                "are read; try mending its rhythm"
            )
        total += furthest
    refuse_many(int(total), MOST_QUARTERS, "quarter notes in length")


def _length(element: Element, divisions: Fraction | None, where: str) -> Fraction:
    """How long a note lasts, or how far a cursor moves, in quarters."""
    text = element.findtext("duration")
    if text is None or not text.strip():
        return _ZERO
    if not _NUMBER.fullmatch(text.strip()):
        raise InputError(f"{where}: a duration is {echoed(text)!r}; try mending it")
    duration = Fraction(text.strip())
    if duration < 0:
        raise InputError(f"{where}: a duration is {echoed(text)}, below zero; try mending it")
    if divisions is None:
        raise InputError(
            f"{where}: nothing says how many divisions a quarter note has; try exporting it again"
        )
    return duration / divisions


def _moved_back(now: Fraction, by: Fraction, divisions: Fraction | None, where: str) -> Fraction:
    """The cursor after a ``backup``; programs that round durations may miss by one division."""
    after = now - by
    if after < -1 / (divisions or 1):
        raise InputError(
            f"{where}: a backup goes {-after} quarter notes beyond its start; try exporting it "
            "again"
        )
    return max(after, _ZERO)


def _attributes(element: Element, divisions: Fraction | None, where: str) -> Fraction | None:
    """The divisions from here on; meters, key signatures and staves are looked at, too."""
    for beats in element.iterfind("time/beats"):
        counts = (beats.text or "").split("+")
        if not all(_WHOLE.fullmatch(count.strip()) for count in counts) or not (
            all(int(count) > 0 for count in counts) and sum(map(int, counts)) <= MOST_BEATS
        ):
            raise InputError(
                f"{where}: {echoed(beats.text)!r} is no number of beats for a time signature; "
                f"try one of 1 to {MOST_BEATS}"
            )
    for fifths in element.iterfind("key/fifths"):
        if abs(_whole(fifths.text, "key signature", where)) > _MOST_FIFTHS:
            raise InputError(
                f"{where}: a key signature of {echoed(fifths.text)} fifths is none; try its "
                "enharmonic"
            )
    for staves in element.iterfind("staves"):
        refuse_many(_whole(staves.text, "number of staves", where), MOST_STAVES, "staves in a part")
    text = element.findtext("divisions")
    if text is None:
        return divisions
    if not _NUMBER.fullmatch(text.strip()) or Fraction(text.strip()) <= 0:
        raise InputError(f"{where}: divisions are {echoed(text)!r}; try a number above zero")
    return Fraction(text.strip())


def _look_at(note: Element, where: str) -> None:
    """Refuse a note whose staff, octave or alteration is none."""
    staff, octave = note.findtext("staff"), note.findtext("pitch/octave")
    if staff is not None and not 1 <= _whole(staff, "staff", where) <= MOST_STAVES:
        raise InputError(f"{where}: there is no staff {echoed(staff)}; try exporting it again")
    if octave is not None and abs(_whole(octave, "octave", where)) > _MOST_OCTAVES:
        raise InputError(
            f"{where}: octave {echoed(octave)} is none of MIDI's; try mending its pitch"
        )
    alter = note.findtext("pitch/alter")
    if alter and not _NUMBER.fullmatch(alter.strip()):
        raise InputError(f"{where}: an alteration is {echoed(alter)!r}; try mending its pitch")


def _whole(text: str | None, what: str, where: str) -> int:
    if not _WHOLE.fullmatch((text or "").strip()):
        raise InputError(f"{where}: the {what} is {echoed(text)!r}; try a whole number")
    return int(text or "")
