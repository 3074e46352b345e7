"""Licences: what excuses parallels, and that nothing is reported twice."""

from fractions import Fraction

from example_scores import score
from writing_exercises import exercise

from clausula.checker.check import check
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import RuleSet, Setting, load_ruleset
from clausula.pitch import Key


def rules(**severities: Severity) -> RuleSet:
    """Some rules and how much each weighs."""
    bundled = load_ruleset("none")
    settings = tuple(Setting(code, severity) for code, severity in severities.items())
    return RuleSet("some", "", bundled.low, bundled.high, settings)


ANTICIPATED = score(
    "4/4",
    "C",
    "C5:2 D5:1/2 C5:1/2 C5:1^",
    "G4:2 G4:1/2 F4:1/2 E4:1",
    "E4:2 B3:1 C4:1",
    "C3:2 G3:1 C3:1",
)
INFO, ERROR, OFF = Severity.INFO, Severity.ERROR, Severity.OFF


def found(source, ruleset):
    keys = [(Fraction(0), Key.parse("C"))]
    return [(f.code, f.voices) for f in check(source, ruleset, "C", keys).findings]


def test_a_licence_stands_in_for_the_fault_that_it_excuses():
    assert found(ANTICIPATED, rules(M01=ERROR)) == [("M01", ("S", "A"))]
    assert found(ANTICIPATED, rules(M01=ERROR, M11=INFO)) == [("M11", ("S", "A"))]
    (licence,) = check(ANTICIPATED, rules(M01=ERROR, M11=INFO), "C").findings
    assert licence.licence == "No fault by M01 (Parallel fifths)"
    assert (licence.group, licence.root, licence.severity) == (None, False, INFO)


def test_a_licence_that_is_no_info_excuses_nothing():
    both = [("M01", ("S", "A")), ("M11", ("S", "A"))]
    assert sorted(found(ANTICIPATED, rules(M01=ERROR, M11=ERROR))) == both
    assert found(ANTICIPATED, rules(M01=ERROR, M11=OFF)) == both[:1]


def test_a_licence_excuses_its_own_voices_alone():
    two = score(
        "4/4",
        "C",
        "C5:2 D5:1/2 C5:1/2 C5:1^",
        "G4:2 G4:1/2 F4:1/2 E4:1",
        "E4:2 D4:1/2 C4:1/2 C4:1",
        "C3:2 G3:1 C3:1",
    )
    parallels = found(two, rules(M01=ERROR, M02=ERROR, M11=INFO))
    assert ("M02", ("S", "T")) in parallels
    assert ("M11", ("S", "A")) in parallels
    assert ("M01", ("S", "A")) not in parallels


def test_phrase_ends_are_told_once():
    crossing = exercise("C5 G4 E4 C3", "D5 A4 F4 D3", fermatas=(0,))
    assert found(crossing, rules(M01=ERROR, M02=ERROR)) == []
    licences = check(crossing, rules(M01=ERROR, M02=ERROR, M12=INFO), "C")
    assert {f.code for f in licences.findings} == {"M12"}
    assert "M02 (Parallel octaves or unisons)" in licences.findings[0].licence
    assert "info" in licences.to_text()
    assert licences.to_text().endswith("No faults found.")


def test_every_licence_names_rules_that_there_are():
    licences = {code: rule.licenses for code, rule in RULES.items() if rule.licenses}
    assert licences == {"M11": {"M01"}, "M12": {"M01", "M02"}}
    for code, excused in licences.items():
        assert RULES[code].severity is INFO
        assert all(RULES[each].sites is RULES[code].sites for each in excused)
