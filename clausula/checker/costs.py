"""What an analysis of harmony costs, in nats; set, then tuned on ten annotated chorales."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """What an analysis costs, in nats; those of notes and members a quarter note.

    Attributes:
        stepwise: a foreign note reached and left by step, from a weaker to a stronger moment.
        accented: how many times more where it is stronger than what follows.
        suspended: one that is kept from before and falls by step.
        half: one that has a step on one side alone.
        leaping: one that has none.
        in_bass: how many times more in the bass.
        missing: root, third, fifth, seventh that does not sound.
        inversion: each member in the bass.
        fit: how much all of these count.
        change: another chord, by the metrical level of its slice.
        same_root: another chord on the same root, beside.
        same_root_share: share of the costs of another chord that it pays.
        follows: how much it counts what follows what.
        rarity: how much it counts how usual a chord is.
        key_change: another key.
        key_distance: each further sharp or flat between both.
        from_home: each sharp or flat from the home key, a quarter note.
        other_close: a phrase that closes on neither tonic nor dominant.
        dominant_close: one that closes on a dominant.
        other_start: a piece that begins in another key.
        other_end: one that ends there.
    """

    stepwise: float = 0.51
    accented: float = 2.18
    suspended: float = 0.94
    half: float = 3.28
    leaping: float = 4.0
    in_bass: float = 2.86
    missing: tuple[float, float, float, float] = (1.55, 0.95, 0.24, 0.87)
    inversion: tuple[float, float, float, float] = (0, 0.14, 1.36, 0.25)
    fit: float = 1.31
    change: tuple[float, float, float, float, float] = (0, 0, 0, 0.94, 1.68)
    same_root: float = 0.26
    same_root_share: float = 0.45
    follows: float = 1.01
    rarity: float = 1.19
    key_change: float = 2.47
    key_distance: float = 0.79
    from_home: float = 0.09
    other_close: float = 1.94
    dominant_close: float = 2.22
    other_start: float = 3.65
    other_end: float = 2.54


COSTS = Costs()
