"""Styles, what ships, and what is held out."""

import json
from collections import Counter

import numpy as np
import pytest

from clausula.corpus import held_out, load_bundled, load_chorales, load_corpus, save_corpus, styles
from clausula.corpus.archive import AS_WRITTEN, corpus_of
from clausula.corpus.build import encode_file
from clausula.corpus.polyphony import record_held_out
from clausula.corpus.rights import may_ship
from clausula.corpus.sources import bundled_sources
from clausula.corpus.splits import recorded, tunes
from clausula.corpus.styles import POLYPHONY
from clausula.errors import CorpusError
from clausula.grid import REST
from clausula.vocabulary import HIGHEST, LOWEST


@pytest.fixture(scope="module")
def corpus():
    return load_bundled()


def of_style(corpus, tag):
    return corpus.select(i for i, style in enumerate(corpus.styles) if style == tag)


def test_eight_styles_ship_in_a_small_file(corpus):
    counts = Counter(corpus.styles)
    assert counts["bach"] == 355
    assert counts["beethoven"] > 200
    assert set(counts) == set(styles()) - {"palestrina"}
    assert POLYPHONY.stat().st_size < 1_000_000
    assert len(set(corpus.names)) == len(corpus)


def test_grids_are_well_formed(corpus):
    for name, grid in zip(corpus.names, corpus.grids, strict=True):
        silent = grid.pitch == REST
        assert not grid.onset[silent].any(), name
        held = ~silent & ~grid.onset
        assert not held[0].any(), name
        np.testing.assert_array_equal(grid.pitch[1:][held[1:]], grid.pitch[:-1][held[1:]], name)
        assert not silent[0].all(), name
        assert not silent[-1].all(), name
        assert (~silent).any(axis=0).all(), name
        assert grid.pitch[~silent].min() >= LOWEST, name
        assert grid.pitch[~silent].max() <= HIGHEST, name
        assert 0 <= grid.pickup < grid.frames_per_measure, name


def test_nothing_ships_whose_rights_forbid_it():
    others = load_corpus(POLYPHONY)
    assert all(may_ship(licence) for licence in others.licences)
    assert all(source.startswith("music21 ") for source in others.sources)


def test_phrase_ends_are_known_in_chorales_alone(corpus):
    assert all(of_style(corpus, "bach").phrases_known)
    assert sum(load_corpus(POLYPHONY).phrases_known) <= 1


def test_chorales_have_the_fields_of_all_the_rest():
    chorales = load_chorales()
    assert set(chorales.styles) == {"bach"}
    assert set(chorales.units) == {AS_WRITTEN}
    assert set(chorales.works) == {""}
    assert chorales.frames_per_quarter == 4


def test_styles_can_be_chosen(corpus):
    chosen = load_bundled(["mozart", "bach"])
    assert Counter(chosen.styles) == {"bach": 355, "mozart": Counter(corpus.styles)["mozart"]}


def test_unknown_and_unshipped_styles_are_refused():
    with pytest.raises(CorpusError, match=r"'abba' is unknown; known are bach, palestrina, .*hymn"):
        load_bundled(["bach", "abba"])
    with pytest.raises(CorpusError, match="corpus build --bundled palestrina"):
        load_bundled(["palestrina"])


def test_every_style_but_a_single_piece_has_a_tenth_held_out_by_works(corpus):
    apart = set(held_out(corpus))
    for tag in dict.fromkeys(corpus.styles):
        places = [i for i, style in enumerate(corpus.styles) if style == tag]
        chosen = [i for i in places if i in apart]
        if tag == "hymn":
            assert chosen == []
            continue
        assert 0.04 * len(places) <= len(chosen) <= 0.1 * len(places)
        if tag != "bach":
            works = {corpus.works[i] for i in chosen}
            assert works.isdisjoint(corpus.works[i] for i in places if i not in apart)


def test_what_is_held_out_is_recorded_and_the_same_alone_or_together(corpus):
    named = recorded()
    for tag in dict.fromkeys(corpus.styles):
        alone = of_style(corpus, tag)
        assert tuple(alone.names[i] for i in held_out(alone)) == named[tag]
    together = {corpus.names[i] for i in held_out(corpus)}
    shipped = set(corpus.styles)
    assert together == {name for tag in shipped for name in named[tag]}


def test_whole_masses_are_held_out_where_they_do_not_ship():
    assert len(recorded()["palestrina"]) == 58


def test_a_style_of_few_works_gives_its_smallest(corpus):
    haydn = of_style(corpus, "haydn")
    groups = {len(group) for group in tunes(haydn)}
    assert len(held_out(haydn, share=0.01)) == min(groups)


def test_held_out_pieces_of_other_files_are_recorded(corpus, tmp_path):
    save_corpus(of_style(corpus, "mozart").pieces, tmp_path / "m.npz")
    record_held_out([tmp_path / "m.npz"], tmp_path / "held.json")
    assert tuple(json.loads((tmp_path / "held.json").read_text())["mozart"]) == recorded()["mozart"]


def test_saved_and_loaded_corpora_are_equal(corpus, tmp_path):
    some = corpus.select([3, 400, 500])
    save_corpus(some.pieces, tmp_path / "some.npz")
    again = load_corpus(tmp_path / "some.npz")
    for one, other in zip(some.pieces, again.pieces, strict=True):
        np.testing.assert_array_equal(one.grid.step, other.grid.step)
        assert (one.grid.key, one.grid.meter) == (other.grid.key, other.grid.meter)
        fields = ("name", "source", "licence", "style", "work", "unit", "simplified")
        assert [getattr(one, f) for f in fields] == [getattr(other, f) for f in fields]
    assert list(tmp_path.iterdir()) == [tmp_path / "some.npz"]


def test_corpora_that_do_not_fit_together_are_refused(corpus, tmp_path):
    piece = corpus.pieces[0]
    with pytest.raises(CorpusError, match=r"2 pieces are called 'bwv\d+"):
        corpus_of([piece, piece])
    with pytest.raises(CorpusError, match="no pieces to write"):
        save_corpus([], tmp_path / "none.npz")


@pytest.mark.parametrize("name", ["hymn/lift_every_voice", "mozart/k156/movement4"])
def test_encoding_again_gives_what_is_shipped(corpus, name):
    sources = {source.name: source for source in bundled_sources(name.split("/")[0])}
    pieces, _ = encode_file(sources[name])
    assert pieces
    for piece in pieces:
        shipped = corpus.pieces[corpus.index(piece.name)]
        np.testing.assert_array_equal(piece.grid.pitch, shipped.grid.pitch)
        np.testing.assert_array_equal(piece.grid.onset, shipped.grid.onset)
        assert (piece.grid.key, piece.source) == (shipped.grid.key, shipped.source)
        assert (piece.simplified, piece.licence) == (shipped.simplified, shipped.licence)
