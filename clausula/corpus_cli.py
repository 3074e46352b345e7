"""``clausula corpus``: build an encoded corpus from scores, list what there is."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clausula.errors import CorpusError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from clausula.corpus.archive import Corpus
    from clausula.corpus.build import BuildReport

app = typer.Typer(help="Build and list encoded corpora.", no_args_is_help=True)


@app.command()
def build(
    folder: Annotated[
        Path | None, typer.Argument(help="your MusicXML, MIDI and kern files, folders in it too")
    ] = None,
    out: Annotated[Path, typer.Option(help="the .npz file to write")] = Path("corpus.npz"),
    style: Annotated[str | None, typer.Option(help="the tag of your pieces, such as mine")] = None,
    frames_per_quarter: Annotated[
        int,
        typer.Option(help="4 holds sixteenths, 12 triplets as well, 24 thirty-seconds too", min=1),
    ] = 4,
    bundled: Annotated[
        str | None, typer.Option(help="in place of a folder: a style of the installed music21")
    ] = None,
) -> None:
    """Encode a folder of scores, or a style that music21 bundles; run it again to resume."""
    from clausula.corpus.build import build as build_corpus
    from clausula.corpus.build import report_name
    from clausula.corpus.sources import bundled_sources, folder_sources

    if (folder is None) == (bundled is None):
        raise CorpusError("name a folder of scores, or a style with --bundled, and not both")
    ignored: dict[str, str] = {}
    if folder is None:
        if style is not None:
            raise CorpusError("--style is for a folder of your own; --bundled has its style's tag")
        sources = bundled_sources(str(bundled))
    else:
        if style is None:
            raise CorpusError("--style is missing; give your pieces a tag, such as --style mine")
        sources, ignored = folder_sources(folder, style)
    console = _console()
    with _Bar(console) as bar:
        report = build_corpus(
            sources,
            out,
            frames_per_quarter=frames_per_quarter,
            progress=bar,
            ignored=ignored,
        )
    _show(report, console)
    console.print(
        f"pieces: {len(report.kept)}, frames: {report.frames}, in {out}; "
        f"the whole report is {out.with_name(report_name(out))}",
        highlight=False,
        soft_wrap=True,
    )


@app.command(name="list")
def list_(
    files: Annotated[
        list[Path] | None, typer.Argument(help="encoded corpora; what ships when left out")
    ] = None,
) -> None:
    """List styles with their pieces, frames and rights."""
    from clausula.corpus.archive import load_corpus
    from clausula.corpus.styles import load_bundled, styles

    known = styles()
    console = _console()
    for corpus in [load_corpus(file) for file in files] if files else [load_bundled()]:
        console.print(_table(corpus, known))
        missing = [tag for tag in known if tag not in corpus.styles] if not files else []
        for tag in missing:
            console.print(
                f"{tag}: {known[tag]}; not shipped, encode it with: "
                f"clausula corpus build --bundled {tag} --out {tag}.npz",
                highlight=False,
                soft_wrap=True,
            )


def _table(corpus: Corpus, known: dict[str, str]) -> Table:
    """Styles, pieces, frames and rights of a corpus."""
    from rich.table import Table

    table = Table()
    for column in ("style", "what", "pieces", "frames", "rights"):
        table.add_column(column, justify="right" if column in ("pieces", "frames") else "left")
    for tag in dict.fromkeys(corpus.styles):
        places = [i for i, style in enumerate(corpus.styles) if style == tag]
        rights = Counter(corpus.licences[i] for i in places).most_common()
        shown = [f"{count}: {text}" for text, count in rights[:3]]
        if len(rights) > len(shown):
            shown.append(f"{sum(n for _, n in rights[3:])}: others")
        table.add_row(
            tag,
            known.get(tag, "your own"),
            str(len(places)),
            str(sum(len(corpus.grids[i]) for i in places)),
            "\n".join(shown),
        )
    return table


def _show(report: BuildReport, console: Console) -> None:
    """Print what was skipped, and why."""
    from rich.table import Table

    from clausula.corpus.build import counted

    if report.resumed:
        console.print(f"files done before and not parsed again: {report.resumed}", highlight=False)
    if not report.skipped and not report.partly:
        return
    table = Table(title="left out")
    table.add_column("file or piece", overflow="fold")
    table.add_column("why", overflow="fold")
    for name, reason in report.skipped.items():
        table.add_row(name, reason)
    for name, reasons in report.partly.items():
        table.add_row(name, counted(reasons))
    console.print(table, markup=False)


def _console() -> Console:
    from rich.console import Console

    return Console(width=max(80, shutil.get_terminal_size().columns))


class _Bar:
    """A progress bar on standard error that is called as `build` calls its ``progress``."""

    def __init__(self, console: Console) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        shown = Console(stderr=True, width=console.width)
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            console=shown,
            transient=True,
            # Into a file, a bar that is drawn once says nothing.
            disable=not shown.is_terminal,
        )
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def __call__(self, done: int, total: int, name: str) -> None:
        self._progress.update(self._task, completed=done, total=total, description=name)
