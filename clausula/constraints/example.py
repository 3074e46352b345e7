"""Short passages that obey or break a rule, as rules write them down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A short passage that obeys or breaks a rule.

    Attributes:
        key: as ``Key.parse`` reads it; a mode's final and name, ``"d dorian"``, in species.
        chords: one string of pitch names a quarter note, soprano first, such as ``"C5 G4 E4 C3"``;
            a dash is silence.
        at: letters of the voices blamed, ``"ST"``; of several pairs ``"ST,SB"``; empty if the rule
            is obeyed.
        boundary: whether a phrase ends before the last chord.
        key_before: that of the chord before, where it is another.
        arrival: whether the last chord is the tonic of an authentic cadence.
        lines: in place of chords a string a voice, soprano first: notes with their quarters,
            ``"C5:2 r:1 D5:1/2"``; a note without a length lasts as long as the one before it.
        numerals: the chords by name, one for each of ``chords``, or with the quarters that they
            last, ``"V7:2"``; found by analysis where none are given.
        figures: what stands under the bass, one for each of ``chords``.
        meter: time signature.
        pickup: quarters before the first full measure.
        where: measure and beat of the finding, ``"2.3"``; the last chord's, if left out.
        species: of counterpoint, 1 to 5.
        cantus: letter of the voice that has the cantus firmus.
        written: what the file itself has under the bass, one text for each of ``chords``.
        asked: whether the numerals were asked for, and are not only what the chords are.
        cadence: with which the exercise was to close, ``"PAC"``.
        given: a part that was to stay, ``"S: C5:2 D5"``.
    """

    key: str
    chords: tuple[str, ...] = ()
    at: str = ""
    boundary: bool = False
    arrival: bool = False
    key_before: str = ""
    lines: tuple[str, ...] = ()
    numerals: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    meter: str = "4/4"
    pickup: str = "0"
    where: str = ""
    species: int = 0
    cantus: str = ""
    asked: bool = False
    cadence: str = ""
    given: str = ""
