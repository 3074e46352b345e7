"""A passage as rules see it: what sounds, in which keys and chords, for which task.

Conventions: time first, voices last; a row is a slice (``clausula.slices``). What generation never
reads, the chords, what each tone does and the cadences, is found by ``checker.harmony`` or given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from clausula.chords import Numeral
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.rule import (
    Array,
    Beside,
    Context,
    Harmony,
    Motion,
    Sites,
    Sonority,
    motion,
)
from clausula.grid import REST
from clausula.pitch import Key
from clausula.score import Part
from clausula.slices import Line, Slices

NO_CHORD = -1  # the chord of a slice in which nothing sounds


class ToneKind(IntEnum):
    """What a note does in a slice."""

    SILENT = -1
    CHORD = 0
    PASSING = 1
    NEIGHBOR = 2
    SUSPENSION = 3
    RETARDATION = 4
    ANTICIPATION = 5
    APPOGGIATURA = 6
    ESCAPE = 7
    CAMBIATA = 8
    DOUBLE_NEIGHBOR = 9
    PEDAL = 10
    OTHER = 11

    @property
    def word(self) -> str:
        """As messages say it."""
        return self.name.lower().replace("_", " ")


class ChordSpan(NamedTuple):
    """A chord from slice ``start`` to before ``stop``.

    Attributes:
        start: its first slice.
        stop: the slice after its last.
        key: local key.
        numeral: which chord of that key, and its inversion when it begins.
    """

    start: int
    stop: int
    key: Key
    numeral: Numeral

    @property
    def name(self) -> str:
        """Its Roman numeral with figures."""
        return self.numeral.written(self.key)


class CadenceHere(NamedTuple):
    """A cadence: its kind, its key and the slice in which its last chord begins."""

    kind: CadenceKind
    key: Key
    arrival: int


class Remark(NamedTuple):
    """What is found about a label: the slice, the code of the rule, and words for its writer."""

    time: int
    code: str
    words: str


@dataclass(frozen=True)
class Task:
    """What the writer was asked to do, as far as it is known.

    Attributes:
        species: of counterpoint, 1 to 5; 0 where it is none.
        cantus: index of the part that has the cantus firmus, none where there is none.
        numerals: onset in quarters and Roman numeral of each chord that is asked for.
        figures: onset in quarters and figures of each bass note that has some.
        cadence: that the exercise must close with, none where any will do.
        given: parts that were to stay as they are, by index.
    """

    species: int = 0
    cantus: int | None = None
    numerals: tuple[tuple[Fraction, str], ...] = ()
    figures: tuple[tuple[Fraction, str], ...] = ()
    cadence: CadenceKind | None = None
    given: tuple[tuple[int, Part], ...] = ()


NO_TASK = Task()


@dataclass(frozen=True)
class Passage:
    """What rules judge.

    Attributes:
        slices: what sounds.
        context: keys, phrase ends and chords of each slice.
        chords: in order, without a gap wherever something sounds.
        tones: ``[time, voice]`` ``ToneKind``.
        foreign: ``[2, time, voice]`` ``ToneKind`` of each note where it is foreign to a chord: with
            or within which it begins, then before which it began.
        cadences: in order.
        ends: where phrases end, in quarters; the last is the end of the piece.
        task: what was asked.
        remarks: about labels that the writer added.
    """

    slices: Slices
    context: Context
    chords: tuple[ChordSpan, ...]
    tones: np.ndarray
    foreign: np.ndarray
    cadences: tuple[CadenceHere, ...]
    ends: tuple[Fraction, ...]
    task: Task = NO_TASK
    remarks: tuple[Remark, ...] = ()

    @property
    def n_voices(self) -> int:
        """How many parts there are."""
        return self.slices.n_voices

    def __len__(self) -> int:
        return len(self.slices)

    @cached_property
    def cur(self) -> Sonority:
        """What sounds in each slice."""
        return Sonority(self.slices.semitone, self.slices.step, self.slices.moved)

    @cached_property
    def prev(self) -> Sonority:
        """What sounded in the slice before; silence before the first."""
        fills = (REST, 0, False)
        return Sonority(*(_shifted(a, fill) for a, fill in zip(self.cur, fills, strict=True)))

    @cached_property
    def earlier(self) -> Sonority:
        """The note before that of ``prev`` in each voice; silence after a rest or a phrase end."""
        semitone, step = np.full(self.cur.semitone.shape, REST), np.zeros(self.cur.step.shape, int)
        for voice, line in enumerate(self.lines):
            linked = line.joined & ~self.context.boundary[line.start]
            for note in np.flatnonzero(linked).tolist():
                # Seen from the slices after the note begins, up to where the next one does.
                rows = slice(line.start[note] + 1, line.stop[note] + 1)
                semitone[rows, voice] = line.semitone[note - 1]
                step[rows, voice] = line.step[note - 1]
        return Sonority(semitone, step, semitone != REST)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The notes of each voice."""
        return self.slices.lines

    @property
    def level(self) -> np.ndarray:
        """``[time]`` metrical level of each slice's onset, as ``Slices.level``."""
        return self.slices.level

    @cached_property
    def beside(self) -> Beside:
        """What local rules may know of each voice beside two slices."""
        embellishes = self.tones > int(ToneKind.CHORD)
        return Beside(
            self.earlier,
            np.concatenate([embellishes[:1] & False, embellishes[:-1]]),
            self.brief,
        )

    def motions(self, sites: Sites) -> tuple[tuple[Motion, ...], Context]:
        """The motions of the first voices of all sites, of the second ones, and the context.

        Arrays are ``[time, site]``, the context's ``[time, 1]``.

        Args:
            sites: voices or pairs.
        """
        return self._motions[sites]

    @cached_property
    def _motions(self) -> dict[Sites, tuple[tuple[Motion, ...], Context]]:
        column = Context(*(_column(field) for field in self.context))._replace(
            low=self.context.low, high=self.context.high
        )
        found = {}
        for sites in (Sites.VOICE, Sites.PAIR):
            columns = np.array(sites.of(self.n_voices), int).reshape(-1, sites.value).T
            motions = (
                motion(self.prev, self.cur, self.context, voices, self.beside) for voices in columns
            )
            found[sites] = (tuple(motions), column)
        return found

    @cached_property
    def brief(self) -> np.ndarray:
        """``bool[time, voice]`` whether a note lasts less than a beat."""
        found = np.zeros(self.tones.shape, bool)
        for voice, line in enumerate(self.lines):
            note = self.slices.note[:, voice]
            if len(line):
                found[:, voice] = (note >= 0) & (line.duration[note] < self.slices.beat_length)
        return found

    @cached_property
    def chord_of_slice(self) -> np.ndarray:
        """``[time]`` index into ``chords``, ``NO_CHORD`` in silence."""
        found = np.full(len(self), NO_CHORD)
        for index, span in enumerate(self.chords):
            found[span.start : span.stop] = index
        return found

    def remarked(self, code: str) -> np.ndarray:
        """``bool[time]``: where labels break a rule."""
        found = np.zeros(len(self), bool)
        found[[remark.time for remark in self.remarks if remark.code == code]] = True
        return found

    def nothing(self, n_sites: int) -> np.ndarray:
        """``bool[time, site]`` all false, for a judge to fill."""
        return np.zeros((len(self), n_sites), bool)


def at(times: Sequence[tuple[Fraction, str]], onset: Fraction) -> str | None:
    """What was asked for at an onset, none if nothing was."""
    return next((text for moment, text in times if moment == onset), None)


def _column(field: Array | Harmony) -> Any:
    """A field of a context ``[time]`` as a column, each field of a chord too."""
    if isinstance(field, Harmony):
        return Harmony(*(_column(each) for each in field))
    return field[:, None] if np.ndim(field) else field


def _shifted(array: np.ndarray, fill: int) -> np.ndarray:
    """The row before each row; ``fill`` before the first."""
    return np.concatenate([np.full_like(array[:1], fill), array[:-1]])
