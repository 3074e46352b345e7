"""Staves with chords or several voices, as one line each."""

import pytest
from score_files import four, musicxml

from clausula.corpus.passages import OF_SEVERAL
from clausula.corpus.thinning import read_lines
from clausula.errors import InputError


def read(tmp_path, content):
    path = tmp_path / "piece.musicxml"
    path.write_bytes(content)
    return read_lines(path)


def sounds(part):
    return [(n.pitch.name, int(n.onset), int(n.duration), n.text == OF_SEVERAL) for n in part.notes]


def test_the_outer_note_of_a_chord_is_kept(tmp_path):
    found = read(
        tmp_path,
        musicxml("C5:2 C5+E5+G5:2", "G4:4", "E4:2 C4+E4:2", "C3:2 C3+G3:2"),
    )
    assert [sounds(part) for part in found.parts] == [
        [("C5", 0, 2, False), ("G5", 2, 2, True)],
        [("G4", 0, 4, False)],
        [("E4", 0, 2, False), ("E4", 2, 2, True)],
        [("C3", 0, 2, False), ("C3", 2, 2, True)],
    ]


def test_a_score_in_lines_is_read_as_it_is(tmp_path):
    found = read(tmp_path, four(3))
    assert not any(note.text for part in found.parts for note in part.notes)
    assert [len(part.notes) for part in found.parts] == [6, 3, 3, 3]


def test_a_held_upper_voice_outlasts_what_moves_below_it(tmp_path):
    one_voice = musicxml("E5:3 D5:1", "G4:4", "E4:4", "C3:4").decode()
    below = musicxml("C5:2 G5:1 F5:1").decode().split("</attributes>")[1].split("</measure>")[0]
    first, rest = one_voice.split("</measure>", 1)
    head, notes = first.split("</attributes>")
    upper = notes.replace("</duration>", "</duration><voice>1</voice>")
    lower = below.replace("</duration>", "</duration><voice>2</voice>")
    back = "<backup><duration>4</duration></backup>"
    found = read(tmp_path, f"{head}</attributes>{upper}{back}{lower}</measure>{rest}".encode())
    # C5 lies below E5; G5 takes over from it; F5 is the higher of the two on the last beat.
    assert sounds(found.parts[0]) == [("E5", 0, 2, True), ("G5", 2, 1, True), ("F5", 3, 1, True)]


def test_what_is_no_score_keeps_the_readers_own_message(tmp_path):
    with pytest.raises(InputError, match="damaged or unusual"):
        read(tmp_path, four(3)[:500])
    with pytest.raises(InputError, match="the file is empty"):
        read(tmp_path, b"")


def test_fewer_than_four_staves_are_not_thinned(tmp_path):
    crowded = musicxml("C5+E5+G5:2 C5+E5:1 C5:1", "C3:4")
    with pytest.raises(InputError, match="cannot be read as lines"):
        read(tmp_path, crowded)
