"""What `clausula check` makes of hostile files: a table of cases, outcomes, seconds and memory.

Each case runs in a process of its own whose address space is limited. It passes if a score is read
note for note as the case says and checked (more than four voices are refused in words), or if a
file is refused in one line with the words that the case expects, exit code 2 and nothing on the
standard output. A traceback, a hang and a wrong note fail. This process stays small, because what a
new process weighs counts from its parent's weight on.

    uv run python benchmarks/hostile_input.py --md benchmarks/reports/hostile_input.md
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hostile.case import Case, heard, plain
from hostile.catalogue import GROUPS
from rich.progress import track

MEMORY = 6_000_000_000  # bytes of address space, most of which no process touches
SECONDS = 400
CHOIR = 4


@dataclass(frozen=True)
class Outcome:
    """What came of a case: in words, whether that is right, how long it took, how much it took."""

    case: Case
    words: str
    right: bool
    seconds: float
    megabytes: float


def outcome(case: Case, reader: subprocess.Popen[str]) -> Outcome:
    """Check a case's file in a process of its own, and have it read where it is music."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = case.write(folder)
        options = [option.replace("{folder}", name) for option in case.options]
        command = [sys.executable, "-m", "clausula.cli", "check", str(path), *options]
        began = time.perf_counter()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(command, stdout=out, stderr=err, preexec_fn=_limit)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            said = err.read().decode("utf-8", "replace")
            words, right = _judged(case, path, process.returncode, out.read(), said, reader)
    return Outcome(case, words.replace(f"{path}: ", ""), right, seconds, used.ru_maxrss / 1024)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _judged(
    case: Case, path: Path, code: int, out: bytes, said: str, reader: subprocess.Popen[str]
) -> tuple[str, bool]:
    """The outcome in words, and whether it is right."""
    refused = code == 2 and not out and said.startswith("clausula: ") and said.count("\n") == 1
    line = said.strip().removeprefix("clausula: ")
    if case.notes is None:
        return (line if refused else f"exit {code}: {said[-300:]}"), refused and case.says in said
    right = _heard(path, reader) == tuple(map(plain, case.notes))
    many = len([notes for notes in case.notes if notes]) > CHOIR or len(case.notes) > CHOIR
    if many:
        return f"read; {line}", right and refused and "four at most" in line
    words = f"read note for note, exit {code}" if right else "wrong notes"
    return words, right and code in (0, 1) and not said


def _heard(path: Path, reader: subprocess.Popen[str]) -> tuple[str, ...] | None:
    """What a file holds, part by part; None if it cannot be read."""
    assert reader.stdin
    assert reader.stdout
    print(json.dumps(str(path)), file=reader.stdin, flush=True)
    found = json.loads(reader.stdout.readline())
    return None if found is None else tuple(found)


def _read_on() -> None:
    """Read the files that standard input names, and print what each holds, a line each."""
    from clausula.errors import InputError
    from clausula.reading import read_score

    for line in sys.stdin:
        try:
            found: tuple[str, ...] | None = heard(read_score(json.loads(line)))
        except InputError:
            found = None
        print(json.dumps(found), flush=True)


def page(found: dict[str, list[Outcome]], secs: float) -> str:
    """The results as Markdown."""
    from results import commit, markdown_table

    rows = [each for outcomes in found.values() for each in outcomes]
    right = sum(each.right for each in rows)
    largest = max(rows, key=lambda each: each.megabytes)
    lines = [
        "# Hostile input\n",
        f"{right} of {len(rows)} cases right; commit {commit()}. Seconds and peak memory are of a "
        f"whole `clausula check`, its start included, on a machine shared with other work; the "
        f"whole table took {secs / 60:.0f} minutes. The largest peak, {largest.megabytes:.0f} MB, "
        f"is that of *{largest.case.name}*.\n",
    ]
    for title, outcomes in found.items():
        table = [
            (
                each.case.name,
                ("" if each.right else "**WRONG** ") + each.words.replace("|", "\\|")[:160],
                f"{each.seconds:.1f}",
                f"{each.megabytes:.0f}",
            )
            for each in outcomes
        ]
        lines += [f"## {title}\n", markdown_table(("case", "outcome", "s", "MB"), table), ""]
    return "\n".join(lines)


def main() -> None:
    """Run the cases and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose names hold this")
    parser.add_argument("--fast", action="store_true", help="leave out the slow ones")
    parser.add_argument("--md", type=Path, help="where to write the table")
    parser.add_argument(
        "--reader", action="store_true", help="read files that standard input names"
    )
    options = parser.parse_args()
    if options.reader:
        _read_on()
        return
    began = time.perf_counter()
    found: dict[str, list[Outcome]] = {}
    command = [sys.executable, __file__, "--reader"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        for title, cases in GROUPS.items():
            some = [c for c in cases if options.only in c.name and not (options.fast and c.slow)]
            found[title] = [outcome(case, reader) for case in track(some, title)]
    text = page({title: each for title, each in found.items() if each}, time.perf_counter() - began)
    if options.md:
        from results import write_text

        write_text(options.md, text)
    print(text)


if __name__ == "__main__":
    main()
