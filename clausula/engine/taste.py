"""Which of several pieces to keep: likelihood is not taste (design §7).

A piece's *taste score* says how far it is from real pieces, 0 at best. Each term but one is a
distance from the real pieces' mean, in their standard deviations, to both sides: a piece that is
likelier than real ones is dull, not good. The last, ``cost``, is what soft rules and wishes asked,
in nats a measure. The score is

    sum of weight * distance ** 2 over the terms, and weight * cost.

The smallest score ranks first. The real pieces are those held out of every training.

Terms: ``nats`` a frame under the proposal; ``onsets`` a beat, mean of the voices; ``together``, the
share of voice pairs that move at once; ``chords`` a quarter note; ``longest_chord`` in beats;
``still``, the share of beats that bring the chord of the beat before; ``leaps``, the share of
melodic intervals from a fourth on; ``dissonance`` on strong beats; ``pitch_similarity`` and
``rhythm_similarity``, how much of a measure an earlier one brought already; ``cost``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from clausula.corpus.stats import self_similarity, statistics, stillness
from clausula.errors import InputError
from clausula.grid import Grid

REFERENCE = Path(__file__).with_name("taste.json")
FEATURES = (
    "onsets",
    "together",
    "chords",
    "longest_chord",
    "still",
    "leaps",
    "dissonance",
    "pitch_similarity",
    "rhythm_similarity",
)
# The network hears most; of what it does not, the features, several say much the same.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"nats": 1.0} | dict.fromkeys(FEATURES, 0.5) | {"cost": 1.0}
)
DISTINCT = 0.25  # share of voice frames in which two candidates must differ


class Spread(NamedTuple):
    """Mean and standard deviation over real pieces."""

    mean: float
    deviation: float


def features(grid: Grid) -> dict[str, float]:
    """What taste looks at in one piece, besides the network's opinion."""
    seen = statistics([grid])
    intervals = seen["melodic_intervals"].values()
    alike = self_similarity([grid])
    return {
        "onsets": float(np.mean(list(seen["onsets_per_beat"].values()))),
        "together": seen["moving_together"],
        "chords": seen["chords_per_measure"] / float(grid.meter.quarters),
        "longest_chord": seen["longest_chord"],
        "still": stillness([grid]),
        "leaps": float(np.mean([each["fourth to fifth"] + each["larger"] for each in intervals])),
        "dissonance": seen["strong_dissonance"],
        "pitch_similarity": alike["pitches"],
        "rhythm_similarity": alike["rhythms"],
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
    """The terms of one piece: distances in standard deviations, and ``cost`` in nats a measure.

    Args:
        grid: the piece.
        nats_per_frame: under the proposal.
        cost_per_frame: nats of soft rules and wishes.
    """
    real = reference()
    measured = {"nats": nats_per_frame} | features(grid)
    terms = {
        name: (value - real[name].mean) / real[name].deviation for name, value in measured.items()
    }
    return terms | {"cost": cost_per_frame * grid.frames_per_measure}


def taste_parts(
    terms: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS
) -> dict[str, float]:
    """What each term adds to the score."""
    return {
        name: weights[name] * (value if name == "cost" else value**2)
        for name, value in terms.items()
    }


def taste(terms: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """The score: smaller is nearer to real pieces."""
    return sum(taste_parts(terms, weights).values())


def taste_report(terms: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, Any]:
    """Score, and value, weight and contribution of every term, rounded, for a report."""
    parts = taste_parts(terms, weights)
    return {
        "score": round(sum(parts.values()), 4),
        "terms": {
            name: {"value": round(value, 4), "weight": weights[name], "adds": round(part, 4)}
            for (name, value), part in zip(terms.items(), parts.values(), strict=True)
        },
    }


def parse_taste(text: str) -> dict[str, float]:
    """Read ``"nats=2,still=0"``.

    Raises:
        InputError: not names with numbers.
    """
    weights = {}
    for part in text.split(","):
        name, found, number = part.partition("=")
        try:
            if not found:
                raise ValueError
            weights[name.strip()] = float(number)
        except ValueError:
            raise InputError(
                f"taste {part.strip()!r} is no weight; write names with numbers: nats=2,still=0"
            ) from None
    return weights


def taste_weights(asked: Mapping[str, float] | None) -> dict[str, float]:
    """The weights of all terms; those that are not asked for have their own.

    Raises:
        InputError: a term that there is not, or a weight that ranks nothing.
    """
    weights = dict(WEIGHTS) | dict(asked or {})
    for name, weight in weights.items():
        if name not in WEIGHTS:
            near = get_close_matches(name, WEIGHTS, n=1) or WEIGHTS
            raise InputError(f"taste has no term {name!r}; try {', '.join(near)}")
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise InputError(f"taste {name}={weight!r}; try a number, 0 to leave the term out")
        if not 0 <= weight < math.inf:
            raise InputError(f"taste {name}={weight:g}; try 0, which leaves the term out, or more")
    if not any(weights.values()):
        raise InputError("every weight of taste is 0, which ranks nothing; leave one above 0")
    return weights


def difference(one: Grid, other: Grid) -> float:
    """Share of voice frames in which two pieces of one length sound different pitches."""
    return float((one.pitch != other.pitch).mean())
