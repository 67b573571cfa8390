"""Each column by itself times a stretch, plus an offset: the diagonal of an affine map."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

LEAST_SPREAD = 0.05


def forward(
    stretch: Float[Array, " width"], offset: Float[Array, " width"], a: Float[Array, "rows width"]
) -> Float[Array, "rows width"]:
    """z = stretch ∘ a + offset. Source: arXiv:2407.04491, the scaling layer."""
    return stretch[None, :] * a + offset[None, :]


def backward(
    stretch: Float[Array, " width"], a: Float[Array, "rows width"], delta: Float[Array, "rows width"]
) -> tuple[Float[Array, " width"], Float[Array, " width"], Float[Array, "rows width"]]:
    """Carry delta = ∂L/∂z back.

    Returns
    -------
    dstretch, doffset
        Σ delta ∘ a and Σ delta, summed over the rows.
    da
        stretch ∘ delta.
    """
    return (delta * a).sum(axis=0), delta.sum(axis=0), stretch[None, :] * delta


def standardizing(
    a: Float[Array, "rows width"],
) -> tuple[Float[Array, " width"], Float[Array, " width"]]:
    """The stretch and the offset that give each column of these rows mean 0 and spread 1.

    A spread below 1/20, of what is nearly always the same, counts as 1/20, so that no column becomes
    enormous; a column that is constant is only moved to 0.
    """
    mean, spread = a.mean(axis=0), a.std(axis=0)
    differs = a.max(axis=0) > a.min(axis=0)  # a rounded mean gives equal values a spread
    stretch = jnp.where(differs, 1 / jnp.maximum(spread, LEAST_SPREAD), 1)
    return stretch, -mean * stretch
