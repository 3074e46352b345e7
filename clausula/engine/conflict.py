"""What is demanded of a piece, what proves that impossible, and which demands are to blame.

A *demand* is one thing by the name a user knows it by: a constraint, a rule of the rule set, its
ranges, where phrases end. ``narrow`` joins demands and passes them through the provers, cheapest
first: what one place allows, what a passage and its copies allow, the two-voice pass (``pairs``),
the boolean pass over the automata. Each proof is sound: no piece at all satisfies what it refutes.
A conflict is shrunk by QuickXplain until no demand can be left out for the same provers. It is
called minimal only where for each demand a *witness* was found, notes that keep all the others.

Source of QuickXplain: Junker, Preferred Explanations and Relaxations for Over-Constrained Problems,
AAAI 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from clausula.constraints.automaton import (
    REFUSED,
    LayeredAutomaton,
    Limit,
    conjoin,
    reachable,
)
from clausula.constraints.cadence import cadence_automaton
from clausula.constraints.domains import ALL_TOKENS, REST_BIT, Domains, meet, phrase_domains
from clausula.constraints.pair_tables import SEARCH_PAIRS, ContextClass
from clausula.constraints.pins import pin_automaton
from clausula.constraints.place import Timeline
from clausula.constraints.registry import RULES
from clausula.constraints.repeat import NO_SOURCE, Repeat, Ties, tie
from clausula.constraints.rule import Enforcement
from clausula.constraints.rulesets import RuleSet, Setting
from clausula.constraints.sonority import Rhythm
from clausula.engine.pairs import PairPass, pair_pass, rule_words
from clausula.engine.plan import Plan
from clausula.errors import ImpossibleError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, voice_semitones

LIMIT = Limit(widest=4096, mean=512)  # constraints whose product has more are followed apart
TWO_VOICES = "the two-voice pass"
BOOLEAN = "the boolean pass over the automata"
TRIES = 6  # random walks that look for a witness
HINT = "try another key, place, rule set or form"


class Demand(NamedTuple):
    """One thing that is demanded.

    Attributes:
        name: by which a user knows it.
        domains: what it allows place by place.
        automata: what it asks beyond that.
        repeat: a passage that returns.
        rule: a hard rule of one or two voices.
    """

    name: str
    domains: Domains | None = None
    automata: tuple[LayeredAutomaton, ...] = ()
    repeat: Repeat | None = None
    rule: Setting | None = None


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
        there is forbidden by ``phrase_domains``.
        """
        timeline = plan.timeline
        closing = [c for c in plan.cadences if c.kind.leads]
        arrivals = {timeline.frame_of(c.measure, c.beat) for c in closing}
        order: dict[ContextClass, int] = {}
        of_frame = np.empty(timeline.n_frames, np.int32)
        before = plan.key
        for frame in range(timeline.n_frames):
            key = plan.key_at(frame)
            changed = before if before != key else None
            context = ContextClass(key, arrival=frame in arrivals, key_before=changed)
            of_frame[frame] = order.setdefault(context, len(order))
            before = key
        return cls(plan, ruleset, list(order), of_frame)

    def with_rules(self, demands: Sequence[Demand]) -> Scene:
        """The same with the demanded rules alone."""
        settings = tuple(demand.rule for demand in demands if demand.rule is not None)
        return self._replace(ruleset=replace(self.ruleset, settings=settings))


class Narrowed(NamedTuple):
    """What demands leave together, none of the provers having refuted them.

    Attributes:
        domains: tokens by place.
        ties: which frames repeat which.
        alive: of the two-voice pass, see ``PairPass``.
        automata: everything that needs memory.
        reachable: of each automaton ``bool[4 * time + 1, Q]``.
    """

    domains: Domains
    ties: Ties
    alive: np.ndarray
    automata: tuple[LayeredAutomaton, ...]
    reachable: tuple[np.ndarray, ...]


def demands_of(scene: Scene) -> list[Demand]:
    """Everything that is demanded, defaults first.

    Raises:
        PlanError: a constraint that contradicts itself; the message names it.
    """
    plan, ruleset = scene.plan, scene.ruleset
    timeline = plan.timeline
    demands = [
        Demand("the phrase ends", phrase_domains(timeline)),
        Demand(f"the ranges of {ruleset.name}", range_domains(timeline, ruleset)),
    ]
    demands += [
        Demand(f"rule {s.code} ({RULES[s.code].name}) of {ruleset.name}", rule=s)
        for s in ruleset.settings
        if s.hard and RULES[s.code].enforcement is Enforcement.MASK
    ]
    compiled: list[Demand] = []
    for cadence in plan.cadences:
        end = timeline.phrase_end(timeline.frame_of(cadence.measure, cadence.beat))
        automaton, domains = cadence_automaton(cadence, timeline, plan.key, end)
        compiled.append(Demand(str(cadence), domains, (automaton,)))
    compiled += [Demand(str(repeat), repeat=repeat) for repeat in plan.repeats]
    for pin in plan.pins:
        frame = timeline.frame_of(pin.measure, pin.beat)
        automaton, domains = pin_automaton(pin, timeline, plan.key_at(frame))
        compiled.append(Demand(str(pin), domains, (automaton,)))
    for other in plan.others:
        if isinstance(other, Rhythm):
            compiled.append(Demand(str(other), other.domains(timeline)))
        else:
            automata = other.automata(timeline, plan.key_of_frame)
            compiled.append(Demand(str(other), automata=tuple(automata)))
    # What is asked for comes last, so that it is blamed before what comes by default.
    own = {str(constraint) for constraint in plan.asked}
    return demands + sorted(compiled, key=lambda demand: demand.name in own)


