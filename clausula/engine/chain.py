"""The observed chain: how each voice goes on from the note that sounds, as returning themes ask it.

Each voice is a first-order Markov chain of its own over the note that sounds, given the class of
the frame entered and the mode: ``markov`` with ``Memory.NOTE``. What is shipped are the counts of
the bundled chorales, the held-out tenth left out; ``python -m clausula.engine.chain`` writes them
again.

References: design §6 (long-range repetition); ``markov`` for the interpolation.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from clausula.corpus import held_out, load_chorales
from clausula.engine.hmm import (
    LOWEST_RELATIVE,
    MODES,
    N_CLASSES,
    N_NOTE,
    N_RELATIVE,
    tonic_shift,
    with_floor,
)
from clausula.engine.markov import Memory, count_tokens, interpolated, state_count
from clausula.errors import CorpusError
from clausula.grid import Voice
from clausula.pitch import Key
from clausula.vocabulary import FIRST_PITCH, HOLD_TOKEN, N_VOICE, REST_TOKEN, voice_semitones

COUNTS = Path(__file__).with_name("chain.npz")
FIRST_FRAME = N_CLASSES  # row of ``log_steps`` for the first frame of a piece
_SHAPE = (len(Voice), len(MODES), N_CLASSES, state_count(Memory.NOTE), N_RELATIVE)


def chorale_counts() -> np.ndarray:
    """``[voice, mode, class, memory state, token]`` counts of the chorales not held out."""
    corpus = load_chorales()
    apart = set(held_out(corpus))
    return count_tokens([g for i, g in enumerate(corpus.grids) if i not in apart], Memory.NOTE)


def save_counts(counts: np.ndarray, path: Path = COUNTS) -> None:
    """Write counts: the places of those above zero, as distances from one another, and the values.

    Args:
        counts: ``[voice, mode, class, memory state, token]``.
        path: the file.
    """
    places = np.flatnonzero(counts)
    gaps = np.diff(places, prepend=0).astype(np.uint32)
    np.savez_compressed(path, gaps=gaps, counts=counts.reshape(-1)[places].astype(np.uint32))


def load_counts(path: Path = COUNTS) -> np.ndarray:
    """What ``save_counts`` wrote.

    Raises:
        CorpusError: no such file, or no counts of this alphabet.
    """
    advice = "write it again with python -m clausula.engine.chain"
    counts = np.zeros(_SHAPE, np.int64)
    try:
        with np.load(path, allow_pickle=False) as file:
            counts.reshape(-1)[np.cumsum(file["gaps"], dtype=np.int64)] = file["counts"]
    except FileNotFoundError:
        raise CorpusError(f"no chain at {path}; {advice}") from None
    except (KeyError, IndexError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path} is no chain of clausula ({error}); {advice}") from error
    return counts


def log_steps(counts: np.ndarray, key: Key, first_class: int) -> np.ndarray:
    """How each voice goes on, by the class of the frame entered, in a key.

    Pitches outside a voice's thirty keep their probability, so a row sums to less than one: to the
    chance that the voice stays within its alphabet. Every token has a share of ``hmm.FLOOR``.

    Args:
        counts: ``[voice, mode, class, memory state, token]``.
        key: the home key.
        first_class: class of the piece's first frame.

    Returns:
        ``[class + 1, voice, 32, 32]`` float32: log probability of each voice token, the last axis,
        after each note, by its token (row 0 silence; row 1, the hold, is never a note). The last
        class, ``FIRST_FRAME``, enters a piece: its row 0 is the beginning, its others are unused.
    """
    chain = np.log(with_floor(interpolated(counts)))[:, MODES.index(key.mode)]
    table = np.empty((N_CLASSES + 1, len(Voice), N_VOICE, N_VOICE), np.float32)
    for voice in Voice:
        relative = voice_semitones(voice) - tonic_shift(key) - LOWEST_RELATIVE + FIRST_PITCH
        relative[[REST_TOKEN, HOLD_TOKEN]] = REST_TOKEN, HOLD_TOKEN
        notes = np.maximum(relative - 1, 0)
        table[:-1, voice] = chain[voice][:, notes[:, None], relative]
        table[-1, voice] = chain[voice][first_class, N_NOTE, relative]
    return table


def step_of_frame(classes: np.ndarray) -> np.ndarray:
    """``int32[time]`` row of ``log_steps`` of every frame of a piece, from the frames' classes."""
    return np.concatenate([[FIRST_FRAME], classes[1:]]).astype(np.int32)


if __name__ == "__main__":
    save_counts(chorale_counts())
