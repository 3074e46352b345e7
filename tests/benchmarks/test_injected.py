"""Injected faults: every injector gives a valid score, and clean passages are clean by brute force.

The brute force reads the notes of the score alone: MIDI numbers, spelled names, numerals.
"""

import random
import sys
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from injected.chord_table import harmony
from injected.decorated import decorated
from injected.laws_motion import LAWS as MOTION
from injected.passages import clean, clean_of, clean_slots, compose, windows
from injected.plans import plan_of
from injected_faults import FAULTS, NEAR_MISSES, judged, tally

from clausula.chords import parse_numeral, tone
from clausula.pitch import Key

CODES = [
    *(f"V{i:02}" for i in range(1, 21)),
    *(f"M{i:02}" for i in range(1, 13)),
    *(f"L{i:02}" for i in range(1, 10)),
    *(f"T{i:02}" for i in range(1, 15)),
    *(f"H{i:02}" for i in range(1, 9)),
    *(f"C{i:02}" for i in range(1, 6)),
]
RANGES = ((60, 79), (55, 72), (48, 67), (40, 60))
SEEDS = range(12)


def verticals(passage):
    """Chords of a plain passage as rows of four spelled pitches."""
    return list(zip(*([note.pitch for note in p.notes] for p in passage.score.parts), strict=True))


def test_every_code_has_both():
    assert [code for code in FAULTS if code[0] in "VMLTHC"] == CODES
    assert list(NEAR_MISSES) == list(FAULTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_chords_by_brute_force(seed):
    passage = clean(random.Random(seed))
    key = Key.parse(passage.key)
    for row, (_, name) in zip(verticals(passage), passage.numerals, strict=True):
        sung = [pitch.semitone for pitch in row]
        assert sung == sorted(sung, reverse=True), "crossing"
        assert all(low <= p <= high for p, (low, high) in zip(sung, RANGES, strict=True))
        assert max(sung[0] - sung[1], sung[1] - sung[2]) <= 12
        assert sung[2] - sung[3] <= 19
        # The chord by the program's own parser, which the passages do not use.
        numeral = parse_numeral(name, key)
        tones = numeral.chord(key).tones
        found = [tone(pitch.semitone, pitch.step) for pitch in row]
        assert set(found) <= set(tones)
        assert found[3] == tones[numeral.inversion]
        assert {tones[0], tones[1]} <= set(found)
        leading = tone(key.tonic_pc - 1, key.tonic_letter - 1)
        assert found.count(leading) < 2


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_motion_by_brute_force(seed):
    passage = clean(random.Random(seed))
    key = Key.parse(passage.key)
    for one, two in pairwise(verticals(passage)):
        moves = [b.semitone - a.semitone for a, b in zip(one, two, strict=True)]
        assert not (all(m > 0 for m in moves))
        assert not (all(m < 0 for m in moves))
        for u, v in combinations(range(4), 2):
            sizes = [(row[u].semitone - row[v].semitone) % 12 for row in (one, two)]
            assert not (moves[u] and moves[v] and sizes[0] == sizes[1] and sizes[0] in (0, 7))
        for a, b in zip(one, two, strict=True):
            steps = abs(b.step - a.step)
            assert abs(b.semitone - a.semitone) <= 12
            assert steps != 6
            assert (abs(b.semitone - a.semitone), steps) not in ((3, 1), (6, 3))
        for v in (0, 3):
            if one[v].semitone % 12 == (key.tonic_pc - 1) % 12:
                assert moves[v] in (0, 1)
    line = [row[0].semitone for row in verticals(passage)]
    assert line.count(max(line)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_ends_with_a_perfect_cadence(seed):
    passage = clean(random.Random(seed))
    key = Key.parse(passage.key)
    last = verticals(passage)[-1]
    assert last[0].semitone % 12 == last[3].semitone % 12 == key.tonic_pc
    assert passage.score.parts[0].notes[-1].end == passage.score.length


def test_minor_is_spelled_with_its_leading_tone():
    plan = plan_of(random.Random(3), "i V6 i iv V i")
    slots = compose(random.Random(3), plan)
    while slots is None:
        slots = compose(random.Random(4), plan)
    key = plan.frame.key
    raised = [
        note.pitch
        for part in clean_of(plan, slots).score.parts
        for note in part.notes
        if (note.pitch.semitone - key.tonic_pc) % 12 == 11
    ]
    assert raised
    assert all((pitch.step - key.tonic_letter) % 7 == 6 for pitch in raised)


@pytest.mark.parametrize("name", ["V65/V", "ii6", "viio7", "It6", "Ger65", "bII6", "iiø65", "i64"])
def test_table_against_the_parser(name):
    minor = name in ("iiø65", "i64", "bII6", "viio7")
    key = Key.parse("c" if minor else "C")
    tones = {tone(*each) for each in harmony(name, minor).tones}
    assert tones == set(parse_numeral(name, key).chord(key).tones)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [FAULTS, NEAR_MISSES], ids=["fault", "near miss"])
@pytest.mark.parametrize("code", CODES)
def test_injected_is_a_valid_score_with_its_place(code, kind):
    case = kind[code](random.Random(1))
    score = case.clean.score
    assert case.code == code
    assert set(case.voices) <= set("SATB")
    places = {score.place(note.onset) for part in score.parts for note in part.notes}
    assert (case.measure, case.beat) in case.accepted
    assert set(case.accepted) <= places | {(case.measure, case.beat)}
    ends = {part.notes[-1].end for part in score.parts}
    assert len(ends) == 1
    for part in score.parts:
        assert part.notes[0].onset == 0
        assert all(one.end == two.onset for one, two in pairwise(part.notes)), "no rests"
    assert code not in case.other


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
def test_injected_is_deterministic(code):
    one, two = (FAULTS[code](random.Random(7)) for _ in range(2))
    assert one == two


def test_parallel_fifths_are_there_and_in_no_near_miss():
    def pairs(case):
        rows = verticals(case.clean)
        return [
            (u, v)
            for one, two in pairwise(rows)
            for u, v in combinations(range(4), 2)
            if all((row[u].semitone - row[v].semitone) % 12 == 7 for row in (one, two))
            and (one[u].semitone - two[u].semitone) * (one[v].semitone - two[v].semitone) > 0
        ]

    for seed in range(4):
        fault = FAULTS["M01"](random.Random(seed))
        assert ["SATB"[v] for pair in pairs(fault) for v in pair] == list(fault.voices)
        assert not pairs(NEAR_MISSES["M01"](random.Random(seed)))


def test_no_law_of_motion_hits_in_a_clean_passage():
    plan, slots = clean_slots(random.Random(5))
    assert not [code for w in windows(plan, slots) for code, law in MOTION.items() if law(w)]


def test_clean_passages_have_no_finding():
    for seed in range(6):
        report = judged(clean(random.Random(seed)), "common-practice-strict", False)
        assert not report.reaches("error")


def test_tally_counts():
    found = tally("V02", 2, 1, "common-practice-strict", False)
    assert (found.faults, found.near_misses, found.recalled, found.accused) == (2, 2, 2, 0)
    assert found.right == found.findings >= 2


def test_pickup_is_shorter_than_a_measure():
    for seed in SEEDS:
        score = clean(random.Random(seed)).score
        assert Fraction(0) <= score.pickup < score.meters[0][1].quarters


def test_decorated_passages_have_an_eighth_and_no_finding():
    for seed in range(6):
        passage = decorated(random.Random(seed))
        lengths = {note.duration for part in passage.score.parts for note in part.notes}
        assert any(length.denominator == 2 for length in lengths)
        assert not judged(passage, "common-practice-strict", False).reaches("error")
