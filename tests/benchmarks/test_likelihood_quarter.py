"""Piano rolls as four voices."""

from itertools import combinations_with_replacement

import likelihood_cases  # noqa: F401
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from likelihood_quarter import Reading, readable_frames, reading_of, shared_out
from piano_roll_data import KEYS, LOWEST_KEY

from clausula.grid import REST
from clausula.vocabulary import FIRST_PITCH, HIGHEST, LOWEST

NOTES = st.integers(40, 70)


def roll_of(*frames):
    roll = np.zeros((len(frames), KEYS), np.uint8)
    for t, notes in enumerate(frames):
        roll[t, np.array(notes, int) - LOWEST_KEY] = 1
    return roll


@given(st.sets(NOTES, min_size=1, max_size=4), st.lists(NOTES, min_size=4, max_size=4))
def test_voices_sound_all_notes_and_move_least(notes, last):
    last = np.sort(last)[::-1]
    voices = shared_out(np.array(sorted(notes, reverse=True)), last)
    assert set(voices) == notes
    assert (np.diff(voices) <= 0).all()
    ways = combinations_with_replacement(sorted(notes, reverse=True), 4)
    moves = [np.abs(np.array(way) - last).sum() for way in ways if set(way) == notes]
    assert np.abs(voices - last).sum() == min(moves)


def test_a_roll_is_read_and_given_back():
    roll = roll_of([60, 55, 52, 48], [62, 55, 47], [], [64, 60], [59])
    voiced = Reading(0, 0.01).voiced(roll)
    pitch = voiced.example.sounding - FIRST_PITCH + LOWEST
    np.testing.assert_array_equal(pitch[:2], [[60, 55, 52, 48], [62, 55, 55, 47]])
    assert (voiced.example.sounding[2] < FIRST_PITCH).all()
    np.testing.assert_array_equal(pitch[3:], [[64, 60, 60, 60], [59] * 4])
    assert voiced.readable.all()


def test_frames_that_four_voices_cannot_sound_pay_by_the_key():
    roll = roll_of([60, 55, 52, 48], [70, 60, 55, 52, 48], [HIGHEST + 1, 60, 55, 52])
    reading = Reading(0, 0.125)
    voiced = reading.voiced(roll)
    np.testing.assert_array_equal(voiced.readable, [True, False, False])
    five = voiced.example.sounding[1] - FIRST_PITCH + LOWEST
    np.testing.assert_array_equal(five, [70, 60, 55, 48])
    log_probs = np.full((3, 4), -0.5)
    apart = KEYS * np.log(2) - np.log(0.125)
    assert reading.nats(voiced, log_probs) == pytest.approx(2.0 - np.log(0.875) + 2 * apart)


def test_rolls_are_moved_to_where_the_fewest_frames_are_lost():
    high = HIGHEST + 6
    low = LOWEST + 5
    roll = roll_of([high, 60], [high, 60], [low, 60], [50, 45])
    # Six down takes in the highest note and loses the lowest one.
    assert reading_of([roll]) == Reading(-6, 2 / 6)
    np.testing.assert_array_equal(readable_frames(roll, -6), [True, True, False, True])
    np.testing.assert_array_equal(readable_frames(roll, 0), [False, False, True, True])


def test_a_silent_frame_is_four_rests_and_voices_remember_through_it():
    voiced = Reading(-2, 0.01).voiced(roll_of([72, 67, 64, 50], [], [71, 67, 50]))
    pitch = np.where(voiced.example.sounding < FIRST_PITCH, REST, voiced.example.sounding + 32)
    np.testing.assert_array_equal(pitch, [[70, 65, 62, 48], [REST] * 4, [69, 65, 65, 48]])
