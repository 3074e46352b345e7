"""Where tones want to go: leading tones, sevenths, altered tones, six-four chords (T01-T14)."""

from __future__ import annotations

from injected.chord_table import FA, LE, LEADING, SOL, TONIC
from injected.laws_motion import rising_tenths
from injected.notes import VOICES
from injected.window import Hit, Law, Window, down, interval, stepwise, up

_ALL = "SATB"
_MAJOR_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
_MINOR_SEMITONES = (0, 2, 3, 5, 7, 8, 10)


def _singers(w: Window, tone: tuple[int, int] | None) -> list[int]:
    """Voices that had a tone in the chord before, within the phrase."""
    return [v for v, sung in enumerate(w.before) if sung == tone] if w.joined else []


def _held(w: Window, voice: int) -> bool:
    return w.moves[voice] == (0, 0)


def _leaves_dominant(w: Window) -> bool:
    return bool(w.joined and w.b and w.b.chord.dominant and not w.c.chord.dominant)


def _descent(w: Window, voice: int) -> bool:
    """1-7-6."""
    before = w.earlier[voice] if w.earlier else (0, 0)
    return before == (-1, -1) and down(w.moves[voice])


def leading_outer(w: Window) -> list[Hit]:
    """T01."""
    outer = [v for v in _singers(w, LEADING) if v in (0, 3)] if _leaves_dominant(w) else []
    return [
        (VOICES[v], 0)
        for v in outer
        if not up(w.moves[v]) and not _held(w, v) and not _descent(w, v)
    ]


def leading_leaves(w: Window) -> list[Hit]:
    """What the strictest add to T01 and T02: it leaves within the dominant, or by the descent."""
    return [
        (VOICES[v], 0)
        for v in _singers(w, LEADING)
        if not _held(w, v)
        and not up(w.moves[v])
        and not (v in (1, 2) and w.moves[v] == (-4, -2) and _leaves_dominant(w))
    ]


def leading_inner(w: Window) -> list[Hit]:
    """T02."""
    inner = [v for v in _singers(w, LEADING) if v in (1, 2)] if _leaves_dominant(w) else []
    return [
        (VOICES[v], 0)
        for v in inner
        if w.tones[v] != TONIC and w.moves[v] != (-4, -2) and not _held(w, v)
    ]


def seventh_resolves(w: Window) -> list[Hit]:
    """T03."""
    tone = w.b.chord.seventh if w.b else None
    transferred = w.b is not None and w.b.chord.base == w.c.chord.base and tone in w.tones
    if transferred or rising_tenths(w):
        return []
    wrong = [v for v in _singers(w, tone) if tone and not down(w.moves[v]) and not _held(w, v)]
    return [(VOICES[v], 0) for v in wrong]


def seventh_leaves(w: Window) -> list[Hit]:
    """T03 without its exemptions but the held note."""
    tone = w.b.chord.seventh if w.b else None
    wrong = [v for v in _singers(w, tone) if tone and not down(w.moves[v]) and not _held(w, v)]
    return [(VOICES[v], 0) for v in wrong]


def seventh_approached(w: Window) -> list[Hit]:
    """T04."""
    tone = w.c.chord.seventh
    return [
        (VOICES[v], 0)
        for v, sung in enumerate(w.tones)
        if tone and sung == tone and w.joined and abs(w.moves[v][1]) > 1
    ]


def fa_falls(w: Window) -> list[Hit]:
    """T05."""
    if w.b is None or not w.changes:
        return []
    base = w.b.chord.base
    tone = (
        FA if base in ("viio", "viio7", "viiø7") else w.b.chord.tones[2] if base == "iii" else None
    )
    wrong = [v for v in _singers(w, tone) if tone and not down(w.moves[v]) and not _held(w, v)]
    return [(VOICES[v], 0) for v in wrong]


def le_falls(w: Window) -> list[Hit]:
    """T06; where the harmony stays, another voice may take it."""
    if not w.changes:
        return []
    wrong = [v for v in _singers(w, LE) if not _held(w, v) and w.moves[v] != (-1, -1)]
    return [(VOICES[v], 0) for v in wrong]


def tritone_resolves(w: Window) -> list[Hit]:
    """T07."""
    if w.b is None or not w.joined or not w.changes:
        return []
    tritone = interval(w.b.pitches[0], w.b.pitches[3])
    soprano, bass = w.moves[0], w.moves[3]
    steps = stepwise(soprano) and stepwise(bass) and soprano[0] * bass[0] < 0
    if tritone == (6, 3):
        return [] if steps and soprano[0] > 0 else [("SB", 0)]
    return [] if tritone != (6, 4) or (steps and soprano[0] < 0) else [("SB", 0)]


