"""An affine map for each column by itself: a column's features in, its outputs out, none mixed with others.

Here rows come last: each column is one product V v of plain matrices, which XLA's CPU back end runs up to
1.7 times as fast as with rows first.
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from chainrule.mathematics.product import product


def forward(
    V: Float[Array, "columns size features"],
    c: Float[Array, "columns size"],
    v: Float[Array, "columns features rows"],
) -> Float[Array, "columns size rows"]:
    """z = V v + c in each column."""
    return product(V, v) + c[:, :, None]


def backward(
    V: Float[Array, "columns size features"],
    v: Float[Array, "columns features rows"],
    delta: Float[Array, "columns size rows"],
) -> tuple[
    Float[Array, "columns size features"],
    Float[Array, "columns size"],
    Float[Array, "columns features rows"],
]:
    """Carry delta = ∂L/∂z back through z = V v + c.

    Returns
    -------
    dV, dc
        delta vᵀ and Σ delta, summed over the rows.
    dv
        Vᵀ delta.
    """
    dV, dv = product(delta, jnp.matrix_transpose(v)), product(jnp.matrix_transpose(V), delta)
    return dV, delta.sum(axis=2), dv