def range_domains(timeline: Timeline, ruleset: RuleSet) -> Domains:
    """Voices sing throughout and stay within the rule set's ranges."""
    domains = Domains.full(timeline.n_frames)
    for voice in Voice:
        semitones = voice_semitones(voice)
        outside = (semitones < ruleset.low[voice]) | (semitones > ruleset.high[voice])
        outside[:FIRST_PITCH] = False
        forbidden = sum(1 << int(token) for token in np.flatnonzero(outside)) | REST_BIT
        domains.masks[:, voice] &= np.uint32(ALL_TOKENS & ~forbidden)
    return domains


def require_possible(scene: Scene, demands: Sequence[Demand]) -> Narrowed:
    """What the demands leave.

    Raises:
        ImpossibleError: a prover refutes them; it names an irreducible set of them.
    """
    try:
        return narrow(scene, demands)
    except ImpossibleError as error:
        refuted = error
    # What one prover names another may refute in part. Most other conflicts need no rule of
    # counterpoint, and are found much sooner without.
    named = [demand for demand in demands if demand.name in refuted.conflict]
    plain = [demand for demand in demands if demand.rule is None]
    among = next((some for some in (named, plain) if some and refutation(scene, some)), demands)
    conflict = quickxplain(among, lambda some: refutation(scene, some) is not None)
    refuted = refutation(scene, conflict) or refuted
    minimal = all(
        has_witness(scene, [other for other in conflict if other is not demand])
        for demand in conflict
    )
    names = [demand.name for demand in conflict]
    message, detail = str(refuted), refuted.detail
    if not refuted.conflict:
        detail = f"{message}; {HINT}" if message else HINT
        message = f"no music satisfies {' together with '.join(names)}: {detail}"
    raise ImpossibleError(message, names, refuted.prover, detail=detail, minimal=minimal)


def refutation(scene: Scene, demands: Sequence[Demand]) -> ImpossibleError | None:
    """The proof that demands contradict each other; none if no prover finds one."""
    try:
        narrow(scene, demands)
    except ImpossibleError as error:
        return error
    return None


def narrow(scene: Scene, demands: Sequence[Demand]) -> Narrowed:
    """Join demands and pass them through the provers.

    Raises:
        ImpossibleError: one refutes them. Its conflict is empty where that prover does not know
            which of them; its message then says where.
    """
    timeline = scene.plan.timeline
    parts = [(d.name, d.domains) for d in demands if d.domains is not None]
    repeats = [d.repeat for d in demands if d.repeat is not None]
    domains = meet(parts, timeline)
    ties, domains = tie(repeats, timeline, scene.plan.key, domains, parts)
    pairs = _two_voices(scene, demands, domains)
    if repeats and not np.array_equal(pairs.domains.masks, domains.masks):
        # What was cut from a passage is cut from its copies, and may cut more there.
        try:
            ties, domains = tie(repeats, timeline, scene.plan.key, pairs.domains)
        except ImpossibleError as error:
            raise ImpossibleError(str(error), (), TWO_VOICES) from error
        pairs = _two_voices(scene, demands, domains)
    domains = pairs.domains
    automata = [automaton for demand in demands for automaton in demand.automata]
    groups = conjoin(automata, domains, LIMIT)
    reach = tuple(reachable(group, domains) for group in groups)
    if not all(alive[0, group.start] for alive, group in zip(reach, groups, strict=True)):
        raise ImpossibleError("", (), BOOLEAN)
    return Narrowed(domains, ties, pairs.alive, groups, reach)


def _two_voices(scene: Scene, demands: Sequence[Demand], domains: Domains) -> PairPass:
    """The two-voice pass with the demanded rules.

    Raises:
        ImpossibleError: it leaves nothing somewhere.
    """
    ruleset = scene.with_rules(demands).ruleset
    passed = pair_pass(domains, scene.classes, scene.context_of_frame, ruleset)
    if passed.broken is not None:
        frame, (first, second) = passed.broken
        where = f"{scene.plan.timeline.words(frame)}, {first.name.lower()} and "
        raise ImpossibleError(where + second.name.lower(), (), TWO_VOICES)
    return passed


