"""Four ordered notes out of independent ones: exact conditioning.

A network says of every note, independently, with which odds it plays. Given that exactly four play,
and given the voices chosen so far, the distribution of the next voice's note in search order
(soprano, bass, alto, tenor) is a ratio of elementary symmetric polynomials of the odds: the note's
own odds, times the polynomial over the notes among which the voices still to come must lie, of as
many factors as there are such voices. (Conditional Bernoulli, or Poisson-binomial, sampling.)

With ``e(m, n)`` the polynomial of degree m over the notes below n, all degrees climb together:

    e(0, n) = 1,    e(m, n + 1) = e(m, n) + odds(n) * e(m - 1, n),

in log space.

Shape suffixes: M notes, lowest first.

Source: Chen and Liu, Statistical applications of the Poisson-binomial and conditional Bernoulli
distributions, Statistica Sinica 7, 1997.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from clausula.grid import SEARCH_ORDER, Voice

# Voices still to come once each voice is chosen in search order: how many, on which side.
TO_COME = {Voice.SOPRANO: 3, Voice.BASS: 2, Voice.ALTO: 1, Voice.TENOR: 0}


def log_add(a: jax.Array, b: jax.Array) -> jax.Array:
    """``log(exp(a) + exp(b))``, ``-inf`` where both are, and there with a gradient of zero.

    (``jnp.logaddexp`` has the same values and no gradient there.)
    """
    most = jax.lax.stop_gradient(jnp.maximum(a, b))
    some = most > -jnp.inf
    scale = jnp.where(some, most, 0.0)
    total = jnp.where(some, jnp.exp(a - scale) + jnp.exp(b - scale), 1.0)
    return jnp.where(some, scale + jnp.log(total), -jnp.inf)


def bounds_of(slot: int, index: jax.Array, notes: int) -> tuple[jax.Array, jax.Array]:
    """The notes between which the slot's voice must lie, both exclusive, each ``[…]``.

    Args:
        slot: in search order.
        index: ``[…, voice]`` note that each voice sounds, negative in silence; only voices of
            earlier slots are read. A silent voice bounds nothing.
        notes: how many there are.

    Returns:
        The nearest chosen note below (-1 without one) and above (``notes`` without one).
    """
    voice = SEARCH_ORDER[slot]
    lower = jnp.full(index.shape[:-1], -1)
    upper = jnp.full(index.shape[:-1], notes)
    for other in SEARCH_ORDER[:slot]:
        note = index[..., other]
        if other < voice:
            upper = jnp.where(note >= 0, jnp.minimum(upper, note), upper)
        else:
            lower = jnp.maximum(lower, note)
    return lower, upper


def log_note(
    slot: int, log_odds_M: jax.Array, lower: jax.Array, upper: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Log-probability of the note that a slot's voice sounds, given that four ordered ones do.

    Args:
        slot: in search order.
        log_odds_M: ``[…, M]`` of each note, finite.
        lower: ``[…]`` from ``bounds_of``.
        upper: likewise.

    Returns:
        ``[…, M]``, ``-inf`` where no four notes go with it, and ``[…]`` whether any do; where
        none do, every note is ``-inf``.
    """
    voice = SEARCH_ORDER[slot]
    notes = jnp.arange(log_odds_M.shape[-1])
    within = (notes > lower[..., None]) & (notes < upper[..., None])
    log_odds = jnp.where(within, log_odds_M, -jnp.inf)
    # The voices to come lie above the bass, and below any other voice.
    others = _log_symmetric(log_odds, TO_COME[voice], below=voice != Voice.BASS)
    possible = within & (others > -jnp.inf)
    weight = jnp.where(possible, log_odds_M + jnp.where(possible, others, 0.0), -jnp.inf)
    some = possible.any(-1)
    total = jax.nn.logsumexp(jnp.where(some[..., None], weight, 0.0), -1, keepdims=True)
    return jnp.where(possible, weight - total, -jnp.inf), some


def _log_symmetric(log_odds_M: jax.Array, degree: int, *, below: bool) -> jax.Array:
    """``[…, M]`` log of the elementary symmetric polynomial over the notes below (or above)."""
    # Degree 0 is one before any note, every other degree nothing.
    start = jnp.full((degree + 1, *log_odds_M.shape[:-1]), -jnp.inf, log_odds_M.dtype)
    start = start.at[0].set(0.0)

    def note(log_e: jax.Array, log_odds: jax.Array) -> tuple[jax.Array, jax.Array]:
        more = log_add(log_e[1:], log_odds + log_e[:-1])
        # What lies below a note leaves the note itself out.
        return jnp.concatenate([log_e[:1], more]), log_e[degree]

    by_note = jnp.moveaxis(log_odds_M, -1, 0)
    return jnp.moveaxis(jax.lax.scan(note, start, by_note, reverse=not below)[1], 0, -1)
