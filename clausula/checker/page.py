"""The checker's page: an engraved score, what was found in it, and why.

Conventions: the page needs nothing else, no network and no library; whatever a file says (titles,
names, lyrics) is escaped. Findings are known by their place in ``Report.findings``: items of the
list have it as ``data-finding``, notes of the score as words of ``data-findings``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from clausula.checker.report import CadenceAt, ChordFrom, Finding, Report, beat_in_words
from clausula.constraints.registry import RULES
from clausula.constraints.rule import Severity

# Okabe and Ito's palette: vermilion, orange and blue look different to every kind of eye.
COLOURS = {Severity.ERROR: "#D55E00", Severity.WARNING: "#E69F00", Severity.STYLE: "#0072B2"}

_FOLDER = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page_of(report: Report, pages: Sequence[str]) -> str:
    """An HTML document about a report.

    Args:
        report: what was found.
        pages: of the engraved score, SVG documents whose notes at fault have ``data-findings``.
    """
    title = (report.score.title if report.score else "") or report.file
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{escape(title)}: {escape(report.summary)}</title>",
            f"<style>\n{_read('page.css')}</style>",
            "</head>",
            "<body>",
            "<header>",
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(_about(report))}</p>",
            f"<p><strong>{escape(report.summary)}</strong></p>",
            "</header>",
            "<main>",
            *_score(pages),
            *_findings(report),
            *_analysis(report),
            "</main>",
            f"<script>\n{_read('page.js')}</script>",
            "</body>",
            "</html>\n",
        )
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _about(report: Report) -> str:
    sure = f", confidence {report.confidence:.2f}" if report.key_source == "inferred" else ""
    key = f"{report.key} ({report.key_source}{sure})"
    return f"{report.file}: {key}, rule set {report.ruleset}."


def _score(pages: Sequence[str]) -> Iterator[str]:
    levels = " ".join(f'<span class="{level.word}">{level.word}</span>' for level in COLOURS)
    yield '<section aria-labelledby="clausula-score">'
    yield '<h2 id="clausula-score">Score</h2>'
    yield f'<p class="legend">{levels} Numbers beside notes are those of the list below.</p>'
    yield '<div class="score" tabindex="0" role="group" aria-labelledby="clausula-score">'
    yield from pages
    yield "</div>"
    yield "</section>"


def _findings(report: Report) -> Iterator[str]:
    place = {id(each): index for index, each in enumerate(report.findings)}
    faults = [(root, more) for root, more in report.tree if root.group is not None]
    others = [root for root, _ in report.tree if root.group is None]
    yield '<section aria-labelledby="clausula-findings">'
    yield '<h2 id="clausula-findings">Findings</h2>'
    if not faults:
        yield "<p>No faults found.</p>"
    yield "<ol>"
    for root, consequences in faults:
        yield from _open(root, place[id(root)], f"{root.group}. ")
        if consequences:
            yield "<p>It explains:</p>"
            yield from _unnumbered(consequences, place)
        yield "</li>"
    yield "</ol>"
    yield "</section>"
    if others:
        yield '<section aria-labelledby="clausula-others">'
        yield '<h2 id="clausula-others">Labels and licences</h2>'
        yield from _unnumbered(others, place)
        yield "</section>"


def _unnumbered(findings: Sequence[Finding], place: Mapping[int, int]) -> Iterator[str]:
    """A list of findings; ``place`` is the number in the report of each, by its id."""
    yield "<ul>"
    for each in findings:
        yield from _open(each, place[id(each)], "")
        yield "</li>"
    yield "</ul>"


def _open(each: Finding, index: int, number: str) -> Iterator[str]:
    """A finding as an item of a list, which is left open."""
    word = each.severity.word
    heading = f"{number}Measure {each.measure}, beat {beat_in_words(each)}: {RULES[each.code].name}"
    yield f'<li class="finding {word}" data-finding="{index}">'
    yield f'<h3><button type="button" aria-pressed="false">{escape(heading)}</button> '
    yield f'<span class="severity">{word} {escape(each.code)}</span></h3>'
    yield f"<p>{escape(each.message)}.</p>"
    if each.licence:
        yield f"<p>{escape(each.licence)}.</p>"
    yield f"<p>{escape(each.why)}</p>"
    yield f'<p class="source">Source: {escape(each.source)}.</p>'


def _analysis(report: Report) -> Iterator[str]:
    """A table of keys, chords and cadences by measure."""
    yield '<section aria-labelledby="clausula-analysis">'
    yield '<h2 id="clausula-analysis">Keys, chords and cadences</h2>'
    yield "<table>"
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Measure", "Chords", "Cadence"))
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    key = None
    for measure, chords in groupby(report.chords, key=lambda chord: chord.measure):
        words = []
        for chord in chords:
            words.append(_chord(chord, told=chord.key == key))
            key = chord.key
        closes = [_cadence(each) for each in report.cadences if each.measure == measure]
        cells = f"<td>{escape(', '.join(words))}</td><td>{escape(', '.join(closes))}</td>"
        yield f'<tr><th scope="row">{measure}</th>{cells}</tr>'
    yield "</tbody>"
    yield "</table>"
    yield "</section>"


def _chord(chord: ChordFrom, *, told: bool) -> str:
    key = "" if told else f"{chord.key}: "
    return f"{key}{chord.numeral} (beat {beat_in_words(chord)})"


def _cadence(cadence: CadenceAt) -> str:
    return f"{cadence.kind.value} in {cadence.key} (beat {beat_in_words(cadence)})"
