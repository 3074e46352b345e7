"""The errors that clausula raises on purpose: one small tree under one base class.

Each message says what was found, where, and what to try.
"""

from __future__ import annotations


class ClausulaError(Exception):
    """Base class of everything clausula raises on purpose; the command line exits with 2."""


class InputError(ClausulaError):
    """A file or an argument that cannot be read as music."""


class PlanError(ClausulaError):
    """A plan that contradicts itself, or that nothing within the rules can meet."""


class CorpusError(ClausulaError):
    """An encoded corpus, or weights, that are missing or do not fit."""


class SearchError(ClausulaError):
    """The search gave up: a plan not proved impossible, yet no piece was found."""
