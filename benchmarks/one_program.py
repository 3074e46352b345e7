"""Parts that ask for nothing, so that requests of all kinds share a few compiled programs.

A plan with a varied return, a limit on copies or a pin runs another program than one without, which
is as it should be: nobody pays for what nobody asked. Over a thousand requests at random most of
the time would go into compiling. What is added here is read by the search and changes no note.
"""

from __future__ import annotations

import numpy as np

from clausula import searching
from clausula.constraints.copying import MaxCopy
from clausula.constraints.domains import Domains
from clausula.engine import budgets, copying, layers, tables
from clausula.engine.budgets import NOWHERE, Budget, budgets_of, log_ahead
from clausula.engine.copying import Copies, CopyTables, copies_of, copy_tables
from clausula.engine.plan import Plan
from clausula.vocabulary import N_VOICE

FRAMES = 512  # 32 measures of 4/4
ROOM = (256, 2048, 32)  # tables, states and successors of an automaton
GROUPS = 128
PLACES = 128  # of a varied return
BUDGETS = 1
LINES = (8, 1 << 16)  # notes of a run that is not to be copied, and runs of the corpus
CHORDS = (4, 1 << 15)  # verticalities likewise


def share_programs() -> None:
    """From now on plans up to ``FRAMES`` long that ask for usual things are of one shape."""
    tables.FRAME_BUCKET, tables.LEAST_LAYERS = FRAMES, ROOM
    layers.GROUPS, budgets.PLACES = GROUPS, PLACES
    searching.ALWAYS_PINNED = True
    budgets.budgets_of = _at_least_one_budget
    copying.copy_tables = _at_least_one_limit


def _at_least_one_budget(plan: Plan, domains: Domains) -> tuple[Budget, ...]:
    """The varied returns of a plan, or one of no place."""
    found = budgets_of(plan, domains)
    missing = BUDGETS - len(found)
    return (*found, *[_no_budget()] * missing)


def _no_budget() -> Budget:
    nowhere = np.full(PLACES, NOWHERE, np.int32)
    by_theme = np.zeros((PLACES, N_VOICE), bool)
    zero = np.int32(0)
    return Budget(
        layer=nowhere,
        source=np.zeros_like(nowhere),
        mapped=by_theme.astype(np.int8),
        must=by_theme,
        can=by_theme,
        must_all=by_theme[:, 0],
        can_any=by_theme[:, 0],
        least=zero,
        most=zero,
        price=np.float32(np.inf),
        log_ahead=log_ahead(0, 0, np.inf, PLACES).astype(np.float32),
    )


def _at_least_one_limit(plan: Plan) -> CopyTables:
    """The limits on copies of a plan, or one each of lines and of chords that no run breaks."""
    found = copy_tables(plan)
    return CopyTables(
        found.lines or (_no_limit(*LINES, voices=(0,)),), found.chords or (_no_limit(*CHORDS),)
    )


def _no_limit(length: int, runs: int, voices: tuple[int, ...] = ()) -> Copies:
    asked = MaxCopy(length, voices=voices)
    empty = copies_of(asked, 0.0, [])
    return empty._replace(
        hashes=np.full(runs, np.iinfo(np.uint32).max, np.uint32),
        voices=np.zeros_like(empty.voices),
    )
