"""What the benchmarks share: rows kept as they come, and where they were measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jax
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

ROOT = Path(__file__).parents[1]
_COMPILED = "/jax/core/compile/backend_compile_duration"


def progress_bar() -> Progress:
    """A bar with the number done and the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn())


class Compilations:
    """Seconds that JAX has spent compiling since this was made."""

    def __init__(self) -> None:
        self.seconds = 0.0
        jax.monitoring.register_event_duration_secs_listener(self._add)

    def _add(self, event: str, seconds: float, **_more: object) -> None:
        if event == _COMPILED:
            self.seconds += seconds


def provenance() -> str:
    """Commit, device and JAX version, in words."""
    device = jax.devices()[0].platform
    return f"commit {commit()}, {device}, {os.cpu_count()} cores, JAX {jax.__version__}, " + (
        f"Python {platform.python_version()}"
    )


def commit() -> str:
    """The commit that is checked out, marked if files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def read_rows(path: Path) -> list[dict]:
    """Rows of a JSON-lines file; none when it does not exist yet.

    A last line without its end was being written when the process was killed: it is no row.
    """
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def append_row(path: Path, row: dict) -> None:
    """Add one row to a JSON-lines file, in place of a last line that was left unfinished."""
    with path.open("a+b") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(row).encode() + b"\n")


def write_text(path: Path, text: str) -> None:
    """Write a file through a temporary name."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    os.replace(temporary, path)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; every column but the first is aligned right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
