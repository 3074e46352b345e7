"""Fitting proposals to a corpus, and measuring them on its held-out tenth.

The transformer is trained in two parts: the network, then its ear for given notes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from clausula.corpus import Corpus, load_bundled
from clausula.neural.evaluating import evaluate
from clausula.neural.experts import ALONE, fit_exponents, network_rows
from clausula.neural.features import Example, without_phrases
from clausula.neural.markov_proposal import (
    fit_markov,
    load_markov,
    markov_rows,
    save_markov,
)
from clausula.neural.material import ANY, MAIN_STYLE, Material, material_of
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.pinning import Change, random_pins, random_returns
from clausula.neural.proposals import CHAINS, COUNTING, DEFAULT, EXPONENTS, weights_of
from clausula.neural.recombinant import fit_recombinant, load_recombinant, save_recombinant
from clausula.neural.train import TrainConfig, train
from clausula.neural.weights import adopt, load_weights, network_kinds, record_metadata

UNTOLD = 0.1  # share of crops whose style is not told
UNMARKED = 0.3  # share of crops whose phrase ends are not told
LEAST = 2  # ways into a beat that are rarer are not filed
PINS = TrainConfig(steps=600, warmup=50, patience=4)  # of the encoder of given notes
_PIN_PARTS = ("encoder", "pin_entry", "pin_readers")


def trains_pins(path: tuple[Any, ...], value: object) -> bool:
    """Whether a variable of the network belongs to its ear for given notes."""
    return isinstance(value, nnx.Param) and path[0] in _PIN_PARTS


def add_pins(
    base: Path,
    training: Sequence[Example],
    validation: Sequence[Example],
    *,
    config: TrainConfig,
    out: Path,
    metadata: dict[str, str],
    resume: bool = False,
    weights: np.ndarray | None = None,
    pin_width: int = 128,
) -> None:
    """Teach a trained network to hear given notes; nothing else of it changes.

    Args:
        base: weights of the network.
        training: pieces to learn from.
        validation: pieces that choose the weights; their pins are drawn once.
        config: of this training.
        out: weights file to write.
        metadata: recorded with the weights.
        resume: go on where a stopped run left off.
        weights: how often each piece is drawn.
        pin_width: residual stream of the encoder.
    """
    heard, facts = load_weights(base)
    settings: NetworkConfig = replace(heard.config, pin_width=pin_width)
    model = ChoraleTransformer(settings, nnx.Rngs(config.seed))
    adopt(model, heard)
    rng = np.random.default_rng(config.seed)
    pinned = [random_pins(example, rng) for example in validation]
    before = {"base_" + name: facts[name] for name in ("training", "best", "command", "data")}
    train(
        model,
        training,
        pinned,
        config=config,
        out=out,
        metadata=before | metadata,
        resume=resume,
        weights=weights,
        change=random_pins,
        trained=trains_pins,
    )


def train_transformer(
    out: Path,
    material: Material,
    *,
    network: NetworkConfig,
    config: TrainConfig,
    pins: TrainConfig,
    command: str,
    resume: bool = False,
) -> None:
    """Train the network, then on pins.

    Args:
        out: weights file; logs and pictures of the losses go beside it. The network without an
            ear for given notes is kept beside it too, as ``NAME.base.safetensors``.
        material: what to learn from.
        network: size of the network; its style tags are the corpus'.
        config: how it is trained.
        pins: how the encoder of given notes is trained afterwards.
        command: recorded with the weights.
        resume: go on where a stopped run left off.
    """
    base = out.with_name(out.stem + ".base" + out.suffix)
    metadata = material.metadata(command)
    done = base.exists() and not base.with_suffix(".checkpoint").exists()
    if not (resume and done):
        train(
            ChoraleTransformer(replace(network, styles=material.tags), nnx.Rngs(config.seed)),
            material.learnt,
            material.judges,
            config=config,
            out=base,
            metadata=metadata,
            resume=resume,
            weights=material.weights,
            change=with_less_told(random_returns(material.learnt)),
        )
    add_pins(
        base,
        material.learnt,
        material.judges,
        config=pins,
        out=out,
        metadata=metadata,
        resume=resume and out.with_suffix(".checkpoint").exists(),
        weights=material.weights,
    )


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
    pins: TrainConfig | None = None,
    command: str = "clausula train",
    resume: bool = False,
) -> None:
    """Fit one proposal to a corpus and record what it reaches on the held-out tenth.

    Args:
        name: of the proposal.
        out: the file to write.
        corpus: all that ships if left out.
        settings: of the network's config; its styles are the corpus'.
        config: of the training; models that count notes are not trained.
        pins: of the transformer's encoder of given notes.
        command: recorded with the weights.
        resume: go on where a stopped run left off.

    Raises:
        InputError: there is no such proposal.
        CorpusError: the corpus is too small to be split.
    """
    weights_of(name)
    material = material_of(corpus or load_bundled())
    metadata = material.metadata(command)
    options = settings or {}
    if name in COUNTING:
        _count(name, out, material, metadata)
        load, save = COUNTS[name]
        reached = {"held_out": json.dumps(evaluate(name, out, corpus))}
        save(out, load(out)[0], metadata | reached)
        return
    if name == DEFAULT:
        train_transformer(
            out,
            material,
            network=NetworkConfig(**options),
            config=config or TrainConfig(),
            pins=pins or PINS,
            command=command,
            resume=resume,
        )
        chains = out.with_suffix(".counts")
        _count("markov", chains, material, metadata)
        pool_with_chains(out, chains, material)
    else:
        module, config_type = network_kinds()[name]
        training = config or TrainConfig()
        train(
            module(config_type(**options | {"styles": material.tags}), nnx.Rngs(training.seed)),
            material.learnt,
            material.judges,
            config=training,
            out=out,
            metadata=metadata,
            resume=resume,
            weights=material.weights,
            change=with_less_told(lambda example, rng: example),
        )
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
    fitted = fit_exponents(rows, [markov_rows(counted, e) for e in judges], judges)
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
