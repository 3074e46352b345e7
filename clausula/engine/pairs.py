"""The two-voice pass: which pairs of notes can reach the end, by the rules of every two voices.

For each pair of voices the pairs of tokens that the domains and the hard rules allow in a frame,
given what both sounded before, form a graph along time. Walking it backward from the end and
forward from the start leaves the pairs of notes through which some way leads, were there no other
voices: exact for two voices, and a necessary condition for four. Tokens that lie on no way in some
pair are cut from the domains, until nothing changes. So a given part or a pinned cadence prunes
what cannot reach it before the search meets it, and a domain left empty is a proof.

Conventions: pairs are ``SEARCH_PAIRS``, first voice u, second voice v; *sounding indices* and bits
are those of ``constraints.pair_tables``. Shapes: T frames, S sounding indices (32), P pairs (6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from clausula.constraints.domains import Domains
from clausula.constraints.pair_tables import (
    SEARCH_PAIRS,
    ContextClass,
    Image,
    pair_allowed,
    voice_allowed,
)
from clausula.constraints.registry import RULES
from clausula.constraints.rulesets import RuleSet, Setting
from clausula.grid import Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN

ROUNDS = 4  # times that cut domains are propagated again, at most
_BITS = (np.uint32(1) << np.arange(N_VOICE, dtype=np.uint32)).astype(np.uint32)
_ONSETS = np.uint32(sum(1 << token for token in range(FIRST_PITCH, N_VOICE)))


class PairPass(NamedTuple):
    """What the pass leaves.

    Attributes:
        domains: tokens that lie on some way for every pair; an empty cell proves that there is
            no piece.
        alive: ``uint32[T, P, S]`` pairs of notes that can sound at the end of a frame: bit
            ``j`` of row ``i`` for sounding index ``i`` of the first voice and ``j`` of the second.
        broken: a frame that no two notes of some pair of voices get through, and that pair; none
            if all pairs get through.
    """

    domains: Domains
    alive: np.ndarray
    broken: tuple[int, tuple[Voice, Voice]] | None


@lru_cache(maxsize=256)
def rule_words(ruleset: RuleSet, context: ContextClass) -> tuple[np.ndarray, np.ndarray]:
    """``voice_allowed`` and ``pair_allowed`` of a class, put together rule by rule.

    Other plans may share the arrays: they are not to be changed.
    """
    bare = replace(ruleset, name="", description="", settings=())
    plain = replace(context, images=())
    voice, pair = (words.copy() for words in _words(bare, plain))
    for setting in ruleset.settings:
        if setting.hard:
            own = _words(replace(bare, settings=(setting,)), _read_by(setting, plain))
            voice &= own[0]
            pair &= own[1]
    for image in context.images:
        own = _preimage(*rule_words(ruleset, image.context), image)
        voice &= own[0]
        pair &= own[1]
    return voice, pair


def _preimage(voice: np.ndarray, pair: np.ndarray, image: Image) -> tuple[np.ndarray, np.ndarray]:
    """The words of a frame whose copy obeys these: those of voices that do not return are full."""
    maps = [None if own is None else np.frombuffer(own, np.int8) for own in image.maps]
    of_voice, of_pair = (np.full_like(words, 0xFFFFFFFF) for words in (voice, pair))
    for number, own in enumerate(maps):
        if own is not None:
            of_voice[number] = _mapped(voice[number], (own,), image.begins)
    for place, (first, second) in enumerate(SEARCH_PAIRS):
        of_first, of_second = maps[first], maps[second]
        if of_first is not None and of_second is not None:
            of_pair[place] = _mapped(pair[place], (of_first, of_second), image.begins)
    return of_voice, of_pair


def _mapped(words: np.ndarray, maps: tuple[np.ndarray, ...], begins: bool) -> np.ndarray:
    """``[before …, token …]`` words by the tokens that these are the images of.

    Where the copy begins, anything may have sounded before it.
    """
    bits = words[..., None] & _BITS != 0
    axes = len(maps)
    if begins:
        bits = np.asarray(bits.any(axis=tuple(range(axes)), keepdims=True))
    before = [np.zeros(N_VOICE, int) if begins else own.astype(int) for own in maps]
    after = [own.astype(int) for own in maps]
    # NO_IMAGE is -1 and so indexes what is appended: what has no image is refused.
    bits = np.pad(bits, [(0, 0 if begins else 1)] * axes + [(0, 1)] * axes)
    return _pack(bits[np.ix_(*before, *after)])


def _read_by(setting: Setting, context: ContextClass) -> ContextClass:
    """The context as far as a rule reads it: only those of cadences know of an arrival."""
    of_cadence = RULES[setting.code].of_cadence
    return context if of_cadence else replace(context, arrival=False)


@lru_cache(maxsize=2048)
def _words(ruleset: RuleSet, context: ContextClass) -> tuple[np.ndarray, np.ndarray]:
    """The words of one rule, or of none."""
    return voice_allowed(ruleset, context), pair_allowed(ruleset, context)


class _Way(NamedTuple):
    """The tokens of two voices that lead on in a frame.

    Attributes:
        tokens: int ``[n]`` the first voice's.
        words: ``uint32[S, S, n]`` by what both sounded before and the first voice's token: bits of
            the second voice's tokens.
    """

    tokens: np.ndarray
    words: np.ndarray


# By context, tokens, what may sound and what follows: what can reach the end after the frame, the
# tokens that lead there, and what can reach the end before it.
_Backward = dict[tuple[int, bytes, bytes, bytes], tuple[np.ndarray, _Way, np.ndarray]]
# By a way's identity and what comes before: tokens that are used, and what they reach.
_Forward = dict[tuple[int, bytes], tuple[np.ndarray, np.ndarray]]


class Memory:
    """What was worked out of single frames, for passes with the same rules and contexts.

    Most frames are as they were when only some were cut.

    Attributes:
        backward: by pair, of the walk from the end.
        forward: by pair, of the walk from the start.
    """

    def __init__(self) -> None:
        self.backward: list[_Backward] = [{} for _ in SEARCH_PAIRS]
        self.forward: list[_Forward] = [{} for _ in SEARCH_PAIRS]


def pair_pass(
    domains: Domains,
    classes: Sequence[ContextClass],
    context_of_frame: np.ndarray,
    ruleset: RuleSet,
    sounding: np.ndarray | None = None,
    memory: Memory | None = None,
) -> PairPass:
    """Prune domains by the hard rules of one and of two voices.

    Args:
        domains: what else allows.
        classes: the distinct contexts.
        context_of_frame: int ``[T]`` which one each frame has.
        ruleset: whose hard rules count.
        sounding: ``uint32[T, V]`` what may sound after each frame; everything if left out.
        memory: of an earlier pass with the same classes and rules.
    """
    if sounding is None:
        sounding = np.full_like(domains.masks, 0xFFFFFFFF)
    memory = memory or Memory()
    words = [rule_words(ruleset, context) for context in classes]
    contexts = context_of_frame.tolist()
    masks = domains.masks.copy()
    alive = np.zeros((len(masks), len(SEARCH_PAIRS), N_VOICE), np.uint32)
    passed: dict[int, np.ndarray] = {}
    for _ in range(ROUNDS):
        before = masks.copy()
        for place, pair in enumerate(SEARCH_PAIRS):
            both = list(pair)
            if place in passed and np.array_equal(passed[place], masks[:, both]):
                continue  # nothing was cut since
            passed[place] = masks[:, both]
            rules = [(of_pair[place], of_voice[both]) for of_voice, of_pair in words]
            known = memory.backward[place], memory.forward[place]
            found = _two_voices(rules, contexts, masks[:, both], sounding[:, both], *known)
            usable, alive[:, place], broken = found
            masks[:, both] &= usable
            if broken is not None:
                return PairPass(Domains(masks), alive, (broken, pair))
        if np.array_equal(before, masks):
            break
    return PairPass(Domains(masks), alive, None)


_Rules = Sequence[tuple[np.ndarray, np.ndarray]]  # by context: pair words, voice words [2, S]


def _two_voices(
    rules: _Rules,
    contexts: Sequence[int],
    masks: np.ndarray,
    sounding: np.ndarray,
    backward: _Backward,
    forward: _Forward,
) -> tuple[np.ndarray, np.ndarray, int | None]:
    """Usable tokens of both voices ``uint32[T, 2]``, the pair's ``alive``, and where it breaks."""
    ways, reaching = _backward(rules, contexts, masks, sounding, backward)
    usable = np.zeros(masks.shape, np.uint32)
    at = np.zeros((N_VOICE, N_VOICE), bool)
    at[REST_TOKEN, REST_TOKEN] = True  # nothing sounds before the piece
    for frame, way in enumerate(ways):
        # Equal ways are one array, which ``backward`` keeps, so its identity stands for it.
        key = (id(way), at.tobytes())
        if key not in forward:
            forward[key] = _forward(way, at)
        usable[frame], at = forward[key]
    stuck = np.flatnonzero([not before.any() for before in reaching])
    broken = int(stuck[-1]) if len(stuck) else None
    if broken is None and not usable.all():
        broken = int(np.flatnonzero(~usable.all(axis=1))[0])
    return usable, np.stack([_pack(after) for after in reaching[1:]]), broken


