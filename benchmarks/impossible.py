"""Is what is impossible proved so before the search, explained, and how fast?

Requests of mixed kinds, each impossible by construction, in drawn keys and places: a note outside a
range, two notes in one place, voices that cross, parallels between given notes, a note that a
cadence or a chord forbids, a return that contradicts a given note or leaves the range, or may
change too little, rhythms in two meters, counts, a climax sung twice, stagnation, patterns and
contours. A request is *proved* where a prover refutes it (which one is counted), *minimal* where
each smaller conflict has a witness. The time is that of the plan with its proof and explanation;
the first request of each rule set also pays for the rules' tables. Cold times, of the whole command
in a new process, are taken for one request of each kind.

    uv run python benchmarks/impossible.py --n 200 --seed 0 --json OUT.json --md OUT.md
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from results import markdown_table, progress_bar, provenance, write_text

from clausula.constraints.rulesets import load_ruleset
from clausula.constraints.text import parse_constraint
from clausula.engine.plan import make_plan
from clausula.engine.tables import compile_plan
from clausula.errors import ClausulaError, ImpossibleError, PlanError
from clausula.grid import Meter
from clausula.pitch import Key, SpelledPitch

KEYS = ("C", "G", "D", "F", "Bb", "a", "e", "d", "g")
MEASURES = 16
FREE = (2, 6, 10, 14)  # measures without a cadence, each early in its phrase


class Draw:
    """What the kinds draw from."""

    def __init__(self, rng: np.random.Generator) -> None:
        """A key and a measure."""
        self.rng = rng
        self.key = Key.parse(str(rng.choice(KEYS)))
        self.meter = Meter(4, 4)
        self.measure = int(rng.choice(FREE))

    def note(self, low: int, high: int, *, avoid: Sequence[int] = ()) -> str:
        """A note of the key's scale between two MIDI numbers."""
        scale = [0, 2, 4, 5, 7, 9, 11] if self.key.mode.value == "major" else [0, 2, 3, 5, 7, 8, 10]
        found = [
            n
            for n in range(low, high + 1)
            if (n - self.key.tonic_pc) % 12 in scale and n not in avoid
        ]
        return self.name(int(self.rng.choice(found)))

    def name(self, semitone: int) -> str:
        """A note as the key spells it."""
        return SpelledPitch(semitone, int(self.key.spell(semitone))).name

    def two(self, low: int, high: int) -> tuple[str, str]:
        """Two different notes."""
        one = self.note(low, high)
        return one, self.note(low, high, avoid=[SpelledPitch.parse(one).semitone])


def outside_the_range(d: Draw) -> list[str]:
    """A note above the range that is asked for."""
    return [f"range S C4-A4 @ {d.measure}", f"pin soprano @ {d.measure}.1 {d.note(71, 79)}"]


def two_notes_in_one_place(d: Draw) -> list[str]:
    """Two notes of one voice."""
    one, other = d.two(50, 57)
    return [f"pin bass @ {d.measure} {one}", f"pin bass @ {d.measure} {other}"]


def voices_cross(d: Draw) -> list[str]:
    """An alto above the soprano."""
    return [
        f"pin soprano @ {d.measure} {d.note(62, 65)}",
        f"pin alto @ {d.measure} {d.note(67, 71)}",
    ]


def parallel_octaves(d: Draw) -> list[str]:
    """Outer voices an octave apart, then a step higher."""
    tonic = 48 + d.key.tonic_pc % 12
    low = tonic if tonic < 57 else tonic - 12
    places = [f"{d.measure}.1", f"{d.measure}.5/4"]
    pins = []
    for place, semitone in zip(places, (low, low + 2), strict=True):
        pins.append(f"pin bass @ {place} {d.name(semitone)}")
        pins.append(f"pin soprano @ {place} {d.name(semitone + 12)}")
    return pins


