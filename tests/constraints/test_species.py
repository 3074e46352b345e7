"""Species counterpoint: clean exercises pass; what books disagree about is chosen, not fixed."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from clausula.checker.check import check
from clausula.checker.examples import blamed, passage_of_example
from clausula.constraints.example import Example
from clausula.constraints.example_score import modal_key, score_of_example, task_of_example
from clausula.constraints.registry import RULES, find_rule
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import Setting, load_ruleset

FUX = load_ruleset("fux")
SPECIES = {code: rule for code, rule in RULES.items() if rule.breaking[0].species}
DORIAN = "D4:4 F4 E4 D4 G4 F4 A4 G4 F4 E4 D4"
CLEAN = {
    "cantus": Example("d dorian", lines=(DORIAN,), species=1),
    "first, above": Example(
        "d dorian",
        lines=("A4:4 D5 C5 D5 B4 C5 C5 E5 D5 C#5 D5", DORIAN),
        species=1,
        cantus="B",
    ),
    "first, below": Example(
        "d dorian",
        lines=("D5:4 F5 E5 D5 G5 F5 A5 G5 F5 E5 D5", "D4:4 A4 G4 F4 E4 D4 D4 E4 D4 C#4 D4"),
        species=1,
        cantus="S",
    ),
    "second": Example(
        "C",
        lines=("r:2 G4:2 B4 C5 D5 C5 G4 A4 B4:4 C5", "C4:4 G4 F4 E4 D4 C4"),
        species=2,
        cantus="B",
    ),
    "third": Example(
        "C",
        lines=("C5:1 E5 D5 C5 B4 C5 D5 B4 C5 B4 A4 G4 F4 G4 A4 B4 C5:4", "C4:4 D4 E4 D4 C4"),
        species=3,
        cantus="B",
    ),
    "fourth": Example(
        "C",
        lines=("r:2 C5:4 A4 D5 C5 B4:2 C5:4", "C4:4 F4 D4 E4 D4 C4"),
        species=4,
        cantus="B",
    ),
    "fifth": Example(
        "C",
        lines=(
            "r:2 C5:3 A4:1 B4:3 C5:1 D5 E5 D5:2 C5:3 B4:1/2 A4 B4:2 C5:4",
            "C4:4 D4 E4 F4 D4 C4",
        ),
        species=5,
        cantus="B",
    ),
}


def found(example: Example, ruleset: str = "fux", weight: Severity = Severity.WARNING) -> set[str]:
    """Codes of the findings that weigh as much or more."""
    score, key = score_of_example(example), modal_key(example.key)[0]
    report = check(score, ruleset, key, task=task_of_example(example))
    return {finding.code for finding in report.findings if finding.severity >= weight}


@pytest.mark.parametrize("example", CLEAN.values(), ids=CLEAN)
def test_clean_exercises_pass(example):
    assert found(example) == set()


@pytest.mark.parametrize("example", CLEAN.values(), ids=CLEAN)
def test_clean_exercises_have_no_error_by_the_other_book(example):
    assert found(example, "westergaard", Severity.ERROR) == set()


def test_three_parts_may_have_fourths_and_tritones_above_the_bass():
    example = Example(
        "C",
        lines=("C5:4 D5 C5 B4 C5", "G4:4 A4 G4 F4 E4", "C4:4 F4 E4 D4 C4"),
        species=1,
        cantus="B",
    )
    assert found(example, weight=Severity.ERROR) == set()
    against_bass = replace(
        example, lines=("C5:4 D5 C5 B4 C5", "G4:4 B4 G4 F4 E4", example.lines[2])
    )
    assert "A01" in found(against_bass)


FIRST = ("C5:4 A4 B4 C5", "C4:4 F4 G3 C4")
SWITCHED = [
    # The octave of the final tonics, its upper note reached by step, in similar motion.
    ("A03", {}, FIRST, 1, True),
    ("A03", {"licence": "step"}, FIRST, 1, False),
    # A fifth under the second degree, reached by step; under the sixth no licence holds.
    ("A03", {"licence": "step"}, ("C5:4 C5 D5 C5", "C4:4 E4 G4 C4"), 1, False),
    ("A03", {"licence": "step"}, ("C5:4 G4 A4 C5", "C4:4 B3 D4 E4"), 1, True),
    ("A05", {}, ("C5:4 D5 C5", "C4:4 A3 C4"), 1, False),
    ("A05", {"widest": "tenth"}, ("C5:4 D5 C5", "C4:4 A3 C4"), 1, True),
    ("A07", {}, ("G4:4 F4 A4", "C4:4 C4 G4"), 1, True),
    ("A07", {"overlap": False}, ("G4:4 F4 A4", "C4:4 C4 G4"), 1, False),
    ("A07", {"overlap": False}, ("G4:4 F4 A4", "C4:4 A4 F4"), 1, True),
    ("G02", {}, ("C4:4 D4 C4", "C4:4 B3 C4"), 1, False),
    ("G12", {}, ("G4:4 G4 G4 A4", "C4:4 E4 C4 F4"), 1, True),
    ("G12", {"first_species": "triad"}, ("G4:4 G4 G4 A4", "C4:4 E4 C4 F4"), 1, False),
    ("G12", {"first_species": "none"}, ("G4:4 G4 A4", "C4:4 E4 F4"), 1, True),
    ("B02", {}, ("r:2 C5:2 A4 B4 A4 G4 C5:4", "C4:4 F4 E4 C4"), 2, True),
    ("B02", {"neighbor": True}, ("r:2 C5:2 A4 B4 A4 C5 C5:4", "C4:4 F4 F4 C4"), 2, False),
    ("B04", {}, ("r:2 C5:2 A4 C5 B4 A4 C5:4", "C4:4 D4 E4 C4"), 2, True),
    ("B04", {"fifth_passed": True}, ("r:2 C5:2 A4 C5 B4 A4 C5:4", "C4:4 D4 E4 C4"), 2, False),
    ("B04", {"fifth_passed": True}, ("r:2 C5:2 A4 C5 B4 G4 C5:4", "C4:4 D4 E4 C4"), 2, True),
    ("D01", {}, ("C5:1 B4 A4 G4 F4 E4 G4 B4 C5:4", "C4:4 D4 C4"), 3, False),
    ("D01", {"beat_three": True}, ("C5:1 B4 A4 G4 F4 E4 G4 B4 C5:4", "C4:4 D4 C4"), 3, True),
    ("F03", {"fourth": "augmented"}, ("C4:4 E4 D4 C4", "r:2 C4:4 A3 G3:2 C4:4"), 4, True),
    ("F03", {"fourth": "any"}, ("C4:4 E4 D4 C4", "r:2 C4:4 A3 G3:2 C4:4"), 4, False),
    ("F03", {"fourth": "augmented"}, ("F4:4 A4 B4 C5", "r:2 F4:4 F4 E4:2 C4:4"), 4, False),
    ("F05", {}, ("r:2 A4:4 C5 B4 C5", "C4:4 F4 E4 C4"), 4, True),
    ("F05", {"fifths": True}, ("r:2 A4:4 C5 B4 C5", "C4:4 F4 E4 C4"), 4, False),
]


@pytest.mark.parametrize(("code", "choices", "lines", "species", "broken"), SWITCHED)
def test_what_books_disagree_about_is_a_switch(code, choices, lines, species, broken):
    cantus = "S" if "r:" in lines[1] else "B"
    if code == "G02":
        cantus = "S"
    example = Example("C", lines=lines, species=species, cantus=cantus)
    assert bool(blamed(find_rule(code).under(choices), example, FUX)) is broken


def test_a_unison_below_is_an_opening_for_some():
    example = Example("C", lines=("C4:4 D4 C4", "C4:4 B3 C4"), species=1, cantus="S")
    strict = find_rule("G02").under({"unison_below": False})
    assert blamed(strict, example, FUX) == {("SB", "1.1")}
    above = replace(example, cantus="B")
    assert blamed(strict, above, FUX) == set()


def test_a_line_in_minor_may_be_melodic_minor():
    example = Example("a", lines=("A4:4 B4 F#4 G#4 A4 G4 G#4 A4",), species=1)
    rule = find_rule("G09")
    assert blamed(rule, example, FUX) == {("B", "3.1"), ("B", "4.1")}
    assert blamed(rule.under({"melodic_minor": True}), example, FUX) == set()


def test_the_signature_makes_the_mode():
    rule = find_rule("G09")
    lydian = Example("f lydian", lines=("F4:4 G4 A4 B4 C5 A4 G4 F4",), species=1)
    assert blamed(rule, lydian, FUX) == set()
    assert blamed(rule, replace(lydian, key="F"), FUX) == {("B", "4.1")}


def test_a_given_cantus_is_not_judged():
    leaping = "C4:4 B4 C4 D4 C4"  # a seventh up, a seventh down
    given = Example("C", lines=("C5:4 D5 E5 B4 C5", leaping), species=1, cantus="B")
    rule = find_rule("G04")
    assert blamed(rule, given, FUX) == set()
    assert {voice for voice, _ in blamed(rule, replace(given, cantus="S"), FUX)} == {"B"}


def test_a_cambiata_and_a_double_neighbor_pass_whichever_way_they_turn():
    bars = ("C5:1 B4 G4 A4 B4:4", "C5:1 D5 B4 C5 D5:4", "E4:1 F4 A4 G4 F4:4")
    for bar in bars:
        example = Example("C", lines=(bar, "C4:4 D4"), species=3, cantus="B")
        for code in ("D02", "D03"):
            assert blamed(find_rule(code), example, FUX) == set(), bar


def test_a_suspension_may_be_ornamented_but_resolves_on_the_third_beat():
    rule, cantus = find_rule("J03"), "C4:4 D4 C4"
    for ornament in ("B4:1/2 A4", "A4:1", "G4:1", "D5:1"):
        example = Example(
            "C", lines=(f"r:2 C5:3 {ornament} B4:2 C5:4", cantus), species=5, cantus="B"
        )
        assert blamed(rule, example, FUX) == set(), ornament
    late = Example("C", lines=("r:2 C5:4 A4:1 B4 C5:4", cantus), species=5, cantus="B")
    assert blamed(rule, late, FUX) == {("SB", "2.3")}


@pytest.mark.parametrize("rule", SPECIES.values(), ids=SPECIES)
def test_every_rule_is_shown_twice_broken_and_twice_obeyed(rule):
    assert min(len(rule.breaking), len(rule.obeying)) >= 2


@pytest.mark.parametrize("rule", SPECIES.values(), ids=SPECIES)
def test_a_report_says_in_words_what_an_example_breaks(rule):
    only = replace(FUX, settings=(Setting(rule.code, rule.severity),))
    for example in rule.breaking:
        key, task = modal_key(example.key)[0], task_of_example(example)
        findings = check(score_of_example(example), only, key, task=task).findings
        assert findings
        for finding in findings:
            assert finding.code == rule.code
            assert finding.note_ids
            assert not set("{}") & set(finding.message)


@pytest.mark.parametrize("rule", SPECIES.values(), ids=SPECIES)
def test_rules_hold_in_their_own_species(rule):
    others = {
        "G": set(),
        "A": {2, 3, 4, 5},
        "B": {1, 3, 4, 5},
        "D": {1, 2, 4},
        "F": {1, 2, 3, 5},
        "J": {1, 2, 3, 4},
    }[rule.code[0]]
    for example in rule.breaking:
        for species in others:
            assert blamed(rule, replace(example, species=species), FUX) == set()


def quartered(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines four times as fast."""
    return tuple(
        re.sub(r":([\d/]+)", lambda length: f":{Fraction(length[1]) / 4}", line) for line in lines
    )


@pytest.mark.parametrize("rule", SPECIES.values(), ids=SPECIES)
def test_whole_notes_and_quarters_are_judged_alike(rule):
    for example in (*rule.breaking, *rule.obeying):
        fast = replace(example, lines=quartered(example.lines))
        slow, quick = (rule.found(passage_of_example(each, FUX)) for each in (example, fast))
        np.testing.assert_array_equal(slow, quick)


@pytest.mark.parametrize("rule", SPECIES.values(), ids=SPECIES)
def test_an_octave_higher_is_judged_alike(rule):
    for example in (*rule.breaking, *rule.obeying):
        higher = tuple(
            re.sub(r"(?<=[A-G#b])\d", lambda octave: str(int(octave[0]) + 1), line)
            for line in example.lines
        )
        two = (example, replace(example, lines=higher))
        low, high = (rule.found(passage_of_example(each, FUX)) for each in two)
        np.testing.assert_array_equal(low, high)
