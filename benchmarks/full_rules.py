"""Rules of part-writing said to CP-SAT: the combinations of tones that a rule's predicate forbids.

A rule looks at one or two voices before and after a moment. Its predicate is asked about every
combination of tones, and those that it calls violations are forbidden, frame by frame, as in what
is generated: across phrase ends as well. A note is spelled by the key in which it began, which a
frame does not say. Where several keys have passed, only what is a violation in every spelling is
forbidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
from full_music import SILENT, TONES, Music, pitches_of

from clausula.constraints.rule import Context, Motion, Rule, Tone
from clausula.constraints.rulesets import RuleSet, Setting
from clausula.grid import REST, Voice
from clausula.pitch import Key, Mode

BEFORE, AFTER = 0, 1


def say_rule(music: Music, code: str, ruleset: RuleSet, arrivals: Sequence[int]) -> None:
    """Forbid what a rule forbids, in all frames.

    Args:
        music: the voices.
        code: the rule's.
        ruleset: gives the ranges and the rule's switches.
        arrivals: frames at which a leading tone must resolve.
    """
    plan = music.plan
    (setting,) = (setting for setting in ruleset.settings if setting.code == code)
    rule = setting.rule
    keys = plan.key_of_frame
    for frame in music.frames:
        passed = tuple(dict.fromkeys(keys[: frame + 1]))
        for site in rule.sites.of(len(Voice)):
            if not rule.applies(site, len(Voice)):
                continue
            voices = tuple(Voice(voice) for voice in site)
            limits = tuple((ruleset.low[voice], ruleset.high[voice]) for voice in voices)
            local = (keys[max(0, frame - 1)], keys[frame])
            found = _forbidden(setting, voices, limits, passed, local, frame in arrivals)
            _forbid(music, rule, frame, voices, *found)


def _forbid(
    music: Music,
    rule: Rule,
    frame: int,
    voices: tuple[Voice, ...],
    axes: tuple[tuple[int, int], ...],
    combinations: tuple[tuple[int, ...], ...],
) -> None:
    """Add a clause for each combination; none where an earlier frame would be needed."""
    if frame == music.frames.start and any(when == BEFORE for when, _ in axes):
        return
    rows = [music[voices[place]].sounds[frame - (when == BEFORE)] for when, place in axes]
    for tones in combinations:
        music.model.add_bool_or(~row[tone] for row, tone in zip(rows, tones, strict=True))


@cache
def _forbidden(
    setting: Setting,
    voices: tuple[Voice, ...],
    limits: tuple[tuple[int, int], ...],
    passed: tuple[Key, ...],
    local: tuple[Key, Key],
    arrival: bool,
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, ...], ...]]:
    """What a rule looks at (before or after, and which voice), and the forbidden tones of it."""
    rule = setting.rule
    axes = [(when, place) for when in (BEFORE, AFTER) for place in range(len(voices))]
    broken = np.ones((len(TONES),) * len(axes), bool)
    for spelling in product(passed, repeat=len(axes)):
        motions = []
        for place, voice in enumerate(voices):
            tones = [
                _tone(voice, spelling[axes.index((when, place))], axes.index((when, place)), axes)
                for when in (BEFORE, AFTER)
            ]
            motions.append(Motion(tones[BEFORE], tones[AFTER], *limits[place]))
        broken &= rule.breaks(*motions, _context(*local, arrival))
    needed = [axis for axis in range(len(axes)) if not _same_along(broken, axis)]
    for axis in reversed(range(len(axes))):
        if axis not in needed:
            broken = broken.take(0, axis)
    if not needed:
        return (), ((),) if broken.all() else ()
    combinations = tuple(
        tuple(TONES[i] for i in indices) for indices in np.argwhere(broken).tolist()
    )
    return tuple(axes[axis] for axis in needed), combinations


def _same_along(broken: np.ndarray, axis: int) -> bool:
    """Whether a rule does not look at an axis."""
    return bool((broken == broken.take([0], axis)).all())


def _tone(voice: Voice, key: Key, axis: int, axes: Sequence[tuple[int, int]]) -> Tone:
    """All tones of a voice along one axis."""
    shape = [len(TONES) if i == axis else 1 for i in range(len(axes))]
    pitches = pitches_of(voice)
    semitone = np.array([REST, *pitches])
    step = np.array([0, *key.spell(pitches)])
    sounds = np.array(TONES) != SILENT
    return Tone(*(values.reshape(shape) for values in (semitone, step, sounds)))


def _context(before: Key, key: Key, arrival: bool) -> Context:
    return Context(
        tonic_pc=key.tonic_pc,
        tonic_letter=key.tonic_letter,
        minor=key.mode is Mode.MINOR,
        tonic_pc_before=before.tonic_pc,
        tonic_letter_before=before.tonic_letter,
        minor_before=before.mode is Mode.MINOR,
        boundary=False,
        arrival=arrival,
        first=False,
        low=None,
        high=None,
    )
