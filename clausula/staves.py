"""From music21's streams to a `Score`: measures, signatures, staves and their lines.

A measure shorter than its meter is joined to the next when the two make one full measure (a repeat
sign within a measure); any other irregular measure becomes a change of meter, so that every place
in the score keeps its metrical position. The first one is the pick-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, zip_longest

from music21 import chord, clef, expressions, key, meter, note, percussion, stream

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.label_reading import Placed
from clausula.lines import Event, parts_of, polyphony, separate, sung_by_both
from clausula.part_order import from_the_top
from clausula.pitch import LETTERS, Key, Mode, SpelledPitch
from clausula.score import Label, Score

_CLEFS = {
    "TrebleClef": "treble",
    "Treble8vbClef": "treble8vb",
    "BassClef": "bass",
    "AltoClef": "alto",
    "TenorClef": "tenor",
}
_HIGHEST = 127  # MIDI number of the highest note
_NOTE_VALUES = (1, 2, 4, 8, 16, 32, 64)  # that a time signature may count
# Part, staff in it (from 1), measure, offset in the measure, pitch -> ids, voices as in the file.
NoteIds = dict[tuple[int, int, int, Fraction, SpelledPitch], list[str]]


def score_of(
    parsed: stream.Stream, ids: NoteIds | None = None, labels: Sequence[Placed] = ()
) -> Score:
    """A `Score` of everything that music21 read.

    Args:
        parsed: a score with measures.
        ids: the file's own note ids; others are made from voice, measure and count.
        labels: what is written beside the notes.

    Raises:
        InputError: no notes, or a staff whose chords cannot be read as lines.
    """
    parts = parsed.parts if isinstance(parsed, stream.Score) else [parsed]
    staves: list[stream.Stream] = [_in_sounding_pitch(part) for part in parts]
    columns = [list(_measured(staff).getElementsByClass(stream.Measure)) for staff in staves]
    if not any(columns):
        raise InputError("there are no measures in it; try another file")
    meters, starts, pickup, length = _timeline(columns)
    empty = Score((), meters, ((Fraction(0), Key(0, 0, Mode.MAJOR)),), pickup, length=length)
    origins = _origins(staves)
    lines: list[tuple[str, str, list[Event]]] = []
    pitched = [i for i, staff in enumerate(staves) if not _is_percussion(staff)]
    found = [
        _staff_lines(i, origins[i], columns[i], starts, ids or {}, empty.place) for i in pitched
    ]
    called = [getattr(staves[i], "partName", None) or "" for i in pitched]
    for at in from_the_top(list(zip(called, found, strict=True))):
        clef_name, name = _clef(columns[pitched[at]]), called[at]
        several = len(found[at]) > 1
        names = [f"{name} {i + 1}".strip() if several else name for i in range(len(found[at]))]
        lines += [(n, clef_name, line) for n, line in zip(names, found[at], strict=True)]
    lines = [line for line in lines if line[2]] if len(lines) != 4 else lines
    if not any(events for _, _, events in lines):
        raise InputError("there are no notes in it; try another file")
    keys, given = _keys(columns, starts)
    metadata = parsed.metadata
    return Score(
        parts_of(lines, empty.place, split=len(lines) > len(pitched)),
        meters,
        keys,
        pickup,
        title=(metadata.title or metadata.movementName or "") if metadata else "",
        composer=(metadata.composer or "") if metadata else "",
        length=length,
        key_given=given,
        labels=_labels(labels, starts),
    )


def _labels(labels: Sequence[Placed], starts: Sequence[Fraction]) -> tuple[Label, ...]:
    """The labels in order of time, onsets from the start of the piece."""
    placed = [replace(label, onset=starts[index] + label.onset) for index, label in labels]
    return tuple(sorted(placed, key=lambda label: label.onset))


def spelled(pitch) -> SpelledPitch:
    """The spelled pitch of a music21 pitch.

    Raises:
        InputError: it lies between two semitones, or beyond MIDI's 128.
    """
    semitone = int(pitch.ps)
    if semitone != pitch.ps or not 0 <= semitone <= _HIGHEST:
        what = "a quarter tone" if semitone != pitch.ps else "none of MIDI's 128 notes"
        raise InputError(f"{pitch.nameWithOctave} is {what}; try mending its pitch")
    return SpelledPitch(semitone, 7 * pitch.implicitOctave + LETTERS.index(pitch.step))


def _is_percussion(staff: stream.Stream) -> bool:
    """Whether a staff has notes and none of them has a pitch."""
    notes = list(staff.recurse().notes)
    return bool(notes) and all(
        isinstance(one, note.Unpitched | percussion.PercussionChord) for one in notes
    )


def _in_sounding_pitch(staff: stream.Stream) -> stream.Stream:
    """The staff itself, or a copy at sounding pitch where its instrument transposes."""
    transposes = any(i.transposition for i in staff.getInstruments(returnDefault=False))
    return staff.toSoundingPitch() if transposes else staff


def _measured(staff: stream.Stream) -> stream.Stream:
    has_measures = bool(staff.getElementsByClass(stream.Measure))
    return staff if has_measures else staff.makeMeasures()


def _timeline(
    columns: Sequence[Sequence[stream.Measure]],
) -> tuple[tuple[tuple[Fraction, Meter], ...], list[Fraction], Fraction, Fraction]:
    """Meter map, start of every written measure, length of the pick-up, length of the piece."""
    lengths: list[Fraction] = []
    nominal: list[Meter] = []
    now = Meter(4, 4)
    for row in zip_longest(*columns):
        for measure in row:
            if measure is not None and measure.timeSignature is not None:
                now = _meter(measure.timeSignature)
                break
        longest = max(exact(measure.highestTime) for measure in row if measure is not None)
        lengths.append(longest or now.quarters)
        nominal.append(now)
    *starts, total = accumulate(lengths, initial=Fraction(0))
    first = _pickup(lengths, nominal)
    # A meter written for the pick-up alone gives way to the meter of what follows.
    meters = [(Fraction(0), nominal[1] if first else nominal[0])]
    i = 1 if first else 0
    while i < len(lengths):
        joined = _joined(lengths, nominal, i)
        length = sum(lengths[i : i + joined], Fraction(0))
        last = i + joined == len(lengths)
        meter_here = nominal[i]
        # An overfull measure of whole measures, or a last one cut short, leaves the meter alone.
        cut_short = last and length < meter_here.quarters
        if length % meter_here.quarters and not cut_short:
            meter_here = _irregular(length, meter_here, i + 1)
        if meter_here != meters[-1][1]:
            meters.append((starts[i], meter_here))
        i += joined
    if len(meters) > 1 and meters[1][0] == 0:
        meters = meters[1:]
    return tuple(meters), starts, lengths[0] if first else Fraction(0), total


def _pickup(lengths: Sequence[Fraction], nominal: Sequence[Meter]) -> bool:
    """Whether the first written measure is a pick-up."""
    if len(lengths) < 2:
        return False
    return lengths[0] < max(nominal[0].quarters, nominal[1].quarters) and (
        lengths[0] < nominal[0].quarters or lengths[1] == nominal[1].quarters
    )


def _joined(lengths: Sequence[Fraction], nominal: Sequence[Meter], first: int) -> int:
    """How many written measures, from the first, make one full measure; 1 if none do."""
    total = Fraction(0)
    for i in range(first, len(lengths)):
        total += lengths[i]
        if total == nominal[first].quarters:
            return i + 1 - first
        if total > nominal[first].quarters or nominal[i] != nominal[first]:
            break
    return 1


def _irregular(length: Fraction, meter_here: Meter, number: int) -> Meter:
    """The meter of a measure of this length, in the beat unit of its time signature if it can.

    Raises:
        InputError: no time signature says that length; ``number`` is the measure's in the message.
    """
    denominator = meter_here.denominator
    while (length * denominator / 4).denominator != 1:
        denominator *= 2
        if denominator > _NOTE_VALUES[-1]:
            raise InputError(
                f"written measure {number} is {length} quarter notes long, which no time "
                "signature can say; try mending its rhythm"
            )
    return Meter(int(length * denominator / 4), denominator)


def _meter(signature: meter.TimeSignature) -> Meter:
    numerator, denominator = int(signature.numerator), int(signature.denominator)
    if numerator < 1 or denominator not in _NOTE_VALUES:
        raise InputError(f"its time signature {numerator}/{denominator} is none; try mending it")
    return Meter(numerator, denominator)


def exact(value) -> Fraction:
    """A music21 offset or length as a fraction; its floats are dyadic, so nothing is lost."""
    return Fraction(value)


def key_of(signature: key.KeySignature) -> tuple[Key, bool]:
    """A key signature as a key, and whether its tonic and mode were given."""
    mode = getattr(signature, "mode", "")
    given = mode in ("major", "minor")
    tonic = signature.asKey(mode if given else "major").tonic
    letter = LETTERS.index(tonic.step)
    return Key(int(tonic.pitchClass), letter, Mode(mode) if given else Mode.MAJOR), given


def _keys(
    columns: Sequence[Sequence[stream.Measure]], starts: Sequence[Fraction]
) -> tuple[tuple[tuple[Fraction, Key], ...], bool]:
    """Key map from the first staff that has signatures, and whether all name tonic and mode."""
    for measures in columns:
        found: dict[Fraction, tuple[Key, bool]] = {}
        for i, measure in enumerate(measures):
            for element in measure.getElementsByClass(key.KeySignature):
                onset = starts[i] + exact(element.offset)
                # kern writes signature and key at one place: the key says more.
                if not found.get(onset, (None, False))[1]:
                    found[onset] = key_of(element)
        if not found:
            continue
        changes = [(Fraction(0), next(iter(found.values()))[0])]
        for onset, (key_here, _) in found.items():
            if key_here != changes[-1][1]:
                changes.append((onset, key_here))
        return tuple(changes), all(given for _, given in found.values())
    return ((Fraction(0), Key(0, 0, Mode.MAJOR)),), False


def _clef(measures: Sequence[stream.Measure]) -> str:
    for measure in measures:
        for element in measure.recurse().getElementsByClass(clef.Clef):
            return _CLEFS.get(type(element).__name__, "")
    return ""


def _origins(staves: Sequence[stream.Stream]) -> list[tuple[int, int]]:
    """Which part of the file each staff comes from, and its number there from 1."""
    origins: list[tuple[int, int]] = []
    part, last = -1, None
    for staff in staves:
        name, _, number = str(staff.id).rpartition("-Staff")
        is_staff_of_part = isinstance(staff, stream.PartStaff) and bool(name)
        if not is_staff_of_part or name != last:
            part += 1
        last = name if is_staff_of_part else None
        origins.append((part, int(number) if is_staff_of_part else 1))
    return origins


def _staff_lines(
    staff: int,
    origin: tuple[int, int],
    measures: Sequence[stream.Measure],
    starts: Sequence[Fraction],
    ids: NoteIds,
    place: Callable[[Fraction], tuple[int, Fraction]],
) -> list[list[Event]]:
    """The lines of one staff, highest first."""

    def where(onset: Fraction) -> str:
        measure, beat = place(onset)
        return f"staff {staff + 1}, measure {measure}, beat {beat}"

    layered = [
        [_events(layer, starts[i], where) for layer in _layers(measure)]
        for i, measure in enumerate(measures)
    ]
    written = max((len(layers) for layers in layered), default=1)
    for i, layers in enumerate(layered):
        layered[i] = [
            [_placed(event, origin, i, starts[i], ids) for event in layer] for layer in layers
        ]
    if written == 1:
        events = [event for layers in layered for layer in layers for event in layer]
        count = polyphony(events)
        return [events] if count <= 1 else separate(events, count, where)
    lines: list[list[Event]] = [[] for _ in range(written)]
    for measure, start, layers in zip(measures, starts, layered, strict=False):
        for line, events in zip(
            lines, _shared(measure, start, layers, written, where), strict=True
        ):
            line += events
    return lines


def _shared(
    measure: stream.Measure,
    start: Fraction,
    layers: list[list[Event]],
    written: int,
    where: Callable[[Fraction], str],
) -> list[list[Event]]:
    """What each of the ``written`` lines of a staff has in a measure, highest first."""
    if len(layers) == 1:
        return separate(layers[0], written, where)
    if len(layers) != written or any(polyphony(layer) > 1 for layer in layers):
        raise InputError(
            f"{where(start)}: {len(layers)} voices, some perhaps with chords, on a staff "
            f"of {written} lines; try writing each line as a voice of its own throughout"
        )
    if written != 2:
        return layers
    return sung_by_both(layers, [_printed_rests(layer, start) for layer in _layers(measure)])


def _layers(measure: stream.Measure) -> list[stream.Stream]:
    """The voices written in a measure, or the measure itself."""
    voices = [voice for voice in measure.voices if voice.notesAndRests]
    return voices or [measure]


def _printed_rests(layer: stream.Stream, start: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Start and end of each rest that can be seen in a layer of the measure that starts there."""
    shift = start + (exact(layer.offset) if isinstance(layer, stream.Voice) else 0)
    return [
        (shift + exact(rest.offset), shift + exact(rest.offset + rest.quarterLength))
        for rest in layer.getElementsByClass(note.Rest)
        if not rest.style.hideObjectOnPrint
    ]


