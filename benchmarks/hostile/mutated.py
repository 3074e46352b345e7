"""Files with something removed, doubled or replaced by nonsense, drawn by a seed."""

from __future__ import annotations

import copy
import random
from xml.etree import ElementTree

from hostile import keyboard, notation, other_formats

_VALUES = ("", "0", "-1", "1", "64", "x", "1e9", "99999999", "3.5", " ", "NaN", "٣", "²", "1_000")
_TAGS = (
    *("note", "rest", "chord", "grace", "backup", "forward", "voice", "staff", "duration", "pitch"),
    *("step", "alter", "octave", "measure", "part", "attributes", "time", "key", "clef", "sign"),
    *("transpose", "divisions", "tie", "notations", "barline", "staves", "unpitched", "lyric"),
    *("time-modification", "harmony", "figured-bass", "root", "kind", "type", "dot", "print"),
)
_LETTERS = b"0123456789*^v-+.|[]()/\t\n=abcCGzrK:'\"_~{}<>! "
_SCORES = [
    made
    for case in (*keyboard.CASES[:12], *notation.CASES[:60])
    if case.notes is not None and isinstance(made := case.make(), str)
]


def mutated_score(seed: int) -> bytes:
    """A MusicXML score with one to four elements changed."""
    draw = random.Random(seed)
    root = ElementTree.fromstring(draw.choice(_SCORES))
    for _ in range(draw.choice((1, 1, 2, 4))):
        _change(draw, root)
    return ElementTree.tostring(root)


def _change(draw: random.Random, root: ElementTree.Element) -> None:
    elements = list(root.iter())
    parents = {child: parent for parent in elements for child in parent}
    element = draw.choice(elements[1:])
    match draw.randrange(6):
        case 0:
            parents[element].remove(element)
        case 1:
            parents[element].append(copy.deepcopy(element))
        case 2:
            element.text = draw.choice(_VALUES)
        case 3:
            element.tag = draw.choice(_TAGS)
        case 4:
            ElementTree.SubElement(element, draw.choice(_TAGS)).text = draw.choice(_VALUES)
        case _:
            element.insert(0, copy.deepcopy(draw.choice(elements[-200:])))


def mutated_bytes(seed: int, kind: str) -> bytes:
    """A ``krn``, ``abc`` or ``mid`` file with one to five stretches of bytes changed."""
    draw = random.Random(seed)
    made = {"krn": other_formats.KERN, "abc": other_formats.ABC}
    data = bytearray(made[kind].encode() if kind in made else other_formats.four_tracks())
    for _ in range(draw.choice((1, 2, 5))):
        at = draw.randrange(len(data))
        match draw.randrange(3):
            case 0:
                data[at] = draw.randrange(256) if kind == "mid" else draw.choice(_LETTERS)
            case 1:
                del data[at : at + draw.randrange(1, 6)]
            case _:
                data[at:at] = data[max(0, at - draw.randrange(12)) : at]
    return bytes(data)
