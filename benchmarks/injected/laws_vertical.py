"""One chord at a time: ranges, spacing, and which members are there and how often (V01-V17)."""

from __future__ import annotations

from injected.chord_table import LEADING, Tone
from injected.window import NEIGHBOURS, PAIRS, Hit, Law, Window, letters

RANGES = ((60, 79), (55, 72), (48, 67), (40, 60))  # MIDI numbers: C4-G5, G3-C5, C3-G4, E2-C4
OCTAVE, TWELFTH = 12, 19
ALL = "SATB"


def _singers(w: Window, tone: Tone) -> list[int]:
    return [voice for voice, sung in enumerate(w.tones) if sung == tone]


def _doubled(w: Window, tone: Tone | None) -> list[Hit]:
    singers = _singers(w, tone) if tone else []
    return [(letters(*singers), 0)] if len(singers) > 1 else []


def _missing(w: Window, member: int) -> list[Hit]:
    return [] if w.c.chord.tones[member] in w.tones else [(ALL, 0)]


def out_of_range(w: Window) -> list[Hit]:
    """V01."""
    sung = zip(w.c.pitches, RANGES, strict=True)
    return [(ALL[v], 0) for v, (p, (low, high)) in enumerate(sung) if not low <= p[0] <= high]


def wide_upper(w: Window) -> list[Hit]:
    """V02."""
    p = w.c.pitches
    return [(letters(u, v), 0) for u, v in NEIGHBOURS[:2] if p[u][0] - p[v][0] > OCTAVE]


def wide_lower(w: Window) -> list[Hit]:
    """V03."""
    return [("TB", 0)] if w.c.pitches[2][0] - w.c.pitches[3][0] > TWELFTH else []


def crossing(w: Window) -> list[Hit]:
    """V04."""
    p = w.c.pitches
    return [(letters(u, v), 0) for u, v in PAIRS if p[u][0] < p[v][0]]


def no_third(w: Window) -> list[Hit]:
    """V05."""
    return _missing(w, 1)


def no_root(w: Window) -> list[Hit]:
    """V06; the diminished chord on the leading tone is exempt."""
    return [] if w.c.chord.base.startswith("vii") else _missing(w, 0)


def no_seventh(w: Window) -> list[Hit]:
    """V07."""
    return _missing(w, 3) if w.c.chord.seventh else []


def no_fifth(w: Window) -> list[Hit]:
    """V08."""
    return _missing(w, 2) if w.c.chord.inversion else []


def tripled_root(w: Window) -> list[Hit]:
    """V09."""
    singers = _singers(w, w.c.chord.tones[0])
    final = w.last and w.c.chord.base in ("I", "i")
    return [(letters(*singers), 0)] if len(singers) > 2 and not final else []


def doubled_leading(w: Window) -> list[Hit]:
    """V10; the third of III or fifth of iii is no leading tone."""
    return _doubled(w, w.c.chord.leading)


def doubled_seventh(w: Window) -> list[Hit]:
    """V11."""
    return _doubled(w, w.c.chord.seventh)


def doubled_third(w: Window) -> list[Hit]:
    """V12; the leading tone is V10's."""
    chord = w.c.chord
    deceptive = w.b is not None and w.b.chord.base in ("V", "V7") and chord.base == "VI"
    major = chord.triad and chord.quality == "major" and not chord.inversion
    return _doubled(w, chord.tones[1]) if major and not deceptive and not chord.leading else []


def six_four_bass(w: Window) -> list[Hit]:
    """V13."""
    six_four = w.c.chord.triad and w.c.chord.inversion == 2
    return [(ALL, 0)] if six_four and not _doubled(w, w.c.chord.bass) else []


def six_three_bass(w: Window) -> list[Hit]:
    """V14; the degree counts, not its accidental."""
    chord = w.c.chord
    sixth = chord.triad and chord.inversion == 1 and chord.bass[1] in (2, 5, 6)
    return _doubled(w, chord.bass) if sixth and chord.bass != LEADING else []


def diminished_third(w: Window) -> list[Hit]:
    """V15."""
    chord = w.c.chord
    diminished = chord.triad and chord.quality == "diminished"
    return [(ALL, 0)] if diminished and not _doubled(w, chord.tones[1]) else []


def deceptive_third(w: Window) -> list[Hit]:
    """V16; a leading tone in an inner voice that does not rise excuses it."""
    if w.b is None or w.b.chord.base not in ("V", "V7") or w.c.chord.name not in ("vi", "VI"):
        return []
    if w.b.chord.inversion or _doubled(w, w.c.chord.tones[1]):
        return []
    rises = [after == (0, 0) for b, after in zip(w.before, w.tones, strict=True) if b == LEADING]
    return [(ALL, 0)] if all(rises) else []


def doubled_altered(w: Window) -> list[Hit]:
    """V17; altered sevenths and leading tones have rules of their own."""
    plain = w.c.chord.altered - {w.c.chord.seventh, w.c.chord.leading}
    return [hit for tone in sorted(plain) for hit in _doubled(w, tone)]


LAWS: dict[str, Law] = {
    "V01": out_of_range, "V02": wide_upper, "V03": wide_lower, "V04": crossing, "V05": no_third,
    "V06": no_root, "V07": no_seventh, "V08": no_fifth, "V09": tripled_root,
    "V10": doubled_leading, "V11": doubled_seventh, "V12": doubled_third, "V13": six_four_bass,
    "V14": six_three_bass, "V15": diminished_third, "V16": deceptive_third,
    "V17": doubled_altered,
}  # fmt: skip
