"""Soft constraints: a wish at a price.

A constraint that is kept or broken as a whole asks its weight once, where it first is certain that
it will be broken. Those that many notes can break ask it for each: a range and a scale for every
note that begins outside, a progression for every chord, a return for every change, a limit on
copies for every note that completes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clausula.constraints.text import HardConstraint


@dataclass(frozen=True)
class Soft:
    """A constraint that may be broken.

    >>> str(Soft(Climax(Voice.SOPRANO), 3.0))
    'soft 3 climax once S'

    Attributes:
        constraint: what is wished for.
        weight: nats that breaking it costs.
    """

    constraint: HardConstraint
    weight: float

    def __str__(self) -> str:
        return f"soft {self.weight:g} {self.constraint}"
