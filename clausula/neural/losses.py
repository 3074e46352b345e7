"""The picture of a training: loss against updates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def plot_losses(rows: Sequence[dict], path: Path) -> None:
    """Draw training and validation nats per frame against updates.

    Args:
        rows: of the training's log.
        path: the PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    steps = [row["step"] for row in rows]
    axes.plot(steps, [row["train"] for row in rows], label="training (with dropout)")
    axes.plot(steps, [row["valid"] for row in rows], label="validation (averaged weights)")
    axes.set_xlabel("updates")
    axes.set_ylabel("nats per frame")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
