"""Small scores for the tests of writers."""

from fractions import Fraction

from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score

VOICES = ("Soprano", "Alto", "Tenor", "Bass")


def part(name: str, text: str, clef: str = "") -> Part:
    """A part from words such as ``F#4:1/2`` or, with a fermata, ``G4:2^``; ``r`` rests."""
    notes, now = [], Fraction(0)
    for i, word in enumerate(text.replace("|", " ").split()):
        pitch, length = word.split(":")
        duration = Fraction(length.rstrip("^"))
        if pitch != "r":
            spelled = SpelledPitch.parse(pitch)
            notes.append(Note(f"{name[0]}{i}", now, duration, spelled, length.endswith("^")))
        now += duration
    return Part(name, tuple(notes), clef)


def score(meter: str, key: str, *lines: str, pickup: str = "0", **more) -> Score:
    """A score of one meter and key, whose lines are named from the soprano down."""
    parts = tuple(part(name, line) for name, line in zip(VOICES, lines, strict=False))
    meters = ((Fraction(0), Meter.parse(meter)),)
    return Score(parts, meters, ((Fraction(0), Key.parse(key)),), Fraction(pickup), **more)


def chorale() -> Score:
    """Three measures of 4/4 in G with a pick-up, repeated notes, ties and a crossed bar line."""
    return score(
        "4/4",
        "G",
        "D5:1 | D5:1/2 C#5:1/2 B4:1 A4:1 G4:1 | A4:1/2 F4:1 F#4:1 G#4:1/4 G4:1/4 B4:3 | G4:1 A4:1^",
        "F#4:1 | G4:1 G4:1 E4:1/2 F#4:1/2 D4:1 | D4:1 r:2 Eb4:1 | D4:1 E4:1 F#4:1^",
        "A3:1 | B3:1 D4:3/4 C4:1/4 C4:1 B3:1 | F#3:1/3 G3:1/3 A3:1/3 D4:3 | B3:2 A3:1^",
        "D3:1 | G2:1 G3:1/2 F#3:1/2 E3:2 | r:4 | G2:3/2 C#3:1/2 D3:1^",
        pickup="1",
        title="Grüße & <Lob>",
        composer="J. S. Bach",
    )


def minor() -> Score:
    """Four measures of 3/4 in D minor with accidentals and a rest of a whole measure."""
    return score(
        "3/4",
        "d",
        "D5:1 C#5:1/2 D5:1/2 E5:1 | F5:3/2 E5:1/2 D5:1 | C#5:1 B4:1/2 C#5:1/2 C5:1 | D5:3^",
        "A4:1 A4:1 A4:1 | A4:1 B4:1/2 C5:1/2 D5:1 | A4:1 G#4:1/2 A4:1/2 G4:1 | F#4:3^",
        "F4:1 E4:1 E4:1 | r:3 | E4:5/2 Bb3:1/2 | A3:3^",
        "D3:1 A2:1/2 B2:1/2 C#3:1 | D3:1 G2:1 Bb2:1 | A2:1/4 A2:1/4 A2:1/2 A2:2 | D3:3^",
        title="In D minor",
    )
