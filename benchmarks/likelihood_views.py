"""Token by token: one network, transposed views of a piece, several networks together.

A *view* is the piece read so many semitones higher. The mean of the probabilities that networks
give a token in all views is itself the chain rule of a distribution over pieces, except that a view
spends some probability on notes that lie outside the vocabulary at the piece's own pitch. That part
is lost, so the nats are an upper bound on those of the normalised mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import nnx

from clausula.neural.batches import Batch, crop, stack, transposed
from clausula.neural.features import Example
from clausula.neural.train import EVALUATION_BUCKET
from clausula.vocabulary import FIRST_PITCH, N_GLOBAL, REST_TOKEN

TOGETHER = 8  # pieces a batch
RESAMPLES = 10_000  # of the bootstrap


@nnx.jit
def _log_probs(model: Any, batch: Batch) -> jax.Array:
    return model.log_probs(batch)


def token_log_probs(model: nnx.Module, examples: Sequence[Example]) -> list[np.ndarray]:
    """Log-probability of every token of whole pieces.

    Args:
        model: a network with ``log_probs(batch)``.
        examples: the pieces.

    Returns:
        One ``float64[time, 4]`` a piece, slots in search order.
    """
    return [rows.astype(float) for rows in by_bucket(_log_probs, model, examples)]


def by_bucket(
    of: Callable[[Any, Batch], jax.Array], model: nnx.Module, examples: Sequence[Example]
) -> list[np.ndarray]:
    """A function of a network and a batch, asked of whole pieces: one ``[time, …]`` a piece."""
    model.eval()
    by_length: dict[int, list[int]] = {}
    for i, example in enumerate(examples):
        blocks = -(-len(example) // EVALUATION_BUCKET)
        by_length.setdefault(blocks * EVALUATION_BUCKET, []).append(i)
    out = [np.zeros(0)] * len(examples)
    for length, members in sorted(by_length.items()):
        for start in range(0, len(members), TOGETHER):
            group = members[start : start + TOGETHER]
            crops = [crop(examples[i], 0, length) for i in group]
            crops += [crops[0]] * (TOGETHER - len(crops))
            rows = np.asarray(of(model, stack(crops)))
            for i, row in zip(group, rows, strict=False):
                out[i] = row[: len(examples[i])]
    return out


def fits(example: Example, shift: int) -> bool:
    """Whether the piece stays inside the vocabulary so many semitones higher."""
    heard = example.sounding[example.sounding != REST_TOKEN]
    return bool(((heard + shift >= FIRST_PITCH) & (heard + shift < N_GLOBAL)).all())


def log_mean(log_probs: Sequence[np.ndarray]) -> np.ndarray:
    """Log of the mean of probabilities, element by element; the same shape."""
    return np.logaddexp.reduce(np.stack(log_probs), 0) - np.log(len(log_probs))


class Mixture:
    """Networks and views whose probabilities are averaged; remembers what it has computed."""

    def __init__(self, models: Sequence[nnx.Module], shifts: Sequence[int] = (0,)) -> None:
        """Nothing is computed yet.

        Args:
            models: networks of one vocabulary.
            shifts: semitones of the views; 0 is among them, so that every token is possible.
        """
        if 0 not in shifts:
            raise ValueError(f"views {tuple(shifts)} leave out the piece as it is, 0")
        self.models = tuple(models)
        self.shifts = tuple(shifts)
        self._known: dict[int, tuple[Example, np.ndarray]] = {}

    def log_probs(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """``[time, 4]`` log of the mean probability of each token of each piece.

        In a view in which a piece leaves the vocabulary its tokens have probability 0: the nats
        remain an upper bound.
        """
        new = [e for e in examples if id(e) not in self._known]
        for example, mean in zip(new, self._mean(new), strict=True):
            # The piece is kept with its result, or another one could take over its identity.
            self._known[id(example)] = (example, mean)
        return [self._known[id(e)][1] for e in examples]

    def _mean(self, examples: Sequence[Example]) -> list[np.ndarray]:
        parts: list[list[np.ndarray]] = [[] for _ in examples]
        for model in self.models:
            for shift in self.shifts:
                inside = [i for i, example in enumerate(examples) if fits(example, shift)]
                rows = token_log_probs(model, [transposed(examples[i], shift) for i in inside])
                found = dict(zip(inside, rows, strict=True))
                for i, example in enumerate(examples):
                    nothing = np.full(example.token.shape, -np.inf)
                    parts[i].append(found.get(i, nothing))
        return [log_mean(of_piece) for of_piece in parts]

    def nats_by_voice(self, examples: Sequence[Example]) -> np.ndarray:
        """Nats per frame of each voice in search order, ``float64[4]``, over whole pieces."""
        total = -sum(rows.sum(0) for rows in self.log_probs(examples))
        return total / sum(len(example) for example in examples)


class Difference(NamedTuple):
    """Of two ways to score the same pieces: nats per frame of the second less the first.

    Attributes:
        mean: over all frames.
        low: lower end of the interval that holds 95 % of the resampled ones.
        high: its upper end.
    """

    mean: float
    low: float
    high: float


def paired_difference(
    first: np.ndarray, second: np.ndarray, frames: np.ndarray, seed: int = 0
) -> Difference:
    """How much two scores differ, with a bootstrap over pieces.

    Args:
        first: ``float[piece]`` nats of whole pieces.
        second: likewise.
        frames: ``int[piece]``.
        seed: of the resampling.

    Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    drawn = np.random.default_rng(seed).integers(len(frames), size=(RESAMPLES, len(frames)))
    difference = second - first
    means = difference[drawn].sum(1) / frames[drawn].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Difference(float(difference.sum() / frames.sum()), float(low), float(high))
