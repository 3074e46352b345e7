"""Examples of rules engraved for a page: small drawings that share their glyphs.

Conventions: of Verovio's drawing there stays what is seen. Glyphs are called by their SMuFL names
(``E0A4``), so that one page needs each of them once; notes at fault are groups of class ``fault``.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from fractions import Fraction

from clausula.checker.examples import notes_at_fault
from clausula.constraints.example import Example
from clausula.constraints.example_score import score_of_example, voice_letters
from clausula.constraints.rule import Rule
from clausula.constraints.rulesets import RuleSet
from clausula.engraving import to_svg_line
from clausula.score import Note, Part, Score
from clausula.writing import Layout

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_CHOIR = 4  # voices that share two staves
_UNSEEN = ("placeholder", "systemMilestone", "pageMilestone", "pgHead")
_DRAWN = (  # attributes that are seen, or place what is seen
    *("d", "transform", "points", "x", "y", "width", "height", "cx", "cy", "rx", "ry"),
    *("stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
    *("text-anchor", "font-size", "font-family"),
)


@dataclass(frozen=True)
class Drawing:
    """An engraved example.

    Attributes:
        svg: an SVG element without the glyphs that it uses.
        glyphs: the element of each of them, by name.
    """

    svg: str
    glyphs: dict[str, str]


def engrave(rule: Rule, example: Example, ruleset: RuleSet) -> Drawing:
    """An example in notation, its notes at fault marked, numerals or figures below the bass."""
    score = _as_drawn(example)
    layout: Layout = "choir" if len(score.parts) == _CHOIR else "open"
    faults = notes_at_fault(rule, example, ruleset)
    return _trimmed(to_svg_line(score, layout), faults)


def _as_drawn(example: Example) -> Score:
    """The score of an example with what is asked written in, in clefs that suit its lines."""
    score = score_of_example(example)
    *upper, bass = score.parts
    parts = [*upper, replace(bass, notes=_with_words(bass, _words(example)))]
    names = ["Cantus" if letter == example.cantus else "" for letter in voice_letters(example)]
    # The clefs of a choir would put most counterpoint on ledger lines.
    drawn = [replace(part, name=name, clef="") for name, part in zip(names, parts, strict=True)]
    return replace(score, parts=tuple(drawn))


def _words(example: Example) -> dict[Fraction, str]:
    """What stands under the bass, by onset in quarters."""
    now, words = Fraction(0), {}
    for text in example.numerals:
        name, _, length = text.partition(":")
        words[now] = name
        now += Fraction(length or 1)
    return words or {Fraction(i): text for i, text in enumerate(example.figures) if text}


def _with_words(part: Part, words: dict[Fraction, str]) -> tuple[Note, ...]:
    return tuple(replace(note, text=words.get(note.onset, note.text)) for note in part.notes)


def _trimmed(svg: str, faults: set[str]) -> Drawing:
    """A drawing of Verovio's without ids, hidden groups, styles and spaces."""
    root = ET.fromstring(svg)
    defined = root.find(f"{_SVG}defs")
    glyphs = {} if defined is None else dict(map(_glyph, defined))
    scaled = root.find(f"{_SVG}svg")
    assert scaled is not None, "Verovio draws within a scaled element"
    _, _, width, height = root.attrib["viewBox"].split()
    drawn = ET.Element("svg", width=width, height=height, viewBox=scaled.attrib["viewBox"])
    drawn.extend(_seen(scaled, faults))
    return Drawing(_text(drawn), glyphs)


def _glyph(defined: ET.Element) -> tuple[str, str]:
    """The SMuFL name of a glyph, and its element under that name."""
    name = defined.attrib["id"].partition("-")[0]
    inner = "".join(map(_text, _seen(defined, set())))
    return name, f'<g id="{name}">{inner}</g>'


def _seen(parent: ET.Element, faults: set[str]) -> list[ET.Element]:
    """What is drawn below an element, groups that say nothing taken apart."""
    found: list[ET.Element] = []
    for child in parent:
        kind = child.get("class", "")
        if any(word in kind for word in _UNSEEN):
            continue
        kept = ET.Element(child.tag.removeprefix(_SVG))
        kept.attrib.update(_attributes(child))
        kept.text = (child.text or "").strip() or None
        kept.extend(_seen(child, faults))
        if kept.tag == "g":
            if _is_at_fault(child, faults):
                kept.set("class", "fault")
            elif not kept.attrib:
                found += list(kept)
                continue
            if not len(kept):
                continue
        if found and _continues(found[-1], kept):
            found[-1].set("d", f"{found[-1].get('d')}{kept.get('d')}")
        else:
            found.append(kept)
    return found


def _is_at_fault(group: ET.Element, faults: set[str]) -> bool:
    """Whether a group draws a note at fault, or one of those that it is tied to."""
    return group.get("class") == "note" and re.sub(r"-\d+$", "", group.get("id", "")) in faults


def _continues(last: ET.Element, path: ET.Element) -> bool:
    """Whether two paths are drawn alike, such as the lines of a staff, so that one can be both."""
    one, other = ({k: v for k, v in each.attrib.items() if k != "d"} for each in (last, path))
    return last.tag == path.tag == "path" and one == other


def _attributes(element: ET.Element) -> dict[str, str]:
    kept = {name: value for name, value in element.attrib.items() if name in _DRAWN}
    if element.tag == f"{_SVG}g":
        # A group that is moved or turned keeps only that.
        kept = {name: value for name, value in kept.items() if name == "transform"}
    if _HREF in element.attrib:
        kept["href"] = element.attrib[_HREF].partition("-")[0]
    for name in ("d", "transform", "points"):
        if name in kept:
            kept[name] = re.sub(r"\s*([A-Za-z(),])\s*|(?<=\d) (?=-)", r"\1", kept[name])
    return kept


def _text(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode")
