"""What each constraint asks, said to CP-SAT from its definition (manual and docstrings).

No automaton, table of the search, narrowed domain or prover takes part. Three things are shared
with the package, as they *are* the definitions: the plan's places and keys, the note that a
transposition makes of a note, and how a pattern's text is read into places.

A constraint may be said weaker than it is, never stronger: then what is unsatisfiable here is so in
truth. Limits on copies and wishes are not said at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from full_music import PITCHES, SILENT, TONES, Line, Literal, Music, pitches_of, tones_where
from full_patterns import say_chord_pattern, say_contour, say_pattern

from clausula.constraints.cadence import REACH_BEATS, Cadence, CadenceKind
from clausula.constraints.chord_pattern import ChordPattern
from clausula.constraints.contour import Contour
from clausula.constraints.counting import Climax, Count, Stagnation
from clausula.constraints.pattern import Pattern
from clausula.constraints.pins import Pin
from clausula.constraints.place import Timeline
from clausula.constraints.repeat import Repeat
from clausula.constraints.sonority import (
    Chord,
    Progression,
    Range,
    Rhythm,
    Scale,
    chord_classes,
    lengths_of,
    scale_of,
)
from clausula.constraints.text import Constraint
from clausula.constraints.transposition import image
from clausula.constraints.vary import Vary
from clausula.engine.plan import Plan
from clausula.grid import Voice
from clausula.pitch import Mode

INNER = (Voice.ALTO, Voice.TENOR)
UPPER = (Voice.SOPRANO, *INNER)


def reach(constraint: Constraint, plan: Plan) -> range | None:
    """The frames that a constraint concerns; none where each part of the piece bears its own."""
    timeline = plan.timeline
    match constraint:
        case Cadence():
            arrival = timeline.frame_of(constraint.measure, constraint.beat)
            first = arrival - (1 + REACH_BEATS) * timeline.frames_per_beat
            return range(max(0, first), min(timeline.n_frames, timeline.phrase_end(arrival) + 1))
        case Pin():
            frame = timeline.frame_of(constraint.measure, constraint.beat)
            return range(frame if constraint.onset else _measure_before(timeline, frame), frame + 1)
        case Repeat() | Vary():
            source, target = passage_and_copy(timeline, constraint)
            return range(source.start, min(timeline.n_frames, target.stop + 1))
        case Chord():
            return constraint.frames(timeline)
        case Progression():
            chords = [chord.frames(timeline) for chord in constraint.chords(timeline)]
            return range(chords[0].start, chords[-1].stop)
        case Rhythm():
            start = timeline.frame_of(*constraint.at)
            length = sum(quarters for _, quarters in lengths_of(constraint.values))
            stop = start + int(length * timeline.frames_per_quarter)
            return range(start, min(timeline.n_frames, stop + 1))
        case Pattern() | ChordPattern() | Contour():
            return timeline.frames(constraint.span)
        case Stagnation():
            return None
        case Climax() | Count() | Range() | Scale():
            return None if constraint.span is None else timeline.frames(constraint.span)
    return None


def say(music: Music, constraint: Constraint) -> bool:
    """Add what a constraint asks of the music's frames; false where it cannot be said."""
    match constraint:
        case Cadence():
            _cadence(music, constraint)
        case Pin():
            _pin(music, constraint)
        case Repeat():
            _repeat(music, constraint)
        case Vary():
            _vary(music, constraint)
        case Climax():
            _climax(music, constraint)
        case Count():
            _count(music, constraint)
        case Stagnation():
            _stagnation(music, constraint)
        case Range() | Scale():
            _keeps_to(music, constraint)
        case Chord():
            _chord(music, constraint)
        case Progression():
            for chord in constraint.chords(music.plan.timeline):
                _chord(music, chord)
        case Rhythm():
            _rhythm(music, constraint)
        case Pattern():
            say_pattern(music, constraint)
        case ChordPattern():
            say_chord_pattern(music, constraint)
        case Contour():
            say_contour(music, constraint)
        case _:
            return False
    return True


