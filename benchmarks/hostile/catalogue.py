"""Every case."""

from __future__ import annotations

from hostile import damage, keyboard, notation, options, other_formats
from hostile.case import Case

GROUPS: dict[str, tuple[Case, ...]] = {
    "Layouts of four voices": keyboard.CASES,
    "Notation": notation.CASES,
    "Damage": damage.CASES,
    "MIDI, kern and ABC": other_formats.CASES,
    "What is no file, options, length": options.CASES,
}
