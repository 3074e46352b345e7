"""Whether a given line is still there, judged from what was written; see ``verify``."""

from __future__ import annotations

from clausula.constraints.given import Given
from clausula.grid import REST, Grid
from clausula.score import Part


def verify_line(grid: Grid, given: Given) -> list[str]:
    """Reasons why the voice does not sing the given notes and rests, frame by frame."""
    wanted: list[tuple[int, int, bool]] = [(REST, 0, False)] * len(grid)
    for note in given.notes:
        first = note.onset * grid.frames_per_quarter
        end = note.end * grid.frames_per_quarter
        for frame in range(int(first), min(int(end), len(grid))):
            wanted[frame] = (note.pitch.semitone, note.pitch.step, frame == first)
    reasons = []
    for frame, expected in enumerate(wanted):
        found = (
            int(grid.pitch[frame, given.voice]),
            int(grid.step[frame, given.voice]),
            bool(grid.onset[frame, given.voice]),
        )
        if found != expected:
            reasons.append(
                f"measure {int(grid.measure[frame])} beat {grid.beat[frame]}: the "
                f"{given.voice.name.lower()} is not what was given"
            )
    return reasons


def verify_notes(part: Part, given: Given) -> list[str]:
    """Reasons why the part's notes are not the given ones, ids, fermatas and words included."""
    kept = {note.id: note for note in part.notes}
    reasons = []
    for note in given.notes:
        if note.id not in kept:
            reasons.append(f"the note {note.id} ({note.pitch.name}) is missing")
        elif kept[note.id] != note:
            reasons.append(f"the note {note.id} ({note.pitch.name}) was changed")
    if len(part.notes) != len(given.notes):
        reasons.append(f"{len(part.notes)} notes, where {len(given.notes)} were given")
    return reasons
