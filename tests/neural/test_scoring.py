"""The step-by-step scorer, on proposals whose answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scoring_cases import assert_rows_are_distributions, examples_of_openings, nats_of_rows

from clausula.errors import InputError
from clausula.grid import SEARCH_ORDER
from clausula.neural.scoring import nats_by_voice_stepwise, rows_stepwise
from clausula.proposal import Proposal
from clausula.vocabulary import HOLD_TOKEN, N_GLOBAL


def favouring(token_of) -> Proposal:
    """Half of the probability on one token, the rest uniform."""

    def log_probs(params, state, slot, frame):
        favourite = token_of(state, slot, frame)
        rest = 0.5 / N_GLOBAL
        return jnp.log(jnp.where(jnp.arange(N_GLOBAL) == favourite[:, None], 0.5 + rest, rest))

    return Proposal(
        jnp.zeros(1),
        lambda params, controls, hypotheses: (controls.position, jnp.zeros((), jnp.int32)),
        lambda params, state, time, past: (state[0], state[0][time]),
        log_probs,
    )


def test_nats_are_those_of_the_tokens_chosen():
    examples = examples_of_openings(3, holds=True)
    proposal = favouring(lambda state, slot, frame: jnp.full_like(frame.row, HOLD_TOKEN))
    held = np.concatenate([e.token for e in examples])[:, list(SEARCH_ORDER)] == HOLD_TOKEN
    rest = 0.5 / N_GLOBAL
    expected = -np.log(np.where(held, 0.5 + rest, rest)).mean(0)
    np.testing.assert_allclose(nats_by_voice_stepwise(proposal, examples), expected, rtol=1e-5)


def test_pieces_of_every_length_count_each_frame_once():
    short, long = examples_of_openings(2, holds=True)
    short = type(short)(
        **{f: getattr(short, f)[:37] for f in ("token", "sounding", "age")},
        controls=_cut(short.controls, 37),
        echo=_cut(short.echo, 37),
    )
    proposal = favouring(lambda state, slot, frame: jnp.full_like(frame.row, HOLD_TOKEN))
    total = sum(nats_of_rows(rows_stepwise(proposal, e), e) for e in (short, long))
    np.testing.assert_allclose(
        nats_by_voice_stepwise(proposal, [short, long]), total / (37 + len(long)), rtol=1e-5
    )


def _cut(columns, frames):
    return jax.tree.map(lambda column: column[:frames], columns)


def test_what_is_not_yet_chosen_is_hidden():
    example = examples_of_openings(1, holds=True)[0]
    order = list(SEARCH_ORDER)
    proposal = favouring(lambda state, slot, frame: frame.token[:, order[-1]])
    rows = assert_rows_are_distributions(proposal, example, holds=True)
    assert (rows.argmax(-1) == 0).all()
    proposal = favouring(lambda state, slot, frame: frame.token[:, order[0]])
    favourite = rows_stepwise(proposal, example).argmax(-1)
    assert (favourite[:, 0] == 0).all()
    np.testing.assert_array_equal(favourite[:, 1:], np.repeat(example.token[:, :1], 3, 1))


def test_controls_are_those_of_the_frame():
    example = examples_of_openings(1, holds=True)[0]
    proposal = favouring(lambda state, slot, frame: jnp.full_like(frame.row, state[1]))
    favourite = rows_stepwise(proposal, example).argmax(-1)
    np.testing.assert_array_equal(favourite[:, 0], example.controls.position)


def test_nothing_to_score_is_an_error():
    with pytest.raises(InputError, match="no pieces"):
        nats_by_voice_stepwise(favouring(None), [])
