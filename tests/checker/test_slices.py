from fractions import Fraction

import pytest

from clausula.errors import InputError
from clausula.grid import REST, Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score
from clausula.slices import SILENT, slices_of

START = Fraction(0)


def part(name: str, *notes: tuple[str, str, str]) -> Part:
    """A part of (pitch, onset, duration) in quarters."""
    return Part(
        name,
        tuple(
            Note(f"{name}{i}", Fraction(onset), Fraction(length), SpelledPitch.parse(pitch))
            for i, (pitch, onset, length) in enumerate(notes)
        ),
    )


def score(*parts: Part, meter="4/4", pickup="0") -> Score:
    meters, keys = ((START, Meter.parse(meter)),), ((START, Key.parse("C")),)
    return Score(parts, meters, keys, pickup=Fraction(pickup))


def test_a_row_for_every_moment_at_which_a_voice_moves():
    upper = part("U", ("G4", "0", "1"), ("G4", "1", "1/3"), ("A#4", "4/3", "2/3"))
    lower = part("L", ("E3", "0", "1/2"), ("Bb2", "1", "1"))
    slices = slices_of(score(upper, lower))
    assert slices.onset == (0, Fraction(1, 2), 1, Fraction(4, 3))
    assert slices.duration == (Fraction(1, 2), Fraction(1, 2), Fraction(1, 3), Fraction(2, 3))
    assert slices.semitone.tolist() == [[67, 52], [67, REST], [67, 46], [70, 46]]
    assert slices.step.tolist() == [[32, 23], [32, 0], [32, 20], [33, 20]]
    assert slices.moved.tolist() == [[1, 1], [0, 0], [1, 1], [1, 0]]
    assert slices.note.tolist() == [[0, 0], [0, SILENT], [1, 1], [2, 1]]
    assert slices.note_at(1, 1) is None
    assert slices.note_at(3, 1).id == "L1"
    assert (len(slices), slices.n_voices) == (4, 2)


def test_places_count_beats_in_the_meters_unit():
    line = part("S", ("C4", "0", "1/2"), ("D4", "1/2", "3/2"), ("E4", "2", "3"))
    slices = slices_of(score(line, meter="6/8", pickup="1/2"))
    assert slices.place == ((0, Fraction(8, 3)), (1, 1), (1, 2))
    assert slices.measure.tolist() == [0, 1, 1]
    assert slices.beat == [Fraction(8, 3), 1, 2]


def test_a_part_without_notes_is_silent():
    slices = slices_of(score(part("S", ("C4", "1", "1")), part("A")))
    assert slices.semitone.tolist() == [[60, REST]]


def test_no_notes_at_all():
    with pytest.raises(InputError, match="no note"):
        slices_of(score(part("S"), part("A")))


def test_lines_are_the_notes_of_each_voice():
    upper = part("U", ("G4", "0", "1"), ("G4", "1", "1/3"), ("A#4", "5/3", "1/3"))
    lower = part("L", ("E3", "0", "2"))
    first, second = slices_of(score(upper, lower)).lines
    assert first.start.tolist() == [0, 1, 3]
    assert first.stop.tolist() == [1, 2, 4]
    assert first.semitone.tolist() == [67, 67, 70]
    assert first.joined.tolist() == [False, True, False]
    assert first.duration.tolist() == [1, 1 / 3, 1 / 3]
    assert (second.start.tolist(), second.stop.tolist()) == ([0], [4])


def test_levels_say_how_weak_a_moment_is():
    beats = [("C4", str(Fraction(n, 4)), "1/4") for n in range(16)]
    four = slices_of(score(part("S", *beats)))
    assert four.level.tolist() == [0, 4, 3, 4, 2, 4, 3, 4, 1, 4, 3, 4, 2, 4, 3, 4]
    three = slices_of(score(part("S", *beats[:12]), meter="3/4"))
    assert three.level.tolist()[::4] == [0, 2, 2]
    eighths = [("C4", str(Fraction(n, 2)), "1/2") for n in range(6)]
    six = slices_of(score(part("S", *eighths), meter="6/8"))
    assert six.level.tolist() == [0, 4, 4, 1, 4, 4]


def test_times_with_large_denominators_stay_exact():
    lengths = [Fraction(1, prime) for prime in (101, 103, 107, 109, 113, 127, 131, 137)]
    onsets = [sum(lengths[:n], START) for n in range(len(lengths))]
    notes = [("C4", str(o), str(n)) for o, n in zip(onsets, lengths, strict=True)]
    slices = slices_of(score(part("S", *notes)))
    assert list(slices.onset) == onsets
    assert list(slices.duration) == lengths
    assert slices.lines[0].joined.tolist() == [False] + [True] * 7
