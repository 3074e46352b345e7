"""The contract between proposals and the search: types only.

A proposal says how likely each next token is. It is a triple of pure functions over a state that
the search carries without looking inside. Shapes: N hypotheses, V voices (4), P tokens of the
global vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Past(NamedTuple):
    """What the hypotheses sounded in the frame before.

    Attributes:
        sounding: ``int32[N, V]`` global pitch tokens.
        age: ``int32[N, V]`` frames since those notes' onsets.
        parent: ``int32[N]`` row that each hypothesis had when the last frame began: whose cached
            past it continues. A hypothesis that goes on keeps its row: ``parent[r] == r`` for
            every ``r`` that is a parent, so that pasts need not move.
    """

    sounding: Any
    age: Any
    parent: Any


class FrameSoFar(NamedTuple):
    """The voices of this frame that are already chosen.

    Attributes:
        token: ``int32[N, V]`` global tokens; only voices of earlier slots are read.
        sounding: ``int32[N, V]`` global pitch tokens that they then sound.
        last: ``int32[N, V]`` pitch tokens of the frame before.
        row: ``int32[N]`` row that each hypothesis had when this frame began.
    """

    token: Any
    sounding: Any
    last: Any
    row: Any


class Proposal(NamedTuple):
    """A proposal: parameters and three pure functions.

    Attributes:
        params: any pytree of arrays.
        init: ``(params, controls, hypotheses) -> state``; controls are ``[time]`` arrays, known
            beforehand and never changed midway.
        begin_frame: ``(params, state, time, past) -> state``.
        log_probs: ``(params, state, slot, frame) -> float32[N, P]``, each row summing to one;
            ``slot`` is a Python integer in search order.
    """

    params: Any
    init: Callable[..., Any]
    begin_frame: Callable[..., Any]
    log_probs: Callable[..., Any]
