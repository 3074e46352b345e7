"""How the examples of another checker are read, and which rules say what it says."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import species_examples

from clausula.constraints.rulesets import load_ruleset

CANTUS = ["D4", "F4", "E4", "D4", "G4", "F4", "A4", "G4", "F4", "E4", "D4"]


def written(tmp_path: Path, *entries: dict) -> Path:
    path = tmp_path / "examples.json"
    path.write_text(json.dumps(entries))
    return path


def test_every_message_is_a_rule_of_the_set():
    assert set(species_examples.CODES.values()) <= {r.code for r in load_ruleset("fux").judged}


def test_figures_that_occur_twice_are_merged_and_parts_stand_in_order(tmp_path):
    low = ["D3", "D3", "A3", "F3", "E3", "D3", "F3", "C", "D", "C#", "D"]
    entry = {"source": "a figure", "key": "D dorian", "cantus_firmus_pitches": CANTUS}
    entry["counterpoint_pitches"] = low
    message = "Limit melodic range to a tenth."
    path = written(
        tmp_path,
        {**entry, "expected_messages": []},
        {**entry, "expected_messages": [message]},
    )
    (merged,) = species_examples.exercises(path)
    assert merged.messages == {message}
    score, cantus = species_examples.score_of(merged)
    assert cantus == 0
    assert [part.name for part in score.parts] == ["cantus", "counterpoint"]
    assert score.parts[1].notes[7].pitch.name == "C4"


def test_a_table_says_what_was_found_and_what_was_missed(tmp_path):
    path = written(
        tmp_path,
        {
            "name": "skips down",
            "key": "D dorian",
            "pitches": [*CANTUS[:-2], "D4"],
            "expected_messages": ["Step down to the final note."],
        },
        {
            "name": "a rest that is lost",
            "key": "D dorian",
            "pitches": CANTUS,
            "expected_messages": ["Place a note in each measure."],
        },
        {"name": "sound", "key": "D dorian", "pitches": CANTUS, "expected_messages": []},
    )
    found, missed, clean = species_examples.table(path)[2:]
    assert found.endswith("| G03 (10) | found |")
    assert "disagreement: G13" in missed
    assert clean.endswith("| — | clean, as expected |")
