"""Constraint sets: what they take out of a plan, own ones, rows kept after a kill, the tables."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import constraint_sets
import set_page
from constraint_sets import OUTLINES, QUICK, Size, Task, chosen_sets, missing, of_task, tasks
from copied_runs import CopiedRuns
from named_sets import COPYING, Level, bundled, load_sets
from openings import real_openings
from results import append_row, read_rows
from set_report import (
    MEASURES,
    REAL,
    caveats,
    distinct,
    everything,
    measured,
    quality_table,
    report,
    rule_table,
    search_table,
    unlike,
)
from written_notes import grid_of_notes, notes_of

from clausula.constraints.copying import MaxCopy
from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.soft import Soft
from clausula.constraints.text import parse_constraint
from clausula.constraints.verify_copying import verify_max_copy
from clausula.corpus import held_out, load_chorales
from clausula.engine.tables import compile_plan
from clausula.errors import InputError
from clausula.grid import REST, Meter, Voice

SETS = bundled()
OUTLINE = QUICK["G: A A'"]
PLAN = OUTLINE.plan(8)


def texts(constraints):
    return [str(constraint) for constraint in constraints]


def test_the_bundled_sets_are_none_each_part_all_and_all_but_each_part():
    parts = ["ranges", "counterpoint", "cadences", "repetition", "anti-plagiarism"]
    assert list(SETS) == ["none", *parts, "all", "all-soft", *(f"without {p}" for p in parts)]


def test_none_asks_for_nothing():
    none = SETS["none"]
    assert none.of(PLAN).constraints == ()
    assert none.ruleset().settings == ()
    assert none.ruleset().low == load_ruleset("none").low


def test_all_asks_for_the_plan_and_the_rules():
    every = SETS["all"]
    assert every.of(PLAN).constraints == (*PLAN.constraints, *map(parse_constraint, COPYING))
    chorale = load_ruleset("chorale")
    found = every.ruleset()
    assert (found.settings, found.low, found.high) == (chorale.settings, chorale.low, chorale.high)


def test_wishes_have_a_price_and_nothing_is_hard():
    soft = SETS["all-soft"]
    assert all(isinstance(wish, Soft) for wish in soft.of(PLAN).constraints)
    assert texts(soft.of(PLAN).constraints)[0] == "soft 3 range S C4-G5"
    assert len(soft.of(PLAN).constraints) == 4 + len(PLAN.constraints) + len(COPYING)
    settings = soft.ruleset().settings
    assert not any(setting.hard for setting in settings)
    assert {s.code: s.cost for s in settings} == dict.fromkeys(
        ("V01", "V02", "V04", "V10"), 0.75
    ) | {"V03": 0.5}


def test_what_is_left_out_is_left_out_alone():
    every = set(texts(SETS["all"].of(PLAN).constraints))
    lost = {name: every - set(texts(SETS[name].of(PLAN).constraints)) for name in SETS}
    assert lost["without cadences"] == {"HC@4.3", "PAC@8.3"}
    assert lost["without repetition"] == {"repeat 1-2 @ 5 in S"}
    assert lost["without anti-plagiarism"] == set(COPYING)
    assert lost["without ranges"] == lost["without counterpoint"] == set()
    assert SETS["without ranges"].ruleset().low == load_ruleset("none").low


@pytest.mark.parametrize("name", ["none", "counterpoint", "all-soft"])
def test_every_kind_of_set_compiles(name):
    compiled = compile_plan(SETS[name].of(PLAN), SETS[name].ruleset())
    assert compiled.domains.masks.all()


def own(tmp_path, text):
    path = tmp_path / "sets.toml"
    path.write_text(text)
    return path


def test_own_sets_start_from_named_ones(tmp_path):
    text = """
