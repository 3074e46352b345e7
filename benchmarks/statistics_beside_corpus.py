"""Are the pieces like real ones? Statistics of default pieces beside held-out chorales.

The chorales compared with are those whose tunes no training saw, first of all the 4/4 major ones,
as the default piece is 4/4 major. Every piece is kept (`OUT-pieces/seed-100.npz`), so that an
interrupted run goes on where it stopped; a seed at which the search gave up is tried again.

    uv run python benchmarks/statistics_beside_corpus.py --pieces 50 --json OUT.json --md OUT.md
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from distances import NUMBERS, distance_table, distances, plain_numbers
from results import markdown_table, progress_bar, provenance, write_text

import clausula as cl
from clausula.corpus import held_out, load_chorales, statistics
from clausula.neural.features import example_of
from clausula.neural.network import ChoraleTransformer
from clausula.neural.proposals import DEFAULT_STYLE
from clausula.neural.train import nats_by_voice
from clausula.neural.weights import load_weights

FIRST_SEED = 100  # those below are for developing
TOLERANCE = 1 / 3  # of a statistic's ratio to the corpus
# Of notes, of measures, of voice pairs.
BETWEEN = ("outside", "pitches", "rhythms", "moving_pairs", "parallels")
ARRAYS = ("pitch", "step", "onset", "phrase_end")


def keep(piece: cl.Piece, path: Path) -> None:
    """Write a piece's grid and report."""
    grid = piece.grid
    arrays = {name: getattr(grid, name) for name in ARRAYS}
    described = {"key": str(grid.key), "meter": str(grid.meter), "report": json.dumps(piece.report)}
    arrays |= {name: np.array(text) for name, text in described.items()}
    temporary = path.with_name("unfinished.npz")
    np.savez_compressed(temporary, allow_pickle=False, **arrays)
    os.replace(temporary, path)


def kept(path: Path) -> tuple[cl.Grid, dict]:
    """A grid and its report, as they were kept."""
    with np.load(path, allow_pickle=False) as archive:
        meter, key = cl.Meter.parse(str(archive["meter"])), cl.Key.parse(str(archive["key"]))
        grid = cl.Grid(**{name: archive[name] for name in ARRAYS}, meter=meter, key=key)
        return grid, json.loads(str(archive["report"]))


def compose_missing(folder: Path, pieces: int) -> list[Path]:
    """Compose what is not there yet; the files of all pieces that were found."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {seed: folder / f"seed-{seed}.npz" for seed in range(FIRST_SEED, FIRST_SEED + pieces)}
    with progress_bar() as progress:
        for seed, path in progress.track(paths.items(), description="composing"):
            if path.exists():
                continue
            try:
                keep(cl.compose(seed=seed), path)
            except cl.SearchError as error:
                progress.console.print(f"seed {seed}: {error}")
    return [path for path in paths.values() if path.exists()]


def measured(grids: Sequence[cl.Grid], model: ChoraleTransformer) -> dict[str, float]:
    """The statistics of some pieces, flat, with the units in their names."""
    found = statistics(grids)
    longest = np.array([statistics([grid])["longest_chord"] for grid in grids])
    in_measures = longest / [float(grid.meter.quarters / grid.meter.beat) for grid in grids]
    style = model.config.styles.index(DEFAULT_STYLE)
    nats = nats_by_voice(model, [example_of(grid, style) for grid in grids])
    plain = plain_numbers(grids)
    return {
        **{f"onsets per beat, {voice}": n for voice, n in found["onsets_per_beat"].items()},
        "voice pairs moving together": found["moving_together"],
        "distinct chords per measure": found["chords_per_measure"],
        "longest unchanged chord, mean, beats": found["longest_chord"],
        "longest unchanged chord, max, beats": found["longest_chord_of_all"],
        "longest unchanged chord, mean, measures": float(in_measures.mean()),
        "longest unchanged chord, max, measures": float(in_measures.max()),
        **{
            f"melodic intervals, {voice}, {name}": share
            for voice, shares in found["melodic_intervals"].items()
            for name, share in shares.items()
        },
        "dissonance on strong beats": found["strong_dissonance"],
        **{NUMBERS[name]: plain[name] for name in BETWEEN},
        "nats per frame": float(nats.sum()),
    }


def compared(columns: dict[str, dict[str, float]]) -> list[dict]:
    """A row a statistic: its value in each column, and the first column's ratio to the second."""
    written, like = list(columns.values())[:2]
    rows = []
    for name, value in written.items():
        ratio = value / like[name] if like[name] else None
        off = value > 0 if ratio is None else abs(ratio - 1) > TOLERANCE
        values = {column: found[name] for column, found in columns.items()}
        rows.append({"statistic": name, **values, "ratio": ratio, "off": off})
    return rows


