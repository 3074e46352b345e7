"""Hard rules and rule costs as tables over voice tokens, for the search.

Each site of a rule depends on its own voices and the context alone, so every masked rule becomes a
table for each voice, or each pair of voices, of what may follow what. The tables are filled by the
rules' own predicates on broadcast arrays: no rule is written twice.

Conventions: pairs stand in search order, ``SEARCH_PAIRS``; the first voice of a pair is the one the
search chooses first. A *sounding index* is 0 for silence, else the voice token of the pitch; 1 (the
hold token) never sounds and counts as silence. Bit ``j`` of a word stands for voice token ``j``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from clausula.constraints.rule import Context, Enforcement, Motion, Rule, Sites, Tone
from clausula.constraints.rulesets import RuleSet
from clausula.grid import REST, SEARCH_ORDER, Voice
from clausula.pitch import Key, Mode
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, voice_semitones

SEARCH_PAIRS = tuple(
    (first, second) for i, first in enumerate(SEARCH_ORDER) for second in SEARCH_ORDER[i + 1 :]
)
_N_VOICES = len(Voice)


@dataclass(frozen=True)
class Image:
    """What becomes of a frame in one of its copies.

    Attributes:
        context: of the copy's frame.
        maps: by voice the copy's token for each of the frame's own, as bytes of int8 ``[32]``; none
            where the voice does not return there.
        begins: whether the copy begins with the frame: what sounds before it is then not the image
            of what sounds before the frame.
    """

    context: ContextClass
    maps: tuple[bytes | None, ...]
    begins: bool


@dataclass(frozen=True)
class ContextClass:
    """Everything but the notes that a mask depends on.

    Attributes:
        key: local key of the frame.
        boundary: whether a phrase ends just before the frame; no voice then holds.
        arrival: whether a cadence's leading tone resolves in the frame.
        key_before: local key of the frame before, which spells what sounded there and what is held
            from there; None means the same key.
        given: voices whose notes were given: what they do by themselves is not judged, unless the
            rule is one of cadences.
        images: what becomes of the frame in its copies, as far as it obeys other rules there.
    """

    key: Key
    boundary: bool = False
    arrival: bool = False
    key_before: Key | None = None
    given: frozenset[Voice] = frozenset()
    images: tuple[Image, ...] = ()

    def judges(self, rule: Rule, site: tuple[int, ...]) -> bool:
        """Whether a rule may refuse what the voices of a site do."""
        applies = site in rule.sites.of(_N_VOICES) and rule.applies(site, _N_VOICES)
        return applies and (rule.of_cadence or not self.given.issuperset(site))


def pair_allowed(ruleset: RuleSet, context: ContextClass) -> np.ndarray:
    """``uint32[6, 32, 32, 32]``: which tokens two voices may take together.

    Entry ``[pair, before_first, before_second, token_first]`` has bit ``j`` set where token ``j``
    of the second voice breaks no hard rule of pairs; ``before`` are sounding indices of the
    preceding frame. What a voice may do by itself is not in here: see ``voice_allowed``.
    """
    rules = masked_rules(ruleset, Sites.PAIR)
    if not rules:
        return np.full((len(SEARCH_PAIRS), N_VOICE, N_VOICE, N_VOICE), 0xFFFFFFFF, np.uint32)
    return np.stack([packed(_pair_allowed(ruleset, rules, context, pair)) for pair in SEARCH_PAIRS])


def voice_allowed(ruleset: RuleSet, context: ContextClass) -> np.ndarray:
    """``uint32[4, 32]``: which tokens a voice may take, by its preceding sounding index.

    Bit ``j`` of ``[voice, before]`` is set where token ``j`` breaks no hard rule of single voices.
    Nothing is held after silence, nor across the end of a phrase. Voices in the order of ``Voice``.
    """
    rules = masked_rules(ruleset, Sites.VOICE)
    words = []
    for voice in Voice:
        allowed = np.ones((N_VOICE, N_VOICE), bool)
        for rule in at_site(rules, (voice,), context):
            motion = motions_of(ruleset, context, voice, before_axis=0, token_axis=1, n_axes=2)
            allowed &= ~rule.breaks(motion, context_of(ruleset, context))
        allowed[:FIRST_PITCH, HOLD_TOKEN] = False
        if context.boundary:
            allowed[:, HOLD_TOKEN] = False
        words.append(packed(allowed))
    return np.stack(words)


def pair_cost(ruleset: RuleSet, context: ContextClass) -> np.ndarray:
    """``float32[6, 32, 32]``: nats a frame that two sounding notes cost together.

    Indexed ``[pair, sounding_first, sounding_second]``; the sum over the rules of one slice that
    the rule set gives a price.
    """
    costs = np.zeros((len(SEARCH_PAIRS), N_VOICE, N_VOICE), np.float32)
    for cost, pair in zip(costs, SEARCH_PAIRS, strict=True):
        site = tuple(sorted(pair))
        motions = [
            _still(ruleset, context, voice, axis=pair.index(voice), n_axes=2) for voice in site
        ]
        for rule, nats in ruleset.costs:
            for _ in at_site((rule,), site, context):
                cost += nats * rule.breaks(*motions, context_of(ruleset, context))
    return costs


def voice_cost(ruleset: RuleSet, context: ContextClass) -> np.ndarray:
    """``float32[4, 32]``: nats a frame that a sounding note costs, ``[voice, sounding]``."""
    costs = np.zeros((_N_VOICES, N_VOICE), np.float32)
    for voice in Voice:
        motion = _still(ruleset, context, voice, axis=0, n_axes=1)
        for rule, nats in ruleset.costs:
            for _ in at_site((rule,), (voice,), context):
                costs[voice] += nats * rule.breaks(motion, context_of(ruleset, context))
    return costs


def masked_rules(ruleset: RuleSet, sites: Sites) -> tuple[Rule, ...]:
    """The hard rules that are masks, of voices or pairs or all voices together."""
    return tuple(
        rule
        for rule in ruleset.hard
        if rule.enforcement is Enforcement.MASK and rule.sites is sites
    )


def at_site(rules: tuple[Rule, ...], site: tuple[int, ...], context: ContextClass) -> list[Rule]:
    """The rules that judge this voice or this pair."""
    return [rule for rule in rules if context.judges(rule, site)]


def _pair_allowed(
    ruleset: RuleSet, rules: tuple[Rule, ...], context: ContextClass, pair: tuple[Voice, Voice]
) -> np.ndarray:
    """``bool[32, 32, 32, 32]`` over (before first, before second, token first, token second).

    What a voice sounds after a token depends on what it sounded before only where it holds, so
    predicates are asked apart for held voices: arrays of two axes, not four, make up most of them.
    """
    allowed = np.ones((N_VOICE,) * 4, bool)
    site = tuple(sorted(pair))  # a rule's site names the upper voice first
    judged = at_site(rules, site, context)
    for held in product((False, True), repeat=2):
        where = [slice(HOLD_TOKEN, HOLD_TOKEN + 1) if holds else slice(None) for holds in held]
        here = allowed[:, :, where[0], where[1]]
        here[:] = True
        motions = [
            _moving(ruleset, context, voice, place=pair.index(voice), held=held[pair.index(voice)])
            for voice in site
        ]
        for rule in judged:
            here &= ~rule.breaks(*motions, context_of(ruleset, context))
    return allowed


def _moving(
    ruleset: RuleSet, context: ContextClass, voice: int, *, place: int, held: bool
) -> Motion:
    """All motions of the voice of a pair, either those by a hold or, by new tokens, the others."""
    semitone = voice_semitones(voice).astype(np.int8)
    step_before = spelled_steps(context.key_before or context.key, semitone)

    def along(axis: int, *arrays: np.ndarray) -> list[np.ndarray]:
        shape = [N_VOICE if i == axis else 1 for i in range(4)]
        return [array.reshape(shape) for array in arrays]

    before = Tone(*along(place, semitone, step_before, semitone != REST))
    if held:
        after = before._replace(moved=np.zeros((1,) * 4, bool))
    else:
        moved = np.arange(N_VOICE) >= FIRST_PITCH
        after = Tone(*along(2 + place, semitone, spelled_steps(context.key, semitone), moved))
    return Motion(before, after, ruleset.low[voice], ruleset.high[voice])


def motions_of(
    ruleset: RuleSet,
    context: ContextClass,
    voice: int,
    *,
    before_axis: int,
    token_axis: int,
    n_axes: int,
) -> Motion:
    """All motions of a voice, its preceding index along one axis and its token along another."""
    semitone = voice_semitones(voice).astype(np.int8)
    step_before = spelled_steps(context.key_before or context.key, semitone)
    before_shape = [N_VOICE if axis == before_axis else 1 for axis in range(n_axes)]
    after_shape = [N_VOICE if axis in (before_axis, token_axis) else 1 for axis in range(n_axes)]
    moved = np.broadcast_to(np.arange(N_VOICE) >= FIRST_PITCH, (N_VOICE, N_VOICE))
    return Motion(
        Tone(*(a.reshape(before_shape) for a in (semitone, step_before, semitone != REST))),
        Tone(
            _after_token(semitone, semitone).reshape(after_shape),
            _after_token(spelled_steps(context.key, semitone), step_before).reshape(after_shape),
            moved.reshape(after_shape),
        ),
        ruleset.low[voice],
        ruleset.high[voice],
    )


def _after_token(onset: np.ndarray, held: np.ndarray) -> np.ndarray:
    """``[32, 32]`` what sounds after each token (columns), given what sounded before (rows)."""
    after = np.tile(onset, (N_VOICE, 1))
    after[:, HOLD_TOKEN] = held
    return after


def _still(
    ruleset: RuleSet, context: ContextClass, voice: int, *, axis: int, n_axes: int
) -> Motion:
    """All notes of a voice as seen by a rule of one slice, along one axis."""
    semitone = voice_semitones(voice).astype(np.int8)
    shape = [N_VOICE if i == axis else 1 for i in range(n_axes)]
    tone = Tone(
        *(
            a.reshape(shape)
            for a in (semitone, spelled_steps(context.key, semitone), semitone != REST)
        )
    )
    return Motion(tone, tone, ruleset.low[voice], ruleset.high[voice])


def spelled_steps(key: Key, semitone: np.ndarray) -> np.ndarray:
    """Diatonic numbers of pitches as the key spells them, 0 for silence; bytes, for speed."""
    return np.where(semitone == REST, 0, key.spell(semitone.astype(int))).astype(np.int8)


def context_of(ruleset: RuleSet, context: ContextClass) -> Context:
    """The context of a class as plain numbers, which keep byte arrays bytes."""
    before = context.key_before or context.key
    return Context(
        tonic_pc=context.key.tonic_pc,
        tonic_letter=context.key.tonic_letter,
        minor=context.key.mode is Mode.MINOR,
        tonic_pc_before=before.tonic_pc,
        tonic_letter_before=before.tonic_letter,
        minor_before=before.mode is Mode.MINOR,
        boundary=context.boundary,
        arrival=context.arrival,
        first=False,
        low=ruleset.low,
        high=ruleset.high,
    )


def packed(allowed: np.ndarray) -> np.ndarray:
    """``uint32[...]`` words of ``bool[..., 32]``, bit ``j`` from column ``j``."""
    return np.packbits(allowed, axis=-1, bitorder="little").view("<u4")[..., 0]
