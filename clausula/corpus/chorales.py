"""The bundled corpus as grids: loading needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clausula.errors import CorpusError
from clausula.grid import Grid, Meter
from clausula.pitch import Key, Mode

CHORALES = Path(__file__).with_name("chorales.npz")


@dataclass(frozen=True)
class Corpus:
    """Pieces on the sixteenth grid, and what is known of each.

    Attributes:
        names: such as ``"bwv66.6"``.
        grids: the pieces; silence before the first and after the last note is cut.
        errata: whether the encoding is known to have wrong notes (see ``errata.csv``).
        simplified: whether notes off the sixteenth grid were moved or dropped.
        sources: the file that each piece was encoded from.
        licences: the rights statement in that file.
    """

    names: tuple[str, ...]
    grids: tuple[Grid, ...]
    errata: tuple[bool, ...]
    simplified: tuple[bool, ...]
    sources: tuple[str, ...]
    licences: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Place of the piece of that name.

        Raises:
            CorpusError: there is none.
        """
        if name not in self.names:
            raise CorpusError(f"{name!r} is not in the corpus; names look like {self.names[0]!r}")
        return self.names.index(name)


def load_chorales(path: str | Path = CHORALES) -> Corpus:
    """The bundled four-part Bach chorales.

    Args:
        path: an encoded corpus.

    Raises:
        CorpusError: there is no such file, or it is no encoded corpus.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _corpus(arrays)
    except FileNotFoundError:
        raise CorpusError(
            f"{path} is missing; encode it with: python -m clausula.corpus.encode"
        ) from None
    except (KeyError, ValueError, OSError) as error:
        raise CorpusError(
            f"{path} is no encoded corpus ({error}); encode it with: "
            "python -m clausula.corpus.encode"
        ) from error


def _corpus(arrays: dict[str, np.ndarray]) -> Corpus:
    start = arrays["start"]
    grids = []
    for i in range(len(start) - 1):
        span = slice(start[i], start[i + 1])
        numerator, denominator = arrays["meter"][i]
        mode = Mode.MINOR if arrays["minor"][i] else Mode.MAJOR
        grids.append(
            Grid(
                arrays["pitch"][span].astype(int),
                arrays["step"][span].astype(int),
                arrays["onset"][span],
                arrays["phrase_end"][span],
                Meter(int(numerator), int(denominator)),
                Key(int(arrays["tonic_pc"][i]), int(arrays["tonic_letter"][i]), mode),
                int(arrays["pickup"][i]),
                title=str(arrays["title"][i]),
            )
        )
    return Corpus(
        tuple(map(str, arrays["name"])),
        tuple(grids),
        tuple(map(bool, arrays["errata"])),
        tuple(map(bool, arrays["simplified"])),
        tuple(map(str, arrays["source"])),
        tuple(map(str, arrays["licence"])),
    )
