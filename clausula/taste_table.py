"""Taste in a terminal: one line for one piece, a table for several candidates."""

from __future__ import annotations

from rich.table import Table

from clausula.piece import Piece

SHOWN = 3  # candidates beside each other: what 80 columns hold


def taste_line(piece: Piece) -> str:
    """The score of one piece and its terms, the weight before each."""
    taste = piece.report["taste"]
    terms = (f"{t['weight']:g} × {name} {t['value']:+.2f}" for name, t in taste["terms"].items())
    return f"Taste score {taste['score']:.2f}, 0 is most like real pieces: {', '.join(terms)}."


def taste_table(piece: Piece) -> Table:
    """Each term's weight, and its value and what it adds for the best candidates; the score.

    Values are distances from real pieces in standard deviations, but ``cost``, nats a measure.
    """
    reports = [each.report for each in (piece, *piece.alternatives)][:SHOWN]
    table = Table(title="taste: distance from real pieces, and what it adds to the score")
    table.add_column("term")
    table.add_column("weight", justify="right")
    for number in range(1, len(reports) + 1):
        table.add_column("piece" if number == 1 else f"piece-{number}", justify="right")
    scored = [report["taste"] for report in reports]
    for name, first in scored[0]["terms"].items():
        terms = [taste["terms"][name] for taste in scored]
        cells = [f"{term['value']:+.2f} {term['adds']:6.2f}" for term in terms]
        table.add_row(name, f"{first['weight']:g}", *cells, end_section=name == "cost")
    table.add_row("score", "", *(f"{taste['score']:.2f}" for taste in scored))
    rows = [report["candidates"]["differs"] for report in reports]
    nearest = [min(row[:own] + row[own + 1 :]) for own, row in enumerate(rows)]
    table.add_row("least difference", "", *(f"{share:.0%}" for share in nearest))
    return table
