"""Messages over tied positions against every sequence of tokens, and at full size by their sums."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tie_walk import Walk

from clausula.constraints.domains import Domains
from clausula.constraints.repeat import NO_IMAGE, NO_SOURCE, Ties
from clausula.engine import tie_messages
from clausula.engine.tie_reference import kept_probability, tokens_that_keep
from clausula.engine.tie_tables import tie_forecast
from clausula.grid import Voice
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE

FRAMES = 16  # every small model is padded to as many, so that the models share a program

FORMS = {
    "two statements": "A-A",
    "three statements": "A-AA",
    "four statements": "AA-AA",
    "interleaved": "A-BAB",
    "twice interleaved": "ABAB-AB",
    "a rondo": "AB-ABBA",
    "three themes": "ABC-ABC",
    "three themes mixed": "ABCBAC",
}


class Model:
    """A random form in one voice with few tokens a frame; the other voices do not return."""

    def __init__(self, seed, form):
        rng = np.random.default_rng(seed)
        self.rng, self.voice = rng, Voice(int(rng.integers(4)))
        self.nowhere, self.kept_back = (20, 0.7) if rng.random() < 0.25 else (4, 0.03)
        many = "C" in form or len(form) > 5
        lengths = {letter: int(rng.integers(1, 3 if many else 4)) for letter in "ABC"}
        self.source, self.images = [], [np.arange(N_VOICE)]
        starts = {}
        free = 1 if many else 2
        rows = []
        for letter in "-" * int(rng.integers(free)) + form + "-" * int(rng.integers(free + 1)):
            start = len(self.source)
            if letter == "-":
                self.source.append(NO_SOURCE)
                rows.append(0)
            elif letter in starts:
                self.source += [starts[letter] + i for i in range(lengths[letter])]
                rows += [self._map()] * lengths[letter]
            else:
                starts[letter] = start
                self.source += [NO_SOURCE] * lengths[letter]
                rows += [0] * lengths[letter]
        self.frames = len(self.source)
        columns = np.full((self.frames, 4), NO_SOURCE, np.int32)
        columns[:, self.voice] = self.source
        row_columns = np.zeros((self.frames, 4), np.int32)
        row_columns[:, self.voice] = rows
        self.ties = Ties(columns, row_columns, np.array(self.images, np.int8))
        self.themes = [(starts[letter], lengths[letter]) for letter in starts]
        self.domains = self._domains(2 if many else 3, rows)
        self.sounding = self._sounding() if rng.random() < 0.4 else None
        steps = rng.dirichlet(np.full(N_VOICE, 0.3), (3, 4, N_VOICE))
        self.log_steps = np.log(np.maximum(steps, 1e-6)).astype(np.float32)
        self.step_of_frame = rng.integers(0, 3, self.frames)

    def _map(self):
        """A row for a copy: mostly, every note is moved to any other and some have no image."""
        image = np.arange(N_VOICE)
        if self.rng.random() < 0.8:
            notes = np.arange(FIRST_PITCH, N_VOICE)
            image[notes] = self.rng.permutation(notes)
            image[self.rng.choice(notes, self.nowhere, replace=False)] = NO_IMAGE
        self.images.append(image)
        return len(self.images) - 1

    def _domains(self, most, rows):
        """Few tokens a frame; what copies allow is mostly what a passage's tokens lead to."""
        rng = self.rng
        allowed = np.zeros((self.frames, N_VOICE), bool)
        starts = [start for start, _ in self.themes]
        for frame, source in enumerate(self.source):
            tokens = rng.choice(N_VOICE, rng.integers(2, most + 1), replace=False)
            allowed[frame, tokens] = True
            allowed[frame, HOLD_TOKEN] |= rng.random() < 0.5
            if frame in starts:
                allowed[frame, HOLD_TOKEN] = False
                allowed[frame, FIRST_PITCH + rng.integers(N_VOICE - FIRST_PITCH)] = True
            if source != NO_SOURCE:
                image = self.images[rows[frame]]
                moved = image[allowed[source]]
                kept = moved[(moved >= 0) & (rng.random(len(moved)) >= self.kept_back)]
                allowed[frame, kept] = True
        words = (allowed * (1 << np.arange(N_VOICE))).sum(axis=1).astype(np.uint32)
        masks = np.full((self.frames, 4), 0xFFFFFFFF, np.uint32)
        masks[:, self.voice] = words
        return Domains(masks)

    def _sounding(self):
        """Sets of notes that may sound, in some frames not every one."""
        words = np.full((self.frames, 4), 0xFFFFFFFF, np.uint32)
        for frame in np.flatnonzero(self.rng.random(self.frames) < 0.3):
            kept = self.rng.random(N_VOICE) < 0.7
            words[frame, self.voice] = (kept * (1 << np.arange(N_VOICE))).sum()
        return words

    def forecast(self):
        steps = self.log_steps, self.step_of_frame
        return tie_forecast(self.ties, self.domains, *steps, FRAMES, self.sounding)

    def kept(self, prefix):
        """The enumerated probability."""
        log_step = self.log_steps[self.step_of_frame, self.voice]
        model = self.ties, self.domains, log_step, self.voice
        return kept_probability(*model, prefix, self.sounding)

    def expected(self, prefix):
        """``[32]`` the enumerated probability after each further token."""
        expected = np.zeros(N_VOICE)
        tie = self.ties, self.domains, self.voice
        for token in tokens_that_keep(*tie, prefix, self.sounding):
            expected[token] = self.kept([*prefix, token])
        return expected


