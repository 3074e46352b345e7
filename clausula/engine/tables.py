"""A plan compiled for the search: every table that the jitted program reads.

Shapes: T frames (padded to a bucket, so that another length is not another program), C context
classes of the rules, Q automaton states, H hidden states, V voices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from clausula.constraints.automaton import LayeredAutomaton, Limit, conjoin, is_empty, reachable
from clausula.constraints.cadence import CadenceKind, cadence_automaton
from clausula.constraints.domains import ALL_TOKENS, REST_BIT, Domains, meet, phrase_domains
from clausula.constraints.pair_tables import (
    ContextClass,
    pair_allowed,
    pair_cost,
    voice_allowed,
    voice_cost,
)
from clausula.constraints.pins import pin_automaton, require_compatible
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import Ties, tie
from clausula.constraints.rule import Array
from clausula.constraints.rulesets import RuleSet
from clausula.constraints.sonority import Rhythm
from clausula.engine.hmm import HMM, MODES, frame_classes, log_emission
from clausula.engine.plan import Plan
from clausula.errors import PlanError
from clausula.grid import Voice
from clausula.vocabulary import voice_semitones, voice_to_global

if TYPE_CHECKING:
    from clausula.engine.messages import Layers

FRAME_BUCKET = 128  # lengths are padded to a multiple of this
CLASS_BUCKET = 8  # context classes of the rules likewise
LIMIT = Limit(widest=4096, mean=512)  # constraints whose product has more are followed apart
LEAST_LAYERS = (64, 128, 4)  # automaton tables, states and successors: room for usual plans
MAP_BUCKET = 4  # maps of returning themes likewise


class Compiled(NamedTuple):
    """The discrete side of a plan, before any number is attached.

    Attributes:
        automata: everything that needs memory: one minimal automaton, or several where their
            product would be too wide.
        domains: everything that needs none.
        ties: which frames repeat which.
        reachable: of each automaton ``bool[4 * time + 1, Q]``, from the boolean pass.
    """

    automata: tuple[LayeredAutomaton, ...]
    domains: Domains
    ties: Ties
    reachable: tuple[np.ndarray, ...]


class SearchTables(NamedTuple):
    """Arrays that the search reads; T and Q are padded.

    Attributes:
        n_frames: ``int32[]`` frames in use.
        context_of_frame: ``int32[T]`` row of the rule tables.
        pair_bits: ``uint32[C, 6, 32, 32, 32]`` see ``pair_allowed``.
        voice_bits: ``uint32[C, V, 32]`` see ``voice_allowed``.
        pair_cost: ``float32[C, 6, 32, 32]`` nats.
        voice_cost: ``float32[C, V, 32]`` nats.
        domains: ``uint32[T, V]``.
        layers: each automaton, and the domains, as the messages read them.
        reachable: of each ``bool[T, 4, Q]`` whether the end can be reached after each slot.
        tie_source: ``int32[T]`` frame that each frame repeats, -1 for none.
        map_of_frame: ``int32[T]`` row of ``tie_map``.
        tie_map: ``int8[maps, 32]`` soprano token of the copy, -1 where there is none.
        class_of_frame: ``int32[T]`` frame class of the hidden Markov model.
        initial: ``float32[H]``.
        transition: ``float32[classes, H, H]``.
        log_emission: ``float32[classes, V, H, 32]``.
        to_global: ``int32[V, 32]`` global token of each voice token.
        controls: what the proposal knows beforehand, each ``[T]``.
        oldest: ``int32[]`` age at which notes stop ageing.
    """

    n_frames: Array
    context_of_frame: Array
    pair_bits: Array
    voice_bits: Array
    pair_cost: Array
    voice_cost: Array
    domains: Array
    layers: tuple[Layers, ...]
    reachable: tuple[Array, ...]
    tie_source: Array
    map_of_frame: Array
    tie_map: Array
    class_of_frame: Array
    initial: Array
    transition: Array
    log_emission: Array
    to_global: Array
    controls: tuple
    oldest: Array


def compile_plan(plan: Plan, ruleset: RuleSet) -> Compiled:
    """Domains, automaton and ties of a plan, and the boolean pass over them.

    Raises:
        PlanError: something is impossible before the search begins; the message names it.
    """
    timeline = plan.timeline
    parts: list[tuple[str, Domains]] = [
        ("the phrase ends", phrase_domains(timeline)),
        (f"the ranges of {ruleset.name}", range_domains(timeline, ruleset)),
    ]
    automata: list[tuple[str, LayeredAutomaton]] = []
    for cadence in plan.cadences:
        end = timeline.phrase_end(timeline.frame_of(cadence.measure, cadence.beat))
        automaton, domains = cadence_automaton(cadence, timeline, plan.key, end)
        automata.append((str(cadence), automaton))
        parts.append((str(cadence), domains))
    for pin in plan.pins:
        automaton, domains = pin_automaton(pin, timeline, plan.key_at(_frame_of_pin(pin, timeline)))
        automata.append((str(pin), automaton))
        parts.append((str(pin), domains))
    keys = plan.key_of_frame
    for other in plan.others:
        if isinstance(other, Rhythm):
            parts.append((str(other), other.domains(timeline)))
            continue
        automata += [(str(other), automaton) for automaton in other.automata(timeline, keys)]
    together = meet(parts, timeline)
    classes, context_of_frame = _contexts(plan)
    require_compatible(plan.pins, timeline, ruleset, lambda f: classes[context_of_frame[f]])
    ties, domains = tie(plan.repeats, timeline, plan.key, together, parts)
    groups = conjoin([a for _, a in automata], domains, LIMIT)
    reach = tuple(reachable(group, domains) for group in groups)
    if not all(alive[0, group.start] for alive, group in zip(reach, groups, strict=True)):
        raise PlanError(_impossible(automata, domains, plan))
    return Compiled(groups, domains, ties, reach)


def _frame_of_pin(pin, timeline: Timeline) -> int:
    return timeline.frame_of(pin.measure, pin.beat)


def _impossible(automata: list[tuple[str, LayeredAutomaton]], domains: Domains, plan: Plan) -> str:
    """Which constraints the boolean pass finds in conflict, irreducible for that prover."""
    needed = list(automata)
    for item in automata:
        rest = [other for other in needed if other is not item]
        joined = conjoin([a for _, a in rest], domains, LIMIT)
        if any(is_empty(group, domains) for group in joined):
            needed = rest
    names = " together with ".join(name for name, _ in needed) or "the domains"
    return (
        f"impossible in {plan.key}: no music satisfies {names} within the ranges and returns that "
        "are asked for (proved by the boolean pass); try another key, place or form"
    )


def range_domains(timeline: Timeline, ruleset: RuleSet) -> Domains:
    """Voices sing throughout and stay within the rule set's ranges."""
    domains = Domains.full(timeline.n_frames)
    for voice in Voice:
        semitones = voice_semitones(voice)
        outside = (semitones < ruleset.low[voice]) | (semitones > ruleset.high[voice])
        outside[:2] = False
        forbidden = sum(1 << int(token) for token in np.flatnonzero(outside)) | REST_BIT
        domains.masks[:, voice] &= np.uint32(ALL_TOKENS & ~forbidden)
    return domains


