"""MIDI, kern and ABC: damaged, odd, and right."""

from __future__ import annotations

import io
from collections.abc import Callable

import mido

from hostile.case import SATB, Case

SPELLED = {1: "C#", 4: "E", 7: "F##", 10: "A#"}
JUNK = bytes((37 * i * i + 11) % 256 for i in range(3_000))
KERN = """**kern\t**kern\t**kern\t**kern
*M4/4\t*M4/4\t*M4/4\t*M4/4
*C:\t*C:\t*C:\t*C:
=1\t=1\t=1\t=1
2C\t2e\t2g\t2cc
2GG\t2d\t2g\t2b
=2\t=2\t=2\t=2
1C\t1e\t1g\t1cc
==\t==\t==\t==
*-\t*-\t*-\t*-
"""
SPLIT = """**kern\t**kern
*M4/4\t*M4/4
*C:\t*C:
=1\t=1
*\t*^
1C\t1cc\t1g
=2\t=2\t=2
*\t*v\t*v
1C\t1cc
==\t==
*-\t*-
"""
ABC = """X:1
T:Four
M:4/4
L:1/4
K:C
V:1
c2 B2|c4|
V:2
G2 G2|G4|
V:3
E2 D2|E4|
V:4 clef=bass
C,2 G,,2|C,4|
"""


