"""Encode what ships beside the chorales, and record which pieces no training may see.

Run as ``python -m clausula.corpus.polyphony [MORE.npz ...]``: it encodes every bundled style but
the chorales into ``polyphony.npz``, leaving out files whose rights forbid it, and records the
held-out pieces of that file and of others, such as those of styles that do not ship.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from clausula.corpus.archive import BACH, corpus_of, load_corpus
from clausula.corpus.build import BuildReport, build
from clausula.corpus.rights import may_ship, rights_of
from clausula.corpus.sources import Source, bundled_sources
from clausula.corpus.splits import HELD_OUT, held_out
from clausula.corpus.styles import POLYPHONY, styles


def shippable() -> list[Source]:
    """Every file of the bundled styles but the chorales whose notes may be passed on."""
    tags = [tag for tag in styles() if tag != BACH]
    sources = [source for tag in tags for source in bundled_sources(tag)]
    return [source for source in sources if may_ship(rights_of(source.path))]


def encode_polyphony(
    out: str | Path = POLYPHONY, progress: Callable[[int, int, str], None] | None = None
) -> BuildReport:
    """Encode every shippable piece into one file.

    Args:
        out: the ``.npz`` file to write.
        progress: called with the number done, the number of files and a name.
    """
    return build(shippable(), out, progress=progress)


def record_held_out(paths: Sequence[str | Path], out: str | Path = HELD_OUT) -> None:
    """Write the names of the held-out pieces of every style in encoded files, as JSON."""
    corpus = corpus_of([piece for path in paths for piece in load_corpus(path).pieces])
    names: dict[str, list[str]] = {style: [] for style in dict.fromkeys(corpus.styles)}
    for i in held_out(corpus):
        names[corpus.styles[i]].append(corpus.names[i])
    Path(out).write_text(json.dumps(names, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    report = encode_polyphony(progress=lambda done, total, name: print(f"{done}/{total} {name}"))
    for name, reason in report.skipped.items():
        print(f"skipped {name}: {reason}")
    record_held_out([POLYPHONY, *sys.argv[1:]])
    print(f"{len(report.kept)} pieces in {POLYPHONY}")
