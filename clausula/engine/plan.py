"""The plan of a piece: form, phrases, cadences, returning themes, keys by time.

A form is letters, one a phrase (``A A' B A``). Phrases are of equal length. A letter that comes
back brings the soprano of its first statement back: all of it up to the measure of the cadence, or,
when primed, its first half. Unless cadences are given, each phrase gets one by its place: weaker
inside stronger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from clausula.constraints.cadence import Cadence, CadenceKind
from clausula.constraints.given import Given
from clausula.constraints.pins import Pin
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.repeat import Repeat
from clausula.constraints.soft import Soft
from clausula.constraints.text import Constraint, NoteConstraint
from clausula.constraints.transposition import key_of_copy
from clausula.constraints.vary import Vary
from clausula.engine.key_track import Close, key_track
from clausula.errors import PlanError
from clausula.grid import Meter
from clausula.pitch import Key

DEFAULT_FORM = "A A' B A"
LONGEST_FRAMES = 512 * 16  # 512 measures of 4/4


@dataclass(frozen=True)
class Phrase:
    """One phrase of the form.

    Attributes:
        letter: its theme's name.
        varied: whether it is primed: only its first half returns.
        measure: its first measure.
        measures: how many it has.
    """

    letter: str
    varied: bool
    measure: int
    measures: int

    def __str__(self) -> str:
        return self.letter + ("'" if self.varied else "")

    @property
    def last(self) -> int:
        """Its last measure."""
        return self.measure + self.measures - 1


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before a note is searched.

    Attributes:
        key: the home key.
        timeline: meter, measures and phrase ends.
        phrases: in order.
        cadences: in order of time.
        repeats: returning passages.
        pins: fixed notes.
        others: what is asked of notes besides, in the order in which it was asked.
        asked: the constraints that were asked for, not the form's own.
        fermatas: ``(first frame, end frame)`` of each phrase's final chord.
        keys: ``(frame, key)`` from which frame on which key holds.
        given: lines that are given from beginning to end.
    """

    key: Key
    timeline: Timeline
    phrases: tuple[Phrase, ...]
    cadences: tuple[Cadence, ...]
    repeats: tuple[Repeat, ...]
    pins: tuple[Pin, ...]
    others: tuple[NoteConstraint | Soft, ...]
    asked: tuple[Constraint | Given, ...]
    fermatas: tuple[tuple[int, int], ...]
    keys: tuple[tuple[int, Key], ...]
    given: tuple[Given, ...] = ()

    @property
    def phrase_end(self) -> np.ndarray:
        """``bool[time]`` true while a phrase's final chord is held."""
        held = np.zeros(self.timeline.n_frames, bool)
        for first, end in self.fermatas:
            held[first:end] = True
        return held

    def key_at(self, frame: int) -> Key:
        """The local key of a frame."""
        return [key for start, key in self.keys if start <= frame][-1]

    @property
    def constraints(self) -> tuple[Constraint | Given, ...]:
        """Lines, cadences, repeats, pins and the rest, as the report lists them."""
        return (*self.given, *self.cadences, *self.repeats, *self.pins, *self.others)

    @property
    def loosely(self) -> list[Repeat]:
        """The returns that may change, as they would be if they did not."""
        wishes = [c.constraint if isinstance(c, Soft) else c for c in self.others]
        returns = [c for c in wishes if isinstance(c, Repeat | Vary)]
        return [c.exact if isinstance(c, Vary) else c for c in returns]

    @property
    def key_of_frame(self) -> list[Key]:
        """The local key of every frame."""
        return [self.key_at(frame) for frame in range(self.timeline.n_frames)]


