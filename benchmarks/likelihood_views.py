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

from clausula.grid import SEARCH_ORDER
from clausula.neural.batches import Batch, crop, stack, transposed
from clausula.neural.features import Example
from clausula.neural.train import EVALUATION_BUCKET
from clausula.vocabulary import FIRST_PITCH, N_GLOBAL, REST_TOKEN

TOGETHER = 8  # pieces a batch
RESAMPLES = 10_000  # of the bootstrap
ORDER = np.array(SEARCH_ORDER)


@nnx.jit
def _log_probs(model: Any, batch: Batch) -> jax.Array:
    return model.log_probs(batch)


@nnx.jit
def _rows(model: Any, batch: Batch) -> jax.Array:
    return model.rows(batch)


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


class Reader:
    """A network that remembers what it said of every view of every piece."""

    def __init__(self, model: nnx.Module) -> None:
        """Nothing is read yet."""
        self.model = model
        self._tokens: dict[tuple[int, int], tuple[Example, np.ndarray]] = {}
        self._rows: dict[tuple[int, int], tuple[Example, np.ndarray]] = {}

    def tokens(self, examples: Sequence[Example], shift: int) -> list[np.ndarray]:
        """``float64[time, 4]`` log-probability of each token of each piece, so much higher.

        A piece that leaves the vocabulary there has probability 0.
        """
        if hasattr(self.model, "rows"):
            return [
                np.take_along_axis(rows, example.token[:, ORDER, None], -1)[..., 0].astype(float)
                for example, rows in zip(examples, self.rows(examples, shift), strict=True)
            ]
        return self._read(examples, shift, self._tokens, _log_probs)

    def rows(self, examples: Sequence[Example], shift: int) -> list[np.ndarray]:
        """``float32[time, 4, P]`` of every token, at the piece's own pitch; likewise."""
        return self._read(examples, shift, self._rows, _rows)

    def _read(
        self,
        examples: Sequence[Example],
        shift: int,
        known: dict[tuple[int, int], tuple[Example, np.ndarray]],
        of: Callable[[Any, Batch], jax.Array],
    ) -> list[np.ndarray]:
        new = [e for e in examples if (id(e), shift) not in known]
        inside = [e for e in new if fits(e, shift)]
        views = [transposed(e, shift) for e in inside]
        moved = by_bucket(of, self.model, views) if views else []
        # The piece is kept with its result, or another one could take over its identity.
        for example, found in zip(inside, moved, strict=True):
            own = moved_back(found, shift) if of is _rows else found.astype(float)
            known[id(example), shift] = (example, own)
        for example in new:
            width = () if of is _log_probs else (N_GLOBAL,)
            nothing = np.full((*example.token.shape, *width), -np.inf, np.float32)
            known.setdefault((id(example), shift), (example, nothing))
        return [known[id(e), shift][1] for e in examples]


def moved_back(rows: np.ndarray, shift: int) -> np.ndarray:
    """Rows of a view at the piece's own pitch; ``-inf`` for what the view cannot say."""
    out = np.full_like(rows, -np.inf)
    out[..., :FIRST_PITCH] = rows[..., :FIRST_PITCH]
    pitches = rows.shape[-1] - FIRST_PITCH
    own = np.arange(max(0, -shift), pitches - max(0, shift))
    out[..., FIRST_PITCH + own] = rows[..., FIRST_PITCH + own + shift]
    return out


class Mixture:
    """Networks and views whose probabilities are averaged."""

    def __init__(self, models: Sequence[nnx.Module | Reader], shifts: Sequence[int] = (0,)) -> None:
        """Nothing is computed yet.

        Args:
            models: networks of one vocabulary, or their readers, which remember.
            shifts: semitones of the views; 0 is among them, so that every token is possible.
        """
        if 0 not in shifts:
            raise ValueError(f"views {tuple(shifts)} leave out the piece as it is, 0")
        self.readers = [m if isinstance(m, Reader) else Reader(m) for m in models]
        self.shifts = tuple(shifts)

    def log_probs(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """``[time, 4]`` log of the mean probability of each token of each piece.

        In a view in which a piece leaves the vocabulary its tokens have probability 0: the nats
        remain an upper bound.
        """
        parts = [r.tokens(examples, shift) for r in self.readers for shift in self.shifts]
        return [log_mean(of_piece) for of_piece in zip(*parts, strict=True)]

    def rows(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """``float32[time, 4, P]`` log of the mean probability of every token, at its own pitch."""
        parts = [r.rows(examples, shift) for r in self.readers for shift in self.shifts]
        return [log_mean(of_piece).astype(np.float32) for of_piece in zip(*parts, strict=True)]

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
