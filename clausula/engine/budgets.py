"""Returns that may change within a budget: counted by the search, and looked ahead of.

A hypothesis carries how many changes each varied copy has had. As its theme sounds, the exact copy
becomes known note by note: places where the domains forbid it must change, places where they leave
nothing else cannot. What is left between the two bounds is exact for each place by itself. How the
changes spread is guided by the messages of a chain in which every place changes with the same
probability, ``DIFFERS``; without them the budget would be spent at once.

Shapes: N hypotheses, T frames, V voices, M places of one copy (padded), R varied copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.domains import Domains
from clausula.constraints.repeat import Repeat
from clausula.constraints.rule import Array
from clausula.constraints.soft import Soft
from clausula.constraints.vary import Positions, Vary, positions
from clausula.engine.layers import room
from clausula.engine.plan import Plan
from clausula.grid import SEARCH_ORDER
from clausula.vocabulary import N_VOICE

DIFFERS = 1 / 3  # share of tokens in which two unrelated passages of the chorales differ: 0.28-0.36
PLACES = 64  # copies are padded to a multiple of this
NOWHERE = -1


class Budget(NamedTuple):
    """One varied copy. *Theme* is the token of the place that a copy's place repeats.

    Attributes:
        layer: ``int32[M]`` ``4 * frame + slot`` of each place, ``NOWHERE`` in padding.
        source: ``int32[M]`` the frame that its exact copy repeats.
        mapped: ``int8[M, 32]`` the exact copy's token by theme, -1 for none.
        must: ``bool[M, 32]`` by theme, whether the place must change.
        can: ``bool[M, 32]`` by theme, whether it can.
        must_all: ``bool[M]`` whether it must whatever the theme is.
        can_any: ``bool[M]`` whether it can with some theme.
        least: ``int32[]`` changes.
        most: ``int32[]`` changes.
        price: ``float32[]`` nats for each change too few or too many; infinite where it is hard.
        log_ahead: ``float32[M + 1, M + 1]`` by places left and changes so far: log probability
            that the budget is kept; if soft, log of the expected ``exp(-price)`` of what is not.
    """

    layer: Array
    source: Array
    mapped: Array
    must: Array
    can: Array
    must_all: Array
    can_any: Array
    least: Array
    most: Array
    price: Array
    log_ahead: Array


class Change(NamedTuple):
    """What a budget says of every token at one slot.

    Attributes:
        differs: ``int32[N, 32]`` 1 where the token is a change.
        allowed: ``bool[N, 32]``.
        cost: ``float32[N, 32]`` nats.
        log_guide: ``float32[N, 32]``.
    """

    differs: jax.Array
    allowed: jax.Array
    cost: jax.Array
    log_guide: jax.Array


def budgets_of(plan: Plan, domains: Domains) -> tuple[Budget, ...]:
    """The varied copies of a plan, soft returns among them: they may change, at a price."""
    found = []
    for constraint in plan.others:
        wish = constraint.constraint if isinstance(constraint, Soft) else constraint
        price = constraint.weight if isinstance(constraint, Soft) else np.inf
        if isinstance(wish, Repeat):
            wish = Vary(wish.source, wish.at, 0, 0, wish.how, wish.voices)
        if isinstance(wish, Vary):
            found.append(_budget(wish, price, plan, domains))
    return tuple(found)


def _budget(vary: Vary, price: float, plan: Plan, domains: Domains) -> Budget:
    places = positions(vary, plan.timeline, plan.key)
    by_layer = domains.by_layer()
    passage = by_layer[4 * places.source + places.layer % 4]
    return budget_of(places, passage, by_layer[places.layer], (vary.least, vary.most), price)


def budget_of(
    places: Positions,
    passage: np.ndarray,
    copy: np.ndarray,
    bounds: tuple[int, int],
    price: float,
) -> Budget:
    """A budget in arrays.

    Args:
        places: of the copy.
        passage: ``bool[place, token]`` what each place's theme may be.
        copy: ``bool[place, token]`` what each place may be.
        bounds: least and most changes.
        price: see ``Budget``.
    """
    exact = np.maximum(places.mapped, 0).astype(int)
    kept = np.take_along_axis(copy, exact, axis=1) & (places.mapped >= 0)  # by theme
    can = copy.sum(axis=1, keepdims=True) > kept
    padded = room(len(places.layer), PLACES)
    pad = (0, padded - len(places.layer))
    return Budget(
        np.pad(places.layer, pad, constant_values=NOWHERE),
        np.pad(places.source, pad),
        np.pad(places.mapped, (pad, (0, 0))),
        np.pad(~kept, (pad, (0, 0))),
        np.pad(can, (pad, (0, 0))),
        np.pad((~kept | ~passage).all(axis=1), pad),
        np.pad((can & passage).any(axis=1), pad),
        np.int32(bounds[0]),
        np.int32(bounds[1]),
        np.float32(price),
        log_ahead(*bounds, price, padded).astype(np.float32),
    )


def log_ahead(least: int, most: int, price: float, places: int) -> np.ndarray:
    """``[left, changes]`` see ``Budget``, where every place changes with ``DIFFERS``."""
    left, more = np.meshgrid(np.arange(places + 1), np.arange(places + 1), indexing="ij")
    log_factorial = np.append(0.0, np.cumsum(np.log(np.arange(1, places + 1))))
    rest = np.maximum(left - more, 0)
    log_choose = log_factorial[left] - log_factorial[more] - log_factorial[rest]
    log_p = log_choose + more * np.log(DIFFERS) + rest * np.log1p(-DIFFERS)
    log_p = np.where(more <= left, log_p, -np.inf)
    total = np.arange(places + 1)[:, None] + np.arange(places + 1)  # [changes, more]
    broken = np.maximum(total - most, 0) + np.maximum(least - total, 0)
    # A hard budget asks infinitely much of what breaks it and nothing of what keeps it.
    asked = np.where(broken > 0, price * np.maximum(broken, 1), 0.0)
    return np.logaddexp.reduce(log_p[:, None, :] - asked[None], axis=2)


def change_terms(
    budget: Budget,
    history: jax.Array,
    changes: jax.Array,
    layer: jax.Array,
    since: jax.Array | None = None,
) -> Change:
    """What a budget says of every token.

    Args:
        budget: of the varied copy.
        history: ``int8[N, T, V]`` voice tokens chosen so far.
        changes: ``int32[N]`` changes so far.
        layer: ``int32[]`` where the search is.
        since: ``int32[]`` the first layer that is not chosen yet, if that is an earlier one.
    """
    since = layer if since is None else since
    slot = jnp.maximum(budget.layer, 0) % len(SEARCH_ORDER)
    heard = 4 * budget.source + slot  # the layer at which each place's theme is chosen
    theme = history[:, budget.source, jnp.asarray(SEARCH_ORDER)[slot]].astype(jnp.int32)
    rows = jnp.arange(len(slot))
    must = jnp.where(heard < since, budget.must[rows, theme], budget.must_all)  # [N, M]
    can = jnp.where(heard < since, budget.can[rows, theme], budget.can_any)
    here, hears = budget.layer == layer, heard == layer
    later = (budget.layer >= since) & ~here
    exact = jnp.where(here, budget.mapped[rows, theme].astype(jnp.int32), 0)
    differs = here.any() & (jnp.arange(N_VOICE) != exact.sum(axis=1, keepdims=True))
    # What this token adds to the bounds where it is itself a theme.
    now_must = (hears[:, None] & (budget.must & ~budget.must_all[:, None])).sum(axis=0)
    now_not = (hears[:, None] & (budget.can_any[:, None] & ~budget.can)).sum(axis=0)

    def broken(least: jax.Array, most: jax.Array) -> jax.Array:
        return jnp.maximum(least - budget.most, 0) + jnp.maximum(budget.least - most, 0)

    def still(which: jax.Array, where: jax.Array) -> jax.Array:
        return (which & where).sum(axis=1, keepdims=True)

    after = changes[:, None] + differs.astype(jnp.int32)
    breaks = broken(after + still(must, later) + now_must, after + still(can, later) - now_not)
    before = broken(
        changes[:, None] + still(must, later | here), changes[:, None] + still(can, later | here)
    )
    # What cannot be helped is asked for when the passage begins.
    newly = breaks - jnp.where(layer > heard[0], before, 0)
    hard = jnp.isinf(budget.price)
    concerned = here.any() | hears.any()
    return Change(
        differs.astype(jnp.int32),
        (breaks == 0) | ~hard,
        jnp.where(hard | ~concerned, 0.0, budget.price * newly),
        budget.log_ahead[later.sum(), jnp.minimum(after, len(slot))],
    )


def all_changes(
    budgets: Sequence[Budget],
    history: jax.Array,
    changes: jax.Array,
    layer: jax.Array,
    since: jax.Array | None = None,
) -> Change:
    """All budgets together; ``differs`` is ``[N, R, 32]``, ``changes`` ``[N, R]``."""
    n = len(history)
    terms = [change_terms(b, history, changes[:, r], layer, since) for r, b in enumerate(budgets)]
    differs = [term.differs for term in terms]
    allowed = jnp.ones((n, N_VOICE), bool)
    cost, guide = jnp.zeros((n, N_VOICE)), jnp.zeros((n, N_VOICE))
    for term in terms:
        allowed, cost, guide = allowed & term.allowed, cost + term.cost, guide + term.log_guide
    none = jnp.zeros((n, 0, N_VOICE), jnp.int32)
    return Change(jnp.stack(differs, axis=1) if differs else none, allowed, cost, guide)
