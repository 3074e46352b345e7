"""Is P(cadence holds) honest? The HMM's forecasts 1, 2, 4 and 8 beats ahead of phrase ends.

Protocol: at every phrase end of the held-out chorales, those with the cadence and those without
it, the HMM is given all notes up to some beats before and says how likely the cadence is to arrive
there (``hmm_forecasts.py``). Forecasts are binned, equally many a bin, and compared with what came.

The correction is a line in the logit, for each event and distance. The held-out tunes are dealt to
five folds; forecasts in a fold are corrected by a line fitted on the other four. The constant
forecaster knows how often the event happens in the other four.

    uv run python benchmarks/hmm_calibration.py --json reports/hmm_calibration.json \
        --md reports/hmm_calibration.md --png reports/hmm_calibration.png
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from calibration import (
    bins,
    corrected,
    fitted_correction,
    summary,
)
from hmm_forecasts import DISTANCES, Event, Forecast, forecasts, sites
from hmm_training import split
from results import markdown_table, progress_bar, provenance, write_text

from clausula.corpus import Corpus, load_chorales
from clausula.corpus.splits import tunes
from clausula.engine import hmm as hidden
from clausula.errors import ClausulaError, InputError
from clausula.grid import Grid
from clausula.runtime import keep_compiled_programs

BINS = 7
FOLDS = 5


class Told(NamedTuple):
    """Forecasts of one event at one distance: probability, whether it came, the piece's fold."""

    predicted: np.ndarray
    happened: np.ndarray
    fold: np.ndarray


ByPlace = dict[tuple[Event, int], Told]


def foretell(
    model: hidden.HMM, grids: Sequence[Grid], folds: np.ndarray, events: Sequence[Event]
) -> ByPlace:
    """All forecasts of a model, by event and distance.

    Args:
        model: that foretells.
        grids: the pieces.
        folds: ``[piece]``.
        events: to foretell.
    """
    found: list[Forecast] = []
    with progress_bar() as bar:
        task = bar.add_task("forecasts", total=len(sites(grids)) * len(events) * len(DISTANCES))
        for forecast in forecasts(model, grids, events):
            found.append(forecast)
            bar.advance(task)
    by_place = {}
    for event in events:
        for distance in DISTANCES:
            rows = [f for f in found if (f.event, f.distance) == (event, distance)]
            by_place[event, distance] = Told(
                np.array([f.predicted for f in rows]),
                np.array([f.happened for f in rows]),
                folds[[f.site.piece for f in rows]],
            )
    return by_place


def event_of(name: str) -> Event:
    """The event of a name.

    Raises:
        InputError: there is none.
    """
    if name not in Event.__members__:
        raise InputError(f"no event {name!r}; known: {', '.join(Event.__members__)}")
    return Event[name]


def folds_of(corpus: Corpus) -> np.ndarray:
    """``[piece]`` fold: tunes are dealt in turn, the largest first; a tune stays together."""
    folds = np.zeros(len(corpus), int)
    for number, tune in enumerate(sorted(tunes(corpus), key=len, reverse=True)):
        folds[tune] = number % FOLDS
    return folds


def scored(told: ByPlace) -> list[dict[str, Any]]:
    """One row an event and distance, as foretold and corrected by what other folds show."""
    rows = []
    for place, (predicted, happened, fold) in told.items():
        after, constant = np.zeros(len(predicted)), np.zeros(len(predicted))
        for here in (fold == number for number in np.unique(fold)):
            correction = fitted_correction(predicted[~here], happened[~here])
            after[here] = corrected(predicted[here], correction)
            constant[here] = happened[~here].mean()
        rows.append(
            {
                "event": place[0].value,
                "distance": place[1],
                "as_foretold": _row(predicted, happened, constant),
                "correction": fitted_correction(predicted, happened)._asdict(),
                "corrected": _row(after, happened, constant),
            }
        )
    return rows


def _row(predicted: np.ndarray, happened: np.ndarray, constant: np.ndarray) -> dict[str, Any]:
    scores = summary(predicted, happened, constant, BINS)
    return scores._asdict() | {"bins": [b._asdict() for b in bins(predicted, happened, BINS)]}