def against_a_cadence(d: Draw) -> list[str]:
    """A soprano that no authentic cadence ends on."""
    tonic = d.key.tonic_pc
    other = [
        n
        for n in range(62, 74)
        if (n - tonic) % 12 in (2, 5, 9 if d.key.mode.value == "major" else 8)
    ]
    return [f"pin soprano @ 8.3 {d.name(int(d.rng.choice(other)))}"]


def against_a_chord(d: Draw) -> list[str]:
    """A bass that is no member of the chord."""
    tonic = d.key.tonic_pc
    other = [n for n in range(45, 58) if (n - tonic) % 12 in (0, 5)]
    return [f"chord V @ {d.measure}", f"pin bass @ {d.measure} {d.name(int(d.rng.choice(other)))}"]


def against_a_return(d: Draw) -> list[str]:
    """Another note where the passage returns."""
    one, other = d.two(65, 72)
    return [f"pin soprano @ 2 {one}", "repeat 2 @ 10 in S", f"pin soprano @ 10 {other}"]


def a_return_leaves_the_range(d: Draw) -> list[str]:
    """An octave higher than the soprano can go."""
    return ["repeat 2 @ 10 up P8 in S", f"pin soprano @ 2 {d.note(71, 76)}"]


def against_a_rhythm(d: Draw) -> list[str]:
    """A note that begins within another one."""
    return [f"rhythm S w @ {d.measure}", f"pin soprano @ {d.measure}.2 {d.note(65, 72)}"]


def against_a_rhythm_in_three(d: Draw) -> list[str]:
    """The same where a measure has three beats."""
    d.meter = Meter(3, 4)
    return [f"rhythm B h. @ {d.measure}", f"pin bass @ {d.measure}.3 {d.note(50, 57)}"]


def too_few_changes(d: Draw) -> list[str]:
    """A varied return that given notes change more often than it may."""
    (one, other), (third, fourth) = d.two(65, 72), d.two(65, 72)
    pins = [(2, "1", one), (10, "1", other), (2, "3", third), (10, "3", fourth)]
    notes = [f"pin soprano @ {measure}.{beat} {note}" for measure, beat, note in pins]
    return ["vary 2 @ 10 by 0-1 in S", *notes]


def against_a_pattern(d: Draw) -> list[str]:
    """A note that the melody's pattern does not have."""
    other = [n for n in range(62, 74) if (n - d.key.tonic_pc) % 12 == 5]
    return [
        f"pattern S degrees (1 | 2 | 3)* @ {d.measure}",
        f"pin soprano @ {d.measure} {d.name(other[0])}",
    ]


def against_a_contour(d: Draw) -> list[str]:
    """A line that rises, from a high note to a low one."""
    return [
        f"contour S rising @ {d.measure}",
        f"pin soprano @ {d.measure} {d.note(71, 74)}",
        f"pin soprano @ {d.measure}.4 {d.note(62, 66)}",
        f"rhythm S q q q q @ {d.measure}",
    ]


def too_few_notes(d: Draw) -> list[str]:
    """Fewer than the phrases need."""
    return [f"count {d.rng.integers(1, 5)} notes in {d.rng.choice(list('SATB'))}"]


def too_many_notes(d: Draw) -> list[str]:
    """More than a measure has frames."""
    return [f"count {d.rng.integers(17, 40)} notes in S @ {d.measure}"]


def a_climax_twice(d: Draw) -> list[str]:
    """The highest note that is allowed, two times."""
    high = d.note(74, 78)
    return [
        "climax once S",
        f"range S C4-{high}",
        f"pin soprano @ 2 {high}",
        f"pin soprano @ 6 {high}",
    ]


def stagnation(d: Draw) -> list[str]:
    """One note twice where it may not be repeated."""
    note = d.note(65, 72)
    places = [f"{d.measure}.{beat}" for beat in (1, 2)]
    return [
        "stagnation 1 in S",
        f"rhythm S q q @ {d.measure}",
        *(f"pin soprano @ {place} {note}" for place in places),
    ]


