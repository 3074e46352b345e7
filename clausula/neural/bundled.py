"""Training the weights that ship: first the network, then its ear for given notes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from clausula.corpus import Corpus, held_out, load_bundled
from clausula.neural.features import Example, example_of
from clausula.neural.network import ChoraleTransformer, NetworkConfig
from clausula.neural.pinning import Change, random_pins, random_returns
from clausula.neural.train import TrainConfig, train
from clausula.neural.weights import adopt, load_weights

ANY = "any"  # tag of a piece whose style is not told
MAIN_STYLE = "bach"
MAIN_SHARE = 0.5  # of the crops, where there are other styles
UNTOLD = 0.1  # share of crops whose style is not told
_PIN_PARTS = ("encoder", "pin_entry", "pin_readers")


def style_tags(corpus: Corpus) -> tuple[str, ...]:
    """The tags that a network of this corpus knows, the one for none first."""
    return (ANY, *sorted(set(corpus.styles)))


def examples_of(corpus: Corpus, tags: Sequence[str]) -> list[Example]:
    """The corpus as a network with these tags reads it."""
    return [
        example_of(grid, tags.index(style), phrases_known=known)
        for grid, style, known in zip(
            corpus.grids, corpus.styles, corpus.phrases_known, strict=True
        )
    ]


def sampling_weights(examples: Sequence[Example], styles: Sequence[str]) -> np.ndarray:
    """How often each piece is drawn: half of all crops of the main style.

    The other styles share the rest by the square root of their sizes, so that small ones are heard.
    """
    frames = np.array([len(e) for e in examples], float)
    names = np.array(styles)
    total = {style: frames[names == style].sum() for style in set(styles)}
    share = {style: float(np.sqrt(total[style])) for style in total}
    if MAIN_STYLE in share and len(share) > 1:
        others = sum(share.values()) - share[MAIN_STYLE]
        share[MAIN_STYLE] = others * MAIN_SHARE / (1 - MAIN_SHARE)
    return np.array([share[s] * f / total[s] for s, f in zip(styles, frames, strict=True)])


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


def train_corpus(
    out: Path,
    *,
    network: NetworkConfig,
    config: TrainConfig,
    pins: TrainConfig,
    corpus: Corpus | None = None,
    command: str = "clausula train",
    resume: bool = False,
) -> None:
    """Train on every piece but the held-out tenth, which chooses the weights; then on pins.

    The held-out pieces of the main style choose, where there are any.

    Args:
        out: weights file; logs and pictures of the losses go beside it. The network without an
            ear for given notes is kept beside it too, as ``NAME.base.safetensors``.
        network: size of the network; its style tags are the corpus'.
        config: how it is trained.
        pins: how the encoder of given notes is trained afterwards.
        corpus: all that ships if left out.
        command: recorded with the weights.
        resume: go on where a stopped run left off.
    """
    corpus = corpus or load_bundled()
    tags = style_tags(corpus)
    examples = examples_of(corpus, tags)
    apart = set(held_out(corpus))
    main = MAIN_STYLE in corpus.styles
    valid = [i for i in sorted(apart) if not main or corpus.styles[i] == MAIN_STYLE]
    kept = [i for i in range(len(examples)) if i not in apart]
    learnt = [examples[i] for i in kept]
    base = out.with_name(out.stem + ".base" + out.suffix)
    metadata = {
        "data": f"{len(corpus)} pieces, {len(apart)} held out, digest {digest_of(corpus)}",
        "command": command,
    }
    shared: dict[str, Any] = {"weights": sampling_weights(learnt, [corpus.styles[i] for i in kept])}
    done = base.exists() and not base.with_suffix(".checkpoint").exists()
    if not (resume and done):
        train(
            ChoraleTransformer(replace(network, styles=tags), nnx.Rngs(config.seed)),
            learnt,
            [examples[i] for i in valid],
            config=config,
            out=base,
            metadata=metadata,
            resume=resume,
            change=with_untold_style(random_returns(learnt)),
            **shared,
        )
        resume = False
    add_pins(
        base,
        learnt,
        [examples[i] for i in valid],
        config=pins,
        out=out,
        metadata=metadata,
        resume=resume and out.with_suffix(".checkpoint").exists(),
        **shared,
    )


def with_untold_style(change: Change) -> Change:
    """The change, after which one piece in ten does not say what style it is."""

    def changed(example: Example, rng: np.random.Generator) -> Example:
        example = change(example, rng)
        if rng.random() >= UNTOLD:
            return example
        return replace(
            example,
            controls=example.controls._replace(style=np.zeros_like(example.controls.style)),
        )

    return changed


def digest_of(corpus: Corpus) -> str:
    """Sixteen hexadecimal digits that name exactly these notes."""
    digest = hashlib.sha256()
    for name, grid in zip(corpus.names, corpus.grids, strict=True):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(grid.pitch, np.int16).tobytes())
        digest.update(np.ascontiguousarray(grid.onset, bool).tobytes())
    return digest.hexdigest()[:16]
