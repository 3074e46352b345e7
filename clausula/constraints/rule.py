"""What a rule is: declared once, read by generation, by the checker and by ``clausula explain``.

Conventions: a *site* is the voice, the pair of voices with the upper one first, or all voices
together, that a rule judges. There are two kinds of rule. A *local* rule has a ``predicate``, which
sees the motions of its site's voices and the context, nothing else; so what a site says depends on
these voices alone, and generation can tabulate pair by pair. Predicates use only operators on
arrays: NumPy and JAX arrays, plain numbers and broadcast shapes all work. A rule of *passages* has
a ``judge``, which sees a whole passage at once, with its chords, lines and cadences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clausula.constraints.example import Example
from clausula.constraints.switch import Switch
from clausula.grid import REST

if TYPE_CHECKING:
    from clausula.constraints.passage import Passage

Array = Any  # a NumPy array, a JAX array, or a number that broadcasts with them


class Scope(Enum):
    """How much of the music one judgement needs."""

    SLICE = "one slice"
    SLICES = "two adjacent slices"
    LINE = "two notes of a line"
    WINDOW = "a few notes or chords"
    EXERCISE = "the whole exercise"


class Sites(Enum):
    """What a rule judges: each voice, each pair of voices, or all voices together."""

    VOICE = 1
    PAIR = 2
    ALL = 0

    def of(self, n_voices: int) -> tuple[tuple[int, ...], ...]:
        """Every site among ``n_voices`` voices, in order: (0,), (1,), … or (0, 1), (0, 2), …."""
        if self is Sites.ALL:
            return (tuple(range(n_voices)),)
        return tuple(combinations(range(n_voices), self.value))


class Reads(Enum):
    """What a local rule knows beside the notes of two slices; without it, it finds nothing."""

    CHORD = "the chord of a slice"
    EARLIER = "the note before the last"


class Enforcement(Enum):
    """How generation makes sure of a rule."""

    MASK = "candidates are masked during the search"
    AUTOMATON = "a layered automaton"
    FINALS_ONLY = "finished pieces are judged, and rejected or repaired"
    CHECK_ONLY = "only the checker judges it"


class Severity(IntEnum):
    """How much a finding weighs; below ``STYLE`` it is no fault but something worth knowing.

    A *label* names what is there, such as a cadence; *info* names a licence.
    """

    OFF = 0
    LABEL = 1
    INFO = 2
    STYLE = 3
    WARNING = 4
    ERROR = 5

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


SILENCE = Tone(REST, 0, False)


class Motion(NamedTuple):
    """One voice at two adjacent slices.

    Attributes:
        before: the tone at the earlier slice; no rule reads its ``moved``, unknown to tables.
        after: the tone at the later slice, which the rule judges.
        low: lowest MIDI number that the rule set allows this voice.
        high: highest MIDI number that the rule set allows this voice.
        earlier: the note that the voice sang before that of the earlier slice; silence where there
            is none, a rest stands between, or nobody knows.
        embellishes: whether the tone at the earlier slice is known to be no chord tone.
        brief: whether the tone at the later slice is known to be one of less than a beat.
    """

    before: Tone
    after: Tone
    low: Array
    high: Array
    earlier: Tone = SILENCE
    embellishes: Array = False
    brief: Array = False


class Harmony(NamedTuple):
    """The chord of a slice; each field broadcasts to ``[...]``.

    Attributes:
        root, third, fifth, seventh: pitch classes, ``NONE`` where the chord has none or nobody
            knows it.
        bass: pitch class of the member that belongs in the bass by its figures, else ``NONE``.
        heard: bits of the pitch classes that sound while it lasts.
    """

    root: Array
    third: Array
    fifth: Array
    seventh: Array
    bass: Array
    heard: Array


NONE = -1  # the member of a chord that has none
UNKNOWN = Harmony(NONE, NONE, NONE, NONE, NONE, 0)


class Sonority(NamedTuple):
    """What all voices sound at a slice; arrays ``[..., voice]``, soprano first, as in ``Tone``."""

    semitone: Array
    step: Array
    moved: Array

    def tone(self, voice: Array) -> Tone:
        """The tone of one voice, arrays ``[...]``, or of some, ``[..., index]``."""
        return Tone(*(array[..., voice] for array in self))


class Beside(NamedTuple):
    """What is known of each voice beside two slices; see ``Motion``.

    Attributes:
        earlier: arrays ``[..., voice]``.
        embellishes: ``bool[..., voice]``.
        brief: ``bool[..., voice]``.
    """

    earlier: Sonority
    embellishes: Array
    brief: Array


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
        chord: of the later slice.
        chord_before: of the earlier slice.
        begins: whether the later slice begins another chord, as far as one is known.
        on_beat: whether the later slice begins on a beat.
        sounding_before: bits of the pitch classes of the earlier slice; 0 where nobody knows them.
        sure: whether the later slice's key is given, the home key, or much likelier than others.
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
    chord: Harmony = UNKNOWN
    chord_before: Harmony = UNKNOWN
    begins: Array = True
    on_beat: Array = True
    sounding_before: Array = 0
    sure: Array = True

    @property
    def before(self) -> Context:
        """The same in the earlier slice's key."""
        return self._replace(
            tonic_pc=self.tonic_pc_before,
            tonic_letter=self.tonic_letter_before,
            minor=self.minor_before,
        )


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
        sites: whether it judges voices, pairs, or all together.
        severity: used where a rule set names none.
        enforcement: how generation makes sure of it.
        message: template of a finding; fields as in ``clausula.checker.report``.
        says: the rule, in a sentence or two.
        why: the musical reason.
        exceptions: what the rule lets pass; empty if nothing.
        source: where it was read.
        breaking: examples that break it.
        obeying: examples that obey it; the first mends the first of ``breaking``.
        predicate: of a local rule: called with one ``Motion`` for each voice of a site (upper voice
            first; of all voices a list of them), the ``Context`` and the switches by name; returns
            ``[...]`` true where the rule is broken. Silence never breaks one.
        judge: of any other rule: called with the ``Passage`` and the switches by name; returns
            ``bool[time, site]``.
        applies: whether a local rule judges a site, given the number of voices, and the switch
            ``pairs`` where there is one.
        blames_before: whether the fault stands in the earlier slice.
        of_cadence: whether the rule reads ``arrival``: it judges how a cadence is made, and given
            notes that break it have another cadence. Any other fault of given notes is theirs.
        reads: what the predicate knows beside the notes of two slices.
        switches: what rule sets may choose, by name.
        licenses: codes of rules whose faults this one excuses, where it is found at the same place
            and site and a rule set counts it as info: it is then reported in their stead.
        spells: whether, where it is hard, the search lets only notes that spell a chord stand on a
            beat: what is foreign to a chord cannot be asked where nobody knows the chord.
    """

    code: str
    name: str
    scope: Scope
    sites: Sites
    severity: Severity
    enforcement: Enforcement
    message: str
    says: str
    why: str
    source: str
    breaking: tuple[Example, ...]
    obeying: tuple[Example, ...]
    exceptions: str = ""
    predicate: Callable[..., Array] | None = field(default=None, compare=False)
    judge: Callable[..., np.ndarray] | None = field(default=None, compare=False)
    applies: Callable[..., bool] = field(default=everywhere, compare=False)
    blames_before: bool = False
    of_cadence: bool = False
    reads: frozenset[Reads] = frozenset()
    switches: Mapping[str, Switch] = field(default_factory=dict, compare=False)
    licenses: frozenset[str] = frozenset()
    spells: bool = False

    def under(self, choices: Mapping[str, Any]) -> Rule:
        """The rule as a rule set takes it, every switch set: to a choice or to its default."""
        if not self.switches:
            return self
        chosen = {name: choices.get(name, switch.default) for name, switch in self.switches.items()}
        pairs = chosen.get("pairs")
        return replace(
            self,
            predicate=self.predicate and partial(self.predicate, **chosen),
            judge=self.judge and partial(self.judge, **chosen),
            applies=self.applies if pairs is None else partial(self.applies, pairs=pairs),
            switches={},
        )

    def breaks(self, *arguments: Any) -> Array:
        """What the predicate of a local rule says.

        Raises:
            TypeError: the rule judges passages.
        """
        if self.predicate is None:
            raise TypeError(f"{self.code} judges passages, not slices")
        return self.predicate(*arguments)

    def found(self, passage: Passage) -> np.ndarray:
        """``bool[time, site]``: where a passage breaks the rule."""
        rule = self.under({})
        if rule.judge is not None:
            return rule.judge(passage)
        if rule.sites is Sites.ALL:
            return self.violations(passage.prev, passage.cur, passage.context, passage.beside)
        # All sites at once: predicates take arrays [time, site] as well as [time].
        n_voices = passage.n_voices
        sites = rule.sites.of(n_voices)
        motions, context = passage.motions(rule.sites)
        applies = np.array([rule.applies(site, n_voices) for site in sites], bool)
        return np.broadcast_to(rule.breaks(*motions, context), (len(passage), len(sites))) & applies

    def violations(
        self,
        prev: Sonority,
        cur: Sonority,
        context: Context,
        beside: Beside | None = None,
    ) -> Array:
        """``bool[..., site]``: where a local rule is broken, one column a site in order.

        Args:
            prev: the earlier slice, arrays ``[..., voice]``; all ``REST`` before the first slice.
            cur: the later slice, same shape.
            context: fields that broadcast to ``[...]``.
            beside: what else is known of each voice; nothing if left out.
        """
        rule = self.under({})
        n_voices = cur.semitone.shape[-1]
        namespace = cur.semitone.__array_namespace__()
        never = cur.semitone[..., 0] != cur.semitone[..., 0]
        columns = []
        for site in rule.sites.of(n_voices):
            if rule.applies(site, n_voices):
                motions = [motion(prev, cur, context, voice, beside) for voice in site]
                judged = [motions] if rule.sites is Sites.ALL else motions
                columns.append(never | rule.breaks(*judged, context))
            else:
                columns.append(never)
        if not columns:
            return cur.semitone[..., :0] != cur.semitone[..., :0]
        return namespace.stack(namespace.broadcast_arrays(*columns), axis=-1)


def motion(
    prev: Sonority,
    cur: Sonority,
    context: Context,
    voice: Array,
    beside: Beside | None = None,
) -> Motion:
    """What one voice does between two slices, arrays ``[...]``, or some, ``[..., index]``."""
    bare = Motion(
        prev.tone(voice), cur.tone(voice), context.low[..., voice], context.high[..., voice]
    )
    if beside is None:
        return bare
    return bare._replace(
        earlier=beside.earlier.tone(voice),
        embellishes=beside.embellishes[..., voice],
        brief=beside.brief[..., voice],
    )
