"""Does a written chorale keep what was asked of it? Judged from the file alone.

This verifier shares no code with the program that it judges: it parses MusicXML with music21 and
reads the spelled pitches, offsets, durations, ties and fermatas that stand there.

Conventions: those of `sung_lines`; a *sonority* begins wherever some voice starts a note. Every
reason opens with a code: a rule (``M01``), or what is wrong (``parts``, ``rests``, ``cadence``,
``return`` …).

A plan is a dict: ``key`` ("G major"), ``meter``, ``measures``, ``cadences`` (``kind`` PAC, IAC or
HC, ``measure``, ``beat``, ``key``), ``returns`` (``source`` [first, last measure], ``at`` measure:
the soprano of the source comes back there), ``phrase_ends`` (last measures of the phrases),
``keys`` ([offset, local key] from there on).

    python benchmarks/independent.py piece.musicxml plan.json
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path

from sung_lines import LETTERS, Line, Sung, read_lines, signature_of

RANGES = ((60, 79), (55, 74), (48, 69), (40, 62))  # MIDI numbers: C4-G5, G3-D5, C3-A4, E2-D4
OCTAVE = 12
CLOSE = ((0, 1), (1, 2))  # pairs at most an octave apart
OUTER = (0, 3)
TENDENCIES = {"major": (1, 2, 4, 5, 6), "minor": (3, 4, 7)}  # degrees that, raised, want to rise


Sonorities = list[tuple[Fraction, tuple[Sung, ...]]]


@dataclass(frozen=True)
class Degrees:
    """Spelled pitch classes of a key: ``natural[1]`` … ``natural[7]`` as in its signature.

    Attributes:
        natural: by degree; index 0 is unused.
        leading: the seventh degree a semitone below the tonic.
        mode: ``"major"`` or ``"minor"``.
        undoubled: what may not be doubled: the leading tone and chromatically raised notes.
    """

    natural: tuple[str, ...]
    leading: str
    mode: str
    undoubled: frozenset[str]

    @property
    def tonic_triad(self) -> set[str]:
        """Degrees 1, 3 and 5."""
        return {self.natural[degree] for degree in (1, 3, 5)}

    @property
    def dominant_triad(self) -> set[str]:
        """Degrees 5, raised 7 and 2."""
        return {self.natural[5], self.leading, self.natural[2]}


@lru_cache
def degrees_of(key: str) -> Degrees:
    """The degrees of ``"G major"`` or ``"b- minor"``; flats are ``b`` or ``-``."""
    scale = signature_of(key)
    mode = scale.mode
    natural = {degree: scale.pitchFromDegree(degree) for degree in range(1, 8)}
    raised = {degree: pitch.transpose("A1").name for degree, pitch in natural.items()}
    leading = raised[7] if mode == "minor" else natural[7].name
    undoubled = {leading, *(raised[degree] for degree in TENDENCIES[mode])}
    names = ("", *(natural[degree].name for degree in range(1, 8)))
    return Degrees(names, leading, mode, frozenset(undoubled))


@dataclass(frozen=True)
class Timing:
    """Where things stand in the planned piece: lengths and offsets in quarters."""

    measure: Fraction
    beat: Fraction
    phrase_ends: tuple[Fraction, ...]
    keys: tuple[tuple[Fraction, str], ...]

    @classmethod
    def of(cls, plan: dict) -> Timing:
        """The timing of a plan; a beat is dotted in compound meters."""
        top, bottom = (int(part) for part in plan["meter"].split("/"))
        measure, beat = Fraction(4 * top, bottom), Fraction(4, bottom)
        if bottom >= 8 and top in (6, 9, 12):
            beat *= 3
        ends = tuple(measure * last for last in plan["phrase_ends"])
        if ends[-1:] != (measure * plan["measures"],):
            raise ValueError(f"the plan's last phrase does not end with it: {plan['phrase_ends']}")
        return cls(measure, beat, ends, tuple((Fraction(at), key) for at, key in plan["keys"]))

    def offset(self, measure: int, beat: int | float | str = 1) -> Fraction:
        """Quarters from the first downbeat."""
        return self.measure * (measure - 1) + self.beat * (Fraction(beat) - 1)

    def place(self, offset: Fraction) -> str:
        """Measure and beat of an offset, in words."""
        measure, rest = divmod(offset, self.measure)
        return f"measure {measure + 1} beat {rest / self.beat + 1}"

    def degrees(self, offset: Fraction) -> Degrees:
        """The local key there."""
        return degrees_of([key for at, key in self.keys if at <= offset][-1])

    def phrase_end(self, offset: Fraction) -> Fraction:
        """Where the phrase that an offset lies in ends."""
        return next(end for end in self.phrase_ends if end > offset)


def judge(path: str | Path, plan: dict) -> list[str]:
    """Reasons why a MusicXML file does not keep its plan and the rules; empty if it does.

    Args:
        path: the file.
        plan: what was asked (see the module).

    Returns:
        Reasons, each with its code first. What the file's layout lacks (parts, measures, rests) is
        told alone, as nothing further can be judged then.
    """
    lines, reasons = read_lines(path, plan["key"], plan["meter"], plan["measures"])
    if reasons:
        return reasons
    timing = Timing.of(plan)
    sonorities = _sonorities(lines)
    for vertical in (_ranges, _spacing, _doubling, _unraised_dominant):
        reasons += vertical(sonorities, timing)
    for horizontal in (_parallels, _augmented_seconds, _phrase_ends):
        reasons += horizontal(lines, timing)
    for cadence in plan["cadences"]:
        reasons += _cadence(lines, timing, cadence)
    for returning in plan["returns"]:
        reasons += _return(lines[0], timing, returning)
    return reasons


def _at(line: Line, offset: Fraction) -> Sung:
    """The note that sounds there."""
    return next(note for note in line if note.start <= offset < note.end)


def _before(line: Line, offset: Fraction) -> Sung:
    """The note that sounds until then, or through."""
    return next(note for note in line if note.start < offset <= note.end)


def _sonorities(lines: list[Line]) -> Sonorities:
    """Every offset at which some voice starts a note, with the notes that sound there."""
    offsets = sorted({note.start for line in lines for note in line})
    return [(offset, tuple(_at(line, offset) for line in lines)) for offset in offsets]


def _ranges(sonorities: Sonorities, timing: Timing) -> Iterator[str]:
    """V01."""
    for offset, notes in sonorities:
        for letter, note, (low, high) in zip(LETTERS, notes, RANGES, strict=True):
            if note.start == offset and not low <= note.semitone <= high:
                yield f"V01 {timing.place(offset)}: {letter} sings MIDI {note.semitone}"


def _spacing(sonorities: Sonorities, timing: Timing) -> Iterator[str]:
    """V02 and V04."""
    for offset, notes in sonorities:
        place = timing.place(offset)
        for u, v in combinations(range(4), 2):
            apart = notes[u].semitone - notes[v].semitone
            if apart > OCTAVE and (u, v) in CLOSE:
                yield f"V02 {place}: {LETTERS[u]}{LETTERS[v]} are {apart} semitones apart"
            if apart < 0:
                yield f"V04 {place}: {LETTERS[u]}{LETTERS[v]} cross"


def _doubling(sonorities: Sonorities, timing: Timing) -> Iterator[str]:
    """V10."""
    for offset, notes in sonorities:
        counts = Counter(note.name for note in notes)
        for name in sorted(timing.degrees(offset).undoubled):
            if counts[name] > 1:
                yield f"V10 {timing.place(offset)}: {name} is sung by {counts[name]} voices"


def _unraised_dominant(sonorities: Sonorities, timing: Timing) -> Iterator[str]:
    """V20; both chords are read in the local key of the first."""
    for (offset, notes), (_, following) in pairwise(sonorities):
        key = timing.degrees(offset)
        bass, *upper = reversed(notes)
        if (
            key.mode == "minor"
            and bass.name == key.natural[5]
            and key.natural[7] in {note.name for note in upper}
            and following[3].name == key.natural[1]
        ):
            yield f"V20 {timing.place(offset)}: {key.natural[7]} over the dominant, then the tonic"


def _interval(one: Sung, other: Sung) -> tuple[int, int]:
    """Semitones and letter steps from the lower to the higher note."""
    low, high = sorted((one, other), key=lambda note: (note.semitone, note.step))
    return high.semitone - low.semitone, high.step - low.step


def _parallels(lines: list[Line], timing: Timing) -> Iterator[str]:
    """M01 and M02; a phrase's first chord does not follow from the last one's."""
    for u, v in combinations(range(4), 2):
        starts = {note.start for note in lines[u]} & {note.start for note in lines[v]}
        for offset in sorted(starts - {Fraction(0), *timing.phrase_ends}):
            before = [_before(lines[voice], offset) for voice in (u, v)]
            after = [_at(lines[voice], offset) for voice in (u, v)]
            moves = [b.semitone - a.semitone for a, b in zip(before, after, strict=True)]
            if not all(moves):
                continue
            first, second = _interval(*before), _interval(*after)
            classes = {(semitones % 12, steps % 7) for semitones, steps in (first, second)}
            together = moves[0] * moves[1] > 0
            where = f"{timing.place(offset)}: {LETTERS[u]}{LETTERS[v]}"
            if together and classes == {(7, 4)}:
                yield f"M01 {where} move in parallel fifths"
            if classes == {(0, 0)} and (together or {first[0], second[0]} == {0, OCTAVE}):
                yield f"M02 {where} move in parallel octaves or unisons"


def _augmented_seconds(lines: list[Line], timing: Timing) -> Iterator[str]:
    """L01."""
    for letter, line in zip(LETTERS, lines, strict=True):
        for one, other in pairwise(line):
            if other.start not in timing.phrase_ends and _interval(one, other) == (3, 1):
                place = timing.place(other.start)
                yield f"L01 {place}: {letter} goes from {one.name} to {other.name}"


def _phrase_ends(lines: list[Line], timing: Timing) -> Iterator[str]:
    """Every voice stops there, under a fermata, and fermatas stand nowhere else."""
    for letter, line in zip(LETTERS, lines, strict=True):
        for end in timing.phrase_ends:
            last = _before(line, end)
            if last.end != end:
                yield f"phrase {timing.place(end)}: {letter} holds a note over the phrase's end"
            if not last.fermata:
                yield f"fermata {timing.place(last.start)}: {letter} has none on its last note"
        for note in line:
            if note.fermata and note.end < timing.phrase_end(note.start):
                yield f"fermata {timing.place(note.start)}: {letter} has one within a phrase"


def _cadence(lines: list[Line], timing: Timing, cadence: dict) -> Iterator[str]:
    """A planned cadence, and the leading tone's resolution in it (T01)."""
    kind, key = cadence["kind"], degrees_of(cadence["key"])
    arrival = timing.offset(cadence["measure"], cadence["beat"])
    notes = [_at(line, arrival) for line in lines]
    where = f"{kind} in {cadence['key']} at {timing.place(arrival)}"
    if kind == "HC":
        triad, root, third, soprano = key.dominant_triad, key.natural[5], key.leading, None
        if _before(lines[3], arrival).name == root:
            yield f"cadence {where}: the bass has degree 5 already before"
    else:
        triad, root, third = key.tonic_triad, key.natural[1], key.natural[3]
        soprano = {root} if kind == "PAC" else {third, key.natural[5]}
        yield from _dominant_beat(lines, timing, arrival, key, where)
        yield from _leading_tone(lines, timing, arrival, key)
    sounding = {note.name for note in notes}
    if not sounding <= triad or third not in sounding:
        yield f"cadence {where}: the arrival is {sorted(sounding)}"
    if notes[3].name != root:
        yield f"cadence {where}: the bass arrives on {notes[3].name}"
    if soprano and notes[0].name not in soprano:
        yield f"cadence {where}: the soprano arrives on {notes[0].name}"
    end = timing.phrase_end(arrival)
    for voice, note in enumerate(notes):
        if note.end != end:
            yield f"cadence {where}: {LETTERS[voice]} does not hold to the phrase's end"
        if voice in OUTER and note.start != arrival:
            yield f"cadence {where}: {LETTERS[voice]} starts no note there"