def page(
    rows: list[dict], columns: Sequence[str], apart: list[dict], notes: Sequence[str], pieces: int
) -> str:
    """The results as Markdown; ``apart`` are the distances."""
    table = [
        [
            row["statistic"],
            *(f"{row[column]:.3f}" for column in columns),
            "" if row["ratio"] is None else f"{row['ratio']:.2f}",
            "**off**" if row["off"] else "",
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "# Statistics beside the corpus",
            "",
            "Caveats: the corpus columns are few pieces, so rare intervals and the longest chords "
            "of all are uncertain there; a maximum grows with the number of pieces; the pieces "
            "were chosen among candidates for being typical. *Ratio* is the first column over the "
            "second, *off* where that differs from 1 by more than a third.",
            "",
            markdown_table(["statistic", *columns, "ratio", "flag"], table),
            "",
            "## Distances",
            "",
            "Jensen-Shannon distances (0 alike, 1 nothing in common) of random halves of the "
            "pieces in the second column from each other, and of as many written ones from the "
            "same half; *farther* is the share of 200 halvings in which the written ones are "
            "farther.",
            "",
            distance_table(apart),
            "",
            *notes,
            "",
            f"Measured with {provenance()}:",
            "",
            "    uv run python benchmarks/statistics_beside_corpus.py "
            f"--pieces {pieces} --json OUT.json --md OUT.md",
            "",
        ]
    )


def measure(
    paths: Sequence[Path],
) -> tuple[dict[str, dict[str, float]], list[dict], list[str]]:
    """The columns of the table, by title, the distances, and what else is to be said."""
    grids, reports = zip(*map(kept, paths), strict=True)
    corpus = load_chorales()
    apart = [corpus.grids[i] for i in held_out(corpus)]
    like = [g for g in apart if g.key.mode is cl.Mode.MAJOR and str(g.meter) == "4/4"]
    model, _ = load_weights()
    columns = {
        f"{len(grids)} written": measured(grids, model),
        f"{len(like)} held out, 4/4 major": measured(like, model),
        f"all {len(apart)} held out": measured(apart, model),
    }
    nats = np.mean([report["nats_per_frame"] for report in reports])
    seconds = np.median([report["seconds"] for report in reports])
    notes = [
        f"The search's own account of the written pieces is {nats:.3f} nats per frame; a piece "
        f"took {seconds:.1f} s (median)."
    ]
    return columns, distances(grids, like, FIRST_SEED), notes


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pieces", type=int, default=50)
    parser.add_argument("--json", type=Path, required=True, help="where to write the rows")
    parser.add_argument("--md", type=Path, help="where to write the table")
    arguments = parser.parse_args()
    try:
        folder = arguments.json.with_name(f"{arguments.json.stem}-pieces")
        paths = compose_missing(folder, arguments.pieces)
        if not paths:
            raise cl.SearchError("no piece was found, so there is nothing to compare; see above")
        columns, apart, notes = measure(paths)
    except cl.ClausulaError as error:
        print(f"statistics_beside_corpus: {error}", file=sys.stderr)
        return 2
    rows = compared(columns)
    text = page(rows, list(columns), apart, notes, arguments.pieces)
    print(text)
    result = {"statistics": rows, "distances": apart}
    write_text(arguments.json, json.dumps(result, indent=1) + "\n")
    if arguments.md:
        write_text(arguments.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
