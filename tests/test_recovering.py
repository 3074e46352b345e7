"""Recovery: what dies or is turned down ends in notes that hold, or in an error that says where.

A walk through what the provers leave stands for the search: it keeps to the domains that it is
given, and where it is told to die it does.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.conflict import witness
from clausula.engine.demands import Demand, demands_of
from clausula.engine.plan import make_plan
from clausula.engine.rendering import grid_of
from clausula.engine.repair import with_returns
from clausula.engine.tables import compile_plan
from clausula.errors import SearchError
from clausula.finding import find
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.recovering import Broken, Step, Trouble, drawn, keeps_counts, mended
from clausula.verifying import judge
from clausula.vocabulary import HOLD_TOKEN

RULES = load_ruleset("chorale")
REPEATED = ("stagnation 1 in S", "pin soprano @ 3 A4")


def plan_of(*texts):
    return make_plan(
        key=Key.parse("G"),
        meter=Meter(2, 4),
        measures=4,
        form="A",
        cadences=(),
        constraints=[parse_constraint(text) for text in texts],
    )


def holds_in(plan):
    return lambda tokens: not any(judge(grid_of(tokens, plan), c, plan) for c in plan.constraints)


def passes(session, trouble, holds):
    """All that is tried, in order."""
    yield from drawn(session, 0, trouble, lambda attempt: 4 if attempt else 1)
    yield from mended(session, 0, trouble, holds)


class Walked:
    """What a pass left: a walk, or the trap in which it died."""

    def __init__(self, plan, trap=None, found=(), options=None):
        self.stuck = [] if trap is None else [trap]
        self.dead_ends = len(self.stuck)
        self.first_dead_end = plan.timeline.words(trap.frame) if trap else ""
        self.found, self.options = found, options

    def drafts(self, title, weights=None):
        return iter(self.found)


class Walking:
    """A session whose search dies at the trap until it has tried as often as it is told."""

    def __init__(self, plan, trap=None, dies=0):
        self.plan, self.compiled = plan, compile_plan(plan, RULES)
        self.config = SimpleNamespace(beam=8)
        self.trap, self.dies, self.tried = trap, dies, []
        self.demands = demands_of(self.compiled.scene)

    def search(self, seed, attempt, *, pieces=1, beam=None, domains=None):
        assert attempt == len(self.tried)
        self.tried.append((pieces, beam, domains))
        if attempt < self.dies:
            return Walked(self.plan, self.trap)
        within = [] if domains is None else [Demand("confined", domains)]
        found = witness(self.compiled.scene, [*self.demands, *within], seed)
        drafts = [] if found is None else [SimpleNamespace(tokens=found)]
        return Walked(self.plan, found=drafts)


def trapped(plan):
    """Notes from which the pin cannot be reached: its note sounds already, and may not repeat."""
    frame = plan.timeline.frame_of(3)
    before = plan_of("pin soprano @ 2 A4", "rhythm S h @ 2")
    scene = compile_plan(before, RULES).scene
    return SimpleNamespace(frame=frame, tokens=witness(scene, demands_of(scene)))


LADDER = [Step.FIRST, Step.WIDER, Step.RESTART, Step.RESTART, Step.REPAIR]


@pytest.fixture(scope="module")
def pinned():
    plan = plan_of(*REPEATED)
    return plan, trapped(plan)


@pytest.mark.parametrize("dies", range(1, len(LADDER)))
def test_each_step_is_tried_and_its_notes_hold(pinned, dies):
    plan, trap = pinned
    session, trouble, steps = Walking(plan, trap, dies), Trouble(), []
    for tried in passes(session, trouble, holds_in(plan)):
        steps.append(tried.step)
        drafts = list(tried.outcome.drafts(""))
        if drafts:
            break
    assert steps == LADDER[: dies + 1]
    assert holds_in(plan)(drafts[0].tokens)
    _, beam, domains = session.tried[-1]
    if steps[-1] is Step.WIDER:
        assert beam > session.config.beam
    else:
        # What was learnt is how far the notes got: some of them are kept.
        kept = np.flatnonzero((domains.masks == 1 << trap.tokens).all(axis=1))
        assert 0 < len(kept) < trap.frame
        assert (drafts[0].tokens[kept] == trap.tokens[kept]).all()


def test_the_search_gives_up_by_place_and_name(pinned):
    plan, trap = pinned
    with pytest.raises(SearchError) as raised:
        find(Walking(plan, trap, 1000), plan, RULES, 1, 0, "")
    error = raised.value
    for words in ("measure 3 beat 1", *REPEATED, "the rules of chorale", *LADDER):
        assert words in str(error)
    assert error.first_dead_end == "measure 3 beat 1"
    assert error.dead_ends > len(LADDER)


def test_a_draft_that_fails_is_made_to_hold_where_it_failed():
    plan = plan_of("pin soprano @ 3 A4", "repeat 1 @ 2 in S")
    session = Walking(plan)
    good = next(session.search(0, 0).drafts("")).tokens
    broken = good.copy()
    frame = plan.timeline.frame_of(3)
    broken[frame, 0] = good[frame, 0] + 2
    session.search = lambda *args, **options: Walked(plan, options=options)
    trouble = Trouble(broken=[Broken(broken, ("pin soprano @ 3 A4: measure 3 beat 1: no A4",))])
    repaired = [p for p in passes(session, trouble, holds_in(plan)) if p.step is Step.REPAIR]
    masks = repaired[0].outcome.options["domains"].masks
    tokens = np.log2(masks).astype(int)
    assert holds_in(plan)(tokens)
    beat = plan.timeline.frames_per_beat
    about = np.isin(np.arange(len(tokens)), np.arange(frame - beat, frame + beat))
    kept = ~with_returns(about, session.compiled.ties)
    assert (tokens[kept] == broken[kept]).all()


def test_counts_are_kept_as_far_as_the_notes_are_chosen():
    plan = plan_of("vary 1 @ 3 by 1-2 in S")
    tokens = np.full((32, 4), HOLD_TOKEN)
    tokens[::8] = 14
    assert not keeps_counts(plan, 32, tokens)  # an exact copy
    assert keeps_counts(plan, 20, tokens)  # it may still change
    tokens[17] = 15
    assert keeps_counts(plan, 32, tokens)
    tokens[18:20] = 15
    assert not keeps_counts(plan, 20, tokens)
