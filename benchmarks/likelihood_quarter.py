"""Piano rolls of chorales read as four voices, so that the chorale networks can score them.

A frame of a roll is a set of notes. Here it becomes four voices, soprano first, each as high as the
next or higher, that sound all of its notes: with four notes there is one way, with fewer some
voices double, and of all ways the one is taken in which the voices move least from where they were
(then the one that doubles the lower notes). An empty frame is four rests. The voices are a function
of the roll so far and give it back, so different rolls become different voices, and the nats of the
voices are an upper bound on those of the roll: what a network spends on voices that no roll becomes
is lost.

Two kinds of frames cannot be read so: those with more than four notes, and those with notes outside
the networks' vocabulary. Each frame first pays for which kind it is, at the share of such frames in
the training split (one more of each counted, so that neither is impossible); one that cannot be
read then pays log 2 for each of the roll's 88 keys. What the network sees of it afterwards is what
fits: its lowest note, and the highest ones.

The rolls lie higher than the vocabulary. They are moved down by the interval that loses the fewest
frames of the training split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from piano_roll_data import KEYS, LOWEST_KEY

from clausula.grid import REST
from clausula.neural.features import Example, example_of_bare_pitches
from clausula.vocabulary import HIGHEST, LOWEST

VOICES = 4


@dataclass(frozen=True)
class Voiced:
    """A roll as voices.

    Attributes:
        example: what a network reads.
        readable: ``bool[time]`` false for frames that four voices of the vocabulary cannot sound.
    """

    example: Example
    readable: np.ndarray


@dataclass(frozen=True)
class Reading:
    """How the rolls of a data set are read.

    Attributes:
        shift: semitones that every note is moved up, usually fewer than 0.
        unreadable: probability that a frame cannot be read.
    """

    shift: int
    unreadable: float

    def voiced(self, roll: np.ndarray) -> Voiced:
        """One roll, ``[time, 88]`` 0 or 1, as voices."""
        pitch = np.full((len(roll), VOICES), REST)
        last = np.zeros(0, int)
        for t, keys in enumerate(roll):
            notes = np.flatnonzero(keys)[::-1] + LOWEST_KEY + self.shift
            notes = notes[(notes >= LOWEST) & (notes <= HIGHEST)]
            if len(notes):
                last = pitch[t] = shared_out(notes, last)
        return Voiced(example_of_bare_pitches(pitch), readable_frames(roll, self.shift))

    def nats(self, voiced: Voiced, log_probs: np.ndarray) -> float:
        """Nats of a whole roll, by a proper distribution over rolls of 88 keys.

        Args:
            voiced: the roll as voices.
            log_probs: ``[time, 4]`` of its tokens.
        """
        of_frame = -log_probs.sum(1) - np.log1p(-self.unreadable)
        apart = KEYS * np.log(2) - np.log(self.unreadable)
        return float(np.where(voiced.readable, of_frame, apart).sum())


def shared_out(notes: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Four voices, highest first, that sound all of the notes and move least.

    Args:
        notes: at least one MIDI number, highest first; of more than four, those between the third
            and the lowest are left out.
        last: ``[4]`` what the voices sounded before; empty where nothing did.
    """
    if len(notes) > VOICES:
        notes = np.array([*notes[: VOICES - 1], notes[-1]])
    # A way to share out n notes is which of the lower voices are the first to sound a next one.
    ways = [
        notes[np.searchsorted(starts, np.arange(VOICES), side="right")]
        for starts in combinations(range(1, VOICES), len(notes) - 1)
    ]
    if not len(last):
        return ways[0]
    return min(ways, key=lambda way: int(np.abs(way - last).sum()))


def readable_frames(roll: np.ndarray, shift: int) -> np.ndarray:
    """``bool[time]`` frames of at most four notes, all inside the vocabulary once moved."""
    keys = np.arange(KEYS) + LOWEST_KEY + shift
    outside = (keys < LOWEST) | (keys > HIGHEST)
    return (roll.sum(1) <= VOICES) & ~roll[:, outside].astype(bool).any(1)


def reading_of(training: Sequence[np.ndarray]) -> Reading:
    """How rolls are read, chosen on the training split's, each ``[time, 88]``."""
    frames = np.concatenate(list(training)).astype(bool)
    shifts = sorted(range(-24, 25), key=abs)
    lost = [int((~readable_frames(frames, shift)).sum()) for shift in shifts]
    least = int(np.argmin(lost))
    return Reading(shifts[least], (lost[least] + 1) / (len(frames) + 2))
