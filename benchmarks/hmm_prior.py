"""Should the network tell the hidden Markov model where it is? A head for its state, tried.

Constrained decoding of language models can share one hidden Markov model among all hypotheses and
let the network predict its state at every step, in place of a filter for each. Here a linear head
on the transformer's vector of a frame says how likely each state of the last frame was: alone, or
added to the filter's logarithms. It is fitted on the training chorales, which the network has seen
too, by the likelihood of the next frame, and judged on the held-out ones: by the next frame, and by
forecasts of cadences some beats ahead, for which guidance is there.

    uv run python benchmarks/hmm_prior.py --json OUT.json --md OUT.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from hmm_forecasts import Event, filters, forecasts, voice_tokens
from results import markdown_table, progress_bar, provenance, write_text

from clausula.corpus import held_out, load_chorales
from clausula.engine import hmm as hidden
from clausula.grid import Grid
from clausula.neural.batches import Batch, crop, stack
from clausula.neural.features import example_of
from clausula.neural.network import ChoraleTransformer
from clausula.neural.proposals import weights_of
from clausula.neural.weights import load_weights
from clausula.runtime import keep_compiled_programs

EPOCHS = 12
RATE = 2e-3
DECAY = 1e-2
LEAST = 1e-30  # a state the filter rules out stays ruled out, as a finite logarithm
WAYS = ("filter", "head", "head and filter")


@nnx.jit
def vectors(model: ChoraleTransformer, batch: Batch) -> jax.Array:
    """``[B, T, D]`` what the network makes of the frames before each one."""
    b = batch
    x = model.embed(b.previous, b.previous_age, b.begun, b.controls, b.echo, None)
    for block in model.blocks:
        x = block(x)
    return x


def vectors_of(model: ChoraleTransformer, grid: Grid, style: int) -> np.ndarray:
    """``[time, D]`` of a piece."""
    example = example_of(grid, style)
    length = -(-len(grid) // 64) * 64
    return np.asarray(vectors(model, stack([crop(example, 0, length)])))[0, : len(grid)]


def likelihoods(model: hidden.HMM, grid: Grid) -> np.ndarray:
    """``float64[time, state]`` log P(frame | state)."""
    table = np.asarray(hidden.log_emission(model, grid.key), float)
    classes, tokens = hidden.classes_of(grid), voice_tokens(grid)
    return sum(table[classes, voice, :, tokens[:, voice]] for voice in range(4))


def pieces_of(
    model: hidden.HMM, network: ChoraleTransformer, grids: Sequence[Grid], style: int
) -> list[dict[str, np.ndarray]]:
    """What head and filter are judged by: all frames but the first."""
    found = []
    with progress_bar() as progress:
        alphas = filters(model, grids)
        for grid, alpha in progress.track(
            list(zip(grids, alphas, strict=True)), description="reading"
        ):
            found.append(
                {
                    "vector": vectors_of(network, grid, style)[1:],
                    "log_filter": np.log(np.maximum(alpha[:-1], LEAST)).astype(np.float32),
                    "log_likelihood": likelihoods(model, grid)[1:].astype(np.float32),
                    "frame_class": np.asarray(hidden.classes_of(grid))[1:],
                }
            )
    return found


def believed(
    head: tuple[jax.Array, jax.Array], vector: jax.Array, log_filter: jax.Array, way: str
) -> jax.Array:
    """``[N, state]`` log probabilities of the last frame's state."""
    weight, bias = head
    own = vector @ weight + bias
    logits = {"filter": log_filter, "head": own, "head and filter": own + log_filter}[way]
    return jax.nn.log_softmax(logits, axis=-1)


@partial(jax.jit, static_argnames="way")
def nats(
    head: tuple[jax.Array, jax.Array],
    batch: dict[str, jax.Array],
    transition: jax.Array,
    way: str,
) -> jax.Array:
    """``[N]`` nats of each next frame, all frames of one class."""
    last = jnp.exp(believed(head, batch["vector"], batch["log_filter"], way))
    now = jnp.log(last @ transition)
    return -jax.scipy.special.logsumexp(now + batch["log_likelihood"], axis=-1)


def by_class(pieces: Sequence[dict[str, np.ndarray]]) -> dict[int, dict[str, np.ndarray]]:
    """All frames, those of one class together."""
    together = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    classes = together.pop("frame_class")
    return {
        int(c): {name: column[classes == c] for name, column in together.items()}
        for c in np.unique(classes)
    }


def mean_nats(head: tuple, pieces: Sequence[dict], model: hidden.HMM, way: str) -> float:
    """Nats of a frame under one way, over all frames."""
    total = count = 0.0
    for c, columns in by_class(pieces).items():
        for start in range(0, len(columns["vector"]), 2048):
            batch = {name: column[start : start + 2048] for name, column in columns.items()}
            total += float(nats(head, batch, model.transition[c], way).sum())
            count += len(batch["vector"])
    return total / count


