"""Exercises for the tests: chords of pitch names in four parts, one a quarter."""

from fractions import Fraction

from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score

PARTS = ("Soprano", "Alto", "Tenor", "Bass")


def exercise(
    *chords: str,
    key: str = "C",
    fermatas: tuple[int, ...] = (),
    key_given: bool = True,
    meter: str = "4/4",
    names: tuple[str, ...] = PARTS,
    pickup: int = 0,
    keys: tuple[tuple[int, str], ...] = (),
) -> Score:
    """A score of chords such as ``"C5 G4 E4 C3"``; ``.`` holds, ``-`` is silent.

    Args:
        chords: soprano first, one a quarter.
        key: of the signature.
        fermatas: indices of chords whose notes all carry one.
        key_given: whether the signature names tonic and mode.
        meter: the time signature.
        names: of the parts.
        pickup: quarters before measure 1.
        keys: later signatures, by quarter.
    """
    parts = []
    for column, name in enumerate(names):
        notes: list[Note] = []
        for beat, chord in enumerate(chords):
            text = chord.split()[column]
            if text == ".":
                last = notes.pop()
                held = Note(last.id, last.onset, last.duration + 1, last.pitch, beat in fermatas)
                notes.append(held)
            elif text != "-":
                pitch = SpelledPitch.parse(text)
                note_id = f"{name[0]}{beat}"
                notes.append(Note(note_id, Fraction(beat), Fraction(1), pitch, beat in fermatas))
        parts.append(Part(name, tuple(notes)))
    start = Fraction(0)
    later = tuple((Fraction(onset), Key.parse(text)) for onset, text in keys)
    return Score(
        tuple(parts),
        ((start, Meter.parse(meter)),),
        ((start, Key.parse(key)), *later),
        pickup=Fraction(pickup),
        title="Exercise",
        key_given=key_given,
    )
