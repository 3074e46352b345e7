"""Ties of a plan compiled for the search: the messages of all voices in arrays.

Voices are independent of one another in the observed chain, so their log probabilities add; voices
of which nothing returns have no part. "All ties are kept" includes that the returning voices stay
within their domains.

Conventions: T frames (padded), V voices; sounding notes are voice tokens, 0 for silence; log
probabilities in nats. Whatever depends on the plan is padded to a bucket, so that another plan is
not another program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clausula.constraints.domains import ALL_TOKENS, Domains
from clausula.constraints.repeat import NO_SOURCE, Ties
from clausula.constraints.rule import Array
from clausula.engine.themes import Line, line_of
from clausula.engine.tie_messages import (
    Stretch,
    VoiceMessages,
    first_of,
    last_of,
    voice_messages,
)
from clausula.grid import Voice
from clausula.vocabulary import N_VOICE

NO_END = -1
END_BUCKET = 8
STRETCH_BUCKET = 32
FACTOR_BUCKET = 8
ENTRY_BUCKET = 1 << 18
MAP_BUCKET = 4


class TieTables(NamedTuple):
    """What the search reads; see ``VoiceMessages`` for what it means.

    Attributes:
        returning: bool ``[V]`` voices of which something returns; the others have no part.
        allowed: uint32 ``[T, V]`` bits of the tokens that domains and ties together allow.
        sounds: uint32 ``[T, V]`` bits of the notes that they let sound after the frame.
        tie_source: int32 ``[T, V]`` frame that each voice's frame repeats, ``NO_SOURCE`` for none.
        map_of_frame: int32 ``[T, V]`` row of ``tie_map``.
        tie_map: int8 ``[maps, 32]`` token of the copy, ``NO_IMAGE`` where there is none.
        log_owed: float32 ``[T, V, 32, 32]``.
        owing: bool ``[T, V]`` whether copies are still to come, or to go on, after the frame.
        first_end: int32 ``[T, V]`` the end that begins a passage in the frame, ``NO_END`` for none.
        last_end: int32 ``[T, V]`` the end that closes one, likewise.
        log_ahead: float32 ``[T, V, 32, 32]``.
        stretch: int32 ``[T, V]`` row of the next two.
        offset: int32 ``[stretch, factor]`` place of each factor's first entry in ``log_entries``.
        stride: int32 ``[stretch, factor, end + 1]`` step for each end, that for the target last.
        log_entries: float32 ``[entry]`` all factors; entry 0 is 0 and pads their lists.
        log_start: float32 ``[V]`` log P(all ties and domains are kept) before the first frame.
    """

    returning: Array
    allowed: Array
    sounds: Array
    tie_source: Array
    map_of_frame: Array
    tie_map: Array
    log_owed: Array
    owing: Array
    first_end: Array
    last_end: Array
    log_ahead: Array
    stretch: Array
    offset: Array
    stride: Array
    log_entries: Array
    log_start: Array


class TieForecast(NamedTuple):
    """Tables, and what is to be said of them.

    Attributes:
        tables: what the search reads.
        exact: bool ``[time, voice]`` false where what follows the frame is an upper bound.
        feasible: bool ``[voice]`` whether domains and ties leave the voice any sequence of tokens,
            found without any number of the chain.
    """

    tables: TieTables
    exact: np.ndarray
    feasible: np.ndarray


def tie_forecast(
    ties: Ties,
    domains: Domains,
    log_steps: np.ndarray,
    step_of_frame: np.ndarray,
    frames: int | None = None,
    sounding: np.ndarray | None = None,
) -> TieForecast:
    """Work out the tables of a plan.

    Args:
        ties: which frames are copies of which.
        domains: what is allowed besides.
        log_steps: ``[class, voice, 32, 32]`` the chain, see ``chain.log_steps``; finite.
        step_of_frame: int ``[time]`` row of ``log_steps`` by which each frame is entered.
        frames: length to pad to; none for the plan's own.
        sounding: uint32 ``[time, voice]`` bits of the notes that may sound after each frame; none
            for every note.

    Raises:
        PlanError: a theme may begin with a hold.
    """
    if sounding is None:
        sounding = np.full_like(domains.masks, ALL_TOKENS)
    lines = [line_of(ties, domains, sounding, voice) for voice in Voice]
    messages = [
        voice_messages(line, log_steps[step_of_frame, voice].astype(np.float64))
        for voice, line in zip(Voice, lines, strict=True)
    ]
    exact = [np.array([s.exact for s in one.stretches])[one.stretch] for one in messages]
    feasible = np.array([line.feasible for line in lines])
    tables = _tables(ties, lines, messages, frames or len(step_of_frame))
    return TieForecast(tables, np.stack(exact, axis=1), feasible)


def _tables(ties: Ties, lines: list[Line], messages: list[VoiceMessages], frames: int) -> TieTables:
    """All voices in arrays, padded."""
    total = len(ties.source_frame)

    def padded(columns: Sequence[np.ndarray], kind: type, fill: int = 0) -> np.ndarray:
        table = np.full((frames, len(columns), *columns[0].shape[1:]), fill, kind)
        for voice, column in enumerate(columns):
            table[:total, voice] = column
        return table

    marks = [_marks(line) for line in lines]
    rows = np.cumsum([0, *(len(one.stretches) for one in messages)])
    stretches = [stretch for one in messages for stretch in one.stretches]
    ends = _bucketed(2 * max(line.themes for line in lines), END_BUCKET)
    offset, stride, log_entries = _packed(stretches, ends)
    missing = _bucketed(len(ties.token_map), MAP_BUCKET) - len(ties.token_map)
    return TieTables(
        returning=np.array([bool(line.statements) for line in lines]),
        allowed=padded([_words(line.allowed) for line in lines], np.uint32, ALL_TOKENS),
        sounds=padded([_words(line.sounds) for line in lines], np.uint32, ALL_TOKENS),
        tie_source=padded(list(ties.source_frame.T), np.int32, NO_SOURCE),
        map_of_frame=padded(list(ties.map_of_frame.T), np.int32),
        tie_map=np.pad(ties.token_map, ((0, missing), (0, 0))),
        log_owed=padded([one.log_owed for one in messages], np.float32),
        owing=padded([_owing(line) for line in lines], bool),
        first_end=padded([first for first, _ in marks], np.int32, NO_END),
        last_end=padded([last for _, last in marks], np.int32, NO_END),
        log_ahead=padded([one.log_ahead for one in messages], np.float32),
        stretch=padded([m.stretch + row for m, row in zip(messages, rows, strict=False)], np.int32),
        offset=offset,
        stride=stride,
        log_entries=log_entries,
        log_start=np.array([one.log_start for one in messages], np.float32),
    )


def _words(sets: np.ndarray) -> np.ndarray:
    """uint32 ``[time]`` bits of sets ``[time, 32]``."""
    bits = np.uint32(1) << np.arange(N_VOICE, dtype=np.uint32)
    return np.asarray((sets * bits).sum(axis=1, dtype=np.uint32))


def _marks(line: Line) -> tuple[np.ndarray, np.ndarray]:
    """``[time]`` the ends that begin and that close a passage in each frame."""
    first, last = np.full((2, len(line.allowed)), NO_END)
    for statement in line.statements:
        if not statement.copy:
            first[statement.start] = first_of(statement.theme)
            last[statement.stop - 1] = last_of(statement.theme)
    return first, last


def _owing(line: Line) -> np.ndarray:
    """``[time]`` whether a copy has a frame after each."""
    stop = max((statement.stop for statement in line.statements), default=0)
    return np.arange(len(line.allowed)) < stop - 1


def _packed(stretches: Sequence[Stretch], ends: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets, strides and entries of ``TieTables``; equal factors are stored once."""
    most = max(len(stretch.factors) for stretch in stretches)
    shape = (_bucketed(len(stretches), STRETCH_BUCKET), _bucketed(most, FACTOR_BUCKET))
    offset = np.zeros(shape, np.int32)
    stride = np.zeros((*shape, ends + 1), np.int32)
    entries = [np.zeros(1, np.float32)]
    place_of: dict[bytes, int] = {}
    size = 1
    for row, stretch in enumerate(stretches):
        for column, one in enumerate(stretch.factors):
            table = np.ascontiguousarray(one.log_table, np.float32)
            place = place_of.setdefault(table.tobytes(), size)
            if place == size:
                entries.append(table.reshape(-1))
                size += table.size
            offset[row, column] = place
            # The target is variable -1, and so the last column.
            stride[row, column, list(one.variables)] = [
                step // table.itemsize for step in table.strides
            ]
    entries.append(np.zeros(_bucketed(size, ENTRY_BUCKET) - size, np.float32))
    return offset, stride, np.concatenate(entries)


def _bucketed(number: int, size: int) -> int:
    """The next multiple of a bucket's size, at least one."""
    return max(1, -(-number // size)) * size
