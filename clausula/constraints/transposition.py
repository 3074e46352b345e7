"""How a returning passage is moved: by an interval, by scale steps, or to a key.

Conventions: a note is moved by its spelling. Its *alteration* is what it differs by from the
scale's note on the same step (in minor the natural scale). ``Real`` moves by an exact interval, and
the key moves along. ``Tonal`` moves by scale steps within the key, alterations kept. ``InKey``
moves to the same degree of another key, alterations kept, except that raised 6 and 7 of minor
become plain 6 and 7 of major. ``Inverted`` mirrors scale steps about a note, within the key; notes
that are altered have no mirror image. Intervals and steps are signed, up is positive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from clausula.constraints.place import Degree, signable
from clausula.errors import InputError, PlanError
from clausula.pitch import LETTER_SEMITONES, SCALE, Key, Mode, SpelledPitch

_PERFECT = (0, 3, 4)
_QUALITIES = {
    True: {"P": 0, "A": 1, "d": -1},
    False: {"M": 0, "m": -1, "A": 1, "d": -2},
}


class Direction(Enum):
    """Where the tonic goes when a passage moves to another key."""

    NEAREST = ""
    UP = "up"
    DOWN = "down"


class Interval(NamedTuple):
    """A spelled interval: ``semitones`` and diatonic ``steps``, both signed."""

    semitones: int
    steps: int

    @classmethod
    def parse(cls, text: str, direction: Direction = Direction.UP) -> Interval:
        """Read ``"P5"``, ``"m3"``, ``"A4"``, ``"M10"``.

        Raises:
            InputError: no such interval.
        """
        found = re.fullmatch(r"([PMmAd])([1-9]\d?)", text.strip())
        steps = int(found[2]) - 1 if found else 0
        qualities = _QUALITIES[steps % 7 in _PERFECT]
        if not found or found[1] not in qualities:
            raise InputError(f"{text!r} is not an interval; try P5, M2, m3, A4, d5 or P8")
        semitones = _large(steps) + qualities[found[1]]
        sign = -1 if direction is Direction.DOWN else 1
        return cls(sign * semitones, sign * steps)

    def __str__(self) -> str:
        down = self.steps < 0 or (self.steps == 0 and self.semitones < 0)
        sign = -1 if down else 1
        steps, semitones = sign * self.steps, sign * self.semitones
        sizes = _QUALITIES[steps % 7 in _PERFECT]
        quality = {size: name for name, size in sizes.items()}[semitones - _large(steps)]
        return f"{'down' if down else 'up'} {quality}{steps + 1}"


def _large(steps: int) -> int:
    """Semitones of the perfect or major interval of so many steps."""
    return 12 * (steps // 7) + int(SCALE[Mode.MAJOR][steps % 7])


@dataclass(frozen=True)
class Real:
    """Exactly by an interval; the key moves by it too."""

    interval: Interval

    def __str__(self) -> str:
        return str(self.interval)


@dataclass(frozen=True)
class Tonal:
    """By scale steps within the key, up when positive."""

    steps: int

    def __str__(self) -> str:
        return f"tonal {'down' if self.steps < 0 else 'up'} {abs(self.steps)}"


@dataclass(frozen=True)
class InKey:
    """To the same scale degrees of another key.

    Attributes:
        key: that key, by name or by Roman numeral of the home key.
        direction: whether the new tonic is the nearest one, or the next above or below.
    """

    key: Key | Degree
    direction: Direction = Direction.NEAREST

    def __str__(self) -> str:
        return f"to {self.key} {self.direction.value}".rstrip()


@dataclass(frozen=True)
class Inverted:
    """Upside down: as many scale steps below a note as it was above.

    Attributes:
        axis: the note that stays, one of the key's scale.
    """

    axis: SpelledPitch

    def __str__(self) -> str:
        return f"inverted about {self.axis.name}"


Transposition = Real | Tonal | InKey | Inverted
UNMOVED = Real(Interval(0, 0))


def key_of_copy(how: Transposition, home: Key) -> Key:
    """The key in which a passage of the home key stands once it is moved; it spells the copy.

    Raises:
        PlanError: no signature has that many accidentals, or the key has no such axis.
    """
    if isinstance(how, Inverted):
        if _scale_note(home, how.axis.step) != how.axis.semitone:
            raise PlanError(f"{how.axis.name} is not a note of {home}'s scale; try one that is")
        return home
    if isinstance(how, Tonal):
        return home
    if isinstance(how, InKey):
        return how.key.of(home) if isinstance(how.key, Degree) else how.key
    tonic_pc = (home.tonic_pc + how.interval.semitones) % 12
    moved = Key(tonic_pc, (home.tonic_letter + how.interval.steps) % 7, home.mode)
    return signable(moved, f"{home} moved {how}")


def image(how: Transposition, home: Key, semitone: int) -> SpelledPitch | None:
    """What a note of the home key becomes.

    Args:
        how: the transposition.
        home: the key that spells the note.
        semitone: its MIDI number.

    Returns:
        The moved note; ``None`` where the key of the copy would not spell it as moved, so that the
        copy could not be read back as one.

    Raises:
        PlanError: no signature has as many accidentals as the copy's key needs.
    """
    step = int(home.spell(semitone))
    key = key_of_copy(how, home)
    alteration = semitone - _scale_note(home, step)
    if isinstance(how, Real):
        moved = SpelledPitch(semitone + how.interval.semitones, step + how.interval.steps)
    elif isinstance(how, Inverted):
        if alteration:
            return None
        target = 2 * how.axis.step - step
        moved = SpelledPitch(_scale_note(home, target), target)
    elif isinstance(how, Tonal):
        target = step + how.steps
        moved = SpelledPitch(_scale_note(home, target) + alteration, target)
    else:
        degree = (step - home.tonic_letter) % 7
        raised = home.mode is Mode.MINOR and degree in (5, 6) and alteration == 1
        if raised and key.mode is Mode.MAJOR:
            alteration = 0
        target = step + _steps_to_key(how, home, key)
        moved = SpelledPitch(_scale_note(key, target) + alteration, target)
    return moved if int(key.spell(moved.semitone)) == moved.step else None


def _scale_note(key: Key, step: int) -> int:
    """MIDI number of the key's scale note on a diatonic step."""
    letter = key.tonic_letter
    octave, degree = divmod(step - letter, 7)
    natural = int(LETTER_SEMITONES[letter])
    alter = (key.tonic_pc - natural + 6) % 12 - 6
    return 12 * (octave + 1) + natural + alter + int(SCALE[key.mode][degree])


def _steps_to_key(how: InKey, home: Key, key: Key) -> int:
    """Diatonic steps from the home tonic to the other one."""
    tonic = home.tonic_letter
    between = (key.tonic_letter - tonic) % 7
    options = [
        (_scale_note(key, tonic + steps) - _scale_note(home, tonic), steps)
        for steps in (between - 7, between, between + 7)
    ]
    if how.direction is Direction.UP:
        options = [option for option in options if option[0] > 0]
    if how.direction is Direction.DOWN:
        options = [option for option in options if option[0] < 0]
    # Of two tonics a tritone away the upper is taken.
    return min(options, key=lambda option: (abs(option[0]), -option[0]))[1]
