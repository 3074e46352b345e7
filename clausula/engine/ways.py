"""What demands leave, and which tokens go on from some notes through it, place by place.

A random walk that looks for a witness and the exact repair of a window both follow these ways. In
each place the tokens are those that break no rule beside the voices already chosen, lie on some way
for every two voices, and leave every automaton a way to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clausula.constraints.automaton import REFUSED, LayeredAutomaton
from clausula.constraints.domains import Domains
from clausula.constraints.pair_tables import SEARCH_PAIRS, ContextClass
from clausula.constraints.repeat import NO_SOURCE, Ties
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import HOLD_TOKEN, N_VOICE

States = tuple[int, ...]  # of each automaton
_BIT = [1 << token for token in range(N_VOICE)]


class Narrowed(NamedTuple):
    """What demands leave together, none of the provers having refuted them.

    Attributes:
        domains: tokens by place.
        ties: which frames repeat which.
        sounding: ``uint32[time, voice]`` what may sound after each frame.
        alive: of the two-voice pass, see ``PairPass``.
        automata: everything that needs memory.
        reachable: of each automaton ``bool[4 * time + 1, Q]``.
        classes: the distinct contexts of the rules, those of copies among them.
        context_of_frame: int ``[time]``.
    """

    domains: Domains
    ties: Ties
    sounding: np.ndarray
    alive: np.ndarray
    automata: tuple[LayeredAutomaton, ...]
    reachable: tuple[np.ndarray, ...]
    classes: Sequence[ContextClass]
    context_of_frame: np.ndarray


class Ways(NamedTuple):
    """What demands leave, with the words of the rules.

    Attributes:
        left: domains, ties, pairs of notes and automata.
        words: of each context ``voice_allowed`` and ``pair_allowed``.
    """

    left: Narrowed
    words: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def start(self) -> States:
        """The automata's states before the first frame."""
        return tuple(group.start for group in self.left.automata)

    def allowed(
        self, frame: int, slot: int, tokens: np.ndarray, sounding: Sequence[int]
    ) -> list[int]:
        """Tokens of a slot that go with the voices already chosen.

        Args:
            frame: the frame.
            slot: place in the search order.
            tokens: ``int[time, voice]`` chosen so far; passages that return are read from here.
            sounding: what each voice sounded before the frame.
        """
        voice = SEARCH_ORDER[slot]
        of_voice, of_pair = self.words[self.left.context_of_frame[frame]]
        own = sounding[voice]
        allowed = int(self.left.domains.masks[frame, voice] & of_voice[voice, own])
        source = int(self.left.ties.source_frame[frame, voice])
        if source != NO_SOURCE:
            mapped = self.left.ties.token_map[self.left.ties.map_of_frame[frame, voice]]
            image = int(mapped[tokens[source, voice]])
            allowed &= _BIT[image] if image >= 0 else 0
        for place, (first, second) in enumerate(SEARCH_PAIRS):
            if second is not voice:
                continue
            token, before = int(tokens[frame, first]), sounding[first]
            allowed &= int(of_pair[place, before, own, token])
            heard = before if token == HOLD_TOKEN else token
            alive = int(self.left.alive[frame, place, heard])
            kept = alive & ~(_BIT[HOLD_TOKEN])
            allowed &= kept | (_BIT[HOLD_TOKEN] if alive & _BIT[own] else 0)
        return [token for token in range(N_VOICE) if allowed & _BIT[token]]

    def after(self, layer: int, states: States, token: int) -> States | None:
        """The automata's states after a token; none where one refuses or cannot end well."""
        found = []
        for group, alive, state in zip(
            self.left.automata, self.left.reachable, states, strict=True
        ):
            following = int(group.tables[group.table_of_layer[layer], state, token])
            if following == REFUSED or not alive[layer + 1, following]:
                return None
            found.append(following)
        return tuple(found)


def sounding_after(tokens: Sequence[int], before: Sequence[int]) -> list[int]:
    """What each voice sounds after a frame's tokens."""
    return [
        old if token == HOLD_TOKEN else int(token)
        for token, old in zip(tokens, before, strict=True)
    ]
