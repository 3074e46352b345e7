import copy
import json
from dataclasses import replace

import pytest
from example_scores import score
from schemas import SCHEMA, violations
from writing_exercises import exercise

from clausula.checker.check import check
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.passage import Task
from clausula.constraints.registry import RULES
from clausula.constraints.rulesets import Setting, load_ruleset
from clausula.corpus.chorales import load_chorales
from clausula.gridding import to_score
from clausula.pitch import Key

FIFTHS = exercise("C5 G4 E4 C3", "D5 A4 F4 D3", "B4 G4 D4 G3", "C5 G4 E4 C3")
SPECIES = score("4/4", "d", "A4:2 A4:2 B4:2 D5:2 C#5:4 D5:4", "D3:4 E3:4 E3:4 D3:4")
EVERY_RULE = replace(
    load_ruleset("chorale"),
    settings=tuple(Setting(code, rule.severity) for code, rule in RULES.items()),
)


def reports():
    chorale = load_chorales().grids[3]
    yield check(FIFTHS)
    yield check(FIFTHS, EVERY_RULE, "C")
    yield check(exercise("C5 G4 E4 C3", "D5 A4 F4 D3", fermatas=(0,)), EVERY_RULE, "C")
    yield check(to_score(chorale, title="<chorale>"), EVERY_RULE)
    yield check(SPECIES, "fux", task=Task(species=2, cantus=1))
    yield check(exercise("G4", "A4", names=("Flute",), pickup=1), EVERY_RULE)


def test_reports_keep_to_the_published_schema():
    severities, groups = set(), set()
    for report in reports():
        data = json.loads(json.dumps(report.to_json()))
        assert violations(data) == []
        severities |= {found["severity"] for found in data["findings"]}
        groups |= {found["group"] is None for found in data["findings"]}
    assert severities == {"error", "warning", "style", "info", "label"}
    assert groups == {True, False}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("key",), "H major"),
        (("key_confidence",), 2),
        (("slips",), -1),
        (("slips",), True),
        (("extra",), 1),
        (("counts", "fatal"), 1),
        (("findings", 0, "group"), 0),
        (("findings", 0, "severity"), "off"),
        (("findings", 0, "note_ids"), [1]),
        (("chords", 0, "beat"), 0),
        (("cadences", 0, "kind"), "V-I"),
    ],
)
def test_the_schema_refuses_what_is_no_report(path, value):
    data = copy.deepcopy(check(FIFTHS).to_json())
    target = data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert len(violations(data)) == 1
    missing = check(FIFTHS).to_json()
    del missing["keys"]
    assert violations(missing)


def test_the_schema_names_every_field():
    data = check(FIFTHS).to_json()
    assert list(data) == SCHEMA["required"]
    assert list(data["findings"][0]) == SCHEMA["$defs"]["finding"]["required"]


def test_a_report_names_keys_chords_and_cadences():
    report = check(exercise("C5 G4 E4 C3", "D5 G4 B3 G3", "C5 G4 E4 C3"), key="C")
    c = Key.parse("C")
    assert report.keys == ((1, 1, c),)
    assert report.chords == ((1, 1, "I", c), (1, 2, "V", c), (1, 3, "I", c))
    assert report.cadences == ((1, 3, CadenceKind.PAC, c),)
    data = report.to_json()
    assert data["chords"][1] == {"measure": 1, "beat": 2, "numeral": "V", "key": "C major"}
    assert data["cadences"] == [{"measure": 1, "beat": 3, "kind": "PAC", "key": "C major"}]


def test_consequences_are_indented_below_their_root():
    lines = check(FIFTHS, key="C").to_text().splitlines()
    assert lines[1].startswith("m. 1, beat 2  error    M0")
    assert lines[2].startswith("  m. 1, beat 2  error    M0")
    assert lines[-1].startswith("2 errors in 1 slip")


def test_a_report_without_its_roots_still_shows_every_fault():
    report = check(FIFTHS, key="C")
    rest = replace(report, findings=tuple(each for each in report.findings if not each.root))
    assert len(rest.findings) == len(rest.tree)
    assert {each.code for each, _ in rest.tree} >= {"M02"}


def test_a_numeral_begins_a_message_as_it_is_written():
    report = check(
        exercise("C5 G4 E4 C3", "B4 D4 G3 G3", "C5 E4 A3 A3"), "common-practice-strict", "C"
    )
    (doubling,) = [f for f in report.findings if f.code == "V16"]
    assert doubling.message == "vi after V does not double its third"