def _measure_before(timeline: Timeline, frame: int) -> int:
    """The first frame of the measure before that of a frame."""
    here = frame - int(timeline.position[frame])
    return max(0, here - timeline.frames_per_measure)


def _classes(voice: Voice, tonic: int, degrees: Iterable[int]) -> set[int]:
    """Tones of a voice whose pitch classes lie so many semitones above a tonic."""
    wanted = set(degrees)
    return tones_where(voice, ((int(p) - tonic) % 12 in wanted for p in pitches_of(voice)))


def _cadence(music: Music, cadence: Cadence) -> None:
    """See the module ``cadence``: goal, approach, and what holds of all kinds."""
    timeline = music.plan.timeline
    arrival = timeline.frame_of(cadence.measure, cadence.beat)
    approach = range(arrival - timeline.frames_per_beat, arrival)
    end = timeline.phrase_end(arrival)
    key = cadence.key_in(music.plan.key)
    tonic, minor = key.tonic_pc, key.mode is Mode.MINOR
    third, sixth = (3, 8) if minor else (4, 9)
    tonic_triad, dominant, subdominant = (0, third, 7), (7, 11, 2), (5, sixth, 0)
    oldest = max(
        timeline.phrase_start(approach.start),
        approach.start - REACH_BEATS * timeline.frames_per_beat,
    )
    kind = cadence.kind
    goal, bass, soprano = {
        CadenceKind.PAC: (tonic_triad, 0, (0,)),
        CadenceKind.IAC: (tonic_triad, 0, (third, 7)),
        CadenceKind.DC: ((sixth, 0, third), sixth, (0, third)),
        CadenceKind.PLAGAL: (tonic_triad, 0, tonic_triad),
        CadenceKind.PHRYGIAN: (dominant, 7, dominant),
        CadenceKind.HC: (dominant, 7, dominant),
    }[kind]
    for voice in Voice:
        line = music[voice]
        for frame in approach:
            music.model.add(line.sounds[frame][SILENT] == 0)
        allowed = (bass,) if voice is Voice.BASS else soprano if voice is Voice.SOPRANO else goal
        line.only(arrival, _classes(voice, tonic, allowed))
        if voice not in INNER:
            music.model.add(line.begins[arrival] == 1)
        else:
            line.young(arrival, oldest)
        for frame in range(arrival + 1, end):
            line.held(frame)
        line.not_held(end)
    _someone(music, arrival, tonic, goal[1])
    if kind is CadenceKind.HC:
        line = music[Voice.BASS]
        others = _classes(Voice.BASS, tonic, set(range(12)) - {7})
        line.only(arrival - 1, others)
        line.young(arrival - 1, oldest)
        return
    members, below = {
        CadenceKind.PLAGAL: (subdominant, 5),
        CadenceKind.PHRYGIAN: ((5, 8, 0), 8),
    }.get(kind, ((7, 11, 2, 5), 7))
    for voice in Voice:
        for frame in approach:
            degrees = (below,) if voice is Voice.BASS else members
            music[voice].only(frame, _classes(voice, tonic, degrees))
        music[voice].young(approach.start, oldest)
    if kind.leads:
        for frame in approach:
            _someone(music, frame, tonic, 11)
    stranded = {CadenceKind.PAC: 5, CadenceKind.IAC: 11}.get(kind)
    if stranded is not None:
        left = _classes(Voice.SOPRANO, tonic, (stranded,))
        music[Voice.SOPRANO].only(arrival - 1, set(TONES) - left)


def _someone(music: Music, frame: int, tonic: int, degree: int) -> None:
    """Some voice sounds a pitch class."""
    music.model.add_bool_or(
        music[voice].sounds[frame][tone]
        for voice in Voice
        for tone in _classes(voice, tonic, (degree,))
    )


