r"""The published split of the 16th-grid chorales as a list of pieces, and its tune-disjoint test.

The published file has no names. A piece is identified by its place in its split, by a hash of its
soprano, and, where one of the bundled chorales has the same lines, by that chorale's name: the most
similar one in melodic six-interval runs of all voices, at whatever pitch, if it shares at least
two fifths of them. A test piece is disjoint by tune when the opening of its soprano is that of no
training or validation piece.

    uv run python benchmarks/published_splits.py --jsb16 Jsb16thSeparated.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from clausula.corpus import load_chorales
from clausula.corpus.splits import OPENING
from clausula.grid import Voice

OUT = Path(__file__).parent / "splits" / "jsb16.json"
_RUN = 6  # intervals
_ALIKE = 0.4  # share of all runs of both pieces


def line(voice: np.ndarray) -> np.ndarray:
    """The pitches of a voice without silence and without repeats; ``[note]``."""
    heard = voice[voice >= 0]
    return heard[np.diff(heard, prepend=-1) != 0]


def opening(pitch: np.ndarray) -> tuple[int, ...]:
    """Intervals between the first notes of the soprano of ``[time, voice]`` pitches."""
    return tuple(int(i) for i in np.diff(line(pitch[:, Voice.SOPRANO])[:OPENING]))


def soprano_hash(pitch: np.ndarray) -> str:
    """SHA-1 of the soprano's pitches frame by frame, as decimal numbers between commas."""
    text = ",".join(str(int(p)) for p in pitch[:, Voice.SOPRANO])
    return hashlib.sha1(text.encode()).hexdigest()


def runs(pitch: np.ndarray) -> set[tuple[int, ...]]:
    """Every run of six melodic intervals, with its voice."""
    found = set()
    for voice in Voice:
        steps = np.diff(line(pitch[:, voice])).tolist()
        found |= {(voice, *steps[i : i + _RUN]) for i in range(len(steps) - _RUN + 1)}
    return found


def tune_disjoint(splits: dict[str, list[np.ndarray]]) -> list[int]:
    """Indices of the test pieces whose soprano opens like no training or validation piece."""
    seen = {opening(pitch) for split in ("train", "valid") for pitch in splits[split]}
    return [i for i, pitch in enumerate(splits["test"]) if opening(pitch) not in seen]


def described(splits: dict[str, list[np.ndarray]]) -> dict:
    """Lists of pieces by split, and the tune-disjoint test pieces by index."""
    corpus = load_chorales()
    known = [runs(grid.pitch) for grid in corpus.grids]
    pieces: dict[str, list[dict]] = {}
    for split, pitches in splits.items():
        pieces[split] = []
        for index, pitch in enumerate(pitches):
            own = runs(pitch)
            alike = [len(own & other) / max(1, len(own | other)) for other in known]
            best = int(np.argmax(alike))
            name = corpus.names[best] if alike[best] >= _ALIKE else None
            pieces[split].append({"index": index, "soprano": soprano_hash(pitch), "name": name})
    return {"splits": pieces, "tune_disjoint_test": tune_disjoint(splits)}


def main() -> None:
    """Write the lists beside this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jsb16", type=Path, required=True, help="Jsb16thSeparated.json")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    data = json.loads(args.jsb16.read_text())
    splits = {name: [np.array(piece, int) for piece in data[name]] for name in sorted(data)}
    found = described(splits)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    for name, pieces in found["splits"].items():
        named = sum(piece["name"] is not None for piece in pieces)
        print(f"{name}: {len(pieces)} pieces, {named} identified")
    print(f"test, disjoint by tune: {len(found['tune_disjoint_test'])} pieces")


if __name__ == "__main__":
    main()
