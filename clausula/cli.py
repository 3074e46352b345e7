"""The command line: thin; everything it does is in the Python API.

Exit codes: 0 all is well, 1 the checker found something that reaches ``--fail-on``, 2 the request
cannot be read or met.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clausula.corpus_cli import app as corpus_app
from clausula.errors import ClausulaError, ImpossibleError, InputError
from clausula.folders import require_folder, unwritable
from clausula.training_cli import PROPOSAL_HELP, evaluate, train

if TYPE_CHECKING:
    from clausula.constraints.text import Constraint
    from clausula.piece import Piece

app = typer.Typer(
    help="Compose tonal music under hard constraints; mark harmony exercises by the same rules.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(corpus_app, name="corpus")

IMAGES = (".musicxml", ".mid", ".svg", ".png")


@app.command()
def compose(
    key: Annotated[str, typer.Option(help="home key: G, 'f# minor', Bb")] = "G",
    mode: Annotated[str | None, typer.Option(help="major or minor, whatever --key says")] = None,
    meter: Annotated[str, typer.Option(help="time signature")] = "4/4",
    measures: Annotated[
        int | None, typer.Option(help="full measures; 16, or what --progression fills")
    ] = None,
    form: Annotated[
        str | None, typer.Option(help='a letter a phrase, primed where varied: "A A\' B A"')
    ] = None,
    cadences: Annotated[
        str | None, typer.Option(help="in place of the form's own: HC@4.3,PAC@8.3:V,PAC@16.3")
    ] = None,
    progression: Annotated[
        str | None,
        typer.Option(help="chords, one a beat or with beats: 'I IV | V7:2 I'"),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(help="one more, any number of times: 'pin bass @ 5.1 D3', 'repeat 1-2 @ 9'"),
    ] = None,
    constraints: Annotated[
        Path | None, typer.Option(help='a TOML file of many: constraints = ["PAC@8", …]')
    ] = None,
    rules: Annotated[str, typer.Option(help="rule set: a name or a TOML file")] = "chorale",
    beam: Annotated[int, typer.Option(help="hypotheses kept at every step")] = 32,
    candidates: Annotated[
        int, typer.Option(help="distinct pieces to write, the best as piece.*")
    ] = 1,
    taste: Annotated[
        str | None, typer.Option(help="weights of what ranks candidates: nats=2,still=0")
    ] = None,
    temperature: Annotated[float, typer.Option(help="above 1 bolder, below 1 safer")] = 1.0,
    tail: Annotated[
        float, typer.Option(help="notes below this share of the likeliest are never chosen")
    ] = 0.02,
    seed: Annotated[int, typer.Option(help="the same seed writes the same piece")] = 0,
    proposal: Annotated[str, typer.Option(help=PROPOSAL_HELP)] = "transformer",
    weights: Annotated[
        Path | None, typer.Option(help="of a proposal that 'clausula train' wrote")
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="tag that the proposal knows: bach, monteverdi, …")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="folder for piece.musicxml .mid .svg .png, report.json")
    ] = Path("out"),
) -> None:
    """Compose a chorale that satisfies a plan, and verify what was written."""
    from clausula.composing import compose as compose_piece
    from clausula.constraints.text import load_constraints

    require_folder(out)
    many: list[str | Constraint] = [*(constraint or ())]
    if constraints is not None:
        many += load_constraints(constraints)
    piece = compose_piece(
        measures,
        key,
        mode=mode,
        meter=meter,
        form=form,
        cadences=cadences,
        progression=progression,
        constraints=many,
        rules=rules,
        beam=beam,
        candidates=candidates,
        taste=taste,
        temperature=temperature,
        tail=tail,
        seed=seed,
        proposal=proposal,
        weights=weights,
        style=style,
    )
    write_folder(piece, out)
    _show(piece, out)


def write_folder(piece: Piece, out: Path) -> None:
    """Write a piece, its alternatives and its report into a folder; all of it or nothing.

    Everything is written into a new folder in or beside ``out`` first, then moved. Files of other
    names that ``out`` holds stay.

    Raises:
        InputError: ``out`` cannot be written, or a folder in it has the name of one of the files.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out if out.is_dir() else out.parent
        with tempfile.TemporaryDirectory(prefix=".clausula-", dir=beside) as folder:
            unfinished = Path(folder)
            _write_files(piece, unfinished)
            out.mkdir(exist_ok=True)
            files = sorted(unfinished.iterdir())
            for file in files:
                if (out / file.name).is_dir():
                    raise InputError(f"{out / file.name} is a folder; move it or try another --out")
            for file in files:
                os.replace(file, out / file.name)
    except OSError as error:
        raise unwritable(out, error) from error


def _write_files(piece: Piece, folder: Path) -> None:
    """Write the files of a piece and its alternatives, and a report for each, into a folder."""
    for number, each in enumerate((piece, *piece.alternatives), start=1):
        suffix = "" if number == 1 else f"-{number}"
        for ending in IMAGES:
            each.write(folder / f"piece{suffix}{ending}")
        text = json.dumps(each.report, indent=1, ensure_ascii=False) + "\n"
        (folder / f"report{suffix}.json").write_text(text, encoding="utf-8")


