"""The verifier: valid chorales are accepted, broken ones rejected for the right reason."""

import copy
import sys
from pathlib import Path

import pytest
from chorale_text import NAMES, musicxml

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from independent import degrees_of, judge

MAJOR = (
    "B4 C5 A4 B4 | B4 C5 A4:2^ | B4 C5 A4 B4 | C5 A4 G4:2^",
    "G4 G4 F#4 G4 | G4 G4 F#4:2^ | G4 G4 F#4 G4 | G4 F#4 D4:2^",
    "D4 E4 D4 D4 | E4 E4 D4:2^ | D4 E4 D4 D4 | E4 D4 B3:2^",
    "G3 C3 D3 G3 | E3 C3 D3:2^ | G3 C3 D3 G3 | C3 D3 G3:2^",
)
MAJOR_PLAN = {
    "key": "G major",
    "meter": "4/4",
    "measures": 4,
    "cadences": [
        {"kind": "HC", "measure": 2, "beat": 3, "key": "G major"},
        {"kind": "PAC", "measure": 4, "beat": 3, "key": "G major"},
    ],
    "returns": [{"source": [1, 1], "at": 3}],
    "phrase_ends": [2, 4],
    "keys": [[0, "G major"]],
}
MINOR = (
    "A4 G#4 A4 | A4 B4 G#4 | A4:3^",
    "E4 E4 E4 | F4 F4 E4 | E4:3^",
    "C4 B3 C4 | D4 D4 B3 | C4:3^",
    "A2 E3 A2 | D3 D3 E3 | A2:3^",
)
MINOR_PLAN = {
    "key": "A minor",
    "meter": "3/4",
    "measures": 3,
    "cadences": [{"kind": "PAC", "measure": 3, "beat": 1, "key": "A minor"}],
    "returns": [],
    "phrase_ends": [3],
    "keys": [[0, "A minor"]],
}
S, A, T, B = range(4)


@pytest.fixture
def judged(tmp_path):
    """Judge lines by a plan; what the file says may differ from the plan."""

    def judge_lines(lines, plan, *, key=None, meter=None, names=NAMES):
        path = tmp_path / "piece.musicxml"
        path.write_text(musicxml(lines, key or plan["key"], meter or plan["meter"], names))
        return judge(path, plan)

    return judge_lines


def rewritten(lines, changes):
    """The lines with other measures: ``{(voice, measure): text}``."""
    written = [line.split("|") for line in lines]
    for (voice, measure), text in changes.items():
        written[voice][measure - 1] = text
    return ["|".join(measures) for measures in written]


def codes(reasons):
    return {reason.split()[0].rstrip(":") for reason in reasons}


def test_accepts_valid_chorales(judged):
    assert judged(MAJOR, MAJOR_PLAN) == []
    assert judged(MINOR, MINOR_PLAN) == []


# What is wrong, the codes of all reasons expected, and the measures rewritten.
MAJOR_FAULTS = {
    "S above G5": ("V01", {(S, 2): "B4 A5 A4:2^", (A, 2): "G4 C5 F#4:2^"}),
    "B below E2": ("V01", {(B, 2): "E3 C2 D3:2^"}),
    "S and A a twelfth apart": ("V02", {(A, 2): "G4 F4 F#4:2^", (S, 2): "B4 G5 A4:2^"}),
    "A and T a tenth apart": ("V02", {(T, 2): "E4 E3 D4:2^"}),
    "A above S": ("V04", {(S, 2): "B4 F#4 A4:2^", (A, 2): "G4 C5 F#4:2^"}),
    "T below B": ("V04", {(T, 2): "E4 B3 D4:2^", (B, 2): "E3 C4 D3:2^"}),
    "fifths between A and B": ("M01", {(A, 1): "G4 G4 F#4 D4", (B, 1): "G3 C3 B2 G2"}),
    "octaves between T and B": ("M02", {(T, 2): "E4 C4 D4:2^"}),
    "octave to unison, contrary": ("M02", {(T, 2): "E4 B3 D4:2^", (B, 2): "E3 B3 D3:2^"}),
    "leading tone doubled": ("V10", {(T, 1): "D4 E4 F#3 D4"}),
    "raised note doubled": ("V10", {(A, 2): "G4 C#4 F#4:2^", (T, 2): "E4 C#4 D4:2^"}),
    "augmented second": ("L01", {(A, 2): "F4 G#4 F#4:2^"}),
    "fermata missing": ("fermata", {(A, 2): "G4 G4 F#4:2"}),
    "fermata too early": ("fermata", {(A, 2): "G4 G4^ F#4:2^"}),
    "note over the phrase's end": (
        "phrase cadence",
        {(T, 2): "E4 E4 D4:2^~", (T, 3): "D4 E4 D4 D4"},
    ),
    "rest": ("rests", {(T, 1): "D4 R D4 D4"}),
    "silence": ("rests measures", {(T, 4): "E4 D4 B3^"}),
    "loose tie": ("ties", {(T, 1): "D4~ E4 D4 D4"}),
    "returning pitch changed": ("return", {(S, 3): "B4 C5 A4 G4"}),
    "returning onset changed": ("return", {(S, 3): "B4 C5 A4:1/2 A4:1/2 B4"}),
    "returning note's end changed": ("return", {(S, 1): "B4 C5 A4 B4~"}),
}


