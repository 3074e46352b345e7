"""Staves with chords or several voices, read as one line each.

Of the notes of a staff that sound at once the outer one is kept: the highest, on the lowest staff
the lowest. A kept note sounds until it ends or until one further out begins; a note that is not
further out than one still sounding is left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from music21 import chord, converter, note, stream
from music21.exceptions21 import Music21Exception
from music21.musicxml.xmlToM21 import MusicXMLWarning

from clausula.corpus.passages import OF_SEVERAL
from clausula.errors import InputError
from clausula.reading import read_score
from clausula.score import Score
from clausula.staves import exact, score_of

_TEXTS = (".xml", ".musicxml", ".mxl", ".krn")
# What music21 raises on files that it cannot read.
UNREADABLE = (
    ElementTree.ParseError,
    Music21Exception,
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read_lines(path: Path) -> Score:
    """A file as a score of single lines: as `read_score` has it, or one line a staff.

    A staff is thinned to one line where its chords or voices cannot be read as lines, or where that
    makes a score of four staves one of four parts. Notes that were kept of several at once have the
    text ``OF_SEVERAL``.

    Raises:
        InputError: it is no score, or damaged.
    """
    try:
        score = read_score(path)
    except InputError as error:
        if path.suffix.lower() not in _TEXTS:
            raise
        try:
            thinned = _thinned(path)
        except UNREADABLE:
            raise error from None
        if thinned is None:
            raise
        return thinned
    if len(score.parts) <= 4 or path.suffix.lower() not in _TEXTS:
        return score
    thinned = _thinned(path)
    return thinned if thinned is not None and len(thinned.parts) == 4 else score


def _thinned(path: Path) -> Score | None:
    """One line a staff; None for fewer than four staves."""
    with warnings.catch_warnings():
        # Overfull measures are kept as they are written, as in reading without thinning.
        warnings.simplefilter("ignore", MusicXMLWarning)
        parsed = converter.parse(path, forceSource=True)
    staves = list(parsed.parts) if isinstance(parsed, stream.Score) else []
    if len(staves) < 4:
        return None
    for index, staff in enumerate(staves):
        for measure in staff.getElementsByClass(stream.Measure):
            _thin(measure, lowest=index == len(staves) - 1)
    return score_of(parsed)


def _thin(measure: stream.Measure, lowest: bool) -> None:
    """Leave one line in a measure."""
    layers = [voice for voice in measure.voices if voice.notesAndRests] or [measure]
    if len(layers) == 1 and not any(isinstance(n, chord.Chord) for n in layers[0].notes):
        return
    length = measure.highestTime
    kept = _outer(list(_written(measure)), lowest)
    measure.remove(list(measure.voices) + list(measure.notesAndRests))
    for onset, one in kept:
        measure.insert(onset, one)
    if measure.highestTime < length:
        filler = note.Rest(quarterLength=length - measure.highestTime)
        measure.insert(measure.highestTime, filler)


def _written(measure: stream.Measure) -> Iterable[tuple[Fraction, note.Note]]:
    """Every note of a measure with its onset in it; of a chord each member."""
    for layer in (measure, *measure.voices):
        shift = exact(layer.offset) if isinstance(layer, stream.Voice) else Fraction(0)
        for element in layer.notes:
            if not element.quarterLength or not isinstance(element, note.Note | chord.Chord):
                continue
            onset = shift + exact(element.offset)
            members = element.notes if isinstance(element, chord.Chord) else (element,)
            for member in members:
                one = note.Note(member.pitch, quarterLength=element.quarterLength)
                one.tie = member.tie or element.tie
                one.expressions = list(element.expressions)
                yield onset, one


def _outer(
    written: list[tuple[Fraction, note.Note]], lowest: bool
) -> list[tuple[Fraction, note.Note]]:
    """The outer line of what is written, in order; notes among several say so as their lyric."""
    sign = 1 if lowest else -1
    kept: list[tuple[Fraction, note.Note]] = []
    for onset, one in sorted(written, key=lambda entry: (entry[0], sign * entry[1].pitch.ps)):
        if kept:
            begun, last = kept[-1]
            if onset < begun + exact(last.quarterLength):
                if sign * one.pitch.ps >= sign * last.pitch.ps:
                    last.lyric = OF_SEVERAL
                    continue
                last.quarterLength = onset - begun
                last.tie = None
                last.lyric = one.lyric = OF_SEVERAL
        kept.append((onset, one))
    return kept
