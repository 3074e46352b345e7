"""A score some of whose voices are given: which they are, where its phrases end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from statistics import median
from typing import NamedTuple

from clausula.constraints.given import Given, silent_together
from clausula.constraints.place import Timeline
from clausula.errors import InputError
from clausula.grid import VOICE_LETTERS, Voice, frames_in
from clausula.key_finding import KEYS, infer_key
from clausula.pitch import Key, Mode
from clausula.score import Part, Score

FRAMES_PER_QUARTER = 4
USUAL_PHRASE = 4  # measures, where nothing in the melody says more
LEAST_PHRASE = 2  # measures between two ends that long notes or rests tell
# Middle of each voice's usual range, by which lines without names are told.
_MIDDLES = {Voice.SOPRANO: 70, Voice.ALTO: 64, Voice.TENOR: 58, Voice.BASS: 50}
_NAMES = {
    "soprano": Voice.SOPRANO, "sopran": Voice.SOPRANO, "melody": Voice.SOPRANO,
    "cantus": Voice.SOPRANO, "discant": Voice.SOPRANO, "treble": Voice.SOPRANO,
    "alto": Voice.ALTO, "alt": Voice.ALTO, "altus": Voice.ALTO, "contralto": Voice.ALTO,
    "tenor": Voice.TENOR, "bass": Voice.BASS, "basso": Voice.BASS, "bassus": Voice.BASS,
    "bassline": Voice.BASS,
}  # fmt: skip


def given_lines(score: Score, voices: Sequence[Voice] | None = None) -> list[Given]:
    """The lines of a score by voice, the highest first.

    A voice is told by its part's name; where the names do not tell all of them apart, by order and
    range: of all choices of voices, that whose usual middles lie nearest to those of the lines.

    Args:
        score: at most four parts; those without notes are voices to be found.
        voices: what the parts with notes are, in the order of the file; fewer than there are parts
            keep those voices alone.

    Raises:
        InputError: no notes, no voice left to be found, or voices that the parts do not have.
    """
    sung = [part for part in score.parts if part.notes]
    names = ", ".join(part.name for part in sung) or "none"
    if not sung:
        raise InputError("there is no note to harmonize; try another file")
    if len(sung) > len(Voice):
        raise InputError(
            f"{len(sung)} parts with notes ({names}), where there are four voices; try a file with "
            "one to three lines"
        )
    if voices is not None and (len(set(voices)) != len(voices) or len(voices) > len(sung)):
        asked = ", ".join(voice.name.lower() for voice in voices)
        raise InputError(
            f"voices {asked} for {len(sung)} parts with notes ({names}); name each part's voice "
            "once, in the order of the file"
        )
    told = list(voices) if voices is not None and len(voices) == len(sung) else _voices(sung)
    kept = set(told if voices is None else voices)
    lines = [Given(v, part.notes) for v, part in zip(told, sung, strict=True) if v in kept]
    if missing := kept - set(told):
        raise InputError(
            f"no part is the {min(missing).name.lower()}; the parts with notes are {names}: name a "
            "voice for each of them, in the order of the file"
        )
    if len(lines) == len(Voice):
        raise InputError(
            f"all four voices are given ({names}), and none is left to be found; say which to keep,"
            " such as --voice soprano"
        )
    return sorted(lines, key=lambda line: line.voice)


def _voices(parts: Sequence[Part]) -> list[Voice]:
    """The voice of every part, no two the same."""
    named = [_named(part) for part in parts]
    told = [voice for voice in named if voice is not None]
    return told if len(set(told)) == len(parts) else _by_range(parts)


def _named(part: Part) -> Voice | None:
    """The voice that a part's name tells."""
    name = part.name.strip().lower().rstrip(".")
    if len(name) == 1 and name.upper() in VOICE_LETTERS:
        return Voice(VOICE_LETTERS.index(name.upper()))
    return next((_NAMES[word] for word in name.split() if word in _NAMES), None)


def _by_range(parts: Sequence[Part]) -> list[Voice]:
    """The voices whose usual middles lie nearest to those of the lines, in the lines' order."""
    middles = [median(note.pitch.semitone for note in part.notes) for part in parts]
    if len(parts) == 1:
        # A single line is a melody unless it lies low.
        low = parts[0].clef == "bass" or middles[0] < _MIDDLES[Voice.TENOR]
        return [Voice.BASS if low else Voice.SOPRANO]

    def distance(way: Iterable[Voice]) -> float:
        return sum(abs(m - _MIDDLES[v]) for m, v in zip(middles, way, strict=True))

    return list(min(combinations(Voice, len(parts)), key=distance))


