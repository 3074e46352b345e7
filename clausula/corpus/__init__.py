"""Corpora: pieces as grids, their splits and their statistics."""

from clausula.corpus.chorales import Corpus, load_chorales
from clausula.corpus.splits import held_out
from clausula.corpus.stats import statistics

__all__ = ["Corpus", "held_out", "load_chorales", "statistics"]
