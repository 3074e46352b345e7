"""Recovery from dead ends: passes of the search, and what is tried when they leave nothing.

In order (design §6): the search as it is asked for; where its drafts were turned down, fresh ones;
where its hypotheses died, a wider beam; then a restart with what was learnt, which is how far some
hypothesis got: its notes are kept up to a beat, a measure or a phrase before the dead end; then the
exact repair of a window about the dead end, or about what is wrong with a draft, by a constraint
solver. A repair is a few fillings of the window; the network chooses among their notes, in a last
pass that is confined to them and goes on beyond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from clausula.constraints.copying import MaxCopy
from clausula.constraints.domains import ALL_TOKENS, Domains
from clausula.constraints.repeat import Ties, placed
from clausula.constraints.vary import Vary, positions
from clausula.engine.demands import Demand, demands_of
from clausula.engine.plan import Plan
from clausula.engine.rendering import grid_of
from clausula.engine.repair import UndecidedError, Window, repairs, with_returns
from clausula.grid import SEARCH_ORDER
from clausula.verifying import judge
from clausula.vocabulary import HOLD_TOKEN

WIDER = 4  # times the beam
WIDEST = 1024  # hypotheses
FRESH = 2  # passes that draw anew, each four pieces at a time
REACHES = (1, 2, 4, 8)  # beats that a window reaches to both sides
FILLINGS = 8  # of a window, from whose notes the network chooses
JUDGED = 12  # fillings of a broken draft's window that are judged
MOST_REPAIRS = 6  # dead ends that are repaired one after another


class Step(StrEnum):
    """What found a piece."""

    FIRST = "first pass"
    FRESH = "fresh pass"
    WIDER = "wider beam"
    RESTART = "restart"
    REPAIR = "repair"

    @property
    def weighted(self) -> bool:
        """Whether its probability of being drawn is known."""
        return self not in (Step.RESTART, Step.REPAIR)


class Pass(NamedTuple):
    """One pass of the search, and what it was for."""

    step: Step
    outcome: Any


class Broken(NamedTuple):
    """A draft that was turned down.

    Attributes:
        tokens: ``int[time, voice]`` voice tokens.
        faults: what it failed, in words.
    """

    tokens: np.ndarray
    faults: tuple[str, ...]


@dataclass
class Trouble:
    """What went wrong so far; whoever judges the drafts adds to ``broken``.

    Attributes:
        stuck: dead ends, the one that got furthest last.
        broken: drafts that were turned down.
        passes: how many there were.
    """

    stuck: list[Any] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    passes: int = 0

    def hear(self, outcome: Any) -> None:
        """Take note of a pass's dead ends."""
        self.passes += 1
        self.stuck = sorted([*self.stuck, *outcome.stuck], key=lambda each: each.frame)


def drawn(
    session: Any, seed: int, trouble: Trouble, pieces: Callable[[int], int]
) -> Iterator[Pass]:
    """Passes of the search as it is asked for, each tried only if those before were not enough.

    Args:
        session: the search made ready.
        seed: the user's.
        trouble: what went wrong in the passes before.
        pieces: how many to search at once in the first pass (0) and in later ones (1).
    """
    yield _searched(session, seed, trouble, Step.FIRST, pieces=pieces(0))
    died = bool(trouble.stuck)
    if died:
        beam = min(WIDER * session.config.beam, WIDEST)
        yield _searched(session, seed, trouble, Step.WIDER, beam=beam)
    if trouble.broken or not died or pieces(0) > 1:
        for _ in range(FRESH):
            yield _searched(session, seed, trouble, Step.FRESH, pieces=pieces(1))


def mended(
    session: Any, seed: int, trouble: Trouble, holds: Callable[[np.ndarray], bool]
) -> Iterator[Pass]:
    """What is tried where those passes gave nothing: restarts and repairs.

    Args:
        session: the search made ready.
        seed: the user's.
        trouble: what went wrong in the passes before.
        holds: whether ``int[time, voice]`` voice tokens pass verification.
    """
    search = partial(_searched, session, seed, trouble)
    for domains in _restarts(session.plan, trouble):
        yield search(Step.RESTART, domains=domains)
    rng = np.random.default_rng([seed, len(trouble.stuck)])
    for domains in _repaired_prefixes(session, trouble, rng):
        yield search(Step.REPAIR, domains=domains)
    for tokens in _repaired_drafts(session, trouble, rng, holds):
        yield search(Step.REPAIR, domains=_kept(tokens, len(tokens)))


