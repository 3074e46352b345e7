"""Whose each note of a MusicXML part is: staves and voices named as music21 reads them.

A voice is who sings, a staff is where it is printed. music21 drops notes without a staff where
there are several, sorts voices as text ("10" before "9") and takes each measure by itself. So every
note is given the staff that its voice belongs to, and of each measure the voices of a staff are
numbered from the top.

Conventions: of two voices on a staff the upper one has its stems up. Where the stems of a measure
do not say, those of the other measures do; where none do, the numbers or names of the voices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element, SubElement

from clausula.part_order import choir_rank
from clausula.xml_times import Timed

_Voice = str


def settle_voices(part: Element, notes: Sequence[Timed]) -> None:
    """Write staff and voice at every note of a part so that each voice is one line.

    Args:
        part: changed in place.
        notes: its notes and rests, in order.
    """
    voiced = [(timed, voice) for timed, voice in _voiced(notes)]
    if any(int(staves.text or 1) > 1 for staves in part.iter("staves")):
        for note in part.iter("note"):
            if note.find("staff") is None:
                SubElement(note, "staff").text = "1"
        _bring_home(voiced)
    _number(part, voiced)


def _voiced(notes: Iterable[Timed]) -> list[tuple[Timed, _Voice]]:
    """Notes with their voices, "" where a measure names none; who has none goes with the last."""
    found: list[tuple[Timed, _Voice]] = []
    measure, last = -1, ""
    for timed in notes:
        if timed.measure != measure:
            measure, last = timed.measure, ""
        last = (timed.note.findtext("voice") or "").strip() or last
        found.append((timed, last))
    return found


def _staff(note: Element) -> int:
    return int(note.findtext("staff", "1"))


def _bring_home(voiced: Sequence[tuple[Timed, _Voice]]) -> None:
    """Give every note the staff on which its voice mostly is, unless staves share voice numbers.

    They do where one voice sounds on two staves at once.
    """
    spans: dict[tuple[_Voice, int], list[tuple[Fraction, Fraction, int]]] = defaultdict(list)
    staves: dict[_Voice, Counter[int]] = defaultdict(Counter)
    for timed, voice in voiced:
        staff = _staff(timed.note)
        staves[voice][staff] += 1
        spans[voice, timed.measure].append((timed.onset, timed.end, staff))
    wandering = {voice for voice, counted in staves.items() if len(counted) > 1}
    if "" in wandering or any(_clash(spans[key]) for key in spans if key[0] in wandering):
        return
    home = {voice: staves[voice].most_common(1)[0][0] for voice in wandering}
    for timed, voice in voiced:
        if voice in home:
            for element in timed.note.iterfind("staff"):
                element.text = str(home[voice])


def _clash(spans: list[tuple[Fraction, Fraction, int]]) -> bool:
    """Whether something sounds on two staves at once."""
    until: dict[int, Fraction] = {}
    for onset, end, staff in sorted(spans):
        if any(other != staff and stop > onset for other, stop in until.items()):
            return True
        until[staff] = max(end, until.get(staff, end))
    return False


def _number(part: Element, voiced: Sequence[tuple[Timed, _Voice]]) -> None:
    """Number the voices of each staff in each measure from the top."""
    reversed_pairs = _reversed_pairs(voiced)
    measures = part.findall("measure")
    for index, group in groupby(voiced, key=lambda each: each[0].measure):
        here = list(group)
        if any(voice == "" for _, voice in here):
            continue  # no voice is named up to there: music21 reads them as chords
        names: dict[tuple[int, _Voice], str] = {}
        for staff in sorted({_staff(timed.note) for timed, _ in here}):
            for rank, voice in enumerate(_from_the_top(here, staff, reversed_pairs)):
                names[staff, voice] = f"{staff:02}{rank:03}"
        for timed, voice in here:
            _write_voice(timed.note, names[_staff(timed.note), voice])
        _drop_voices_of_skips(measures[index])


def _drop_voices_of_skips(measure: Element) -> None:
    """A skip needs no voice; one that no note has would be a voice of its own."""
    for forward in measure.iterfind("forward"):
        for voice in forward.findall("voice"):
            forward.remove(voice)


def _write_voice(note: Element, name: str) -> None:
    voice = note.find("voice")
    if voice is None:
        voice = SubElement(note, "voice")
    voice.text = name


def _from_the_top(
    here: Sequence[tuple[Timed, _Voice]],
    staff: int,
    reversed_pairs: set[tuple[int, _Voice, _Voice]],
) -> list[_Voice]:
    """The voices of a staff in a measure, the highest first."""
    stems = _stems(here, staff)
    voices = sorted(stems, key=_by_number)
    if len(voices) != 2:
        return voices
    upper, lower = voices
    told = _told_by_stems(stems[upper], stems[lower])
    turned = (staff, upper, lower) in reversed_pairs if told is None else not told
    return [lower, upper] if turned else voices


def _stems(here: Iterable[tuple[Timed, _Voice]], staff: int) -> dict[_Voice, set[str]]:
    """The directions of the stems of each voice of a staff."""
    stems: dict[_Voice, set[str]] = {}
    for timed, voice in here:
        if _staff(timed.note) == staff:
            found = stems.setdefault(voice, set())
            stem = (timed.note.findtext("stem") or "").strip()
            if stem in ("up", "down"):
                found.add(stem)
    return stems


def _told_by_stems(one: set[str], other: set[str]) -> bool | None:
    """Whether the first voice is the upper one; None if the stems do not say."""
    if (one, other) == ({"up"}, {"down"}):
        return True
    return False if (one, other) == ({"down"}, {"up"}) else None


def _reversed_pairs(voiced: Sequence[tuple[Timed, _Voice]]) -> set[tuple[int, _Voice, _Voice]]:
    """Pairs of voices, by staff, the first of which by number is mostly the lower by its stems."""
    votes: Counter[tuple[int, _Voice, _Voice]] = Counter()
    for _, group in groupby(voiced, key=lambda each: each[0].measure):
        here = list(group)
        for staff in {_staff(timed.note) for timed, _ in here}:
            stems = _stems(here, staff)
            for upper, lower in pairwise(sorted(stems, key=_by_number)):
                told = _told_by_stems(stems[upper], stems[lower])
                votes[staff, upper, lower] += 0 if told is None else 1 if told else -1
    return {pair for pair, vote in votes.items() if vote < 0}


def _by_number(voice: _Voice) -> tuple[int, int, str]:
    """Numbers as numbers, names of voices from the soprano down, other names by the alphabet."""
    if voice.isdecimal() and len(voice) < 10:
        return 0, int(voice), voice
    rank = choir_rank(voice)
    return (1, 0 if rank is None else rank, voice)
