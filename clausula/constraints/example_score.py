"""Examples of rules as scores, to be judged and engraved like any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from clausula.constraints.cadence import CadenceKind
from clausula.constraints.example import Example
from clausula.constraints.passage import Task
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS, Meter
from clausula.pitch import LETTERS, Key, Mode, SpelledPitch
from clausula.score import Label, LabelKind, Note, Part, Score

NAMES = ("Soprano", "Alto", "Tenor", "Bass")
_CLEFS = {"Soprano": "treble", "Alto": "treble", "Tenor": "treble8vb", "Bass": "bass"}
# Sharps of the mode's signature beside those of the major key on the same final, and whether its
# third is minor.
MODES = {
    "ionian": (0, False),
    "dorian": (-2, True),
    "phrygian": (-4, True),
    "lydian": (1, False),
    "mixolydian": (-1, False),
    "aeolian": (-3, True),
    "locrian": (-5, True),
}


def modal_key(text: str) -> tuple[Key, Key]:
    """The key by which rules judge, and the key of the signature.

    Args:
        text: as ``Key.parse`` reads it, or a final and a mode, such as ``"d dorian"``.

    Raises:
        InputError: no such key or mode.
    """
    final, _, mode = text.strip().partition(" ")
    if mode.lower() not in MODES:
        key = Key.parse(text)
        return key, key
    sharps, minor = MODES[mode.lower()]
    major = Key.parse(final, Mode.MAJOR)
    fifths = major.fifths + sharps
    signature = next(
        Key.parse(LETTERS[letter] + accidental, Mode.MAJOR)
        for letter in range(7)
        for accidental in ("", "#", "b")
        if _fifths(LETTERS[letter] + accidental) == fifths
    )
    return Key(major.tonic_pc, major.tonic_letter, Mode.MINOR if minor else Mode.MAJOR), signature


def _fifths(name: str) -> int | None:
    try:
        return Key.parse(name, Mode.MAJOR).fifths
    except InputError:
        return None


def voice_letters(example: Example) -> str:
    """Letters of its voices: SATB, or the first of S, A, T before the lowest, B."""
    n = len(example.lines) or len(example.chords[0].split())
    return VOICE_LETTERS if n == 4 else VOICE_LETTERS[: n - 1] + "B"


def score_of_example(example: Example) -> Score:
    """An example in notation; notes are called ``S1``, ``S2`` … in each voice.

    Raises:
        InputError: a pitch or a length that cannot be read.
    """
    letters = voice_letters(example)
    lines = example.lines or [
        " ".join(f"{'r' if name == '-' else name}:1" for name in names)
        for names in zip(*(chord.split() for chord in example.chords), strict=True)
    ]
    parts = tuple(_part(letter, line) for letter, line in zip(letters, lines, strict=True))
    key, signature = modal_key(example.key_before or example.key)
    named = key is signature
    pickup = Fraction(example.pickup)
    if example.boundary:
        parts = tuple(_with_fermata(part) for part in parts)
    return Score(
        parts,
        ((Fraction(0), Meter.parse(example.meter)),),
        ((Fraction(0), signature),),
        pickup,
        key_given=named,
        labels=tuple(
            Label(Fraction(place), text, LabelKind.LYRIC)
            for place, text in enumerate(example.written)
            if text
        ),
    )


def task_of_example(example: Example) -> Task:
    """What the writer of an example was asked to do."""
    letters = voice_letters(example)
    return Task(
        species=example.species,
        cantus=letters.index(example.cantus) if example.cantus else None,
        numerals=tuple(_placed(example.numerals)) if example.asked else (),
        figures=tuple((Fraction(place), text) for place, text in enumerate(example.figures)),
        cadence=CadenceKind(example.cadence) if example.cadence else None,
        given=_given(example.given, letters) if example.given else (),
    )


def _placed(numerals: Sequence[str]) -> Iterator[tuple[Fraction, str]]:
    """Each numeral with its onset in quarters; ``"V:2"`` lasts two."""
    now = Fraction(0)
    for text in numerals:
        name, _, length = text.partition(":")
        yield now, name
        now += Fraction(length or 1)


def _given(text: str, letters: str) -> tuple[tuple[int, Part], ...]:
    letter, _, line = text.partition(":")
    return ((letters.index(letter), _part(letter, line)),)


def _part(letter: str, line: str) -> Part:
    name = NAMES[VOICE_LETTERS.index(letter)]
    notes: list[Note] = []
    onset, length = Fraction(0), Fraction(1)
    for text in line.split():
        found = re.fullmatch(r"([^:]+)(?::(\d+(?:/\d+)?))?", text)
        if not found:
            raise InputError(f"{text!r} is no note; write C5:2, or r:1 for a rest")
        length = Fraction(found[2]) if found[2] else length
        if found[1] != "r":
            pitch = SpelledPitch.parse(found[1])
            notes.append(Note(f"{letter}{len(notes) + 1}", onset, length, pitch))
        onset += length
    return Part(name, tuple(notes), _CLEFS[name])


def _with_fermata(part: Part) -> Part:
    """The part with a fermata on its last note but one."""
    if len(part.notes) < 2:
        return part
    held = part.notes[-2]
    fermata = Note(held.id, held.onset, held.duration, held.pitch, fermata=True)
    return Part(part.name, (*part.notes[:-2], fermata, part.notes[-1]), part.clef)
