"""Which notes may sound in a voice after each frame, by one automaton alone.

A hold carries no pitch, so a domain of tokens cannot say that a note held into a cadence must be
one of its chord; a set of *sounding indices* can (``pair_tables``: 0 silent, 2 ... 31 pitches). It
is the projection of the automaton, within some domains, on what one voice sounds: those indices
with which some word is accepted. Boolean, forward and backward, over (state, index).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clausula.constraints.automaton import REFUSED, LayeredAutomaton
from clausula.constraints.domains import ALL_TOKENS, Domains
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN

WIDEST = 512  # states; what a wider automaton says of single voices is left to the boolean pass
_BITS = (np.uint32(1) << np.arange(N_VOICE, dtype=np.uint32)).astype(np.uint32)


def sounding_sets(automaton: LayeredAutomaton, domains: Domains) -> np.ndarray:
    """``uint32[time, voice]`` bits of the indices that may sound at the end of each frame.

    Args:
        automaton: minimal.
        domains: of the same piece.

    Returns:
        Every bit set in frames and voices of which the automaton says nothing.
    """
    found = np.full(domains.masks.shape, ALL_TOKENS, np.uint32)
    busy = np.flatnonzero(automaton.n_states[1:] != 1)
    if automaton.width > WIDEST or not len(busy):
        return found
    allowed = domains.by_layer()
    # Beyond these frames there is one state, which remembers nothing of what sounds.
    frames = range(int(busy[0]) // 4, int(busy[-1]) // 4 + 2)
    frames = range(frames.start, min(frames.stop, len(found)))
    steps = _Steps(automaton, allowed)
    for slot, voice in enumerate(SEARCH_ORDER):
        if _heeds(automaton, frames, slot):
            found[frames.start : frames.stop, voice] = _of_voice(automaton, steps, frames, slot)
    return found


def _heeds(automaton: LayeredAutomaton, frames: range, slot: int) -> bool:
    """Whether a voice's tokens lead to different states anywhere."""
    layers = automaton.table_of_layer[4 * frames.start + slot : 4 * frames.stop : 4]
    tables = automaton.tables[np.unique(layers)]
    return bool((tables != tables[..., :1]).any())


def _of_voice(automaton: LayeredAutomaton, known: _Steps, frames: range, slot: int) -> np.ndarray:
    """``uint32[frame]`` what the voice of a slot may sound after each of the frames."""
    layers = range(4 * frames.start, 4 * frames.stop)
    steps = [known.of(layer, own=layer % len(SEARCH_ORDER) == slot) for layer in layers]
    # Whatever sounds before is possible, silence (REST) and every pitch; before the piece, silence.
    every = np.arange(N_VOICE) != HOLD_TOKEN
    before = every if frames.start else np.arange(N_VOICE) == REST_TOKEN
    reached = [np.zeros((automaton.width, N_VOICE), bool)]
    reached[0][: automaton.n_states[layers.start]] = before
    memo: dict[tuple[int, bytes], np.ndarray] = {}
    for step in steps:
        reached.append(_memoised(memo, step, reached[-1], _forward))
    alive = np.zeros_like(reached[0])
    alive[: automaton.n_states[layers.stop]] = every
    memo = {}
    words = []
    for place in range(len(layers) - 1, -1, -1):
        if place % len(SEARCH_ORDER) == len(SEARCH_ORDER) - 1:
            sounds = np.asarray((alive & reached[place + 1]).any(axis=0))
            words.append(_BITS[sounds].sum(dtype=np.uint32))
        alive = _memoised(memo, steps[place], alive, _backward)
    return np.array(words[::-1], np.uint32)


class _Step(NamedTuple):
    """The steps of one layer; equal layers are one value.

    Attributes:
        keeps: ``float32[Q, Q]`` 1 where a voice sounds on while a state leads to another.
        begins: int ``[step, 3]`` state, token, next state, where the voice sounds the token anew.
    """

    keeps: np.ndarray
    begins: np.ndarray


class _Steps:
    """The steps of every layer, worked out once for all voices."""

    def __init__(self, automaton: LayeredAutomaton, allowed: np.ndarray) -> None:
        self.automaton, self.allowed = automaton, allowed
        self.known: dict[tuple[int, bytes, bool], _Step] = {}

    def of(self, layer: int, *, own: bool) -> _Step:
        """The steps of a layer, by a voice of one's own or by another."""
        table = int(self.automaton.table_of_layer[layer])
        key = (table, self.allowed[layer].tobytes(), own)
        if key not in self.known:
            self.known[key] = self._found(self.automaton.tables[table], self.allowed[layer], own)
        return self.known[key]

    def _found(self, table: np.ndarray, allowed: np.ndarray, own: bool) -> _Step:
        states, tokens = np.nonzero((table != REFUSED) & allowed)
        reached = table[states, tokens]
        # Where another voice moves this one sounds on: what matters is where that leads.
        kept = tokens == HOLD_TOKEN if own else np.ones(len(tokens), bool)
        keeps = np.zeros((self.automaton.width, self.automaton.width), np.float32)
        keeps[states[kept], reached[kept]] = 1
        return _Step(keeps, np.stack([states, tokens, reached], axis=1)[~kept])


def _memoised(
    memo: dict[tuple[int, bytes], np.ndarray],
    step: _Step,
    at: np.ndarray,
    through: Callable[[_Step, np.ndarray], np.ndarray],
) -> np.ndarray:
    """``through(step, at)``, which long stretches of a piece have in common."""
    # Equal steps are one value, which ``_Steps`` keeps, so its identity stands for it.
    key = (id(step), at.tobytes())
    if key not in memo:
        memo[key] = through(step, at)
    return memo[key]


def _forward(step: _Step, before: np.ndarray) -> np.ndarray:
    """The (state, index) that some of ``before`` lead to."""
    after = step.keeps.T @ before.astype(np.float32) > 0
    states, tokens, reached = step.begins.T
    some = np.asarray(before.any(axis=1))[states]
    after[reached[some], tokens[some]] = True
    return after


def _backward(step: _Step, after: np.ndarray) -> np.ndarray:
    """The (state, index) that lead to some of ``after``."""
    before = step.keeps @ after.astype(np.float32) > 0
    states, tokens, reached = step.begins.T
    before[states[after[reached, tokens]]] = True
    return before
