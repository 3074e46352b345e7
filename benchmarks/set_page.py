"""The results of `constraint_sets.py` as one page that needs nothing but itself.

Plots and engraved examples are embedded, so that the file can be sent, kept and read without a
network.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from set_report import (
    MEASURES,
    REAL,
    Row,
    by_set,
    caveats,
    measured,
    quality_table,
    rule_table,
    search_table,
)
from written_notes import grid_of_notes

from clausula.constraints.registry import RULES
from clausula.engine.plan import Plan
from clausula.engraving import to_svg
from clausula.finding import notated

INK, QUIET, ACCENT = "#1b1b1b", "#c9c9c9", "#1f5fa8"
PLOTTED = [index for index, measure in enumerate(MEASURES) if measure.plotted]
EXAMPLES = 4  # sets of which a piece is engraved, where no more are named below
ENGRAVED = ("none", "all", "all-soft", "without counterpoint")
STYLE = """
body { font: 15px/1.5 Georgia, serif; color: #1b1b1b; max-width: 74rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2, h3 { font-weight: normal; line-height: 1.2; }
table { border-collapse: collapse; font: 13px/1.4 Helvetica, Arial, sans-serif; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e3e3e3; }
th { text-align: right; vertical-align: bottom; font-weight: 600; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
.wide { overflow-x: auto; }
figure img { width: 100%; height: auto; }
figcaption { color: #555; }
figure { margin: 1.5rem 0; }
"""


class Planner(Protocol):
    """What makes the plan of a row again."""

    def plan(self, measures: int) -> Plan:
        """The whole plan."""


def page(rows: Sequence[Row], outlines: Mapping[str, Planner], where: str, command: str) -> str:
    """The page as HTML.

    Args:
        rows: of all sets.
        outlines: the plans by name.
        where: the tables were made.
        command: the arguments.
    """
    listed = "".join(f"<li>{_marked(caveat)}</li>" for caveat in caveats(rows))
    header, *_ = rule_table(rows)
    names = ", ".join(f"{code} {RULES[code].name.lower()}" for code in header[1:])
    parts = [
        "<h1>Constraint sets</h1>",
        f"<ul>{listed}</ul>",
        "<h2>At a glance</h2>",
        _figure(_svg_image(plot(rows), "plot"), "Means and 95 % intervals of each set."),
        "<h2>What the pieces are like</h2>",
        _table(*quality_table(rows)),
        "<h2>Findings per 100 beats, by rule</h2>",
        _table(*rule_table(rows), shaded=True),
        f"<p>{html.escape(names)}.</p>",
        "<h2>How the searches went</h2>",
        _table(*search_table(rows)),
        "<h2>Examples</h2>",
        *examples(rows, outlines),
        f"<p>Tables made with {html.escape(where)}:</p>",
        f"<pre>uv run python benchmarks/constraint_sets.py {html.escape(command)}</pre>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Constraint sets'
        f"</title><style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def examples(rows: Sequence[Row], outlines: Mapping[str, Planner]) -> list[str]:
    """The first piece of some sets, engraved, with what the checker found in it."""
    groups = by_set([row for row in rows if "notes" in row and row["set"] != REAL])
    named = [name for name in ENGRAVED if name in groups]
    shown = named or list(groups)[:EXAMPLES]
    parts = []
    for name in shown:
        row = groups[name][0]
        plan = outlines[row["outline"]].plan(row["measures"])
        grid = grid_of_notes(row["notes"], plan)
        svg = to_svg(notated(grid, plan, ""))[0]
        found = [f"{code} {count}" for code, count in sorted(row["findings"].items())]
        kept = [f"{sum(row[part])} of {len(row[part])} {part}" for part in ("cadences", "returns")]
        words = f"{row['outline']}, seed {row['seed']}: {', '.join(kept)} of the plan found; "
        words += f"findings: {', '.join(found) or 'none'}."
        parts.append(f"<h3>{html.escape(name)}</h3>" + _figure(_svg_image(svg, name), words))
    return parts


def plot(rows: Sequence[Row]) -> str:
    """Dots and intervals, a row a set and a panel a measure, as SVG; real pieces are a line."""
    found = {name: measured(group) for name, group in by_set(rows).items()}
    real = found.pop(REAL, None)
    options: dict[str, Any] = {"svg.hashsalt": "clausula", "font.size": 9}
    with matplotlib.rc_context(options):
        figure = Figure(figsize=(13, 0.3 * len(found) + 1.2), layout="constrained")
        panels = figure.subplots(1, len(PLOTTED), sharey=True, squeeze=False)[0]
        for axes, index in zip(panels, PLOTTED, strict=True):
            _panel(axes, [values[index] for values in found.values()])
            axes.set_title(MEASURES[index].title.replace("`", ""), fontsize=8)
            if real is not None and not np.isnan(real[index].value):
                axes.axvline(real[index].value, color=ACCENT, linewidth=1, linestyle=":")
        panels[0].set_yticks(range(len(found)), list(found))
        panels[0].invert_yaxis()
        figure.supxlabel(f"dotted: {REAL}", fontsize=9, color=ACCENT)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def _panel(axes: Axes, intervals: Sequence[Any]) -> None:
    for height, (value, low, high) in enumerate(intervals):
        axes.plot([low, high], [height, height], color=INK, linewidth=1.5)
        axes.plot([value], [height], "o", color=INK, markersize=4)
    axes.grid(axis="y", color=QUIET, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _svg_image(svg: str, alt: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def _figure(image: str, caption: str) -> str:
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _table(header: Sequence[str], body: Sequence[Sequence[str]], *, shaded: bool = False) -> str:
    """An HTML table; shaded, the darker a cell the larger its number."""
    numbers = [float(cell) for line in body for cell in line[1:] if cell] if shaded else []
    most = max(numbers, default=0)

    def cell(text: str, first: bool) -> str:
        style = ""
        if shaded and not first and text and most:
            style = f' style="background: rgba(31, 95, 168, {0.6 * float(text) / most:.2f})"'
        return f"<td{style}>{html.escape(text)}</td>"

    head = "".join(f"<th>{_marked(title)}</th>" for title in header)
    lines = [
        "<tr>" + "".join(cell(text, first=i == 0) for i, text in enumerate(line)) + "</tr>"
        for line in body
    ]
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def _marked(text: str) -> str:
    """Markdown's emphasis and code as HTML."""
    words = html.escape(text)
    for mark, tag in (("*", "em"), ("`", "code")):
        pieces = words.split(mark)
        words = "".join(
            f"<{tag}>{piece}</{tag}>" if odd % 2 else piece for odd, piece in enumerate(pieces)
        )
    return words