def make_plan(
    *,
    key: Key,
    meter: Meter,
    measures: int,
    form: str | None = None,
    cadences: Sequence[Cadence] | None = None,
    constraints: Sequence[Constraint] = (),
) -> Plan:
    """Work out a plan.

    Args:
        key: the home key.
        meter: time signature.
        measures: full measures.
        form: letters such as ``"A A' B A"``; ``None`` chooses by the number of measures.
        cadences: in place of all of the form's own, at the ends of its phrases.
        constraints: repeats and cadences, which replace the form's own where they stand, pins and
            whatever else is asked of notes.

    Raises:
        PlanError: the form does not fit the measures, the cadences do not fit the phrases, or a
            constraint names a place that the piece does not have.
    """
    bare = Timeline(meter, measures)
    require_length(bare)
    phrases = _phrases(form if form is not None else _form_for(measures), measures)
    extra = [c for c in constraints if isinstance(c, Cadence)]
    wishes = [c.constraint for c in constraints if isinstance(c, Soft)]
    wished = [c for c in wishes if isinstance(c, Cadence)]
    asked_cadences = [*(cadences or ()), *extra]
    if cadences is None:
        beat = _arrival_beat(meter)
        # A cadence that is asked for takes the place of the form's own in that phrase.
        asked = {c.measure for c in [*extra, *wished]}
        cadences = [
            Cadence(kind, phrase.last, beat)
            for kind, phrase in zip(_default_kinds(len(phrases)), phrases, strict=True)
            if phrase.last not in asked
        ]
    ordered = tuple(sorted([*cadences, *extra], key=lambda c: (c.measure, c.beat)))
    require_sense([*cadences, *constraints], bare, key)
    ends = tuple(p.last * bare.frames_per_measure for p in phrases)
    timeline = Timeline(meter, measures, phrase_ends=ends)
    # A cadence that is only wished for shapes its phrase's end all the same.
    closing = tuple(sorted([*ordered, *wished], key=lambda c: (c.measure, c.beat)))
    fermatas = _fermatas(timeline, phrases, closing, meter)
    returns = [c for c in constraints if isinstance(c, Repeat)]
    moved = [
        c.exact if isinstance(c, Vary) else c
        for c in (*constraints, *wishes)
        if isinstance(c, Repeat | Vary)
    ]
    by_form = [r for r in _repeats(phrases, closing) if not _replaced(r, moved, timeline)]
    return Plan(
        key,
        timeline,
        phrases,
        ordered,
        (*by_form, *returns),
        tuple(c for c in constraints if isinstance(c, Pin)),
        tuple(c for c in constraints if not isinstance(c, Cadence | Repeat | Pin)),
        tuple([*asked_cadences, *(c for c in constraints if not isinstance(c, Cadence))]),
        fermatas,
        key_track(key, timeline, _closes(key, timeline, phrases, closing), [*by_form, *moved]),
    )


def require_length(timeline: Timeline) -> None:
    """Refuse a piece that is longer than the longest in common time.

    Raises:
        PlanError: it is.
    """
    if timeline.n_frames > LONGEST_FRAMES:
        raise PlanError(
            f"{timeline.measures} measures of {timeline.meter} are too long a piece; try "
            f"{LONGEST_FRAMES // timeline.frames_per_measure} measures or fewer"
        )


def require_sense(constraints: Sequence[Constraint], timeline: Timeline, home: Key) -> None:
    """Refuse a constraint whose places the piece does not have, or whose key nobody can write.

    Raises:
        PlanError: the message names the constraint.
    """
    for asked in constraints:
        constraint = asked.constraint if isinstance(asked, Soft) else asked
        try:
            if isinstance(constraint, Repeat | Vary):
                timeline.frames(constraint.source)
                timeline.frame_of(*constraint.at)
                key_of_copy(constraint.how, home)
                continue
            if not isinstance(constraint, Cadence | Pin):
                continue  # its own automaton or domain says so
            timeline.frame_of(constraint.measure, constraint.beat)
            if isinstance(constraint, Cadence):
                constraint.key_in(home)
        except PlanError as error:
            raise PlanError(f"{asked}: {error}") from error


def _form_for(measures: int) -> str:
    """The form of a piece of so many measures when none is asked for."""
    if measures % 4 == 0 and measures >= 8:
        return DEFAULT_FORM
    return "A A'" if measures % 2 == 0 and measures >= 4 else "A"


