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
from clausula.folders import write_bytes

if TYPE_CHECKING:
    from clausula.constraints.listing import Listed
    from clausula.constraints.rulesets import RuleSet

_FORMATS = ("table", "json", "markdown", "html")
_ENDINGS = {".json": "json", ".md": "markdown", ".html": "html"}
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
        str | None,
        typer.Option(help="table, json, markdown, or html with every example engraved"),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="a .json, .md or .html to write; any number of times"),
    ] = None,
) -> None:
    """List the rules: how grave each is by rule set, how it is enforced, where it was read."""
    from clausula.constraints.listing import rules as list_rules
    from clausula.constraints.listing import rulesets_of

    if format is not None and format not in _FORMATS:
        raise InputError(f"--format {format!r} is unknown; try {', '.join(_FORMATS)}")
    formats = [(path, _format_of(path, format)) for path in out or ()]
    listed = list_rules(ruleset, code=code, severity=severity, enforced=enforced, search=search)
    if not listed:
        # Beside the output, so that a program still reads an empty list.
        typer.echo("No rule is like that; drop one of the filters.", err=True)
    rulesets = rulesets_of(ruleset)
    if not formats and format in (None, "table"):
        if listed:
            _print_table(listed)
    elif not formats:
        typer.echo(_text(listed, rulesets, str(format)), nl=False)
    for path, its_format in formats:
        write_bytes(path, _text(listed, rulesets, its_format).encode())
        typer.echo(f"{len(listed)} rule{'' if len(listed) == 1 else 's'} written to {path}")


def _format_of(path: Path, format: str | None) -> str:
    """The format that a file asks for by its ending, unless one is named."""
    if format == "table":
        raise InputError("a table is only printed; leave out --format or --out")
    if format is None and path.suffix not in _ENDINGS:
        raise InputError(f"--out {path}: try a name that ends in {', '.join(_ENDINGS)}")
    return format or _ENDINGS[path.suffix]


def _text(listed: Sequence[Listed], rulesets: Sequence[RuleSet], format: str) -> str:
    if format == "json":
        return json.dumps([each.to_json() for each in listed], indent=1, ensure_ascii=False) + "\n"
    if format == "markdown":
        from clausula.constraints.reference import markdown

        return markdown(listed, rulesets)
    from clausula.rules_page import page

    return page(listed, rulesets)


def _print_table(listed: Sequence[Listed]) -> None:
    from rich.console import Console

    from clausula.rules_table import rules_table

    width = max(80, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _PIPED_WIDTH
    Console(width=width).print(rules_table(listed))
