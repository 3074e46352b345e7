"""Species exercises with a known fault: what they are, read from the notes of the score alone."""

import random
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from injected.species import FAULTS, NEAR_MISSES
from injected.species_exercise import Exercise, Tone
from injected.species_passages import LAWS, pooled
from injected_faults import judged, rules_for, tally

CONSONANT = {0, 3, 4, 7, 8, 9}
QUICK = ("G02", "G07", "G09", "A03", "A05")


def parts(score):
    """Notes of the upper and of the lower part."""
    return score.parts[0].notes, score.parts[1].notes


@pytest.mark.parametrize("number", range(6))
def test_clean_first_species_is_consonant_and_without_parallels(number):
    upper, lower = parts(pooled(1, False, number).passage().score)
    sizes = [a.pitch.semitone - b.pitch.semitone for a, b in zip(upper, lower, strict=True)]
    assert all(size >= 0 and size % 12 in CONSONANT for size in sizes)
    assert not any(a % 12 == b % 12 in (0, 7) for a, b in pairwise(sizes))
    assert sizes[-1] % 12 == 0


@pytest.mark.parametrize("number", range(3))
def test_a_cantus_alone_begins_and_ends_on_its_final(number):
    exercise = pooled(1, True, number)
    notes = exercise.passage().score.parts[0].notes
    assert notes[0].pitch == notes[-1].pitch
    assert abs(notes[-2].pitch.step - notes[-1].pitch.step) == 1


@pytest.mark.parametrize("code", QUICK)
def test_a_fault_is_placed_in_its_exercise(code):
    for seed in range(3):
        case = FAULTS[code](random.Random(seed))
        onsets = {n.onset for part in case.clean.score.parts for n in part.notes}
        placed = {case.clean.score.place(onset) for onset in onsets}
        assert (case.measure, case.beat) in placed
        assert (case.measure, case.beat) in case.accepted
        assert case.clean.task.species in range(1, 6)


@pytest.mark.parametrize("code", QUICK)
def test_the_same_seed_gives_the_same_exercise(code):
    one, other = (NEAR_MISSES[code](random.Random(7)) for _ in range(2))
    assert one == other


def test_faults_differ():
    cases = [FAULTS["A03"](random.Random(seed)).clean.score for seed in range(12)]
    assert len({case.parts for case in cases}) == 12


def test_a_direct_fifth_is_what_it_is_called():
    case = FAULTS["A03"](random.Random(1))
    upper, lower = parts(case.clean.score)
    at = case.measure - 1
    moves = [v[at].pitch.semitone - v[at - 1].pitch.semitone for v in (upper, lower)]
    assert moves[0] * moves[1] > 0
    assert (upper[at].pitch.semitone - lower[at].pitch.semitone) % 12 in (0, 7)


def test_laws_read_a_line_that_breaks_them():
    line = tuple(Tone(8 * i, 8, d, s) for i, (d, s) in enumerate(((0, 0), (5, 9), (4, 7), (0, 0))))
    exercise = Exercise(1, "ionian", "C", 4, (), True, line)
    assert LAWS["G04"](exercise) == [(8, 0)]  # a major sixth
    assert LAWS["G07"](exercise) == []
    assert LAWS["G03"](exercise)  # leaps to its end


def test_species_are_judged_by_their_own_rule_sets():
    assert rules_for("A11", "chorale") == "westergaard"
    assert rules_for("D02", "chorale") == "fux"
    assert rules_for("M01", "chorale") == "chorale"
    found = tally("A05", 3, 1, rules_for("A05", ""), bare=False)
    assert (found.faults, found.recalled, found.refused) == (3, 3, 0)


def test_a_report_names_the_species_fault():
    case = FAULTS["G09"](random.Random(2))
    codes = {each.code for each in judged(case.clean, "fux", bare=False).findings}
    assert "G09" in codes
    assert case.clean.score.place(Fraction(0)) == (1, 1)
