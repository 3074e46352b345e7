"""What is added to plans so that they share a program asks for nothing."""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import one_program

from clausula.engine import copying
from clausula.engine.budgets import all_changes
from clausula.engine.copying import Register, copied_chords, copied_notes
from clausula.vocabulary import FIRST_PITCH

N = 3


def test_no_place_is_counted_or_looked_ahead_of():
    history = jnp.full((N, 16, 4), FIRST_PITCH, jnp.int8)
    for layer in (0, 1, 37):
        said = all_changes(
            [one_program._no_budget()], history, jnp.zeros((N, 1), int), jnp.int32(layer)
        )
        assert bool(said.allowed.all())
        for nothing in (said.differs, said.cost, said.log_guide):
            np.testing.assert_array_equal(nothing, 0)


def test_no_run_is_forbidden():
    rng = np.random.default_rng(0)
    lines = one_program._no_limit(*one_program.LINES, voices=(0,))
    chords = one_program._no_limit(*one_program.CHORDS)
    register = Register(
        *(jnp.asarray(rng.integers(50, 70, shape)) for shape in ((N, 4, 7), (N, 4, 7))),
        *(jnp.asarray(rng.integers(50, 70, shape)) for shape in ((N, 3, 4), (N, 3))),
    )
    token = jnp.asarray(rng.integers(FIRST_PITCH, 32, (N, 4)))
    assert not copied_notes(lines, register, jnp.int32(80)).any()
    assert not copied_chords(chords, register, jnp.int32(80), token, token).any()
    # A limit that is asked for has the shapes of one that is not.
    grids = copying.load_chorales().grids
    for none in (lines, chords):
        asked = copying.MaxCopy(len(none.notes), voices=(0,) if none is lines else ())
        real = copying.copies_of(asked, np.inf, grids)
        assert [np.shape(a) for a in real] == [np.shape(a) for a in none]