def quickxplain(demands: Sequence[Demand], refuted: Callable[[list[Demand]], bool]) -> list[Demand]:
    """An irreducible conflict among demands that are refuted together.

    Args:
        demands: those to be kept out of the conflict if possible come first.
        refuted: whether some demands are proved impossible; more of them never become possible.
    """

    def explain(background: list[Demand], grown: bool, rest: list[Demand]) -> list[Demand]:
        if grown and refuted(background):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        later = explain(background + first, bool(first), second)
        earlier = explain(background + later, bool(later), first)
        return earlier + later

    return explain([], False, list(demands))


def has_witness(scene: Scene, demands: Sequence[Demand]) -> bool:
    """Whether notes that keep all the demands were found."""
    return witness(scene, demands) is not None


def witness(scene: Scene, demands: Sequence[Demand], seed: int = 0) -> np.ndarray | None:
    """Notes that keep all the demands, ``int[time, voice]`` voice tokens; none if none were found.

    A random walk that keeps to what the provers leave, a few times over.
    """
    try:
        left = narrow(scene, demands)
    except ImpossibleError:
        return None
    rules = scene.with_rules(demands).ruleset
    words = [rule_words(rules, context) for context in scene.classes]
    for attempt in range(TRIES):
        rng = np.random.default_rng([seed, attempt])
        tokens = _Walk(left, words, scene.context_of_frame, rng).run()
        if tokens is not None:
            return tokens
    return None


_BIT = [1 << token for token in range(N_VOICE)]


class _Walk:
    """One random walk through what demands leave; within a frame all ways are tried."""

    def __init__(
        self,
        left: Narrowed,
        words: Sequence[tuple[np.ndarray, np.ndarray]],
        context_of_frame: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        self.left, self.words, self.contexts, self.rng = left, words, context_of_frame, rng
        self.tokens = np.zeros((len(context_of_frame), len(Voice)), int)
        self.sounding = np.zeros(len(Voice), int)
        self.states = [group.start for group in left.automata]
        # Holding on is what rarely leads astray; each walk does it more or less.
        self.holding = rng.uniform(0.3, 1.0)

    def run(self) -> np.ndarray | None:
        """The notes; none where a frame has no way on."""
        for frame in range(len(self.tokens)):
            if not self._slot(frame, 0, self.states):
                return None
            chosen = self.tokens[frame]
            self.sounding = np.where(chosen == HOLD_TOKEN, self.sounding, chosen)
        return self.tokens

    def _slot(self, frame: int, slot: int, states: list[int]) -> bool:
        """Choose this voice and the later ones of the frame."""
        if slot == len(SEARCH_ORDER):
            self.states = states
            return True
        voice = SEARCH_ORDER[slot]
        allowed = self._allowed(frame, slot)
        options = [token for token in range(N_VOICE) if allowed & _BIT[token]]
        self.rng.shuffle(options)
        if HOLD_TOKEN in options and self.rng.random() < self.holding:
            options.remove(HOLD_TOKEN)
            options.insert(0, HOLD_TOKEN)
        for token in options:
            after = self._after(4 * frame + slot, states, token)
            if after is None:
                continue
            self.tokens[frame, voice] = token
            if self._slot(frame, slot + 1, after):
                return True
        return False

    def _allowed(self, frame: int, slot: int) -> int:
        """Bits of the tokens that go with the voices already chosen."""
        voice = SEARCH_ORDER[slot]
        of_voice, of_pair = self.words[self.contexts[frame]]
        own = int(self.sounding[voice])
        allowed = int(self.left.domains.masks[frame, voice] & of_voice[voice, own])
        source = int(self.left.ties.source_frame[frame, voice])
        if source != NO_SOURCE:
            mapped = self.left.ties.token_map[self.left.ties.map_of_frame[frame, voice]]
            image = int(mapped[self.tokens[source, voice]])
            allowed &= _BIT[image] if image >= 0 else 0
        for place, (first, second) in enumerate(SEARCH_PAIRS):
            if second is not voice:
                continue
            token = int(self.tokens[frame, first])
            before = int(self.sounding[first])
            allowed &= int(of_pair[place, before, own, token])
            heard = before if token == HOLD_TOKEN else token
            alive = int(self.left.alive[frame, place, heard])
            kept = alive & ~(_BIT[HOLD_TOKEN])
            allowed &= kept | (_BIT[HOLD_TOKEN] if alive & _BIT[own] else 0)
        return allowed

    def _after(self, layer: int, states: list[int], token: int) -> list[int] | None:
        """The automata's states after a token; none where one refuses or cannot end well."""
        after = []
        for group, alive, state in zip(
            self.left.automata, self.left.reachable, states, strict=True
        ):
            following = int(group.tables[group.table_of_layer[layer], state, token])
            if following == REFUSED or not alive[layer + 1, following]:
                return None
            after.append(following)
        return after
