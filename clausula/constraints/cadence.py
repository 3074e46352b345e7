"""Cadences at given places, compiled to unary domains and a small automaton.

Conventions: pitch classes are relative to the tonic of the cadence's key; the *arrival* is the
frame at which the goal chord begins, the *approach* the beat before it.

What is asked, in key K, of an arrival at frame ``a`` held to the phrase end ``e``:

* PAC: through the approach the bass sounds degree 5, every voice a member of V7 (degree 7 raised in
  minor), the leading tone in every frame. At ``a`` soprano and bass start degree 1, every voice
  sounds the tonic triad, its third is present. Just before ``a`` the soprano is not on degree 4,
  the seventh, which has no step down to degree 1.
* IAC: the same with the soprano on degree 3 or 5.
* DC (deceptive): the approach of a PAC; at ``a`` the bass starts degree 6, the soprano degree 1 or
  3, every voice sounds the triad of VI, its third (degree 1) is present.
* plagal: through the approach the bass sounds degree 4, every voice a member of IV; at ``a`` the
  bass starts degree 1, the soprano a note, every voice sounds the tonic triad with its third.
* phrygian, in minor alone: through the approach the bass sounds degree 6, every voice a member of
  IV; the arrival is that of a half cadence.
* HC: at ``a`` the bass starts degree 5, the soprano starts a note, every voice sounds the triad of
  V (major in both modes), its third is present; just before ``a`` the bass is not on degree 5.
* Anticipated (PAC, IAC): in the second half of the approach the soprano may sound its arrival's
  degree already.
* All: no voice rests in the approach; inner voices may hold a note into ``a``; from ``a`` to ``e``
  all four hold, and nothing is held into ``e``.

That a leading tone in soprano or bass goes up to the tonic (PAC, DC) is rule T01's business; only
where the goal forbids it (IAC) is it refused here.

A hold token carries no pitch, so the automaton remembers for each voice which kind of note sounds.
It starts ``REACH_BEATS`` before the approach: a note that sounds in the approach or is held into
the arrival must begin no earlier than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from functools import lru_cache

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import LayeredAutomaton, translated, windowed
from clausula.constraints.domains import HOLD_BIT, REST_BIT, Domains, onsets_on
from clausula.constraints.place import Degree, Place, Timeline
from clausula.errors import PlanError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.pitch import Key, Mode
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

REACH_BEATS = 2


class CadenceKind(StrEnum):
    """Perfect authentic, imperfect authentic, half, deceptive, plagal and Phrygian cadence."""

    PAC = "PAC"
    IAC = "IAC"
    HC = "HC"
    DC = "DC"
    PLAGAL = "plagal"
    PHRYGIAN = "phrygian"

    @property
    def leads(self) -> bool:
        """Whether a dominant's leading tone leads to the arrival."""
        return self in (CadenceKind.PAC, CadenceKind.IAC, CadenceKind.DC)


@dataclass(frozen=True)
class Cadence:
    """A cadence that arrives at a place.

    >>> str(Cadence(CadenceKind.DC, 8, Fraction(3), Key.parse("D")))
    'DC@8.3 in D major'

    Attributes:
        kind: which cadence.
        measure: measure of the arrival.
        beat: beat of the arrival.
        key: its key, by name or by Roman numeral of the home key; ``None`` is the home key.
        anticipated: whether the soprano may anticipate its last note.
    """

    kind: CadenceKind
    measure: int
    beat: Fraction = Fraction(1)
    key: Key | Degree | None = None
    anticipated: bool = False

    def __str__(self) -> str:
        key = "" if self.key is None else f" in {self.key}"
        anticipated = " anticipated" if self.anticipated else ""
        return f"{self.kind.value}@{Place(self.measure, self.beat)}{key}{anticipated}"

    def anticipates_from(self, timeline: Timeline) -> int:
        """The frame from which the soprano may sound its last note; the arrival if it may not."""
        arrival = timeline.frame_of(self.measure, self.beat)
        return arrival - timeline.frames_per_beat // 2 if self.anticipated else arrival

    def key_in(self, home: Key) -> Key:
        """The key of the cadence in a piece whose home key is ``home``."""
        if isinstance(self.key, Degree):
            return self.key.of(home)
        return self.key or home


