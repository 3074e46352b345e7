"""Whether a finished grid keeps patterns, judged from its notes alone.

As ``verify``: no code is shared with what the search is given. An expression is followed as it
stands, from left to right, by the sets of positions in the word that its parts can lead to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import count, pairwise
from typing import Any

from clausula.constraints.chord_pattern import ChordPattern
from clausula.constraints.pattern import Material, Pattern
from clausula.constraints.place import Place
from clausula.constraints.sonority import Chord
from clausula.constraints.verify_counting import inside_span
from clausula.constraints.verify_sonority import verify_chord
from clausula.grid import REST, Grid, Voice
from clausula.pitch import Key, Mode

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LENGTHS = {"w": "4", "h": "2", "q": "1", "e": "1/2", "s": "1/4"}
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
SHOWN = 24  # symbols of what was found that a reason repeats


def verify_pattern(grid: Grid, asked: Pattern, keys: Sequence[Key]) -> list[str]:
    """Reasons why the voice's notes do not match.

    Args:
        grid: the finished piece.
        asked: the constraint.
        keys: the local key of every frame.
    """
    inside = inside_span(grid, asked.span)
    notes = [frame for frame in _onsets(grid, asked.voice) if inside[frame]]
    word: Sequence[Any]
    match asked.of:
        case Material.PITCHES:
            word = [int(grid.pitch[frame, asked.voice]) for frame in notes]
            matches = _follow(asked.expression, word, lambda s, heard: _midi(s) == heard)
        case Material.DEGREES:
            word = [_degree(grid, frame, asked.voice, keys[frame]) for frame in notes]
            matches = _follow(asked.expression, word, lambda s, heard: s == heard)
        case Material.INTERVALS:
            steps = [int(grid.step[frame, asked.voice]) for frame in notes]
            word = [after - before for before, after in pairwise(steps)]
            matches = _follow(asked.expression, word, lambda s, heard: _steps(s) == heard)
        case Material.DURATIONS:
            word = _lengths(grid, asked.voice, inside)
            matches = _follow(asked.expression, word, lambda s, heard: _length(s) == heard)
    return [] if matches else [f"found {_shown(asked, word)}"]


def verify_chord_pattern(grid: Grid, asked: ChordPattern, keys: Sequence[Key]) -> list[str]:
    """Reasons why the chords do not match; the arguments are those of ``verify_pattern``."""
    frames = [frame for frame, inside in enumerate(inside_span(grid, asked.span)) if inside]
    length = int(asked.beats * grid.meter.beat * grid.frames_per_quarter)
    names = {found["symbol"] for found in _TOKEN.finditer(asked.expression)} - {None, "."}
    word = []
    for frame in frames[::length]:
        place = Place(int(grid.measure[frame]), grid.beat[frame])
        word.append(
            {
                name
                for name in names
                if not verify_chord(grid, Chord(name, place, asked.beats), keys[frame])
            }
        )
    if len(frames) % length == 0 and _follow(asked.expression, word, lambda s, heard: s in heard):
        return []
    found = " ".join("/".join(sorted(heard)) or "?" for heard in word[:SHOWN])
    return [f"found {found}{' …' if len(word) > SHOWN else ''}"]


def _onsets(grid: Grid, voice: Voice) -> list[int]:
    return [frame for frame in range(len(grid)) if grid.onset[frame, voice]]


def _midi(name: str) -> int:
    letter, octave = name[0], int(name[-1])
    return 12 * (octave + 1) + _LETTERS[letter] + name.count("#") - name.count("b")


def _steps(interval: str) -> int:
    """Steps of the staff: a second is one."""
    return int(interval) - 1 if int(interval) > 0 else int(interval) + 1


def _degree(grid: Grid, frame: int, voice: Voice, key: Key) -> str:
    """The written note as a degree of the key."""
    scale = _MAJOR if key.mode is Mode.MAJOR else _MINOR
    degree = (int(grid.step[frame, voice]) - key.tonic_letter) % 7
    alter = (int(grid.pitch[frame, voice]) - key.tonic_pc - scale[degree]) % 12
    return {11: "b", 0: "", 1: "#"}.get(alter, "?") + str(degree + 1)


def _length(name: str) -> tuple[bool, Fraction]:
    """Whether a length is a rest, and how many quarters it has."""
    bare = name.removeprefix("r")
    dotted = Fraction(3, 2) if bare.endswith(".") else Fraction(1)
    return bare != name, Fraction(_LENGTHS[bare[0]]) * dotted


def _lengths(grid: Grid, voice: Voice, inside: Sequence[bool]) -> list[tuple[bool, Fraction]]:
    """Notes and rests that begin in a span: which, and quarters."""
    silent = [int(pitch) == REST for pitch in grid.pitch[:, voice]]
    begins = [
        frame
        for frame in range(len(grid))
        if grid.onset[frame, voice] or (silent[frame] and (frame == 0 or not silent[frame - 1]))
    ]
    return [
        (silent[start], Fraction(stop - start, grid.frames_per_quarter))
        for start, stop in pairwise([*begins, len(grid)])
        if inside[start]
    ]


def _shown(asked: Pattern, word: Sequence) -> str:
    """The beginning of what was found, in words."""
    names = []
    for heard in word[:SHOWN]:
        match asked.of:
            case Material.INTERVALS:
                names.append("1" if heard == 0 else f"{heard + (1 if heard > 0 else -1):+d}")
            case Material.DURATIONS:
                names.append(f"{'r' if heard[0] else ''}{heard[1]}")
            case _:
                names.append(str(heard))
    more = " …" if len(word) > SHOWN else ""
    return f"{asked.of} {' '.join(names) or 'of no note'}{more}"


# A + repeats where it follows something without a space; elsewhere it is the sign of an interval.
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[()|^])|\{(?P<often>[\d,]+)\}|(?P<repeated>(?<=[^\s(|^])[*+?])"
    r"|(?P<symbol>[+-]\d+|[b#]?\d+|[A-G][#b]*\d|[b#]?[IViv]+(?:[°oø]|\+(?=\d))?\d*"
    r"|r?[whqes]\.?|\.))"
)
_Fits = Callable[[str, Any], bool]


def _follow(expression: str, word: Sequence, fits: _Fits) -> bool:
    """Whether an expression matches a whole word; ``fits`` says what a symbol is."""
    tokens = [
        (str(found.lastgroup), found[str(found.lastgroup)]) for found in _TOKEN.finditer(expression)
    ]
    return len(word) in _Follower(tokens, word, fits).alternatives(0, {0})[1]


class _Follower:
    """Follows the tokens of an expression through a word.

    Each method takes the token at which its part begins and the positions in the word before it,
    and returns the token after it and the positions to which it can lead.
    """

    def __init__(self, tokens: list[tuple[str, str]], word: Sequence, fits: _Fits) -> None:
        self.tokens, self.word, self.fits = [*tokens, ("sign", ")")], word, fits

    def alternatives(self, at: int, before: set[int]) -> tuple[int, set[int]]:
        """Up to a closing parenthesis, or the end."""
        found: set[int] = set()
        reached = before
        while True:
            kind, text = self.tokens[at]
            if (kind, text) == ("sign", ")"):
                return at, found | reached
            if (kind, text) == ("sign", "|"):
                found, reached, at = found | reached, before, at + 1
            else:
                at, reached = self.repeated(at, reached)

    def repeated(self, at: int, before: set[int]) -> tuple[int, set[int]]:
        """One part as often as what follows it says."""
        after, once = self.part(at, before)
        kind, text = self.tokens[after]
        if kind not in ("often", "repeated"):
            return after, once
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(text) or _bounds(text)
        found = before if least == 0 else set()
        positions, seen = before, set()
        for times in count(1):
            _, positions = self.part(at, positions)
            if times >= least:
                found = found | positions
            # More often leads nowhere else: what is read would only be read again.
            if times == most or not positions or (times >= least and frozenset(positions) in seen):
                return after + 1, found
            seen.add(frozenset(positions))
        raise AssertionError("counting never ends")

    def part(self, at: int, before: set[int]) -> tuple[int, set[int]]:
        """A symbol, or a group."""
        kind, text = self.tokens[at]
        if (kind, text) == ("sign", "("):
            closing, reached = self.alternatives(at + 1, before)
            return closing + 1, reached
        negated = (kind, text) == ("sign", "^")
        symbol = self.tokens[at + negated][1]
        reached = {
            position + 1
            for position in before
            if position < len(self.word)
            and (symbol == "." or self.fits(symbol, self.word[position]) is not negated)
        }
        return at + negated + 1, reached


def _bounds(text: str) -> tuple[int, int | None]:
    """The numbers of ``2``, ``2,`` and ``2,4``."""
    least, comma, most = text.partition(",")
    return int(least), int(most) if most else None if comma else int(least)
