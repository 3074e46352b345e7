"""Laws of two parts in first and second species, read from the catalogue's A and B rules.

Conventions as in `laws_species_line`. A laws of the first species are kept by clean passages of the
others as well, under their name with a ``+``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

from injected.laws_species_line import Hit, Law
from injected.species_exercise import BAR, Exercise, Vertical

_SECOND_OR_SEVENTH = {1, 2, 10, 11}
_TENTH, _TWELFTH = 9, 11  # in letters


def interior(ex: Exercise) -> list[Vertical]:
    """Verticals between the line's first note and the last bar."""
    inside = [v for v in ex.verticals if v.bar < ex.last_bar]
    return inside[1:] if ex.begun else inside


def equal_perfects(a: Vertical, b: Vertical) -> bool:
    """Whether both are fifths, or both octaves or unisons."""
    return (a.fifth and b.fifth) or (a.octave and b.octave)


def steps(ex: Exercise) -> list[tuple[Vertical, Vertical]]:
    """Verticals in a row between which both parts move."""
    return [(a, b) for a, b in pairwise(ex.verticals) if ex.motion(a, b)[0] and ex.motion(a, b)[1]]


def _two(a: Vertical, b: Vertical) -> Hit:
    return b.time, a.time


def dissonant(ex: Exercise) -> list[Hit]:
    """A01: note against note, a dissonance."""
    return [(v.time,) for v in ex.verticals if not v.consonant]


def consecutives(ex: Exercise) -> list[Hit]:
    """A02: fifth after fifth, octave after octave, both parts moving."""
    return [_two(a, b) for a, b in steps(ex) if equal_perfects(a, b)]


def direct(ex: Exercise) -> list[Hit]:
    """A03: similar motion into a perfect interval, other than from one of its size."""
    found = [(a, b) for a, b in steps(ex) if b.perfect and ex.similar(a, b)]
    return [_two(a, b) for a, b in found if not equal_perfects(a, b)]


def unison(ex: Exercise) -> list[Hit]:
    """A04: a unison that is neither first nor last."""
    return [(v.time,) for v in interior(ex) if (v.semitone, v.step) == (0, 0)]


def apart(ex: Exercise) -> list[Hit]:
    """A05: more than a twelfth."""
    return [(v.time,) for v in ex.verticals if v.step > _TWELFTH]


def _runs(ex: Exercise, compounds: bool) -> list[Hit]:
    sizes = [abs(v.step) % 7 if compounds else abs(v.step) for v in ex.verticals]
    hits, start = [], 0
    for size, run in groupby(sizes):
        stop = start + len(list(run))
        if size % 7 in (2, 5) and stop - start > 3:
            hits.append(tuple(v.time for v in reversed(ex.verticals[start:stop])))
        start = stop
    return hits


def parallel_run(ex: Exercise) -> list[Hit]:
    """A06: a fourth third, or sixth, running."""
    return _runs(ex, False)


def parallel_run_strict(ex: Exercise) -> list[Hit]:
    """A06+: tenths counted among the thirds."""
    return _runs(ex, True)


def crossing(ex: Exercise) -> list[Hit]:
    """A07: the upper part below the lower, or a part past the note that the other has left."""
    places: list[int] = [v.time for v in ex.verticals if v.step < 0]
    for a, b in pairwise(ex.verticals):
        written, cantus = ex.motion(a, b)
        upper, lower = (written, cantus) if ex.below else (cantus, written)
        # The upper part against the note that the lower one has left, and the reverse; so the way
        # back from a crossing names it too.
        if min(a.semitone + upper, a.semitone - lower) < 0:
            places.append(b.time)
    return [tuple(sorted(set(places)))] if places else []


def leaps_together(ex: Exercise) -> list[Hit]:
    """A08: both leap the same way."""
    found = []
    for a, b in steps(ex):
        written = ex.line[b.index].degree - ex.line[a.index].degree
        cantus = ex.cantus[b.bar] - ex.cantus[a.bar]
        if written * cantus > 0 and min(abs(written), abs(cantus)) > 1:
            found.append(_two(a, b))
    return found


