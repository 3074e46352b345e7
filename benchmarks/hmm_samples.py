"""Music of a network to distil the hidden Markov model from: unconstrained samples, one file.

Each piece is drawn token by token from the proposal, under the controls (meter, pick-up, key,
phrase ends, length) of a training chorale; no control of a held-out piece is ever used. A sample
bears the name of the chorale whose controls it was given.

    uv run python benchmarks/hmm_samples.py --pieces 400 --out samples.npz
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from clausula.corpus import Piece, held_out, load_chorales, save_corpus
from clausula.errors import ClausulaError, InputError
from clausula.neural.features import controls_of
from clausula.neural.proposals import DEFAULT, Loaded, load_proposal
from clausula.pitch import Mode
from clausula.runtime import keep_compiled_programs
from clausula.sampling import grid_of_sample, sample_pieces

SEPARATOR = ":"  # between the number of a sample and the name of its teacher


def teacher_of(name: str) -> str:
    """The chorale whose controls a sample was given, by the sample's name."""
    return name.split(SEPARATOR, 1)[1]


def draw(
    loaded: Loaded, teachers: Sequence[Piece], count: int, seed: int, longest: int
) -> list[Piece]:
    """Pieces drawn from a proposal under the controls of real ones.

    Args:
        loaded: the proposal.
        teachers: give the controls; they take turns in an order drawn with the seed.
        count: how many pieces.
        seed: of the order and of the notes.
        longest: frames; what is longer is cut there.

    Raises:
        InputError: no pieces are asked for, or none is there to give controls.
    """
    if count < 1 or not teachers:
        raise InputError(f"{count} samples of {len(teachers)} pieces: both must be at least 1")
    rng = np.random.default_rng(seed)
    rounds = -(-count // len(teachers))
    turns = np.concatenate([rng.permutation(len(teachers)) for _ in range(rounds)])[:count]
    style = loaded.style_index(None) if loaded.styles else 0
    chosen = [teachers[i] for i in turns]
    controls = []
    for piece in chosen:
        grid = piece.grid
        known = (grid.position[:longest], grid.meter, grid.phrase_end[:longest])
        key = (grid.key.tonic_pc, grid.key.mode is Mode.MINOR)
        controls.append(controls_of(*known, *key, style))
    samples = sample_pieces(loaded, controls, jax.random.key(seed))
    return [
        Piece(
            f"{number}{SEPARATOR}{piece.name}",
            grid_of_sample(sample, piece.grid),
            source=loaded.name,
            licence="none: drawn from a model",
            style=piece.style,
        )
        for number, (piece, sample) in enumerate(zip(chosen, samples, strict=True))
    ]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proposal", default=DEFAULT)
    parser.add_argument(
        "--weights", type=Path, help="of the proposal; the shipped ones if left out"
    )
    parser.add_argument("--pieces", type=int, default=400)
    parser.add_argument("--longest", type=int, default=320, help="frames at which a piece is cut")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help=".npz file to write")
    args = parser.parse_args()
    keep_compiled_programs()
    try:
        corpus = load_chorales()
        apart = set(held_out(corpus))
        teachers = [piece for i, piece in enumerate(corpus.pieces) if i not in apart]
        loaded = load_proposal(args.proposal, args.weights)
        pieces = draw(loaded, teachers, args.pieces, args.seed, args.longest)
        save_corpus(pieces, args.out)
    except ClausulaError as error:
        print(f"hmm_samples: {error}", file=sys.stderr)
        return 2
    frames = sum(len(piece.grid) for piece in pieces)
    print(f"{len(pieces)} pieces of {frames} frames drawn from {loaded.name}: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