@pytest.mark.parametrize("name", MAJOR_FAULTS)
def test_rejects_faults_in_major(judged, name):
    expected, changes = MAJOR_FAULTS[name]
    assert codes(judged(rewritten(MAJOR, changes), MAJOR_PLAN)) == set(expected.split())


MAJOR_CADENCE_FAULTS = {
    "PAC with the soprano on 3": ("soprano arrives", {(S, 4): "C5 A4 B4:2^"}),
    "PAC in first inversion": ("bass arrives", {(B, 4): "C3 D3 B3:2^", (T, 4): "E4 D4 G4:2^"}),
    "no third at the arrival": ("arrival is", {(T, 4): "E4 D4 D4:2^"}),
    "a foreign note at the arrival": ("arrival is", {(A, 4): "G4 F#4 E4:2^"}),
    "bass late on the dominant": ("bass has", {(B, 4): "C3 C3:1/2 D3:1/2 G3:2^"}),
    "bass leaves the dominant": ("bass has", {(B, 4): "C3 D3:1/2 F#3:1/2 G3:2^"}),
    "no leading tone": ("before it", {(A, 4): "G4 D4 D4:2^"}),
    "late leading tone": ("before it", {(A, 4): "G4 D4:1/2 F#4:1/2 D4:2^"}),
    "a suspension in the dominant": ("before it", {(A, 4): "G4 G4:1/2 F#4:1/2 D4:2^"}),
    "a voice moves after the arrival": ("does not hold", {(T, 4): "E4 D4 D4 B3^"}),
    "the soprano anticipates": ("before it", {(S, 4): "C5 A4:1/2 G4:5/2^"}),
    "the bass repeats": ("does not hold", {(B, 4): "C3 D3 G3 G3^"}),
    "HC with the bass on 5 before": ("already", {(B, 2): "E3 D3 D3:2^"}),
    "HC on another chord": ("arrival is", {(T, 2): "E4 E4 E4:2^"}),
    "HC in first inversion": ("bass arrives", {(A, 2): "G4 G4 D4:2^", (B, 2): "E3 C3 F#3:2^"}),
}


@pytest.mark.parametrize("name", MAJOR_CADENCE_FAULTS)
def test_rejects_spoilt_cadences(judged, name):
    words, changes = MAJOR_CADENCE_FAULTS[name]
    reasons = judged(rewritten(MAJOR, changes), MAJOR_PLAN)
    assert any(words in reason for reason in reasons if reason.startswith("cadence "))


def planned(plan, **changes):
    return copy.deepcopy(plan) | changes


def cadence(kind, measure, beat, key):
    return {"kind": kind, "measure": measure, "beat": beat, "key": key}


def test_tells_an_imperfect_cadence_from_a_perfect_one(judged):
    perfect = MAJOR_PLAN["cadences"]
    imperfect = [perfect[0], cadence("IAC", 4, 3, "G major")]
    on_the_third = rewritten(MAJOR, {(S, 4): "C5 A4 B4:2^"})
    assert judged(on_the_third, planned(MAJOR_PLAN, cadences=imperfect)) == []
    assert codes(judged(MAJOR, planned(MAJOR_PLAN, cadences=imperfect))) == {"cadence"}


def test_leading_tone_of_an_outer_voice_must_rise_at_a_cadence(judged):
    falls = {(S, 4): "G4 F#4 D4:2^", (A, 4): "E4 D4 B3:2^", (T, 4): "C4 A3 G3:2^"}
    plan = planned(MAJOR_PLAN, cadences=[cadence("IAC", 4, 3, "G major")])
    assert codes(judged(rewritten(MAJOR, falls), plan)) == {"T01"}


