"""Random tiny hidden Markov models under automata and domains, and their enumeration.

Enumerated is every word and every hidden path, in float64 and from the definitions: what the words'
probabilities and the automaton's answers are, summed, with no recursion over layers.
"""

from itertools import product

import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import REFUSED, LayeredAutomaton
from clausula.constraints.domains import Domains
from clausula.engine import layers as layered
from clausula.engine import messages
from clausula.engine.layers import Layers
from clausula.engine.messages_reference import ReferenceMessages, reference_messages
from clausula.grid import SEARCH_ORDER

STATES = 3
WIDTH = 4
FRAMES = 3  # of the longest
ROOM = 4  # frames that every model is padded to
# Equal shapes, so that all models share their compiled programs: tables, states, successors.
LEAST = (4 * FRAMES, layered.NARROW, WIDTH)


class SmallModel:
    """A random tiny hidden Markov model, automaton and domains."""

    def __init__(self, seed, frames=None, width=WIDTH, classes=2):
        rng = np.random.default_rng(seed)
        self.frames = frames or int(rng.integers(1, FRAMES + 1))
        layers = 4 * self.frames
        self.initial = rng.dirichlet(np.ones(STATES)).astype(np.float32)
        self.transition = rng.dirichlet(np.ones(STATES), (classes, STATES)).astype(np.float32)
        emission = rng.dirichlet(np.full(32, 0.3), (classes, 4, STATES)).astype(np.float32)
        self.log_emission = np.log(np.maximum(emission, 1e-9))
        self.classes = rng.integers(0, classes, self.frames).astype(np.int32)
        n_states = np.append(1, rng.integers(1, width + 1, layers)).astype(np.int32)
        refused = rng.choice([0.02, 0.2, 0.5])
        tables = np.full((max(layers, 4 * FRAMES), width, 32), REFUSED, np.int32)
        for layer in range(layers):
            shape = (n_states[layer], 32)
            following = rng.integers(0, n_states[layer + 1], shape)
            following[rng.random(shape) < refused] = REFUSED
            tables[layer, : n_states[layer]] = following
        self.automaton = LayeredAutomaton(tables, np.arange(layers, dtype=np.int32), n_states)
        choices = 3 if self.frames == 1 else 2
        masks = np.zeros((self.frames, 4), np.uint32)
        for cell in np.ndindex(masks.shape):
            for token in rng.choice(32, rng.integers(1, choices + 1), replace=False):
                masks[cell] |= np.uint32(1 << int(token))
        self.domains = Domains(masks)

    def padded(self, frames: int) -> messages.Model:
        """The hidden Markov model, with classes for so many frames."""
        classes = np.pad(self.classes, (0, frames - self.frames))
        arrays = (classes, self.transition, self.log_emission)
        return messages.Model(*(jnp.asarray(array) for array in arrays))

    def layers(self, frames: int) -> Layers:
        """Automaton and domains, padded to so many frames."""
        return layered.layers_of(self.automaton, self.domains, frames, LEAST)

    def emission_of(self, layer: int) -> np.ndarray:
        """``log_emission[z, token]`` of a layer."""
        frame, slot = divmod(layer, 4)
        return self.log_emission[self.classes[frame], SEARCH_ORDER[slot]]

    def reference(self) -> ReferenceMessages:
        """The slow messages."""
        return reference_messages(
            self.transition, self.log_emission, self.classes, self.automaton, self.domains
        )


class Enumeration:
    """Every hidden path of a small model, and the words that its domains allow.

    Attributes:
        paths: ``[path, frame]`` hidden states.
        chances: ``[path]`` probability of each.
    """

    def __init__(self, model: SmallModel):
        self.model = model
        self.paths = np.array(list(product(range(STATES), repeat=model.frames)))
        self.chances = model.initial[self.paths[:, 0]].astype(float) * self.moves(0)

    def moves(self, frame: int) -> np.ndarray:
        """``[path]`` probability of all transitions after a frame, given its state."""
        p = np.ones(len(self.paths))
        for later in range(frame + 1, self.model.frames):
            by_state = self.model.transition[self.model.classes[later]].astype(float)
            p *= by_state[self.paths[:, later - 1], self.paths[:, later]]
        return p

    def words(self, first_layer: int) -> np.ndarray:
        """``[word, layer]`` every allowed word of the layers from ``first_layer`` on."""
        allowed = self.model.domains.by_layer()[first_layer:]
        every = list(product(*(np.flatnonzero(layer).tolist() for layer in allowed)))
        return np.array(every, int).reshape(len(every), len(allowed))

    def emitted(self, words: np.ndarray, first_layer: int) -> np.ndarray:
        """``[path, word]`` probability of words that begin at a layer, given the path."""
        p = np.ones((len(self.paths), len(words)))
        for layer, tokens in enumerate(words.T, first_layer):
            by_state = np.exp(self.model.emission_of(layer).astype(float))
            p *= by_state[self.paths[:, layer // 4]][:, tokens]
        return p

    def accepted(self, words: np.ndarray, first_layer: int) -> np.ndarray:
        """``[word, q]`` whether the automaton accepts each word from state ``q``."""
        a = self.model.automaton
        states = np.tile(np.arange(a.width), (len(words), 1))
        states[:, a.n_states[first_layer] :] = REFUSED
        for layer, tokens in enumerate(words.T, first_layer):
            following = a.tables[a.table_of_layer[layer]][states, tokens[:, None]]
            states = np.where(states == REFUSED, REFUSED, following)
        return states != REFUSED

    def satisfied(self, first_layer: int) -> np.ndarray:
        """``[q, z]`` P(the rest satisfies | automaton state, hidden state of the layer's frame)."""
        frame = min(first_layer // 4, self.model.frames - 1)
        words = self.words(first_layer)
        joint = self.emitted(words, first_layer) @ self.accepted(words, first_layer)
        # Each continuation stands there once for every beginning of its path.
        moved = joint * self.moves(frame)[:, None] / STATES**frame
        of_state = np.arange(STATES)[:, None] == self.paths[:, frame]
        return (of_state @ moved).T

    def satisfied_after_each(self, word: np.ndarray, layer: int, q: int) -> np.ndarray:
        """``[token]`` P(the rest satisfies | ``word`` up to a layer, then the token).

        Args:
            word: tokens by layer.
            layer: which is to come.
            q: the automaton's state there.
        """
        model = self.model
        prefix = self.chances * self.emitted(word[None, :layer], 0)[:, 0]
        ways = (
            prefix[:, None]
            * np.exp(model.emission_of(layer).astype(float))[self.paths[:, layer // 4]]
        )
        words = self.words(layer + 1)
        rest = self.emitted(words, layer + 1) @ self.accepted(words, layer + 1)
        after = model.automaton.tables[model.automaton.table_of_layer[layer], q]
        joint = (ways * np.where(after == REFUSED, 0, rest[:, after])).sum(axis=0)
        return np.where(model.domains.by_layer()[layer], joint / ways.sum(axis=0), 0)