def motions(ex: Exercise) -> tuple[int, int]:
    """How often the parts move in contrary motion, and how often in the same direction."""
    pairs = steps(ex)
    return sum(ex.contrary(a, b) for a, b in pairs), sum(ex.similar(a, b) for a, b in pairs)


def rarely_contrary(ex: Exercise) -> list[Hit]:
    """A09: contrary motion less often than similar."""
    contrary, similar = motions(ex)
    return [tuple(v.time for v in reversed(ex.verticals))] if contrary < similar else []


def battuta(ex: Exercise) -> list[Hit]:
    """A10: from a tenth to an octave on the downbeat, contrary, before the end."""
    return [
        _two(a, b)
        for a, b in ex.crossings
        if a.step == _TENTH and b.step == 7 and b.bar < ex.last_bar and ex.contrary(a, b)
    ]


def bass_fourth(ex: Exercise) -> list[Hit]:
    """A11: the bass leaps a fourth, and no note above is a second or seventh from one of both."""
    found = []
    for a, b in pairwise(ex.verticals):
        upper, lower = ex.motion(a, b) if ex.below else reversed(ex.motion(a, b))
        if abs(lower) != 5:
            continue
        crosswise = (a.semitone - lower) % 12, (a.semitone + upper) % 12
        if not _SECOND_OR_SEVENTH & set(crosswise):
            found.append(_two(a, b))
    return found


def downbeats(ex: Exercise) -> list[Vertical]:
    """The verticals on downbeats."""
    return [v for v in ex.verticals if v.time % BAR == 0]


def dissonant_downbeat(ex: Exercise) -> list[Hit]:
    """B01: a dissonance on a downbeat."""
    return [(v.time,) for v in downbeats(ex) if not v.consonant]


def weak_dissonance(ex: Exercise) -> list[Hit]:
    """B02: a dissonance on the weak beat that does not pass."""
    found = []
    for v in ex.verticals:
        if v.time % BAR == 0 or v.consonant:
            continue
        sides = [m.step for m in ex.moves if m.index in (v.index - 1, v.index)]
        unknown = v.index == len(ex.line) - 1 and not ex.ended
        if unknown and len(sides) == 1 and abs(sides[0]) == 1:
            continue
        if sides not in ([1, 1], [-1, -1]):
            found.append((v.time,))
    return found


def over_the_bar(ex: Exercise) -> list[Hit]:
    """B03: from weak beat to downbeat what the first species forbids."""
    return [
        _two(a, b)
        for a, b in ex.crossings
        if b.perfect and all(ex.motion(a, b)) and (ex.similar(a, b) or equal_perfects(a, b))
    ]


def successive_downbeats(ex: Exercise) -> list[Hit]:
    """B04: fifths, or octaves, on two downbeats running."""
    return [_two(a, b) for a, b in pairwise(downbeats(ex)) if equal_perfects(a, b)]


def _outlines(ex: Exercise) -> list[tuple[Vertical, Vertical, int, int]]:
    """Downbeats in a row with what the line moves between them, no octave leap within the bar."""
    found = []
    for a, b in pairwise(downbeats(ex)):
        within = [m for m in ex.moves if a.index <= m.index < b.index]
        if a.index != b.index and not any(abs(m.step) == 7 for m in within[:1]):
            one, other = ex.line[a.index], ex.line[b.index]
            move = abs(other.semitone - one.semitone), abs(other.degree - one.degree)
            found.append((a, b, *move))
    return found


def outlined(ex: Exercise) -> list[Hit]:
    """B05: a tritone, a seventh or more than an octave between downbeats."""
    return [
        _two(a, b)
        for a, b, semitone, step in _outlines(ex)
        if (semitone, step) in ((6, 3), (6, 4)) or step == 6
    ]


