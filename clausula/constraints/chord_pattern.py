"""Regular expressions over the chords of a passage.

Conventions: the span is cut into stretches of so many beats. A stretch is a chord in the sense of
``sonority.Chord``: every voice that sounds is on a member throughout, the bass on the one that the
figures name, root and third are there when it begins. One stretch may be several of the chords that
an expression names (a triad is also the seventh chord without its seventh): the expression is
matched where some choice among them matches it.

The automaton knows the places of the expression, the chords that this stretch can still be, and
what each voice sounds, as a *class*: pitch classes that are the same to every chord are one.
States are the bits of a number: four for each voice's class (in search order), then the chords,
then the places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from clausula.constraints.algebra import minimise
from clausula.constraints.automaton import N_SLOTS, REFUSED, LayeredAutomaton
from clausula.constraints.expression import START, Expression, Symbols, require_size
from clausula.constraints.place import KeyAt, Span, Timeline, where
from clausula.constraints.sonority import chord_classes
from clausula.errors import InputError, PlanError
from clausula.grid import SEARCH_ORDER, Voice, frames_in
from clausula.pitch import Key
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

MOST_CHORDS = 16
MOST_STATES = 32768  # of a layer, before the automaton is minimised
_FORM = Symbols(
    r"[b#]?[IViv]+(?:[°oø]|\+(?=\d))?\d*(?![\w#+])",
    "a chord; write a Roman numeral with figures, such as V65 or ii6, (V)+ for once or more, "
    "III+53 for an augmented triad",
)
_SILENT, _FOREIGN = range(2)  # the first classes; the others are met in the chords
_BITS = 4
_CLASSES = _BITS * N_SLOTS  # bits of all voices' classes


@dataclass(frozen=True)
class ChordPattern:
    """The chords of a span match a regular expression.

    >>> str(ChordPattern("I (IV | ii6) V7? I", beats=Fraction(2)))
    'pattern chords I (IV | ii6) V7? I each 2'

    Attributes:
        expression: over Roman numerals in the local key, as ``expression`` says, without ``^``.
        span: where; the whole piece if left out.
        beats: how long each chord lasts.
    """

    expression: str
    span: Span | None = None
    beats: Fraction = Fraction(1)

    def __str__(self) -> str:
        length = "" if self.beats == 1 else f" each {self.beats}"
        return f"pattern chords {self.expression}{where(self.span)}{length}"

    def parsed(self) -> Expression:
        """The expression.

        Raises:
            InputError: it cannot be read, or names too many chords.
        """
        expression = Expression.parse(self.expression, _FORM)
        if any(leaf.negated for leaf in expression.leaves):
            raise InputError(f"{self}: ^ is not for chords; try the chords that are meant, or .")
        if len(expression.symbols) > MOST_CHORDS:
            raise InputError(f"{self}: more than {MOST_CHORDS} different chords; try fewer")
        for symbol in expression.symbols:
            chord_classes(symbol, Key.parse("C"))
        return expression

    def automata(self, timeline: Timeline, keys: KeyAt) -> list[LayeredAutomaton]:
        """One, in which what sounds before the span is followed as far as it may be held into it.

        Raises:
            InputError: the expression cannot be read.
            PlanError: the piece has no such span, it is no whole number of chords, or the pattern
                is too large.
        """
        expression = self.parsed()
        frames = timeline.frames(self.span)
        length = frames_in(self.beats * timeline.meter.beat, timeline.frames_per_quarter)
        if len(frames) % length:
            beats = Fraction(len(frames), timeline.frames_per_beat)
            raise PlanError(
                f"{self}: {beats} beats are no whole number of chords of {self.beats}; try "
                "another span, or each 1"
            )
        order = list(dict.fromkeys(keys[frame] for frame in frames[::length]))
        tracker = _Tracker(expression, _Members.of(expression.symbols, order))
        layers = _Layers(tracker, timeline.n_frames)
        for frame in range(frames.stop):
            # Before the span what sounds matters to the first chord.
            at = frames.start + max(0, frame - frames.start) // length * length
            stage = _Stage(
                inside=frame in frames,
                key=order.index(keys[at]),
                first=frame == at,
                last=frame == at + length - 1,
                following=order.index(keys[at + length]) if at + length < frames.stop else None,
            )
            layers.add(stage)
        return [layers.automaton()]


class _Members(NamedTuple):
    """The chords as sets of bits, one a symbol, by key and class.

    Attributes:
        class_of: int ``[12]`` class of each pitch class.
        upper: int ``[key, class]`` the chords in which a voice above the bass may sound it.
        bass: the same for the bass.
        root: the chords whose root it is.
        third: the chords whose third it is.
        seventh: the chords whose seventh it is.
        triads: the chords that have none.
    """

    class_of: np.ndarray
    upper: np.ndarray
    bass: np.ndarray
    root: np.ndarray
    third: np.ndarray
    seventh: np.ndarray
    triads: int

    @classmethod
    def of(cls, symbols: Sequence[str], keys: Sequence[Key]) -> _Members:
        """The members of every chord in every key."""
        roles = np.zeros((12, 5, len(keys)), int)  # pitch class, role, key
        triads = 0
        for index, key in enumerate(keys):
            for bit, symbol in enumerate(symbols):
                members, lowest = chord_classes(symbol, key)
                triads |= 1 << bit if len(members) == 3 else 0
                named = (members, [lowest], members[:1], members[1:2], members[3:])
                for role, chroma in enumerate(named):
                    roles[chroma, role, index] |= 1 << bit
        distinct, class_of = np.unique(roles.reshape(12, -1), axis=0, return_inverse=True)
        everything = (1 << len(symbols)) - 1
        # Silence contradicts no chord, and is no chord's root, third or seventh.
        silent = np.repeat([everything, everything, 0, 0, 0], len(keys))[None]
        foreign = np.zeros_like(silent)
        table = np.concatenate([silent, foreign, distinct]).reshape(-1, 5, len(keys))
        upper, bass, root, third, seventh = table.transpose(1, 2, 0)
        member = np.any(distinct, axis=1, keepdims=True)[class_of.reshape(-1), 0]
        known = np.where(member, class_of.reshape(-1) + 2, _FOREIGN)
        return cls(known, upper, bass, root, third, seventh, triads)


class _Stage(NamedTuple):
    """What a frame is to the pattern; frames of one stage have the same tables.

    Attributes:
        inside: whether it is in the span; before it otherwise.
        key: number of the key of this stretch, or of the first one.
        first: whether its stretch begins with it.
        last: whether its stretch ends with it.
        following: the next stretch's key; none where the span ends with this one.
    """

    inside: bool
    key: int
    first: bool
    last: bool
    following: int | None


class _Tracker:
    """What becomes of states when a voice's class changes."""

    def __init__(self, expression: Expression, members: _Members) -> None:
        self.expression, self.members = expression, members
        self.names = expression.symbols
        self.places = [START]  # sets of places by number
        self._number = {START: 0}
        self._after: dict[tuple[int, int], int] = {}

    def after(self, number: int, chords: int) -> int:
        """The number of the places reached by a stretch that can be some chords, or ``REFUSED``."""
        key = (number, chords)
        if key not in self._after:
            letter = frozenset(n for bit, n in enumerate(self.names) if chords >> bit & 1)
            places = self.expression.after(self.places[number], letter)
            if places and places not in self._number:
                self._number[places] = len(self.places)
                self.places.append(places)
            self._after[key] = self._number[places] if places else REFUSED
        return self._after[key]

    def heard(self, states: np.ndarray, stage: _Stage, slot: int) -> np.ndarray:
        """The states after a token whose class they have taken on; ``REFUSED`` where it is lost."""
        if not stage.inside:
            return self._forget(states, stage.key)
        members, count = self.members, len(self.names)
        everything = (1 << count) - 1
        sounding = [states >> _BITS * voice & (1 << _BITS) - 1 for voice in range(N_SLOTS)]
        chords = states >> _CLASSES & everything
        if stage.first and slot == 0:
            chords = np.full_like(chords, everything)
        fits = members.bass if SEARCH_ORDER[slot] is Voice.BASS else members.upper
        chords = chords & fits[stage.key, sounding[slot]]
        if stage.first and slot == N_SLOTS - 1:
            for role in (members.root, members.third):
                chords &= np.bitwise_or.reduce([role[stage.key, s] for s in sounding])
            sevenths = [members.seventh[stage.key, s] for s in sounding]
            chords &= np.bitwise_or.reduce(sevenths) | members.triads
        # The fewer chords a stretch can be, the fewer ways lead on: what is lost stays lost.
        classes = states & (1 << _CLASSES) - 1
        kept = (states >> _CLASSES + count << count | chords) << _CLASSES | classes
        after = self._places_after(kept)
        if not (stage.last and slot == N_SLOTS - 1):
            return np.where(after == REFUSED, REFUSED, kept)
        if stage.following is None:
            accepted = np.array([self.expression.accepts(p) for p in self.places])
            return np.where((after != REFUSED) & accepted[after], 0, REFUSED)
        begun = self._forget((after << _CLASSES + count) | classes, stage.following)
        return np.where(after == REFUSED, REFUSED, begun)

    def _places_after(self, states: np.ndarray) -> np.ndarray:
        """The number of the places that each state's stretch leads to, or ``REFUSED``."""
        count = len(self.names)
        pairs, which = np.unique(states >> _CLASSES, return_inverse=True)
        reached = [self.after(pair >> count, pair & (1 << count) - 1) for pair in pairs.tolist()]
        return np.array(reached, int)[which.reshape(-1)]

    def _forget(self, states: np.ndarray, key: int) -> np.ndarray:
        """Between stretches, what cannot be held into the next one is foreign, whatever it is."""
        count = len(self.names)
        numbers, which = np.unique(states >> _CLASSES + count, return_inverse=True)
        next_chords = np.array([self._next_chords(int(n)) for n in numbers], int)[which]
        for slot in range(N_SLOTS):
            sounding = states >> _BITS * slot & (1 << _BITS) - 1
            bass = SEARCH_ORDER[slot] is Voice.BASS
            fits = (self.members.bass if bass else self.members.upper)[key, sounding]
            foreign = states ^ (sounding ^ _FOREIGN) << _BITS * slot
            states = np.where(fits & next_chords | (next_chords == 0), states, foreign)
        return states

    def _next_chords(self, number: int) -> int:
        """Bits of the chords that may come next; none where any sonority may."""
        if number == REFUSED:
            return 0
        following = self.expression.next_places(self.places[number])
        leaves = [
            leaf.symbol
            for place, leaf in enumerate(self.expression.leaves, start=1)
            if following >> place & 1
        ]
        return 0 if None in leaves else sum(1 << self.names.index(str(n)) for n in set(leaves))


