import io
import zipfile
from fractions import Fraction

import mido
import music21
import pytest

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.pitch import Key
from clausula.reading import read_score

WHOLE = 4


def note(name, duration=WHOLE, *, voice=1, staff=None, chord=False, inner="", **attributes):
    """MusicXML of one note (duration in quarters) such as ``note("F#4", 1)``; None is a rest."""
    attribute = "".join(f' {key}="{value}"' for key, value in attributes.items())
    if name is None:
        pitch = "<rest/>"
    else:
        alter = name.count("#") - name.count("b")
        pitch = f"<pitch><step>{name[0]}</step><alter>{alter}</alter>"
        pitch += f"<octave>{name[-1]}</octave></pitch>"
    where = f"<staff>{staff}</staff>" if staff else ""
    return (
        f"<note{attribute}>{'<chord/>' if chord else ''}{pitch}<duration>{duration}</duration>"
        f"<voice>{voice}</voice>{where}{inner}</note>"
    )


def back(duration):
    return f"<backup><duration>{duration}</duration></backup>"


def musicxml(*parts, meter=(4, 4), fifths=0, mode="major", staves=None):
    """A MusicXML score; every part is the contents of its measures."""
    names = "".join(
        f'<score-part id="P{i}"><part-name>Line {i}</part-name></score-part>'
        for i in range(len(parts))
    )
    named = f"<mode>{mode}</mode>" if mode else ""
    attributes = (
        f"<attributes><divisions>1</divisions><key><fifths>{fifths}</fifths>{named}</key>"
        f"<time><beats>{meter[0]}</beats><beat-type>{meter[1]}</beat-type></time>"
        f"{f'<staves>{staves}</staves>' if staves else ''}</attributes>"
    )
    written = ""
    for i, measures in enumerate(parts):
        written += f'<part id="P{i}">'
        for number, content in enumerate(measures):
            head = attributes if number == 0 else ""
            written += f'<measure number="{number}">{head}{content}</measure>'
        written += "</part>"
    return (
        '<?xml version="1.0"?><score-partwise version="4.0">'
        f"<part-list>{names}</part-list>{written}</score-partwise>"
    )


