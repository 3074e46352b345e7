"""What it saves a proposal to be given some voices of a real piece.

A draft around given lines is likelier than one that is composed freely, by notes that were never
in question. Before it is compared with real pieces, what they would have been cheaper by, given the
same voices, is added again. Counted on the pieces held out of every training.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from clausula.grid import Voice

SAVED = Path(__file__).with_name("given_nats.json")


def name_of(voices: Iterable[Voice]) -> str:
    """The letters of some voices, the highest first, such as ``"SB"``."""
    return "".join(voice.name[0] for voice in sorted(voices))


def saved_nats(voices: Iterable[Voice]) -> float:
    """Nats per frame that the default proposal saves in the mean, 0 if nothing is given."""
    name = name_of(voices)
    return _table()[name] if name else 0.0


@cache
def _table() -> Mapping[str, float]:
    return json.loads(SAVED.read_text(encoding="utf-8"))