class _Layers:
    """Builds the automaton layer by layer; equal layers are built once."""

    def __init__(self, tracker: _Tracker, n_frames: int) -> None:
        self.tracker, self.n_frames = tracker, n_frames
        self.tables = [np.zeros((1, N_VOICE), int)]  # accepts everything, after the span
        self.table_of_layer: list[int] = []
        self.n_states = [1]
        self.states = np.array([0])  # no voice sounds
        self.memo: dict[tuple[_Stage, int, bytes], tuple[int, np.ndarray]] = {}

    def add(self, stage: _Stage) -> None:
        """A frame."""
        for slot in range(N_SLOTS):
            key = (stage, slot, self.states.tobytes())
            if key not in self.memo:
                table, reached = self._layer(stage, slot)
                self.memo[key] = len(self.tables), reached
                self.tables.append(table)
            index, self.states = self.memo[key]
            self.table_of_layer.append(index)
            self.n_states.append(len(self.states))

    def _layer(self, stage: _Stage, slot: int) -> tuple[np.ndarray, np.ndarray]:
        """Table ``[state, token]``, and the states it reaches."""
        semitones = voice_semitones(SEARCH_ORDER[slot])
        class_of_token = self.tracker.members.class_of[semitones % 12]
        class_of_token[REST_TOKEN] = _SILENT
        shift = _BITS * slot
        own = self.states >> shift & (1 << _BITS) - 1
        reached = np.full((len(self.states), N_VOICE), REFUSED)
        reached[:, HOLD_TOKEN] = self.tracker.heard(self.states, stage, slot)
        for sounding in np.unique(np.delete(class_of_token, HOLD_TOKEN)).tolist():
            changed = self.states ^ (own ^ sounding) << shift
            tokens = np.flatnonzero(class_of_token == sounding)
            tokens = tokens[tokens != HOLD_TOKEN]
            reached[:, tokens] = self.tracker.heard(changed, stage, slot)[:, None]
        found = np.unique(reached[reached != REFUSED])
        require_size(len(found), MOST_STATES, self.tracker.expression.text)
        table = np.where(reached == REFUSED, REFUSED, np.searchsorted(found, reached))
        return table, found

    def automaton(self) -> LayeredAutomaton:
        """All layers, everything accepted after the last; minimal."""
        rest = N_SLOTS * self.n_frames - len(self.table_of_layer)
        alive = min(1, len(self.states))
        which = self.table_of_layer + [0] * rest
        width = max(1, *self.n_states)
        tables = np.full((len(self.tables), width, N_VOICE), REFUSED, np.int32)
        for index, table in enumerate(self.tables):
            tables[index, : len(table)] = table
        n_states = np.array([*self.n_states, *[alive] * rest], np.int32)
        return minimise(LayeredAutomaton(tables, np.array(which, np.int32), n_states))
