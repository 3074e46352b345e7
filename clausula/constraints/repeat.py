"""Returning passages: voices of a span come back elsewhere, as tied frames.

Conventions: a copy keeps metrical position, onsets and note ends and begins with a note. So in a
copy's frame the token is a function of the source frame's: a hold for a hold, a rest for a rest,
and for a note the note it is moved to. Ends are exclusive. The passage is read in the home key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from clausula.constraints.domains import ALL_TOKENS, HOLD_BIT, ONSET_BITS, Domains, irreducible
from clausula.constraints.place import Place, Span, Timeline
from clausula.constraints.transposition import UNMOVED, Transposition, image
from clausula.errors import ImpossibleError, PlanError
from clausula.grid import Voice
from clausula.pitch import Key
from clausula.vocabulary import (
    FIRST_PITCH,
    HOLD_TOKEN,
    N_VOICE,
    REST_TOKEN,
    VOICE_LOWEST,
    voice_semitones,
)

RETURNS = "the notes allowed in a passage and its copies"  # as a prover
NO_SOURCE = -1
NO_IMAGE = -1


@dataclass(frozen=True)
class Repeat:
    """A passage that returns.

    >>> str(Repeat(Span(Place(1), Place(3)), Place(9), voices=(Voice.SOPRANO, Voice.BASS)))
    'repeat 1-2 @ 9 in S,B'

    Attributes:
        source: the passage.
        at: where it returns.
        how: how it is moved.
        voices: the voices that return.
    """

    source: Span
    at: Place
    how: Transposition = UNMOVED
    voices: tuple[Voice, ...] = (Voice.SOPRANO,)

    def __str__(self) -> str:
        voices = ",".join(voice.name[0] for voice in self.voices)
        how = "" if self.how == UNMOVED else f" {self.how}"
        return f"repeat {self.source} @ {self.at}{how} in {voices}"


@dataclass(frozen=True, eq=False)
class Ties:
    """Frames in which a voice's token follows from an earlier frame's.

    Attributes:
        source_frame: int32 ``[time, voice]`` the original frame, earlier and itself never a copy;
            ``NO_SOURCE`` where the voice's frame is not a copy.
        map_of_frame: int32 ``[time, voice]`` row of ``token_map``; 0 where it is not a copy.
        token_map: int8 ``[map, token]`` token of the copy for each of the voice's tokens in the
            source, ``NO_IMAGE`` where there is none. Row 0 is the identity.
    """

    source_frame: np.ndarray
    map_of_frame: np.ndarray
    token_map: np.ndarray


@dataclass(frozen=True)
class _Copy:
    """A repeat with its frames."""

    repeat: Repeat
    source: range
    target: range


_Owner = dict[tuple[int, Voice], _Copy]  # by frame and voice: the repeat that fills it


def tie(
    repeats: Sequence[Repeat],
    timeline: Timeline,
    home: Key,
    domains: Domains,
    parts: Sequence[tuple[str, Domains]] = (),
) -> tuple[Ties, Domains]:
    """Which frames are copies of which, and what that leaves of the domains.

    Args:
        repeats: the passages that return; a copy may be copied again.
        timeline: the frames of the piece.
        home: the key in which the passages are read.
        domains: everything else that is asked for, no cell empty.
        parts: the same constraint by constraint, under the names that messages use.

    Returns:
        The ties, and domains in which every returning token of a source has an allowed image in
        all its copies and every one of a copy has an allowed source.

    Raises:
        PlanError: a repeat that does not fit the piece or contradicts another, or a passage that
            cannot return under the domains; the message names the constraints that conflict and
            the place.
    """
    copies = [_Copy(repeat, *placed(repeat, timeline)) for repeat in repeats]
    ties, owner = _resolved(copies, timeline, home)
    masks = domains.masks.copy()
    for voice in Voice:
        column = masks[:, voice]
        named = [(name, part.masks[:, voice]) for name, part in parts]
        for copy in copies:
            if voice in copy.repeat.voices:
                _delimit(copy, voice, column, timeline, named)
        _propagate(_Tied(ties, owner, timeline, voice), column, named)
    return ties, Domains(masks)


def placed(repeat: Repeat, timeline: Timeline) -> tuple[range, range]:
    """The frames of the passage and of its copy.

    Raises:
        PlanError: it cannot stand there.
    """
    if not repeat.voices or len(set(repeat.voices)) < len(repeat.voices):
        raise PlanError(f"{repeat}: name each returning voice once, such as 'in S' or 'in S,B'")
    source = timeline.frames(repeat.source)
    start = timeline.frame_of(*repeat.at)
    target = range(start, start + len(source))
    if timeline.position[start] != timeline.position[source.start]:
        raise PlanError(
            f"{repeat}: the passage starts at beat {repeat.source.start.beat} and would return at "
            f"beat {repeat.at.beat}; try the same beat of another measure"
        )
    if target.stop > timeline.n_frames:
        raise PlanError(
            f"{repeat}: the copy would end after the piece; try an earlier place or a shorter span"
        )
    if target.start < source.stop:
        raise PlanError(
            f"{repeat}: the copy starts before the passage is over; try a later place, "
            "or name the first statement as the passage"
        )
    return source, target


def token_map(repeat: Repeat, home: Key, voice: Voice) -> np.ndarray:
    """int8 ``[token]``: the copy's token of a voice for each of the source's."""
    mapped = np.full(N_VOICE, NO_IMAGE, np.int8)
    mapped[[REST_TOKEN, HOLD_TOKEN]] = REST_TOKEN, HOLD_TOKEN
    semitones = voice_semitones(voice)
    for token in range(FIRST_PITCH, N_VOICE):
        moved = image(repeat.how, home, int(semitones[token]))
        if moved is not None:
            target = moved.semitone - int(VOICE_LOWEST[voice]) + FIRST_PITCH
            mapped[token] = target if FIRST_PITCH <= target < N_VOICE else NO_IMAGE
    return mapped


def tie_sounding(ties: Ties, words: np.ndarray) -> np.ndarray:
    """What may sound in passages and copies where it must be the same, moved.

    Args:
        ties: which frames are copies of which.
        words: uint32 ``[time, voice]`` bits of what may sound after each frame: 0 silence, 2 and
            more the pitches, like the tokens that begin them.
    """
    words = words.copy()
    copies = np.argwhere(ties.source_frame != NO_SOURCE)
    # Passages hear of all their copies before any copy hears of its passage.
    for back in (True, False):
        for frame, voice in copies:
            source = ties.source_frame[frame, voice]
            mapped = ties.token_map[ties.map_of_frame[frame, voice]]
            if back:
                words[source, voice] &= np.uint32(_preimage(mapped, int(words[frame, voice])))
            else:
                words[frame, voice] &= np.uint32(_images(mapped, int(words[source, voice])))
    return words


def highest_of_copies(ties: Ties, voice: Voice) -> np.ndarray:
    """``bool[time]`` where a note may be higher than what it returns as, and than what it repeats.

    A note of a passage that returns at pitch, or higher, is never the only highest one.
    """
    may = np.ones(len(ties.source_frame), bool)
    copies_of: dict[int, list[int]] = {}
    for copy in np.flatnonzero(ties.source_frame[:, voice] != NO_SOURCE).tolist():
        copies_of.setdefault(int(ties.source_frame[copy, voice]), []).append(copy)
    notes = np.arange(FIRST_PITCH, N_VOICE)
    for source, copies in copies_of.items():
        images = ties.token_map[ties.map_of_frame[copies, voice]][:, notes]
        there = np.vstack([notes, images])[:, (images >= 0).all(axis=0)]
        frames = [source, *copies]
        for place, frame in enumerate(frames):
            others = np.delete(there, place, axis=0).max(axis=0)
            may[frame] &= bool((there[place] > others).any())
    return may


def with_loose_ties(ties: Ties, repeats: Sequence[Repeat], timeline: Timeline, home: Key) -> Ties:
    """The ties, and where there are none those of returns that may change: what may be expected."""
    source_frame, map_of_frame, token_map = ties.source_frame, ties.map_of_frame, ties.token_map
    for repeat in repeats:
        own, _ = _resolved([_Copy(repeat, *placed(repeat, timeline))], timeline, home)
        free = (source_frame == NO_SOURCE) & (own.source_frame != NO_SOURCE)
        source_frame = np.where(free, own.source_frame, source_frame)
        map_of_frame = np.where(free, own.map_of_frame + len(token_map), map_of_frame)
        token_map = np.concatenate([token_map, own.token_map])
    return Ties(source_frame, map_of_frame, token_map)


def _resolved(copies: Sequence[_Copy], timeline: Timeline, home: Key) -> tuple[Ties, _Owner]:
    """Ties that lead straight to the original frames, and which repeat fills each copy's frame.

    Raises:
        PlanError: two repeats want different things of one frame.
    """
    owner: _Owner = {}
    for copy in copies:
        for frame, voice in product(copy.target, copy.repeat.voices):
            if owner.setdefault((frame, voice), copy).repeat != copy.repeat:
                both = str(owner[frame, voice].repeat), str(copy.repeat)
                raise ImpossibleError(
                    f"{both[0]} and {both[1]} both fill {timeline.words(frame)}; "
                    "try another place for one of them",
                    both,
                    RETURNS,
                )
    maps = {
        (copy.repeat, voice): token_map(copy.repeat, home, voice)
        for copy in copies
        for voice in copy.repeat.voices
    }
    rows = [np.arange(N_VOICE, dtype=np.int8)]
    row_of = {rows[0].tobytes(): 0}
    source_frame = np.full((timeline.n_frames, len(Voice)), NO_SOURCE, np.int32)
    map_of_frame = np.zeros_like(source_frame)
    for frame, voice in owner:
        original, mapped = _original(frame, voice, owner, maps)
        if mapped.tobytes() not in row_of:
            row_of[mapped.tobytes()] = len(rows)
            rows.append(mapped)
        source_frame[frame, voice] = original
        map_of_frame[frame, voice] = row_of[mapped.tobytes()]
    return Ties(source_frame, map_of_frame, np.stack(rows)), owner


def _original(
    frame: int, voice: Voice, owner: _Owner, maps: dict[tuple[Repeat, Voice], np.ndarray]
) -> tuple[int, np.ndarray]:
    """The frame at the start of a chain of copies, and the map from its tokens to ``frame``'s."""
    mapped = np.arange(N_VOICE, dtype=np.int8)
    at = frame
    while (at, voice) in owner:
        copy = owner[at, voice]
        # NO_IMAGE is -1 and so indexes the appended last entry: no image stays none.
        mapped = np.append(mapped, np.int8(NO_IMAGE))[maps[copy.repeat, voice]]
        at = copy.source[at - copy.target.start]
    return at, mapped