def timeline_of(score: Score) -> Timeline:
    """The frames of a score in one meter, with its pick-up and its own last measure.

    Raises:
        InputError: the meter changes, or a measure is no whole number of sixteenths.
    """
    if len(score.meters) > 1:
        onset, meter = score.meters[1]
        raise InputError(
            f"the meter changes to {meter} in measure {score.place(onset)[0]}, but a piece has one "
            "meter; try the passages in each meter by themselves"
        )
    frames = frames_in(score.length, FRAMES_PER_QUARTER)
    pickup = frames_in(score.pickup, FRAMES_PER_QUARTER)
    measure = frames_in(score.meters[0][1].quarters, FRAMES_PER_QUARTER)
    last = max(1, -(-(frames - pickup) // measure))
    return Timeline(score.meters[0][1], last, pickup, FRAMES_PER_QUARTER, (), frames)


class Ends(NamedTuple):
    """Where phrases end.

    Attributes:
        frames: exclusive, ascending; the last is where the given notes are over.
        source: how they are known, in words.
    """

    frames: list[int]
    source: str


def phrase_ends(lines: Sequence[Given], timeline: Timeline) -> Ends:
    """Where the phrases of given lines end.

    Where a note under a fermata is over; fermatas that sound together end one phrase, when the last
    of them stops. Without fermatas: before a rest of all lines, after a note of half a measure or
    more that is twice as long as usual, if the phrase is ``LEAST_PHRASE`` measures long; and where
    nothing of that kind is found, after every ``USUAL_PHRASE`` measures at which a note is over. No
    phrase ends where another given line holds a note.
    """
    over = _all_over(lines, timeline)
    last = max(over)
    held = sorted((note.onset, note.end) for line in lines for note in line.notes if note.fermata)
    ends: list[Fraction] = []
    for onset, end in held:
        if ends and onset < ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            ends.append(end)
    found = [int(end * timeline.frames_per_quarter) for end in ends]
    if found:
        return Ends(sorted({f for f in found if f in over} | {last}), "fermatas")
    told = _spaced(_breaths(lines, timeline, over), timeline, last)
    if told:
        return Ends([*told, last], "long notes and rests")
    every = USUAL_PHRASE * timeline.frames_per_measure
    usual = [f for f in range(every, last, every) if f in over and last - f >= every // 2]
    return Ends([*usual, last], f"every {USUAL_PHRASE} measures" if usual else "the end alone")


def _all_over(lines: Sequence[Given], timeline: Timeline) -> set[int]:
    """Frames at which some given note is over and no other is held on."""
    quarter = timeline.frames_per_quarter
    over = {int(note.end * quarter) for line in lines for note in line.notes}
    held = {
        frame
        for line in lines
        for note in line.notes
        for frame in range(int(note.onset * quarter) + 1, int(note.end * quarter))
    }
    return over - held


def _breaths(lines: Sequence[Given], timeline: Timeline, over: set[int]) -> list[int]:
    """Ends of long notes, and of notes after which all lines rest."""
    quarter = timeline.frames_per_quarter
    silent = silent_together(lines, timeline)
    lengths = [note.duration * quarter for line in lines for note in line.notes]
    long = max(2 * median(lengths), Fraction(timeline.frames_per_measure, 2))
    ends = {
        int(note.end * quarter)
        for line in lines
        for note in line.notes
        if note.duration * quarter >= long
    }
    rests = {frame for frame in over if frame < timeline.n_frames and silent[frame]}
    return sorted((ends | rests) & over)


def _spaced(ends: Sequence[int], timeline: Timeline, last: int) -> list[int]:
    """Those of the ends that leave phrases of the least length, the last phrase too."""
    least = LEAST_PHRASE * timeline.frames_per_measure
    kept: list[int] = []
    for end in ends:
        if end - (kept[-1] if kept else 0) >= least and last - end >= least:
            kept.append(end)
    return kept


def key_of(score: Score, key: str | Key | None, mode: str | None) -> tuple[Key, str]:
    """The home key and how it is known: given, from the file, or inferred.

    Args:
        score: what is given.
        key: asked for.
        mode: asked for; with no key, the mode of the file's signature.

    Raises:
        InputError: no such key or mode.
    """
    if key is not None:
        asked = key if isinstance(key, Key) and mode is None else Key.parse(str(key), mode)
        return asked, "given"
    written = score.keys[0][1]
    known = score.key_given
    found = written if known else infer_key(score, written.fifths or None)
    if mode is None or Mode(mode) is found.mode:
        return found, "the file's" if known else "inferred"
    return _in_mode(found, mode), "inferred, in the mode that was given"


def _in_mode(found: Key, mode: str) -> Key:
    """The relative of a key, which has its signature and the other mode."""
    return next(k for k in KEYS if k.fifths == found.fifths and k.mode is Mode(mode))