def assert_equal_enumeration(model):
    """Every token after every prefix of a random walk, and the start."""
    forecast = model.forecast()
    tables = jax.tree.map(jnp.asarray, forecast.tables)
    walk = Walk(tables, model.voice)
    total = model.kept([])
    assert forecast.exact.all()
    assert forecast.feasible[model.voice] >= (total > 0)
    if model.sounding is None:
        assert forecast.feasible[model.voice] == (total > 0)
    assert np.exp(walk.log_kept) == pytest.approx(total, rel=1e-4)
    assert (walk.log_kept > -np.inf) == (total > 0)
    for _ in range(model.frames):
        found, expected = walk.log_probs(), model.expected(walk.prefix)
        np.testing.assert_array_equal(found > -np.inf, expected > 0)
        possible = expected > 0
        np.testing.assert_allclose(found[possible], np.log(expected[possible]), atol=2e-4)
        if not possible.any():
            break
        walk.choose(model.rng.choice(np.flatnonzero(possible)))
    else:
        assert walk.log_kept == 0
    return total


@given(seed=st.integers(0, 2**32 - 1), form=st.sampled_from(sorted(FORMS.values())))
@settings(max_examples=200, deadline=None)
def test_equals_enumeration(seed, form):
    assert_equal_enumeration(Model(seed, form))


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_every_form_is_drawn_feasible_and_not(form):
    """The comparison above would prove little if one kind were never drawn."""
    models = [Model(seed, form) for seed in range(30)]
    feasible = [bool(model.forecast().feasible.all()) for model in models]
    possible = [model.kept([]) > 0 for model in models]
    for model, found, expected in zip(models, feasible, possible, strict=True):
        assert found == expected if model.sounding is None else found >= expected
    assert any(model.sounding is not None for model in models)
    assert set(feasible) == {True, False}


@given(seed=st.integers(0, 2**32 - 1), form=st.sampled_from(["A-BAB", "AB-ABBA", "ABCBAC"]))
@example(seed=228, form="AB-ABBA")
@settings(max_examples=40, deadline=None)
def test_too_wide_a_sum_becomes_a_bound_that_is_named(seed, form):
    model = Model(seed, form)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tie_messages, "WIDEST", 2)
        forecast = model.forecast()
    tables = jax.tree.map(jnp.asarray, forecast.tables)
    walk = Walk(tables, model.voice)
    total = model.kept([])
    assert not forecast.exact[0, model.voice]
    assert np.exp(walk.log_kept) >= total * (1 - 1e-4)
    for frame in range(model.frames):
        found, expected = walk.log_probs(), model.expected(walk.prefix)
        possible = expected > 0
        # A bound may promise what no note that may sound keeps; it never refuses what is possible.
        assert (found > -np.inf)[possible].all()
        if model.sounding is None:
            np.testing.assert_array_equal(found > -np.inf, possible)
        if not possible.any():
            return
        assert (found[possible] >= np.log(expected[possible]) - 2e-4).all()
        if forecast.exact[frame, model.voice]:
            np.testing.assert_allclose(found[possible], np.log(expected[possible]), atol=2e-4)
        walk.choose(model.rng.choice(np.flatnonzero(possible)))
    assert walk.log_kept == 0
