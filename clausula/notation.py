"""Note values and accidentals: how exact times and spelled pitches look inside measures.

Conventions: positions are quarter notes from the bar line that begins (or, for a pick-up, would
begin) the measure. A note that no single symbol can show, or that hides a strong position in its
middle, is cut there and tied.

References:
    E. Gould, Behind Bars (2011), on grouping of values, rests and accidentals.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from clausula.errors import InputError
from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score

_BEAT = 6  # metrical weight of a beat; the bar line and the middle of four beats weigh more


@dataclass(frozen=True)
class Symbol:
    """One printed note or rest.

    Attributes:
        note: the note it belongs to; None for a rest.
        onset: quarter notes from the start of the piece.
        duration: length in quarter notes.
        tied_from: whether a tie reaches it from the symbol before.
        tied_to: whether a tie leaves it.
    """

    note: Note | None
    onset: Fraction
    duration: Fraction
    tied_from: bool = False
    tied_to: bool = False


def symbols_in(part: Part, score: Score, start: Fraction, end: Fraction) -> list[Symbol]:
    """The notes and rests of one measure of a part, in order and without gaps.

    Args:
        part: the line.
        score: the score it belongs to, for meter and pick-up.
        start: the measure's first moment, in quarter notes from the start of the piece.
        end: the next bar line.

    Raises:
        InputError: a value that no symbol, dot or triplet shows.
    """
    meter = score.meter_at(start)
    bar_line = end - meter.quarters if start < score.pickup else start
    symbols: list[Symbol] = []
    now = start
    # None overlaps the next: of those that began before the measure only the last can reach it.
    earlier = bisect_right(part.notes, start, key=lambda note: note.onset) - 1
    for note in part.notes[max(0, earlier) :]:
        if note.onset >= end:
            break
        if note.end <= start:
            continue
        begin, stop = max(note.onset, start), min(note.end, end)
        symbols += _rests(now, begin, bar_line, meter)
        symbols += _tied(note, begin, stop, bar_line, meter)
        now = stop
    return symbols + _rests(now, end, bar_line, meter)


def _tied(
    note: Note, begin: Fraction, stop: Fraction, bar_line: Fraction, meter: Meter
) -> list[Symbol]:
    """The symbols of that stretch of a note that lies in one measure."""
    cuts = [begin, *note_cuts(begin - bar_line, stop - bar_line, meter), stop]
    cuts[1:-1] = [bar_line + cut for cut in cuts[1:-1]]
    return [
        Symbol(note, onset, following - onset, onset > note.onset, following < note.end)
        for onset, following in pairwise(cuts)
    ]


def _rests(begin: Fraction, stop: Fraction, bar_line: Fraction, meter: Meter) -> list[Symbol]:
    """The rests that fill a gap within one measure."""
    if begin >= stop:
        return []
    if stop - begin == meter.quarters:
        return [Symbol(None, begin, stop - begin)]
    cuts = [begin, *rest_cuts(begin - bar_line, stop - bar_line, meter), stop]
    cuts[1:-1] = [bar_line + cut for cut in cuts[1:-1]]
    return [Symbol(None, onset, following - onset) for onset, following in pairwise(cuts)]


@lru_cache(maxsize=4096)
def note_cuts(start: Fraction, end: Fraction, meter: Meter) -> tuple[Fraction, ...]:
    """Positions at which a note from ``start`` to ``end`` of a measure is cut and tied."""
    return tuple(_cuts(start, end, meter, _note_fits))


@lru_cache(maxsize=4096)
def rest_cuts(start: Fraction, end: Fraction, meter: Meter) -> tuple[Fraction, ...]:
    """Positions at which a silence from ``start`` to ``end`` of a measure is cut into rests."""
    return tuple(_cuts(start, end, meter, _rest_fits))


def _cuts(
    start: Fraction,
    end: Fraction,
    meter: Meter,
    fits: Callable[[Fraction, Fraction, Meter, int], bool],
) -> list[Fraction]:
    """Cut at the strongest position inside until every stretch fits one symbol."""
    strongest, positions = _inside(start, end, meter)
    if fits(start, end, meter, strongest):
        return []
    if not positions:
        raise InputError(
            f"no symbol lasts from quarter {start} to {end} of a measure in {meter}; "
            "try binary values or triplets"
        )
    # From a weak start the next strong position is shown; from a strong one the longest value.
    cut = positions[0] if metrical_weight(start, meter) < strongest else positions[-1]
    return [*_cuts(start, cut, meter, fits), cut, *_cuts(cut, end, meter, fits)]


def _note_fits(start: Fraction, end: Fraction, meter: Meter, strongest: int) -> bool:
    """Whether one symbol shows the note, and its place in the measure stays readable."""
    length = end - start
    if not _is_notatable(length):
        return False
    if _is_compound(meter) and strongest >= _BEAT:
        return metrical_weight(start, meter) >= _BEAT and length % meter.beat == 0
    if metrical_weight(start, meter) >= _BEAT or metrical_weight(end, meter) >= strongest:
        return True
    # Syncopation within a stronger span (eighth, quarter, eighth), or a triplet group of three.
    if _is_dotted(length):
        return False
    if length.denominator % 3 == 0:
        before, after = start % (3 * length), (-end) % (3 * length)
    else:
        before = after = length / 2
    weights = metrical_weight(start - before, meter), metrical_weight(end + after, meter)
    return min(weights) >= strongest


def _rest_fits(start: Fraction, end: Fraction, meter: Meter, strongest: int) -> bool:
    """Whether one rest fills the silence; rests hide no position as strong as their start."""
    length = end - start
    if not _is_notatable(length):
        return False
    if strongest and metrical_weight(start, meter) <= strongest:
        return False
    if _is_compound(meter):
        return strongest < _BEAT or length % meter.beat == 0
    return length < meter.beat or not _is_dotted(length)


def metrical_weight(position: Fraction, meter: Meter) -> int:
    """How strong a position in a measure is: 8 bar line, 7 middle, 6 beat, less below."""
    return next((w for w, unit in _levels(meter) if position % unit == 0), 0)


@lru_cache(maxsize=64)
def _levels(meter: Meter) -> tuple[tuple[int, Fraction], ...]:
    """Weight and spacing (quarter notes) of every metrical level, strongest first."""
    division = meter.beat / (3 if _is_compound(meter) else 2)
    middle = [(7, 2 * meter.beat)] if meter.quarters == 4 * meter.beat else []
    below = [(5 - i, division / 2**i) for i in range(5)]
    return (8, meter.quarters), *middle, (_BEAT, meter.beat), *below


def _inside(start: Fraction, end: Fraction, meter: Meter) -> tuple[int, list[Fraction]]:
    """The strongest weight strictly between two positions, and the positions that have it."""
    for weight, unit in _levels(meter):
        first = start // unit + 1
        last = -(-end // unit) - 1
        if first <= last:
            return weight, [unit * i for i in range(first, last + 1)]
    return 0, []


def _is_compound(meter: Meter) -> bool:
    return meter.beat != Fraction(4, meter.denominator)


def _is_dotted(length: Fraction) -> bool:
    return length.numerator % 3 == 0


def _is_notatable(length: Fraction) -> bool:
    """Whether one note symbol, perhaps dotted or in a triplet, lasts exactly that long."""
    numerator, denominator = length.numerator, length.denominator
    if denominator % 3 == 0:
        denominator //= 3
    elif numerator % 3 == 0:
        numerator //= 3
    return numerator.bit_count() == 1 and denominator.bit_count() == 1


def accidental_flags(symbols: Iterable[Symbol], score: Score) -> list[bool]:
    """Whether each note of one staff in one measure, in order of time, prints its accidental.

    Accidentals last through the measure in their octave. A note tied over the bar line repeats none
    and leaves the measure as the signature has it.
    """
    in_force: dict[int, int] = {}
    signature: Key | None = None
    flags = []
    for symbol in symbols:
        if symbol.note is None:
            flags.append(False)
            continue
        key = score.key_at(symbol.onset)
        if key != signature:
            signature = key
            in_force.clear()
        pitch = symbol.note.pitch
        expected = in_force.get(pitch.step, signature_alter(pitch, key))
        flags.append(not symbol.tied_from and pitch.alter != expected)
        if not symbol.tied_from:
            in_force[pitch.step] = pitch.alter
    return flags


def signature_alter(pitch: SpelledPitch, key: Key) -> int:
    """Sharps (positive) or flats (negative) that the key signature gives a note's letter."""
    # The order of sharps is the circle of fifths from F; that of flats runs backwards from B.
    order = "FCGDAEB".index(pitch.letter)
    if key.fifths > 0:
        return int(order < key.fifths)
    return -int(6 - order < -key.fifths)
