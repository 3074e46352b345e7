"""Requests at random: keys, meters, lengths and forms of real pieces, constraints drawn together.

Each request makes sense by itself: every place lies in the piece, every note is spelled as its key
spells it, no two returns fill the same notes. Whether anything can satisfy it all is left to
chance. Nothing is only wished for: what may be broken makes no request harder.

Conventions: what shapes the plan (cadences, returns) is drawn first, as the local keys depend on
it; what concerns notes is drawn next, spelled for these keys. Spans are whole measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from clausula.constraints.place import Degree
from clausula.constraints.sonority import scale_of
from clausula.constraints.text import parse_constraint
from clausula.engine.plan import Plan, make_plan
from clausula.grid import Meter
from clausula.pitch import SCALE, Key, Mode, SpelledPitch

KEYS = ("C", "G", "D", "A", "E", "F", "Bb", "Eb", "a", "e", "b", "f#", "d", "g", "c")
METERS = ("4/4", "4/4", "4/4", "3/4", "6/8", "2/4")
FORMS = ("A A' B A", "A B", "A A'", "A B A", "A B A C A", "A B C D", "A A B B'", "A B A'")
RANGES = {"S": (62, 77), "A": (57, 72), "T": (50, 66), "B": (43, 60)}  # where voices are at ease
NAMES = {"S": "soprano", "A": "alto", "T": "tenor", "B": "bass"}
CHORDS = {
    Mode.MAJOR: ("I", "I6", "ii", "ii6", "ii65", "IV", "IV6", "V", "V6", "V7", "V65", "V42", "vi"),
    Mode.MINOR: ("i", "i6", "iio6", "iv", "iv6", "V", "V6", "V7", "V65", "VI", "III"),
}
PROGRESSIONS = {
    Mode.MAJOR: ("I V6 I", "I IV V I", "I vi IV", "ii6 V7 I", "I V43 I6", "vi ii6 V"),
    Mode.MINOR: ("i V6 i", "i iv V i", "i VI iv", "iio6 V7 i", "i V43 i6", "VI iv V"),
}
RHYTHMS = {
    "4/4": ("q q q q", "h q q", "q e e h", "h h", "q. e q q", "q q e e q"),
    "3/4": ("q q q", "h q", "q e e q", "q. e q"),
    "2/4": ("q q", "h", "q e e", "e e q"),
    "6/8": ("q. q.", "q e q e", "q e q.", "e e e q."),
}
OTHER_KEYS = {Mode.MAJOR: ("V", "IV", "vi", "ii", "iii"), Mode.MINOR: ("III", "v", "iv", "VI")}
MOVES = ("up M2", "down M2", "up P4", "down P4", "tonal up 1", "tonal down 1", "tonal up 2")


class Request(NamedTuple):
    """What is asked of ``compose``."""

    key: str
    meter: str
    measures: int
    form: str
    constraints: tuple[str, ...]


class Draw:
    """What the kinds draw from; ``plan`` is what the cadences and returns drawn so far make."""

    def __init__(self, rng: np.random.Generator) -> None:
        """A key, a meter, a length and a form."""
        self.rng = rng
        self.key = Key.parse(str(rng.choice(KEYS)))
        self.meter = str(rng.choice(METERS))
        form = str(rng.choice(FORMS))
        letters = len(form.split())
        lengths = [n for n in range(8, 33) if n % letters == 0 and 2 <= n // letters <= 8]
        self.form, self.measures = form, int(rng.choice(lengths))
        self.filled: set[int] = set()  # measures that some return fills
        self.closed: set[int] = set()  # phrases whose cadence was drawn
        self.plan = self.planned(())

    def planned(self, texts: Sequence[str]) -> Plan:
        """The plan with some constraints."""
        return make_plan(
            key=self.key,
            meter=Meter.parse(self.meter),
            measures=self.measures,
            form=self.form,
            constraints=[parse_constraint(text) for text in texts],
        )

    def one(self, options: Sequence[str]) -> str:
        """One of some words."""
        return str(self.rng.choice(options))

    def voice(self) -> str:
        """A voice's letter; outer ones are asked for more often."""
        return str(self.rng.choice(list("SATB"), p=[0.4, 0.15, 0.15, 0.3]))

    def measure(self) -> int:
        """A measure; seldom one in which a phrase ends, where a cadence asks for much."""
        last = {phrase.last for phrase in self.plan.phrases}
        weights = [0.15 if m in last else 1.0 for m in range(1, self.measures + 1)]
        return 1 + int(self.rng.choice(self.measures, p=np.array(weights) / sum(weights)))

    def span(self) -> str:
        """One measure to four, as text."""
        first = self.measure()
        last = min(self.measures, first + int(self.rng.integers(0, 4)))
        return f"{first}" if first == last else f"{first}-{last}"

    @property
    def beats(self) -> int:
        """Beats of a measure."""
        return self.plan.timeline.frames_per_measure // self.plan.timeline.frames_per_beat

    def place(self, halves: float = 0.0) -> str:
        """A beat; for a share of the draws the middle of one."""
        half = self.rng.random() < halves and self.plan.timeline.frames_per_beat % 2 == 0
        beat = int(self.rng.integers(1, self.beats + 1))
        return f"{self.measure()}.{f'{2 * beat + 1}/2' if half else beat}"

    def key_at(self, place: str) -> Key:
        """The local key of a place."""
        pin = parse_constraint(f"chord I @ {place}")
        return self.plan.key_at(self.plan.timeline.frame_of(*pin.at))

    def note(self, voice: str, key: Key, near: int | None = None) -> int:
        """MIDI number of a note of a key's scale that a voice sings with ease."""
        low, high = RANGES[voice]
        if near is not None:
            low, high = max(low, near - 4), min(high, near + 4)
        scale = scale_of(key)
        return int(self.rng.choice([n for n in range(low, high + 1) if n % 12 in scale]))


