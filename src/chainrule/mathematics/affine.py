"""The affine map z = a Wᵀ + b, the only map here that mixes its inputs."""

from jax import Array
from jax.lax import optimization_barrier
from jaxtyping import Float

from chainrule.mathematics.product import product

# The granularity, in float32 columns, at which matrix products on a CPU run at full speed.
_TILE = 64


def forward(
    W: Float[Array, "outputs inputs"], b: Float[Array, " outputs"] | None, a: Float[Array, "rows inputs"]
) -> Float[Array, "rows outputs"]:
    """z = a Wᵀ + b; ``W[i, j]`` carries input j to output i. Without biases, b is None."""
    z = product(a, W.T)
    return z if b is None else z + b[None, :]


def backward(
    W: Float[Array, "outputs inputs"], a: Float[Array, "rows inputs"], delta: Float[Array, "rows outputs"]
) -> tuple[Float[Array, "outputs inputs"], Float[Array, " outputs"], Float[Array, "rows inputs"]]:
    """Carry delta = ∂L/∂z back through z = a Wᵀ + b. Source: Goodfellow et al. 2016, algorithm 6.4.

    Returns
    -------
    dW, db
        ∂L/∂W = deltaᵀ a and ∂L/∂b = Σ delta, summed over the rows.
    da
        ∂L/∂a = delta W; times f′(z) it is the delta of the map below.

    Notes
    -----
    Of the three products of a step, deltaᵀ a is the only one that runs down the columns of both its
    factors, and XLA's CPU back end is 10–40 % slower at it. So the factor with fewer columns is
    transposed first; the barrier keeps XLA from folding that transposition back into the product.
    Measured by ``benchmarks/steps.py``.
    """
    if inputs_first(W.shape[0], W.shape[1]):
        dW = product(optimization_barrier(a.T), delta).T
    else:
        dW = product(optimization_barrier(delta.T), a)
    return dW, delta.sum(axis=0), product(delta, W)


def inputs_first(outputs: int, inputs: int) -> bool:
    """Whether ∂L/∂W is best computed, and W best kept between steps, as (inputs, outputs).

    The columns of a product should fill whole tiles, and be the longer side where both do. The
    mathematics never sees this: training keeps ``W.T`` between steps and hands ``W`` to the rules.
    """
    return (_filled(outputs), outputs) > (_filled(inputs), inputs)


def _filled(columns: int) -> float:
    """The share of the tiles that these columns touch which they fill."""
    return columns / (-(-columns // _TILE) * _TILE)
