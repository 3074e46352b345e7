"""What proves demands impossible, and which of them are to blame.

``narrow`` joins demands (see ``demands``) and passes them through the provers, cheapest first: what
one place allows, what a passage and its copies allow, the two-voice pass (``pairs``), the boolean
pass over the automata. Each proof is sound: no piece at all satisfies what it refutes. A conflict
is shrunk by QuickXplain until no demand can be left out for the same provers. It is called minimal
only where for each demand a *witness* was found, notes that keep all the others.

Source of QuickXplain: Junker, Preferred Explanations and Relaxations for Over-Constrained Problems,
AAAI 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clausula.constraints.algebra import Limit, conjoin
from clausula.constraints.automaton import LayeredAutomaton, reachable
from clausula.constraints.carrying import carried
from clausula.constraints.domains import ALL_TOKENS, Domains, meet
from clausula.constraints.repeat import RETURNS, Ties, highest_of_copies, tie, tie_sounding
from clausula.constraints.vary import forced_changes, positions
from clausula.engine.demands import Demand, Scene
from clausula.engine.pairs import Memory, PairPass, pair_pass, rule_words, what_sounds
from clausula.engine.ways import Narrowed, States, Ways, sounding_after
from clausula.errors import ImpossibleError
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import HOLD_TOKEN

LIMIT = Limit(widest=4096, mean=512)  # constraints whose product has more are followed apart
TWO_VOICES = "the two-voice pass"
BOOLEAN = "the boolean pass over the automata"
ROUNDS = 4  # times that passages and their copies are cut by each other, at most
TRIES = 6  # random walks that look for a witness
HINT = "try another key, place, rule set or form"


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
    sounding = np.full_like(domains.masks, ALL_TOKENS)
    for words in (d.sounding for d in demands if d.sounding is not None):
        sounding &= words
    sounding = tie_sounding(ties, sounding)
    scene = scene.with_copies(ties)
    memory = Memory()
    for _ in range(ROUNDS):
        pairs = _two_voices(scene, demands, domains, sounding, memory)
        left = sounding & what_sounds(pairs.alive)
        # What was cut from a passage is cut from its copies, and may cut more there.
        try:
            ties, domains = tie(repeats, timeline, scene.plan.key, pairs.domains)
        except ImpossibleError as error:
            raise ImpossibleError(str(error), (), TWO_VOICES) from error
        sounding = tie_sounding(ties, left)
        if np.array_equal(domains.masks, pairs.domains.masks) and np.array_equal(sounding, left):
            break
    _require_variable(scene, demands, domains)
    asked = [automaton for demand in demands for automaton in _asked(demand, scene, ties)]
    automata = asked + [own for automaton in asked for own in carried(automaton, ties, domains)]
    groups = conjoin(automata, domains, LIMIT)
    reach = tuple(reachable(group, domains) for group in groups)
    if not all(alive[0, group.start] for alive, group in zip(reach, groups, strict=True)):
        raise ImpossibleError("", (), BOOLEAN)
    return Narrowed(
        domains,
        ties,
        sounding,
        pairs.alive,
        groups,
        reach,
        scene.classes,
        scene.context_of_frame,
    )


def _asked(demand: Demand, scene: Scene, ties: Ties) -> tuple[LayeredAutomaton, ...]:
    """A demand's automata, where some passages return.

    Raises:
        ImpossibleError: a climax that must lie where everything returns as high.
    """
    climax = demand.climax
    if climax is None:
        return demand.automata
    frames = climax.frames(scene.plan.timeline)
    alone = frames & highest_of_copies(ties, climax.voice)
    if not alone.any():
        raise ImpossibleError("every note that may be the highest returns as high", (), RETURNS)
    return demand.automata if (alone == frames).all() else (climax.automaton(alone),)


def _require_variable(scene: Scene, demands: Sequence[Demand], domains: Domains) -> None:
    """Refuse a varied return that the domains force to change in more places than it may.

    Raises:
        ImpossibleError: there is one.
    """
    timeline = scene.plan.timeline
    for vary in (d.vary for d in demands if d.vary is not None):
        forced = forced_changes(positions(vary, timeline, scene.plan.key), domains)
        if forced > vary.most:
            raise ImpossibleError(f"the copy changes in {forced} places at least", (), RETURNS)


def _two_voices(
    scene: Scene,
    demands: Sequence[Demand],
    domains: Domains,
    sounding: np.ndarray,
    memory: Memory,
) -> PairPass:
    """The two-voice pass with the demanded rules; ``memory`` is of these demands alone.

    Raises:
        ImpossibleError: it leaves nothing somewhere.
    """
    ruleset = scene.with_rules(demands).ruleset
    passed = pair_pass(domains, scene.classes, scene.context_of_frame, ruleset, sounding, memory)
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
    words = tuple(rule_words(rules, context) for context in left.classes)
    for attempt in range(TRIES):
        rng = np.random.default_rng([seed, attempt])
        tokens = _Walk(Ways(left, words), rng).run()
        if tokens is not None:
            return tokens
    return None


class _Walk:
    """One random walk through what demands leave; within a frame all ways are tried."""

    def __init__(self, ways: Ways, rng: np.random.Generator) -> None:
        self.ways, self.rng = ways, rng
        self.tokens = np.zeros((len(ways.left.context_of_frame), len(Voice)), int)
        self.sounding = [0] * len(Voice)
        self.states = ways.start
        # Holding on is what rarely leads astray; each walk does it more or less.
        self.holding = rng.uniform(0.3, 1.0)

    def run(self) -> np.ndarray | None:
        """The notes; none where a frame has no way on."""
        for frame in range(len(self.tokens)):
            if not self._slot(frame, 0, self.states):
                return None
            self.sounding = sounding_after(self.tokens[frame], self.sounding)
        return self.tokens

    def _slot(self, frame: int, slot: int, states: States) -> bool:
        """Choose this voice and the later ones of the frame."""
        if slot == len(SEARCH_ORDER):
            self.states = states
            return True
        voice = SEARCH_ORDER[slot]
        options = self.ways.allowed(frame, slot, self.tokens, self.sounding)
        self.rng.shuffle(options)
        if HOLD_TOKEN in options and self.rng.random() < self.holding:
            options.remove(HOLD_TOKEN)
            options.insert(0, HOLD_TOKEN)
        for token in options:
            after = self.ways.after(4 * frame + slot, states, token)
            if after is None:
                continue
            self.tokens[frame, voice] = token
            if self._slot(frame, slot + 1, after):
                return True
        return False
