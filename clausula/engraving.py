"""Engraved scores: SVG by Verovio, PNG by resvg.

Conventions: notes keep the ids of the score in the SVG. Equal scores give equal bytes.
"""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import resvg_py
import verovio

from clausula.score import Score
from clausula.writing import Layout, to_musicxml, write_bytes

_OPTIONS = {
    "adjustPageHeight": True,
    "breaks": "auto",
    "font": "Leland",
    "footer": "none",
    "header": "auto",
    "pageHeight": 60000,
    "pageWidth": 2100,
    "scale": 50,
    "svgViewBox": True,
    "xmlIdSeed": 1,
}


def to_svg(score: Score, layout: Layout = "open") -> list[str]:
    tk = verovio.toolkit()
    tk.setOptions(_OPTIONS)
    tk.loadData(to_musicxml(score, layout).decode())
    return [tk.renderToSVG(n) for n in range(1, tk.getPageCount() + 1)]
