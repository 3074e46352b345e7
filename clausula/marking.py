"""Marked scores: what the checker found, drawn into the music.

Conventions: notes at fault have the colour of the gravest fault that names them, by the palette of
Okabe and Ito, which colour-blind readers can tell apart; and since colour must not be needed, the
number of the slip stands beside them. Slips are numbered as in ``Finding.group``.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from clausula.checker.page import COLOURS, page_of
from clausula.checker.report import Finding, Report
from clausula.constraints.registry import RULES
from clausula.engraving import engrave, titled
from clausula.errors import InputError
from clausula.pitch import Key, Mode
from clausula.score import Note, Score
from clausula.writing import document, to_musicxml

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_WORDS_SIZE = "9"  # points of the words in a MusicXML file
_NUMBER_SIZE = 330  # of the numbers beside notes, in Verovio's units: a staff space is 180
_BESIDE = (300, -110)  # from the left end of a notehead to the number, in the same units
_HALO = 90  # width of the white edge that keeps numbers readable on lines


def to_marked_musicxml(report: Report) -> bytes:
    """MusicXML 4.0 of the score that was checked: notes at fault coloured, faults in words above.

    The root of a slip is written out, ``1 M01 Parallel fifths``; where its consequences stand there
    are their number and code; where other voices take part, the number alone. Notes keep their ids.

    Raises:
        InputError: the report has no score, or one that cannot be written.
    """
    score = _score_of(report)
    root = _parsed(score)
    _colour(root, score, report)
    _write_words(root, _words_above(score, report))
    return document(root)


def to_marked_svg(report: Report) -> list[str]:
    """The pages of the engraved score, as ``clausula.engraving.to_svg``.

    Notes at fault are coloured and numbered, and their groups have an attribute ``data-findings``:
    places in ``report.findings``, separated by blanks. Chords and cadences stand below the lowest
    staff.

    Raises:
        InputError: the report has no score, or one that cannot be engraved.
    """
    score = _score_of(report)
    root = _parsed(score)
    _colour(root, score, report)
    _write_chords(root, score, report)
    pages = engrave(document(root).decode(), _aligned)
    marks = _marks(report)
    return [_numbered(page, marks, _heads(root, score)) for page in pages]


def to_html(report: Report) -> str:
    """A page that needs nothing else: the marked score, every finding, chords and cadences.

    Raises:
        InputError: the report has no score, or one that cannot be engraved.
    """
    return page_of(report, to_marked_svg(report))


@dataclass(frozen=True)
class _Mark:
    """What is wrong with a note.

    Attributes:
        colour: of the gravest fault.
        slips: their numbers, in order.
        findings: places in the report's findings.
    """

    colour: str
    slips: tuple[int, ...]
    findings: tuple[int, ...]


def _marks(report: Report) -> dict[str, _Mark]:
    """The marks of the notes at fault, by id."""
    named: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(report.findings):
        if each.group is not None:
            for name in each.note_ids:
                named[name].append(index)
    return {
        name: _Mark(
            COLOURS[max(report.findings[index].severity for index in indices)],
            tuple(sorted({report.findings[index].group or 0 for index in indices})),
            tuple(indices),
        )
        for name, indices in named.items()
    }


def _score_of(report: Report) -> Score:
    if report.score is None:
        raise InputError("the report has no score to mark; try check on a file or a Score")
    return report.score


def _parsed(score: Score) -> ET.Element:
    return ET.fromstring(to_musicxml(score))


def _symbols(root: ET.Element, score: Score) -> Iterator[tuple[ET.Element, ET.Element, str]]:
    """Measure, element and the score's note id of every written note, tied ones included."""
    for part, element in zip(score.parts, root.findall("part"), strict=True):
        names, current = {note.id for note in part.notes}, ""
        for measure in element.findall("measure"):
            for written in measure.findall("note"):
                if written.find("rest") is None:
                    # What continues a tied note has an id of its own.
                    current = name if (name := written.get("id", "")) in names else current
                    yield measure, written, current


def _heads(root: ET.Element, score: Score) -> dict[str, str]:
    """The score's note id by the id of every written note, tied ones included."""
    return {written.get("id", ""): name for _, written, name in _symbols(root, score)}


def _colour(root: ET.Element, score: Score, report: Report) -> None:
    marks = _marks(report)
    for _, written, name in _symbols(root, score):
        if name in marks:
            written.set("color", marks[name].colour)


