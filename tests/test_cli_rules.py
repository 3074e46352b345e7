import json
import subprocess
import sys

import pytest

from clausula.constraints.registry import RULES
from clausula.constraints.rulesets import known_rulesets
from clausula.rules_table import initials


def clausula(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "clausula", *arguments], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_json_lists_every_rule():
    code, out, _ = clausula("rules", "--format", "json")
    listed = json.loads(out)
    assert code == 0
    assert {each["code"] for each in listed} == set(RULES)
    for each in listed:
        assert set(each["severity"]) == set(known_rulesets())
        assert each["name"]
        assert each["source"]


def test_the_table():
    code, out, _ = clausula("rules", "--code", "M,L01", "--search", "fifths")
    assert code == 0
    assert "M01   Parallel fifths" in out
    assert "L01" not in out
    assert "c = chorale; cps = common-practice-strict" in " ".join(out.split())


def test_a_table_of_one_rule_set_names_it():
    code, out, _ = clausula("rules", "--rules", "fux", "--code", "G")
    assert code == 0
    assert "fux" in out.splitlines()[1]
    assert "G01" in out


def test_nothing_found_is_said_and_json_stays_json():
    code, out, err = clausula("rules", "--search", "kumquat", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "No rule is like that" in err
    code, out, err = clausula("rules", "--rules", "none")
    assert (code, out) == (0, "")
    assert "No rule is like that" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "xml"], "--format 'xml' is unknown; try table, json"),
        (["--severity", "grave"], "severity 'grave' is unknown"),
        (["--out", "rules.txt"], "--out rules.txt: try a name that ends in .json, .md, .html"),
        (["--format", "table", "--out", "a.md"], "a table is only printed"),
        (["--code", "M01", "--out", "missing/a.md"], "missing/a.md cannot be written"),
    ],
)
def test_wrong_values(arguments, words):
    code, out, err = clausula("rules", *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())


def test_files_by_their_endings(tmp_path):
    paths = [tmp_path / f"a{ending}" for ending in (".json", ".md", ".html")]
    outs = [part for path in paths for part in ("--out", str(path))]
    code, out, _ = clausula("rules", "--code", "V10", *outs)
    assert code == 0
    assert out.count("1 rule written") == 3
    assert json.loads(paths[0].read_text())[0]["code"] == "V10"
    assert paths[1].read_text().startswith("# The rules")
    assert paths[2].read_text().startswith("<!DOCTYPE html>")


def test_listing_and_explaining_load_nothing_slow():
    program = (
        "import sys; from clausula.cli import app\n"
        "for words in (['rules'], ['rules', '--format', 'json'], ['explain', 'M01']):\n"
        "    app(words, standalone_mode=False)\n"
        "slow = {'jax', 'flax', 'music21', 'verovio', 'matplotlib'}\n"
        "print(sorted(slow & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_initials_tell_rule_sets_apart():
    assert initials(["fux", "none"]) == ["f", "n"]
    assert initials(["chorale", "common-practice-strict", "course"]) == ["ch", "coprst", "co"]
