"""How far a number has come through each bin: 0 before it, 1 behind it, in between its share."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float


def forward(bins: int, u: Float[Array, "rows columns"]) -> Float[Array, "columns {bins} rows"]:
    """vₖ = clip(u − k, 0, 1) for k = 0 … bins − 1. Source: arXiv:2203.05556, equation 1.

    u is measured in bins: bin k reaches from k to k + 1. The first is open below and the last above, so
    that u runs on where no bin is; whatever u, Σ vₖ = u.
    """
    k = jnp.arange(bins, dtype=u.dtype)[None, :, None]
    least = jnp.where(k == 0, -jnp.inf, 0)
    most = jnp.where(k == bins - 1, jnp.inf, 1)
    return jnp.clip(u.T[:, None, :] - k, least, most)


def backward(
    bins: int, u: Float[Array, "rows columns"], delta: Float[Array, "columns {bins} rows"]
) -> Float[Array, "rows columns"]:
    """∂L/∂u is the delta of the bin in which u lies: there vₖ rises by 1, and all others rest.

    At a kink, u = k, it is the bin that begins there, as in the source: what lies on an edge is in the
    bin above.
    """
    return jnp.where(_lies_in(bins, u), delta, 0).sum(axis=1).T


def _lies_in(bins: int, u: Float[Array, "rows columns"]) -> Bool[Array, "columns {bins} rows"]:
    own = jnp.clip(jnp.floor(u), 0, bins - 1)
    return own.T[:, None, :] == jnp.arange(bins, dtype=u.dtype)[None, :, None]
