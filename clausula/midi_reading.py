"""MIDI: times that are nearly exact, and pitches without spelling.

Times are rounded to a twenty-fourth of a quarter note, which holds sixteenths and triplets. A note
that ends less than a sixteenth from the next beginning on its track ends there, because players and
programs shorten notes to articulate them. A line is what one channel of one track plays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import mido

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.key_finding import infer_key
from clausula.lines import Event, parts_of, polyphony, separate
from clausula.part_order import from_the_top
from clausula.pitch import Key, Mode, SpelledPitch
from clausula.score import Score

_TICKS = 24  # in a quarter note
_ARTICULATION = Fraction(1, 4)
_PERCUSSION = 9
_SHORTEST_BEAT = 64  # note value; in MIDI a beat may be a 2 to the 255th of a whole note
_UNKNOWN = ((Fraction(0), Key(0, 0, Mode.MAJOR)),)


def score_of_midi(file: mido.MidiFile) -> Score:
    """A `Score` of a standard MIDI file, quantised and spelled in its key.

    The key is the file's own; without one it is inferred from the notes, and ``key_given`` is
    false. A first time signature that lasts one measure and is shorter than the next is a pick-up.

    Args:
        file: what mido read.

    Raises:
        InputError: no notes, or a track whose chords cannot be read as lines.
    """
    if file.ticks_per_beat <= 0:
        raise InputError("its times are in seconds, not in beats; try exporting it with a tempo")
    messages = [list(_timed(track, file.ticks_per_beat)) for track in file.tracks]
    meters, pickup = _meters(message for track in messages for message in track)
    empty = Score((), meters, _UNKNOWN, pickup)

    def where(onset: Fraction) -> str:
        return "measure {}, beat {}".format(*empty.place(onset))

    staves: list[tuple[str, list[list[Event]]]] = []
    for track, timed in zip(file.tracks, messages, strict=True):
        for events in _channels(timed):
            events = _articulated(events)
            count = polyphony(events)
            staves.append((track.name, [events] if count == 1 else separate(events, count, where)))
    lines = [(staves[i][0], "", line) for i in from_the_top(staves) for line in staves[i][1]]
    if not lines:
        raise InputError("there are no notes in it; try another file")
    score = Score(parts_of(lines, empty.place, len(lines) > len(staves)), meters, _UNKNOWN, pickup)
    keys = _keys(message for track in messages for message in track)
    given = bool(keys)
    return _spelled(
        replace(score, keys=keys or ((Fraction(0), infer_key(score)),), key_given=given)
    )


def _timed(
    track: mido.MidiTrack, ticks_per_beat: int
) -> Iterable[tuple[Fraction, mido.messages.BaseMessage]]:
    """Messages with their times in quarter notes, rounded."""
    ticks = 0
    for message in track:
        ticks += message.time
        yield Fraction(round(Fraction(ticks * _TICKS, ticks_per_beat)), _TICKS), message


def _channels(
    timed: Iterable[tuple[Fraction, mido.messages.BaseMessage]],
) -> list[list[Event]]:
    """The notes of each channel of a track, unspelled (``step`` is 0)."""
    channels: dict[int, list[Event]] = {}
    sounding: dict[tuple[int, int], Fraction] = {}
    for now, message in timed:
        if message.type not in ("note_on", "note_off") or message.channel == _PERCUSSION:
            continue
        struck = (message.channel, message.note)
        onset = sounding.pop(struck, None)
        if onset is not None and now > onset:
            event = Event(onset, now - onset, SpelledPitch(message.note, 0))
            channels.setdefault(message.channel, []).append(event)
        if message.type == "note_on" and message.velocity > 0:
            sounding[struck] = now
    return [channels[channel] for channel in sorted(channels)]


def _articulated(events: list[Event]) -> list[Event]:
    """The events with every end moved to the nearest beginning, if that is near enough."""
    onsets = sorted({event.onset for event in events})
    mended = []
    for event in events:
        end = event.onset + event.duration
        i = bisect_left(onsets, end)
        near = [
            onset
            for onset in onsets[max(0, i - 1) : i + 1]
            if onset > event.onset and abs(onset - end) < _ARTICULATION
        ]
        end = min(near, key=lambda onset: abs(onset - end), default=end)
        mended.append(replace(event, duration=end - event.onset))
    return mended


def _meters(
    timed: Iterable[tuple[Fraction, mido.messages.BaseMessage]],
) -> tuple[tuple[tuple[Fraction, Meter], ...], Fraction]:
    """Meter map and length of the pick-up.

    Raises:
        InputError: a time signature without beats.
    """
    found = {}
    for now, message in timed:
        if message.type == "time_signature":
            found[now] = Meter(message.numerator, message.denominator)
            if message.numerator < 1 or message.denominator > _SHORTEST_BEAT:
                raise InputError(f"its time signature {found[now]} is none; try mending it")
    first = min(found, default=None)
    if first != 0:
        found[Fraction(0)] = Meter(4, 4)
    meters = sorted(found.items(), key=lambda entry: entry[0])
    if len(meters) > 1:
        (_, short), (second, full) = meters[:2]
        if second == short.quarters < full.quarters:
            return ((Fraction(0), full), *meters[2:]), second
    return tuple(meters), Fraction(0)


def _keys(
    timed: Iterable[tuple[Fraction, mido.messages.BaseMessage]],
) -> tuple[tuple[Fraction, Key], ...]:
    """Key map; empty when the file names no key."""
    found = {
        now: Key.parse(message.key) for now, message in timed if message.type == "key_signature"
    }
    if not found:
        return ()
    first = min(found)
    found = {(Fraction(0) if at == first else at): key for at, key in found.items()}
    return tuple(sorted(found.items(), key=lambda entry: entry[0]))


def _spelled(score: Score) -> Score:
    """The score with every note spelled as the key in force spells it."""
    parts = []
    for part in score.parts:
        notes = []
        for note in part.notes:
            step = int(score.key_at(note.onset).spell(note.pitch.semitone))
            notes.append(replace(note, pitch=SpelledPitch(note.pitch.semitone, step)))
        parts.append(replace(part, notes=tuple(notes)))
    return replace(score, parts=tuple(parts))