def _dominant_beat(
    lines: list[Line], timing: Timing, arrival: Fraction, key: Degrees, where: str
) -> Iterator[str]:
    """What lacks for V or V7 in root position throughout the beat before an arrival."""
    seventh = key.dominant_triad | {key.natural[4]}
    begins = arrival - timing.beat
    starts = {note.start for line in lines for note in line if begins < note.start < arrival}
    for offset in sorted({begins, *starts}):
        names = [_at(line, offset).name for line in lines]
        if names[3] != key.natural[5]:
            yield f"cadence {where}: the bass has {names[3]} at {timing.place(offset)}"
        if not set(names) <= seventh or key.leading not in names:
            yield f"cadence {where}: {sorted(set(names))} before it at {timing.place(offset)}"


def _leading_tone(
    lines: list[Line], timing: Timing, arrival: Fraction, key: Degrees
) -> Iterator[str]:
    """T01."""
    for voice in OUTER:
        before, after = _before(lines[voice], arrival), _at(lines[voice], arrival)
        rises = after.name == key.natural[1] and after.semitone - before.semitone == 1
        if before.name == key.leading and not rises:
            where = f"{timing.place(arrival)}: {LETTERS[voice]}"
            yield f"T01 {where} goes from {before.name} to {after.name}"


def _return(soprano: Line, timing: Timing, returning: dict) -> Iterator[str]:
    """The first soprano note that a returning passage lacks, changes or adds."""
    first, last = returning["source"]
    length = timing.measure * (last + 1 - first)

    def passage(at: Fraction) -> list[tuple[Fraction, Fraction | None, str, int]]:
        # A note that goes on past the passage has no end within it.
        return [
            (n.start - at, n.end - at if n.end - at <= length else None, n.name, n.semitone)
            for n in soprano
            if n.end > at and n.start < at + length
        ]

    begins = timing.offset(returning["at"])
    source, copy = passage(timing.offset(first)), passage(begins)
    if copy[0][0] < 0:
        yield f"return {timing.place(begins)}: it begins within a note"
    elif copy != source:
        missed = set(source) ^ set(copy)
        place = timing.place(begins + min(note[0] for note in missed))
        yield f"return {place}: not as in measures {first} to {last}"


def main() -> int:
    """Command line: print the reasons; 1 when there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="MusicXML")
    parser.add_argument("plan", type=Path, help="the plan as JSON")
    arguments = parser.parse_args()
    reasons = judge(arguments.file, json.loads(arguments.plan.read_text()))
    print("\n".join(reasons) or "it keeps the plan and the rules")
    return 1 if reasons else 0


if __name__ == "__main__":
    raise SystemExit(main())