def name(semitone: int, key: Key) -> str:
    """A note as a key spells it."""
    return SpelledPitch(semitone, int(key.spell(semitone))).name


def cadence(d: Draw) -> list[str]:
    """A cadence of any kind, at the end of a phrase, sometimes in another key."""
    open_phrases = [i for i in range(len(d.plan.phrases)) if i not in d.closed]
    if not open_phrases:
        return []
    index = int(d.rng.choice(open_phrases))
    phrase = d.plan.phrases[index]
    d.closed.add(index)
    other = d.one(OTHER_KEYS[d.key.mode]) if d.rng.random() < 0.35 else None
    key = d.key if other is None else _degree(other).of(d.key)
    kinds = ["PAC", "PAC", "IAC", "HC", "HC", "DC", "plagal"]
    kinds += ["phrygian"] if key.mode is Mode.MINOR else []
    beats = {"4/4": ("", ".3"), "3/4": ("",), "2/4": ("", ".2"), "6/8": ("", ".2")}[d.meter]
    where = "" if other is None else f" in {other}"
    return [f"{d.one(kinds)}@{phrase.last}{d.one(beats)}{where}"]


def _degree(numeral: str) -> Degree:
    names = ("I", "II", "III", "IV", "V", "VI", "VII")
    return Degree(names.index(numeral.upper()), Mode.MAJOR if numeral.isupper() else Mode.MINOR)


def returning(d: Draw) -> list[str]:
    """A passage that returns in a later phrase: as it was, moved, inverted, in another key."""
    passage = _passage(d)
    if passage is None:
        return []
    span, at, voices = passage
    moves = ["", "", *MOVES, f"to {d.one(OTHER_KEYS[d.key.mode])}"]
    if voices == "S":
        natural = [(d.key.tonic_pc + int(step)) % 12 for step in SCALE[d.key.mode]]
        axis = int(d.rng.choice([n for n in range(67, 73) if n % 12 in natural]))
        moves.append(f"inverted about {name(axis, d.key)}")
    return [" ".join(f"repeat {span} @ {at} {d.one(moves)} in {voices}".split())]