def fitted(pieces: Sequence[dict], model: hidden.HMM, way: str) -> tuple:
    """The head under which the next frames are likeliest."""
    columns = by_class(pieces)
    width = pieces[0]["vector"].shape[1]
    states = model.transition.shape[1]
    head = (jnp.zeros((width, states)), jnp.zeros(states))
    batches = [
        (c, start) for c, each in columns.items() for start in range(0, len(each["vector"]), 512)
    ]
    steps = EPOCHS * len(batches)
    optimizer = optax.adamw(optax.cosine_decay_schedule(RATE, steps), weight_decay=DECAY)
    state = optimizer.init(head)

    @jax.jit
    def improved(head: tuple, state: tuple, batch: dict, transition: jax.Array) -> tuple:
        gradient = jax.grad(lambda h: nats(h, batch, transition, way).mean())(head)
        update, state = optimizer.update(gradient, state, head)
        return optax.apply_updates(head, update), state

    rng = np.random.default_rng(0)
    with progress_bar() as progress:
        for step in progress.track(range(steps), description=way):
            if step % len(batches) == 0:
                rng.shuffle(batches)
            c, start = batches[step % len(batches)]
            size = len(columns[c]["vector"])
            rows = np.arange(start, start + 512) % size  # one shape for all batches
            batch = {name: column[rows] for name, column in columns[c].items()}
            head, state = improved(head, state, batch, model.transition[c])
    return head


def log_losses(
    model: hidden.HMM, grids: Sequence[Grid], states: Sequence[np.ndarray]
) -> dict[tuple[str, int], float]:
    """Mean nats of what came of each event, by beats ahead."""
    found: dict[tuple[str, int], list[float]] = {}
    for forecast in forecasts(model, grids, tuple(Event), states):
        p = min(max(forecast.predicted, 1e-6), 1 - 1e-6)
        loss = -np.log(p if forecast.happened else 1 - p)
        found.setdefault((forecast.event.name, forecast.distance), []).append(loss)
    return {place: float(np.mean(losses)) for place, losses in found.items()}


def states_by(head: tuple, pieces: Sequence[dict], grids: Sequence[Grid], way: str) -> list:
    """``[time, state]`` of each piece: what a way believes once a frame has sounded."""
    states = []
    for piece in pieces:
        rows = np.exp(np.asarray(believed(head, piece["vector"], piece["log_filter"], way)))
        # Nothing is asked of the last frame's.
        states.append(np.concatenate([rows, rows[-1:]]))
    return states


def page(rows: Sequence[dict]) -> str:
    """The rows as Markdown."""
    events = [name for name in rows[0] if name.startswith("loss ")]
    header = ["state told by", "next frame, nats, training", "held out", *events]
    body = [
        [row["way"], f"{row['train']:.3f}", f"{row['held_out']:.3f}"]
        + [f"{row[name]:.4f}" for name in events]
        for row in rows
    ]
    return "\n".join(
        [
            "# Should the network tell the hidden Markov model where it is?",
            "",
            f"{provenance()}. A linear head on the shipped transformer's vectors, {EPOCHS} epochs. "
            "`loss EVENT, N`: mean nats of forecasts of the event N beats ahead of the held-out "
            "chorales' phrase ends.",
            "",
            markdown_table(header, body),
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--md", type=Path)
    options = parser.parse_args(arguments)
    keep_compiled_programs()
    corpus = load_chorales()
    kept = set(held_out(corpus))
    grids = {
        "train": [g for i, g in enumerate(corpus.grids) if i not in kept],
        "held out": [corpus.grids[i] for i in sorted(kept)],
    }
    model = hidden.load()[0]
    network, _ = load_weights(weights_of("transformer"), "transformer")
    network.eval()
    style = network.config.styles.index("bach")
    pieces = {name: pieces_of(model, network, some, style) for name, some in grids.items()}
    rows = []
    nothing = (jnp.zeros((1, 1)), jnp.zeros(1))
    for way in WAYS:
        head = fitted(pieces["train"], model, way) if way != "filter" else nothing
        if way == "filter":
            head = (jnp.zeros((pieces["train"][0]["vector"].shape[1], 1)), jnp.zeros(1))
        states = states_by(head, pieces["held out"], grids["held out"], way)
        losses = log_losses(model, grids["held out"], states)
        rows.append(
            {
                "way": way,
                "train": mean_nats(head, pieces["train"], model, way),
                "held_out": mean_nats(head, pieces["held out"], model, way),
            }
            | {f"loss {event}, {n}": losses[event, n] for event, n in sorted(losses)}
        )
        write_text(options.json, json.dumps(rows, indent=1) + "\n")
    text = page(rows)
    print(text)
    if options.md is not None:
        write_text(options.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
