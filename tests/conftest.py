"""Strict JAX for every test: CPU, no silent rank promotion."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
