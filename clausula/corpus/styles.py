"""Styles: tags that condition the network, and where their pieces come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from clausula.corpus.archive import BACH, Corpus, corpus_of, load_corpus
from clausula.corpus.chorales import load_chorales
from clausula.errors import CorpusError

POLYPHONY = Path(__file__).with_name("polyphony.npz")


@dataclass(frozen=True)
class Style:
    """A style and its pieces in the corpus of music21.

    Attributes:
        tag: what networks are conditioned on.
        about: one line.
        folder: of music21's corpus.
        factor: by which note values are multiplied, so that the beat is near a quarter note.
    """

    tag: str
    about: str
    folder: str
    factor: Fraction = Fraction(1)


_STYLES = (
    Style(BACH, "four-part chorales of J. S. Bach (1685-1750)", "bach"),
    Style(
        "palestrina",
        "four-part mass movements of G. P. da Palestrina (c. 1525-1594)",
        "palestrina",
        Fraction(1, 2),
    ),
    Style("trecento", "four-part polyphony in Italy around 1400", "trecento"),
    Style(
        "monteverdi", "four-part passages of C. Monteverdi's madrigals (1592-1605)", "monteverdi"
    ),
    Style("haydn", "quartet movements of J. Haydn (1732-1809)", "haydn"),
    Style("mozart", "quartet movements of W. A. Mozart (1756-1791)", "mozart"),
    Style("beethoven", "quartet movements of L. van Beethoven (1770-1827)", "beethoven"),
    Style("schumann", "quartet movements of R. Schumann (1810-1856)", "schumann_robert"),
    Style("hymn", "hymns and songs for four voices", "johnson_j_r"),
)


def styles() -> dict[str, str]:
    """Every known style's tag, and a line on it."""
    return {style.tag: style.about for style in _STYLES}


def style_of(tag: str) -> Style:
    """The style with this tag.

    Raises:
        CorpusError: there is none.
    """
    for style in _STYLES:
        if style.tag == tag:
            return style
    raise CorpusError(f"style {tag!r} is unknown; known are {', '.join(styles())}")


def load_bundled(tags: Iterable[str] | None = None) -> Corpus:
    """The pieces that ship with the package, the chorales first.

    Args:
        tags: of the styles wanted; all that ship when left out.

    Raises:
        CorpusError: a style is unknown, or none of its pieces ships.
    """
    wanted = None if tags is None else [style_of(tag).tag for tag in tags]
    corpus = corpus_of([*load_chorales().pieces, *load_corpus(POLYPHONY).pieces])
    if wanted is None:
        return corpus
    for tag in wanted:
        if tag not in corpus.styles:
            raise CorpusError(
                f"no pieces in the style {tag!r} ship with the package; encode them with: "
                f"clausula corpus build --bundled {tag} --out {tag}.npz"
            )
    return corpus.select(i for i, tag in enumerate(corpus.styles) if tag in wanted)
