"""Which cadence closes a phrase whose melody is given.

Bach's own phrases are counted by how their soprano closes: mode of the piece, degree before the
last note, last degree, all in the home key. Every count says how often that soprano met a cadence
of one kind in one key. A soprano whose last two notes are rare is judged by its last one as well,
and that one by the mode alone: each set of counts is added to ``BACKING`` times the next wider one.

Conventions: a *close* is a kind of cadence and a key among those whose signature differs from the
home key's by one accidental at most, named from the home key (``"PAC V"``, ``"HC i"``).

How a cadence of a real piece is told, from the chord under the end of the fermata and the bass note
before it: a triad in root position after a chord with its leading tone is authentic (perfect with
the soprano on the root), after the fourth degree's chord plagal; the sixth degree after a dominant
is deceptive; the home key's dominant, or another major triad whose third the home key has not, is
the goal of a half cadence, Phrygian where the bass falls a half step to it in minor. What is none
of these is not counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clausula.constraints.cadence import CadenceKind
from clausula.constraints.place import Degree
from clausula.grid import REST, Grid, Voice
from clausula.key_finding import KEYS
from clausula.pitch import SCALE, Key, Mode

COUNTS = Path(__file__).with_name("cadences.json")
BACKING = 2.0  # weight of a wider set of counts, in cadences
# What may end a piece at home, the best last.
_FINAL = (
    CadenceKind.PHRYGIAN,
    CadenceKind.HC,
    CadenceKind.PLAGAL,
    CadenceKind.IAC,
    CadenceKind.PAC,
)


class Close(NamedTuple):
    """A kind of cadence in a key named from the home key."""

    kind: CadenceKind
    key: Degree

    def __str__(self) -> str:
        return f"{self.kind.value} {self.key}"


def closes_of(home: Key) -> list[Close]:
    """Every close that a piece in ``home`` may have."""
    near = [key for key in KEYS if abs(key.fifths - home.fifths) <= 1]
    degrees = [Degree((key.tonic_letter - home.tonic_letter) % 7, key.mode) for key in near]
    return [
        Close(kind, degree)
        for kind in CadenceKind
        for degree in degrees
        if kind is not CadenceKind.PHRYGIAN or degree.mode is Mode.MINOR
    ]


def preferred(home: Key, ending: tuple[int, int] | None, *, final: bool) -> list[Close]:
    """Every close, the likeliest first.

    The piece's end is closed at home if that can be, by a perfect cadence rather than an imperfect,
    a plagal or a half one; if not, on the tonic's major chord as the dominant of the fourth degree.

    Args:
        home: the home key.
        ending: MIDI numbers of the soprano's last two notes; none where it is not given.
        final: whether the piece ends there.
    """
    places = [str((pitch - home.tonic_pc) % 12) for pitch in ending or ()]
    wider = [",".join(places[i:]) for i in range(len(places) + 1)]
    sets = [_counts()[home.mode.value].get(place, {}) for place in wider]

    def weight(close: Close) -> tuple[int, float]:
        rank = 0
        if final and close.key.of(home) == home and close.kind in _FINAL:
            rank = 2 + _FINAL.index(close.kind)
        elif final and close.key.degree == 3 and close.kind is CadenceKind.HC:
            rank = 1
        likely = 1e-6
        for counts in reversed(sets):
            likely = (counts.get(str(close), 0) + BACKING * likely) / (
                sum(counts.values()) + BACKING
            )
        return rank, likely

    return sorted(closes_of(home), key=weight, reverse=True)


@cache
def _counts() -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """The shipped counts: mode, then how the soprano closes, then close."""
    return json.loads(COUNTS.read_text(encoding="utf-8"))


def count_closes(grids: Sequence[Grid]) -> dict[str, dict[str, dict[str, int]]]:
    """How often each close goes with each ending of the soprano, as ``cadences.json`` keeps it."""
    counted: dict[str, dict[str, Counter[str]]] = {mode.value: {} for mode in Mode}
    for grid in grids:
        known = set(closes_of(grid.key))
        for before, last, close in real_closes(grid):
            if close not in known:
                continue
            places = [str((pitch - grid.key.tonic_pc) % 12) for pitch in (before, last)]
            for i in range(3):
                ending = counted[grid.key.mode.value].setdefault(",".join(places[i:]), Counter())
                ending[str(close)] += 1
    return {
        mode: {ending: dict(sorted(found.items())) for ending, found in sorted(endings.items())}
        for mode, endings in counted.items()
    }


def real_closes(grid: Grid) -> Iterator[tuple[int, int, Close]]:
    """Soprano's last two pitches and the close, for each fermata of a real piece that has one."""
    edges = np.flatnonzero(np.diff(grid.phrase_end, prepend=False, append=False))
    start = 0
    for end in edges[1::2].tolist():
        phrase = slice(start, end)
        start = end
        soprano = _line(grid, Voice.SOPRANO, phrase)
        found = _close(grid, phrase)
        if len(soprano) > 1 and found is not None:
            kind, key = found
            degree = (key.tonic_letter - grid.key.tonic_letter) % 7
            yield soprano[-2], soprano[-1], Close(kind, Degree(degree, key.mode))


