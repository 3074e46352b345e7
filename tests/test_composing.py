"""Verification of written pieces: a broken piece is caught, by name; weights are checked."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "engine"))
from small_search import MODEL, RULES, plan_for, run

from clausula.engine.rendering import grid_of
from clausula.errors import CorpusError, InputError
from clausula.finding import notated
from clausula.grid import Voice
from clausula.neural.weights import load_weights, save_weights
from clausula.piece import write_score
from clausula.searching import Session
from clausula.verifying import requested, same_music, verify

PLAN = plan_for(form="A A'", cadences="HC@2.3,PAC@4.3")


@pytest.fixture(scope="module")
def grid():
    result = run(PLAN, seed=2)
    return grid_of(result.tokens[0, 0], PLAN, "drawn")


def rows(grid):
    verified, _ = verify(notated(grid, PLAN, "drawn"), PLAN, RULES)
    assert [row.constraint for row in verified] == requested(PLAN, RULES)
    return {row.constraint: row.holds for row in verified}


def changed(grid, frames, voice, semitones):
    pitch, step = grid.pitch.copy(), grid.step.copy()
    pitch[frames, voice] += semitones
    step[frames, voice] = PLAN.key.spell(pitch[frames, voice])
    return replace(grid, pitch=pitch, step=step)


def test_a_searched_piece_has_what_was_asked(grid):
    held = rows(grid)
    # The drawn network knows no keys, so the checker may infer others; the plan itself must hold.
    assert all(held[str(constraint)] for constraint in PLAN.constraints)
    assert held["the same music re-read"]


def test_a_cadence_with_a_wrong_bass_is_caught(grid):
    held = rows(changed(grid, slice(56, 64), Voice.BASS, 2))
    assert not held["PAC@4.3"]
    assert held["HC@2.3"]


def test_a_return_with_a_wrong_note_is_caught(grid):
    start, stop = 32, 33
    while not grid.onset[stop, Voice.SOPRANO]:
        stop += 1
    held = rows(changed(grid, slice(start, stop), Voice.SOPRANO, 1))
    assert not held["repeat 1 @ 3 in S"]


def test_a_broken_rule_is_caught(grid):
    held = rows(changed(grid, slice(0, 32), Voice.ALTO, -24))
    assert not held["rules chorale"]


def test_every_note_of_a_final_chord_has_a_fermata(grid):
    score = notated(grid, PLAN, "drawn")
    assert [sum(note.fermata for note in part.notes) for part in score.parts] == [2, 2, 2, 2]


def test_music_is_the_same_only_if_spelling_and_fermatas_are(grid):
    score = notated(grid, PLAN, "drawn")
    first = score.parts[0].notes[0]
    for other in (
        replace(first, fermata=True),
        replace(first, pitch=first.pitch._replace(step=first.pitch.step + 1)),
    ):
        part = replace(score.parts[0], notes=(other, *score.parts[0].notes[1:]))
        assert not same_music(score, replace(score, parts=(part, *score.parts[1:])))
    assert same_music(score, score)


def test_an_unknown_ending_is_refused(grid, tmp_path):
    with pytest.raises(InputError, match=r"no writer for '\.pdf'"):
        write_score(notated(grid, PLAN, "drawn"), tmp_path / "piece.pdf")


def test_weights_that_are_none_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(CorpusError, match="no weights at"):
        load_weights(path)
    path.write_bytes(b"\0" * 64)
    with pytest.raises(CorpusError, match="holds no weights"):
        load_weights(path)


def test_weights_without_holds_cannot_compose(tmp_path):
    path = tmp_path / "weights.safetensors"
    config = MODEL.config
    try:
        MODEL.config = replace(config, holds=False)
        save_weights(path, MODEL, {"data": "drawn"})
    finally:
        MODEL.config = config
    with pytest.raises(CorpusError, match="cannot hold a note"):
        Session(PLAN, None, RULES, None, weights=path)


def test_drawn_grids_are_spelled_throughout(grid):
    assert np.all(grid.step > 0)
