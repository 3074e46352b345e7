"""Measuring proposals on held-out pieces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from clausula.corpus import Corpus, load_bundled
from clausula.grid import Voice
from clausula.neural.experts import network_rows, pooled_nats_by_voice
from clausula.neural.features import Example
from clausula.neural.markov_proposal import load_markov, markov_nats_by_voice, markov_rows
from clausula.neural.material import MAIN_STYLE, material_of
from clausula.neural.pinning import with_pins
from clausula.neural.proposals import CHAINS, DEFAULT, EXPONENTS
from clausula.neural.recombinant import load_recombinant, recombinant_nats_by_voice
from clausula.neural.train import nats_by_voice
from clausula.neural.weights import load_weights


def evaluate(name: str, weights: Path, corpus: Corpus | None = None) -> dict[str, float]:
    """Nats per frame of a proposal on the held-out tenth of a corpus, by style.

    Args:
        name: of the proposal.
        weights: its file.
        corpus: all that ships if left out.

    Returns:
        Nats per frame of each style, to four decimals; for the transformer those of the network
        alone, with the chains for the main style (``STYLE, with the chains``), and of the lower
        three voices with the soprano given (``STYLE, soprano given``) and without
        (``STYLE, lower voices``), both of the network alone.
    """
    corpus = corpus or load_bundled()
    if name in ("markov", "recombinant"):
        apart = material_of(corpus).apart
        nats = _counting(name, weights)
        return {style: round(float(nats(pieces).sum()), 4) for style, pieces in apart.items()}
    model, metadata = load_weights(weights, name)
    apart = material_of(corpus, model.config.styles).apart
    rows: dict[str, float] = {}
    if CHAINS in metadata and MAIN_STYLE in apart:
        judges = apart[MAIN_STYLE]
        exponents = np.array(json.loads(metadata[EXPONENTS]))
        chains = load_markov(weights.with_name(metadata[CHAINS]))[0]
        by_voice = pooled_nats_by_voice(
            exponents[model.config.styles.index(MAIN_STYLE)],
            [
                [network_rows(model, example) for example in judges],
                [markov_rows(chains, example) for example in judges],
            ],
            judges,
        )
        rows[f"{MAIN_STYLE}, with the chains"] = round(float(by_voice.sum()), 4)
    for style, pieces in apart.items():
        by_voice = nats_by_voice(model, pieces)
        rows[style] = round(float(by_voice.sum()), 4)
        if name == DEFAULT and model.config.pin_width:
            given = nats_by_voice(model, [with_soprano(piece) for piece in pieces])
            rows[f"{style}, lower voices"] = round(float(by_voice[1:].sum()), 4)
            rows[f"{style}, soprano given"] = round(float(given[1:].sum()), 4)
    return rows


def with_soprano(example: Example) -> Example:
    """The piece with its whole soprano given."""
    return with_pins(example, np.broadcast_to(np.arange(4) == Voice.SOPRANO, example.token.shape))


def _counting(name: str, weights: Path) -> Callable[[Sequence[Example]], np.ndarray]:
    """What scores pieces by a model that counts."""
    if name == "markov":
        return partial(markov_nats_by_voice, load_markov(weights)[0])
    return partial(recombinant_nats_by_voice, load_recombinant(weights)[0])
