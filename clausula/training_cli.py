"""The commands that fit and measure proposals."""

from __future__ import annotations

import math
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clausula.errors import InputError
from clausula.folders import require_folder, unwritable

if TYPE_CHECKING:
    from clausula.corpus import Corpus

PROPOSAL_HELP = "transformer, charrnn, biaxial, recombinant or markov"


def train(
    out: Annotated[
        Path, typer.Option(help="weights to write; log and loss picture go beside them")
    ],
    proposal: Annotated[str, typer.Option(help=PROPOSAL_HELP)] = "transformer",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="from 'clausula corpus build', any number of times; what ships if none"),
    ] = None,
    steps: Annotated[int, typer.Option(help="optimiser updates", min=1)] = 1600,
    batch: Annotated[int, typer.Option(help="crops an update", min=1)] = 16,
    length: Annotated[int, typer.Option(help="frames a crop", min=1)] = 128,
    peak: Annotated[float, typer.Option(help="highest learning rate")] = 1.5e-3,
    dropout: Annotated[float, typer.Option(help="on embeddings and what layers add")] = 0.4,
    field_dropout: Annotated[
        float, typer.Option(help="on whole fields of what the transformer reads")
    ] = 0.15,
    weight_decay: Annotated[float, typer.Option(help="on matrices")] = 0.1,
    patience: Annotated[
        int, typer.Option(help="evaluations without a better one; 0: never stop early", min=0)
    ] = 5,
    seed: Annotated[
        int, typer.Option(help="of weights, crops and dropout", min=0, max=2**32 - 1)
    ] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on where a stopped run left off")
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option(help="weights to begin with, such as the shipped ones for a corpus of yours"),
    ] = None,
    coordinator: Annotated[
        str | None, typer.Option(help="host:port of the first of several machines")
    ] = None,
    machines: Annotated[int, typer.Option(help="how many machines train together", min=1)] = 1,
    machine: Annotated[int, typer.Option(help="which of them this is, from 0", min=0)] = 0,
) -> None:
    """Train a proposal, by default the transformer on the corpus that ships."""
    from clausula.neural.fitting import fit_proposal
    from clausula.neural.train import TrainConfig

    for name, value, fits, advice in (
        ("peak", peak, 0 < peak < math.inf, 1.5e-3),
        ("dropout", dropout, 0 <= dropout < 1, 0.4),
        ("field-dropout", field_dropout, 0 <= field_dropout < 1, 0.15),
        ("weight-decay", weight_decay, 0 <= weight_decay < math.inf, 0.1),
    ):
        if not fits:
            raise InputError(f"--{name} {value} is out of range; try {advice}")
    if os.path.isdir(out):
        raise InputError(f"--out {out} is a folder; name a file, such as {out / 'my.safetensors'}")
    require_folder(out.parent)
    _join(coordinator, machines, machine)
    settings: dict[str, Any] = {"dropout": dropout}
    if proposal == "transformer":
        settings["field_dropout"] = field_dropout
    # A run shorter than the usual warm-up warms up until its last update.
    config = TrainConfig(
        steps=steps,
        warmup=min(150, steps - 1),
        batch=batch,
        length=length,
        peak=peak,
        weight_decay=weight_decay,
        patience=patience,
        seed=seed,
    )
    try:
        fit_proposal(
            proposal,
            out,
            corpus=_corpora(corpus),
            settings=settings,
            config=config,
            command="clausula " + shlex.join(sys.argv[1:]),
            resume=resume,
            start=start,
        )
    except OSError as error:
        raise unwritable(out, error) from error


def evaluate(
    proposal: Annotated[str, typer.Option(help=PROPOSAL_HELP)] = "transformer",
    weights: Annotated[
        Path | None, typer.Option(help="of a proposal that 'clausula train' wrote")
    ] = None,
    corpus: Annotated[
        list[Path] | None, typer.Option(help="whose held-out tenth is asked; what ships if none")
    ] = None,
) -> None:
    """Measure a proposal on held-out pieces beside what its file says it reached."""
    import json

    from rich.console import Console
    from rich.table import Table

    from clausula.neural import evaluating
    from clausula.neural.proposals import metadata_of, weights_of

    path = weights or weights_of(proposal)
    found = evaluating.evaluate(proposal, path, _corpora(corpus))
    reported = json.loads(metadata_of(proposal, path).get("held_out", "{}"))
    table = Table(
        "held-out pieces", "nats a frame", "as recorded", title=f"{proposal}: {path.name}"
    )
    for name, nats in found.items():
        recorded = reported.get(name)
        table.add_row(name, f"{nats:.3f}", "-" if recorded is None else f"{recorded:.3f}")
    Console(width=100).print(table)


def _corpora(files: list[Path] | None) -> Corpus | None:
    """The corpora of several files as one; ``None`` for what ships."""
    from clausula.corpus import load_corpus
    from clausula.corpus.archive import corpus_of

    if not files:
        return None
    return corpus_of([piece for file in files for piece in load_corpus(file).pieces])


def _join(coordinator: str | None, machines: int, machine: int) -> None:
    """Join the other machines of a training, if there are any.

    Raises:
        InputError: some of the options are missing.
    """
    if coordinator is None and machines == 1:
        return
    if coordinator is None or machine >= machines:
        raise InputError(
            f"--machine {machine} of --machines {machines} with --coordinator {coordinator}: give "
            "all three, machines counted from 0"
        )
    import jax

    jax.distributed.initialize(coordinator, machines, machine)
