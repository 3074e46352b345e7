import pytest

from clausula.constraints.explain import explain
from clausula.constraints.registry import RULES
from clausula.errors import InputError

HEADINGS = ["What it says", "Why", "Example", "Instead", "Exceptions", "Source"]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_headings_stand_in_order_and_the_example_is_shown(rule):
    lines = explain(rule.code.lower()).splitlines()
    assert lines[0] == f"{rule.code}  {rule.name}"
    places = [lines.index(heading) for heading in HEADINGS]
    assert places == sorted(places)
    example = "\n".join(lines[places[2] : places[3]])
    notes = rule.breaking[0].lines or rule.breaking[0].chords
    assert all(note in example for several in notes for note in several.split())
    assert example.count("<") == len(set(rule.breaking[0].at) - {","})
    assert "<" not in "\n".join(lines[places[3] : places[4]])
    assert max(map(len, lines)) <= 88


def test_it_says_how_the_rule_sets_take_the_rule():
    assert "chorale: style, 0.5 nats a frame" in " ".join(explain("V03").split())


def test_an_unknown_code():
    with pytest.raises(InputError, match="M01"):
        explain("MO1")
