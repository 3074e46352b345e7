"""The bundled four-part Bach chorales as grids."""

from __future__ import annotations

from pathlib import Path

from clausula.corpus.archive import Corpus, load_corpus

CHORALES = Path(__file__).with_name("chorales.npz")


def load_chorales(path: str | Path = CHORALES) -> Corpus:
    """The bundled four-part Bach chorales.

    Args:
        path: an encoded corpus to read in their place.

    Raises:
        CorpusError: there is no such file, or it is no encoded corpus.
    """
    return load_corpus(path)
