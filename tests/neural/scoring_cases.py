"""What any proposal is tested on: a few real openings, and whether its rows are distributions."""

from functools import cache

import numpy as np

from clausula.corpus import load_chorales
from clausula.grid import SEARCH_ORDER, Grid
from clausula.neural.features import Example, example_of, example_of_bare_pitches
from clausula.neural.scoring import rows_stepwise
from clausula.proposal import Proposal
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, REST_TOKEN


@cache
def openings(count: int, frames: int = 64) -> list[Grid]:
    """The first frames of the first pieces of the corpus."""
    return [
        Grid(
            grid.pitch[:frames],
            grid.step[:frames],
            grid.onset[:frames],
            grid.phrase_end[:frames],
            grid.meter,
            grid.key,
            grid.pickup,
        )
        for grid in load_chorales().grids[:count]
    ]


def examples_of_openings(count: int, *, holds: bool) -> list[Example]:
    """The openings as examples, with everything known or as bare pitches."""
    if holds:
        return [example_of(grid) for grid in openings(count)]
    return [example_of_bare_pitches(grid.pitch) for grid in openings(count)]


def nats_of_rows(rows: np.ndarray, example: Example) -> np.ndarray:
    """``[4]`` nats of the tokens that were chosen, all frames together, slots in search order."""
    order = [int(voice) for voice in SEARCH_ORDER]
    chosen = np.take_along_axis(rows, example.token[:, order, None], -1)
    return -chosen[..., 0].astype(float).sum(0)


def assert_rows_are_distributions(
    proposal: Proposal, example: Example, *, holds: bool
) -> np.ndarray:
    """Each row sums to one; every pitch and the rest keep some probability; the rows."""
    rows = rows_stepwise(proposal, example)
    assert rows.shape[:2] == example.token.shape
    np.testing.assert_allclose(np.exp(rows.astype(float)).sum(-1), 1.0, atol=1e-5)
    assert np.isfinite(rows[..., FIRST_PITCH:]).all()
    assert np.isfinite(rows[..., REST_TOKEN]).all()
    assert np.isfinite(rows[..., HOLD_TOKEN]).all() == holds
    return rows
