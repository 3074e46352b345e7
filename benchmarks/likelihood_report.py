"""The table as Markdown, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from likelihood_published import CHORALES, FOOTNOTES, QUARTER
from results import markdown_table, write_text

COLUMNS = ("valid", "test", "tune-disjoint")
DATA_SETS = ("JSB", "Nottingham", "MuseData", "Piano-midi")
THIS_RUN = "this run"


def write_report(path: Path, rows: Sequence[dict], provenance: str) -> None:
    """Write the rows as JSON, and beside it the Markdown and the picture.

    Args:
        path: of the JSON file.
        rows: measured and published ones.
        provenance: where they were measured.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(list(rows), indent=1) + "\n")
    write_text(path.with_suffix(".md"), markdown(rows, provenance))
    draw(path.with_suffix(".png"), rows)


def markdown(rows: Sequence[dict], provenance: str) -> str:
    """The whole page."""
    parts = ["# How likely are Bach's chorales?", provenance + "."]
    likelihoods = [row for row in rows if "nats_per_frame" in row]
    for grid, build in ((CHORALES, _chorales), (QUARTER, _quarter)):
        of_grid = [row for row in likelihoods if row["grid"] == grid]
        if any(row["mark"] == THIS_RUN for row in of_grid):
            parts += build(of_grid)
    parts += _harmonizing([row for row in rows if row.get("task") == "harmonizing"])
    parts += ["## Notes", "\n".join(f"- {note}" for note in FOOTNOTES)]
    return "\n\n".join(parts) + "\n"


def table(rows: Sequence[dict], key: str, columns: Sequence[str]) -> str:
    """Models by row, and by column what ``key`` says of a figure; the least of each is bold.

    A figure that is only remembered is never bold.
    """
    figures: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        figures.setdefault((row["model"], row["mark"]), {})[row[key]] = row["nats_per_frame"]
    least = {
        column: min(
            (f[column] for (_, mark), f in figures.items() if column in f and mark != "memory"),
            default=None,
        )
        for column in columns
    }

    def cell(mark: str, found: dict[str, float], column: str) -> str:
        if column not in found:
            return ""
        # Others' figures have no more decimals than they were given with.
        coarse = mark != THIS_RUN and round(found[column], 2) == found[column]
        text = f"{found[column]:.{2 if coarse else 3}f}"
        return f"**{text}**" if found[column] == least[column] else text

    lines = [
        [model, mark, *(cell(mark, found, column) for column in columns)]
        for (model, mark), found in figures.items()
    ]
    return markdown_table(["model", "figure", *columns], lines)


def _chorales(rows: Sequence[dict]) -> list[str]:
    """Nats per frame, then per note."""
    per_note = [row | {"nats_per_frame": row["nats_per_note"]} for row in rows]
    return [
        "## 16th grid, nats per frame",
        table(rows, "split", COLUMNS),
        "## 16th grid, nats per note: a quarter of it",
        table(per_note, "split", COLUMNS),
    ]


def _quarter(rows: Sequence[dict]) -> list[str]:
    """Data sets side by side, on their test splits."""
    test = [row for row in rows if row["split"] == "test"]
    valid = [row for row in rows if row["split"] == "valid"]
    notes = sorted({row["note"] for row in rows if "note" in row})
    return [
        "## Quarter grid, piano rolls, nats per frame on test",
        table(test, "data", DATA_SETS),
        "The same on valid, which chose the weights:",
        table(valid, "data", DATA_SETS),
        *notes,
    ]


def _harmonizing(rows: Sequence[dict]) -> list[str]:
    """With the soprano given, and without."""
    if not rows:
        return []
    lines = [
        [
            row["split"],
            f"{row['without']:.3f}",
            f"**{row['with']:.3f}**",
            f"{row['gain']:.3f} ({row['gain_low']:.3f} to {row['gain_high']:.3f})",
            f"{row['pieces_better']} of {row['pieces']}",
        ]
        for row in rows
    ]
    header = ["split", "not told", "told the soprano", "gain, 95 % interval", "pieces that gain"]
    return [
        "## Harmonizing a soprano, nats per frame of the lower three voices",
        markdown_table(header, lines),
        "Either way each voice sees the soprano's past and its present note; *told* adds what is "
        "still to come. The interval is a paired bootstrap over pieces.",
    ]


def draw(path: Path, rows: Sequence[dict]) -> None:
    """Bars of nats per frame: the 16th grid, and piano rolls of the chorales beside it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = [
        (grid, title, bars(rows, grid))
        for grid, title in ((CHORALES, "16th grid"), (QUARTER, "quarter grid, JSB piano rolls"))
    ]
    panels = [(grid, title, found) for grid, title, found in panels if found]
    height = 1.2 + 0.32 * max(len(found) for _, _, found in panels)
    size = (8.5 * len(panels), height)
    figure, axes = pyplot.subplots(1, len(panels), figsize=size, squeeze=False)
    for axis, (_, title, found) in zip(axes[0], panels, strict=True):
        found = sorted(found, key=lambda bar: -bar[1])
        colours = ["C0" if mark == THIS_RUN else "0.7" for _, _, mark in found]
        drawn = axis.barh([name for name, _, _ in found], [x for _, x, _ in found], color=colours)
        axis.bar_label(drawn, fmt="%.3f", padding=3, fontsize=8)
        axis.tick_params(axis="y", labelsize=8)
        axis.margins(x=0.12)
        axis.set_title(title)
        axis.set_xlabel("nats per frame, lower is better; blue: measured here")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def bars(rows: Sequence[dict], grid: str) -> list[tuple[str, float, str]]:
    """Name, figure and mark of each model of a grid: on test, or else on valid."""
    best: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        if row["grid"] == grid and row["data"] == "JSB" and "nats_per_frame" in row:
            best.setdefault((row["model"], row["mark"]), {})[row["split"]] = row["nats_per_frame"]
    out = []
    for (model, mark), of_split in best.items():
        split = next((s for s in ("test", "valid") if s in of_split), None)
        if split is None:
            continue
        beside = "" if mark == THIS_RUN else f", {mark}"
        out.append((f"{model} ({split}{beside})", of_split[split], mark))
    return out
