"""Passages that return changed: by no less and no more than so many notes.

A *change* is a frame of the copy in which a voice's token is not the one that the exact copy has:
another note, a note where the copy holds, a hold where the copy begins a note. So a note that is
replaced counts once, and so does one that is split, tied on or put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clausula.constraints.domains import Domains
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.repeat import Repeat, placed, token_map
from clausula.constraints.transposition import UNMOVED, Transposition
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.pitch import Key


@dataclass(frozen=True)
class Vary:
    """A passage that returns with some changes.

    >>> str(Vary(Span(Place(1), Place(3)), Place(9), least=2, most=5))
    'vary 1-2 @ 9 by 2-5 in S'

    Attributes:
        source: the passage.
        at: where it returns.
        least: changes at least.
        most: changes at most.
        how: how it is moved before it is changed.
        voices: the voices that return; their changes are counted together.
    """

    source: Span
    at: Place
    least: int
    most: int
    how: Transposition = UNMOVED
    voices: tuple[Voice, ...] = (Voice.SOPRANO,)

    def __str__(self) -> str:
        voices = ",".join(voice.name[0] for voice in self.voices)
        how = "" if self.how == UNMOVED else f" {self.how}"
        return f"vary {self.source} @ {self.at} by {self.least}-{self.most}{how} in {voices}"

    @property
    def exact(self) -> Repeat:
        """The same passage returning unchanged."""
        return Repeat(self.source, self.at, self.how, self.voices)


class Positions(NamedTuple):
    """The places of a copy in the order in which the search comes to them.

    Attributes:
        layer: int32 ``[place]`` ``4 * frame + slot``, ascending.
        source: int32 ``[place]`` the frame that the exact copy repeats.
        mapped: int8 ``[place, token]`` the exact copy's token for each of the source's, -1 for
            none.
    """

    layer: np.ndarray
    source: np.ndarray
    mapped: np.ndarray


def positions(vary: Vary, timeline: Timeline, home: Key) -> Positions:
    """The places of a varied copy.

    Raises:
        PlanError: it does not fit the piece, or has fewer places than it is to have changes.
    """
    repeat = vary.exact
    try:
        source, target = placed(repeat, timeline)
    except PlanError as error:
        raise PlanError(str(error).replace(str(repeat), str(vary))) from error
    count = len(target) * len(vary.voices)
    if vary.least > count:
        raise PlanError(
            f"{vary}: the copy has {count} places, which is fewer than {vary.least} changes; "
            "try a longer passage or fewer changes"
        )
    maps = {voice: token_map(repeat, home, voice) for voice in vary.voices}
    places = [
        (4 * frame + slot, original, maps[voice])
        for original, frame in zip(source, target, strict=True)
        for slot, voice in enumerate(SEARCH_ORDER)
        if voice in vary.voices
    ]
    layer, original, mapped = zip(*places, strict=True)
    return Positions(
        np.array(layer, np.int32), np.array(original, np.int32), np.stack(mapped).astype(np.int8)
    )


def forced_changes(places: Positions, domains: Domains) -> int:
    """How many places of a copy must change, whatever the passage is."""
    masks = domains.masks[:, SEARCH_ORDER].ravel()
    own = masks[places.layer]
    slots = places.layer % len(SEARCH_ORDER)
    passage = masks[len(SEARCH_ORDER) * places.source + slots]
    tokens = np.arange(places.mapped.shape[1], dtype=np.uint32)
    image = np.maximum(places.mapped, 0).astype(np.uint32)
    copied = (passage[:, None] >> tokens & 1) & (own[:, None] >> image & 1)
    return int((~(copied.astype(bool) & (places.mapped >= 0)).any(axis=1)).sum())
