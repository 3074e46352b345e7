"""Rows of the table on the 16th grid: every proposal, views, several networks, given sopranos."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx
from likelihood_data import Jsb16
from likelihood_pool import fitted_pool, remembered
from likelihood_published import CHORALES
from likelihood_training import RECIPES
from likelihood_views import Mixture, Reader, paired_difference

from clausula.errors import InputError
from clausula.neural.evaluating import with_soprano
from clausula.neural.features import Example
from clausula.neural.markov_proposal import (
    MarkovModel,
    fit_markov,
    markov_nats_by_voice,
    markov_rows,
)
from clausula.neural.proposals import NAMES, NETWORK
from clausula.neural.recombinant import fit_recombinant, recombinant_nats_by_voice
from clausula.neural.weights import load_weights, parameter_count

PROPOSALS = tuple(name for name in NAMES if name != NETWORK)
MARKOV = "markov"
COUNTING = (MARKOV, "recombinant")
TRANSFORMER = "transformer"
NatsByVoice = Callable[[Sequence[Example]], np.ndarray]


def load_bare(path: Path, name: str) -> tuple[Any, dict[str, str]]:
    """A network of bare pitches, trained on the data of the table, and its metadata.

    Args:
        path: its file.
        name: of its recipe.

    Raises:
        InputError: no such file, or its tokens hold notes.
        CorpusError: it holds another kind of network.
    """
    if not path.exists():
        raise InputError(
            f"no weights of {name} at {path}; fit them with --train {name}, or leave the rows out "
            "(--proposals names those to measure, --no-harmonizing drops pins, no --bl quarter)"
        )
    model, metadata = load_weights(path, RECIPES[name].kind)
    if model.config.holds:
        raise InputError(f"{path} holds notes, the data have bare pitches; use --train {name}")
    return model, metadata


def facts_of(model: nnx.Module, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What a row says of its network."""
    return {
        "parameters": parameter_count(model),
        "trained_on": metadata["data"],
        "best": json.loads(metadata["best"]),
        "training": json.loads(metadata["training"]),
    }


def chorale_rows(
    data: Jsb16,
    proposals: Sequence[str],
    splits: Sequence[str],
    files: Mapping[str, Path],
    *,
    shifts: Sequence[int] = (0,),
    also: Sequence[Path] = (),
) -> list[dict]:
    """Rows of the proposals, a row a split.

    Args:
        data: the chorales.
        proposals: names; models that count notes are fitted here, on the training split.
        splits: names.
        files: weights of the networks by name.
        shifts: semitones of the transformer's views.
        also: more transformers, averaged with the first.
    """
    rows = []
    chains = fit_markov(data.examples("train"), holds=False) if MARKOV in proposals else None
    for name in proposals:
        if name in COUNTING:
            rows += _rows(data, splits, name, name, _counted(chains, name, data), {})
            continue
        model, metadata = load_bare(files[name], name)
        reader = Reader(model)
        single = Mixture([reader])
        facts = facts_of(model, metadata)
        rows += _rows(data, splits, name, name, single.nats_by_voice, facts)
        if name == TRANSFORMER:
            others = [Reader(load_bare(path, TRANSFORMER)[0]) for path in also]
            told = {
                "parameters": sum(parameter_count(r.model) for r in (reader, *others)),
                "also": list(map(str, also)),
            }
            rows += _averaged_rows(data, splits, (reader, *others), facts, told, shifts)
            if chains is not None:
                readers = (reader, *others)
                rows += _pooled_rows(data, splits, chains, readers, facts, told, shifts)
    return rows


def _counted(chains: MarkovModel | None, name: str, data: Jsb16) -> NatsByVoice:
    """What scores pieces by a model that counts, fitted on the training split."""
    if name == MARKOV and chains is not None:
        return partial(markov_nats_by_voice, chains)
    fitted = fit_recombinant(data.examples("train"), holds=False)
    return partial(recombinant_nats_by_voice, fitted)


def _averaged_rows(
    data: Jsb16,
    splits: Sequence[str],
    readers: Sequence[Reader],
    facts: dict[str, Any],
    several: dict[str, Any],
    shifts: Sequence[int],
) -> list[dict]:
    """Rows of the transformer over views, with others, and both.

    Args:
        data: the chorales.
        splits: names.
        readers: of the networks, the first the table's own.
        facts: of the first.
        several: of all of them.
        shifts: semitones of the views.
    """
    rows: list[dict] = []
    views = f"{len(shifts)} transposed views"
    if len(shifts) > 1:
        mean = Mixture(readers[:1], shifts)
        told = facts | {"views": list(shifts)}
        title = f"{TRANSFORMER}, {views}"
        rows += _rows(data, splits, TRANSFORMER, title, mean.nats_by_voice, told)
    title = f"{len(readers)} {TRANSFORMER}s"
    if len(readers) > 1:
        mean = Mixture(readers)
        rows += _rows(data, splits, TRANSFORMER, title, mean.nats_by_voice, facts | several)
    if len(readers) > 1 and len(shifts) > 1:
        mean = Mixture(readers, shifts)
        told = facts | several | {"views": list(shifts)}
        rows += _rows(data, splits, TRANSFORMER, f"{title}, {views}", mean.nats_by_voice, told)
    return rows


