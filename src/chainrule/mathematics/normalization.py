"""Layer normalisation: every row gets mean 0 and spread 1, then a gain and a shift for each column."""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

EPSILON = 1e-5  # keeps a row of equal values from dividing by zero


def forward(
    gain: Float[Array, " width"], shift: Float[Array, " width"], a: Float[Array, "rows width"]
) -> Float[Array, "rows width"]:
    """z = gain · n + shift with n = (a − mean) / √(variance + ε). Source: arXiv:1607.06450, equation 4.

    Mean and variance (dividing by the width) are taken over the columns of each row.
    """
    normalized, _ = _normalize(a)
    return gain[None, :] * normalized + shift[None, :]


def backward(
    gain: Float[Array, " width"], a: Float[Array, "rows width"], delta: Float[Array, "rows width"]
) -> tuple[Float[Array, " width"], Float[Array, " width"], Float[Array, "rows width"]]:
    """Carry delta = ∂L/∂z back through the normalisation.

    Returns
    -------
    dgain, dshift
        Σ delta · n and Σ delta, summed over the rows.
    da
        (g − mean(g) − n · mean(g · n)) / √(variance + ε) with g = delta · gain: what is left of g after
        its parts along the constant row and along n itself, which the map cannot pass on.
    """
    normalized, inverse_spread = _normalize(a)
    g = delta * gain[None, :]
    along_n = (g * normalized).mean(axis=1, keepdims=True)
    da = (g - g.mean(axis=1, keepdims=True) - normalized * along_n) * inverse_spread
    return (delta * normalized).sum(axis=0), delta.sum(axis=0), da


def _normalize(a: Float[Array, "rows width"]) -> tuple[Float[Array, "rows width"], Float[Array, "rows 1"]]:
    centred = a - a.mean(axis=1, keepdims=True)
    inverse_spread = jax.lax.rsqrt(jnp.square(centred).mean(axis=1, keepdims=True) + EPSILON)
    return centred * inverse_spread, inverse_spread
