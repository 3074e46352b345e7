"""How phrases close: cadences named from their last chords.

Conventions: the *last chord* of a phrase is the run of chords on one root with which it ends, the
*approach* the chord before. A perfect authentic cadence goes from V or V7 to I, both in root
position, with the tonic in the soprano; an imperfect one from any dominant to I otherwise; a half
cadence ends on the triad V in root position (Phrygian: from iv6 in minor), a deceptive one goes
from V to VI, a plagal one from IV to I.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from clausula.constraints.cadence import CadenceKind
from clausula.constraints.passage import CadenceHere, ChordSpan
from clausula.pitch import Key, Mode
from clausula.slices import Slices

_TONIC, _SUBDOMINANT, _DOMINANT, _SUBMEDIANT = 0, 3, 4, 5


def cadences_of(
    slices: Slices, chords: Sequence[ChordSpan], ends: Sequence[Fraction]
) -> tuple[CadenceHere, ...]:
    """The cadence of every phrase that closes with one."""
    found = []
    begins = [span.start for span in chords]
    for end in ends:
        last = int(np.searchsorted(slices.onsets, float(end))) - 1
        heard = chords[: bisect_right(begins, last)]
        cadence = cadence_at(slices, heard, last)
        if cadence is not None:
            found.append(cadence)
    return tuple(found)


def cadence_at(slices: Slices, heard: Sequence[ChordSpan], last: int) -> CadenceHere | None:
    """The cadence that the last of some chords makes, none if they make none.

    Args:
        slices: the piece.
        heard: chords from the start of the piece to the one that closes.
        last: the slice with which that closes.
    """
    if not heard:
        return None
    first = len(heard) - 1
    while first and _same_root(heard[first - 1], heard[-1]):
        first -= 1
    goal, close = heard[first], heard[-1]
    approach = heard[first - 1] if first else None
    # The chord may outlast the phrase, and the soprano then goes on from another tone.
    kind = _kind(approach, goal, close, int(slices.semitone[last, 0]))
    return None if kind is None else CadenceHere(kind, close.key, goal.start)


def _same_root(one: ChordSpan, other: ChordSpan) -> bool:
    return (
        one.key == other.key
        and one.numeral.chord(one.key).root == other.numeral.chord(other.key).root
    )


def _kind(
    approach: ChordSpan | None, goal: ChordSpan, close: ChordSpan, soprano: int
) -> CadenceKind | None:
    key, numeral = close.key, close.numeral
    if numeral.of or len(numeral.quality.semitones) > 3:
        return None
    degree = numeral.degree
    before = None if approach is None else approach.numeral.chord(approach.key)
    if degree == _DOMINANT:
        if numeral.inversion:
            return None
        falls = approach is not None and _falls_to_dominant(approach, key)
        return CadenceKind.PHRYGIAN if falls else CadenceKind.HC
    if approach is None or before is None:
        return None
    above = (before.root_letter - key.tonic_letter) % 7
    dominant = above in (_DOMINANT, 6) and _leads(approach, key)
    if degree == _TONIC and dominant:
        rooted = above == _DOMINANT and approach.numeral.inversion == goal.numeral.inversion == 0
        on_tonic = soprano >= 0 and (soprano - key.tonic_pc) % 12 == 0
        return CadenceKind.PAC if rooted and on_tonic else CadenceKind.IAC
    if degree == _TONIC and above == _SUBDOMINANT:
        return CadenceKind.PLAGAL
    if degree == _SUBMEDIANT and dominant:
        return CadenceKind.DC
    return None


def _leads(approach: ChordSpan, key: Key) -> bool:
    """Whether a chord has the leading tone of a key."""
    return (key.tonic_pc + 11) % 12 in approach.numeral.chord(approach.key).classes


def _falls_to_dominant(approach: ChordSpan, key: Key) -> bool:
    """Whether a chord is the minor key's iv6."""
    numeral = approach.numeral
    return (
        key.mode is Mode.MINOR
        and approach.key == key
        and (numeral.degree, numeral.chroma, numeral.inversion) == (_SUBDOMINANT, 5, 1)
    )
