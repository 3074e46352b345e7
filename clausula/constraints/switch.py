"""What books disagree about: a rule has a switch, a rule set chooses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Switch:
    """Something about which books disagree: a rule set chooses.

    Attributes:
        default: the choice of a rule set that says nothing.
        choices: every choice.
        says: what they mean, in a sentence.
    """

    default: Any
    choices: tuple[Any, ...]
    says: str

    def takes(self, choice: object) -> bool:
        """Whether that is one of the choices; ``True`` is no 1 here, though Python says so."""
        return any(choice == c and type(choice) is type(c) for c in self.choices)

    @property
    def words(self) -> tuple[str, ...]:
        """Every choice as a rule set's file writes it."""
        return tuple(written(choice) for choice in self.choices)


def written(choice: object) -> str:
    """A choice as TOML writes it, which for words, numbers and truth is as JSON does."""
    return json.dumps(choice, ensure_ascii=False)
