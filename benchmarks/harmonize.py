"""The 77 test sopranos of the published 16th-grid chorales, harmonized from files.

A test piece that is one of the bundled chorales (``splits/jsb16.json``) gives its soprano with
meter, key, pick-up, rests, fermatas and ids; of the others the published data has pitches alone, so
they are written in 4/4, equal pitches in a row as one note, and their key and phrases are inferred.
Each soprano is written as MusicXML, that file is harmonized, and what was written is read again and
judged apart from what the program says of it:

* *untouched*: every note of the given file is there by its id, with its pitch, spelling, onset,
  duration and fermata, and the soprano has no other;
* *cadences*: those that the report names, by the verifier, from the re-read notes;
* *errors*: findings of the checker on the file alone, which infers keys and cadences; those that
  lie in the given soprano by itself are counted apart;
* *like Bach's* (named pieces, for information): cadences of his kind in his key, of those that
  ``cadence_choice`` can name, and beats with his bass note, and with his pitch classes. The shipped
  weights have seen many of these chorales, so this says nothing of new melodies.

Seconds are of a second call where the first compiled something, in one process.

    uv run python benchmarks/harmonize.py --jsb16 Jsb16thSeparated.json --json OUT.jsonl --md OUT.md

Rows are kept as they come: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from results import (
    Compilations,
    append_row,
    markdown_table,
    progress_bar,
    provenance,
    read_rows,
    write_text,
)

from clausula.checker.check import check
from clausula.constraints.text import parse_cadences
from clausula.constraints.verify import verify_cadence
from clausula.corpus import load_chorales
from clausula.engine.cadence_choice import real_closes
from clausula.errors import ClausulaError
from clausula.grid import REST, Grid, Meter, Voice
from clausula.gridding import to_grid, to_score
from clausula.harmonizing import harmonize
from clausula.piece import Piece
from clausula.pitch import Key, SpelledPitch
from clausula.reading import read_score
from clausula.score import Note, Part, Score
from clausula.writing import write_musicxml

SPLITS = Path(__file__).parent / "splits" / "jsb16.json"
SIXTEEN_MEASURES = 64  # quarters


def sopranos(path: Path) -> list[tuple[str, Score, Grid | None]]:
    """Name, soprano and, where it is bundled, the whole chorale of every test piece."""
    corpus = load_chorales()
    known = dict(zip(corpus.names, corpus.grids, strict=True))
    listed = json.loads(SPLITS.read_text())["splits"]["test"]
    data = json.loads(path.read_text())["test"]
    found: list[tuple[str, Score, Grid | None]] = []
    for entry in listed:
        index, name = entry["index"], entry["name"]
        if name is None:
            bare = np.array(data[index], int)[:, Voice.SOPRANO]
            found.append((f"test {index}", bare_soprano(bare, f"test {index}"), None))
            continue
        whole = to_score(known[name], title=name)
        found.append((f"{index} {name}", replace(whole, parts=whole.parts[:1]), known[name]))
    return found


def bare_soprano(pitch: np.ndarray, title: str) -> Score:
    """Pitches in sixteenths, negative in silence, as a melody of which nothing else is known."""
    edges = [0, *(np.flatnonzero(np.diff(pitch)) + 1).tolist(), len(pitch)]
    spell = Key.parse("C").spell
    notes = [
        Note(
            f"S{start}",
            Fraction(start, 4),
            Fraction(end - start, 4),
            SpelledPitch(int(pitch[start]), int(spell(int(pitch[start])))),
        )
        for start, end in pairwise(edges)
        if pitch[start] >= 0
    ]
    return Score(
        (Part("Soprano", tuple(notes), "treble"),),
        ((Fraction(0), Meter(4, 4)),),
        ((Fraction(0), Key.parse("C")),),
        title=title,
        length=Fraction(len(pitch), 4),
        key_given=False,
    )


def measure(given: Path, folder: Path, beam: int, compiled: Compilations) -> tuple[dict, Piece]:
    """One file harmonized, and what is found in the file that was written."""
    for _ in range(2):
        before, began = compiled.seconds, time.perf_counter()
        piece = harmonize(given, beam=beam, seed=0)
        seconds = time.perf_counter() - began
        if compiled.seconds - before < 0.1:
            break
    written = folder / f"{given.stem}.out.musicxml"
    piece.write(written)
    quarters = float(piece.score.length)
    row = {
        "seconds": round(seconds, 2),
        "seconds_16_measures": round(seconds * SIXTEEN_MEASURES / quarters, 2),
        "quarters": quarters,
        "verified": all(v["holds"] for v in piece.report["verified"]),
        "dead_ends": piece.report["dead_ends"],
        "turned_down": piece.report["rejected_before"],
        "nats": piece.report["nats_per_frame"],
        "key": f"{piece.report['key']} ({piece.report['key_source']})",
        "phrases": piece.report["phrases_end_by"],
    }
    return row | judged(given, written, piece), piece


def judged(given: Path, written: Path, piece: Piece) -> dict:
    """What the two files say, the report being asked only which cadences it claims."""
    asked, found = read_score(given), read_score(written)
    soprano = {note.id: note for note in found.parts[Voice.SOPRANO].notes}
    mine = set(soprano)
    grid = to_grid(found, piece.plan.key)
    claimed = [c for c in piece.report["cadences"] if c["cadence"] is not None]
    held = 0
    for claim in claimed:
        anticipated = " anticipated" if claim["anticipated"] else ""
        (cadence,) = parse_cadences(
            f"{claim['cadence']}@{claim['at']} in {claim['key']}{anticipated}"
        )
        arrival = piece.plan.timeline.frame_of(cadence.measure, cadence.beat)
        held += not verify_cadence(grid, cadence, piece.plan.timeline.phrase_end(arrival))
    faults = [f for f in check(written).findings if f.severity.word == "error"]
    return {
        "untouched": [soprano.get(n.id) for n in asked.parts[0].notes] == list(asked.parts[0].notes)
        and len(mine) == len(asked.parts[0].notes),
        "phrase_ends": len(piece.report["cadences"]),
        "cadences": len(claimed),
        "cadences_found": held,
        "errors": sum(not mine.issuperset(f.note_ids) for f in faults),
        "errors_of_soprano": sum(mine.issuperset(f.note_ids) for f in faults),
    }


def beside_bach(piece: Piece, real: Grid) -> dict:
    """How much is as in the chorale that the soprano is from."""
    closes = {str(close) for close in _closes(piece.grid)}
    his = list(_closes(real))
    beats = range(0, min(len(real), len(piece.grid)), 4)
    return {
        "bach_cadences": len(his),
        "same_cadences": sum(str(close) in closes for close in his),
        "same_bass": float(np.mean([_bass(real, b) == _bass(piece.grid, b) for b in beats])),
        "same_classes": float(
            np.mean([_classes(real, b) == _classes(piece.grid, b) for b in beats])
        ),
    }


def _closes(grid: Grid) -> list[tuple[int, str]]:
    """Each close that can be named, by the number of its phrase."""
    edges = np.flatnonzero(np.diff(grid.phrase_end, prepend=False, append=False))
    found = []
    for number, end in enumerate(edges[1::2].tolist()):
        start = int(edges[1::2][number - 1]) if number else 0
        alone = replace(
            grid,
            pitch=grid.pitch[start:end],
            step=grid.step[start:end],
            onset=grid.onset[start:end],
            phrase_end=grid.phrase_end[start:end],
        )
        found += [(number, str(close)) for _, _, close in real_closes(alone)]
    return found


def _bass(grid: Grid, frame: int) -> int:
    return int(grid.pitch[frame, Voice.BASS]) % 12


def _classes(grid: Grid, frame: int) -> frozenset[int]:
    return frozenset(int(p) % 12 for p in grid.pitch[frame] if p != REST)


HEADER = (
    "piece", "key", "quarters", "verified", "untouched", "cadences found", "without", "errors",
    "of the soprano", "dead ends", "turned down", "nats per frame", "seconds", "16 measures",
    "cadences like Bach's", "bass", "pitch classes",
)  # fmt: skip


def line(row: dict) -> list[object]:
    """A row of the table."""
    if "failed" in row:
        return [row["piece"], row["failed"], *[""] * (len(HEADER) - 2)]
    like = ["", "", ""]
    if "bach_cadences" in row:
        like = [
            f"{row['same_cadences']}/{row['bach_cadences']}",
            f"{row['same_bass']:.2f}",
            f"{row['same_classes']:.2f}",
        ]
    return [
        row["piece"], row["key"], f"{row['quarters']:g}", row["verified"], row["untouched"],
        f"{row['cadences_found']}/{row['cadences']}", row["phrase_ends"] - row["cadences"],
        row["errors"], row["errors_of_soprano"], row["dead_ends"], row["turned_down"],
        f"{row['nats']:.3f}", row["seconds"], row["seconds_16_measures"], *like,
    ]  # fmt: skip


def summary(rows: Sequence[dict]) -> str:
    """The figures of all pieces together."""
    done = [row for row in rows if "failed" not in row]
    if not done:
        return f"{len(rows)} pieces, none harmonized."

    def total(field: str) -> int:
        return sum(row[field] for row in done)

    seconds = [row["seconds_16_measures"] for row in done]
    text = (
        f"{len(rows)} sopranos, {len(done)} harmonized; {total('verified')} verified, "
        f"{total('untouched')} untouched by id. {total('phrase_ends')} phrase ends: "
        f"{total('cadences_found')} of {total('cadences')} chosen cadences found, "
        f"{total('phrase_ends') - total('cadences')} where the melody allows none. "
        f"{total('errors')} error-level findings, {total('errors_of_soprano')} more in sopranos by "
        f"themselves. {total('dead_ends')} dead ends, {total('turned_down')} drafts turned down. "
        f"Seconds for 16 measures: median {median(seconds):.2f}, from {min(seconds):.2f} to "
        f"{max(seconds):.2f}; beam {done[0]['beam']}. "
        f"Nats per frame, mean: {np.mean([row['nats'] for row in done]):.3f}."
    )
    real = [row for row in done if "bach_cadences" in row]
    if real:
        same, his = (sum(row[f] for row in real) for f in ("same_cadences", "bach_cadences"))
        text += (
            f" As Bach: {same} of {his} cadences, {np.mean([r['same_bass'] for r in real]):.2f} of "
            f"bass notes, {np.mean([r['same_classes'] for r in real]):.2f} of sonorities."
        )
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Harmonize what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jsb16", type=Path, required=True, help="Jsb16thSeparated.json")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--md", type=Path)
    parser.add_argument("--out", type=Path, default=Path("harmonized"), help="folder for the files")
    parser.add_argument("--limit", type=int, help="only so many, evenly spread")
    parser.add_argument("--beam", type=int, default=8)
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    compiled = Compilations()
    rows = read_rows(asked.json)
    done = {row["piece"] for row in rows}
    pieces = sopranos(asked.jsb16)
    if asked.limit:
        pieces = pieces[:: max(1, len(pieces) // asked.limit)][: asked.limit]
    with progress_bar() as bar:
        for name, soprano, real in bar.track([p for p in pieces if p[0] not in done]):
            given = asked.out / f"{name.replace(' ', '-')}.musicxml"
            write_musicxml(soprano, given)
            row: dict = {"piece": name, "beam": asked.beam}
            try:
                figures, piece = measure(given, asked.out, asked.beam, compiled)
                row |= figures | (beside_bach(piece, real) if real is not None else {})
            except ClausulaError as error:
                row["failed"] = f"{type(error).__name__}: {error}"
            append_row(asked.json, row)
            rows.append(row)
    text = summary(rows)
    print(text)
    if asked.md:
        table = markdown_table(HEADER, [line(row) for row in rows])
        write_text(asked.md, f"{__doc__.strip()}\n\n{text}\n\n{table}\n\n{provenance()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
