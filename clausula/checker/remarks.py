"""What is wrong with labels in a file: figures, cadences, and what is not understood."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from clausula.checker.cadences import cadence_at
from clausula.checker.labels import Written, WrittenCadence
from clausula.constraints.asked import figured, foreign_notes, unsung
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.passage import Passage, Remark
from clausula.pitch import SpelledPitch

_FULL = 4  # voices that can sing every figure
_NAMES = {
    CadenceKind.PAC: "a perfect authentic cadence (PAC)",
    CadenceKind.IAC: "an imperfect authentic cadence (IAC)",
    CadenceKind.HC: "a half cadence (HC)",
    CadenceKind.DC: "a deceptive cadence (DC)",
    CadenceKind.PLAGAL: "a plagal cadence (PC)",
    CadenceKind.PHRYGIAN: "a Phrygian half cadence (PHC)",
}


def remarks_on(passage: Passage, written: Written) -> tuple[Remark, ...]:
    """What is wrong with cadences, figures and labels that are not understood.

    Args:
        passage: with its chords.
        written: the labels in the file.
    """
    onsets = passage.slices.onset
    unread = [
        Remark(max(0, bisect_right(onsets, onset) - 1), "H11", words)
        for onset, words in written.unread
    ]
    return (*_cadences(passage, written), *_figures(passage), *unread)


def _figures(passage: Passage) -> Iterator[Remark]:
    """Figures that no voice sings, where there are voices enough."""
    if passage.n_voices < _FULL:
        return
    for asked in figured(passage):
        names = unsung(passage, asked)
        if names and not foreign_notes(passage, asked).any():  # else that note is the fault
            are = "is" if len(names) == 1 else "are"
            bass = SpelledPitch(*(int(each[asked.start, -1]) for each in passage.cur[:2])).name
            words = (
                f"No voice sings {' or '.join(names)}, which {are} figured above the bass {bass}"
            )
            yield Remark(asked.start, "H12", words)


def _cadences(passage: Passage, written: Written) -> Iterator[Remark]:
    for label in written.cadences:
        words = _wrong_cadence(passage, label)
        if words:
            yield Remark(max(0, bisect_right(passage.slices.onset, label.onset) - 1), "H10", words)


def _wrong_cadence(passage: Passage, label: WrittenCadence) -> str:
    """What the music makes where a cadence is named; empty if it makes that cadence."""
    time = max(0, bisect_right(passage.slices.onset, label.onset) - 1)
    index = int(passage.chord_of_slice[time])
    if index < 0:
        return ""
    chords = passage.chords
    made = [
        cadence_at(passage.slices, chords[: last + 1], chords[last].stop - 1)
        for last in _closes(passage, index)
    ]
    kinds = [cadence.kind for cadence in made if cadence is not None]
    if any(kind in label.kinds for kind in kinds):
        return ""
    here = chords[max(0, index - 1) : index + 1]
    goes = " to ".join(span.name for span in here)
    if made[0] is None:
        return f"{label.text} is written, but {goes} in {chords[index].key} makes no cadence"
    what = _NAMES[made[0].kind]
    return f"{label.text} is written, but {goes} in {made[0].key} makes {what}"


def _closes(passage: Passage, index: int) -> list[int]:
    """The chord at a label, the last on its root, and that of the next chord, by index."""
    chords = passage.chords
    roots = [span.numeral.chord(span.key).root for span in chords]
    found = [index]
    last = index
    for _ in range(2):
        while last + 1 < len(chords) and roots[last + 1] == roots[last]:
            last += 1
        found.append(last)
        last = min(last + 1, len(chords) - 1)
    return list(dict.fromkeys(found))
