"""Stochastic beams: Gumbel-top-k sampling of sequences without replacement.

Reference: W. Kool, H. van Hoof, M. Welling, "Stochastic Beams and Where to Find Them", ICML 2019,
§4 and appendix B.3 (the numerically stable form).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from clausula.constraints.rule import Array


def perturbed_children(key: jax.Array, log_q: jax.Array, perturbed: jax.Array) -> jax.Array:
    """Gumbels of all children, conditioned on each parent's being the largest of its children's.

    Args:
        key: random key.
        log_q: ``[N, A]`` log probability of each child sequence, ``-inf`` where forbidden.
        perturbed: ``[N]`` the parents' perturbed log probabilities, ``-inf`` for dead rows.

    Returns:
        ``[N, A]``; ``-inf`` exactly where the child is forbidden or its parent dead.
    """
    live = (log_q > -jnp.inf) & (perturbed > -jnp.inf)[:, None]
    # Forbidden entries take a harmless value so that no inf - inf arises; they are masked below.
    child = jnp.where(live, log_q + jax.random.gumbel(key, log_q.shape), -jnp.inf)
    largest = jnp.where(live.any(1), child.max(1), 0.0)[:, None]
    parent = jnp.where(perturbed > -jnp.inf, perturbed, 0.0)[:, None]
    child = jnp.where(live, child, largest)
    gap = parent - child + jnp.log1p(-jnp.exp(jnp.minimum(child - largest, 0.0)))
    shifted = parent - jnp.maximum(gap, 0.0) - jnp.log1p(jnp.exp(-jnp.abs(gap)))
    return jnp.where(live, shifted, -jnp.inf)


def log_inclusion(log_q: Array, perturbed: Array, beam: int) -> np.ndarray:
    """Log probability with which each sample is among those drawn, given where drawing ended.

    The estimate ``sum f(x) p(x) / inclusion(x)`` over the samples is an unbiased one of the sum of
    ``f(x) p(x)`` over all sequences (Horvitz and Thompson; Kool et al., §4.2). The last sample of a
    full beam is not one of them: its value is the threshold that the others have passed.

    Args:
        log_q: ``[N]`` log probabilities of the samples, best first by ``perturbed``.
        perturbed: ``[N]`` theirs, perturbed; ``-inf`` where there is none.
        beam: how many would have been drawn.

    Returns:
        ``float64[N]``: 0 where all there is was drawn, nan where a row holds no sample.
    """
    log_q, perturbed = np.asarray(log_q, float), np.asarray(perturbed, float)
    drawn = perturbed > -np.inf
    if drawn.sum() < beam:
        return np.where(drawn, 0.0, np.nan)
    inclusion = -np.expm1(-np.exp(log_q - perturbed[beam - 1]))
    return np.where(np.arange(len(log_q)) < beam - 1, np.log(inclusion), np.nan)
