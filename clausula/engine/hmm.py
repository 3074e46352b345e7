"""The frame-level hidden Markov model: alphabet, classes of frames, parameters, likelihood.

Conventions: a frame's hidden state ``z`` emits one token a voice, independently given ``z``. Tokens
are *relative to the key*: ``REST_TOKEN``, ``HOLD_TOKEN``, then pitches from ``LOWEST_RELATIVE``,
counted from a tonic moved to pitch class 0 by at most a tritone. Every frame has a *class* known
before the music is (place in the measure, place in the phrase); transitions into a frame and the
chance that a voice holds depend on it. All parameters are positive: see ``FLOOR``.
Time first, voices last, soprano first; likelihoods in nats.

References: design §6; L. Rabiner, "A Tutorial on Hidden Markov Models", Proc. IEEE 77 (1989), §V.A
(scaling).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from clausula.errors import CorpusError, InputError
from clausula.grid import REST, Grid, Meter
from clausula.pitch import Key, Mode
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

LOWEST_RELATIVE, HIGHEST_RELATIVE = 28, 92
N_RELATIVE = FIRST_PITCH + HIGHEST_RELATIVE - LOWEST_RELATIVE + 1
N_NOTE = N_RELATIVE - 1  # what a voice that does not hold can do: rest, or start a pitch
FLOOR = 1e-6  # share of the uniform distribution in every distribution of the model
# Class by place in the phrase (within it, first frame under a fermata, later ones, first frame
# after it) and place in the measure (downbeat, another beat, off-beat eighth, finer). Few frames
# under or after a fermata lie off the beat, so those places share classes.
CLASS_OF_PLACE = np.array([[0, 1, 2, 3], [4, 5, 5, 5], [6, 6, 7, 7], [8, 9, 9, 9]], np.int32)
N_CLASSES = int(CLASS_OF_PLACE.max()) + 1
MODES = (Mode.MAJOR, Mode.MINOR)
WEIGHTS = Path(__file__).with_name("hmm.safetensors")


class HMM(NamedTuple):
    """Parameters, float32, each at least ``FLOOR`` over the size of its distribution.

    Attributes:
        initial: ``[mode, state]`` distribution of the first frame's state, by mode (major first).
        transition: ``[class, state, state]`` row: state before, column: state in the frame entered,
            by the class of the frame entered.
        hold: ``[class, voice, state]`` probability that a voice holds.
        note: ``[voice, state, 66]`` what a voice does that does not hold: rest, then pitches.
    """

    initial: np.ndarray
    transition: np.ndarray
    hold: np.ndarray
    note: np.ndarray

    @property
    def states(self) -> int:
        """Number of hidden states."""
        return self.initial.shape[1]


class Sequences(NamedTuple):
    """Pieces packed for one pass, time first: block ``t`` has the ``t``-th frames of all pieces.

    Pieces are sorted by length, longest first, so the pieces that still sound are the first rows
    of the block before, and nothing is padded.

    Attributes:
        tokens: ``[row, voice]`` key-relative tokens.
        classes: ``[row]`` class of each frame.
        mode: ``[piece]`` index into ``MODES``, in the packed order.
        offsets: ``[time + 1]`` first row of each block.
        order: ``[piece]`` index of each packed piece in the sequence it was packed from.
    """

    tokens: np.ndarray
    classes: np.ndarray
    mode: np.ndarray
    offsets: np.ndarray
    order: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """``[time]`` pieces that sound, which is the number of rows in each block."""
        return np.diff(self.offsets)

    @property
    def piece(self) -> np.ndarray:
        """``[row]`` packed piece of each row."""
        return np.concatenate([np.arange(n) for n in self.active])

    @property
    def time(self) -> np.ndarray:
        """``[row]`` frame of each row within its piece."""
        return np.repeat(np.arange(len(self.active)), self.active)

    @property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows after the first block, and for each the row of the same piece one frame before."""
        rows = np.arange(self.offsets[1], self.offsets[-1])
        return rows, rows - np.repeat(self.active[:-1], self.active[1:])


def tonic_shift(key: Key) -> int:
    """Semitones, -6 to 5, that a pitch lies above its key-relative pitch."""
    return (key.tonic_pc + 6) % 12 - 6


def relative_tokens(grid: Grid) -> np.ndarray:
    """``[time, voice]`` key-relative tokens of a grid.

    Raises:
        InputError: a pitch outside the alphabet.
    """
    relative = grid.pitch - tonic_shift(grid.key)
    silent = grid.pitch == REST
    outside = ~silent & ((relative < LOWEST_RELATIVE) | (relative > HIGHEST_RELATIVE))
    if outside.any():
        frame, voice = np.argwhere(outside)[0]
        raise InputError(
            f"pitch {grid.pitch[frame, voice]} in {grid.title or 'a grid'}, frame {frame}, "
            f"voice {voice}, is no pitch of a choir; transpose the piece by octaves"
        )
    tokens = np.where(grid.onset, relative - LOWEST_RELATIVE + FIRST_PITCH, HOLD_TOKEN)
    return np.where(silent, REST_TOKEN, tokens)


