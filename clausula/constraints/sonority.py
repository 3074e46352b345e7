"""Constraints on which notes sound: ranges, scales, chords and progressions, rhythms.

A hold carries no pitch, so what sounds is followed by one state a pitch; a note that is held into a
span counts there as much as one that begins there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import REFUSED, LayeredAutomaton, followed
from clausula.constraints.chord_automaton import Stretch, chords_automaton
from clausula.constraints.domains import HOLD_BIT, ONSET_BITS, REST_BIT, Domains
from clausula.constraints.place import KeyAt, Place, Span, Timeline, where
from clausula.errors import InputError, PlanError
from clausula.grid import Voice, frames_in
from clausula.pitch import SCALE, Key, Mode, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

_NUMERALS = {name: degree for degree, name in enumerate(("I", "II", "III", "IV", "V", "VI", "VII"))}
_FIGURES = {
    "": (3, 0), "53": (3, 0), "6": (3, 1), "64": (3, 2),
    "7": (4, 0), "65": (4, 1), "43": (4, 2), "42": (4, 3), "2": (4, 3),
}  # fmt: skip
_CHORD = re.compile(r"([b#]?)([IViv]+)(°|o|ø|\+)?(\d*)")
_LENGTHS = {"w": "4", "h": "2", "q": "1", "e": "1/2", "s": "1/4"}
BAR_LINE = "|"
_RAISED = 6  # degree that minor raises in its dominant chords


@dataclass(frozen=True)
class Range:
    """A voice stays between two notes.

    >>> str(Range(Voice.SOPRANO, SpelledPitch.parse("D4"), SpelledPitch.parse("G5")))
    'range S D4-G5'

    Attributes:
        voice: whose.
        low: lowest note.
        high: highest note.
        span: where; the whole piece if left out.
    """

    voice: Voice
    low: SpelledPitch
    high: SpelledPitch
    span: Span | None = None

    def __str__(self) -> str:
        return f"range {self.voice.name[0]} {self.low.name}-{self.high.name}{where(self.span)}"

    def automata(self, timeline: Timeline, _keys: KeyAt) -> list[LayeredAutomaton]:
        """Two kinds of frame: within the span and outside it.

        Raises:
            PlanError: the piece has no such span.
        """
        return [_sounding(self.voice, timeline, self.span, self.allowed(timeline, _keys))]

    def allowed(self, timeline: Timeline, _keys: KeyAt) -> np.ndarray:
        """``bool[time, token]`` which pitches it allows."""
        semitones = voice_semitones(self.voice)
        inside = (semitones >= self.low.semitone) & (semitones <= self.high.semitone)
        return np.tile(inside, (timeline.n_frames, 1))


@dataclass(frozen=True)
class Scale:
    """A voice keeps to a scale: the local key's own (minor: its sixth and seventh raised or not).

    >>> str(Scale(Voice.BASS, Span(Place(5), Place(9))))
    'scale B @ 5-8'

    Attributes:
        voice: whose.
        span: where; the whole piece if left out.
        notes: names of another scale's notes, such as ``("C", "D", "F#")``.
    """

    voice: Voice
    span: Span | None = None
    notes: tuple[str, ...] = ()

    @property
    def chroma(self) -> tuple[int, ...]:
        """Pitch classes of the named notes, 0 = C."""
        return tuple(SpelledPitch.parse(f"{name}4").semitone % 12 for name in self.notes)

    def __str__(self) -> str:
        notes = " of " + " ".join(self.notes) if self.notes else ""
        return f"scale {self.voice.name[0]}{notes}{where(self.span)}"

    def automata(self, timeline: Timeline, keys: KeyAt) -> list[LayeredAutomaton]:
        """A kind of frame for every local key.

        Raises:
            PlanError: the piece has no such span.
        """
        return [_sounding(self.voice, timeline, self.span, self.allowed(timeline, keys))]

    def allowed(self, timeline: Timeline, keys: KeyAt) -> np.ndarray:
        """``bool[time, token]`` which pitches it allows."""
        semitones = voice_semitones(self.voice)
        return np.stack(
            [
                np.isin(semitones % 12, list(self.chroma or scale_of(keys[frame])))
                for frame in range(timeline.n_frames)
            ]
        )


def scale_of(key: Key) -> frozenset[int]:
    """Pitch classes of a key; both forms of minor's sixth and seventh."""
    degrees = set(SCALE[key.mode].tolist())
    if key.mode is Mode.MINOR:
        degrees |= {9, 11}
    return frozenset((key.tonic_pc + degree) % 12 for degree in degrees)


