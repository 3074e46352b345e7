"""The checker's keys, chords and cadences beside those that people wrote under Bach's chorales.

The annotations are the Roman numerals by A. Jones, proofread by D. Tymoczko and H. Robb, that
music21 has for the first twenty chorales of Riemenschneider's edition; the notes are music21's own
files of the same pieces. The home key, the local keys and the chords are all inferred from notes,
fermatas and signature. Chorales 1-10 were looked at while the costs of ``checker.harmony`` were
set; 11-20 were not.

Conventions: every half quarter at which something sounds counts once. *Key*: the local key, with
its mode. *Chord*: the root and the set of pitch classes (that is the quality). *Numeral*: both, and
the bass, which together are key, degree, quality and inversion. Where the annotation has two
numerals for one moment, a pivot, either is right. Alternative readings (``m5var1``) are left out.
A file that writes a repeat out has the numerals before its sign twice. Keys are transposed where
the notes stand in another key than the edition, by the interval under which most notes belong to
the numerals. Of the eleventh chorale, BWV 41.6 as simplified for the edition, music21 has no such
file, so it is left out.

A phrase ends at every fermata. *Cadences*: the kind that the annotated numerals make there beside
the kind that the checker names. What the numerals make is read off them as follows. The goal is the
last numeral before the fermata ends, with those before it of the same key, root and degree; of a
pivot the first reading, in the key that the phrase comes from, and in a second count either. The
approach is the numeral before the goal. V as a triad is a half cadence, and a Phrygian one in minor
after iv6. I after V, V7 or vii with the leading tone of the goal's key is authentic: perfect with
both chords (V and I) in root position and the soprano on the tonic at the end, else imperfect. I
after IV or ii is plagal (ii6/5 is IV with an added sixth); vi or VI after a dominant is deceptive.
Anything else is none. A goal that is applied, or a seventh chord, makes no cadence.

Usage: ``python benchmarks/annotated_chorales.py --chorales 1-10 [--verbose]``.
"""

from __future__ import annotations

import argparse
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import music21
import numpy as np

import clausula as cl
from clausula.checker.context import phrase_ends
from clausula.checker.keys import home_key
from clausula.checker.passage import Reading, passage_of
from clausula.constraints.cadence import CadenceKind
from clausula.constraints.passage import Passage
from clausula.constraints.rulesets import load_ruleset
from clausula.key_finding import KEYS
from clausula.reading import read_score

FOLDER = Path(music21.__file__).parent / "corpus" / "bach"
STEP = Fraction(1, 2)
_THIRDS = {"33": Fraction(1, 3), "66": Fraction(2, 3), "67": Fraction(2, 3)}
_MEASURE = re.compile(r"m(\d+)\s+(.*)")  # a measure with letters after its number is a variant
_KEY = re.compile(r"[A-Ga-g][#b]*:")
_SIGNS = {"||", ":|", "|:", "||:", ":||", ":|:"}


class Label(NamedTuple):
    """A numeral of an annotation.

    Attributes:
        measure: in which it begins, 0 the pick-up.
        beat: from 1.
        key: local key.
        figure: as written.
    """

    measure: int
    beat: Fraction
    key: str
    figure: str


class Sounding(NamedTuple):
    """What a numeral asks to sound: pitch classes; ``degree`` from 1, 0 where it is applied."""

    root: int
    classes: frozenset[int]
    bass: int
    degree: int


class Annotation(NamedTuple):
    """What an ``rntxt`` file says.

    Attributes:
        bwv: number in Bach's works.
        labels: the numerals in order.
        repeated: how many of them stand before a repeat sign.
    """

    bwv: str
    labels: list[Label]
    repeated: int


def annotation(text: str) -> Annotation:
    """The contents of an ``rntxt`` file.

    Raises:
        ValueError: something in a measure is no beat, key, bar line or numeral.
    """
    bwv, key, repeated = "", "", 0
    labels: list[Label] = []
    for line in text.splitlines():
        if line.startswith("BWV:"):
            bwv = line.partition(":")[2].strip()
        found = _MEASURE.fullmatch(line.strip())
        if not found:
            continue
        beat = Fraction(1)
        for word in found[2].split():
            if re.fullmatch(r"b\d+(\.\d+)?", word):
                whole, _, part = word[1:].partition(".")
                beat = int(whole) + _THIRDS.get(part, Fraction(f"0.{part or 0}"))
            elif _KEY.fullmatch(word):
                key = word[:-1]
            elif word in _SIGNS:
                repeated = len(labels) if word.startswith(":") else repeated
            else:
                if not re.match(r"[#b]*(?:[IViv]|Ger|It|Fr|N|Cad)", word):
                    raise ValueError(f"{word!r} in {line!r} is no numeral")
                labels.append(Label(int(found[1]), beat, key, word))
    return Annotation(bwv, labels, repeated)


