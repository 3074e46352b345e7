"""Which drafts become candidates: verified ones, apart from each other, nearest to real first."""

from types import SimpleNamespace

import numpy as np
import pytest

from clausula import finding
from clausula.checker.report import Report
from clausula.constraints.rulesets import load_ruleset
from clausula.engine.plan import make_plan
from clausula.engine.tables import compile_plan
from clausula.engine.taste import WEIGHTS, taste
from clausula.errors import SearchError
from clausula.finding import AT_ONCE, compared, find, pieces_at_once
from clausula.grid import Grid, Meter
from clausula.pitch import Key
from clausula.recovering import FRESH
from clausula.verifying import Verification

PLAN = make_plan(key=Key.parse("C"), meter=Meter(4, 4), measures=2, form="A")
COMPILED = compile_plan(PLAN, load_ruleset("chorale"))
NUMBERS = {"log_net": -1.0, "log_q": -1.0, "log_weight": None, "log_hmm": 0.0, "cost": 0.0}
CLEAN = Report("", PLAN.key, "given", 1.0, (), "none", ())


def draft(nats, changed=0):
    """A draft that differs from others by the frames in which its soprano and alto move."""
    pitch = np.tile([72, 67, 60, 48], (32, 1))
    pitch[:changed, :2] += 2
    onset = np.arange(32)[:, None] % 4 == np.zeros(4, int)
    grid = Grid(pitch, PLAN.key.spell(pitch), onset, PLAN.phrase_end, Meter(4, 4), PLAN.key)
    terms = dict.fromkeys(WEIGHTS, 0.0) | {"nats": nats}
    return SimpleNamespace(grid=grid, tokens=pitch, terms=terms, **NUMBERS)


class Session:
    """Gives the same drafts in every pass, best first, and remembers what it was asked."""

    def __init__(self, drafts):
        self.given, self.passes = drafts, []
        self.plan, self.compiled = PLAN, COMPILED

    def search(self, seed, attempt, pieces):
        self.passes.append((attempt, pieces))
        return SimpleNamespace(stuck=[], dead_ends=0, first_dead_end="", drafts=self.drafts)

    def drafts(self, title, weights):
        return sorted(self.given, key=lambda each: taste(each.terms, weights))


@pytest.fixture
def judged(monkeypatch):
    """Drafts whose grids are appended to this list fail verification."""
    faulty: list[Grid] = []

    def verify(score, plan, ruleset):
        bad = any(np.array_equal(score, grid.pitch) for grid in faulty)
        return [Verification("PAC@2", not bad, ("no",) if bad else ())], CLEAN

    monkeypatch.setattr(finding, "verify", verify)
    monkeypatch.setattr(finding, "notated", lambda grid, plan, title: grid.pitch)
    return faulty


def found(drafts, candidates, **options):
    session = Session(drafts)
    return find(session, PLAN, None, candidates, 0, "", **options), session


def test_near_copies_are_no_candidates(judged):
    result, session = found([draft(0), draft(0.1, 4), draft(0.2, 16)], 2)
    assert [each.report["taste"]["score"] for each in result.accepted] == [0, pytest.approx(0.04)]
    assert session.passes == [(0, 4)]


def test_only_verified_drafts_are_ranked(judged):
    drafts = [draft(0), draft(0.5, 16)]
    judged.append(drafts[0].grid)
    result, session = found(drafts, 1)
    assert [each.taste for each in result.accepted] == [0.25]
    assert result.rejected == 1
    assert session.passes == [(0, 1)]


def test_fewer_than_wanted_are_given_back_and_counted(judged):
    result, session = found([draft(0.3), draft(0.1, 16)], 5)
    assert [each.taste for each in result.accepted] == pytest.approx([0.01, 0.09])
    assert session.passes == [(attempt, 8) for attempt in range(1 + FRESH)]
    said = compared(result.accepted[1], result.accepted, 5)["candidates"]
    assert said == {"wanted": 5, "found": 2, "least": 0.25, "differs": [0.25, 0.0]}


def test_none_is_an_error(judged):
    only = draft(0)
    judged.append(only.grid)
    with pytest.raises(SearchError, match=r"gave up after 3 passes.*PAC@2"):
        found([only], 2)


def test_weights_decide_which_comes_first(judged):
    calm, bold = draft(0), draft(2, 16)
    calm.terms["leaps"] = 1
    assert found([calm, bold], 1)[0].accepted[0].grid is calm.grid
    weights = WEIGHTS | {"nats": 0}
    assert found([calm, bold], 1, weights=weights)[0].accepted[0].grid is bold.grid


def test_pieces_at_once_are_few_shapes():
    assert pieces_at_once(1, 0) == 1
    assert {pieces_at_once(n, a) for n in range(1, 65) for a in (1, 2)} == {4, 8, 12, AT_ONCE}
