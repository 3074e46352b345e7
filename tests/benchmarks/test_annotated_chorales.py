"""How annotations are read, what their numerals close with, and how agreement is counted."""

import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import annotated_chorales
import pytest
from annotated_chorales import (
    Label,
    annotation,
    as_played,
    cadence,
    compared,
    file_named,
    sounding,
)

import clausula as cl
from clausula.constraints.cadence import CadenceKind
from clausula.reading import read_score

TEXT = """Composer: J. S. Bach
BWV: 248(2).12
Time Signature: 4/4

m0 b4 G: I
m1 V6/5 b2.5 I b3.66 viio6 b4 vii/o7
m1var1 ii b2 V
Note: m1 has another reading
m2 V || b3 I D: IV
"""


def labels(*figures: str, key: str = "C") -> list[Label]:
    return [Label(n + 1, Fraction(1), key, figure) for n, figure in enumerate(figures)]


def closing(*figures: str, key: str = "C", soprano: int = 0) -> CadenceKind | None:
    *before, goal = labels(*figures, key=key)
    return cadence(goal, before, soprano)


def test_annotations_are_read_without_variants():
    bwv, found, repeated = annotation(TEXT)
    assert repeated == 0
    assert bwv == "248(2).12"
    assert [label.figure for label in found] == [
        "I", "V6/5", "I", "viio6", "vii/o7", "V", "I", "IV",
    ]  # fmt: skip
    assert [str(label.beat) for label in found[:5]] == ["4", "1", "5/2", "11/3", "4"]
    assert found[-1] == Label(2, Fraction(3), "D", "IV")
    assert {label.key for label in found[:-1]} == {"G"}


def test_what_is_no_numeral_is_refused():
    with pytest.raises(ValueError, match="hello"):
        annotation("m1 C: I b2 hello")


def test_numerals_sound():
    assert sounding("C", "V6/5") == (7, frozenset({7, 11, 2, 5}), 11, 5)
    assert sounding("a", "V").classes == {4, 8, 11}
    assert sounding("C", "vii/o7").classes == {11, 2, 5, 9}
    assert sounding("C", "V/V").degree == 0


@pytest.mark.parametrize(
    ("figures", "key", "soprano", "kind"),
    [
        (("IV", "V", "I"), "C", 0, CadenceKind.PAC),
        (("V", "V7", "I", "I"), "C", 0, CadenceKind.PAC),
        (("V", "I"), "C", 4, CadenceKind.IAC),
        (("V6", "I"), "C", 0, CadenceKind.IAC),
        (("V7", "I6"), "C", 0, CadenceKind.IAC),
        (("viio6", "I"), "C", 0, CadenceKind.IAC),
        (("v", "i"), "a", 9, None),
        (("ii", "V"), "C", 7, CadenceKind.HC),
        (("iv6", "V"), "a", 4, CadenceKind.PHRYGIAN),
        (("V7", "vi"), "C", 0, CadenceKind.DC),
        (("V", "VI"), "a", 9, CadenceKind.DC),
        (("I", "IV", "I"), "C", 0, CadenceKind.PLAGAL),
        (("I", "ii6/5", "I"), "C", 0, CadenceKind.PLAGAL),
        (("I", "V7"), "C", 5, None),
        (("I", "V/V"), "C", 2, None),
    ],
)
def test_what_numerals_close_with(figures, key, soprano, kind):
    assert closing(*figures, key=key, soprano=soprano) is kind


def chorale() -> cl.Score:
    """Two measures in C: I IV V7 I, V I V I."""
    columns = ("G4 E4 C4 C3", "A4 F4 C4 F3", "G4 F4 B3 G3", "G4 E4 C4 C3",
               "G4 D4 B3 G3", "G4 E4 C4 C3", "G4 D4 B3 G3", "E4 C4 G3 C3")  # fmt: skip
    parts = [
        cl.Part(name, tuple(
            cl.Note(f"{name}{n}", Fraction(n), Fraction(1), cl.SpelledPitch.parse(c.split()[v]))
            for n, c in enumerate(columns)
        ))
        for v, name in enumerate(("Soprano", "Alto", "Tenor", "Bass"))
    ]  # fmt: skip
    start = Fraction(0)
    return cl.Score(tuple(parts), ((start, cl.Meter(4, 4)),), ((start, cl.Key.parse("C")),))


def test_full_agreement():
    _, found, _ = annotation("m1 C: I b2 IV b3 V7 b4 I\nm2 V b2 I b3 V b4 I")
    tally = compared(chorale(), found)
    assert tally[:4] == (16, 16, 16, 16)
    assert tally.disagreements == []
    assert [(close.annotated, close.found) for close in tally.closes] == [(("IAC",), "IAC")]


def test_an_annotation_in_another_key_is_transposed():
    _, found, _ = annotation("m1 Eb: I b2 IV b3 V7 b4 I\nm2 V b2 I b3 V b4 I")
    starts = annotated_chorales.onsets(chorale(), found)
    assert annotated_chorales.transposition(chorale(), found, starts) == 9
    assert compared(chorale(), found)[:4] == (16, 16, 16, 16)
    assert annotated_chorales.transposed(Label(1, Fraction(1), "f#", "V"), 4).key == "bb"


def test_what_differs_is_named():
    _, found, _ = annotation("m1 C: I b2 ii b3 V7 b4 I6\nm2 G: I b2 IV b3 I b4 IV C: I")
    tally = compared(chorale(), found)
    # ii is another chord, I6 another inversion, and the second measure another key to its pivot.
    assert tally[:4] == (16, 10, 14, 6)
    assert tally.disagreements[0] == "1.2: C: ii, found C major: IV"
    # I of G is V of C, so the second reading of the pivot is a cadence.
    assert tally.closes[0].annotated == ("none", "IAC")


def test_a_repeat_that_the_notes_write_out():
    found = annotation("m0 b4 C: I\nm1 V b3 I\nm2 V :|| b4 IV\nm3 I\nm4 V")
    assert as_played(found, 4) == found.labels
    played = [(label.measure, int(label.beat), label.figure) for label in as_played(found, 6)]
    assert played == [
        (0, 4, "I"), (1, 1, "V"), (1, 3, "I"), (2, 1, "V"),
        (2, 4, "I"), (3, 1, "V"), (3, 3, "I"), (4, 1, "V"), (4, 4, "IV"),
        (5, 1, "I"), (6, 1, "V"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="4 measures annotated, 2 of them repeated, 5 in notes"):
        as_played(found, 5)


def test_every_annotated_chorale_has_its_notes():
    folder = annotated_chorales.FOLDER / "choraleAnalyses"
    for number in range(1, 11):
        found = annotation((folder / f"riemenschneider{number:03}.rntxt").read_text())
        score = read_score(file_named(found.bwv))
        labels = as_played(found, len(score.measure_starts) - bool(score.pickup))
        starts = annotated_chorales.onsets(score, labels)
        assert starts == sorted(starts)
        assert starts[-1] < score.length
