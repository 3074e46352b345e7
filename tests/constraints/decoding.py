"""Voice tokens to grids and back, for the oracles."""

import numpy as np

from clausula.constraints.automaton import N_SLOTS, LayeredAutomaton, reachable
from clausula.constraints.domains import Domains
from clausula.constraints.place import Timeline
from clausula.grid import REST, SEARCH_ORDER, Grid
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, VOICE_LOWEST


def sounding(tokens: np.ndarray) -> np.ndarray:
    """``[time, voice]`` MIDI numbers of voice tokens; a hold of silence is silence."""
    pitch = np.full(tokens.shape, REST)
    for frame, row in enumerate(tokens.tolist()):
        for voice, token in enumerate(row):
            if token >= FIRST_PITCH:
                pitch[frame, voice] = VOICE_LOWEST[voice] + token - FIRST_PITCH
            elif token == HOLD_TOKEN and frame:
                pitch[frame, voice] = pitch[frame - 1, voice]
    return pitch


def decode(tokens: np.ndarray, timeline: Timeline, home: Key, local: Key | None = None) -> Grid:
    """The grid of voice tokens ``[time, voice]``, spelled in the local key (the home key)."""
    pitch = sounding(tokens)
    return Grid(
        pitch,
        np.where(pitch == REST, 0, (local or home).spell(pitch)),
        tokens >= FIRST_PITCH,
        np.zeros(len(tokens), bool),
        timeline.meter,
        home,
        timeline.pickup,
        timeline.frames_per_quarter,
    )


def tokens_of_chords(chords: list[tuple[int, str]]) -> np.ndarray:
    """Voice tokens of ``(frames, "C5 G4 - C3")``: notes are started and held, ``-`` goes on."""
    rows = []
    for frames, names in chords:
        rows.append(
            [
                HOLD_TOKEN
                if name == "-"
                else SpelledPitch.parse(name).semitone - int(VOICE_LOWEST[voice]) + FIRST_PITCH
                for voice, name in enumerate(names.split())
            ]
        )
        rows += [[HOLD_TOKEN] * 4] * (frames - 1)
    return np.array(rows)


def within(domains: Domains, tokens: np.ndarray) -> bool:
    """Whether every token is allowed."""
    return bool((domains.masks >> tokens.astype(np.uint32) & 1).all())


def random_word(a: LayeredAutomaton, domains: Domains, rng: np.random.Generator) -> np.ndarray:
    """Voice tokens of some piece that automaton and domains accept, drawn token by token."""
    alive, allowed = reachable(a, domains), domains.by_layer()
    tokens = np.zeros((a.n_layers // N_SLOTS, N_SLOTS), int)
    state = a.start
    for layer in range(a.n_layers):
        following = a.tables[a.table_of_layer[layer], state]
        choices = np.flatnonzero(allowed[layer] & (following >= 0) & alive[layer + 1][following])
        token = int(rng.choice(choices))
        frame, slot = divmod(layer, N_SLOTS)
        tokens[frame, SEARCH_ORDER[slot]] = token
        state = int(following[token])
    return tokens
