"""What a rule may know beside the notes, in a score that nobody planned.

A phrase ends where a fermata ends, and at the end of the piece. The arrival of an authentic cadence
is the tonic that closes a phrase: its bass goes from the fifth degree to the first, under a chord
of the dominant that has the leading tone, and stays there, under the tonic triad at last, to the
phrase's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from clausula.constraints.rule import Context
from clausula.constraints.rulesets import RuleSet
from clausula.grid import REST, VOICE_LETTERS
from clausula.pitch import Key, Mode
from clausula.score import Score
from clausula.slices import Slices

_DOMINANT_SEVENTH = {7, 11, 2, 5}  # semitones above the tonic
_TONIC_TRIAD = {0, 3, 4, 7}  # of either mode: a minor piece may close in major
_LEADING_TONE = 11
_LOWEST, _HIGHEST = 0, 127  # no limit: voices without names have no ranges


def phrase_ends(score: Score) -> tuple[Fraction, ...]:
    """Where phrases end, in quarter notes, the end of the piece last.

    Fermatas that sound together, in whatever voices, end one phrase: when the last of them stops.
    """
    held = sorted(
        (note.onset, note.end) for part in score.parts for note in part.notes if note.fermata
    )
    ends: list[Fraction] = []
    for onset, end in held:
        if ends and onset < ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            ends.append(end)
    close = max(part.notes[-1].end for part in score.parts if part.notes)
    return (*(end for end in ends if end < close), close)


def context_of(
    slices: Slices,
    ruleset: RuleSet,
    keys: Sequence[tuple[Fraction, Key]],
    ends: Sequence[Fraction],
) -> Context:
    """The context of every slice: fields ``[time]``, ranges ``[voice]``.

    Args:
        slices: the piece.
        ruleset: gives the ranges, which hold in scores of four parts.
        keys: ``(onset, key)`` wherever the local key changes, the first for the start.
        ends: where phrases end, in quarter notes.
    """
    begins = np.array([float(start) for start, _ in keys])
    which = np.maximum(np.searchsorted(begins, slices.onsets, side="right") - 1, 0)
    tonic_pc = np.array([key.tonic_pc for _, key in keys])[which]
    tonic_letter = np.array([key.tonic_letter for _, key in keys])[which]
    minor = np.array([key.mode is Mode.MINOR for _, key in keys])[which]
    arrival = np.zeros(len(slices), bool)
    for end in ends:
        found = _arrival(slices, keys, end)
        if found is not None:
            arrival[found] = True
    choir = slices.n_voices == len(VOICE_LETTERS)
    before = np.maximum(np.arange(len(slices)) - 1, 0)
    return Context(
        tonic_pc=tonic_pc,
        tonic_letter=tonic_letter,
        minor=minor,
        tonic_pc_before=tonic_pc[before],
        tonic_letter_before=tonic_letter[before],
        minor_before=minor[before],
        boundary=_boundaries(slices, ends),
        arrival=arrival,
        first=np.arange(len(slices)) == 0,
        low=np.array(ruleset.low if choir else [_LOWEST] * slices.n_voices),
        high=np.array(ruleset.high if choir else [_HIGHEST] * slices.n_voices),
    )


def _key_at(keys: Sequence[tuple[Fraction, Key]], onset: Fraction) -> Key:
    """The last key that begins at or before ``onset``, else the first."""
    return next((key for start, key in reversed(keys) if start <= onset), keys[0][1])


def _boundaries(slices: Slices, ends: Sequence[Fraction]) -> np.ndarray:
    """``bool[time]``: whether a phrase ends after the slice before and no later than this one."""
    passed = np.searchsorted(np.array([float(end) for end in ends]), slices.onsets, side="right")
    return np.diff(passed, prepend=passed[:1]) > 0


def _arrival(slices: Slices, keys: Sequence[tuple[Fraction, Key]], end: Fraction) -> int | None:
    """Slice where the phrase that ends at ``end`` reaches its tonic; None if it does not."""
    last = int(np.searchsorted(slices.onsets, float(end))) - 1
    key = _key_at(keys, slices.onset[last])
    bass = slices.semitone[: last + 1, -1]
    on_tonic = (bass != REST) & ((bass - key.tonic_pc) % 12 == 0)
    away = np.flatnonzero(~on_tonic)
    closes = on_tonic[last] and _above(key, slices.semitone[last]) <= _TONIC_TRIAD
    if not closes or not len(away):
        return None
    before, arrival = int(away[-1]), int(away[-1]) + 1
    chord = _above(key, slices.semitone[before])
    dominant = bass[before] != REST and (bass[before] - key.tonic_pc) % 12 == 7
    if not (dominant and _LEADING_TONE in chord and chord <= _DOMINANT_SEVENTH):
        return None
    soprano = slices.semitone[[before, arrival], 0]
    suspended = soprano[0] == soprano[1] and (soprano[0] - key.tonic_pc) % 12 == _LEADING_TONE
    return None if suspended else arrival


def _above(key: Key, row: np.ndarray) -> set[int]:
    """Semitones above the tonic of the pitch classes that sound."""
    return {int(pitch - key.tonic_pc) % 12 for pitch in row if pitch != REST}
