"""What is written beside the notes of a file: lyrics, Roman numerals, figured bass and words.

Nothing is judged here, nor is it decided whether a lyric is a numeral: every text is kept with its
place. music21 reads neither figured bass nor numerals, so MusicXML's tree and kern's lines are read
directly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from xml.etree.ElementTree import Element

from clausula.score import Label, LabelKind

Placed = tuple[int, Label]  # measure as written, from 0, and a label whose onset counts from there

_ACCIDENTALS = {
    "sharp": "#", "flat": "b", "natural": "n", "double-sharp": "##", "sharp-sharp": "##",
    "flat-flat": "bb", "double-flat": "bb", "plus": "+", "slash": "+", "back-slash": "+",
    "vertical": "+",
}  # fmt: skip
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
# Whether the numeral is small, its mark, and its figures in root position, by MusicXML's kinds.
_KINDS = {
    "major": (False, "", ""), "minor": (True, "", ""), "diminished": (True, "o", ""),
    "augmented": (False, "+", ""), "dominant": (False, "", "7"),
    "major-seventh": (False, "M", "7"), "minor-seventh": (True, "", "7"),
    "diminished-seventh": (True, "o", "7"), "half-diminished": (True, "ø", "7"),
    "augmented-seventh": (False, "+", "7"), "major-minor": (True, "M", "7"),
}  # fmt: skip
_INVERTED = {"": ("", "6", "64"), "7": ("7", "65", "43", "42")}


def labels_of_musicxml(root: Element) -> list[Placed]:
    """Every lyric, numeral, figure and word of a partwise score."""
    found: list[Placed] = []
    parts = root.findall("part")
    counts = [max([int(s.text or 1) for s in part.iter("staves")], default=1) for part in parts]
    for index, part in enumerate(parts):
        above = sum(counts[:index]) - sum(counts)  # staff 1 of this part, from the bottom
        divisions = Fraction(1)
        for number, measure in enumerate(part.findall("measure")):
            divisions = _add_measure(found, number, measure, divisions, above)
    return found


def _add_measure(
    found: list[Placed], number: int, measure: Element, divisions: Fraction, above: int
) -> Fraction:
    """Add the labels of one measure, and return the divisions of a quarter after it."""
    now = onset = waiting = Fraction(0)
    stack: list[str] = []
    for element in measure:
        divisions = Fraction(element.findtext("divisions", str(divisions)))
        duration = Fraction(element.findtext("duration", "0")) / divisions
        staff = above + int(element.findtext("staff", "1")) - 1
        place = now + Fraction(element.findtext("offset", "0")) / divisions
        if element.tag == "backup":
            now -= duration
        elif element.tag == "forward":
            now += duration
        elif element.tag == "note" and element.find("grace") is None:
            onset = onset if element.find("chord") is not None else now
            now, waiting = onset + duration, Fraction(0)
            found += [(number, label) for label in _lyrics(element, onset, staff)]
        elif element.tag == "figured-bass":
            stack = _stack(element, stack)
            if stack:
                text = " ".join(stack)
                found.append((number, Label(now + waiting, text, LabelKind.FIGURES, staff)))
            waiting += duration
        elif element.tag == "harmony":
            text = _numeral(element)
            if text:
                found.append((number, Label(place, text, LabelKind.NUMERAL, staff)))
        elif element.tag == "direction":
            text = " ".join((w.text or "").strip() for w in element.iter("words")).strip()
            if text:
                found.append((number, Label(place, text, LabelKind.WORDS, staff)))
    return divisions


def _lyrics(note: Element, onset: Fraction, staff: int) -> Iterator[Label]:
    for lyric in note.findall("lyric"):
        text = "".join(
            (piece.text or "") if piece.tag == "text" else " "
            for piece in lyric
            if piece.tag in ("text", "elision")
        ).strip()
        if text:
            verse = f"{note.findtext('voice', '1')}.{lyric.get('number', '1')}"
            yield Label(onset, text, LabelKind.LYRIC, staff, verse)


def _stack(element: Element, before: Sequence[str]) -> list[str]:
    """The figures of one ``figured-bass``; an extended one is that of the stack before."""
    found = []
    for row, figure in enumerate(element.findall("figure")):
        signs = [_ACCIDENTALS.get(figure.findtext(tag, ""), "") for tag in ("prefix", "suffix")]
        text = signs[0] + figure.findtext("figure-number", "").strip() + signs[1]
        if not text and figure.find("extend") is not None and row < len(before):
            text = before[row]
        if text:
            found.append(text)
    return found


def _numeral(harmony: Element) -> str:
    """The Roman numeral of a ``harmony``; empty where it names a chord otherwise."""
    function = harmony.findtext("function", "").strip()
    numeral = harmony.find("numeral")
    if function or numeral is None:
        return function
    root = numeral.find("numeral-root")
    shown = "" if root is None else root.get("text", "").strip()
    number = (numeral.findtext("numeral-root") or "").strip()
    if shown or number not in "1234567" or not number:
        return shown or number
    kind = harmony.findtext("kind", "major").strip()
    small, mark, figures = _KINDS.get(kind, (False, "", ""))
    name = _ROMAN[int(number) - 1]
    alter = int(Fraction(numeral.findtext("numeral-alter", "0")))
    inversions = _INVERTED[figures]
    inversion = min(int(harmony.findtext("inversion", "0")), len(inversions) - 1)
    text = ("#" * alter or "b" * -alter) + (name.lower() if small else name) + mark
    return _key_prefix(numeral) + text + inversions[inversion]


def _key_prefix(numeral: Element) -> str:
    """``"G: "``, where a numeral names its key by fifths and mode."""
    key = numeral.find("numeral-key")
    if key is None:
        return ""
    minor = "minor" in key.findtext("numeral-mode", "")
    place = int(key.findtext("numeral-fifths", "0")) + (3 if minor else 0) + 1
    letter = "FCGDAEB"[place % 7]
    name = letter + ("#" * (place // 7) or "b" * -(place // 7))
    return f"{name[0].lower() + name[1:] if minor else name}: "


@dataclass
class _Spine:
    """A column of a kern file: what it holds, how long its note still lasts, its name and key."""

    kind: str
    staff: int
    left: Fraction = Fraction(0)
    verse: str = ""
    key: str = ""


_TIMED = ("**kern", "**recip")
_HELD = {
    "**fb": LabelKind.FIGURES, "**fba": LabelKind.FIGURES, "**harm": LabelKind.NUMERAL,
    "**rhrm": LabelKind.NUMERAL, "**text": LabelKind.LYRIC, "**silbe": LabelKind.LYRIC,
}  # fmt: skip
_RECIP = re.compile(r"(\d+)(?:%(\d+))?(\.*)")
_KEY_OF_SPINE = re.compile(r"\*([A-Ga-g][#-]*):")
# Kern's numerals write the inversion as a letter.
_HARM = re.compile(r"([\d.]*)([-#]*)([IViv]+|N|Gn|Lt|Fr)([o+D]?)(7?)([a-d]?)(/.*)?")


def labels_of_kern(text: str) -> list[Placed]:
    """Every figure, numeral and syllable that stands in a spine of its own."""
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("!")]
    spines: list[_Spine] = []
    found: list[Placed] = []
    now = Fraction(0)
    for index, row in enumerate(rows):
        if row[0].startswith("**"):
            spines = _begun(row)
        elif row[0].startswith("*"):
            spines = _after(row, spines)
        elif not row[0].startswith("="):
            for token, spine in zip(row, spines, strict=False):
                if spine.kind in _TIMED and token != ".":
                    spine.left = _quarters(token)
                elif spine.kind in _HELD and token.strip("._ "):  # dots and lines only go on
                    label = Label(now, token, _HELD[spine.kind], spine.staff, spine.verse)
                    found.append((0, _told(label, spine)))
            now += _step(rows[index + 1 :], spines)
    return found


def _begun(row: Sequence[str]) -> list[_Spine]:
    """The spines that a file begins with, the lowest part being the leftmost."""
    parts = 0
    spines = []
    for column, kind in enumerate(row):
        parts += kind == "**kern"
        spines.append(_Spine(kind, -max(parts, 1), verse=str(column)))
    return spines


def _after(row: Sequence[str], spines: Sequence[_Spine]) -> list[_Spine]:
    """The spines after a row of interpretations: some split, join, end or change their key."""
    found: list[_Spine] = []
    columns = list(zip(row, spines, strict=False))
    for token, group in groupby(columns, key=lambda column: column[0]):
        members = [spine for _, spine in group]
        if token == "*v":
            found.append(members[0])
        elif token == "*x":
            found += members[::-1]
        elif token == "*^":
            found += [each for spine in members for each in (spine, replace(spine))]
        elif token != "*-":
            named = _KEY_OF_SPINE.fullmatch(token)
            for spine in members:
                spine.key = f"{named[1].replace('-', 'b')}: " if named else spine.key
            found += members
    return found


def _step(following: Sequence[Sequence[str]], spines: Sequence[_Spine]) -> Fraction:
    """How long a row lasts: to the end of the next note, which rows without notes share."""
    running = [spine for spine in spines if spine.kind in _TIMED and spine.left]
    if not running:
        return Fraction(0)
    alone = 1
    for row in following:
        timed = [t for t, s in zip(row, spines, strict=False) if s.kind in _TIMED]
        if row[0].startswith(("=", "*")) or any(token != "." for token in timed):
            break
        alone += 1
    step = min(spine.left for spine in running) / alone
    for spine in running:
        spine.left -= step
    return step


def _quarters(token: str) -> Fraction:
    found = _RECIP.search(token)
    if "q" in token or not found:
        return Fraction(0)
    zeros = found[1].strip("0") == ""
    whole = Fraction(2 ** len(found[1])) if zeros else Fraction(int(found[2] or 1), int(found[1]))
    return 4 * whole * (2 - Fraction(1, 2 ** len(found[3])))


def _told(label: Label, spine: _Spine) -> Label:
    """A label in the words of this project: kern's inversions as figures, its key as a prefix."""
    if label.kind is not LabelKind.NUMERAL:
        return label
    found = _HARM.fullmatch(label.text)
    if found is None:
        return label
    _, sign, name, mark, seventh, letter, of = (each or "" for each in found.groups())
    name = {"Gn": "Ger", "Lt": "It"}.get(name, name)
    figures = _INVERTED[seventh]
    inversion = "abcd".index(letter) if letter else 0
    shown = figures[min(inversion, len(figures) - 1)]
    prefix, spine.key = spine.key, ""  # said once, when it changes
    mark = {"D": "o"}.get(mark, mark)
    return replace(label, text=f"{prefix}{sign.replace('-', 'b')}{name}{mark}{shown}{of}")