def frame_classes(
    meter: Meter, position: np.ndarray, phrase_end: np.ndarray, frames_per_quarter: int = 4
) -> np.ndarray:
    """Class of each frame: its place in the measure and in the phrase, see ``CLASS_OF_PLACE``.

    Args:
        meter: the time signature.
        position: ``[time]`` frame within the measure, 0 on the downbeat.
        phrase_end: ``[time]`` true while a fermata sounds.
        frames_per_quarter: the grid's resolution.

    Returns:
        ``[time]`` int32 below ``N_CLASSES``.
    """
    sixteenths = position * 4 / frames_per_quarter
    beat = float(4 * meter.beat)
    metrical = np.select([position == 0, sixteenths % beat == 0, sixteenths % 2 == 0], [0, 1, 2], 3)
    before = np.concatenate([[False], phrase_end[:-1]])
    phrase = np.select([phrase_end & ~before, phrase_end, before], [1, 2, 3], 0)
    return CLASS_OF_PLACE[phrase, metrical]


def classes_of(grid: Grid) -> np.ndarray:
    """``[time]`` class of each frame of a grid."""
    return frame_classes(grid.meter, grid.position, grid.phrase_end, grid.frames_per_quarter)


def pack(grids: Sequence[Grid]) -> Sequences:
    """Grids as one packed batch.

    Raises:
        InputError: no grids, an empty grid, or a pitch outside the alphabet.
    """
    if not grids or min(len(grid) for grid in grids) == 0:
        raise InputError("there is no music to read: pass at least one grid, none of them empty")
    lengths = np.array([len(grid) for grid in grids])
    order = np.argsort(-lengths, kind="stable")
    active = [int((lengths > t).sum()) for t in range(lengths.max())]
    time = np.repeat(np.arange(len(active)), active)
    piece = np.concatenate([np.arange(n) for n in active])
    start = np.concatenate([[0], np.cumsum(lengths[order])])
    rows = start[piece] + time
    return Sequences(
        np.concatenate([relative_tokens(grids[i]) for i in order])[rows],
        np.concatenate([classes_of(grids[i]) for i in order])[rows],
        np.array([MODES.index(grids[i].key.mode) for i in order]),
        np.concatenate([[0], np.cumsum(active)]),
        order,
    )


def note_columns(tokens: np.ndarray) -> np.ndarray:
    """Columns of ``HMM.note`` of tokens that are not ``HOLD_TOKEN``; same shape."""
    return np.maximum(tokens - 1, 0)


def frame_likelihood(hmm: HMM, sequences: Sequences) -> tuple[np.ndarray, np.ndarray]:
    """How well each state explains each frame.

    Returns:
        ``[row, state]`` likelihoods divided by the best state's, and ``[row]`` the log of that one.
    """
    log_hold, log_note = np.log(hmm.hold), np.log(hmm.note)
    log_move = np.log1p(-hmm.hold)
    total = np.zeros((len(sequences.tokens), hmm.states), np.float32)
    for voice in range(4):
        tokens = sequences.tokens[:, voice]
        holds = tokens == HOLD_TOKEN
        total[holds] += log_hold[sequences.classes[holds], voice]
        moves = ~holds
        total[moves] += log_move[sequences.classes[moves], voice]
        total[moves] += log_note[voice].T[note_columns(tokens[moves])]
    best = total.max(axis=1)
    total -= best[:, None]
    return np.exp(total, out=total), best


def blocks(sequences: Sequences) -> Iterator[tuple[int, int, int]]:
    """First row, end row, and first row of the block before, for every block after the first."""
    offsets = sequences.offsets
    yield from zip(offsets[1:-1], offsets[2:], offsets[:-2], strict=True)


