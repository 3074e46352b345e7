"""Regular expressions over the notes of a voice: pitches, scale degrees, intervals or lengths.

Conventions: an expression (see ``expression``) must match, from first to last, the notes that begin
in its span; a note that is held into the span is not one of them, one that is held out of it is.

* Pitches ``G4``: the note that sounds, however it is spelled.
* Degrees ``5``: as the key in which the note begins spells it, ``#4`` and ``b7`` above or below the
  scale of the key's signature. In minor the leading tone is ``#7``.
* Intervals ``+2 -3 1``: steps of the staff from each note to the next, signed, of any quality; a
  note repeated, or altered on its step, is ``1``. So many notes have one interval fewer. Rests
  between two notes do not count.
* Durations ``q e. rq``: the whole length of each note, and of each rest after ``r``; rests next to
  one another are one rest. In the other three rests are nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import REFUSED, LayeredAutomaton, followed
from clausula.constraints.expression import (
    Expression,
    Letter,
    Machine,
    Symbols,
    machine_of,
    require_size,
)
from clausula.constraints.place import KeyAt, Span, Timeline, where
from clausula.constraints.sonority import lengths_of
from clausula.errors import PlanError
from clausula.grid import Voice, frames_in
from clausula.pitch import DEGREE_OF_CHROMATIC, SCALE, Key, SpelledPitch, accidental
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

MOST_STATES = 8192  # of an expression together with what it remembers of the notes


class Material(StrEnum):
    """What an expression is about."""

    PITCHES = "pitches"
    DEGREES = "degrees"
    INTERVALS = "intervals"
    DURATIONS = "durations"


_END = r"(?![\w#])"
SYMBOLS = {
    Material.PITCHES: Symbols(
        rf"[A-G](?:#{{1,2}}|b{{1,2}})?\d{_END}", "a pitch; write G4, F#4 or Bb3"
    ),
    Material.DEGREES: Symbols(rf"[#b]?[1-7]{_END}", "a scale degree; write 1 to 7, #4 or b7"),
    Material.INTERVALS: Symbols(
        rf"(?:1|[+-](?:[2-9]|1\d)){_END}",
        "an interval; write +2 for a step up, -3 for a third down, 1 for a repeated note",
    ),
    Material.DURATIONS: Symbols(
        rf"r?[whqes](?:\.|(?!\.)){_END}", "a length; write w h q e s, q. or rq for a rest"
    ),
}


@dataclass(frozen=True)
class Pattern:
    """The notes that a voice begins in a span match a regular expression.

    >>> str(Pattern(Voice.SOPRANO, Material.DEGREES, "1 2 3 (4 | 5)* 1"))
    'pattern S degrees 1 2 3 (4 | 5)* 1'

    Attributes:
        voice: whose.
        of: what the expression is about.
        expression: as ``expression`` and ``SYMBOLS`` say.
        span: where the notes begin; the whole piece if left out.
    """

    voice: Voice
    of: Material
    expression: str
    span: Span | None = None

    def __str__(self) -> str:
        return f"pattern {self.voice.name[0]} {self.of} {self.expression}{where(self.span)}"

    def parsed(self) -> Expression:
        """The expression.

        Raises:
            InputError: it cannot be read.
        """
        return Expression.parse(self.expression, SYMBOLS[self.of])

    def automata(self, timeline: Timeline, keys: KeyAt) -> list[LayeredAutomaton]:
        """One: the expression's states times what must be remembered of the notes.

        Raises:
            InputError: the expression cannot be read, or has lengths finer than the grid.
            PlanError: the piece has no such span, the voice no such note, the keys there no such
                degree, or the pattern is too large.
        """
        expression = self.parsed()
        inside = timeline.frames(self.span)
        if self.of is Material.DURATIONS:
            hearing = _durations(expression, timeline, inside)
        else:
            kinds = [keys[frame] if frame in inside else None for frame in range(timeline.n_frames)]
            hearing = _HEARD[self.of](self, expression, kinds)
        machine = machine_of(expression, hearing.letters)
        require_size(len(machine.table) * len(hearing.final), MOST_STATES, self.expression)
        tables, good = _joined(hearing, machine)
        return [minimise(followed(self.voice, tables, hearing.which, good))]


class _Hearing(NamedTuple):
    """How tokens are heard as letters, whatever the expression makes of them.

    A *memory* is what must be known of earlier notes, 0 at first. Frames are of several kinds.
    A letter's number is its place in ``letters``; the number after the last means none.

    Attributes:
        letters: those that can be read.
        after: int ``[kind, memory, token]`` memory after a token.
        letter: int ``[kind, memory, token]`` the letter that ends or begins with it.
        final: int ``[memory]`` the letter that the end of the piece completes.
        which: int ``[time]`` kind of each frame.
    """

    letters: list[Letter]
    after: np.ndarray
    letter: np.ndarray
    final: np.ndarray
    which: np.ndarray


def _joined(hearing: _Hearing, machine: Machine) -> tuple[np.ndarray, np.ndarray]:
    """Tables and final states of memory times state; both begin with 0."""
    states = len(machine.table)
    # One more letter, which is none and changes nothing.
    moves = np.column_stack([machine.table, np.arange(states)])
    reached = moves[:, hearing.letter].transpose(1, 2, 0, 3)
    joined = np.where(reached == REFUSED, REFUSED, hearing.after[:, :, None] * states + reached)
    ends = moves[:, hearing.final].T
    good = (ends != REFUSED) & machine.accepting[ends]
    kinds, memories = hearing.after.shape[:2]
    return joined.reshape(kinds, memories * states, N_VOICE), good.reshape(-1)


class _Alphabet(NamedTuple):
    """The letters of an expression, the last of which is everything else, by what they mean."""

    letters: list[Letter]
    numbers: dict[object, int]

    @property
    def nothing(self) -> int:
        """The number that means no letter."""
        return len(self.letters)

    def of(self, value: object) -> int:
        """The number of the letter that has a meaning."""
        return self.numbers.get(value, len(self.letters) - 1)


def _letters(symbols: Sequence[str], meaning: Callable[[str], object]) -> _Alphabet:
    """A letter for each different meaning of some symbols."""
    values: dict[object, set[str]] = {}
    for symbol in symbols:
        values.setdefault(meaning(symbol), set()).add(symbol)
    numbers = {value: number for number, value in enumerate(values)}
    return _Alphabet([*map(frozenset, values.values()), frozenset()], numbers)


def _memoryless(
    alphabet: _Alphabet, values: Sequence[Sequence[object]], which: np.ndarray
) -> _Hearing:
    """Each onset is a letter; ``values`` are the meanings of pitches by kind of frame."""
    letter = np.full((len(values), 1, N_VOICE), alphabet.nothing)
    for kind, of_pitch in enumerate(values):
        for pitch, value in enumerate(of_pitch):
            letter[kind, 0, FIRST_PITCH + pitch] = alphabet.of(value)
    final = np.array([alphabet.nothing])
    return _Hearing(alphabet.letters, np.zeros_like(letter), letter, final, which)


def _pitches(pattern: Pattern, expression: Expression, kinds: Sequence[Key | None]) -> _Hearing:
    """Every onset is heard as its MIDI number."""
    semitones = voice_semitones(pattern.voice)[FIRST_PITCH:].tolist()
    alphabet = _letters(expression.symbols, lambda symbol: SpelledPitch.parse(symbol).semitone)
    for symbol in expression.symbols:
        if SpelledPitch.parse(symbol).semitone not in semitones:
            raise PlanError(
                f"{pattern}: the {pattern.voice.name.lower()} cannot be written on {symbol}; "
                "try another octave"
            )
    which = np.array([int(key is not None) for key in kinds])
    return _memoryless(alphabet, [[], semitones], which)


def _degrees(pattern: Pattern, expression: Expression, kinds: Sequence[Key | None]) -> _Hearing:
    """Every onset is heard as its degree in the key of its frame."""
    order, which = _numbered(kinds)
    semitones = voice_semitones(pattern.voice)[FIRST_PITCH:].tolist()
    values = [[] if key is None else [_degree(s, key) for s in semitones] for key in order]
    known = {value for of_pitch in values for value in of_pitch}
    for symbol in expression.symbols:
        if symbol not in known:
            names = " or ".join(str(key) for key in order if key is not None)
            raise PlanError(
                f"{pattern}: in {names} no note is spelled as degree {symbol}; try the degree next "
                "to it, raised or lowered"
            )
    return _memoryless(_letters(expression.symbols, str), values, which)


def _degree(semitone: int, key: Key) -> str:
    """A note as a degree, such as ``"5"`` or ``"#4"``."""
    chromatic = (semitone - key.tonic_pc) % 12
    degree = int(DEGREE_OF_CHROMATIC[key.mode][chromatic])
    return f"{accidental(chromatic - int(SCALE[key.mode][degree]))}{degree + 1}"


def _intervals(pattern: Pattern, expression: Expression, kinds: Sequence[Key | None]) -> _Hearing:
    """Every onset but the first is heard as the steps from the last; memory is the last's step."""
    alphabet = _letters(expression.symbols, int)
    order, which = _numbered(kinds)
    semitones = voice_semitones(pattern.voice)[FIRST_PITCH:]
    steps = [[] if key is None else key.spell(semitones).tolist() for key in order]
    memories = sorted({step for of_pitch in steps for step in of_pitch})
    shape = (len(order), 1 + len(memories), N_VOICE)
    letter = np.full(shape, alphabet.nothing)
    after = np.broadcast_to(np.arange(shape[1])[:, None], shape).copy()
    for kind, of_pitch in enumerate(steps):
        for pitch, step in enumerate(of_pitch):
            after[kind, :, FIRST_PITCH + pitch] = 1 + memories.index(step)
            for memory, last in enumerate(memories, start=1):
                moved = step - last
                # An interval counts both of its notes: a step up is 2, one down -2, none 1.
                value = moved + 1 if moved >= 0 else moved - 1
                letter[kind, memory, FIRST_PITCH + pitch] = alphabet.of(value)
    final = np.full(shape[1], alphabet.nothing)
    return _Hearing(alphabet.letters, after, letter, final, which)