def table(rows: list[dict[str, Any]]) -> str:
    """The scores in Markdown."""
    header = (
        "event",
        "beats ahead",
        "forecasts",
        "came",
        "foretold",
        "Brier",
        "of a constant",
        "corrected",
        "ECE",
        "ECE if honest (95 %)",
        "corrected",
        "nats",
        "of a constant",
        "corrected",
    )
    cells = []
    for row in rows:
        raw, mended = row["as_foretold"], row["corrected"]
        honest, most = mended["error_if_honest"]
        numbers = (
            raw["rate"],
            raw["mean"],
            raw["brier"],
            raw["brier_constant"],
            mended["brier"],
            raw["error"],
            mended["error"],
            raw["nats"],
            raw["nats_constant"],
            mended["nats"],
        )
        texts = [f"{x:.3f}" for x in numbers]
        texts.insert(6, f"{honest:.3f} ({most:.3f})")
        cells.append([row["event"], row["distance"], raw["count"], *texts])
    return markdown_table(header, cells)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Predicted against observed: a panel an event and distance, as foretold and corrected."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = len(rows) // len(DISTANCES)
    size = (11, 2.8 * lines)
    figure, axes = pyplot.subplots(
        lines, len(DISTANCES), figsize=size, layout="constrained", squeeze=False
    )
    for axis, row in zip(axes.flat, rows, strict=True):
        _panel(axis, row)
    for axis in axes[-1]:
        axis.set_xlabel("predicted")
    for axis in axes[:, 0]:
        axis.set_ylabel("observed")
    axes[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _panel(axis: Any, row: dict[str, Any]) -> None:
    """One panel; bars are 95 % intervals, the dotted line is the share that came."""
    limit = 0.05
    for version, colour, face in (
        ("as_foretold", "tab:blue", "tab:blue"),
        ("corrected", "k", "none"),
    ):
        found = row[version]["bins"]
        x, y = [b["predicted"] for b in found], [b["observed"] for b in found]
        low = [max(0.0, b["observed"] - b["low"]) for b in found]
        high = [max(0.0, b["high"] - b["observed"]) for b in found]
        name = version.replace("_", " ")
        style = {"color": colour, "mfc": face, "lw": 0.8, "ms": 5}
        axis.errorbar(x, y, [low, high], fmt="o", label=name, **style)
        limit = max(limit, *x, *(b["high"] for b in found))
    axis.plot([0, 1], [0, 1], lw=0.8, color="0.6", zorder=0)
    axis.axhline(row["as_foretold"]["rate"], lw=0.8, ls=":", color="0.5")
    span = (-0.02, min(1.0, limit) + 0.02)
    axis.set(xlim=span, ylim=span)
    beats = "beat" if row["distance"] == 1 else "beats"
    axis.set_title(f"{row['event']}, {row['distance']} {beats} ahead", fontsize=8)


def report(rows: list[dict[str, Any]], pieces: int, states: int) -> str:
    """The page."""
    return (
        f"# Is P(cadence holds) honest?\n\n{states} states; phrase ends of {pieces} held-out "
        f"chorales; {provenance()}.\n\nECE: expected calibration error over {BINS} bins of equally "
        "many forecasts; *if honest* is what it would be for outcomes drawn from the corrected "
        "forecasts (mean, and 95th percentile): bins are small. *Of a constant*: always "
        "forecasting how often it happens in other tunes. Corrections are fitted on other tunes "
        f"(`hmm_calibration.py`).\n\n{table(rows)}\n"
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=hidden.WEIGHTS)
    parser.add_argument(
        "--events", default="PAC,HC", help=f"of {','.join(e.name for e in Event)}; the last is slow"
    )
    parser.add_argument("--json", type=Path, help="write the scores here")
    parser.add_argument("--md", type=Path, help="write the page here")
    parser.add_argument("--png", type=Path, help="draw the picture here")
    return parser.parse_args()


def main() -> int:
    """Foretell, compare, write."""
    args = arguments()
    keep_compiled_programs()
    try:
        model, _ = hidden.load(args.weights)
        _, apart = split(load_chorales())
        events = [event_of(name) for name in args.events.split(",")]
        rows = scored(foretell(model, apart.grids, folds_of(apart), events))
    except ClausulaError as error:
        print(f"hmm_calibration: {error}", file=sys.stderr)
        return 2
    page = report(rows, len(apart), model.states)
    print(page)
    if args.json:
        write_text(args.json, json.dumps(rows, indent=1) + "\n")
    if args.md:
        write_text(args.md, page)
    if args.png:
        draw(rows, args.png)
    return 0


if __name__ == "__main__":
    sys.exit(main())
