"""What rules, switches, rule sets and examples say, in words for a student."""

from __future__ import annotations

from collections.abc import Sequence

from clausula.constraints.cadence import CadenceKind
from clausula.constraints.example import Example
from clausula.constraints.example_score import MODES, voice_letters
from clausula.constraints.listing import Standing
from clausula.constraints.rule import Enforcement, Rule, Severity
from clausula.constraints.switch import written
from clausula.pitch import Key

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
_CADENCES = {
    CadenceKind.PAC: "a perfect authentic cadence",
    CadenceKind.IAC: "an imperfect authentic cadence",
    CadenceKind.HC: "a half cadence",
    CadenceKind.DC: "a deceptive cadence",
    CadenceKind.PLAGAL: "a plagal cadence",
    CadenceKind.PHRYGIAN: "a Phrygian cadence",
}
_ENFORCED = {
    Enforcement.MASK: "Where it is hard, the search takes up no note that breaks it.",
    Enforcement.AUTOMATON: "What is asked for becomes an automaton that the search follows.",
    Enforcement.FINALS_ONLY: "Where it is an error, pieces that break it are rejected or mended.",
    Enforcement.CHECK_ONLY: "Only the checker judges it.",
}
_VOICES = {"S": "soprano", "A": "alto", "T": "tenor", "B": "bass"}


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def enforcement_in_words(rule: Rule) -> str:
    """What generation does about a rule."""
    return _ENFORCED[rule.enforcement]


def titles_of_examples(rule: Rule) -> tuple[str, str]:
    """What to call a rule's first example, and the one beside it that obeys the rule."""
    return ("Example", "Instead") if rule.severity >= Severity.STYLE else ("Example", "Not one")


def source_in_words(rule: Rule) -> str:
    """Where a rule was read; the address of a site keeps its small letters."""
    return f"{rule.source}."


def choices_in_words(rule: Rule, taken: Sequence[Standing]) -> list[str]:
    """A sentence or two for each switch: its choices, and which rule sets choose which.

    Args:
        rule: whose switches.
        taken: how rule sets take it; those that leave it off are not named.
    """
    lines = []
    for name, switch in rule.switches.items():
        chosen = [
            f"{written(choice)} in {', '.join(sets)}"
            for choice in switch.choices
            if (sets := [e.ruleset for e in taken if e.taken and e.choices[name] == choice])
        ]
        line = f"{name} ({' or '.join(switch.words)}): {sentence(switch.says)}"
        lines.append(f"{line} {'; '.join([f'Default: {written(switch.default)}', *chosen])}.")
    return lines


def standings_in_words(taken: Sequence[Standing]) -> str:
    """How some rule sets take a rule, in a sentence."""
    words = [f"{each.ruleset}: {each.severity.word}{_price(each)}" for each in taken if each.taken]
    off = [each.ruleset for each in taken if not each.taken]
    return "; ".join([*words, *([f"off in {', '.join(off)}"] if off else [])]) + "."


def _price(standing: Standing) -> str:
    if standing.hard:
        return ", never in generated music"
    return f", {standing.cost:g} nats a frame" if standing.cost else ""


def setting_in_words(example: Example, engraved: bool = False) -> str:
    """The key of an example and what else a reader has to know to judge it.

    Args:
        example: which.
        engraved: whether the reader sees it in notation, with its chords below the bass.
    """
    key = _key_name(example.key)
    facts = [f"{Key.parse(example.key_before)}, then {key}" if example.key_before else key]
    if example.species:
        facts.append(f"{_ORDINALS[example.species]} species")
    if example.cantus:
        facts.append(f"the cantus firmus is the {_VOICES[example.cantus]}")
    if example.numerals and not engraved:
        what = "chords asked for" if example.asked else "chords"
        facts.append(f"{what}: {' '.join(example.numerals)}")
    if example.figures and not engraved:
        facts.append(f"figures: {' '.join(text or '-' for text in example.figures)}")
    if example.given:
        letter, _, notes = example.given.partition(":")
        facts.append(f"given to the {_VOICES[letter]}: {notes.strip()}")
    if example.cadence:
        facts.append(f"to close with {_CADENCES[CadenceKind(example.cadence)]}")
    if example.boundary:
        facts.append("a phrase ends before the last chord")
    if example.arrival:
        facts.append("the last chord closes an authentic cadence")
    if example.asked and engraved:
        facts.append("with these chords asked for")
    if example.lines and not engraved:
        facts.append("lengths in quarters")
    if example.where:
        measure, _, beat = example.where.partition(".")
        facts.append(f"see measure {measure}, beat {beat}")
    return "; ".join(facts)


def table_of_example(example: Example) -> list[str]:
    """A line for each voice, the blamed ones marked: chords as columns, or notes with lengths."""
    columns = [chord.split() for chord in example.chords]
    sung = example.lines or [
        "".join(note.ljust(5) for note in notes).rstrip() for notes in zip(*columns, strict=True)
    ]
    return [
        f"{letter}  {notes}{'  <' if letter in example.at else ''}"
        for letter, notes in zip(voice_letters(example), sung, strict=True)
    ]


def _key_name(text: str) -> str:
    """The key of an example in words; a mode as it is written there."""
    final, _, mode = text.partition(" ")
    return f"{final.capitalize()} {mode}" if mode.lower() in MODES else str(Key.parse(text))
