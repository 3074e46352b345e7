"""What a writer says about the music in the file itself: numerals, figures and names of cadences.

Lyrics and words may be anything. They are read as an analysis where most texts of one row of lyrics
under one staff, or of the words above it, are numerals, figures or cadences; a sung text is none,
whatever words it has. What stands in such a row and is not understood is kept as *unread*.

Conventions: a numeral may begin with its key, ``"G: V65"``, which holds for its row until another
is named. ``V64-53`` is one chord whose figures move; figures alone continue the numeral before.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from clausula.chords import parse_numeral
from clausula.constraints.cadence import CadenceKind
from clausula.errors import InputError
from clausula.figures import readings_of
from clausula.pitch import Key, SpelledPitch
from clausula.score import Label, LabelKind, Score

_ANY_KEY, _ANY_BASS = Key.parse("C"), SpelledPitch.parse("C3")
_SIGNS = str.maketrans(
    {
        "\N{MUSIC FLAT SIGN}": "b",
        "\N{MUSIC SHARP SIGN}": "#",
        "\N{DEGREE SIGN}": "o",
        "\N{MASCULINE ORDINAL INDICATOR}": "o",
        "\N{LATIN CAPITAL LETTER O WITH STROKE}": "ø",
        "%": "ø",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{SUPERSCRIPT PLUS SIGN}": "+",
        "\N{NO-BREAK SPACE}": " ",
    }
)
_KEY = re.compile(r"([A-Ga-g](?:#|b|-)?)\s*(major|minor|maj|min|m|M)?\s*[:=]\s*(.*)")
_CADENCES = {
    "PAC": (CadenceKind.PAC,),
    "IAC": (CadenceKind.IAC,),
    "AC": (CadenceKind.PAC, CadenceKind.IAC),
    "HC": (CadenceKind.HC, CadenceKind.PHRYGIAN),
    "PHC": (CadenceKind.PHRYGIAN,),
    "DC": (CadenceKind.DC,),
    "PC": (CadenceKind.PLAGAL,),
    "perfect authentic": (CadenceKind.PAC,),
    "imperfect authentic": (CadenceKind.IAC,),
    "authentic": (CadenceKind.PAC, CadenceKind.IAC),
    "perfect": (CadenceKind.PAC, CadenceKind.IAC),
    "half": (CadenceKind.HC, CadenceKind.PHRYGIAN),
    "imperfect": (CadenceKind.HC, CadenceKind.PHRYGIAN, CadenceKind.IAC),
    "deceptive": (CadenceKind.DC,),
    "interrupted": (CadenceKind.DC,),
    "plagal": (CadenceKind.PLAGAL,),
    "phrygian": (CadenceKind.PHRYGIAN,),
    "phrygian half": (CadenceKind.PHRYGIAN,),
}
_CLOSES = re.compile(r"(.*?)[\s(\[]*\b(PAC|IAC|AC|HC|PHC|DC|PC)[)\]]?")
_STACK = r"[\d#b+/]*\d"
_MOVING = re.compile(rf"([^\d-]+?)({_STACK})?((?:-{_STACK})+)(/[b#]?[IViv]+)?")
_NINTHS = re.compile(r"(?<=[IViv])(9|11|13)(?=$|/)")
_EVIDENT = re.compile(r"\d|[:/]|PAC|IAC")  # no syllable has these


class WrittenNumeral(NamedTuple):
    """A Roman numeral as somebody wrote it.

    Attributes:
        onset: in quarters.
        text: as written.
        name: of the chord, as ``parse_numeral`` reads it.
        key: that its row is in, none where no key is named.
        moves: whether several figures follow each other, the last being the name's.
        row: of the labels that it follows.
    """

    onset: Fraction
    text: str
    name: str
    key: Key | None
    moves: bool
    row: int


class WrittenCadence(NamedTuple):
    """The name of a cadence: as written, and the kinds that it may mean."""

    onset: Fraction
    text: str
    kinds: tuple[CadenceKind, ...]


@dataclass(frozen=True)
class Written:
    """What is written in a file about its music, each in order of time.

    Attributes:
        numerals: row by row.
        figures: onset and figures.
        cadences: names of cadences.
        unread: onset and words about a label that is not understood.
    """

    numerals: tuple[WrittenNumeral, ...] = ()
    figures: tuple[tuple[Fraction, str], ...] = ()
    cadences: tuple[WrittenCadence, ...] = ()
    unread: tuple[tuple[Fraction, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.numerals or self.figures or self.cadences or self.unread)


NOTHING = Written()


class _Read(NamedTuple):
    """One label as it may be read: a key, a numeral, figures and the kinds of a cadence."""

    key: Key | None = None
    name: str = ""
    moves: bool = False
    figures: str = ""
    kinds: tuple[CadenceKind, ...] = ()

    @property
    def means(self) -> bool:
        return bool(self.key or self.name or self.figures or self.kinds)


def written_in(score: Score) -> Written:
    """What the labels of a score say; nothing where they are a sung text."""
    rows = sorted(score.labels, key=_row)
    found = [_of_row(list(row), number) for number, (_, row) in enumerate(groupby(rows, _row))]
    return Written(
        tuple(numeral for one in found for numeral in one.numerals),
        tuple(sorted({figures for one in found for figures in one.figures})),
        tuple(sorted(cadence for one in found for cadence in one.cadences)),
        tuple(sorted(unread for one in found for unread in one.unread)),
    )


def _row(label: Label) -> tuple[str, int, str]:
    return label.kind.value, label.staff, label.verse


def _of_row(labels: Sequence[Label], row: int) -> Written:
    """What the labels of one row say."""
    kind = labels[0].kind
    if kind is LabelKind.FIGURES:
        good = [(each.onset, each.text) for each in labels if _are_figures(each.text)]
        unread = [(each.onset, _unread(each, "figure")) for each in labels]
        places = {onset for onset, _ in good}
        return Written(
            figures=tuple(good), unread=tuple(one for one in unread if one[0] not in places)
        )
    read = [(label, _read(label.text)) for label in labels]
    if kind is not LabelKind.NUMERAL and not _is_analysis(read):
        named = [(label, one) for label, one in read if label.text.strip() in ("PAC", "IAC", "HC")]
        return _sorted_out(named, row)
    only = not any(one.name or one.kinds for _, one in read)
    if only and kind is not LabelKind.NUMERAL and labels[0].staff != -1:
        return NOTHING  # numbers elsewhere than under the bass are degrees or fingers
    return _sorted_out(read, row, only)


def _is_analysis(read: Sequence[tuple[Label, _Read]]) -> bool:
    """Whether most labels of a row mean something, and not by chance."""
    meant = [label.text for label, one in read if one.means]
    if 2 * len(meant) <= len(read):
        return False
    numbers = not any(one.name or one.kinds or one.key for _, one in read)
    if numbers and any(text.strip() in ("1", "2.", "1.") for text in meant):
        return False  # degrees of the scale, counted beats or numbers of verses
    evident = any(one.kinds or (one.means and _EVIDENT.search(each.text)) for each, one in read)
    return evident or len(set(meant)) > 1


def _sorted_out(read: Sequence[tuple[Label, _Read]], row: int, figures: bool = False) -> Written:
    """The labels of an analysis, each as what it is; with ``figures``, of figured bass."""
    numerals: list[WrittenNumeral] = []
    stacks: list[tuple[Fraction, str]] = []
    cadences, unread = [], []
    key: Key | None = None
    for label, one in read:
        key = one.key or key
        name, moves = one.name, one.moves
        if one.figures and not figures and numerals:
            name, moves = _continued(numerals[-1].name, one.figures)
        if name:
            text = label.text.strip()
            numerals.append(WrittenNumeral(label.onset, text, name, key, moves, row))
        elif one.figures:
            stacks.append((label.onset, one.figures))
        if one.kinds:
            cadences.append(WrittenCadence(label.onset, label.text.strip(), one.kinds))
        if not one.means and label.text.strip(" -_.|"):
            unread.append((label.onset, _unread(label, "figure" if figures else "Roman numeral")))
    return Written(tuple(numerals), tuple(stacks), tuple(cadences), tuple(unread))


def _unread(label: Label, what: str) -> str:
    known = "6, 6 5, #6 or 4-3" if what == "figure" else "V65, ii6, vii°7/V, N6 or G: I"
    return f"The label '{label.text.strip()}' is no {what}; write {known}"


def _read(text: str) -> _Read:
    """What one label says, nothing where it is not understood."""
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS).strip(" \t,;|_")
    kinds = _CADENCES.get(plain.lower().removesuffix(" cadence").strip())
    if kinds:
        return _Read(kinds=kinds)
    closes = _CLOSES.fullmatch(plain)
    kinds = _CADENCES[closes[2]] if closes else ()
    rest = closes[1].strip() if closes else plain
    named = _KEY.fullmatch(rest)
    key = None
    if named:
        try:
            key = Key.parse(f"{named[1]} {named[2] or ''}")
        except InputError:
            return _Read()
        rest = named[3].strip()
    if not rest:
        return _Read(key=key, kinds=kinds)
    name, moves = _numeral(rest)
    if name:
        return _Read(key, name, moves, kinds=kinds)
    if not key and not kinds and _are_figures(rest) and re.search(r"[\d#]", rest):
        return _Read(figures=rest)
    return _Read()


def _are_figures(text: str) -> bool:
    try:
        readings_of(text, _ANY_BASS, 0)
    except InputError:
        return False
    return True


def _numeral(text: str) -> tuple[str, bool]:
    """A numeral's name and whether its figures move; empty if it is none."""
    plain = re.sub(r"\[[^\]]*\]|[()\s]|sus\d?|add\d", "", text)
    if re.fullmatch(r"(?:[Cc][Aa][Dd]|K)\.?6/?4(-5/?3)?", plain):
        return "V64", False
    plain = re.sub(r"(?<=vii)0|(?<=ii)0", "ø", plain)
    moving = _MOVING.fullmatch(plain)
    if moving:
        last = moving[3].rpartition("-")[2]
        plain = moving[1] + {"3": "", "8": "", "5": "", "53": ""}.get(last.replace("/", ""), last)
        plain += moving[4] or ""
    plain = _NINTHS.sub("7", plain.rstrip("-"))
    try:
        parse_numeral(plain, _ANY_KEY)
    except InputError:
        return "", False
    return plain, bool(moving)


def _continued(name: str, figures: str) -> tuple[str, bool]:
    """The numeral before, with other figures."""
    stem = re.fullmatch(r"([^\d/]+)[\d/]*?(/[b#]?[IViv]+)?", name)
    if not stem:
        return "", False
    return _numeral(f"{stem[1]}{re.sub(r'[^0-9/-]', '', figures).strip('-')}{stem[2] or ''}")
