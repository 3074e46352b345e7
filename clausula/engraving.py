"""Engraved scores: SVG by Verovio, PNG by resvg.

Conventions: the SVG keeps the ids of the notes, so that a page can address them; equal scores give
equal bytes. Systems hold about four measures of four voices.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import resvg_py
import verovio

from clausula.errors import InputError
from clausula.folders import write_bytes
from clausula.score import Score
from clausula.writing import Layout, to_musicxml

_OPTIONS = {
    "adjustPageHeight": True,
    "breaks": "auto",
    "condense": "none",
    "font": "Leland",
    "footer": "none",
    "header": "encoded",
    "outputIndent": 1,
    "pageHeight": 60000,
    "pageWidth": 2100,
    "scale": 50,
    "staffLineWidth": 0.2,
    "svgViewBox": True,
    "xmlIdSeed": 1,
}
_LINE = {
    "adjustPageWidth": True,
    "breaks": "none",
    "header": "none",
    "pageMarginBottom": 20,
    "pageMarginLeft": 20,
    "pageMarginRight": 20,
    "pageMarginTop": 20,
    "scale": 42,
    "spacingLinear": 0.45,  # chords would crowd their stems …
    "spacingNonLinear": 0.45,  # … and bars of whole notes be mostly empty
}
# Verovio asks for Times; matplotlib brings a face of that design to every machine.
_FONTS = ("STIXGeneral.ttf", "STIXGeneralItalic.ttf", "STIXGeneralBol.ttf", "STIXGeneralBolIta.ttf")
_VIEW_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')


def to_svg(score: Score, layout: Layout = "open") -> list[str]:
    """The pages of a score, each an SVG document as high as its systems.

    Notes are groups with the score's ids; of a note drawn as several tied ones the others have
    ``-2``, ``-3`` … added.

    Raises:
        InputError: a score that cannot be written (see `clausula.writing.to_musicxml`).
    """
    return engrave(to_musicxml(score, layout).decode(), titled if score.title else None)


def engrave(musicxml: str, amend: Callable[[str], str] | None = None) -> list[str]:
    """The pages of a MusicXML document, as ``to_svg``.

    Args:
        musicxml: as ``clausula.writing.to_musicxml`` writes it.
        amend: called with what Verovio makes of it, MEI, and returns what is to be drawn.

    Raises:
        InputError: it cannot be engraved.
    """
    toolkit = _loaded(musicxml, _OPTIONS)
    if amend is not None:
        _load(toolkit, amend(toolkit.getMEI()))
    return [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]


def titled(mei: str) -> str:
    """MEI whose title is drawn large, for Verovio reads no font size from MusicXML."""
    title = '<rend xml:id="[^"]*" halign="center" valign="top"'
    return re.sub(title, r'\g<0> fontsize="x-large"', mei, count=1)


def to_svg_line(score: Score, layout: Layout = "open") -> str:
    """A short score on one system, without title or composer, an SVG document as large as it is.

    Notes are groups with ids as in `to_svg`.

    Raises:
        InputError: a score that cannot be written (see `clausula.writing.to_musicxml`).
    """
    return str(_loaded(to_musicxml(score, layout).decode(), _OPTIONS | _LINE).renderToSVG(1))


def write_svg(score: Score, path: str | Path, layout: Layout = "open") -> None:
    """Write the score as one SVG file, its pages one below the other."""
    write_bytes(path, _joined(to_svg(score, layout)).encode())


def write_png(score: Score, path: str | Path, width: int = 1600, layout: Layout = "open") -> None:
    """Write the score as one PNG on white.

    Args:
        score: what to draw.
        path: the file.
        width: in pixels.
        layout: as in `to_svg`.
    """
    write_bytes(path, to_png(to_svg(score, layout), width))


def to_png(pages: list[str], width: int) -> bytes:
    """Pages of SVG, one below the other on white, as a PNG of ``width`` pixels."""
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    drawn = resvg_py.svg_to_bytes(
        svg_string=_joined(pages),
        background="white",
        width=width,
        skip_system_fonts=True,
        font_files=[str(fonts / name) for name in _FONTS],
        font_family="STIXGeneral",
        serif_family="STIXGeneral",
    )
    return bytes(drawn)


def _loaded(musicxml: str, options: dict[str, Any]) -> verovio.toolkit:
    """A toolkit that has laid out a score."""
    toolkit = verovio.toolkit()
    toolkit.setOptions(options)
    _load(toolkit, musicxml)
    return toolkit


def _load(toolkit: verovio.toolkit, data: str) -> None:
    if not toolkit.loadData(data):
        raise InputError("the score cannot be engraved; try writing it as MusicXML")


def _joined(pages: list[str]) -> str:
    """One SVG document of all pages."""
    if len(pages) == 1:
        return pages[0]
    sizes = [tuple(map(int, _VIEW_BOX.findall(page)[0])) for page in pages]
    width, height = max(w for w, _ in sizes), sum(h for _, h in sizes)
    below, nested = 0, []
    for page, (w, h) in zip(pages, sizes, strict=True):
        nested.append(page.replace("<svg ", f'<svg y="{below}" width="{w}" height="{h}" ', 1))
        below += h
    return (
        f'<svg viewBox="0 0 {width} {height}" version="1.1" '
        f'xmlns="http://www.w3.org/2000/svg">\n{"".join(nested)}</svg>\n'
    )
