"""Dropout: in training, a random part of the units is silent, and the others speak up for them."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, UInt32


def kept(seed: UInt32[Array, ""], shape: tuple[int, int], rate: float) -> Bool[Array, "rows width"]:
    """Which units of which rows stay, each with probability 1 − rate.

    A counter that is hashed, one hash for each unit: XLA fuses it into the map that uses it, where
    JAX's default generator would cost a third of a step. The hash is the 32-bit finaliser of MurmurHash3.
    """
    rows, width = shape
    counter = jnp.arange(rows, dtype=jnp.uint32)[:, None] * jnp.uint32(width)
    counter = counter + jnp.arange(width, dtype=jnp.uint32)[None, :]
    bits = mix(mix(counter) ^ mix(seed)[None, None])
    return bits >= jnp.uint32(min(round(rate * 2**32), 2**32 - 1))


def mix(x: UInt32[Array, "*shape"]) -> UInt32[Array, "*shape"]:
    """Scatter the bits of x, so that neighbours have nothing in common; 0 is moved away first."""
    x = x + jnp.uint32(0x9E3779B9)
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def forward(
    a: Float[Array, "rows width"], stays: Bool[Array, "rows width"], rate: float
) -> Float[Array, "rows width"]:
    """z = a / (1 − rate) where a unit stays, else 0: the expectation is a. Source: arXiv:1207.0580."""
    return jnp.where(stays, a / (1 - rate), 0)


def backward(
    delta: Float[Array, "rows width"], stays: Bool[Array, "rows width"], rate: float
) -> Float[Array, "rows width"]:
    """∂L/∂a = delta / (1 − rate) where a unit stayed, else 0."""
    return jnp.where(stays, delta / (1 - rate), 0)
