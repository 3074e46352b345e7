"""Training the HMM by expectation-maximisation.

The expected counts are the gradient of log Z with respect to the log parameters; they are computed
here by the forward-backward recursions, whose transition counts are one matrix product a class of
frame, and a test holds them to the gradient that JAX takes of a plain forward pass.

References: design §6; A. Dempster, N. Laird and D. Rubin, "Maximum Likelihood from Incomplete Data
via the EM Algorithm", JRSS B 39 (1977); Rabiner 1989, eq. 109 to 111; the start from clusters of
what sounds follows A. Liu, H. Zhang and G. Van den Broeck, "Scaling Up Probabilistic Circuits by
Latent Variable Distillation", ICLR 2023.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np

from clausula.engine.hmm import (
    HMM,
    LOWEST_RELATIVE,
    MODES,
    N_CLASSES,
    N_NOTE,
    Sequences,
    blocks,
    forward,
    frame_likelihood,
    hold_with_floor,
    note_columns,
    pack,
    tonic_shift,
    with_floor,
)
from clausula.errors import InputError
from clausula.grid import REST, Grid
from clausula.vocabulary import HOLD_TOKEN

# Class within a phrase whose place in the measure each class shares most.
PLAIN_CLASS = np.array([0, 1, 2, 3, 0, 1, 1, 3, 0, 1])
_UNSEEN = 0.1  # pseudo-count of what no frame shows, in the broadest distributions
CHUNK_FRAMES = 40_000  # frames whose posteriors are held in memory at once


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """Pseudo-counts of the M-step, all positive, each spread as a broader distribution.

    Attributes:
        transition: for each state and class, spread as the class's overall distribution.
        pooled: for each state and class, spread as the state's transitions over all classes of
            the same ``PLAIN_CLASS``.
        note: for each voice and state, spread as the voice's overall distribution.
        hold: for each class, voice and state, spread as the class's and voice's overall rate.
        initial: for each mode, spread uniformly.

    The defaults were chosen on tunes set apart from the training ones, not on the held-out tenth.
    """

    transition: float = 4.0
    pooled: float = 16.0
    note: float = 2.5
    hold: float = 6.0
    initial: float = 1.0


class Counts(NamedTuple):
    """Expected counts of everything a parameter governs, and the log likelihood they were taken at.

    All are multiplied by the weight of the pieces that they were taken from.

    Attributes:
        initial: ``[mode, state]``.
        transition: ``[class, state, state]``.
        hold: ``[class, voice, state]`` frames in which the voice holds.
        move: ``[class, voice, state]`` frames in which it does not.
        note: ``[voice, state, 66]``.
        log_likelihood: of all pieces, in nats.
        frames: their number.
    """

    initial: np.ndarray
    transition: np.ndarray
    hold: np.ndarray
    move: np.ndarray
    note: np.ndarray
    log_likelihood: float
    frames: float


class Step(NamedTuple):
    """Where training stands, for a progress bar or a log."""

    iteration: int
    nats_per_frame: float


def expected_counts(hmm: HMM, sequences: Sequences) -> Counts:
    """The E-step: expected counts of one packed batch under the model."""
    likelihood, scale = frame_likelihood(hmm, sequences)
    alpha, norm = forward(hmm, sequences, likelihood)
    posterior, successor = _backward(hmm, sequences, likelihood, alpha, norm)
    first = sequences.offsets[1]
    initial = np.zeros((len(MODES), hmm.states), np.float32)
    np.add.at(initial, sequences.mode, posterior[:first])
    log_z = float(scale.astype(np.float64).sum() + np.log(norm.astype(np.float64)).sum())
    hold, move, note = _emission_counts(posterior, sequences)
    transition = _transition_counts(hmm, sequences, alpha, successor)
    return Counts(initial, transition, hold, move, note, log_z, len(posterior))


def _backward(
    hmm: HMM, sequences: Sequences, likelihood: np.ndarray, alpha: np.ndarray, norm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``[row, state]`` posteriors; and likelihood * beta / norm, which transition counts need."""
    beta = np.ones_like(alpha)
    successor = np.empty_like(alpha)
    for start, stop, before in reversed(list(blocks(sequences))):
        classes = sequences.classes[start:stop]
        here = successor[start:stop]
        np.multiply(likelihood[start:stop], beta[start:stop], out=here)
        here /= norm[start:stop, None]
        for c in np.unique(classes):
            rows = np.flatnonzero(classes == c)
            beta[before + rows] = here[rows] @ hmm.transition[c].T
    beta *= alpha
    return beta, successor


