"""Training batches: crops of pieces, transposed within the voices' ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np

from clausula.neural.echo import Array, Echo
from clausula.neural.features import AGES, PADDING, UNKNOWN_KEY, Controls, Example, pins_of
from clausula.neural.pinning import Change, told
from clausula.vocabulary import FIRST_PITCH, N_GLOBAL, REST_TOKEN


class Batch(NamedTuple):
    """What a network reads of a batch of crops, and what counts of it.

    Arrays are ``[batch, time, …]``; ``valid`` is false in padding, ``counted`` (by voice) there
    and where a pin leaves a token no choice.
    """

    token: Array
    sounding: Array
    previous: Array
    previous_age: Array
    begun: Array
    controls: Controls
    echo: Echo
    valid: Array
    counted: Array


def crop(example: Example, start: int, length: int) -> Batch:
    """``length`` frames from ``start`` on, zero-padded, without a batch axis."""
    stop = min(start + length, len(example))

    def window(values: np.ndarray, fill: int = 0) -> np.ndarray:
        out = np.full((length, *values.shape[1:]), fill, np.int32)
        out[: stop - start] = values[start:stop]
        return out

    def before(values: np.ndarray, empty: int) -> np.ndarray:
        shifted = np.concatenate([np.full((1, *values.shape[1:]), empty), values[:-1]])
        return window(shifted)

    index = np.arange(start, start + length)
    valid = index < stop
    return Batch(
        window(example.token),
        window(example.sounding),
        before(example.sounding, REST_TOKEN),
        before(example.age, AGES - 1),
        (index > 0).astype(bool),
        jax.tree.map(lambda column: window(column, PADDING), example.controls),
        jax.tree.map(window, example.echo),
        valid,
        valid[:, None] & (window(told(example)) == 0),
    )


def transposed(example: Example, shift: int) -> Example:
    """The piece ``shift`` semitones higher, its key with it."""

    def moved(tokens: np.ndarray) -> np.ndarray:
        return np.where(tokens >= FIRST_PITCH, tokens + shift, tokens).astype(np.int32)

    tonic = example.controls.tonic
    tonic = np.where(tonic == UNKNOWN_KEY, tonic, (tonic + shift) % 12).astype(np.int32)
    pins = pins_of(example.controls)
    pins = pins._replace(sounding=moved(pins.sounding))
    return replace(
        example,
        sounding=moved(example.sounding),
        token=moved(example.token),
        controls=example.controls._replace(tonic=tonic, pins=pins),
        echo=example.echo._replace(token=moved(example.echo.token)),
    )


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
    return jax.tree.map(lambda *arrays: np.stack(arrays), *crops)


def training_batches(
    examples: Sequence[Example],
    *,
    size: int,
    length: int,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
    change: Change | None = None,
) -> Iterator[Batch]:
    """Endless random crops.

    Args:
        examples: training pieces.
        size: crops a batch.
        length: frames a crop.
        rng: source of every draw.
        weights: how often each piece is drawn; in proportion to its length if left out.
        change: made to a piece before it is cropped.
    """
    shifts = shifts_within_ranges(examples)
    lengths = np.array([len(e) for e in examples])
    weights = lengths if weights is None else np.asarray(weights)
    weights = weights / weights.sum()
    while True:
        crops = []
        for piece in rng.choice(len(examples), size, p=weights):
            # Starts reach half a crop before the piece, so that openings are not rare.
            last = max(len(examples[piece]) - length, 0)
            start = max(0, int(rng.integers(-length // 2, last + 1)))
            example = examples[piece] if change is None else change(examples[piece], rng)
            shifted = transposed(example, int(rng.choice(shifts[piece])))
            crops.append(crop(shifted, start, length))
        yield stack(crops)