@dataclass(frozen=True)
class Chord:
    """All voices sound members of a chord, the bass the member that the figures name.

    >>> str(Chord("V65", Place(4), Fraction(2)))
    'chord V65 @ 4 for 2'

    Root, third and, where the figures name one, the seventh are all there when it begins.

    Attributes:
        name: Roman numeral in the local key, with figures.
        at: where it begins.
        beats: how long it lasts, in the meter's beats.
    """

    name: str
    at: Place
    beats: Fraction = Fraction(1)

    def __str__(self) -> str:
        length = "" if self.beats == 1 else f" for {self.beats}"
        return f"chord {self.name} @ {self.at}{length}"

    def frames(self, timeline: Timeline) -> range:
        """The frames that it fills.

        Raises:
            PlanError: it leaves the piece.
        """
        start = timeline.frame_of(*self.at)
        length = self.beats * timeline.meter.beat
        end = start + frames_in(length, timeline.frames_per_quarter)
        if end > timeline.n_frames:
            raise PlanError(f"{self}: it would end after the piece; try fewer beats")
        return range(start, end)

    def automata(self, timeline: Timeline, keys: KeyAt) -> list[LayeredAutomaton]:
        """One, of whatever sounds before it too.

        Raises:
            PlanError: it leaves the piece.
        """
        return [chords_automaton([self.stretch(timeline, keys)], timeline)]

    def stretch(self, timeline: Timeline, keys: KeyAt) -> Stretch:
        """Its frames and its members in the key in which it begins."""
        frames = self.frames(timeline)
        classes, bass = chord_classes(self.name, keys[frames.start])
        # A chord may do without its fifth, not without what names it.
        return Stretch(frames, tuple(classes), bass, (*classes[:2], *classes[3:]))


def chord_classes(name: str, key: Key) -> tuple[list[int], int]:
    """Pitch classes of a Roman numeral, root first, and the bass's.

    The letter's case says major or minor where it differs from the key's own chord; ``°`` and
    ``+`` say diminished and augmented. Minor's V and vii raise the leading tone.

    Raises:
        InputError: it is no numeral, or its figures are not known.
    """
    found = _CHORD.fullmatch(name.strip())
    if not found or found[2].upper() not in _NUMERALS or found[4] not in _FIGURES:
        raise InputError(
            f"{name!r} is not a chord; write a Roman numeral with figures, such as V65 or ii6"
        )
    members, inversion = _FIGURES[found[4]]
    degree = _NUMERALS[found[2].upper()]
    scale = SCALE[key.mode].astype(int).copy()
    if key.mode is Mode.MINOR and (degree, found[2].isupper()) in ((4, True), (6, False)):
        scale[_RAISED] += 1
    root = int(scale[degree]) + {"b": -1, "#": 1, "": 0}[found[1]]
    above = [(int(scale[(degree + 2 * i) % 7]) - int(scale[degree])) % 12 for i in range(members)]
    above[1] = 4 if found[2].isupper() else 3
    usual = 7 if found[2].isupper() else above[2]
    above[2] = {"°": 6, "o": 6, "ø": 6, "+": 8}.get(found[3], usual)
    if members == 4 and found[3] in ("°", "o"):
        above[3] = 9
    classes = [(key.tonic_pc + root + interval) % 12 for interval in above]
    return classes, classes[inversion]


@dataclass(frozen=True)
class Progression:
    """Chords one after another.

    >>> str(Progression(("I", "V65:1/2", "I:2"), Place(1)))
    'progression I V65:1/2 I:2 @ 1'

    Attributes:
        names: Roman numerals in the local key, each with its beats after a colon where they are not
            ``beats``; between them ``|``, where a measure must begin.
        at: where the first begins.
        beats: how long the others last.
    """

    names: tuple[str, ...]
    at: Place
    beats: Fraction = Fraction(1)

    def __str__(self) -> str:
        length = "" if self.beats == 1 else f" each {self.beats}"
        return f"progression {' '.join(self.names)} @ {self.at}{length}"

    def lengths(self) -> list[tuple[str, Fraction]]:
        """Each chord and its beats, bar lines left out.

        Raises:
            InputError: one is no chord, or has no length.
        """
        return [chord_and_beats(name, self.beats) for name in self.names if name != BAR_LINE]

    def chords(self, timeline: Timeline) -> list[Chord]:
        """Each chord at its place.

        Raises:
            PlanError: one begins after the piece, or a bar line stands where no measure begins.
            InputError: one is no chord, or shorter than a frame.
        """
        frame = timeline.frame_of(*self.at)
        found: list[Chord] = []
        for name in self.names:
            place = timeline.place(frame)
            if name == BAR_LINE:
                if place.beat != 1:
                    raise PlanError(
                        f"{self}: the bar line after {len(found)} chords stands at "
                        f"{timeline.words(frame)}; move it, or give the chords other lengths"
                    )
                continue
            chord, beats = chord_and_beats(name, self.beats)
            if frame >= timeline.n_frames:
                raise PlanError(f"{self}: it would end after the piece; try fewer chords")
            found.append(Chord(chord, place, beats))
            frame += frames_in(beats * timeline.meter.beat, timeline.frames_per_quarter)
        return found

    def automata(self, timeline: Timeline, keys: KeyAt) -> list[LayeredAutomaton]:
        """One of all its chords."""
        stretches = [chord.stretch(timeline, keys) for chord in self.chords(timeline)]
        return [chords_automaton(stretches, timeline)]