class _Sounding(IntEnum):
    """What is remembered of the note a voice sounds; the first two are also symbols of tokens."""

    REST = 0
    HOLD = 1
    OTHER = 2  # silent, unknown, or foreign to the approach chord
    LEAVING = 3  # in the approach chord, foreign to the goal
    STAYING = 4  # in both
    THIRD = 5  # in the approach: the leading tone; at the arrival: the goal's third
    STRANDED = 6  # in the approach chord, and must not be what is left for the goal


@dataclass(frozen=True)
class Pattern:
    """One kind of cadence as data; pitch classes relative to its tonic.

    Attributes:
        approach: what each voice's notes before the arrival count as (other ones: OTHER).
        chordal: voices whose note in the approach must be one of those.
        leads: whether the leading tone must sound throughout the approach.
        whole_beat: whether the approach is a beat, or only the frame before the arrival.
        held_into_goal: which inner notes may be held into the arrival.
        third: the goal's third.
        goal: the goal's members.
        soprano: what the soprano may arrive on.
        bass: what the bass arrives on.
    """

    approach: dict[Voice, dict[int, _Sounding]]
    chordal: tuple[Voice, ...]
    leads: bool
    whole_beat: bool
    held_into_goal: tuple[_Sounding, ...]
    third: int
    goal: tuple[int, ...]
    soprano: tuple[int, ...]
    bass: int


_INNER = (Voice.ALTO, Voice.TENOR)
_DOMINANT_SEVENTH = {
    7: _Sounding.STAYING,
    11: _Sounding.THIRD,
    2: _Sounding.LEAVING,
    5: _Sounding.LEAVING,
}
_DOMINANT_TRIAD = {7: _Sounding.STAYING, 2: _Sounding.STAYING, 11: _Sounding.THIRD}


def pattern_of(kind: CadenceKind, mode: Mode) -> Pattern:
    """The pattern of a kind of cadence in a mode."""
    if kind is CadenceKind.HC:
        not_five = {pc: _Sounding.STAYING for pc in range(12) if pc != 7}
        return Pattern(
            approach={voice: _DOMINANT_TRIAD for voice in _INNER} | {Voice.BASS: not_five},
            chordal=(Voice.BASS,),
            leads=False,
            whole_beat=False,
            held_into_goal=(_Sounding.STAYING, _Sounding.THIRD),
            third=11,
            goal=(7, 11, 2),
            soprano=(7, 11, 2),
            bass=7,
        )
    third = 4 if mode is Mode.MAJOR else 3
    sixth = 9 if mode is Mode.MAJOR else 8
    upper = (Voice.SOPRANO, *_INNER)
    if kind in (CadenceKind.PLAGAL, CadenceKind.PHRYGIAN):
        plagal = kind is CadenceKind.PLAGAL
        # The subdominant shares its fifth with the tonic, and nothing with the dominant.
        common = _Sounding.STAYING if plagal else _Sounding.LEAVING
        subdominant = {5: _Sounding.LEAVING, sixth: _Sounding.LEAVING, 0: common}
        goal = (0, third, 7) if plagal else (7, 11, 2)
        return Pattern(
            approach=dict.fromkeys(upper, subdominant)
            | {Voice.BASS: {5 if plagal else sixth: _Sounding.LEAVING}},
            chordal=tuple(Voice),
            leads=False,
            whole_beat=True,
            held_into_goal=(_Sounding.STAYING,),
            third=goal[1],
            goal=goal,
            soprano=goal,
            bass=goal[0],
        )
    if kind is CadenceKind.DC:
        # Of the dominant's notes none is in the goal; its third is the key's tonic.
        dominant = dict.fromkeys((7, 2, 5), _Sounding.LEAVING) | {11: _Sounding.THIRD}
        return Pattern(
            approach=dict.fromkeys(upper, dominant) | {Voice.BASS: {7: _Sounding.LEAVING}},
            chordal=tuple(Voice),
            leads=True,
            whole_beat=True,
            held_into_goal=(),
            third=0,
            goal=(sixth, 0, third),
            soprano=(0, third),
            bass=sixth,
        )
    perfect = kind is CadenceKind.PAC
    soprano = _DOMINANT_SEVENTH | {5: _Sounding.STRANDED} if perfect else _DOMINANT_SEVENTH
    return Pattern(
        approach=dict.fromkeys(_INNER, _DOMINANT_SEVENTH)
        | {Voice.SOPRANO: soprano}
        | {Voice.BASS: {7: _Sounding.STAYING}},
        chordal=tuple(Voice),
        leads=True,
        whole_beat=True,
        held_into_goal=(_Sounding.STAYING,),
        third=third,
        goal=(0, third, 7),
        soprano=(0,) if perfect else (third, 7),
        bass=0,
    )


