"""The words that predicates are made of; see `clausula.constraints.rule`."""

from __future__ import annotations

from clausula.constraints.rule import NONE, Array, Context, Motion, Tone
from clausula.grid import REST


def sounds(tone: Tone) -> Array:
    """``bool[...]``: whether the voice is not silent."""
    return tone.semitone != REST


def changes(voice: Motion) -> Array:
    """``bool[...]``: whether the voice goes from one pitch to another."""
    moves = voice.before.semitone != voice.after.semitone
    return moves & sounds(voice.before) & sounds(voice.after)


def similar(upper: Motion, lower: Motion) -> Array:
    """``bool[...]``: whether two voices that both change pitch move in the same direction."""
    upper_rises = upper.after.semitone > upper.before.semitone
    lower_rises = lower.after.semitone > lower.before.semitone
    return changes(upper) & changes(lower) & (upper_rises == lower_rises)


def stands_on(tone: Tone, context: Context, degree: int, chroma: int) -> Array:
    """``bool[...]``: whether a tone is a given degree of the local key.

    Args:
        tone: what sounds.
        context: gives the key.
        degree: letter names above the tonic's, 0 to 6.
        chroma: semitones above the tonic, 0 to 11.
    """
    letter = (tone.step - context.tonic_letter) % 7 == degree
    return sounds(tone) & letter & ((tone.semitone - context.tonic_pc) % 12 == chroma)


def inverse(condition: Array) -> Array:
    """``bool[...]``: the opposite; unlike ``~`` it holds for a plain ``True`` as well."""
    return condition ^ True


def interval(voice: Motion, semitones: int, steps: int) -> Array:
    """``bool[...]``: whether a voice moves by that interval, upwards where it is positive."""
    return (voice.after.semitone - voice.before.semitone == semitones) & (
        voice.after.step - voice.before.step == steps
    )


def steps_down(voice: Motion) -> Array:
    """``bool[...]``: whether a voice falls by a minor or a major second."""
    return interval(voice, -1, -1) | interval(voice, -2, -1)


def steps_up(voice: Motion) -> Array:
    """``bool[...]``: whether a voice rises by a minor or a major second."""
    return interval(voice, 1, 1) | interval(voice, 2, 1)


def is_member(tone: Tone, member: Array) -> Array:
    """``bool[...]``: whether a tone is a member of a chord, given by its pitch class."""
    return sounds(tone) & (member != NONE) & (tone.semitone % 12 == member)


def degree_of(pitch_class: Array, context: Context) -> Array:
    """Semitones of a pitch class above the tonic, 0 to 11."""
    return (pitch_class - context.tonic_pc) % 12


def sounding_among(pitch_class: Array, bits: Array) -> Array:
    """``bool[...]``: whether a pitch class is among the bits of ``Harmony.heard``."""
    return (bits >> (pitch_class % 12)) % 2 == 1