def _pooled_rows(
    data: Jsb16,
    splits: Sequence[str],
    chains: MarkovModel,
    readers: Sequence[Reader],
    facts: dict[str, Any],
    several: dict[str, Any],
    shifts: Sequence[int],
) -> list[dict]:
    """Rows of the transformer asked together with the Markov chains, as composing asks them.

    Arguments as of ``_averaged_rows``, and the chains.
    """
    counted = remembered(lambda pieces: [markov_rows(chains, piece) for piece in pieces])
    ways: list[tuple[str, Mixture, dict]] = [("", Mixture(readers[:1]), {})]
    if len(readers) > 1 or len(shifts) > 1:
        names = [f"{len(readers)} networks"] if len(readers) > 1 else []
        names += [f"{len(shifts)} views"] if len(shifts) > 1 else []
        told = several | {"views": list(shifts)}
        ways.append((f" ({', '.join(names)})", Mixture(readers, shifts), told))
    rows: list[dict] = []
    for how, networks, told in ways:
        pool = fitted_pool([networks.rows, counted], data.examples("valid"))
        told = (
            facts
            | told
            | {
                "exponents": np.round(pool.exponents, 4).tolist(),
                "exponents_fitted_on": "valid",
            }
        )
        title = f"{TRANSFORMER}{how} x markov"
        rows += _rows(data, splits, TRANSFORMER, title, pool.nats_by_voice, told)
    return rows


def _rows(
    data: Jsb16,
    splits: Sequence[str],
    proposal: str,
    title: str,
    nats_of: NatsByVoice,
    facts: dict[str, Any],
) -> list[dict]:
    rows = []
    for split in splits:
        pieces = data.examples(split)
        by_voice = nats_of(pieces)
        total = float(by_voice.sum())
        row = {
            "proposal": proposal,
            "model": title,
            "grid": CHORALES,
            "data": "JSB",
            "split": split,
            "nats_per_frame": total,
            "nats_per_note": total / 4,
            "mark": "this run",
            "by_voice": {v: float(x) for v, x in zip("SBAT", by_voice, strict=True)},
            "pieces": len(pieces),
            "frames": sum(map(len, pieces)),
        }
        print(f"{title:<44}{split:<15}{total:.4f} nats a frame", flush=True)
        rows.append(row | facts)
    return rows


def hearing_rows(data: Jsb16, splits: Sequence[str], path: Path) -> list[dict]:
    """Rows of the network that learnt to hear given notes too, told none: what that costs it.

    Args:
        data: the chorales.
        splits: names.
        path: weights of a transformer that hears given notes.
    """
    model, metadata = load_bare(path, "pins")
    nats = Mixture([model]).nats_by_voice
    title = f"{TRANSFORMER} that also hears given notes"
    return _rows(data, splits, TRANSFORMER, title, nats, facts_of(model, metadata))


def harmonizing_row(data: Jsb16, path: Path, split: str = "test") -> dict:
    """Nats per frame of the lower three voices, told the whole soprano beforehand and not told.

    It is the same network both times, which learnt from pieces with given notes and without. Either
    way a voice sees the soprano's past and its present note.

    Args:
        data: the chorales.
        path: weights of a transformer that hears given notes.
        split: whose sopranos are given.

    Raises:
        InputError: no such weights, or the network hears no given notes.
    """
    model, metadata = load_bare(path, "pins")
    if not model.config.pin_width:
        raise InputError(f"{path} does not hear given notes; train it with --train pins")
    pieces = data.examples(split)
    frames = np.array([len(piece) for piece in pieces])
    mixture = Mixture([model])
    without = _lower_voices(mixture.log_probs(pieces))
    told = _lower_voices(mixture.log_probs([with_soprano(piece) for piece in pieces]))
    gain = paired_difference(told, without, frames)
    row = {
        "task": "harmonizing",
        "model": "transformer, told the soprano",
        "grid": CHORALES,
        "data": "JSB",
        "split": split,
        "without": float(without.sum() / frames.sum()),
        "with": float(told.sum() / frames.sum()),
        "gain": gain.mean,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "pieces": len(pieces),
        "pieces_better": int((told < without).sum()),
        "mark": "this run",
    }
    print(
        f"lower voices, soprano given: {row['with']:.4f}, not given: {row['without']:.4f}",
        flush=True,
    )
    return row | facts_of(model, metadata)


def _lower_voices(log_probs: Sequence[np.ndarray]) -> np.ndarray:
    """``[piece]`` nats of bass, alto and tenor."""
    return np.array([-rows[:, 1:].sum() for rows in log_probs])
