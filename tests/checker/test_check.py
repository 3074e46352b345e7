import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from writing_exercises import exercise

from clausula.checker.check import check
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Reads, Severity, Sites
from clausula.constraints.rulesets import load_ruleset
from clausula.corpus import load_chorales
from clausula.errors import InputError
from clausula.gridding import to_score
from clausula.pitch import Key
from clausula.score import Part
from clausula.writing import write_musicxml


def codes(report) -> list[tuple[str, int, Fraction, tuple[str, ...]]]:
    return [(f.code, f.measure, f.beat, f.voices) for f in faults(report)]


def faults(report):
    """Findings that are no mere labels or licences."""
    return [f for f in report.findings if f.severity >= Severity.STYLE]


def test_a_clean_exercise():
    report = check(exercise("C5 G4 E4 C3", "C5 A4 F4 F3", "B4 G4 D4 G3", "C5 G4 E4 C3"))
    assert faults(report) == []
    assert [f.code for f in report.findings] == ["C01"], "only the cadence is named"
    assert report.to_text().endswith("No faults found.")
    assert not report.reaches("style")


def test_parallel_fifths_in_words():
    report = check(exercise("C5 A4 F4 D3", "D5 G4 G4 B2"), key="C")
    (fifths,) = [f for f in report.findings if f.code == "M01"]
    assert fifths.message == "Parallel fifths between soprano and tenor: C5-F4 to D5-G4"
    assert fifths.voices == ("S", "T")
    assert fifths.note_ids == ("S0", "T0", "S1", "T1")
    assert (fifths.measure, fifths.beat) == (1, 2)
    assert fifths.why == RULES["M01"].why
    assert fifths.source == RULES["M01"].source


# Rules whose context the checker can infer from two chords.
LOCAL = {
    rule.code: rule
    for rule in load_ruleset("chorale").judged
    if rule.predicate is not None and rule.reads <= {Reads.EARLIER} and rule.code[0] != "H"
}


@pytest.mark.parametrize("rule", LOCAL.values(), ids=LOCAL)
def test_examples_in_a_score(rule):
    """The checker finds in a score what each example says, where it can infer the context."""
    for example in rule.breaking + rule.obeying:
        fermatas = (len(example.chords) - 2,) if example.boundary else ()
        score = exercise(*example.chords, key=example.key, fermatas=fermatas)
        keys = [(Fraction(0), Key.parse(example.key_before or example.key))]
        keys.append((Fraction(len(example.chords) - 1), Key.parse(example.key)))
        report = check(score, key=example.key, keys=keys)
        last = 1 + len(example.chords) - (2 if rule.blames_before else 1)
        at = {"".join(f.voices) for f in report.findings if f.code == rule.code and f.beat == last}
        wanted = set(example.at if rule.sites is Sites.VOICE else example.at.split(",")) - {""}
        assert at == wanted, example


def test_a_fault_that_lasts_is_one_finding():
    report = check(exercise("E5 C4 G3 C3", ". . . B2", ". . . A2"), key="C")
    assert [place[0] for place in codes(report)] == ["V02"]


def test_phrases_excuse_parallels():
    chords = ("F5 A4 C4 F3", "D5 B4 D4 G3")
    assert "M01" in [f.code for f in check(exercise(*chords), key="C").findings]
    assert "M01" not in [f.code for f in check(exercise(*chords, fermatas=(0,)), key="C").findings]


def test_the_unraised_dominant_is_blamed_where_it_sounds():
    chords = ("A4 E4 C4 A2", "G4 E4 B3 E3", "A4 E4 C4 A2")
    report = check(exercise(*chords, key="a"), key="a")
    assert codes(report) == [("V20", 1, 2, ("S", "B"))]
    assert "G4 is not raised" in report.findings[0].message


def test_a_dominant_is_one_in_its_own_key():
    chords = ("E4 G3 C3 E2", "D4 F#3 B2 B2", "G4 B3 E3 E3")
    b, e = Key.parse("b"), Key.parse("e")

    def found(*keys: tuple[int, Key]) -> bool:
        local = [(Fraction(onset), key) for onset, key in keys]
        report = check(exercise(*chords, key="b", fermatas=(1,)), key="b", keys=local)
        return "V20" in [f.code for f in report.findings]

    assert found((0, e))
    assert found((0, e), (2, b))
    assert not found((0, b), (2, e))


def test_a_given_key_decides_what_leads():
    doubled = exercise("C5 A4 F4 C3", "B4 G4 D4 B2")
    assert "V10" in [f.code for f in check(doubled, key="C").findings]
    report = check(doubled, key="G")
    assert "V10" not in [f.code for f in report.findings]
    assert (report.key, report.key_source, report.confidence) == (Key.parse("G"), "given", 1.0)


def test_what_leads_in_a_doubtful_key_may_be_doubled():
    (grid,) = (p.grid for p in load_chorales().pieces if p.name == "bwv127.5")
    score, f_major = to_score(grid), ((Fraction(0), Key.parse("F")),)

    def doubled(**known):
        report = check(score, "chorale", key="C", **known)
        return [(f.measure, f.beat) for f in report.findings if f.code == "V10"]

    assert doubled() == []  # C E G with two E: V of F, but I of C is as likely
    assert (1, 3) in doubled(keys=f_major)


