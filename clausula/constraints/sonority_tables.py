"""Hard rules that read the chord, or the note before the last, as tables for the search.

The chord of a slice is the one that its notes spell (``spelled_chords``). Rules of a voice ask what
may follow a chord; rules of several voices ask what may sound together on a beat. No prover reads
these tables: like limits on copying they are masks alone, and a proof never rests on them.

Conventions: as in ``pair_tables``. Shapes: C contexts, R rows, E earlier notes: 32, or 1 where no
rule reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from clausula.constraints.pair_tables import (
    ContextClass,
    at_site,
    context_of,
    masked_rules,
    motions_of,
    packed,
    spelled_steps,
)
from clausula.constraints.predicates import changes
from clausula.constraints.rule import SILENCE, UNKNOWN, Harmony, Motion, Reads, Rule, Sites, Tone
from clausula.constraints.rulesets import RuleSet
from clausula.constraints.spelled_chords import MEMBERS, SPELLED, chord_numbers
from clausula.grid import REST, Voice
from clausula.pitch import Key, Mode
from clausula.vocabulary import FIRST_PITCH, N_VOICE, voice_semitones

_N_CLASSES = 13  # silence and the pitch classes
_FULL = np.uint32(0xFFFFFFFF)


class Following(NamedTuple):
    """What may follow a chord.

    Attributes:
        row: ``int32[chord]`` row of each chord of ``SPELLED``.
        words: ``uint32[C, V, R, E, 32]`` tokens by context, voice, row, the note before the last
            and the last note (sounding indices).
    """

    row: np.ndarray
    words: np.ndarray


def following_allowed(ruleset: RuleSet, contexts: Sequence[ContextClass]) -> Following | None:
    """What each voice may do after a chord; none where no hard rule asks."""
    rules = [rule for rule in masked_rules(ruleset, Sites.VOICE) if rule.reads]
    if not rules:
        return None
    earlier = N_VOICE if any(Reads.EARLIER in rule.reads for rule in rules) else 1
    parts = [
        [
            [_voice_words(ruleset, rule, replace(context, images=()), voice) for rule in rules]
            for voice in Voice
        ]
        for context in contexts
    ]
    flat = [part for by_voice in parts for by_rule in by_voice for part in by_rule]
    n_chords = len(SPELLED.root)
    # Chords after which the same is allowed share a row.
    rows: dict[tuple[bytes, ...], int] = {}
    number = np.zeros(n_chords, np.int32)
    for chord in range(n_chords):
        asked = tuple(part[min(chord, len(part) - 1)].tobytes() for part in flat)
        number[chord] = rows.setdefault(asked, len(rows))
    first = np.array([int(np.flatnonzero(number == row)[0]) for row in range(len(rows))])
    words = np.full((len(contexts), len(Voice), len(rows), earlier, N_VOICE), _FULL)
    for c, by_voice in enumerate(parts):
        for v, by_rule in enumerate(by_voice):
            for part in by_rule:
                words[c, v] &= part[np.minimum(first, len(part) - 1)]
    if (words == words[:, :, :, :1]).all():
        words = words[:, :, :, :1]
    return Following(number, words)


def together_allowed(ruleset: RuleSet, contexts: Sequence[ContextClass]) -> np.ndarray | None:
    """``uint32[C, 32, 32, 32]`` tenor notes by soprano, bass and alto; none where no rule asks.

    All four axes are sounding indices: a token that holds is asked about as what it holds.
    """
    if not _of_chords(ruleset) and not _spells(ruleset):
        return None
    return np.stack([_together(ruleset, context) for context in contexts])


def _of_chords(ruleset: RuleSet) -> list[Rule]:
    """The hard rules of several voices that read the chord."""
    rules = [*masked_rules(ruleset, Sites.PAIR), *masked_rules(ruleset, Sites.ALL)]
    return [rule for rule in rules if Reads.CHORD in rule.reads]


def _spells(ruleset: RuleSet) -> bool:
    """Whether only notes that spell a chord may stand on a beat."""
    return any(rule.spells for rule in ruleset.hard)


def _voice_words(ruleset: RuleSet, rule: Rule, context: ContextClass, voice: Voice) -> np.ndarray:
    """``uint32[chords or 1, E, 32]`` what one rule allows a voice."""
    if not at_site((rule,), (voice,), context):
        return np.full((1, 1, N_VOICE), _FULL)
    plain = replace(ruleset, name="", description="", settings=())
    setting = next(s for s in ruleset.settings if s.code == rule.code)
    return _words(replace(plain, settings=(setting,)), context, voice)


@lru_cache(maxsize=1024)
def _words(ruleset: RuleSet, context: ContextClass, voice: Voice) -> np.ndarray:
    """The same by a rule set of that rule alone."""
    (rule,) = ruleset.hard
    motion = motions_of(ruleset, context, voice, before_axis=2, token_axis=3, n_axes=4)
    chords = Harmony(*(field.reshape(-1, 1, 1, 1) for field in SPELLED))
    if Reads.CHORD not in rule.reads:
        chords = UNKNOWN
    without = _broken(rule, ruleset, context, motion, chords)
    if Reads.EARLIER not in rule.reads:
        return packed(~without)[:, 0, None]
    earlier = motion._replace(earlier=_notes(context, voice, axis=1))
    if Reads.CHORD not in rule.reads:
        return packed(~_broken(rule, ruleset, context, earlier, chords))
    # The note before only excuses what a chord asks, so chords that ask nothing are passed over.
    asks = without.any(axis=(1, 2, 3))
    words = np.full((len(without), N_VOICE, N_VOICE), _FULL)
    some = Harmony(*(field[asks] for field in chords))
    words[asks] = packed(~_broken(rule, ruleset, context, earlier, some))
    return words


def _broken(
    rule: Rule, ruleset: RuleSet, context: ContextClass, motion: Motion, chords: Harmony
) -> np.ndarray:
    """``bool[chords or 1, E, 32, 32]`` where a voice breaks a rule after chords."""
    own = context_of(ruleset, context)._replace(
        # What was heard counts for chords that last; of these the search knows nothing.
        chord_before=chords._replace(heard=0),
        # Another chord begins, for all that a voice knows, where it goes to another note.
        begins=changes(motion),
    )
    n_chords = np.size(chords.root)
    n_earlier = np.size(motion.earlier.semitone)
    shape = (n_chords, n_earlier, N_VOICE, N_VOICE)
    return np.array(np.broadcast_to(rule.breaks(motion, own), shape))


def _notes(context: ContextClass, voice: Voice, axis: int) -> Tone:
    """Every sounding index of a voice along an axis of four."""
    semitone = voice_semitones(voice).astype(np.int8)
    step = spelled_steps(context.key_before or context.key, semitone)
    shape = [N_VOICE if i == axis else 1 for i in range(4)]
    return Tone(*(array.reshape(shape) for array in (semitone, step, semitone != REST)))


def _together(ruleset: RuleSet, context: ContextClass) -> np.ndarray:
    """``uint32[32, 32, 32]`` of one context.

    In a minor key the relative major may be heard as the local key, as nothing but naturals tell.
    """
    plain = replace(context, images=(), arrival=False, key_before=None)
    nameless = replace(ruleset, name="", description="")
    allowed = _classes_together(nameless, plain)
    if context.key.mode is Mode.MINOR:
        key = context.key
        major = Key((key.tonic_pc + 3) % 12, (key.tonic_letter + 2) % 7, Mode.MAJOR)
        allowed = allowed & _classes_together(nameless, replace(plain, key=major))
    classes = [
        np.where(np.arange(N_VOICE) < FIRST_PITCH, 0, 1 + voice_semitones(voice) % 12)
        for voice in (Voice.SOPRANO, Voice.BASS, Voice.ALTO, Voice.TENOR)
    ]
    return packed(allowed[np.ix_(*classes)])


@lru_cache(maxsize=64)
def _classes_together(ruleset: RuleSet, context: ContextClass) -> np.ndarray:
    """``bool[13, 13, 13, 13]`` by pitch class, 0 for silence: soprano, bass, alto, tenor."""
    axes = {Voice.SOPRANO: 0, Voice.BASS: 1, Voice.ALTO: 2, Voice.TENOR: 3}
    semitone = np.concatenate([[REST], 60 + np.arange(12)])
    step = spelled_steps(context.key, semitone)
    grids = np.meshgrid(*[np.arange(_N_CLASSES)] * 4, indexing="ij")
    classes = np.stack([grids[axes[voice]] - 1 for voice in Voice], axis=-1)
    numbers = chord_numbers(classes)
    chord = Harmony(*(field[numbers] for field in SPELLED))
    own = context_of(ruleset, context)._replace(chord=chord, first=False)
    motions = []
    for voice in Voice:
        shape = [_N_CLASSES if i == axes[voice] else 1 for i in range(4)]
        tone = Tone(*(a.reshape(shape) for a in (semitone, step, semitone != REST)))
        motions.append(Motion(tone, tone, ruleset.low[voice], ruleset.high[voice], SILENCE))
    allowed = np.ones((_N_CLASSES,) * 4, bool)
    if _spells(ruleset):
        foreign = SPELLED.heard & ~MEMBERS != 0
        few = (classes >= 0).sum(axis=-1) < len(Voice)
        allowed &= few | ((numbers > 0) & ~foreign[numbers])
    for rule in _of_chords(ruleset):
        for site in rule.sites.of(len(Voice)):
            if not at_site((rule,), site, context):
                continue
            here = [motions[voice] for voice in site]
            asked = [here] if rule.sites is Sites.ALL else here
            allowed &= ~np.asarray(rule.breaks(*asked, own))
    return allowed
