"""Numerals, figures and cadences in files: read as what they are, and judged by the notes."""

from fractions import Fraction
from pathlib import Path

import pytest

import clausula as cl
from clausula.checker.labels import written_in
from clausula.reading import read_score
from tests.checker.label_scores import CHORDS, figured, function, labelled, words

LABEL_CODES = {"V18", "V19", "H09", "H10", "H11", "H12"}
RIGHT = "I V6 I ii6 I64 V vi IV I64 V7 I"


def said(score, rules="common-practice-strict", **options):
    """``"code measure.beat message"`` of what is found about labels."""
    report = cl.check(score, rules, **options)
    return [
        f"{f.code} {f.measure}.{f.beat} {f.message}"
        for f in report.findings
        if f.code in LABEL_CODES
    ]


@pytest.mark.parametrize(
    "verse",
    [
        RIGHT,
        "C:~I V6 I ii6 I6/4 V vi IV I6/4 V7 I",
        "I V6 I ii6 V6/4 5/3 vi IV V64-53 V7 I",
        "I V6 I ii6 Cad64 V vi IV K64 V⁷ I",
        "I V6 _ ii6 _ V _ _ _ V7 I",
        "C:~I V6 G:~IV C:~ii6 G:~IV64 I C:~vi IV I64 V7 I",
    ],
)
def test_right_numerals_in_every_usual_spelling(tmp_path, verse):
    assert said(labelled(tmp_path, verse)) == []


def test_wrong_numerals_are_named_with_the_reason(tmp_path):
    assert said(labelled(tmp_path, "I V I IV V64 V VIx IV I64 V i")) == [
        "V19 1.2 V is written; the bass B makes it V6",
        "H09 1.4 IV is F, A and C; D does not belong to it; the notes make ii6",
        "H11 2.3 The label 'VIx' is no Roman numeral; write V65, ii6, vii°7/V, N6 or G: I",
        "H09 3.2 V is G, B and D; F does not belong to it; the notes make V7",
        "H09 3.3 i is C, Eb and G; E does not belong to it; the notes make I",
    ]


def test_a_seventh_that_does_not_sound(tmp_path):
    wrong = said(labelled(tmp_path, RIGHT.replace("64 V vi", "64 V7 vi")))
    assert wrong == ["H09 2.2 V7 is written, but no F sounds: V"]


def test_a_wrong_numeral_does_not_hide_behind_the_next_chord(tmp_path):
    assert [line[:7] for line in said(labelled(tmp_path, "_ I _ _ _ _ _ _ _ V7 I"))] == ["H09 1.2"]


def test_secondary_dominants_and_enharmonic_spelling(tmp_path):
    chords = ("C5 G4 E4 C3", "C5 A4 F#4 D3", "B4 G4 D4 G3", "B4 Ab4 D4 F3", "C5 G4 E4 E3")
    assert said(labelled(tmp_path, "I V7/V V viio43 I6", chords=chords)) == []
    assert said(labelled(tmp_path, "I ii7 V viio43 I6", chords=chords)) != []
    sharp = (*chords[:3], "B4 G#4 D4 F3", chords[4])
    assert said(labelled(tmp_path, "I V7/V V viio43 I6", chords=sharp)) == []


def test_numerals_of_a_minor_key_settle_the_key(tmp_path):
    chords = ("A4 E4 C4 A3", "G#4 E4 B3 E3", "A4 E4 C4 A2", "A4 F4 D4 D3", "G#4 E4 B3 E3")
    score = labelled(tmp_path, "a:~i V i iv V~HC", chords=chords)
    assert said(score) == []
    assert str(cl.check(score).key) == "A minor"


@pytest.mark.parametrize(
    "verse",
    [
        "O a I V i come to thee my God A-",
        "I vi sing I to thee V and all a I",
        "1 2 3 4 1 2 3 4 1 2 3",
    ],
)
def test_a_sung_text_is_no_analysis(tmp_path, verse):
    score = labelled(tmp_path, verse)
    assert len(score.labels) == 11
    assert not written_in(score)


def test_degrees_of_the_scale_over_the_soprano_are_no_figures(tmp_path):
    assert not written_in(labelled(tmp_path, "8 7 8 6 5 5 8 8 5 4 3", part=0))


def test_a_text_and_an_analysis_stand_in_verses_of_their_own(tmp_path):
    score = labelled(tmp_path, "O a I V i come to thee my God A-", RIGHT)
    assert [one.text for one in written_in(score).numerals] == RIGHT.split()


def test_functions_of_musicxml(tmp_path):
    before = [function(text) for text in RIGHT.split()]
    assert said(labelled(tmp_path, before=before)) == []
    before[1] = function("IV")
    assert [line[:7] for line in said(labelled(tmp_path, before=before))] == ["H09 1.2"]


