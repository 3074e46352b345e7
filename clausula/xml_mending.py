"""What music21 would misread or choke on in MusicXML, put right in the tree beforehand."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from clausula.xml_times import timed_parts
from clausula.xml_voices import settle_voices


def mend(root: Element) -> None:
    """Make a partwise score's tree one that music21 reads as it is meant.

    Voices are settled (`xml_voices`), grace notes dropped, measures counted from 1 whatever they
    are called (a score counts its own), and transpositions told in letters, too.

    Args:
        root: changed in place.

    Raises:
        InputError: the tree means nothing, or is more than can be read.
    """
    for part, notes in zip(root.findall("part"), timed_parts(root), strict=True):
        for number, measure in enumerate(part.iterfind("measure"), start=1):
            measure.set("number", str(number))
            measure[:] = [each for each in measure if each.find("grace") is None]
        for transposition in part.iter("transpose"):
            _tell_letters(transposition)
        settle_voices(part, notes)


def _tell_letters(transposition: Element) -> None:
    """Write the letters that an instrument sounds from what is written, where only semitones are.

    They may be left out in MusicXML (4.0, ``transpose``), but music21 adds to them.
    """
    if transposition.find("diatonic") is None:
        semitones = float(transposition.findtext("chromatic", "0"))
        SubElement(transposition, "diatonic").text = str(round(semitones * 7 / 12))
