"""A plan compiled for the search: every table that the jitted program reads.

Shapes: T frames (padded to a bucket, so that another length is not another program), C context
classes of the rules, Q automaton states, H hidden states, V voices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from clausula.constraints.automaton import LayeredAutomaton
from clausula.constraints.domains import ALL_TOKENS, Domains
from clausula.constraints.pair_tables import (
    ContextClass,
    pair_cost,
    spelled_steps,
    voice_cost,
)
from clausula.constraints.repeat import Ties
from clausula.constraints.rule import Array
from clausula.constraints.rulesets import RuleSet
from clausula.constraints.sonority_tables import (
    Following,
    following_allowed,
    together_allowed,
)
from clausula.engine.chain import load_counts, log_steps, step_of_frame
from clausula.engine.conflict import require_possible
from clausula.engine.demands import Scene, demands_of
from clausula.engine.hmm import HMM, MODES, frame_classes, log_emission
from clausula.engine.pairs import rule_words
from clausula.engine.plan import Plan
from clausula.engine.tie_tables import TieForecast, TieTables, tie_forecast
from clausula.engine.ways import Narrowed
from clausula.grid import SEARCH_ORDER, Voice
from clausula.vocabulary import HOLD_TOKEN, voice_semitones, voice_to_global

if TYPE_CHECKING:
    from clausula.engine.budgets import Budget
    from clausula.engine.copying import CopyTables
    from clausula.engine.layers import Layers

FRAME_BUCKET = 128  # lengths are padded to a multiple of this
CLASS_BUCKET = 16  # context classes of the rules likewise
LEAST_LAYERS = (256, 128, 4)  # automaton tables, states and successors: room for usual plans
ROW_BUCKET = 32  # chords after which the same is allowed likewise
MAP_BUCKET = 4  # maps of returning themes likewise
_HOLD = np.uint32(1 << HOLD_TOKEN)


class Compiled(NamedTuple):
    """The discrete side of a plan, before any number is attached.

    Attributes:
        scene: contexts of the rules.
        left: domains, ties and automata.
    """

    scene: Scene
    left: Narrowed

    @property
    def domains(self) -> Domains:
        """Tokens by place."""
        return self.left.domains

    @property
    def automata(self) -> tuple[LayeredAutomaton, ...]:
        """Everything that needs memory: one automaton, or several where that is too wide."""
        return self.left.automata

    @property
    def ties(self) -> Ties:
        """Which frames repeat which."""
        return self.left.ties

    @property
    def reachable(self) -> tuple[np.ndarray, ...]:
        """Of each automaton ``bool[4 * time + 1, Q]``, from the boolean pass."""
        return self.left.reachable


class SearchTables(NamedTuple):
    """Arrays that the search reads; T and Q are padded.

    Attributes:
        n_frames: ``int32[]`` frames in use.
        context_of_frame: ``int32[T]`` row of the rule tables.
        pair_bits: ``uint32[C, 6, 32, 32, 32]`` see ``pair_allowed``.
        voice_bits: ``uint32[C, V, 32]`` see ``voice_allowed``.
        following: rules of a voice that read the chord or the note before the last; none where
            there are none, as of the next.
        together: ``uint32[C, 32, 32, 32]`` see ``together_allowed``; asked on beats.
        on_beat: ``bool[T]``.
        pair_cost: ``float32[C, 6, 32, 32]`` nats.
        voice_cost: ``float32[C, V, 32]`` nats.
        domains: ``uint32[T, V]``.
        pair_alive: ``uint32[T, 6, 32]`` pairs of notes from which the end can be reached, see
            ``PairPass``.
        layers: each automaton, and the domains, as the messages read them.
        reachable: of each ``bool[T, 4, Q]`` whether the end can be reached after each slot.
        tie_source: ``int32[T, V]`` frame that each voice's frame repeats, -1 for none.
        map_of_frame: ``int32[T, V]`` row of ``tie_map``.
        tie_map: ``int8[maps, 32]`` token of the copy, -1 where there is none.
        class_of_frame: ``int32[T]`` frame class of the hidden Markov model.
        initial: ``float32[H]``.
        transition: ``float32[classes, H, H]``.
        log_emission: ``float32[classes, V, H, 32]``.
        to_global: ``int32[V, 32]`` global token of each voice token.
        ties: what the observed chain says of the returns.
        ties_exact: ``float32[]`` share of frames, by voice, in which that is no bound but exact.
        budgets: the returns that may change.
        copies: the runs of the corpus that may not be copied.
        controls: what the proposal knows beforehand, each ``[T]``.
        oldest: ``int32[]`` age at which notes stop ageing.
    """

    n_frames: Array
    context_of_frame: Array
    pair_bits: Array
    voice_bits: Array
    following: Following | None
    together: Array | None
    on_beat: Array
    pair_cost: Array
    voice_cost: Array
    domains: Array
    pair_alive: Array
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
    ties: TieTables
    ties_exact: Array
    budgets: tuple[Budget, ...]
    copies: CopyTables
    controls: tuple
    oldest: Array


def compile_plan(plan: Plan, ruleset: RuleSet) -> Compiled:
    """Everything that is demanded, narrowed by the provers.

    Raises:
        PlanError: a constraint that contradicts itself.
        ImpossibleError: demands that contradict each other, proved before the search begins; it
            names an irreducible set of them.
    """
    scene = Scene.of(plan, ruleset)
    left = require_possible(scene, demands_of(scene))
    return Compiled(scene, left)


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

    from clausula.engine.budgets import budgets_of
    from clausula.engine.copying import copy_tables
    from clausula.engine.layers import layers_of

    timeline = plan.timeline
    total = timeline.n_frames
    padded = -(-total // FRAME_BUCKET) * FRAME_BUCKET

    def pad(values: np.ndarray, fill: float = 0) -> np.ndarray:
        width = [(0, padded - total)] + [(0, 0)] * (values.ndim - 1)
        return np.pad(values, width, constant_values=fill)

    classes, context_of_frame = compiled.left.classes, compiled.left.context_of_frame
    layers, reach = [], []
    for automaton, alive in zip(compiled.automata, compiled.reachable, strict=True):
        layers.append(layers_of(automaton, compiled.domains, padded, LEAST_LAYERS))
        states = layers[-1].successor.shape[1]
        by_slot = np.pad(alive[1:], ((0, 0), (0, states - automaton.width)))
        reach.append(pad(by_slot.reshape(total, 4, states)))
    frame_class = frame_classes(
        timeline.meter, timeline.position, plan.phrase_end, timeline.frames_per_quarter
    )
    forecast = _forecast(plan, compiled, frame_class, padded)
    return SearchTables(
        n_frames=np.int32(total),
        context_of_frame=pad(context_of_frame),
        pair_bits=_by_class([rule_words(ruleset, c)[1] for c in classes]),
        voice_bits=_by_class(_voice_bits(ruleset, compiled)),
        following=_following(ruleset, classes),
        together=_together(ruleset, classes),
        on_beat=pad(timeline.position % timeline.frames_per_beat == 0),
        pair_cost=_by_class([pair_cost(ruleset, c) for c in classes]),
        voice_cost=_by_class([voice_cost(ruleset, c) for c in classes]),
        domains=pad(compiled.domains.masks, ALL_TOKENS),
        pair_alive=pad(compiled.left.alive, ALL_TOKENS),
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
        ties=forecast.tables,
        ties_exact=np.float32(forecast.exact.mean()),
        budgets=budgets_of(plan, compiled.domains),
        copies=copy_tables(plan),
        controls=jax.tree.map(lambda column: pad(column, fill=-1), controls),
        oldest=np.int32(oldest),
    )


def confined(tables: SearchTables, domains: Domains) -> SearchTables:
    """The tables of a search that keeps to some tokens besides; shapes stay as they are.

    Args:
        tables: of the whole search.
        domains: of the same piece, not padded.
    """
    masks = np.full_like(tables.domains, ALL_TOKENS)
    masks[: len(domains.masks)] = domains.masks
    return tables._replace(
        domains=tables.domains & masks,
        layers=tuple(
            layers._replace(domains=layers.domains & masks[:, SEARCH_ORDER])
            for layers in tables.layers
        ),
    )


def _forecast(plan: Plan, compiled: Compiled, frame_class: np.ndarray, frames: int) -> TieForecast:
    """The messages over the returns of a plan, for so many frames.

    Args:
        plan: the plan.
        compiled: from ``compile_plan``.
        frame_class: int ``[time]`` class of each frame.
        frames: length to pad to.
    """
    steps = log_steps(load_counts(), plan.key, int(frame_class[0]))
    return tie_forecast(
        compiled.ties,
        compiled.domains,
        steps,
        step_of_frame(frame_class),
        frames,
        compiled.left.sounding,
    )


def _by_class(tables: list[np.ndarray]) -> np.ndarray:
    return _bucketed(np.stack(tables), CLASS_BUCKET)


def _voice_bits(ruleset: RuleSet, compiled: Compiled) -> list[np.ndarray]:
    """``uint32[4, 32]`` by context what each voice may do by itself.

    A note held into a key that spells it otherwise would keep its old spelling, which the tables of
    the frames after do not know: a voice that is neither given nor a copy strikes another. That is
    a mask alone, on which no proof rests.
    """
    found = []
    for number, context in enumerate(compiled.left.classes):
        words = rule_words(ruleset, context)[0]
        if context.key_before is not None:
            copied = compiled.ties.source_frame[compiled.left.context_of_frame == number] >= 0
            bound = copied.any(axis=0)
            bound[list(context.given)] = True
            words = np.where(_respelled(context) & ~bound[:, None], words & ~_HOLD, words)
        found.append(words)
    return found


def _respelled(context: ContextClass) -> np.ndarray:
    """``bool[4, 32]`` the sounding indices that the key before spells otherwise."""
    keys = context.key, context.key_before or context.key
    here, before = (
        np.stack([spelled_steps(key, voice_semitones(voice)) for voice in Voice]) for key in keys
    )
    return here != before


def _following(ruleset: RuleSet, classes: Sequence[ContextClass]) -> Following | None:
    """Of the contexts, padded to buckets of both contexts and rows."""
    found = following_allowed(ruleset, classes)
    if found is None:
        return None
    by_row = _bucketed(np.moveaxis(found.words, 2, 0), ROW_BUCKET)
    return found._replace(words=_bucketed(np.moveaxis(by_row, 0, 2), CLASS_BUCKET))


def _together(ruleset: RuleSet, classes: Sequence[ContextClass]) -> np.ndarray | None:
    """Of the contexts, padded to a bucket."""
    found = together_allowed(ruleset, classes)
    return None if found is None else _bucketed(found, CLASS_BUCKET)


def _bucketed(table: np.ndarray, bucket: int) -> np.ndarray:
    """The table with rows appended, never read, up to a multiple of ``bucket``."""
    missing = -len(table) % bucket
    return np.concatenate([table, np.repeat(table[:1], missing, axis=0)])


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
