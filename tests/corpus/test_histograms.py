"""Histograms and statistics of pieces written by hand."""

import numpy as np
import pytest

from clausula.corpus.histograms import LARGEST, histograms, jensen_shannon, pooled
from clausula.corpus.stats import motion, self_similarity, statistics
from clausula.grid import REST, Grid, Meter
from clausula.pitch import Key

HELD = None


def grid_of(frames, meter="1/4", pickup=0, key="C"):
    """A grid of rows of four pitches; ``HELD`` goes on with the pitch before."""
    pitch = np.zeros((len(frames), 4), int)
    onset = np.zeros((len(frames), 4), bool)
    for t, row in enumerate(frames):
        for voice, note in enumerate(row):
            pitch[t, voice] = pitch[t - 1, voice] if note is HELD else note
            onset[t, voice] = note is not HELD and note != REST
    return Grid(
        pitch,
        np.zeros_like(pitch),
        onset,
        np.zeros(len(frames), bool),
        Meter.parse(meter),
        Key.parse(key),
        pickup,
    )


HOLD = (HELD,) * 4
SMALL = grid_of(
    [(69, 65, 62, 50), HOLD, (71, HELD, REST, 38), HOLD, (71, HELD, REST, HELD)], key="D"
)


def test_pitches_are_counted_above_the_tonic():
    found = histograms(SMALL)
    assert found["degrees"][0].nonzero()[0].tolist() == [7, 9]
    assert found["degrees"][0, [7, 9]].tolist() == [2, 3]
    assert found["degrees"].sum(axis=1).tolist() == [5, 5, 2, 5]
    assert found["register"][3, [50 // 3, 38 // 3]].tolist() == [2, 3]
    assert found["rests"].tolist() == [[5, 0], [5, 0], [2, 3], [5, 0]]


def test_notes_are_counted_by_interval_and_length():
    found = histograms(SMALL)
    assert found["intervals"][0, LARGEST + np.array([0, 2])].tolist() == [1, 1]
    assert found["intervals"][3, LARGEST - 12] == found["intervals"][3].sum() == 1
    assert found["lengths"][0, :2].tolist() == [1, 2]
    assert found["lengths"][1, 4] == found["lengths"][1].sum() == 1
    assert found["lengths"][2, 1] == found["lengths"][2].sum() == 1
    assert found["onsets"].nonzero()[0].tolist() == [1, 9, 15]


def test_chords_are_sets_above_tonic_and_bass():
    found = histograms(SMALL)
    first = 1 << 0 | 1 << 7 | 1 << 3
    then = 1 << 0 | 1 << 9 | 1 << 3
    assert found["chords"][[first, then]].tolist() == [2, 3]
    assert found["sonorities"].sum() == 5
    assert found["sonorities"][first] == 2
    assert found["vertical"].sum(axis=1).tolist() == [5, 2, 5, 2, 5, 2]
    assert found["vertical"][0, [4, 6]].tolist() == [2, 3]


def test_a_transposed_piece_differs_in_register_alone():
    up = grid_of(
        [
            (p + 4 if p not in (HELD, REST) else p for p in row)
            for row in [(69, 65, 62, 50), HOLD, (71, HELD, REST, 38), HOLD, (71, HELD, REST, HELD)]
        ],
        key="F#",
    )
    one, other = histograms(SMALL), histograms(up)
    assert [n for n in one if (one[n] != other[n]).any()] == ["register"]


def test_pooling_adds():
    twice = pooled([histograms(SMALL)] * 2)
    for name, counts in histograms(SMALL).items():
        np.testing.assert_array_equal(twice[name], 2 * counts)


def test_jensen_shannon_at_known_points():
    assert jensen_shannon(np.array([3, 1]), np.array([6, 2])) == 0
    assert jensen_shannon(np.array([3, 0]), np.array([0, 5])) == 1
    # Half of log2(1 / 0.75) and of 0.5 log2(0.5 / 0.75) + 0.5 log2(0.5 / 0.25).
    expected = np.sqrt((np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5) / 2)
    assert jensen_shannon(np.array([1, 0]), np.array([1, 1])) == pytest.approx(expected)


def test_parallels_are_moving_perfect_intervals_one_way():
    fifths = grid_of([(67, 60, REST, 48), (69, 62, REST, HELD), (67, 60, REST, HELD)])
    # Soprano and alto move twice in parallel fifths; the bass is held beneath each of them.
    assert motion([fifths]) == {"moving_pairs": pytest.approx(2 / 6), "parallels": 1000.0}
    contrary = grid_of([(67, 60, REST, REST), (72, 53, REST, REST)])
    assert motion([contrary])["parallels"] == 0
    octaves = grid_of([(72, REST, REST, 48), (74, REST, REST, 50), (74, REST, REST, 50)])
    assert motion([octaves]) == {"moving_pairs": 0.5, "parallels": 1000.0}
    assert motion([fifths, octaves, contrary])["parallels"] == pytest.approx(750)


def test_silence_does_not_move():
    entering = grid_of([(67, 60, REST, REST), (69, 62, 57, REST), (REST, 60, 55, REST)])
    assert motion([entering]) == {"moving_pairs": pytest.approx(2 / 2), "parallels": 500.0}


def test_a_returning_measure_is_found():
    theme, other = (
        [(72, 67, 64, 48), HOLD, HOLD, HOLD],
        [(74, 65, 62, 50), HOLD, (76, HELD, HELD, HELD), HOLD],
    )
    twice = grid_of(theme + other + theme)
    found = self_similarity([twice])
    assert found["pitches"] == pytest.approx(1 / 2)
    assert found["rhythms"] == pytest.approx((4 / 5 + 1) / 2)
    assert self_similarity([grid_of(theme)]) == {"pitches": 0, "rhythms": 0}


def test_pick_ups_shift_the_measures():
    theme = [(72, 67, 64, 48), HOLD, HOLD, HOLD]
    shifted = grid_of([(60, 59, 58, 57), HOLD, *theme, *theme], pickup=2)
    assert self_similarity([shifted])["pitches"] == 1


def test_a_voice_that_never_sounds_has_no_mean_pitch():
    silent = grid_of([(72, 67, REST, 48), (71, 67, REST, 43)])
    mean = statistics([silent])["mean_pitch"]
    assert [mean[letter] for letter in "SAB"] == [71.5, 67, 45.5]
    assert np.isnan(mean["T"])
