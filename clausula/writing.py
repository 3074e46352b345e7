"""Scores written to files: MusicXML (MIDI by `clausula.midi_writing`).

Conventions: equal scores give equal bytes (no dates, no random ids), and a file appears whole or
not at all. MusicXML 4.0 with one staff a part (``layout="open"``) or with two staves of two voices
each (``layout="choir"``).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path
from typing import Literal, get_args

import music21 as m21
from music21.musicxml.m21ToXml import ScoreExporter
from music21.stream.makeNotation import makeBeams, makeTupletBrackets

from clausula.errors import InputError
from clausula.folders import write_bytes
from clausula.grid import Meter
from clausula.midi_writing import to_midi
from clausula.notation import Symbol, accidental_flags, symbols_in
from clausula.pitch import Key, SpelledPitch
from clausula.score import Part, Score

Layout = Literal["open", "choir"]

ABBREVIATIONS = {"Soprano": "S.", "Alto": "A.", "Tenor": "T.", "Bass": "B."}
CLEFS = {
    "treble": m21.clef.TrebleClef,
    "treble8vb": m21.clef.Treble8vbClef,
    "alto": m21.clef.AltoClef,
    "tenor": m21.clef.TenorClef,
    "bass": m21.clef.BassClef,
}
_CHOIR_PROGRAM = 52  # General MIDI "Choir Aahs", from 0
_COMPOSER = "clausula"  # where the score names nobody
_MIDDLE_C_STEP = 28
_DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)


def to_musicxml(score: Score, layout: Layout = "open") -> bytes:
    """MusicXML 4.0 of a score.

    Notes keep their ids; of a note that is written as several tied ones the first keeps it and the
    others add ``-2``, ``-3`` … to it. A fermata stands on the last of them, a lyric on the first.

    Args:
        score: what to write.
        layout: ``"open"`` for a staff a part, ``"choir"`` for four parts on two staves.

    Raises:
        InputError: a score without measures, a value that no symbol, dot or triplet shows, a choir
            layout of other than four parts, an unknown clef or layout.
    """
    staves = [_staff(score, parts, i) for i, parts in enumerate(_parts_by_staff(score, layout), 1)]
    whole = m21.stream.Score([*staves, _bracket(staves)])
    whole.metadata = m21.metadata.Metadata(composer=score.composer or _COMPOSER)
    if score.title:
        whole.metadata.title = score.title
    root = ScoreExporter(whole, makeNotation=False).parse()
    _settle(root, score)
    return document(root)


def document(root: ET.Element) -> bytes:
    """A MusicXML file of a tree, indented."""
    ET.indent(root)
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n',
            _DOCTYPE.encode(),
            ET.tostring(root, encoding="unicode").encode(),
            b"\n",
        )
    )


def write_musicxml(score: Score, path: str | Path, layout: Layout = "open") -> None:
    """Write ``to_musicxml(score, layout)`` to a file."""
    write_bytes(path, to_musicxml(score, layout))


def write_midi(score: Score, path: str | Path, bpm: float = 72) -> None:
    """Write ``to_midi(score, bpm)`` to a file."""
    write_bytes(path, to_midi(score, bpm))


def _parts_by_staff(score: Score, layout: Layout) -> list[tuple[Part, ...]]:
    """The parts of each staff, from the top."""
    if layout not in get_args(Layout):
        raise InputError(f"layout {layout!r} is unknown; try open or choir")
    if not score.parts or not score.length:
        raise InputError("the score has nothing to write: no part or no measure")
    if layout == "open":
        return [(part,) for part in score.parts]
    if len(score.parts) != 4:
        raise InputError(f"the choir layout needs 4 parts, not {len(score.parts)}; try open")
    return [score.parts[:2], score.parts[2:]]


def _staff(score: Score, parts: tuple[Part, ...], number: int) -> m21.stream.Part:
    """One staff with all its measures."""
    names = [part.name for part in parts]
    staff = m21.stream.Part(id=f"P{number}")
    staff.partName = " ".join(names)
    staff.partAbbreviation = " ".join(ABBREVIATIONS.get(name, name) for name in names)
    sound = m21.instrument.Instrument(staff.partName)
    sound.partId, sound.instrumentId = f"P{number}", f"P{number}-I1"
    sound.midiProgram, sound.midiChannel = _CHOIR_PROGRAM, (number - 1) % 9
    staff.insert(0, sound)
    clef = _clef(parts)
    for start, end in pairwise([*score.measure_starts, score.length]):
        measure = _measure(score, parts, start, end)
        if start == 0:
            measure.insert(0, clef)
        if end == score.length:
            measure.rightBarline = m21.bar.Barline("final")
        staff.insert(start, measure)
    makeBeams(staff, inPlace=True)
    for element in staff.recurse().notes:
        if element.stemDirection == "unspecified":
            element.stemDirection = clef.getStemDirectionForPitches(element.pitch)
    return staff


def _clef(parts: tuple[Part, ...]) -> m21.clef.Clef:
    """The clef a staff's parts ask for, else the one their range suits."""
    first = parts[0]
    if len(parts) == 1 and first.clef:
        if first.clef not in CLEFS:
            raise InputError(f"clef {first.clef!r} is unknown; try one of {', '.join(CLEFS)}")
        return CLEFS[first.clef]()
    if len(parts) == 1 and first.name == "Tenor":
        return m21.clef.Treble8vbClef()
    steps = [note.pitch.step for part in parts for note in part.notes]
    is_low = sum(steps) < _MIDDLE_C_STEP * len(steps)
    return m21.clef.BassClef() if is_low else m21.clef.TrebleClef()