def forward(
    hmm: HMM, sequences: Sequences, likelihood: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Filtered state distributions (Rabiner 1989, eq. 91 to 93).

    Args:
        hmm: the parameters.
        sequences: the packed pieces.
        likelihood: ``[row, state]`` scaled likelihoods from ``frame_likelihood``.

    Returns:
        ``alpha[row, state]``, P(state | music up to this frame), and ``norm[row]``, the factor by
        which each row was divided: the scaled probability of the frame given those before it.
    """
    alpha = np.empty_like(likelihood)
    norm = np.empty(len(alpha), np.float32)
    first = sequences.offsets[1]
    alpha[:first] = hmm.initial[sequences.mode] * likelihood[:first]
    norm[:first] = alpha[:first].sum(axis=1)
    alpha[:first] /= norm[:first, None]
    for start, stop, before in blocks(sequences):
        classes = sequences.classes[start:stop]
        here = alpha[start:stop]
        for c in np.unique(classes):
            rows = np.flatnonzero(classes == c)
            here[rows] = alpha[before + rows] @ hmm.transition[c]
        here *= likelihood[start:stop]
        norm[start:stop] = here.sum(axis=1)
        here /= norm[start:stop, None]
    return alpha, norm


def log_likelihood(hmm: HMM, grids: Sequence[Grid]) -> np.ndarray:
    """``[piece]`` log probability of each grid, given its classes of frames and its mode, in nats.

    Raises:
        InputError: no grids, an empty grid, or a pitch outside the alphabet.
    """
    sequences = pack(grids)
    likelihood, scale = frame_likelihood(hmm, sequences)
    _, norm = forward(hmm, sequences, likelihood)
    frame = scale.astype(np.float64) + np.log(norm.astype(np.float64))
    total = np.zeros(len(grids))
    np.add.at(total, sequences.order[sequences.piece], frame)
    return total


def nats_per_frame(hmm: HMM, grids: Sequence[Grid]) -> float:
    """Negative log likelihood of all frames over their number, first frames included."""
    return float(-log_likelihood(hmm, grids).sum() / sum(len(grid) for grid in grids))


def log_emission(hmm: HMM, key: Key) -> np.ndarray:
    """``[class, voice, state, 32]`` log probability of every voice token in a key, float32.

    Pitches outside a voice's thirty keep the probability that the model gives them, so a row sums
    to less than one: to the chance that the voice stays within its alphabet.
    """
    log_hold = np.log(hmm.hold)
    log_move = np.log1p(-hmm.hold)
    log_note = np.log(hmm.note)
    table = np.empty((len(hmm.hold), 4, hmm.states, N_VOICE), np.float32)
    for voice in range(4):
        relative = voice_semitones(voice) - tonic_shift(key) - LOWEST_RELATIVE + FIRST_PITCH
        relative[:FIRST_PITCH] = REST_TOKEN
        table[:, voice] = log_move[:, voice, :, None] + log_note[voice][:, note_columns(relative)]
        table[:, voice, :, HOLD_TOKEN] = log_hold[:, voice]
    return table


def with_floor(weights: np.ndarray) -> np.ndarray:
    """Weights of positive sum as distributions on the last axis, ``FLOOR`` of each uniform."""
    probabilities = weights / weights.sum(axis=-1, keepdims=True)
    mixed = (1 - FLOOR) * probabilities + FLOOR / weights.shape[-1]
    return mixed.astype(np.float32)


def hold_with_floor(hold: np.ndarray) -> np.ndarray:
    """Probabilities of holding, kept ``FLOOR`` away from zero and one."""
    return np.clip(hold, FLOOR, 1 - FLOOR).astype(np.float32)


def save(hmm: HMM, path: Path, metadata: dict[str, Any]) -> None:
    """Write the parameters as float16 logarithms (of odds for ``hold``), with ``metadata``."""
    arrays = {
        "log_initial": np.log(hmm.initial),
        "log_transition": np.log(hmm.transition),
        "hold_logit": np.log(hmm.hold) - np.log1p(-hmm.hold),
        "log_note": np.log(hmm.note),
    }
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    # The library writes for the owner alone; writing the bytes keeps the user's own permissions.
    path.write_bytes(serialise(halves, {"clausula": json.dumps(metadata, sort_keys=True)}))


def load(path: Path = WEIGHTS) -> tuple[HMM, dict[str, Any]]:
    """Parameters, normalised again after rounding, and the metadata they were saved with.

    Raises:
        CorpusError: no such file, or not a model of this alphabet.
    """
    if not path.is_file():
        raise CorpusError(f"no HMM at {path}; train one with benchmarks/hmm_likelihood.py --train")
    names = ("log_initial", "log_transition", "hold_logit", "log_note")
    try:
        with safe_open(path, "np") as file:
            metadata = json.loads((file.metadata() or {}).get("clausula", "{}"))
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in names}
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CorpusError(f"{path} is no HMM of clausula ({error}); train it again") from error
    if arrays["hold_logit"].shape[:2] != (N_CLASSES, 4) or arrays["log_note"].shape[2] != N_NOTE:
        raise CorpusError(f"{path} has another alphabet or other classes; train it again")
    hmm = HMM(
        with_floor(np.exp(arrays["log_initial"])),
        with_floor(np.exp(arrays["log_transition"])),
        hold_with_floor(1 / (1 + np.exp(-arrays["hold_logit"]))),
        with_floor(np.exp(arrays["log_note"])),
    )
    return hmm, metadata
