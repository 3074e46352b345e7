"""Ties of one voice, the slow and clear way: every sequence of tokens, one by one.

Kept as documentation and as what ``tie_messages`` and ``tie_guidance`` are tested against.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clausula.constraints.domains import Domains
from clausula.constraints.repeat import NO_IMAGE, NO_SOURCE, Ties
from clausula.grid import Voice
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN


def kept_probability(
    ties: Ties,
    domains: Domains,
    log_step: np.ndarray,
    voice: Voice,
    prefix: Sequence[int],
    sounding: np.ndarray | None = None,
) -> float:
    """P(ties and domains are kept from here to the end | tokens so far) under the observed chain.

    The sum over the next token ``x`` that the domains allow, and, in a copy's frame, that its
    source's token is mapped to, of ``P(x | note that sounds)`` times the same for what follows.

    Args:
        ties: which frames are copies of which.
        domains: what is allowed besides.
        log_step: ``[time, 32, 32]`` log probability of each token, last axis, after each note.
        voice: whose frames.
        prefix: its tokens so far.
        sounding: uint32 ``[time, voice]`` bits of the notes that may sound after each frame; none
            for every note.
    """
    frame = len(prefix)
    if frame == len(log_step):
        return 1.0
    before = sounding_after(prefix)
    return sum(
        float(np.exp(log_step[frame, before, token]))
        * kept_probability(ties, domains, log_step, voice, [*prefix, token], sounding)
        for token in tokens_that_keep(ties, domains, voice, prefix, sounding)
    )


def tokens_that_keep(
    ties: Ties,
    domains: Domains,
    voice: Voice,
    prefix: Sequence[int],
    sounding: np.ndarray | None = None,
) -> list[int]:
    """The next tokens that the domain allows and, in a copy's frame, that the source demands."""
    frame = len(prefix)
    word = int(domains.masks[frame, voice])
    heard = (1 << N_VOICE) - 1 if sounding is None else int(sounding[frame, voice])
    source = ties.source_frame[frame, voice]
    tokens = range(N_VOICE)
    if source != NO_SOURCE:
        demanded = int(ties.token_map[ties.map_of_frame[frame, voice], prefix[source]])
        tokens = range(demanded, demanded + (demanded != NO_IMAGE))
    return [
        token
        for token in tokens
        if word >> token & 1 and heard >> sounding_after([*prefix, token]) & 1
    ]


def sounding_after(tokens: Sequence[int]) -> int:
    """The note that sounds after some tokens: the last that is no hold; silence before any."""
    return next((token for token in reversed(tokens) if token != HOLD_TOKEN), REST_TOKEN)
