"""Scores written to files: MusicXML and MIDI.

Conventions: equal scores give equal bytes (no dates, no random ids), and a file appears whole or
not at all. MusicXML 4.0 with one staff a part (``layout="open"``) or with two staves of two voices
each (``layout="choir"``).
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections import Counter
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import mido
import music21 as m21
from music21.musicxml.m21ToXml import ScoreExporter
from music21.stream.makeNotation import makeBeams, makeTupletBrackets

from clausula.errors import InputError
from clausula.grid import Meter
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
_MIDDLE_C_STEP = 28
_TICKS = 480  # a quarter note in MIDI files
_REPEAT_GAP = 12  # ticks of silence before a repeated note, so that it is heard anew
_VELOCITY = 80
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
        InputError: a score without measures, a note value no symbol can show, a choir layout of
            other than four parts, or an unknown layout.
    """
    staves = [_staff(score, parts, i) for i, parts in enumerate(_parts_by_staff(score, layout), 1)]
    whole = m21.stream.Score([*staves, _bracket(staves)])
    whole.metadata = m21.metadata.Metadata(title=score.title, composer=score.composer or "clausula")
    root = ScoreExporter(whole, makeNotation=False).parse()
    _settle(root)
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


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file as a whole: under a temporary name beside it, then renamed.

    Raises:
        InputError: the folder does not exist or cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}; try a folder that exists"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


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
    lines = [symbols_in(part, start, end, meter) for part in parts]
    accidentals = _printed_accidentals(lines, score)
    for i, symbols in enumerate(lines):
        line = measure if len(parts) == 1 else m21.stream.Voice(id=i + 1)
        for symbol in symbols:
            element = _element(symbol, (i, symbol.onset) in accidentals, meter)
            if line is not measure and symbol.note:
                element.stemDirection = "up" if i == 0 else "down"
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
    if symbol.duration.denominator > 1 and written.duration.type == "complex":
        raise InputError(
            f"{symbol.note.pitch.name} at quarter {symbol.note.onset} lasts {symbol.note.duration} "
            "quarters, which no note symbol shows; try binary values or triplets"
        )
    written.id = symbol.note.id
    if symbol.tied_from or symbol.tied_to:
        kind = {(False, True): "start", (True, True): "continue", (True, False): "stop"}
        written.tie = m21.tie.Tie(kind[symbol.tied_from, symbol.tied_to])
    if symbol.note.fermata and not symbol.tied_to:
        written.expressions.append(m21.expressions.Fermata())
    if symbol.note.text and not symbol.tied_from:
        written.lyrics = [m21.note.Lyric(symbol.note.text, applyRaw=True)]
    return written


def _pitch(spelled: SpelledPitch, shows_accidental: bool) -> m21.pitch.Pitch:
    written = m21.pitch.Pitch(step=spelled.letter, octave=spelled.octave)
    if spelled.alter or shows_accidental:
        written.accidental = m21.pitch.Accidental(spelled.alter)
        written.accidental.displayStatus = shows_accidental
    return written


def _bracket(staves: list[m21.stream.Part]) -> m21.layout.StaffGroup:
    """The bracket around a choir, whose bar lines leave room for words between the staves."""
    return m21.layout.StaffGroup(staves, symbol="bracket", barTogether=False)


def _settle(root: ET.Element) -> None:
    """Remove what differs between two runs and what music21 does not say itself."""
    encoding = root.find("identification/encoding")
    encoding.remove(encoding.find("encoding-date"))
    seen: Counter[str] = Counter()
    for element in root.iter("note"):
        name = element.get("id")
        if name is not None:
            seen[name] += 1
            if seen[name] > 1:
                element.set("id", f"{name}-{seen[name]}")
