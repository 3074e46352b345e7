"""What a rule is: declared once, read by generation, by the checker and by ``clausula explain``.

Conventions: a *site* is the voice, or the pair of voices with the upper one first, that a rule
judges. A rule's predicate sees the motions of its site's voices and the context, nothing else; so
what a site says depends on these voices alone, and generation can tabulate pair by pair. Predicates
use only operators on arrays: NumPy and JAX arrays, plain numbers and broadcast shapes all work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from itertools import combinations
from typing import Any, NamedTuple

from clausula.grid import REST

Array = Any  # a NumPy array, a JAX array, or a number that broadcasts with them


class Scope(Enum):
    """How much of the music one judgement needs."""

    SLICE = "one slice"
    SLICES = "two adjacent slices"
    LINE = "a line"


class Sites(Enum):
    """What a rule judges: each voice, or each pair of voices."""

    VOICE = 1
    PAIR = 2

    def of(self, n_voices: int) -> tuple[tuple[int, ...], ...]:
        """Every site among ``n_voices`` voices, in order: (0,), (1,), … or (0, 1), (0, 2), …."""
        return tuple(combinations(range(n_voices), self.value))


class Enforcement(Enum):
    """How generation makes sure of a rule."""

    MASK = "candidates are masked during the search"
    AUTOMATON = "a layered automaton"
    FINALS_ONLY = "finished pieces are judged, and rejected or repaired"
    CHECK_ONLY = "only the checker judges it"


class Severity(IntEnum):
    """How much a finding weighs."""

    OFF = 0
    STYLE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The name in small letters, as files and reports write it."""
        return self.name.lower()


class Tone(NamedTuple):
    """What one voice sounds at a slice.

    Attributes:
        semitone: ``[...]`` MIDI number, ``REST`` in silence.
        step: ``[...]`` diatonic number (7 * octave + letter) of the same note.
        moved: ``[...]`` whether the voice starts a note here; a repeated note is one.
    """

    semitone: Array
    step: Array
    moved: Array


class Motion(NamedTuple):
    """One voice at two adjacent slices.

    Attributes:
        before: the tone at the earlier slice; no rule reads its ``moved``, unknown to tables.
        after: the tone at the later slice, which the rule judges.
        low: lowest MIDI number that the rule set allows this voice.
        high: highest MIDI number that the rule set allows this voice.
    """

    before: Tone
    after: Tone
    low: Array
    high: Array


class Sonority(NamedTuple):
    """What all voices sound at a slice; arrays ``[..., voice]``, soprano first, as in ``Tone``."""

    semitone: Array
    step: Array
    moved: Array

    def tone(self, voice: int) -> Tone:
        """The tone of one voice, arrays ``[...]``."""
        return Tone(*(array[..., voice] for array in self))


class Context(NamedTuple):
    """What a predicate may know beside the notes; each field broadcasts to ``[...]``.

    Attributes:
        tonic_pc: pitch class of the local key's tonic, 0 to 11.
        tonic_letter: letter of that tonic, C = 0 to B = 6.
        minor: whether the local key is minor.
        tonic_pc_before, tonic_letter_before, minor_before: the same of the earlier slice's key.
        boundary: whether a phrase ends between the two slices.
        arrival: whether the later slice is the tonic of an authentic cadence in the local key.
        first: whether there is no earlier slice (its voices are then silent).
        low: ``[..., voice]`` lowest MIDI number allowed.
        high: ``[..., voice]`` highest MIDI number allowed.
    """

    tonic_pc: Array
    tonic_letter: Array
    minor: Array
    tonic_pc_before: Array
    tonic_letter_before: Array
    minor_before: Array
    boundary: Array
    arrival: Array
    first: Array
    low: Array
    high: Array

    @property
    def before(self) -> Context:
        """The same in the earlier slice's key."""
        return self._replace(
            tonic_pc=self.tonic_pc_before,
            tonic_letter=self.tonic_letter_before,
            minor=self.minor_before,
        )


@dataclass(frozen=True)
class Example:
    """A few chords that obey or break a rule.

    Attributes:
        key: as ``Key.parse`` reads it.
        chords: one string of pitch names a slice, soprano first, such as ``"C5 G4 E4 C3"``;
            a dash is silence.
        at: letters of the voices blamed in the last chord, ``"ST"``; empty if the rule is obeyed.
        boundary: whether a phrase ends before the last chord.
        key_before: that of the chord before, where it is another.
        arrival: whether the last chord is the tonic of an authentic cadence.
    """

    key: str
    chords: tuple[str, ...]
    at: str = ""
    boundary: bool = False
    arrival: bool = False
    key_before: str = ""


