"""Measuring what given voices save the shipped proposal (``engine.given_nats``)."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np

from clausula.corpus import held_out, load_chorales
from clausula.engine.given_nats import SAVED, name_of
from clausula.grid import Voice
from clausula.neural.features import example_of
from clausula.neural.pinning import with_pins
from clausula.neural.proposals import DEFAULT_STYLE, load_proposal
from clausula.neural.scoring import nats_by_voice_stepwise


def record_saved_nats() -> None:
    """Score the held-out pieces with nothing and with every set of voices given.

    What the proposal still pays for given voices counts, as it does in a search.
    """
    corpus = load_chorales()
    loaded = load_proposal()
    style = loaded.style_index(DEFAULT_STYLE)
    examples = [example_of(corpus.grids[i], style) for i in held_out(corpus)]
    free = float(nats_by_voice_stepwise(loaded.proposal, examples).sum())
    saved = {}
    for count in (1, 2, 3):
        for voices in combinations(Voice, count):
            pinned = np.isin(np.arange(len(Voice)), voices)
            told = [with_pins(e, np.broadcast_to(pinned, e.token.shape)) for e in examples]
            paid = float(nats_by_voice_stepwise(loaded.proposal, told).sum())
            saved[name_of(voices)] = round(free - paid, 4)
            print(name_of(voices), saved[name_of(voices)], flush=True)
    SAVED.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")
