"""What a rule says, in words, for ``clausula explain``."""

from __future__ import annotations

from textwrap import fill, indent

from clausula.constraints.example import Example
from clausula.constraints.example_score import MODES, voice_letters
from clausula.constraints.registry import find_rule
from clausula.constraints.rule import Rule
from clausula.constraints.rulesets import known_rulesets, load_ruleset
from clausula.pitch import Key

_WIDTH = 88
_MARGIN = "    "


def explain(code: str) -> str:
    """A page on one rule: what it says, why, an example, what to write instead, exceptions, source.

    Raises:
        InputError: no such rule; the message lists near ones.
    """
    rule = find_rule(code)
    sections = (
        ("What it says", _prose(rule.says)),
        ("Why", _prose(rule.why)),
        ("Example", _table(rule.breaking[0])),
        ("Instead", _table(rule.obeying[0])),
        ("Exceptions", _prose(rule.exceptions or "None.")),
        ("Source", _prose(rule.source)),
        ("Rule sets", _prose(_standing(rule))),
    )
    body = "\n\n".join(f"{heading}\n{text}" for heading, text in sections)
    return f"{rule.code}  {rule.name}\n\n{body}\n"


def _prose(text: str) -> str:
    return fill(text, _WIDTH, initial_indent=_MARGIN, subsequent_indent=_MARGIN)


def _table(example: Example) -> str:
    """The chords of an example as columns, or its lines: one a voice, the blamed voices marked."""
    columns = [chord.split() for chord in example.chords]
    lines = [_key_name(example.key)]
    if example.key_before:
        lines = [f"{Key.parse(example.key_before)}, then {lines[0]}"]
    sung = example.lines or [
        "".join(note.ljust(5) for note in notes).rstrip() for notes in zip(*columns, strict=True)
    ]
    for letter, notes in zip(voice_letters(example), sung, strict=True):
        mark = "  <" if letter in example.at else ""
        lines.append(f"{letter}  {notes}{mark}")
    return indent("\n".join(lines), _MARGIN)


def _key_name(text: str) -> str:
    """The key of an example in words; a mode as it is written there."""
    final, _, mode = text.partition(" ")
    return f"{final.capitalize()} {mode}" if mode.lower() in MODES else str(Key.parse(text))


def _standing(rule: Rule) -> str:
    """How each bundled rule set takes the rule."""
    words = []
    for name in known_rulesets():
        ruleset = load_ruleset(name)
        price = next((f", {nats:g} nats a frame" for r, nats in ruleset.costs if r == rule), "")
        hard = ", never in generated music" if rule in ruleset.hard else price
        words.append(f"{name}: {ruleset.severity(rule.code).word}{hard}")
    return "; ".join(words) + "."
