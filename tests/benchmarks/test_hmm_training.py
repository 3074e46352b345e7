"""What the HMM is trained on: nothing held out, no samples of what judges."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import hmm_samples
from hmm_training import Material, Recipe, fit, material, split

from clausula.corpus import Piece, load_chorales, save_corpus
from clausula.errors import InputError
from clausula.neural.proposals import Loaded
from clausula.proposal import Proposal
from clausula.vocabulary import N_GLOBAL


@pytest.fixture(scope="module")
def corpus():
    return load_chorales()


def indifferent():
    """A proposal to which every token is as good as any other."""

    def log_probs(params, state, slot, frame):
        return params + np.zeros((len(frame.row), N_GLOBAL), np.float32)

    functions = (lambda p, c, n: c.position, lambda p, s, t, past: s, log_probs)
    return Loaded("indifferent", Proposal(np.float32(-np.log(N_GLOBAL)), *functions), {}, ())


def test_samples_have_the_plan_of_their_teachers(corpus):
    teachers = corpus.pieces[:3]
    drawn = hmm_samples.draw(indifferent(), teachers, count=5, seed=0, longest=64)
    assert len(drawn) == 5
    names = [hmm_samples.teacher_of(piece.name) for piece in drawn]
    assert set(names[:3]) == {piece.name for piece in teachers}
    for name, piece in zip(names, drawn, strict=True):
        like = corpus.grids[corpus.index(name)]
        assert len(piece.grid) == min(64, len(like))
        assert piece.grid.meter == like.meter
        assert piece.grid.key == like.key
        np.testing.assert_array_equal(piece.grid.position, like.position[:64])
        np.testing.assert_array_equal(piece.grid.phrase_end, like.phrase_end[:64])
    again = hmm_samples.draw(indifferent(), teachers, count=5, seed=0, longest=64)
    for a, b in zip(drawn, again, strict=True):
        np.testing.assert_array_equal(a.grid.pitch, b.grid.pitch)
    with pytest.raises(InputError, match="at least 1"):
        hmm_samples.draw(indifferent(), [], 5, 0, 64)


def test_nothing_that_judges_is_learnt(corpus, tmp_path):
    train, apart = split(corpus)
    assert not set(train.names) & set(apart.names)
    inner, judges = split(train)
    samples = tmp_path / "samples.npz"
    taught = [inner.pieces[0], judges.pieces[0]]
    named = [Piece(f"{i}:{p.name}", p.grid, "", "") for i, p in enumerate(taught)]
    save_corpus(named, samples)
    final, tuning = material(samples), material(samples, tuning=True)
    assert len(final.samples) == 2
    assert len(tuning.samples) == 1
    assert (len(final.train), len(final.apart)) == (len(train), len(apart))
    assert (len(tuning.train), len(tuning.apart)) == (len(inner), len(judges))
    assert len(final.others) == len(tuning.others) > 0


def test_music_of_no_weight_is_left_out(corpus):
    few, strange = list(corpus.grids[:3]), list(corpus.grids[3:6])
    music = Material(few, [], strange, strange)
    alone = fit(music, Recipe(8, iterations=2)).model
    same = fit(Material(few, [], [], []), Recipe(8, iterations=2)).model
    for a, b in zip(alone, same, strict=True):
        np.testing.assert_array_equal(a, b)
    more = fit(music, Recipe(8, style_weight=0.5, sample_weight=0.5, iterations=2)).model
    assert any((a != b).any() for a, b in zip(alone, more, strict=True))
    with pytest.raises(InputError, match="hmm_samples"):
        fit(Material(few, [], [], []), Recipe(8, sample_weight=1.0, iterations=2))