def outlined_strict(ex: Exercise) -> list[Hit]:
    """B05+: anything that no one would call a consonance or a step."""
    legal = {(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (7, 4), (8, 5), (9, 5), (12, 7)}
    plain = {(6, 3), (6, 4), (10, 6), (11, 6)}
    return [
        _two(a, b)
        for a, b, semitone, step in _outlines(ex)
        if (semitone, step) not in legal | plain
    ]


def unison_downbeat(ex: Exercise) -> list[Hit]:
    """B06: a unison on a downbeat inside."""
    return [hit for hit in unison(ex) if hit[0] % BAR == 0]


def _sung(leap: tuple[int, int]) -> bool:
    """Whether a line sings a leap: up to a fifth, a minor sixth upwards, an octave."""
    size = (abs(leap[0]), abs(leap[1]))
    return size in {(3, 2), (4, 2), (5, 3), (7, 4), (12, 7)} or leap == (8, 5)


def barline_leaps(ex: Exercise) -> list[tuple[Vertical, Vertical, list[tuple[int, int]]]]:
    """Leaps over a bar line, each with the weak notes that would do better.

    Those leap within the bar, by what is sung or not, step over the bar line, are consonant, and
    lead into the downbeat in no parallel fifths or octaves.
    """
    found = []
    for a, b in ex.crossings:
        if a.time % BAR == 0 or a.index == 0 or ex.line[a.index - 1].onset // BAR != a.bar:
            continue
        down, weak, after = (ex.line[i] for i in (a.index - 1, a.index, b.index))
        if abs(after.degree - weak.degree) < 2:
            continue
        better = []
        for degree in (after.degree - 1, after.degree + 1):
            semitone = ex.natural(degree)
            shift = (semitone - weak.semitone, degree - weak.degree)
            sign = 1 if ex.below else -1
            there = a._replace(semitone=a.semitone + sign * shift[0], step=a.step + sign * shift[1])
            leap = (semitone - down.semitone, degree - down.degree)
            # Whether the line then moves as the cantus does, into a fifth or an octave.
            along = (after.semitone - semitone) * ex.motion(a, b)[1] > 0 and b.perfect
            if _sung(leap) and there.consonant and not along:
                better.append((degree, semitone))
        found.append((a, b, better))
    return found


def leap_over_bar(ex: Exercise) -> list[Hit]:
    """B07: a leap over the bar line where one within the bar would do."""
    return [_two(a, b) for a, b, better in barline_leaps(ex) if better]


@dataclass(frozen=True)
class OfSpecies:
    """A law of some species.

    Attributes:
        law: what it says.
        species: for which.
    """

    law: Law
    species: tuple[int, ...]

    def __call__(self, ex: Exercise) -> list[Hit]:
        """Its hits, none in another species."""
        return self.law(ex) if ex.species in self.species else []


def strict(law: Law, *species: int) -> OfSpecies:
    """A law of one species, or kept in others."""
    return OfSpecies(law, species)


LOCAL: dict[str, Law] = {
    "A01": strict(dissonant, 1),
    "A02": strict(consecutives, 1),
    "A03": strict(direct, 1),
    "A04": strict(unison, 1),
    "A04+": strict(unison, 3, 4, 5),
    "A05": strict(apart, 1),
    "A05+": strict(apart, 2, 3, 4, 5),
    "A06": strict(parallel_run, 1),
    "A06+": strict(parallel_run_strict, 1),
    "A07": strict(crossing, 1),
    "A07+": strict(crossing, 2, 3, 4, 5),
    "A08": strict(leaps_together, 1),
    "A10": strict(battuta, 1),
    "A10+": strict(battuta, 2, 3, 4, 5),
    "B01": strict(dissonant_downbeat, 2),
    "B02": strict(weak_dissonance, 2),
    "B03": strict(over_the_bar, 2),
    "B03+": strict(over_the_bar, 3, 5),
    "B04": strict(successive_downbeats, 2),
    "B05": strict(outlined, 2),
    "B05+": strict(outlined_strict, 2),
    "B06": strict(unison_downbeat, 2),
    "B07": strict(leap_over_bar, 2),
}
WHOLE: dict[str, Law] = {"A09": strict(rarely_contrary, 1), "A11": strict(bass_fourth, 1)}
