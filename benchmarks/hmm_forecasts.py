"""What the HMM foretells of cadences: P(it holds), some beats ahead of where phrases end.

At each fermata of a piece several cadences are asked about: does it arrive with the first frame
under the fermata, held to its end, exactly as the search's constraint says? The forecast,
``distance`` beats before the arrival, is the filter over what sounded up to then times the exact
backward messages of the cadence's automaton. Whether it happened is told by the same automaton, run
over the notes to the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.automaton import N_SLOTS, REFUSED, LayeredAutomaton
from clausula.constraints.cadence import Cadence, CadenceKind, cadence_automaton
from clausula.constraints.domains import Domains
from clausula.constraints.place import Degree, Timeline, numeral
from clausula.engine import hmm as hidden
from clausula.engine.layers import layers_of
from clausula.engine.messages import Model, boundary_messages
from clausula.grid import REST, SEARCH_ORDER, Grid
from clausula.pitch import Mode
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, VOICE_LOWEST

DISTANCES = (1, 2, 4, 8)  # beats
LEAST = (32, 64, 8)  # tables, states and successors: one compiled program for most cadences
FRAMES = 64
NEAR_KEYS = {Mode.MAJOR: "ii iii IV V vi", Mode.MINOR: "III iv v VI VII"}


class Event(StrEnum):
    """What is foretold: one cadence, or any of several that exclude one another."""

    PAC = "PAC in the home key"
    HC = "HC in the home key"
    NEAR_PAC = "PAC in the home key or a near one"


Asked = tuple[CadenceKind, Degree | None]


def cadences_of(event: Event, mode: Mode) -> list[Asked]:
    """Kinds and keys (``None`` for the home key) of the cadences that an event is any of."""
    if event is not Event.NEAR_PAC:
        return [(CadenceKind.PAC if event is Event.PAC else CadenceKind.HC, None)]
    near = [numeral(name) for name in NEAR_KEYS[mode].split()]
    return [(CadenceKind.PAC, None), *((CadenceKind.PAC, degree) for degree in near)]


@dataclass(frozen=True)
class Site:
    """A phrase end of a piece.

    Attributes:
        piece: index into the grids.
        arrival: first frame under the fermata.
        end: first frame after it.
    """

    piece: int
    arrival: int
    end: int


@dataclass(frozen=True)
class Forecast:
    """One forecast.

    Attributes:
        site: where.
        event: what is foretold.
        distance: beats ahead.
        predicted: probability.
        happened: whether it came.
    """

    site: Site
    event: Event
    distance: int
    predicted: float
    happened: bool


@dataclass(frozen=True, eq=False)
class Question:
    """A cadence asked about at a site, cut to the frames it concerns.

    Attributes:
        start: first frame of the cut.
        automaton: over the frames from there.
        domains: likewise.
        tokens: ``[time, voice]`` voice tokens that the piece has there.
    """

    start: int
    automaton: LayeredAutomaton
    domains: Domains
    tokens: np.ndarray

    def state(self, frame: int) -> int:
        """State of the automaton before a frame of the piece, ``REFUSED`` where it is lost."""
        state = self.automaton.start
        for t in range(frame - self.start):
            for slot, voice in enumerate(SEARCH_ORDER):
                token = int(self.tokens[t, voice])
                if not int(self.domains.masks[t, voice]) >> token & 1:
                    return REFUSED
                table = self.automaton.table_of_layer[N_SLOTS * t + slot]
                state = int(self.automaton.tables[table, state, token])
                if state == REFUSED:
                    return REFUSED
        return state

    @property
    def happened(self) -> bool:
        """Whether the piece has the cadence."""
        return self.state(self.start + len(self.tokens)) != REFUSED


def sites(grids: Sequence[Grid]) -> list[Site]:
    """Every phrase end with at least a beat of its phrase before it."""
    found = []
    for piece, grid in enumerate(grids):
        ends = phrase_ends(grid)
        starts = np.flatnonzero(np.diff(grid.phrase_end.astype(int), prepend=0) == 1).tolist()
        beat = int(grid.meter.beat * grid.frames_per_quarter)
        for arrival, end, begun in zip(starts, ends, [0, *ends], strict=False):
            if arrival - beat >= begun:
                found.append(Site(piece, arrival, end))
    return found


def phrase_ends(grid: Grid) -> list[int]:
    """First frame after each fermata."""
    after = np.diff(grid.phrase_end.astype(int), append=0) == -1
    return (np.flatnonzero(after) + 1).tolist()


def voice_tokens(grid: Grid) -> np.ndarray:
    """``[time, voice]`` voice tokens; notes outside a voice's thirty are moved by octaves into it.

    A cadence asks for pitch classes alone, so this does not change whether it holds.
    """
    above = grid.pitch - VOICE_LOWEST
    size = N_VOICE - FIRST_PITCH
    above = np.where(above < 0, above % 12, above)
    above = np.where(above >= size, size - 12 + (above - size) % 12, above)
    tokens = np.where(grid.onset, above + FIRST_PITCH, HOLD_TOKEN)
    return np.where(grid.pitch == REST, REST_TOKEN, tokens)


def timeline_of(grid: Grid) -> Timeline:
    """The frames of a piece, its last measure filled up."""
    measures = -(-len(grid) // grid.frames_per_measure)
    ends = tuple(phrase_ends(grid))
    return Timeline(grid.meter, measures, grid.pickup, grid.frames_per_quarter, ends)


def question(grid: Grid, site: Site, asked: Asked) -> Question:
    """A cadence asked about at a site."""
    timeline = timeline_of(grid)
    kind, key = asked
    cadence = Cadence(kind, *timeline.place(site.arrival), key)
    automaton, domains = cadence_automaton(cadence, timeline, grid.key, site.end)
    start = max(0, site.arrival - max(DISTANCES) * timeline.frames_per_beat)
    # The frame after the fermata belongs to it: nothing is held into it.
    stop = min(site.end + 1, len(grid))
    cut = slice(N_SLOTS * start, N_SLOTS * stop)
    part = LayeredAutomaton(
        automaton.tables,
        automaton.table_of_layer[cut],
        automaton.n_states[cut.start : cut.stop + 1],
        automaton.start if start == 0 else 0,
    )
    return Question(start, part, Domains(domains.masks[start:stop]), voice_tokens(grid)[start:stop])


def filters(model: hidden.HMM, grids: Sequence[Grid]) -> list[np.ndarray]:
    """``[time, state]`` of each piece: P(state | music up to this frame)."""
    sequences = hidden.pack(grids)
    likelihood, _ = hidden.frame_likelihood(model, sequences)
    alpha, _ = hidden.forward(model, sequences, likelihood)
    rows = sequences.order[sequences.piece]
    return [alpha[rows == piece] for piece in range(len(grids))]


def forecasts(
    model: hidden.HMM,
    grids: Sequence[Grid],
    events: Sequence[Event] = tuple(Event),
    states: Sequence[np.ndarray] | None = None,
) -> Iterator[Forecast]:
    """The forecasts of a model at every site of the pieces, at every distance that fits.

    Args:
        model: that foretells.
        grids: the pieces.
        events: to foretell.
        states: ``[time, state]`` of each piece, what is believed of each frame's state once it has
            sounded; by default the model's own filter.
    """
    alphas = filters(model, grids) if states is None else states
    transition = jnp.asarray(model.transition)
    emission, piece = jnp.zeros(()), -1
    for site in sites(grids):
        grid = grids[site.piece]
        if site.piece != piece:
            piece = site.piece
            emission = jnp.asarray(hidden.log_emission(model, grid.key))
        answers: dict[Asked, tuple[dict[int, float], bool]] = {}
        for asked in sorted({a for e in events for a in cadences_of(e, grid.key.mode)}, key=str):
            cadence = question(grid, site, asked)
            messages = _messages(cadence, grid, transition, emission)
            answers[asked] = (
                _ahead(cadence, messages, alphas[piece], site, grid),
                cadence.happened,
            )
        for event in events:
            yield from _pooled(site, event, [answers[a] for a in cadences_of(event, grid.key.mode)])


def _pooled(
    site: Site, event: Event, answers: Sequence[tuple[Mapping[int, float], bool]]
) -> Iterator[Forecast]:
    """Forecasts of an event from those of its cadences, of which at most one can come."""
    happened = any(came for _, came in answers)
    for distance in answers[0][0]:
        predicted = min(sum(ahead[distance] for ahead, _ in answers), 1.0)
        yield Forecast(site, event, distance, predicted, happened)


def _ahead(
    cadence: Question, messages: np.ndarray, alpha: np.ndarray, site: Site, grid: Grid
) -> dict[int, float]:
    """Probability of a cadence at each distance from a site that lies within its piece."""
    beat = int(grid.meter.beat * grid.frames_per_quarter)
    found = {}
    for distance in DISTANCES:
        frame = site.arrival - distance * beat
        if frame < 1:
            continue
        state = cadence.state(frame)
        held = np.exp(messages[frame - cadence.start, state].astype(float)) @ alpha[frame - 1]
        found[distance] = 0.0 if state == REFUSED else min(float(held), 1.0)
    return found


def _messages(
    cadence: Question, grid: Grid, transition: jax.Array, emission: jax.Array
) -> np.ndarray:
    """``[time + 1, q, z]`` log probability that the rest of the cut has the cadence."""
    own = len(cadence.tokens)
    frames = -(-own // FRAMES) * FRAMES
    layers = layers_of(cadence.automaton, cadence.domains, frames, LEAST)
    classes = hidden.classes_of(grid)[cadence.start : cadence.start + own]
    padded = jnp.asarray(np.pad(classes, (0, frames - own)))
    return np.asarray(boundary_messages(layers, Model(padded, transition, emission)))
