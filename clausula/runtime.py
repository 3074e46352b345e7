"""Where compiled programs are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for clausula (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "clausula"


def keep_compiled_programs() -> None:
    """Let JAX keep compiled programs on disk, so that a second process starts fast.

    A folder that the user already chose (``JAX_COMPILATION_CACHE_DIR``) is left alone.
    """
    import jax

    # JAX adds its options to the class at run time, where no type checker sees them.
    if jax.config.jax_compilation_cache_dir is None:  # type: ignore[attr-defined]
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
