"""Tied positions of one voice as themes and their statements.

A *theme* is a longest run of frames that return together: each of its frames has the same copies,
as far away and equally moved. Its passage and each copy are its *statements*. A form's letter may
be several themes: in ``A A' B A`` the first half of ``A`` has three statements, the rest two.

A theme begins with a note or a rest, never with a hold. So what sounds in a copy is a function of
what sounds in the passage, and one chain over the passage's notes carries all statements (design
§6).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clausula.constraints.domains import Domains
from clausula.constraints.repeat import NO_IMAGE, NO_SOURCE, Ties
from clausula.errors import PlanError
from clausula.grid import Voice
from clausula.vocabulary import HOLD_TOKEN, N_VOICE


class Statement(NamedTuple):
    """One sounding of a theme.

    Attributes:
        theme: which, counted in order of their passages.
        copy: whether it is a copy, not the passage itself.
        start: its first frame.
        stop: the frame after its last.
        image: int ``[32]`` its token for each of the passage's, ``NO_IMAGE`` where there is none.
    """

    theme: int
    copy: bool
    start: int
    stop: int
    image: np.ndarray


class Line(NamedTuple):
    """The themes of one voice.

    Attributes:
        allowed: bool ``[time, 32]`` tokens that the domains allow and whose images, or for a copy
            some token with that image, they allow as well.
        sounds: bool ``[time, 32]`` notes that may sound after each frame, likewise.
        statements: in order of time; none where nothing returns.
    """

    allowed: np.ndarray
    sounds: np.ndarray
    statements: tuple[Statement, ...]

    @property
    def themes(self) -> int:
        """How many there are."""
        return sum(not statement.copy for statement in self.statements)

    @property
    def feasible(self) -> bool:
        """Whether every frame is left a token and a note to sound.

        Where what sounds is not restricted, any token may follow any note, and so this is whether
        any sequence of tokens keeps domains and ties.
        """
        return bool(self.allowed.any(axis=1).all() and self.sounds.any(axis=1).all())


def line_of(ties: Ties, domains: Domains, sounding: np.ndarray, voice: Voice) -> Line:
    """The themes of a voice.

    Args:
        ties: which frames are copies of which.
        domains: the tokens that are allowed.
        sounding: uint32 ``[time, voice]`` bits of the notes that may sound after each frame.
        voice: whose.

    Raises:
        PlanError: a theme may begin with a hold, so that what sounds in its copies is not a
            function of what sounds in it. ``repeat.tie`` leaves no such domains.
    """
    allowed, sounds = (
        (words[:, voice, None] >> np.arange(N_VOICE, dtype=np.uint32) & 1).astype(bool)
        for words in (domains.masks, sounding)
    )
    statements: list[Statement] = []
    runs = _runs(ties.source_frame[:, voice], ties.map_of_frame[:, voice])
    for theme, (start, stop, copies) in enumerate(runs):
        of_theme = [Statement(theme, False, start, stop, np.arange(N_VOICE))]
        for distance, row in copies:
            image = ties.token_map[row].astype(int)
            of_theme.append(Statement(theme, True, start + distance, stop + distance, image))
        _intersect(allowed, of_theme)
        _intersect(sounds, of_theme)
        if allowed[start, HOLD_TOKEN]:
            raise PlanError(
                f"the {voice.name.lower()}'s returning passage may begin with a held note in frame "
                f"{start}; demand a note or a rest there"
            )
        statements += of_theme
    # A note that may not sound may not begin.
    allowed &= sounds | (np.arange(N_VOICE) == HOLD_TOKEN)
    return Line(allowed, sounds, tuple(sorted(statements, key=lambda statement: statement.start)))


_Copies = tuple[tuple[int, int], ...]  # distance in frames, row of the token map


def _runs(source: np.ndarray, row: np.ndarray) -> list[tuple[int, int, _Copies]]:
    """First frame, end and copies of every theme, in order of time."""
    copies: dict[int, list[tuple[int, int]]] = {}
    for frame in np.flatnonzero(source != NO_SOURCE).tolist():
        original = int(source[frame])
        copies.setdefault(original, []).append((frame - original, int(row[frame])))
    runs: list[list[int]] = []
    for frame in sorted(copies):
        if runs and frame == runs[-1][-1] + 1 and copies[frame] == copies[runs[-1][-1]]:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return [(run[0], run[-1] + 1, tuple(copies[run[0]])) for run in runs]


def _intersect(allowed: np.ndarray, statements: list[Statement]) -> None:
    """Pass what each statement of a theme allows through to all the others, in place."""
    passage, *copies = statements
    left = allowed[passage.start : passage.stop].copy()
    for copy in copies:
        there = allowed[copy.start : copy.stop, copy.image]
        left &= there & (copy.image != NO_IMAGE)
    allowed[passage.start : passage.stop] = left
    for copy in copies:
        images = np.zeros_like(left)
        for token in np.flatnonzero(copy.image != NO_IMAGE):
            images[:, copy.image[token]] |= left[:, token]
        allowed[copy.start : copy.stop] = images
