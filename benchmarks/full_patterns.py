"""Patterns and contours said to CP-SAT: a word of notes is followed by the places it can be at.

An expression's text is read into places by the package (``Expression.parse``): which symbol stands
at each, and which may follow which. How notes are heard as symbols is said here anew, from the
manual's definitions. The sets of places that a word can lead to are the states of a deterministic
automaton, which CP-SAT follows over frames.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from fractions import Fraction
from typing import Any

from full_music import PITCHES, SILENT, Literal, Music, pitches_of, tones_where

from clausula.constraints.chord_pattern import ChordPattern
from clausula.constraints.contour import Contour, Shape
from clausula.constraints.expression import START, Expression
from clausula.constraints.pattern import Material, Pattern
from clausula.constraints.sonority import chord_classes, lengths_of
from clausula.grid import Voice, frames_in
from clausula.pitch import SCALE, Key, SpelledPitch, accidental

NOTHING = -1  # what a frame adds to the word: no symbol


def say_pattern(music: Music, pattern: Pattern) -> None:
    """The notes that a voice begins in the span match."""
    if pattern.of is Material.DURATIONS:
        _durations(music, pattern)
        return
    expression, line = pattern.parsed(), music[pattern.voice]
    pitches = pitches_of(pattern.voice).tolist()
    keys = music.plan.key_of_frame
    numbers: dict[Hashable, int] = {}
    heard = []
    for frame in music.plan.timeline.frames(pattern.span):
        meant = [_meaning(pattern.of, pitch, keys[frame]) for pitch in pitches]
        options = [numbers.setdefault(value, len(numbers)) for value in meant]
        symbol = music.model.new_int_var(NOTHING, 1000, f"heard at {frame}")
        music.model.add(symbol == NOTHING).only_enforce_if(~line.begins[frame])
        for tone, number in zip(PITCHES, options, strict=True):
            music.model.add(symbol == number).only_enforce_if(line.note(frame, tone))
        heard.append(symbol)
    if pattern.of is Material.INTERVALS:
        follow = _by_intervals(expression)
    else:
        follow = _by_names(expression, pattern.of)
    values = {number: value for value, number in numbers.items()}
    _follow(music, heard, values, follow, lambda state: expression.accepts(state[0]))


def _meaning(of: Material, pitch: int, key: Key) -> Hashable:
    """What a pitch is to a pattern: a MIDI number, a degree, a step of the staff."""
    step = int(key.spell(pitch))
    if of is Material.PITCHES:
        return pitch
    if of is Material.INTERVALS:
        return step
    degree = (step - key.tonic_letter) % 7
    alter = (pitch - key.tonic_pc - int(SCALE[key.mode][degree]) + 6) % 12 - 6
    return f"{accidental(alter)}{degree + 1}"


State = tuple[int, Any]  # places of the expression, and what is remembered
Step = Callable[[State, Hashable], State | None]


def _by_names(expression: Expression, of: Material) -> Step:
    """Each note is a symbol by itself."""

    def step(state: State, value: Hashable) -> State | None:
        if of is Material.PITCHES:
            names = (s for s in expression.symbols if SpelledPitch.parse(s).semitone == value)
        else:
            names = (s for s in expression.symbols if s == value)
        places = expression.after(state[0], frozenset(names))
        return (places, None) if places else None

    return step


def _by_intervals(expression: Expression) -> Step:
    """Each note but the first is the steps from the one before."""

    def step(state: State, value: Hashable) -> State | None:
        places, last = state
        if last is None:
            return places, value
        moved = int(str(value)) - int(str(last))
        interval = moved + 1 if moved >= 0 else moved - 1
        names = frozenset(s for s in expression.symbols if int(s) == interval)
        places = expression.after(places, names)
        return (places, value) if places else None

    return step


def _follow(
    music: Music,
    heard: list,
    values: dict[int, Hashable],
    step: Step,
    accepts: Callable[[State], bool],
) -> None:
    """Add the automaton that reads the variables; ``NOTHING`` leaves a state as it is.

    Where the automaton can never end the music is impossible.
    """
    start: State = (START, None)
    index: dict[State, int] = {start: 0}
    triples = []
    for state in (queue := [start]):
        triples.append((index[state], NOTHING, index[state]))
        for number, value in values.items():
            after = step(state, value)
            if after is None:
                continue
            if after not in index:
                index[after] = len(index)
                queue.append(after)
            triples.append((index[state], number, index[after]))
    ends = [number for state, number in index.items() if accepts(state)]
    if ends:
        music.model.add_automaton(heard, 0, ends, triples)
    else:
        music.model.add_bool_or([])


def _durations(music: Music, pattern: Pattern) -> None:
    """Lengths of the notes and rests that begin in the span, read to the last frame there is."""
    expression, timeline = pattern.parsed(), music.plan.timeline
    line, span = music[pattern.voice], timeline.frames(pattern.span)
    names: dict[tuple[bool, int], set[str]] = {}
    for symbol in expression.symbols:
        ((silent, quarters),) = lengths_of(symbol)
        length = frames_in(Fraction(quarters), timeline.frames_per_quarter)
        names.setdefault((silent, length), set()).add(symbol)
    longest = 1 + max((length for _, length in names), default=0)
    heard = []
    # A frame says: silence, a note that goes on, or one that begins; and whether in the span.
    for frame in range(max(music.frames.start, span.start - 1), music.frames.stop):
        symbol = music.model.new_int_var(0, 5, f"lasts at {frame}")
        silent, begins = line.sounds[frame][SILENT], line.begins[frame]
        inside = 3 * (frame in span)
        music.model.add(symbol == inside + 2 * begins + (1 - silent - begins))
        heard.append(symbol)

    def over(state: State) -> int:
        """The places when the note or rest that is remembered ends; outside the span none is."""
        places, last = state
        if last is None or not last[1]:
            return places
        return expression.after(places, frozenset(names.get(last, ())))

    def step(state: State, value: Hashable) -> State | None:
        inside, what = divmod(int(str(value)), 3)
        places, last = state
        if last is not None and (what == 1 or (what == 0 and last[0])):
            return places, (last[0], last[1] and min(last[1] + 1, longest))
        if what == 1:
            return places, (False, 0)
        places = over(state)
        return (places, (what == 0, inside)) if places else None

    ended = music.frames.stop == timeline.n_frames
    values = {number: number for number in range(6)}
    _follow(music, heard, values, step, lambda s: expression.accepts(over(s)) if ended else True)


def say_chord_pattern(music: Music, pattern: ChordPattern) -> None:
    """One place of the expression for each stretch; its chord, where it names one, is there."""
    model, timeline = music.model, music.plan.timeline
    expression = pattern.parsed()
    span = timeline.frames(pattern.span)
    length = frames_in(pattern.beats * timeline.meter.beat, timeline.frames_per_quarter)
    places = range(1, len(expression.leaves) + 1)
    before: dict[int, Literal] = {}
    for stretch in (span[i : i + length] for i in range(0, len(span), length)):
        here = {place: model.new_bool_var(f"{stretch.start} is {place}") for place in places}
        model.add_exactly_one(here.values())
        for place, literal in here.items():
            leaf = expression.leaves[place - 1]
            if leaf.symbol is not None:
                _chord_if(music, leaf.symbol, stretch, literal)
            sources = [at for at in before or {0: None} if expression.follow[at] >> place & 1]
            if not before and not sources:
                model.add(literal == 0)
            elif before:
                model.add_bool_or(~literal, *(before[at] for at in sources))
        before = here
    for place, literal in before.items():
        if not expression.accepts(1 << place):
            model.add(literal == 0)


def _chord_if(music: Music, name: str, frames: range, literal: Literal) -> None:
    """The chord sounds if a literal is true."""
    classes, bass = chord_classes(name, music.plan.key_at(frames.start))
    for voice in Voice:
        members = [bass] if voice is Voice.BASS else classes
        tones = {SILENT, *_of_class(voice, members)}
        for frame in frames:
            music[voice].only(frame, tones, given=(literal,))
    for member in classes[:2]:
        music.model.add_bool_or(
            ~literal,
            *(
                music[voice].sounds[frames.start][tone]
                for voice in Voice
                for tone in _of_class(voice, [member])
            ),
        )


def _of_class(voice: Voice, classes: Iterable[int]) -> set[int]:
    wanted = set(classes)
    return tones_where(voice, (int(pitch) % 12 in wanted for pitch in pitches_of(voice)))


def say_contour(music: Music, contour: Contour) -> None:
    """First, last, highest and lowest of the notes that begin in the span."""
    model, line = music.model, music[contour.voice]
    span = music.plan.timeline.frames(contour.span)
    first, last, high, low = (
        model.new_int_var(PITCHES[0], PITCHES[-1], name) for name in ("I", "F", "H", "L")
    )
    for ends, order in ((first, span), (last, span[::-1])):
        earlier: list[Literal] = []
        for frame in order:
            outermost = (line.begins[frame], *(~other for other in earlier))
            model.add(ends == line.tone[frame]).only_enforce_if(*outermost)
            earlier.append(line.begins[frame])
    model.add_bool_or(line.begins[frame] for frame in span)
    for extreme, sign in ((high, 1), (low, -1)):
        reached = []
        for frame in span:
            begins, there = line.begins[frame], model.new_bool_var("")
            model.add(sign * extreme >= sign * line.tone[frame]).only_enforce_if(begins)
            model.add(extreme == line.tone[frame]).only_enforce_if(there)
            model.add_implication(there, begins)
            reached.append(there)
        model.add_bool_or(reached)
    _shape(music, contour.shape, first, last, high, low)


def _shape(
    music: Music, shape: Shape, first: Literal, last: Literal, high: Literal, low: Literal
) -> None:
    """How the four notes lie."""
    model = music.model
    match shape:
        case Shape.LEVEL:
            model.add(high == low)
        case Shape.RISING:
            model.add(first == low)
            model.add(last == high)
            model.add(low < high)
        case Shape.FALLING:
            model.add(first == high)
            model.add(last == low)
            model.add(low < high)
        case Shape.ARCH:
            model.add(high > first)
            model.add(high > last)
            _one_of(music, low, first, last)
        case Shape.VALLEY:
            model.add(low < first)
            model.add(low < last)
            _one_of(music, high, first, last)
        case Shape.WAVE:
            for ends in (first, last):
                model.add(high > ends)
                model.add(low < ends)


def _one_of(music: Music, extreme: Literal, first: Literal, last: Literal) -> None:
    which = music.model.new_bool_var("")
    music.model.add(extreme == first).only_enforce_if(which)
    music.model.add(extreme == last).only_enforce_if(~which)
