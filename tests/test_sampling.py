"""Drawing pieces from a proposal, on proposals whose answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from clausula.errors import InputError
from clausula.grid import REST, SEARCH_ORDER, Grid, Meter, Voice
from clausula.neural.features import controls_of, example_of
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.proposals import Loaded
from clausula.neural.scoring import rows_stepwise
from clausula.neural.stepping import transformer_proposal
from clausula.pitch import Key
from clausula.proposal import Past, Proposal
from clausula.sampling import Sample, grid_of_sample, sample_pieces
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, LOWEST, N_GLOBAL, REST_TOKEN

KEY = jax.random.key(0)
MIDDLE_C = 60 - LOWEST + FIRST_PITCH


def controls(frames: int):
    return controls_of(np.arange(frames) % 16, Meter(4, 4), np.zeros(frames, bool), 0, False)


def loaded(row_of) -> Loaded:
    """A proposal whose log probabilities are ``row_of(slot, frame, past)``, normalised."""
    nothing = Past(jnp.zeros((1, 4), int), jnp.zeros((1, 4), int), jnp.zeros(1, int))
    proposal = Proposal(
        jnp.zeros(1),
        lambda params, controls, hypotheses: nothing,
        lambda params, state, time, past: past,
        lambda params, past, slot, frame: jax.nn.log_softmax(row_of(slot, frame, past), -1),
    )
    return Loaded("known", proposal, {}, ())


def certain(token):
    """A row with nearly all probability on a token of each hypothesis."""
    return 50.0 * (jnp.arange(N_GLOBAL) == jnp.asarray(token)[..., None])


def test_tokens_are_drawn_as_often_as_they_are_likely():
    odds = jnp.log(jnp.zeros(N_GLOBAL).at[MIDDLE_C].set(0.75).at[REST_TOKEN].set(0.25) + 1e-30)
    known = loaded(lambda slot, frame, past: jnp.broadcast_to(odds, (1, N_GLOBAL)))
    samples = sample_pieces(known, [controls(64)] * 16, KEY)
    tokens = np.stack([sample.token for sample in samples])
    assert set(np.unique(tokens)) == {REST_TOKEN, MIDDLE_C}
    shares = (tokens == MIDDLE_C).mean((0, 1))
    np.testing.assert_allclose(shares, 0.75, atol=5 * np.sqrt(0.75 * 0.25 / tokens[..., 0].size))


def test_a_lower_temperature_makes_the_likely_likelier():
    odds = jnp.log(jnp.zeros(N_GLOBAL).at[MIDDLE_C].set(0.6).at[REST_TOKEN].set(0.4) + 1e-30)
    known = loaded(lambda slot, frame, past: jnp.broadcast_to(odds, (1, N_GLOBAL)))
    samples = sample_pieces(known, [controls(64)] * 16, KEY, temperature=0.5)
    share = np.mean([sample.token == MIDDLE_C for sample in samples])
    assert share == pytest.approx(0.36 / (0.36 + 0.16), abs=0.05)


def test_holds_sound_the_last_note_and_silence_is_not_held():
    def row(slot, frame, past):
        silent = frame.last[:, SEARCH_ORDER[slot]] == REST_TOKEN
        begins = certain([REST_TOKEN if SEARCH_ORDER[slot] == Voice.TENOR else MIDDLE_C])
        # A hold is likelier than what begins, even where there is nothing to hold.
        return jnp.where(silent[:, None], begins, 0) + 2 * certain([HOLD_TOKEN])

    token, sounding = sample_pieces(loaded(row), [controls(20)], KEY)[0]
    assert (token[0] == [MIDDLE_C, MIDDLE_C, REST_TOKEN, MIDDLE_C]).all()
    assert (token[1:] == [HOLD_TOKEN, HOLD_TOKEN, REST_TOKEN, HOLD_TOKEN]).all()
    assert (sounding == [MIDDLE_C, MIDDLE_C, REST_TOKEN, MIDDLE_C]).all()


def test_proposals_hear_how_long_a_note_has_sounded():
    def row(slot, frame, past):
        token = jnp.where(past.age[:, 0] >= 3, MIDDLE_C, HOLD_TOKEN)
        return certain(jnp.where(frame.last[:, 0] == REST_TOKEN, MIDDLE_C, token))

    token = sample_pieces(loaded(row), [controls(13)], KEY)[0].token
    np.testing.assert_array_equal(np.flatnonzero(token[:, 0] == MIDDLE_C), [0, 4, 8, 12])


def test_later_voices_hear_the_earlier_ones():
    def row(slot, frame, past):
        heard = frame.sounding[:, SEARCH_ORDER[slot - 1]]
        return certain(heard - 1) if slot else certain([MIDDLE_C])

    sounding = sample_pieces(loaded(row), [controls(3)], KEY)[0].sounding
    np.testing.assert_array_equal(sounding - MIDDLE_C, [[0, -2, -3, -1]] * 3)


def test_a_piece_depends_on_its_place_alone():
    known = loaded(lambda slot, frame, past: jnp.zeros((1, N_GLOBAL)))
    together = sample_pieces(known, [controls(n) for n in (70, 10, 64)], KEY)
    assert [len(sample.token) for sample in together] == [70, 10, 64]
    alone = sample_pieces(known, [controls(70)], KEY)[0]
    np.testing.assert_array_equal(together[0].token, alone.token)
    assert (together[0].token[:64] != together[2].token).any()


@pytest.mark.slow
def test_a_network_hears_what_the_scorer_tells_it():
    size = {"width": 32, "layers": 1, "heads": 2, "mlp": 32, "head_mlp": 32, "window": 16}
    network = ChoraleTransformer(NetworkConfig(**size), nnx.Rngs(0))
    frames = 48
    like = Grid(
        *(np.zeros((frames, 4), int),) * 2,
        np.ones((frames, 4), bool),
        np.zeros(frames, bool),
        Meter(4, 4),
        Key.parse("C"),
    )
    told = example_of(like).controls
    proposal = transformer_proposal(network)
    sample = sample_pieces(Loaded("tiny", proposal, {}, ()), [told], KEY, temperature=1e-5)[0]
    example = example_of(grid_of_sample(sample, like))
    np.testing.assert_array_equal(example.token, sample.token)
    rows = rows_stepwise(proposal, example)
    likeliest = np.delete(rows, HOLD_TOKEN, -1).max(-1)
    chosen = np.take_along_axis(rows, sample.token[:, list(SEARCH_ORDER), None], -1)[..., 0]
    assert (chosen > likeliest - 1e-3).all()
    assert len(np.unique(sample.token)) > 2


def test_a_sample_becomes_a_grid_spelled_for_the_key():
    like = Grid(
        np.zeros((8, 4), int),
        np.zeros((8, 4), int),
        np.ones((8, 4), bool),
        np.arange(8) == 7,
        Meter(3, 4),
        Key.parse("Ab"),
        pickup=4,
    )
    flat = 61 - LOWEST + FIRST_PITCH
    sounding = np.array([[flat, REST_TOKEN, flat, flat]] * 6)
    token = sounding.copy()
    token[1:, 0] = HOLD_TOKEN
    grid = grid_of_sample(Sample(token, sounding), like)
    assert grid.pitch[0].tolist() == [61, REST, 61, 61]
    assert grid.step[5].tolist() == [29, 0, 29, 29]  # D flat, not C sharp
    assert grid.onset[:, 0].tolist() == [True] + [False] * 5
    assert (len(grid), grid.pickup, str(grid.meter), grid.phrase_end.any()) == (6, 4, "3/4", False)


@pytest.mark.parametrize(
    ("pieces", "temperature", "words"),
    [([], 1.0, "nothing to draw"), ([controls(0)], 1.0, "nothing"), ([controls(4)], 0.0, "0.0")],
)
def test_what_cannot_be_drawn_is_an_error(pieces, temperature, words):
    known = loaded(lambda slot, frame, past: jnp.zeros((1, N_GLOBAL)))
    with pytest.raises(InputError, match=words):
        sample_pieces(known, pieces, KEY, temperature)