def _measure(
    score: Score, parts: tuple[Part, ...], start: Fraction, end: Fraction
) -> m21.stream.Measure:
    """One measure of a staff: signatures where they change, notes and rests."""
    meter = score.meter_at(start)
    measure = m21.stream.Measure(number=score.place(start)[0])
    if start < score.pickup:
        measure.showNumber = m21.stream.enums.ShowNumber.NEVER
        measure.paddingLeft = meter.quarters - (end - start)
    else:
        measure.paddingRight = meter.quarters - (end - start)
    for onset, key in score.keys:
        if start <= onset < end:
            measure.insert(onset - start, _key_signature(key, score.key_given))
    for onset, changed in score.meters:
        if start <= onset < end:
            measure.insert(onset - start, m21.meter.TimeSignature(str(changed)))
    lines = [symbols_in(part, score, start, end) for part in parts]
    accidentals = _printed_accidentals(lines, score)
    for i, symbols in enumerate(lines):
        line = measure if len(parts) == 1 else m21.stream.Voice(id=i + 1)
        for symbol in symbols:
            element = _element(symbol, (i, symbol.onset) in accidentals, meter)
            if line is not measure and isinstance(element, m21.note.Note):
                _lean(element, upwards=i == 0)
            line.insert(symbol.onset - start, element)
        makeTupletBrackets(line, inPlace=True)
        if line is not measure:
            measure.insert(0, line)
    return measure


def _printed_accidentals(lines: list[list[Symbol]], score: Score) -> set[tuple[int, Fraction]]:
    """``(voice, onset)`` of the notes of one measure of a staff that print their accidental."""
    by_time = sorted((s.onset, i, s) for i, line in enumerate(lines) for s in line if s.note)
    flags = accidental_flags([symbol for _, _, symbol in by_time], score)
    return {(i, onset) for (onset, i, _), flag in zip(by_time, flags, strict=True) if flag}


def _key_signature(key: Key, is_known: bool) -> m21.key.KeySignature:
    if not is_known:
        return m21.key.KeySignature(key.fifths)
    return m21.key.Key(key.tonic_name.replace("b", "-"), key.mode.value)


def _element(symbol: Symbol, shows_accidental: bool, meter: Meter) -> m21.note.GeneralNote:
    """The note or rest of one symbol."""
    if symbol.note is None:
        rest = m21.note.Rest()
        if symbol.duration == meter.quarters:
            rest.fullMeasure = True
            rest.duration = m21.duration.Duration(type="whole")
            rest.duration.linked = False
        rest.duration.quarterLength = symbol.duration
        return rest
    written = m21.note.Note(_pitch(symbol.note.pitch, shows_accidental))
    written.duration.quarterLength = symbol.duration
    written.id = symbol.note.id
    if symbol.tied_from or symbol.tied_to:
        kind = {(False, True): "start", (True, True): "continue", (True, False): "stop"}
        written.tie = m21.tie.Tie(kind[symbol.tied_from, symbol.tied_to])
    if symbol.note.fermata and not symbol.tied_to:
        written.expressions.append(_fermata(above=True))
    if symbol.note.text and not symbol.tied_from:
        verses = enumerate(symbol.note.text.split("\n"), start=1)
        written.lyrics = [m21.note.Lyric(text, number, applyRaw=True) for number, text in verses]
    return written


def _fermata(above: bool) -> m21.expressions.Fermata:
    fermata = m21.expressions.Fermata()
    fermata.type = "upright" if above else "inverted"
    return fermata


def _lean(written: m21.note.Note, upwards: bool) -> None:
    """Turn stem and fermata outwards, as two voices on one staff do."""
    written.stemDirection = "up" if upwards else "down"
    written.expressions = [_fermata(above=upwards) for _ in written.expressions]


def _pitch(spelled: SpelledPitch, shows_accidental: bool) -> m21.pitch.Pitch:
    written = m21.pitch.Pitch(f"{spelled.letter}{spelled.octave}")
    if spelled.alter or shows_accidental:
        written.accidental = m21.pitch.Accidental(spelled.alter)
        written.accidental.displayStatus = shows_accidental
    return written


def _bracket(staves: list[m21.stream.Part]) -> m21.layout.StaffGroup:
    """The bracket around a choir, whose bar lines leave room for words between the staves."""
    return m21.layout.StaffGroup(staves, symbol="bracket", barTogether=False)


def _settle(root: ET.Element, score: Score) -> None:
    """Remove what differs between two runs; add what music21 does not write."""
    for encoding in root.iter("encoding"):
        for date in encoding.findall("encoding-date"):
            encoding.remove(date)
        for software in encoding.findall("software"):
            software.text = "clausula"
    for movement in root.findall("movement-title"):
        root.remove(movement)
    before_parts = [child.tag for child in root].index("part-list")
    root.insert(before_parts, _credit("composer", score.composer or _COMPOSER, "right", "bottom"))
    if score.title:
        root.insert(before_parts, _credit("title", score.title, "center", "top"))
    _number_tied(root)


def _number_tied(root: ET.Element) -> None:
    """Give every symbol of a note but the first an id of its own."""
    taken = {note.get("id") for note in root.iter("note")}
    seen: set[str] = set()
    for element in root.iter("note"):
        name = element.get("id")
        if name is None:
            continue
        if name in seen:
            free = next(f"{name}-{i}" for i in count(2) if f"{name}-{i}" not in taken)
            element.set("id", free)
            taken.add(free)
        seen.add(name)


def _credit(kind: str, words: str, justify: str, valign: str) -> ET.Element:
    """Words above the first page."""
    look = {"justify": justify, "halign": justify, "valign": valign}
    credit = ET.Element("credit", page="1")
    ET.SubElement(credit, "credit-type").text = kind
    ET.SubElement(credit, "credit-words", look).text = words
    return credit
