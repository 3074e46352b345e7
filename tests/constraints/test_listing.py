import json

import pytest

from clausula.constraints.listing import GROUPS, rules, rulesets_of
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import known_rulesets, load_ruleset
from clausula.errors import InputError


def codes(**filters) -> list[str]:
    return [each.rule.code for each in rules(**filters)]


def test_every_rule_is_listed_in_the_order_of_the_groups():
    assert sorted(codes()) == sorted(RULES)
    assert [code for code in codes() if code.endswith("01")] == [f"{letter}01" for letter in GROUPS]


def test_every_rule_set_tells_how_it_takes_a_rule():
    (listed,) = rules(code="m04")
    assert [each.ruleset for each in listed.standings] == known_rulesets()
    for each in listed.standings:
        assert each.severity is load_ruleset(each.ruleset).severity("M04")
        assert set(each.choices) == set(RULES["M04"].switches)


def test_a_rule_set_lists_what_it_takes(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[ranges]\nS = ["C4", "G5"]\nA = ["G3", "D5"]\nT = ["C3", "A4"]\nB = ["E2", "D4"]\n'
        "[rules]\n"
        'M04 = { severity = "style", of = "octaves" }\nV03 = { severity = "off", cost = 2 }\n'
        'M01 = { severity = "off" }\n'
    )
    assert codes(ruleset=path) == ["V03", "M04"]
    assert "M01" in codes(ruleset=path, severity="off")
    direct = rules(path)[1].standings
    assert [each.ruleset for each in direct] == ["mine"]
    assert direct[0].choices == {"pairs": "outer", "soprano": "leaps", "of": "octaves"}
    assert [each.name for each in rulesets_of(path)] == ["mine"]
    assert codes(ruleset="none") == []


def test_filters():
    assert codes(code="M01, T") == [
        code for code in codes() if code == "M01" or code.startswith("T")
    ]
    assert set(codes(enforced="check-only,finals-only")) == {
        code
        for code, rule in RULES.items()
        if rule.enforcement.name in ("CHECK_ONLY", "FINALS_ONLY")
    }
    graves = {each.rule.code for each in rules(severity="error")}
    sets = [load_ruleset(name) for name in known_rulesets()]
    assert graves == {c for c in RULES if Severity.ERROR in {s.severity(c) for s in sets}}
    assert "T13" in codes(search="SEVENTH tonic")
    assert codes(search="seventh cambiata kumquat") == []


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"code": "M99"}, "no rule has the code 'M99'; try"),
        ({"code": "X"}, "'X'; try"),
        ({"severity": "grave"}, "severity 'grave' is unknown; try off, label"),
        ({"enforced": "masks"}, "enforcement 'masks' is unknown; try mask, automaton"),
        ({"ruleset": "foox"}, "no rule set 'foox'"),
    ],
)
def test_what_is_unknown_is_said(filters, words):
    with pytest.raises(InputError, match=words):
        rules(**filters)


def test_plain_values():
    value = json.loads(json.dumps(rules("fux", code="A03")[0].to_json()))
    assert value["code"] == "A03"
    assert value["name"] == RULES["A03"].name
    assert value["severity"] == {"fux": "error"}
    assert value["source"] == RULES["A03"].source
    assert value["enforcement"] == "check-only"
    assert value["switches"]["licence"]["choices"] == ["none", "step"]
    assert value["switches"]["licence"]["chosen"] == {"fux": "none"}