_HEARD = {
    Material.PITCHES: _pitches,
    Material.DEGREES: _degrees,
    Material.INTERVALS: _intervals,
}


def _numbered(kinds: Sequence[Key | None]) -> tuple[list[Key | None], np.ndarray]:
    """The different kinds, and the number of each frame's."""
    order = list(dict.fromkeys(kinds))
    return order, np.array([order.index(kind) for kind in kinds])


_NOTHING, _NOTE, _SILENCE = range(3)  # of the durations: what sounds and began outside the span


def _durations(expression: Expression, timeline: Timeline, inside: range) -> _Hearing:
    """A note or rest is heard when it is over; memory is which, and how long it has lasted."""

    def meaning(symbol: str) -> tuple[int, int]:
        ((silent, quarters),) = lengths_of(symbol)
        return _SILENCE if silent else _NOTE, frames_in(quarters, timeline.frames_per_quarter)

    alphabet = _letters(expression.symbols, meaning)
    longest = 1 + max((meaning(symbol)[1] for symbol in expression.symbols), default=0)
    # What began in the span is followed up to one frame longer than any length that is named.
    memories = [(_NOTHING, 0), (_NOTE, 0), (_SILENCE, 0)]
    memories += [(kind, n) for kind in (_NOTE, _SILENCE) for n in range(1, longest + 1)]
    over = [alphabet.of(memory) if memory[1] else alphabet.nothing for memory in memories]
    letter = np.full((2, len(memories), N_VOICE), alphabet.nothing)
    after = np.empty_like(letter)
    for began_inside in (False, True):
        for number, (kind, lasted) in enumerate(memories):
            for token in range(N_VOICE):
                silent = token == REST_TOKEN or (token == HOLD_TOKEN and kind != _NOTE)
                heard = _SILENCE if silent else _NOTE
                if heard == kind and (silent or token == HOLD_TOKEN):
                    reached = (kind, lasted and min(lasted + 1, longest))
                else:
                    reached = (heard, int(began_inside))
                    letter[int(began_inside), number, token] = over[number]
                after[int(began_inside), number, token] = memories.index(reached)
    which = np.array([int(frame in inside) for frame in range(timeline.n_frames)])
    return _Hearing(alphabet.letters, after, letter, np.array(over), which)