def _phrases(form: str, measures: int) -> tuple[Phrase, ...]:
    letters = re.findall(r"[A-Za-z]'?", form)
    if not letters or "".join(letters) != re.sub(r"[\s,-]", "", form):
        raise PlanError(f"{form!r} is not a form; write letters, primed where varied: A A' B A")
    length, left = divmod(measures, len(letters))
    if left or length < 2:
        asked = "one measure" if measures == 1 else f"{measures} measures"
        phrases = "one phrase" if len(letters) == 1 else f"{len(letters)} phrases of one length"
        raise PlanError(
            f"{asked} cannot have the form {form!r}, which is {phrases}, two measures or more "
            f"each; try {max(2, length + bool(left)) * len(letters)} measures or another form"
        )
    return tuple(
        Phrase(letter[0].upper(), letter.endswith("'"), 1 + i * length, length)
        for i, letter in enumerate(letters)
    )


def _default_kinds(phrases: int) -> list[CadenceKind]:
    """Cadences by place: odd phrases stay open, even ones and the last one close."""
    kinds = [CadenceKind.PAC if i % 2 else CadenceKind.HC for i in range(phrases)]
    kinds[-1] = CadenceKind.PAC
    return kinds


def _arrival_beat(meter: Meter) -> Fraction:
    """Where a phrase's last measure arrives: its second half where it has one on a beat."""
    beats = meter.quarters / meter.beat
    return 1 + beats / 2 if beats >= 4 and beats % 2 == 0 else Fraction(1)


def _fermatas(
    timeline: Timeline,
    phrases: tuple[Phrase, ...],
    cadences: tuple[Cadence, ...],
    meter: Meter,
) -> tuple[tuple[int, int], ...]:
    """The final chord of each phrase: from its cadence, or its last strong beat, to its end."""
    last_measures = [p.last for p in phrases]
    for cadence in cadences:
        if cadence.measure not in last_measures:
            ends = ", ".join(str(m) for m in last_measures)
            raise PlanError(
                f"{cadence}: no phrase ends in measure {cadence.measure}; the phrases of this form "
                f"end in measures {ends}: move the cadence there or give another --form"
            )
    for earlier, later in pairwise(cadences):
        if earlier.measure == later.measure:
            raise PlanError(f"{earlier} and {later} both end one phrase; keep one of them")
    arrival = {c.measure: c.beat for c in cadences}
    spans = []
    for phrase in phrases:
        beat = arrival.get(phrase.last, _arrival_beat(meter))
        first = timeline.frame_of(phrase.last, beat)
        spans.append((first, timeline.phrase_end(first)))
    return tuple(spans)


def _repeats(phrases: tuple[Phrase, ...], cadences: tuple[Cadence, ...]) -> list[Repeat]:
    """The returns that a form asks for: the soprano of each letter's first statement.

    Whole measures, up to those of the cadences: a half cadence's soprano cannot close an authentic
    one. In phrases of two measures, one returns all the same.
    """
    early = {c.measure for c in cadences if c.beat == 1}
    first: dict[str, Phrase] = {}
    repeats = []
    for phrase in phrases:
        theme = first.setdefault(phrase.letter, phrase)
        if theme is phrase:
            continue
        free = phrase.measures - (2 if {theme.last, phrase.last} & early else 1)
        length = max(1, min(free, phrase.measures // 2) if phrase.varied else free)
        span = Span(Place(theme.measure), Place(theme.measure + length))
        repeats.append(Repeat(span, Place(phrase.measure)))
    return repeats


def _replaced(repeat: Repeat, asked: Sequence[Repeat], timeline: Timeline) -> bool:
    """Whether a return that is asked for fills some of the same frames and voices."""

    def target(r: Repeat) -> range:
        start = timeline.frame_of(*r.at)
        return range(start, start + len(timeline.frames(r.source)))

    own = target(repeat)
    return any(
        set(repeat.voices) & set(other.voices)
        and target(other).start < own.stop
        and own.start < target(other).stop
        for other in asked
    )


def _closes(
    home: Key, timeline: Timeline, phrases: tuple[Phrase, ...], cadences: tuple[Cadence, ...]
) -> list[Close]:
    """The phrases in frames, with the cadences that close them."""
    closing = {c.measure: c for c in cadences}
    found = []
    for phrase in phrases:
        start = timeline.frame_of(phrase.measure)
        end = timeline.phrase_end(start)
        cadence = closing.get(phrase.last)
        if cadence is None:
            found.append(Close(start, end, None, home))
            continue
        arrival = timeline.frame_of(cadence.measure, cadence.beat)
        found.append(Close(start, end, arrival, cadence.key_in(home)))
    return found