_Named = Sequence[tuple[str, np.ndarray]]  # one voice's masks [time] of named constraints


def _delimit(
    copy: _Copy, voice: Voice, column: np.ndarray, timeline: Timeline, named: _Named
) -> None:
    """Let passage and copy begin with a note and end where a note ends, in ``column`` itself.

    Raises:
        PlanError: other constraints forbid it there.
    """
    for frames in (copy.source, copy.target):
        limits = {frames.start: ("begin", ONSET_BITS), frames.stop: ("be over", ~HOLD_BIT)}
        for frame, (what, bits) in limits.items():
            if frame == timeline.n_frames:
                continue
            before = int(column[frame])
            column[frame] &= bits & ALL_TOKENS
            if not column[frame]:
                cells = [("", before), ("", bits & ALL_TOKENS)]
                cells += [(name, int(masks[frame])) for name, masks in named]
                names = [name for name in irreducible(cells) if name]
                raise ImpossibleError(
                    f"{copy.repeat}: a {voice.name.lower()} note must {what} at "
                    f"{timeline.words(frame)}, which "
                    f"{' together with '.join(names) or 'another constraint'} forbids; "
                    "try a span that keeps clear of it",
                    [str(copy.repeat), *names],
                    RETURNS,
                )


class _Tied(NamedTuple):
    """The ties of one voice, which repeat made each copy frame, and where frames are."""

    ties: Ties
    owner: _Owner
    timeline: Timeline
    voice: Voice

    @property
    def frames(self) -> list[int]:
        """The frames in which the voice is a copy, in order."""
        return sorted(frame for frame, voice in self.owner if voice is self.voice)

    def source(self, frame: int) -> int:
        """The original frame of a copy's."""
        return int(self.ties.source_frame[frame, self.voice])

    def copy(self, frame: int) -> _Copy:
        """The repeat that fills a copy's frame."""
        return self.owner[frame, self.voice]

    def map_to(self, frame: int) -> np.ndarray:
        """int8 ``[token]``: a copy frame's token for each of its original frame's."""
        return self.ties.token_map[self.ties.map_of_frame[frame, self.voice]]

    def words(self, frame: int) -> str:
        """Which repeat fills a copy frame, and where that is."""
        return f"{self.copy(frame).repeat} (copied to {self.timeline.words(frame)})"


