"""Corpora: pieces as grids, their styles, splits and statistics."""

from clausula.corpus.archive import Corpus, Piece, load_corpus, save_corpus
from clausula.corpus.chorales import load_chorales
from clausula.corpus.splits import held_out
from clausula.corpus.stats import statistics
from clausula.corpus.styles import load_bundled, styles

__all__ = [
    "Corpus",
    "Piece",
    "held_out",
    "load_bundled",
    "load_chorales",
    "load_corpus",
    "save_corpus",
    "statistics",
    "styles",
]
