"""Messages over tied positions: how likely the observed chain is to keep every tie (design §6).

For one voice the chain's transitions multiply wherever positions are tied: while theme ``k`` sounds
in its passage, a step from note ``y`` to token ``x`` weighs ``W(y, x) = P(x | y) * product over
copies c of P(T_c x | T_c y)``. Given the first and the last note of every theme, themes and the
gaps between statements are independent of one another. So the whole is a product of tables over the
*ends* of themes, two variables of 32 values each:

- ``M_k[first, last]``, the sum over everything between them, for each theme,
- ``G_q[last, first]`` from each statement to the next, the sum over the free frames between them,
- the frames after the last statement, by the last note.

Ends that have sounded are known; those that have not are summed out by variable elimination. That
is exact as long as no more than ``WIDEST`` ends meet in one sum: always with one or two themes in a
voice, whatever the number of statements, and as a rule with more. Beyond, an upper bound takes its
place (mini-buckets, see ``elimination``), and the stretch says so. What the copies owe for tokens
that have sounded, the product of their own steps, is carried by each hypothesis.

Conventions: T frames; sounding notes are voice tokens, 0 for silence; log probabilities in nats,
float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clausula.constraints.repeat import NO_IMAGE
from clausula.engine.elimination import (
    Factor,
    absorbed,
    eliminate,
    factor,
    log_matmul,
    log_sum,
    multiply,
)
from clausula.engine.themes import Line, Statement
from clausula.vocabulary import HOLD_TOKEN, N_VOICE, REST_TOKEN

WIDEST = 4  # ends of themes in one sum: 32 ** 4 terms
TARGET = -1  # as a variable: the end that ``log_ahead`` leads to
_NOTHING = np.where(np.eye(N_VOICE, dtype=bool), 0.0, -np.inf)  # a way of no frames
_KNOWN = np.where(np.arange(N_VOICE) == 0, 0.0, -np.inf)  # leads to no end: column 0 stands for all


class Stretch(NamedTuple):
    """Frames after which the same end comes next.

    Attributes:
        factors: what lies beyond that end, over it (``TARGET``) and the ends known by then.
        exact: false where their product is an upper bound.
    """

    factors: list[Factor]
    exact: bool


class VoiceMessages(NamedTuple):
    """The messages of a voice.

    After frame ``t`` what is still to come is kept with probability ``owed * sum over j of
    exp(log_ahead[t, y, j]) * F(j)``: ``y`` is the note that sounds, ``j`` the end that comes next,
    ``F`` the product of the factors of ``stretches[stretch[t]]`` at the ends that are known.

    Attributes:
        log_owed: ``[T, 32, 32]`` what each token, last axis, after each note adds to what copies
            owe: in a passage their own steps, in a copy less its step, else 0.
        log_ahead: ``[T, 32, 32]`` log probability of the frames up to the next end.
        stretch: int ``[T]``.
        stretches: the first has no factors.
        log_start: log P(all ties and domains are kept) before the first frame.
    """

    log_owed: np.ndarray
    log_ahead: np.ndarray
    stretch: np.ndarray
    stretches: list[Stretch]
    log_start: float


class _Ends(NamedTuple):
    """The product over the ends of themes.

    Attributes:
        after: the factor after each statement, of the gap or of the end of the piece.
        inside: each theme's own.
    """

    after: list[Factor]
    inside: dict[int, Factor]


def first_of(theme: int) -> int:
    """The number of a theme's first note among the ends."""
    return 2 * theme


def last_of(theme: int) -> int:
    """The number of a theme's last note among the ends."""
    return 2 * theme + 1