def _propagate(tied: _Tied, column: np.ndarray, named: _Named) -> None:
    """Intersect passage and copies through the token maps, in ``column`` itself.

    Raises:
        PlanError: at some place nothing is left.
    """
    copies_of: dict[int, list[int]] = {}
    for frame in tied.frames:
        copies_of.setdefault(tied.source(frame), []).append(frame)
    for original, frames in sorted(copies_of.items()):
        cells = [("", int(column[original]))]
        cells += [(tied.words(f), _preimage(tied.map_to(f), int(column[f]))) for f in frames]
        left = int(np.bitwise_and.reduce([mask for _, mask in cells]))
        if not left:
            blamed = _blamed(tied, original, frames, cells, named)
            raise ImpossibleError(
                f"{tied.timeline.words(original)}: no {tied.voice.name.lower()} note whose "
                "transposition stays in range and is allowed in every copy: "
                f"{' together with '.join(blamed)}; "
                "try another interval, key or place",
                dict.fromkeys(name for names in blamed.values() for name in names),
                RETURNS,
            )
        column[original] = left
        for frame in frames:
            column[frame] = _images(tied.map_to(frame), left)


def _blamed(
    tied: _Tied,
    original: int,
    frames: Sequence[int],
    cells: Sequence[tuple[str, int]],
    parts: _Named,
) -> dict[str, tuple[str, ...]]:
    """What leaves a passage's frame and its copies without a note: words, and the constraints.

    ``irreducible`` drops early cells first, so ``cells``, which merge everything that is asked of a
    frame, survive only where no named constraint explains them.
    """
    named = [(name, int(masks[original])) for name, masks in parts]
    constraints: dict[str, tuple[str, ...]] = {name: (name,) for name, _ in named}
    for frame in frames:
        mapped, repeat = tied.map_to(frame), str(tied.copy(frame).repeat)
        begins = frame == tied.copy(frame).target.start
        named.append((tied.words(frame), _preimage(mapped, ONSET_BITS if begins else ALL_TOKENS)))
        constraints[tied.words(frame)] = (repeat,)
        for name, masks in parts:
            refused = _preimage(mapped, ALL_TOKENS & ~int(masks[frame]))
            through = f"{name} (through {repeat})"
            named.append((through, ALL_TOKENS & ~refused))
            constraints[through] = (name, repeat)
    blamed = set(irreducible([*cells, *named]))
    return {name: constraints[name] for name, _ in named if name in blamed}


def _preimage(mapped: np.ndarray, mask: int) -> int:
    """Bits of the tokens whose image is in ``mask``."""
    return sum(1 << token for token, to in enumerate(mapped.tolist()) if to >= 0 and mask >> to & 1)


def _images(mapped: np.ndarray, mask: int) -> int:
    """Bits of the images of those tokens in ``mask`` that have one."""
    own = [token for token in range(len(mapped)) if mask >> token & 1]
    return sum(1 << to for to in {*mapped[own].tolist()} if to >= 0)