def _searched(session: Any, seed: int, trouble: Trouble, step: Step, **options: Any) -> Pass:
    """One more pass, with randomness of its own."""
    outcome = session.search(seed, trouble.passes, **options)
    trouble.hear(outcome)
    return Pass(step, outcome)


def _kept(tokens: np.ndarray, frames: int) -> Domains:
    """Domains in which the first frames keep their notes."""
    domains = Domains.full(len(tokens))
    domains.masks[:frames] = np.uint32(1) << tokens[:frames].astype(np.uint32)
    return domains


def _restarts(plan: Plan, trouble: Trouble) -> Iterator[Domains]:
    """The notes that got furthest, up to a beat, a measure or a phrase before their dead end."""
    timeline = plan.timeline
    for back in (timeline.frames_per_beat, timeline.frames_per_measure, None):
        if not trouble.stuck:
            return
        furthest = trouble.stuck[-1]
        start = timeline.phrase_start(furthest.frame)
        keep = start if back is None else furthest.frame - back
        if keep > 0:
            yield _kept(_own(plan, furthest.tokens), keep)


def _own(plan: Plan, tokens: np.ndarray) -> np.ndarray:
    """The tokens of the plan's frames, without padding."""
    return tokens[: plan.timeline.n_frames]


def _repaired_prefixes(
    session: Any, trouble: Trouble, rng: np.random.Generator
) -> Iterator[Domains]:
    """The notes that got furthest, led through their dead end; then the next dead end's."""
    plan, scene = session.plan, session.compiled.scene
    if not trouble.stuck:
        return
    demands = demands_of(scene)
    reached = -1
    for _ in range(MOST_REPAIRS):
        furthest = trouble.stuck[-1]
        if furthest.frame <= reached:
            return
        reached = furthest.frame
        tokens = _own(plan, furthest.tokens)
        for beats in REACHES:
            frames = _about(plan, reached, beats)
            for window in _windows(tokens, frames, session.compiled.ties):
                found = _fillings(
                    repairs(scene, demands, window, rng),
                    partial(keeps_counts, plan, frames.stop),
                    FILLINGS,
                )
                if found:
                    break
            else:
                continue
            yield _union(found, frames.stop)
            if trouble.stuck[-1].frame <= reached:
                yield _kept(found[0], frames.stop)
            if trouble.stuck[-1].frame > reached:
                break


def _repaired_drafts(
    session: Any,
    trouble: Trouble,
    rng: np.random.Generator,
    holds: Callable[[np.ndarray], bool],
) -> Iterator[np.ndarray]:
    """Drafts that were turned down, made to hold, the least broken first."""
    plan, compiled = session.plan, session.compiled
    if not trouble.broken:
        return
    demands = demands_of(compiled.scene)
    for draft in sorted(trouble.broken, key=lambda each: len(each.faults))[:MOST_REPAIRS]:
        frames = [frame for fault in draft.faults for frame in _frames_of(fault, plan)]
        if not frames:
            continue
        for beats in REACHES:
            free = np.zeros(len(draft.tokens), bool)
            for frame in frames:
                about = _about(plan, frame, beats)
                free[about.start : about.stop] = True
            free = with_returns(free, compiled.ties)
            window = Window(draft.tokens, free, ~free)
            found = _fillings(repairs(compiled.scene, demands, window, rng), holds, 1, JUDGED)
            if found:
                yield found[0]
                break


def _about(plan: Plan, frame: int, beats: int) -> range:
    """The frames so many beats about one."""
    reach = beats * plan.timeline.frames_per_beat
    return range(max(0, frame - reach), min(plan.timeline.n_frames, frame + reach))


