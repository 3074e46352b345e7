"""Backward messages, the slow and clear way: the definition, in log space and float64.

Kept as documentation and as what ``messages`` is tested against.

Conventions: layer ``4 * t + slot`` reads the token of voice ``SEARCH_ORDER[slot]`` in frame ``t``.
Within a frame ``z`` is the frame's own hidden state; at a boundary it is that of the frame just
finished. "Satisfies" means: stays within the domains, and the automaton accepts. Where that asks
costs, probabilities become expectations of ``exp(-cost)``.

Reference: design §6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clausula.constraints.automaton import REFUSED, LayeredAutomaton
from clausula.constraints.domains import Domains
from clausula.grid import SEARCH_ORDER


class ReferenceMessages(NamedTuple):
    """Log probabilities that the rest of a piece satisfies the constraints; -inf where it cannot.

    Attributes:
        log_beta: ``[layer + 1, q, z]`` of the tokens from this layer on, given automaton state
            ``q`` before the layer and the state ``z`` of the layer's own frame. The last row
            is 0 in accepting states.
        boundary: ``[time + 1, q, z]`` of the frames from ``t`` on, given the state ``z`` of frame
            ``t - 1``. The last row is the same as that of ``log_beta``; row 0 has no frame before
            it and is what it would be after a frame in state ``z``.
    """

    log_beta: np.ndarray
    boundary: np.ndarray


def log_sum(terms: np.ndarray, axis: int) -> np.ndarray:
    """``log(sum(exp(terms)))``; the sum of nothing, or of zeros only, is -inf."""
    return np.logaddexp.reduce(terms, axis=axis, initial=-np.inf)


def reference_messages(
    transition: np.ndarray,
    log_emission: np.ndarray,
    classes: np.ndarray,
    automaton: LayeredAutomaton,
    domains: Domains,
) -> ReferenceMessages:
    """The backward pass, one automaton state at a time.

    Within a frame:  ``log_beta[l, q, z] = log sum over tokens x of
    P(x | z) * exp(log_beta[l + 1, delta(q, x), z] - cost(q, x))``, over the allowed and accepted
    ones only;
    between frames:  ``boundary[t, q, z] = log sum over z' of A[z, z'] * exp(log_beta[4t, q, z'])``.

    Args:
        transition: ``[class, z, z']``.
        log_emission: ``[class, voice, z, 32]`` log probability of the voice tokens.
        classes: ``[time]`` class of each frame.
        automaton: over the same frames.
        domains: over the same frames.
    """
    frames, states = len(classes), transition.shape[1]
    allowed = domains.by_layer()
    asked = np.zeros(automaton.tables.shape) if automaton.costs is None else automaton.costs
    costs = asked[automaton.table_of_layer].astype(np.float64)
    log_transition = np.log(transition.astype(np.float64))
    log_beta = np.full((4 * frames + 1, automaton.width, states), -np.inf)
    boundary = np.full((frames + 1, automaton.width, states), -np.inf)
    log_beta[-1, : automaton.n_states[-1]] = 0
    boundary[-1] = log_beta[-1]
    for frame in range(frames - 1, -1, -1):
        after = boundary[frame + 1]
        for slot in (3, 2, 1, 0):
            layer = 4 * frame + slot
            emission = log_emission[classes[frame], SEARCH_ORDER[slot]].astype(np.float64)
            for q, row in enumerate(automaton.tables[automaton.table_of_layer[layer]]):
                tokens = np.flatnonzero(allowed[layer] & (row != REFUSED))
                terms = emission[:, tokens] + after[row[tokens]].T - costs[layer, q, tokens]
                log_beta[layer, q] = log_sum(terms, axis=1)
            after = log_beta[layer]
        for q in range(automaton.width):
            boundary[frame, q] = log_sum(log_transition[classes[frame]] + after[q], axis=1)
    return ReferenceMessages(log_beta, boundary)


def reference_log_probability(
    messages: ReferenceMessages, initial: np.ndarray, start: int
) -> float:
    """Log probability that a piece of the HMM satisfies the constraints.

    Args:
        messages: of the piece.
        initial: ``[z]`` distribution of the first frame's state.
        start: the automaton's first state.
    """
    return float(log_sum(np.log(initial.astype(np.float64)) + messages.log_beta[0, start], axis=0))
