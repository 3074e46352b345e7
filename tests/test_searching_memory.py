"""Pieces that are searched side by side fit in memory together."""

from clausula import searching
from clausula.constraints.rulesets import load_ruleset
from clausula.engine.beam import SearchConfig
from clausula.engine.plan import make_plan
from clausula.engine.tables import compile_plan
from clausula.grid import Meter
from clausula.pitch import Key


def test_fewer_pieces_at_once_where_their_messages_are_large(monkeypatch):
    ruleset = load_ruleset("chorale")
    plan = make_plan(key=Key.parse("C"), meter=Meter(4, 4), measures=4)
    session = searching.Session(plan, compile_plan(plan, ruleset), ruleset, SearchConfig(beam=2))
    usual = session.most_at_once
    assert usual >= 16
    monkeypatch.setattr(searching, "MESSAGE_BYTES", searching.MESSAGE_BYTES // usual)
    assert session.most_at_once == 1
    assert session.search(0, pieces=4).result.score.shape[0] == 1