def varied(d: Draw) -> list[str]:
    """A passage that returns with a few changes."""
    passage = _passage(d)
    if passage is None:
        return []
    span, at, _ = passage
    least = int(d.rng.integers(1, 4))
    return [f"vary {span} @ {at} by {least}-{least + int(d.rng.integers(1, 5))} in S"]


def _passage(d: Draw) -> tuple[str, int, str] | None:
    """A span early in a phrase, a later phrase where it may return, and voices."""
    length = d.plan.phrases[0].measures
    pairs = [
        (source, target)
        for source in range(len(d.plan.phrases))
        for target in range(source + 1, len(d.plan.phrases))
        if d.plan.phrases[target].measure not in d.filled
    ]
    if not pairs or length < 3:
        return None
    source, target = (d.plan.phrases[i] for i in pairs[int(d.rng.integers(len(pairs)))])
    measures = int(d.rng.integers(1, length - 1))
    d.filled.add(target.measure)
    last = source.measure + measures - 1
    span = f"{source.measure}" if measures == 1 else f"{source.measure}-{last}"
    voices = d.one(["S", "S", "S", "B", "S,B", "S,A,T,B"])
    return span, target.measure, voices


def pin(d: Draw) -> list[str]:
    """A given note, seldom one that may sound already."""
    voice, place = d.voice(), d.place(halves=0.15)
    key = d.key_at(place)
    sounding = " sounding" if d.rng.random() < 0.25 else ""
    return [f"pin {NAMES[voice]} @ {place} {name(d.note(voice, key), key)}{sounding}"]


def fragment(d: Draw) -> list[str]:
    """A few notes of one voice, one a beat, in small steps."""
    voice, measure = d.voice(), d.measure()
    texts, last = [], None
    for beat in range(1, d.beats + 1):
        place = f"{measure}.{beat}"
        key = d.key_at(place)
        last = d.note(voice, key, last)
        texts.append(f"pin {NAMES[voice]} @ {place} {name(last, key)}")
    return texts


def chord(d: Draw) -> list[str]:
    """A Roman numeral on a beat."""
    place = d.place()
    return [f"chord {d.one(CHORDS[d.key_at(place).mode])} @ {place}"]


def progression(d: Draw) -> list[str]:
    """Some chords, a beat each, from a downbeat."""
    measure = int(d.rng.integers(1, d.measures - 2))
    return [f"progression {d.one(PROGRESSIONS[d.key_at(str(measure)).mode])} @ {measure}"]


def climax(d: Draw) -> list[str]:
    """The highest note once, seldom in a given place."""
    return [f"climax once {d.one(['S', 'S', 'B'])}" + _maybe(d, 0.3)]


def _maybe(d: Draw, share: float) -> str:
    return f" @ {d.span()}" if d.rng.random() < share else ""


def count(d: Draw) -> list[str]:
    """How many notes, or how often one note."""
    voice = d.voice()
    if d.rng.random() < 0.4:
        most = int(d.rng.integers(1, 6))
        return [f"count {d.rng.integers(0, most + 1)}-{most} {name(d.note(voice, d.key), d.key)} "
                f"in {voice}"]  # fmt: skip
    least = int(d.rng.integers(2, 7))
    return [f"count {least}-{least + int(d.rng.integers(0, 6))} notes in {voice} @ {d.span()}"]


def stagnation(d: Draw) -> list[str]:
    """No more than a few notes of one pitch in a row."""
    return [f"stagnation {d.rng.integers(2, 5)} in {d.voice()}"]


