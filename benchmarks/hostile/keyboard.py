"""Two staves with two voices each, and other layouts of four voices."""

from __future__ import annotations

from hostile.case import SATB, Case, four, move, note, score, single, voices

S, A, T, B = SATB
PLAIN = score(voices(*SATB), staves=2)
UP_DOWN = ("up", "down", "up", "down")


def _keyboard(*lines: str, **more) -> str:
    return score(voices(*lines, **more), staves=2)


def _one_stem(gap: str, *, again: bool = False) -> str:
    """Soprano and alto meet on G4 in the middle; the alto's share is a gap of some kind."""
    soprano = "C5:1 G4:2 B4:1 | C5:4"
    alto = f"E4:1 {gap} D4:1 | E4:4"
    return _keyboard(soprano, alto, *(SATB[2:] if not again else (T, B)))


MET = ("C5:1 G4:2 B4:1 | C5:4", "E4:1 G4:2 D4:1 | E4:4", T, B)

CASES = (
    Case("keyboard SATB", lambda: PLAIN, SATB),
    Case(
        "keyboard SATB, voices 1 to 4",
        lambda: _keyboard(*SATB, numbers=(1, 2, 3, 4)),
        SATB,
    ),
    Case(
        "keyboard SATB, voices 1 and 2 on both staves",
        lambda: _keyboard(*SATB, numbers=(1, 2, 1, 2)),
        SATB,
    ),
    Case(
        "keyboard SATB, voices 9 and 10, 13 and 14",
        lambda: _keyboard(*SATB, numbers=(9, 10, 13, 14)),
        SATB,
    ),
    Case(
        "keyboard SATB, voices with names",
        lambda: _keyboard(*SATB, numbers=("S", "A", "T", "B")),
        SATB,
    ),
    Case(
        "keyboard SATB as two parts",
        lambda: score(
            voices(S, A, staves=(None, None)), voices(T, B, staves=(None, None), numbers=(1, 2))
        ),
        SATB,
    ),
    Case(
        "keyboard SATB, alto rests in a measure",
        lambda: _keyboard(S, "G4:2 r:2 | G4:4", T, B),
        (S, "G4:2 r:2 | G4:4", T, B),
    ),
    Case(
        "keyboard SATB, alto rests a whole measure",
        lambda: _keyboard(S, "r:4 | G4:4", T, B),
        (S, "r:4 | G4:4", T, B),
    ),
    Case(
        "keyboard SATB, soprano rests first",
        lambda: _keyboard("r:2 B4:2 | C5:4", A, T, B),
        ("r:2 B4:2 | C5:4", A, T, B),
    ),
    Case(
        "keyboard SATB, bass rests to the end",
        lambda: _keyboard(S, A, T, "C3:2 G2:2 | r:4"),
        (S, A, T, "C3:2 G2:2 | r:4"),
    ),
    Case(
        "keyboard SATB, soprano and alto cross",
        lambda: _keyboard("C5:2 D4:2 | C5:4", A, T, B),
        ("C5:2 D4:2 | C5:4", A, T, B),
    ),
    Case(
        "keyboard SATB, tenor written on the upper staff",
        lambda: score(
            voices(S, A, "E4:2 D4:2 | E4:4", B, staves=(1, 1, 1, 2), numbers=(1, 2, 3, 4)),
            staves=2,
        ),
        SATB,
    ),
    Case(
        "keyboard SATB, tenor crosses to the upper staff for a measure",
        lambda: score(
            [
                voices(*SATB)[0],
                voices(*SATB, staves=(1, 1, 1, 2))[1],
            ],
            staves=2,
        ),
        SATB,
    ),
    Case(
        "keyboard SATB, unison with two stems",
        lambda: _keyboard(*MET),
        MET,
    ),
    Case("keyboard SATB, unison with one stem, forward", lambda: _one_stem("f:2"), MET),
    Case(
        "keyboard SATB, unison with one stem, rest not printed",
        lambda: (
            _one_stem("r:2")
            .replace(f"{move('backup', 4)}", move("backup", 4))
            .replace("<note><rest/>", '<note print-object="no"><rest/>')
        ),
        MET,
    ),
    Case(
        "keyboard SATB, unison with one stem at the end",
        lambda: _keyboard("C5:1 B4:1 G4:2 | C5:4", "E4:1 D4:1 x:2 | E4:4", T, B),
        ("C5:1 B4:1 G4:2 | C5:4", "E4:1 D4:1 G4:2 | E4:4", T, B),
    ),
    Case(
        "keyboard SATB, upper staff in unison for a measure",
        lambda: _keyboard(S, "G4:2 G4:2 | x:4", T, B),
        (S, "G4:2 G4:2 | C5:4", T, B),
    ),
    Case(
        "keyboard SATB, voice numbers swapped in a measure, stems right",
        lambda: score(
            [
                voices(*SATB, stems=UP_DOWN)[0],
                voices(*SATB, stems=UP_DOWN, numbers=(2, 1, 6, 5))[1],
            ],
            staves=2,
        ),
        SATB,
    ),
    Case(
        "keyboard SATB, alto is voice 1 throughout, stems right",
        lambda: _keyboard(*SATB, stems=UP_DOWN, numbers=(2, 1, 6, 5)),
        SATB,
    ),
    Case(
        "keyboard SATB, lower voice written first",
        lambda: _keyboard(A, S, B, T, numbers=(2, 1, 6, 5)),
        SATB,
    ),
    Case(
        "keyboard SATB, voice numbers change from measure to measure",
        lambda: score(
            [voices(*SATB)[0], voices(*SATB, numbers=(3, 4, 7, 8))[1]],
            staves=2,
        ),
        SATB,
    ),
    Case(
        "all notes of a staff in voice 1, as chords",
        lambda: score(
            [_chords(0), _chords(1)],
            staves=2,
        ),
        SATB,
    ),
    Case(
        "all notes of a staff in voice 1, with backups",
        lambda: _keyboard(*SATB, numbers=(1, 1, 1, 1)),
        SATB,
    ),
    Case(
        "no voice numbers, with backups",
        lambda: _keyboard(*SATB).replace("<voice>", "<x>").replace("</voice>", "</x>"),
        SATB,
    ),
    Case(
        "chords on one staff, voices on the other",
        lambda: score(
            ["".join((note("C5", 4), note("G4", 4, chord=True)))],
            voices("E4:4", "C3:4", staves=(None, None)),
        ),
        ("C5:4", "G4:4", "E4:4", "C3:4"),
    ),
    Case(
        "four voices on one staff",
        lambda: score(voices(*SATB, numbers=(1, 2, 3, 4), staves=(None,) * 4)),
        SATB,
    ),
    Case(
        "overlapping notes in one voice of a staff",
        lambda: score([note("C5", 4) + move("backup", 2) + note("E4", 2)], single("C3:4")),
        says="staff 1, measure 1",
    ),
    Case(
        "parts from the bass up, named",
        lambda: score(
            *(single(line) for line in reversed(SATB)),
            names=("Bass", "Tenor", "Alto", "Soprano"),
        ),
        SATB,
    ),
    Case(
        "parts from the bass up, without names",
        lambda: score(*(single(line) for line in reversed(SATB)), names=("", "", "", "")),
        SATB,
    ),
    Case(
        "parts from the bass up, named in German, crossing",
        lambda: score(
            single(B),
            single("A4:2 D4:2 | E4:4"),
            single(A),
            single(S),
            names=("Baß", "Tenor", "Alt", "Sopran"),
        ),
        (S, A, "A4:2 D4:2 | E4:4", B),
    ),
    Case(
        "parts named S A T B whose voices cross throughout",
        lambda: four("E4:4", "C5:4", "G4:4", "C3:4"),
        ("E4:4", "C5:4", "G4:4", "C3:4"),
    ),
)


def _chords(measure: int) -> str:
    rows = [line.split("|")[measure].split() for line in SATB]
    text = ""
    for staff, (upper, lower) in ((1, rows[:2]), (2, rows[2:])):
        text += move("backup", 4) if staff == 2 else ""
        for high, low in zip(upper, lower, strict=True):
            (one, length), (other, _) = high.split(":"), low.split(":")
            text += note(one, length, 1, staff) + note(other, length, 1, staff, chord=True)
    return text
