"""The chords that passages are made of, spelled out on C, and what a book calls their members.

Shares no code with the program that is judged: numerals are looked up, never parsed.

Conventions: a *tone* is a spelled pitch class relative to the tonic, a pair ``(semitones mod 12,
letters mod 7)``: the leading tone is ``(11, 6)``, the lowered sixth degree ``(8, 5)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

Tone = tuple[int, int]

_LETTERS = {
    "C": (0, 0),
    "D": (2, 1),
    "E": (4, 2),
    "F": (5, 3),
    "G": (7, 4),
    "A": (9, 5),
    "B": (11, 6),
}
TONIC, SUPERTONIC, FA, SOL, LE, LEADING = (0, 0), (2, 1), (5, 3), (7, 4), (8, 5), (11, 6)
_MAJOR_SCALE = frozenset(_LETTERS.values())
_MINOR_SCALE = frozenset({(0, 0), (2, 1), (3, 2), (5, 3), (7, 4), (8, 5), (10, 6)})

# Root, third, fifth and seventh in C major or C minor; the augmented sixths as they are stacked
# above the bass, where `third` is the tonic and the last is the raised fourth.
_SHARED = {
    "V": "G B D", "V7": "G B D F", "viio": "B D F", "viio7": "B D F Ab", "V/V": "D F# A",
    "V7/V": "D F# A C", "viio7/V": "F# A C Eb", "bII": "Db F Ab",
    "It": "Ab C F#", "Ger": "Ab C Eb F#",
}  # fmt: skip
_MAJOR = _SHARED | {
    "I": "C E G", "ii": "D F A", "ii7": "D F A C", "iii": "E G B", "IV": "F A C",
    "IV7": "F A C E", "vi": "A C E", "vi7": "A C E G", "viiø7": "B D F A", "iv": "F Ab C",
    "V7/ii": "A C# E G", "V7/IV": "C E G Bb", "V7/vi": "E G# B D", "V/vi": "E G# B",
    "V/ii": "A C# E",
}  # fmt: skip
_MINOR = _SHARED | {
    "i": "C Eb G", "iio": "D F Ab", "iiø7": "D F Ab C", "III": "Eb G Bb", "iv": "F Ab C",
    "iv7": "F Ab C Eb", "v": "G Bb D", "VI": "Ab C Eb", "VII": "Bb D F", "V7/iv": "C E G Bb",
    "I": "C E G",
}  # fmt: skip
_TRIAD_FIGURES = {"": 0, "6": 1, "64": 2}
_SEVENTH_FIGURES = {"7": 0, "65": 1, "43": 2, "42": 3}


def _tone(name: str) -> Tone:
    semitone, letter = _LETTERS[name[0]]
    return (semitone + name.count("#") - name.count("b")) % 12, letter


@dataclass(frozen=True)
class Harmony:
    """One chord of a passage.

    Attributes:
        name: as it is written under the bass, with figures: ``"V65/V"``.
        base: its name without figures: ``"V7/V"``.
        tones: root, third, fifth and, where there is one, seventh, relative to the tonic.
        inversion: which of them is in the bass.
        minor: whether the key is.
    """

    name: str
    base: str
    tones: tuple[Tone, ...]
    inversion: int
    minor: bool

    @property
    def bass(self) -> Tone:
        """What the bass has to sing."""
        return self.tones[self.inversion]

    @property
    def augmented_sixth(self) -> bool:
        """Whether it has one over the lowered sixth degree."""
        return self.base in ("It", "Ger")

    @property
    def seventh(self) -> Tone | None:
        """The chordal seventh."""
        return self.tones[3] if len(self.tones) == 4 and not self.augmented_sixth else None

    @property
    def triad(self) -> bool:
        """Whether it is a triad."""
        return len(self.tones) == 3 and not self.augmented_sixth

    @cached_property
    def quality(self) -> str:
        """Of the triad on its root: ``major``, ``minor`` or ``diminished``."""
        root, third, fifth = self.tones[:3]
        if (fifth[0] - root[0]) % 12 == 6:
            return "diminished"
        return "major" if (third[0] - root[0]) % 12 == 4 else "minor"

    @property
    def dominant(self) -> bool:
        """Whether it is a dominant of the key itself: V, V7, vii° or vii°7."""
        return self.base in ("V", "V7", "viio", "viio7", "viiø7")

    @cached_property
    def leading(self) -> Tone | None:
        """The leading tone that it contains, an applied dominant's own included."""
        root = self.base.partition("/")[0]
        if root in ("V", "V7"):
            return self.tones[1]
        return self.tones[0] if root.startswith("vii") else None

    @cached_property
    def altered(self) -> frozenset[Tone]:
        """Its tones outside the key, the raised seventh degree of minor excepted."""
        scale = _MINOR_SCALE | {LEADING} if self.minor else _MAJOR_SCALE
        return frozenset(self.tones) - scale


@cache
def harmony(name: str, minor: bool) -> Harmony:
    """A chord by its name with figures.

    Raises:
        KeyError: it is not in the table.
    """
    head, slash, of = name.partition("/")
    stem = head.rstrip("0123456789")
    figures = head[len(stem) :]
    if stem in ("It", "Ger"):
        base, inversion = stem, 0
    elif figures in _SEVENTH_FIGURES:
        base, inversion = f"{stem}7", _SEVENTH_FIGURES[figures]
    else:
        base, inversion = stem, _TRIAD_FIGURES[figures]
    spelled = (_MINOR if minor else _MAJOR)[base + slash + of]
    tones = tuple(_tone(each) for each in spelled.split())
    return Harmony(name, base + slash + of, tones, inversion, minor)


def figures_of(name: str) -> str:
    """The figures under the bass that a numeral's name contains: ``"65"`` of ``"V65/V"``."""
    head = name.partition("/")[0]
    return head[len(head.rstrip("0123456789")) :]
