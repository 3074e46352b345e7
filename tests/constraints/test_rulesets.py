import pytest

from clausula.constraints.registry import RULES
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import known_rulesets, load_ruleset
from clausula.errors import InputError
from clausula.vocabulary import FIRST_PITCH, voice_semitones

BUNDLED = [
    "a-level",
    "chorale",
    "common-practice-strict",
    "fux",
    "integrated-music-theory",
    "none",
    "open-music-theory",
    "westergaard",
]
RANGES = 'S = ["C4", "G5"]\nA = ["G3", "D5"]\nT = ["C3", "A4"]\nB = ["E2", "D4"]\n'


def written(tmp_path, rules: str, ranges: str = RANGES):
    path = tmp_path / "mine.toml"
    path.write_text(f'description = "mine"\n[ranges]\n{ranges}\n[rules]\n{rules}\n')
    return path


def test_bundled_names():
    assert known_rulesets() == BUNDLED


@pytest.mark.parametrize("name", BUNDLED)
def test_ranges_lie_within_what_the_search_can_sing(name):
    ruleset = load_ruleset(name)
    for voice in range(4):
        notes = voice_semitones(voice)[FIRST_PITCH:]
        assert notes[0] <= ruleset.low[voice] < ruleset.high[voice] <= notes[-1]


HARD = {
    *("V01", "V02", "V04", "V05", "V10", "V20", "M01", "M02", "M05", "L01", "L05"),
    *("T01", "T03", "T08"),
}
SPECIES = {code for code, rule in RULES.items() if rule.breaking[0].species}


def test_the_rule_sets_of_species_hold_every_rule_of_species():
    fux, westergaard = (load_ruleset(name) for name in ("fux", "westergaard"))
    assert {s.code for s in (*fux.settings, *westergaard.settings)} == SPECIES
    assert {s.code for s in westergaard.settings} - {s.code for s in fux.settings} == {"A11"}
    for ruleset in (fux, westergaard):
        assert not ruleset.hard
        assert not ruleset.costs


def test_chorale_forbids_all_but_spacing_of_the_bass():
    chorale = load_ruleset("chorale")
    assert {rule.code for rule in chorale.hard} == HARD
    assert [(rule.code, nats) for rule, nats in chorale.costs] == [("V03", 0.5)]
    assert chorale.severity("M01") is Severity.ERROR
    assert chorale.severity("V03") is Severity.STYLE


def test_none_judges_nothing():
    none = load_ruleset("none")
    assert none.hard == none.costs == none.judged == ()
    assert none.severity("M01") is Severity.OFF


def test_a_rule_set_comes_back_as_it_is():
    chorale = load_ruleset("chorale")
    assert load_ruleset(chorale) is chorale


def test_a_users_own_file(tmp_path):
    rules = 'M01 = { hard = true }\nV03 = { severity = "off", cost = 2 }'
    mine = load_ruleset(written(tmp_path, rules))
    assert mine.name == "mine"
    assert [rule.code for rule in mine.hard] == ["M01"]
    assert [rule.code for rule in mine.judged] == ["M01"]
    assert [(rule.code, nats) for rule, nats in mine.costs] == [("V03", 2.0)]


@pytest.mark.parametrize("name", ["chorales", "missing.toml", ""])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(InputError, match=", ".join(BUNDLED)):
        load_ruleset(name)


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ('MO1 = { severity = "error" }', "M01"),
        ('M01 = { severty = "error" }', "severity"),
        ('M01 = { severity = "grave" }', "grave"),
        ("M01 = { hard = 1 }", "true or false"),
        ("V03 = { cost = -1 }", "nats"),
        ("V03 = { cost = inf }", "nats"),
        ("V03 = { cost = 1, hard = true }", "keep one"),
        ("M01 = { cost = 1 }", "one slice"),
        ('M01 = "error"', "severity"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, rules, complaint):
    with pytest.raises(InputError, match=complaint):
        load_ruleset(written(tmp_path, rules))


@pytest.mark.parametrize(
    ("ranges", "complaint"),
    [
        ("", "range S"),
        (RANGES + 'X = ["C4", "G5"]', "'X'"),
        (RANGES.replace('"G5"', '"G3"'), "range S"),
        (RANGES.replace('"G5"', '"H5"'), "H5"),
    ],
)
def test_a_wrong_range_is_named(tmp_path, ranges, complaint):
    with pytest.raises(InputError, match=complaint):
        load_ruleset(written(tmp_path, "", ranges))


def test_a_file_that_is_not_toml(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("rules = [")
    with pytest.raises(InputError, match="not TOML"):
        load_ruleset(path)
