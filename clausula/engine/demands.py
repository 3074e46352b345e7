"""What is demanded of a piece, each demand by the name a user knows it by, compiled.

Soft constraints demand nothing: they are automata that accept everything, at a price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from clausula.constraints.algebra import conjoin, minimise, restrict, softened
from clausula.constraints.automaton import LayeredAutomaton, priced, used_tokens
from clausula.constraints.cadence import Cadence, cadence_automaton
from clausula.constraints.copying import MaxCopy
from clausula.constraints.counting import Climax
from clausula.constraints.domains import ALL_TOKENS, REST_BIT, Domains, phrase_domains
from clausula.constraints.given import Given, silent_together
from clausula.constraints.pair_tables import ContextClass, Image
from clausula.constraints.pins import Pin, pin_automaton
from clausula.constraints.place import Timeline
from clausula.constraints.registry import RULES
from clausula.constraints.repeat import NO_SOURCE, Repeat, Ties
from clausula.constraints.rule import Enforcement, Sites
from clausula.constraints.rulesets import RuleSet, Setting
from clausula.constraints.soft import Soft
from clausula.constraints.sonority import Progression, Range, Rhythm, Scale
from clausula.constraints.text import Constraint
from clausula.constraints.vary import Vary
from clausula.engine.plan import Plan
from clausula.engine.sounding import sounding_sets
from clausula.grid import Voice
from clausula.vocabulary import FIRST_PITCH, N_VOICE, voice_semitones


class Demand(NamedTuple):
    """One thing that is demanded.

    Attributes:
        name: by which a user knows it.
        domains: what it allows place by place.
        automata: what it asks beyond that.
        repeat: a passage that returns.
        rule: a hard rule of one or two voices.
        vary: a passage that returns changed.
        sounding: ``uint32[time, voice]`` what may sound after each frame, as far as the automata
            say by voice; none where they say nothing.
        climax: that is asked for; what returns with it may leave it few places.
    """

    name: str
    domains: Domains | None = None
    automata: tuple[LayeredAutomaton, ...] = ()
    repeat: Repeat | None = None
    rule: Setting | None = None
    vary: Vary | None = None
    sounding: np.ndarray | None = None
    climax: Climax | None = None


class Scene(NamedTuple):
    """What demands stand in.

    Attributes:
        plan: lengths, keys and phrases.
        ruleset: ranges, and rules of which some are demanded.
        classes: the distinct contexts of the rules.
        context_of_frame: int ``[time]``.
    """

    plan: Plan
    ruleset: RuleSet
    classes: Sequence[ContextClass]
    context_of_frame: np.ndarray

    @classmethod
    def of(cls, plan: Plan, ruleset: RuleSet) -> Scene:
        """The contexts of a plan.

        No frame counts as following a phrase end: rules that excuse that motion are kept there
        too, since a MIDI file, or a reader without the fermatas, does not know of it. What is held
        there is forbidden by ``phrase_domains``. What given lines do by themselves is not judged.
        """
        timeline = plan.timeline
        closing = [c for c in plan.cadences if c.kind.leads]
        arrivals = {timeline.frame_of(c.measure, c.beat) for c in closing}
        order: dict[ContextClass, int] = {}
        of_frame = np.empty(timeline.n_frames, np.int32)
        before = plan.key
        given = frozenset(line.voice for line in plan.given)
        for frame in range(timeline.n_frames):
            key = plan.key_at(frame)
            changed = before if before != key else None
            context = ContextClass(key, arrival=frame in arrivals, key_before=changed, given=given)
            of_frame[frame] = order.setdefault(context, len(order))
            before = key
        return cls(plan, ruleset, list(order), of_frame)

    def with_copies(self, ties: Ties) -> Scene:
        """The same, where a passage obeys the rules that its copies must.

        A passage that returns moved is another one: a fifth becomes diminished, a doubled note the
        leading tone. What would break a rule in a copy is refused where the passage sounds.
        """
        images: dict[int, dict[Image, None]] = {}  # by frame
        for frame in np.flatnonzero((ties.source_frame != NO_SOURCE).any(axis=1)).tolist():
            for source in set(ties.source_frame[frame].tolist()) - {NO_SOURCE}:
                image = self._image(ties, frame, source)
                if image is not None:
                    images.setdefault(source, {})[image] = None
        order = {context: number for number, context in enumerate(self.classes)}
        of_frame = self.context_of_frame.copy()
        for frame, found in images.items():
            own = self.classes[of_frame[frame]]
            context = replace(own, images=tuple(sorted(found, key=repr)))
            of_frame[frame] = order.setdefault(context, len(order))
        return self._replace(classes=list(order), context_of_frame=of_frame)

    def _image(self, ties: Ties, frame: int, source: int) -> Image | None:
        """What becomes of a frame in its copy; none where it obeys no other rules there."""
        voices = np.flatnonzero(ties.source_frame[frame] == source)
        rows = ties.map_of_frame[frame]
        goes_on = frame > 0 and all(
            ties.source_frame[frame - 1, v] == source - 1
            and ties.map_of_frame[frame - 1, v] == rows[v]
            for v in voices
        )
        context = self.classes[self.context_of_frame[frame]]
        same = context == self.classes[self.context_of_frame[source]]
        if same and all((ties.token_map[rows[v]] == np.arange(N_VOICE)).all() for v in voices):
            return None
        maps = tuple(ties.token_map[rows[v]].tobytes() if v in voices else None for v in Voice)
        return Image(context, maps, begins=not goes_on)

    def with_rules(self, demands: Sequence[Demand]) -> Scene:
        """The same with the demanded rules alone."""
        settings = tuple(demand.rule for demand in demands if demand.rule is not None)
        return self._replace(ruleset=replace(self.ruleset, settings=settings))


def demands_of(scene: Scene) -> list[Demand]:
    """Everything that is demanded, defaults first.

    Raises:
        PlanError: a constraint that contradicts itself; the message names it.
    """
    plan, ruleset = scene.plan, scene.ruleset
    timeline = plan.timeline
    demands = [
        Demand("the phrase ends", phrase_domains(timeline)),
        Demand(f"the ranges of {ruleset.name}", range_domains(timeline, ruleset, plan.given)),
    ]
    demands += [
        Demand(f"rule {s.code} ({RULES[s.code].name}) of {ruleset.name}", rule=s)
        for s in ruleset.settings
        if s.hard and s.rule.enforcement is Enforcement.MASK and s.rule.sites is not Sites.ALL
    ]
    asked = [compiled(constraint, plan) for constraint in plan.constraints]
    # What is asked for comes last, so that it is blamed before what comes by default.
    own = {str(constraint) for constraint in plan.asked}
    return demands + sorted(asked, key=lambda demand: demand.name in own)


def compiled(constraint: Constraint | Given, plan: Plan) -> Demand:
    """A constraint as the provers and the search read it.

    Raises:
        PlanError: it contradicts itself; the message names it.
    """
    demand = _compiled(constraint, plan)
    if not demand.automata or isinstance(constraint, Soft):
        return demand
    domains = demand.domains or Domains.full(plan.timeline.n_frames)
    alone = [minimise(restrict(automaton, domains)) for automaton in demand.automata]
    words = [sounding_sets(automaton, domains) for automaton in alone]
    for automaton in alone:
        domains &= used_tokens(automaton)
    return demand._replace(domains=domains, sounding=np.bitwise_and.reduce(words))


def _compiled(constraint: Constraint | Given, plan: Plan) -> Demand:
    """The same without what may sound.

    Raises:
        PlanError: it contradicts itself; the message names it.
    """
    timeline = plan.timeline
    name = str(constraint)
    match constraint:
        case Soft():
            return Demand(name, automata=tuple(_softly(constraint, plan)))
        case Repeat():
            return Demand(name, repeat=constraint)
        case Vary():
            return Demand(name, vary=constraint)
        case MaxCopy():
            return Demand(name)  # a mask of the search, which no prover knows
        case Cadence():
            end = timeline.phrase_end(timeline.frame_of(constraint.measure, constraint.beat))
            automaton, domains = cadence_automaton(constraint, timeline, plan.key, end)
            return Demand(name, domains, (automaton,))
        case Pin():
            frame = timeline.frame_of(constraint.measure, constraint.beat)
            automaton, domains = pin_automaton(constraint, timeline, plan.key_at(frame))
            return Demand(name, domains, (automaton,))
        case Given():
            domains = constraint.domains(timeline)
            return Demand(name, domains, sounding=constraint.sounding(timeline))
        case Rhythm():
            return Demand(name, constraint.domains(timeline))
        case Climax():
            automata = constraint.automata(timeline, plan.key_of_frame)
            return Demand(name, automata=tuple(automata), climax=constraint)
        case _:
            automata = constraint.automata(timeline, plan.key_of_frame)
            return Demand(name, automata=tuple(automata))


def _softly(soft: Soft, plan: Plan) -> list[LayeredAutomaton]:
    """Automata that ask a soft constraint's price."""
    wish, timeline = soft.constraint, plan.timeline
    match wish:
        case Repeat() | Vary() | MaxCopy():
            return []  # the search counts what they ask
        case Range() | Scale():
            inside = np.zeros((timeline.n_frames, 1), bool)
            inside[slice(None) if wish.span is None else timeline.frames(wish.span)] = True
            outside = ~wish.allowed(timeline, plan.key_of_frame) & inside
            outside[:, :FIRST_PITCH] = False
            return [priced(wish.voice, outside * soft.weight)]
        case Progression():
            parts = [_compiled(chord, plan) for chord in wish.chords(timeline)]
        case _:
            parts = [_compiled(wish, plan)]
    return [softened(_alone(part, timeline), soft.weight) for part in parts]


def _alone(demand: Demand, timeline: Timeline) -> LayeredAutomaton:
    """Everything that one demand asks, as one minimal automaton."""
    (together,) = conjoin(demand.automata, Domains.full(timeline.n_frames))
    if demand.domains is None:
        return together
    return minimise(restrict(together, demand.domains))


def range_domains(timeline: Timeline, ruleset: RuleSet, given: Sequence[Given] = ()) -> Domains:
    """Voices sing throughout and stay within the rule set's ranges.

    Lines that are given go where they go; the others rest where all of those do, and only there.
    """
    domains = Domains.full(timeline.n_frames)
    rests = silent_together(given, timeline)
    for voice in set(Voice) - {line.voice for line in given}:
        semitones = voice_semitones(voice)
        outside = (semitones < ruleset.low[voice]) | (semitones > ruleset.high[voice])
        outside[:FIRST_PITCH] = False
        forbidden = sum(1 << int(token) for token in np.flatnonzero(outside)) | REST_BIT
        domains.masks[:, voice] &= np.uint32(ALL_TOKENS & ~forbidden)
        domains.masks[rests, voice] = REST_BIT
    return domains