def _tracks(
    *tracks: list[tuple[str, int, int, int]],
    ticks: int = 480,
    head: tuple[mido.MetaMessage, ...] = (),
) -> bytes:
    """A MIDI file; an event is what, channel, note, ticks since the last one."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    for index, events in enumerate(tracks):
        track = mido.MidiTrack(head if index == 0 else ())
        for what, channel, pitch, time in events:
            track.append(mido.Message(what, channel=channel, note=pitch, time=time))
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def _line(*pitches: int, channel: int = 0, ticks: int = 960) -> list[tuple[str, int, int, int]]:
    events = []
    for pitch in pitches:
        events += [("note_on", channel, pitch, 0), ("note_off", channel, pitch, ticks)]
    return events


def four_tracks(
    order: tuple[int, ...] = (0, 1, 2, 3), channels: Callable[[int], int] = lambda i: i
) -> bytes:
    """A MIDI file of four voices, a track each."""
    lines = [(72, 71, 72, 72), (67, 67, 67, 67), (64, 62, 64, 64), (48, 43, 48, 48)]
    return _tracks(*(_line(*lines[i], channel=channels(i)) for i in order))


LINES = ("C5:2 B4:2 C5:2 C5:2", "G4:2 G4:2 G4:2 G4:2", "E4:2 D4:2 E4:2 E4:2", "C3:2 G2:2 C3:2 C3:2")
# The tenth channel is percussion's.
SIXTEEN = tuple(
    f"{SPELLED[pitch % 12]}{pitch // 12 - 1}:2"
    for pitch in (40 + 3 * i for i in range(16) if i != 9)
)
METER = (mido.MetaMessage("time_signature", numerator=4, denominator=4),)


def _running(*cut: int) -> bytes:
    """One track in running status, as most programs write it, cut short where asked."""
    body = b"\x00\x90\x48\x40\x87\x40\x48\x00\x00\x43\x40\x87\x40\x43\x00\x00\xff\x2f\x00"
    data = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0MTrk" + len(body).to_bytes(4, "big") + body
    return data[: cut[0]] if cut else data


def _big_kern(rows: int) -> str:
    head, foot = KERN.split("=1")[0], "*-\t*-\t*-\t*-\n"
    return head + "4C\t4e\t4g\t4cc\n" * rows + foot


CASES = (
    Case("MIDI of four tracks", four_tracks, LINES, file="piece.mid"),
    Case(
        "MIDI of four tracks from the bass up",
        lambda: four_tracks((3, 2, 1, 0)),
        LINES,
        file="piece.mid",
    ),
    Case(
        "MIDI of four tracks on one channel",
        lambda: four_tracks(channels=lambda i: 0),
        LINES,
        file="piece.mid",
    ),
    Case("MIDI called .xml", four_tracks, LINES, file="piece.xml"),
    Case(
        "MIDI of 16 tracks",
        lambda: _tracks(*(_line(40 + 3 * i, channel=i) for i in range(16))),
        SIXTEEN,
        file="piece.mid",
    ),
    Case(
        "MIDI of 300 empty tracks",
        lambda: _tracks(*([] for _ in range(300))),
        says="no notes",
        file="piece.mid",
    ),
    Case(
        "MIDI of drums",
        lambda: _tracks(_line(36, 38, channel=9)),
        says="no notes",
        file="piece.mid",
    ),
    Case("MIDI in running status", _running, ("C5:2 G4:2",), file="piece.mid"),
    *(
        Case(
            f"MIDI in running status cut after byte {cut}",
            lambda cut=cut: _running(cut),
            says="MIDI is damaged",
            file="piece.mid",
        )
        for cut in (5, 13, 18, 23, 25, 29, 35)
    ),
    Case(
        "MIDI whose first byte is no status",
        lambda: _running().replace(b"\x00\x90", b"\x00\x10"),
        says="MIDI is damaged",
        file="piece.mid",
    ),
    Case(
        "MIDI of notes that never end",
        lambda: _tracks([("note_on", 0, 60, 0)] * 50),
        says="no notes",
        file="piece.mid",
    ),
    Case(
        "MIDI of notes that end twice",
        lambda: _tracks([*_line(60, 62), ("note_off", 0, 62, 0)]),
        ("C4:2 D4:2",),
        file="piece.mid",
    ),
    Case(
        "MIDI of notes of no length",
        lambda: _tracks([*_line(60, 62), *_line(64, ticks=0)]),
        ("C4:2 D4:2",),
        file="piece.mid",
    ),
    Case(
        "MIDI of a note 268 million ticks away",
        lambda: _tracks([("note_on", 0, 60, 0x0FFFFFFF), ("note_off", 0, 60, 480)], ticks=24),
        says="quarter notes in length",
        file="piece.mid",
    ),
    Case(
        "MIDI of one tick a quarter",
        lambda: _tracks(_line(60, 62, ticks=2), ticks=1),
        ("C4:2 D4:2",),
        file="piece.mid",
    ),
    Case(
        "MIDI of no ticks a quarter",
        lambda: four_tracks()[:12] + b"\0\0" + four_tracks()[14:],
        says="in seconds, not in beats",
        file="piece.mid",
    ),
    Case(
        "MIDI whose beat is a 2 to the 200th",
        lambda: _tracks(_line(60), head=METER).replace(
            b"\xff\x58\x04\x04\x02", b"\xff\x58\x04\x04\xc8"
        ),
        says="time signature",
        file="piece.mid",
    ),
    Case(
        "MIDI of a key signature of 100 sharps",
        lambda: _tracks(_line(60), head=(mido.MetaMessage("key_signature", key="C"),)).replace(
            b"\xff\x59\x02\x00", b"\xff\x59\x02\x64"
        ),
        says="MIDI is damaged",
        file="piece.mid",
    ),
    Case(
        "MIDI of type 7",
        lambda: _running()[:9] + b"\x07" + _running()[10:],
        ("C5:2 G4:2",),
        file="piece.mid",
    ),
    Case(
        "MIDI that promises 4 GB of track",
        lambda: _running().replace(b"MTrk\0\0\0", b"MTrk\xff\xff\xff"),
        says="MIDI is damaged",
        file="piece.mid",
    ),
    Case(
        "MIDI that promises 4 GB of text",
        lambda: _running().replace(b"\x00\xff\x2f\x00", b"\x00\xff\x01\xff\xff\xff\x7f"),
        says="MIDI is damaged",
        file="piece.mid",
    ),
    Case("MIDI of 3 MB", lambda: b"MThd" + bytes(3_000_000), says="too large", file="piece.mid"),
    Case(
        "MIDI of 5,000 notes that overlap",
        lambda: _tracks([("note_on", 0, i % 128, 1) for i in range(5_000)]),
        says="",
        file="piece.mid",
    ),
    Case("junk called .mid", lambda: JUNK, says="not a score", file="piece.mid"),
    Case("junk called .krn", lambda: JUNK, says="not a score", file="piece.krn"),
    Case("junk called .abc", lambda: JUNK, says="not a score", file="piece.abc"),
    Case(
        "junk after a MIDI head",
        lambda: b"MThd\0\0\0\6\0\1\0\1\1\xe0" + JUNK,
        says="MIDI",
        file="piece.mid",
    ),
    Case("junk after a kern head", lambda: b"**kern\n" + JUNK, says="kern", file="piece.krn"),
    Case("junk after an ABC head", lambda: b"X:1\nK:C\n" + JUNK, says="", file="piece.abc"),
    Case("kern of four spines", lambda: KERN, SATB, file="piece.krn"),
    Case(
        "kern of a split spine",
        lambda: SPLIT,
        ("C5:4 C5:4", "G4:4 C5:4", "C3:4 C3:4"),
        file="piece.krn",
    ),
    Case(
        "kern of a spine split and never joined",
        lambda: SPLIT.replace("*\t*v\t*v\n1C\t1cc\n", "1C\t1cc\t1g\n").replace(
            "==\t==\n*-\t*-", "==\t==\t==\n*-\t*-\t*-"
        ),
        ("C5:4 C5:4", "G4:4 G4:4", "C3:4 C3:4"),
        file="piece.krn",
    ),
    Case(
        "kern of rows with too few spines",
        lambda: KERN.replace("2GG\t2d\t2g\t2b", "2GG\t2d"),
        says="line 6 fills 2 spines, where 4",
        file="piece.krn",
    ),
    Case(
        "kern of rows with too many spines",
        lambda: KERN.replace("2GG\t2d\t2g\t2b", "2GG\t2d\t2g\t2b\t2d"),
        says="line 6 fills 5 spines, where 4",
        file="piece.krn",
    ),
    Case(
        "kern cut in half",
        lambda: KERN[: len(KERN) // 2],
        says="line 4 fills 3 spines, where 4 are open",
        file="piece.krn",
    ),
    Case("kern without end", lambda: KERN.replace("*-\t*-\t*-\t*-\n", ""), SATB, file="piece.krn"),
    Case(
        "kern of 1,000 spines split again and again",
        lambda: "**kern\n" + "".join("\t".join(["*^"] * 2**i) + "\n" for i in range(12)) + "*-\n",
        says="",
        file="piece.krn",
    ),
    Case(
        "kern of a meter of a billion",
        lambda: KERN.replace("*M4/4", "*M1000000000/4"),
        says="1000000000",
        file="piece.krn",
    ),
    Case(
        "kern of a length of a billion",
        lambda: KERN.replace("2GG", "1000000000GG"),
        says="1000000000",
        file="piece.krn",
    ),
    Case(
        "kern of a note of 1,000 dots",
        lambda: KERN.replace("2GG", "2" + "." * 1000 + "GG"),
        ("C5:2 B4:2 r:2 C5:4", "G4:2 G4:2 r:2 G4:4", "E4:2 D4:2 r:2 E4:4", "C3:2 G2:4 C3:4"),
        file="piece.krn",
    ),
    Case(
        "kern of a breve",
        lambda: KERN.replace("2GG", "0GG"),
        ("C5:2 B4:2 r:6 C5:4", "G4:2 G4:2 r:6 G4:4", "E4:2 D4:2 r:6 E4:4", "C3:2 G2:8 C3:4"),
        file="piece.krn",
    ),
    Case(
        "kern of 4,000 octaves",
        lambda: KERN.replace("2cc", "2" + "c" * 4_000),
        says="MIDI",
        file="piece.krn",
    ),
    Case("kern of 3 MB", lambda: _big_kern(250_000), says="too large", file="piece.krn"),
    Case("kern of 6,000 lines", lambda: _big_kern(6_000), says="lines of music", file="piece.krn"),
    Case(
        "kern of 900 spines",
        lambda: "\n".join("\t".join([word] * 900) for word in ("**kern", *["4c"] * 50, "*-")),
        says="tokens of music",
        file="piece.krn",
    ),
    Case(
        "kern of nothing but comments",
        lambda: "!!!COM: nobody\n" * 100,
        says="no measures",
        file="piece.krn",
    ),
    Case("kern of lyrics alone", lambda: "**text\nla\n*-\n", says="not a score", file="piece.krn"),
    Case("ABC of four voices", lambda: ABC, SATB, file="piece.abc"),
    Case("ABC of a head alone", lambda: "X:1\nK:C\n", says="no notes", file="piece.abc"),
    Case(
        "ABC without notes",
        lambda: "X:1\nT:Empty\nM:4/4\nL:1/4\nK:C\n|||||\n",
        says="no notes",
        file="piece.abc",
    ),
    Case(
        "ABC of a meter of a billion",
        lambda: ABC.replace("4/4", "1000000000/4"),
        says="1000000000",
        file="piece.abc",
    ),
    Case(
        "ABC of a length of a billion",
        lambda: ABC.replace("c4", "c1000000000"),
        says="1000000000",
        file="piece.abc",
    ),
    Case("ABC of a length by 0", lambda: ABC.replace("c4", "c/0"), says="", file="piece.abc"),
    Case(
        "ABC of a unit length by 0",
        lambda: ABC.replace("L:1/4", "L:1/0"),
        says="",
        file="piece.abc",
    ),
    Case("ABC of a meter by 0", lambda: ABC.replace("M:4/4", "M:4/0"), says="", file="piece.abc"),
    Case(
        "ABC of 10,000 open brackets",
        lambda: ABC.replace("c4", "[" * 10_000),
        says="",
        file="piece.abc",
    ),
    Case(
        "ABC of two tunes",
        lambda: "X:1\nM:4/4\nL:1/4\nK:C\nC4|\n\nX:2\nM:4/4\nL:1/4\nK:C\nG4|\n",
        ("C4:4",),
        file="piece.abc",
    ),
    Case(
        "ABC of a letter that is no note",
        lambda: ABC.replace("c4", "X4"),
        says="'X4' is no ABC note",
        file="piece.abc",
    ),
    Case("ABC of 2,000 bars", lambda: ABC + "C4|\n" * 2_000, says="bar lines", file="piece.abc"),
    Case("ABC of 60,000 notes", lambda: ABC + "C" * 60_000, says="letters", file="piece.abc"),
    Case(
        "ABC of 2,000 tunes",
        lambda: "".join(f"X:{i}\nM:4/4\nL:1/4\nK:C\nC4|G4|\n\n" for i in range(1, 2_001)),
        ("C4:4 G4:4",),
        file="piece.abc",
    ),
    Case(
        "ABC in Latin-1",
        lambda: ABC.replace("Four", "Für").encode("latin-1"),
        SATB,
        file="piece.abc",
    ),
)