@pytest.fixture
def read(tmp_path):
    """Writes text or bytes to a file and reads it as a score."""

    def reading(content, name="piece.musicxml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_score(path)

    return reading


def names(part):
    return [one.pitch.name for one in part.notes]


def times(part):
    return [(one.onset, one.duration) for one in part.notes]


CHORD = ("C5", "G4", "E4", "C3")


def test_four_staves_are_four_parts(read):
    score = read(musicxml(*[[note(name)] for name in CHORD]))
    assert [names(part) for part in score.parts] == [[name] for name in CHORD]
    assert [part.name for part in score.parts] == [f"Line {i}" for i in range(4)]
    assert score.keys == ((0, Key.parse("C")),)
    assert score.key_given
    assert score.length == 4


def test_two_staves_of_two_voices_are_soprano_alto_tenor_bass(read):
    voices = [note(name, voice=i + 1, staff=1 + i // 2) for i, name in enumerate(CHORD)]
    score = read(musicxml([back(4).join(voices)], staves=2))
    assert [(part.name, names(part)) for part in score.parts] == [
        ("Soprano", ["C5"]),
        ("Alto", ["G4"]),
        ("Tenor", ["E4"]),
        ("Bass", ["C3"]),
    ]


def test_two_staves_of_chords_are_four_parts(read):
    upper = note("C5", 2) + note("G4", 2, chord=True) + note("D5", 2) + note("G4", 2, chord=True)
    lower = note("E4", 2) + note("C3", 2, chord=True) + note("D4", 2) + note("B2", 2, chord=True)
    score = read(musicxml([upper], [lower]))
    assert [names(part) for part in score.parts] == [
        ["C5", "D5"],
        ["G4", "G4"],
        ["E4", "D4"],
        ["C3", "B2"],
    ]


def test_a_single_note_on_a_staff_of_two_lines_is_sung_by_both(read):
    chords = note("C5", 2) + note("G4", 2, chord=True) + note("A4", 2)
    two_voices = note("E4", voice=1) + back(4) + note("C3", voice=2)
    score = read(musicxml([chords, note("A4")], [two_voices, note("A3")]))
    assert [names(part) for part in score.parts] == [
        ["C5", "A4", "A4"],
        ["G4", "A4", "A4"],
        ["E4", "A3"],
        ["C3", "A3"],
    ]


def test_a_voice_of_rests_is_silent(read):
    first = note("C5") + back(4) + note("G4", voice=2)
    second = note("D5") + back(4) + note(None, voice=2)
    score = read(musicxml([first, second], [note("C3"), note("D3")]))
    assert [names(part) for part in score.parts] == [["C5", "D5"], ["G4"], ["C3", "D3"]]


def test_three_notes_over_a_bass_are_four_parts(read):
    right = note("C5") + note("G4", chord=True) + note("E4", chord=True)
    score = read(musicxml([right], [note("C3")]))
    assert [names(part) for part in score.parts] == [[name] for name in CHORD]


def test_chords_that_are_no_lines_are_refused_with_their_place(read):
    chords = note("C5", 2) + note("G4", 2, chord=True) + note("E4", 2, chord=True) + note("C5", 2)
    with pytest.raises(InputError, match=r"staff 1, measure 1, beat 3: 1 notes begin where 3 of 3"):
        read(musicxml([chords]))


def test_chords_within_voices_are_refused(read):
    voices = note("C5") + note("A4", chord=True) + back(4) + note("F4", voice=2)
    with pytest.raises(InputError, match=r"measure 1.*a voice of its own"):
        read(musicxml([voices]))


def test_ids_of_the_file_are_kept(read):
    staff_one = note("C5", staff=1, id="top") + back(4) + note("G4", voice=2, staff=1, id="under")
    staff_two = (
        note("C4", staff=2, voice=3, id="t") + back(4) + note("C4", voice=4, staff=2, id="b")
    )
    score = read(musicxml([staff_one + back(4) + staff_two], [note("C2", id="pedal")], staves=2))
    assert [part.notes[0].id for part in score.parts] == ["top", "under", "t", "b", "pedal"]


def test_missing_ids_are_made_from_voice_measure_and_count(read):
    soprano = [note("C5", 2) + note("D5", 2, id="given"), note("E5")]
    score = read(musicxml(soprano, *[[note(name)] * 2 for name in CHORD[1:]]))
    assert [one.id for one in score.parts[0].notes] == ["S-m1-n1", "given", "S-m2-n1"]
    assert [part.notes[1].id for part in score.parts[1:]] == ["A-m2-n1", "T-m2-n1", "B-m2-n1"]


def test_ids_are_unique_even_against_given_ones(read):
    score = read(musicxml([note("C5", 2) + note("D5", 2, id="P1-m1-n1")]))
    ids = [one.id for one in score.parts[0].notes]
    assert len(set(ids)) == 2
    assert ids[1] == "P1-m1-n1"


def test_ties_are_merged_and_repeated_notes_are_not(read):
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    measures = [note("C5", inner=start, id="a"), note("C5", inner=stop, id="b"), note("C5")]
    score = read(musicxml(measures))
    assert times(score.parts[0]) == [(0, 8), (8, 4)]
    assert score.parts[0].notes[0].id == "a"


def test_ties_within_chords_belong_to_single_notes(read):
    tied = note("C5", inner='<tie type="start"/>') + note("G4", chord=True)
    after = note("C5", inner='<tie type="stop"/>') + note("G4", chord=True)
    score = read(musicxml([tied, after]))
    assert [times(part) for part in score.parts] == [[(0, 8)], [(0, 4), (4, 4)]]


def test_fermatas_and_lyrics(read):
    fermata = "<notations><fermata/></notations>"
    lyric = "<lyric><text>V7</text></lyric>"
    score = read(musicxml([note("C5", 2, inner=lyric) + note("D5", 2, inner=fermata)]))
    assert [(one.fermata, one.text) for one in score.parts[0].notes] == [(False, "V7"), (True, "")]


def test_grace_notes_are_dropped(read):
    grace = "<note><grace/><pitch><step>D</step><octave>5</octave></pitch><voice>1</voice></note>"
    score = read(musicxml([grace + note("C5", id="main")]))
    assert [(one.id, one.pitch.name) for one in score.parts[0].notes] == [("main", "C5")]


def test_spelling_is_kept(read):
    score = read(musicxml([note("D#5", 2) + note("Eb5", 2)]))
    assert names(score.parts[0]) == ["D#5", "Eb5"]


def test_a_short_first_measure_is_a_pickup(read):
    score = read(musicxml([note("C5", 1), note("D5"), note("E5", 3)]))
    assert score.pickup == 1
    assert score.meters == ((0, Meter(4, 4)),)
    assert [score.place(one.onset) for one in score.parts[0].notes] == [(0, 4), (1, 1), (2, 1)]
    assert score.length == 8


def test_a_measure_split_by_a_repeat_sign_is_one(read):
    score = read(musicxml([note("C5"), note("D5", 3), note("E5", 1), note("F5")]))
    assert score.meters == ((0, Meter(4, 4)),)
    assert [score.place(one.onset) for one in score.parts[0].notes] == [
        (1, 1),
        (2, 1),
        (2, 4),
        (3, 1),
    ]


def test_an_irregular_measure_is_a_change_of_meter(read):
    score = read(musicxml([note("C5"), note("D5", 3), note("E5"), note("F5")]))
    assert score.meters == ((0, Meter(4, 4)), (4, Meter(3, 4)), (7, Meter(4, 4)))
    assert score.place(Fraction(11)) == (4, 1)


def test_meter_and_key_changes(read):
    change = (
        "<attributes><key><fifths>1</fifths><mode>minor</mode></key>"
        "<time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    )
    score = read(musicxml([note("C5"), change + note("E5", 3)]))
    assert score.meters == ((0, Meter(4, 4)), (4, Meter(3, 4)))
    assert score.keys == ((0, Key.parse("C")), (4, Key.parse("e")))


def test_a_signature_without_mode_is_kept_as_a_major_key(read):
    score = read(musicxml([note("F4")], fifths=-1, mode=""))
    assert score.keys == ((0, Key.parse("F")),)
    assert not score.key_given


def test_zipped_musicxml_under_a_wrong_name(read):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("score.xml", musicxml([note("C5")]))
    assert names(read(packed.getvalue(), "piece.xml").parts[0]) == ["C5"]


KERN = (
    "**kern\t**kern\n*clefF4\t*clefG2\n*k[b-]\t*k[b-]\n*F:\t*F:\n*M4/4\t*M4/4\n4F\t4f\n"
    "=1\t=1\n2C\t2g;\n2F\t[2f\n=2\t=2\n1F\t1f]\n==\t==\n*-\t*-\n"
)


def test_kern_is_read_highest_first(read):
    score = read(KERN, "piece.krn")
    assert [names(part) for part in score.parts] == [["F4", "G4", "F4"], ["F3", "C3", "F3", "F3"]]
    assert times(score.parts[0]) == [(0, 1), (1, 2), (3, 6)]
    assert [one.fermata for one in score.parts[0].notes] == [False, True, False]
    assert (score.pickup, score.keys, score.key_given) == (1, ((0, Key.parse("F")),), True)


def test_abc_is_read(read):
    score = read("X:1\nT:Air\nM:3/4\nL:1/4\nK:D\nA|d2 f|e ^d e|d3|]\n", "piece.abc")
    assert names(score.parts[0]) == ["A4", "D5", "F#5", "E5", "D#5", "E5", "D5"]
    assert (score.pickup, score.title, score.keys) == (1, "Air", ((0, Key.parse("D")),))


def midi(*tracks, key=None, meters=(), ticks=480):
    """MIDI bytes; every track is ``(onset, end, MIDI number)`` triples in quarters."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    head = mido.MidiTrack()
    for wait, numerator, denominator in meters:
        head.append(
            mido.MetaMessage(
                "time_signature", numerator=numerator, denominator=denominator, time=wait * ticks
            )
        )
    if key:
        head.insert(0, mido.MetaMessage("key_signature", key=key))
    file.tracks.append(head)
    for notes in tracks:
        track = mido.MidiTrack([mido.MetaMessage("track_name", name="Line")])
        events = sorted(
            event
            for onset, end, pitch in notes
            for event in ((round(end * ticks), 0, pitch), (round(onset * ticks), 64, pitch))
        )
        now = 0
        for tick, velocity, pitch in events:
            track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=tick - now))
            now = tick
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def test_midi_is_spelled_in_its_key(read):
    line = [(0, 1, 66), (1, 2, 70), (2, 4, 69)]
    assert names(read(midi(line, key="Bm"), "a.mid").parts[0]) == ["F#4", "A#4", "A4"]
    assert names(read(midi(line, key="Gm"), "a.mid").parts[0]) == ["F#4", "Bb4", "A4"]


def test_midi_without_a_key_is_spelled_in_the_inferred_one(read):
    line = [(i, i + 1, pitch) for i, pitch in enumerate((62, 64, 65, 67, 69, 70, 69, 61, 62, 62))]
    score = read(midi(line), "a.mid")
    assert not score.key_given
    assert score.keys == ((0, Key.parse("d")),)
    assert names(score.parts[0])[5:8] == ["Bb4", "A4", "C#4"]


def test_midi_articulation_and_small_errors_are_mended(read):
    line = [(0.01, 0.9, 60), (1.005, 1.4, 62), (1.49, 2.1, 62), (3, 3.24, 64), (3.5, 4, 65)]
    score = read(midi(line, key="C"), "a.mid")
    half = Fraction(1, 2)
    assert times(score.parts[0]) == [
        (0, 1),
        (1, half),
        (Fraction(3, 2), Fraction(14, 24)),
        (3, Fraction(1, 4)),
        (3 + half, half),
    ]


def test_midi_triplets_stay_triplets(read):
    third = Fraction(1, 3)
    line = [(i * third, (i + 1) * third, 60 + i) for i in range(3)]
    assert times(read(midi(line, key="C"), "a.mid").parts[0]) == [
        (i * third, third) for i in range(3)
    ]


def test_midi_tracks_of_two_lines_are_four_parts(read):
    upper = [(0, 2, 72), (0, 1, 67), (1, 2, 65), (2, 4, 72), (2, 4, 64)]
    lower = [(0, 2, 60), (0, 2, 48), (2, 4, 55), (2, 4, 48)]
    score = read(midi(upper, lower, key="C"), "a.mid")
    assert [(part.name, names(part)) for part in score.parts] == [
        ("Soprano", ["C5", "C5"]),
        ("Alto", ["G4", "F4", "E4"]),
        ("Tenor", ["C4", "G3"]),
        ("Bass", ["C3", "C3"]),
    ]


def test_a_short_first_midi_meter_is_a_pickup(read):
    line = [(0, 1, 67), (1, 5, 72)]
    score = read(midi(line, key="C", meters=[(0, 1, 4), (1, 4, 4)]), "a.mid")
    assert (score.pickup, score.meters) == (1, ((0, Meter(4, 4)),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b"just words\n", "not a score; try MusicXML"),
        (b"\x89PNG\r\n", "not a score"),
        ("<html/>", "root is <html>"),
        ("<score-timewise/>", "partwise"),
        ("<score-partwise><part", "MusicXML is damaged"),
        (b"PK\x03\x04nothing", "MusicXML is damaged"),
        (b"MThd\x00\x00", "MIDI is damaged"),
        (musicxml([note(None)]), "no notes in it"),
        (midi(), "no notes in it"),
    ],
)
def test_what_is_no_music_is_one_clear_error(read, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read(content)
    assert "piece.musicxml" in str(caught.value)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_score(tmp_path / "none.xml")
    with pytest.raises(InputError, match="a folder"):
        read_score(tmp_path)


def test_a_chorale_of_music21():
    path = music21.corpus.getWork("bwv66.6")
    score = read_score(path)
    assert [part.name for part in score.parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert score.length == 36
    assert score.keys == ((0, Key.parse("f#")),)
    assert score.pickup == 1
    assert names(score.parts[0])[:5] == ["C#5", "B4", "A4", "B4", "C#5"]
    assert sum(one.fermata for one in score.parts[0].notes) == 6
