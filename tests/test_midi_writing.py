from dataclasses import replace
from fractions import Fraction
from io import BytesIO

import mido
import pytest
from example_scores import VOICES, chorale, minor, score

from clausula.errors import InputError
from clausula.midi_writing import to_midi
from clausula.reading import read_score
from clausula.writing import write_midi


def _tracks(piece, bpm=72):
    return mido.MidiFile(file=BytesIO(to_midi(piece, bpm)), charset="utf-8").tracks


def _meta(track, kind):
    now, found = 0, []
    for message in track:
        now += message.time
        if message.type == kind:
            found.append((Fraction(now, 480), message))
    return found


@pytest.mark.parametrize("piece", [chorale(), minor()], ids=["chorale", "minor"])
def test_midi_comes_back_with_the_same_times_and_pitches(piece, tmp_path):
    write_midi(piece, tmp_path / "a.mid")
    found = read_score(tmp_path / "a.mid")
    for given, heard in zip(piece.parts, found.parts, strict=True):
        assert [(n.onset, n.duration, n.pitch.semitone) for n in heard.notes] == [
            (n.onset, n.duration, n.pitch.semitone) for n in given.notes
        ]
    assert (found.meters, found.keys, found.pickup) == (piece.meters, piece.keys, piece.pickup)


def test_one_named_track_a_part_after_the_conductors():
    tracks = _tracks(chorale(), bpm=100)
    assert [track.name for track in tracks] == ["Grüße & <Lob>", *VOICES]
    ((_, tempo),) = _meta(tracks[0], "set_tempo")
    assert round(mido.tempo2bpm(tempo.tempo)) == 100
    channels = [{m.channel for m in track if m.type == "note_on"} for track in tracks[1:]]
    assert channels == [{0}, {1}, {2}, {3}]


def test_a_pick_up_is_a_measure_of_its_own_length():
    meters = _meta(_tracks(chorale())[0], "time_signature")
    assert [(at, m.numerator, m.denominator) for at, m in meters] == [(0, 1, 4), (1, 4, 4)]
    short = score("2/2", "C", "C5:3/2 D5:4 E5:5/2", pickup="3/2")
    meters = _meta(_tracks(short)[0], "time_signature")
    assert [(m.numerator, m.denominator) for _, m in meters] == [(3, 8), (2, 2)]


def test_keys_are_named_when_they_are_known():
    ((_, key),) = _meta(_tracks(minor())[0], "key_signature")
    assert key.key == "Dm"
    assert not _meta(_tracks(replace(minor(), key_given=False))[0], "key_signature")


def test_a_repeated_note_stops_before_it_sounds_again():
    _, track = _tracks(score("4/4", "C", "C5:1 C5:1 D5:1 r:1"))
    times = [(m.type, m.note, m.time) for m in track if m.type.startswith("note")]
    assert times == [
        ("note_on", 72, 0),
        ("note_off", 72, 468),
        ("note_on", 72, 12),
        ("note_off", 72, 480),
        ("note_on", 74, 0),
        ("note_off", 74, 480),
    ]


def test_tracks_last_as_long_as_the_piece():
    piece = score("4/4", "C", "C5:1", "C4:8")
    assert {sum(m.time for m in track) for track in _tracks(piece)} == {8 * 480}


def test_what_midi_cannot_say_is_refused():
    with pytest.raises(InputError, match="no tempo"):
        to_midi(minor(), bpm=0)
    with pytest.raises(InputError, match="pick-up of 1/3"):
        to_midi(score("4/4", "C", "C5:1/3 C5:4 C5:11/3", pickup="1/3"))