def narrower(d: Draw) -> list[str]:
    """A range within the voice's own."""
    voice = d.voice()
    low, high = RANGES[voice]
    least, most = low + int(d.rng.integers(-1, 4)), high + int(d.rng.integers(-3, 2))
    return [f"range {voice} {name(least, d.key)}-{name(most, d.key)}" + _maybe(d, 0.3)]


def scale(d: Draw) -> list[str]:
    """The key's own notes for some measures."""
    return [f"scale {d.voice()} @ {d.span()}"]


def rhythm(d: Draw) -> list[str]:
    """The lengths of a measure's notes."""
    return [f"rhythm {d.voice()} {d.one(RHYTHMS[d.meter])} @ {d.measure()}"]


def pattern(d: Draw) -> list[str]:
    """A regular expression over a measure or a few."""
    of = d.one(
        [
            "degrees (1 | 2 | 3 | 4 | 5)+ .*",
            "degrees .* (1 | 3 | 5)",
            "intervals (1 | +2 | -2 | +3 | -3)*",
            "intervals .* (+2 | -2)",
            "durations (q | h | e e)*",
        ]
    )
    if of.startswith("durations") and d.meter == "6/8":
        of = "durations (q. | q e | e e e)*"
    return [f"pattern {d.voice()} {of} @ {d.span()}"]


def chord_pattern(d: Draw) -> list[str]:
    """A regular expression over the chords of a measure."""
    measure = d.measure()
    tonic = "I" if d.key_at(str(measure)).mode is Mode.MAJOR else "i"
    texts = [f"{tonic} .*", f".* (V | {tonic})", f"({tonic} | V | V6 | {tonic}6 | .)+"]
    return [f"pattern chords {d.one(texts)} @ {measure}"]


def contour(d: Draw) -> list[str]:
    """The shape of a phrase's line."""
    shape = d.one(["arch", "valley", "wave", "rising", "falling"])
    return [f"contour {d.one(['S', 'S', 'B'])} {shape} @ {d.span()}"]


def max_copy(d: Draw) -> list[str]:
    """No long run from the corpus."""
    return [d.one(["max-copy 8 notes in S", "max-copy 8 notes", "max-copy 4 verticalities"])]


SHAPING = {cadence: 5, returning: 3, varied: 1}
OF_NOTES: dict[Callable[[Draw], list[str]], int] = {
    pin: 6,
    fragment: 3,
    climax: 4,
    max_copy: 3,
    chord: 2,
    progression: 2,
    count: 2,
    stagnation: 2,
    narrower: 2,
    scale: 2,
    rhythm: 2,
    pattern: 2,
    chord_pattern: 1,
    contour: 2,
}
MOST = 6


def drawn(seed: int, number: int) -> Request:
    """The request of a number: two to six kinds of constraints together."""
    rng = np.random.default_rng([seed, number])
    d = Draw(rng)
    total = int(rng.integers(2, MOST + 1))
    shaping = int(rng.binomial(total, 0.45))
    texts: list[str] = []
    for kind in _at_most_one(varied, _kinds(rng, SHAPING, shaping)):
        texts += kind(d)
        d.plan = d.planned(texts)
    for kind in _at_most_one(max_copy, _kinds(rng, OF_NOTES, total - shaping)):
        texts += kind(d)
    return Request(str(d.key), d.meter, d.measures, d.form, tuple(dict.fromkeys(texts)))


def _at_most_one(single: Callable, kinds: Sequence[Callable]) -> list[Callable]:
    """The kinds with one of them at most once: every number of those is a program of its own."""
    return [k for i, k in enumerate(kinds) if k is not single or single not in kinds[:i]]


def _kinds(rng: np.random.Generator, weights: dict, number: int) -> list[Callable]:
    """Kinds by weight, some more than once."""
    kinds = list(weights)
    shares = np.array(list(weights.values()), float)
    return [kinds[i] for i in rng.choice(len(kinds), number, p=shares / shares.sum())]
