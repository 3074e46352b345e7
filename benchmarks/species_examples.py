"""Cantus firmi and first species exercises with the messages that another checker expects of them.

Prints a Markdown table: each example, what was expected and which rule says it here, what was found
under the rule set ``fux``, and a verdict. An empty list of expected messages means only that
nothing of one group of that checker's rules was found; so further findings are named, and are no
failure.

Usage: ``python benchmarks/species_examples.py --data species_examples.json``. The file comes from
the tests of roberthead/head_music (MIT): key, pitches of cantus firmus and counterpoint, messages.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import clausula as cl
from clausula.constraints.example_score import modal_key
from clausula.constraints.passage import Task
from clausula.constraints.rulesets import load_ruleset

WHOLE = Fraction(4)
CODES = {
    "Always move to a different note.": "G12",
    "Avoid overlapping voices. Maintain the high-low relationship between voices even for adjacent "
    "notes.": "A07",
    "End on the first scale degree.": "G01",
    "Limit melodic range to a tenth.": "G05",
    "Peak on a note that is consonant with the tonic.": "G14",
    "Place a note in each measure.": "G13",
    "Recover large leaps by step in the opposite direction.": "G07",
    "Step down to the final note.": "G03",
    "Use a maximum of one octave leap.": "G15",
    "Use only P1, m2, M2, m3, M3, P4, P5, m6 (ascending), P8 in the melodic line.": "G04",
}
REASONS = {"Place a note in each measure.": "its rest is not in the data"}


class Exercise(NamedTuple):
    """An example, all figures that are written alike taken together.

    Attributes:
        name: what it is called.
        key: final and mode, or key.
        cantus: pitches of the cantus firmus.
        counterpoint: pitches against it, empty for a cantus alone.
        messages: expected of it.
    """

    name: str
    key: str
    cantus: tuple[str, ...]
    counterpoint: tuple[str, ...]
    messages: frozenset[str]


def exercises(path: Path) -> list[Exercise]:
    """The examples of a file, each once, with the messages that any copy of it expects."""
    found: dict[tuple, Exercise] = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        name = entry.get("name") or entry["source"]
        cantus = tuple(entry.get("cantus_firmus_pitches") or entry["pitches"])
        other = tuple(entry.get("counterpoint_pitches", ()))
        # A cantus that was spoilt on purpose is another example than the sound one, though its
        # notes may be the same where the data leaves out the rest.
        spot = (entry["key"], cantus, other, name if not other else "")
        before = found.get(spot)
        messages = frozenset(entry["expected_messages"]) | (before.messages if before else set())
        found[spot] = Exercise(before.name if before else name, *spot[:3], messages)
    return list(found.values())


def line(pitches: tuple[str, ...], letter: str) -> cl.Part:
    """Pitches as whole notes; one without an octave lies in that of middle C."""
    named = [pitch if pitch[-1].isdigit() else f"{pitch}4" for pitch in pitches]
    notes = (
        cl.Note(f"{letter}{number}", number * WHOLE, WHOLE, cl.SpelledPitch.parse(pitch))
        for number, pitch in enumerate(named)
    )
    return cl.Part(letter, tuple(notes))


def score_of(exercise: Exercise) -> tuple[cl.Score, int]:
    """The score, the higher part first, and the index of the cantus firmus."""
    parts = [line(exercise.cantus, "cantus")]
    if exercise.counterpoint:
        parts.append(line(exercise.counterpoint, "counterpoint"))
    parts.sort(key=lambda part: -sum(note.pitch.semitone for note in part.notes))
    cantus = next(index for index, part in enumerate(parts) if part.name == "cantus")
    signature = modal_key(exercise.key)[1]
    meters, keys = ((Fraction(0), cl.Meter.parse("4/4")),), ((Fraction(0), signature),)
    return cl.Score(tuple(parts), meters, keys, title=exercise.name, key_given=False), cantus


def findings(exercise: Exercise) -> list[cl.Finding]:
    """What the rules of Fux find in an example."""
    score, cantus = score_of(exercise)
    task = Task(species=1, cantus=cantus)
    return list(cl.check(score, "fux", modal_key(exercise.key)[0], task=task).findings)


def verdict(exercise: Exercise, codes: set[str]) -> str:
    """Whether what was expected was found, and what else there was."""
    missed = [message for message in exercise.messages if CODES[message] not in codes]
    if missed:
        named = [f"{CODES[each]}, {REASONS.get(each, 'not found')}" for each in sorted(missed)]
        return f"disagreement: {'; '.join(named)}"
    further = codes - {CODES[message] for message in exercise.messages}
    if not exercise.messages and not further:
        return "clean, as expected"
    found = "found" if exercise.messages else "nothing expected of one group of rules"
    return f"{found}; further {', '.join(sorted(further))}" if further else found


def table(path: Path) -> list[str]:
    """The rows of the report, its headings first."""
    rows = ["| example | expected | found (measures) | verdict |", "| --- | --- | --- | --- |"]
    for exercise in exercises(path):
        places: dict[str, list[int]] = {}
        for finding in findings(exercise):
            places.setdefault(finding.code, []).append(finding.measure)
        expected = [f"{message} → {CODES[message]}" for message in sorted(exercise.messages)]
        found = [f"{code} ({', '.join(map(str, places[code]))})" for code in sorted(places)]
        cells = (
            f"{exercise.name}, {exercise.key}",
            "; ".join(expected) or "—",
            "; ".join(found) or "—",
            verdict(exercise, set(places)),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Print the table, and how the rule set judges what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="species_examples.json")
    arguments = parser.parse_args()
    print(f"Rule set fux, {len(load_ruleset('fux').judged)} rules.\n")
    print("\n".join(table(arguments.data)))


if __name__ == "__main__":
    main()