def test_given_local_keys_decide_from_where_they_begin():
    chords = ("F#4 A3 F#3 D3", "F#4 A3 F#3 D3")
    keys = ((Fraction(0), Key.parse("D")), (Fraction(1), Key.parse("G")))
    report = check(exercise(*chords), key="D", keys=keys)
    assert [(f.code, f.beat) for f in report.findings if f.code == "V10"] == [("V10", 2)]
    assert report.keys == ((1, 1, Key.parse("D")), (1, 2, Key.parse("G")))


def test_rule_sets_decide_what_is_judged_and_how_much_it_weighs():
    wide = exercise("G4 E4 G4 C2", "G4 E4 C4 C3")
    grave = check(wide, "common-practice-strict", key="C")
    assert {f.code: f.severity.word for f in grave.findings}["V03"] == "error"
    assert {f.code: f.severity.word for f in check(wide, key="C").findings}["V03"] == "style"
    assert check(wide, "none").findings == ()


def test_reaches():
    report = check(exercise("G4 E4 C4 C3", "C5 G4 G4 C2"), key="C")
    assert {f.code for f in report.findings} >= {"V03"}
    only_style = replace(report, findings=tuple(f for f in report.findings if f.code == "V03"))
    assert only_style.reaches("style")
    assert not only_style.reaches("warning")
    with pytest.raises(InputError, match="error"):
        only_style.reaches("grave")


def test_measure_0_is_the_pickup():
    parallel = ("F5 A4 C4 F3", "D5 B4 D4 G3")
    late = check(exercise("C5 G4 E4 C3", "C5 A4 F4 F3", *parallel, pickup=1), key="C")
    assert ("M01", 1, 3, ("T", "B")) in codes(late)
    early = check(exercise(*parallel, pickup=2), key="C")
    assert ("M01", 0, 4, ("T", "B")) in codes(early)


def test_other_numbers_of_voices_go_by_their_parts_names():
    score = exercise("G4 C4", "A4 D4", names=("Oboe", "Horn"))
    (finding,) = faults(check(score, key="C"))
    assert finding.voices == ("Oboe", "Horn")
    assert finding.message == "Parallel fifths between Oboe and Horn: G4-C4 to A4-D4"
    unnamed = replace(score, parts=tuple(Part("", part.notes) for part in score.parts))
    assert faults(check(unnamed, key="C"))[0].voices == ("part 1", "part 2")
    assert faults(check(exercise("G4", "A4", names=("Flute",)), key="C")) == []


def test_json_keeps_the_contract():
    chords = ("C5 A4 F4 D3", "D5 G4 G4 B2")
    data = json.loads(json.dumps(check(exercise(*chords, meter="6/8")).to_json()))
    assert data["file"] == "Exercise"
    assert data["ruleset"] == "chorale"
    assert data["key_source"] == "inferred"
    assert 0 < data["key_confidence"] <= 1
    fifths = next(f for f in data["findings"] if f["code"] == "M01")
    assert fifths["severity"] == "error"
    assert (fifths["measure"], fifths["beat"]) == (1, 1.6667)
    assert fifths["voices"] == ["S", "T"]
    assert fifths["note_ids"] == ["S0", "T0", "S1", "T1"]
    assert data["counts"]["error"] == sum(f["severity"] == "error" for f in data["findings"])


def test_text_names_key_place_and_rule():
    text = check(exercise("F5 A4 C4 F3", "D5 B4 D4 G3"), key="C").to_text()
    first, second, *_, last = text.splitlines()
    assert first == "Exercise: C major (given), rule set chorale"
    assert second == (
        "m. 1, beat 2  error    M01  Parallel fifths between tenor and bass: C4-F3 to D4-G3"
    )
    assert last == "1 error"


TRANSPOSED = (
    ("C", "C5 A4 F4 D3", "D5 G4 G4 B2", "B4 G4 D4 G3", "G4 G4 E4 C3"),
    ("Eb", "Eb5 C5 Ab4 F3", "F5 Bb4 Bb4 D3", "D5 Bb4 F4 Bb3", "Bb4 Bb4 G4 Eb3"),
    ("F#", "F#5 D#5 B4 G#3", "G#5 C#5 C#5 E#3", "E#5 C#5 G#4 C#4", "C#5 C#5 A#4 F#3"),
)


def test_findings_transpose_with_the_music():
    found = [
        [c for c in codes(check(exercise(*chords, key=key), key=key)) if c[0] != "V01"]
        for key, *chords in TRANSPOSED
    ]
    assert found[0] == found[1] == found[2]
    assert {code for code, *_ in found[0]} == {"M01", "M04", "T01", "V03"}


def test_files_scores_and_pieces_are_alike(tmp_path):
    score = exercise("F5 A4 C4 F3", "D5 B4 D4 G3", "C5 C5 E4 C3", "C5 G4 E4 C3")
    path = tmp_path / "exercise.musicxml"
    write_musicxml(score, path)
    read = check(path, key="C")
    assert read.file == str(path)
    assert read.findings == check(score, key="C").findings
    assert check(SimpleNamespace(score=score), key="C").findings == read.findings
    with pytest.raises(InputError, match="int"):
        check(3)


def test_judging_imports_neither_jax_nor_music21():
    program = (
        "import sys, clausula.checker.check, clausula.constraints.pair_tables\n"
        "import clausula.constraints.explain\n"
        "print(sorted({'jax', 'flax', 'music21'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
