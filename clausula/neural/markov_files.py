"""Counts on disk: safetensors, sorted hashes as distances from one another, compressed."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from clausula.errors import CorpusError
from clausula.neural.markov_tables import Table

_LEVEL = 6  # of compression


def save_tables(
    path: Path,
    tables: tuple[Table, ...],
    others: dict[str, np.ndarray],
    metadata: dict[str, str],
) -> None:
    """Write tables and other arrays, through a temporary name.

    Args:
        path: the file.
        tables: by slot; counts stop at 65,535.
        others: further arrays by name.
        metadata: recorded with them.
    """
    tensors = {f"other.{name}": array for name, array in others.items()}
    for slot, table in enumerate(tables):
        tensors |= {
            f"{slot}.gap": _planes(np.diff(table.context, prepend=np.uint32(0))),
            f"{slot}.kinds": np.diff(table.start).astype(np.uint8),
            f"{slot}.symbol": table.symbol,
            f"{slot}.count": _planes(np.minimum(table.count, 65535).astype(np.uint16)),
        }
    for key, text in metadata.items():
        tensors[f"metadata.{key}"] = np.frombuffer(text.encode(), np.uint8)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(zlib.compress(save(tensors), _LEVEL))
    os.replace(temporary, path)


def load_tables(
    path: Path,
) -> tuple[tuple[Table, ...], dict[str, np.ndarray], dict[str, str]]:
    """What ``save_tables`` wrote: tables, other arrays, metadata.

    Raises:
        CorpusError: no such file, or it holds no tables.
    """
    try:
        tensors = load(zlib.decompress(path.read_bytes()))
        tables = tuple(_table(tensors, slot) for slot in range(4))
    except FileNotFoundError:
        raise CorpusError(f"no counts at {path}; fit some with 'clausula train'") from None
    except (zlib.error, SafetensorError, OSError, KeyError) as error:
        raise CorpusError(
            f"{path} holds no counts ({error}); fit some with 'clausula train'"
        ) from error
    others = {name[6:]: array for name, array in tensors.items() if name.startswith("other.")}
    metadata = {
        name[9:]: bytes(array).decode()
        for name, array in tensors.items()
        if name.startswith("metadata.")
    }
    return tables, others, metadata


def _planes(values: np.ndarray) -> np.ndarray:
    """``uint8[bytes, N]`` the values by significance of their bytes, which compresses better."""
    return np.ascontiguousarray(values.view(np.uint8).reshape(len(values), -1).T)


def _from_planes(planes: np.ndarray, kind: type) -> np.ndarray:
    return np.ascontiguousarray(planes.T).view(kind)[:, 0]


def _table(tensors: dict[str, np.ndarray], slot: int) -> Table:
    start = np.append(0, np.cumsum(tensors[f"{slot}.kinds"], dtype=np.int64)).astype(np.int32)
    gap = _from_planes(tensors[f"{slot}.gap"], np.uint32)
    return Table(
        np.cumsum(gap, dtype=np.uint32),
        start,
        tensors[f"{slot}.symbol"],
        _from_planes(tensors[f"{slot}.count"], np.uint16).astype(np.float32),
    )
