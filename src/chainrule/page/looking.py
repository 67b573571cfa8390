"""Compiled looks at a network: what units say of some rows, how δ runs back, what they say of a plane."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.network.trace import named_passes
from chainrule.training.epoch import restored

FINE, COARSE = 40, 12  # points along an edge of the decision surface, and of a unit's picture


class Seen(NamedTuple):
    """What a frame looks at; tuples have an entry for each column of units, from the inputs on."""

    parameters: Parameters
    values: tuple[Any, ...]
    """What units say, (rows, units)."""
    z: tuple[Any, ...]
    """Of each affine map, (rows, units)."""
    deltas: tuple[Any, ...]
    """∂L/∂z of each affine map, (rows, units)."""
    sizes: Any
    """The root mean square of each of these, (affine maps,)."""
    means: tuple[Any, ...]
    """Of the values, (units,)."""
    deviations: tuple[Any, ...]


class Painted(NamedTuple):
    """What a network says of a plane."""

    pictures: tuple[Any, ...]
    """Of each column of units, what each says of the coarse grid, (units, points) in bytes, 128 for 0."""
    surface: Any
    """The raw output on the fine grid, (points, outputs)."""
    answers: Any
    """The same through the inverse link."""


@partial(jax.jit, static_argnums=(0, 1))
def look(network: Network, names: tuple[str, ...], kept: Parameters, x: Array, y: Array) -> Seen:
    """Look at some rows; ``names`` are those of each column in a trace."""
    parameters = restored(network, kept)
    seen = named_passes(network, parameters, x, y, jnp.ones(len(x)))
    values = tuple(seen.values[name] for name in names)
    deltas = tuple(seen.deltas[f"delta{layer}"] for layer in range(1, len(names)))
    return Seen(
        parameters,
        values,
        tuple(seen.values[f"z{layer}"] for layer in range(1, len(names))),
        deltas,
        jnp.stack([jnp.sqrt(jnp.square(delta).mean()) for delta in deltas]),
        tuple(value.mean(axis=0) for value in values),
        tuple(value.std(axis=0) for value in values),
    )


@partial(jax.jit, static_argnums=(0, 1))
def paint(
    network: Network, names: tuple[str, ...], kept: Parameters, grid: Array, any_target: Array
) -> Painted:
    """Look at a plane: the points of the fine grid, then those of the coarse one."""
    y = jnp.broadcast_to(any_target, (len(grid), len(any_target)))
    values = named_passes(network, restored(network, kept), grid, y, jnp.ones(len(grid))).values
    surface = values["y_hat"][: FINE * FINE]
    pictures = tuple(_picture(values[name][FINE * FINE :].T) for name in names)
    return Painted(pictures, surface, network.loss.inverse_link(surface))


def _picture(says: Array) -> Array:
    """What units say, (units, points), each in proportion to its largest."""
    most = jnp.abs(says).max(axis=1, keepdims=True)
    return (128 + 127 * says / jnp.where(most > 0, most, 1)).clip(0, 255).astype(jnp.uint8)
