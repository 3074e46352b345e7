"""MusicXML in four parts, with whatever is written beside the bass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from clausula.reading import read_score
from clausula.score import Score

# I V6 I ii6 | I64 V vi IV | I64 V7 I
CHORDS = (
    "C5 G4 E4 C3", "B4 G4 D4 B2", "C5 G4 E4 C3", "A4 F4 D4 F3",
    "G4 E4 C4 G3", "G4 D4 B3 G3", "C5 E4 C4 A3", "C5 F4 C4 F3",
    "G4 E4 C4 G3", "F4 D4 B3 G3", "E4 C4 G3 C3",
)  # fmt: skip
_NAMES = ("Soprano", "Alto", "Tenor", "Bass")
_ALTER = {"": 0, "#": 1, "b": -1}


def figured(*figures: str) -> str:
    """A ``figured-bass`` of figures such as ``"#6"``; a sign alone is one, too."""
    signs = {"#": "sharp", "b": "flat", "n": "natural"}
    rows = []
    for text in figures:
        sign, number = re.fullmatch(r"([#bn]?)(.*)", text).groups()
        rows.append("<figure>" + (f"<prefix>{signs[sign]}</prefix>" if sign else ""))
        rows.append((f"<figure-number>{number}</figure-number>" if number else "") + "</figure>")
    return f"<figured-bass>{''.join(rows)}</figured-bass>"


def function(text: str) -> str:
    """A ``harmony`` that names a function."""
    return f"<harmony><function>{text}</function><kind>none</kind></harmony>"


def words(text: str) -> str:
    """A direction in words."""
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


def labelled(
    folder: Path,
    *verses: str,
    before: Sequence[str] = (),
    chords: Sequence[str] = CHORDS,
    part: int = 3,
) -> Score:
    """A score of quarters, read from a file.

    Args:
        folder: to write it in.
        verses: syllables between spaces, ``_`` for none and ``~`` for a space, under one part.
        before: MusicXML before each of the bass notes.
        chords: pitches, soprano first.
        part: that has the verses.
    """
    names = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>'
        for i, name in enumerate(_NAMES)
    )
    rows = [verse.split() for verse in verses]
    parts = []
    for voice in range(4):
        measures = []
        for start in range(0, len(chords), 4):
            notes = []
            for index in range(start, min(start + 4, len(chords))):
                notes.append(before[index] if voice == 3 and index < len(before) else "")
                sung = [row[index] if index < len(row) else "_" for row in rows]
                notes.append(_note(chords[index].split()[voice], sung if voice == part else []))
            measures.append(f'<measure number="{start // 4 + 1}">{_HEAD * (start == 0)}')
            measures.append("".join(notes) + "</measure>")
        parts.append(f'<part id="P{voice}">{"".join(measures)}</part>')
    text = f"<part-list>{names}</part-list>{''.join(parts)}"
    path = folder / "labelled.musicxml"
    path.write_text(f'<score-partwise version="4.0">{text}</score-partwise>', encoding="utf-8")
    return read_score(path)


_HEAD = (
    "<attributes><divisions>1</divisions><key><fifths>0</fifths></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def _note(name: str, sung: Sequence[str]) -> str:
    letter, sign, octave = re.fullmatch(r"([A-G])([#b]?)(\d)", name).groups()
    pitch = f"<step>{letter}</step><alter>{_ALTER[sign]}</alter><octave>{octave}</octave>"
    lyrics = "".join(
        f'<lyric number="{number}"><text>{text.replace("~", " ")}</text></lyric>'
        for number, text in enumerate(sung, start=1)
        if text != "_"
    )
    return f"<note><pitch>{pitch}</pitch><duration>1</duration><voice>1</voice>{lyrics}</note>"
