"""What a MusicXML file of four voices says, read with music21 alone, for `independent`.

Conventions: offsets and durations are quarter lengths from the first downbeat, as exact fractions;
measures and beats count from 1; voices are S, A, T, B, soprano first. Faults are told as reasons
that open with a code (``parts``, ``measures``, ``meter``, ``signature``, ``rests``, ``ties``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import music21 as m21

NAMES = ("Soprano", "Alto", "Tenor", "Bass")
LETTERS = "SATB"


@dataclass(frozen=True)
class Sung:
    """One note as it is sung, its tied parts joined.

    Attributes:
        start: offset.
        end: offset.
        name: spelled pitch class in music21's words, such as ``"F#"`` or ``"B-"``.
        semitone: MIDI number.
        step: diatonic number, one more for each letter upwards.
        fermata: whether one is printed.
    """

    start: Fraction
    end: Fraction
    name: str
    semitone: int
    step: int
    fermata: bool


Line = list[Sung]


def read_lines(
    path: str | Path, key: str, meter: str, measures: int
) -> tuple[list[Line], list[str]]:
    """The four voices of a file, and whatever its layout lacks.

    Args:
        path: MusicXML.
        key: home key, such as ``"G major"``: its signature must stand there.
        meter: such as ``"3/4"``.
        measures: how many full ones there must be.

    Returns:
        Lines, soprano first, without gaps from the first downbeat to the end; and reasons. Where
        there are reasons the lines may be incomplete.
    """
    score = m21.converter.parse(Path(path), format="musicxml", forceSource=True)
    parts = list(score.parts) if isinstance(score, m21.stream.Score) else []
    names = tuple(part.partName for part in parts)
    if names != NAMES:
        return [], [f"parts: found {names}"]
    full = Fraction(*(int(number) for number in meter.split("/"))) * 4
    lines, reasons = [], []
    for letter, part in zip(LETTERS, parts, strict=True):
        line, faults = sung_line(part)
        faults += _layout(part, key, meter, [(i + 1, full * i, full) for i in range(measures)])
        faults += _gaps(line, full * measures)
        reasons += [f"{fault} in {letter}" for fault in faults]
        lines.append(line)
    return lines, reasons


def signature_of(key: str) -> m21.key.Key:
    """``"B- minor"`` or ``"Bb minor"`` as music21 knows it."""
    tonic, mode = key.split()
    return m21.key.Key(tonic[0] + tonic[1:].replace("b", "-"), mode)


def _layout(
    part: m21.stream.Part, key: str, meter: str, measures: list[tuple[int, Fraction, Fraction]]
) -> Iterator[str]:
    """Measures (number, offset, length), meter and key signature."""
    found = [
        (m.number, Fraction(m.offset), Fraction(m.highestTime))
        for m in part.getElementsByClass(m21.stream.Measure)
    ]
    if found != measures:
        odd = next((str(f[0]) for f, m in zip(found, measures, strict=False) if f != m), "none")
        yield f"measures: {len(found)}, not full or misnumbered: {odd}"
    flat = part.flatten()
    meters = {(s.offset, s.ratioString) for s in flat.getElementsByClass(m21.meter.TimeSignature)}
    if meters != {(0, meter)}:
        yield f"meter: found {sorted(meters)}"
    signatures = {(s.offset, s.sharps) for s in flat.getElementsByClass(m21.key.KeySignature)}
    if signatures != {(0, signature_of(key).sharps)}:
        yield f"signature: found {sorted(signatures)}"


def sung_line(part: m21.stream.Part) -> tuple[Line, list[str]]:
    """The notes of a part with their ties joined, and what is no plain note or no sound tie."""
    line: Line = []
    faults: list[str] = []
    tied = False
    for element in part.flatten().notesAndRests:
        at = Fraction(element.offset)
        if not isinstance(element, m21.note.Note) or not element.quarterLength:
            code = "rests" if element.isRest else "parts"
            faults.append(f"{code}: a {type(element).__name__} at offset {at}")
            continue
        note = _sung(element, at)
        kind = element.tie.type if element.tie else ""
        if (kind in ("stop", "continue")) != tied:
            faults.append(f"ties: one that does not join two notes at offset {at}")
        elif tied:
            last = line.pop()
            if (last.end, last.semitone, last.step) != (at, note.semitone, note.step):
                faults.append(f"ties: one between different notes at offset {at}")
            note = replace(note, start=last.start, fermata=note.fermata or last.fermata)
        line.append(note)
        tied = kind in ("start", "continue")
    if tied:
        faults.append("ties: one that leads nowhere at the end")
    return line, faults


def _sung(written: m21.note.Note, at: Fraction) -> Sung:
    fermata = any(isinstance(e, m21.expressions.Fermata) for e in written.expressions)
    pitch = written.pitch
    end = at + Fraction(written.quarterLength)
    return Sung(at, end, written.name, int(pitch.ps), pitch.diatonicNoteNum, fermata)


def _gaps(line: Line, total: Fraction) -> Iterator[str]:
    """Where a voice is silent, or sings two notes at once."""
    ends = [Fraction(0), *(note.end for note in line)]
    starts = [*(note.start for note in line), total]
    for end, start in zip(ends, starts, strict=True):
        if start != end:
            what = "rests: silence" if start > end else "parts: two notes at once"
            yield f"{what} at offset {min(start, end)}"
