"""Figures of others, and earlier ones of ours, that stand beside the measured rows.

Marks: *read* in a source, *measured* by us at an earlier time, *memory*: not verified, a rumour.
"""

from __future__ import annotations

from typing import NamedTuple

CHORALES, QUARTER = "16th", "quarter"


class Published(NamedTuple):
    """One figure in nats per frame.

    Attributes:
        model: name.
        grid: ``CHORALES`` or ``QUARTER``.
        data: set of pieces.
        split: of it.
        nats: per frame.
        mark: where the figure comes from.
    """

    model: str
    grid: str
    data: str
    split: str
    nats: float
    mark: str

    @property
    def row(self) -> dict:
        """The figure as a row beside the measured ones."""
        note = {"nats_per_note": self.nats / 4} if self.grid == CHORALES else {}
        return {
            "model": self.model,
            "grid": self.grid,
            "data": self.data,
            "split": self.split,
            "nats_per_frame": self.nats,
            "mark": self.mark,
        } | note


def _chorales(model: str, split: str, nats: float, mark: str) -> Published:
    return Published(model, CHORALES, "JSB", split, nats, mark)


_FIRST_ORDER = "first-order Markov chain a voice, place in the measure"
_STUDY = "quick study, transformer of 2.3 M parameters, 45 minutes on two cores"
_TABLES = "quick study, relative pitch tables, 2.4 M parameters, 34 minutes on two cores"
CHORALE_FIGURES = (
    _chorales(_FIRST_ORDER, "valid", 2.83, "measured"),
    _chorales(_FIRST_ORDER, "test", 2.95, "measured"),
    _chorales(_STUDY, "valid", 1.564, "measured"),
    _chorales(_STUDY, "test", 1.623, "measured"),
    _chorales(_TABLES, "valid", 1.544, "measured"),
    _chorales(_TABLES, "test", 1.603, "measured"),
    _chorales("TonicNet port, public weights, chords paid for", "test", 1.826, "measured"),
    _chorales("small autoregressive transformer (2026)", "valid", 1.628, "read"),
    _chorales("TonicNet, the paper's checkpoint, 5 × 0.317", "valid", 1.585, "read"),
    _chorales("Music Transformer, 4 × 0.335; one replication failed", "valid", 1.34, "memory"),
)


def _rolls(model: str, **figures: tuple[float, str]) -> list[Published]:
    return [
        Published(model, QUARTER, name.replace("_", "-"), "test", nats, mark)
        for name, (nats, mark) in figures.items()
    ]


ROLL_FIGURES = (
    *_rolls("TCN, 2018", JSB=(8.10, "read"), Nottingham=(3.07, "read")),
    *_rolls(
        "RNN-NADE, 2012",
        JSB=(5.56, "read"),
        Nottingham=(2.31, "memory"),
        MuseData=(5.60, "memory"),
        Piano_midi=(7.05, "memory"),
    ),
    *_rolls(
        "BALSTM, biaxial LSTM, 2017",
        JSB=(5.05, "memory"),
        Nottingham=(1.55, "memory"),
        MuseData=(3.90, "memory"),
        Piano_midi=(4.90, "memory"),
    ),
    *_rolls(
        "DBN-LSTM, 2015; no code exists",
        JSB=(3.47, "read"),
        Nottingham=(1.32, "read"),
        MuseData=(3.91, "memory"),
        Piano_midi=(4.63, "memory"),
    ),
)

FOOTNOTES = (
    "Nats per frame: the sum over all frames, the first included, of -log p(all four voices), over "
    "the number of frames. No end token; silence is a class; a helper token (chord, key) is paid "
    "for.",
    "*read*: in a source. *measured*: by us at an earlier time. *memory*: not verified.",
    "The validation split chose the weights, so its column flatters a little; test comes from the "
    "same weights.",
    "*tune-disjoint*: the test pieces whose soprano opens like no training or validation piece.",
    "Not comparable, hence in no column: TonicNet's 0.220 is per note *given the true chord*; "
    "Coconet's 0.57 averages orderings unit by unit and is no chain rule likelihood.",
)