def cadence_automaton(
    cadence: Cadence, timeline: Timeline, home: Key, phrase_end: int | None = None
) -> tuple[LayeredAutomaton, Domains]:
    """What a cadence asks for; a piece has it when both the automaton and the domains accept it.

    Args:
        cadence: what is asked for.
        timeline: the frames of the piece.
        home: the home key.
        phrase_end: frame (exclusive) to which the goal is held; the end of its phrase by default.

    Returns:
        The minimal automaton, universal outside the cadence, and the unary part.

    Raises:
        PlanError: no room for the cadence, no such place or key, a Phrygian one in major, or an
            anticipated one that is not authentic.
    """
    arrival = timeline.frame_of(cadence.measure, cadence.beat)
    end = timeline.phrase_end(arrival) if phrase_end is None else phrase_end
    approach = _approach(cadence, timeline, arrival, end)
    key = cadence.key_in(home)
    if cadence.anticipated and cadence.kind not in (CadenceKind.PAC, CadenceKind.IAC):
        raise PlanError(f"{cadence}: only PAC and IAC can be anticipated; try one of them")
    if cadence.kind is CadenceKind.PHRYGIAN and key.mode is not Mode.MINOR:
        raise PlanError(f"{cadence}: {key} has no Phrygian cadence; try HC, or a minor key")
    pattern = pattern_of(cadence.kind, key.mode)
    first = max(
        timeline.phrase_start(approach), approach - REACH_BEATS * timeline.frames_per_beat, 0
    )
    chordal_from = approach if pattern.whole_beat else arrival - 1
    followed = _followed(cadence.kind, key.mode, arrival - first, chordal_from - first)
    early = cadence.anticipates_from(timeline)
    symbols = _Symbols(pattern, key, arrival, early)
    automaton = translated(followed, timeline.n_frames, first, symbols.of)
    domains = _domains(pattern, key, timeline.n_frames, (approach, arrival, end))
    anticipation = onsets_on(Voice.SOPRANO, (key.tonic_pc + pc for pc in pattern.soprano))
    domains.masks[early:arrival, Voice.SOPRANO] |= np.uint32(anticipation)
    return automaton, domains


@lru_cache(maxsize=256)
def _followed(kind: CadenceKind, mode: Mode, arrival: int, chordal_from: int) -> LayeredAutomaton:
    """The minimal automaton over kinds of notes, in whatever key; frames from its window's first.

    Its tokens are symbols: ``_Sounding.REST`` to the last, which comes over again.
    """
    tracker = _Tracker(pattern_of(kind, mode), chordal_from, arrival)
    symbols = np.minimum(np.arange(N_VOICE), max(_Sounding))
    start = (_Sounding.OTHER,) * len(Voice)
    window = range(arrival + 1)
    return minimise(windowed(len(window), window, start, lambda *_: symbols, tracker.step))


def _approach(cadence: Cadence, timeline: Timeline, arrival: int, end: int) -> int:
    """First frame of the approach.

    Raises:
        PlanError: the cadence does not fit between its phrase's start and end.
    """
    if not arrival < end <= timeline.n_frames:
        raise PlanError(
            f"{cadence}: the cadence arrives at frame {arrival}, when its phrase is over (frame "
            f"{end}); try an earlier arrival or a later phrase end"
        )
    approach = arrival - timeline.frames_per_beat
    if approach < timeline.phrase_start(arrival):
        raise PlanError(
            f"{cadence}: no beat of its phrase is left before {timeline.words(arrival)} for the "
            "chord that leads to it; try a later arrival"
        )
    return approach


