"""``clausula check``: the faults of a score, as text, JSON, a page or a coloured score."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from difflib import get_close_matches
from os.path import samefile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clausula.errors import InputError

if TYPE_CHECKING:
    from clausula.checker.report import Report
    from clausula.constraints.passage import Task
    from clausula.score import Score

_SPECIES = (1, 2, 3, 4, 5)
_CADENCE_RULE = "H04"  # which reads the cadence that was asked for


def check(
    file: Annotated[Path, typer.Argument(help="MusicXML, MIDI, kern or ABC")],
    rules: Annotated[
        str | None,
        typer.Option(help="rule set: a name or a TOML file; chorale, or fux with --species"),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="home key; inferred and stated if left out")
    ] = None,
    species: Annotated[int, typer.Option(help="of counterpoint: 1 to 5")] = 0,
    cantus: Annotated[
        str | None,
        typer.Option(help="part that has the cantus firmus: S, A, T, B, or its number from above"),
    ] = None,
    cadence: Annotated[
        str | None,
        typer.Option(help="with which it was to close: PAC, IAC, HC, DC, plagal, phrygian"),
    ] = None,
    format: Annotated[
        str,
        typer.Option(help="text, json, html (a page), or musicxml (coloured notes)"),
    ] = "text",
    labels: Annotated[
        str, typer.Option(help="numerals, figures and cadences in the file: judge or ignore")
    ] = "judge",
    out: Annotated[Path | None, typer.Option(help="file to write; printed if left out")] = None,
    fail_on: Annotated[
        str, typer.Option(help="error, warning or style: exit 1 from there on")
    ] = "error",
) -> None:
    """Find the faults of a score, in the words of a teacher."""
    from clausula.checker.check import check as check_score
    from clausula.checker.check import score_and_name
    from clausula.constraints.rule import Severity
    from clausula.constraints.rulesets import load_ruleset

    if format not in _FORMATS:
        raise InputError(f"--format {format!r} is unknown; try {', '.join(_FORMATS)}")
    if labels not in ("judge", "ignore"):
        raise InputError(f"--labels {labels!r} is unknown; try judge or ignore")
    if out is not None and os.path.exists(out) and os.path.exists(file) and samefile(out, file):
        raise InputError(f"--out {out} is the file to be checked; name another")
    score, name = score_and_name(file)
    task = _task(score, species, cantus, cadence)
    ruleset = load_ruleset(rules or ("fux" if species else "chorale"))
    if task.cadence and ruleset.severity(_CADENCE_RULE) is Severity.OFF:
        raise InputError(
            f"--cadence is judged by {_CADENCE_RULE}, which rule set {ruleset.name} leaves out; "
            "try other --rules"
        )
    report = check_score(score, ruleset, key, task=task, name=name, labels=labels == "judge")
    fails = report.reaches(fail_on)
    _put(_FORMATS[format](report), out)
    raise typer.Exit(1 if fails else 0)


def _text(report: Report) -> bytes:
    return f"{report.to_text()}\n".encode()


def _json(report: Report) -> bytes:
    return f"{json.dumps(report.to_json(), indent=1, ensure_ascii=False)}\n".encode()


def _html(report: Report) -> bytes:
    from clausula.marking import to_html  # loads the engraver

    return to_html(report).encode()


def _musicxml(report: Report) -> bytes:
    from clausula.marking import to_marked_musicxml

    return to_marked_musicxml(report)


_FORMATS: dict[str, Callable[[Report], bytes]] = {
    "text": _text,
    "json": _json,
    "html": _html,
    "musicxml": _musicxml,
}


def _put(data: bytes, out: Path | None) -> None:
    """Write to a file, all of it or nothing, or to the standard output."""
    if out is None:
        typer.echo(data, nl=False)
        return
    from clausula.folders import write_bytes

    write_bytes(out, data)


def _task(score: Score, species: int, cantus: str | None, cadence: str | None) -> Task:
    """What the options say was asked of the writer.

    Raises:
        InputError: no such species, part or cadence.
    """
    from clausula.constraints.cadence import CadenceKind
    from clausula.constraints.passage import Task

    if species and species not in _SPECIES:
        raise InputError(f"--species {species} is unknown; try 1 to 5")
    kinds = {kind.value.lower(): kind for kind in CadenceKind}
    if cadence is not None and cadence.lower() not in kinds:
        near = get_close_matches(cadence.lower(), kinds, n=1) or kinds
        names = ", ".join(kinds[name].value for name in near)
        raise InputError(f"--cadence {cadence!r} is unknown; try {names}")
    return Task(
        species=species,
        cantus=None if cantus is None else _part(score, cantus),
        cadence=None if cadence is None else kinds[cadence.lower()],
    )


def _part(score: Score, text: str) -> int:
    """Index of a part by its letter or its number."""
    from clausula.constraints.example_score import NAMES as PART_NAMES
    from clausula.grid import VOICE_LETTERS

    n = len(score.parts)
    names = {letter: index for index, letter in enumerate(VOICE_LETTERS[: n - 1] + "B")}
    names |= {part.name[:1]: i for i, part in enumerate(score.parts) if part.name in PART_NAMES}
    names |= {str(number): number - 1 for number in range(1, n + 1)}
    if text.upper() not in names:
        raise InputError(f"--cantus {text!r} is none of the parts; try {', '.join(names)}")
    return names[text.upper()]