def _show(piece: Piece, out: Path) -> None:
    """Print what was asked and what was verified."""
    from rich.console import Console
    from rich.table import Table

    from clausula.taste_table import taste_line, taste_table

    report = piece.report
    about = report.get("form") or f"{report['key']} ({report['key_source']})"
    table = Table(title=f"{piece.score.title}, {report['meter']}, {about}, seed {report['seed']}")
    table.add_column("asked")
    table.add_column("verified in the written file")
    for row in report["verified"]:
        table.add_row(row["constraint"], "holds" if row["holds"] else "; ".join(row["reasons"]))
    console = Console(width=max(80, shutil.get_terminal_size().columns))
    console.print(table)
    console.print(taste_table(piece) if piece.alternatives else taste_line(piece), highlight=False)
    found = report["candidates"]
    if found["found"] < found["wanted"]:
        console.print(
            f"Only {found['found']} of {found['wanted']} candidates were found that differ in "
            f"{found['least']:.0%} of what the voices sound; try another --seed, a wider --beam, "
            "or fewer constraints"
        )
    console.print(
        f"{report['nats_per_frame']} nats a frame under the network, "
        f"{report['dead_ends']} dead ends, "
        f"{report['seconds']} s. Written to {out}{os.sep}: "
        + " ".join(f"piece{ending}" for ending in IMAGES)
        + " report.json",
        highlight=False,
    )


@app.command()
def harmonize(
    file: Annotated[Path, typer.Argument(help="MusicXML, MIDI, kern or ABC: one to three lines")],
    voice: Annotated[
        str | None, typer.Option(help="which they are: soprano, or S,B; told if left out")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="home key; the file's, or inferred, and stated")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="major or minor, whatever --key says")] = None,
    cadences: Annotated[
        str | None, typer.Option(help="in place of those chosen there: HC@4.3,PAC@8.3:V")
    ] = None,
    progression: Annotated[
        str | None,
        typer.Option(help="chords, one a beat or with beats: 'I IV | V7:2 I'"),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(help="one more, any number of times: 'pin bass @ 5.1 D3', 'range A G3-C5'"),
    ] = None,
    constraints: Annotated[
        Path | None, typer.Option(help='a TOML file of many: constraints = ["PAC@8", …]')
    ] = None,
    rules: Annotated[str, typer.Option(help="rule set: a name or a TOML file")] = "chorale",
    beam: Annotated[int, typer.Option(help="hypotheses kept at every step")] = 8,
    alternatives: Annotated[int, typer.Option(help="further pieces that differ, piece-2.* …")] = 0,
    temperature: Annotated[float, typer.Option(help="above 1 bolder, below 1 safer")] = 1.0,
    tail: Annotated[
        float, typer.Option(help="notes below this share of the likeliest are never chosen")
    ] = 0.02,
    seed: Annotated[int, typer.Option(help="the same seed writes the same piece")] = 0,
    proposal: Annotated[str, typer.Option(help=PROPOSAL_HELP)] = "transformer",
    weights: Annotated[
        Path | None, typer.Option(help="of a proposal that 'clausula train' wrote")
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="tag that the proposal knows: bach, monteverdi, …")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="folder for piece.musicxml .mid .svg .png, report.json")
    ] = Path("out"),
) -> None:
    """Find the other voices to a melody, a bass, or any lines of a file."""
    from clausula.constraints.text import load_constraints
    from clausula.harmonizing import harmonize as harmonize_file

    require_folder(out)
    many: list[str | Constraint] = [*(constraint or ())]
    if constraints is not None:
        many += load_constraints(constraints)
    piece = harmonize_file(
        file,
        voices=voice,
        key=key,
        mode=mode,
        cadences=cadences,
        progression=progression,
        constraints=many,
        rules=rules,
        beam=beam,
        alternatives=alternatives,
        temperature=temperature,
        tail=tail,
        seed=seed,
        proposal=proposal,
        weights=weights,
        style=style,
    )
    write_folder(piece, out)
    _show(piece, out)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="MusicXML, MIDI, kern or ABC")],
    rules: Annotated[str, typer.Option(help="rule set: a name or a TOML file")] = "chorale",
    key: Annotated[
        str | None, typer.Option(help="home key; inferred and stated if left out")
    ] = None,
    format: Annotated[str, typer.Option(help="text or json")] = "text",
    fail_on: Annotated[
        str, typer.Option(help="error, warning or style: exit 1 from there on")
    ] = "error",
    labels: Annotated[
        str, typer.Option(help="numerals, figures and cadences in the file: judge or ignore")
    ] = "judge",
) -> None:
    """Find the part-writing faults of a score."""
    from clausula.checker.check import check as check_score

    if format not in ("text", "json"):
        raise InputError(f"--format {format!r} is unknown; try text or json")
    if labels not in ("judge", "ignore"):
        raise InputError(f"--labels {labels!r} is unknown; try judge or ignore")
    report = check_score(file, rules, key, labels=labels == "judge")
    fails = report.reaches(fail_on)
    if format == "json":
        typer.echo(json.dumps(report.to_json(), indent=1, ensure_ascii=False))
    else:
        typer.echo(report.to_text())
    raise typer.Exit(1 if fails else 0)


@app.command()
def explain(code: Annotated[str, typer.Argument(help="a rule's code, such as M01")]) -> None:
    """Say what a rule asks, why, and with what exceptions."""
    from clausula.constraints.explain import explain as explain_rule

    typer.echo(explain_rule(code))


app.command()(train)
app.command()(evaluate)


def main() -> None:
    """Run the command line; errors raised on purpose become a few lines and exit code 2."""
    try:
        app()
    except ImpossibleError as error:
        typer.echo(f"clausula: {error.lines()}", err=True)
        raise SystemExit(2) from None
    except ClausulaError as error:
        typer.echo(f"clausula: {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
