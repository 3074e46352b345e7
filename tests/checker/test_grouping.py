"""Root causes: which faults one note explains."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from example_scores import score
from writing_exercises import exercise

from clausula.checker.check import check
from clausula.checker.grouping import Fault, NoteHere, grouped
from clausula.constraints.passage import Task
from clausula.constraints.rule import Severity
from clausula.constraints.rulesets import load_ruleset

TEN = ("V01", "V02", "V03", "V04", "V10", "V20", "M01", "M02", "L01", "T01")
_STRICT = load_ruleset("common-practice-strict")
STRICT = replace(_STRICT, settings=tuple(s for s in _STRICT.settings if s.code in TEN))


def fault(time, *notes, code="V02", site=(), severity=Severity.ERROR):
    named = frozenset(NoteHere(*note) for note in notes)
    return Fault(time, severity, code, site, named, named)


def groups(*faults):
    return [place.group for place in grouped(faults)]


def roots(*faults):
    return [place.root for place in grouped(faults)]


def test_faults_without_a_note_in_common_are_slips_of_their_own():
    assert groups(fault(0, (0, 0), (0, 1)), fault(0, (0, 2), (0, 3))) == [1, 2]
    assert groups() == []


def test_a_fault_that_names_no_note_is_alone():
    assert groups(fault(3), fault(1, (1, 0)), fault(2)) == [3, 1, 2]
    assert roots(fault(3), fault(1, (1, 0))) == [True, True]


def test_what_shares_a_note_shares_a_slip_and_a_chain_of_notes_does_not():
    shared = fault(1, (1, 0), (1, 1)), fault(1, (1, 1), (1, 2))
    assert groups(*shared) == [1, 1]
    chain = *shared, fault(1, (1, 2), (1, 3)), fault(1, (1, 3), (2, 0))
    assert groups(*chain) == [1, 1, 2, 2]


def test_a_motion_that_is_repeated_is_another_slip_and_a_chord_that_lasts_is_none():
    parallels = [
        fault(t, (t - 1, 0), (t - 1, 3), (t, 0), (t, 3), code="M01", site=(0, 3))
        for t in range(1, 5)
    ]
    assert groups(*parallels) == [1, 2, 3, 4]
    assert groups(*(fault(t, (0, 0), (t, 1)) for t in range(4))) == [1, 1, 1, 1]


def test_groups_are_numbered_in_order_of_time_whatever_order_faults_come_in():
    apart = [fault(t, (t, 0)) for t in (5, 2, 9)]
    assert groups(*apart) == [2, 1, 3]


def test_the_gravest_fault_is_the_root_then_the_first_then_the_one_that_shares_most():
    style = fault(1, (1, 0), severity=Severity.STYLE)
    late = fault(2, (1, 0), (2, 0), code="L01")
    assert roots(style, late) == [False, True]
    assert roots(fault(1, (1, 0)), late) == [True, False]
    wide = fault(1, (0, 0), (0, 1), (1, 0), (1, 1), code="M01")
    assert roots(fault(1, (0, 0), (1, 0), code="L01"), wide, fault(1, (1, 1), (1, 0))) == [
        False,
        True,
        False,
    ]


def fewest(faults):
    """The fewest notes such that every fault has one of them, by trying every set."""
    notes = sorted({note for each in faults for note in each.candidates})
    for size in range(len(notes) + 1):
        for chosen in combinations(notes, size):
            if all(each.candidates & set(chosen) for each in faults):
                return size
    raise AssertionError("some fault has no note")


def test_slips_are_hardly_ever_more_than_the_fewest_notes_that_explain_every_fault():
    rng = np.random.default_rng(1)
    excess = []
    for _ in range(200):
        faults = []
        for _ in range(rng.integers(1, 9)):
            time, pair = int(rng.integers(3)), rng.choice(4, 2, replace=False).tolist()
            faults.append(fault(time, *((int(rng.integers(time + 1)), v) for v in pair)))
        places = grouped(faults)
        for group in {place.group for place in places}:
            members = [f for f, place in zip(faults, places, strict=True) if place.group == group]
            assert frozenset.intersection(*(each.candidates for each in members))
            assert sum(p.root for p in places if p.group == group) == 1
        excess.append(max(place.group for place in places) - fewest(faults))
    assert min(excess) >= 0
    assert np.mean(excess) < 0.05


def slips(report):
    """Codes by slip, the root's first."""
    return [[root.code, *(f.code for f in more)] for root, more in report.tree if root.group]


def test_one_wrong_note_is_one_slip():
    """The tenor's B doubles the soprano's leading tone and crosses below the bass."""
    report = check(
        exercise("C5 G4 E4 C3", "B4 G4 B2 D3", "C5 G4 C4 E3", "C5 G4 C4 E3"), STRICT, "C"
    )
    assert {f.code for f in report.findings} >= {"V04", "V10"}
    assert report.slips == 1
    assert sum(f.root for f in report.findings) == 1


def test_an_unresolved_and_doubled_leading_tone_is_one_slip():
    report = check(exercise("C5 G4 E4 C3", "B4 D4 B3 G3", "G4 E4 C4 C3"), STRICT, "C")
    assert slips(report) == [["V10", "T01"]]


def test_faults_far_apart_are_slips_of_their_own():
    chords = ("C5 G4 E4 C3", "D5 A4 F4 D3", "B4 G4 D4 G3", "C5 G4 E4 C3", "D5 A4 F4 D3")
    assert slips(check(exercise(*chords), key="C")) == [["M01", "M02"], ["M01", "M02"]]


def test_a_given_cantus_explains_nothing():
    lines = ("A4:2 C5:2 B4:2 A4:2 D5:4", "D3:4 F3:4 D3:4")
    given = check(score("4/4", "d", *lines), "fux", "d", task=Task(species=2, cantus=1))
    for root, consequences in given.tree:
        for each in consequences:
            shared = set(root.note_ids) & set(each.note_ids)
            assert any(name.startswith("S") for name in shared)


def test_labels_and_licences_are_in_no_group():
    crossing = check(exercise("C5 G4 E4 C3", "D5 A4 F4 D3", fermatas=(0,)), STRICT, "C")
    assert all((f.group is None) == (f.severity < Severity.STYLE) for f in crossing.findings)
