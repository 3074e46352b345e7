"""What the network is told of given notes."""

import jax.numpy as jnp
import numpy as np
import pytest

from clausula.neural.encoder import AHEAD, allowed_by, next_pin
from clausula.neural.features import PIN_ANY, PIN_HOLD, PIN_ONSET, UNPINNED, Pins


def slow_next(column: np.ndarray) -> list[tuple[int, int]]:
    """Next given note that is not the one given now, and how far, frame by frame."""
    out = []
    for t in range(len(column)):
        found = (UNPINNED, UNPINNED)
        for s in range(t + 1, len(column)):
            if column[s] != UNPINNED and column[s] != column[s - 1]:
                found = (int(column[s]), min(s - t, AHEAD - 1))
                break
        out.append(found)
    return out


@pytest.mark.parametrize("seed", range(20))
def test_the_next_given_note(seed):
    rng = np.random.default_rng(seed)
    pitch = rng.integers(20, 24, (90, 4)).repeat(rng.integers(1, 3), 0)[:90]
    pitch[rng.random(pitch.shape) < rng.choice([0.0, 0.3, 0.97])] = UNPINNED
    found, distance = next_pin(jnp.asarray(pitch)[None])
    for voice in range(4):
        expected = np.array(slow_next(pitch[:, voice]))
        np.testing.assert_array_equal(found[0, :, voice], expected[:, 0])
        np.testing.assert_array_equal(distance[0, :, voice], expected[:, 1])


@pytest.mark.parametrize(
    ("state", "allowed"),
    [(PIN_ONSET, {30}), (PIN_HOLD, {1}), (PIN_ANY, {1, 30})],
)
def test_tokens_that_agree_with_a_given_note(state, allowed):
    pins = Pins(jnp.full(4, 30), jnp.full(4, state))
    agree = np.flatnonzero(allowed_by(pins, 0, jnp.full(4, 30)))
    assert set(agree.tolist()) == allowed
    nothing = Pins(jnp.full(4, UNPINNED), jnp.full(4, PIN_ANY))
    assert not np.asarray(allowed_by(nothing, 0, jnp.full(4, 30))).any()