@cache
def sounding(key: str, figure: str) -> Sounding:
    """What music21 understands by a numeral in a key."""
    tonic = music21.key.Key(key[0] + key[1:].replace("b", "-"))
    numeral = music21.roman.RomanNumeral(figure.replace("/o", "ø"), tonic)
    return Sounding(
        numeral.root().pitchClass,
        frozenset(pitch.pitchClass for pitch in numeral.pitches),
        numeral.bass().pitchClass,
        0 if numeral.secondaryRomanNumeral else numeral.scaleDegree,
    )


def file_named(bwv: str) -> Path:
    """Music21's file of a chorale: ``248(2).12`` is called ``bwv248.12-2``."""
    name = re.sub(r"(\d+)\((\d)\)\.(\d+)", r"\1.\3-\2", bwv)
    return FOLDER / f"bwv{name}.mxl"


def as_played(found: Annotation, measures: int) -> list[Label]:
    """The numerals of as many full measures as a score has, a repeat written out or not.

    Raises:
        ValueError: the annotation is of other measures.
    """
    last = found.labels[-1].measure
    if measures == last:
        return found.labels
    again = found.labels[found.repeated - 1].measure if found.repeated else 0
    if measures != last + again:
        raise ValueError(
            f"{last} measures annotated, {again} of them repeated, {measures} in notes"
        )
    later = [label._replace(measure=label.measure + again) for label in found.labels]
    return sorted([*found.labels[: found.repeated], *later], key=lambda label: label[:2])


def onsets(score: cl.Score, labels: Sequence[Label]) -> list[Fraction]:
    """Where each label begins, in quarters."""
    starts = dict(zip(range(0 if score.pickup else 1, 10_000), score.measure_starts, strict=False))
    found = []
    for measure, beat, *_ in labels:
        meter = score.meter_at(starts[measure])
        late = meter.quarters - score.pickup if score.pickup and measure == 0 else 0
        found.append(starts[measure] + (beat - 1) * meter.beat - late)
    return found


def transposition(score: cl.Score, labels: Sequence[Label], starts: Sequence[Fraction]) -> int:
    """Semitones up from the annotation's keys to the notes', by which most notes are members."""
    members = np.zeros(12, int)
    for note in (note for part in score.parts for note in part.notes):
        last = bisect_right(starts, note.onset) - 1
        if last >= 0:
            for each in sounding(labels[last].key, labels[last].figure).classes:
                members[(note.pitch.semitone - each) % 12] += 1
    return int(members.argmax())


def transposed(label: Label, semitones: int) -> Label:
    """A label in the key so many semitones higher, that of the fewest accidentals."""
    key = cl.Key.parse(label.key)
    there = (key.tonic_pc + semitones) % 12
    new = next(each for each in KEYS if (each.tonic_pc, each.mode) == (there, key.mode))
    name = str(new).split()[0]
    return label._replace(key=name if key.mode is cl.Mode.MAJOR else name[0].lower() + name[1:])


def cadence(goal: Label, before: Sequence[Label], soprano: int) -> CadenceKind | None:
    """What the numerals up to a phrase end make; see the module's docstring.

    Args:
        goal: the last numeral.
        before: those before it.
        soprano: pitch class with which the phrase ends.
    """
    last = sounding(goal.key, goal.figure)
    first, approach = last, None
    for label in reversed(before):
        here = sounding(label.key, label.figure)
        if (label.key, here.root, here.degree) != (goal.key, last.root, last.degree):
            approach = label
            break
        first = here
    if len(last.classes) > 3 or last.degree not in (1, 5, 6):
        return None
    tonic = sounding(goal.key, "I" if goal.key[0].isupper() else "i").root
    if last.degree == 5:
        minor = goal.key[0].islower() and approach is not None
        falls = minor and (approach.key, approach.figure) == (goal.key, "iv6")
        return CadenceKind.PHRYGIAN if falls else CadenceKind.HC
    if approach is None:
        return None
    led = sounding(approach.key, approach.figure)
    degree = (led.root - tonic) % 12
    if degree in (7, 11) and (tonic + 11) % 12 in led.classes:
        if last.degree == 6:
            return CadenceKind.DC
        rooted = degree == 7 and led.bass == led.root and first.bass == first.root
        return CadenceKind.PAC if rooted and soprano == tonic else CadenceKind.IAC
    plagal = last.degree == 1 and degree in (5, 2)
    return CadenceKind.PLAGAL if plagal else None


class Close(NamedTuple):
    """The end of a phrase.

    Attributes:
        place: measure and beat.
        annotated: the cadence by each reading of the annotation, the first in the key that the
            phrase comes from; "none" where there is none.
        found: by the checker.
    """

    place: str
    annotated: tuple[str, ...]
    found: str

    @property
    def agreed(self) -> bool:
        """Whether the first reading was found."""
        return self.found == self.annotated[0]


class Tally(NamedTuple):
    """Agreement on a chorale.

    Attributes:
        moments: half quarters.
        key, chord, numeral: of these, agreed on.
        closes: of every phrase.
        disagreements: ``measure.beat: annotated, found``, a line each.
    """

    moments: int
    key: int
    chord: int
    numeral: int
    closes: list[Close]
    disagreements: list[str]


