"""Are probabilities honest? Bins, Brier score, expected calibration error, and a correction.

Conventions: ``predicted`` and ``happened`` are ``[forecast]``, probabilities and booleans.

References: G. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
Review 78 (1950); M. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities
using Bayesian binning", AAAI 2015 (expected calibration error); J. Platt, "Probabilistic outputs
for support vector machines", 1999 (the correction); E. Wilson, "Probable inference", JASA 22
(1927).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CLIP = 1e-9  # probabilities are kept this far from 0 and 1 where their logit is taken
_Z = 1.96  # of a 95 % interval


class Bin(NamedTuple):
    """Forecasts of about one probability.

    Attributes:
        count: how many.
        predicted: their mean probability.
        observed: the share that happened.
        low: lower end of the 95 % interval of that share (Wilson).
        high: its upper end.
    """

    count: int
    predicted: float
    observed: float
    low: float
    high: float


class Correction(NamedTuple):
    """``sigmoid(slope * logit(p) + offset)``; slope 1 and offset 0 change nothing."""

    slope: float
    offset: float


class Summary(NamedTuple):
    """How good a set of forecasts is.

    Attributes:
        count: how many.
        mean: predicted probability.
        rate: share that happened.
        brier: mean squared error.
        brier_constant: the same of always forecasting ``constant``.
        nats: mean of -log of the probability given to what happened.
        nats_constant: the same of always forecasting ``constant``.
        error: expected calibration error.
        error_if_honest: what that is on average (and, second, at its 95th percentile) for outcomes
            drawn from the forecasts themselves: more than zero, as bins are small.
    """

    count: int
    mean: float
    rate: float
    brier: float
    brier_constant: float
    nats: float
    nats_constant: float
    error: float
    error_if_honest: tuple[float, float]


def bins(predicted: np.ndarray, happened: np.ndarray, count: int) -> list[Bin]:
    """Bins of equally many forecasts, the least probable first."""
    order = np.argsort(predicted, kind="stable")
    found = []
    for rows in np.array_split(order, min(count, len(order))):
        n, observed = len(rows), float(happened[rows].mean())
        centre = (observed + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        variance = observed * (1 - observed) / n + _Z**2 / (4 * n**2)
        half = _Z * np.sqrt(variance) / (1 + _Z**2 / n)
        low, high = max(0.0, float(centre - half)), min(1.0, float(centre + half))
        found.append(Bin(n, float(predicted[rows].mean()), observed, low, high))
    return found


def calibration_error(predicted: np.ndarray, happened: np.ndarray, count: int) -> float:
    """Mean distance between predicted and observed over the bins, weighted by their sizes."""
    found = bins(predicted, happened, count)
    distances = [b.count * abs(b.predicted - b.observed) for b in found]
    return float(sum(distances) / len(predicted))


def summary(
    predicted: np.ndarray, happened: np.ndarray, constant: np.ndarray, count: int, seed: int = 0
) -> Summary:
    """All scores of a set of forecasts.

    Args:
        predicted: the forecasts.
        happened: what came.
        constant: ``[forecast]`` what one says who knows only how often it happens elsewhere.
        count: number of bins.
        seed: of the outcomes drawn for ``error_if_honest``.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.random((400, len(predicted))) < predicted
    honest = np.array([calibration_error(predicted, row, count) for row in drawn])
    return Summary(
        len(predicted),
        float(predicted.mean()),
        float(happened.mean()),
        _brier(predicted, happened),
        _brier(constant, happened),
        _nats(predicted, happened),
        _nats(constant, happened),
        calibration_error(predicted, happened, count),
        (float(honest.mean()), float(np.quantile(honest, 0.95))),
    )


def corrected(predicted: np.ndarray, correction: Correction) -> np.ndarray:
    """The forecasts after a correction."""
    return _sigmoid(correction.slope * _logit(predicted) + correction.offset)


def fitted_correction(predicted: np.ndarray, happened: np.ndarray) -> Correction:
    """The correction of greatest likelihood, a little drawn towards none, by Newton's method.

    The pull is a Gaussian prior of deviation 2 around slope 1 and offset 0: outcomes that
    forecasts separate perfectly leave it finite.
    """
    x = np.stack([_logit(predicted), np.ones(len(predicted))], axis=1)
    prior, start = np.eye(2) / 4, np.array([1.0, 0.0])

    def loss(at: np.ndarray) -> float:
        score = x @ at
        misfit = np.logaddexp(0, score).sum() - score[happened].sum()
        return float(misfit + (at - start) @ prior @ (at - start) / 2)

    theta = start
    for _ in range(50):
        p = _sigmoid(x @ theta)
        gradient = x.T @ (p - happened) + prior @ (theta - start)
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + prior, gradient)
        while loss(theta - step) > loss(theta) + 1e-9:
            step /= 2
        theta = theta - step
        if np.abs(step).max() < 1e-8:
            break
    return Correction(float(theta[0]), float(theta[1]))


def _brier(predicted: np.ndarray, happened: np.ndarray) -> float:
    return float(((predicted - happened) ** 2).mean())


def _nats(predicted: np.ndarray, happened: np.ndarray) -> float:
    p = np.clip(predicted, CLIP, 1 - CLIP)
    return float(-np.log(np.where(happened, p, 1 - p)).mean())


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))