def augmented_sixth_resolves(w: Window) -> list[Hit]:
    """T08."""
    if w.b is None or not w.joined or not w.b.chord.augmented_sixth:
        return []
    low, high = _singers(w, LE), _singers(w, (6, 3))
    out = all(w.tones[v] == SOL and stepwise(w.moves[v]) for v in (*low, *high))
    return [] if out else [("".join(VOICES[v] for v in sorted((*low, *high))), 0)]


def altered_resolves(w: Window) -> list[Hit]:
    """T09: raised tones rise by step, lowered ones fall."""
    if w.b is None or not w.joined:
        return []
    scale = _MINOR_SEMITONES if w.frame.minor else _MAJOR_SEMITONES
    found = []
    for tone in sorted(w.b.chord.altered):
        raised = tone[0] > scale[tone[1]]
        for v in _singers(w, tone):
            if not _held(w, v) and not (up(w.moves[v]) if raised else down(w.moves[v])):
                found.append((VOICES[v], 0))
    return found


def _cadential(w: Window) -> bool:
    """Whether the chord before is a tonic six-four on a strong beat after a predominant."""
    if w.b is None or w.a is None or w.b.chord.name not in ("I64", "i64"):
        return False
    predominant = w.a.chord.base.startswith(("ii", "IV", "iv")) and w.a.chord.base != "iii"
    applied = "/V" in w.a.chord.base or w.a.chord.augmented_sixth
    return (predominant or applied) and w.frame.strong(w.b.onset)


def six_four_resolves(w: Window) -> list[Hit]:
    """T10."""
    if not w.joined or w.b is None or w.b.chord.name not in ("I64", "i64"):
        return []
    if w.c.chord.name not in ("V", "V7"):
        return []
    upper = [v for tone in w.b.chord.tones[:2] for v in _singers(w, tone)]
    return [(VOICES[v], 0) for v in sorted(upper) if not down(w.moves[v])]


def six_four_kind(w: Window) -> list[Hit]:
    """T11, told at the six-four chord."""
    if not w.joined or w.b is None or not (w.b.chord.triad and w.b.chord.inversion == 2):
        return []
    if w.c.chord.name in ("V", "V7") and w.b.chord.base in ("I", "i"):
        return []
    return [] if _explained(w) else [(_ALL, 1)]


def _explained(w: Window) -> bool:
    """Whether the six-four chord before passes, stands over a pedal or arpeggiates."""
    assert w.b
    bass = [w.earlier[3], w.moves[3]] if w.earlier else []
    passing = len(bass) == 2 and all(map(stepwise, bass)) and bass[0][0] * bass[1][0] > 0
    pedal = all(moved[1] % 7 == 0 for moved in bass)
    return passing or pedal or w.b.chord.base in (w.c.chord.base, w.a.chord.base if w.a else "")


def six_four_goes_on(w: Window) -> list[Hit]:
    """T12, told at the six-four chord, where nothing but a cadence explains it."""
    astray = _cadential(w) and w.c.chord.name not in ("V", "V7")
    return [(_ALL, 1)] if astray and not _explained(w) else []


def six_four_goes_anywhere(w: Window) -> list[Hit]:
    """What the strictest add to T12: on a strong beat no six-four passes or stands on a pedal."""
    astray = _cadential(w) and w.c.chord.name not in ("V", "V7")
    return [(_ALL, 1)] if astray and _explained(w) else []


def third_inversion(w: Window) -> list[Hit]:
    """T13."""
    wrong = w.joined and w.b is not None and w.b.chord.name == "V42" and w.changes
    return [(_ALL, 0)] if wrong and w.c.chord.name not in ("I6", "i6") else []


def root_diminished(w: Window) -> list[Hit]:
    """T14."""
    wrong = w.joined and w.b is not None and w.b.chord.name == "viio"
    return [(_ALL, 0)] if wrong and w.c.chord.base in ("I", "i") else []


LAWS: dict[str, Law] = {
    "T01": leading_outer, "T01+": leading_leaves, "T02": leading_inner, "T03": seventh_resolves,
    "T03+": seventh_leaves, "T04": seventh_approached, "T05": fa_falls, "T06": le_falls,
    "T07": tritone_resolves, "T08": augmented_sixth_resolves, "T09": altered_resolves,
    "T10": six_four_resolves, "T11": six_four_kind, "T12": six_four_goes_on,
    "T12+": six_four_goes_anywhere,
    "T13": third_inversion, "T14": root_diminished,
}  # fmt: skip