KINDS: dict[str, Callable[[Draw], list[str]]] = {
    kind.__name__.replace("_", " "): kind
    for kind in (
        outside_the_range,
        two_notes_in_one_place,
        voices_cross,
        parallel_octaves,
        against_a_cadence,
        against_a_chord,
        against_a_return,
        a_return_leaves_the_range,
        against_a_rhythm,
        against_a_rhythm_in_three,
        too_few_changes,
        against_a_pattern,
        against_a_contour,
        too_few_notes,
        too_many_notes,
        a_climax_twice,
        stagnation,
    )
}


def measured(kind: str, d: Draw, texts: Sequence[str]) -> dict:
    """What the provers say of a request, and how long they take."""
    began = time.perf_counter()
    row = {"kind": kind, "key": str(d.key), "constraints": list(texts)}
    try:
        plan = make_plan(
            key=d.key,
            meter=d.meter,
            measures=MEASURES,
            constraints=[parse_constraint(text) for text in texts],
        )
        compile_plan(plan, load_ruleset("chorale"))
        row |= {"outcome": "not proved"}
    except ImpossibleError as error:
        row |= {
            "outcome": "proved",
            "prover": error.prover,
            "minimal": error.minimal,
            "conflict": list(error.conflict),
        }
    except PlanError as error:
        row |= {"outcome": "refused", "message": str(error)}
    return row | {"seconds": time.perf_counter() - began}


def cold_seconds(d: Draw, texts: Sequence[str]) -> tuple[float, int]:
    """Time and exit code of the command in a new process."""
    command = [sys.executable, "-m", "clausula.cli", "compose", "--key", str(d.key)]
    command += ["--meter", str(d.meter), "--out", "never-written"]
    for text in texts:
        command += ["--constraint", text]
    began = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - began, ended.returncode


def page(rows: Sequence[dict], cold: dict[str, tuple[float, int]]) -> str:
    """The results as Markdown."""
    body = []
    for kind in KINDS:
        own = [row for row in rows if row["kind"] == kind]
        times = [row["seconds"] for row in own]
        if not own:
            continue
        body.append(
            [
                kind,
                len(own),
                sum(row["outcome"] == "proved" for row in own),
                sum(row.get("minimal", False) for row in own),
                sum(row["outcome"] != "proved" for row in own),
                f"{np.median(times):.2f}",
                f"{max(times):.2f}",
                f"{cold[kind][0]:.1f}",
            ]
        )
    times = [row["seconds"] for row in rows]
    provers = Counter(row["prover"] for row in rows if "prover" in row)
    totals = [sum(int(line[i]) for line in body) for i in range(1, 5)]
    body.append(
        ["all", *totals, f"{np.median(times):.2f}", f"{max(times):.2f}", ""],
    )
    header = ["kind", "requests", "proved", "minimal", "otherwise", "median s", "worst s", "cold s"]
    return "\n".join(
        [
            "# Impossible requests",
            "",
            f"{provenance()}.",
            "",
            markdown_table(header, body),
            "",
            "Provers: "
            + ", ".join(f"{name} {count}" for name, count in provers.most_common())
            + ".",
            "",
        ]
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, required=True, help="where to write the rows")
    parser.add_argument("--md", type=Path, help="where to write the table")
    arguments = parser.parse_args()
    names = list(KINDS)
    rows, requests = [], {}
    try:
        with progress_bar() as progress:
            for number in progress.track(range(arguments.n), description="proving"):
                kind = names[number % len(names)]
                d = Draw(np.random.default_rng([arguments.seed, number]))
                texts = KINDS[kind](d)
                requests.setdefault(kind, (d, texts))
                rows.append(measured(kind, d, texts))
    except ClausulaError as error:
        print(f"impossible: {error}", file=sys.stderr)
        return 2
    cold = {kind: cold_seconds(*request) for kind, request in requests.items()}
    text = page(rows, cold)
    print(text)
    write_text(arguments.json, json.dumps({"rows": rows, "cold": cold}, indent=1) + "\n")
    if arguments.md:
        write_text(arguments.md, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
