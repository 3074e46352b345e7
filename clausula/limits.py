"""How large a file may be: beyond these sizes reading is refused in words, so memory is bounded.

Within them, 10,000 measures of four voices in quarter notes, reading takes less than 1 GB and the
analysis some 40 kB for each of at most 50,000 slices.
"""

from __future__ import annotations

from clausula.errors import InputError
from clausula.score import Score

LARGEST_XML = 64_000_000
"""Bytes of a MusicXML file, or of what a zipped one unpacks to."""

LARGEST_TEXT = 2_000_000
"""Bytes of a MIDI, kern or ABC file, which hold more music in less space."""

# music21 takes time that grows with the square of a kern file's lines and an ABC tune's bars.
MOST_KERN_LINES = 5_000
"""Lines of a kern file that are no comments."""

MOST_KERN_TOKENS = 40_000
"""Of all spines together."""

MOST_ABC_BARS = 1_000
"""Bar lines of a tune, over all voices."""

MOST_ABC_LETTERS = 20_000
"""Of a tune."""

MOST_TAGS = 4_000_000
"""Tags in a MusicXML file."""

MOST_NOTES = 200_000
"""Notes and rests in a file."""

MOST_QUARTERS = 100_000
"""Length of a piece in quarter notes."""

MOST_SLICES = 50_000
"""Moments at which a note starts or stops, in a piece that is analysed."""

LONGEST_MEASURE = 1_000
"""Length of a written measure in quarter notes."""

MOST_BEATS = 255
"""Numerator of a time signature; MIDI files, too, give it one byte."""

MOST_PARTS = 100
MOST_STAVES = 16

_ECHO = 40  # letters of a file's own words that a message repeats
_NAME = 80  # letters of a part's name that are kept


def refuse_large(data: bytes, most: int, kind: str) -> None:
    """Refuse a file of more bytes than its format may have.

    Raises:
        InputError: it is too large.
    """
    if len(data) > most:
        raise InputError(
            f"it is too large: {kind} of at most {most / 1e6:g} MB is read; try a part of the piece"
        )


def refuse_long(score: Score) -> None:
    """Refuse a piece that is too long to be judged.

    Raises:
        InputError: it has too many notes or quarters.
    """
    notes = sum(len(part.notes) for part in score.parts)
    refuse_many(notes, MOST_NOTES, "notes")
    refuse_many(int(score.length), MOST_QUARTERS, "quarter notes in length")


def refuse_many(number: int, most: int, what: str) -> None:
    """Refuse more of something than can be read.

    Raises:
        InputError: ``number`` is above ``most``.
    """
    if number > most:
        raise InputError(f"it has {number:,} {what}, where {most:,} are read; try a part of it")


def echoed(text: str | None, most: int = _ECHO) -> str:
    """A file's own words as a message may repeat them: on one line, printable, not long."""
    line = _printable(text or "")
    return line if len(line) <= most else f"{line[:most]}…"


def tidy_name(name: str) -> str:
    """A part's name on one line, without what cannot be printed, at most 80 letters long."""
    return _printable(name)[:_NAME].strip()


def _printable(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