def voice_messages(line: Line, log_step: np.ndarray) -> VoiceMessages:
    """Work out the messages of a voice.

    Args:
        line: its themes.
        log_step: ``[T, 32, 32]`` finite log probability of each token, last axis, after each note.
    """
    log_owed = np.zeros_like(log_step)
    log_ahead = np.broadcast_to(_KNOWN, log_step.shape).copy()
    stretches = [Stretch([], exact=True)]
    if not line.statements:
        return VoiceMessages(log_owed, log_ahead, np.zeros(len(log_step), int), stretches, 0.0)
    passages = {s.theme: s for s in line.statements if not s.copy}
    for statement in line.statements:
        if statement.copy:
            _owe(passages[statement.theme], statement, log_step, log_owed)
    log_token = np.where(line.allowed[:, None], log_step, -np.inf)
    log_token[:, :, HOLD_TOKEN] = np.where(line.sounds, log_token[:, :, HOLD_TOKEN], -np.inf)
    inside = {
        theme: factor(
            (first_of(theme), last_of(theme)),
            _fill_passage(passage, log_token, log_owed, log_ahead),
        )
        for theme, passage in passages.items()
    }
    gaps, tail = _fill_gaps(line.statements, log_token, log_ahead)
    ends = _Ends(_after_statements(line.statements, gaps, tail), inside)
    for place in range(len(line.statements)):
        stretches.append(_before(line.statements, ends, place))
        stretches.append(_within(line.statements, ends, place))
    start = multiply([*stretches[1].factors, Factor((TARGET,), gaps[0][REST_TOKEN])])
    log_start = float(log_sum(start.log_table, 0))
    stretch = _stretch_of_frame(line.statements, len(log_step))
    return VoiceMessages(log_owed, log_ahead, stretch, stretches, log_start)


def _owe(passage: Statement, copy: Statement, log_step: np.ndarray, log_owed: np.ndarray) -> None:
    """Enter a copy's own steps in ``log_owed``: owed by its passage, paid by itself."""
    notes = _image_of_note(copy)
    known = (notes != NO_IMAGE)[:, None] & (copy.image != NO_IMAGE)
    steps = log_step[copy.start + 1 : copy.stop]
    moved = steps[:, notes[:, None], copy.image]
    log_owed[passage.start + 1 : passage.stop] += np.where(known, moved, -np.inf)
    log_owed[copy.start + 1 : copy.stop] = -steps


def _image_of_note(statement: Statement) -> np.ndarray:
    """``[32]`` what sounds in a statement for each note of its theme; a hold is no note."""
    return np.where(np.arange(N_VOICE) == HOLD_TOKEN, NO_IMAGE, statement.image)


def _moves(log_token: np.ndarray) -> np.ndarray:
    """From steps to tokens ``[…, note, token]`` to steps to notes ``[…, note, note]``."""
    moves = log_token.copy()
    notes = np.arange(N_VOICE)
    # A note goes on sounding when it is held and when it is struck again.
    moves[..., notes, notes] = np.logaddexp(moves[..., notes, notes], log_token[..., HOLD_TOKEN])
    moves[..., HOLD_TOKEN] = -np.inf
    moves[..., HOLD_TOKEN, :] = -np.inf
    return moves


def _way(moves: np.ndarray, log_end: np.ndarray) -> np.ndarray:
    """Messages ``[frame + 1, note, j]`` before each of some frames and, ``log_end``, after all.

    Args:
        moves: ``[frame, note, note]``.
        log_end: ``[note, j]``.
    """
    rows = [log_end]
    for move in moves[::-1]:
        rows.append(log_matmul(move, rows[-1]))
    return np.stack(rows[::-1])


def _fill_passage(
    passage: Statement, log_token: np.ndarray, log_owed: np.ndarray, log_ahead: np.ndarray
) -> np.ndarray:
    """Fill in a passage's frames of ``log_ahead``, which lead to its last note.

    Returns:
        ``[first, last]`` the sum over what lies between them, in all statements at once.
    """
    within = slice(passage.start + 1, passage.stop)
    way = _way(_moves(log_token[within] + log_owed[within]), _NOTHING)
    log_ahead[within] = way[1:]
    # The first note is an end itself: nothing lies between it and itself.
    log_ahead[passage.start] = _NOTHING
    return way[0]


