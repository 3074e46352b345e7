"""A corpus as proposals learn from it: examples, style tags, what is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clausula.corpus import Corpus, held_out
from clausula.errors import CorpusError
from clausula.neural.features import ANY_STYLE, Example, example_of

ANY = "any"  # tag of a piece whose style is not told
MAIN_STYLE = "bach"
MAIN_SHARE = 0.5  # of the crops, where there are other styles


def style_tags(corpus: Corpus) -> tuple[str, ...]:
    """The tags that a network of this corpus knows, the one for none first."""
    return (ANY, *sorted(set(corpus.styles)))


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


@dataclass(frozen=True)
class Material:
    """A corpus as networks read it.

    Attributes:
        tags: of its styles, the one for none first.
        learnt: examples to learn from.
        styles: the tag of each of them.
        apart: the held-out examples by style.
        digest: names the notes.
    """

    tags: tuple[str, ...]
    learnt: tuple[Example, ...]
    styles: tuple[str, ...]
    apart: dict[str, list[Example]]
    digest: str

    @property
    def judges(self) -> list[Example]:
        """The held-out pieces that choose weights: the main style's, where there are any."""
        if MAIN_STYLE in self.apart:
            return self.apart[MAIN_STYLE]
        return [example for examples in self.apart.values() for example in examples]

    @property
    def of_main_style(self) -> list[Example]:
        """What a model that knows no styles learns from: one style, the main one if it is there."""
        pairs = zip(self.learnt, self.styles, strict=True)
        return [e for e, style in pairs if style == MAIN_STYLE] or list(self.learnt)

    @property
    def weights(self) -> np.ndarray:
        """How often each piece is drawn."""
        return sampling_weights(self.learnt, self.styles)

    def metadata(self, command: str) -> dict[str, str]:
        """What is recorded of the data."""
        apart = sum(map(len, self.apart.values()))
        pieces = len(self.learnt) + apart
        return {
            "data": f"{pieces} pieces, {apart} held out, digest {self.digest}",
            "command": command,
        }


def material_of(corpus: Corpus, tags: Sequence[str] | None = None) -> Material:
    """The corpus split and encoded.

    Args:
        corpus: the pieces.
        tags: styles in a network's own order; the corpus' if left out.

    Raises:
        CorpusError: nothing is left to learn from, or to choose the weights by.
    """
    known = style_tags(corpus) if tags is None else tuple(tags)
    places = [known.index(s) if s in known else ANY_STYLE for s in corpus.styles]
    examples = [
        example_of(grid, place, phrases_known=marked)
        for grid, place, marked in zip(corpus.grids, places, corpus.phrases_known, strict=True)
    ]
    apart = held_out(corpus)
    if not apart or len(apart) == len(corpus):
        raise CorpusError(
            f"of {len(corpus)} pieces {len(apart)} can be held out, whole tunes or works at a "
            "time; train on a larger corpus"
        )
    by_style: dict[str, list[Example]] = {}
    for i in apart:
        by_style.setdefault(corpus.styles[i], []).append(examples[i])
    kept = [i for i in range(len(corpus)) if i not in set(apart)]
    return Material(
        known,
        tuple(examples[i] for i in kept),
        tuple(corpus.styles[i] for i in kept),
        by_style,
        digest_of(corpus),
    )


def digest_of(corpus: Corpus) -> str:
    """Sixteen hexadecimal digits that name exactly these notes."""
    digest = hashlib.sha256()
    for name, grid in zip(corpus.names, corpus.grids, strict=True):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(grid.pitch, np.int16).tobytes())
        digest.update(np.ascontiguousarray(grid.onset, bool).tobytes())
    return digest.hexdigest()[:16]