def analysed(score: cl.Score) -> Passage:
    """A score with everything inferred."""
    home, _ = home_key(score)
    return passage_of(score, load_ruleset("chorale"), Reading(home))


def compared(score: cl.Score, labels: Sequence[Label]) -> Tally:
    """How an analysis and an annotation agree."""
    passage, starts = analysed(score), onsets(score, labels)
    semitones = transposition(score, labels, starts)
    labels = [transposed(label, semitones) for label in labels] if semitones else labels
    counts: Counter[str] = Counter()
    lines = []
    for moment in (STEP * n for n in range(int(score.length / STEP))):
        time = bisect_right(passage.slices.onset, moment) - 1
        index = passage.chord_of_slice[time]
        last = bisect_right(starts, moment)
        if index < 0 or not last:
            continue
        span = passage.chords[index]
        chord = span.numeral.chord(span.key)
        own = (frozenset(chord.classes), chord.classes[0])
        bass = chord.classes[span.numeral.inversion]
        here = [labels[i] for i in range(last) if starts[i] == starts[last - 1]]
        asked = [(cl.Key.parse(label.key), sounding(label.key, label.figure)) for label in here]
        keys = [key == span.key for key, _ in asked]
        chords = [(each.classes, each.root) == own for _, each in asked]
        basses = [each.bass == bass for _, each in asked]
        whole = list(map(all, zip(keys, chords, basses, strict=True)))
        counts.update(moments=1, key=any(keys), chord=any(chords), numeral=any(whole))
        if not any(whole):
            measure, beat = score.place(moment)
            wanted = " or ".join(f"{label.key}: {label.figure}" for label in here)
            lines.append(f"{measure}.{float(beat):g}: {wanted}, found {span.key}: {span.name}")
    closes = _closes(passage, labels, starts)
    return Tally(*(counts[name] for name in COUNTS), closes, lines)


def _closes(passage: Passage, labels: Sequence[Label], starts: Sequence[Fraction]) -> list[Close]:
    """How every phrase closes by the annotation and by the checker."""
    score, slices = passage.slices.score, passage.slices
    closes, begin = [], 0
    for end in phrase_ends(score):
        stop = bisect_left(slices.onset, end)
        last = max(start for start in starts if start < end)
        first = starts.index(last)
        soprano = int(slices.semitone[stop - 1, 0]) % 12
        annotated = tuple(
            cadence(label, labels[:first], soprano) or "none"
            for label, start in zip(labels, starts, strict=True)
            if start == last
        )
        here = [c.kind for c in passage.cadences if begin <= c.arrival < stop]
        measure, beat = slices.place[stop - 1]
        closes.append(Close(f"{measure}.{float(beat):g}", annotated, here[-1] if here else "none"))
        begin = stop
    return closes


COUNTS = ("moments", "key", "chord", "numeral")


def main() -> None:
    """Print agreement by chorale, in all, and the cadences that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chorales", choices=("1-10", "11-20"), default="1-10")
    parser.add_argument("--verbose", action="store_true", help="every moment that differs")
    arguments = parser.parse_args()
    first, last = map(int, arguments.chorales.split("-"))
    sums: Counter[str] = Counter()
    differ = []
    print("| chorale | moments | key | chord | numeral | cadences | either reading |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for number in range(first, last + 1):
        file = FOLDER / "choraleAnalyses" / f"riemenschneider{number:03}.rntxt"
        found = annotation(file.read_text(encoding="utf-8"))
        named = f"{number}, BWV {found.bwv}"
        if not file_named(found.bwv).exists():
            print(f"| {named} | no notes |")
            continue
        score = read_score(file_named(found.bwv))
        measures = len(score.measure_starts) - bool(score.pickup)
        tally = compared(score, as_played(found, measures))
        counts = Counter({name: getattr(tally, name) for name in COUNTS})
        counts["agreed"] = sum(close.agreed for close in tally.closes)
        counts["either"] = sum(close.found in close.annotated for close in tally.closes)
        counts["closes"] = len(tally.closes)
        print(row(named, counts))
        sums += counts
        differ += [
            f"{named}, {close.place}: annotated {' or '.join(close.annotated)}, found {close.found}"
            for close in tally.closes
            if not close.agreed
        ]
        if arguments.verbose:
            differ += [f"{named}, {line}" for line in tally.disagreements]
    print(row("all", sums))
    print("\nWhere they differ:\n")
    print("\n".join(f"- {line}" for line in differ))


def row(name: str, counts: Counter[str]) -> str:
    """A line of the table."""
    shares = (f"{counts[each] / counts['moments']:.3f}" for each in COUNTS[1:])
    agreed = (f"{counts[each]} of {counts['closes']}" for each in ("agreed", "either"))
    return f"| {' | '.join((name, str(counts['moments']), *shares, *agreed))} |"


if __name__ == "__main__":
    main()