def _fill_gaps(
    statements: Sequence[Statement], log_token: np.ndarray, log_ahead: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Fill in the free frames of ``log_ahead``, which lead to the next statement's first note.

    Returns:
        Before each statement ``[note, first]``, the note that sounds before the gap and the theme's
        first note; and by the note that sounds after the last statement ``[note]``, what follows.
    """
    moves = _moves(log_token)
    gaps, free = [], 0
    for statement in statements:
        notes = _image_of_note(statement)
        onset = np.where(notes != NO_IMAGE, log_token[statement.start][:, notes], -np.inf)
        way = _way(moves[free : statement.start], onset)
        gaps.append(way[0])
        log_ahead[free : statement.start] = way[1:]
        free = statement.stop
    tail = _way(moves[free:], np.zeros((N_VOICE, 1)))
    log_ahead[free:, :, :1] = tail[1:]
    return gaps, tail[0, :, 0]


def _stretch_of_frame(statements: Sequence[Statement], frames: int) -> np.ndarray:
    """``[T]`` the stretch of every frame: two a statement, before it and while it sounds."""
    stretch = np.zeros(frames, int)
    free = 0
    for place, statement in enumerate(statements):
        before, within = 1 + 2 * place, 2 + 2 * place
        stretch[free : statement.start] = before
        # Once a theme's first note sounds, what lies beyond it is still the gap's to know.
        stretch[statement.start] = within if statement.copy else before
        stretch[statement.start + 1 : statement.stop] = within
        free = statement.stop
    return stretch


def _after_statements(
    statements: Sequence[Statement], gaps: list[np.ndarray], tail: np.ndarray
) -> list[Factor]:
    """The factor after each statement, whose last note is read through its map."""
    factors = []
    for place, statement in enumerate(statements):
        notes = _image_of_note(statement)
        last = last_of(statement.theme)
        if place + 1 == len(statements):
            factors.append(factor((last,), np.where(notes != NO_IMAGE, tail[notes], -np.inf)))
            continue
        known = (notes != NO_IMAGE)[:, None]
        following = np.where(known, gaps[place + 1][notes], -np.inf)
        factors.append(factor((last, first_of(statements[place + 1].theme)), following))
    return factors


def _before(statements: Sequence[Statement], ends: _Ends, place: int) -> Stretch:
    """The factors while a statement is still to begin, with its first note as the target."""
    theme = statements[place].theme
    if statements[place].copy:
        # What it begins with is known: the target is that and nothing else.
        same = factor((first_of(theme), TARGET), _NOTHING)
        return _beyond(statements, ends, place, [same], hidden=[])
    own = _renamed(ends.inside[theme], first_of(theme))
    return _beyond(statements, ends, place, [own], hidden=[last_of(theme)], target=first_of(theme))


def _within(statements: Sequence[Statement], ends: _Ends, place: int) -> Stretch:
    """The factors while a statement sounds, with a passage's last note as the target."""
    target = None if statements[place].copy else last_of(statements[place].theme)
    return _beyond(statements, ends, place, [], hidden=[], target=target)


def _beyond(
    statements: Sequence[Statement],
    ends: _Ends,
    place: int,
    own: list[Factor],
    hidden: list[int],
    target: int | None = None,
) -> Stretch:
    """The factors after a statement and its ``own``; what is not known by then is summed out."""
    later = [s.theme for s in statements[place + 1 :] if not s.copy]
    beyond = ends.after[place:] + [ends.inside[theme] for theme in later]
    factors = own + [_renamed(one, target) for one in beyond]
    unknown = hidden + [end for theme in later for end in (first_of(theme), last_of(theme))]
    left = eliminate(absorbed(factors), unknown, WIDEST)
    return Stretch(left.factors, left.exact)


def _renamed(one: Factor, target: int | None) -> Factor:
    """A factor with an end called the target."""
    return factor([TARGET if v == target else v for v in one.variables], one.log_table)