def _line(grid: Grid, voice: Voice, phrase: slice) -> list[int]:
    """The pitches of a voice that begin in a phrase, in order, repeated ones too."""
    pitch, onset = grid.pitch[phrase, voice], grid.onset[phrase, voice]
    return [int(p) for p in pitch[onset & (pitch != REST)]]


def _close(grid: Grid, phrase: slice) -> tuple[CadenceKind, Key] | None:
    """The cadence at the end of a phrase of a real piece."""
    last = phrase.stop - 1
    bass = grid.pitch[: last + 1, Voice.BASS]
    if (grid.pitch[last] == REST).any():
        return None
    away = np.flatnonzero(bass[phrase.start :] != bass[last])
    if not len(away):
        return None
    before = phrase.start + int(away[-1])
    root, step = int(bass[last]), int(grid.step[last, Voice.BASS])
    chord = {int(p - root) % 12 for p in grid.pitch[last]}
    approach = {int(p - root) % 12 for p in grid.pitch[before] if p != REST}
    fall = int(bass[before] - root) % 12
    minor, major = 3 in chord, 4 in chord
    soprano = int(grid.pitch[last, Voice.SOPRANO] - root) % 12
    # The third that closes a minor piece is often raised: the piece's own mode counts there.
    own = root % 12 == grid.key.tonic_pc
    mode = grid.key.mode if own else Mode.MINOR if minor else Mode.MAJOR
    here = Key(root % 12, step % 7, mode)
    if not chord <= {0, 3, 4, 7} or not (minor or major):
        return None
    if 11 in approach and not approach & {0}:
        return (CadenceKind.IAC if soprano else CadenceKind.PAC), here
    if fall == 5 and approach <= {5, 8, 9, 0}:
        return CadenceKind.PLAGAL, here
    return _open(grid, phrase, approach, fall, (root, step), major)


def _open(
    grid: Grid,
    phrase: slice,
    approach: set[int],
    fall: int,
    root: tuple[int, int],
    major: bool,
) -> tuple[CadenceKind, Key] | None:
    """A deceptive, Phrygian or half cadence on a root ``(MIDI number, diatonic number)``."""
    semitone, step = root
    # The sixth degree lies a third below the tonic, a minor one under a chord of its own, major.
    tonic = (semitone + (4 if major else 3)) % 12
    if fall in (10, 11) and (tonic - 1 - semitone) % 12 in approach:
        mode = Mode.MINOR if major else Mode.MAJOR
        return CadenceKind.DC, Key(tonic, (step + 2) % 7, mode)
    tonic = (semitone + 5) % 12
    above = (semitone - grid.key.tonic_pc) % 12
    homely = above == 0 or (above + 4) % 12 in SCALE[grid.key.mode]
    if not major or (homely and tonic != grid.key.tonic_pc):
        return None
    heard = (grid.pitch[phrase] - tonic) % 12
    minor = int((heard == 3).sum()) > int((heard == 4).sum())
    key = Key(tonic, (step + 3) % 7, Mode.MINOR if minor else Mode.MAJOR)
    phrygian = minor and fall == 1 and approach <= {1, 5, 8, 10}
    return (CadenceKind.PHRYGIAN if phrygian else CadenceKind.HC), key


def record_cadences(grids: Sequence[Grid]) -> None:
    """Count the closes of pieces and write the file that ships."""
    COUNTS.write_text(json.dumps(count_closes(grids), indent=1) + "\n", encoding="utf-8")
