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


def test_it_says_what_rule_sets_may_choose_and_do_choose():
    text = " ".join(explain("F03").split())
    assert 'fourth ("none" or "augmented" or "any")' in text
    assert '"augmented" in westergaard; "any" in fux.' in text
    assert "Choices" not in explain("M01")


def test_it_says_what_an_example_is_to_be_judged_by():
    assert "C major; chords asked for: I V6\n" in explain("V19")
    assert "third species; the cantus firmus is the bass; lengths in quarters" in explain("D03")
    assert "to close with a perfect authentic cadence" in explain("H04")
    assert "given to the soprano: C5 B4" in explain("H08")
    assert "a phrase ends before the last chord" in explain("M12")


# What was read; a rule that none of it has says so.
READ = (
    *("Integrated Music Theory (Butterfield)", "Open Music Theory, version 1"),
    *("Westergaard's rules", "Survey of Fux, Schenker, Jeppesen, Salzer and Schachter"),
    *("Lehmann, A Treatise on Simple Counterpoint (1907)", "course handout", "open checker"),
    *("Essays on the AP examination", "bach-chorales.com", "kept from memory", "task itself"),
)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_source_was_read_or_says_that_none_was(rule):
    for source in rule.source.split("; "):
        assert any(read.casefold() in source.casefold() for read in READ), source


def test_an_unknown_code():
    with pytest.raises(InputError, match="M01"):
        explain("MO1")
