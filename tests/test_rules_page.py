"""Rules engraved: what is at fault is coloured, glyphs are shared, nothing hidden stays."""

import re
import xml.etree.ElementTree as ET

import pytest

from clausula.checker.examples import notes_at_fault
from clausula.constraints.listing import rules, rulesets_of
from clausula.constraints.registry import RULES
from clausula.constraints.rulesets import load_ruleset
from clausula.rules_engraving import engrave
from clausula.rules_page import page

CHORALE = load_ruleset("chorale")


def drawn(code: str, breaking: bool = True) -> str:
    rule = RULES[code]
    return engrave(rule, (rule.breaking if breaking else rule.obeying)[0], CHORALE).svg


@pytest.mark.parametrize(
    ("code", "notes"),
    [
        ("V10", {"S1", "B1"}),
        ("M01", {"T1", "T2", "B1", "B2"}),  # its message tells of both chords
        ("T01", {"S1", "S2"}),
        ("V05", {"S2", "A2", "T2", "B2"}),
    ],
)
def test_notes_at_fault(code, notes):
    rule = RULES[code]
    assert notes_at_fault(rule, rule.breaking[0], CHORALE) == notes
    assert notes_at_fault(rule, rule.obeying[0], CHORALE) == set()
    assert drawn(code).count('class="fault"') == len(notes)
    assert 'class="fault"' not in drawn(code, breaking=False)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_breaking_example_has_notes_at_fault(rule):
    for example in rule.breaking:
        assert notes_at_fault(rule, example, CHORALE), example


def test_a_tied_note_is_coloured_on_both_sides_of_the_bar_line():
    suspended = RULES["F02"].breaking[0]
    faults = notes_at_fault(RULES["F02"], suspended, CHORALE)
    assert drawn("F02").count('class="fault"') > len(faults)


def test_numerals_and_figures_stand_below_the_bass():
    assert re.findall(r">([^<>]+)</tspan>", drawn("V19")) == ["I", "V6"]
    figured = next(example for example in RULES["V18"].breaking if example.figures)
    assert ">6</tspan>" in engrave(RULES["V18"], figured, CHORALE).svg


def test_a_drawing_keeps_what_is_seen_alone():
    drawing = engrave(RULES["A10"], RULES["A10"].breaking[0], CHORALE)
    tree = ET.fromstring(drawing.svg)
    assert {node.tag for node in tree.iter()} <= {
        *("svg", "g", "path", "use", "rect", "text", "tspan", "polygon"),
    }
    assert "Cantus" in drawing.svg
    assert "clausula" not in drawing.svg
    assert {use.get("href", "")[1:] for use in tree.iter("use")} <= set(drawing.glyphs)
    assert not [node for node in tree.iter() if node.get("id")]


def test_a_page_defines_each_glyph_once_and_needs_nothing_else():
    text = page(rules("fux", code="A01,A10"), rulesets_of("fux"))
    defined = re.findall(r'<g id="(\w+)">', text)
    assert sorted(set(defined)) == sorted(defined)
    assert set(re.findall(r'href="#(E\w+)"', text)) <= set(defined)
    assert not re.search(r'(src|href)="(?!#)', text)
    assert text.count("<article") == 2
    assert '<section id="A">' in text
    assert "fux: <b" in text
    assert "westergaard" not in text
    assert page(rules("fux", code="A01,A10"), rulesets_of("fux")) == text


def test_a_page_without_rules():
    assert "0 rules" in page((), rulesets_of("none"))
