"""Training batches: crops of pieces, transposed within the voices' ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from clausula.neural.features import AGES, UNKNOWN_KEY, Array, Controls, Example
from clausula.vocabulary import FIRST_PITCH, N_GLOBAL, REST_TOKEN


class Batch(NamedTuple):
    """Arguments of ``ChoraleTransformer.__call__`` and the frames that count.

    Arrays are ``[batch, time, …]``; ``valid`` is false in padding.
    """

    token: Array
    sounding: Array
    previous: Array
    previous_age: Array
    begun: Array
    controls: Controls
    valid: Array


def crop(example: Example, start: int, length: int) -> Batch:
    """``length`` frames from ``start`` on, zero-padded, without a batch axis."""
    stop = min(start + length, len(example))

    def window(values: np.ndarray) -> np.ndarray:
        out = np.zeros((length, *values.shape[1:]), np.int32)
        out[: stop - start] = values[start:stop]
        return out

    def before(values: np.ndarray, empty: int) -> np.ndarray:
        shifted = np.concatenate([np.full((1, *values.shape[1:]), empty), values[:-1]])
        return window(shifted)

    index = np.arange(start, start + length)
    return Batch(
        window(example.token),
        window(example.sounding),
        before(example.sounding, REST_TOKEN),
        before(example.age, AGES - 1),
        (index > 0).astype(bool),
        Controls(*(window(column) for column in example.controls)),
        index < stop,
    )


def transposed(example: Example, shift: int) -> Example:
    """The piece ``shift`` semitones higher, its key with it."""

    def moved(tokens: np.ndarray) -> np.ndarray:
        return np.where(tokens >= FIRST_PITCH, tokens + shift, tokens).astype(np.int32)

    tonic = example.controls.tonic
    tonic = np.where(tonic == UNKNOWN_KEY, tonic, (tonic + shift) % 12).astype(np.int32)
    controls = example.controls._replace(tonic=tonic)
    return Example(moved(example.sounding), moved(example.token), example.age, controls)


def shifts_within_ranges(examples: Sequence[Example], widest: int = 6) -> list[np.ndarray]:
    """For each piece, the transpositions that keep every voice inside the corpus's range.

    Args:
        examples: the pieces whose ranges count.
        widest: the largest shift in semitones, up or down.
    """
    lowest, highest = [], []
    for example in examples:
        silent = example.sounding == REST_TOKEN
        lowest.append(np.where(silent, N_GLOBAL, example.sounding).min(0))
        highest.append(example.sounding.max(0))
    low, high = np.min(lowest, 0), np.max(highest, 0)
    candidates = np.arange(-widest, widest + 1)
    return [
        candidates[
            [
                bool(np.all(piece_low + c >= low) and np.all(piece_high + c <= high))
                for c in candidates
            ]
        ]
        for piece_low, piece_high in zip(lowest, highest, strict=True)
    ]


def stack(crops: Sequence[Batch]) -> Batch:
    """Crops of one length along a new first axis."""
    controls = Controls(*(np.stack(c) for c in zip(*(b.controls for b in crops), strict=True)))
    rest = {
        name: np.stack([getattr(b, name) for b in crops])
        for name in Batch._fields
        if name != "controls"
    }
    return Batch(controls=controls, **rest)


def training_batches(
    examples: Sequence[Example], *, size: int, length: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Endless random crops; pieces are drawn in proportion to their length.

    Args:
        examples: training pieces.
        size: crops a batch.
        length: frames a crop.
        rng: source of every draw.
    """
    shifts = shifts_within_ranges(examples)
    lengths = np.array([len(e) for e in examples])
    weights = lengths / lengths.sum()
    while True:
        crops = []
        for piece in rng.choice(len(examples), size, p=weights):
            # Starts reach half a crop before the piece, so that openings are not rare.
            last = max(len(examples[piece]) - length, 0)
            start = max(0, int(rng.integers(-length // 2, last + 1)))
            shifted = transposed(examples[piece], int(rng.choice(shifts[piece])))
            crops.append(crop(shifted, start, length))
        yield stack(crops)