def _words_above(score: Score, report: Report) -> dict[str, str]:
    """What to write above which note, by its id."""
    notes = {note.id: note for part in score.parts for note in part.notes}
    codes: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for root, consequences in report.tree:
        if root.group is None:
            continue
        for each in (root, *consequences):
            name = f" {RULES[each.code].name}" if each is root else ""
            for index, note in enumerate(_notes_there(each, notes, score)):
                found = codes[note][root.group]
                if index == 0 and each.code + name not in found:
                    found.append(each.code + name)
    return {
        note: "; ".join(f"{slip} {', '.join(texts)}".strip() for slip, texts in slips.items())
        for note, slips in codes.items()
    }


def _notes_there(each: Finding, notes: Mapping[str, Note], score: Score) -> Sequence[str]:
    """Ids of the notes at fault that are struck where a finding stands, else of the last."""
    place = each.measure, each.beat
    there = [name for name in each.note_ids if score.place(notes[name].onset) == place]
    return there or each.note_ids[-1:]


def _write_words(root: ET.Element, words: Mapping[str, str]) -> None:
    for measure in root.iter("measure"):
        for written in measure.findall("note"):
            text = words.get(written.get("id", ""))
            if text is not None:
                measure.insert(list(measure).index(written), _direction(text, "above"))


def _direction(text: str, placement: str, offset: int | None = None) -> ET.Element:
    """Words above or below a staff, ``offset`` divisions from where they stand in the file."""
    direction = ET.Element("direction", placement=placement)
    look = {"font-style": "normal", "font-size": _WORDS_SIZE}
    words = ET.SubElement(ET.SubElement(direction, "direction-type"), "words", look)
    words.text = text
    if offset:
        ET.SubElement(direction, "offset").text = str(offset)
    return direction


def _write_chords(root: ET.Element, score: Score, report: Report) -> None:
    """Chords below the lowest staff, with the key where it changes and cadences in brackets."""
    lowest = root.findall("part")[-1]
    divisions = int(lowest.findtext(".//divisions", "1"))
    starts = (*score.measure_starts, score.length)
    for measure, (start, end) in zip(lowest.findall("measure"), pairwise(starts), strict=True):
        first = next(i for i, each in enumerate(measure) if each.tag != "attributes")
        below = [(at, text) for at, text in _below(score, report) if start <= at < end]
        for at, text in reversed(below):
            measure.insert(first, _direction(text, "below", int((at - start) * divisions)))


def _aligned(mei: str) -> str:
    """MEI whose words below the staves are chords, which stand on a line and never overlap."""
    return re.sub(
        r'<dir ([^>]*place="below".*?)</dir>', r"<harm \1</harm>", titled(mei), flags=re.S
    )


def _below(score: Score, report: Report) -> list[tuple[Fraction, str]]:
    """Onset in quarters and words of what stands below the staves."""
    onsets = {
        score.place(moment): moment
        for part in score.parts
        for note in part.notes
        for moment in (note.onset, note.end)
    }
    closes = {(each.measure, each.beat): f" [{each.kind.value}]" for each in report.cadences}
    found, key = [], None
    for chord in report.chords:
        place = chord.measure, chord.beat
        told = "" if chord.key == key else f"{_short(chord.key)}: "
        found.append((onsets[place], told + chord.numeral + closes.get(place, "")))
        key = chord.key
    return found


def _short(key: Key) -> str:
    """A key as analysts write it: small letters for minor."""
    return key.tonic_name if key.mode is Mode.MAJOR else key.tonic_name.lower()


def _numbered(page: str, marks: Mapping[str, _Mark], heads: Mapping[str, str]) -> str:
    """A page of SVG with the numbers of slips beside the notes at fault."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(page)
    for margin in root.iter(f"{{{_SVG}}}g"):
        if margin.get("class") == "page-margin":
            for group in list(margin.iter(f"{{{_SVG}}}g")):
                mark = marks.get(heads.get(group.get("id", ""), ""))
                if mark is not None and group.get("class") == "note":
                    group.set("data-findings", " ".join(map(str, mark.findings)))
                    if group.get("id") in marks:  # tied symbols repeat no number
                        margin.extend(_number(group, mark))  # last, so that nothing hides them
    return ET.tostring(root, encoding="unicode")


def _number(group: ET.Element, mark: _Mark) -> Iterator[ET.Element]:
    """The numbers of its slips beside the head of a note."""
    for head in group.findall(f"{{{_SVG}}}g[@class='notehead']/{{{_SVG}}}use")[:1]:
        x, y = map(int, re.findall(r"-?\d+", head.get("transform", ""))[:2])
        look = {
            "x": str(x + _BESIDE[0]),
            "y": str(y + _BESIDE[1]),
            "fill": mark.colour,
            "font-size": f"{_NUMBER_SIZE}px",
            "font-weight": "bold",
            "stroke": "white",
            "stroke-width": str(_HALO),
            "paint-order": "stroke",
        }
        text = ET.Element(f"{{{_SVG}}}text", look)
        text.text = ",".join(map(str, mark.slips))
        yield text
