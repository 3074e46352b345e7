"""Injectors for the rules of species counterpoint, G to J.

Written from the catalogue's definitions and the rules' prose alone. A fault is an exercise in which
one law is broken at one place and all others are kept; a near miss shows a situation of
`species_near` and keeps every law.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from fractions import Fraction

from injected.laws_species_line import Hit
from injected.making import Injector
from injected.notes import Injected
from injected.species_edits import (
    Edit,
    Retiming,
    anywhere,
    bar_values,
    chain,
    echo,
    foot,
    head,
    merge,
    no_rest,
    octave_leap,
    repitch,
    rest,
    short_end,
    split,
    untied,
    untied_end,
)
from injected.species_exercise import Exercise
from injected.species_near import SITUATIONS
from injected.species_passages import BASE, LAWS, Pins, Rhythm, broken, pooled, whole

_ATTEMPTS = 20_000
_VARIANTS = 250  # of one exercise before another is taken
_POOL = {1: 200, 2: 80, 3: 80, 4: 100, 5: 40}


@dataclass(frozen=True)
class Spec:
    """A way to make a fault, or its legal look-alike.

    Attributes:
        words: what was done.
        species: in which it can be done.
        edits: changes to a clean exercise; a new one is grown when there is none.
        retime: a rhythm of its own.
        pins: notes that are chosen beforehand.
        alone: whether it is a cantus firmus without a counterpoint.
        waived: codes that this construction cannot help breaking as well.
    """

    words: str
    species: tuple[int, ...]
    edits: tuple[Edit, ...] = ()
    retime: Retiming | None = None
    pins: Pins | None = None
    alone: bool = False
    waived: tuple[str, ...] = ()


def injector(code: str, near: bool, *specs: Spec) -> Injector:
    """A callable that makes one of some situations at random.

    Raises:
        RuntimeError: when it is called and no exercise is found.
    """

    def make(rng: random.Random) -> Injected:
        for _ in range(_ATTEMPTS):
            spec = rng.choice(specs)
            if _ANY in spec.edits and rng.random() < 0.7:
                spec = replace(spec, edits=())  # a new exercise in place of a changed one
            found = _attempt(rng, code, near, spec)
            if found:
                return found
        raise RuntimeError(f"{code}: no exercise found for any of {[s.words for s in specs]}")

    return make


def _attempt(rng: random.Random, code: str, near: bool, spec: Spec) -> Injected | None:
    """One exercise of a spec, or none."""
    wanted = SITUATIONS[code] if near else LAWS[code]
    # What only some readings add to a rule comes with breaking it, unless it stands apart.
    stricter = () if code in ("B05", "D02", "J02") else (f"{code}+",)
    own = frozenset() if near else frozenset({code, *stricter, *spec.waived})
    off = own | BASE if code != "A11" else own
    species = rng.choice(spec.species)

    def right(ex: Exercise) -> bool:
        hits = wanted(ex)
        return len(hits) == 1 or (near and bool(hits))

    if not spec.edits:
        retime = spec.retime or _as_it_is
        grown = whole(rng, species, off, right, spec.alone, retime, spec.pins or _free)
        return _injected(rng, code, grown, wanted(grown)[0], off, spec, near) if grown else None
    number = rng.randrange(_POOL[5 if species == 5 else species])
    base = pooled(species, spec.alone, number)
    variants = rng.choice(spec.edits)(rng, base)
    for _ in range(_VARIANTS):
        ex = next(variants)
        if ex.line != base.line and right(ex) and not broken(ex, off):
            return _injected(rng, code, ex, wanted(ex)[0], off, spec, near)
    return None


def _free(_rng: random.Random, _ex: Exercise) -> dict[int, int]:
    return {}


def _as_it_is(_rng: random.Random, spans: Rhythm) -> Rhythm:
    return spans


def _injected(
    rng: random.Random,
    code: str,
    ex: Exercise,
    hit: Hit,
    off: frozenset[str],
    spec: Spec,
    near: bool,
) -> Injected:
    """An exercise with the place of its fault."""
    clean = ex.passage()
    places = tuple(clean.score.place(Fraction(time, 2)) for time in hit)
    letter = "B" if ex.alone or not ex.below else "S"
    voices = letter if code[0] in "GJ" else "SB"
    other = frozenset(c for c in broken(ex, BASE) if c != code and not c.endswith("+"))
    words = f"{spec.words or 'looks like it'}; {ex.name}"
    return Injected(code, clean, *places[0], voices, places, other, words)


def _tonic_tied(n: int) -> tuple[int, ...]:
    """The note that is tied into the last bar but one."""
    return (n - 3,)


_ANY = repitch(anywhere, (1, 2, 3))
_FIRST = repitch(head, (1, 2, 3))
_LAST = repitch(foot, (1, 2))


def _pitches(words: str, *species: int, alone: bool = False, waived: tuple[str, ...] = ()) -> Spec:
    return Spec(words, species, (_ANY,), alone=alone, waived=waived)


def _line(words: str, *edits: Edit) -> tuple[Spec, ...]:
    """In a cantus firmus alone, and in a counterpoint of the first and the third species."""
    return tuple(Spec(words, (species,), edits or (_ANY,), alone=alone)
                 for species, alone in ((1, True), (1, False), (3, False)))  # fmt: skip


def _grown(words: str, *species: int, alone: bool = False, retime: Retiming | None = None,
           waived: tuple[str, ...] = ()) -> Spec:  # fmt: skip
    return Spec(words, species, retime=retime, alone=alone, waived=waived)


_EIGHTHS = ((1, 1, 2, 4), (4, 1, 1, 2), (2, 1, 1, 2, 1, 1), (4, 3, 1), (3, 1, 4), (3, 1, 2, 2))
_FAULTS: dict[str, tuple[Spec, ...]] = {
    "G01": (
        _grown("too long", 1, alone=True),
        Spec("does not begin on the tonic", (1,), (_FIRST,), alone=True),
        Spec("does not end on the tonic", (1,), (_LAST,), alone=True),
    ),
    "G02": (Spec("opens on another interval", (1, 2, 3, 4), (_FIRST,)),),
    "G03": (Spec("another close", (1, 2, 3), (_LAST,)),
            Spec("leaps to its last note", (1,), (_LAST,), alone=True)),
    "G04": _line("an unsingable interval"),
    "G05": (_grown("wider than a tenth", 2, 3), _pitches("wider than a tenth", 1, alone=True)),
    "G06": _line("a second climax, or that of the cantus"),
    "G07": _line("a leap without a step back"),
    "G08": _line("leaps running"),
    "G09": _line("an accidental", repitch(anywhere, (1, 2), chromatic=True)),
    "G10": (*_line("a figure again", echo((3,), 2, True), echo((2, 3), 3), echo((4,), 2)),),
    "G11": (_grown("leaps prevail", 1), _grown("leaps prevail", 1, alone=True),
            _grown("leaps prevail", 2, 4)),
    "G12": (_pitches("a repeated note", 2, 3, 4), _pitches("a repeated note", 1, alone=True),
            _grown("a second repeated note", 1)),
    "G13": (
        Spec("a note divided", (1, 2, 3), (split,)),
        Spec("two notes in one", (1, 2, 3), (merge,)),
        Spec("a rest inside", (1, 2, 3), (rest,)),
        Spec("a short end", (1, 2, 3, 4), (short_end,)),
    ),
    "G14": _line("a dissonant climax"),
    "G15": _line("a second octave leap", octave_leap(2)),
    "A01": (_pitches("a dissonance", 1),),
    "A02": (_pitches("fifths or octaves running", 1),),
    "A03": (_pitches("similar motion into a perfect interval", 1),),
    "A04": (_pitches("a unison inside", 1),),
    "A05": (_pitches("too far apart", 1),),
    "A06": (
        _grown("four thirds or sixths", 1),
        Spec("four thirds or sixths", (1,), pins=chain((2, 5, 9), 4)),
    ),
    "A07": (_pitches("crossing or overlap", 1),),
    "A08": (_pitches("both leap", 1),),
    "A09": (_grown("contrary motion rarer", 1), _pitches("contrary motion rarer", 1)),
    "A10": (_pitches("a battuta octave", 1),),
    "A11": (_pitches("the bass leaps a fourth", 1), _grown("the bass leaps a fourth", 1)),
    "B01": (_pitches("a dissonant downbeat", 2),),
    "B02": (_pitches("a weak dissonance", 2),),
    "B03": (_pitches("into a perfect interval", 2),),
    "B04": (Spec("perfect downbeats", (2,), pins=chain((4, 7, 11), 2)),),
    "B05": (_pitches("a dissonant outline", 2),),
    "B06": (_pitches("a unison on a downbeat", 2),),
    "B07": (_pitches("a leap over the bar line", 2),),
    "D01": (_pitches("a dissonant downbeat", 3),),
    "D02": (_pitches("a dissonance", 3),),
    "D03": (_pitches("a figure astray", 3),),
    "D04": (_pitches("a perfect interval again", 3),),
    "D05": (Spec("three bars alike", (3,), pins=chain((4, 7, 11), 3)),),
    "F01": (_pitches("a dissonant preparation, or none", 4),),
    "F02": (_pitches("no resolution", 4),),
    "F03": (Spec("an unusual suspension", (4,), pins=chain((1,), 1, (6,)), waived=("A04+",)),),
    "F04": (
        Spec("a chain", (4,), pins=chain((6, 3, 6, 5), 4, (1, 8, 4))),
        Spec("two 9-8, 4-5 or 6-5", (4,), pins=chain((8, 5), 2, (3,)), waived=("F05",)),
    ),
    "F05": (_pitches("perfect weak beats", 4),),
    "F06": (_grown("two ties broken", 4, retime=untied(2)), _pitches("a break that errs", 4)),
    "F07": (_grown("no rest", 4, retime=no_rest),
            _grown("no suspension", 4, retime=untied_end),
            Spec("another suspension", (4,), (repitch(_tonic_tied, (1,)),))),
    "J01": tuple(_grown("eighths out of place", 5, retime=bar_values(each)) for each in _EIGHTHS),
    "J02": (_grown("a half on beat 2", 5, retime=bar_values((2, 4, 2))),
            _grown("a half on beat 2 of a tied bar", 5, retime=bar_values((2, 4, 2), True)),
            _grown("quarters and a half", 5, retime=bar_values((2, 2, 4)))),
    "J03": tuple(_grown("resolved elsewhere", 5, retime=bar_values(values, True)) for values in
                 ((2, 2, 2, 2), (2, 2, 4), (6, 2), (4, 4))),
    "J04": (_grown("a whole note", 5, retime=bar_values((8,))),
            _grown("a whole note before the end", 5, retime=bar_values((8,), final=True))),
    "J05": tuple(_grown("three bars of one rhythm", 5, retime=bar_values(values, times=3))
                 for values in ((2, 2, 2, 2), (4, 4), (4, 2, 2))),
}  # fmt: skip
_FROM_EDITS = {"G01": (), "G02": (), "G03": (), "F07": (), "J01": (), "J03": ()}
_RETIMED: dict[str, tuple[Spec, ...]] = {
    "G15": _line("", octave_leap(1))[:2],
    "J02": (_grown("", 5, retime=bar_values((2, 2, 8))),),
    "J04": (_grown("", 5, retime=bar_values((4, 8))),),
    "F06": (_grown("", 4, retime=untied(1)),),
    "A06": (_grown("", 1), Spec("", (1,), pins=chain((2, 5, 9), 3))),
    "D05": (_grown("", 3), Spec("", (3,), pins=chain((4, 7, 11), 2))),
    "F03": (_grown("", 4),),
    "F04": (Spec("", (4,), pins=chain((6, 3, 6, 5), 3, (1, 8, 4))),),
    "J03": (_grown("", 5, retime=bar_values((2, 2, 4), True, final=True)),
            _grown("", 5, retime=bar_values((2, 1, 1, 4), True, final=True))),
}  # fmt: skip


def _near_specs(code: str) -> tuple[Spec, ...]:
    """The same species and edits as the fault's, or a rhythm of their own."""
    if code in _RETIMED:
        return _RETIMED[code]
    plain = tuple(
        replace(spec, words="", waived=(), retime=None, pins=None)
        for spec in _FAULTS[code]
        if not (code == "F04" and spec.waived)
    )
    if code in ("G12", "G11", "A09"):
        return plain
    grown = tuple(replace(spec, edits=()) for spec in plain)
    return grown if code in _FROM_EDITS or code[0] == "J" else (*plain, *grown)


FAULTS = {code: injector(code, False, *specs) for code, specs in _FAULTS.items()}
NEAR_MISSES = {code: injector(code, True, *_near_specs(code)) for code in _FAULTS}
