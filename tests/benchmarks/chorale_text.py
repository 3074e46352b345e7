"""Chorales written out by hand as MusicXML text, for tests of what reads it.

A line is notes and bar lines: ``"B4 C5:2 | D5~ D5:3^"``. A note is a pitch or ``R``, then ``:`` and
its quarters (1 when left out), ``~`` when it is tied to the next note, ``^`` under a fermata.
"""

import re
from fractions import Fraction

DIVISIONS = 4
FIFTHS = {"G major": 1, "D major": 2, "A minor": 0}
NAMES = ("Soprano", "Alto", "Tenor", "Bass")
NOTE = re.compile(r"([A-GR])(##|#|b|)(\d?)(?::([\d/]+))?([~^]*)")


def musicxml(lines, key, meter, names=NAMES):
    """The text of a file with one part a line."""
    listed = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>'
        for i, name in enumerate(names)
    )
    parts = "".join(
        f'<part id="P{i}">{_measures(line, key, meter)}</part>'
        for i, line in enumerate(lines[: len(names)])
    )
    return (
        '<?xml version="1.0"?><score-partwise version="4.0">'
        f"<part-list>{listed}</part-list>{parts}</score-partwise>"
    )


def _measures(line, key, meter):
    top, bottom = meter.split("/")
    attributes = (
        f"<attributes><divisions>{DIVISIONS}</divisions>"
        f"<key><fifths>{FIFTHS[key]}</fifths></key>"
        f"<time><beats>{top}</beats><beat-type>{bottom}</beat-type></time></attributes>"
    )
    tied, written = False, []
    for number, measure in enumerate(line.split("|"), start=1):
        notes = []
        for token in measure.split():
            notes.append(_note(token, tied))
            tied = "~" in token
        head = attributes if number == 1 else ""
        written.append(f'<measure number="{number}">{head}{"".join(notes)}</measure>')
    return "".join(written)


def _note(token, tied):
    letter, accidental, octave, quarters, marks = NOTE.fullmatch(token).groups()
    duration = int(Fraction(quarters or 1) * DIVISIONS)
    if letter == "R":
        return f"<note><rest/><duration>{duration}</duration></note>"
    alter = accidental.count("#") - accidental.count("b")
    ties = ('<tie type="stop"/>' if tied else "") + ('<tie type="start"/>' if "~" in marks else "")
    drawn = ties.replace("<tie ", "<tied ") + ("<fermata/>" if "^" in marks else "")
    return (
        f"<note><pitch><step>{letter}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration>{ties}<notations>{drawn}</notations></note>"
    )
