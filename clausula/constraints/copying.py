"""Originality: no long run of notes, or of verticalities, is a copy from the bundled corpus.

Runs are compared by their intervals, so that a transposed copy is a copy. A rest ends a run. Where
the rhythm counts, so do the lengths of all notes but the last.
"""

from __future__ import annotations

from dataclasses import dataclass

from clausula.grid import Voice


@dataclass(frozen=True)
class MaxCopy:
    """So many notes in a row never sound as in some piece of the corpus.

    >>> str(MaxCopy(8, voices=(Voice.SOPRANO,)))
    'max-copy 8 notes in S'

    Attributes:
        length: notes, or verticalities, in a row.
        voices: whose notes; each is compared with the lines of all voices. Empty for
            verticalities: all four voices together, at every moment at which one of them moves.
        rhythm: whether the lengths must agree as well for a run to count as copied.
    """

    length: int
    voices: tuple[Voice, ...] = tuple(Voice)
    rhythm: bool = False

    def __str__(self) -> str:
        what = "notes" if self.voices else "verticalities"
        rhythm = " with rhythm" if self.rhythm else ""
        every = not self.voices or self.voices == tuple(Voice)
        where = "" if every else " in " + ",".join(voice.name[0] for voice in self.voices)
        return f"max-copy {self.length} {what}{rhythm}{where}"
