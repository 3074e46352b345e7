"""Files and folders to write: folders are tried before any long work, files appear as a whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from clausula.errors import InputError


def require_folder(out: Path) -> None:
    """Make sure, before any long work, that files can be written into a folder.

    Raises:
        InputError: it is a file, or neither it nor the nearest folder above it can be written.
    """
    try:
        if out.is_file():
            raise InputError(f"--out {out} is a file; name a folder")
        nearest = next(path for path in (out, *out.absolute().parents) if path.exists())
        with tempfile.TemporaryDirectory(prefix=".clausula-", dir=nearest):
            pass
    except OSError as error:
        raise unwritable(out, error) from error


def unwritable(out: Path, error: OSError) -> InputError:
    """What to tell a user whose output cannot be written."""
    return InputError(f"--out {out} cannot be written ({error.strerror}); try another folder")


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file as a whole: under a temporary name beside it, then renamed.

    Raises:
        InputError: the folder does not exist or cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}; try a folder that exists"
        ) from error
    finally:
        with suppress(OSError):  # renamed, or never begun
            unfinished.unlink()
