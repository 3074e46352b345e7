"""Fitting proposals to a corpus, and measuring them on its held-out tenth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx

from clausula.corpus import Corpus, load_bundled
from clausula.errors import InputError
from clausula.neural.evaluating import evaluate, with_soprano
from clausula.neural.experts import ALONE, fit_exponents, network_rows
from clausula.neural.features import Example, without_phrases
from clausula.neural.markov_proposal import (
    fit_markov,
    load_markov,
    markov_rows,
    save_markov,
)
from clausula.neural.material import ANY, MAIN_STYLE, Material, material_of
from clausula.neural.pinning import Change, random_returns, unchanged, with_some_pinned
from clausula.neural.proposals import CHAINS, COUNTING, DEFAULT, EXPONENTS, weights_of
from clausula.neural.recombinant import fit_recombinant, load_recombinant, save_recombinant
from clausula.neural.train import TrainConfig, train
from clausula.neural.weights import adopt, load_weights, network_kinds, record_metadata

UNTOLD = 0.1  # share of crops whose style is not told
UNMARKED = 0.3  # share of crops whose phrase ends are not told
LEAST = 2  # ways into a beat that are rarer are not filed
START_FACTS = ("command", "data", "training", "best", "start")  # kept of the weights begun with
PIN_WIDTH = 128  # residual stream of the transformer's encoder of given notes


COUNTS: dict[str, tuple[Callable, Callable]] = {
    "markov": (load_markov, save_markov),
    "recombinant": (load_recombinant, save_recombinant),
}


def fit_proposal(
    name: str,
    out: Path,
    *,
    corpus: Corpus | None = None,
    settings: dict[str, Any] | None = None,
    config: TrainConfig | None = None,
    command: str = "clausula train",
    resume: bool = False,
    start: Path | None = None,
) -> None:
    """Fit one proposal to a corpus and record what it reaches on the held-out tenth.

    Args:
        name: of the proposal.
        out: the file to write.
        corpus: all that ships if left out.
        settings: of the network's config; its styles are the corpus'.
        config: of the training; models that count notes are not trained.
        command: recorded with the weights.
        resume: go on where a stopped run left off.
        start: weights to begin with instead of drawn ones. Their network's size and style tags
            stay; pieces of a style that it does not know teach it without a tag.

    Raises:
        InputError: there is no such proposal, or it counts notes and has no weights to start with.
        CorpusError: the corpus is too small to be split.
    """
    weights_of(name)
    options = dict(settings or {})
    tags, metadata, began = None, {}, None
    if start is not None:
        if name in COUNTING:
            raise InputError(f"{name} counts notes; it starts from nothing, leave --start out")
        began, facts = load_weights(start, name)
        tags = began.config.styles
        options = began.config.to_dict() | options
        metadata["start"] = json.dumps({fact: facts[fact] for fact in START_FACTS if fact in facts})
    material = material_of(corpus or load_bundled(), tags)
    metadata |= material.metadata(command)
    if name in COUNTING:
        _count(name, out, material, metadata)
        load, save = COUNTS[name]
        reached = {"held_out": json.dumps(evaluate(name, out, corpus))}
        save(out, load(out)[0], metadata | reached)
        return
    module, config_type = network_kinds()[name]
    options |= {"styles": material.tags}
    change, watched = with_less_told(unchanged), []
    if name == DEFAULT:
        options["pin_width"] = options.get("pin_width") or PIN_WIDTH
        change = with_some_pinned(with_less_told(random_returns(material.learnt)))
        watched = [with_soprano(example) for example in material.judges]
    training = config or TrainConfig()
    model = module(config_type(**options), nnx.Rngs(training.seed))
    if began is not None:
        adopt(model, began)
    train(
        model,
        material.learnt,
        material.judges,
        config=training,
        out=out,
        metadata=metadata,
        resume=resume,
        weights=material.weights,
        change=change,
        watched=watched,
    )
    if jax.process_index():
        return  # what follows is written once
    if name == DEFAULT:
        chains = out.with_suffix(".counts")
        _count("markov", chains, material, metadata)
        pool_with_chains(out, chains, material)
    record_metadata(out, {"held_out": json.dumps(evaluate(name, out, corpus))})


def _count(name: str, out: Path, material: Material, metadata: dict[str, str]) -> None:
    """Fit one of the models that count notes and write it."""
    learnt = material.of_main_style
    if name == "markov":
        save_markov(out, fit_markov(learnt, holds=True), metadata)
    else:
        save_recombinant(out, fit_recombinant(learnt, holds=True, least=LEAST), metadata)


def pool_with_chains(out: Path, chains: Path, material: Material) -> None:
    """Record in a transformer's file the chains it is asked together with, and how far.

    Other styles than the chains' own are the network's alone.

    Args:
        out: the transformer's weights.
        chains: fitted Markov chains, in the same folder.
        material: whose judges the exponents are fitted on.
    """
    model, _ = load_weights(out, DEFAULT)
    judges = material.judges
    rows = [network_rows(model, example) for example in judges]
    counted = load_markov(chains)[0]
    exponents = np.tile(np.array(ALONE), (len(model.config.styles), 4, 1))
    fitted = fit_exponents([rows, [markov_rows(counted, e) for e in judges]], judges)
    spoken = (ANY, MAIN_STYLE) if MAIN_STYLE in material.styles else model.config.styles
    for style in spoken:
        exponents[model.config.styles.index(style)] = fitted
    rounded = np.round(exponents, 4).tolist()
    record_metadata(out, {CHAINS: chains.name, EXPONENTS: json.dumps(rounded)})


def with_less_told(change: Change) -> Change:
    """The change, after which some pieces do not say what style they are, or where phrases end.

    Phrase ends are marked in few styles: a network that was always told them there would take
    their being known for the style.
    """

    def changed(example: Example, rng: np.random.Generator) -> Example:
        example = change(example, rng)
        controls = example.controls
        if rng.random() < UNTOLD:
            controls = controls._replace(style=np.zeros_like(controls.style))
        if rng.random() < UNMARKED:
            controls = without_phrases(controls)
        return replace(example, controls=controls)

    return changed
