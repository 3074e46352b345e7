"""A classifier that names the style of a passage: multinomial logistic regression on histograms.

Features are the square roots of a passage's shares (Hellinger's coordinates, in which rare classes
are not lost beside common ones), standardised on what is learnt from. Meter, key and phrase ends
are not among them. Passages are weighted so that every style, and in it every piece, counts alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clausula.corpus import Corpus
from clausula.corpus.histograms import Counts, histograms, pooled
from clausula.corpus.splits import tunes
from clausula.grid import Grid

WINDOW = 256  # frames of a passage, at most: sixteen measures of 4/4
SHORTEST = 128  # of a passage that is not a whole piece
COMMON = 64  # sonorities that are told apart
PENALTIES = (0.001, 0.01, 0.1)  # weights of the squared coefficients
FOLDS = 4
STEPS = 200


@dataclass(frozen=True)
class Passages:
    """Passages of several pieces.

    Attributes:
        grids: the notes.
        styles: the tag of each.
        pieces: of each the place of its piece in the corpus.
    """

    grids: tuple[Grid, ...]
    styles: tuple[str, ...]
    pieces: tuple[int, ...]


@dataclass(frozen=True)
class Classifier:
    """A fitted classifier.

    Attributes:
        styles: the tags that it can name, sorted.
        sonorities: those that are told apart, by their place in the histogram.
        mean: ``[feature]`` of what was learnt from.
        deviation: likewise.
        coefficients: ``[feature + 1, style]``, the last row being the intercepts.
        penalty: that was chosen.
    """

    styles: tuple[str, ...]
    sonorities: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    coefficients: np.ndarray
    penalty: float

    def name(self, grids: Sequence[Grid]) -> list[str]:
        """The likeliest style of each passage."""
        raw = features([histograms(grid) for grid in grids], self.sonorities)
        scores = with_intercept((raw - self.mean) / self.deviation) @ self.coefficients
        return [self.styles[i] for i in scores.argmax(axis=1)]


def windows(grid: Grid, length: int = WINDOW) -> Iterator[Grid]:
    """The piece in passages of one length; a rest shorter than ``SHORTEST`` is left out."""
    for start in range(0, len(grid), length):
        end = min(start + length, len(grid))
        if start and end - start < SHORTEST:
            return
        cut = slice(start, end)
        yield replace(
            grid,
            pitch=grid.pitch[cut],
            step=grid.step[cut],
            # A note that came in before is struck where the passage begins.
            onset=_struck(grid, cut),
            phrase_end=grid.phrase_end[cut],
            pickup=(grid.pickup - start) % grid.frames_per_measure,
        )


def _struck(grid: Grid, cut: slice) -> np.ndarray:
    onset = grid.onset[cut].copy()
    onset[0] = grid.pitch[cut.start] >= 0
    return onset


def passages(corpus: Corpus, places: Sequence[int]) -> Passages:
    """The passages of some pieces of a corpus."""
    found = [(grid, corpus.styles[i], i) for i in places for grid in windows(corpus.grids[i])]
    grids, styles, pieces = zip(*found, strict=True)
    return Passages(grids, styles, pieces)


def features(counts: Sequence[Counts], sonorities: np.ndarray) -> np.ndarray:
    """``[passage, feature]`` square roots of shares, row by row of each histogram."""
    return np.array([_features(each, sonorities) for each in counts])


def _features(counts: Counts, sonorities: np.ndarray) -> np.ndarray:
    chosen = {name: rows for name, rows in counts.items() if name != "chords"}
    common = counts["sonorities"][sonorities]
    chosen["sonorities"] = np.append(common, counts["sonorities"].sum() - common.sum())
    parts = []
    for rows in chosen.values():
        total = np.maximum(rows.sum(axis=-1, keepdims=True), 1)
        parts.append(np.sqrt(rows / total).ravel())
    return np.concatenate(parts)


def with_intercept(rows: np.ndarray) -> np.ndarray:
    """The rows with a one after each."""
    return np.append(rows, np.ones((len(rows), 1)), axis=1)


def fit(corpus: Corpus, learnt: Sequence[int]) -> Classifier:
    """Fit a classifier; tunes and works that are left out in turn choose the penalty.

    Args:
        corpus: the pieces.
        learnt: places of those to learn from.
    """
    found = passages(corpus, learnt)
    counts = [histograms(grid) for grid in found.grids]
    together = pooled(counts)["sonorities"]
    sonorities = np.sort(np.argsort(together)[::-1][:COMMON])
    raw = features(counts, sonorities)
    styles = tuple(sorted(set(found.styles)))
    labels = np.array([styles.index(style) for style in found.styles])
    weights = evened(labels, np.array(found.pieces))
    fold = _folds(corpus, found)
    right = [_left_out_accuracy(raw, labels, weights, fold, penalty) for penalty in PENALTIES]
    penalty = PENALTIES[int(np.argmax(right))]
    mean, deviation = raw.mean(axis=0), raw.std(axis=0) + 0.01
    coefficients = regression((raw - mean) / deviation, labels, weights, penalty)
    return Classifier(styles, sonorities, mean, deviation, coefficients, penalty)


def evened(labels: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """``[passage]`` weights with which styles count alike, and so do the pieces of one style."""
    weights = np.zeros(len(labels))
    for label in np.unique(labels):
        own = labels == label
        names, counts = np.unique(pieces[own], return_counts=True)
        sizes = dict(zip(names.tolist(), counts.tolist(), strict=True))
        weights[own] = [1 / (sizes[piece] * len(names)) for piece in pieces[own].tolist()]
    return weights / weights.sum()


def regression(
    rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, penalty: float
) -> np.ndarray:
    """Coefficients ``[feature + 1, style]`` of weighted, penalised logistic regression.

    Nesterov's accelerated gradient descent; the intercepts are not penalised.
    """
    x = with_intercept(rows)
    target = np.eye(labels.max() + 1)[labels]
    curvature = np.linalg.norm((x * weights[:, None]).T @ x, 2) / 2 + penalty
    shrink = np.full((x.shape[1], 1), penalty)
    shrink[-1] = 0
    now = ahead = np.zeros((x.shape[1], target.shape[1]))
    for step in range(STEPS):
        scores = x @ ahead
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = x.T @ ((shares - target) * weights[:, None]) + shrink * ahead
        before, now = now, ahead - gradient / curvature
        ahead = now + step / (step + 3) * (now - before)
    return now


def _folds(corpus: Corpus, found: Passages) -> np.ndarray:
    """``[passage]`` its fold: passages of one tune or work stay together."""
    order = list(dict.fromkeys(found.pieces))
    groups = tunes(corpus.select(order))
    fold_of = {order[i]: number % FOLDS for number, group in enumerate(groups) for i in group}
    return np.array([fold_of[piece] for piece in found.pieces])


def _left_out_accuracy(
    raw: np.ndarray, labels: np.ndarray, weights: np.ndarray, fold: np.ndarray, penalty: float
) -> float:
    """The share, styles counting alike, of passages named rightly that were not learnt from."""
    right = 0.0
    for number in range(FOLDS):
        out = fold == number
        mean, deviation = raw[~out].mean(axis=0), raw[~out].std(axis=0) + 0.01
        rows = (raw - mean) / deviation
        # Classes that a fold lacks keep their columns.
        labelled = np.append(labels[~out], labels.max())
        kept = np.append(weights[~out], 0.0)
        learnt = np.append(rows[~out], rows[:1], axis=0)
        coefficients = regression(learnt, labelled, kept / kept.sum(), penalty)
        named = (with_intercept(rows[out]) @ coefficients).argmax(axis=1)
        right += float(weights[out][named == labels[out]].sum())
    return right


def confusion(
    tags: Sequence[str], styles: Sequence[str], true: Sequence[str], named: Sequence[str]
) -> np.ndarray:
    """``[tag, style]`` how many passages of each tag are named what."""
    counts = np.zeros((len(tags), len(styles)), int)
    for one, other in zip(true, named, strict=True):
        counts[tags.index(one), styles.index(other)] += 1
    return counts
