"""Progressions, and where their chords stand in the measure.

A plan is written as chords in a row: ``"I ii6 V7 vi* ii6 V I"``. ``*`` marks the chord at which
something is to happen, ``^`` a fermata. The first chord's case says the mode. Every chord is a
quarter long unless ``:2`` follows; the last one fills its measure.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from fractions import Fraction

from clausula.grid import Meter
from clausula.pitch import Key
from injected.chord_table import Harmony, harmony
from injected.notes import Frame

MAJOR_KEYS = ("C", "G", "D", "A", "F", "Bb", "Eb", "Ab", "E")
MINOR_KEYS = ("a", "e", "b", "d", "g", "c", "f#", "f")
_OPENINGS = {
    False: ("I", "I V6 I", "I V43 I", "I IV V42 I6", "I V65 I", "I IV I6", "I V65/IV IV", "I vi",
            "I V7 vi"),
    True: ("i", "i V6 i", "i V43 i", "i iv V42 i6", "i V65 i", "i iv i6"),
}  # fmt: skip
_MIDDLES = {
    False: ("IV", "ii6", "ii65", "IV ii65", "vi ii6", "IV V65/V"),
    True: ("iv", "iio6", "iiø65", "iv iiø65"),
}
_CLOSINGS = {
    False: ("V I", "V7 I", "I64 V I", "I64 V7 I"),
    True: ("V i", "V7 i", "i64 V i", "i64 V7 i"),
}
_PREDOMINANT_BASES = ("ii", "ii7", "iio", "iiø7", "IV", "IV7", "iv", "iv7")
_PREDOMINANTS = ("ii", "IV", "iv")


@dataclass(frozen=True)
class Plan:
    """Chords and their times.

    Attributes:
        frame: key, meter and pick-up.
        chords: in order.
        times: onset and duration of each in quarters.
        target: index of the marked chord, -1 if none is.
        fermatas: indices of chords at which a phrase ends.
    """

    frame: Frame
    chords: tuple[Harmony, ...]
    times: tuple[tuple[Fraction, Fraction], ...]
    target: int
    fermatas: frozenset[int]

    @property
    def closes(self) -> bool:
        """Whether it ends with a root-position dominant and tonic."""
        names = [chord.name for chord in self.chords[-2:]]
        return names[0] in ("V", "V7") and names[1] in ("I", "i")

    @property
    def repeats(self) -> bool:
        """H02: whether a root is carried from a weak to a strong beat within a phrase."""
        return any(
            self.chords[i].tones[0] == self.chords[i + 1].tones[0]
            and self.chords[i + 1].name not in ("I64", "i64")
            and i not in self.fermatas
            and not self.frame.strong(self.times[i][0])
            and self.frame.strong(self.times[i + 1][0])
            for i in range(len(self.chords) - 1)
        )

    @property
    def broken(self) -> frozenset[str]:
        """H01, H02, H03: what is wrong with the progression itself."""
        found = {"H02"} if self.repeats else set()
        if self.chords[0].base not in ("I", "i"):
            found.add("H03")
        for i, (one, two) in enumerate(zip(self.chords, self.chords[1:], strict=False)):
            falls_back = one.base in ("V", "V7") and two.base in _PREDOMINANT_BASES
            if falls_back and i not in self.fermatas:
                found.add("H01")
        return frozenset(found)

    @property
    def stressed(self) -> bool:
        """Whether each cadential six-four stands on a strong beat and its dominant does not."""
        return all(
            self.frame.strong(self.times[i][0])
            for i in range(1, len(self.chords) - 1)
            if self.chords[i].name in ("I64", "i64")
            and self.chords[i + 1].name in ("V", "V7")
            and self.chords[i - 1].name.startswith((*_PREDOMINANTS, "V7/V", "V65/V"))
        )


def random_text(rng: random.Random, minor: bool | None = None) -> str:
    """A phrase that any book allows: opening, predominant, authentic cadence."""
    if minor is None:
        minor = rng.random() < 0.4
    while True:
        first, second = rng.choice(_OPENINGS[minor]), rng.choice(_OPENINGS[minor])
        middle, closing = rng.choice(_MIDDLES[minor]), rng.choice(_CLOSINGS[minor])
        two = rng.random() < 0.4 and _joins(first, second)
        opening = first + second[second.index(" ") :] if two else first
        ends = middle.split()[0]
        if opening.split()[-1].rstrip("6") == ends.rstrip("65") or (
            "/" in middle and "64" in closing
        ):
            continue
        if len(opening.split()) + len(middle.split()) >= 3:
            return f"{opening} {middle} {closing}"


def _joins(first: str, second: str) -> bool:
    """Whether the second opening, its first tonic left out, can follow the first."""
    return first.split()[-1] in ("I", "i") and " " in first and " " in second


def plan_of(rng: random.Random, text: str, loose: bool = False) -> Plan:
    """A plan in a random key and meter in which it stands well.

    Args:
        rng: what is random.
        text: as the module says.
        loose: whether a harmony may be carried from weak to strong and a six-four stand anywhere.

    Raises:
        ValueError: it stands well nowhere.
    """
    minor = text[0] == "i" and not text.startswith("ii")
    key = Key.parse(rng.choice(MINOR_KEYS if minor else MAJOR_KEYS))
    places = [(m, at) for m, ats in ((4, (0, 2)), (3, (0,)), (4, (0, 2))) for at in ats]
    rng.shuffle(places)
    for numerator, arrival in places:
        plan = _laid_out(text, key, numerator, arrival)
        if loose or (plan.stressed and not plan.repeats):
            return plan
    raise ValueError(f"{text} stands well in no meter")


def _laid_out(text: str, key: Key, numerator: int, arrival: int) -> Plan:
    """A plan whose last chord stands at ``arrival`` quarters after a downbeat."""
    marked = [re.fullmatch(r"([^*^:]+)(\*?)(\^?)(?::(\d))?(\*?)", each) for each in text.split()]
    found = [each for each in marked if each]
    assert len(found) == len(marked), text
    minor = key.mode.value == "minor"
    chords = tuple(harmony(each[1], minor) for each in found)
    lengths = [int(each[4] or 1) for each in found]
    if numerator == 3:
        for i in range(1, len(chords) - 1):
            if chords[i - 1].name in ("I64", "i64") and chords[i].name in ("V", "V7"):
                lengths[i] = 2
    before = sum(lengths[:-1])
    pickup = (before - arrival) % numerator
    rest = numerator - arrival
    lengths[-1] = rest - pickup if rest - pickup >= 1 and not (before - arrival) < 0 else rest
    onsets = [Fraction(sum(lengths[:i])) for i in range(len(lengths))]
    frame = Frame(key, Meter(numerator, 4), Fraction(pickup))
    times = tuple(zip(onsets, map(Fraction, lengths), strict=True))
    targets = [i for i, each in enumerate(found) if each[2] or each[5]]
    fermatas = frozenset(i for i, each in enumerate(found) if each[3])
    return Plan(frame, chords, times, targets[0] if targets else -1, fermatas)