[sets.calm]
like = "all"
counterpoint = "off"
rules = "common-practice-strict"
repetition = "soft"
weight = 6
constraints = ["stagnation 3 in S", "HC@4"]
"""
    calm = load_sets(own(tmp_path, text))["calm"]
    assert (calm.counterpoint, calm.cadences) == (Level.OFF, Level.HARD)
    plan = calm.of(OUTLINE.plan(8, calm))
    assert texts(plan.cadences) == ["HC@4", "PAC@8.3"]
    assert {"stagnation 3 in S", "soft 6 repeat 1-2 @ 5 in S"} <= set(texts(plan.others))
    assert calm.ruleset().high == load_ruleset("common-practice-strict").high


def test_constraints_besides_hold_whatever_the_parts_say(tmp_path):
    free = load_sets(own(tmp_path, '[sets.free]\nconstraints = ["HC@4", "repeat 1 @ 3"]'))["free"]
    assert texts(free.of(OUTLINE.plan(8, free)).constraints) == ["HC@4", "repeat 1 @ 3 in S"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sets = 3", "no set; write tables"),
        ("[set.a]", "set; write tables"),
        ("[sets", "write \\[sets.NAME\\] tables"),
        ("[sets]\na = 1", "set a is 1; write a table"),
        ("[sets.a]\nrange = 'hard'", "'range' is unknown; try ranges"),
        ("[sets.a]\nranges = 'firm'", "ranges is 'firm'; try off, soft, hard"),
        ("[sets.a]\nlike = 'most'", "like 'most' is no set; try none"),
        ("[sets.a]\nrules = 'nope'", "set a: no rule set 'nope'"),
        ("[sets.a]\nweight = 0", "weight is 0; write a number"),
        ("[sets.a]\nconstraints = 'PAC@8'", "constraints is 'PAC@8'; write a list"),
        ("[sets.a]\nconstraints = ['PAC']", "set a: 'PAC' is not a constraint"),
    ],
)
def test_sets_that_mean_nothing_are_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        load_sets(own(tmp_path, text))


def test_only_known_sets_are_chosen():
    assert [each.name for each in chosen_sets(None, "all, none")] == ["all", "none"]
    with pytest.raises(InputError, match="no set 'some'"):
        chosen_sets(None, "some")


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "rows.jsonl"
    wanted = list(tasks([SETS["none"], SETS["all"]], Size(QUICK, 2, 8, 8)))
    for task in wanted[:2]:
        append_row(path, task.named | {"seconds": 1})
    whole = path.read_bytes()
    path.write_bytes(whole + json.dumps(wanted[2].named).encode()[:40])
    assert missing(wanted, read_rows(path)) == wanted[2:]
    append_row(path, wanted[2].named)
    assert missing(wanted, read_rows(path)) == wanted[3:]
    assert path.read_bytes().startswith(whole)


def test_another_size_or_another_meaning_is_another_row():
    task = next(tasks([SETS["all"]], Size(QUICK, 1, 8, 8)))
    rows = [task.named]
    assert of_task(task, rows) == rows
    changed = SETS["without ranges"]
    assert not of_task(task._replace(beam=16), rows)
    assert not of_task(Task(changed, *task[1:]), [task.named | {"set": changed.name}])


def test_the_longest_copies_are_those_that_the_verifier_finds():
    corpus = load_chorales()
    apart = held_out(corpus)
    others = [grid for i, grid in enumerate(corpus.grids) if i not in set(apart)][:20]
    runs = CopiedRuns(others)
    for index in apart[:2]:
        grid = corpus.grids[index]
        found = runs.longest(grid)
        for length, voices in ((found.notes, tuple(Voice)), (found.verticalities, ())):
            assert verify_max_copy(grid, MaxCopy(length, voices), others)
            assert not verify_max_copy(grid, MaxCopy(length + 1, voices), others)


def test_kept_notes_are_the_piece():
    grid = next(g for _, g in real_openings(8, Meter(4, 4)) if (g.pitch != REST).all())
    again = grid_of_notes(notes_of(grid), PLAN)
    np.testing.assert_array_equal(again.pitch, grid.pitch)
    np.testing.assert_array_equal(again.onset, grid.onset)


def test_openings_are_as_long_as_asked_and_begin_with_notes():
    found = real_openings(8, Meter(4, 4))
    assert len(found) > 20
    assert all(len(grid) == 128 and grid.onset[0].all() for _, grid in found)


def row_of(name, seed, **changes):
    """A row as composing writes it: a held chord, its soprano moved by the seed."""
    task = Task(SETS[name], "G: A A'", seed, 8, 8)
    notes = [[[0, 72 + seed], [64, 74], [96, 72], [120, 71]], [[0, 67]], [[0, 64]], [[0, 48]]]
    row = task.named | {
        "commit": "abc",
        "seconds": 2.0 + seed,
        "compiled": seed == 0,
        "asked_hard": 4,
        "kept_hard": 4,
        "wishes": 0,
        "granted": 0,
        "nats": 1.0 + seed,
        "taste": 3.0,
        "dead_ends": seed,
        "rejected": 0,
        "cadences": [True, False],
        "returns": [seed == 1],
        "beats": 32.0,
        "findings": {"M01": seed},
        "faults": seed,
        "copied_notes": 8,
        "copied_verticalities": 4,
        "notes": notes,
    }
    return row | changes


def real_row(seed):
    kept = ("beats", "findings", "faults", "copied_notes", "copied_verticalities", "notes")
    row = row_of("none", seed)
    return {"set": REAL, "outline": REAL, "seed": seed, "measures": 8} | {k: row[k] for k in kept}


ROWS = [row_of(name, seed) for name in ("none", "all") for seed in range(3)]


def test_pieces_are_compared_frame_by_frame_and_run_by_run():
    one, other = row_of("none", 0), row_of("none", 1)
    assert unlike(one, one) == 0
    assert unlike(one, other) == pytest.approx(100 / 8)  # half of the soprano
    long = one | {"notes": [[[i, 60 + i] for i in range(6)], [[0, 67]]]}
    assert distinct(long, long) == pytest.approx(100 / 6)  # three runs alike in each


def test_a_piece_keeps_all_or_not():
    whole = row_of(
        "none", 0, cadences=[True], returns=[True], copied_notes=7, copied_verticalities=4
    )
    assert everything(whole) == 100
    for broken in (
        {"faults": 1},
        {"cadences": [True, False]},
        {"returns": [False]},
        {"copied_notes": 8},
        {"copied_verticalities": 5},
    ):
        assert everything(whole | broken) == 0
    assert np.isnan(everything(real_row(0)))


def test_measures_of_a_set():
    found = dict(zip([m.title for m in MEASURES], measured(ROWS[:3]), strict=True))
    assert found["faults per 100 beats"].value == pytest.approx(100 / 32)
    assert found["cadences found, %"] == (50, 50, 50)
    assert found["returns found, %"].value == pytest.approx(100 / 3)
    assert found["nats per frame"].value == 2
    assert found["nats per frame"].low < 2 < found["nats per frame"].high


def test_tables_count_what_was_found():
    rows = [*ROWS, {**Task(SETS["all"], "G: A A'", 3, 8, 8).named, "commit": "abc", "gave_up": "x"}]
    header, body = search_table(rows)
    of_all = dict(zip(header, body[1], strict=True))
    assert (of_all["asked for"], of_all["found"], of_all["gave up"]) == ("4", "3", "1")
    assert of_all["hard constraints kept"] == "12 of 12"
    assert of_all["seconds (median)"] == "3.5"  # of the two that compiled nothing
    codes, (line, _) = rule_table(rows)
    assert dict(zip(codes, line, strict=True))["M01"] == "3.1"


def test_real_pieces_have_no_plan_to_be_compared_within():
    header, body = quality_table([*ROWS, *(real_row(seed) for seed in range(3))])
    real = dict(zip(header, body[-1], strict=True))
    assert real["set"] == REAL
    assert real["unlike each other, %"] == real["nats per frame"] == ""
    assert real["longest copy, notes"] == "8.0"


def test_a_set_without_a_piece_is_a_row_all_the_same():
    rows = [
        *ROWS[:3],
        {**Task(SETS["all"], "G: A A'", 0, 8, 8).named, "commit": "a", "gave_up": ""},
    ]
    assert quality_table(rows)[1][1] == ["all", *[""] * len(MEASURES)]
    assert "| all |" in report(rows, "here", "--quick")


def test_the_page_needs_nothing_but_itself():
    rows = [*ROWS, *(real_row(seed) for seed in range(3))]
    text = set_page.page(rows, QUICK, "here", "--quick")
    assert text.count("data:image/svg+xml;base64,") == 3  # the plot, and two engraved examples
    assert 'src="http' not in text
    assert "<script" not in text
    assert "<link" not in text
    assert text == set_page.page(rows, QUICK, "here", "--quick")


def test_caveats_say_how_much_was_measured():
    said = " ".join(caveats([*ROWS, real_row(0)]))
    assert "1 plan of 8 measures" in said
    assert "3 seeds" in said
    assert "abc" in said


def test_every_outline_has_cadences_and_returns():
    for outline in (*OUTLINES.values(), *QUICK.values()):
        plan = outline.plan(16)
        assert plan.cadences
        assert plan.repeats


def test_an_unknown_set_is_one_line_and_code_2(capsys, tmp_path):
    arguments = ["--quick", "--only", "nope", "--json", str(tmp_path / "rows.jsonl")]
    assert constraint_sets.main(arguments) == 2
    assert "no set 'nope'" in capsys.readouterr().err
