"""Between notation and the grid.

A score put on the grid and written again is the same music: pitches with their spelling, onsets,
lengths, rests, fermatas, meter, key and pick-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from clausula.errors import InputError
from clausula.grid import REST, VOICE_LETTERS, Grid, frames_in
from clausula.key_finding import infer_key
from clausula.lines import VOICE_NAMES
from clausula.pitch import Key, SpelledPitch
from clausula.score import Note, Part, Score

_CLEFS = ("treble", "treble", "treble8vb", "bass")


def to_grid(score: Score, key: Key | None = None, frames_per_quarter: int = 4) -> Grid:
    """The score on a grid.

    ``phrase_end`` is true while a note with a fermata sounds in any voice.

    Args:
        score: four parts in one meter.
        key: the home key; by default the score's first, inferred if only a signature is known.
        frames_per_quarter: resolution; 4 is a sixteenth a frame, 12 holds triplets as well.

    Raises:
        InputError: not four parts, several meters, or a note that is off the grid.
    """
    if len(score.parts) != 4:
        names = ", ".join(part.name for part in score.parts) or "none"
        raise InputError(
            f"{len(score.parts)} parts found ({names}), but the grid has four voices; try a score "
            "for soprano, alto, tenor and bass, on two staves or four"
        )
    if len(score.meters) > 1:
        onset, meter = score.meters[1]
        raise InputError(
            f"the meter changes to {meter} in measure {score.place(onset)[0]}, but the grid has "
            "one; try the passages in each meter by themselves"
        )
    if key is None:
        key = score.keys[0][1]
        # A signature without accidentals is also what a file without any signature looks like.
        key = key if score.key_given else infer_key(score, key.fifths or None)
    frames = frames_in(score.length, frames_per_quarter)
    pitch = np.full((frames, 4), REST)
    step = np.zeros((frames, 4), int)
    onset_at = np.zeros((frames, 4), bool)
    phrase_end = np.zeros(frames, bool)
    for voice, part in enumerate(score.parts):
        for note in part.notes:
            start = _frame(score, part, note, note.onset, frames_per_quarter)
            end = _frame(score, part, note, note.end, frames_per_quarter)
            pitch[start:end, voice], step[start:end, voice] = note.pitch
            onset_at[start, voice] = True
            phrase_end[start:end] |= note.fermata
    return Grid(
        pitch,
        step,
        onset_at,
        phrase_end,
        score.meters[0][1],
        key,
        frames_in(score.pickup, frames_per_quarter),
        frames_per_quarter,
        score.title,
    )


def to_score(
    grid: Grid,
    *,
    ids: bool = True,
    title: str = "",
    local_keys: Sequence[tuple[int, Key]] | None = None,
) -> Score:
    """The grid in notation, spelled as ``grid.step`` says.

    Args:
        grid: the piece.
        ids: whether notes are named by voice and count (``"S12"``), the same on every call.
        title: what the piece is called; by default the grid's title.
        local_keys: ``(frame, key)`` of each change of key signature; by default the home key.

    Returns:
        Parts Soprano, Alto, Tenor and Bass. In each run of ``phrase_end``, the last note of each
        voice has the fermata if it begins in the run and sounds to its end.
    """
    quarter = grid.frames_per_quarter
    changes = [] if local_keys is None else list(local_keys)
    if not changes or changes[0][0] != 0:
        changes.insert(0, (0, grid.key))
    return Score(
        tuple(_part(grid, voice, ids) for voice in range(4)),
        ((Fraction(0), grid.meter),),
        tuple((Fraction(frame, quarter), key) for frame, key in changes),
        Fraction(grid.pickup, quarter),
        title=title or grid.title,
        length=Fraction(len(grid), quarter),
    )


def note_spans(grid: Grid, voice: int) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of each note of a voice."""
    sounding = grid.pitch[:, voice] != REST
    starts = np.flatnonzero(grid.onset[:, voice] & sounding)
    # A note ends where the next begins or where silence falls.
    stops = np.flatnonzero(grid.onset[:, voice] | ~sounding)
    edges = np.append(stops, len(grid))
    return [(int(start), int(edges[np.searchsorted(edges, start + 1)])) for start in starts]


def _part(grid: Grid, voice: int, ids: bool) -> Part:
    runs = _phrase_ends(grid.phrase_end)
    notes = []
    for count, (start, end) in enumerate(note_spans(grid, voice), start=1):
        notes.append(
            Note(
                f"{VOICE_LETTERS[voice]}{count}" if ids else "",
                Fraction(start, grid.frames_per_quarter),
                Fraction(end - start, grid.frames_per_quarter),
                SpelledPitch(int(grid.pitch[start, voice]), int(grid.step[start, voice])),
                # A fermata on a note that began earlier would make the phrase end earlier.
                end in runs and start >= runs[end],
            )
        )
    return Part(VOICE_NAMES[voice], tuple(notes), _CLEFS[voice])


def _phrase_ends(phrase_end: np.ndarray) -> dict[int, int]:
    """First frame of each run of ``phrase_end``, by the frame after it."""
    edges = np.flatnonzero(np.diff(phrase_end, prepend=False, append=False))
    return {int(end): int(start) for start, end in zip(edges[::2], edges[1::2], strict=True)}


def _frame(score: Score, part: Part, note: Note, moment: Fraction, frames_per_quarter: int) -> int:
    frames = moment * frames_per_quarter
    if frames.denominator == 1:
        return int(frames)
    measure, beat = score.place(note.onset)
    finer = frames_per_quarter * frames.denominator
    raise InputError(
        f"{part.name}, measure {measure}, beat {beat}: {note.pitch.name} begins or ends between "
        f"two frames of 1/{frames_per_quarter} quarter; try a grid of {finer} frames a quarter"
    )
