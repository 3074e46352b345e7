"""Bach's figures and what his choir sings over them: are they understood, and do they agree?

Every figure of a folder of figured chorales in kern is read (``understood``), and what sounds while
it holds is judged by the rule that judges figured-bass exercises, V18: as an exercise wants it
(``exact``), and as players read figures (``practice``), by what explains the difference. Figures
that no voice sings (H12) are counted beside. Prints Markdown.

Usage: ``python benchmarks/figured_bass.py --data FOLDER [--out REPORT.md]``. The files are those of
Bach's figured chorales (github.com/juyaolongpaul/Bach_chorale_FB), one ``**fb`` spine each.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

import clausula as cl
from clausula.checker.keys import home_key
from clausula.checker.labels import written_in
from clausula.checker.passage import Reading, passage_of
from clausula.constraints.asked import Asked, figured, foreign_notes, foreign_to, unsung, usual
from clausula.constraints.passage import Passage
from clausula.constraints.rulesets import load_ruleset
from clausula.score import LabelKind, Score
from clausula.writing import write_bytes

VOICES = 5  # four that sing, and the bass that is figured; what doubles them stands above


class Figured(NamedTuple):
    """One figure and what sounds over it.

    Attributes:
        piece: file.
        place: measure and beat.
        text: as written.
        exact: notes that an exercise would not allow.
        practice: notes that players' habits do not explain either.
        reasons: what explains the others.
        unsung: figures that nobody sings.
        sung: notes of each voice, soprano first, slice by slice, ``*`` at those of ``practice``.
    """

    piece: str
    place: str
    text: str
    exact: int
    practice: int
    reasons: tuple[str, ...]
    unsung: tuple[str, ...]
    sung: str


def main() -> None:
    """Read the folder and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of kern files")
    parser.add_argument("--out", type=Path, help="Markdown file; printed if left out")
    given = parser.parse_args()
    files = sorted(given.data.glob("*.krn"))
    text = "\n".join(report(files)) + "\n"
    if given.out:
        write_bytes(given.out, text.encode())
    else:
        print(text, end="")


def report(files: Sequence[Path]) -> Iterator[str]:
    """The results as lines of Markdown."""
    written = unread = 0
    found: list[Figured] = []
    for file in files:
        score = cl.read_score(file)
        labels = written_in(score)
        written += sum(label.kind is LabelKind.FIGURES for label in score.labels)
        unread += len(labels.unread)
        found += figures_of(score, file.stem.split("_FB")[0])
    if not found:
        yield "No figure was found."
        return
    exact = sum(one.exact == 0 for one in found)
    agreed = sum(one.practice == 0 for one in found)
    silent = sum(bool(one.unsung) for one in found)
    yield "# What Bach sang over his figures\n"
    yield f"{len(files)} chorales, {written} figures.\n"
    yield "| | figures | share |"
    yield "| --- | ---: | ---: |"
    yield _row("understood", written - unread, written)
    yield _row("what is sung agrees as an exercise wants it (`exact`)", exact, len(found))
    yield _row("what is sung agrees as players read figures (`practice`)", agreed, len(found))
    yield _row("a figure that no voice sings while it holds", silent, len(found))
    yield "\nWhat players take for granted where `exact` finds a fault:\n"
    yield "| | figures |"
    yield "| --- | ---: |"
    reasons = Counter(reason for one in found if not one.practice for reason in one.reasons)
    for reason, count in reasons.most_common():
        yield f"| {reason} | {count} |"
    yield "\nNo such reason (`*` marks the note; voices from the soprano, the figured bass last):\n"
    yield "| piece | measure, beat | figures | sung |"
    yield "| --- | --- | --- | --- |"
    for one in found:
        if one.practice:
            yield f"| {one.piece} | {one.place} | `{one.text}` | {one.sung} |"
    yield "\n    uv run python benchmarks/figured_bass.py --data figured_bass/ --out OUT.md"


def _row(what: str, number: int, total: int) -> str:
    return f"| {what} | {number} of {total} | {number / total:.1%} |"


def figures_of(score: Score, piece: str) -> Iterator[Figured]:
    """Every figure that is understood, judged."""
    score = replace(score, parts=score.parts[-VOICES:])
    home, _ = home_key(score)
    reading = Reading(home, written=written_in(score))
    passage = passage_of(score, load_ruleset("chorale"), reading)
    for asked in figured(passage):
        # The bass is the figures' own, whatever it does.
        exact = foreign_notes(passage, asked)[:, :-1]
        practice = foreign_notes(passage, asked, practice=True)[:, :-1]
        measure, beat = passage.slices.place[asked.start]
        yield Figured(
            piece,
            f"{measure}, {float(beat):g}",
            asked.text,
            int(exact.sum()),
            int(practice.sum()),
            tuple(_reasons(passage, asked)) if exact.any() else (),
            tuple(unsung(passage, asked)),
            _sung(passage, asked, practice),
        )


def _reasons(passage: Passage, asked: Asked) -> Iterator[str]:
    """What explains the notes that an exercise would not allow."""
    members = asked.ways[0][-1]
    wrong = foreign_to(passage, asked.start, asked.stop, members)[:, :-1]
    for name, explained in usual(passage, asked.start, asked.stop, asked, members).items():
        explains = wrong & explained[:, :-1]
        if explains.any():
            yield name
            wrong &= ~explains


def _sung(passage: Passage, asked: Asked, wrong: np.ndarray) -> str:
    rows = []
    for time in range(asked.start, asked.stop):
        notes = [passage.slices.note_at(time, voice) for voice in range(passage.n_voices)]
        marks = [*wrong[time - asked.start], False]
        rows.append(
            " ".join(
                (note.pitch.name if note else "-") + ("\\*" if mark else "")
                for note, mark in zip(notes, marks, strict=True)
            )
        )
    return "; ".join(rows)


if __name__ == "__main__":
    main()
