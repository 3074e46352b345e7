"""What a moment of a piece may be: a chord of a key, for every key near the home key.

Conventions: the states stand one behind the other, by key and then by function; every key has at
least one state of every function, which is barred (of infinite cost) where it has no such chord.

Shapes: S states, K keys, F functions, A chords that differ in some tone, R roots of keys.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from clausula.checker.vocabulary import VOCABULARY, Entry, Function
from clausula.chords import N_TONES, Numeral, Quality, tone
from clausula.key_finding import KEYS
from clausula.pitch import Key, Mode

MEMBERS = 4
_FAR = 5  # sharps or flats from the home key at most
_OTHER_MODE = 0.3  # how much farther a key of the other mode is


class States(NamedTuple):
    """The states for a home key.

    Attributes:
        keys: ``[K]``.
        key: int ``[S]`` index into ``keys``.
        numerals: ``[S]``, none where the state is barred.
        chord: int ``[S]`` index into ``members``.
        members: int ``[A, 4]`` tones of each chord, ``N_TONES`` where it has no fourth.
        rarity: ``[S]`` nats.
        group: int ``[S]`` key and function of each, ``F * key + function``.
        groups: int ``[K * F]`` the first state of each.
        by_root: int ``[S]`` the states sorted by key and root.
        roots: int ``[R]`` where the states of each root begin among these.
        root: int ``[S]`` index into ``roots``.
        triad_close: int ``[S]`` 0 tonic triad, 1 dominant triad, 2 neither.
        distance: ``[K, K]`` sharps and flats between keys.
        from_home: ``[K]``.
        home: index of the home key.
    """

    keys: tuple[Key, ...]
    key: np.ndarray
    numerals: tuple[Numeral | None, ...]
    chord: np.ndarray
    members: np.ndarray
    rarity: np.ndarray
    group: np.ndarray
    groups: np.ndarray
    by_root: np.ndarray
    roots: np.ndarray
    root: np.ndarray
    triad_close: np.ndarray
    distance: np.ndarray
    from_home: np.ndarray
    home: int

    def __len__(self) -> int:
        return len(self.key)


class _Mode(NamedTuple):
    """The chords of every key of a mode, by function; arrays ``[chord]``, intervals ``[chord, 4]``.

    Attributes:
        numerals: none where the mode has no chord of the function.
        function: of each.
        rarity: nats.
        root: a number for each root.
        triad_close: as in ``States``.
        semitones: of each member above the tonic, -1 where there is none.
        steps: letters of each member above the tonic's.
    """

    numerals: tuple[Numeral | None, ...]
    function: np.ndarray
    rarity: np.ndarray
    root: np.ndarray
    triad_close: np.ndarray
    semitones: np.ndarray
    steps: np.ndarray


def _mode(mode: Mode) -> _Mode:
    found: list[tuple[Function, Entry | None]] = []
    for function in Function:
        entries = [entry for entry in VOCABULARY[mode] if entry.function is function]
        found += [(function, entry) for entry in entries] or [(function, None)]
    names: dict[tuple[int, int], int] = {}
    shape = (len(found), MEMBERS)
    semitones, steps = np.full(shape, -1), np.zeros(shape, int)
    rarity, root = np.full(len(found), np.inf), np.arange(len(found)) - len(found)
    close = np.full(len(found), 2)
    for row, (_, entry) in enumerate(found):
        if entry is None:
            continue
        numeral, rarity[row] = entry.numeral, entry.cost
        root[row] = names.setdefault((numeral.degree, numeral.chroma), len(names))
        quality = numeral.quality
        size = len(quality.semitones)
        semitones[row, :size] = numeral.chroma + np.array(quality.semitones)
        steps[row, :size] = numeral.degree + np.array(quality.steps)
        if (
            quality in (Quality.MAJOR, Quality.MINOR)
            and not numeral.of
            and numeral.degree in (0, 4)
        ):
            close[row] = 1 if numeral.degree else 0
    return _Mode(
        tuple(entry and entry.numeral for _, entry in found),
        np.array([function for function, _ in found]),
        rarity,
        root,
        close,
        semitones,
        steps,
    )


_MODES = {mode: _mode(mode) for mode in Mode}


@lru_cache(maxsize=64)
def states_of(home: Key, given: frozenset[Key] = frozenset()) -> States:
    """The states for a home key, in it, the keys near it and whatever keys are given."""
    near = [key for key in KEYS if abs(key.fifths - home.fifths) <= _FAR]
    keys = tuple(dict.fromkeys([home, *sorted(given, key=str), *near]))
    modes = [_MODES[key.mode] for key in keys]
    sizes = [len(mode.numerals) for mode in modes]
    key = np.repeat(np.arange(len(keys)), sizes)
    group = len(Function) * key + np.concatenate([mode.function for mode in modes])
    _, root = np.unique(
        np.stack([key, np.concatenate([mode.root for mode in modes])]), axis=1, return_inverse=True
    )
    root = root.ravel()
    by_root = np.argsort(root, kind="stable")
    tones = np.concatenate([_tones(key, mode) for key, mode in zip(keys, modes, strict=True)])
    members, chord = np.unique(tones, axis=0, return_inverse=True)
    sharps = np.array([key.fifths for key in keys])
    other = np.array([key.mode != home.mode for key in keys])
    return States(
        keys=keys,
        key=key,
        numerals=tuple(numeral for mode in modes for numeral in mode.numerals),
        chord=chord.ravel(),
        members=members,
        rarity=np.concatenate([mode.rarity for mode in modes]),
        group=group,
        groups=np.searchsorted(group, np.arange(len(keys) * len(Function))),
        by_root=by_root,
        roots=np.searchsorted(root[by_root], np.arange(root.max() + 1)),
        root=root,
        triad_close=np.concatenate([mode.triad_close for mode in modes]),
        distance=np.abs(sharps[:, None] - sharps) + _OTHER_MODE * (other[:, None] != other),
        from_home=np.abs(sharps - home.fifths),
        home=0,
    )


def _tones(key: Key, mode: _Mode) -> np.ndarray:
    """``[chord, 4]`` the tones of a key's chords, ``N_TONES`` where there is none."""
    tones = tone(key.tonic_pc + mode.semitones, key.tonic_letter + mode.steps)
    return np.where(mode.semitones < 0, N_TONES, tones)