def search_tables(
    plan: Plan, compiled: Compiled, ruleset: RuleSet, hmm: HMM, controls: tuple, oldest: int
) -> SearchTables:
    """Everything in arrays, padded to buckets.

    Args:
        plan: the plan.
        compiled: from ``compile_plan``.
        ruleset: whose rules are masks and costs.
        hmm: the hidden Markov model.
        controls: a tree of ``[time, …]`` arrays, as the proposal wants them; padded with -1.
        oldest: the largest age that the proposal tells apart.
    """
    # The messages need JAX; a plan that cannot be compiled fails without it, at once.
    import jax

    from clausula.engine.messages import layers_of

    timeline = plan.timeline
    total = timeline.n_frames
    padded = -(-total // FRAME_BUCKET) * FRAME_BUCKET

    def pad(values: np.ndarray, fill: float = 0) -> np.ndarray:
        width = [(0, padded - total)] + [(0, 0)] * (values.ndim - 1)
        return np.pad(values, width, constant_values=fill)

    classes, context_of_frame = _contexts(plan)
    layers, reach = [], []
    for automaton, alive in zip(compiled.automata, compiled.reachable, strict=True):
        layers.append(layers_of(automaton, compiled.domains, padded, LEAST_LAYERS))
        states = layers[-1].successor.shape[1]
        by_slot = np.pad(alive[1:], ((0, 0), (0, states - automaton.width)))
        reach.append(pad(by_slot.reshape(total, 4, states)))
    frame_class = frame_classes(
        timeline.meter, timeline.position, plan.phrase_end, timeline.frames_per_quarter
    )
    return SearchTables(
        n_frames=np.int32(total),
        context_of_frame=pad(context_of_frame),
        pair_bits=_by_class([pair_allowed(ruleset, c) for c in classes]),
        voice_bits=_by_class([voice_allowed(ruleset, c) for c in classes]),
        pair_cost=_by_class([pair_cost(ruleset, c) for c in classes]),
        voice_cost=_by_class([voice_cost(ruleset, c) for c in classes]),
        domains=pad(compiled.domains.masks, ALL_TOKENS),
        layers=tuple(layers),
        reachable=tuple(reach),
        tie_source=pad(compiled.ties.source_frame, -1),
        map_of_frame=pad(compiled.ties.map_of_frame),
        tie_map=_bucketed(compiled.ties.token_map, MAP_BUCKET),
        class_of_frame=pad(frame_class),
        initial=hmm.initial[MODES.index(plan.key.mode)],
        transition=hmm.transition,
        log_emission=log_emission(hmm, plan.key),
        to_global=np.stack([voice_to_global(v) for v in Voice]).astype(np.int32),
        controls=jax.tree.map(lambda column: pad(column, fill=-1), controls),
        oldest=np.int32(oldest),
    )


def _by_class(tables: list[np.ndarray]) -> np.ndarray:
    return _bucketed(np.stack(tables), CLASS_BUCKET)


def _bucketed(table: np.ndarray, bucket: int) -> np.ndarray:
    """The table with rows appended, never read, up to a multiple of ``bucket``."""
    missing = -len(table) % bucket
    return np.concatenate([table, np.repeat(table[:1], missing, axis=0)])


def _contexts(plan: Plan) -> tuple[list[ContextClass], np.ndarray]:
    """The distinct context classes of a plan, and ``int32[time]`` which one each frame has.

    No frame counts as following a phrase end: rules that excuse that motion are kept there too,
    since a MIDI file, or a reader without the fermatas, does not know of it. What is held there is
    forbidden by ``phrase_domains``.
    """
    timeline = plan.timeline
    arrivals = {
        timeline.frame_of(c.measure, c.beat) for c in plan.cadences if c.kind is not CadenceKind.HC
    }
    order: dict[ContextClass, int] = {}
    of_frame = np.empty(timeline.n_frames, np.int32)
    before = plan.key
    for frame in range(timeline.n_frames):
        key = plan.key_at(frame)
        context = ContextClass(
            key, arrival=frame in arrivals, key_before=before if before != key else None
        )
        of_frame[frame] = order.setdefault(context, len(order))
        before = key
    return list(order), of_frame


def state_counts(compiled: Compiled) -> list[dict[str, int]]:
    """Sizes for the report, by automaton: widest layer, all layers together, distinct tables."""
    return [
        {
            "widest_layer": int(automaton.n_states.max()),
            "states": int(automaton.n_states.sum()),
            "tables": len(automaton.tables),
        }
        for automaton in compiled.automata
    ]
