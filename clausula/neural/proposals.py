"""Proposals by name: what ships, and what users train."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clausula.errors import CorpusError, InputError
from clausula.neural.features import ANY_STYLE
from clausula.proposal import Proposal

HERE = Path(__file__).parent
DEFAULT = "transformer"
NETWORK = "network"
COUNTING = ("markov", "recombinant")  # they count notes; the others are networks
DEFAULT_STYLE = "bach"
CHAINS, EXPONENTS = "chains", "exponents"  # in the transformer's metadata: what it is pooled with
NAMES = {
    "transformer": "a causal transformer, voice by voice, that hears given notes; with the chains",
    "network": "the transformer alone, without the chains",
    "charrnn": "an LSTM over a text of four tokens a frame, style tags first",
    "biaxial": "the biaxial LSTM of 2015, conditioned on four ordered notes",
    "recombinant": "beats of the corpus, filed under the notes they enter with",
    "markov": "variable-order Markov chains with back-off over several viewpoints",
}


@dataclass(frozen=True)
class Loaded:
    """A proposal ready for the search.

    Attributes:
        name: which.
        proposal: parameters and functions.
        metadata: what its file says of its training.
        styles: tags that it knows, the first for none; empty where it knows no styles.
    """

    name: str
    proposal: Proposal
    metadata: dict[str, str]
    styles: tuple[str, ...]

    def style_index(self, style: str | None) -> int:
        """Place of a tag in the list; the default style's, or none, where none is asked for.

        Raises:
            InputError: it does not know the style.
        """
        if style is None:
            return self.styles.index(DEFAULT_STYLE) if DEFAULT_STYLE in self.styles else ANY_STYLE
        if style not in self.styles:
            known = ", ".join(self.styles) or "none"
            raise InputError(f"style {style!r} is unknown to {self.name}; known: {known}")
        return self.styles.index(style)


def weights_of(name: str) -> Path:
    """The shipped file of a proposal.

    Raises:
        InputError: there is no such proposal.
    """
    if name not in NAMES:
        raise InputError(f"no proposal {name!r}; known: {', '.join(NAMES)}")
    ending = ".counts" if name in COUNTING else ".safetensors"
    return HERE / f"{DEFAULT if name == NETWORK else name}{ending}"


def metadata_of(name: str, path: Path) -> dict[str, str]:
    """What a proposal's file says of its training."""
    if name in COUNTING:
        from clausula.neural.markov_files import load_tables

        return load_tables(path)[2]
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return dict(file.metadata() or {})


def load_proposal(name: str = DEFAULT, weights: Path | None = None) -> Loaded:
    """A proposal from its file.

    Args:
        name: which.
        weights: the file; the shipped one if left out.

    Raises:
        InputError: there is no such proposal.
        CorpusError: the file is missing, or does not hold this proposal on notes that are held.
    """
    path = weights_of(name) if weights is None else weights
    if name == "markov":
        from clausula.neural.markov_proposal import load_markov, markov_proposal

        chains, metadata = load_markov(path)
        _require_holds(path, holds=chains.holds)
        return Loaded(name, markov_proposal(chains), metadata, ())
    if name == "recombinant":
        from clausula.neural.recombinant import load_recombinant, recombinant_proposal

        beats, metadata = load_recombinant(path)
        _require_holds(path, holds=beats.holds)
        return Loaded(name, recombinant_proposal(beats), metadata, ())
    return _network(name, path)


def _network(name: str, path: Path) -> Loaded:
    from clausula.neural.biaxial_composing import biaxial_proposal
    from clausula.neural.charrnn import charrnn_proposal
    from clausula.neural.stepping import transformer_proposal
    from clausula.neural.weights import load_weights

    model, metadata = load_weights(path, DEFAULT if name == NETWORK else name)
    _require_holds(path, holds=model.config.holds)
    behind: dict[str, Callable[[Any], Proposal]] = {
        DEFAULT: transformer_proposal,
        NETWORK: transformer_proposal,
        "charrnn": charrnn_proposal,
        "biaxial": biaxial_proposal,
    }
    proposal = behind[name](model)
    if name == DEFAULT and CHAINS in metadata:
        proposal = _with_chains(proposal, path.with_name(metadata[CHAINS]), metadata)
    return Loaded(name, proposal, metadata, model.config.styles)


def _with_chains(network: Proposal, path: Path, metadata: dict[str, str]) -> Proposal:
    from clausula.neural.experts import pooled_proposal
    from clausula.neural.markov_proposal import load_markov, markov_proposal

    chains, _ = load_markov(path)
    exponents = np.array(json.loads(metadata[EXPONENTS]))
    return pooled_proposal([network, markov_proposal(chains)], exponents)


def _require_holds(path: Path, *, holds: bool) -> None:
    if not holds:
        raise CorpusError(
            f"{path} was trained on bare pitches and cannot hold a note; train one with "
            "'clausula train'"
        )