@dataclass(frozen=True)
class _Symbols:
    """The kinds of notes that tokens start, before the arrival and at it.

    From ``early`` on the soprano may anticipate.
    """

    pattern: Pattern
    key: Key
    arrival: int
    early: int

    def of(self, frame: int, slot: int) -> np.ndarray:
        """Int ``[token]``: a ``_Sounding`` for each token of the voice at this slot."""
        voice = SEARCH_ORDER[slot]
        if frame == self.arrival:
            kinds = {pc: _Sounding.STAYING for pc in self.pattern.goal}
            kinds[self.pattern.third] = _Sounding.THIRD
        else:
            kinds = self.pattern.approach.get(voice, {})
            if voice is Voice.SOPRANO and frame >= self.early:
                kinds = dict.fromkeys(self.pattern.soprano, _Sounding.LEAVING) | kinds
        by_pc = np.array([kinds.get(pc, _Sounding.OTHER) for pc in range(12)])
        symbols = by_pc[(voice_semitones(voice) - self.key.tonic_pc) % 12]
        symbols[REST_TOKEN], symbols[HOLD_TOKEN] = _Sounding.REST, _Sounding.HOLD
        return symbols


_Voices = tuple[_Sounding, ...]


@dataclass(frozen=True)
class _Tracker:
    """Follows what sounds in each voice (a tuple, soprano first) and refuses what is no cadence."""

    pattern: Pattern
    chordal_from: int
    arrival: int

    def step(self, frame: int, slot: int, voices: _Voices, symbol: int) -> _Voices | None:
        """What sounds after a token, ``None`` where the cadence is lost."""
        voice = SEARCH_ORDER[slot]
        last = slot == len(SEARCH_ORDER) - 1
        kind: _Sounding | None
        if frame == self.arrival:
            kind = self._arrive(voice, voices[voice], _Sounding(symbol))
            needs_third = last
        else:
            kind = voices[voice] if symbol == _Sounding.HOLD else _Sounding(max(symbol, 2))
            in_approach = frame >= self.chordal_from
            if in_approach and voice in self.pattern.chordal and kind is _Sounding.OTHER:
                return None
            needs_third = last and in_approach and self.pattern.leads
        if kind is None:
            return None
        after = (*voices[:voice], kind, *voices[voice + 1 :])
        return None if needs_third and _Sounding.THIRD not in after else after

    def _arrive(self, voice: Voice, before: _Sounding, symbol: _Sounding) -> _Sounding | None:
        """What a voice sounds at the arrival, ``None`` where it must not."""
        if symbol is _Sounding.HOLD:
            may_hold = voice in _INNER and before in self.pattern.held_into_goal
            return before if may_hold else None
        if before is _Sounding.STRANDED:
            return None
        # An imperfect cadence takes the soprano to degree 3 or 5: a leading tone cannot resolve.
        stranded = self.pattern.leads and 0 not in self.pattern.soprano
        if voice is Voice.SOPRANO and before is _Sounding.THIRD and stranded:
            return None
        return symbol if symbol in (_Sounding.STAYING, _Sounding.THIRD) else None


def _domains(pattern: Pattern, key: Key, n_frames: int, frames: tuple[int, int, int]) -> Domains:
    """The unary part of a cadence; ``frames`` are approach, arrival and phrase end."""
    approach, arrival, end = frames
    chords = {
        Voice.SOPRANO: (pattern.soprano, 0),
        Voice.ALTO: (pattern.goal, HOLD_BIT),
        Voice.TENOR: (pattern.goal, HOLD_BIT),
        Voice.BASS: ((pattern.bass,), 0),
    }
    masks = Domains.full(n_frames).masks
    masks[approach:arrival] &= ~np.uint32(REST_BIT)
    for voice, (goal, held) in chords.items():
        if pattern.whole_beat:
            chord = onsets_on(voice, (key.tonic_pc + pc for pc in pattern.approach[voice]))
            masks[approach:arrival, voice] = HOLD_BIT | chord
        masks[arrival, voice] = held | onsets_on(voice, (key.tonic_pc + pc for pc in goal))
    masks[arrival + 1 : end] = HOLD_BIT
    masks[end : end + 1] &= ~np.uint32(HOLD_BIT)
    return Domains(masks)