def _windows(tokens: np.ndarray, frames: range, ties: Ties) -> Iterator[Window]:
    """A window after which nothing is fixed: by itself, then with the passages it repeats."""
    sung = np.arange(len(tokens)) < frames.stop
    free = sung & (np.arange(len(tokens)) >= frames.start)
    yield Window(tokens, free, sung & ~free)
    wider = with_returns(free, ties) & sung
    if (wider != free).any():
        yield Window(tokens, wider, sung & ~wider)


def _fillings(
    found: Iterator[np.ndarray],
    accept: Callable[[np.ndarray], bool],
    wanted: int,
    judged: int | None = None,
) -> list[np.ndarray]:
    """Fillings that are accepted; fewer than wanted where the solver comes to its end."""
    kept: list[np.ndarray] = []
    try:
        for notes in islice(found, judged):
            if accept(notes):
                kept.append(notes)
            if len(kept) == wanted:
                break
    except UndecidedError:
        return kept
    return kept


def _union(fillings: list[np.ndarray], frames: int) -> Domains:
    """Domains in which the first frames sing what some filling sings there."""
    masks = [_kept(notes, frames).masks for notes in fillings]
    return Domains(np.bitwise_or.reduce(masks))


_PLACE = re.compile(r"\bm(?:easure|\.) (\d+) beat (\d+(?:/\d+)?)")


def _frames_of(fault: str, plan: Plan) -> list[int]:
    """The frames that a fault names."""
    return [
        plan.timeline.frame_of(int(measure), Fraction(beat))
        for measure, beat in _PLACE.findall(fault)
    ]


def keeps_counts(plan: Plan, frames: int, tokens: np.ndarray) -> bool:
    """Whether the first frames leave a way to keep limits on copies and varied returns.

    Args:
        plan: what is asked.
        frames: how many of them are chosen.
        tokens: ``int[time, voice]`` voice tokens.
    """
    known = tokens.copy()
    known[frames:] = HOLD_TOKEN
    for asked in plan.others:
        if isinstance(asked, Vary) and not _within_budget(asked, plan, tokens, frames):
            return False
        if isinstance(asked, MaxCopy) and judge(grid_of(known, plan), asked, plan):
            return False
    return True


def _within_budget(vary: Vary, plan: Plan, tokens: np.ndarray, frames: int) -> bool:
    """Whether a varied return has neither too many changes nor too few places left for them."""
    places = positions(vary, plan.timeline, plan.key)
    voices = np.array([int(voice) for voice in SEARCH_ORDER])[places.layer % len(SEARCH_ORDER)]
    at = places.layer // len(SEARCH_ORDER)
    image = places.mapped[np.arange(len(at)), tokens[places.source, voices]]
    changed = (image != tokens[at, voices]) & (at < frames)
    left = int((at >= frames).sum())
    return int(changed.sum()) <= vary.most and int(changed.sum()) + left >= vary.least


def gave_up(session: Any, trouble: Trouble) -> str:
    """Where it ended, and what is asked there, in words; empty where no pass was a dead end."""
    if not trouble.stuck:
        return ""
    scene, frame = session.compiled.scene, trouble.stuck[-1].frame
    where = scene.plan.timeline.words(frame)
    asked = [demand.name for demand in demands_of(scene) if binds(demand, scene.plan, frame)]
    return f"every hypothesis died by {where}, where {_listed(asked)} of {scene.ruleset.name} bind"


def binds(demand: Demand, plan: Plan, frame: int) -> bool:
    """Whether something that is asked for, no rule or range, has to do with a frame."""
    if demand.rule is not None or demand.name not in map(str, plan.constraints):
        return False
    returning = demand.repeat or demand.vary
    if returning is not None:
        exact = returning.exact if isinstance(returning, Vary) else returning
        return any(frame in frames for frames in placed(exact, plan.timeline))
    if demand.domains is None and not demand.automata:
        return True  # a limit on copies
    layers = slice(4 * frame, 4 * frame + 5)
    if any((automaton.n_states[layers] > 1).any() for automaton in demand.automata):
        return True
    return demand.domains is not None and bool((demand.domains.masks[frame] != ALL_TOKENS).any())


def _listed(names: Sequence[str]) -> str:
    """Names and the rules, as words."""
    return f"{', '.join(names)} and the rules" if names else "the rules"