def _backward(
    rules: _Rules,
    contexts: Sequence[int],
    masks: np.ndarray,
    sounding: np.ndarray,
    memo: _Backward,
) -> tuple[list[_Way], list[np.ndarray]]:
    """For each frame the tokens that lead on, and what can reach the end."""
    following = np.ones((N_VOICE, N_VOICE), bool)
    ways: list[_Way] = []
    reaching: list[np.ndarray] = []
    for context, allowed, heard in zip(
        reversed(contexts), masks[::-1], sounding[::-1], strict=True
    ):
        key = (context, allowed.tobytes(), heard.tobytes(), following.tobytes())
        if key not in memo:
            may = heard[:, None] & _BITS != 0
            after = following & may[0][:, None] & may[1]
            memo[key] = (after, *_through(*rules[context], allowed, after))
        after, way, following = memo[key]
        ways.append(way)
        reaching.append(after)
    return ways[::-1], [following, *reaching[::-1]]


def _through(
    pair: np.ndarray, voice: np.ndarray, masks: np.ndarray, following: np.ndarray
) -> tuple[_Way, np.ndarray]:
    """The tokens that lead on, and ``bool[S, S]`` from where some do."""
    tokens = np.flatnonzero(masks[0] & _BITS)
    # By the first voice's next index and the second's last one: the second's tokens that lead on.
    lead = (_pack(following) & _ONSETS)[:, None] | np.where(following, _BITS[HOLD_TOKEN], 0)
    lead = lead | np.where(following[:, :1], _BITS[REST_TOKEN], np.uint32(0))
    words = pair[:, :, tokens] & (masks[1] & voice[1])[:, None]
    ahead = np.broadcast_to(lead[tokens].T, words.shape)
    if HOLD_TOKEN in tokens:
        ahead = ahead.copy()
        ahead[:, :, tokens == HOLD_TOKEN] = lead[:, :, None]
    own = voice[0][:, None] & _BITS[tokens] != 0  # [last of u, token of u]
    words = np.where(own[:, None], words & ahead, np.uint32(0))
    return _Way(tokens, words), np.asarray(words.any(axis=2))


