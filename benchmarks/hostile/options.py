"""Things that are no files, options that are none, and files that are long."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hostile.case import SATB, Case, four, score, single

RANGES = '[ranges]\nS = ["C4", "A5"]\nA = ["F3", "E5"]\nT = ["B2", "A4"]\nB = ["D2", "E4"]\n'
RULE_SETS = {
    "that is empty": ("", "[ranges] and [rules] must be tables"),
    "that is no TOML": ("a = [", "not TOML"),
    "of null bytes": ("\0" * 100, "not TOML"),
    "of 100,000 nested lists": ("a = " + "[" * 100_000, "nested too deeply"),
    "of 10 million letters": ("# " + "x" * 10_000_000, "larger than 1,000,000 bytes"),
    "of 30,000 unknown rules": (
        RANGES + "[rules]\n" + "".join(f'X{i} = {{ severity = "error" }}\n' for i in range(30_000)),
        "'X0' is unknown",
    ),
    "whose rules are a list": (
        RANGES.replace("[ranges]", "rules = [1]\n[ranges]"),
        "must be tables",
    ),
    "whose rule is a number": (RANGES + "[rules]\nM01 = 1", "rule M01 is 1"),
    "whose severity is a list": (
        RANGES + "[rules]\nM01 = { severity = ['error'] }",
        "severity ['error'] is unknown",
    ),
    "whose hard is a word": (
        RANGES + '[rules]\nM01 = { severity = "error", hard = "yes" }',
        "hard is 'yes'",
    ),
    "whose cost is infinite": (RANGES + "[rules]\nV03 = { cost = inf }", "cost is inf"),
    "whose cost is NaN": (RANGES + "[rules]\nV03 = { cost = nan }", "cost is nan"),
    "whose switch is a number": (RANGES + "[rules]\nM04 = { of = 3 }", "of is 3"),
    "whose switch is a table": (RANGES + "[rules]\nM04 = { of = { a = 1 } }", "of is {"),
    "whose switch is a date": (RANGES + "[rules]\nM04 = { of = 1979-05-27 }", "of is datetime"),
    "with an unknown switch": (RANGES + "[rules]\nM01 = { sometimes = true }", "'sometimes'"),
    "whose range is a number": ("[ranges]\nS = 60", "range S is 60"),
    "whose range has numbers": (RANGES.replace('"C4"', "60"), "'60' is not a pitch"),
    "whose range is upside down": (RANGES.replace('["C4", "A5"]', '["A5", "C4"]'), "swap"),
    "whose range is beyond MIDI": (RANGES.replace('"A5"', '"A500"'), "A500"),
}
BAR = ("C5:1 B4:1 C5:1 D5:1", "G4:1 G4:1 G4:1 G4:1", "E4:1 D4:1 E4:1 D4:1", "C3:1 G2:1 C3:1 B2:1")


def _rule_set(text: str) -> dict:
    return {"options": ("--rules", "{folder}/mine.toml"), "beside": (("mine.toml", text),)}


def _long(measures: int, bar: str) -> Callable[[], str]:
    return lambda: score(single(" | ".join([bar] * measures)))


def _changing(measures: int) -> str:
    """A part whose meter changes at every bar line."""
    meter = "<attributes><time><beats>{}</beats><beat-type>4</beat-type></time></attributes>"
    bars = single(" | ".join(f"C5:{3 + i % 2}" for i in range(measures)))
    return score([meter.format(3 + i % 2) + bar for i, bar in enumerate(bars)])


CASES = (
    Case("a folder", bytes, says="a folder", place=Path.mkdir),
    Case("a named pipe", bytes, says="a pipe or a device", place=os.mkfifo),
    Case("/dev/null", bytes, says="a pipe or a device", place=lambda p: p.symlink_to("/dev/null")),
    Case("/dev/zero", bytes, says="a pipe or a device", place=lambda p: p.symlink_to("/dev/zero")),
    Case("a link to itself", bytes, says="cannot be read", place=lambda p: p.symlink_to(p)),
    Case("a link to nothing", bytes, says="no such file", place=lambda p: p.symlink_to("none")),
    Case("no file", bytes, says="no such file", place=lambda p: None),
    *(
        Case(f"a rule set {name}", four, says=words, **_rule_set(text))
        for name, (text, words) in RULE_SETS.items()
    ),
    Case(
        "a rule set that is a folder",
        four,
        says="cannot be read",
        options=("--rules", "{folder}/sub.toml"),
        beside=(("sub.toml/x", ""),),
    ),
    Case(
        "a rule set that is a device",
        four,
        says="a pipe or a device",
        options=("--rules", "{folder}/null.toml"),
        links=(("null.toml", "/dev/zero"),),
    ),
    *(
        Case(f"key {key[:12]!r}", four, says=words, options=("--key", key))
        for key, words in (
            ("H", "is not a key"),
            ("", "is not a key"),
            ("C" * 10_000, "is not a key"),
            ("B## major", "is not a key"),
            ("G# major", "accidentals"),
            ("☃", "is not a key"),
        )
    ),
    Case(
        "10,000 measures of one voice",
        _long(10_000, "C5:4"),
        (" ".join(["C5:4"] * 10_000),),
        slow=True,
    ),
    Case(
        "10,000 measures of four voices in quarters",
        lambda: four(*(" | ".join([bar] * 10_000) for bar in BAR)),
        tuple(" ".join([bar] * 10_000) for bar in BAR),
        slow=True,
    ),
    Case(
        "20,000 measures of four voices in quarters",
        lambda: four(*(" | ".join([bar] * 20_000) for bar in BAR)),
        says="tags",
        slow=True,
    ),
    Case(
        "30,000 measures of one voice",
        _long(30_000, "C5:4"),
        says="quarter notes in length",
        slow=True,
    ),
    Case(
        "2,000 changes of meter",
        lambda: _changing(2_000),
        (" ".join(f"C5:{3 + i % 2}" for i in range(2_000)),),
    ),
    Case(
        "one note held for 2,000 measures",
        lambda: score(single(" | ".join(["C5:4"] * 2_000))).replace(
            "</voice>", '</voice><tie type="stop"/><tie type="start"/>'
        ),
        ("C5:8000",),
    ),
    Case("100 parts", lambda: score(*(single("C5:4") for _ in range(100))), ("C5:4",) * 100),
    Case("SATB with the system's own file name", four, SATB, file="a b;c$(d)&.xml"),
)
