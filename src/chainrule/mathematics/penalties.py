"""Penalties on the size of the weights, added to the loss. Biases go free."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def l1(W: Float[Array, "outputs inputs"]) -> Float[Array, ""]:
    """Σ |w|. Drives single weights to zero. Source: Tibshirani 1996."""
    return jnp.abs(W).sum()


def l1_gradient(W: Float[Array, "outputs inputs"]) -> Float[Array, "outputs inputs"]:
    """∂/∂w = sign(w), and 0 at w = 0."""
    return jnp.sign(W)


def l2(W: Float[Array, "outputs inputs"]) -> Float[Array, ""]:
    """½ Σ w². Keeps all weights small. Source: Hoerl and Kennard 1970."""
    return jnp.square(W).sum() / 2


def l2_gradient(W: Float[Array, "outputs inputs"]) -> Float[Array, "outputs inputs"]:
    """∂/∂w = w."""
    return W
