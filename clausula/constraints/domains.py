"""Unary domains: which tokens each voice may take in each frame.

Conventions: one 32-bit word a cell, bit ``j`` for voice token ``j``; time first, voices last,
soprano first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from clausula.constraints.place import Timeline
from clausula.errors import ImpossibleError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

CELL = "the notes allowed in one place"  # as a prover
ALL_TOKENS = 0xFFFFFFFF
REST_BIT = 1 << REST_TOKEN
HOLD_BIT = 1 << HOLD_TOKEN
ONSET_BITS = ALL_TOKENS & ~(REST_BIT | HOLD_BIT)


@dataclass(frozen=True, eq=False)
class Domains:
    """Sets of allowed tokens.

    Attributes:
        masks: uint32 ``[time, voice]``, bit ``j`` set where voice token ``j`` is allowed.
    """

    masks: np.ndarray

    @classmethod
    def full(cls, n_frames: int) -> Domains:
        """Everything allowed everywhere."""
        return cls(np.full((n_frames, len(Voice)), ALL_TOKENS, np.uint32))

    def __and__(self, other: Domains) -> Domains:
        return Domains(self.masks & other.masks)

    def by_layer(self) -> np.ndarray:
        """Bool ``[layer, token]``: the same sets in the order of the search."""
        words = self.masks[:, SEARCH_ORDER].reshape(-1, 1)
        return (words >> np.arange(N_VOICE, dtype=np.uint32) & 1).astype(bool)

    def empty_cells(self) -> list[tuple[int, Voice]]:
        """Frame and voice of every cell that allows nothing, the earliest first."""
        return [(int(frame), Voice(int(voice))) for frame, voice in np.argwhere(self.masks == 0)]


def onsets_on(voice: Voice, pitch_classes: Iterable[int]) -> int:
    """Bits of the tokens that start a note of one of these pitch classes (0 = C)."""
    wanted = [pc % 12 for pc in pitch_classes]
    starts = np.isin(voice_semitones(voice) % 12, wanted)
    starts[:FIRST_PITCH] = False
    return sum(1 << int(token) for token in np.flatnonzero(starts))


def phrase_domains(timeline: Timeline) -> Domains:
    """Every phrase begins with a note or a rest in every voice: nothing is held into it."""
    domains = Domains.full(timeline.n_frames)
    starts = [0, *timeline.boundaries[:-1]]
    domains.masks[starts] &= np.uint32(ALL_TOKENS & ~HOLD_BIT)
    return domains


def meet(parts: Sequence[tuple[str, Domains]], timeline: Timeline) -> Domains:
    """What all constraints allow together.

    Args:
        parts: each constraint by the name a user knows it by, and what it allows.
        timeline: of the piece, for the message.

    Raises:
        ImpossibleError: some voice is left with nothing somewhere; it names the place and an
            irreducible set of constraints that conflict there.
    """
    together = Domains.full(timeline.n_frames)
    for _, domains in parts:
        together &= domains
    empty = together.empty_cells()
    if not empty:
        return together
    frame, voice = empty[0]
    names = irreducible([(name, int(part.masks[frame, voice])) for name, part in parts])
    raise ImpossibleError(
        f"{timeline.words(frame)}, {voice.name.lower()}: nothing satisfies "
        f"{' together with '.join(names)}; try another place, key or range for one of them",
        names,
        CELL,
        detail=f"{timeline.words(frame)}, {voice.name.lower()}; try another place, key or range",
    )


def irreducible(cells: list[tuple[str, int]]) -> list[str]:
    """Names of a set of masks that allow nothing together, none of which can be left out."""
    needed = list(cells)
    for cell in cells:
        others = [other for other in needed if other is not cell]
        left = ALL_TOKENS
        for _, mask in others:
            left &= mask
        if left == 0:
            needed = others
    return [name for name, _ in needed]
