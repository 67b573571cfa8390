"""What a network learns: a tuple with one entry for each map that learns; gradients have the same type."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import jax
from jax import Array


class Weights(NamedTuple):
    """The parameters of an affine map: W of shape (outputs, inputs), b of shape (outputs,) or None."""

    W: Array
    b: Array | None


class Norm(NamedTuple):
    """The parameters of a layer normalisation: gain and shift, each of shape (width,)."""

    gain: Array
    shift: Array


Parameters: TypeAlias = tuple["Weights | Norm | Parameters", ...]
"""One entry for each map that learns, in order; that of a residual block is the tuple of its own maps."""


def map_matrices(function: Callable[[Array], Array], parameters: Parameters) -> Parameters:
    """Apply a function to every W and leave the rest as it is: penalties and decay spare the biases."""
    return jax.tree.map(lambda leaf: function(leaf) if leaf.ndim == 2 else leaf, parameters)


def matrices(parameters: Parameters) -> list[Array]:
    """Every W, in order."""
    return [leaf for leaf in jax.tree.leaves(parameters) if leaf.ndim == 2]


def weights(parameters: Parameters) -> Iterator[Weights]:
    """The parameters of each affine map, in order."""
    for entry in parameters:
        if isinstance(entry, Weights):
            yield entry
        elif not isinstance(entry, Norm):
            yield from weights(entry)


def count(parameters: Parameters) -> int:
    """How many numbers the network learns."""
    return sum(leaf.size for leaf in jax.tree.leaves(parameters))