def _transition_counts(
    hmm: HMM, sequences: Sequences, alpha: np.ndarray, successor: np.ndarray
) -> np.ndarray:
    """Posterior pairs of successive states: one matrix product a class of the frame entered."""
    row, before = sequences.steps
    counts = np.zeros_like(hmm.transition)
    for c in np.unique(sequences.classes[row]):
        chosen = sequences.classes[row] == c
        counts[c] = hmm.transition[c] * (alpha[before[chosen]].T @ successor[row[chosen]])
    return counts


def _emission_counts(
    weights: np.ndarray, sequences: Sequences
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hold, move and note counts of ``[row, state]`` weights."""
    states = weights.shape[1]
    hold = np.zeros((N_CLASSES, 4, states), np.float32)
    move = np.zeros_like(hold)
    note = np.zeros((4, states, N_NOTE), np.float32)
    for c in np.unique(sequences.classes):
        rows = sequences.classes == c
        holds = (sequences.tokens[rows] == HOLD_TOKEN).astype(np.float32)
        hold[c] = holds.T @ weights[rows]
        move[c] = (1 - holds).T @ weights[rows]
    for voice in range(4):
        rows = np.flatnonzero(sequences.tokens[:, voice] != HOLD_TOKEN)
        one_hot = np.eye(N_NOTE, dtype=np.float32)[note_columns(sequences.tokens[rows, voice])]
        note[voice] = weights[rows].T @ one_hot
    return hold, move, note


def maximise(counts: Counts, smoothing: Smoothing) -> HMM:
    """The M-step: normalised counts, each backed off as ``smoothing`` says."""
    entered = counts.transition.sum(axis=1)
    entered = with_floor(entered + _UNSEEN * with_floor(entered.sum(axis=0) + _UNSEEN))
    pooled = np.zeros_like(counts.transition)
    np.add.at(pooled, PLAIN_CLASS, counts.transition)
    pooled = with_floor(pooled + _UNSEEN * entered[:, None])[PLAIN_CLASS]
    transition = (
        counts.transition + smoothing.transition * entered[:, None] + smoothing.pooled * pooled
    )
    voice_note = with_floor(counts.note.sum(axis=1, keepdims=True) + _UNSEEN)
    held, moved = counts.hold.sum(axis=2, keepdims=True), counts.move.sum(axis=2, keepdims=True)
    rate = (held + 0.5) / (held + moved + 1)
    frames = counts.hold + counts.move + smoothing.hold
    return HMM(
        with_floor(counts.initial + smoothing.initial / counts.initial.shape[1]),
        with_floor(transition),
        hold_with_floor((counts.hold + smoothing.hold * rate) / frames),
        with_floor(counts.note + smoothing.note * voice_note),
    )


def add_counts(a: Counts, b: Counts) -> Counts:
    """The counts of two batches together."""
    return Counts(*map(operator.add, a, b))


def weighted(counts: Counts, weight: float) -> Counts:
    """The counts as if every piece had been seen ``weight`` times."""
    return Counts(*map(operator.mul, repeat(weight), counts))


def sounding_clusters(
    grids: Sequence[Grid], states: int, seed: int, weights: Sequence[float] | None = None
) -> list[np.ndarray]:
    """``[time]`` cluster of each frame of each grid, by what sounds: k-means over verticalities.

    A verticality is the key-relative pitch of each voice; two are near when they share pitches in
    the same voices and pitch classes in any.

    Args:
        grids: the music.
        states: number of clusters; some may stay empty when there are fewer verticalities.
        seed: of the choice of first centres.
        weights: how often each grid counts; once if left out.
    """
    sounding = [
        np.where(g.pitch == REST, 0, g.pitch - tonic_shift(g.key) - LOWEST_RELATIVE + 1)
        for g in grids
    ]
    kinds, inverse = np.unique(np.concatenate(sounding), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    weight = np.bincount(inverse, np.repeat(_each(grids, weights), [len(g) for g in grids]))
    features = _verticality_features(kinds)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(kinds), min(states, len(kinds)), replace=False, p=weight / weight.sum())
    centres = features[chosen]
    for _ in range(8):
        nearest = _nearest(features, centres)
        total = np.zeros_like(centres)
        np.add.at(total, nearest, features * weight[:, None])
        mass = np.bincount(nearest, weight, minlength=len(centres)).astype(np.float32)
        filled = mass > 0
        centres[filled] = total[filled] / mass[filled, None]
    labels = _nearest(features, centres)[inverse]
    return np.split(labels, np.cumsum([len(g) for g in grids])[:-1])


def _verticality_features(kinds: np.ndarray) -> np.ndarray:
    """``[kind, 4 * 66 + 12]`` pitches voice by voice, and the pitch classes that sound."""
    pitches = np.eye(N_NOTE, dtype=np.float32)[kinds].reshape(len(kinds), -1)
    classes = np.eye(12, dtype=np.float32)[(kinds + LOWEST_RELATIVE - 1) % 12]
    classes = (classes * (kinds > 0)[..., None]).max(axis=1)
    return np.concatenate([pitches, 0.7 * classes], axis=1)


def _nearest(features: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return (2 * features @ centres.T - (centres**2).sum(axis=1)).argmax(axis=1)


def _each(grids: Sequence[Grid], weights: Sequence[float] | None) -> np.ndarray:
    """``[piece]`` weights, all 1 where none are given."""
    return np.ones(len(grids)) if weights is None else np.asarray(weights, float)


def initial_model(
    grids: Sequence[Grid],
    states: int,
    seed: int,
    smoothing: Smoothing,
    weights: Sequence[float] | None = None,
) -> HMM:
    """A start for EM: the M-step of ``sounding_clusters`` taken as the states.

    Noise of a tenth breaks the ties between states whose clusters are alike.
    """
    sequences = pack(grids)
    clusters = sounding_clusters(grids, states, seed, weights)
    start = np.concatenate([[0], np.cumsum([len(g) for g in grids])])
    frame = start[sequences.order[sequences.piece]] + sequences.time
    label = np.concatenate(clusters)[frame]
    mass = _each(grids, weights)[sequences.order[sequences.piece]].astype(np.float32)
    membership = np.zeros((len(label), states), np.float32)
    membership[np.arange(len(label)), label] = mass
    hold, move, note = _emission_counts(membership, sequences)
    initial = np.zeros((len(MODES), states), np.float32)
    first = len(sequences.mode)
    np.add.at(initial, (sequences.mode, label[:first]), mass[:first])
    transition = np.zeros((N_CLASSES, states, states), np.float32)
    row, before = sequences.steps
    np.add.at(transition, (sequences.classes[row], label[before], label[row]), mass[row])
    rng = np.random.default_rng(seed)
    transition *= rng.uniform(0.9, 1.1, transition.shape).astype(np.float32)
    counts = Counts(initial, transition, hold, move, note, 0.0, float(mass.sum()))
    return maximise(counts, smoothing)


def train_hmm(
    grids: Sequence[Grid],
    states: int = 512,
    seed: int = 0,
    iterations: int = 30,
    smoothing: Smoothing | None = None,
    on_step: Callable[[Step], None] | None = None,
    weights: Sequence[float] | None = None,
) -> HMM:
    """Fit an HMM to grids by full-batch EM, the E-step in chunks of pieces.

    Args:
        grids: the training music.
        states: number of hidden states.
        seed: of the start; the result is a function of the arguments.
        iterations: E- and M-steps.
        smoothing: pseudo-counts of the M-step.
        on_step: called after each E-step with the likelihood before its M-step.
        weights: how often each grid counts, above zero, such as less than once for music that
            stands in for what is wanted; once if left out.

    Raises:
        InputError: no grids, an empty grid, fewer than one state or iteration, or weights that
            are not one positive number a grid.
    """
    if states < 1 or iterations < 1:
        raise InputError(f"{states} states and {iterations} iterations: both must be at least 1")
    if weights is not None and (len(weights) != len(grids) or min(weights, default=0) <= 0):
        raise InputError(f"weights for {len(grids)} grids: give one number above 0 for each")
    smoothing = smoothing or Smoothing()
    hmm = initial_model(grids, states, seed, smoothing, weights)
    chunks = [(pack(chunk), weight) for chunk, weight in _chunks(grids, _each(grids, weights))]
    for iteration in range(iterations):
        parts = (weighted(expected_counts(hmm, chunk), weight) for chunk, weight in chunks)
        counts = reduce(add_counts, parts)
        if on_step:
            on_step(Step(iteration, -counts.log_likelihood / counts.frames))
        hmm = maximise(counts, smoothing)
    return hmm


def _chunks(grids: Sequence[Grid], weights: np.ndarray) -> list[tuple[list[Grid], float]]:
    """Grids in order, in runs of one weight and of about ``CHUNK_FRAMES`` frames."""
    by_size = (np.cumsum([len(grid) for grid in grids]) - 1) // CHUNK_FRAMES
    begins = (np.diff(by_size) != 0) | (np.diff(weights) != 0)
    starts = [0, *(np.flatnonzero(begins) + 1).tolist(), len(grids)]
    return [(list(grids[a:b]), float(weights[a])) for a, b in pairwise(starts)]