def _events(layer: stream.Stream, start: Fraction, where: Callable[[Fraction], str]) -> list[Event]:
    """The notes of one layer, onsets from the start of its measure; those without length dropped.

    Args:
        layer: a measure or a voice in it.
        start: of the measure, in quarter notes.
        where: says where a moment is, for messages.

    Raises:
        InputError: a pitch that is none of MIDI's.
    """
    shift = exact(layer.offset) if isinstance(layer, stream.Voice) else Fraction(0)
    events: list[Event] = []
    for element in layer.notes:
        if not element.quarterLength or not isinstance(element, note.Note | chord.Chord):
            continue
        members = element.notes if isinstance(element, chord.Chord) else (element,)
        onset, duration = shift + exact(element.offset), exact(element.quarterLength)
        fermata = any(isinstance(mark, expressions.Fermata) for mark in element.expressions)
        try:
            pitches = {id(member): spelled(member.pitch) for member in members}
        except InputError as error:
            raise InputError(f"{where(start + onset)}: {error}") from error
        for i, member in enumerate(sorted(members, key=lambda one: one.pitch.ps)):
            events.append(
                Event(
                    onset,
                    duration,
                    pitches[id(member)],
                    member.tie.type if member.tie else "",
                    fermata,
                    (element.lyric or "") if i == 0 else "",
                )
            )
    return events


def _placed(
    event: Event, origin: tuple[int, int], measure: int, start: Fraction, ids: NoteIds
) -> Event:
    """The event at its onset in the piece, with the file's own id."""
    names = ids.get((*origin, measure, event.onset, event.pitch))
    return replace(event, onset=start + event.onset, id=names.pop(0) if names else "")
