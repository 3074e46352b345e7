"""What the hidden Markov model is trained on: Bach's chorales, other styles, a network's samples.

The chorales' held-out tunes judge. What is tuned (weights of the other music) is tuned on the
*tuning* split: a tune-disjoint tenth of the training chorales, taken out of training, with the
samples that were given its controls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hmm_samples import teacher_of

from clausula.corpus import Corpus, held_out, load_bundled, load_chorales, load_corpus
from clausula.corpus.archive import BACH
from clausula.engine.em import Step, train_hmm
from clausula.engine.hmm import HMM
from clausula.errors import InputError
from clausula.grid import Grid


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        states: hidden states.
        style_weight: how often a piece of another bundled style counts; 0 leaves them out.
        sample_weight: how often a sample of the network counts; 0 leaves them out.
        iterations: of EM.
        seed: of the start.
    """

    states: int = 512
    style_weight: float = 0.0
    sample_weight: float = 0.0
    iterations: int = 24
    seed: int = 0


@dataclass(frozen=True)
class Material:
    """Music to learn from, and music apart.

    Attributes:
        train: chorales to learn from.
        apart: chorales that judge.
        others: pieces of the other bundled styles, their held-out ones left out.
        samples: drawn from a network; none where no file is given.
    """

    train: list[Grid]
    apart: list[Grid]
    others: list[Grid]
    samples: list[Grid]


class Fitted(NamedTuple):
    """A trained model, and the processor seconds, of all cores together, that training took."""

    model: HMM
    seconds: float


def split(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """The pieces that may be learnt from, and those held out."""
    apart = held_out(corpus)
    kept = sorted(set(range(len(corpus))) - set(apart))
    return corpus.select(kept), corpus.select(apart)


def material(samples: Path | None = None, *, tuning: bool = False) -> Material:
    """The chorales split, and the music beside them.

    Args:
        samples: file from ``hmm_samples.py``.
        tuning: hold out a tenth of the training chorales in place of the held-out ones.

    Raises:
        CorpusError: a file is missing, or no encoded corpus.
    """
    train, apart = split(load_chorales())
    if tuning:
        train, apart = split(train)
    bundled, _ = split(load_bundled())
    others = [g for g, tag in zip(bundled.grids, bundled.styles, strict=True) if tag != BACH]
    drawn: list[Grid] = []
    if samples is not None:
        corpus = load_corpus(samples)
        kept = set(train.names)
        drawn = [
            grid
            for name, grid in zip(corpus.names, corpus.grids, strict=True)
            if teacher_of(name) in kept
        ]
    return Material(list(train.grids), list(apart.grids), others, drawn)


def fit(music: Material, recipe: Recipe, on_step: Callable[[Step], None] | None = None) -> Fitted:
    """Train a model as the recipe says.

    Raises:
        InputError: samples are to count and there are none.
    """
    if recipe.sample_weight and not music.samples:
        raise InputError("no samples: draw some with benchmarks/hmm_samples.py, pass --samples")
    parts = [(music.train, 1.0), (music.others, recipe.style_weight)]
    parts.append((music.samples, recipe.sample_weight))
    grids = [grid for part, weight in parts if weight for grid in part]
    weights = [weight for part, weight in parts if weight for _ in part]
    start = time.process_time()
    model = train_hmm(
        grids, recipe.states, recipe.seed, recipe.iterations, on_step=on_step, weights=weights
    )
    return Fitted(model, time.process_time() - start)
