"""Rows of the table on the quarter grid: piano rolls of 88 keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from likelihood_published import QUARTER
from likelihood_quarter import Reading, Voiced, reading_of
from likelihood_rows import TRANSFORMER, facts_of, load_bare
from likelihood_training import WEIGHTS
from likelihood_views import Mixture
from piano_roll_data import DATASETS, load_rolls
from piano_rolls import measure

from clausula.errors import InputError
from clausula.neural.features import Example

CHORALES = DATASETS[0]
TITLES = dict(zip(DATASETS, ("JSB", "Nottingham", "MuseData", "Piano-midi"), strict=True))
NOTE = (
    "The transformer reads a roll as four sorted voices, so that its figure is an upper bound on "
    "the roll's nats. A frame that four voices of its vocabulary cannot sound ({lost} of the "
    "{frames} on test; {training} of the training split's) pays for being one, and log 2 a key. "
    "Nothing is struck again in these rolls: the biaxial network has no articulation to learn."
)


@dataclass(frozen=True)
class Quarter:
    """The chorales' piano rolls as four voices.

    Attributes:
        voiced: by split, the rolls.
        reading: how they are read.
        name: the file and what is in it, for metadata.
    """

    voiced: dict[str, list[Voiced]]
    reading: Reading
    name: str

    def examples(self, split: str) -> list[Example]:
        """Pieces as a network reads them."""
        return [voiced.example for voiced in self.voiced[split]]

    def unreadable(self, split: str) -> int:
        """How many frames four voices of the vocabulary cannot sound."""
        return sum(int((~voiced.readable).sum()) for voiced in self.voiced[split])


def load_quarter(folder: Path) -> Quarter:
    """The chorales' rolls as voices; how they are read is chosen on the training split.

    Raises:
        InputError: no such file, or it holds no piano rolls.
    """
    rolls = load_rolls(folder, CHORALES)
    reading = reading_of(rolls.splits["train"])
    voiced = {
        split: [reading.voiced(roll) for roll in pieces] for split, pieces in rolls.splits.items()
    }
    return Quarter(voiced, reading, f"{CHORALES}.mat train split, sha256 {rolls.digest}")


def nats_per_frame(quarter: Quarter, split: str, mixture: Mixture) -> float:
    """Upper bound on the nats per frame of the rolls of a split."""
    pieces = quarter.voiced[split]
    log_probs = mixture.log_probs([voiced.example for voiced in pieces])
    pairs = zip(pieces, log_probs, strict=True)
    total = sum(quarter.reading.nats(voiced, rows) for voiced, rows in pairs)
    return total / sum(len(voiced.example) for voiced in pieces)


def voice_rows(quarter: Quarter, path: Path, shifts: Sequence[int]) -> list[dict]:
    """Rows of the transformer on the chorales' rolls, alone and over its views.

    Args:
        quarter: the rolls.
        path: weights.
        shifts: semitones of the views.
    """
    model, metadata = load_bare(path, "quarter")
    facts = facts_of(model, metadata)
    note = NOTE.format(
        lost=quarter.unreadable("test"),
        frames=sum(len(voiced.example) for voiced in quarter.voiced["test"]),
        training=quarter.unreadable("train"),
    )
    kinds: dict[str, tuple[int, ...]] = {f"{TRANSFORMER}, upper bound": (0,)}
    if len(shifts) > 1:
        kinds[f"{TRANSFORMER}, {len(shifts)} transposed views, upper bound"] = tuple(shifts)
    rows = []
    for title, views in kinds.items():
        mixture = Mixture([model], views)
        for split in ("valid", "test"):
            row = {
                "proposal": TRANSFORMER,
                "model": title,
                "grid": QUARTER,
                "data": "JSB",
                "split": split,
                "nats_per_frame": nats_per_frame(quarter, split, mixture),
                "mark": "this run",
                "views": list(views),
                "pieces": len(quarter.voiced[split]),
                "unreadable_frames": quarter.unreadable(split),
                "note": note,
            }
            print(f"{title:<52}{split:<8}{row['nats_per_frame']:.4f} nats a frame", flush=True)
            rows.append(row | facts)
    return rows


def biaxial_rows(folder: Path, datasets: Sequence[str]) -> list[dict]:
    """Rows of the biaxial network on whole rolls, from the weights of ``piano_rolls.py``.

    Args:
        folder: where the rolls are.
        datasets: names of their files.

    Raises:
        InputError: a data set or its weights are missing.
    """
    rows = []
    for dataset in datasets:
        weights = WEIGHTS / f"rolls-{dataset}.safetensors"
        if not weights.exists():
            raise InputError(
                f"no weights at {weights}; fit them with piano_rolls.py --dataset {dataset} "
                "--train, or name the other data sets with --rolls"
            )
        for row in measure(load_rolls(folder, dataset), dataset, ("valid", "test"), weights):
            told = {"model": "biaxial", "data": TITLES[dataset], "mark": "this run"}
            figure = f"{row['nats_per_frame']:.4f} nats a frame"
            print(f"{'biaxial, ' + dataset:<52}{row['split']:<8}{figure}", flush=True)
            rows.append(row | told)
    return rows


def quarter_rows(
    folder: Path,
    proposals: Sequence[str],
    datasets: Sequence[str],
    weights: Path,
    shifts: Sequence[int],
) -> list[dict]:
    """Rows of the proposals that have a form for piano rolls: transformer and biaxial.

    Args:
        folder: where the rolls are.
        proposals: names.
        datasets: names of the files that the biaxial network reads.
        weights: of the transformer on the chorales' rolls.
        shifts: semitones of its views.

    Raises:
        InputError: rolls or weights are missing.
    """
    rows: list[dict] = []
    if TRANSFORMER in proposals:
        rows += voice_rows(load_quarter(folder), weights, shifts)
    if "biaxial" in proposals:
        rows += biaxial_rows(folder, datasets)
    return rows