def _forward(way: _Way, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of both voices that are used from some pair ``at[S, S]``, and the pairs they reach."""
    last_of_u, last_of_v = np.nonzero(at)
    here = way.words[last_of_u, last_of_v]  # [pair, token of u]
    of_token = np.bitwise_or.reduce(here, axis=0)
    first = np.bitwise_or.reduce(_BITS[way.tokens[of_token != 0]])
    second = np.bitwise_or.reduce(of_token)
    # What each token of u, or the pitch that its hold keeps, brings of v.
    holds = way.tokens == HOLD_TOKEN
    brought = np.zeros(N_VOICE, np.uint32)
    brought[way.tokens[~holds]] = of_token[~holds]
    if holds.any():
        kept = np.zeros((N_VOICE, N_VOICE), np.uint32)
        kept[last_of_u, last_of_v] = here[:, holds][:, 0]
        brought |= np.bitwise_or.reduce(kept, axis=1)
    after = (brought & _ONSETS)[:, None] & _BITS != 0
    after[:, REST_TOKEN] |= brought & _BITS[REST_TOKEN] != 0
    place, token = np.nonzero(here & _BITS[HOLD_TOKEN])  # where v holds
    sounds = np.where(holds[token], last_of_u[place], way.tokens[token])
    after[sounds, last_of_v[place]] = True
    return np.array([first, second], np.uint32), after


def _pack(rows: np.ndarray) -> np.ndarray:
    """``uint32[…]`` words of ``bool[…, S]``, bit ``j`` from column ``j``."""
    return np.packbits(rows, axis=-1, bitorder="little").view("<u4")[..., 0]


def what_sounds(alive: np.ndarray) -> np.ndarray:
    """``uint32[T, V]`` what may sound in each voice after each frame, of ``PairPass.alive``."""
    words = np.full((len(alive), len(Voice)), 0xFFFFFFFF, np.uint32)
    for place, (first, second) in enumerate(SEARCH_PAIRS):
        rows = alive[:, place]
        words[:, first] &= np.where(rows != 0, _BITS, np.uint32(0)).sum(axis=1, dtype=np.uint32)
        words[:, second] &= np.bitwise_or.reduce(rows, axis=1)
    return words
