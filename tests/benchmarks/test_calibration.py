"""Scores of forecasts, and the HMM's forecasts of cadences."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import hmm_calibration
from calibration import Correction, bins, calibration_error, corrected, fitted_correction, summary
from hmm_forecasts import DISTANCES, Event, Site, forecasts, question, sites, voice_tokens

from clausula.constraints.cadence import CadenceKind
from clausula.corpus import load_chorales
from clausula.corpus.splits import tunes
from clausula.engine import hmm as hidden
from clausula.engine.hmm import HMM, N_CLASSES, N_NOTE
from clausula.grid import SEARCH_ORDER, Grid, Meter
from clausula.pitch import Key, SpelledPitch
from clausula.vocabulary import FIRST_PITCH, VOICE_LOWEST


def drawn(seed, size=4000):
    rng = np.random.default_rng(seed)
    honest = rng.beta(1, 5, size)
    return honest, rng.random(size) < honest


def chorale(chords):
    """A grid of ``(frames, "E5 G4 C4 C3", fermata)`` in C major, every chord started anew."""
    pitch, onset, phrase_end = [], [], []
    for frames, names, fermata in chords:
        row = [SpelledPitch.parse(name).semitone for name in names.split()]
        pitch += [row] * frames
        onset += [[True] * 4] + [[False] * 4] * (frames - 1)
        phrase_end += [fermata] * frames
    key = Key.parse("C", "major")
    array = np.array(pitch)
    arrays = (array, key.spell(array), np.array(onset), np.array(phrase_end))
    return Grid(*arrays, Meter(4, 4), key)


OPENING = [(4, "E5 G4 C4 C3", False)] * 8
PERFECT = chorale([*OPENING, (4, "D5 G4 B3 G2", False), (4, "C5 G4 E4 C3", True)])
HALF = chorale([*OPENING, (4, "C5 A4 F4 F3", False), (4, "B4 G4 D4 G2", True)])


def random_hmm(seed, states=4):
    rng = np.random.default_rng(seed)
    return HMM(
        hidden.with_floor(rng.dirichlet(np.ones(states), 2)),
        hidden.with_floor(rng.dirichlet(np.ones(states), (N_CLASSES, states))),
        hidden.hold_with_floor(rng.random((N_CLASSES, 4, states))),
        hidden.with_floor(rng.dirichlet(np.ones(N_NOTE), (4, states))),
    )


def test_honest_forecasts_score_well_and_bent_ones_badly():
    honest, happened = drawn(0)
    constant = np.full(len(honest), happened.mean())
    scores = summary(honest, happened, constant, 7)
    assert scores.error < scores.error_if_honest[1] < 0.03
    assert scores.brier < scores.brier_constant
    bent = summary(honest / 4, happened, constant, 7)
    assert bent.error > 0.1
    assert bent.error_if_honest[1] < bent.error


def test_bins_are_of_one_size_and_hold_their_rate():
    honest, happened = drawn(1, 700)
    found = bins(honest, happened, 7)
    assert [b.count for b in found] == [100] * 7
    assert np.all(np.diff([b.predicted for b in found]) > 0)
    assert all(0 <= b.low <= b.observed <= b.high <= 1 for b in found)
    assert sum(b.observed for b in found) / 7 == pytest.approx(happened.mean())
    assert len(bins(honest[:3], happened[:3], 7)) == 3


def test_a_correction_is_found_again():
    honest, happened = drawn(2)
    bent = corrected(honest, Correction(0.5, -1.0))
    # What undoes sigmoid(x / 2 - 1) is slope 2 and offset 2.
    correction = fitted_correction(bent, happened)
    assert correction.slope == pytest.approx(2, abs=0.3)
    assert correction.offset == pytest.approx(2, abs=0.4)
    mended = corrected(bent, correction)
    assert calibration_error(mended, happened, 7) < calibration_error(bent, happened, 7) / 3
    assert corrected(honest, Correction(1.0, 0.0)) == pytest.approx(honest)


def test_a_correction_stays_finite_for_certain_forecasts():
    correction = fitted_correction(
        np.array([0.0, 0.0, 1.0, 1.0]), np.array([False] * 2 + [True] * 2)
    )
    assert np.isfinite(correction).all()


@pytest.mark.parametrize(("grid", "kind"), [(PERFECT, "PAC"), (HALF, "HC")])
def test_the_automaton_tells_which_cadence_came(grid, kind):
    (site,) = sites([grid])
    assert site == Site(0, 36, 40)
    kinds = (CadenceKind.PAC, CadenceKind.IAC, CadenceKind.HC)
    came = [k.value for k in kinds if question(grid, site, (k, None)).happened]
    assert came == [kind]


def test_forecasts_fit_every_distance_and_end_in_certainty():
    model = random_hmm(0)
    told = list(forecasts(model, [PERFECT, HALF]))
    assert len(told) == 2 * len(Event) * len(DISTANCES)
    came = {(f.site.piece, f.event) for f in told if f.happened}
    assert came == {(0, Event.PAC), (0, Event.NEAR_PAC), (1, Event.HC)}
    assert all(0 < f.predicted < 1 for f in told)
    by_place = {(f.site.piece, f.event, f.distance): f.predicted for f in told}
    for piece in range(2):
        for distance in DISTANCES:
            pac, near = (by_place[piece, e, distance] for e in (Event.PAC, Event.NEAR_PAC))
            assert pac < near


def test_a_forecast_is_the_probability_of_all_continuations_that_have_the_cadence():
    """With one hidden state, frames are independent: a forward sum over the automaton."""
    model = random_hmm(1, states=1)
    (site,) = sites([PERFECT])
    beat = next(f for f in forecasts(model, [PERFECT], [Event.PAC]) if f.distance == 1)
    emission = np.exp(hidden.log_emission(model, PERFECT.key)[:, :, 0].astype(float))
    classes = hidden.classes_of(PERFECT)
    cadence = question(PERFECT, site, (CadenceKind.PAC, None))
    state = {cadence.state(site.arrival - 4): 1.0}
    for frame in range(site.arrival - 4, site.end):
        t = frame - cadence.start
        for slot, voice in enumerate(SEARCH_ORDER):
            table = cadence.automaton.tables[cadence.automaton.table_of_layer[4 * t + slot]]
            after = {}
            for q, mass in state.items():
                for token in range(32):
                    to = int(table[q, token])
                    if to >= 0 and int(cadence.domains.masks[t, voice]) >> token & 1:
                        p = mass * emission[classes[frame], voice, token]
                        after[to] = after.get(to, 0.0) + p
            state = after
    assert beat.predicted == pytest.approx(sum(state.values()), rel=1e-3)


def test_notes_outside_a_voice_keep_their_pitch_class():
    high = chorale([(4, "C7 C6 C6 C5", False), (4, "C2 C2 C2 C1", True)])
    tokens = voice_tokens(high)[[0, 4]]
    assert ((tokens >= FIRST_PITCH) & (tokens < 32)).all()
    assert ((tokens - FIRST_PITCH + VOICE_LOWEST) % 12 == 0).all()


def test_a_tune_lies_in_one_fold():
    corpus = load_chorales()
    folds = hmm_calibration.folds_of(corpus)
    assert set(folds) == set(range(hmm_calibration.FOLDS))
    assert all(len(set(folds[tune])) == 1 for tune in tunes(corpus))


def test_a_correction_never_sees_its_own_fold():
    # In each fold the event comes always or never; who knew that would forecast it.
    fold = np.arange(400) % 4
    told = {(Event.PAC, 1): hmm_calibration.Told(np.full(400, 0.5), fold < 2, fold)}
    (row,) = hmm_calibration.scored(told)
    # The other three folds have one more of the other kind.
    assert row["corrected"]["brier"] > row["as_foretold"]["brier"] == pytest.approx(0.25)
    assert row["corrected"]["brier_constant"] == pytest.approx((2 / 3) ** 2)


def test_the_report_has_a_row_and_a_panel_for_each_event_and_distance(tmp_path):
    told = {}
    for event in Event:
        for distance in DISTANCES:
            told[event, distance] = hmm_calibration.Told(*drawn(distance, 90), np.arange(90) % 3)
    rows = hmm_calibration.scored(told)
    assert len(rows) == len(Event) * len(DISTANCES)
    page = hmm_calibration.report(rows, 35, 512)
    assert page.count("beats ahead") == 1
    assert all(page.count(f"| {event.value} |") == len(DISTANCES) for event in Event)
    picture = tmp_path / "picture.png"
    hmm_calibration.draw(rows, picture)
    assert picture.stat().st_size > 10_000
