"""The errors that clausula raises on purpose: one small tree under one base class.

Each message says what was found, where, and what to try.
"""

from __future__ import annotations

from collections.abc import Iterable


class ClausulaError(Exception):
    """Base class of everything clausula raises on purpose; the command line exits with 2."""


class InputError(ClausulaError):
    """A file or an argument that cannot be read as music."""


class PlanError(ClausulaError):
    """A plan that contradicts itself, or that nothing within the rules can meet."""


class ImpossibleError(PlanError):
    """A plan that was proved to have no solution.

    Attributes:
        conflict: constraints, each by the name a user knows it by, that cannot hold together.
        prover: what proved it.
        detail: where, why, and what to try; the message itself where nothing shorter says it.
        minimal: whether music was found for every set that is smaller by one. Otherwise the
            conflict is irreducible for that prover: it proves no smaller set impossible.
    """

    def __init__(
        self,
        message: str,
        conflict: Iterable[str],
        prover: str,
        *,
        detail: str = "",
        minimal: bool = False,
    ) -> None:
        """Say it in one line, and keep the parts."""
        super().__init__(message)
        self.detail = detail or message
        self.conflict = tuple(conflict)
        self.prover = prover
        self.minimal = minimal

    def lines(self) -> str:
        """The same for a terminal, a constraint a line."""
        kind = "minimal: any one of them can be left out" if self.minimal else "irreducible for it"
        return "\n".join(
            [
                f"impossible, proved by {self.prover}; these cannot hold together ({kind}):",
                *(f"  {name}" for name in self.conflict),
                self.detail,
            ]
        )


class CorpusError(ClausulaError):
    """An encoded corpus, or weights, that are missing or do not fit."""


class SearchError(ClausulaError):
    """The search gave up: a plan not proved impossible, yet no piece was found.

    Attributes:
        dead_ends: passes over a piece that left no hypothesis.
        first_dead_end: where the first pass left none, in words; empty if it left some.
    """

    def __init__(self, message: str, *, dead_ends: int = 0, first_dead_end: str = "") -> None:
        """Say it in one line, and keep what a benchmark counts."""
        super().__init__(message)
        self.dead_ends = dead_ends
        self.first_dead_end = first_dead_end
