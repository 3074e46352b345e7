"""Stochastic beams: Gumbel-top-k sampling of sequences without replacement.

Reference: W. Kool, H. van Hoof, M. Welling, "Stochastic Beams and Where to Find Them", ICML 2019,
§4 and appendix B.3 (the numerically stable form).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


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
