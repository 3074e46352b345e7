"""Scores as MIDI: one track a part, after one with tempo and signatures.

Conventions: a pick-up is a measure in a meter of its own length, for MIDI knows no other; a
repeated note stops a little early, so that it is heard anew. Equal scores give equal bytes.
"""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from math import lcm

import mido

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.pitch import Key, Mode
from clausula.score import Part, Score

_TICKS = 480  # a quarter note
_REPEAT_GAP = 12  # ticks of silence before a repeated note
_VELOCITY = 80
_CHOIR_PROGRAM = 52  # General MIDI "Choir Aahs", counted from 0
_PERCUSSION = 9  # the channel that sounds drums, counted from 0


def to_midi(score: Score, bpm: float = 72) -> bytes:
    """A standard MIDI file of type 1.

    Args:
        score: what to write.
        bpm: quarter notes a minute.

    Raises:
        InputError: a tempo that is not between 4 and 1000, or a pick-up no time signature can say.
    """
    if not 4 <= bpm <= 1000:
        raise InputError(f"{bpm} quarter notes a minute is no tempo; try 72")
    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS, charset="utf-8")
    file.tracks.append(_conductor(score, bpm))
    channels = [channel for channel in range(16) if channel != _PERCUSSION]
    for i, part in enumerate(score.parts):
        file.tracks.append(_track(part, channels[i % len(channels)], score.length))
    written = BytesIO()
    file.save(file=written)
    return written.getvalue()


def _conductor(score: Score, bpm: float) -> mido.MidiTrack:
    """Title, tempo, time and key signatures."""
    events = [(0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))]
    if score.title:
        events.insert(0, (0, mido.MetaMessage("track_name", name=score.title)))
    for onset, meter in _meters(score):
        message = mido.MetaMessage(
            "time_signature", numerator=meter.numerator, denominator=meter.denominator
        )
        events.append((_ticks(onset), message))
    for onset, key in score.keys if score.key_given else ():
        events.append((_ticks(onset), mido.MetaMessage("key_signature", key=_key_name(key))))
    return _in_order(events, score.length)


def _meters(score: Score) -> list[tuple[Fraction, Meter]]:
    """The meter map, with a measure of the pick-up's length before the first full one."""
    if not score.pickup:
        return list(score.meters)
    # A measure of n times 1 / unit of a quarter note.
    unit = lcm(Fraction(4, score.meters[0][1].denominator).denominator, score.pickup.denominator)
    if unit.bit_count() != 1:
        raise InputError(
            f"MIDI cannot say a pick-up of {score.pickup} quarter notes; try writing MusicXML"
        )
    first = Meter(int(score.pickup * unit), 4 * unit)
    later = [entry for entry in score.meters if entry[0] > score.pickup]
    return [(Fraction(0), first), (score.pickup, score.meter_at(score.pickup)), *later]


def _key_name(key: Key) -> str:
    return key.tonic_name + ("m" if key.mode is Mode.MINOR else "")


def _track(part: Part, channel: int, length: Fraction) -> mido.MidiTrack:
    """The notes of a part."""
    events = [
        (0, mido.MetaMessage("track_name", name=part.name)),
        (0, mido.Message("program_change", program=_CHOIR_PROGRAM, channel=channel)),
    ]
    nexts = [*part.notes[1:], None]
    for note, following in zip(part.notes, nexts, strict=True):
        pitch = note.pitch.semitone
        begin, end = _ticks(note.onset), _ticks(note.end)
        if following and following.onset == note.end and following.pitch.semitone == pitch:
            end -= min(_REPEAT_GAP, (end - begin) // 2)
        sound = {"note": pitch, "channel": channel, "velocity": _VELOCITY}
        events.append((begin, mido.Message("note_on", **sound)))
        events.append((end, mido.Message("note_off", **{**sound, "velocity": 0})))
    return _in_order(events, length)


def _in_order(events: list[tuple[int, mido.messages.BaseMessage]], length: Fraction):
    """A track of events at absolute ticks, that ends with the last measure."""
    track, now = mido.MidiTrack(), 0
    for ticks, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=ticks - now))
        now = ticks
    track.append(mido.MetaMessage("end_of_track", time=_ticks(length) - now))
    return track


def _ticks(quarters: Fraction) -> int:
    return round(quarters * _TICKS)
