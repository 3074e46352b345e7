"""Folders to write into: tried before any long work."""

from __future__ import annotations

import tempfile
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