def _pin(music: Music, pin: Pin) -> None:
    frame = music.plan.timeline.frame_of(pin.measure, pin.beat)
    line = music[pin.voice]
    line.only(frame, tones_where(pin.voice, pitches_of(pin.voice) == pin.pitch.semitone))
    if pin.onset:
        music.model.add(line.begins[frame] == 1)
    else:
        line.young(frame, _measure_before(music.plan.timeline, frame))


def passage_and_copy(timeline: Timeline, repeat: Repeat | Vary) -> tuple[range, range]:
    """The frames of a passage and of its copy."""
    source = timeline.frames(repeat.source)
    start = timeline.frame_of(*repeat.at)
    return source, range(start, start + len(source))


def _images(music: Music, repeat: Repeat | Vary, voice: Voice) -> dict[int, int]:
    """The tone that each tone becomes; those that cannot be sung or spelled are left out."""
    pitches = pitches_of(voice).tolist()
    images = {}
    for tone, pitch in zip(PITCHES, pitches, strict=True):
        moved = image(repeat.how, music.plan.key, pitch)
        if moved is not None and moved.semitone in pitches:
            images[tone] = PITCHES[pitches.index(moved.semitone)]
    return images


def _repeat(music: Music, repeat: Repeat) -> None:
    """Onsets, note ends and moved pitches agree; both begin with a note, neither is held out."""
    source, target = passage_and_copy(music.plan.timeline, repeat)
    for voice in repeat.voices:
        line, images = music[voice], _images(music, repeat, voice)
        for frames in (source, target):
            music.model.add(line.begins[frames.start] == 1)
            if frames.stop < music.plan.timeline.n_frames:
                line.not_held(frames.stop)
        for before, after in zip(source, target, strict=True):
            music.model.add(line.begins[before] == line.begins[after])
            music.model.add(line.sounds[before][SILENT] == line.sounds[after][SILENT])
            line.only(before, {SILENT, *images})
            line.only(after, {SILENT, *images.values()})
            for tone, moved in images.items():
                music.model.add_implication(line.sounds[before][tone], line.sounds[after][moved])


def _vary(music: Music, vary: Vary) -> None:
    """So many places have another token than the exact copy."""
    model = music.model
    source, target = passage_and_copy(music.plan.timeline, vary)
    same: list[Literal] = []
    for voice in vary.voices:
        line, images = music[voice], _images(music, vary, voice)
        for before, after in zip(source, target, strict=True):
            agrees = model.new_bool_var(f"{voice.name} {after} as {before}")
            ways = [_both(music, line.sounds[before][SILENT], line.sounds[after][SILENT])]
            ways.append(_both(music, _goes_on(line, before), _goes_on(line, after)))
            ways += [
                _both(music, line.note(before, tone), line.note(after, moved))
                for tone, moved in images.items()
            ]
            model.add_bool_or(ways).only_enforce_if(agrees)
            for way in ways:
                model.add_implication(way, agrees)
            same.append(agrees)
    changes = len(same) - sum(same)
    model.add(changes >= vary.least)
    model.add(changes <= vary.most)


def _both(music: Music, one: Literal, other: Literal) -> Literal:
    both = music.model.new_bool_var("")
    music.model.add_implication(both, one)
    music.model.add_implication(both, other)
    music.model.add_bool_or(both, ~one, ~other)
    return both


def _goes_on(line: Line, frame: int) -> Literal:
    """Whether a note is held into a frame."""
    held = line.model.new_bool_var("")
    line.model.add_exactly_one(held, line.begins[frame], line.sounds[frame][SILENT])
    return held