def test_a_cadence_is_read_in_its_own_key(judged):
    # The half cadence of the chorale, with its approach rewritten, ends in D major.
    changes = {(S, 2): "B4 C#5 D5:2^", (A, 2): "G4 G4 F#4:2^", (T, 2): "E4 E4 D4:2^"}
    changes[B, 2] = "E3 A2 D3:2^"
    lines = rewritten(MAJOR, changes)
    keys = [[0, "G major"], [4, "D major"], [8, "G major"]]
    cadences = [cadence("PAC", 2, 3, "D major"), MAJOR_PLAN["cadences"][1]]
    assert judged(lines, planned(MAJOR_PLAN, cadences=cadences, keys=keys)) == []
    assert codes(judged(MAJOR, planned(MAJOR_PLAN, cadences=cadences, keys=keys))) == {"cadence"}
    cadences[0]["key"] = "G major"
    assert codes(judged(lines, planned(MAJOR_PLAN, cadences=cadences, keys=keys))) == {"cadence"}


def test_doubling_is_judged_in_the_local_key(judged):
    # B is the leading tone of C, not of G.
    plan = planned(MAJOR_PLAN, keys=[[0, "C major"], [1, "G major"]])
    lines = rewritten(MAJOR, {(T, 1): "B3 E4 D4 D4"})
    assert judged(lines, MAJOR_PLAN) == []
    assert codes(judged(lines, plan)) == {"V10"}


MINOR_FAULTS = {
    "unraised dominant": ("V20", {(S, 1): "A4 G4 A4"}),
    "unraised seventh within the beat": ("V20", {(S, 1): "A4 G#4:1/2 G4:1/2 A4"}),
    "augmented second": ("L01", {(S, 1): "A4 G#4 F4"}),
    "unraised cadence": ("cadence V20", {(S, 2): "A4 B4 G4"}),
    "Picardy third": ("cadence", {(T, 3): "C#4:3^"}),
    "raised fourth doubled": ("V10", {(A, 2): "F4 D#4 E4", (T, 2): "D4 D#4 B3"}),
}


@pytest.mark.parametrize("name", MINOR_FAULTS)
def test_rejects_faults_in_minor(judged, name):
    expected, changes = MINOR_FAULTS[name]
    assert codes(judged(rewritten(MINOR, changes), MINOR_PLAN)) == set(expected.split())


def test_intervals_are_spelled(judged):
    # F to A flat sounds as F to G sharp does, and is a minor third.
    assert codes(judged(rewritten(MINOR, {(A, 1): "E4 F4 G#4"}), MINOR_PLAN)) == {"L01"}
    assert judged(rewritten(MINOR, {(A, 1): "E4 F4 Ab4"}), MINOR_PLAN) == []


def test_parallels_are_spelled_and_end_with_the_phrase(judged):
    fifths = {(A, 1): "G4 G4 F#4 D4", (B, 1): "G3 C3 B2 G2"}
    assert codes(judged(rewritten(MAJOR, fifths), MAJOR_PLAN)) == {"M01"}
    sixths = fifths | {(A, 1): "G4 G4 Gb4 D4"}
    assert judged(rewritten(MAJOR, sixths), MAJOR_PLAN) == []
    across = {(T, 3): "E4 E4 D4 D4", (B, 3): "E3 C3 D3 G3"}
    assert judged(rewritten(MAJOR, across), MAJOR_PLAN) == []


def test_a_returning_passage_begins_with_an_onset(judged):
    plan = planned(MAJOR_PLAN, returns=[{"source": [1, 1], "at": 4}])
    held = rewritten(MAJOR, {(S, 3): "B4 C5 A4 C5~"})
    assert any("within a note" in reason for reason in judged(held, plan))


def test_layout_must_be_the_plan_s(judged):
    assert codes(judged(MAJOR, MAJOR_PLAN, names=NAMES[:3])) == {"parts"}
    assert codes(judged(MAJOR, MAJOR_PLAN, names=("Soprano", "Alto", "Bass", "Tenor"))) == {"parts"}
    assert codes(judged(MAJOR, MAJOR_PLAN, key="D major")) == {"signature"}
    assert codes(judged(MINOR, MINOR_PLAN, meter="3/8")) == {"meter"}
    assert "measures" in codes(judged(MAJOR, planned(MAJOR_PLAN, measures=3, phrase_ends=[2, 3])))


def test_a_plan_must_cover_its_measures(judged):
    with pytest.raises(ValueError, match="last phrase"):
        judged(MAJOR, planned(MAJOR_PLAN, phrase_ends=[2]))


def test_degrees_of_minor_and_flat_keys():
    flat = degrees_of("Bb minor")
    assert flat.natural[1:] == ("B-", "C", "D-", "E-", "F", "G-", "A-")
    assert flat.leading == "A"
    assert flat.undoubled == {"A", "D", "E"}
    assert degrees_of("C major").undoubled == {"B", "C#", "D#", "F#", "G#", "A#"}
