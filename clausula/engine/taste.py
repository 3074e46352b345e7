"""Which of several pieces to keep: likelihood is not taste (design §7).

Each term is a distance from real pieces in their own standard deviations; the sum of the weighted
squares ranks candidates, smallest first. The real pieces are those held out of every training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clausula.corpus.stats import statistics
from clausula.grid import Grid

REFERENCE = Path(__file__).with_name("taste.json")
FEATURES = ("onsets", "together", "chords", "longest_chord", "leaps", "dissonance")
WEIGHTS: Mapping[str, float] = {"nats": 1.0, "cost": 1.0} | dict.fromkeys(FEATURES, 0.5)
DISTINCT = 0.25  # share of voice frames in which two candidates must differ


class Spread(NamedTuple):
    """Mean and standard deviation over real pieces."""

    mean: float
    deviation: float


def features(grid: Grid) -> dict[str, float]:
    """What taste looks at in one piece, besides the network's opinion."""
    seen = statistics([grid])
    intervals = seen["melodic_intervals"].values()
    return {
        "onsets": float(np.mean(list(seen["onsets_per_beat"].values()))),
        "together": seen["moving_together"],
        "chords": seen["chords_per_measure"] / float(grid.meter.quarters),
        "longest_chord": seen["longest_chord"],
        "leaps": float(np.mean([each["fourth to fifth"] + each["larger"] for each in intervals])),
        "dissonance": seen["strong_dissonance"],
    }


def write_reference(grids: Sequence[Grid], nats: Sequence[float], path: Path = REFERENCE) -> None:
    """Record the real pieces' means and deviations.

    Args:
        grids: pieces that no training saw.
        nats: the proposal's nats per frame of each.
        path: the JSON file.
    """
    rows = [features(grid) | {"nats": value} for grid, value in zip(grids, nats, strict=True)]
    table = {
        name: {
            "mean": round(float(np.mean([row[name] for row in rows])), 5),
            "deviation": round(float(np.std([row[name] for row in rows])), 5),
        }
        for name in rows[0]
    }
    path.write_text(json.dumps(table, indent=1) + "\n")


@cache
def reference(path: Path = REFERENCE) -> dict[str, Spread]:
    """Means and deviations of real pieces, by term."""
    table = json.loads(path.read_text())
    return {name: Spread(row["mean"], row["deviation"]) for name, row in table.items()}


def taste_terms(grid: Grid, nats_per_frame: float, cost_per_frame: float) -> dict[str, float]:
    """Distance of each feature from the real pieces' mean, in standard deviations.

    Args:
        grid: the piece.
        nats_per_frame: under the proposal.
        cost_per_frame: nats of soft rules.
    """
    real = reference()
    terms = {
        name: (value - real[name].mean) / real[name].deviation
        for name, value in features(grid).items()
    }
    terms["nats"] = (nats_per_frame - real["nats"].mean) / real["nats"].deviation
    terms["cost"] = cost_per_frame
    return terms


def taste(terms: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """The weighted sum of squares of the terms; smaller is nearer to real pieces."""
    return float(sum(weights[name] * value**2 for name, value in terms.items()))


def difference(one: Grid, other: Grid) -> float:
    """Share of voice frames in which two pieces of one length sound different pitches."""
    return float((one.pitch != other.pitch).mean())