def everywhere(site: tuple[int, ...], n_voices: int) -> bool:
    """True: the rule judges every site."""
    return True


@dataclass(frozen=True)
class Rule:
    """One rule of part-writing.

    Attributes:
        code: stable name, such as ``"M01"``.
        name: what musicians call the fault.
        scope: how much music one judgement needs.
        sites: whether it judges voices or pairs.
        predicate: called with one ``Motion`` for each voice of a site (upper voice first) and the
            ``Context``; returns ``[...]`` true where the rule is broken. Silence never breaks one.
        severity: used where a rule set names none.
        enforcement: how generation makes sure of it.
        message: template of a finding; fields as in ``clausula.checker.report``.
        says: the rule, in a sentence or two.
        why: the musical reason.
        exceptions: what the rule lets pass; empty if nothing.
        source: where it was read.
        breaking: examples that break it.
        obeying: examples that obey it; the first mends the first of ``breaking``.
        applies: whether the rule judges a site, given the number of voices.
        blames_before: whether the fault stands in the earlier slice.
        of_cadence: whether the rule reads ``arrival``: it judges how a cadence is made, and given
            notes that break it have another cadence. Any other fault of given notes is theirs.
    """

    code: str
    name: str
    scope: Scope
    sites: Sites
    predicate: Callable[..., Array] = field(compare=False)
    severity: Severity
    enforcement: Enforcement
    message: str
    says: str
    why: str
    source: str
    breaking: tuple[Example, ...]
    obeying: tuple[Example, ...]
    exceptions: str = ""
    applies: Callable[[tuple[int, ...], int], bool] = field(default=everywhere, compare=False)
    blames_before: bool = False
    of_cadence: bool = False

    def violations(self, prev: Sonority, cur: Sonority, context: Context) -> Array:
        """``bool[..., site]``: where the rule is broken, one column a site in order.

        Args:
            prev: the earlier slice, arrays ``[..., voice]``; all ``REST`` before the first slice.
            cur: the later slice, same shape.
            context: fields that broadcast to ``[...]``.
        """
        n_voices = cur.semitone.shape[-1]
        namespace = cur.semitone.__array_namespace__()
        never = cur.semitone[..., 0] != cur.semitone[..., 0]
        columns = []
        for site in self.sites.of(n_voices):
            if self.applies(site, n_voices):
                motions = [motion(prev, cur, context, voice) for voice in site]
                columns.append(never | self.predicate(*motions, context))
            else:
                columns.append(never)
        if not columns:
            return cur.semitone[..., :0] != cur.semitone[..., :0]
        return namespace.stack(namespace.broadcast_arrays(*columns), axis=-1)


def motion(prev: Sonority, cur: Sonority, context: Context, voice: int) -> Motion:
    """What one voice does between two slices; arrays ``[...]``."""
    return Motion(
        prev.tone(voice), cur.tone(voice), context.low[..., voice], context.high[..., voice]
    )


def sounds(tone: Tone) -> Array:
    """``bool[...]``: whether the voice is not silent."""
    return tone.semitone != REST


def changes(voice: Motion) -> Array:
    """``bool[...]``: whether the voice goes from one pitch to another."""
    moves = voice.before.semitone != voice.after.semitone
    return moves & sounds(voice.before) & sounds(voice.after)


def similar(upper: Motion, lower: Motion) -> Array:
    """``bool[...]``: whether two voices that both change pitch move in the same direction."""
    upper_rises = upper.after.semitone > upper.before.semitone
    lower_rises = lower.after.semitone > lower.before.semitone
    return changes(upper) & changes(lower) & (upper_rises == lower_rises)


def stands_on(tone: Tone, context: Context, degree: int, chroma: int) -> Array:
    """``bool[...]``: whether a tone is a given degree of the local key.

    Args:
        tone: what sounds.
        context: gives the key.
        degree: letter names above the tonic's, 0 to 6.
        chroma: semitones above the tonic, 0 to 11.
    """
    letter = (tone.step - context.tonic_letter) % 7 == degree
    return sounds(tone) & letter & ((tone.semitone - context.tonic_pc) % 12 == chroma)


def inverse(condition: Array) -> Array:
    """``bool[...]``: the opposite; unlike ``~`` it holds for a plain ``True`` as well."""
    return condition ^ True