def test_numerals_of_musicxml_4(tmp_path):
    before = [
        f"<harmony><numeral><numeral-root>{root}</numeral-root></numeral>"
        f"<kind>{kind}</kind><inversion>{inversion}</inversion></harmony>"
        for root, kind, inversion in (
            (1, "major", 0),
            (5, "major", 1),
            (1, "major", 0),
            (2, "minor", 1),
        )
    ]
    score = labelled(tmp_path, before=before)
    assert [one.text for one in written_in(score).numerals] == ["I", "V6", "I", "ii6"]
    assert said(score) == []


def test_figured_bass_of_musicxml(tmp_path):
    before = ["", figured("6"), "", figured("6"), figured("6", "4"), figured("5", "3")]
    assert said(labelled(tmp_path, before=before)) == []


def test_wrong_figures_and_figures_that_nobody_sings(tmp_path):
    before = ["", figured("6"), "", figured("7"), figured("6"), figured("7"), figured("q")]
    assert said(labelled(tmp_path, before=before)) == [
        "V18 1.4 The tenor's D4 is no member of the chord of the figures 7 (F, A, C and E), "
        "nor a legal embellishment of it",
        "V18 2.1 The tenor's C4 is no member of the chord of the figures 6 (G, B and E), "
        "nor a legal embellishment of it",
        "H12 2.2 No voice sings 7, which is figured above the bass G3",
        "H11 2.3 The label 'q' is no figure; write 6, 6 5, #6 or 4-3",
    ]


def test_figures_as_lyrics_under_the_bass(tmp_path):
    assert said(labelled(tmp_path, "_ 6 _ 6 6/4 5/3 _ _ 6~4 7 _")) == []
    assert [x[:7] for x in said(labelled(tmp_path, "_ 6/5 _ 6 6/4 5/3 _"))] == ["H12 1.2"]


def test_two_figures_over_one_bass_note(tmp_path):
    chords = ("C5 G4 E4 C3", "C5 G4 D4 G3", "B4 G4 D4 G3")
    assert said(labelled(tmp_path, "_ 4 3", chords=chords)) == []
    two = figured("6").replace("</figure>", "</figure><duration>1</duration>", 1)
    score = labelled(tmp_path, before=[two + figured("5")])
    assert [(label.onset, label.text) for label in score.labels] == [
        (Fraction(0), "6"),
        (Fraction(1), "5"),
    ]


def test_cadences_by_their_names(tmp_path):
    places = "_ _ _ _ _ HC _ _ _ _ IAC"
    assert said(labelled(tmp_path, places)) == []
    wrong = said(labelled(tmp_path, RIGHT, places.replace("IAC", "PAC")))
    assert wrong == [
        "H10 3.3 PAC is written, but V7 to I in C major makes an imperfect authentic cadence (IAC)"
    ]
    above = ["", "", "", "", "", words("HC"), "", "", "", "", words("perfect authentic cadence")]
    assert [x[:7] for x in said(labelled(tmp_path, before=above))] == ["H10 3.3"]


def test_words_that_are_no_labels_stay_words(tmp_path):
    assert not written_in(labelled(tmp_path, before=[words("Andante"), "", words("rit.")]))


def test_labels_can_be_ignored(tmp_path):
    score = labelled(tmp_path, "I I I I I I I I I I ii")
    assert said(score)
    assert said(score, labels=False) == []


KERN = """**kern\t**fb\t**harm\t**kern\t**kern\t**kern
*M4/4\t*\t*C:\t*\t*\t*
=1\t=1\t=1\t=1\t=1\t=1
4C\t.\tI\t4e\t4g\t4cc
4BB\t6\tVb\t4d\t4g\t4b
2C\t4\tI\t4f\t4g\t2cc
.\t3\t.\t4e\t4g\t.
==\t==\t==\t==\t==\t==
*-\t*-\t*-\t*-\t*-\t*-
"""


def test_figures_and_numerals_of_kern(tmp_path: Path):
    path = tmp_path / "figured.krn"
    path.write_text(KERN)
    written = written_in(read_score(path))
    assert written.figures == ((1, "6"), (2, "4"), (3, "3"))
    assert [one.text for one in written.numerals] == ["C: I", "V6", "I"]
    assert said(read_score(path)) == []


def test_the_music_is_the_same_with_and_without_right_labels(tmp_path):
    plain = cl.check(labelled(tmp_path, chords=CHORDS), "common-practice-strict")
    labels = cl.check(labelled(tmp_path, RIGHT), "common-practice-strict")
    assert labels.findings == plain.findings