def _climax(music: Music, climax: Climax) -> None:
    """One tone is the highest: it begins once, in the span, and none above it ever does."""
    line = music[climax.voice]
    span = music.plan.timeline.frames(climax.span)
    inside = music.inside(span)
    top = {tone: music.model.new_bool_var(f"top {tone}") for tone in PITCHES}
    music.model.add_exactly_one(top.values())
    for tone in PITCHES:
        for frame in music.frames:
            for higher in range(tone + 1, PITCHES.stop):
                music.model.add_implication(top[tone], ~line.note(frame, higher))
            if frame not in inside:
                music.model.add_implication(top[tone], ~line.note(frame, tone))
        times = sum(line.note(frame, tone) for frame in inside)
        music.model.add(times <= 1).only_enforce_if(top[tone])
        if inside == span:
            music.model.add(times == 1).only_enforce_if(top[tone])


def _count(music: Music, count: Count) -> None:
    """Notes that begin in the span; where not all of it has variables, the rest may be anything."""
    line = music[count.voice]
    span = music.plan.timeline.frames(count.span)
    inside = music.inside(span)
    if count.pitch is None:
        times = sum(line.begins[frame] for frame in inside)
    else:
        tones = tones_where(count.voice, pitches_of(count.voice) == count.pitch.semitone)
        times = sum(line.note(frame, tone) for frame in inside for tone in tones)
    music.model.add(times + len(span) - len(inside) >= count.least)
    if count.most is not None:
        music.model.add(times <= count.most)


def _stagnation(music: Music, stagnation: Stagnation) -> None:
    """How often the tone that sounds has begun in a row; what came before the frames is unknown."""
    line, model = music[stagnation.voice], music.model
    row = {f: model.new_int_var(0, stagnation.most, f"row {f}") for f in music.frames}
    for before, frame in zip(music.frames, music.frames[1:], strict=False):
        model.add(row[frame] == 0).only_enforce_if(line.sounds[frame][SILENT])
        silent = line.sounds[frame][SILENT]
        model.add(row[frame] == row[before]).only_enforce_if(~line.begins[frame], ~silent)
        for tone in PITCHES:
            again = (line.note(frame, tone), line.sounds[before][tone])
            model.add(row[frame] == row[before] + 1).only_enforce_if(*again)
            anew = (line.note(frame, tone), ~line.sounds[before][tone])
            model.add(row[frame] == 1).only_enforce_if(*anew)
    if music.frames.start == 0:
        model.add(row[0] == 1).only_enforce_if(line.begins[0])


def _keeps_to(music: Music, kept: Range | Scale) -> None:
    """What sounds in the span lies in a range or a scale."""
    keys = music.plan.key_of_frame
    pitches = pitches_of(kept.voice)
    for frame in music.inside(music.plan.timeline.frames(kept.span)):
        if isinstance(kept, Range):
            fits = (pitches >= kept.low.semitone) & (pitches <= kept.high.semitone)
        else:
            classes = set(kept.chroma) or scale_of(keys[frame])
            fits = [int(pitch) % 12 in classes for pitch in pitches]
        music[kept.voice].only(frame, {SILENT, *tones_where(kept.voice, fits)})


def _chord(music: Music, chord: Chord) -> None:
    """Members throughout, the bass on its own; root and third when it begins."""
    frames = chord.frames(music.plan.timeline)
    classes, bass = chord_classes(chord.name, music.plan.key_at(frames.start))
    for voice in Voice:
        members = [bass] if voice is Voice.BASS else classes
        for frame in frames:
            music[voice].only(frame, {SILENT, *_classes(voice, 0, members)})
    for member in classes[:2]:
        _someone(music, frames.start, 0, member)


def _rhythm(music: Music, rhythm: Rhythm) -> None:
    """Where notes begin and go on; after the last none goes on."""
    timeline, line = music.plan.timeline, music[rhythm.voice]
    frame = timeline.frame_of(*rhythm.at)
    for silent, quarters in lengths_of(rhythm.values):
        stop = frame + int(Fraction(quarters) * timeline.frames_per_quarter)
        for at in range(frame, stop):
            if silent:
                line.only(at, {SILENT})
            elif at == frame:
                music.model.add(line.begins[at] == 1)
            else:
                line.held(at)
        frame = stop
    if frame < timeline.n_frames:
        line.not_held(frame)
