"""``clausula rules``: every rule there is, as a table, for programs, or as a page to read."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clausula.errors import InputError

if TYPE_CHECKING:
    from clausula.constraints.listing import Listed
    from clausula.constraints.rulesets import RuleSet

_FORMATS = ("table", "json", "markdown", "html")
_PIPED_WIDTH = 160  # letters in a line where no terminal says how many


def rules(
    ruleset: Annotated[
        str | None,
        typer.Option("--rules", help="a rule set alone: a name or a TOML file; all if left out"),
    ] = None,
    code: Annotated[str, typer.Option(help="codes or their letters: M01, or M,L")] = "",
    severity: Annotated[
        str, typer.Option(help="error, warning, style, info, label, off; several with commas")
    ] = "",
    enforced: Annotated[
        str, typer.Option(help="mask, automaton, finals-only, check-only; several with commas")
    ] = "",
    search: Annotated[str, typer.Option(help="words that the texts of a rule have")] = "",
    format: Annotated[
        str, typer.Option(help="table, json, markdown, or html with every example engraved")
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="a file to write instead of printing")] = None,
) -> None:
    """List the rules: how grave each is by rule set, how it is enforced, where it was read."""
    from clausula.constraints.listing import rules as list_rules
    from clausula.constraints.listing import rulesets_of

    if format not in _FORMATS:
        raise InputError(f"--format {format!r} is unknown; try {', '.join(_FORMATS)}")
    listed = list_rules(ruleset, code=code, severity=severity, enforced=enforced, search=search)
    if not listed:
        # Beside the output, so that a program still reads an empty list.
        typer.echo("No rule is like that; drop one of the filters.", err=True)
    _show(listed, rulesets_of(ruleset), format, out)


def _show(
    listed: Sequence[Listed], rulesets: Sequence[RuleSet], format: str, out: Path | None
) -> None:
    if format == "table" and out is None:
        if listed:
            _print_table(listed, sys.stdout.isatty())
        return
    text = _text(listed, rulesets, format)
    if out is None:
        typer.echo(text, nl=False)
        return
    from clausula.folders import write_bytes

    write_bytes(out, text.encode())
    typer.echo(f"{len(listed)} rules written to {out}")


def _text(listed: Sequence[Listed], rulesets: Sequence[RuleSet], format: str) -> str:
    if format == "json":
        return json.dumps([each.to_json() for each in listed], indent=1, ensure_ascii=False) + "\n"
    if format == "markdown":
        from clausula.constraints.reference import markdown

        return markdown(listed, rulesets)
    if format == "html":
        from clausula.rules_page import page

        return page(listed, rulesets)
    raise InputError("a table is only printed; try --format markdown with --out")


def _print_table(listed: Sequence[Listed], on_terminal: bool) -> None:
    from rich.console import Console

    from clausula.rules_table import rules_table

    width = max(80, shutil.get_terminal_size().columns) if on_terminal else _PIPED_WIDTH
    Console(width=width).print(rules_table(listed))