def chord_and_beats(text: str, beats: Fraction) -> tuple[str, Fraction]:
    """The numeral and the length of ``"V7:1/2"``; ``beats`` where none is given.

    Raises:
        InputError: it is no chord, or has no length.
    """
    name, colon, length = text.partition(":")
    if not colon:
        return name, beats
    if not re.fullmatch(r"\d{1,4}(/[1-9]\d{0,3})?", length) or not Fraction(length):
        raise InputError(f"{text!r}: {length!r} is no length in beats; write I:2 or V7:1/2")
    return name, Fraction(length)


@dataclass(frozen=True)
class Rhythm:
    """A voice begins its notes exactly so.

    >>> str(Rhythm(Voice.SOPRANO, Place(1), "q e e h"))
    'rhythm S q e e h @ 1'

    Attributes:
        voice: whose.
        at: where the first note begins.
        values: lengths between spaces: w h q e s, dotted (``q.``), a rest after ``r`` (``rq``).
    """

    voice: Voice
    at: Place
    values: str

    def __str__(self) -> str:
        return f"rhythm {self.voice.name[0]} {self.values} @ {self.at}"

    def domains(self, timeline: Timeline) -> Domains:
        """What each frame may do.

        Raises:
            PlanError: it leaves the piece.
            InputError: a length that is not known, or finer than the grid.
        """
        domains = Domains.full(timeline.n_frames)
        frame = timeline.frame_of(*self.at)
        for silent, quarters in lengths_of(self.values):
            stop = frame + frames_in(quarters, timeline.frames_per_quarter)
            if stop > timeline.n_frames:
                raise PlanError(f"{self}: it would end after the piece; try fewer notes")
            bits = REST_BIT if silent else HOLD_BIT
            domains.masks[frame:stop, self.voice] = bits
            if not silent:
                domains.masks[frame, self.voice] = ONSET_BITS
            frame = stop
        if frame < timeline.n_frames:
            domains.masks[frame, self.voice] &= np.uint32(~HOLD_BIT & 0xFFFFFFFF)
        return domains


def lengths_of(values: str) -> list[tuple[bool, Fraction]]:
    """Whether each value is a rest, and its length in quarters.

    Raises:
        InputError: one is not known.
    """
    found = []
    for value in values.split():
        match = re.fullmatch(r"(r?)([whqes])(\.?)", value)
        if not match:
            raise InputError(f"{value!r} is not a length; write w h q e s, q. or rq for a rest")
        length = Fraction(_LENGTHS[match[2]])
        found.append((bool(match[1]), length * Fraction(3, 2) if match[3] else length))
    return found


def _sounding(
    voice: Voice,
    timeline: Timeline,
    span: Span | None,
    allowed: Sequence[np.ndarray] | np.ndarray,
    *,
    silent: bool = True,
) -> LayeredAutomaton:
    """The automaton of a voice whose sounding notes are allowed in every frame of a span.

    Args:
        voice: whose.
        timeline: the frames of the piece.
        span: where; everywhere if left out.
        allowed: ``bool[token]`` of each frame, of the pitches alone.
        silent: whether it may rest there.
    """
    inside = timeline.frames(span)
    everything = np.ones(N_VOICE, bool)
    kinds: dict[bytes, int] = {}
    tables: list[np.ndarray] = []
    which: list[int] = []
    for frame in range(timeline.n_frames):
        may = allowed[frame] if frame in inside else everything
        key = np.append(may[FIRST_PITCH:], silent or frame not in inside).tobytes()
        if key not in kinds:
            kinds[key] = len(tables)
            tables.append(_sounding_table(may, bool(key[-1])))
        which.append(kinds[key])
    good = np.ones(len(tables[0]), bool)
    return minimise(followed(voice, np.stack(tables), np.array(which), good))


def _sounding_table(may: np.ndarray, silent: bool) -> np.ndarray:
    """``int[state, token]``; state 0 is silence, others the pitch that sounds."""
    states = 1 + N_VOICE - FIRST_PITCH
    table = np.full((states, N_VOICE), REFUSED)
    table[:, REST_TOKEN] = 0 if silent else REFUSED
    table[0, HOLD_TOKEN] = 0 if silent else REFUSED
    for token in range(FIRST_PITCH, N_VOICE):
        if may[token]:
            state = token - FIRST_PITCH + 1
            table[:, token] = state
            table[state, HOLD_TOKEN] = state
    return table
