"""A small network whose every path matters, and drawn music that repeats itself."""

from dataclasses import replace
from functools import cache

import network_cases
import numpy as np
from flax import nnx

from clausula.grid import Meter
from clausula.neural.echo import NO_SOURCE, echo_of, no_return
from clausula.neural.features import Example, ages_of, controls_of
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.pinning import with_pins, with_return
from clausula.vocabulary import HOLD_TOKEN, REST_TOKEN

SMALL = NetworkConfig(
    width=24,
    layers=2,
    heads=2,
    mlp=32,
    head_mlp=24,
    window=10,
    styles=("any", "bach", "other"),
    pin_width=16,
    pin_layers=1,
)
FRAMES = 60  # several windows, so that the ring of cached frames wraps
LAG = 24  # the music comes back after so many frames


def drawn_example(seed: int = 0, frames: int = FRAMES) -> Example:
    """Drawn notes; what sounds from frame ``LAG`` on sounded before, until two thirds."""
    rng = np.random.default_rng(seed)
    token = rng.integers(20, 40, (frames, 4))
    token[rng.random(token.shape) < 0.4] = HOLD_TOKEN
    token[rng.random(token.shape) < 0.1] = REST_TOKEN
    token[0] = rng.integers(20, 40, 4)
    back = slice(LAG, 2 * frames // 3)
    token[back] = token[: back.stop - LAG]
    sounding = token.copy()
    for t in range(1, frames):
        sounding[t] = np.where(token[t] == HOLD_TOKEN, sounding[t - 1], token[t])
    # A hold of silence is silence.
    token = np.where(sounding == REST_TOKEN, REST_TOKEN, token).astype(np.int32)
    sounding = sounding.astype(np.int32)
    end = np.zeros(frames, bool)
    end[6:8] = True
    controls = controls_of(np.arange(frames) % 16, Meter(4, 4), end, 2, True, 1)
    age = ages_of(token != HOLD_TOKEN).astype(np.int32)
    return Example(sounding, token, age, controls, echo_of(sounding, token))


def pinned(example: Example, seed: int = 0) -> Example:
    """The piece with a third of its notes given."""
    given = np.random.default_rng(seed).random(example.token.shape) < 0.3
    return with_pins(example, given)


def planned(example: Example) -> Example:
    """The piece with its soprano's return, a third higher, told beforehand for a while."""
    back = no_return(len(example))
    span = slice(LAG, LAG + 8)
    back.source[span] = np.arange(8)
    back.shift[span] = 3
    back.voice[span, 0] = 1
    assert (back.source != NO_SOURCE).sum() == 8
    return with_return(example, back)


@cache
def drawn_network(config: NetworkConfig = SMALL) -> ChoraleTransformer:
    """A network with every parameter drawn; dropout is off."""
    still = replace(config, dropout=0.0, field_dropout=0.0)
    return network_cases.drawn_network(lambda: ChoraleTransformer(still, nnx.Rngs(0)))
